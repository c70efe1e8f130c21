package moments

import (
	"cmp"
	"math"
	"slices"

	"omote/analytics/stats"
)

// Rank orders pains of any journeys by what they are expected to cost, dearest
// first, and fills Expected. values are those that the pains were found with; a
// pain without a sound comparison comes last.
//
// Departures are rare and dear: the plain sum of harms in money is ruled by their
// noise. So the harms of all pains are taken together (empirical Bayes). A trouble
// does nothing until it is shown to do something, and what hurts in one way hurts in
// others: the true harms of a pain are a draw from a normal distribution around
// zero, whose variances and covariances are those under which the estimates of all
// pains are most likely. A trouble that few met does not come first by luck, one that
// raises complaints is credited with some departures, and an outcome that could not be
// judged counts as what the others let expect of it, with all its doubt. How those who
// met it felt is one more estimate beside the outcomes: it costs nothing by itself, and
// tells how much harm to expect where complaints are few.
func Rank(pains []*Pain, values []Range) {
	units := make([]*harms, len(pains))
	for i, p := range pains {
		units[i] = p.harms(values)
	}
	prior := fitPrior(units, len(values)+1)
	for i, p := range pains {
		p.Expected = stats.Estimate{Value: nan, Low: nan, High: nan}
		if len(units[i].of) == 0 {
			continue
		}
		mean, cov := prior.given(units[i])
		value, variance := 0.0, 0.0
		for k := range values {
			value += mean[k]
			for l := range values {
				variance += cov[k*len(mean)+l]
			}
		}
		level := p.Cost.Level
		half := quantileNormal(0.5+level/2) * math.Sqrt(max(variance, 0))
		p.Expected = product(p.Reach, stats.Estimate{Value: value, Low: value - half, High: value + half, N: int64(p.Runs), Level: level})
	}
	slices.SortStableFunc(pains, func(a, b *Pain) int {
		if x, y := math.IsNaN(a.Expected.Value), math.IsNaN(b.Expected.Value); x != y {
			return map[bool]int{true: 1, false: -1}[x]
		}
		return cmp.Or(cmp.Compare(b.Expected.Value, a.Expected.Value), cmp.Compare(b.Runs, a.Runs))
	})
}

// harms are the estimated harms of a pain for one run: of the outcomes in of, in
// money, and after them of feeling, with the covariance of their errors.
type harms struct {
	of   []int
	y, v []float64
}

// Trouble does no good: an estimate is taken no further below zero than noise may bring
// it. Who gives an application up rings no more about it, and that is no gain by which
// other harms could be judged.
func (p *Pain) harms(values []Range) *harms {
	u := &harms{}
	var sd []float64
	for k, r := range p.Harm {
		if r != nil && k < len(values) && values[k].Mid > 0 && r.Overlap.Sound() && r.Effect.HalfWidth() > 0 {
			u.of = append(u.of, k)
			u.y = append(u.y, values[k].Mid*max(r.Effect.Value, -r.Effect.HalfWidth()))
			sd = append(sd, values[k].Mid*r.Effect.HalfWidth()/quantileNormal(0.5+r.Effect.Level/2))
		}
	}
	judged := len(u.of)
	if se := p.Felt.HalfWidth() / quantileNormal(0.5+p.Felt.Level/2); judged > 0 && p.scored && se > 0 {
		u.of, u.y, sd = append(u.of, len(values)), append(u.y, -p.Felt.Value), append(sd, se)
	}
	n := len(u.of)
	u.v = make([]float64, n*n)
	for a := range n {
		for b := range n {
			switch {
			case a == b:
				u.v[a*n+b] = sd[a] * sd[a]
			case a < judged && b < judged:
				u.v[a*n+b] = sd[a] * sd[b] * correlation(p.Harm[u.of[a]].influence, p.Harm[u.of[b]].influence)
			}
		}
	}
	return u
}

// fewestScores is how many customers with a score there must be on either side
// before the standard error of their difference is to be believed.
const fewestScores = 8

