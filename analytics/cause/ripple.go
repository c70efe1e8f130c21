package cause

import "math"

// fit is what a cause does to its leaves. For scores: their centre and spread,
// where a spread of zero means that they keep the spread of noise. For sums: the
// logarithm of the factor and the root of the dispersion.
type fit struct {
	centre, spread float64
}

// ripple weighs attribute combinations by the scores of their leaves: all of one
// cause share one score, up to a spread, save a few that something else moved.
type ripple struct {
	noise     Noise
	dev       []float64
	sigma     []float64
	log0, p0  []float64 // density under noise
	minEffect float64
}

// spreadsTried are the spreads of scores within a cause. Each costs ln of their
// number.
var spreadsTried = [...]float64{0, 0.01, 0.03, 0.06, 0.12, 0.25, 0.5}

// strays is the share of a cause's leaves that may have stayed as they were, or
// have been moved anywhere by something else.
const strays = 0.05

// scoreRange is the length of the interval scores lie in: a cause's centre is a
// priori anywhere in it.
const scoreRange = 4.0

// weigh gives the evidence in nats that the leaves, in the order of scores,
// share one cause, against noise, be it quieter here than elsewhere; −Inf when
// they do not look like sharing one.
func (m *ripple) weigh(leaves []int32) (float64, fit) {
	n := len(leaves)
	none := math.Inf(-1)
	if n == 0 {
		return none, fit{}
	}
	mid := (m.dev[leaves[(n-1)/2]] + m.dev[leaves[n/2]]) / 2
	if !m.matters(mid) || !m.leans(leaves) {
		return none, fit{}
	}
	best, bestFit := none, fit{}
	wide := m.scatter(leaves, mid)
	for _, spread := range spreadsTried {
		if spread > 0 && (spread < wide/3 || spread > 3*wide) {
			continue // far from how the leaves scatter
		}
		g, f := m.weighSpread(leaves, mid, spread)
		if g > best && m.matters(f.centre) && math.Abs(f.centre-m.noise.Centre) >= spread {
			best, bestFit = g, f
		}
	}
	if n > 1 {
		best -= math.Log(float64(len(spreadsTried)))
	}
	if best <= 0 {
		return none, fit{}
	}
	return best - m.still(leaves, bestFit), bestFit
}

// scatter is the median distance of the scores from their median, between the
// least and the greatest spread tried.
func (m *ripple) scatter(leaves []int32, mid float64) float64 {
	// Scores ascend: the nearest half is a window that grows around the median.
	low, high := (len(leaves)-1)/2, len(leaves)/2
	reach := 0.0
	for high-low+1 < len(leaves)/2+1 {
		down, up := math.Inf(1), math.Inf(1)
		if low > 0 {
			down = mid - m.dev[leaves[low-1]]
		}
		if high < len(leaves)-1 {
			up = m.dev[leaves[high+1]] - mid
		}
		if reach = min(down, up); down <= up {
			low--
		} else {
			high++
		}
	}
	return max(spreadsTried[1], min(spreadsTried[len(spreadsTried)-1], madScale*reach))
}

// still is the best gain of saying that nothing happened to the leaves but that
// they have less noise than others. Far from the centre of noise it is nothing.
func (m *ripple) still(leaves []int32, f fit) float64 {
	best := 0.0
	if len(leaves) < 2 || math.Abs(f.centre-m.noise.Centre) > 4*m.noise.Spread {
		return best
	}
	for _, spread := range spreadsTried {
		if spread > 0 && spread < m.noise.Spread {
			best = max(best, m.quiet(leaves, spread))
		}
	}
	return best
}

// matters tells whether a score is a change worth naming.
func (m *ripple) matters(d float64) bool {
	return math.Abs(d) >= m.minEffect && math.Abs(d-m.noise.Centre) >= m.minEffect
}

// leans is a quick look: are the scores on one side more than by chance?
func (m *ripple) leans(leaves []int32) bool {
	sum := 0.0
	for _, i := range leaves {
		sum += max(-3, min(3, (m.dev[i]-m.noise.Centre)/m.sigma[i]))
	}
	return sum*sum > 4*float64(len(leaves))
}

// weighSpread improves the centre from a start and integrates it out (Laplace).
func (m *ripple) weighSpread(leaves []int32, centre, spread float64) (float64, fit) {
	precision := 0.0
	for range 2 {
		sum := 0.0
		precision = 0
		for _, i := range leaves {
			sd := spread
			if sd == 0 {
				sd = m.sigma[i]
			}
			z := (m.dev[i] - centre) / sd
			p := (1 - strays) / sd * math.Exp(-0.5*z*z-halfLn2Pi)
			w := p / (p + strays*(m.p0[i]+1/scoreRange)/2) / (sd * sd)
			sum += w * m.dev[i]
			precision += w
		}
		if precision == 0 {
			return math.Inf(-1), fit{}
		}
		centre = sum / precision
	}
	f := fit{centre, spread}
	occam := min(0, halfLn2Pi-0.5*math.Log(precision)-math.Log(scoreRange))
	return m.gain(leaves, f) + occam, f
}

// gain is the log likelihood of the leaves under a fit less that under noise.
func (m *ripple) gain(leaves []int32, f fit) float64 {
	g := 0.0
	for _, i := range leaves {
		sd := f.spread
		if sd == 0 {
			sd = m.sigma[i]
		}
		z := (m.dev[i] - f.centre) / sd
		g += math.Log((1-strays)/sd*math.Exp(-0.5*z*z-halfLn2Pi)+strays*(m.p0[i]+1/scoreRange)/2) - m.log0[i]
	}
	return g
}

// quiet is the gain of saying that the leaves have no cause but less noise than
// others.
func (m *ripple) quiet(leaves []int32, spread float64) float64 {
	g := 0.0
	for _, i := range leaves {
		z := (m.dev[i] - m.noise.Centre) / spread
		g += math.Log((1-strays)/spread*math.Exp(-0.5*z*z-halfLn2Pi)+strays*m.p0[i]) - m.log0[i]
	}
	return g
}

// factor turns a score into actual over expected.
func (m *ripple) factor(f fit) float64 {
	if f.centre <= -2 {
		return math.Inf(1)
	}
	return math.Max(0, (2-f.centre)/(2+f.centre))
}

func (m *ripple) beside(f found, _ fit) float64 { return f.net + f.cost }
