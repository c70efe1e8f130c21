package moments

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"omote/analytics/mining"
)

var nan = math.NaN()

const day = int64(24 * time.Hour / time.Microsecond)

// Outcome is something later that a customer does or says. All outcomes are
// losses: a higher value is worse for the bank.
type Outcome struct {
	ID string
	// Events are the activities of which one must happen within Within after the
	// run; the outcome is then 1, else 0.
	Events []int32
	Within time.Duration
	// Instrument, instead of Events, makes the outcome what is missing to the
	// best score (1 - score) of the next answer to this questionnaire.
	Instrument string
}

// outcome returns what came after each run; NaN where it cannot be known yet,
// or where the customer had left before the run.
func (h *History) outcome(runs []Run, o Outcome) []float64 {
	out := make([]float64, len(runs))
	end, within := h.end(), o.Within.Microseconds()
	counts, left := newMarks(h.Log, o.Events), newMarks(h.Log, h.Left)
	for i := range runs {
		run := &runs[i]
		from, to := run.At, run.At+within
		switch {
		case left.before(run.Customer, run.At) > 0, o.Instrument == "" && to > end:
			out[i] = nan
		case o.Instrument != "":
			out[i] = h.nextScore(run.Customer, from, to, o.Instrument)
		case counts.between(run.Customer, from, to) > 0:
			out[i] = 1
		}
	}
	return out
}

func (h *History) nextScore(customer int32, from, to int64, instrument string) float64 {
	for _, a := range h.answersOf(customer) {
		if a.At > from && a.At <= to && a.Instrument == instrument && !math.IsNaN(a.Score) {
			return 1 - a.Score
		}
	}
	return nan
}

// marks finds the instants of some activities by customer.
type marks struct {
	log      *mining.Log
	wanted   []bool
	customer int32
	times    []int64
}

func newMarks(l *mining.Log, activities []int32) *marks {
	m := &marks{log: l, wanted: make([]bool, l.Activities().Len()), customer: -1}
	for _, a := range activities {
		if a >= 0 && int(a) < len(m.wanted) {
			m.wanted[a] = true
		}
	}
	return m
}

func (m *marks) of(customer int32) []int64 {
	if customer == m.customer {
		return m.times
	}
	m.customer, m.times = customer, m.times[:0]
	times := m.log.Times(int(customer))
	for i, a := range m.log.Path(int(customer)) {
		if m.wanted[a] {
			m.times = append(m.times, times[i])
		}
	}
	return m.times
}

// before counts what came before an instant, between what came after from up to
// to.
func (m *marks) before(customer int32, at int64) int { return countUpTo(m.of(customer), at-1) }

func (m *marks) between(customer int32, from, to int64) int {
	times := m.of(customer)
	return countUpTo(times, to) - countUpTo(times, from)
}

func countUpTo(times []int64, at int64) int {
	return sort.Search(len(times), func(i int) bool { return times[i] > at })
}

// Background are the covariates of runs: what was there before the journey began.
type Background struct {
	Names  []string
	Values []float64 // of each run, one after the other
}

// most is the number of values of a column that are held equal by themselves.
const most = 8

