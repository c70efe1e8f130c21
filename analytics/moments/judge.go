package moments

import (
	"errors"
	"math"
	"slices"

	"omote/analytics/stats"
)

// Verdict says how well it is shown that a step is a moment of truth.
type Verdict uint8

// The verdicts, weakest first.
const (
	Insufficient Verdict = iota // too few customers, or none to compare with
	Unproven                    // the interval holds zero
	Probable                    // shown once
	Proven                      // shown in two periods separately
)

// String is the word for the verdict in machine form.
func (v Verdict) String() string {
	return [...]string{"insufficient", "unproven", "probable", "proven"}[v]
}

// Test is one hypothesis: a bad experience at a step raises a loss.
type Test struct {
	Step    int // of the journey
	Outcome int // of the outcomes given
	// Whole is the effect over all data, First and Second over the earlier and
	// the later half of the exposed; nil where nobody or everybody is exposed.
	Whole, First, Second *Result
	// Q is the p-value of Whole after control of the false discovery rate over
	// all hypotheses tested together; NaN where there is no effect.
	Q       float64
	Verdict Verdict
}

// Least is the number of exposed customers below which nothing is judged, and
// leastCases that of losses, among exposed and others together.
const (
	Least      = 100
	leastCases = 20
)

// TestSteps tests every step of a journey against every outcome. Bad runs are
// compared with the others of the same step. Judge gives the verdicts; call it
// with the tests of all journeys together.
func TestSteps(h *History, j Journey, outcomes []Outcome, o Options) ([]Test, error) {
	all := Runs(h, j)
	var tests []Test
	for step := range j.Steps {
		runs := ofStep(all, step)
		if len(runs) == 0 {
			continue
		}
		background := NewBackground(h, runs)
		for k, out := range outcomes {
			t, err := testStep(runs, background, h.outcome(runs, out), o)
			if err != nil {
				return nil, err
			}
			t.Step, t.Outcome = step, k
			tests = append(tests, t)
		}
	}
	return tests, nil
}

func ofStep(all []Run, step int) []Run {
	var runs []Run
	for _, r := range all {
		if r.Step == step {
			runs = append(runs, r)
		}
	}
	return runs
}

