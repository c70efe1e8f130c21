// Package money holds amounts as integers of the currency's minor unit. VND
// has no minor unit in use, so its integers are đồng. Floats never carry money.
package money

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

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

// ErrAmount is returned for a text that is no amount of its currency.
var ErrAmount = errors.New("money: not an amount of this currency")

// Parse reads a plain decimal number ("1250000", "-12.50", "1.25e6") into minor
// units of a currency, exactly. Digits beyond the minor unit must be zeros.
func Parse(text, currency string) (int64, error) {
	exponent := Exponent(currency)
	if minor, err := strconv.ParseInt(text, 10, 64); err == nil && exponent == 0 {
		return minor, nil
	}
	wrong := fmt.Errorf("%w: %q %s", ErrAmount, text, currency)
	if len(text) > 40 || strings.Trim(text, "+-.0123456789eE") != "" {
		return 0, wrong
	}
	// An exponent of more than two digits would be a bomb, not a sum of money.
	if _, power, ok := strings.Cut(strings.ToLower(text), "e"); ok && len(strings.TrimLeft(power, "+-")) > 2 {
		return 0, wrong
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, wrong
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
	if r.Mul(r, new(big.Rat).SetInt(scale)); !r.IsInt() || !r.Num().IsInt64() {
		return 0, wrong
	}
	return r.Num().Int64(), nil
}
