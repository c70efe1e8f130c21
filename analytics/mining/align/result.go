package align

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"omote/analytics/mining"
)

// Result sums up the alignments of all cases of a log.
type Result struct {
	Cases   int
	Cost    int     // of all cases
	Fitness float64 // mean over cases; 1 for a log without cases
	Perfect int     // cases without any deviation
	// Shared counts the cases that took over the alignment of their variant.
	Shared int
	// Of holds the cost and fitness of each case.
	Of []CaseFit
	// Steps tells how each step of the map fared.
	Steps []StepFit
	// Extras counts the events that are no step, by activity and kind, most
	// frequent first.
	Extras []ExtraCount
}

// CaseFit is how one case fits the map.
type CaseFit struct {
	Cost    int
	Fitness float64
}

// StepFit is how one step fared over all cases.
type StepFit struct {
	Step      int // index in [Model.Steps]
	Done      int // cases that made it
	Skipped   int // cases that should have and did not
	Late      int // cases in which it came later than its standard
	Repeated  int // extra events of it in cases that made it
	Misplaced int // events of it where the map does not want it, the step not made
	Clean     int // cases that made it in time and without extra events of it
	// Fitness is the share of clean cases among those that made or skipped it,
	// 1 when there are none.
	Fitness float64
	// Wait is the time since the step before it.
	Wait mining.Stats
}

// ExtraCount counts extra events.
type ExtraCount struct {
	Activity int32
	Kind     Extra
	Events   int
	Cases    int
}

// AlignLog aligns every case of a log.
func (m *Model) AlignLog(l *mining.Log) *Result {
	v := mining.FindVariants(l)
	plain := make([]*Alignment, len(v.List)) // without waits
	m.inBlocks(len(v.List), func(a *aligner, _ *tally, i int) {
		plain[i] = a.align(v.List[i].Path, nil)
	})
	r := &Result{Cases: l.Cases(), Of: make([]CaseFit, l.Cases())}
	tallies := m.inBlocks(l.Cases(), func(a *aligner, t *tally, c int) {
		own, times := plain[v.Of[c]], l.Times(c)
		if m.inTime(own, times, t) {
			t.shared++
		} else {
			own = a.align(l.Path(c), times)
			t.waits(own)
		}
		r.Of[c] = CaseFit{own.Cost, own.Fitness}
		t.add(own, l.Path(c), int32(c))
	})
	m.merge(r, tallies)
	return r
}

// inTime tells whether no step of an alignment found without waits is late for
// the instants of a case. If so it adds the waits to the tally.
func (m *Model) inTime(al *Alignment, times []int64, t *tally) bool {
	t.pending = t.pending[:0]
	before := -1
	var latest, at int64 // the running maximum of instants, here and at the match before
	next := 0
	for i := range al.Moves {
		mv := &al.Moves[i]
		if !mv.Match {
			continue
		}
		for ; next <= mv.Event; next++ {
			if next == 0 || times[next] > latest {
				latest = times[next]
			}
		}
		if before >= 0 {
			wait := latest - at
			if limit := m.steps[mv.Step].MaxWait.Microseconds(); limit > 0 && wait > limit && !mv.Again {
				return false
			}
			if !mv.Again {
				t.pending = append(t.pending, stepWait{mv.Step, wait})
			}
		}
		before, at = mv.Event, latest
	}
	for _, w := range t.pending {
		t.wait[w.step] = append(t.wait[w.step], w.wait)
	}
	return true
}

// inBlocks calls f for 0 to n-1; each goroutine has its own aligner and tally
// and takes the next block of work until none is left.
func (m *Model) inBlocks(n int, f func(a *aligner, t *tally, i int)) []*tally {
	const block = 64
	workers := max(1, min(runtime.GOMAXPROCS(0), n/block))
	tallies := make([]*tally, workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		tallies[w] = newTally(m)
		wg.Go(func() {
			a := m.newAligner()
			for {
				from := int(next.Add(block)) - block
				if from >= n {
					return
				}
				for i := from; i < min(n, from+block); i++ {
					f(a, tallies[w], i)
				}
			}
		})
	}
	wg.Wait()
	return tallies
}

// tally is the sum over the cases of one goroutine.
type tally struct {
	shared, perfect, cost int
	steps                 []StepFit
	wait                  [][]int64
	extras                map[extraKey]*ExtraCount
	lastCase              map[extraKey]int32
	pending               []stepWait
	marks                 [4][]int32 // by step: the last case, plus one, with the mark
}

