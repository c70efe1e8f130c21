package moments

import (
	"slices"
	"sort"
	"time"

	"omote/analytics/mining"
)

// The names of the columns that the log of a [History] may have. Case is needed;
// journey may be missing when the log holds one journey only.
const (
	ColumnJourney = "journey"
	ColumnCase    = "case"
	ColumnChannel = "channel"
	ColumnUnit    = "unit"
	ColumnProduct = "product"
)

// History is what is recorded of customers.
type History struct {
	// Log has customers as its cases, in mining.TimeOrder.
	Log *mining.Log
	// Answers are what customers said, in the order of customers and times.
	Answers []Answer
	// Contact, Complaint and Left are the activities by which customers turn to
	// the bank with a matter, complain, and end the relationship; Trouble those
	// by which something goes wrong in any journey.
	Contact, Complaint, Left, Trouble []int32
	// Region tells the region of each unit, by ids of the unit column; nil when
	// it is not known.
	Region []int32
	// End is the end of observation in UTC microseconds; zero means the last
	// instant of the log.
	End int64
}

// Answer is one answered question, or a comment without one.
type Answer struct {
	Customer int32 // case of the log
	At       int64 // UTC microseconds
	// Case is the run through a journey that was asked about, an id of the case
	// column; None when that is not known.
	Case int32
	// Trigger is the activity that was asked about, None when unknown.
	Trigger int32
	// Instrument is the questionnaire.
	Instrument string
	// Score is from 0 (worst) to 1 (best), NaN for a comment alone.
	Score float64
	// Comment is what was said, masked.
	Comment string
	// Polarity is the tone of the comment: -1, 0 or 1.
	Polarity int8
	Language string
}

func (h *History) end() int64 {
	if h.End != 0 {
		return h.End
	}
	_, last, _ := h.Log.TimeRange()
	return last
}

// answersOf gives the answers of a customer.
func (h *History) answersOf(customer int32) []Answer {
	lo := sort.Search(len(h.Answers), func(i int) bool { return h.Answers[i].Customer >= customer })
	hi := lo
	for hi < len(h.Answers) && h.Answers[hi].Customer == customer {
		hi++
	}
	return h.Answers[lo:hi]
}

// Journey is a designed journey as far as the test needs it.
type Journey struct {
	ID    int32 // of the journey column; None takes every event
	Steps []Step
	// Trouble are the activities by which something goes wrong in it.
	Trouble []int32
}

// Step is a designed step.
type Step struct {
	// Event shows the step; any of Also does too.
	Event int32
	Also  []int32
	// Standard is the longest time that may pass since the step before; zero
	// means that none was set.
	Standard time.Duration
}

// Level is how an experience was.
type Level uint8

// The levels, in the order of their worth.
const (
	Bad Level = iota
	Ordinary
	Good
)

// Cause says why a run is bad; causes can come together.
type Cause uint8

// The causes.
const (
	Waited   Cause = 1 << iota // longer than the standard
	Repeated                   // the step was done again in the same case
	Failed                     // trouble on the way to the step
)

// Run is one time that a customer went through a step, or failed to.
type Run struct {
	Customer int32 // case of the log
	Case     int32 // id of the case column
	Step     int   // of the journey
	// Began is the first event of the case: what came before it was there before
	// the journey. At is when the experience with the step was complete.
	Began, At int64
	Wait      time.Duration // since the step before; -1 when there was none
	Level     Level
	Cause     Cause
	// Trouble has a bit for each activity of Journey.Trouble (the first 64) that
	// came on the way to the step.
	Trouble uint64
	// Reached is false when the trouble was the end of it.
	Reached                bool
	Channel, Unit, Product int32
	// Score is what the customer said about the step, 0 to 1; NaN when unasked.
	Score float64
	// After is what the customer said next about the same case, 0 to 1; NaN when
	// nothing was asked or answered.
	After float64
	// met is what made the run bad, each with its instant; nil for most runs.
	met []mishap
}

