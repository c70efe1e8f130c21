package choice_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"omote/analytics/decision/choice"
)

func exact(name string, merits ...float64) choice.Alternative {
	a := choice.Alternative{Name: name}
	for _, m := range merits {
		a.Merits = append(a.Merits, choice.Exactly(m))
	}
	return a
}

// With two criteria and free weights the share in which an alternative is first
// can be computed by hand: the ratio u/(u+v) of two uniform numbers is below one
// third in a quarter of the cases, and by symmetry above two thirds in a quarter.
func TestKnownShares(t *testing.T) {
	t.Parallel()
	criteria := []choice.Criterion{{"value", 0, 1}, {"ease", 0, 1}}
	// C is first where the weight of value lies between 1/3 and 2/3:
	// A scores w, B 1-w, C 2/3·... its merits are chosen so that the lines cross there.
	r, err := choice.Rank(criteria, []choice.Alternative{exact("A", 1, 0), exact("B", 0, 1), exact("C", 2.0/3, 2.0/3)}, choice.Options{Draws: 40_000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]float64{0: 0.25, 1: 0.25, 2: 0.5}
	for _, s := range r.Standings {
		if math.Abs(s.First-want[s.Index]) > 0.012 {
			t.Errorf("alternative %d is first in %.3f, want %.3f", s.Index, s.First, want[s.Index])
		}
	}
	if !slices.Equal(r.Set, []int{2}) || math.Abs(r.SetShare-0.5) > 0.012 {
		t.Errorf("set %v in %.3f", r.Set, r.SetShare)
	}
}

// A triangular merit has its known mean and tails.
func TestTriangular(t *testing.T) {
	t.Parallel()
	criteria := []choice.Criterion{{"value", 1, 1}}
	r, err := choice.Rank(criteria, []choice.Alternative{{Name: "a", Merits: []choice.Range{{Low: 0, Mid: 1, High: 4}}}}, choice.Options{Draws: 100_000, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	s := r.Standings[0].Score
	// Quantiles: F(x) = x²/4 below the mode, 1-(4-x)²/12 above.
	for _, c := range []struct{ got, want float64 }{{s.Mid, 5.0 / 3}, {s.Low, math.Sqrt(0.05 * 4)}, {s.High, 4 - math.Sqrt(0.05*12)}} {
		if math.Abs(c.got-c.want) > 0.02 {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
}

// Dominance found at corners is what no point of the ranges contradicts; where it
// does not hold, some corner contradicts it.
func TestDominanceIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "criteria")
		value := rapid.Float64Range(0, 1)
		var criteria []choice.Criterion
		var a, b choice.Alternative
		span := func(name string) (low, high float64) {
			low, high = value.Draw(t, name), value.Draw(t, name)
			return min(low, high), max(low, high)
		}
		for k := range n {
			low, high := span(fmt.Sprint("weight", k))
			criteria = append(criteria, choice.Criterion{Name: fmt.Sprint(k), Low: low, High: high + 0.01})
			for _, x := range []*choice.Alternative{&a, &b} {
				low, high := span("merit")
				x.Merits = append(x.Merits, choice.Range{Low: low, Mid: (low + high) / 2, High: high})
			}
		}
		worst := math.Inf(1)
		for corner := range 1 << (3 * n) { // weights, merits of a, merits of b
			sum := 0.0
			for k := range n {
				pick := func(bit int, low, high float64) float64 {
					if corner>>(3*k+bit)&1 == 1 {
						return high
					}
					return low
				}
				sum += pick(0, criteria[k].Low, criteria[k].High) * (pick(1, a.Merits[k].Low, a.Merits[k].High) - pick(2, b.Merits[k].Low, b.Merits[k].High))
			}
			worst = min(worst, sum)
		}
		got := choice.Dominates(criteria, a, b)
		if got && worst < -1e-12 {
			t.Fatalf("called dominating, but a corner gives %v", worst)
		}
		if !got && worst > 1e-12 {
			t.Fatalf("every corner is positive (least %v), but not called dominating", worst)
		}
	})
}

// Shares add up, a dominated alternative never comes before the one that dominates
// it, the scale of the weights does not matter, and the order of the alternatives
// neither.
func TestRankProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// In thousandths: what differs by less than sums of floats can tell ranks as equal.
		value := rapid.Map(rapid.IntRange(0, 1000), func(n int) float64 { return float64(n) / 1000 })
		criteria := []choice.Criterion{{"a", 0.2, 1}, {"b", 0.1, 2}, {"c", 0, 1}}
		n := rapid.IntRange(2, 5).Draw(t, "n")
		var list []choice.Alternative
		for i := range n {
			list = append(list, exact(fmt.Sprint(i), value.Draw(t, "x"), value.Draw(t, "y"), value.Draw(t, "z")))
		}
		o := choice.Options{Draws: 300, Seed: 3, Chosen: 2}
		r, err := choice.Rank(criteria, list, o)
		if err != nil {
			t.Fatal(err)
		}
		first, chosen, ranks := 0.0, 0.0, 0.0
		at := map[int]choice.Standing{}
		for _, s := range r.Standings {
			first, chosen, ranks = first+s.First, chosen+s.Chosen, ranks+s.MeanRank
			at[s.Index] = s
		}
		if math.Abs(first-1) > 1e-9 || math.Abs(chosen-2) > 1e-9 || math.Abs(ranks-float64(n*(n+1))/2) > 1e-9 {
			t.Fatalf("shares %v and %v, ranks %v", first, chosen, ranks)
		}
		for i := range list {
			for j := range list {
				if choice.Dominates(criteria, list[i], list[j]) && at[i].MeanRank > at[j].MeanRank {
					t.Fatalf("%d dominates %d and ranks behind it", i, j)
				}
			}
		}
		scaled := slices.Clone(criteria)
		for k := range scaled {
			scaled[k].Low *= 7
			scaled[k].High *= 7
		}
		again, err := choice.Rank(scaled, list, o)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range again.Standings {
			if s.Index != r.Standings[i].Index || math.Abs(s.MeanRank-r.Standings[i].MeanRank) > 1e-9 {
				t.Fatal("the scale of the weights matters")
			}
		}
	})
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	good := []choice.Criterion{{"a", 0, 1}}
	for name, c := range map[string]struct {
		criteria []choice.Criterion
		list     []choice.Alternative
	}{
		"nothing":         {good, nil},
		"no criteria":     {nil, []choice.Alternative{exact("a")}},
		"weights at zero": {[]choice.Criterion{{"a", 0, 0}}, []choice.Alternative{exact("a", 1)}},
		"negative weight": {[]choice.Criterion{{"a", -1, 1}}, []choice.Alternative{exact("a", 1)}},
		"merits missing":  {good, []choice.Alternative{exact("a")}},
		"not a number":    {good, []choice.Alternative{exact("a", math.NaN())}},
		"range upside":    {good, []choice.Alternative{{Name: "a", Merits: []choice.Range{{Low: 2, Mid: 1, High: 3}}}}},
	} {
		if _, err := choice.Rank(c.criteria, c.list, choice.Options{}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
