// Package fmtx writes numbers, money, dates and durations the way a banker in
// each language reads them.
//
// A Formatter belongs to one locale and is an immutable value: fmtx.For("vi").
// The rules are those of the design system: Vietnamese groups thousands with a
// point and writes a decimal comma, English the reverse; money in đồng is
// written the same everywhere (1.250.000 ₫); minus is U+2212; a number and its
// unit hold together with U+00A0; intervals take an en dash with spaces.
//
// Files: fmtx.go (locales, numbers), money.go, time.go (dates), duration.go.
// Every method is pure; times are shown in the location they carry.
package fmtx

import (
	"math"
	"strconv"
	"strings"
)

// Special characters of the house style.
const (
	Minus  = "\u2212" // U+2212, as wide as a plus sign
	NBSP   = "\u00a0" // no-break space between a number and its unit
	EnDash = "\u2013"
	None   = EnDash // shown where there is no value
)

// Formatter formats values for one locale. The zero value formats English.
type Formatter struct{ r *rules }

// rules are the words and signs of one locale.
type rules struct {
	locale         string
	decimal, group string
	million        string // short money units, with the word that precedes ₫
	billion        string
	trillion       string
	to             string // between two bounds: 52 to 58
	from           string // "từ " before the first bound in Vietnamese
	weekdays       [7]string
	months         [12]string // three letters in English, "Tháng 3" in Vietnamese
	dayFirst       bool       // 19.11.2026 instead of 19 Nov 2026
	units          durationUnits
	ago, justNow   string
}

