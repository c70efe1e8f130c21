package fmtx

import (
	"math"
	"strconv"

	"omote/internal/platform/money"
)

// Money writes an amount in full. Đồng are written the same in every locale,
// 1.250.000 ₫; other currencies take the locale's signs and their ISO code:
// 1,250.00 USD.
func (f Formatter) Money(a money.Amount) string {
	if a.Currency == "VND" {
		return Formatter{vietnamese}.Int(a.Minor) + NBSP + "₫"
	}
	digits := money.Exponent(a.Currency)
	unit := int64(math.Pow10(digits))
	whole, rest := a.Minor/unit, a.Minor%unit
	text := f.Int(whole)
	if digits > 0 {
		if rest < 0 {
			rest = -rest
			if whole == 0 {
				text = Minus + text
			}
		}
		frac := strconv.FormatInt(unit+rest, 10)[1:]
		text += f.rules().decimal + frac
	}
	return text + NBSP + a.Currency
}

// MoneyShort writes a large amount rounded to one decimal of its unit: 4,3 tỷ ₫
// or 4.3 bn ₫. Below a million it is Money.
func (f Formatter) MoneyShort(a money.Amount) string {
	scale, unit := f.moneyScale(a)
	if scale == 1 {
		return f.Money(a)
	}
	return f.trimmed(f.major(a)/scale, 1) + NBSP + unit
}

// MoneyRange writes a bookable bound and its other bound in one shared unit, as
// parts because the page prints the first bold: "4,3", "đến 6,9 tỷ ₫". Both
// amounts must be of one currency; the unit is that of the larger size.
func (f Formatter) MoneyRange(booked, other money.Amount) (bold, rest string) {
	larger := booked
	if math.Abs(float64(other.Minor)) > math.Abs(float64(booked.Minor)) {
		larger = other
	}
	to := f.rules().to
	scale, unit := f.moneyScale(larger)
	if scale == 1 {
		return f.Money(booked), to + " " + f.Money(other)
	}
	return f.trimmed(f.major(booked)/scale, 1), to + NBSP + f.trimmed(f.major(other)/scale, 1) + NBSP + unit
}

// major is the amount in whole units of the currency, for display only.
func (f Formatter) major(a money.Amount) float64 {
	return float64(a.Minor) / math.Pow10(money.Exponent(a.Currency))
}

// moneyScale picks the divisor and the words of the unit for a size.
func (f Formatter) moneyScale(a money.Amount) (scale float64, unit string) {
	r := f.rules()
	sign := a.Currency
	if a.Currency == "VND" {
		sign = "₫"
	}
	switch size := math.Abs(f.major(a)); {
	case size >= 999.95e9:
		return 1e12, r.trillion + NBSP + sign
	case size >= 999.95e6:
		return 1e9, r.billion + NBSP + sign
	case size >= 1e6:
		return 1e6, r.million + NBSP + sign
	default:
		return 1, ""
	}
}
