package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Proportion estimates a share x/n with Wilson's score interval (Wilson 1927;
// recommended by Newcombe 1998 and Brown, Cai and DasGupta 2001). Requires
// 0 ≤ x ≤ n.
func Proportion(x, n int64, level float64) Estimate {
	return wilson(float64(x), float64(n), n, level)
}

// wilson allows fractional counts for weighted data.
func wilson(x, nEff float64, n int64, level float64) Estimate {
	level = checkLevel(level)
	if nEff <= 0 {
		return unknown(n, nEff, level, "wilson")
	}
	low, high := wilsonEnds(x/nEff, nEff, zFor(level))
	return Estimate{Value: x / nEff, Low: low, High: high, N: n, NEff: nEff, Level: level, Method: "wilson"}
}

func wilsonEnds(p, n, z float64) (low, high float64) {
	z2 := z * z
	mid := (p + z2/(2*n)) / (1 + z2/n)
	h := z / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	low, high = math.Max(0, mid-h), math.Min(1, mid+h)
	if p == 0 {
		low = 0
	}
	if p == 1 {
		high = 1
	}
	return low, high
}

// ProportionExact is the Clopper–Pearson interval: never below its level, so
// usually wider than needed.
func ProportionExact(x, n int64, level float64) Estimate {
	level = checkLevel(level)
	if n <= 0 {
		return unknown(n, 0, level, "clopper-pearson")
	}
	a := (1 - level) / 2
	k, m := float64(x), float64(n)
	low, high := 0.0, 1.0
	if x > 0 {
		low = betaQuantile(a, k, m-k+1)
	}
	if x < n {
		high = betaQuantile(1-a, k+1, m-k)
	}
	return Estimate{Value: k / m, Low: low, High: high, N: n, NEff: m, Level: level, Method: "clopper-pearson"}
}

// ProportionJeffreys is the equal-tailed credible interval under the prior
// Beta(½, ½).
func ProportionJeffreys(x, n int64, level float64) Estimate {
	level = checkLevel(level)
	if n <= 0 {
		return unknown(n, 0, level, "jeffreys")
	}
	a := (1 - level) / 2
	k, m := float64(x), float64(n)
	return Estimate{Value: k / m, Low: betaQuantile(a, k+0.5, m-k+0.5), High: betaQuantile(1-a, k+0.5, m-k+0.5),
		N: n, NEff: m, Level: level, Method: "jeffreys"}
}

// ProportionAgrestiCoull adds z²/2 successes and failures before the textbook
// formula; ends are clipped to 0..1.
func ProportionAgrestiCoull(x, n int64, level float64) Estimate {
	level = checkLevel(level)
	if n <= 0 {
		return unknown(n, 0, level, "agresti-coull")
	}
	z2 := zFor(level) * zFor(level)
	m := float64(n) + z2
	p := (float64(x) + z2/2) / m
	h := zFor(level) * math.Sqrt(p*(1-p)/m)
	return Estimate{Value: float64(x) / float64(n), Low: math.Max(0, p-h), High: math.Min(1, p+h),
		N: n, NEff: float64(n), Level: level, Method: "agresti-coull"}
}

// betaQuantile inverts the regularised incomplete beta function and polishes
// the root by Newton steps.
func betaQuantile(p, a, b float64) float64 {
	x := mathext.InvRegIncBeta(a, b, p)
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	for range 4 {
		if x <= 0 || x >= 1 {
			return x
		}
		density := math.Exp((a-1)*math.Log(x) + (b-1)*math.Log1p(-x) + lab - la - lb)
		step := (mathext.RegIncBeta(a, b, x) - p) / density
		if math.IsNaN(step) || math.Abs(step) > x/2 || math.Abs(step) > (1-x)/2 {
			return x
		}
		x -= step
		if math.Abs(step) < 1e-15*x {
			break
		}
	}
	return x
}