func testStep(runs []Run, b *Background, outcome []float64, o Options) (t Test, err error) {
	bad := func(r *Run) bool { return r.Level == Bad }
	middle := median(runs, outcome, bad)
	for _, part := range []struct {
		to   **Result
		keep func(*Run) bool
	}{
		{&t.Whole, func(*Run) bool { return true }},
		{&t.First, func(r *Run) bool { return r.At <= middle }},
		{&t.Second, func(r *Run) bool { return r.At > middle }},
	} {
		*part.to, err = Effect(b.study(runs, outcome, bad, part.keep), o)
		if errors.Is(err, ErrExposed) || errors.Is(err, errModel) {
			*part.to, err = nil, nil
		}
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

// median is the instant that halves the runs that count.
func median(runs []Run, outcome []float64, count func(*Run) bool) int64 {
	var at []int64
	for i := range runs {
		if count(&runs[i]) && !math.IsNaN(outcome[i]) {
			at = append(at, runs[i].At)
		}
	}
	if len(at) == 0 {
		return 0
	}
	slices.Sort(at)
	return at[(len(at)-1)/2]
}

// Judge gives each test its verdict and its q-value. rate is the false discovery
// rate that is allowed, such as 0.05.
//
//	insufficient  fewer than Least exposed customers, fewer than twenty losses in
//	              all, or no sound comparison (see [Overlap])
//	proven        q at most rate, and the interval of either half above zero
//	probable      q at most twice the rate, and the interval of the whole above zero
//	unproven      otherwise
func Judge(tests []Test, rate float64) {
	var known []int
	var p []float64
	for i := range tests {
		t := &tests[i]
		t.Q, t.Verdict = nan, Insufficient
		if t.enough() {
			known, p = append(known, i), append(p, t.Whole.P)
		}
	}
	for k, q := range stats.BenjaminiHochberg(p) {
		t := &tests[known[k]]
		t.Q = q
		switch {
		case q <= rate && above(t.Whole) && above(t.First) && above(t.Second):
			t.Verdict = Proven
		case q <= 2*rate && above(t.Whole):
			t.Verdict = Probable
		default:
			t.Verdict = Unproven
		}
	}
}

// Enough tells whether the test can be judged at all.
func (t *Test) enough() bool {
	r := t.Whole
	return r != nil && r.Customers >= Least && r.CasesExposed+r.CasesOthers >= leastCases && r.Overlap.Sound() && !math.IsNaN(r.Effect.Value)
}

func above(r *Result) bool { return r != nil && r.Effect.Low > 0 }

// Form is how an outcome depends on the quality of a step (Kano 1984; Mittal,
// Ross and Baldasare 1998 for the asymmetry).
type Form uint8

// The forms.
const (
	Unclear     Form = iota
	MustBe           // bad hurts at least twice as much as good helps
	Performance      // both about alike
	Delighter        // good helps at least twice as much as bad hurts
)

// String is the word for the form in machine form.
func (f Form) String() string {
	return [...]string{"unclear", "must_be", "performance", "delighter"}[f]
}

// Shape is the asymmetry of a step.
type Shape struct {
	// Penalty is the rise of the loss by a bad experience, Reward its fall by a
	// good one, each against an ordinary one; nil where it cannot be told.
	Penalty, Reward *Result
	Form            Form
	// Sure is the probability of the form, 0 to 1, given both estimates.
	Sure float64
}

// Asymmetry compares bad and good runs of a step with ordinary ones.
func Asymmetry(h *History, j Journey, step int, outcome Outcome, o Options) (Shape, error) {
	runs := ofStep(Runs(h, j), step)
	b := NewBackground(h, runs)
	y := h.outcome(runs, outcome)
	var s Shape
	for _, side := range []struct {
		level Level
		to    **Result
	}{{Bad, &s.Penalty}, {Good, &s.Reward}} {
		r, err := Effect(b.study(runs, y, func(r *Run) bool { return r.Level == side.level },
			func(r *Run) bool { return r.Level == side.level || r.Level == Ordinary }), o)
		if err != nil && !errors.Is(err, ErrExposed) && !errors.Is(err, errModel) {
			return s, err
		}
		if err == nil && r.Customers >= Least/2 {
			*side.to = r
		}
	}
	s.classify()
	return s, nil
}

// classify gives the form that most of the joint distribution of penalty and
// reward speaks for. Where neither differs from zero there is none.
func (s *Shape) classify() {
	if s.Penalty == nil || s.Reward == nil {
		return
	}
	if s.Penalty.Effect.Low <= 0 && s.Reward.Effect.High >= 0 {
		return
	}
	const grid = 40
	var weight [4]float64
	for i := range grid {
		for k := range grid {
			p := quantileOf(s.Penalty.Effect, (float64(i)+0.5)/grid)
			r := -quantileOf(s.Reward.Effect, (float64(k)+0.5)/grid) // a fall of the loss is a gain
			weight[formOf(max(p, 0), max(r, 0))]++
		}
	}
	for f, w := range weight {
		if share := w / (grid * grid); share > s.Sure {
			s.Form, s.Sure = Form(f), share
		}
	}
}

func formOf(penalty, reward float64) Form {
	switch {
	case penalty == 0 && reward == 0:
		return Unclear
	case penalty >= 2*reward:
		return MustBe
	case reward >= 2*penalty:
		return Delighter
	}
	return Performance
}

// quantileOf is a quantile of the normal distribution behind an estimate.
func quantileOf(e stats.Estimate, p float64) float64 {
	return e.Value + quantileNormal(p)*e.HalfWidth()/quantileNormal(0.5+e.Level/2)
}
