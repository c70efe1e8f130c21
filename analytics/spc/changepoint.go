package spc

import (
	"math"
	"slices"
)

// ChangePoint is a change of level between Index−1 and Index.
type ChangePoint struct {
	Index         int
	Low, High     int // 95 % interval of Index
	Before, After float64
	LogOdds       float64 // of a change somewhere against none
}

// Locate finds the one likeliest change of level in values with known variances
// (nil to estimate one common variance from successive differences): the
// posterior over where it is, with a flat prior, both levels unknown and the
// shift drawn from N(0, (1.5σ)²). Needs at least two values.
func Locate(values, variances []float64) ChangePoint {
	ws, wrs := precisions(values, variances)
	cum, cumr := cumulate(ws), cumulate(wrs)
	return locateIn(cum, cumr, 0, len(values))
}

// Segment finds all changes of level in a finished series by optimal
// partitioning (PELT, Killick, Fearnhead and Eckley 2012) with the penalty
// 3·log n, each with an interval between its neighbours. Variances as in
// [Locate]. Use [Monitor] to judge a series as it grows.
func Segment(values, variances []float64) []ChangePoint {
	n := len(values)
	if n < 2 {
		return nil
	}
	ws, wrs := precisions(values, variances)
	squares := make([]float64, n)
	for i, v := range values {
		squares[i] = ws[i] * v * v
	}
	cum, cumr, cums := cumulate(ws), cumulate(wrs), cumulate(squares)
	cost := func(i, j int) float64 {
		w := cum[j] - cum[i]
		r := cumr[j] - cumr[i]
		return max(0, cums[j]-cums[i]-r*r/w)
	}
	cuts := partition(n, 3*math.Log(float64(n)), cost)
	out := make([]ChangePoint, 0, len(cuts))
	for k, c := range cuts {
		from, to := 0, n
		if k > 0 {
			from = cuts[k-1]
		}
		if k+1 < len(cuts) {
			to = cuts[k+1]
		}
		p := locateIn(cum, cumr, from, to)
		p.Low, p.High = min(p.Low, c), max(p.High, c)
		p.Index = c
		p.Before = (cumr[c] - cumr[from]) / (cum[c] - cum[from])
		p.After = (cumr[to] - cumr[c]) / (cum[to] - cum[c])
		out = append(out, p)
	}
	return out
}

// partition returns the cuts of the cheapest partition of 0..n, each cut paying
// the penalty.
func partition(n int, penalty float64, cost func(i, j int) float64) []int {
	best, last := make([]float64, n+1), make([]int, n+1)
	best[0] = -penalty
	candidates := []int{0}
	for j := 1; j <= n; j++ {
		best[j] = math.Inf(1)
		for _, i := range candidates {
			if c := best[i] + cost(i, j) + penalty; c < best[j] {
				best[j], last[j] = c, i
			}
		}
		kept := candidates[:0]
		for _, i := range candidates {
			if best[i]+cost(i, j) <= best[j] {
				kept = append(kept, i)
			}
		}
		candidates = append(kept, j)
	}
	var cuts []int
	for j := last[n]; j > 0; j = last[j] {
		cuts = append(cuts, j)
	}
	slices.Reverse(cuts)
	return cuts
}

func locateIn(cum, cumr []float64, from, to int) ChangePoint {
	logs := make([]float64, to-from-1)
	top, at := math.Inf(-1), from+1
	tau2 := 2.25 * float64(to-from) / (cum[to] - cum[from])
	for k := from + 1; k < to; k++ {
		b, a := cum[k]-cum[from], cum[to]-cum[k]
		d := (cumr[to]-cumr[k])/a - (cumr[k]-cumr[from])/b
		v := 1/a + 1/b
		l := -0.5*math.Log1p(tau2/v) + 0.5*d*d/v*tau2/(tau2+v)
		logs[k-from-1] = l
		if l > top {
			top, at = l, k
		}
	}
	lo, hi := credible(logs, at-from-1, 0.95)
	mass := 0.0
	for _, l := range logs {
		mass += math.Exp(l - top)
	}
	return ChangePoint{Index: at, Low: lo + from + 1, High: hi + from + 1,
		Before:  (cumr[at] - cumr[from]) / (cum[at] - cum[from]),
		After:   (cumr[to] - cumr[at]) / (cum[to] - cum[at]),
		LogOdds: top + math.Log(mass/float64(len(logs)))}
}

func precisions(values, variances []float64) (ws, wrs []float64) {
	ws, wrs = make([]float64, len(values)), make([]float64, len(values))
	common := 1.0
	if variances == nil {
		steps := make([]float64, 0, len(values))
		for i := 1; i < len(values); i++ {
			steps = append(steps, values[i]-values[i-1])
		}
		if _, mad := medianMAD(steps); mad > 0 {
			common = mad * mad / 2
		}
	}
	for i, v := range values {
		ws[i] = 1 / common
		if variances != nil {
			ws[i] = 1 / variances[i]
		}
		wrs[i] = ws[i] * v
	}
	return ws, wrs
}

func cumulate(xs []float64) []float64 {
	out := make([]float64, len(xs)+1)
	for i, x := range xs {
		out[i+1] = out[i] + x
	}
	return out
}
