package cause

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"omote/analytics/stats"
)

// Indicator is a series that may run ahead of a target.
type Indicator struct {
	Name   string
	Values []float64 // as many as the target has, by period
}

// LeadingOptions of [LeadingIndicators]. Zero values select the defaults.
type LeadingOptions struct {
	MaxLag int     // farthest lead tried, default 6 periods
	Own    int     // the target's own past periods in the baseline, default 2
	Train  float64 // share of periods for choosing the lead, default 0.6
}

// Lead is what an indicator adds to a forecast of the target.
type Lead struct {
	Name     string
	Lag      int     // periods by which it runs ahead, chosen on the training periods
	Gain     float64 // share by which the out-of-time squared error falls; below zero when it rises
	PValue   float64 // Clark–West test of no gain
	Adjusted float64 // p-value adjusted for all indicators (Benjamini–Hochberg)
	Coef     float64 // of the indicator, on all periods
	Tested   int     // periods forecast
}

// ErrLeading says that leading indicators cannot be judged.
var ErrLeading = errors.New("cause: cannot judge leading indicators")

// LeadingIndicators tells which series help to forecast the target beyond its
// own past. For each, the lead is chosen on the first periods only; then every
// later period is forecast from what was known before it, with and without the
// indicator, and the squared errors are compared by the test of Clark and West
// (2007), which allows for the noise that an idle predictor adds. P-values are
// adjusted for the number of indicators. Answers keep the order of candidates.
func LeadingIndicators(target []float64, candidates []Indicator, opt LeadingOptions) ([]Lead, error) {
	if opt.MaxLag == 0 {
		opt.MaxLag = 6
	}
	if opt.Own == 0 {
		opt.Own = 2
	}
	if opt.Train == 0 {
		opt.Train = 0.6
	}
	first := max(opt.MaxLag, opt.Own)
	split := int(opt.Train * float64(len(target)))
	if opt.MaxLag < 1 || opt.Own < 0 || split-first < opt.Own+8 || len(target)-split < 8 {
		return nil, fmt.Errorf("%w: %d periods for leads up to %d", ErrLeading, len(target), opt.MaxLag)
	}
	for _, v := range target {
		if !finite(v) {
			return nil, fmt.Errorf("%w: the target has a value that is not finite", ErrLeading)
		}
	}
	out := make([]Lead, len(candidates))
	p := make([]float64, len(candidates))
	for k, c := range candidates {
		if len(c.Values) != len(target) {
			return nil, fmt.Errorf("%w: %s has %d values, the target %d", ErrLeading, c.Name, len(c.Values), len(target))
		}
		for _, v := range c.Values {
			if !finite(v) {
				return nil, fmt.Errorf("%w: %s has a value that is not finite", ErrLeading, c.Name)
			}
		}
		s := leadSeries{target, c.Values, opt.Own, first}
		out[k] = s.judge(c.Name, opt.MaxLag, split)
		p[k] = out[k].PValue
	}
	for k, q := range stats.BenjaminiHochberg(p) {
		out[k].Adjusted = q
	}
	return out, nil
}

type leadSeries struct {
	y, x  []float64
	own   int
	first int // period forecast first
}

func (s leadSeries) judge(name string, maxLag, split int) Lead {
	l := Lead{Name: name, PValue: 1}
	best := math.Inf(1)
	for lag := 1; lag <= maxLag; lag++ {
		if coef, err := s.fit(lag, split); err == nil {
			if e := s.error2(coef, lag, split); e < best {
				best, l.Lag = e, lag
			}
		}
	}
	if l.Lag == 0 {
		return l
	}
	var base, with float64
	var gain stats.Moments
	for t := split; t < len(s.y); t++ {
		a, errA := s.fit(0, t)
		b, errB := s.fit(l.Lag, t)
		if errA != nil || errB != nil {
			continue
		}
		fa, fb := s.forecast(a, 0, t), s.forecast(b, l.Lag, t)
		ea, eb := s.y[t]-fa, s.y[t]-fb
		base += ea * ea
		with += eb * eb
		gain.Push(ea*ea - eb*eb + (fa-fb)*(fa-fb))
	}
	l.Tested = int(gain.N)
	if base > 0 {
		l.Gain = 1 - with/base
	}
	if v := gain.Variance(); gain.N > 1 && v > 0 {
		l.PValue = 0.5 * math.Erfc(gain.Mean()/math.Sqrt(v/float64(gain.N))/math.Sqrt2)
	}
	if all, err := s.fit(l.Lag, len(s.y)); err == nil {
		l.Coef = all[len(all)-1]
	}
	return l
}

// row is the predictors of period t: one, own past, the indicator unless lag is
// zero.
func (s leadSeries) row(t, lag int) []float64 {
	r := []float64{1}
	for k := 1; k <= s.own; k++ {
		r = append(r, s.y[t-k])
	}
	if lag > 0 {
		r = append(r, s.x[t-lag])
	}
	return r
}

// fit uses the periods before end.
func (s leadSeries) fit(lag, end int) ([]float64, error) {
	var data, y []float64
	for t := s.first; t < end; t++ {
		data = append(data, s.row(t, lag)...)
		y = append(y, s.y[t])
	}
	width := len(data) / len(y)
	var coef mat.VecDense
	if err := coef.SolveVec(mat.NewDense(len(y), width, data), mat.NewVecDense(len(y), y)); err != nil {
		return nil, err
	}
	return coef.RawVector().Data, nil
}

func (s leadSeries) forecast(coef []float64, lag, t int) float64 {
	sum := 0.0
	for j, v := range s.row(t, lag) {
		sum += coef[j] * v
	}
	return sum
}

func (s leadSeries) error2(coef []float64, lag, end int) float64 {
	sum := 0.0
	for t := s.first; t < end; t++ {
		e := s.y[t] - s.forecast(coef, lag, t)
		sum += e * e
	}
	return sum
}
