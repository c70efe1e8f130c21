package spc

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"
)

// PointResult is what one period tells.
type PointResult struct {
	Time   time.Time
	Value  float64 // NaN without data
	Center float64 // expected, season and calendar included; NaN when unknown
	Low    float64 // band of what chance explains: three standard deviations of
	High   float64 // sampling error and variation between periods together
	State  State
}

// Result is what monitoring found of one series.
type Result struct {
	Name    string
	State   State // today
	Points  []PointResult
	Signals []Signal
	Start   int // index of the first point judged; those before are phase I
}

const (
	settleAfter = 10  // observations at a new level before it is watched itself
	acceptAfter = 28  // observations after which a new level is the normal one
	returnOdds  = 5.0 // log odds at which a series counts as back at its old level
	lookBack    = 120 // observations searched for the onset of a change
	clearOdds   = 3.0 // log odds at which a change within a change is the news
	fdrWindow   = 21  // periods over which false and true signals are weighed
	minBaseline = 12  // observations below which nothing is judged
)

// Monitor judges every series, period by period, using only what was known at
// each period. All series given are monitored together: the evidence asked of
// a signal rises when few series are really changing, so that the share of
// false signals stays within [Options.FDR], and never falls below what keeps
// false signals within [Options.FalsePerThousand].
func Monitor(series []Series, options Options) []Result {
	opt := options.withDefaults()
	watches := make([]*watch, len(series))
	parallel(len(series), func(i int) { watches[i] = newWatch(&series[i], &opt) })
	run(watches, &opt)
	out := make([]Result, len(series))
	var latest time.Time
	for i := range series {
		if p := series[i].Points; len(p) > 0 && p[len(p)-1].Time.After(latest) {
			latest = p[len(p)-1].Time
		}
	}
	parallel(len(series), func(i int) { out[i] = watches[i].finish(latest, &opt) })
	reconcile(series, out)
	return out
}

