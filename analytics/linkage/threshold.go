package linkage

import (
	"math"
	"slices"
)

// bestThreshold is the probability at which the expected F1 of the scored pairs
// is highest. It needs no labels: at a threshold the expected true pairs are the
// sum of the probabilities above it, and all true pairs the sum of all.
func bestThreshold(edges []edge) (threshold, f1 float64) {
	if len(edges) == 0 {
		return 0.5, 0
	}
	p := make([]float64, len(edges))
	var all float64
	for i, e := range edges {
		p[i] = chance(float64(e.bits))
		all += p[i]
	}
	slices.Sort(p)
	slices.Reverse(p)
	threshold = 0.5
	var hit float64
	for i, x := range p {
		hit += x
		f := 2 * hit / (float64(i+1) + all)
		if f <= f1 {
			continue
		}
		// every cut between this pair and the next does the same: the middle of
		// the scale is the one that new records will find most reasonable
		next := 0.0
		if i+1 < len(p) {
			next = p[i+1]
		}
		f1, threshold = f, min(max(0.5, next+(x-next)/2), x)
		if next < 0.5 && x > 0.5 {
			threshold = 0.5
		}
	}
	return min(max(threshold, 0.05), 0.95), f1
}

// Label is a steward's answer about two records.
type Label struct {
	Probability float64 // what the model said
	Same        bool    // what the steward said
}

// Calibration corrects the model's probabilities by answers: on the scale of
// log2 odds, corrected = Slope × model + Shift.
type Calibration struct {
	Slope float64 `json:"slope"`
	Shift float64 `json:"shift"`
	N     int     `json:"n"` // answers it rests on
}

// Calibrate fits a calibration to answers (logistic regression on the log odds,
// Platt 1999). A prior worth ten answers holds it at no correction, so that a few
// answers move it a little and many decide it.
func Calibrate(labels []Label) Calibration {
	c := Calibration{Slope: 1, N: len(labels)}
	const ridge = 0.1 // precision of the prior, in units of the logistic loss
	// Newton's method on two parameters
	a, b := 1.0, 0.0
	for range 50 {
		ga, gb := ridge*100*(a-1), ridge*b
		haa, hab, hbb := ridge*100, 0.0, ridge
		for _, l := range labels {
			x := min(max(bitsOf(l.Probability), -30), 30) * math.Ln2
			p := 1 / (1 + math.Exp(-(a*x + b)))
			y := 0.0
			if l.Same {
				y = 1
			}
			ga += (p - y) * x
			gb += p - y
			w := p * (1 - p)
			haa += w * x * x
			hab += w * x
			hbb += w
		}
		det := haa*hbb - hab*hab
		if det < 1e-12 {
			break
		}
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		step := min(1, 2/max(math.Abs(da), math.Abs(db), 1e-9))
		a, b = max(a-step*da, 0.05), b-step*db
		if math.Abs(da)+math.Abs(db) < 1e-9 {
			break
		}
	}
	c.Slope, c.Shift = a, b/math.Ln2
	return c
}

// Apply corrects a probability.
func (c Calibration) Apply(p float64) float64 {
	if c.Slope == 0 {
		return p
	}
	return chance(c.Slope*bitsOf(p) + c.Shift)
}

// Invert gives the probability that Apply corrects to p.
func (c Calibration) Invert(p float64) float64 {
	if c.Slope == 0 {
		return p
	}
	return chance((bitsOf(p) - c.Shift) / c.Slope)
}
