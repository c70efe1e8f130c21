package svg

import (
	"math"
	"slices"
)

// Linear maps a domain of values onto a range of pixels.
type Linear struct{ D0, D1, R0, R1 float64 }

// At gives the pixel of a value.
func (s Linear) At(x float64) float64 {
	if s.D1 == s.D0 {
		return (s.R0 + s.R1) / 2
	}
	return s.R0 + (x-s.D0)/(s.D1-s.D0)*(s.R1-s.R0)
}

// Clamp gives the pixel of a value, held within the range.
func (s Linear) Clamp(x float64) float64 {
	return min(max(s.At(x), min(s.R0, s.R1)), max(s.R0, s.R1))
}

// Each maps many values.
func (s Linear) Each(xs []float64) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		out[i] = s.At(x)
	}
	return out
}

// Ticks gives at most n+1 round values that enclose low and high, from a step of
// 1, 2 or 5 times a power of ten. Both ends are ticks, so an axis that runs
// from the first to the last begins and ends at a label.
func Ticks(low, high float64, n int) []float64 {
	if math.IsNaN(low) || math.IsNaN(high) || math.IsInf(low, 0) || math.IsInf(high, 0) {
		return []float64{0, 1}
	}
	if low > high {
		low, high = high, low
	}
	if high == low {
		pad := math.Abs(low) * 0.05
		if pad == 0 {
			pad = 0.5
		}
		low, high = low-pad, high+pad
	}
	n = max(n, 1)
	power := math.Pow(10, math.Floor(math.Log10((high-low)/float64(n))))
	for _, m := range []float64{1, 2, 5, 10, 20, 50} {
		step := m * power
		first, last := math.Floor(low/step+1e-9), math.Ceil(high/step-1e-9)
		if last-first > float64(n) {
			continue
		}
		var out []float64
		for i := first; i <= last; i++ {
			out = append(out, cleanZero(i*step))
		}
		return out
	}
	return []float64{low, high}
}

// cleanZero turns a negative zero, which would print a sign, into zero.
func cleanZero(x float64) float64 {
	if x == 0 {
		return 0
	}
	return x
}

// Extent gives the smallest and largest of the values that are numbers.
func Extent(lists ...[]float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, list := range lists {
		for _, x := range list {
			if !math.IsNaN(x) && !math.IsInf(x, 0) {
				low, high = min(low, x), max(high, x)
			}
		}
	}
	if low > high {
		return 0, 1
	}
	return low, high
}

// Decimals is how many decimals tell the ticks apart, at most limit.
func Decimals(ticks []float64, limit int) int {
	for d := range limit {
		scale := math.Pow10(d)
		if !slices.ContainsFunc(ticks, func(t float64) bool {
			return math.Abs(t*scale-math.Round(t*scale)) > 1e-6*math.Max(1, math.Abs(t*scale))
		}) {
			return d
		}
	}
	return limit
}
