package spc

import (
	"math"
	"slices"
	"time"
)

// unit is one judged observation: a point, or several small ones together.
type unit struct {
	first, last  int // indices of the points it covers
	n, sum, sumq float64
	nn           float64 // Σ of squared n of the points, for what varies by day
	season       int     // phase within the period, −1 for several points
	class        int     // calendar class, 0 for ordinary or several
}

// effect is an estimated departure of a season's phase or a calendar class:
// additive, or a logarithm for counts.
type effect struct{ mean, variance float64 }

// model is what phase I learned of a series.
type model struct {
	kind    Kind
	period  int
	season  []effect
	class   []effect
	answer  float64 // variance of one answer (per exposure unit and level for counts)
	third   float64 // third central moment of one answer
	between float64 // variance between periods beyond sampling, relative to level² for counts
	tail    float64 // degrees of freedom of a Student tail, +Inf for normal
	narrow  float64 // scale of that distribution
	skew    float64 // skewness of what is left, for readings without answers
	memory  float64 // variance inflation of sums by autocorrelation, ≥ 1
	level   float64 // centre at the end of phase I
	weight  float64 // precision of that centre
	used    int     // observations it rests on
}

const (
	clip       = 2.5    // standardised residuals count no more than this
	clipSquare = 0.9776 // mean of the clipped square of a normal score
)

const fitRounds, refitRounds = 4, 2

// adjusted is a unit with season and calendar taken out.
type adjusted struct {
	y    float64 // value
	v    float64 // variance to expect: sampling, between periods, and of the effects
	ev   float64 // the part of it that comes from not knowing the effects
	skew float64 // skewness of the sampling part
	base float64 // what to add to (multiply, for counts) a level for the centre
}

// adjust takes season and calendar out of a unit, given the level.
func (m *model) adjust(u *unit, level float64) adjusted {
	s, c := m.effects(u)
	e, ev := s.mean+c.mean, s.variance+c.variance
	share := u.nn / (u.n * u.n) // 1 for a single period
	if m.kind == Count {
		f := math.Exp(e)
		n := u.n * f
		l := max(level, 1e-12)
		sampling, b := l/n, l*l*m.between*share
		ev *= l * l
		v := sampling + b + ev
		third := l/(n*n) + 3*sampling*b/l + 2*b*b/l // of a negative binomial count
		return adjusted{y: u.sum / n, v: v, ev: ev, skew: third / (v * math.Sqrt(v)), base: f}
	}
	answer, third := m.answer, m.third
	if m.kind == Proportion {
		p := min(max(level, 0.5/(u.n+1)), 1-0.5/(u.n+1))
		answer, third = p*(1-p), p*(1-p)*(1-2*p)
	}
	v := answer/u.n + m.between*share + ev
	return adjusted{y: u.sum/u.n - e, v: v, ev: ev, skew: third/(u.n*u.n)/(v*math.Sqrt(v)) + m.skew, base: e}
}

func (m *model) effects(u *unit) (season, class effect) {
	if u.season >= 0 && m.season != nil {
		season = m.season[u.season]
	}
	if u.class > 0 && u.class < len(m.class) {
		class = m.class[u.class]
	}
	return season, class
}

// units puts small periods together and labels season and calendar.
func units(s *Series, opt *Options, period int, classes *classIndex) []unit {
	least := opt.MinN
	switch s.Kind {
	case Value:
		least = 0
	case Mean:
		least = leastMean(s, opt)
	case Count:
		least = leastExposure(s, opt)
	}
	out := make([]unit, 0, len(s.Points))
	open, step := false, usualStep(s)
	for i := range s.Points {
		p := &s.Points[i]
		if !(p.N > 0) || math.IsNaN(p.Sum) || math.IsInf(p.Sum, 0) {
			continue
		}
		if open {
			u := &out[len(out)-1]
			u.last, u.season, u.class = i, -1, 0
			u.n, u.sum, u.sumq, u.nn = u.n+p.N, u.sum+p.Sum, u.sumq+p.SumSq, u.nn+p.N*p.N
		} else {
			u := unit{first: i, last: i, n: p.N, sum: p.Sum, sumq: p.SumSq, nn: p.N * p.N, season: -1}
			if period > 1 {
				u.season = phase(p.Time, i, period, step)
			}
			u.class = classes.of(p.Time)
			out = append(out, u)
		}
		open = out[len(out)-1].n < least
	}
	if open {
		out = out[:len(out)-1]
	}
	return out
}

