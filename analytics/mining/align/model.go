package align

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Step is one thing that the journey wants to happen.
type Step struct {
	ID string
	// Activities are the ids of the activities that fulfil it; any one will do.
	Activities []int32
	// MaxWait is the service standard: the longest time since the step before
	// it; zero means none.
	MaxWait time.Duration
}

// Node is a part of a map.
type Node struct {
	kind     kind
	step     Step
	children []Node
}

type kind uint8

const (
	kindTask kind = iota
	kindSequence
	kindChoice
	kindParallel
	kindOptional
	kindRepeat
)

// Task is a single step.
func Task(s Step) Node { return Node{kind: kindTask, step: s} }

// Sequence wants its parts one after the other. Without parts it wants nothing.
func Sequence(parts ...Node) Node { return Node{kind: kindSequence, children: parts} }

// Choice wants exactly one of its parts.
func Choice(parts ...Node) Node { return Node{kind: kindChoice, children: parts} }

// Parallel wants all its parts, in any order and interleaved.
func Parallel(parts ...Node) Node { return Node{kind: kindParallel, children: parts} }

// Optional allows to leave a part out entirely. Once it is begun it must be
// completed.
func Optional(part Node) Node { return Node{kind: kindOptional, children: []Node{part}} }

// Repeat allows a part to be done again any number of times. The step that
// begins it anew is never late.
func Repeat(part Node) Node { return Node{kind: kindRepeat, children: []Node{part}} }

// Options complete a map.
type Options struct {
	// Activities is the number of activities in the dictionary of the log.
	Activities int
	// Exceptions are activities that the map knows as things that should not
	// happen.
	Exceptions []int32
	// IgnoreUnknown leaves out events whose activity is neither bound to a step
	// nor an exception: they cost nothing and do not count as events.
	IgnoreUnknown bool
}

// Model is a compiled map. It is immutable and safe for concurrent use.
type Model struct {
	steps      []Step
	activities []activity
	start      fragment
	states     int
	timed      bool // some step has a standard
}

// activity is what the model knows of one activity.
type activity struct {
	moves []move
	cost  int32 // of an event of it that is no step
	kind  Extra
	step  int32 // the first step bound to it, or none
}

// move is a transition: an event of the activity makes the step.
type move struct {
	from, to int32
	step     int32
	skipped  []int32 // steps given up by this move
	maxWait  int64   // microseconds; 0: any
	repeat   bool
}

const none int32 = -1

// Errors of Compile for maps that are too large.
var (
	ErrTooWide = errors.New("align: the parallel parts of the map are too wide")
	ErrTooLong = fmt.Errorf("align: a map has at most %d steps", maxSteps)
)

// Bounds of a compiled map.
const (
	maxSteps  = 400
	maxStates = 20_000
)

// Compile makes a model of a map.
func Compile(root Node, o Options) (*Model, error) {
	m := &Model{activities: make([]activity, o.Activities)}
	f, err := m.compile(root)
	if err != nil {
		return nil, err
	}
	m.start, m.states = f, len(f.end)
	for a := range m.activities {
		m.activities[a] = activity{cost: 1, kind: Unknown, step: none}
		if o.IgnoreUnknown {
			m.activities[a].cost = 0
		}
	}
	for _, a := range o.Exceptions {
		if err := m.check(a); err != nil {
			return nil, err
		}
		m.activities[a] = activity{cost: 1, kind: Exception, step: none}
	}
	for i, s := range m.steps {
		m.timed = m.timed || s.MaxWait > 0
		for _, a := range s.Activities {
			if known := &m.activities[a]; known.step == none {
				*known = activity{cost: 1, kind: Repeated, step: int32(i)}
			}
		}
	}
	for from, fires := range f.fires {
		for _, fire := range fires {
			s := m.steps[fire.step]
			mv := move{from: int32(from), to: fire.to, step: fire.step, skipped: fire.skipped, repeat: fire.repeat}
			if !fire.repeat {
				mv.maxWait = s.MaxWait.Microseconds()
			}
			for i, a := range s.Activities {
				if !slices.Contains(s.Activities[:i], a) {
					m.activities[a].moves = append(m.activities[a].moves, mv)
				}
			}
		}
	}
	return m, nil
}

func (m *Model) check(a int32) error {
	if a < 0 || int(a) >= len(m.activities) {
		return fmt.Errorf("align: activity %d is not among the %d of the log", a, len(m.activities))
	}
	return nil
}

// Steps returns the steps of the map in the order in which they stand in it.
// The slice must not be changed.
func (m *Model) Steps() []Step { return m.steps }

