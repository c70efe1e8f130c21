package stream_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"omote/analytics/mining"
	"omote/analytics/mining/stream"
)

// memory is a store of byte slices.
type memory map[string]*bytes.Buffer

type file struct{ *bytes.Buffer }

func (file) Close() error { return nil }

func (m memory) Create(name string) (io.WriteCloser, error) {
	m[name] = &bytes.Buffer{}
	return file{m[name]}, nil
}

func (m memory) Open(name string) (io.ReadCloser, error) {
	if m[name] == nil {
		return nil, fmt.Errorf("no %s", name)
	}
	return io.NopCloser(bytes.NewReader(m[name].Bytes())), nil
}

func (m memory) Remove(name string) error {
	delete(m, name)
	return nil
}

// Mining by parts gives what mining in memory gives, however the events are cut.
func TestPartsEqualTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		activities := mining.NewDict("a", "b", "c", "d", "e")
		order := rapid.SampledFrom([]mining.Order{mining.FileOrder, mining.TimeOrder}).Draw(t, "order")
		store := memory{}
		// With so many events expected there are several parts; the memory makes
		// bins, values and lone values all come to pass.
		w, err := stream.NewWriter(store, activities, stream.Options{Memory: 16 << 20, Events: rapid.Int64Range(0, 2_000_000).Draw(t, "expected"), Order: order})
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(1, 400).Draw(t, "events")
		c := mining.Columns{Activities: activities}
		span := rapid.SampledFrom([]int64{1, 3, 1 << 20, 1 << 45}).Draw(t, "span")
		for range n {
			id, a, at := rapid.Int32Range(0, 30).Draw(t, "case"), rapid.Int32Range(0, 4).Draw(t, "activity"), rapid.Int64Range(0, span).Draw(t, "at")
			c.Case, c.Activity, c.Time = append(c.Case, id), append(c.Activity, a), append(c.Time, at)
			if err := w.Add(uint64(id), a, at); err != nil {
				t.Fatal(err)
			}
		}
		whole, err := mining.FromColumns(c, order)
		if err != nil {
			t.Fatal(err)
		}
		l, err := w.Close()
		if err != nil {
			t.Fatal(err)
		}
		funnel := &mining.Funnel{Steps: [][]int32{{0}, {1, 2}, {3}}, Within: time.Duration(span) * time.Microsecond / 2}
		r, err := l.Mine(stream.Ask{Variants: 1000, Funnel: funnel})
		if err != nil {
			t.Fatal(err)
		}
		compare(t, whole, r, funnel)
		summary(t, whole, l, funnel)
		if err := l.Remove(); err != nil || len(store) != 0 {
			t.Fatalf("%d files are left (%v)", len(store), err)
		}
	})
}

// summary holds the two reports equal, but for durations half-way between two
// milliseconds.
func summary(t *rapid.T, whole *mining.Log, l *stream.Log, funnel *mining.Funnel) {
	f := &mining.Funnel{Steps: [][]int32{{0}, {1}, {3}}, Within: funnel.Within}
	want := mining.NewReport(whole, "log")
	if err := want.AddFunnel(whole, f); err != nil {
		t.Fatal(err)
	}
	got, err := l.Summary("log", f)
	if err != nil {
		t.Fatal(err)
	}
	close := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 0.00101+1e-9*math.Abs(a) })
	if d := cmp.Diff(want, got, close, cmp.AllowUnexported(mining.NamedCount{})); d != "" {
		t.Fatalf("the summary differs (-in memory +in parts):\n%s", d)
	}
}

