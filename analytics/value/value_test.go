package value

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// By hand, without doubt: 0.02 × 0.5 × 1.2m × 10,000 × 1 year − 20m = 100m.
func TestChainByHand(t *testing.T) {
	t.Parallel()
	c := Chain{Effect: Known(0.02), Links: []Estimate{Known(0.5), Known(1.2e6)}, Volume: Known(10_000), Months: 12, Cost: Known(2e7)}
	v, err := c.Value(1)
	if err != nil || v != (Valuation{100_000_000, 100_000_000, 100_000_000, 100_000_000}) {
		t.Errorf("%+v, %v", v, err)
	}
	c.Overlap = 0.25
	if v, _ := c.Value(1); v.Booked != 70_000_000 {
		t.Errorf("with a quarter booked elsewhere: %+v", v)
	}
	// One uncertain part: the bound is the one-sided 95% bound, 1.6449 standard errors.
	c.Overlap, c.Effect.SE = 0, 0.005
	v, _ = c.Value(1)
	if want := (0.02-1.6448536269514722*0.005)*6e9 - 2e7; math.Abs(float64(v.Booked)-want) > 1 {
		t.Errorf("booked %d, want %.0f", v.Booked, want)
	}
	// Harm is booked at its worse bound, what may be nothing is not claimed.
	c.Effect = Estimate{Value: -0.02, SE: 0.002}
	if v, _ := c.Value(1); v.Booked != v.Low || v.Booked >= 0 {
		t.Errorf("harm: %+v", v)
	}
	c.Effect = Estimate{Value: 0.005, SE: 0.01}
	if v, _ := c.Value(1); v.Booked != 0 || v.Low >= 0 || v.High <= 0 {
		t.Errorf("nothing proven: %+v", v)
	}
}

// A year without fading and discount counts one; both make it less.
func TestYears(t *testing.T) {
	t.Parallel()
	if y := (Chain{Months: 24}).Years(); math.Abs(y-2) > 1e-12 {
		t.Errorf("%g", y)
	}
	// ∫ over two years of 1.1^−t = (1−1.1^−2)/ln 1.1 = 1.8209…
	if y := (Chain{Months: 24, Rate: 0.1}).Years(); math.Abs(y-1.82089) > 1e-3 {
		t.Errorf("%g", y)
	}
}

// The promise of the ledger: over changes of every kind, also such that did
// nothing or harm, what is booked exceeds the true value in at most 5% of the
// cases in which something is booked at all, and so in all.
func TestBookedRarelyExceedsTruth(t *testing.T) {
	t.Parallel()
	seeds, lines := 10, 400
	if os.Getenv("OMOTE_VERIFY") == "1" {
		seeds = 100
	}
	booked, exceeded, claimed := 0, 0, 0
	for seed := range seeds {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		for range lines {
			truth := Chain{Effect: Known([]float64{-0.02, 0, 0, 0.01, 0.03, 0.08}[r.IntN(6)]), Links: []Estimate{Known(0.1 + r.Float64()), Known(2e5 + 1e6*r.Float64())},
				Volume: Known(1000 + 1e5*r.Float64()), Months: 6 + r.IntN(30), Fade: 0.3 * r.Float64(), Rate: 0.11, Cost: Known(1e8 * r.Float64())}
			true_, err := truth.Value(1)
			if err != nil {
				t.Fatal(err)
			}
			seen := truth
			see := func(e Estimate, se, df float64) Estimate {
				out := Estimate{Value: e.Value + se*r.NormFloat64(), SE: se}
				if df > 0 { // the spread is itself only estimated
					chi := 0.0
					for range int(df) {
						z := r.NormFloat64()
						chi += z * z
					}
					out.SE, out.DF = se*math.Sqrt(chi/df), df
				}
				return out
			}
			seen.Effect = see(truth.Effect, 0.002+0.02*r.Float64(), float64([]int{0, 5, 30}[r.IntN(3)]))
			seen.Links = []Estimate{see(truth.Links[0], truth.Links[0].Value*0.2*r.Float64(), 0), see(truth.Links[1], truth.Links[1].Value*0.1*r.Float64(), 0)}
			seen.Volume = see(truth.Volume, truth.Volume.Value*0.05, 0)
			v, err := seen.Value(1)
			if err != nil {
				t.Fatal(err)
			}
			if v.Booked == 0 {
				continue
			}
			booked++
			if v.Booked > 0 {
				claimed++
			}
			if v.Booked > true_.Mid {
				exceeded++
			}
		}
	}
	t.Logf("%d lines, %d booked, %d of them gains; booked more than true: %d (%.2f%% of booked, %.2f%% of all)", seeds*lines, booked, claimed, exceeded,
		100*float64(exceeded)/float64(booked), 100*float64(exceeded)/float64(seeds*lines))
	if float64(exceeded) > 0.05*float64(booked) {
		t.Errorf("booked more than true in %d of %d", exceeded, booked)
	}
	if claimed < seeds*lines/10 {
		t.Errorf("only %d gains were booked: the rule proves nothing", claimed)
	}
}

// More doubt never books more; the interval holds the middle.
func TestMoreDoubtBooksLess(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := func(name string, low, high float64) float64 { return rapid.Float64Range(low, high).Draw(t, name) }
		c := Chain{Effect: Estimate{Value: f("effect", 0.001, 1), SE: f("se", 0, 0.3)}, Links: []Estimate{{Value: f("link", 1, 1e5), SE: f("link se", 0.1, 1e4)}},
			Volume: Known(f("volume", 1, 1e6)), Months: 12, Rate: 0.1}
		v, err := c.Value(1)
		if err != nil {
			t.Fatal(err)
		}
		if v.Low > v.Mid || v.Mid > v.High || v.Booked > v.Mid {
			t.Fatalf("%+v", v)
		}
		c.Links[0].SE *= 1.5
		if w, _ := c.Value(1); w.Booked > v.Booked {
			t.Fatalf("more doubt books %d, less %d", w.Booked, v.Booked)
		}
	})
}

func TestDiffInDiffByHand(t *testing.T) {
	t.Parallel()
	e := DiffInDiff(Estimate{Value: 10, SE: 3}, Estimate{Value: 15, SE: 4}, Estimate{Value: 8, SE: 0}, Estimate{Value: 10, SE: 12})
	if e.Value != 3 || e.SE != 13 {
		t.Errorf("%+v", e)
	}
	if e := FromInterval(5, 3.04, 6.96, 0.95); math.Abs(e.SE-1) > 0.001 {
		t.Errorf("%+v", e)
	}
}
