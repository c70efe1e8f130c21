package cause

import (
	"cmp"
	"math"
	"slices"
)

// Deviation is the deviation score of a leaf, 2(f−v)/(|f|+|v|), between −2 and 2:
// above zero where less came than was expected. A cause that multiplies all its
// leaves by one factor gives all of them one score, for sums and for ratios
// alike (the generalised ripple effect). Zero when both are zero.
func Deviation(actual, expected float64) float64 {
	s := math.Abs(actual) + math.Abs(expected)
	if s == 0 {
		return 0
	}
	return 2 * (expected/s - actual/s)
}

const (
	madScale   = 1.482602218505602
	leastNoise = 1e-3 // of a score; exact forecasts have at least this much
	halfLn2Pi  = 0.9189385332046727
)

// Noise is what the scores of leaves without a cause look like: around a centre,
// with a spread that may fall with the leaf's size, and perhaps a wide minority.
// Relative errors may be normal as shares of what was expected, which makes the
// scores lean to the side of too little, or now of one and now of the other.
type Noise struct {
	Centre float64 // of the scores; 0 when forecasts are unbiased
	Spread float64 // typical standard deviation of the scores
	Wide   float64 // share of leaves with the wide spread, 0 to 0.3
	Factor float64 // wide spread over the ordinary one
	Base   float64 // share of errors relative to what was expected: 1 or ½
}

// noise learns the noise from the side of the centre that causes disturb less.
// sigma is for each leaf, logp its log density under noise.
func (t *Table) noise(order []int32, dev []float64) (n Noise, sigma, logp []float64) {
	side := newSide(order, dev)
	sigma = t.spreads(order, dev, side)
	n = Noise{Centre: side.centre, Factor: 1, Base: 0.5}
	scale := n.fitTail(order, dev, sigma, side)
	typical := make([]float64, 0, len(order))
	for _, i := range order {
		sigma[i] = max(sigma[i]*scale, leastNoise)
		typical = append(typical, sigma[i])
	}
	n.Spread = median(typical)
	logp = make([]float64, len(dev))
	for _, i := range order {
		logp[i] = n.logDensity(dev[i], sigma[i])
	}
	return n, sigma, logp
}

// stray is the density of a score that could be anywhere between −2 and 2. Where
// the clean half shows a wide minority, tails are heavy, and a lone leaf far out
// proves less.
func (n Noise) stray() float64 {
	heavy := min(1, max(0, (n.Factor-1.5)/1.5))
	return (1e-8 + 1e-3*n.Wide*heavy) / scoreRange
}

// logDensity of a score under noise.
func (n Noise) logDensity(d, sigma float64) float64 {
	d = min(1.999999, max(-1.999999, d-n.Centre))
	p := n.Base * n.normal(-2*d/(2+d)/sigma) * 4 / ((2 + d) * (2 + d))
	if n.Base < 1 {
		p += (1 - n.Base) * n.normal(2*d/(2-d)/sigma) * 4 / ((2 - d) * (2 - d))
	}
	return math.Log(p/sigma + n.stray())
}

// normal is the density of an error in units of the ordinary spread.
func (n Noise) normal(z float64) float64 {
	p := (1 - n.Wide) * math.Exp(-0.5*z*z-halfLn2Pi)
	if n.Wide > 0 {
		w := z / n.Factor
		p += n.Wide / n.Factor * math.Exp(-0.5*w*w-halfLn2Pi)
	}
	return p
}

// side is the half of the scores that noise is learned from.
type side struct {
	centre, sign, scale float64
}

func (s side) holds(d float64) bool { return s.sign*(d-s.centre) >= 0 }

// mostBias is the farthest from zero that scores without a cause may centre.
const mostBias = 0.1

// newSide starts at zero, where scores without a cause belong, climbs to the
// nearest peak of their density, and takes the half with less spread. order is
// by ascending score.
func newSide(order []int32, dev []float64) side {
	zero := halfAt(0, order, dev)
	s := zero
	for range 25 {
		h := 1.5 * max(s.scale, leastNoise)
		var sum, weight float64
		for _, i := range order {
			if u := (dev[i] - s.centre) / h; u > -1 && u < 1 {
				w := (1 - u*u) * (1 - u*u)
				sum += w * dev[i]
				weight += w
			}
		}
		if weight == 0 {
			break
		}
		next := halfAt(sum/weight, order, dev)
		done := math.Abs(next.centre-s.centre) < 0.01*max(s.scale, leastNoise)
		s = next
		if math.Abs(s.centre) > mostBias {
			return zero
		}
		if done {
			break
		}
	}
	return s
}

