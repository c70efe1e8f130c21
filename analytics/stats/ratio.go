package stats

import (
	"fmt"
	"math"
)

// RatioMoments are the sufficient statistics of a ratio of two means measured
// on the same units, such as minutes per call over agents: Y is the numerator,
// X the denominator.
type RatioMoments struct {
	N                int64
	Y, X, YY, XX, XY float64 // sums and sums of products
}

// RatioMomentsOf sums paired raw values; the slices must be of equal length.
func RatioMomentsOf(ys, xs []float64) RatioMoments {
	if len(ys) != len(xs) {
		panic(fmt.Sprintf("stats: %d numerators for %d denominators", len(ys), len(xs)))
	}
	var m RatioMoments
	for i, y := range ys {
		m.Push(y, xs[i])
	}
	return m
}

// Push adds one unit.
func (m *RatioMoments) Push(y, x float64) {
	m.N++
	m.Y += y
	m.X += x
	m.YY += y * y
	m.XX += x * x
	m.XY += x * y
}

// Add returns two sets of moments together.
func (m RatioMoments) Add(o RatioMoments) RatioMoments {
	return RatioMoments{m.N + o.N, m.Y + o.Y, m.X + o.X, m.YY + o.YY, m.XX + o.XX, m.XY + o.XY}
}

// Variance is the delta-method variance of ΣY/ΣX.
func (m RatioMoments) Variance() float64 {
	n := float64(m.N)
	r := m.Y / m.X
	ss := m.YY - 2*r*m.XY + r*r*m.XX
	return math.Max(0, ss) * n / ((n - 1) * m.X * m.X)
}

// Ratio estimates ΣY/ΣX by the delta method with Student's t.
func Ratio(m RatioMoments, level float64) Estimate {
	level = checkLevel(level)
	n := float64(m.N)
	if m.N < 1 || m.X == 0 {
		return unknown(m.N, n, level, "ratio-delta")
	}
	e := Estimate{Value: m.Y / m.X, Low: math.NaN(), High: math.NaN(), N: m.N, NEff: n, Level: level, Method: "ratio-delta"}
	if m.N >= 2 {
		h := tFor(level, n-1) * math.Sqrt(m.Variance())
		e.Low, e.High = e.Value-h, e.Value+h
	}
	return e
}

// RatioBootstrap estimates Σys/Σxs by resampling units.
func RatioBootstrap(ys, xs []float64, level float64, opt BootstrapOptions) Estimate {
	if len(ys) != len(xs) {
		panic(fmt.Sprintf("stats: %d numerators for %d denominators", len(ys), len(xs)))
	}
	ratio := func(pick []int) float64 {
		var y, x float64
		for _, i := range pick {
			y += ys[i]
			x += xs[i]
		}
		return y / x
	}
	e := bootstrap(len(ys), ratio, level, opt)
	e.Method = "ratio-" + e.Method
	return e
}
