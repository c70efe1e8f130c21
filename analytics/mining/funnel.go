package mining

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// FunnelMode says how the events that match a funnel's steps must lie.
type FunnelMode uint8

const (
	// InOrder wants the steps in their order, with anything between them.
	InOrder FunnelMode = iota
	// Direct wants the steps in their order with no other event between them.
	Direct
	// AnyOrder wants the steps in any order: a case reaches step n when it has
	// an event for each of the first n steps.
	AnyOrder
)

// Funnel asks how many cases get through a number of steps.
type Funnel struct {
	// Steps are the activities of each step; any one of them will do. The same
	// activity may stand in several steps, except in mode AnyOrder.
	Steps [][]int32
	Mode  FunnelMode
	// Within is the longest time from the first step to the last, Gap the
	// longest from one step to the next; zero means any. In mode AnyOrder only
	// Within may be given: it spans the events of all steps reached.
	Within, Gap time.Duration
	// Timeout is how long a case may be silent before it counts as abandoned;
	// zero means that silence is no criterion.
	Timeout time.Duration
	// End is the end of observation in UTC microseconds; zero means the last
	// instant of the log.
	End int64
}

// FunnelResult is the outcome of a funnel.
type FunnelResult struct {
	Steps []FunnelStep
	// Reached is the number of steps that each case got through, and At the
	// position within the case of the event that made the last of them (None
	// when there is none).
	Reached, At []int32
}

// FunnelStep is what became of the cases at one step.
type FunnelStep struct {
	Cases int // got through it
	// Wait is the time since the step before, of the cases that got through.
	Wait Stats
	// Open and Lost are the cases that did not get through the next step. Open
	// ones may still do so, by Within, Gap and Timeout of the funnel; when it
	// has none of these, all are lost. Both are zero at the last step.
	Open, Lost int
	// Next counts, for open and lost cases, the activity that came right after
	// this step: where they went instead. None means that nothing came.
	// Largest first.
	Next []Count
}

// Count is an activity, or a value of a column, with a number.
type Count struct {
	ID int32
	N  int
}

// Run computes the funnel. Windows are decided exactly: a case reaches a step
// if any choice of its events does. That holds when the instants of each case
// do not fall, as in TimeOrder; with falling instants only the last chance to
// begin anew is tried.
func (f *Funnel) Run(l *Log) (*FunnelResult, error) {
	if err := f.validate(l); err != nil {
		return nil, err
	}
	r := &FunnelResult{Reached: make([]int32, l.Cases()), At: make([]int32, l.Cases())}
	end := f.End
	if end == 0 {
		_, end, _ = l.TimeRange()
	}
	chunks := l.chunks()
	tallies := make([]*funnelTally, len(chunks))
	inParallel(chunks, func(w int, c chunk) {
		run := newFunnelRun(f, l)
		tally := newFunnelTally(len(f.Steps), l.activities.Len())
		for i := c.lo; i < c.hi; i++ {
			chain := run.chain(l.Path(i), l.Times(i))
			r.Reached[i], r.At[i] = int32(len(chain)), None
			if len(chain) > 0 {
				r.At[i] = chain[len(chain)-1]
			}
			tally.add(f, l, i, chain, end)
		}
		tallies[w] = tally
	})
	r.Steps = mergeTallies(tallies)
	return r, nil
}

func (f *Funnel) validate(l *Log) error {
	if len(f.Steps) == 0 {
		return errors.New("mining: a funnel needs at least one step")
	}
	if f.Within < 0 || f.Gap < 0 || f.Timeout < 0 {
		return errors.New("mining: a funnel's times must not be negative")
	}
	if f.Mode > AnyOrder {
		return fmt.Errorf("mining: unknown funnel mode %d", f.Mode)
	}
	if f.Mode == AnyOrder && f.Gap != 0 {
		return errors.New("mining: steps in any order have no gap between one and the next")
	}
	used := map[int32]bool{}
	for i, step := range f.Steps {
		if len(step) == 0 {
			return fmt.Errorf("mining: step %d of the funnel has no activity", i+1)
		}
		for _, a := range step {
			if a < 0 || int(a) >= l.activities.Len() {
				return fmt.Errorf("mining: step %d of the funnel has the unknown activity %d", i+1, a)
			}
			if used[a] && f.Mode == AnyOrder {
				return fmt.Errorf("mining: %q stands twice in a funnel in any order", l.activities.Name(a))
			}
			used[a] = true
		}
	}
	return nil
}

