package cause

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// The share of the span that is covered, counted on a fine grid, is the oracle.
func TestCoveredByCounting(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 8).Draw(t, "n")
		times := make([]float64, n)
		for i := range times {
			times[i] = math.Floor(rapid.Float64Range(-5, 105).Draw(t, "t"))
		}
		sortFloats(times)
		before, after := float64(rapid.IntRange(0, 20).Draw(t, "b")), float64(rapid.IntRange(0, 5).Draw(t, "a"))
		hits := 0
		for k := range 100 {
			at := float64(k) + 0.5
			for _, e := range times {
				if at-e < before && e-at < after {
					hits++
					break
				}
			}
		}
		if got := covered(times, before, after, 0, 100); math.Abs(got-float64(hits)/100) > 1e-9 {
			t.Fatalf("%v, counted %v", got, float64(hits)/100)
		}
	})
}

func sortFloats(xs []float64) { median(xs) }

func TestWeeklyReleaseProvesNothing(t *testing.T) {
	t.Parallel()
	var events []Event
	for week := range 52 {
		events = append(events, Event{Name: "release", Kind: "release", Time: float64(7 * week)})
	}
	events = append(events, Event{Name: "outage", Kind: "incident", Time: 200})
	opt := EventOptions{Before: 7, After: 0, End: 364}
	rep := MatchEvents([]ChangePoint{{Time: 201, Low: 201, High: 201}}, events, opt)
	if len(rep.Matches) != 2 || events[rep.Matches[0].Event].Kind != "incident" {
		t.Fatalf("%+v", rep)
	}
	if m := rep.Matches[0]; m.Chance > 0.01 || m.Adjusted < m.Chance || m.Any < m.Chance {
		t.Errorf("the outage: %+v", m)
	}
	if m := rep.Matches[1]; m.Chance < 0.6 {
		t.Errorf("the release five days before: %+v", m)
	}
	if rep.PValue < 0.9 || rep.Expected < 0.99 {
		t.Errorf("something is near any change: %+v", rep)
	}
}

// With changes at random times the p-value is rarely small.
func TestMatchedPValueIsHonest(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	small := 0
	const rounds = 400
	for range rounds {
		var events []Event
		for range 10 {
			events = append(events, Event{Kind: "x", Time: 1000 * r.Float64()})
		}
		var changes []ChangePoint
		for range 8 {
			at := 1000 * r.Float64()
			changes = append(changes, ChangePoint{Time: at, Low: at - 2, High: at + 2})
		}
		if MatchEvents(changes, events, EventOptions{Before: 10, After: 1, End: 1000}).PValue <= 0.05 {
			small++
		}
	}
	if small > rounds/12 {
		t.Errorf("p at most 0.05 in %d of %d", small, rounds)
	}
}

func TestAtLeastIsBinomial(t *testing.T) {
	t.Parallel()
	if got, want := atLeast([]float64{0.5, 0.5, 0.5}, 2), 0.5; math.Abs(got-want) > 1e-15 {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestLeadingIndicators(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	const n = 200
	y, wait := make([]float64, n), make([]float64, n)
	candidates := []Indicator{{Name: "waiting", Values: wait}}
	for range 9 {
		idle := make([]float64, n)
		for i := range idle {
			idle[i] = r.NormFloat64()
		}
		candidates = append(candidates, Indicator{Name: "idle", Values: idle})
	}
	for i := range n {
		wait[i] = r.NormFloat64()
		if i >= 3 {
			y[i] = 0.4*y[i-1] - 0.8*wait[i-3]
		}
		y[i] += r.NormFloat64()
	}
	got, err := LeadingIndicators(y, candidates, LeadingOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if l := got[0]; l.Lag != 3 || l.Gain < 0.2 || l.Adjusted > 0.01 || l.Coef > -0.5 {
		t.Errorf("waiting: %+v", l)
	}
	for _, l := range got[1:] {
		if l.Adjusted < 0.05 {
			t.Errorf("idle series found to lead: %+v", l)
		}
	}
	if _, err := LeadingIndicators(y[:20], nil, LeadingOptions{}); err == nil {
		t.Error("20 periods are too few")
	}
}

func TestEffortCurve(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 8))
	var wait, score []float64
	for range 3000 {
		w := float64(r.IntN(31))
		wait = append(wait, w)
		score = append(score, 9-0.02*w-0.3*max(0, w-10)+r.NormFloat64())
	}
	c, err := EffortCurve(wait, score, EffortOptions{Falling: true, Resamples: 100})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(c.Knee-10) > 1.5 || c.KneeLow > 10 || c.KneeHigh < 10 || !c.Clear || c.SlopeAfter > c.SlopeBefore {
		t.Errorf("knee %v (%v … %v), slopes %v %v, clear %v", c.Knee, c.KneeLow, c.KneeHigh, c.SlopeBefore, c.SlopeAfter, c.Clear)
	}
	for i := 1; i < len(c.Points); i++ {
		if c.Points[i].Value > c.Points[i-1].Value {
			t.Fatal("the curve rises")
		}
	}
	for i := range score {
		score[i] = 9 - 0.1*wait[i] + r.NormFloat64()
	}
	if c, err = EffortCurve(wait, score, EffortOptions{Falling: true, Resamples: 100}); err != nil || c.Clear {
		t.Errorf("a straight relation has a knee at %v: %+v", c.Knee, err)
	}
}

// Isotonic regression by the max–min formula is the oracle.
func TestIsotonicByMaxMin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		y := rapid.SliceOfN(rapid.Float64Range(-10, 10), 1, 12).Draw(t, "y")
		w := rapid.SliceOfN(rapid.Float64Range(0.1, 5), len(y), len(y)).Draw(t, "w")
		got := Isotonic(y, w)
		for i := range y {
			want := math.Inf(-1)
			for a := range i + 1 {
				least := math.Inf(1)
				for b := i; b < len(y); b++ {
					s, n := 0.0, 0.0
					for k := a; k <= b; k++ {
						s += w[k] * y[k]
						n += w[k]
					}
					least = min(least, s/n)
				}
				want = max(want, least)
			}
			if math.Abs(got[i]-want) > 1e-9 {
				t.Fatalf("at %d: %v, want %v", i, got[i], want)
			}
		}
	})
}