// leastMean is five readings, or none when the file gives means alone.
func leastMean(s *Series, opt *Options) float64 {
	for i := range s.Points {
		if s.Points[i].N > 1 {
			return min(opt.MinN, 5)
		}
	}
	return 0
}

// leastExposure is the exposure on which three events are expected.
func leastExposure(s *Series, opt *Options) float64 {
	var events, exposure float64
	for i := range s.Points {
		p := &s.Points[i]
		if !opt.BaselineTo.IsZero() && p.Time.After(opt.BaselineTo) && events > 0 {
			break
		}
		if p.N > 0 {
			events += p.Sum
			exposure += p.N
		}
	}
	if events <= 0 {
		return math.Inf(1)
	}
	return 3 * exposure / events
}

// phase is the place of a time within a season: by the clock when the season is
// a day or a week, by the month when it is a year, else by counting points.
func phase(t time.Time, i, period int, step time.Duration) int {
	span := time.Duration(period) * step
	switch {
	case period == 12 && monthly(step):
		return int(t.Month()) - 1
	case step >= time.Second && (span == day || span == 7*day):
		k := t.Unix() / int64(step/time.Second) % int64(period)
		return int((k + int64(period)) % int64(period))
	}
	return i % period
}

// classIndex numbers calendar classes; 0 is an ordinary day.
type classIndex struct {
	calendar Calendar
	names    []string
	days     map[int64]int // by the instant of the point
}

func newClassIndex(c Calendar) *classIndex {
	return &classIndex{calendar: c, names: []string{""}, days: map[int64]int{}}
}

func (c *classIndex) of(t time.Time) int {
	if c.calendar == nil {
		return 0
	}
	at := t.Unix()
	if k, ok := c.days[at]; ok {
		return k
	}
	name := c.calendar.Class(t)
	k := slices.Index(c.names, name)
	if k < 0 {
		k = len(c.names)
		c.names = append(c.names, name)
	}
	c.days[at] = k
	return k
}

// fitter holds the working arrays of one fit.
type fitter struct {
	m     *model
	us    []unit
	level []float64 // level of each unit; nil when one common level is fitted
	res   []float64 // residual
	v     []float64
	skew  []float64 // of the sampling error
	z     []float64 // normal scores, clipped
}

// fit learns season, calendar, dispersion, tail and memory from units. When
// level is nil it also learns their common level. A model fitted to fewer units
// of the series before, if any, is where it starts from.
func fit(kind Kind, us []unit, level []float64, period, classes int, before *model) *model {
	m := &model{kind: kind, period: period, tail: math.Inf(1), narrow: 1, memory: 1, used: len(us)}
	n := len(us)
	buf := make([]float64, 4*n)
	f := &fitter{m: m, us: us, level: level, res: buf[:n], v: buf[n : 2*n], z: buf[2*n : 3*n], skew: buf[3*n:]}
	m.answer, m.third = answerMoments(kind, us)
	if period > 1 {
		m.season = make([]effect, period)
	}
	if classes > 1 {
		m.class = make([]effect, classes)
	}
	rounds := fitRounds
	if before != nil && len(before.season) == len(m.season) {
		rounds = refitRounds
		m.between, m.level = before.between, before.level
		copy(m.season, before.season)
		copy(m.class, before.class)
	} else {
		f.start()
	}
	for range rounds {
		f.residuals()
		f.disperse()
		if m.season != nil {
			copy(m.season, seasonal(f.group(m.season, func(u *unit) int { return u.season })))
			f.residuals()
		}
		if m.class != nil {
			f.calendar()
			f.residuals()
		}
		f.centre()
	}
	f.residuals()
	f.disperse()
	f.shape()
	return m
}