func compare(t *rapid.T, whole *mining.Log, r *stream.Report, funnel *mining.Funnel) {
	g := mining.DirectlyFollows(whole)
	if r.Cases != whole.Cases() || int(r.Events) != whole.Events() || len(r.Graph.Edges) != len(g.Edges) || r.Graph.Transitions != g.Transitions {
		t.Fatalf("%d cases, %d events, %d edges", r.Cases, r.Events, len(r.Graph.Edges))
	}
	edges := map[[2]int32]mining.Edge{}
	for _, e := range g.Edges {
		edges[[2]int32{e.Source, e.Target}] = e
	}
	for _, e := range r.Graph.Edges {
		if want := edges[[2]int32{e.Source, e.Target}]; !close(e.Wait.Mean, want.Wait.Mean) || rounded(e) != rounded(want) {
			t.Fatalf("edge %+v, want %+v", e, want)
		}
	}
	type node struct{ events, cases, starts, ends int }
	nodes := func(g *mining.Graph) map[int32]node {
		out := map[int32]node{}
		for _, n := range g.Nodes {
			out[n.Activity] = node{n.Events, n.Cases, n.Starts, n.Ends}
		}
		return out
	}
	if !maps.Equal(nodes(g), nodes(r.Graph)) {
		t.Fatalf("nodes %+v, want %+v", r.Graph.Nodes, g.Nodes)
	}
	if d, _ := mining.CaseDurations(whole); d.Median != r.Durations.Median || d.P90 != r.Durations.P90 || d.Max != r.Durations.Max || d.N != r.Durations.N {
		t.Fatalf("durations %+v, want %+v", r.Durations, d)
	}
	v := mining.FindVariants(whole)
	ways := map[string]int{}
	for _, x := range v.List {
		ways[fmt.Sprint(x.Path)] = x.Count
	}
	if r.Ways != len(v.List) || len(r.Variants) != r.Ways || !slices.IsSortedFunc(r.Variants, func(a, b stream.Variant) int { return b.Count - a.Count }) {
		t.Fatalf("%d ways, want %d", r.Ways, len(v.List))
	}
	for _, x := range r.Variants {
		if ways[fmt.Sprint(x.Path)] != x.Count {
			t.Fatalf("way %v: %d, want %d", x.Path, x.Count, ways[fmt.Sprint(x.Path)])
		}
	}
	want, err := funnel.Run(whole)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range want.Steps {
		if got := r.Funnel[i]; got.Cases != s.Cases || got.Open != s.Open || got.Lost != s.Lost || sum(got.Next) != sum(s.Next) {
			t.Fatalf("step %d: %+v, want %+v", i, got, s)
		}
	}
}

func sum(counts []mining.Count) (n int) {
	for _, c := range counts {
		n += c.N
	}
	return n
}

func close(a, b float64) bool { return a == b || (a-b)/(a+b) < 1e-12 && (b-a)/(a+b) < 1e-12 }

func rounded(e mining.Edge) mining.Edge {
	e.Wait.Mean = 0
	return e
}

// A single edge of more waits than there is room for is narrowed down, also when
// most of them are the same.
func TestOneEdgeLargerThanMemory(t *testing.T) {
	t.Parallel()
	const n = 1_200_000
	c := mining.Columns{Activities: mining.NewDict("a")}
	w, err := stream.NewWriter(memory{}, c.Activities, stream.Options{Memory: 16 << 20, Events: n})
	if err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	for i := range int64(n) {
		if i%3 != 0 {
			at += 86_400_000_000
		} else {
			at += i * i % 1_000_003
		}
		id := i % 7
		c.Case, c.Activity, c.Time = append(c.Case, int32(id)), append(c.Activity, 0), append(c.Time, at)
		if err := w.Add(uint64(id), 0, at); err != nil {
			t.Fatal(err)
		}
	}
	l, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Mine(stream.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := mining.FromColumns(c, mining.FileOrder)
	if err != nil {
		t.Fatal(err)
	}
	want, got := mining.DirectlyFollows(whole).Edges[0], r.Graph.Edges[0]
	if rounded(got) != rounded(want) || !close(got.Wait.Mean, want.Wait.Mean) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A damaged part is an error, not a shorter log.
func TestDamagedPart(t *testing.T) {
	t.Parallel()
	store := memory{}
	w, err := stream.NewWriter(store, mining.NewDict("a"), stream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(10) {
		if err := w.Add(1, 0, i); err != nil {
			t.Fatal(err)
		}
	}
	l, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	store["events-000"].Truncate(70)
	if _, err := l.Mine(stream.Ask{}); err == nil {
		t.Error("half a log was mined")
	}
	if _, err := stream.NewWriter(store, nil, stream.Options{Memory: 1}); err == nil {
		t.Error("one byte of memory is enough")
	}
}
