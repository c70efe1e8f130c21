package fmtx

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/internal/platform/money"
)

var (
	en = For("en")
	vi = For("vi-VN")
)

// TestHouseStyle holds the examples of the design system word for word.
func TestHouseStyle(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 19, 9, 41, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{vi.Percent(0.648, 1), "64,8%"},
		{en.Percent(0.648, 1), "64.8%"},
		{vi.Money(money.VND(1250000)), "1.250.000\u00a0₫"},
		{en.Money(money.VND(1250000)), "1.250.000\u00a0₫"},
		{en.Money(money.VND(-1250000)), "\u22121.250.000\u00a0₫"},
		{vi.MoneyShort(money.VND(4_300_000_000)), "4,3\u00a0tỷ\u00a0₫"},
		{en.MoneyShort(money.VND(4_300_000_000)), "4.3\u00a0bn\u00a0₫"},
		{vi.MoneyShort(money.VND(900_000_000)), "900\u00a0triệu\u00a0₫"},
		{vi.MoneyShort(money.VND(999_960_000)), "1\u00a0tỷ\u00a0₫"},
		{vi.MoneyShort(money.VND(1_200_000_000_000)), "1,2\u00a0nghìn\u00a0tỷ\u00a0₫"},
		{vi.MoneyShort(money.VND(950_000)), "950.000\u00a0₫"},
		{en.Money(money.Amount{Minor: 125000, Currency: "USD"}), "1,250.00\u00a0USD"},
		{vi.Money(money.Amount{Minor: -5, Currency: "USD"}), "\u22120,05\u00a0USD"},
		{vi.Date(day), "Thứ\u00a0Năm\u00a019.11.2026"},
		{en.Date(day), "Thu\u00a019\u00a0Nov\u00a02026"},
		{vi.Day(day), "19.11"},
		{en.DateTime(day, day), "19\u00a0Nov, 09:41"},
		{vi.DateTime(day.AddDate(-1, 0, 0), day), "19.11.2025, 09:41"},
		{vi.Range(52, 58, 0), "từ 52 đến 58"},
		{en.Range(52, 58, 0), "52 to 58"},
		{en.Interval(77.7, 79.1, 1), "77.7\u00a0–\u00a079.1"},
		{vi.PercentInterval(0.639, 0.657, 1), "63,9\u00a0–\u00a065,7%"},
		{vi.PlusMinus(0.9, 1), "±\u00a00,9"},
		{vi.Signed(0.2, 1), "+0,2"},
		{en.Signed(-0.6, 1), "\u22120.6"},
		{en.Signed(0.04, 1), "0.0"},
		{en.Decimal(-0.04, 1), "0.0"},
		{vi.Int(6820), "6.820"},
		{en.Int(-12904), "\u221212,904"},
		{en.Int(math.MinInt64), "\u22129,223,372,036,854,775,808"},
		{en.Decimal(math.NaN(), 1), "–"},
		{en.Percent(math.Inf(1), 1), "–"},
		{vi.Ago(6 * time.Minute), "6\u00a0phút\u00a0trước"},
		{en.Ago(3 * time.Second), "just now"},
		{vi.Compact(48210), "48,2k"},
		{en.Compact(1_260_000), "1.3M"},
		{en.Compact(6820), "6,820"},
		{en.Bytes(412 << 30), "412\u00a0GiB"},
		{vi.Bytes(1536), "1,5\u00a0KiB"},
		{en.DayRange(time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)), "22\u00a0Oct to 18\u00a0Nov"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestMoneyRange(t *testing.T) {
	t.Parallel()
	bold, rest := vi.MoneyRange(money.VND(4_300_000_000), money.VND(6_900_000_000))
	if bold != "4,3" || rest != "đến\u00a06,9\u00a0tỷ\u00a0₫" {
		t.Errorf("got %q %q", bold, rest)
	}
	bold, rest = en.MoneyRange(money.VND(-900_000_000), money.VND(-1_500_000_000))
	if bold != "−0.9" || rest != "to\u00a0−1.5\u00a0bn\u00a0₫" {
		t.Errorf("got %q %q", bold, rest)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for _, c := range []struct {
		d              time.Duration
		en, vi, shortV string
	}{
		{0, "0 s", "0 giây", "0 s"},
		{240 * time.Millisecond, "240 ms", "240 ms", "240 ms"},
		{4100 * time.Millisecond, "4.1 s", "4,1 giây", "4,1 s"},
		{40 * time.Second, "40 s", "40 giây", "40 s"},
		{6 * time.Minute, "6 min", "6 phút", "6 ph"},
		{276 * time.Second, "4.6 min", "4,6 phút", "4,6 ph"},
		{42 * time.Minute, "42 min", "42 phút", "42 ph"},
		{7*time.Hour + 10*time.Minute, "7 h 10", "7 giờ 10", "7 giờ 10"},
		{3*time.Hour + 5*time.Minute, "3 h 05", "3 giờ 05", "3 giờ 05"},
		{4 * time.Hour, "4 h", "4 giờ", "4 giờ"},
		{day, "1 day", "1 ngày", "1 ngày"},
		{day - time.Second, "1 day", "1 ngày", "1 ngày"},
		{194*time.Hour + 24*time.Minute, "8.1 days", "8,1 ngày", "8,1 ngày"},
		{-6 * time.Minute, "−6 min", "−6 phút", "−6 ph"},
	} {
		for _, g := range []struct{ got, want string }{{en.Duration(c.d), c.en}, {vi.Duration(c.d), c.vi}, {vi.DurationShort(c.d), c.shortV}} {
			if plain(g.got) != g.want {
				t.Errorf("%v: got %q, want %q", c.d, g.got, g.want)
			}
			if strings.Contains(g.got, " ") {
				t.Errorf("%v: %q can break between number and unit", c.d, g.got)
			}
		}
	}
}

// TestIntRoundTrip: taking the signs away gives the number back.
func TestIntRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		for _, f := range []Formatter{en, vi, {}} {
			text := strings.NewReplacer(f.rules().group, "", Minus, "-").Replace(f.Int(n))
			if got, err := strconv.ParseInt(text, 10, 64); err != nil || got != n {
				t.Fatalf("%q parses to %d, %v; want %d", f.Int(n), got, err, n)
			}
		}
	})
}