// answerMoments pools the variance and third moment of one answer within
// periods, so that changes between periods do not enter.
func answerMoments(kind Kind, us []unit) (variance, third float64) {
	switch kind {
	case NPS:
		var n, sum, sumq, within, free float64
		for i := range us {
			u := &us[i]
			n, sum, sumq = n+u.n, sum+u.sum, sumq+u.sumq
			within += u.sumq - u.sum*u.sum/u.n
			free += u.n - 1
		}
		mean, second := sum/n, sumq/n
		variance = within / max(free, 1)
		third = 1e4*mean - 3*mean*second + 2*mean*mean*mean
	case Mean:
		var within, free float64
		for i := range us {
			u := &us[i]
			if u.sumq >= 0 && u.n > 1 {
				within += max(0, u.sumq-u.sum*u.sum/u.n)
				free += u.n - 1
			}
		}
		if free > 0 {
			variance = within / free
		}
	}
	return variance, third
}

// start sets a robust first level and spread.
func (f *fitter) start() {
	ys := make([]float64, len(f.us))
	for i := range f.us {
		ys[i] = f.us[i].sum / f.us[i].n
		if f.level != nil {
			ys[i] -= f.level[i]
		}
	}
	centre, spread := medianMAD(ys)
	if f.level == nil {
		f.m.level = centre
	}
	f.m.between = spread * spread
	if f.m.kind == Count {
		f.m.between = min(1, spread*spread/max(centre*centre, 1e-12))
	}
	if f.m.between == 0 {
		f.m.between = 1e-12 * (1 + centre*centre)
	}
}

func (f *fitter) at(i int) float64 {
	if f.level != nil {
		return f.level[i]
	}
	return f.m.level
}

func (f *fitter) residuals() {
	for i := range f.us {
		l := f.at(i)
		a := f.m.adjust(&f.us[i], l)
		// Residuals of a fit are smaller, not larger, for not knowing the effects:
		// that is counted in degrees of freedom.
		f.res[i], f.v[i], f.skew[i] = a.y-l, a.v-a.ev, a.skew
	}
	f.standardise()
}

func (f *fitter) standardise() {
	for i, r := range f.res {
		f.z[i] = max(-clip, min(clip, unskew(r/math.Sqrt(f.v[i]), f.skew[i])))
	}
}

// calendar estimates the effects of special days. Their prior is ten times as
// wide as the usual spread, so that a kind of day never seen before widens the
// band rather than raising a signal.
func (f *fitter) calendar() {
	raw := f.group(f.m.class, func(u *unit) int {
		if u.class == 0 {
			return -1
		}
		return u.class
	})
	var spread float64
	for i := range f.v {
		scale := 1.0
		if f.m.kind == Count {
			scale = max(f.at(i), 1e-12)
		}
		spread += f.v[i] / (scale * scale) / float64(len(f.v))
	}
	for g := range raw {
		f.m.class[g] = raw[g].shrink(100 * spread)
	}
	f.m.class[0] = effect{}
}

// centre moves the common level by the clipped residuals.
func (f *fitter) centre() {
	var w, wr float64
	for i, z := range f.z {
		p := 1 / f.v[i]
		w += p
		wr += z * math.Sqrt(p)
	}
	if f.level == nil {
		f.m.level += wr / w
	}
	f.m.weight = w
}

// disperse finds the variance between periods at which the clipped squares are
// as large as they should be (Paule and Mandel's equation, made robust).
func (f *fitter) disperse() {
	free := float64(len(f.us) - 1)
	for _, e := range f.m.season {
		if e.mean != 0 {
			free--
		}
	}
	free = max(free, 1)
	for range 4 {
		var q, slope float64
		for i, z := range f.z {
			q += z * z
			if math.Abs(z) < clip {
				slope += z * z / f.v[i] * f.perBetween(i)
			}
		}
		if slope == 0 {
			return
		}
		old := f.m.between
		step := (q - free*clipSquare) / slope
		next := max(0, min(old+step, 4*old+step/4))
		if !f.m.sampled() {
			next = max(next, old/4)
		}
		f.m.between = next
		for i := range f.v {
			f.v[i] += (next - old) * f.perBetween(i)
		}
		f.standardise()
		if math.Abs(next-old) < 1e-4*old {
			return
		}
	}
}

