package spc

import (
	"math"
	"slices"
)

// shape learns what the first two moments do not say: skewness of readings,
// heavy tails and memory between periods.
func (f *fitter) shape() {
	n := float64(len(f.us))
	raw := make([]float64, len(f.us))
	for i, r := range f.res {
		raw[i] = r / math.Sqrt(f.v[i])
	}
	if n >= 20 {
		f.m.skew = f.skewness(raw)
		for i, z := range raw {
			raw[i] = unskew(z, f.skew[i]+f.m.skew)
		}
		f.m.tail, f.m.narrow = tailOf(raw)
		f.m.memory = memoryOf(f.z, f.m.memoryGate())
	}
	// What is not known of the spread makes scores of few periods wider.
	f.m.tail = min(f.m.tail, max(n-1, 3))
	f.m.between *= 1 + 4/n
}

// skewness is that of readings without answers, when beyond chance; what
// sampling adds is known from the model.
func (f *fitter) skewness(z []float64) float64 {
	if f.m.sampled() {
		return 0
	}
	n := float64(len(z))
	var s1, s2, s3 float64
	for _, x := range z {
		s1 += max(-6, min(6, x)) / n
	}
	for _, x := range z {
		d := max(-6, min(6, x)) - s1
		s2 += d * d / n
		s3 += d * d * d / n
	}
	if s2 == 0 {
		return 0
	}
	skew := s3 / math.Pow(s2, 1.5)
	if math.Abs(skew) < 2*math.Sqrt(6/n) {
		return 0
	}
	return max(-2, min(2, skew))
}

// tails are the Student distributions considered, each with the scale at which
// its clipped square has the same mean as a normal score's.
var tails = [...]struct{ nu, scale float64 }{
	{20, 0.9578}, {10, 0.9162}, {6, 0.8617}, {4, 0.7957}, {3, 0.7324},
}

// tailOf chooses the degrees of freedom by likelihood, normal unless another is
// clearly better.
func tailOf(z []float64) (nu, scale float64) {
	far := 0.0
	for _, x := range z {
		far = max(far, math.Abs(x))
	}
	nu, scale = math.Inf(1), 1
	if far < 3 {
		return nu, scale
	}
	best := 2.0 // what a heavy tail must gain in log-likelihood
	for _, x := range z {
		best -= 0.5*x*x + 0.5*math.Log(2*math.Pi)
	}
	for _, t := range tails {
		a, _ := math.Lgamma((t.nu + 1) / 2)
		b, _ := math.Lgamma(t.nu / 2)
		ll := float64(len(z)) * (a - b - 0.5*math.Log(t.nu*math.Pi) - math.Log(t.scale))
		for _, x := range z {
			ll -= (t.nu + 1) / 2 * math.Log1p(x*x/(t.nu*t.scale*t.scale))
		}
		if ll > best {
			best, nu, scale = ll, t.nu, t.scale
		}
	}
	return nu, scale
}

// memoryWindow is the number of neighbours on each side whose average is taken
// out before memory is measured, lest a change of level look like memory.
const memoryWindow = 20

// memoryOf is the factor by which autocorrelation inflates the variance of sums
// (Newey and West 1987, or that of a first-order process if larger), 1 when
// neither the first nor the summed lags differ from chance by gate errors.
func memoryOf(z []float64, gate float64) float64 {
	x := detrend(z)
	n := len(x)
	lags := min(n/5, 10)
	c0 := 0.0
	for _, v := range x {
		c0 += v * v
	}
	if c0 == 0 {
		return 1
	}
	sum, noise, first := 0.0, 0.0, 0.0
	for k := 1; k <= lags; k++ {
		c := 0.0
		for i := k; i < n; i++ {
			c += x[i] * x[i-k]
		}
		w := 1 - float64(k)/float64(lags+1)
		sum += w * c / c0
		noise += w * w / float64(n)
		if k == 1 {
			first = c / c0
		}
	}
	nn := float64(n)
	if first < gate/math.Sqrt(nn) && sum < (gate+0.5)*math.Sqrt(noise) {
		return 1
	}
	// Kendall's bias, for as many values as share one average.
	rho := min(0.97, max(0, first+(1+3*max(first, 0))/min(nn, 2*memoryWindow+1)))
	return min(50, max(1, 1+2*sum, (1+rho)/(1-rho)))
}

// detrend takes the average of the neighbourhood out of each value.
func detrend(z []float64) []float64 {
	sums := make([]float64, len(z)+1)
	for i, v := range z {
		sums[i+1] = sums[i] + v
	}
	out := make([]float64, len(z))
	for i, v := range z {
		lo, hi := max(0, i-memoryWindow), min(len(z), i+memoryWindow+1)
		out[i] = v - (sums[hi]-sums[lo])/float64(hi-lo)
	}
	return out
}

// normalise turns a residual in standard deviations into a normal score, taking
// out the skewness of the count behind it (Wilson and Hilferty 1931) and the
// heavy tail of the series (Wallace 1959).
func (m *model) normalise(z, skew float64) float64 {
	z = unskew(z, skew)
	if !math.IsInf(m.tail, 1) {
		nu := m.tail
		z /= m.narrow
		z = math.Copysign((8*nu+1)/(8*nu+3)*math.Sqrt(nu*math.Log1p(z*z/nu)), z)
	}
	return max(-12, min(12, z))
}

// unskew maps a standardised gamma variable of this skewness to a normal score.
func unskew(z, skew float64) float64 {
	u := z * skew / 2
	if u > -0.2 && u < 0.2 {
		// The cube root's expansion, good to 0.01 and much faster.
		return z - skew*(z*z-1)/6 + skew*skew*z*z*z*(5.0/108)
	}
	if skew < 0 {
		return -unskew(-z, -skew)
	}
	a := 4 / (skew * skew)
	g := max(0, 1+u)
	return 3 * math.Sqrt(a) * (math.Cbrt(g) - 1 + 1/(9*a))
}

// medianMAD returns the median and the scaled median absolute deviation; it
// reorders its argument.
func medianMAD(xs []float64) (median, mad float64) {
	slices.Sort(xs)
	median = middle(xs)
	for i, x := range xs {
		xs[i] = math.Abs(x - median)
	}
	slices.Sort(xs)
	return median, 1.482602218505602 * middle(xs)
}

func middle(s []float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// memoryGate is how many standard errors the first autocorrelation must reach to
// be believed: readings usually have memory, answers of different customers less.
func (m *model) memoryGate() float64 {
	if m.sampled() {
		return 2
	}
	return 1.5
}
