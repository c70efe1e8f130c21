package align_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/analytics/mining"
	"omote/analytics/mining/align"
	"omote/analytics/xes"

	"omote/internal/testkit/shared"
)

// bpic2012 returns the real loan log of the shared data, or skips the test.
func bpic2012(tb testing.TB) *mining.Log {
	tb.Helper()
	r := xes.NewReader(bytes.NewReader(shared.Read(tb, "eventlogs/bpic2012/BPI_Challenge_2012.xes.gz")))
	defer r.Close()
	l, _, err := mining.FromXES(r, mining.XESOptions{Order: mining.TimeOrder})
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// loanMap is a designed map of twelve steps for the log.
func loanMap(tb testing.TB, l *mining.Log) *align.Model {
	tb.Helper()
	task := func(name string, wait time.Duration) align.Node {
		id, ok := l.Activities().Lookup(name)
		if !ok {
			tb.Fatalf("no activity %q", name)
		}
		return align.Task(align.Step{ID: name, Activities: []int32{id}, MaxWait: wait})
	}
	const day = 24 * time.Hour
	m, err := align.Compile(align.Sequence(
		task("A_SUBMITTED", 0),
		task("A_PARTLYSUBMITTED", time.Minute),
		task("A_PREACCEPTED", day),
		align.Repeat(task("W_Completeren aanvraag", day)),
		task("A_ACCEPTED", 3*day),
		align.Parallel(task("A_FINALIZED", time.Hour), align.Sequence(task("O_SELECTED", time.Hour), task("O_CREATED", time.Minute), task("O_SENT", time.Minute))),
		align.Repeat(task("W_Nabellen offertes", 7*day)),
		task("O_SENT_BACK", 30*day),
		align.Choice(task("O_ACCEPTED", 7*day), align.Optional(task("O_DECLINED", 7*day))),
	), align.Options{Activities: l.Activities().Len()})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// TestAlignLogAgreesWithAlign checks that sharing alignments between cases of a
// variant changes nothing, and that the sums are those of the cases.
func TestAlignLogAgreesWithAlign(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const activities = 4
		var steps []align.Step
		_, root := drawPlan(t, &steps, 5, 3, activities)
		m, err := align.Compile(root, align.Options{Activities: activities, Exceptions: []int32{3}})
		if err != nil {
			t.Fatal(err)
		}
		b := mining.NewBuilder()
		for a := range activities {
			b.Activity(fmt.Sprint(a))
		}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			b.Add(int32(b.Case(fmt.Sprint(rapid.IntRange(0, 15).Draw(t, "case")))),
				int32(rapid.IntRange(0, activities-1).Draw(t, "activity")), int64(rapid.IntRange(0, 9).Draw(t, "time")))
		}
		l, err := b.Build(mining.TimeOrder)
		if err != nil {
			t.Fatal(err)
		}
		r := m.AlignLog(l)
		cost, perfect, skipped, late, waits, extras := 0, 0, 0, 0, 0, 0
		fitness := 0.0
		for c := range l.Cases() {
			one := m.Align(l.Path(c), l.Times(c))
			if r.Of[c].Cost != one.Cost || r.Of[c].Fitness != one.Fitness {
				t.Fatalf("case %d: %+v, alone %+v", c, r.Of[c], one)
			}
			cost += one.Cost
			fitness += one.Fitness
			if one.Cost == 0 {
				perfect++
			}
		}
		for _, s := range r.Steps {
			skipped, late, waits = skipped+s.Skipped, late+s.Late, waits+s.Wait.N
			if s.Clean > s.Done || s.Done > r.Cases || s.Fitness < 0 || s.Fitness > 1 {
				t.Fatalf("step %+v", s)
			}
		}
		for _, e := range r.Extras {
			extras += e.Events
		}
		if r.Cost != cost || r.Perfect != perfect || math.Abs(r.Fitness-fitness/float64(r.Cases)) > 1e-12 {
			t.Fatalf("sums %+v, want cost %d and %d perfect", r, cost, perfect)
		}
		if skipped+late+extras > cost { // repetitions may skip a step twice in a case
			t.Fatalf("%d skipped, %d late, %d extra, but cost %d", skipped, late, extras, cost)
		}
	})
}

func TestAlignBPIC2012(t *testing.T) {
	t.Parallel()
	l := bpic2012(t)
	m := loanMap(t, l)
	r := m.AlignLog(l)
	if r.Cases != 13_087 || r.Steps[0].Done != 13_087 || r.Steps[2].Done != 7367 || r.Steps[2].Skipped != 13_087-7367 {
		t.Errorf("%d cases, steps %+v", r.Cases, r.Steps[:3])
	}
	if r.Shared == 0 || r.Shared == r.Cases {
		t.Errorf("%d cases share an alignment", r.Shared)
	}
	// A case that was declined at once makes the first two steps and skips the
	// other nine (the last choice may be left out); its third event is unknown to
	// the map.
	v := mining.FindVariants(l)
	first := r.Of[v.List[0].First]
	if want := 9 + 1; first.Cost != want {
		t.Errorf("most frequent variant costs %d, want %d", first.Cost, want)
	}
}

