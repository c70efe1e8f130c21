package align_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/analytics/mining/align"

	"omote/internal/testkit/shared"
)

// plan is a map in a form that the brute force understands.
type plan struct {
	kind  string // task, seq, choice, par, opt, rep
	step  int
	parts []*plan
}

// drawPlan draws a map with at most the given number of steps and returns it in
// both forms.
func drawPlan(t *rapid.T, steps *[]align.Step, budget, depth, activities int) (*plan, align.Node) {
	kinds := []string{"task"}
	if depth > 0 {
		kinds = append(kinds, "task", "opt", "rep", "seq", "seq", "choice", "par")
	}
	kind := rapid.SampledFrom(kinds).Draw(t, "kind")
	switch kind {
	case "task":
		s := align.Step{
			ID:         fmt.Sprint(len(*steps)),
			Activities: []int32{int32(rapid.IntRange(0, activities-1).Draw(t, "activity"))},
			MaxWait:    time.Duration(rapid.SampledFrom([]int{0, 0, 1, 2, 4}).Draw(t, "standard")) * time.Microsecond,
		}
		if rapid.IntRange(0, 3).Draw(t, "two") == 0 {
			s.Activities = append(s.Activities, int32(rapid.IntRange(0, activities-1).Draw(t, "second")))
		}
		*steps = append(*steps, s)
		return &plan{kind: kind, step: len(*steps) - 1}, align.Task(s)
	case "opt", "rep":
		p, n := drawPlan(t, steps, budget, depth-1, activities)
		if kind == "opt" {
			return &plan{kind: kind, parts: []*plan{p}}, align.Optional(n)
		}
		return &plan{kind: kind, parts: []*plan{p}}, align.Repeat(n)
	}
	out := &plan{kind: kind}
	var nodes []align.Node
	for range rapid.IntRange(2, 3).Draw(t, "parts") {
		if len(*steps) >= budget {
			break
		}
		p, n := drawPlan(t, steps, budget, depth-1, activities)
		out.parts, nodes = append(out.parts, p), append(nodes, n)
	}
	if len(nodes) == 0 {
		return &plan{kind: "seq"}, align.Sequence()
	}
	switch kind {
	case "seq":
		return out, align.Sequence(nodes...)
	case "choice":
		return out, align.Choice(nodes...)
	}
	return out, align.Parallel(nodes...)
}

// done is a step of a run; again marks the first step of a repetition.
type done struct {
	step  int
	again bool
}

// enumerator lists runs as long as there are not too many.
type enumerator struct{ repetitions, left int }

// runs lists all runs of the map with at most so many repetitions of each part
// that may be repeated.
func (e *enumerator) runs(p *plan) [][]done {
	switch p.kind {
	case "task":
		return [][]done{{{step: p.step}}}
	case "opt":
		return append([][]done{nil}, e.runs(p.parts[0])...)
	case "rep":
		once := e.runs(p.parts[0])
		out, last := once, once
		for range e.repetitions {
			var more [][]done
			for _, a := range last {
				for _, b := range once {
					if e.left--; len(a) > 0 && len(b) > 0 && e.left > 0 {
						again := slices.Clone(b)
						again[0].again = true
						more = append(more, slices.Concat(a, again))
					}
				}
			}
			out, last = append(out, more...), more
		}
		return out
	case "choice":
		var out [][]done
		for _, part := range p.parts {
			out = append(out, e.runs(part)...)
		}
		return out
	}
	out := [][]done{nil}
	for _, part := range p.parts {
		var next [][]done
		runs := e.runs(part)
		for _, a := range out {
			for _, b := range runs {
				if p.kind == "seq" {
					e.left--
					next = append(next, slices.Concat(a, b))
				} else {
					next = append(next, e.shuffles(a, b)...)
				}
				if e.left < 0 {
					return nil
				}
			}
		}
		out = next
	}
	return out
}

// shuffles lists all ways to interleave two runs.
func (e *enumerator) shuffles(a, b []done) [][]done {
	if e.left--; e.left < 0 {
		return nil
	}
	if len(a) == 0 || len(b) == 0 {
		return [][]done{slices.Concat(a, b)}
	}
	var out [][]done
	for _, rest := range e.shuffles(a[1:], b) {
		out = append(out, append([]done{a[0]}, rest...))
	}
	for _, rest := range e.shuffles(a, b[1:]) {
		out = append(out, append([]done{b[0]}, rest...))
	}
	return out
}

// bruteForce tries every way to match a run with the events.
type bruteForce struct {
	steps   []align.Step
	path    []int32
	times   []int64
	ignored []bool // by activity
	known   map[todo]int
}

// todo is what is left to explain: events from i on by the run from r on, after
// a match of the event last (-1: none yet). When the first step of a repetition
// was skipped, the next one begins it.
type todo struct {
	i, r, last int
	again      bool
}

func (b *bruteForce) cost(run []done) int {
	b.known = map[todo]int{}
	return b.from(run, todo{last: -1})
}

