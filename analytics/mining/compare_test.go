package mining_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"omote/analytics/mining"

	"omote/internal/testkit/shared"
)

// compareLogs makes two logs of a-b-c cases. In the second, a share of cases
// skips b, and the wait to c is longer by the factor.
func compareLogs(t *testing.T, n int, skip, factor float64, seed uint64) (a, b *mining.Log) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 3))
	make := func(skip, factor float64) *mining.Log {
		builder := mining.NewBuilder()
		x, y, z := builder.Activity("a"), builder.Activity("b"), builder.Activity("c")
		for range n {
			c := builder.NewCase("")
			builder.Add(c, x, 0)
			if random.Float64() >= 0.3+skip {
				builder.Add(c, y, int64(random.ExpFloat64()*1e6))
			}
			builder.Add(c, z, int64((30+random.ExpFloat64()*factor)*1e6))
		}
		l, err := builder.Build(mining.TimeOrder)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	return make(0, 1), make(skip, factor)
}

func TestCompareFindsTheDifference(t *testing.T) {
	t.Parallel()
	a, b := compareLogs(t, 2000, 0.1, 2, 1)
	d := mining.Compare(a, b, 10, 0.95)
	if d.CasesA != 2000 || d.CasesB != 2000 || d.Duration.P > 1e-6 || d.MedianB <= d.MedianA {
		t.Errorf("duration %+v", d.Duration)
	}
	if len(d.Activities) != 3 || d.Activities[0].Source != 1 || d.Activities[0].ShareQ > 1e-6 || !d.Activities[0].Share.Difference.Contains(0.1) {
		t.Errorf("activities %+v", d.Activities)
	}
	for _, e := range d.Edges {
		if e.Source == 1 && (e.WaitQ > 1e-6 || e.MedianB <= e.MedianA) {
			t.Errorf("edge %+v", e)
		}
		if e.Source == 0 && e.Target == 1 && e.WaitQ < 0.001 {
			t.Errorf("edge %+v", e)
		}
	}
	for _, x := range d.Activities {
		if !math.IsNaN(x.WaitQ) {
			t.Errorf("a wait of an activity: %+v", x)
		}
	}
	if empty, _ := b.Filter(mining.CasesWith()); len(mining.Compare(a, empty, 1, 0.95).Edges) != 0 {
		t.Error("edges compared with nothing")
	}
}

// TestCompareWithoutDifference counts false discoveries among logs that do not
// differ: at a rate of 10 % at most that share of comparisons may have any.
func TestCompareWithoutDifference(t *testing.T) {
	t.Parallel()
	runs := 100
	if shared.Verify() {
		runs = 3000
	}
	wrong := 0
	for run := range runs {
		a, b := compareLogs(t, 150, 0, 1, uint64(run)+10)
		d := mining.Compare(a, b, 10, 0.95)
		for _, e := range d.Edges {
			if e.ShareQ <= 0.1 || e.WaitQ <= 0.1 {
				wrong++
				break
			}
		}
	}
	// Two families (shares and waits) of false discovery rate 0.1 each.
	limit := 0.2 + 4*math.Sqrt(0.2*0.8/float64(runs))
	if share := float64(wrong) / float64(runs); share > limit {
		t.Errorf("%.1f%% of comparisons have a false discovery", 100*share)
	}
}
