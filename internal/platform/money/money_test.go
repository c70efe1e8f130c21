package money

import (
	"errors"
	"math"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, currency string
		want           int64
		fails          bool
	}{
		{"1250000", "VND", 1250000, false},
		{"-1250000", "VND", -1250000, false},
		{"1250000.00", "VND", 1250000, false},
		{"1250000.50", "VND", 0, true},
		{"1.25e6", "VND", 1250000, false},
		{"12.50", "USD", 1250, false},
		{"12.505", "USD", 0, true},
		{"0.1", "USD", 10, false},
		{"1.005", "KWD", 1005, false},
		{"9223372036854775807", "VND", math.MaxInt64, false},
		{"9223372036854775808", "VND", 0, true},
		{"1e999999999", "VND", 0, true},
		{"0x10", "VND", 0, true},
		{"1/3", "USD", 0, true},
		{"NaN", "VND", 0, true},
		{"", "VND", 0, true},
	} {
		got, err := Parse(c.text, c.currency)
		if (err != nil) != c.fails || got != c.want {
			t.Errorf("Parse(%q, %s) = %d, %v; want %d, fails %t", c.text, c.currency, got, err, c.want, c.fails)
		}
	}
}

func TestAddRefusesOverflowAndOtherCurrency(t *testing.T) {
	t.Parallel()
	if _, err := VND(math.MaxInt64).Add(VND(1)); !errors.Is(err, ErrOverflow) {
		t.Errorf("overflow: %v", err)
	}
	if _, err := VND(math.MinInt64).Add(VND(-1)); !errors.Is(err, ErrOverflow) {
		t.Errorf("underflow: %v", err)
	}
	if _, err := VND(1).Add(Amount{1, "USD"}); !errors.Is(err, ErrCurrency) {
		t.Errorf("currency: %v", err)
	}
	if sum, err := VND(2).Add(VND(-5)); err != nil || sum.Minor != -3 {
		t.Errorf("sum: %v %v", sum, err)
	}
}
