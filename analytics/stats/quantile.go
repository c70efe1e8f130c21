package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Quantile estimates the q-quantile (0 < q < 1) of the values, which it sorts a
// copy of. The value interpolates linearly (type 7, as R and NumPy do); the
// interval runs between two order statistics chosen by the binomial
// distribution, so it holds for any distribution and covers at least its level.
// An end is −Inf or +Inf when the sample is too small to bound that side.
func Quantile(values []float64, q, level float64) Estimate {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return QuantileSorted(sorted, q, level)
}

// Median is the 0.5-quantile.
func Median(values []float64, level float64) Estimate { return Quantile(values, 0.5, level) }

// QuantileSorted is [Quantile] for values already in ascending order.
func QuantileSorted(sorted []float64, q, level float64) Estimate {
	return quantileAt(int64(len(sorted)), q, level, func(i int64) float64 { return sorted[i] })
}

// QuantileCounts is [Quantile] for a histogram of distinct ascending values and
// how often each occurred, as a warehouse returns them.
func QuantileCounts(values []float64, counts []int64, q, level float64) Estimate {
	if len(values) != len(counts) {
		panic(fmt.Sprintf("stats: %d values for %d counts", len(values), len(counts)))
	}
	upto := make([]int64, len(counts))
	var n int64
	for i, c := range counts {
		n += c
		upto[i] = n
	}
	return quantileAt(n, q, level, func(i int64) float64 {
		k, _ := slices.BinarySearch(upto, i+1)
		return values[k]
	})
}

func quantileAt(n int64, q, level float64, at func(int64) float64) Estimate {
	level = checkLevel(level)
	if !(q > 0 && q < 1) {
		panic(fmt.Sprintf("stats: quantile %v is not in (0, 1)", q))
	}
	if n == 0 {
		return unknown(0, 0, level, "order-statistics")
	}
	pos := q * float64(n-1)
	i := int64(math.Floor(pos))
	v := at(i)
	if frac := pos - float64(i); frac > 0 {
		v += frac * (at(i+1) - v)
	}
	low, high := math.Inf(-1), math.Inf(1)
	tail := (1 - level) / 2
	// The j-th smallest value lies below the quantile unless fewer than j of the
	// n values do: P(Bin(n,q) ≤ j−1).
	if j := lastBelow(n, q, tail); j >= 1 {
		low = at(j - 1)
	}
	if j := n + 1 - lastBelow(n, 1-q, tail); j <= n {
		high = at(j - 1)
	}
	return Estimate{Value: v, Low: low, High: high, N: n, NEff: float64(n), Level: level, Method: "order-statistics"}
}

// lastBelow is the largest j with P(Bin(n,q) ≤ j−1) ≤ tail; 0 when none.
func lastBelow(n int64, q, tail float64) int64 {
	lo, hi := int64(0), n
	for lo < hi {
		j := (lo + hi + 1) / 2
		if binomialCDF(j-1, n, q) <= tail {
			lo = j
		} else {
			hi = j - 1
		}
	}
	return lo
}

// binomialCDF is P(Bin(n,p) ≤ k).
func binomialCDF(k, n int64, p float64) float64 {
	if k < 0 {
		return 0
	}
	if k >= n {
		return 1
	}
	return mathext.RegIncBeta(float64(n-k), float64(k+1), 1-p)
}

// sortedQuantile interpolates between order statistics (type 7).
func sortedQuantile(sorted []float64, q float64) float64 {
	pos := q * float64(len(sorted)-1)
	i := int(math.Floor(pos))
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (pos-float64(i))*(sorted[i+1]-sorted[i])
}