// Locales that this package knows; others format as English.
var (
	english = &rules{
		locale: "en", decimal: ".", group: ",",
		million: "m", billion: "bn", trillion: "tn",
		to:       "to",
		weekdays: [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
		months:   [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		units: durationUnits{
			day: "days", dayOne: "day", hour: "h", minute: "min", second: "s", milli: "ms",
			dayShort: "d", hourShort: "h", minuteShort: "min",
		},
		ago: "ago", justNow: "just now",
	}
	vietnamese = &rules{
		locale: "vi", decimal: ",", group: ".",
		million: "triệu", billion: "tỷ", trillion: "nghìn" + NBSP + "tỷ",
		to: "đến", from: "từ ",
		weekdays: [7]string{"Chủ" + NBSP + "Nhật", "Thứ" + NBSP + "Hai", "Thứ" + NBSP + "Ba", "Thứ" + NBSP + "Tư", "Thứ" + NBSP + "Năm", "Thứ" + NBSP + "Sáu", "Thứ" + NBSP + "Bảy"},
		months:   [12]string{"Thg 1", "Thg 2", "Thg 3", "Thg 4", "Thg 5", "Thg 6", "Thg 7", "Thg 8", "Thg 9", "Thg 10", "Thg 11", "Thg 12"},
		dayFirst: true,
		units: durationUnits{
			day: "ngày", dayOne: "ngày", hour: "giờ", minute: "phút", second: "giây", milli: "ms",
			dayShort: "ngày", hourShort: "giờ", minuteShort: "ph",
		},
		ago: "trước", justNow: "vừa xong",
	}
)

// For gives the formatter of a locale tag such as "vi" or "vi-VN". Tags other
// than Vietnamese format as English.
func For(locale string) Formatter {
	base, _, _ := strings.Cut(strings.ToLower(locale), "-")
	if base == "vi" {
		return Formatter{vietnamese}
	}
	return Formatter{english}
}

func (f Formatter) rules() *rules {
	if f.r == nil {
		return english
	}
	return f.r
}

// Locale is "en" or "vi".
func (f Formatter) Locale() string { return f.rules().locale }

// Int writes a whole number with grouped thousands: 12.904 or 12,904.
func (f Formatter) Int(n int64) string {
	r := f.rules()
	if n < 0 {
		return Minus + groupDigits(strconv.FormatUint(uint64(-(n+1))+1, 10), r.group)
	}
	return groupDigits(strconv.FormatInt(n, 10), r.group)
}

// Decimal writes x rounded half to even at the given number of decimals (0 to
// 9): 0,81 or 0.81. Values that are not finite are shown as an en dash.
func (f Formatter) Decimal(x float64, digits int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return None
	}
	r := f.rules()
	text := strconv.FormatFloat(math.Abs(x), 'f', min(max(digits, 0), 9), 64)
	whole, frac, _ := strings.Cut(text, ".")
	out := groupDigits(whole, r.group)
	if frac != "" {
		out += r.decimal + frac
	}
	if x < 0 && strings.Trim(text, "0.") != "" {
		out = Minus + out
	}
	return out
}

// Signed writes x with an explicit sign, for differences: +0,2 or −0,6. Zero
// carries no sign.
func (f Formatter) Signed(x float64, digits int) string {
	text := f.Decimal(x, digits)
	if x > 0 && strings.ContainsAny(text, "123456789") {
		return "+" + text
	}
	return text
}

// Percent writes a fraction (0.648) as a percentage: 64,8% or 64.8%.
func (f Formatter) Percent(fraction float64, digits int) string {
	text := f.Decimal(fraction*100, digits)
	if text == None {
		return text
	}
	return text + "%"
}

// Interval writes two bounds that belong together with an en dash, as used in
// meta text: 77,7 – 79,1.
func (f Formatter) Interval(low, high float64, digits int) string {
	return f.Decimal(low, digits) + NBSP + EnDash + NBSP + f.Decimal(high, digits)
}

// PercentInterval writes two fractions as an interval of percentages, the
// sign once at the end: 63,9 – 65,7%.
func (f Formatter) PercentInterval(low, high float64, digits int) string {
	return f.Interval(low*100, high*100, digits) + "%"
}

// Range writes two bounds in words: "52 to 58", "từ 52 đến 58".
func (f Formatter) Range(low, high float64, digits int) string {
	r := f.rules()
	return r.from + f.Decimal(low, digits) + " " + r.to + " " + f.Decimal(high, digits)
}

// PlusMinus writes a half width: ± 0,7.
func (f Formatter) PlusMinus(half float64, digits int) string {
	return "±" + NBSP + f.Decimal(math.Abs(half), digits)
}

// Compact writes a count for a narrow place such as a chart: 48,2k above ten
// thousand, 1,2M above a million, in full below.
func (f Formatter) Compact(n int64) string {
	size := math.Abs(float64(n))
	switch {
	case size >= 999_950:
		return f.trimmed(float64(n)/1e6, 1) + "M"
	case size >= 10_000:
		return f.trimmed(float64(n)/1e3, 1) + "k"
	default:
		return f.Int(n)
	}
}

// Bytes writes a size with a binary unit: 412 GiB, 1,5 MiB.
func (f Formatter) Bytes(n int64) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	x, u := float64(n), 0
	for math.Abs(x) >= 1024 && u < len(units)-1 {
		x, u = x/1024, u+1
	}
	digits := 0
	if u > 0 && math.Abs(x) < 10 {
		digits = 1
	}
	return f.trimmed(x, digits) + NBSP + units[u]
}

// Unit ties a formatted number to its unit with a no-break space.
func (f Formatter) Unit(number, unit string) string { return number + NBSP + unit }

// trimmed is Decimal without trailing zeros after the decimal sign.
func (f Formatter) trimmed(x float64, digits int) string {
	text := f.Decimal(x, digits)
	if digits > 0 && strings.Contains(text, f.rules().decimal) {
		text = strings.TrimRight(text, "0")
		text = strings.TrimSuffix(text, f.rules().decimal)
	}
	return text
}

// groupDigits puts the sign between groups of three digits, from the right.
func groupDigits(digits, sign string) string {
	if len(digits) <= 3 {
		return digits
	}
	var b strings.Builder
	b.Grow(len(digits) + len(digits)/3*len(sign))
	head := len(digits) % 3
	b.WriteString(digits[:head])
	for i := head; i < len(digits); i += 3 {
		if i > 0 {
			b.WriteString(sign)
		}
		b.WriteString(digits[i : i+3])
	}
	return b.String()
}
