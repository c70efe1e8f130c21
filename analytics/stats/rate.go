package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Rate estimates events per unit of exposure (complaints per 1,000 customers,
// errors per hour) with Garwood's exact Poisson interval (1936). Requires
// exposure > 0.
func Rate(events int64, exposure, level float64) Estimate {
	level = checkLevel(level)
	if exposure <= 0 || events < 0 {
		return unknown(events, exposure, level, "poisson-exact")
	}
	tail := (1 - level) / 2
	low := 0.0
	if events > 0 {
		low = gammaQuantile(tail, float64(events))
	}
	high := gammaQuantile(1-tail, float64(events)+1)
	return Estimate{Value: float64(events) / exposure, Low: low / exposure, High: high / exposure,
		N: events, NEff: float64(events), Level: level, Method: "poisson-exact"}
}

// RateByar is Byar's closed-form approximation to [Rate], accurate from about
// five events (Breslow and Day 1987, p. 69).
func RateByar(events int64, exposure, level float64) Estimate {
	level = checkLevel(level)
	if exposure <= 0 || events < 0 {
		return unknown(events, exposure, level, "poisson-byar")
	}
	z := zFor(level)
	byar := func(x, sign float64) float64 {
		if x == 0 {
			return 0
		}
		return x * math.Pow(1-1/(9*x)+sign*z/(3*math.Sqrt(x)), 3)
	}
	x := float64(events)
	return Estimate{Value: x / exposure, Low: math.Max(0, byar(x, -1)) / exposure, High: byar(x+1, 1) / exposure,
		N: events, NEff: x, Level: level, Method: "poisson-byar"}
}

// gammaQuantile inverts the regularised lower incomplete gamma function of
// shape a and polishes the root by Newton steps.
func gammaQuantile(p, a float64) float64 {
	x := mathext.GammaIncRegInv(a, p)
	lg, _ := math.Lgamma(a)
	for range 4 {
		if x <= 0 {
			return x
		}
		density := math.Exp((a-1)*math.Log(x) - x - lg)
		step := (mathext.GammaIncReg(a, x) - p) / density
		if math.IsNaN(step) || math.Abs(step) > x/2 {
			return x
		}
		x -= step
		if math.Abs(step) < 1e-15*x {
			break
		}
	}
	return x
}
