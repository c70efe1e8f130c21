package experiment

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

type kind uint8

const (
	meanKind kind = iota
	ratioKind
	adjustedKind
	adjustedRatioKind
	quantileKind
)

// Arm sums up the units of one arm. Use a constructor; arms of one kind add up
// over segments with [Arm.Add].
type Arm struct {
	kind     kind
	n        float64
	sum      [4]float64    // outcome (numerator, denominator), then the same before
	product  [4][4]float64 // sums of products
	binary   bool          // values are 0 and 1: variance p(1−p) as usual for shares
	theta    float64       // fixed adjustment
	fixed    bool
	quantile quantile
}

type quantile struct {
	level, value, low, high float64
	boundN                  float64
}

// MeanArm sums n values.
func MeanArm(n int64, sum, sumSq float64) Arm {
	return Arm{kind: meanKind, n: float64(n), sum: [4]float64{sum}, product: [4][4]float64{{sumSq}}}
}

// ShareArm counts hits among n units.
func ShareArm(n int64, hits float64) Arm {
	a := MeanArm(n, hits, hits)
	a.binary = true
	return a
}

// RatioArm describes a ratio of two sums over units, such as spend per visit:
// the numerator's and denominator's moments and the sum of their products.
func RatioArm(numerator, denominator Arm, products float64) Arm {
	a := Arm{kind: ratioKind, n: numerator.n, binary: numerator.binary && denominator.binary}
	a.put(0, numerator)
	a.put(1, denominator)
	a.cross(0, 1, products)
	return a
}

// AdjustedArm describes an outcome together with the same measure before the
// experiment and the sum of their products.
func AdjustedArm(after, before Arm, products float64) Arm {
	a := Arm{kind: adjustedKind, n: after.n, binary: after.binary && before.binary}
	a.put(0, after)
	a.put(1, before)
	a.cross(0, 1, products)
	return a
}

// RatioProducts are the sums of products of an [AdjustedRatioArm] across its
// four measures: numerator (Num) and denominator (Den), after and before.
type RatioProducts struct {
	NumNumBefore, DenDenBefore, NumBeforeDenBefore, NumDen, NumDenBefore, DenNumBefore float64
}

// AdjustedRatioArm is a ratio together with the same ratio before the
// experiment.
func AdjustedRatioArm(num, den, numBefore, denBefore Arm, p RatioProducts) Arm {
	a := Arm{kind: adjustedRatioKind, n: num.n}
	for i, m := range []Arm{num, den, numBefore, denBefore} {
		a.put(i, m)
	}
	a.cross(0, 2, p.NumNumBefore)
	a.cross(1, 3, p.DenDenBefore)
	a.cross(2, 3, p.NumBeforeDenBefore)
	a.cross(0, 1, p.NumDen)
	a.cross(0, 3, p.NumDenBefore)
	a.cross(1, 2, p.DenNumBefore)
	return a
}

// QuantileArm describes a quantile of n values: its estimate, and the two
// values between which it lies at 95 %, as read off the order statistics of
// boundN values (n, unless those were sampled).
func QuantileArm(n, boundN int64, level, value, low, high float64) Arm {
	return Arm{kind: quantileKind, n: float64(n), quantile: quantile{level, value, low, high, float64(boundN)}}
}

// WithTheta fixes the adjustment of an adjusted arm, which is otherwise learned
// from both arms together.
func (a Arm) WithTheta(theta float64) Arm {
	a.theta, a.fixed = theta, true
	return a
}

// N is the number of units.
func (a Arm) N() int64 { return int64(a.n) }

// ErrAdd says that two arms cannot be added.
var ErrAdd = errors.New("experiment: only arms of one kind, and no quantiles, add up")

// Add returns two segments of an arm together.
func (a Arm) Add(b Arm) (Arm, error) {
	if a.kind != b.kind || a.kind == quantileKind {
		return Arm{}, ErrAdd
	}
	out := Arm{kind: a.kind, n: a.n + b.n}
	for i := range out.sum {
		out.sum[i] = a.sum[i] + b.sum[i]
		for j := range out.product[i] {
			out.product[i][j] = a.product[i][j] + b.product[i][j]
		}
	}
	return out, nil
}

func (a *Arm) put(i int, m Arm) {
	a.sum[i], a.product[i][i] = m.sum[0], m.product[0][0]
}

func (a *Arm) cross(i, j int, v float64) { a.product[i][j], a.product[j][i] = v, v }

func (a Arm) mean(i int) float64 {
	if a.n == 0 {
		return 0
	}
	return a.sum[i] / a.n
}