// correlation of two estimates on the same customers.
func correlation(a, b influence) float64 {
	var ab, aa, bb float64
	for i := range min(len(a), len(b)) {
		ab += a[i] * b[i]
	}
	for _, x := range a {
		aa += x * x
	}
	for _, x := range b {
		bb += x * x
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// harmPrior is the covariance of true harms over pains, around zero; infinite
// where too few pains are known to say.
type harmPrior struct {
	n     int // outcomes
	cov   []float64
	vague bool
}

// Settings of the fit.
const (
	fewestPains = 3
	priorRounds = 500
	priorClose  = 1e-4 // of each variance
)

// fitPrior finds the most credible covariance by expectation and maximisation
// (Dempster, Laird and Rubin 1977): it stays positive semi-definite by itself. The
// prior of the covariance itself is Jeffreys': of spreads that explain the estimates
// about as well the smaller is believed, so that the noise of an outcome that tells
// little is not taken for a spread of true harms.
func fitPrior(units []*harms, n int) *harmPrior {
	p := &harmPrior{n: n, cov: make([]float64, n*n)}
	known, seen := 0, make([]float64, n)
	for _, u := range units {
		if len(u.of) > 0 {
			known++
		}
		for a, k := range u.of {
			seen[k]++
			p.cov[k*n+k] += u.y[a] * u.y[a]
		}
	}
	if known < fewestPains {
		p.vague = true
		return p
	}
	for k := range n {
		p.cov[k*n+k] /= max(seen[k], 1)
	}
	jeffreys := float64(n + 1)
	next := make([]float64, n*n)
	for range priorRounds {
		clear(next)
		for _, u := range units {
			if len(u.of) == 0 {
				continue
			}
			mean, cov := p.given(u)
			for k := range n {
				for l := range n {
					next[k*n+l] += (mean[k]*mean[l] + cov[k*n+l]) / (float64(known) + jeffreys)
				}
			}
		}
		together(next, n)
		moved := 0.0
		for k := range n {
			if was := p.cov[k*n+k]; was > 0 {
				moved = max(moved, math.Abs(next[k*n+k]-was)/was)
			}
		}
		copy(p.cov, next)
		if moved <= priorClose {
			break
		}
	}
	return p
}

// together leaves out negative covariances, which say that what drives customers to
// complain keeps them: over a few dozen pains that is noise, or a trouble that ends the
// journey, so that no more calls come from it. The others are made smaller, where that
// is needed, until the matrix is that of a distribution.
func together(cov []float64, n int) {
	for k := range n {
		for l := range n {
			if k != l {
				cov[k*n+l] = max(cov[k*n+l], 0)
			}
		}
	}
	for range 20 {
		test, b := slices.Clone(cov), make([]float64, n)
		for k := range n {
			test[k*n+k] = test[k*n+k]*(1+1e-9) + 1e-9
		}
		if solve(test, b, n) {
			return
		}
		for k := range n {
			for l := range n {
				if k != l {
					cov[k*n+l] *= 0.9
				}
			}
		}
	}
}

// given is what a pain's estimates leave to be expected of its true harms: mean and
// covariance, by outcome.
func (p *harmPrior) given(u *harms) (mean, cov []float64) {
	n, m := p.n, len(u.of)
	mean, cov = make([]float64, n), make([]float64, n*n)
	if p.vague {
		for a, k := range u.of {
			mean[k] = u.y[a]
			for b, l := range u.of {
				cov[k*n+l] = u.v[a*m+b]
			}
		}
		return mean, cov
	}
	copy(cov, p.cov)
	for k := range n {
		// weights w solve (prior + error) w = prior of outcome k with those estimated
		s, w := make([]float64, m*m), make([]float64, m)
		for a, i := range u.of {
			w[a] = p.cov[k*n+i]
			for b, j := range u.of {
				s[a*m+b] = p.cov[i*n+j] + u.v[a*m+b]
			}
		}
		if !solve(s, w, m) {
			continue
		}
		for a, i := range u.of {
			mean[k] += w[a] * u.y[a]
			for l := range n {
				cov[k*n+l] -= w[a] * p.cov[i*n+l]
			}
		}
	}
	return mean, cov
}
