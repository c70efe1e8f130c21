package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Comparison is the difference of two groups, first minus second, with a test
// of no difference.
type Comparison struct {
	Difference Estimate
	Statistic  float64 // z or t
	DF         float64 // degrees of freedom of t; +Inf for z
	P          float64 // two-sided
}

// DiffProportions compares x1/n1 with x2/n2. The interval is Newcombe's hybrid
// of two Wilson intervals (1998, method 10); P is the pooled score test.
func DiffProportions(x1, n1, x2, n2 int64, level float64) Comparison {
	a, b := Proportion(x1, n1, level), Proportion(x2, n2, level)
	c := Comparison{Difference: mover(a, b, "newcombe"), DF: math.Inf(1)}
	pool := float64(x1+x2) / float64(n1+n2)
	se := math.Sqrt(pool * (1 - pool) * (1/float64(n1) + 1/float64(n2)))
	c.Statistic, c.P = zTest(c.Difference.Value, se)
	return c
}

// DiffMeans compares two means with Welch's t.
func DiffMeans(a, b Moments, level float64) Comparison {
	level = checkLevel(level)
	va, vb := a.Variance()/float64(a.N), b.Variance()/float64(b.N)
	df := (va + vb) * (va + vb) / (va*va/float64(a.N-1) + vb*vb/float64(b.N-1))
	return tComparison(a.Mean()-b.Mean(), va+vb, df, a.N+b.N, level, "welch")
}

func tComparison(diff, variance, df float64, n int64, level float64, method string) Comparison {
	se := math.Sqrt(variance)
	c := Comparison{DF: df, Statistic: diff / se, P: math.NaN()}
	c.Difference = Estimate{Value: diff, Low: math.NaN(), High: math.NaN(), N: n, NEff: float64(n), Level: level, Method: method}
	if df > 0 && se > 0 {
		h := tFor(level, df) * se
		c.Difference.Low, c.Difference.High = diff-h, diff+h
		c.P = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.CDF(-math.Abs(c.Statistic))
	}
	return c
}

// DiffNPS compares two net promoter scores in points. The interval combines the
// two score intervals as Newcombe does for proportions (MOVER, Zou and Donner
// 2008); P is the normal test with the plug-in variance.
func DiffNPS(a, b NPSCounts, level float64) Comparison {
	c := DiffNPSWald(a, b, level)
	c.Difference = mover(NPS(a, level), NPS(b, level), "nps-mover")
	return c
}

// DiffNPSWald is the textbook comparison of two net promoter scores in points.
func DiffNPSWald(a, b NPSCounts, level float64) Comparison {
	level = checkLevel(level)
	diff, se := a.Score()-b.Score(), math.Hypot(a.StdErr(), b.StdErr())
	h := zFor(level) * se
	n := a.N() + b.N()
	c := Comparison{DF: math.Inf(1), Difference: Estimate{Value: diff, Low: diff - h, High: diff + h,
		N: n, NEff: float64(n), Level: level, Method: "nps-wald"}}
	c.Statistic, c.P = zTest(diff, se)
	return c
}

// DiffEstimates compares two independent estimates of any kind that have
// intervals of the same level, by the MOVER rule.
func DiffEstimates(a, b Estimate) Estimate { return mover(a, b, "mover") }

// mover recovers each group's variance from the near end of its interval.
func mover(a, b Estimate, method string) Estimate {
	d := a.Value - b.Value
	return Estimate{
		Value: d,
		Low:   d - math.Hypot(a.Value-a.Low, b.High-b.Value),
		High:  d + math.Hypot(a.High-a.Value, b.Value-b.Low),
		N:     a.N + b.N, NEff: a.NEff + b.NEff, Level: a.Level, Method: method,
	}
}

func zTest(diff, se float64) (z, p float64) {
	if se == 0 {
		if diff == 0 {
			return 0, 1
		}
		return math.Inf(1) * diff, 0
	}
	return diff / se, twoSidedP(diff / se)
}
