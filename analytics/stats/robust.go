package stats

import (
	"math"
	"slices"
)

// madScale makes the median absolute deviation estimate the standard deviation
// of normal data.
const madScale = 1.482602218505602

// medianSorted is the median of ascending values; NaN without values.
func medianSorted(s []float64) float64 {
	n := len(s)
	if n == 0 {
		return math.NaN()
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// MAD is the median absolute deviation from the median, times 1.4826 so that it
// estimates the standard deviation of normal data; half of the values may be
// wild. NaN without values.
func MAD(xs []float64) float64 {
	s := sortedCopy(xs)
	m := medianSorted(s)
	for i, x := range s {
		s[i] = math.Abs(x - m)
	}
	slices.Sort(s)
	return madScale * medianSorted(s)
}

// HuberK is the tuning constant that keeps 95 % efficiency for normal data.
const HuberK = 1.345

// Huber estimates the centre by Huber's M-estimator (1964) with the MAD as
// scale: values within k scales of the centre count fully, farther ones only as
// if they stood k scales away. k ≤ 0 selects [HuberK]. The interval is Student's
// with the sandwich variance.
func Huber(xs []float64, k, level float64) Estimate {
	level = checkLevel(level)
	if k <= 0 {
		k = HuberK
	}
	n := float64(len(xs))
	if len(xs) == 0 {
		return unknown(0, 0, level, "huber")
	}
	mu, scale := medianSorted(sortedCopy(xs)), MAD(xs)
	e := Estimate{Value: mu, Low: math.NaN(), High: math.NaN(), N: int64(n), NEff: n, Level: level, Method: "huber"}
	if scale == 0 {
		return e
	}
	var inside, psi2 float64
	for range 200 {
		sum := 0.0
		inside, psi2 = 0, 0
		for _, x := range xs {
			u := math.Max(-k, math.Min(k, (x-mu)/scale))
			sum += u
			psi2 += u * u
			if math.Abs(u) < k {
				inside++
			}
		}
		step := scale * sum / math.Max(inside, 1)
		mu += step
		if math.Abs(step) < 1e-12*scale {
			break
		}
	}
	e.Value = mu
	if n > 1 && inside > 0 {
		h := tFor(level, n-1) * scale * math.Sqrt(psi2/(n-1)*n) / inside
		e.Low, e.High = mu-h, mu+h
	}
	return e
}

// TrimmedMean drops the given share of values at each end (0 ≤ share < 0.5) and
// averages the rest; its interval uses the winsorised variance (Tukey and
// McLaughlin 1963).
func TrimmedMean(xs []float64, share, level float64) Estimate {
	level = checkLevel(level)
	if !(share >= 0 && share < 0.5) {
		panic("stats: trimmed share is not in [0, 0.5)")
	}
	n := len(xs)
	if n == 0 {
		return unknown(0, 0, level, "trimmed-mean")
	}
	s := sortedCopy(xs)
	cut := int(share * float64(n))
	kept := MomentsOf(s[cut : n-cut])
	e := Estimate{Value: kept.Mean(), Low: math.NaN(), High: math.NaN(), N: int64(n), NEff: float64(kept.N), Level: level, Method: "trimmed-mean"}
	for i := range cut {
		s[i], s[n-1-i] = s[cut], s[n-1-cut]
	}
	if kept.N >= 2 {
		kn := float64(kept.N)
		se := math.Sqrt(MomentsOf(s).Variance() * float64(n-1) / (kn * (kn - 1)))
		h := tFor(level, kn-1) * se
		e.Low, e.High = e.Value-h, e.Value+h
	}
	return e
}

// HodgesLehmann estimates the centre of one sample: the median of all pairwise
// averages, with the interval of the signed-rank test (normal approximation).
// The work is n·log n.
func HodgesLehmann(xs []float64, level float64) Estimate {
	level = checkLevel(level)
	n := int64(len(xs))
	if n == 0 {
		return unknown(0, 0, level, "hodges-lehmann")
	}
	s := sortedCopy(xs)
	total := n * (n + 1) / 2
	kth := func(k int64) float64 {
		return selectPair(s[0], s[n-1], k, func(v float64) int64 { return walshBelow(s, v) })
	}
	e := Estimate{Value: (kth((total+1)/2) + kth(total/2+1)) / 2, Low: math.NaN(), High: math.NaN(),
		N: n, NEff: float64(n), Level: level, Method: "hodges-lehmann"}
	sd := math.Sqrt(float64(n) * float64(n+1) * float64(2*n+1) / 24)
	if c := int64(math.Floor(float64(total)/2 - zFor(level)*sd)); c >= 1 {
		e.Low, e.High = kth(c), kth(total+1-c)
	}
	return e
}

// HodgesLehmannShift estimates by how much the first group lies above the
// second: the median of all pairwise differences, with the interval of the
// Mann–Whitney test (normal approximation).
func HodgesLehmannShift(a, b []float64, level float64) Estimate {
	level = checkLevel(level)
	n1, n2 := int64(len(a)), int64(len(b))
	if n1 == 0 || n2 == 0 {
		return unknown(n1+n2, 0, level, "hodges-lehmann-shift")
	}
	sa, sb := sortedCopy(a), sortedCopy(b)
	total := n1 * n2
	kth := func(k int64) float64 {
		return selectPair(sa[0]-sb[n2-1], sa[n1-1]-sb[0], k, func(v float64) int64 { return differencesBelow(sa, sb, v) })
	}
	e := Estimate{Value: (kth((total+1)/2) + kth(total/2+1)) / 2, Low: math.NaN(), High: math.NaN(),
		N: n1 + n2, NEff: float64(n1 + n2), Level: level, Method: "hodges-lehmann-shift"}
	sd := math.Sqrt(float64(total) * float64(n1+n2+1) / 12)
	if c := int64(math.Floor(float64(total)/2 - zFor(level)*sd)); c >= 1 {
		e.Low, e.High = kth(c), kth(total+1-c)
	}
	return e
}

// selectPair finds the k-th smallest of implicit values in [low, high] by
// bisecting on the value: the smallest v with at least k of them ≤ v.
func selectPair(low, high float64, k int64, below func(float64) int64) float64 {
	if below(low) >= k {
		return low
	}
	for range 200 {
		mid := low + (high-low)/2
		if mid <= low || mid >= high {
			break
		}
		if below(mid) >= k {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// walshBelow counts pairs i ≤ j with (s[i]+s[j])/2 ≤ v.
func walshBelow(s []float64, v float64) int64 {
	count, j := int64(0), len(s)-1
	for i := range s {
		for j >= i && (s[i]+s[j])/2 > v {
			j--
		}
		if j < i {
			break
		}
		count += int64(j - i + 1)
	}
	return count
}

// differencesBelow counts pairs with a[i] − b[j] ≤ v.
func differencesBelow(a, b []float64, v float64) int64 {
	count, j := int64(0), 0
	for i := range a {
		for j < len(b) && a[i]-b[j] > v {
			j++
		}
		count += int64(len(b) - j)
	}
	return count
}