// funnelRun finds the best chain of events in one case after the other.
type funnelRun struct {
	within, gap int64 // microseconds; 0: any
	steps       int
	stepsOf     [][]int32 // steps of each activity, last first
	find        func(path []int32, times []int64) []int32
	best        []int32 // the result
	chains      []int32 // newest chain for each number of steps, in rows
	has         []bool  // whether the row holds a chain
	last        []int32 // AnyOrder: last event of each step
}

func newFunnelRun(f *Funnel, l *Log) *funnelRun {
	n := len(f.Steps)
	r := &funnelRun{
		within: f.Within.Microseconds(), gap: f.Gap.Microseconds(), steps: n,
		stepsOf: make([][]int32, l.activities.Len()),
		best:    make([]int32, 0, n),
		chains:  make([]int32, n*n), has: make([]bool, n), last: make([]int32, n),
	}
	for s := n - 1; s >= 0; s-- {
		for _, a := range f.Steps[s] {
			if steps := r.stepsOf[a]; len(steps) == 0 || steps[len(steps)-1] != int32(s) {
				r.stepsOf[a] = append(steps, int32(s))
			}
		}
	}
	switch {
	case f.Mode == Direct:
		r.find = r.direct
	case f.Mode == AnyOrder:
		r.find = r.anyOrder
	case f.Within == 0 && f.Gap == 0:
		r.find = r.inOrder
	default:
		r.find = r.inWindow
	}
	return r
}

// chain returns the positions of the events that make the most steps. It is
// valid until the next call.
func (r *funnelRun) chain(path []int32, times []int64) []int32 {
	r.best = r.best[:0]
	return r.find(path, times)
}

// inOrder takes the first event that fits the next step; without windows no
// later one can be better.
func (r *funnelRun) inOrder(path []int32, _ []int64) []int32 {
	for i, a := range path {
		for _, s := range r.stepsOf[a] {
			if int(s) == len(r.best) {
				if r.best = append(r.best, int32(i)); len(r.best) == r.steps {
					return r.best
				}
				break
			}
		}
	}
	return r.best
}

// inWindow keeps, for each number of steps, the newest chain that made them.
// The newest began no earlier than any older one, so that it is the only one
// worth extending.
func (r *funnelRun) inWindow(path []int32, times []int64) []int32 {
	clear(r.has)
	for i, a := range path {
		for _, s := range r.stepsOf[a] { // last step first: one event makes one step
			row := r.chains[int(s)*r.steps:]
			if s > 0 {
				before := r.chains[int(s-1)*r.steps:]
				if !r.has[s-1] || !r.fits(times, before[0], before[s-1], int32(i)) {
					continue
				}
				copy(row, before[:s])
			}
			row[s] = int32(i)
			r.has[s] = true
			if int(s) == len(r.best) {
				r.best = append(r.best[:0], row[:s+1]...)
				if len(r.best) == r.steps {
					return r.best
				}
			}
		}
	}
	return r.best
}

// fits tells whether the event at i may follow the one at last in a chain that
// began at first.
func (r *funnelRun) fits(times []int64, first, last, i int32) bool {
	return (r.within == 0 || times[i]-times[first] <= r.within) &&
		(r.gap == 0 || times[i]-times[last] <= r.gap)
}

