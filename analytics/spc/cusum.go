package spc

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// EWMAPoint is one point of an exponentially weighted moving average chart.
type EWMAPoint struct {
	Value, Low, High float64
	Beyond           bool
}

// EWMA follows values with known centre and standard error by
// E = λ·x + (1−λ)·E, with limits width standard errors of E away (Roberts 1959).
// The limits widen from the first point to their final width. 0 < lambda ≤ 1.
func EWMA(values []float64, center, se, lambda, width float64) []EWMAPoint {
	out, e := make([]EWMAPoint, len(values)), center
	for i, v := range values {
		e = lambda*v + (1-lambda)*e
		h := width * se * math.Sqrt(lambda/(2-lambda)*(1-math.Pow(1-lambda, 2*float64(i+1))))
		out[i] = EWMAPoint{e, center - h, center + h, math.Abs(e-center) > h}
	}
	return out
}

// CUSUMPoint is one point of a two-sided cumulative sum chart, in standard
// errors.
type CUSUMPoint struct {
	Up, Down float64 // Down is negative
	Beyond   bool
}

// CUSUM accumulates how far values with known centre and standard error lie
// beyond k standard errors, up and down (Page 1954); h is the decision limit.
// k is half the shift one wants to find.
func CUSUM(values []float64, center, se, k, h float64) []CUSUMPoint {
	out := make([]CUSUMPoint, len(values))
	up, down := 0.0, 0.0
	for i, v := range values {
		z := (v - center) / se
		up = max(0, up+z-k)
		down = min(0, down+z+k)
		out[i] = CUSUMPoint{up, down, up > h || down < -h}
	}
	return out
}

// ShewhartARL is the average run length of limits width standard errors away
// under a shift of the mean in standard errors.
func ShewhartARL(width, shift float64) float64 {
	return 1 / (distuv.UnitNormal.CDF(shift-width) + distuv.UnitNormal.CDF(-shift-width))
}

// nodes is the number of quadrature points of the integral equations; results
// agree with published values to more than six digits.
const nodes = 96

// CUSUMARL is the exact average run length of a two-sided CUSUM of independent
// normal scores from its start, under a shift in standard errors: Page's
// integral equation by Gauss–Legendre quadrature, the two sides combined as
// 1/ARL = 1/ARL⁺ + 1/ARL⁻ (Kemp 1961). Requires k ≥ 0 and h > 0.
func CUSUMARL(k, h, shift float64) float64 {
	return 1 / (1/CUSUMOneSidedARL(k, h, shift) + 1/CUSUMOneSidedARL(k, h, -shift))
}

// CUSUMOneSidedARL is the average run length of the upward half alone.
func CUSUMOneSidedARL(k, h, shift float64) float64 {
	x, w := legendre(0, h)
	// Unknowns: L(0) and L at the nodes. L(u) = 1 + Φ(k−u−δ)·L(0) + ∫L(y)φ(y+k−u−δ)dy.
	at := append([]float64{0}, x...)
	a := mat.NewDense(nodes+1, nodes+1, nil)
	for i, u := range at {
		a.Set(i, 0, -distuv.UnitNormal.CDF(k-u-shift))
		for j, y := range x {
			a.Set(i, j+1, -w[j]*distuv.UnitNormal.Prob(y+k-u-shift))
		}
		a.Set(i, i, a.At(i, i)+1)
	}
	return solveOnes(a)[0]
}

// EWMAARL is the exact average run length of a two-sided EWMA of independent
// normal scores with fixed limits, from its centre, under a shift in standard
// errors (Crowder's integral equation 1987).
func EWMAARL(lambda, width, shift float64) float64 {
	h := width * math.Sqrt(lambda/(2-lambda))
	x, w := legendre(-h, h)
	kernel := func(u, y float64) float64 {
		return distuv.UnitNormal.Prob((y-(1-lambda)*u)/lambda-shift) / lambda
	}
	a := mat.NewDense(nodes, nodes, nil)
	for i, u := range x {
		for j, y := range x {
			a.Set(i, j, -w[j]*kernel(u, y))
		}
		a.Set(i, i, a.At(i, i)+1)
	}
	arl := 1.0
	for j, l := range solveOnes(a) {
		arl += w[j] * kernel(0, x[j]) * l
	}
	return arl
}

// CUSUMLimit is the decision limit h at which a two-sided CUSUM in control has
// the given average run length (at least 2).
func CUSUMLimit(k, arl float64) float64 {
	return limitFor(arl, func(h float64) float64 { return CUSUMARL(k, h, 0) })
}

// EWMALimit is the limit width at which an EWMA in control has the given
// average run length (at least 2).
func EWMALimit(lambda, arl float64) float64 {
	return limitFor(arl, func(l float64) float64 { return EWMAARL(lambda, l, 0) })
}

func limitFor(arl float64, f func(float64) float64) float64 {
	if !(arl >= 2) {
		panic(fmt.Sprintf("spc: average run length %v is below 2", arl))
	}
	lo, hi := 1e-3, 1.0
	for f(hi) < arl {
		lo, hi = hi, 2*hi
	}
	for hi-lo > 1e-10*hi {
		mid := (lo + hi) / 2
		if f(mid) < arl {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

func legendre(lo, hi float64) (x, w []float64) {
	x, w = make([]float64, nodes), make([]float64, nodes)
	quad.Legendre{}.FixedLocations(x, w, lo, hi)
	return x, w
}

func solveOnes(a *mat.Dense) []float64 {
	n, _ := a.Dims()
	ones, sol := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		ones.SetVec(i, 1)
	}
	var lu mat.LU
	lu.Factorize(a)
	if err := lu.SolveVecTo(sol, false, ones); err != nil {
		// A condition warning still carries the solution; the in-control run
		// length is then astronomically long.
		_ = err
	}
	return sol.RawVector().Data
}
