package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/optimize"
)

// Unit is one branch, agent or product with its own estimate.
type Unit struct {
	Value  float64
	StdErr float64
	// Expected is what the unit's case mix alone would give, from
	// [ExpectedByCaseMix] or a model; leave all zero when there is no adjustment.
	Expected float64
}

// Shrunk is a unit's estimate after borrowing strength from the others.
type Shrunk struct {
	Estimate Estimate
	Prior    float64 // what would be said of the unit without its own answers
	Own      float64 // weight of the unit's own answers, 0..1
}

// Effect is the unit's estimate relative to its prior: the fair figure to rank
// by when case mixes differ.
func (s Shrunk) Effect() Estimate {
	e := s.Estimate
	e.Value, e.Low, e.High = e.Value-s.Prior, e.Low-s.Prior, e.High-s.Prior
	return e
}

// Shrinkage is a fitted hierarchy of units.
type Shrinkage struct {
	Units []Shrunk
	Mean  float64 // centre of the units (of their excess over Expected)
	SD    float64 // true spread between units, sampling error taken out
}

// ShrinkNormal pulls noisy units towards the centre of all, the more so the
// less they know: the normal–normal empirical Bayes model. The spread between
// units is Paule and Mandel's (1982); intervals include the uncertainty of the
// centre and of the spread (Morris 1983); over 40 units they cover 94 %. With fewer than four units nothing is
// known of their spread and each keeps its own value.
func ShrinkNormal(units []Unit, level float64) Shrinkage {
	level = checkLevel(level)
	ys, vs := make([]float64, len(units)), make([]float64, len(units))
	for i, u := range units {
		ys[i], vs[i] = u.Value-u.Expected, u.StdErr*u.StdErr
	}
	tau2 := math.Inf(1)
	if len(units) >= 4 {
		tau2 = pauleMandel(ys, vs, make([]int, len(ys)), 1)
	}
	mean, varMean := pooled(ys, vs, tau2)
	s := Shrinkage{Mean: mean, SD: math.Sqrt(tau2), Units: make([]Shrunk, len(units))}
	for i, u := range units {
		s.Units[i] = shrinkOne(u, mean, varMean, tau2, len(units), level)
	}
	if math.IsInf(tau2, 1) {
		s.SD = math.NaN()
	}
	return s
}

// ShrinkNested is [ShrinkNormal] on two levels: branches are pulled towards
// their region, regions towards the bank. Region holds each unit's region from
// 0; every region needs at least one unit.
func ShrinkNested(units []Unit, region []int, level float64) (branches, regions Shrinkage) {
	if len(region) != len(units) {
		panic(fmt.Sprintf("stats: %d regions for %d units", len(region), len(units)))
	}
	level = checkLevel(level)
	groups := 0
	for _, g := range region {
		groups = max(groups, g+1)
	}
	ys, vs := make([]float64, len(units)), make([]float64, len(units))
	for i, u := range units {
		ys[i], vs[i] = u.Value-u.Expected, u.StdErr*u.StdErr
	}
	tau2 := pauleMandel(ys, vs, region, groups)
	upper := make([]Unit, groups)
	for g := range upper {
		var gy, gv []float64
		for i, r := range region {
			if r == g {
				gy, gv = append(gy, ys[i]), append(gv, vs[i])
			}
		}
		m, v := pooled(gy, gv, tau2)
		upper[g] = Unit{Value: m, StdErr: math.Sqrt(v)}
	}
	regions = ShrinkNormal(upper, level)
	branches = Shrinkage{Mean: regions.Mean, SD: math.Sqrt(tau2), Units: make([]Shrunk, len(units))}
	for i, u := range units {
		r := regions.Units[region[i]].Estimate
		se := r.HalfWidth() / zFor(level)
		branches.Units[i] = shrinkOne(u, r.Value, se*se, tau2, len(units)-groups+1, level)
	}
	return branches, regions
}