// halfAt measures both halves around a centre. A half with few scores is not
// believed.
func halfAt(centre float64, order []int32, dev []float64) side {
	at, _ := slices.BinarySearchFunc(order, centre, func(i int32, c float64) int { return cmp.Compare(dev[i], c) })
	above, _ := slices.BinarySearchFunc(order, math.Nextafter(centre, 3), func(i int32, c float64) int { return cmp.Compare(dev[i], c) })
	low, high := order[:above], order[at:]
	least := max(5, len(order)/20)
	s := side{centre: centre, sign: 1, scale: math.Inf(1)}
	if len(high) >= least {
		s.scale = madScale * (dev[high[len(high)/2]] - centre)
	}
	if len(low) >= least {
		if scale := madScale * (centre - dev[low[(len(low)-1)/2]]); scale < s.scale {
			s.sign, s.scale = -1, scale
		}
	}
	if math.IsInf(s.scale, 1) {
		s.scale = 0
	}
	return s
}

// spreads gives each leaf a spread by its size: large leaves are forecast at
// least as well as small ones.
func (t *Table) spreads(order []int32, dev []float64, s side) []float64 {
	const perBin = 200
	bySize := slices.Clone(order)
	size := func(i int32) float64 { return max(math.Abs(t.actual[i]), math.Abs(t.expected[i])) }
	slices.SortFunc(bySize, func(a, b int32) int {
		return cmp.Or(cmp.Compare(size(a), size(b)), cmp.Compare(dev[a], dev[b]), cmp.Compare(a, b))
	})
	bins := max(1, min(12, len(order)/perBin))
	value, weight := make([]float64, bins), make([]float64, bins)
	var half []float64
	for b := range bins {
		half = half[:0]
		for _, i := range bySize[b*len(bySize)/bins : (b+1)*len(bySize)/bins] {
			if s.holds(dev[i]) {
				half = append(half, math.Abs(dev[i]-s.centre))
			}
		}
		weight[b] = float64(len(half)) + 1e-9
		value[b] = s.scale
		if len(half) >= 10 {
			value[b] = madScale * median(half)
		}
	}
	falling(value, weight)
	sigma := make([]float64, len(dev))
	for b := range bins {
		for _, i := range bySize[b*len(bySize)/bins : (b+1)*len(bySize)/bins] {
			sigma[i] = max(value[b], leastNoise)
		}
	}
	return sigma
}

// falling makes values non-increasing by pooling adjacent violators.
func falling(value, weight []float64) {
	for i := range value {
		value[i] = -value[i]
	}
	copy(value, Isotonic(value, weight))
	for i := range value {
		value[i] = -value[i]
	}
}

// fitTail chooses what errors are relative to and fits two spreads to the clean
// half; it gives the factor by which the ordinary spread changes.
func (n *Noise) fitTail(order []int32, dev, sigma []float64, s side) float64 {
	var clean []int32
	for _, i := range order {
		if s.holds(dev[i]) {
			clean = append(clean, i)
		}
	}
	if len(clean) < 20 {
		return 1
	}
	best, bestScale, bestFit := *n, 1.0, math.Inf(-1)
	for _, base := range []float64{0.5, 1} {
		z2 := make([]float64, len(clean))
		for k, i := range clean {
			d := min(1.999999, max(-1.999999, dev[i]-s.centre))
			// Errors relative to either are scores in first order.
			e := d / (1 + (base-0.5)*d)
			z2[k] = e * e / (sigma[i] * sigma[i])
		}
		try := Noise{Centre: n.Centre, Base: base}
		scale := try.fitWide(z2)
		fit := 0.0
		for _, i := range clean {
			fit += try.logDensity(dev[i], max(sigma[i]*scale, leastNoise))
		}
		if base != 0.5 {
			fit -= 2
		}
		if fit > bestFit {
			best, bestScale, bestFit = try, scale, fit
		}
	}
	*n = best
	return bestScale
}

// fitWide fits two spreads by expectation–maximisation to squared errors and
// gives the ordinary one.
func (n *Noise) fitWide(z2 []float64) float64 {
	w, a, b := 0.05, 1.0, 9.0 // share and variances
	for range 40 {
		var rw, ra, rb float64
		ca, cb, ka, kb := (1-w)/math.Sqrt(a), w/math.Sqrt(b), -0.5/a, -0.5/b
		for _, z := range z2 {
			pa, pb := ca*math.Exp(z*ka), cb*math.Exp(z*kb)
			r := pb / (pa + pb + 1e-300)
			rw += r
			rb += r * z
			ra += (1 - r) * z
		}
		before := w
		w = min(0.3, max(1e-4, rw/float64(len(z2))))
		a = max(0.25, ra/(float64(len(z2))-rw+1e-9))
		b = min(400*a, max(2*a, rb/(rw+1e-9)))
		if math.Abs(w-before) < 1e-6 {
			break
		}
	}
	n.Wide, n.Factor = w, math.Sqrt(b/a)
	return math.Sqrt(a)
}

// median of values, which it reorders; NaN without values.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	slices.Sort(xs)
	return (xs[(len(xs)-1)/2] + xs[len(xs)/2]) / 2
}
