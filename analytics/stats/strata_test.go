package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestMantelHaenszel holds the ratio against the two age strata of the UGDP trial as
// worked in Rothman, Greenland and Lash, "Modern Epidemiology" (3rd ed., ch. 15): 1.33.
// One stratum gives the plain ratio with its delta-method interval.
func TestMantelHaenszel(t *testing.T) {
	t.Parallel()
	got := MantelHaenszel([]Fourfold{{8, 106, 5, 120}, {22, 98, 16, 85}}, 0.95)
	if math.Abs(got.Value-1.33) > 0.005 || !(got.Low < 1 && got.High > 2) || got.N != 409 {
		t.Errorf("the trial gives %+v", got)
	}
	one := MantelHaenszel([]Fourfold{{30, 100, 20, 200}, {0, 0, 5, 9}}, 0.95)
	se := math.Sqrt(1.0/30 - 1.0/100 + 1.0/20 - 1.0/200)
	if math.Abs(one.Value-3) > 1e-12 || math.Abs(math.Log(one.High/3)-1.959964*se) > 1e-6 {
		t.Errorf("one stratum gives %+v", one)
	}
	if e := MantelHaenszel([]Fourfold{{0, 5, 0, 5}}, 0); !math.IsNaN(e.Value) {
		t.Errorf("nothing at all gives %+v", e)
	}
}

// TestMantelHaenszelCovers draws strata of very different heights with one true ratio.
func TestMantelHaenszelCovers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	draw := func(n int64, p float64) (x int64) {
		for range n {
			if r.Float64() < p {
				x++
			}
		}
		return x
	}
	const truth, runs = 1.6, 600
	inside := 0
	for range runs {
		var strata []Fourfold
		for _, p := range []float64{0.02, 0.1, 0.5} {
			strata = append(strata, Fourfold{draw(150, truth*p), 150, draw(400, p), 400})
		}
		if e := MantelHaenszel(strata, 0.95); e.Low <= truth && truth <= e.High {
			inside++
		}
	}
	if share := float64(inside) / runs; share < 0.93 || share > 0.975 {
		t.Errorf("the interval holds the truth in %.3f of the runs", share)
	}
}
