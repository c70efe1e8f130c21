package decision

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// roi is the example of the decision-model pack's ROI card.
func roi() Case {
	return Case{Customers: Range{320000, 400000, 460000}, ChurnDrop: Range{0.001, 0.004, 0.007}, Margin: Range{900000, 1200000, 1500000},
		ContactsAvoided: Range{0.05, 0.15, 0.25}, ContactCost: Range{15000, 25000, 32000}, OneOff: Range{3.5e9, 4e9, 6e9}, Running: Range{5e8, 6e8, 9e8},
		Fade: Range{0.05, 0.15, 0.35}, Rate: 0.11, Years: 3, Seed: 1}
}

// By hand: 400000·0.004·1.2m = 1.92 bn; 400000·0.15·25000 = 1.5 bn; together 3.42
// bn in the first year. Less 0.6 bn a year, at 11%: 2.82/1.11 + 2.307/1.2321 +
// 1.87095/1.367631 − 4 bn.
func TestCardByHand(t *testing.T) {
	t.Parallel()
	j, err := roi().Judge()
	if err != nil {
		t.Fatal(err)
	}
	want := (2.82/1.11+2.307/1.2321+1.87095/1.367631)*1e9 - 4e9
	if math.Abs(j.AtMid-want) > 1 {
		t.Errorf("at the middle %.0f, want %.0f", j.AtMid, want)
	}
	if !(j.Low < j.Mid && j.Mid < j.High) || j.Positive < 0.4 || j.Positive > 0.95 {
		t.Errorf("%+v", j)
	}
	if j.Tornado[0].Input != ChurnDrop || len(j.Tornado) != 8 {
		t.Errorf("the widest guess is %v", j.Tornado)
	}
	if j.Payback[1] < 4/2.82 || j.Payback[1] > 2.5 {
		t.Errorf("payback %v", j.Payback)
	}
	again, _ := roi().Judge()
	if again.Low != j.Low || again.High != j.High {
		t.Error("the same case gave other figures")
	}
}

// With one uncertain input the value is a linear function of it, so its
// percentiles are those of the input's own distribution, in closed form.
func TestOneUncertainInputAgainstItsDistribution(t *testing.T) {
	t.Parallel()
	c := Case{Customers: Fixed(1000), ChurnDrop: Range{0.01, 0.02, 0.05}, Margin: Fixed(1e6), ContactsAvoided: Fixed(0), ContactCost: Fixed(0), OneOff: Fixed(1e7),
		Running: Fixed(0), Fade: Fixed(0), Rate: 0, Years: 1}
	j, err := c.Judge()
	if err != nil {
		t.Fatal(err)
	}
	for p, got := range map[float64]float64{0.05: j.Low, 0.5: j.Mid, 0.95: j.High} {
		if want := c.ChurnDrop.at(p)*1e9 - 1e7; math.Abs(got-want) > 1e6 {
			t.Errorf("percentile %g: drawn %.0f, exact %.0f", p, got, want)
		}
	}
}

// More cost is never worth more, more margin never less; the likely range holds
// the middle; known inputs leave no doubt.
func TestCaseIsMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, top float64) Range {
			x := rapid.Float64Range(0, top).Draw(t, name)
			return Range{x * 0.5, x, x * 1.5}
		}
		c := Case{Customers: draw("customers", 1e6), ChurnDrop: draw("drop", 0.1), Margin: draw("margin", 1e6), ContactsAvoided: draw("contacts", 1),
			ContactCost: draw("contact cost", 3e4), OneOff: draw("one-off", 1e10), Running: draw("running", 1e9), Fade: draw("fade", 0.5), Rate: 0.1, Years: 3, Seed: 7}
		j, err := c.judge(500)
		if err != nil {
			t.Fatal(err)
		}
		dear := c
		dear.OneOff = Range{c.OneOff.Low + 1e9, c.OneOff.Mid + 1e9, c.OneOff.High + 1e9}
		if d, _ := dear.judge(500); d.Mid >= j.Mid || d.Positive > j.Positive {
			t.Fatalf("a dearer change is worth more: %+v, %+v", d, j)
		}
		rich := c
		rich.Margin = Range{c.Margin.Low * 2, c.Margin.Mid * 2, c.Margin.High * 2}
		if r, _ := rich.judge(500); r.Mid < j.Mid {
			t.Fatalf("a better margin is worth less: %+v, %+v", r, j)
		}
	})
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Case){
		"order": func(c *Case) { c.Margin = Range{2, 1, 3} }, "negative cost": func(c *Case) { c.OneOff.Low = -1 }, "no years": func(c *Case) { c.Years = 0 },
		"share": func(c *Case) { c.Fade.High = 2 }, "rate": func(c *Case) { c.Rate = 1 }, "no number": func(c *Case) { c.Customers.High = math.NaN() },
	} {
		c := roi()
		change(&c)
		if _, err := c.Judge(); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
