package spc

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Limits are a centre line and its control limits for one point.
type Limits struct{ Center, Low, High float64 }

// Chart is a Shewhart chart: plotted values with their limits.
type Chart struct {
	Type   string
	Sigma  float64 // estimated standard deviation of one unit
	Values []float64
	Limits []Limits
}

// Extend judges further values by the limits learned, which must be constant.
func (c Chart) Extend(values []float64) Chart {
	out := c
	out.Values = append(append([]float64(nil), c.Values...), values...)
	out.Limits = append([]Limits(nil), c.Limits...)
	for range values {
		out.Limits = append(out.Limits, c.Limits[len(c.Limits)-1])
	}
	return out
}

func constant(kind string, sigma float64, values []float64, l Limits) Chart {
	c := Chart{Type: kind, Sigma: sigma, Values: values, Limits: make([]Limits, len(values))}
	for i := range c.Limits {
		c.Limits[i] = l
	}
	return c
}

// XmR is the chart of individual values; sigma is the mean moving range over
// d2(2) = 1.128.
func XmR(values []float64) Chart {
	mean, mr := 0.0, 0.0
	for i, v := range values {
		mean += v / float64(len(values))
		if i > 0 {
			mr += math.Abs(v-values[i-1]) / float64(len(values)-1)
		}
	}
	sigma := mr / 1.128
	return constant("xmr", sigma, values, Limits{mean, mean - 3*sigma, mean + 3*sigma})
}

// XbarR is the chart of subgroup means with sigma from the mean range. All
// subgroups must be of one size between 2 and 50.
func XbarR(groups [][]float64) Chart {
	means, ranges := make([]float64, len(groups)), make([]float64, len(groups))
	for i, g := range groups {
		means[i], ranges[i] = average(g), spread(g)
	}
	n := len(groups[0])
	d2, _ := rangeConstants(n)
	return xbar("xbar-r", means, average(ranges)/d2, n)
}

// XbarS is the chart of subgroup means with sigma from the mean standard
// deviation.
func XbarS(groups [][]float64) Chart {
	means, sds := make([]float64, len(groups)), make([]float64, len(groups))
	for i, g := range groups {
		means[i], sds[i] = average(g), deviation(g)
	}
	n := len(groups[0])
	return xbar("xbar-s", means, average(sds)/c4(n), n)
}

func xbar(kind string, means []float64, sigma float64, n int) Chart {
	m, h := average(means), 3*sigma/math.Sqrt(float64(n))
	return constant(kind, sigma, means, Limits{m, m - h, m + h})
}

// R is the chart of subgroup ranges.
func R(ranges []float64, size int) Chart {
	d2, d3 := rangeConstants(size)
	m := average(ranges)
	sigma := m / d2
	return constant("r", sigma, ranges, Limits{m, max(0, m-3*d3*sigma), m + 3*d3*sigma})
}

// S is the chart of subgroup standard deviations.
func S(deviations []float64, size int) Chart {
	m, c := average(deviations), c4(size)
	sigma := m / c
	h := 3 * sigma * math.Sqrt(1-c*c)
	return constant("s", sigma, deviations, Limits{m, max(0, m-h), m + h})
}

// P is the chart of shares hits/n.
func P(hits, n []float64) Chart { return pChart("p", hits, n, false) }

// LaneyP is the p′ chart: limits are widened by the variation between periods,
// sigma_z = mean|Δz|·√π/2 (Laney 2002). Sigma is sigma_z.
func LaneyP(hits, n []float64) Chart { return pChart("p'", hits, n, true) }

func pChart(kind string, hits, n []float64, laney bool) Chart {
	p := pooledRate(hits, n)
	return rateChart(kind, hits, n, p, math.Sqrt(p*(1-p)), 1, laney)
}

// U is the chart of events per exposure. C charts are U with exposure 1.
func U(events, exposure []float64) Chart {
	u := pooledRate(events, exposure)
	return rateChart("u", events, exposure, u, math.Sqrt(u), math.Inf(1), false)
}

// LaneyU is the u′ chart, the over-dispersed counterpart of [U].
func LaneyU(events, exposure []float64) Chart {
	u := pooledRate(events, exposure)
	return rateChart("u'", events, exposure, u, math.Sqrt(u), math.Inf(1), true)
}

func pooledRate(x, n []float64) float64 {
	if len(x) != len(n) {
		panic(fmt.Sprintf("spc: %d counts for %d sizes", len(x), len(n)))
	}
	return total(x) / total(n)
}

func rateChart(kind string, x, n []float64, center, sigma, top float64, laney bool) Chart {
	c := Chart{Type: kind, Sigma: sigma, Values: make([]float64, len(x)), Limits: make([]Limits, len(x))}
	z, moving := make([]float64, len(x)), 0.0
	for i := range x {
		c.Values[i] = x[i] / n[i]
		z[i] = (c.Values[i] - center) / (sigma / math.Sqrt(n[i]))
		if i > 0 {
			moving += math.Abs(z[i]-z[i-1]) / float64(len(x)-1)
		}
	}
	wide := 1.0
	if laney {
		wide = moving * math.Sqrt(math.Pi) / 2
		c.Sigma = wide
	}
	for i := range x {
		h := 3 * wide * sigma / math.Sqrt(n[i])
		c.Limits[i] = Limits{center, max(0, center-h), min(top, center+h)}
	}
	return c
}