// perBetween is how much of a unit's variance one unit of between is.
func (f *fitter) perBetween(i int) float64 {
	share := f.us[i].nn / (f.us[i].n * f.us[i].n)
	if f.m.kind == Count {
		l := f.at(i)
		return l * l * share
	}
	return share
}

// sampled reports whether the kind has a known sampling error.
func (m *model) sampled() bool {
	return m.kind == Count || m.kind == Proportion || m.answer > 0
}

// group returns each group's unshrunken effect from clipped residuals: the
// present effect plus the mean residual, with its sampling variance, infinite
// for a group without data.
func (f *fitter) group(effects []effect, of func(*unit) int) []effect {
	k := len(effects)
	w, wr := make([]float64, k), make([]float64, k)
	for i := range f.us {
		g := of(&f.us[i])
		if g < 0 || g >= k {
			continue
		}
		scale := 1.0
		if f.m.kind == Count { // the effect is a logarithm
			scale = max(f.at(i), 1e-12)
		}
		w[g] += scale * scale / f.v[i]
		wr[g] += f.z[i] * scale / math.Sqrt(f.v[i])
	}
	raw := make([]effect, k)
	for g := range raw {
		raw[g] = effect{0, math.Inf(1)}
		if w[g] > 0 {
			step := wr[g] / w[g]
			if f.m.kind == Count {
				step = math.Log1p(max(step, -0.9))
			}
			raw[g] = effect{effects[g].mean + step, 1 / w[g]}
		}
	}
	return raw
}

// seasonal centres the effects of a season and shrinks them by how much phases
// really differ (Paule and Mandel). All are zero when the phases do not differ
// beyond chance at 1 %.
func seasonal(raw []effect) []effect {
	var known, sum float64
	for _, e := range raw {
		if !math.IsInf(e.variance, 1) {
			known++
			sum += e.mean
		}
	}
	out := make([]effect, len(raw))
	if known < 2 {
		return out
	}
	var q, worst float64
	for i, e := range raw {
		if !math.IsInf(e.variance, 1) {
			raw[i].mean -= sum / known
			q += raw[i].mean * raw[i].mean / e.variance
			worst = max(worst, e.variance)
		}
	}
	if q < chi2Upper(known-1) {
		return out
	}
	tau2 := spreadOf(raw, known-1)
	for i, e := range raw {
		out[i] = e.shrink(tau2)
	}
	return out
}

// shrink combines an estimate with the prior N(0, tau2).
func (e effect) shrink(tau2 float64) effect {
	if math.IsInf(e.variance, 1) {
		return effect{0, tau2}
	}
	b := tau2 / (tau2 + e.variance)
	return effect{b * e.mean, b * e.variance}
}

// spreadOf solves Σ d²/(v + τ²) = free for τ².
func spreadOf(raw []effect, free float64) float64 {
	tau2 := 0.0
	for range 30 {
		var q, slope float64
		for _, e := range raw {
			if !math.IsInf(e.variance, 1) {
				t := 1 / (e.variance + tau2)
				q += e.mean * e.mean * t
				slope += e.mean * e.mean * t * t
			}
		}
		step := (q - free) / slope
		tau2 = max(0, tau2+step)
		if math.Abs(step) < 1e-6*tau2 {
			break
		}
	}
	return tau2
}

// chi2Upper is the 99 % quantile of chi-squared (Wilson and Hilferty 1931).
func chi2Upper(df float64) float64 {
	c := 1 - 2/(9*df) + 2.326348*math.Sqrt(2/(9*df))
	return df * c * c * c
}
