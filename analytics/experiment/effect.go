package experiment

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Scale says in what an effect is expressed.
type Scale uint8

const (
	Absolute Scale = iota // in the unit of the measure
	Relative              // as a share of the control arm's outcome
)

// Effect is the treated arm less the control.
type Effect struct {
	Value  float64
	StdErr float64
	N      int64 // units in both arms
	// DF are Welch's degrees of freedom.
	DF float64
	// Baseline is the control arm's outcome without adjustment.
	Baseline float64
}

var (
	// ErrVariance says that an arm shows no variation, so no error can be given.
	ErrVariance = errors.New("experiment: an arm does not vary")
	// ErrBaseline says that the control arm's outcome is zero.
	ErrBaseline = errors.New("experiment: the control arm's outcome is zero")
	// ErrKind says that the arms measure different things.
	ErrKind = errors.New("experiment: the arms are of different kinds")
)

// Measure returns the effect of the treated arm against the control. It returns
// [ErrVariance], [ErrBaseline] or [ErrKind] when there is none.
func Measure(control, treated Arm, scale Scale) (Effect, error) {
	if control.kind != treated.kind {
		return Effect{}, ErrKind
	}
	a, b := adjust(control, treated)
	variance := effectVariance(a, b, scale)
	if a.degenerate() || b.degenerate() || !(variance > 0) {
		return Effect{}, ErrVariance
	}
	if a.value() == 0 || a.plain() == 0 {
		return Effect{}, ErrBaseline
	}
	e := Effect{Value: b.value() - a.value(), StdErr: math.Sqrt(variance), N: int64(a.n + b.n), DF: welch(a, b), Baseline: a.plain()}
	if scale == Relative {
		e.Value /= math.Abs(a.plain())
	}
	return e, nil
}

// effectVariance is the delta method.
func effectVariance(a, b Arm, scale Scale) float64 {
	if scale == Absolute {
		return a.variance()/a.n + b.variance()/b.n
	}
	u := a.plain()
	if u == 0 {
		return 0
	}
	if a.kind == quantileKind {
		ratio := b.plain() / u
		return (b.variance()/b.n + ratio*ratio*a.variance()/a.n) / (u * u)
	}
	// The effect is (f(b) − f(a))/|u(a)|; its derivative by the control's means is
	// −∇f/|u| − (f(b) − f(a))·∇u/(u·|u|). For adjusted means the gap before the
	// experiment is left out of the second term, as it vanishes in large samples.
	gap := b.value() - a.value()
	if a.kind == adjustedKind {
		gap = b.plain() - u
	}
	size := math.Abs(u)
	g, gu := a.gradient(), a.plainGradient()
	for i := range g {
		g[i] = -g[i]/size - gap*gu[i]/(u*size)
	}
	gb := b.gradient()
	return a.form(g, g)/a.n + b.form(gb, gb)/(u*u*b.n)
}

func welch(a, b Arm) float64 {
	va, vb := a.variance()/a.n, b.variance()/b.n
	return (va + vb) * (va + vb) / (va*va/(a.n-1) + vb*vb/(b.n-1))
}

// Side is the alternative of a test.
type Side uint8

const (
	TwoSided Side = iota
	Greater       // the treatment is better: only a lower limit
	Lesser        // the treatment is worse: only an upper limit
)

// Test is an effect with interval and p-value. The open end of a one-sided
// interval is infinite.
type Test struct {
	Effect
	Low, High float64
	P         float64
}

// TTest is Welch's test of no effect at significance alpha, 0.05 when zero.
func TTest(e Effect, side Side, alpha float64) Test {
	alpha = orDefault(alpha)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: e.DF}
	stat := e.Value / e.StdErr
	out := Test{Effect: e, Low: math.Inf(-1), High: math.Inf(1)}
	switch side {
	case TwoSided:
		h := t.Quantile(1-alpha/2) * e.StdErr
		out.Low, out.High = e.Value-h, e.Value+h
		out.P = 2 * t.CDF(-math.Abs(stat))
	case Greater:
		out.Low = e.Value - t.Quantile(1-alpha)*e.StdErr
		out.P = t.CDF(-stat)
	case Lesser:
		out.High = e.Value + t.Quantile(1-alpha)*e.StdErr
		out.P = t.CDF(stat)
	}
	return out
}

func orDefault(alpha float64) float64 {
	if alpha == 0 {
		return 0.05
	}
	return alpha
}

// DefaultTuning is the sample at which [Sequential] is tightest when not told.
const DefaultTuning = 5000

