package model

import "math"

// calibration turns margins into probabilities: a softmax of sharpened
// margins, after which the probability p of the leading label is corrected on
// the log-odds scale, logit p' = Offset + Slope·logit p, and the others share
// what remains.
type calibration struct {
	Sharpness float32
	Offset    float32
	Slope     float32
	// Second is the margin above which further labels than the leading one are
	// given; +Inf when training saw one label a text.
	Second float32
}

// uncalibrated is used when there was no cross-fitting.
var uncalibrated = calibration{Sharpness: 3, Slope: 1, Second: float32(math.Inf(1))}

// maxLogit bounds probabilities to what a few thousand texts can support.
const maxLogit = 9

// probabilities writes the softmax of the margins to dst and returns the
// leading label.
func (c *calibration) probabilities(dst, margins []float32) int {
	top := 0
	for k, m := range margins {
		if m > margins[top] {
			top = k
		}
	}
	rest := float32(0)
	for k, m := range margins {
		dst[k] = exp32(c.Sharpness * (m - margins[top]))
		if k != top {
			rest += dst[k]
		}
	}
	p := c.leading(rest)
	for k := range dst {
		switch {
		case rest > 0:
			dst[k] *= (1 - p) / rest
		default:
			dst[k] = (1 - p) / float32(len(dst)-1)
		}
	}
	dst[top] = p
	return top
}

// leading corrects the probability 1/(1+rest) of the leading label.
func (c *calibration) leading(rest float32) float32 {
	x := -math.Log(math.Max(float64(rest), 1e-9))
	x = float64(c.Offset) + float64(c.Slope)*x
	x = math.Max(-maxLogit, math.Min(maxLogit, x))
	return float32(1 / (1 + math.Exp(-x)))
}

// exp32 is zero where the result would not matter.
func exp32(x float32) float32 {
	if x < -25 {
		return 0
	}
	return float32(math.Exp(float64(x)))
}

// fitSharpness minimises the softmax loss on margins of unseen texts.
func fitSharpness(margins [][]float32, target [][]int32) float32 {
	return float32(math.Exp(goldenMinimum(func(logSharpness float64) float64 {
		return softmaxLoss(margins, target, math.Exp(logSharpness))
	}, math.Log(0.2), math.Log(50))))
}

// softmaxLoss is the mean negative log-likelihood of the true labels.
func softmaxLoss(margins [][]float32, target [][]int32, sharpness float64) float64 {
	loss := 0.0
	for i, m := range margins {
		top := maxOf(m)
		sum, hit := 0.0, 0.0
		for _, v := range m {
			sum += math.Exp(sharpness * float64(v-top))
		}
		for _, k := range target[i] {
			hit += math.Exp(sharpness * float64(m[k]-top))
		}
		loss -= math.Log(math.Max(hit/sum, 1e-12))
	}
	return loss / float64(max(1, len(margins)))
}

func maxOf(values []float32) float32 {
	top := values[0]
	for _, v := range values {
		top = max(top, v)
	}
	return top
}

// fitLeading fits Offset and Slope by logistic regression of "the leading
// label is right" on its log-odds, with a weak pull to the identity. Each text
// counts with its weight.
func (c *calibration) fitLeading(margins [][]float32, target [][]int32, weight []float64) {
	const pull = 2.0
	x := make([]float64, len(margins))
	y := make([]float64, len(margins))
	for i, m := range margins {
		top, sum := 0, 0.0
		for k := range m {
			if m[k] > m[top] {
				top = k
			}
		}
		for _, v := range m {
			sum += float64(exp32(c.Sharpness * (v - m[top])))
		}
		x[i] = math.Min(maxLogit, -math.Log(math.Max(sum-1, 1e-9)))
		for _, k := range target[i] {
			if int(k) == top {
				y[i] = 1
			}
		}
	}
	a, b := 0.0, 1.0
	for range 50 {
		g0, g1 := pull*a, pull*(b-1)
		h00, h01, h11 := pull, 0.0, pull
		for i := range x {
			p := 1 / (1 + math.Exp(-(a + b*x[i])))
			r, w := weight[i]*(p-y[i]), weight[i]*p*(1-p)
			g0 += r
			g1 += r * x[i]
			h00 += w
			h01 += w * x[i]
			h11 += w * x[i] * x[i]
		}
		det := h00*h11 - h01*h01
		da, db := (h11*g0-h01*g1)/det, (h00*g1-h01*g0)/det
		a, b = a-da, math.Max(0.05, b-db)
		if math.Abs(da)+math.Abs(db) < 1e-9 {
			break
		}
	}
	c.Offset, c.Slope = float32(a), float32(b)
}

// secondMargin finds the margin for further labels that makes most label sets
// right, or +Inf when no text has two labels or none gains.
func secondMargin(margins [][]float32, target [][]int32) float32 {
	best, bestHits := float32(math.Inf(1)), exactHits(margins, target, float32(math.Inf(1)))
	for step := -10; step <= 20; step++ {
		margin := float32(step) * 0.1
		if hits := exactHits(margins, target, margin); hits > bestHits {
			best, bestHits = margin, hits
		}
	}
	return best
}

// exactHits counts the texts whose label set is right.
func exactHits(margins [][]float32, target [][]int32, second float32) int {
	hits := 0
	for i, m := range margins {
		top := maxOf(m)
		given, right := 0, 0
		for k, v := range m {
			if v == top || v > second {
				given++
				for _, l := range target[i] {
					if int(l) == k {
						right++
					}
				}
			}
		}
		if given == right && right == len(target[i]) {
			hits++
		}
	}
	return hits
}

// goldenMinimum finds a minimum of f between a and b by golden-section search.
func goldenMinimum(f func(float64) float64, a, b float64) float64 {
	const ratio = 0.6180339887498949
	c, d := b-ratio*(b-a), a+ratio*(b-a)
	fc, fd := f(c), f(d)
	for b-a > 1e-3 {
		if fc < fd {
			b, d, fd = d, c, fc
			c = b - ratio*(b-a)
			fc = f(c)
		} else {
			a, c, fc = c, d, fd
			d = a + ratio*(b-a)
			fd = f(d)
		}
	}
	return (a + b) / 2
}
