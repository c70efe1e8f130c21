package align

import (
	"math"
	"sort"
)

// Extra says why an event is no step.
type Extra uint8

// The kinds of extra events.
const (
	Unknown    Extra = iota // its activity is not in the map
	Exception               // the map knows it as something that should not happen
	Repeated                // its step was made by another event
	OutOfOrder              // its step was not made: it came where the map does not want it
)

// String returns the kind in words.
func (e Extra) String() string {
	return [...]string{"unknown", "exception", "repeated", "out of order"}[e]
}

// Move is one element of an alignment.
type Move struct {
	// Step is the index of the step in [Model.Steps], or -1 for an extra event
	// whose activity is bound to none.
	Step int
	// Event is the position in the case, or -1 for a skipped step.
	Event int
	// Match is true when the event makes the step.
	Match bool
	// Again is true for a match that the map allows as a repetition.
	Again bool
	// Late is true for a match after a longer wait than the step's standard.
	Late bool
	// Wait is the time since the step before in microseconds; -1 for the first
	// match, for moves that are no match, and without instants.
	Wait int64
	// Extra says why an event is no step.
	Extra Extra
}

// Alignment is the cheapest explanation of a case.
type Alignment struct {
	Cost    int
	Events  int     // that count: all but ignored ones
	Fitness float64 // 0 to 1
	// Moves are in the order of the events; ignored events have none.
	Moves []Move
}

// aligner holds the working memory for alignments by one goroutine.
type aligner struct {
	m       *Model
	ways    [][]way // by state: rising in time and cost
	used    []int32 // states with ways
	matches []match
	fresh   []candidate
	best    []int32 // by state: index in fresh, plus one, of the current event
	extras  []int32 // extras[i]: cost of the events before i if none is a step
	clock   []int64
}

// way is a way to have reached a state. Its cost is reckoned without the
// extra events that are still to come: add extras at the event in question.
type way struct {
	time  int64 // of its last match
	cost  int32
	match int32 // index in matches, or none
}

// match is an event that makes a step, with the match before it.
type match struct {
	event  int32
	move   *move
	before int32
	late   bool
}

// candidate is the best way found so far to match the current event into a
// state.
type candidate struct {
	cost   int32
	move   *move
	before int32
	late   bool
}

func (m *Model) newAligner() *aligner {
	return &aligner{m: m, ways: make([][]way, m.states), best: make([]int32, m.states)}
}

// Align explains one case: its activities and instants in UTC microseconds, in
// order. Where an instant is earlier than one before it, the wait is reckoned
// as if it were equal. Without instants nothing is late.
func (m *Model) Align(path []int32, times []int64) *Alignment {
	return m.newAligner().align(path, times)
}

func (a *aligner) align(path []int32, times []int64) *Alignment {
	cost, last := a.run(path, times)
	return a.explain(path, times != nil, cost, last)
}

// run computes the cost of the case and its last match in the cheapest
// alignment.
func (a *aligner) run(path []int32, times []int64) (cost int32, last int32) {
	a.reset(path, times)
	a.ways[0] = append(a.ways[0], way{time: math.MaxInt64, match: none})
	a.used = append(a.used, 0)
	for i, activity := range path {
		a.consider(int32(i), a.m.activities[activity].moves)
		a.accept(int32(i))
	}
	cost, last = math.MaxInt32, none
	all := a.extras[len(path)]
	for _, s := range a.used {
		cheapest := a.ways[s][0] // rising in cost
		if c := cheapest.cost + all + int32(len(a.m.start.end[s])); c < cost {
			cost, last = c, cheapest.match
		}
	}
	return cost, last
}

func (a *aligner) reset(path []int32, times []int64) {
	for _, s := range a.used {
		a.ways[s] = a.ways[s][:0]
	}
	a.used, a.matches = a.used[:0], a.matches[:0]
	a.extras, a.clock = append(a.extras[:0], 0), a.clock[:0]
	for i, activity := range path {
		a.extras = append(a.extras, a.extras[i]+a.m.activities[activity].cost)
		var now int64
		if times != nil {
			if now = times[i]; i > 0 {
				now = max(now, a.clock[i-1])
			}
		}
		a.clock = append(a.clock, now)
	}
}