// NewBackground describes customers before each run: how active they were in 90
// days, how often they had turned to the bank, complained, met trouble; how long
// they are known; their last score; channel, product and region of the journey;
// its season and hour.
func NewBackground(h *History, runs []Run) *Background {
	b := &Background{}
	first, end, _ := h.Log.TimeRange()
	span := float64(max(end-first, 1))
	contact, complaint, trouble := newMarks(h.Log, h.Contact), newMarks(h.Log, h.Complaint), newMarks(h.Log, h.Trouble)
	hot := []*oneHot{
		newOneHot("channel", runs, func(r *Run) int32 { return r.Channel }),
		newOneHot("product", runs, func(r *Run) int32 { return r.Product }),
		newOneHot("region", runs, h.regionOf),
	}
	b.Names = []string{"activity", "contacts", "complained", "trouble", "known", "score", "scored", "season", "season²", "season³", "weekend", "night"}
	for _, o := range hot {
		b.Names = append(b.Names, o.names...)
	}
	for i := range runs {
		r := &runs[i]
		times := h.Log.Times(int(r.Customer))
		past := r.Began - 90*day
		active := countUpTo(times, r.Began-1) - countUpTo(times, past)
		at := float64(r.Began-first) / span
		score, scored := h.lastScore(r.Customer, r.Began)
		weekday, hour := clock(r.Began)
		b.Values = append(b.Values,
			math.Log1p(float64(active)),
			math.Log1p(float64(contact.between(r.Customer, past, r.Began-1))),
			math.Log1p(float64(complaint.between(r.Customer, r.Began-180*day, r.Began-1))),
			math.Log1p(float64(trouble.between(r.Customer, past, r.Began-1))),
			math.Log1p(float64(r.Began-times[0])/float64(day)),
			score, scored, at, at*at, at*at*at,
			flag(weekday == time.Saturday || weekday == time.Sunday), flag(hour < 7 || hour >= 21))
		for _, o := range hot {
			b.Values = o.add(b.Values, r)
		}
	}
	return b
}

// clock gives weekday and hour at UTC+7; a fixed zone suffices for a covariate.
func clock(micros int64) (time.Weekday, int) {
	t := time.UnixMicro(micros).UTC().Add(7 * time.Hour)
	return t.Weekday(), t.Hour()
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

func (h *History) regionOf(r *Run) int32 {
	if r.Unit == mining.None || int(r.Unit) >= len(h.Region) {
		return mining.None
	}
	return h.Region[r.Unit]
}

// lastScore is the customer's last score before an instant, around its middle.
func (h *History) lastScore(customer int32, at int64) (score, known float64) {
	for _, a := range h.answersOf(customer) {
		if a.At >= at {
			break
		}
		if !math.IsNaN(a.Score) {
			score, known = a.Score-0.7, 1
		}
	}
	return score, known
}

// oneHot has a column for each of the most frequent values.
type oneHot struct {
	value  func(*Run) int32
	places map[int32]int
	names  []string
}

func newOneHot(name string, runs []Run, value func(*Run) int32) *oneHot {
	counts := map[int32]int{}
	for i := range runs {
		counts[value(&runs[i])]++
	}
	var ids []int32
	for id, n := range counts {
		if n*200 >= len(runs) { // half a per cent
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b int32) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	o := &oneHot{value: value, places: map[int32]int{}}
	for i, id := range ids[:min(len(ids), most)] {
		if i > 0 { // the most frequent is what the others are compared with
			o.places[id] = len(o.names)
			o.names = append(o.names, name)
		}
	}
	return o
}

func (o *oneHot) add(values []float64, r *Run) []float64 {
	at := len(values)
	values = append(values, make([]float64, len(o.names))...)
	if place, ok := o.places[o.value(r)]; ok {
		values[at+place] = 1
	}
	return values
}

// study compares some of the runs; earlier are mishaps of the same run that are held
// equal beside the background.
func (b *Background) study(runs []Run, outcome []float64, exposed func(*Run) bool, keep func(*Run) bool, earlier ...uint8) Study {
	p := len(b.Names)
	s := Study{Columns: p + len(earlier)}
	for i := range runs {
		r := &runs[i]
		if !keep(r) || math.IsNaN(outcome[i]) {
			continue
		}
		s.Exposed = append(s.Exposed, exposed(r))
		s.Outcome = append(s.Outcome, outcome[i])
		s.Customer = append(s.Customer, r.Customer)
		s.Covariates = append(s.Covariates, b.Values[i*p:(i+1)*p]...)
		for _, what := range earlier {
			_, met := r.since(what)
			s.Covariates = append(s.Covariates, flag(met))
		}
	}
	return s
}