// cov is the covariance of two measures over units.
func (a Arm) cov(i, j int) float64 {
	if a.n <= 1 && !(a.binary && i == j) {
		return 0
	}
	if a.binary {
		return a.product[i][j]/a.n - a.mean(i)*a.mean(j)
	}
	return (a.product[i][j] - a.sum[i]*a.sum[j]/a.n) / (a.n - 1)
}

// plain is the outcome without adjustment: a mean, ratio or quantile.
func (a Arm) plain() float64 {
	switch a.kind {
	case quantileKind:
		return a.quantile.value
	case ratioKind, adjustedRatioKind:
		return a.ratio(0)
	}
	return a.mean(0)
}

// ratio is the ratio of the measures i and i+1.
func (a Arm) ratio(i int) float64 {
	if a.sum[i+1] == 0 {
		return 0
	}
	return a.sum[i] / a.sum[i+1]
}

// value is the adjusted outcome.
func (a Arm) value() float64 {
	switch a.kind {
	case adjustedKind:
		return a.mean(0) - a.theta*a.mean(1)
	case adjustedRatioKind:
		return a.ratio(0) - a.theta*a.ratio(2)
	}
	return a.plain()
}

// plainGradient and gradient are the derivatives of plain and value by the means.
func (a Arm) plainGradient() (g [4]float64) {
	if a.kind == ratioKind || a.kind == adjustedRatioKind {
		g[0], g[1] = a.ratioGradient(0)
		return g
	}
	g[0] = 1
	return g
}

func (a Arm) gradient() [4]float64 {
	g := a.plainGradient()
	switch a.kind {
	case adjustedKind:
		g[1] = -a.theta
	case adjustedRatioKind:
		m, d := a.ratioGradient(2)
		g[2], g[3] = -a.theta*m, -a.theta*d
	}
	return g
}

func (a Arm) ratioGradient(i int) (byNum, byDen float64) {
	m, d := a.mean(i), a.mean(i+1)
	if d == 0 {
		return 0, 0
	}
	return 1 / d, -m / (d * d)
}

// form is the quadratic form of the covariance with two gradients.
func (a Arm) form(g, h [4]float64) float64 {
	v := 0.0
	for i := range g {
		for j := range h {
			if g[i] != 0 && h[j] != 0 {
				v += g[i] * h[j] * a.cov(i, j)
			}
		}
	}
	return v
}

// variance is that of one unit's contribution to the adjusted outcome.
func (a Arm) variance() float64 {
	if a.kind == quantileKind {
		v := a.quantile.variance(a.n)
		if a.n >= 100 {
			v = math.Max(v, 1e-5)
		}
		return v
	}
	g := a.gradient()
	return a.form(g, g)
}

var z95 = distuv.UnitNormal.Quantile(0.975)

func (q quantile) variance(n float64) float64 {
	if n <= 1 {
		return 0
	}
	sd := (q.high - q.low) / (2 * z95)
	return q.boundN / n * (n - 1) * sd * sd
}

// degenerate reports whether nothing can be said of the spread of an arm.
func (a Arm) degenerate() bool {
	if a.kind != quantileKind {
		return a.variance() <= 0
	}
	odds := a.quantile.level / (1 - a.quantile.level)
	if a.n <= z95*z95*odds || a.n <= z95*z95/odds {
		return true
	}
	return a.quantile.variance(a.n) <= 0
}

// unadjusted drops what was measured before.
func (a Arm) unadjusted() Arm {
	switch a.kind {
	case adjustedKind:
		a.kind = meanKind
	case adjustedRatioKind:
		a.kind = ratioKind
	}
	return a
}

// adjust learns the adjustment of two arms from both together: the slope of the
// outcome on the same measure before. Arms without variation before lose it.
func adjust(a, b Arm) (Arm, Arm) {
	if a.kind != b.kind || (a.fixed && b.fixed) {
		return a, b
	}
	theta := 0.0
	switch a.kind {
	case adjustedKind:
		joint, _ := a.Add(b) // same kind, so it adds
		joint.binary = a.binary && b.binary
		if v := joint.cov(1, 1); v != 0 && joint.cov(0, 0) != 0 {
			theta = joint.cov(0, 1) / v
		}
		if theta == 0 {
			return a.unadjusted(), b.unadjusted()
		}
	case adjustedRatioKind:
		var cov, v float64
		for _, arm := range []Arm{a, b} {
			var before [4]float64
			before[2], before[3] = arm.ratioGradient(2)
			cov += arm.form(before, arm.plainGradient())
			v += arm.form(before, before)
		}
		if v != 0 {
			theta = cov / v
		}
		if math.Abs(theta) < 1e-8 {
			return a.unadjusted(), b.unadjusted()
		}
	default:
		return a, b
	}
	return a.WithTheta(theta), b.WithTheta(theta)
}