// consider finds the cheapest way to match event i into each state.
func (a *aligner) consider(i int32, moves []move) {
	a.fresh = a.fresh[:0]
	for k := range moves {
		mv := &moves[k]
		ways := a.ways[mv.from]
		if len(ways) == 0 {
			continue
		}
		chosen, late := ways[0], int32(0)
		if earliest := a.clock[i] - mv.maxWait; mv.maxWait > 0 && chosen.time < earliest {
			late = 1
			at := sort.Search(len(ways), func(k int) bool { return ways[k].time >= earliest })
			if at < len(ways) && ways[at].cost <= chosen.cost+1 {
				chosen, late = ways[at], 0
			}
		}
		c := candidate{
			cost: chosen.cost + a.extras[i] + int32(len(mv.skipped)) + late,
			move: mv, before: chosen.match, late: late == 1,
		}
		if at := a.best[mv.to]; at == 0 {
			a.fresh = append(a.fresh, c)
			a.best[mv.to] = int32(len(a.fresh))
		} else if c.cost < a.fresh[at-1].cost {
			a.fresh[at-1] = c
		}
	}
}

// accept adds the matches of event i to the ways, dropping those that they
// make superfluous: earlier ones that cost more.
func (a *aligner) accept(i int32) {
	for _, c := range a.fresh {
		s := c.move.to
		a.best[s] = 0
		w := way{time: a.clock[i], cost: c.cost - a.extras[i+1], match: int32(len(a.matches))}
		a.matches = append(a.matches, match{event: i, move: c.move, before: c.before, late: c.late})
		ways := a.ways[s]
		if len(ways) == 0 {
			a.used = append(a.used, s)
		}
		for len(ways) > 0 && ways[len(ways)-1].cost > w.cost {
			ways = ways[:len(ways)-1]
		}
		a.ways[s] = append(ways, w)
	}
}

// explain writes out the alignment that ends with the given match.
func (a *aligner) explain(path []int32, timed bool, cost, last int32) *Alignment {
	var chain []match
	state := int32(0)
	if last != none {
		state = a.matches[last].move.to
	}
	for at := last; at != none; at = a.matches[at].before {
		chain = append(chain, a.matches[at])
	}
	made := make([]bool, len(a.m.steps))
	for _, c := range chain {
		made[c.move.step] = true
	}
	out := &Alignment{Cost: int(cost), Events: int(a.extras[len(path)])}
	extras := func(from, to int32) {
		for i := from; i < to; i++ {
			if mv, ok := a.extra(i, path[i], made); ok {
				out.Moves = append(out.Moves, mv)
			}
		}
	}
	skips := func(steps []int32) {
		for _, s := range steps {
			out.Moves = append(out.Moves, Move{Step: int(s), Event: -1, Wait: -1})
		}
	}
	next, before := int32(0), none
	for k := len(chain) - 1; k >= 0; k-- {
		c := chain[k]
		extras(next, c.event)
		skips(c.move.skipped)
		mv := Move{Step: int(c.move.step), Event: int(c.event), Match: true, Again: c.move.repeat, Late: c.late, Wait: -1}
		if before != none && timed {
			mv.Wait = a.clock[c.event] - a.clock[before]
		}
		out.Moves = append(out.Moves, mv)
		next, before = c.event+1, c.event
	}
	extras(next, int32(len(path)))
	skips(a.m.start.end[state])
	out.Fitness = a.m.fitness(out.Cost, out.Events)
	return out
}

// extra describes an event that is no step; false when it is ignored.
func (a *aligner) extra(i, activity int32, made []bool) (Move, bool) {
	known := &a.m.activities[activity]
	if known.cost == 0 {
		return Move{}, false
	}
	mv := Move{Step: int(known.step), Event: int(i), Extra: known.kind, Wait: -1}
	if known.kind == Repeated && !made[known.step] {
		mv.Extra = OutOfOrder
	}
	return mv, true
}

func (m *Model) fitness(cost, events int) float64 {
	if len(m.steps)+events == 0 {
		return 1
	}
	return 1 - float64(cost)/float64(len(m.steps)+events)
}
