// Package money holds amounts as integers of the currency's minor unit. VND
// has no minor unit in use, so its integers are đồng. Floats never carry money.
package money

import "errors"

// Amount is a sum in minor units of a currency (ISO 4217 code).
type Amount struct {
	Minor    int64
	Currency string
}

// ErrCurrency is returned when two amounts of different currencies meet.
var ErrCurrency = errors.New("money: different currencies")

// ErrOverflow is returned when a sum leaves the range of int64.
var ErrOverflow = errors.New("money: overflow")

// VND makes an amount in Vietnamese đồng.
func VND(dong int64) Amount { return Amount{Minor: dong, Currency: "VND"} }

// Add sums two amounts of one currency.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, ErrCurrency
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) && b.Minor != 0 {
		return Amount{}, ErrOverflow
	}
	return Amount{Minor: sum, Currency: a.Currency}, nil
}

// Exponent is the number of decimal digits of a currency's minor unit.
func Exponent(currency string) int {
	switch currency {
	case "VND", "JPY", "KRW", "CLP", "ISK", "UGX", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	default:
		return 2
	}
}
