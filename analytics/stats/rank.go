package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// RankTest is the result of a rank test of two groups.
type RankTest struct {
	U float64 // pairs in which the first group is larger, ties counting half
	Z float64 // normal score with continuity correction; NaN when exact
	P float64 // two-sided
	// Superiority is the chance that a value of the first group exceeds one of
	// the second, ties counting half: 0.5 means no difference. Its interval is
	// DeLong's on the logit scale.
	Superiority Estimate
	Exact       bool // P comes from all permutations rather than the normal curve
}

// MannWhitney compares two groups by ranks (Wilcoxon 1945; Mann and Whitney
// 1947). Without ties and with fewer than 50 values in each group P is exact;
// otherwise it is the normal approximation with the tie correction and a
// continuity correction, as in R's wilcox.test.
func MannWhitney(a, b []float64, level float64) RankTest {
	level = checkLevel(level)
	n1, n2 := float64(len(a)), float64(len(b))
	r := RankTest{Z: math.NaN(), P: math.NaN(), Superiority: unknown(int64(len(a)+len(b)), n1+n2, level, "superiority")}
	if len(a) == 0 || len(b) == 0 {
		return r
	}
	ranks, ties := midranks(slices.Concat(a, b))
	for _, rank := range ranks[:len(a)] {
		r.U += rank
	}
	r.U -= n1 * (n1 + 1) / 2
	if ties == 0 && len(a) < 50 && len(b) < 50 {
		r.Exact, r.P = true, exactU(int(r.U), len(a), len(b))
	} else {
		n := n1 + n2
		sd := math.Sqrt(n1 * n2 / 12 * (n + 1 - ties/(n*(n-1))))
		d := r.U - n1*n2/2
		d -= math.Copysign(math.Min(0.5, math.Abs(d)), d)
		r.Z, r.P = zTest(d, sd)
	}
	r.Superiority = superiority(a, b, ranks, level)
	return r
}

// superiority is the area under the curve with DeLong's variance.
func superiority(a, b, ranks []float64, level float64) Estimate {
	n1, n2 := float64(len(a)), float64(len(b))
	own1, _ := midranks(a)
	own2, _ := midranks(b)
	var va, vb Moments
	for i := range a {
		va.Push((ranks[i] - own1[i]) / n2)
	}
	for j := range b {
		vb.Push(1 - (ranks[len(a)+j]-own2[j])/n1)
	}
	p := va.Mean()
	e := Estimate{Value: p, Low: math.NaN(), High: math.NaN(), N: int64(n1 + n2), NEff: n1 + n2, Level: level, Method: "superiority"}
	if len(a) < 2 || len(b) < 2 {
		return e
	}
	if p <= 0 || p >= 1 {
		// Complete separation has no logit: bound as a share of the smaller group.
		e.Low, e.High = wilsonEnds(p, math.Min(n1, n2), zFor(level))
		return e
	}
	se := math.Sqrt(va.Variance()/n1+vb.Variance()/n2) / (p * (1 - p))
	logit, h := math.Log(p/(1-p)), zFor(level)*se
	e.Low, e.High = 1/(1+math.Exp(h-logit)), 1/(1+math.Exp(-h-logit))
	return e
}

// midranks gives each value its rank, tied values their average, and returns
// Σ(t³ − t) over groups of ties.
func midranks(xs []float64) (ranks []float64, ties float64) {
	idx := order(xs)
	ranks = make([]float64, len(xs))
	for i := 0; i < len(idx); {
		j := i + 1
		for j < len(idx) && xs[idx[j]] == xs[idx[i]] {
			j++
		}
		for _, k := range idx[i:j] {
			ranks[k] = float64(i+j+1) / 2
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return ranks, ties
}

// exactU is the two-sided exact p-value of U: the counts of U over all
// arrangements follow a simple recursion on the largest value's group.
func exactU(u, n1, n2 int) float64 {
	// ways[j][k] is the number of arrangements of i first-group and j
	// second-group values with U = k, for the i of the outer loop.
	ways := make([][]float64, n2+1)
	for j := range ways {
		ways[j] = make([]float64, n1*n2+1)
		ways[j][0] = 1
	}
	for range n1 {
		for j := 1; j <= n2; j++ {
			next := slices.Clone(ways[j-1])
			for k := j; k < len(next); k++ {
				next[k] += ways[j][k-j]
			}
			ways[j] = next
		}
	}
	low := math.Min(float64(u), float64(n1*n2-u))
	var tail, all float64
	for k, c := range ways[n2] {
		all += c
		if float64(k) <= low {
			tail += c
		}
	}
	return math.Min(1, 2*tail/all)
}

// GroupTest is the result of a test of several groups.
type GroupTest struct {
	Statistic float64
	DF        float64
	P         float64
}

// KruskalWallis compares several groups by ranks with the correction for ties
// (1952); P is the chi-squared approximation.
func KruskalWallis(groups ...[]float64) GroupTest {
	ranks, ties := midranks(slices.Concat(groups...))
	n := float64(len(ranks))
	h, at := 0.0, 0
	for _, g := range groups {
		sum := 0.0
		for _, r := range ranks[at : at+len(g)] {
			sum += r
		}
		at += len(g)
		if len(g) > 0 {
			h += sum * sum / float64(len(g))
		}
	}
	h = 12/(n*(n+1))*h - 3*(n+1)
	if c := 1 - ties/(n*n*n-n); c > 0 {
		h /= c
	}
	df := float64(len(groups) - 1)
	return GroupTest{Statistic: h, DF: df, P: mathext.GammaIncRegComp(df/2, math.Max(h, 0)/2)}
}

// sortedCopy is the values in ascending order.
func sortedCopy(xs []float64) []float64 {
	s := slices.Clone(xs)
	slices.SortFunc(s, cmp.Compare[float64])
	return s
}
