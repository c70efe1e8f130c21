package metric

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"omote/analytics/stats"
)

// The remission times of Freireich et al. (1963), 6-MP arm, weeks; the most
// printed censored data there are. The median is 23 with a 95 % interval, on the
// log(−log) scale, from 13 to infinity (Klein and Moeschberger 2003; SAS
// LIFETEST and R survfit with conf.type "log-log" print the same).
func TestKaplanMeierAgainstPublished(t *testing.T) {
	t.Parallel()
	var ws []waiting
	for _, x := range []struct {
		at, closed, open int64
	}{{6, 3, 1}, {7, 1, 0}, {9, 0, 1}, {10, 1, 1}, {11, 0, 1}, {13, 1, 0}, {16, 1, 0}, {17, 0, 1}, {19, 0, 1}, {20, 0, 1},
		{22, 1, 0}, {23, 1, 0}, {25, 0, 1}, {32, 0, 2}, {34, 0, 1}, {35, 0, 1}} {
		if x.closed > 0 {
			ws = append(ws, waiting{float64(x.at), true, x.closed})
		}
		if x.open > 0 {
			ws = append(ws, waiting{float64(x.at), false, x.open})
		}
	}
	e := censoredQuantile(ws, 0.5, 0.95)
	if e.N != 21 || e.Value != 23 || e.Low != 13 || !math.IsInf(e.High, 1) {
		t.Errorf("got %v, want 23 [13, +Inf] n=21", e)
	}
	if e := censoredQuantile(ws, 0.9, 0.95); !math.IsNaN(e.Value) {
		t.Errorf("a quantile beyond the data: %v", e)
	}
}

func TestClosedCasesGiveThePlainQuantile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 60).Draw(t, "seconds")
		var ws []waiting
		for _, x := range xs {
			ws = append(ws, waiting{x, true, 1})
		}
		q := rapid.Float64Range(0.05, 0.95).Draw(t, "q")
		got, want := censoredQuantile(ws, q, 0), stats.Quantile(xs, q, 0)
		if got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// A case that is open longer can only lengthen the estimate.
func TestOpenCasesAreNotForgotten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.IntRange(1, 50), 3, 60).Draw(t, "closed")
		open := rapid.SliceOfN(rapid.IntRange(1, 60), 1, 20).Draw(t, "open")
		var closed, all []waiting
		for _, x := range xs {
			closed = append(closed, waiting{float64(x), true, 1})
		}
		all = append(all, closed...)
		for _, x := range open {
			all = append(all, waiting{float64(x), false, 1})
		}
		e := censoredQuantile(all, 0.5, 0.9)
		if !math.IsNaN(e.Value) && (e.Low > e.Value || e.High < e.Value) {
			t.Fatalf("the interval misses the value: %v", e)
		}
		slices.Sort(xs)
		if naive := float64(xs[(len(xs)+1)/2-1]); e.Value < naive {
			t.Fatalf("open cases shortened the median from %v to %v", naive, e.Value)
		}
	})
}