func (r *funnelRun) direct(path []int32, times []int64) []int32 {
	for i := range path {
		n := 0
		for n < r.steps && i+n < len(path) && slices.Contains(r.stepsOf[path[i+n]], int32(n)) &&
			(n == 0 || r.fits(times, int32(i), int32(i+n-1), int32(i+n))) {
			n++
		}
		if n > len(r.best) {
			r.best = r.best[:0]
			for k := range n {
				r.best = append(r.best, int32(i+k))
			}
		}
	}
	return r.best
}

// anyOrder keeps the last event of each step. The first n steps are made when
// the events of all of them lie within the window that ends now.
func (r *funnelRun) anyOrder(path []int32, times []int64) []int32 {
	for s := range r.last {
		r.last[s] = None
	}
	for i, a := range path {
		for _, s := range r.stepsOf[a] {
			r.last[s] = int32(i)
		}
		n := 0
		for n < r.steps && r.last[n] != None && (r.within == 0 || times[i]-times[r.last[n]] <= r.within) {
			n++
		}
		if n > len(r.best) {
			r.best = append(r.best[:0], r.last[:n]...)
			slices.Sort(r.best)
		}
	}
	return r.best
}

// funnelTally is the sum over the cases of one goroutine.
type funnelTally struct {
	reached, open, lost []int
	waits               [][]int64
	next                [][]int // by step: by activity, nothing last
}

func newFunnelTally(steps, activities int) *funnelTally {
	t := &funnelTally{
		reached: make([]int, steps), open: make([]int, steps), lost: make([]int, steps),
		waits: make([][]int64, steps), next: make([][]int, steps),
	}
	for s := range t.next {
		t.next[s] = make([]int, activities+1)
	}
	return t
}

func (t *funnelTally) add(f *Funnel, l *Log, c int, chain []int32, end int64) {
	times := l.Times(c)
	for s, at := range chain {
		t.reached[s]++
		if s > 0 {
			t.waits[s] = append(t.waits[s], times[at]-times[chain[s-1]])
		}
	}
	if len(chain) == 0 || len(chain) == len(f.Steps) {
		return
	}
	s, at := len(chain)-1, chain[len(chain)-1]
	if f.open(end, times[chain[0]], times[at], times[len(times)-1]) {
		t.open[s]++
	} else {
		t.lost[s]++
	}
	next := len(t.next[s]) - 1
	if int(at)+1 < len(times) {
		next = int(l.Path(c)[at+1])
	}
	t.next[s][next]++
}

// open tells whether a case that began the funnel at first, made its last step
// at last and had its latest event at latest may still go on at end.
func (f *Funnel) open(end, first, last, latest int64) bool {
	within := func(limit time.Duration, since int64) bool {
		return limit == 0 || end-since <= limit.Microseconds()
	}
	limited := f.Within != 0 || f.Gap != 0 || f.Timeout != 0
	return limited && within(f.Within, first) && within(f.Gap, last) && within(f.Timeout, latest)
}

func mergeTallies(tallies []*funnelTally) []FunnelStep {
	out := make([]FunnelStep, len(tallies[0].reached))
	forEach(len(out), func(s int) {
		step := &out[s]
		var waits []int64
		next := make([]int, len(tallies[0].next[s]))
		for _, t := range tallies {
			step.Cases += t.reached[s]
			step.Open += t.open[s]
			step.Lost += t.lost[s]
			waits = append(waits, t.waits[s]...)
			for a, n := range t.next[s] {
				next[a] += n
			}
		}
		step.Wait = Describe(waits)
		step.Next = rankCounts(next)
	})
	return out
}

// rankCounts lists the counts above zero, largest first. The last place stands
// for None.
func rankCounts(counts []int) []Count {
	var out []Count
	for id, n := range counts {
		if n == 0 {
			continue
		}
		if id == len(counts)-1 {
			id = int(None)
		}
		out = append(out, Count{ID: int32(id), N: n})
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.ID, b.ID))
	})
	return out
}