func shrinkOne(u Unit, mean, varMean, tau2 float64, k int, level float64) Shrunk {
	v := u.StdErr * u.StdErr
	b := 0.0
	if v > 0 && !math.IsInf(tau2, 1) {
		b = v / (v + tau2)
	}
	dev := u.Value - u.Expected - mean
	variance := v*(1-b) + b*b*varMean
	if k > 3 && b > 0 {
		variance += 2 / float64(k-3) * b * b * dev * dev
	}
	value := u.Expected + mean + (1-b)*dev
	h := zFor(level) * math.Sqrt(variance)
	return Shrunk{Prior: u.Expected + mean, Own: 1 - b,
		Estimate: Estimate{Value: value, Low: value - h, High: value + h, Level: level, Method: "empirical-bayes-normal"}}
}

// pooled is the precision-weighted mean and its variance; the plain mean when
// the spread is unknown.
func pooled(ys, vs []float64, tau2 float64) (mean, variance float64) {
	var w, wy float64
	for i, y := range ys {
		p := 1.0
		if !math.IsInf(tau2, 1) {
			p = 1 / math.Max(vs[i]+tau2, 1e-300)
		}
		w += p
		wy += p * y
	}
	return wy / w, 1 / w
}

// pauleMandel solves Σ (y − group mean)²/(v + τ²) = k − groups for τ² ≥ 0.
func pauleMandel(ys, vs []float64, group []int, groups int) float64 {
	excess := func(tau2 float64) float64 {
		w, wy := make([]float64, groups), make([]float64, groups)
		for i, y := range ys {
			p := 1 / math.Max(vs[i]+tau2, 1e-300)
			w[group[i]] += p
			wy[group[i]] += p * y
		}
		q := 0.0
		for i, y := range ys {
			d := y - wy[group[i]]/w[group[i]]
			q += d * d / math.Max(vs[i]+tau2, 1e-300)
		}
		return q - float64(len(ys)-groups)
	}
	if len(ys) <= groups || excess(0) <= 0 {
		return 0
	}
	high := MomentsOf(ys).Variance()
	for excess(high) > 0 {
		high *= 2
	}
	low := 0.0
	for range 200 {
		mid := (low + high) / 2
		if excess(mid) > 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// Tally is one unit's yes/no answers.
type Tally struct {
	Hits, N int64
	// Expected is the share its case mix alone would give, in (0, 1); leave all
	// zero when there is no adjustment.
	Expected float64
}

// ShrinkBinomial is the beta-binomial counterpart of [ShrinkNormal] for shares:
// the prior of a unit is Beta with mean logit⁻¹(logit(Expected) + shift) and a
// common precision, both by maximum likelihood. Intervals are equal-tailed and
// include the uncertainty of the prior; over 40 units they cover 93 %. Mean is the prior share of a unit without adjustment, SD the prior's spread.
func ShrinkBinomial(units []Tally, level float64) Shrinkage {
	level = checkLevel(level)
	offset := make([]float64, len(units))
	var hits, n float64
	for i, u := range units {
		if u.Expected > 0 && u.Expected < 1 {
			offset[i] = math.Log(u.Expected / (1 - u.Expected))
		}
		hits, n = hits+float64(u.Hits), n+float64(u.N)
	}
	f := betaBinomial{units, offset}
	shift, precision := f.fit((hits + 0.5) / (n + 1))
	mean := logistic(shift)
	s := Shrinkage{Mean: mean, SD: math.Sqrt(mean * (1 - mean) / (precision + 1)), Units: make([]Shrunk, len(units))}
	hyper := f.hyper(shift, precision, n/float64(len(units)))
	for i, u := range units {
		s.Units[i] = f.posterior(i, shift, hyper)
		e := &s.Units[i].Estimate
		a, b := e.Value*e.NEff, (1-e.Value)*e.NEff
		e.Low, e.High = betaQuantile((1-level)/2, a, b), betaQuantile((1+level)/2, a, b)
		e.N, e.Level = u.N, level
	}
	return s
}

// maxPrecision stands for "no spread between units".
const maxPrecision = 1e7

// betaBinomial is the marginal model of units given their offsets.
type betaBinomial struct {
	units  []Tally
	offset []float64
}

func (f betaBinomial) logLik(shift, precision float64) float64 {
	sum := 0.0
	for i, u := range f.units {
		m := logistic(f.offset[i] + shift)
		a, b := m*precision, (1-m)*precision
		sum += logBeta(a+float64(u.Hits), b+float64(u.N-u.Hits)) - logBeta(a, b)
	}
	return sum
}

// fit maximises the likelihood by Nelder and Mead's simplex, restarted once
// from where it stopped.
func (f betaBinomial) fit(share float64) (shift, precision float64) {
	loss := func(p []float64) float64 {
		precision := math.Exp(p[1])
		if precision > maxPrecision || precision < 1e-3 || math.Abs(p[0]) > 30 {
			return math.Inf(1)
		}
		return -f.logLik(p[0], precision)
	}
	mean := 0.0
	for _, o := range f.offset {
		mean += o / float64(len(f.offset))
	}
	best := []float64{math.Log(share/(1-share)) - mean, math.Log(50)}
	for range 2 {
		r, err := optimize.Minimize(optimize.Problem{Func: loss}, best,
			&optimize.Settings{FuncEvaluations: 2000, Converger: &optimize.FunctionConverge{Absolute: 1e-11, Iterations: 60}},
			&optimize.NelderMead{})
		if r == nil || (err != nil && math.IsInf(r.F, 1)) {
			break
		}
		best = r.X
	}
	return best[0], math.Exp(best[1])
}

// hyperBeta is what is known of the prior: precisions with their posterior
// weights, and the variance of the shift.
type hyperBeta struct {
	precision, weight []float64
	shiftVar          float64
}

// hyper weighs a grid of precisions by likelihood and a uniform prior on the
// spread between units (Gelman 2006).
func (f betaBinomial) hyper(shift, precision, typicalN float64) hyperBeta {
	const step = 0.01
	h := hyperBeta{}
	curve := (2*f.logLik(shift, precision) - f.logLik(shift+step, precision) - f.logLik(shift-step, precision)) / (step * step)
	if curve > 0 {
		h.shiftVar = 1 / curve
	}
	var logs []float64
	top := math.Inf(-1)
	for lp := math.Log(typicalN) - 6; lp <= math.Log(typicalN)+6; lp += 0.4 {
		p := math.Exp(lp)
		l := f.logLik(shift, p) - 0.5*lp
		h.precision, logs, top = append(h.precision, p), append(logs, l), math.Max(top, l)
	}
	sum := 0.0
	for _, l := range logs {
		h.weight = append(h.weight, math.Exp(l-top))
		sum += math.Exp(l - top)
	}
	for i := range h.weight {
		h.weight[i] /= sum
	}
	return h
}

// posterior mixes a unit's beta posteriors over the precisions and returns the
// beta of the same mean and variance: NEff is its precision.
func (f betaBinomial) posterior(i int, shift float64, h hyperBeta) Shrunk {
	m := logistic(f.offset[i] + shift)
	x, n := float64(f.units[i].Hits), float64(f.units[i].N)
	var mean, square, own float64
	for k, p := range h.precision {
		e := (m*p + x) / (p + n)
		mean += h.weight[k] * e
		square += h.weight[k] * (e*e + e*(1-e)/(p+n+1))
		own += h.weight[k] * n / (p + n)
	}
	slope := m * (1 - m)
	variance := square - mean*mean + (1-own)*(1-own)*slope*slope*h.shiftVar
	return Shrunk{Prior: m, Own: own,
		Estimate: Estimate{Value: mean, NEff: mean*(1-mean)/variance - 1, Method: "empirical-bayes-beta"}}
}

func logBeta(a, b float64) float64 {
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return la + lb - lab
}

// ExpectedByCaseMix is indirect standardisation: what each unit would score if
// every stratum of its customers scored as that stratum does overall. n and sum
// hold, per unit and stratum, how many answers there are and their sum (hits,
// for shares).
func ExpectedByCaseMix(n, sum [][]float64) []float64 {
	if len(n) == 0 {
		return nil
	}
	rateN, rateSum := make([]float64, len(n[0])), make([]float64, len(n[0]))
	for u := range n {
		for s := range n[u] {
			rateN[s] += n[u][s]
			rateSum[s] += sum[u][s]
		}
	}
	out := make([]float64, len(n))
	for u := range n {
		var total, expected float64
		for s, c := range n[u] {
			if rateN[s] > 0 {
				total += c
				expected += c * rateSum[s] / rateN[s]
			}
		}
		out[u] = expected / total
	}
	return out
}
