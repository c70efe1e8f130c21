package cause_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"omote/analytics/cause"
	"omote/analytics/stats"
)

func moments(n int64, mean, variance float64) stats.Moments {
	m := stats.Moments{}
	values := []float64{}
	for k := range n {
		x := mean
		if n > 1 {
			x += math.Sqrt(variance) * (2*float64(k)/float64(n-1) - 1)
		}
		values = append(values, x)
	}
	for _, x := range values {
		m.Push(x)
	}
	return m
}

func TestDecompositionSumsExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		segments := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) cause.Segment {
			n := rapid.Int64Range(0, 20)
			mean := rapid.Float64Range(-100, 100)
			return cause.Segment{Before: moments(n.Draw(t, "n"), mean.Draw(t, "r"), 1), After: moments(n.Draw(t, "n"), mean.Draw(t, "r"), 1)}
		}), 1, 8).Draw(t, "segments")
		segments = append(segments, cause.Segment{Before: moments(3, 1, 1), After: moments(2, 5, 1)})
		m := cause.Decompose(segments, 0)
		sum := 0.0
		for _, s := range m.Segments {
			sum += s.Total()
		}
		if math.Abs(sum-m.Change()) > 1e-10 || math.Abs(m.Within+m.Between-m.Change()) > 1e-10 {
			t.Fatalf("parts sum to %v and %v, the change is %v", sum, m.Within+m.Between, m.Change())
		}
		for i, s := range segments {
			segments[i].Before, segments[i].After = s.After, s.Before
		}
		back := cause.Decompose(segments, 0)
		if math.Abs(back.Within+m.Within) > 1e-10 || math.Abs(back.Between+m.Between) > 1e-10 {
			t.Fatal("the direction of time matters")
		}
	})
}

// The kidney stone data of Charig et al. (1986): open surgery does better for
// small and for large stones, yet worse over all.
func TestSimpsonKidneyStones(t *testing.T) {
	t.Parallel()
	share := func(hits, n int64) stats.Moments {
		m := stats.Moments{}
		for k := range n {
			if k < hits {
				m.Push(1)
			} else {
				m.Push(0)
			}
		}
		return m
	}
	m := cause.Decompose([]cause.Segment{
		{Name: "small", Before: share(234, 270), After: share(81, 87)},
		{Name: "large", Before: share(55, 80), After: share(192, 263)},
	}, 0)
	if !m.Opposite || !m.Reversal || m.Change() >= 0 || m.Within <= 0 {
		t.Errorf("%+v", m)
	}
	if math.Abs(m.Change()-(273.0/350-289.0/350)) > 1e-12 {
		t.Errorf("change %v", m.Change())
	}
}

func ExampleDecompose() {
	of := func(n int, mean float64) (m stats.Moments) {
		for range n {
			m.Push(mean)
		}
		return m
	}
	m := cause.Decompose([]cause.Segment{
		{Name: "branch", Before: of(800, 60), After: of(500, 62)},
		{Name: "app", Before: of(200, 30), After: of(500, 33)},
	}, 0)
	fmt.Printf("change %.2f = within %.2f + between %.2f, opposite: %t\n", m.Change(), m.Within, m.Between, m.Opposite)
	// Output: change -6.50 = within 2.35 + between -8.85, opposite: true
}