func (b *bruteForce) from(run []done, x todo) int {
	if cost, ok := b.known[x]; ok {
		return cost
	}
	best := math.MaxInt
	if x.r == len(run) && x.i == len(b.path) {
		best = 0
	}
	again := x.r < len(run) && (x.again || run[x.r].again)
	if x.r < len(run) {
		best = min(best, 1+b.from(run, todo{x.i, x.r + 1, x.last, again}))
	}
	if x.i < len(b.path) {
		extra := 1
		if b.ignored[b.path[x.i]] {
			extra = 0
		}
		best = min(best, extra+b.from(run, todo{x.i + 1, x.r, x.last, x.again}))
	}
	if x.i < len(b.path) && x.r < len(run) && slices.Contains(b.steps[run[x.r].step].Activities, b.path[x.i]) {
		late := 0
		limit := b.steps[run[x.r].step].MaxWait.Microseconds()
		if limit > 0 && x.last >= 0 && b.times[x.i]-b.times[x.last] > limit && !again {
			late = 1
		}
		best = min(best, late+b.from(run, todo{x.i + 1, x.r + 1, x.i, false}))
	}
	b.known[x] = best
	return best
}

func TestAlignOracle(t *testing.T) {
	t.Parallel()
	maps := 3000
	if shared.Verify() {
		maps = 50_000
	}
	for range maps / 100 { // rapid draws a hundred at a time
		rapid.Check(t, checkAgainstBruteForce)
	}
}

func checkAgainstBruteForce(t *rapid.T) {
	const activities = 5
	var steps []align.Step
	p, root := drawPlan(t, &steps, 5, 3, activities)
	o := align.Options{Activities: activities, IgnoreUnknown: rapid.Bool().Draw(t, "ignore")}
	if rapid.Bool().Draw(t, "exception") {
		o.Exceptions = []int32{4}
	}
	m, err := align.Compile(root, o)
	if err != nil {
		t.Fatal(err)
	}
	b := &bruteForce{steps: steps, ignored: make([]bool, activities)}
	for a := range b.ignored {
		bound := slices.ContainsFunc(steps, func(s align.Step) bool { return slices.Contains(s.Activities, int32(a)) })
		b.ignored[a] = o.IgnoreUnknown && !bound && !slices.Contains(o.Exceptions, int32(a))
	}
	now := int64(0)
	for range rapid.IntRange(0, 6).Draw(t, "events") {
		now += int64(rapid.IntRange(0, 3).Draw(t, "wait"))
		b.path = append(b.path, int32(rapid.IntRange(0, activities-1).Draw(t, "activity")))
		b.times = append(b.times, now)
	}
	// A repetition that matches no event is of no use, so more than one for
	// each event need not be tried.
	e := &enumerator{repetitions: len(b.path), left: 500}
	all := e.runs(p)
	if e.left <= 0 {
		t.Skip("too many runs to try")
	}
	want := math.MaxInt
	for _, run := range all {
		want = min(want, b.cost(run))
	}
	got := m.Align(b.path, b.times)
	if got.Cost != want {
		t.Fatalf("cost %d, want %d, for %v at %v by %+v", got.Cost, want, b.path, b.times, steps)
	}
	if err := consistent(m, got, b); err != nil {
		t.Fatalf("%v: %+v", err, got)
	}
}

// consistent checks an alignment against the events it explains.
func consistent(m *align.Model, a *align.Alignment, b *bruteForce) error {
	cost, next := 0, 0
	last := int64(-1)
	for _, mv := range a.Moves {
		if mv.Event >= 0 {
			for ; next < mv.Event; next++ {
				if !b.ignored[b.path[next]] {
					return fmt.Errorf("event %d is left out", next)
				}
			}
			next++
		}
		switch {
		case mv.Event < 0:
			cost++
		case !mv.Match:
			cost++
		default:
			s := m.Steps()[mv.Step]
			if !slices.Contains(s.Activities, b.path[mv.Event]) {
				return fmt.Errorf("event %d cannot make step %d", mv.Event, mv.Step)
			}
			wait := int64(-1)
			if last >= 0 {
				wait = b.times[mv.Event] - last
			}
			late := s.MaxWait > 0 && wait > s.MaxWait.Microseconds() && !mv.Again
			if mv.Wait != wait || mv.Late != late {
				return fmt.Errorf("step %d: wait %d, want %d", mv.Step, mv.Wait, wait)
			}
			if late {
				cost++
			}
			last = b.times[mv.Event]
		}
	}
	for ; next < len(b.path); next++ {
		if !b.ignored[b.path[next]] {
			return fmt.Errorf("event %d is left out", next)
		}
	}
	if cost != a.Cost {
		return fmt.Errorf("moves cost %d, not %d", cost, a.Cost)
	}
	if want := 1 - float64(cost)/float64(max(1, len(m.Steps())+a.Events)); math.Abs(a.Fitness-want) > 1e-12 || a.Fitness < 0 {
		return fmt.Errorf("fitness %v, want %v", a.Fitness, want)
	}
	return nil
}
