package mining_test

import (
	"math"
	"testing"

	"omote/analytics/mining"
	"omote/analytics/stats"
)

// Activities of one name become one; what their events cost goes along.
func TestRelabelAndMeasureBy(t *testing.T) {
	t.Parallel()
	b := mining.NewBuilder("channel")
	for c, path := range []string{"abc", "adc"} {
		id := b.NewCase("")
		for i, r := range path {
			b.Add(id, b.Activity(string(r)), int64(10*c+i), b.Value(0, map[rune]string{'a': "branch", 'b': "app", 'c': "app", 'd': "branch"}[r]))
		}
	}
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, l.Activities().Len())
	for i, name := range l.Activities().Names() {
		names[i] = map[string]string{"a": "start", "b": "middle", "c": "end", "d": "middle"}[name]
	}
	joined := mining.Relabel(l, names)
	g := mining.DirectlyFollows(joined)
	if len(g.Nodes) != 3 || len(g.Edges) != 2 || g.Edges[0].Count != 2 || joined.Activities().Name(g.Edges[0].Target) != "middle" {
		t.Fatalf("%+v", g)
	}
	if len(mining.DirectlyFollows(l).Edges) != 4 {
		t.Error("the log itself was changed")
	}
	dict, _ := joined.Column("channel")
	m := mining.MeasureBy(joined, g, func(c, i int) float64 {
		if dict.Name(joined.Values("channel", c)[i]) == "branch" {
			return 45
		}
		return math.NaN()
	})
	// Into the middle lead one event at a branch and one in the app, which costs nothing.
	if n := m.Nodes[1]; n.N != 1 || stats.Mean(n, 0).Value != 45 || m.Edges[0].N != 1 || m.Edges[1].N != 0 {
		t.Errorf("%+v", m)
	}
}
