package stats

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// The reliability data of Krippendorff, "Computing Krippendorff's
// alpha-reliability" (2011): four observers, twelve units; he gives nominal .743,
// ordinal .815, interval .849.
func TestKrippendorffPublished(t *testing.T) {
	t.Parallel()
	x := math.NaN()
	observers := [][]float64{
		{1, 2, 3, 3, 2, 1, 4, 1, 2, x, x, x},
		{1, 2, 3, 3, 2, 2, 4, 1, 2, 5, x, 3},
		{x, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, x},
		{1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, x},
	}
	things := make([][]float64, 12)
	for u := range things {
		for _, o := range observers {
			things[u] = append(things[u], o[u])
		}
	}
	for scale, want := range map[Scale]float64{NominalScale: 0.743, OrdinalScale: 0.815, IntervalScale: 0.849} {
		if got := KrippendorffAlpha(things, scale); math.Abs(got-want) > 0.0005 {
			t.Errorf("scale %d: %.4f, published %.3f", scale, got, want)
		}
	}
	e := AlphaInterval(things, OrdinalScale, 0, 500, 1)
	if !(e.Low < e.Value && e.Value <= e.High) || e.N != 11 {
		t.Errorf("interval %+v", e)
	}
	if e := AlphaInterval(things[:3], OrdinalScale, 0, 500, 1); !math.IsNaN(e.Low) {
		t.Errorf("three things have an interval: %+v", e)
	}
	if a := KrippendorffAlpha([][]float64{{1, 1}, {1, 1}}, NominalScale); !math.IsNaN(a) {
		t.Errorf("nothing differs: %v", a)
	}
}

func pairsOf(yy, yn, ny, nn int) (out [][2]bool) {
	for k, n := range []int{yy, yn, ny, nn} {
		for range n {
			out = append(out, [2]bool{k < 2, k%2 == 0})
		}
	}
	return out
}

// Gwet, "Inter-rater reliability: dependency on trait prevalence" (2002): of 125
// pairs 118 are twice yes, 7 differ, none is twice no; kappa is −0.023, AC1 0.9408.
func TestGwetPublished(t *testing.T) {
	t.Parallel()
	e := GwetAC1(pairsOf(118, 5, 2, 0), 0)
	if math.Abs(e.Value-0.9408) > 0.00005 {
		t.Errorf("got %.5f", e.Value)
	}
	if e := GwetAC1(pairsOf(1, 0, 0, 0), 0); !math.IsNaN(e.Value) {
		t.Errorf("one pair: %+v", e)
	}
	if e := GwetAC1(pairsOf(10, 0, 0, 10), 0); e.Value != 1 {
		t.Errorf("full agreement: %+v", e)
	}
}

func TestGwetCovers(t *testing.T) {
	t.Parallel()
	runs := 400
	if os.Getenv("OMOTE_VERIFY") == "1" {
		runs = 5000
	}
	// Both see the truth, yes in 70 %, and each errs in 8 %.
	const p, err = 0.7, 0.08
	same := (1-err)*(1-err) + err*err
	yes := p*(1-err) + (1-p)*err
	chance := 2 * yes * (1 - yes)
	truth := (same - chance) / (1 - chance)
	r, covered := rand.New(rand.NewPCG(1, 2)), 0
	for range runs {
		pairs := make([][2]bool, 80)
		for i := range pairs {
			is := r.Float64() < p
			pairs[i] = [2]bool{is != (r.Float64() < err), is != (r.Float64() < err)}
		}
		if GwetAC1(pairs, 0).Contains(truth) {
			covered++
		}
	}
	if share := float64(covered) / float64(runs); share < 0.90 || share > 0.985 {
		t.Errorf("covered %.3f", share)
	}
}
