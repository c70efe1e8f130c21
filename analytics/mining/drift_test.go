package mining_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/analytics/mining"

	"omote/internal/testkit/shared"
)

func TestDrift(t *testing.T) {
	t.Parallel()
	a, b := compareLogs(t, 1000, 0.1, 1, 1)
	d := mining.FindDrift(a, b, 200, 1)
	if d.P > 0.01 || d.Divergence <= d.Noise || len(d.Edges) == 0 {
		t.Errorf("drift not found: %+v", d)
	}
	sum, shareA, shareB := 0.0, 0.0, 0.0
	for _, e := range d.Edges {
		sum, shareA, shareB = sum+e.Part, shareA+e.ShareA, shareB+e.ShareB
	}
	if math.Abs(sum-d.Divergence) > 1e-12 || math.Abs(shareA-1) > 1e-12 || math.Abs(shareB-1) > 1e-12 {
		t.Errorf("parts add up to %v of %v, shares to %v and %v", sum, d.Divergence, shareA, shareB)
	}
	if same := mining.FindDrift(a, a, 50, 1); same.Divergence != 0 || same.P != 1 {
		t.Errorf("drift from itself: %+v", same)
	}
	// Nothing in common: one bit.
	one, two := mining.NewBuilder(), mining.NewBuilder()
	one.Activity("a")
	two.Activity("a")
	one.Add(one.Case("x"), one.Activity("a"), 0)
	two.Add(two.Case("x"), two.Activity("b"), 0)
	one.Activity("b")
	l1, _ := one.Build(mining.FileOrder)
	l2, _ := two.Build(mining.FileOrder)
	if d := mining.FindDrift(l1, l2, 0, 1); math.Abs(d.Divergence-1) > 1e-12 {
		t.Errorf("divergence %v of disjoint paths", d.Divergence)
	}
}

// TestDriftWithoutChange: the test is exact, so at 10 % it is wrong in 10 %.
func TestDriftWithoutChange(t *testing.T) {
	t.Parallel()
	runs := 200
	if shared.Verify() {
		runs = 5000
	}
	wrong := 0
	for run := range runs {
		a, b := compareLogs(t, 100, 0, 1, uint64(run)+1000)
		if mining.FindDrift(a, b, 99, uint64(run)).P <= 0.1 {
			wrong++
		}
	}
	share := float64(wrong) / float64(runs)
	if share > 0.1+4*math.Sqrt(0.1*0.9/float64(runs)) {
		t.Errorf("%.1f%% of comparisons without change show a drift", 100*share)
	}
}

func TestMeasureOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type pair [2]int32
		nodes, edges := map[int32][]float64{}, map[pair][]float64{}
		b := mining.NewBuilder()
		type plainEvent struct {
			activity int32
			value    float64
		}
		cases := make([][]plainEvent, 4)
		for i := range rapid.IntRange(1, 30).Draw(t, "events") {
			c := rapid.IntRange(0, 3).Draw(t, "case")
			e := plainEvent{b.Activity(fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "activity"))), math.NaN()}
			b.Add(b.Case(fmt.Sprint(c)), e.activity, int64(i))
			if rapid.Bool().Draw(t, "measured") {
				e.value = float64(rapid.IntRange(-3, 3).Draw(t, "value"))
				b.SetNumber("feeling", e.value)
			}
			cases[c] = append(cases[c], e)
		}
		if rapid.Bool().Draw(t, "overwrite") {
			b.SetNumber("other", 1)
			b.SetNumber("other", 2)
		}
		for _, events := range cases {
			for i, e := range events {
				if math.IsNaN(e.value) {
					continue
				}
				nodes[e.activity] = append(nodes[e.activity], e.value)
				if i > 0 {
					p := pair{events[i-1].activity, e.activity}
					edges[p] = append(edges[p], e.value)
				}
			}
		}
		l, err := b.Build(mining.TimeOrder)
		if err != nil {
			t.Fatal(err)
		}
		g := mining.DirectlyFollows(l)
		m := mining.Measure(l, g, "feeling")
		if m == nil {
			if len(nodes) > 0 {
				t.Fatal("no measures")
			}
			return
		}
		mean := func(values []float64) (sum float64) {
			for _, v := range values {
				sum += v / float64(len(values))
			}
			return sum
		}
		for i, n := range g.Nodes {
			want := nodes[n.Activity]
			if int(m.Nodes[i].N) != len(want) || len(want) > 0 && !close(m.Nodes[i].Mean(), mean(want)) {
				t.Fatalf("activity %d: %+v, want %v", n.Activity, m.Nodes[i], want)
			}
		}
		for i, e := range g.Edges {
			want := edges[pair{e.Source, e.Target}]
			if int(m.Edges[i].N) != len(want) || len(want) > 0 && !close(m.Edges[i].Mean(), mean(want)) {
				t.Fatalf("edge %+v: %+v, want %v", e, m.Edges[i], want)
			}
		}
	})
}