// Sequential is the test of no effect that may be looked at as often as one
// likes: with confidence 1−alpha its interval holds at all sample sizes at once.
// tuning is the sample size, both arms together, at which it should be
// tightest; [DefaultTuning] when zero.
func Sequential(e Effect, side Side, alpha, tuning float64) Test {
	alpha = orDefault(alpha)
	if tuning == 0 {
		tuning = DefaultTuning
	}
	n := float64(e.N)
	out := Test{Effect: e, Low: math.Inf(-1), High: math.Inf(1)}
	if side == TwoSided {
		x := n * rhoSquared(alpha, tuning)
		h := e.StdErr * math.Sqrt(2*(x+1)/x*math.Log(math.Sqrt(x+1)/alpha))
		out.Low, out.High = e.Value-h, e.Value+h
		z2 := e.Value * e.Value / (e.StdErr * e.StdErr)
		out.P = math.Min(1, math.Sqrt(x+1)*math.Exp(-x*z2/(2*(x+1))))
		return out
	}
	x := n * rhoSquared(2*alpha, tuning)
	width := func(alpha float64) float64 {
		return e.StdErr * math.Sqrt(2*(x+1)/x*math.Log1p(math.Sqrt(x+1)/(2*alpha)))
	}
	gain := e.Value
	if side == Greater {
		out.Low = e.Value - width(alpha)
	} else {
		out.High, gain = e.Value+width(alpha), -e.Value
	}
	// The p-value is the level at which the limit touches zero.
	out.P = 1
	if gain > 0 {
		z2 := gain * gain / (e.StdErr * e.StdErr)
		if excess := math.Expm1(z2 * x / (2 * (x + 1))); excess > 0 {
			out.P = math.Min(1, math.Sqrt(x+1)/(2*excess))
		}
	}
	return out
}

// rhoSquared tunes the mixture to a sample size (Waudby-Smith et al., eq. 161).
func rhoSquared(alpha, tuning float64) float64 {
	l := -2 * math.Log(alpha)
	return (l + math.Log1p(l)) / tuning
}

// Prior is a normal prior of an effect. Variance +Inf, or an unset Variance of
// zero, is flat.
type Prior struct {
	Mean, Variance float64
	Scale          Scale
}

// Posterior is what a Bayesian believes of an effect.
type Posterior struct {
	Mean, SD  float64
	Low, High float64 // central credible interval
	Win       float64 // chance that the treatment is better
	// RiskControl and RiskTreated are the loss to expect when that arm is chosen
	// though the other is better.
	RiskControl, RiskTreated float64
}

// Bayes updates a prior with an effect on the given scale. lowerIsBetter turns
// the meaning of winning around; alpha is the share outside the interval, 0.05
// when zero.
func Bayes(e Effect, scale Scale, prior Prior, lowerIsBetter bool, alpha float64) Posterior {
	alpha = orDefault(alpha)
	mean, precision := e.Value, 1/(e.StdErr*e.StdErr)
	if prior.Variance > 0 && !math.IsInf(prior.Variance, 1) {
		pm, pv := prior.Mean, prior.Variance
		if prior.Scale != scale {
			unit := math.Abs(e.Baseline)
			if scale == Relative {
				unit = 1 / unit
			}
			pm, pv = pm*unit, pv*unit*unit
		}
		mean = (mean*precision + pm/pv) / (precision + 1/pv)
		precision += 1 / pv
	}
	sd := 1 / math.Sqrt(precision)
	z := distuv.UnitNormal.Quantile(1 - alpha/2)
	p := Posterior{Mean: mean, SD: sd, Low: mean - z*sd, High: mean + z*sd}
	p.Win = distuv.UnitNormal.CDF(mean / sd)
	gain := expectedAbove(mean, sd)
	p.RiskControl, p.RiskTreated = gain, expectedAbove(-mean, sd)
	if lowerIsBetter {
		p.Win = 1 - p.Win
		p.RiskControl, p.RiskTreated = p.RiskTreated, p.RiskControl
	}
	return p
}

// expectedAbove is E[max(X, 0)] of a normal variable.
func expectedAbove(mean, sd float64) float64 {
	z := mean / sd
	return mean*distuv.UnitNormal.CDF(z) + sd*distuv.UnitNormal.Prob(z)
}

// SampleRatio is the p-value of the chi-squared test that units were split over
// arms in the given proportions. A small one (below 0.001) means the experiment
// is broken.
func SampleRatio(units []int64, proportions []float64) float64 {
	var total, weight, x float64
	for i, u := range units {
		total += float64(u)
		weight += proportions[i]
	}
	if total == 0 {
		return 1
	}
	for i, u := range units {
		if proportions[i] > 0 {
			e := proportions[i] / weight * total
			x += (float64(u) - e) * (float64(u) - e) / e
		}
	}
	return mathext.GammaIncRegComp(float64(len(units)-1)/2, x/2)
}