// Beyond lists the points outside their limits.
func (c Chart) Beyond() []int {
	var out []int
	for i, v := range c.Values {
		if v < c.Limits[i].Low || v > c.Limits[i].High {
			out = append(out, i)
		}
	}
	return out
}

// Runs lists the points that complete or continue a run of at least length
// points on one side of the centre.
func (c Chart) Runs(length int) []int {
	var out []int
	run, side := 0, 0
	for i, v := range c.Values {
		now := 0
		if v > c.Limits[i].Center {
			now = 1
		} else if v < c.Limits[i].Center {
			now = -1
		}
		if now != 0 && now == side {
			run++
		} else {
			run, side = 1, now
		}
		if side != 0 && run >= length {
			out = append(out, i)
		}
	}
	return out
}

// WesternElectric lists the points that break one of the four zone rules of the
// Western Electric handbook (1956): one beyond 3 sigma; two of three beyond 2,
// four of five beyond 1, eight in a row, all on one side. On average they cry
// wolf once in 92 points of a chart in control.
func (c Chart) WesternElectric() []int {
	var out []int
	zs := make([]float64, len(c.Values))
	for i, v := range c.Values {
		l := c.Limits[i]
		zs[i] = 3 * (v - l.Center) / (l.High - l.Center)
		if v < l.Center {
			zs[i] = -3 * (l.Center - v) / (l.Center - l.Low)
		}
		for _, side := range []float64{1, -1} {
			if zoned(zs[:i+1], side, 1, 1, 3) || zoned(zs[:i+1], side, 2, 3, 2) ||
				zoned(zs[:i+1], side, 4, 5, 1) || zoned(zs[:i+1], side, 8, 8, 0) {
				out = append(out, i)
				break
			}
		}
	}
	return out
}

// zoned reports whether the last point and at least need of the last of points
// lie beyond the zone on one side.
func zoned(zs []float64, side float64, need, of int, zone float64) bool {
	if len(zs) < need || zs[len(zs)-1]*side <= zone {
		return false
	}
	hit := 0
	for _, z := range zs[max(0, len(zs)-of):] {
		if z*side > zone {
			hit++
		}
	}
	return hit >= need
}

// Overdispersion tests whether shares vary more than sampling explains:
// the ratio of variances, the chi-squared statistic and its upper p-value.
func Overdispersion(hits, n []float64) (ratio, statistic, p float64) {
	rate := pooledRate(hits, n)
	for i := range hits {
		d := hits[i] - n[i]*rate
		statistic += d * d / (n[i] * rate * (1 - rate))
	}
	df := float64(len(hits) - 1)
	return statistic / df, statistic, mathext.GammaIncRegComp(df/2, statistic/2)
}

// rangeConstants are the mean and standard deviation of the range of n standard
// normal values; the mean is rounded to three decimals as in published tables,
// so that charts agree with them.
func rangeConstants(n int) (d2, d3 float64) {
	const edge = 9.0
	cdf := distuv.UnitNormal.CDF
	k := float64(n)
	d2 = quad.Fixed(func(x float64) float64 {
		return 1 - math.Pow(cdf(x), k) - math.Pow(1-cdf(x), k)
	}, -edge, edge, 200, quad.Legendre{}, 0)
	square := quad.Fixed(func(y float64) float64 {
		return quad.Fixed(func(x float64) float64 {
			return 1 - math.Pow(cdf(y), k) - math.Pow(1-cdf(x), k) + math.Pow(cdf(y)-cdf(x), k)
		}, -edge, y, 100, quad.Legendre{}, 0)
	}, -edge, edge, 200, quad.Legendre{}, 0)
	return math.Round(1000*d2) / 1000, math.Sqrt(2*square - d2*d2)
}

// c4 is the mean standard deviation of n standard normal values.
func c4(n int) float64 {
	a, _ := math.Lgamma(float64(n) / 2)
	b, _ := math.Lgamma(float64(n-1) / 2)
	return math.Sqrt(2/float64(n-1)) * math.Exp(a-b)
}

func total(xs []float64) float64 {
	t := 0.0
	for _, x := range xs {
		t += x
	}
	return t
}

func average(xs []float64) float64 { return total(xs) / float64(len(xs)) }

func spread(xs []float64) float64 {
	lo, hi := xs[0], xs[0]
	for _, x := range xs {
		lo, hi = min(lo, x), max(hi, x)
	}
	return hi - lo
}

func deviation(xs []float64) float64 {
	m, ss := average(xs), 0.0
	for _, x := range xs {
		ss += (x - m) * (x - m)
	}
	return math.Sqrt(ss / float64(len(xs)-1))
}