func TestAlignLongCase(t *testing.T) {
	t.Parallel()
	const n = 100_000
	random := rand.New(rand.NewPCG(1, 1))
	path, times := make([]int32, n), make([]int64, n)
	for i := range path {
		path[i] = int32(random.IntN(8))
		times[i] = int64(i) * int64(time.Hour/time.Microsecond)
	}
	var nodes []align.Node
	for a := range int32(8) {
		nodes = append(nodes, align.Repeat(align.Task(align.Step{Activities: []int32{a}, MaxWait: 5 * time.Hour})))
	}
	m, err := align.Compile(align.Sequence(nodes...), align.Options{Activities: 8})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Align(path, times); got.Cost == 0 || got.Cost > n || len(got.Moves) < n {
		t.Errorf("cost %d with %d moves", got.Cost, len(got.Moves))
	}
}

func TestAlignEdges(t *testing.T) {
	t.Parallel()
	task := func(a int32) align.Node { return align.Task(align.Step{Activities: []int32{a}}) }
	compile := func(n align.Node) *align.Model {
		m, err := align.Compile(n, align.Options{Activities: 3})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	empty := compile(align.Sequence())
	if got := empty.Align(nil, nil); got.Cost != 0 || got.Fitness != 1 {
		t.Errorf("nothing by nothing: %+v", got)
	}
	if got := empty.Align([]int32{0, 1}, nil); got.Cost != 2 || got.Fitness != 0 {
		t.Errorf("events by nothing: %+v", got)
	}
	if got := compile(align.Sequence(task(0), task(1))).Align(nil, nil); got.Cost != 2 || got.Fitness != 0 {
		t.Errorf("nothing by steps: %+v", got)
	}
	got := compile(align.Sequence(task(0), task(1))).Align([]int32{0, 0, 2, 1}, nil)
	if got.Cost != 2 || got.Moves[0].Event != 0 || !got.Moves[0].Match || got.Moves[1].Extra != align.Repeated || got.Moves[2].Extra != align.Unknown {
		t.Errorf("the first event should make the step, the second repeat it: %+v", got)
	}
	got = compile(align.Sequence(task(0), task(1))).Align([]int32{1, 0}, nil)
	if got.Cost != 2 {
		t.Errorf("swapped: %+v", got)
	}
	// Instants that fall are taken as equal to the latest before them.
	m, err := align.Compile(align.Sequence(task(0), align.Task(align.Step{Activities: []int32{1}, MaxWait: time.Second})), align.Options{Activities: 3})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Align([]int32{0, 2, 1}, []int64{0, 5e6, 1e6}); got.Cost != 2 || !got.Moves[2].Late || got.Moves[2].Wait != 5e6 {
		t.Errorf("falling instants: %+v", got)
	}
	if empty, _ := oneEvent(t).Filter(mining.CasesWith()); m.AlignLog(empty).Fitness != 1 {
		t.Error("fitness of a log without cases")
	}
}

// oneEvent returns a log of one event.
func oneEvent(t *testing.T) *mining.Log {
	t.Helper()
	b := mining.NewBuilder()
	b.Add(b.Case("x"), b.Activity("a"), 0)
	l, err := b.Build(mining.FileOrder)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	task := func(a int32) align.Node { return align.Task(align.Step{ID: "x", Activities: []int32{a}}) }
	for name, n := range map[string]align.Node{
		"unknown activity": task(9),
		"negative":         align.Sequence(align.Task(align.Step{MaxWait: -1})),
		"empty choice":     align.Choice(),
		"long":             align.Sequence(repeated(500, task(0))...),
		"wide":             align.Optional(align.Repeat(align.Parallel(repeated(30, task(0))...))),
	} {
		if _, err := align.Compile(n, align.Options{Activities: 3}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := align.Compile(task(0), align.Options{Activities: 3, Exceptions: []int32{3}}); err == nil {
		t.Error("unknown exception: no error")
	}
}

func repeated(times int, n align.Node) []align.Node {
	out := make([]align.Node, times)
	for i := range out {
		out[i] = n
	}
	return out
}

func BenchmarkAlignBPIC2012(b *testing.B) {
	l := bpic2012(b)
	m := loanMap(b, l)
	b.ReportAllocs()
	for b.Loop() {
		m.AlignLog(l)
	}
}
