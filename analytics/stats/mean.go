package stats

import "math"

// Moments are the sufficient statistics of a mean: how many values, their sum
// and the sum of their squares. They add up over partitions.
type Moments struct {
	N     int64
	Sum   float64
	SumSq float64
}

// MomentsOf sums raw values.
func MomentsOf(xs []float64) Moments {
	var m Moments
	for _, x := range xs {
		m.Push(x)
	}
	return m
}

// Push adds one value.
func (m *Moments) Push(x float64) {
	m.N++
	m.Sum += x
	m.SumSq += x * x
}

// Add returns the moments of two groups together.
func (m Moments) Add(o Moments) Moments {
	return Moments{m.N + o.N, m.Sum + o.Sum, m.SumSq + o.SumSq}
}

// Mean is the average; NaN without values.
func (m Moments) Mean() float64 { return m.Sum / float64(m.N) }

// Variance is the sample variance with divisor N−1; NaN below two values.
func (m Moments) Variance() float64 {
	if m.N < 2 {
		return math.NaN()
	}
	n := float64(m.N)
	return math.Max(0, (m.SumSq-m.Sum*m.Sum/n)/(n-1))
}

// Mean estimates the mean of m with Student's t interval.
func Mean(m Moments, level float64) Estimate {
	level = checkLevel(level)
	n := float64(m.N)
	if m.N < 1 {
		return unknown(m.N, n, level, "t")
	}
	e := Estimate{Value: m.Mean(), Low: math.NaN(), High: math.NaN(), N: m.N, NEff: n, Level: level, Method: "t"}
	if m.N >= 2 {
		h := tFor(level, n-1) * math.Sqrt(m.Variance()/n)
		e.Low, e.High = e.Value-h, e.Value+h
	}
	return e
}

// ScaleMean estimates the mean of answers on a bounded scale bottom..top, such as
// satisfaction from 1 to 5. It maps the scale to 0..1 and uses Wilson's
// interval with the number of yes/no answers that would be as informative,
// n·m(1−m)/s², and Student's quantile: the ends respect the scale, and there is
// an interval even when all answers agree (each answer then counts as one
// yes/no answer, the most cautious choice). Requires bottom < top.
func ScaleMean(m Moments, bottom, top, level float64) Estimate {
	level = checkLevel(level)
	if m.N < 1 {
		return unknown(m.N, 0, level, "scale-wilson")
	}
	width := top - bottom
	mean, n := m.Mean(), float64(m.N)
	low, high := scaleEnds((mean-bottom)/width, m.Variance()/n/(width*width), n, level)
	return Estimate{Value: mean, Low: bottom + width*low, High: bottom + width*high,
		N: m.N, NEff: n, Level: level, Method: "scale-wilson"}
}

// scaleEnds works on 0..1: mean p, variance of that mean v, n effective answers.
func scaleEnds(p, v, n, level float64) (low, high float64) {
	p = math.Min(1, math.Max(0, p))
	informative := p * (1 - p) / v
	if !(informative > 0) || math.IsInf(informative, 0) {
		informative = n
	}
	q := zFor(level)
	if n >= 2 {
		q = tFor(level, n-1)
	}
	return wilsonEnds(p, informative, q)
}
