package spc_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"omote/analytics/spc"

	"pgregory.net/rapid"

	"omote/internal/testkit/shared"
)

// The pruned search must find the partition that trying all of them finds.
func TestSegmentAgainstBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 11).Draw(t, "n")
		values, variances := make([]float64, n), make([]float64, n)
		for i := range values {
			values[i] = rapid.Float64Range(-6, 6).Draw(t, "value")
			variances[i] = rapid.Float64Range(0.3, 3).Draw(t, "variance")
		}
		total := func(cuts []int) float64 {
			sum, from := 3*math.Log(float64(n))*float64(len(cuts)), 0
			for _, to := range append(slices.Clone(cuts), n) {
				var w, r, s float64
				for i := from; i < to; i++ {
					w, r, s = w+1/variances[i], r+values[i]/variances[i], s+values[i]*values[i]/variances[i]
				}
				sum, from = sum+s-r*r/w, to
			}
			return sum
		}
		best := math.Inf(1)
		for mask := range 1 << (n - 1) {
			var cuts []int
			for i := 1; i < n; i++ {
				if mask>>(i-1)&1 == 1 {
					cuts = append(cuts, i)
				}
			}
			best = min(best, total(cuts))
		}
		var found []int
		for _, c := range spc.Segment(values, variances) {
			found = append(found, c.Index)
		}
		if got := total(found); got > best+1e-9 {
			t.Fatalf("cuts %v cost %v, the best cost %v", found, got, best)
		}
	})
}

func TestLocateCovers(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	rounds, covered := 600, 0
	if shared.Verify() {
		rounds = 10000
	}
	for range rounds {
		at, shift := 20+rng.IntN(60), 1.5*rng.NormFloat64()
		values := make([]float64, 100)
		for i := range values {
			values[i] = rng.NormFloat64()
			if i >= at {
				values[i] += shift
			}
		}
		if c := spc.Locate(values, slices.Repeat([]float64{1}, 100)); c.Low <= at && at <= c.High {
			covered++
		}
	}
	if share := float64(covered) / float64(rounds); share < 0.93 {
		t.Errorf("the interval holds the change in %.3f", share)
	}
}

func ExampleLocate() {
	c := spc.Locate(nile, nil)
	fmt.Println("the Nile fell in", 1871+c.Index, "between", 1871+c.Low, "and", 1871+c.High)
	// Output: the Nile fell in 1899 between 1897 and 1899
}

func ExampleSegment() {
	for _, c := range spc.Segment(nile, nil) {
		fmt.Printf("%d: %.0f to %.0f\n", 1871+c.Index, c.Before, c.After)
	}
	// Output: 1899: 1098 to 850
}
