package conform

import (
	"omote/internal/journey/blueprint"
)

// Signal is a kind of sign by which the bank learns how a step goes.
type Signal string

// The kinds of signal.
const (
	SignalEvent Signal = "event" // it is seen to happen
	SignalWait  Signal = "wait"  // its wait is measured against a standard
	SignalScore Signal = "score" // customers rate it
	SignalWords Signal = "words" // customers say something about it
	SignalHand  Signal = "hand"  // its hand-off to a person is seen
)

// Signals lists the kinds in their order.
var Signals = []Signal{SignalEvent, SignalWait, SignalScore, SignalWords, SignalHand}

// Answers are the answers and comments that an event triggered.
type Answers struct{ Scores, Words int64 }

// StepCoverage is what is known of one step.
type StepCoverage struct {
	Step string
	// Reach is how many cases came to the step; where no event shows it, that of
	// the nearest step before it that one shows.
	Reach         int
	Has           map[Signal]bool
	Scores, Words int64
}

// Depth is the share of the kinds of signal that the step has, 0 to 1.
func (s StepCoverage) Depth() float64 { return float64(len(s.Has)) / float64(len(Signals)) }

// Blind tells that nothing about feeling is known of a step that is reached.
func (s StepCoverage) Blind() bool { return !s.Has[SignalScore] && !s.Has[SignalWords] }

// Coverage is how much of a journey the bank sees (requirement 001-05).
type Coverage struct {
	Steps []StepCoverage
	// Breadth is the share of reach that falls on steps with a signal of feeling;
	// Depth the mean depth of steps, weighted by reach.
	Breadth, Depth float64
}

// Cover computes the coverage of a journey from its conformance and from the
// answers by the event that triggered them.
func Cover(d *blueprint.Document, r *Report, answers map[string]Answers) Coverage {
	var c Coverage
	reach, total, felt, depth := 0, 0.0, 0.0, 0.0
	for _, s := range d.Steps() {
		sc := StepCoverage{Step: s.ID, Has: map[Signal]bool{}}
		if sr := r.Step(s.ID); sr != nil {
			reach = sr.Done
			if sr.Done > 0 {
				sc.Has[SignalEvent] = true
			}
			if s.MaxWait > 0 && sr.Waits > 0 {
				sc.Has[SignalWait] = true
			}
		}
		sc.Reach = reach
		for _, e := range s.Events {
			sc.Scores += answers[e].Scores
			sc.Words += answers[e].Words
		}
		if sc.Scores > 0 {
			sc.Has[SignalScore] = true
		}
		if sc.Words > 0 {
			sc.Has[SignalWords] = true
		}
		for _, h := range s.Handoffs {
			if h.Event != "" && r.seen(h.Event) {
				sc.Has[SignalHand] = true
			}
		}
		total += float64(reach)
		depth += float64(reach) * sc.Depth()
		if !sc.Blind() {
			felt += float64(reach)
		}
		c.Steps = append(c.Steps, sc)
	}
	if total > 0 {
		c.Breadth, c.Depth = felt/total, depth/total
	}
	return c
}

// seen tells whether an event occurs beside the steps.
func (r *Report) seen(event string) bool {
	for _, x := range r.Extras {
		if x.Event == event {
			return true
		}
	}
	return false
}