func TestSnapshot(t *testing.T) {
	t.Parallel()
	l := loans() // A: 0, 24, 30 h; B: 5, 17 h; C: 50 h
	paid, _ := l.Activities().Lookup("paid out")
	e := mining.Ending{Success: []int32{paid}, Timeout: 20 * time.Hour}
	at := func(hour int64) string {
		text := ""
		for _, c := range mining.Snapshot(l, e, hour*int64(time.Hour/time.Microsecond)) {
			text += fmt.Sprintf("%s %d ", l.Activities().Name(c.ID), c.N)
		}
		return text
	}
	for hour, want := range map[int64]string{
		-1: "", 0: "applied 1 ", 5: "applied 2 ", 18: "applied 1 decided 1 ", 21: "decided 1 ", 29: "decided 2 ", 31: "decided 1 ", 40: "", 55: "applied 1 ",
	} {
		if got := at(hour); got != want {
			t.Errorf("after %d hours: %q, want %q", hour, got, want)
		}
	}
}

// TestHostileLogs runs everything over logs made to hurt.
func TestHostileLogs(t *testing.T) {
	t.Parallel()
	build := func(name string, events int, f func(b *mining.Builder, i int)) *mining.Log {
		b := mining.NewBuilder("channel")
		for i := range events {
			f(b, i)
		}
		l, err := b.Build(mining.TimeOrder)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return l
	}
	logs := map[string]*mining.Log{
		"one long case": build("long", 100_000, func(b *mining.Builder, i int) {
			b.Add(b.Case("x"), b.Activity(fmt.Sprint(i%7)), int64(i)*1e6, b.Value(0, fmt.Sprint(i%3)))
		}),
		"equal instants": build("equal", 50_000, func(b *mining.Builder, i int) {
			b.Add(b.Case(fmt.Sprint(i%500)), b.Activity(fmt.Sprint(i%11)), 0)
		}),
		"many activities": build("many", 50_000, func(b *mining.Builder, i int) {
			b.Add(b.Case(fmt.Sprint(i%5000)), b.Activity(fmt.Sprint(i%5000+i%3)), int64(i))
		}),
		"one event a case": build("single", 50_000, func(b *mining.Builder, i int) {
			b.Add(b.Case(fmt.Sprint(i)), b.Activity("a"), int64(50_000-i))
		}),
		"far apart": build("far", 100, func(b *mining.Builder, i int) {
			b.Add(b.Case(fmt.Sprint(i%3)), b.Activity("a"), []int64{-1 << 61, 0, 1 << 61}[i%3])
		}),
		"nothing": build("nothing", 0, nil),
	}
	for name, l := range logs {
		g := mining.DirectlyFollows(l)
		if g.Transitions != l.Events()-l.Cases() {
			t.Errorf("%s: %d transitions", name, g.Transitions)
		}
		mining.NewReport(l, name)
		mining.EventuallyFollows(l)
		mining.Sojourns(l)
		mining.HandOffs(l, "channel")
		mining.FitSilence(l, mining.Ending{}).Abandoned(0, 1)
		mining.FindDrift(l, l, 2, 1)
		grouped, _ := mining.GroupRare(l, 20, "other")
		small := mining.DirectlyFollows(grouped)
		if len(small.Nodes) > 21 {
			t.Errorf("%s: %d activities after grouping", name, len(small.Nodes))
		}
		mining.Layout(small, mining.Simplify(small, mining.SketchOptions{Edges: 30, Coverage: 0.9}).Edges)
		half, _ := l.Filter(mining.CasesWhere("half", func(c int) bool { return c%2 == 0 }))
		mining.Compare(l, half, 1, 0.95)
	}
}