// mishap is one thing that went wrong in a run, and since when: a trouble since it
// first came, a wait since the standard was passed, a repetition since it was made.
type mishap struct {
	what uint8 // place in Journey.Trouble below 64, or one of the following
	at   int64
}

const (
	tooLong uint8 = 64 + iota
	again
	mishaps // how many kinds there are
)

// since is when something went wrong in the run.
func (r *Run) since(what uint8) (at int64, met bool) {
	for _, m := range r.met {
		if m.what == what {
			return m.at, true
		}
	}
	return 0, false
}

// Runs finds how customers went through the steps of a journey, in the order of
// customers. A step counts in the case in which it happened; trouble belongs to
// the step that was under way: the one that came next or, when none came, the one
// designed next.
func Runs(h *History, j Journey) []Run {
	r := newRunner(h, j)
	for c := range h.Log.Cases() {
		r.customer(int32(c))
	}
	return r.runs
}

type runner struct {
	h       *History
	j       Journey
	step    []int // by activity, -1 for none
	trouble []int // by activity, -1 for none
	fast    []time.Duration
	runs    []Run
	open    map[int32]*walk // by case
	order   []int32
}

// walk is a case under way.
type walk struct {
	began, last int64 // last designed step
	at          int   // last step reached, -1 for none
	pending     uint64
	met         []mishap // the pending ones
	failedAt    int64
	runOf       []int // by step: index of its run, -1
	channel     int32
	unit        int32
	product     int32
}

func newRunner(h *History, j Journey) *runner {
	n := h.Log.Activities().Len()
	r := &runner{h: h, j: j, step: filledWith(n, -1), trouble: filledWith(n, -1), open: map[int32]*walk{}}
	for i, s := range j.Steps {
		for _, a := range append([]int32{s.Event}, s.Also...) {
			if a >= 0 && int(a) < n {
				r.step[a] = i
			}
		}
	}
	for i, a := range j.Trouble {
		if a >= 0 && int(a) < n && i < 64 && r.step[a] < 0 {
			r.trouble[a] = i
		}
	}
	return r
}

func filledWith(n, value int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = value
	}
	return out
}

func (r *runner) customer(c int32) {
	l := r.h.Log
	path, times := l.Path(int(c)), l.Times(int(c))
	cases, journeys := l.Values(ColumnCase, int(c)), l.Values(ColumnJourney, int(c))
	channels, units, products := l.Values(ColumnChannel, int(c)), l.Values(ColumnUnit, int(c)), l.Values(ColumnProduct, int(c))
	clear(r.open)
	r.order = r.order[:0]
	first := len(r.runs)
	for i, a := range path {
		if cases == nil || cases[i] == mining.None || (r.j.ID != mining.None && journeys != nil && journeys[i] != r.j.ID) {
			continue
		}
		w := r.open[cases[i]]
		if w == nil {
			w = &walk{began: times[i], at: -1, runOf: filledWith(len(r.j.Steps), -1), channel: mining.None, unit: mining.None, product: mining.None}
			r.open[cases[i]] = w
			r.order = append(r.order, cases[i])
		}
		w.note(channels, units, products, i)
		switch {
		case r.step[a] >= 0:
			r.reach(w, c, cases[i], r.step[a], times[i])
		case r.trouble[a] >= 0:
			if w.pending&(1<<r.trouble[a]) == 0 {
				w.met = append(w.met, mishap{uint8(r.trouble[a]), times[i]})
			}
			w.pending |= 1 << r.trouble[a]
			w.failedAt = times[i]
		}
	}
	for _, id := range r.order {
		r.finish(r.open[id], c, id)
	}
	r.score(c, first)
	slices.SortStableFunc(r.runs[first:], func(a, b Run) int { return int(min(max(a.At-b.At, -1), 1)) })
}

// note takes channel, unit and product from the first event that has them.
func (w *walk) note(channels, units, products []int32, i int) {
	for _, f := range []struct {
		to     *int32
		values []int32
	}{{&w.channel, channels}, {&w.unit, units}, {&w.product, products}} {
		if *f.to == mining.None && f.values != nil {
			*f.to = f.values[i]
		}
	}
}