// fragment is the automaton of a part of the map. A state says what has been
// done; state 0 is nothing yet. Steps are given up only when something later
// is done or the part ends, so that no state is about skipping.
type fragment struct {
	fires [][]fire  // what can be done in each state
	end   [][]int32 // steps given up when the part ends in each state
}

// fire is the doing of a step.
type fire struct {
	step, to int32
	skipped  []int32
	repeat   bool
}

func (m *Model) compile(n Node) (fragment, error) {
	switch n.kind {
	case kindTask:
		return m.compileTask(n.step)
	case kindOptional:
		f, err := m.compile(n.children[0])
		if err == nil {
			f.end[0] = nil
		}
		return f, err
	case kindRepeat:
		f, err := m.compile(n.children[0])
		if err == nil {
			f.loop()
		}
		return f, err
	}
	parts := make([]fragment, len(n.children))
	for i, child := range n.children {
		var err error
		if parts[i], err = m.compile(child); err != nil {
			return fragment{}, err
		}
	}
	join := map[kind]func(a, b fragment) fragment{kindSequence: sequence, kindChoice: choice, kindParallel: parallel}[n.kind]
	if len(parts) == 0 {
		if n.kind == kindChoice {
			return fragment{}, errors.New("align: a choice without parts")
		}
		return fragment{fires: [][]fire{nil}, end: [][]int32{nil}}, nil
	}
	f := parts[0]
	for _, p := range parts[1:] {
		if n.kind == kindParallel && len(f.end)*len(p.end) > maxStates || len(f.end)+len(p.end) > maxStates {
			return fragment{}, ErrTooWide
		}
		f = join(f, p)
	}
	return f, nil
}

func (m *Model) compileTask(s Step) (fragment, error) {
	if s.MaxWait < 0 {
		return fragment{}, fmt.Errorf("align: step %q has a negative standard", s.ID)
	}
	for _, a := range s.Activities {
		if err := m.check(a); err != nil {
			return fragment{}, fmt.Errorf("step %q: %w", s.ID, err)
		}
	}
	id := int32(len(m.steps))
	if id == maxSteps {
		return fragment{}, ErrTooLong
	}
	m.steps = append(m.steps, s)
	return fragment{
		fires: [][]fire{{{step: id, to: 1}}, nil},
		end:   [][]int32{{id}, nil},
	}, nil
}

// loop lets the part begin anew from every state but the first.
func (f *fragment) loop() {
	for s := 1; s < len(f.fires); s++ {
		for _, again := range f.fires[0] {
			again.repeat = true
			again.skipped = slices.Concat(f.end[s], again.skipped)
			f.fires[s] = append(f.fires[s], again)
		}
	}
}

// sequence: whatever begins b ends a. States of b but its first follow those
// of a.
func sequence(a, b fragment) fragment {
	offset := int32(len(a.end) - 1)
	out := fragment{}
	for s := range a.end {
		fires := slices.Clone(a.fires[s])
		for _, f := range b.fires[0] {
			f.skipped = slices.Concat(a.end[s], f.skipped)
			f.to += offset
			fires = append(fires, f)
		}
		out.fires = append(out.fires, fires)
		out.end = append(out.end, slices.Concat(a.end[s], b.end[0]))
	}
	return out.append(b, offset)
}

// choice: the first step of either part decides.
func choice(a, b fragment) fragment {
	offset := int32(len(a.end) - 1)
	out := fragment{fires: slices.Clone(a.fires), end: slices.Clone(a.end)}
	for _, f := range b.fires[0] {
		f.to += offset
		out.fires[0] = append(slices.Clip(out.fires[0]), f)
	}
	if len(b.end[0]) < len(a.end[0]) {
		out.end[0] = b.end[0]
	}
	return out.append(b, offset)
}

// append adds the states of b but its first.
func (f fragment) append(b fragment, offset int32) fragment {
	for s := 1; s < len(b.end); s++ {
		fires := slices.Clone(b.fires[s])
		for i := range fires {
			fires[i].to += offset
		}
		f.fires = append(f.fires, fires)
		f.end = append(f.end, b.end[s])
	}
	return f
}

// parallel: pairs of states, of which either part may go on.
func parallel(a, b fragment) fragment {
	width := int32(len(b.end))
	out := fragment{}
	for s := range a.end {
		for t := range b.end {
			var fires []fire
			for _, f := range a.fires[s] {
				f.to = f.to*width + int32(t)
				fires = append(fires, f)
			}
			for _, f := range b.fires[t] {
				f.to += int32(s) * width
				fires = append(fires, f)
			}
			out.fires = append(out.fires, fires)
			out.end = append(out.end, slices.Concat(a.end[s], b.end[t]))
		}
	}
	return out
}
