package survey

import (
	"math"
	"slices"

	"omote/analytics/stats"
)

// gaming compares each unit's rates with those of all others together: the
// difference of two shares as a z-score that also bears the ordinary variation
// between units, and Benjamini–Hochberg over all comparisons. Units that ask only
// happy customers ask less often, or are answered more often, than the rest.
func gaming(units []UnitCount) (out []Gaming) {
	var all UnitCount
	for _, u := range units {
		all.Events, all.Asked, all.Answered = all.Events+u.Events, all.Asked+u.Asked, all.Answered+u.Answered
	}
	askedSpread := overdispersion(units, func(u UnitCount) (int64, int64) { return u.Asked, u.Events })
	answeredSpread := overdispersion(units, func(u UnitCount) (int64, int64) { return u.Answered, u.Asked })
	var ps []float64
	for _, u := range units {
		for _, c := range []struct {
			what         string
			x, n, ax, an int64
			spread       float64
		}{{"asked", u.Asked, u.Events, all.Asked - u.Asked, all.Events - u.Events, askedSpread},
			{"answered", u.Answered, u.Asked, all.Answered - u.Answered, all.Asked - u.Asked, answeredSpread}} {
			if c.n < 20 || c.an < 20 {
				continue
			}
			p, q := float64(c.x)/float64(c.n), float64(c.ax)/float64(c.an)
			pool := float64(c.x+c.ax) / float64(c.n+c.an)
			variance := pool * (1 - pool) * (1/float64(c.n) + 1/float64(c.an)) * c.spread
			if variance <= 0 {
				continue
			}
			z := (p - q) / math.Sqrt(variance)
			pv := math.Erfc(math.Abs(z) / math.Sqrt2)
			ps = append(ps, pv)
			out = append(out, Gaming{Unit: u.Unit, What: c.what, Rate: stats.Proportion(c.x, c.n, level), Expected: q, P: pv})
		}
	}
	adjusted := stats.BenjaminiHochberg(ps)
	kept := out[:0]
	for i, g := range out {
		if adjusted[i] <= gamingFDR {
			kept = append(kept, g)
		}
	}
	return kept
}

// medianChi is the median of the chi-square distribution with one degree of freedom.
const medianChi = 0.454936

// overdispersion tells how many times more the units' shares vary than chance
// alone would make them, at least 1. It takes the median of their squared
// deviations, so that the few that game do not hide themselves.
func overdispersion(units []UnitCount, of func(UnitCount) (x, n int64)) float64 {
	var x, n int64
	for _, u := range units {
		a, b := of(u)
		x, n = x+a, n+b
	}
	if n == 0 || x == 0 || x == n {
		return 1
	}
	p := float64(x) / float64(n)
	var chi []float64
	for _, u := range units {
		if a, b := of(u); b > 0 {
			d := float64(a) - float64(b)*p
			chi = append(chi, d*d/(float64(b)*p*(1-p)))
		}
	}
	slices.Sort(chi)
	if len(chi) == 0 {
		return 1
	}
	return max(1, chi[len(chi)/2]/medianChi)
}