func (r *runner) reach(w *walk, c, id int32, step int, at int64) {
	if k := w.runOf[step]; k >= 0 { // again
		run := &r.runs[k]
		run.Level, run.Cause, run.At = Bad, run.Cause|Repeated, at
		run.Trouble |= w.pending
		if w.pending != 0 {
			run.Cause |= Failed
		}
		run.met = append(append(run.met, w.met...), mishap{again, at})
		w.pending, w.met, w.last = 0, nil, at
		return
	}
	run := w.run(c, id, step, at)
	run.Reached = true
	if w.at >= 0 {
		run.Wait = time.Duration(at-w.last) * time.Microsecond
	}
	if limit := r.j.Steps[step].Standard; limit > 0 && run.Wait >= 0 {
		switch {
		case run.Wait > limit:
			run.Level, run.Cause = Bad, Waited
			w.met = append(w.met, mishap{tooLong, w.last + limit.Microseconds()})
		case run.Wait*4 <= limit:
			run.Level = Good
		}
	}
	if w.pending != 0 {
		run.Level, run.Cause, run.Trouble = Bad, run.Cause|Failed, w.pending
		w.pending = 0
	}
	run.met, w.met = w.met, nil
	w.runOf[step] = len(r.runs)
	w.at, w.last = max(w.at, step), at
	r.runs = append(r.runs, run)
}

func (w *walk) run(c, id int32, step int, at int64) Run {
	return Run{Customer: c, Case: id, Step: step, Began: w.began, At: at, Wait: -1, Level: Ordinary, Channel: w.channel, Unit: w.unit,
		Product: w.product, Score: nan, After: nan}
}

// finish turns trouble after which nothing came into a run of the next step.
func (r *runner) finish(w *walk, c, id int32) {
	if w.pending == 0 {
		return
	}
	step := w.at + 1
	for step < len(r.j.Steps) && w.runOf[step] >= 0 {
		step++
	}
	if step >= len(r.j.Steps) {
		if len(r.j.Steps) == 0 {
			return
		}
		step = len(r.j.Steps) - 1
		if k := w.runOf[step]; k >= 0 { // after the last step: it is part of it
			run := &r.runs[k]
			run.Level, run.Cause, run.Trouble = Bad, run.Cause|Failed, run.Trouble|w.pending
			run.At, run.met = w.failedAt, append(run.met, w.met...)
			return
		}
	}
	run := w.run(c, id, step, w.failedAt)
	run.Level, run.Cause, run.Trouble, run.met = Bad, Failed, w.pending, w.met
	r.runs = append(r.runs, run)
}

// score joins what the customer said about a step with its run: by the case, or
// by the activity asked about within two weeks.
func (r *runner) score(c int32, first int) {
	const near = int64(14 * 24 * time.Hour / time.Microsecond)
	r.after(c, first)
	for _, a := range r.h.answersOf(c) {
		if a.Trigger == mining.None || a.Score != a.Score || int(a.Trigger) >= len(r.step) || r.step[a.Trigger] < 0 {
			continue
		}
		best := -1
		for i := first; i < len(r.runs); i++ {
			run := &r.runs[i]
			if run.Step != r.step[a.Trigger] || run.At > a.At {
				continue
			}
			if (a.Case != mining.None && run.Case == a.Case) || (a.Case == mining.None && a.At-run.At <= near) {
				if best < 0 || run.At > r.runs[best].At {
					best = i
				}
			}
		}
		if best >= 0 {
			r.runs[best].Score = a.Score
		}
	}
}

// after joins each run with the first answer about its case that came after it.
func (r *runner) after(c int32, first int) {
	answers := r.h.answersOf(c)
	for i := first; i < len(r.runs); i++ {
		run := &r.runs[i]
		for k := range answers { // in order of time
			if a := &answers[k]; a.Case != mining.None && a.Case == run.Case && a.At > run.At && a.Score == a.Score {
				run.After = a.Score
				break
			}
		}
	}
}