// TestDecimalRoundTrip: the text differs from the value by at most half a unit
// of its last decimal, and never shows a negative zero or a hyphen.
func TestDecimalRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(-1e12, 1e12).Draw(t, "x")
		digits := rapid.IntRange(0, 6).Draw(t, "digits")
		text := vi.Decimal(x, digits)
		if strings.Contains(text, "-") {
			t.Fatalf("%q uses a hyphen", text)
		}
		got, err := strconv.ParseFloat(strings.NewReplacer(".", "", ",", ".", Minus, "-").Replace(text), 64)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got-x) > 0.5*math.Pow10(-digits)+math.Abs(x)*1e-15 {
			t.Fatalf("%v with %d decimals became %q", x, digits, text)
		}
		if got == 0 && strings.Contains(text, Minus) {
			t.Fatalf("negative zero %q", text)
		}
	})
}

// TestMoneyKeepsEveryUnit: no minor unit is lost in full form.
func TestMoneyKeepsEveryUnit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		minor := rapid.Int64().Draw(t, "minor")
		currency := rapid.SampledFrom([]string{"VND", "USD", "KWD", "JPY"}).Draw(t, "currency")
		text := en.Money(money.Amount{Minor: minor, Currency: currency})
		digits := strings.Map(func(r rune) rune {
			switch {
			case r >= '0' && r <= '9':
				return r
			case r == '\u2212':
				return '-'
			}
			return -1
		}, text)
		if got, err := strconv.ParseInt(digits, 10, 64); err != nil || got != minor {
			t.Fatalf("%d %s became %q", minor, currency, text)
		}
	})
}

func plain(s string) string { return strings.ReplaceAll(s, NBSP, " ") }
