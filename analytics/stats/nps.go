package stats

import "math"

// NPSCounts are the answers to "how likely are you to recommend us", folded
// into promoters (9, 10), passives (7, 8) and detractors (0 to 6).
type NPSCounts struct {
	Promoters  int64
	Passives   int64
	Detractors int64
}

// N is the number of answers.
func (c NPSCounts) N() int64 { return c.Promoters + c.Passives + c.Detractors }

// Add returns the counts of two groups together.
func (c NPSCounts) Add(o NPSCounts) NPSCounts {
	return NPSCounts{c.Promoters + o.Promoters, c.Passives + o.Passives, c.Detractors + o.Detractors}
}

// Count adds one answer on the 0 to 10 scale.
func (c *NPSCounts) Count(score int) {
	switch {
	case score >= 9:
		c.Promoters++
	case score >= 7:
		c.Passives++
	default:
		c.Detractors++
	}
}

// Score is the net promoter score in points, −100 to 100; NaN without answers.
func (c NPSCounts) Score() float64 {
	return 100 * float64(c.Promoters-c.Detractors) / float64(c.N())
}

// Variance is the exact variance of one answer scored 1, 0, −1:
// p + d − (p − d)². The standard error of the score in points is
// 100·√(Variance/N).
func (c NPSCounts) Variance() float64 {
	n := float64(c.N())
	p, d := float64(c.Promoters)/n, float64(c.Detractors)/n
	return p + d - (p-d)*(p-d)
}

// StdErr is the standard error of the score in points, with divisor N.
func (c NPSCounts) StdErr() float64 {
	return 100 * math.Sqrt(c.Variance()/float64(c.N()))
}

// NPS estimates the net promoter score in points with the score interval of
// Tango (1998, Statistics in Medicine 17:891): the set of scores that a test
// with the variance restricted to that score would not refuse. It needs no
// correction for small samples and never leaves −100..100.
func NPS(c NPSCounts, level float64) Estimate {
	return npsScore(float64(c.Promoters), float64(c.Passives), float64(c.Detractors), c.N(), level)
}

// npsScore allows fractional counts so that weighted data can use their
// effective number of answers.
func npsScore(p, q, d float64, n int64, level float64) Estimate {
	level = checkLevel(level)
	total := p + q + d
	if total <= 0 {
		return unknown(n, total, level, "nps-score")
	}
	z := zFor(level)
	mean := (p - d) / total
	// excess > 0 where the hypothesis theta is refused.
	excess := func(theta float64) float64 {
		v := restrictedSpread(p, q, d, theta) - theta*theta
		return total*(mean-theta)*(mean-theta) - z*z*math.Max(v, 0)
	}
	low, high := -1.0, 1.0
	if mean > -1 {
		low = bisectEdge(excess, mean, -1)
	}
	if mean < 1 {
		high = bisectEdge(excess, mean, 1)
	}
	return Estimate{Value: 100 * mean, Low: 100 * low, High: 100 * high,
		N: n, NEff: total, Level: level, Method: "nps-score"}
}

// restrictedSpread is the maximum-likelihood value of P(promoter)+P(detractor)
// given that promoters lead detractors by theta.
func restrictedSpread(p, q, d, theta float64) float64 {
	// With x the share of detractors the likelihood p·log(x+theta) + d·log(x) +
	// q·log(1−2x−theta) peaks at the larger root of 2n·x² − b·x − c.
	n := p + q + d
	b := p*(1-theta) + d*(1-3*theta) - 2*q*theta
	c := d * theta * (1 - theta)
	x := (b + math.Sqrt(math.Max(b*b+8*n*c, 0))) / (4 * n)
	x = math.Max(x, math.Max(0, -theta))
	return math.Min(2*x+theta, 1)
}

// bisectEdge finds where f turns from negative (inside) to positive (outside);
// the outer point itself when f never turns.
func bisectEdge(f func(float64) float64, inside, outside float64) float64 {
	if f(outside) <= 0 {
		return outside
	}
	for range 100 {
		mid := inside + (outside-inside)/2
		if mid == inside || mid == outside {
			break
		}
		if f(mid) > 0 {
			outside = mid
		} else {
			inside = mid
		}
	}
	return inside
}

// NPSWald is the textbook interval score ± z·σ/√n. It is too narrow below a
// few hundred answers and has no width when everybody agrees.
func NPSWald(c NPSCounts, level float64) Estimate {
	level = checkLevel(level)
	n := c.N()
	if n == 0 {
		return unknown(0, 0, level, "nps-wald")
	}
	v, h := c.Score(), zFor(level)*c.StdErr()
	return Estimate{Value: v, Low: v - h, High: v + h, N: n, NEff: float64(n), Level: level, Method: "nps-wald"}
}

// NPSAdjustedWald adds three imaginary answers (¾ promoter, ¾ detractor, 1½
// passive) before the textbook formula, after Bonett and Price (2012) and Sauro
// and Lewis (2021). The value stays the observed score; the ends may leave
// −100..100.
func NPSAdjustedWald(c NPSCounts, level float64) Estimate {
	level = checkLevel(level)
	n := c.N()
	if n == 0 {
		return unknown(0, 0, level, "nps-adjusted-wald")
	}
	m := float64(n) + 3
	p, d := (float64(c.Promoters)+0.75)/m, (float64(c.Detractors)+0.75)/m
	mid := p - d
	h := zFor(level) * math.Sqrt((p+d-mid*mid)/m)
	return Estimate{Value: c.Score(), Low: 100 * (mid - h), High: 100 * (mid + h),
		N: n, NEff: float64(n), Level: level, Method: "nps-adjusted-wald"}
}

// NPSFixedSpread is the score interval that holds the share of promoters plus
// detractors at its observed value; a closed form, a little narrow near ±100.
func NPSFixedSpread(c NPSCounts, level float64) Estimate {
	level = checkLevel(level)
	n := float64(c.N())
	if n == 0 {
		return unknown(0, 0, level, "nps-fixed-spread")
	}
	z2 := zFor(level) * zFor(level)
	m := float64(c.Promoters-c.Detractors) / n
	s := float64(c.Promoters+c.Detractors) / n
	a := 1 + z2/n
	r := math.Sqrt(math.Max(0, m*m-a*(m*m-z2*s/n)))
	return Estimate{Value: 100 * m, Low: 100 * (m - r) / a, High: 100 * (m + r) / a,
		N: c.N(), NEff: n, Level: level, Method: "nps-fixed-spread"}
}
