package stats

import "math"

// Fourfold is one stratum of a comparison: X of N in each of two groups.
type Fourfold struct{ X1, N1, X2, N2 int64 }

// MantelHaenszel is the ratio of the share in group 1 to the share in group 2 over
// strata that may have shares of very different heights: each stratum is compared with
// itself, so one in which everybody says yes weighs no more than its numbers. The
// interval is that of Greenland and Robins, "Estimation of a common effect parameter
// from sparse follow-up data" (1985). N is the number of group 1 and 2 together. Value
// and interval are NaN where no stratum can be compared.
func MantelHaenszel(strata []Fourfold, level float64) Estimate {
	level = checkLevel(level)
	var r, s, p float64
	e := Estimate{Level: level, Method: "mantel-haenszel"}
	for _, t := range strata {
		e.N += t.N1 + t.N2
		n := float64(t.N1 + t.N2)
		if t.N1 == 0 || t.N2 == 0 {
			continue
		}
		a, c, n1, n2 := float64(t.X1), float64(t.X2), float64(t.N1), float64(t.N2)
		r += a * n2 / n
		s += c * n1 / n
		p += ((a+c)*n1*n2 - a*c*n) / (n * n)
	}
	e.NEff = float64(e.N)
	e.Value = r / s
	if r == 0 || s == 0 {
		e.Value, e.Low, e.High = math.NaN(), math.NaN(), math.NaN()
		return e
	}
	half := zFor(level) * math.Sqrt(p/(r*s))
	e.Low, e.High = e.Value*math.Exp(-half), e.Value*math.Exp(half)
	return e
}
