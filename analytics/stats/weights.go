package stats

import "math"

// WeightSum is what a weighted count needs: how many answers, the sum of their
// weights and the sum of the squared weights.
type WeightSum struct {
	N  int64
	W  float64
	WW float64
}

// Push adds an answer of weight w.
func (s *WeightSum) Push(w float64) {
	s.N++
	s.W += w
	s.WW += w * w
}

// Add returns two sums together.
func (s WeightSum) Add(o WeightSum) WeightSum {
	return WeightSum{s.N + o.N, s.W + o.W, s.WW + o.WW}
}

// Kish is the effective number of answers (Σw)²/Σw² (Kish 1965): what is left
// of N after unequal weighting; 0 without answers.
func (s WeightSum) Kish() float64 {
	if s.WW == 0 {
		return 0
	}
	return s.W * s.W / s.WW
}

// Kish is the effective number of answers of a list of weights.
func Kish(weights []float64) float64 {
	var s WeightSum
	for _, w := range weights {
		s.Push(w)
	}
	return s.Kish()
}

// WeightedNPS estimates the net promoter score in points from weighted answers.
// The effective number of answers comes from the linearised variance, so that
// weights that go with the opinion are charged; the interval is that of [NPS]
// at this number.
func WeightedNPS(promoters, passives, detractors WeightSum, level float64) Estimate {
	all := promoters.Add(passives).Add(detractors)
	if all.W <= 0 {
		return unknown(all.N, 0, checkLevel(level), "nps-score-weighted")
	}
	p, d := promoters.W/all.W, detractors.W/all.W
	m := p - d
	simple := p + d - m*m
	linear := (promoters.WW*(1-m)*(1-m) + passives.WW*m*m + detractors.WW*(1+m)*(1+m)) / (all.W * all.W)
	n := effective(simple, linear, all)
	e := npsScore(p*n, (1-p-d)*n, d*n, all.N, level)
	e.Method = "nps-score-weighted"
	return e
}

// WeightedProportion estimates a weighted share with Wilson's interval at the
// effective number of answers.
func WeightedProportion(hits, misses WeightSum, level float64) Estimate {
	all := hits.Add(misses)
	if all.W <= 0 {
		return unknown(all.N, 0, checkLevel(level), "wilson-weighted")
	}
	p := hits.W / all.W
	linear := (hits.WW*(1-p)*(1-p) + misses.WW*p*p) / (all.W * all.W)
	n := effective(p*(1-p), linear, all)
	e := wilson(p*n, n, all.N, level)
	e.Method = "wilson-weighted"
	return e
}

// effective is the number of equal answers with the same precision: the simple
// variance of one answer over the linearised variance of the mean (both carry
// the same small-sample bias, which cancels). It falls back to Kish's number when there is no variance to compare, and is never more
// than N.
func effective(simple, linear float64, s WeightSum) float64 {
	n := s.Kish()
	if simple > 0 && linear > 0 {
		n = simple / linear
	}
	return math.Min(n, float64(s.N))
}

// WeightedMoments are the sufficient statistics of a weighted mean. Each field
// is the sum over answers of the product its name spells: WWX is Σw²x.
type WeightedMoments struct {
	N             int64
	W, WX, WXX    float64
	WW, WWX, WWXX float64
}

// Push adds a value x with weight w.
func (m *WeightedMoments) Push(x, w float64) {
	m.N++
	m.W += w
	m.WX += w * x
	m.WXX += w * x * x
	m.WW += w * w
	m.WWX += w * w * x
	m.WWXX += w * w * x * x
}

// Add returns two sets of moments together.
func (m WeightedMoments) Add(o WeightedMoments) WeightedMoments {
	return WeightedMoments{N: m.N + o.N,
		W: m.W + o.W, WX: m.WX + o.WX, WXX: m.WXX + o.WXX,
		WW: m.WW + o.WW, WWX: m.WWX + o.WWX, WWXX: m.WWXX + o.WWXX}
}

// Mean is the weighted average; NaN without weight.
func (m WeightedMoments) Mean() float64 { return m.WX / m.W }

// Kish is the effective number of answers.
func (m WeightedMoments) Kish() float64 { return WeightSum{m.N, m.W, m.WW}.Kish() }

// VarMean is the linearised variance of the weighted mean,
// Σw²(x−m)²/(Σw)² · k/(k−1) with k Kish's number, so that unequal weights do
// not hide the small-sample bias.
func (m WeightedMoments) VarMean() float64 {
	mean := m.Mean()
	ss := m.WWXX - 2*mean*m.WWX + mean*mean*m.WW
	k := m.Kish()
	return math.Max(0, ss) / (m.W * m.W) * k / (k - 1)
}

// WeightedMean estimates a weighted mean with Student's t on Kish's effective
// number of answers less one.
func WeightedMean(m WeightedMoments, level float64) Estimate {
	level = checkLevel(level)
	if m.N < 1 || m.W <= 0 {
		return unknown(m.N, 0, level, "t-weighted")
	}
	k := m.Kish()
	e := Estimate{Value: m.Mean(), Low: math.NaN(), High: math.NaN(), N: m.N, NEff: k, Level: level, Method: "t-weighted"}
	if m.N >= 2 && k > 1 {
		h := tFor(level, k-1) * math.Sqrt(m.VarMean())
		e.Low, e.High = e.Value-h, e.Value+h
	}
	return e
}

// WeightedScaleMean is [ScaleMean] for weighted answers on the scale bottom..top.
func WeightedScaleMean(m WeightedMoments, bottom, top, level float64) Estimate {
	level = checkLevel(level)
	if m.N < 1 || m.W <= 0 {
		return unknown(m.N, 0, level, "scale-wilson-weighted")
	}
	width, k := top-bottom, m.Kish()
	low, high := scaleEnds((m.Mean()-bottom)/width, m.VarMean()/(width*width), k, level)
	return Estimate{Value: m.Mean(), Low: bottom + width*low, High: bottom + width*high,
		N: m.N, NEff: k, Level: level, Method: "scale-wilson-weighted"}
}
