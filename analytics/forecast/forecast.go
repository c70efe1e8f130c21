package forecast

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a forecast of a value by three numbers and a probability: the value
// lies between Low and High with probability Level, and Mid is the most likely.
type Interval struct {
	Low, Mid, High float64
	Level          float64 // between 0 and 1, such as 0.8
}

// Validate tells what is wrong with it.
func (f Interval) Validate() error {
	for _, x := range []float64{f.Low, f.Mid, f.High} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("forecast: %v is no number", x)
		}
	}
	if !(f.Low <= f.Mid && f.Mid <= f.High && f.Low < f.High) {
		return fmt.Errorf("forecast: low, expected and high are not in order: %g, %g, %g", f.Low, f.Mid, f.High)
	}
	if !(f.Level > 0 && f.Level < 1) {
		return fmt.Errorf("forecast: how sure lies between 0 and 1, not %g", f.Level)
	}
	return nil
}

// Holds reports whether the outcome lies in the interval, its ends included.
func (f Interval) Holds(y float64) bool { return f.Low <= y && y <= f.High }

// Score is the interval score of the outcome y, in the unit of y: the width, and
// for an outcome outside 2/(1−Level) times the distance to the nearer end.
func (f Interval) Score(y float64) float64 {
	alpha := 1 - f.Level
	return f.High - f.Low + 2/alpha*math.Max(0, f.Low-y) + 2/alpha*math.Max(0, y-f.High)
}

// TwoPiece is a normal distribution whose spread differs below and above its
// mode: density 2/(Below+Above)·φ((x−Mode)/spread).
type TwoPiece struct{ Mode, Below, Above float64 }

// Distribution is the two-piece normal of an interval: Mid is its mode, and the
// spreads put the probability Level between Low and High, as far from the mode as
// they are. An interval that begins or ends at Mid has a half without spread.
func (f Interval) Distribution() TwoPiece {
	// With spreads s·(Mid−Low) and s·(High−Mid) the mass between Low and High is
	// 2Φ(1/s)−1 on either side, so s is the same as for one normal distribution.
	z := distuv.UnitNormal.Quantile(0.5 + f.Level/2)
	return TwoPiece{f.Mid, (f.Mid - f.Low) / z, (f.High - f.Mid) / z}
}

func phi(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

func cdf(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// CDF is the probability of a value of at most x.
func (d TwoPiece) CDF(x float64) float64 {
	sum := d.Below + d.Above
	switch {
	case sum == 0:
		return map[bool]float64{true: 1, false: 0}[x >= d.Mode]
	case x < d.Mode:
		if d.Below == 0 {
			return 0
		}
		return 2 * d.Below / sum * cdf((x-d.Mode)/d.Below)
	case d.Above == 0:
		return 1
	}
	return 1 - 2*d.Above/sum*cdf(-(x-d.Mode)/d.Above)
}

// Quantile is the value that a share p lies below, 0 < p < 1.
func (d TwoPiece) Quantile(p float64) float64 {
	sum := d.Below + d.Above
	if sum == 0 {
		return d.Mode
	}
	if split := d.Below / sum; p < split {
		return d.Mode + d.Below*distuv.UnitNormal.Quantile(p*sum/(2*d.Below))
	}
	if d.Above == 0 {
		return d.Mode
	}
	return d.Mode - d.Above*distuv.UnitNormal.Quantile((1-p)*sum/(2*d.Above))
}

// square is ∫Φ² from −∞ to z, and single is ∫Φ.
func square(z float64) float64 {
	return z*cdf(z)*cdf(z) + 2*cdf(z)*phi(z) - cdf(math.Sqrt2*z)/math.Sqrt(math.Pi)
}

func single(z float64) float64 { return z*cdf(z) + phi(z) }

// tail is ∫(k·Φ(z/σ))² up to z = x ≤ 0 on the scale of values.
func tail(k, sigma, x float64) float64 {
	if sigma == 0 {
		return 0
	}
	return sigma * k * k * square(x/sigma)
}

// rest is ∫(1 − k·Φ(t/σ))² dt from x to 0, x ≤ 0.
func rest(k, sigma, x float64) float64 {
	if sigma == 0 {
		return -x
	}
	z := x / sigma
	return sigma * (-z - 2*k*(single(0)-single(z)) + k*k*(square(0)-square(z)))
}

// CRPS is the continuous ranked probability score of the outcome y, in the unit of
// y: ∫(F(x) − [x ≥ y])² dx. For a point without spread it is the distance.
func (d TwoPiece) CRPS(y float64) float64 {
	sum := d.Below + d.Above
	if sum == 0 {
		return math.Abs(y - d.Mode)
	}
	kb, ka := 2*d.Below/sum, 2*d.Above/sum
	// Seen from the mode, the part above mirrors the part below, so both are the
	// same two integrals.
	if x := y - d.Mode; x <= 0 {
		return tail(kb, d.Below, x) + rest(kb, d.Below, x) + tail(ka, d.Above, 0)
	} else {
		return tail(ka, d.Above, -x) + rest(ka, d.Above, -x) + tail(kb, d.Below, 0)
	}
}

// CRPS is the score of the distribution that the interval describes.
func (f Interval) CRPS(y float64) float64 { return f.Distribution().CRPS(y) }

// Brier is the squared distance between the stated chance and what happened,
// from 0 to 1; who always says one half gets 0.25.
func Brier(chance float64, happened bool) float64 {
	if happened {
		return (1 - chance) * (1 - chance)
	}
	return chance * chance
}