func parallel(n int, do func(int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	wg.Wait()
}

// watch is the running state of one series.
type watch struct {
	s     *Series
	opt   *Options
	m     *model
	us    []unit
	next  int // next unit to judge
	start int // first unit judged

	det      detector
	evidence float64

	level, weight float64   // of the present regime
	regime        int       // its number
	regimeOf      []int     // of each unit
	levels        []float64 // level each unit was judged or found to have
	ws, wrs       []float64 // precision, and precision times value, of each unit

	open                      *episode
	dayClass, dayLast, dayRun int // the present run of special days
	refitAt                   int
	out                       []PointResult
	signals                   []Signal
	classes                   int
	period                    int
	startIdx                  int
}

// episode is a change that was signalled and has not ended yet.
type episode struct {
	onset              int // unit
	oldLevel, oldWeigh float64
	oldRegime          int
	back               float64 // log odds of being back at the old level
	backFrom           int
	signal             int
}

func newWatch(s *Series, opt *Options) *watch {
	classes := newClassIndex(opt.Calendar)
	w := &watch{s: s, opt: opt, period: periodOf(s, opt)}
	w.us = units(s, opt, w.period, classes)
	w.classes = len(classes.names)
	w.out = make([]PointResult, len(s.Points))
	for i := range s.Points {
		w.out[i] = PointResult{Time: s.Points[i].Time, Value: s.Points[i].Value(),
			Center: math.NaN(), Low: math.NaN(), High: math.NaN(), State: Few}
		if !(s.Points[i].N > 0) {
			w.out[i].Value = math.NaN()
		}
	}
	w.start = w.phaseOne()
	n := len(w.us)
	w.next, w.startIdx = n, len(s.Points)
	if w.start < minBaseline || w.start > n {
		return w
	}
	w.next = w.start
	if w.start < n {
		w.startIdx = w.us[w.start].first
	}
	base := w.us[:w.start]
	w.m = fit(s.Kind, base, nil, w.usePeriod(w.start), w.classes, nil)
	w.level, w.weight = w.m.level, w.m.weight
	w.refitAt = w.start + w.start/2
	w.regimeOf, w.levels = make([]int, n), make([]float64, n)
	w.ws, w.wrs = make([]float64, n), make([]float64, n)
	for i := range base {
		w.show(i, w.record(i), Noise)
	}
	return w
}

// phaseOne returns how many units belong to the baseline.
func (w *watch) phaseOne() int {
	if w.opt.BaselineTo.IsZero() {
		n := len(w.us)
		return max(minBaseline, min(max(20, 4*w.period), n/2))
	}
	k := 0
	for k < len(w.us) && !w.s.Points[w.us[k].last].Time.After(w.opt.BaselineTo) {
		k++
	}
	skip := 0
	for skip < k && w.s.Points[w.us[skip].first].Time.Before(w.opt.BaselineFrom) {
		skip++
	}
	w.us = w.us[skip:]
	return k - skip
}

// usePeriod gives up a season that has not been seen three times.
func (w *watch) usePeriod(n int) int {
	if w.period > 1 && n >= 3*w.period {
		return w.period
	}
	return 0
}

// run steps all series through time together.
func run(ws []*watch, opt *Options) {
	// A tenth more than the run length asks for what phase I cannot know.
	floor := 1.1 * 1000 / opt.FalsePerThousand / arlFactor
	var judged, raised [fdrWindow]float64
	var candidates, due []*watch
	for tick := 0; ; tick++ {
		now, any := earliest(ws)
		if !any {
			return
		}
		slot := tick % fdrWindow
		judged[slot], raised[slot] = 0, 0
		candidates, due = candidates[:0], due[:0]
		refits := 0
		for _, w := range ws {
			if w.next < len(w.us) && w.due() == now {
				due = append(due, w)
				if w.next == w.refitAt {
					refits++
				}
			}
		}
		if refits > 0 {
			parallel(len(due), func(i int) { due[i].refitIfDue() })
		}
		for _, w := range due {
			if w.step() {
				judged[slot]++
			}
			if w.evidence >= floor {
				candidates = append(candidates, w)
			}
		}
		k := 0
		if len(candidates) > 0 {
			k = admit(candidates, underWay(ws, candidates, sum(judged[:]), sum(raised[:])), sum(judged[:]), opt.FDR)
		}
		raised[slot] = float64(k)
		for _, w := range candidates[:k] {
			w.raise()
		}
	}
}

// underWay is the number of changes raised in the window and of those going on
// but not raised yet: the posterior probabilities of change, at the present
// rate of changes, of the series that are not candidates. Odds below one in
// thirty are mostly chance and not counted.
func underWay(ws, candidates []*watch, judged, raised float64) float64 {
	rate := (raised + 1) / judged
	probable := func(w *watch) float64 {
		odds := rate * w.evidence
		if odds < 1.0/30 {
			return 0
		}
		return odds / (1 + odds)
	}
	for _, w := range ws {
		raised += probable(w)
	}
	for _, w := range candidates {
		raised -= probable(w)
	}
	return raised
}

// admit sorts candidates by evidence and returns how many may be raised: the
// most for which the expected number of false signals in the window, judged
// periods over run length at the weakest one's evidence, stays within the
// bound times the true changes: those given and the candidates raised.
func admit(c []*watch, changes, judged, fdr float64) int {
	slices.SortFunc(c, func(a, b *watch) int { return cmp.Compare(b.evidence, a.evidence) })
	for k := len(c); k > 0; k-- {
		if judged/(arlFactor*c[k-1].evidence) <= fdr*(changes+float64(k)) {
			return k
		}
	}
	return 0
}

func sum(xs []float64) float64 {
	t := 0.0
	for _, x := range xs {
		t += x
	}
	return t
}

func earliest(ws []*watch) (int64, bool) {
	now, any := int64(0), false
	for _, w := range ws {
		if w.next < len(w.us) {
			if t := w.due(); !any || t < now {
				now, any = t, true
			}
		}
	}
	return now, any
}

func (w *watch) due() int64 { return w.s.Points[w.us[w.next].last].Time.Unix() }

// record keeps what later steps need of a unit at the present level.
func (w *watch) record(i int) adjusted {
	a := w.m.adjust(&w.us[i], w.level)
	p := 1 / a.v
	w.ws[i], w.wrs[i] = p, p*a.y
	w.levels[i], w.regimeOf[i] = w.level, w.regime
	return a
}

// step judges the next unit and reports whether it was watched for a change.
func (w *watch) step() bool {
	i := w.next
	w.next++
	a := w.record(i)
	r := a.y - w.level
	sd := math.Sqrt(a.v + w.m.memory/w.weight)
	z := w.m.normalise(r/sd, a.skew)
	memory, watched := w.specialDay(i, a)
	if e := w.open; e != nil {
		watched = watched && i-e.onset >= settleAfter
		w.back(i, a)
	}
	w.evidence = 0
	if watched {
		w.det.step(z, memory)
		w.evidence = w.det.evidence(w.s.Good.upShare())
	}
	if watched || w.open != nil {
		w.learn(a, r)
	}
	w.show(i, a, w.state())
	if e := w.open; e != nil && i-e.onset >= acceptAfter {
		w.accept()
	}
	return watched
}

// specialDay returns the memory between observations on this one and whether it
// can be judged. The days of one kind share what is not known of that kind: on
// days hardly seen before nothing is judged, on others a run of them counts the
// more cautiously the longer it is.
func (w *watch) specialDay(i int, a adjusted) (memory float64, judged bool) {
	class := w.us[i].class
	if class == 0 {
		return w.m.memory, true
	}
	if w.dayClass != class || i-w.dayLast > settleAfter {
		w.dayRun = 0
	}
	w.dayClass, w.dayLast = class, i
	w.dayRun++
	unknown := w.m.class[class].variance
	if w.s.Kind == Count {
		unknown *= w.level * w.level
	}
	known := a.v - unknown
	if unknown > known/2 {
		return w.m.memory, false
	}
	return w.m.memory * (1 + float64(w.dayRun)*unknown/known), true
}

// learn moves the level by one observation, wild ones clipped.
func (w *watch) learn(a adjusted, r float64) {
	limit := clip * math.Sqrt(a.v+1/w.weight)
	p := 1 / a.v
	w.weight += p
	w.level += p / w.weight * max(-limit, min(limit, r))
}

// back weighs whether a series in an episode has returned to its old level.
func (w *watch) back(i int, a adjusted) {
	e := w.open
	toNew, toOld := a.y-w.level, a.y-e.oldLevel
	e.back += (toNew*toNew - toOld*toOld) / (2 * a.v * w.m.memory)
	if e.back <= 0 {
		e.back, e.backFrom = 0, i+1
	}
	if e.back < returnOdds {
		return
	}
	w.signals[e.signal].Outcome = Returned
	w.signals[e.signal].EndIndex = w.us[e.backFrom].first
	w.level, w.weight, w.regime = e.oldLevel, e.oldWeigh, e.oldRegime
	for k := e.backFrom; k < i; k++ {
		b := w.record(k)
		w.learn(b, b.y-w.level)
	}
	w.record(i)
	if e.backFrom-e.onset <= 2 {
		// A passing spike belongs to the tail of the distribution from now on.
		for k := e.onset; k < e.backFrom; k++ {
			w.levels[k] = e.oldLevel
		}
	}
	w.det.reset()
	w.open = nil
}

// accept makes the level of an episode the normal one.
func (w *watch) accept() {
	w.signals[w.open.signal].Outcome = Settled
	w.open = nil
}

// raise turns the evidence of the unit just judged into a signal and opens an
// episode at the new level.
func (w *watch) raise() {
	i := w.next - 1
	on := w.locate(i)
	if w.open != nil {
		w.signals[w.open.signal].Outcome = Superseded
		w.signals[w.open.signal].EndIndex = w.us[on.at].first
	}
	w.signals = append(w.signals, w.signal(i, on))
	w.open = &episode{onset: on.at, oldLevel: on.before, oldWeigh: on.beforeWeight, oldRegime: w.regime,
		backFrom: i + 1, signal: len(w.signals) - 1}
	w.regime = len(w.signals)
	w.level, w.weight = on.after, on.afterWeight
	for k := on.at; k <= i; k++ {
		w.regimeOf[k], w.levels[k] = w.regime, w.level
	}
	w.det.reset()
	w.evidence = 0
	w.out[w.us[i].last].State = w.state()
}

// state is that of the present episode.
func (w *watch) state() State {
	if w.open == nil {
		return Noise
	}
	return w.signals[w.open.signal].State
}

// show writes the centre and band of the points of a unit, of which a is the
// adjusted value.
func (w *watch) show(i int, a adjusted, state State) {
	u := &w.us[i]
	for k := u.first; k <= u.last; k++ {
		p := &w.s.Points[k]
		if !(p.N > 0) {
			continue
		}
		if u.first < u.last {
			one := unit{n: p.N, sum: p.Sum, nn: p.N * p.N, season: u.season, class: u.class}
			a = w.m.adjust(&one, w.level)
		}
		h := 3 * math.Sqrt(a.v+w.m.memory/w.weight)
		r := &w.out[k]
		if w.s.Kind == Count {
			r.Center, r.Low, r.High = w.level*a.base, max(0, w.level-h)*a.base, (w.level+h)*a.base
		} else {
			r.Center, r.Low, r.High = w.level+a.base, w.level+a.base-h, w.level+a.base+h
		}
		w.s.Kind.bound(r)
	}
	w.out[u.last].State = state
}

// bound keeps a band within what the measure can be.
func (k Kind) bound(r *PointResult) {
	switch k {
	case NPS:
		r.Low, r.High = max(r.Low, -100), min(r.High, 100)
	case Proportion:
		r.Low, r.High = max(r.Low, 0), min(r.High, 1)
	}
}

// refitIfDue learns season and dispersion again, when the series has grown by
// half, from all units so far, each at the level it was found to have.
func (w *watch) refitIfDue() {
	n := w.next
	if n != w.refitAt {
		return
	}
	w.refitAt = n + n/2
	if w.open != nil {
		w.refitAt = n + acceptAfter
		return
	}
	for i := range n {
		if w.regimeOf[i] == w.regime {
			w.levels[i] = w.level
		}
	}
	w.m = fit(w.s.Kind, w.us[:n], w.levels[:n], w.usePeriod(n), w.classes, w.m)
	for range 2 {
		var p, pr float64
		for i := range n {
			if w.regimeOf[i] != w.regime {
				continue
			}
			a := w.m.adjust(&w.us[i], w.level)
			limit := clip * math.Sqrt(a.v)
			p += 1 / a.v
			pr += max(-limit, min(limit, a.y-w.level)) / a.v
		}
		w.level, w.weight = w.level+pr/p, p
	}
	for i := range n {
		a := w.m.adjust(&w.us[i], w.levels[i])
		w.ws[i], w.wrs[i] = 1/a.v, a.y/a.v
	}
}

// finish returns the result.
func (w *watch) finish(latest time.Time, opt *Options) Result {
	r := Result{Name: w.s.Name, Points: w.out, Signals: w.signals, Start: w.startIdx, State: Few}
	if w.m != nil {
		r.State = w.state()
	}
	if isStale(w.s, latest, opt) {
		r.State = Stale
	}
	for i := range r.Signals {
		r.Signals[i].persist(w)
	}
	return r
}

// isStale reports whether the last data are too old, in usual intervals.
func isStale(s *Series, latest time.Time, opt *Options) bool {
	last := len(s.Points) - 1
	for last >= 0 && !(s.Points[last].N > 0) {
		last--
	}
	if last < 0 {
		return false
	}
	step := usualStep(s)
	return step > 0 && latest.Sub(s.Points[last].Time) > time.Duration(opt.StaleAfter*float64(step))
}

// usualStep is the median time between points.
func usualStep(s *Series) time.Duration {
	n := len(s.Points)
	if n < 2 {
		return 0
	}
	gaps := make([]time.Duration, 0, 64)
	for i := 1; i < n; i += 1 + n/64 {
		gaps = append(gaps, s.Points[i].Time.Sub(s.Points[i-1].Time))
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

const day = 24 * time.Hour

func monthly(step time.Duration) bool { return step >= 28*day && step <= 31*day }

// periodOf is the length of the season to look for: the week of daily data, the
// year of monthly, and of more frequent data the week when it is seen eight
// times, else the day.
func periodOf(s *Series, opt *Options) int {
	if opt.Period != 0 {
		return max(opt.Period, 0)
	}
	step := usualStep(s)
	switch {
	case step == day:
		return 7
	case monthly(step):
		return 12
	case step >= 5*time.Minute && step < day && day%step == 0:
		perDay := int(day / step)
		if len(s.Points) >= 8*7*perDay {
			return 7 * perDay
		}
		return perDay
	}
	return 0
}