// Marks of a step within the current case.
const (
	done = iota
	skipped
	late
	repeated
)

// mark marks a step for a case and tells whether that is new.
func (t *tally) mark(mark, step int, c int32) bool {
	if t.marks[mark][step] == c+1 {
		return false
	}
	t.marks[mark][step] = c + 1
	return true
}

type stepWait struct {
	step int
	wait int64
}

type extraKey struct {
	activity int32
	kind     Extra
}

func newTally(m *Model) *tally {
	n := len(m.steps)
	t := &tally{
		steps: make([]StepFit, n), wait: make([][]int64, n),
		extras: map[extraKey]*ExtraCount{}, lastCase: map[extraKey]int32{},
	}
	for mark := range t.marks {
		t.marks[mark] = make([]int32, n)
	}
	return t
}

// waits adds the waits of an alignment.
func (t *tally) waits(al *Alignment) {
	for _, mv := range al.Moves {
		if mv.Match && !mv.Again && mv.Wait >= 0 {
			t.wait[mv.Step] = append(t.wait[mv.Step], mv.Wait)
		}
	}
}

// add counts an alignment of a case.
func (t *tally) add(al *Alignment, path []int32, c int32) {
	t.cost += al.Cost
	if al.Cost == 0 {
		t.perfect++
	}
	for i := range al.Moves {
		mv := &al.Moves[i]
		switch {
		case mv.Event < 0:
			if t.mark(skipped, mv.Step, c) {
				t.steps[mv.Step].Skipped++
			}
		case !mv.Match:
			t.extra(mv, path[mv.Event], c)
		case mv.Late:
			if t.mark(late, mv.Step, c) {
				t.steps[mv.Step].Late++
			}
		}
	}
	for i := range al.Moves {
		mv := &al.Moves[i]
		if !mv.Match || !t.mark(done, mv.Step, c) {
			continue
		}
		s := &t.steps[mv.Step]
		s.Done++
		if t.marks[late][mv.Step] != c+1 && t.marks[repeated][mv.Step] != c+1 && t.marks[skipped][mv.Step] != c+1 {
			s.Clean++
		}
	}
}

func (t *tally) extra(mv *Move, activity, c int32) {
	key := extraKey{activity, mv.Extra}
	e := t.extras[key]
	if e == nil {
		e = &ExtraCount{Activity: activity, Kind: mv.Extra}
		t.extras[key] = e
	}
	e.Events++
	if t.lastCase[key] != c+1 {
		t.lastCase[key] = c + 1
		e.Cases++
	}
	switch mv.Extra {
	case Repeated:
		t.steps[mv.Step].Repeated++
		t.mark(repeated, mv.Step, c)
	case OutOfOrder:
		t.steps[mv.Step].Misplaced++
	}
}

func (m *Model) merge(r *Result, tallies []*tally) {
	r.Fitness = 1
	if r.Cases > 0 {
		sum := 0.0
		for _, c := range r.Of {
			sum += c.Fitness
		}
		r.Fitness = sum / float64(r.Cases)
	}
	extras := map[extraKey]*ExtraCount{}
	for _, t := range tallies {
		r.Cost += t.cost
		r.Perfect += t.perfect
		r.Shared += t.shared
		for key, e := range t.extras {
			if sum := extras[key]; sum != nil {
				sum.Events += e.Events
				sum.Cases += e.Cases
			} else {
				extras[key] = e
			}
		}
	}
	for _, e := range extras {
		r.Extras = append(r.Extras, *e)
	}
	slices.SortFunc(r.Extras, func(a, b ExtraCount) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Activity, b.Activity), cmp.Compare(a.Kind, b.Kind))
	})
	r.Steps = make([]StepFit, len(m.steps))
	for i := range r.Steps {
		s := &r.Steps[i]
		s.Step = i
		var waits []int64
		for _, t := range tallies {
			p := &t.steps[i]
			s.Done += p.Done
			s.Skipped += p.Skipped
			s.Late += p.Late
			s.Repeated += p.Repeated
			s.Misplaced += p.Misplaced
			s.Clean += p.Clean
			waits = append(waits, t.wait[i]...)
		}
		s.Wait = mining.Describe(waits)
		if s.Fitness = 1; s.Done+s.Skipped > 0 {
			s.Fitness = float64(s.Clean) / float64(s.Done+s.Skipped)
		}
	}
}
