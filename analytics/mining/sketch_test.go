package mining_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"omote/analytics/mining"
)

// reach returns the activities that shown edges lead to from the given ones.
func reach(from map[int32]bool, edges []mining.Edge, backwards bool) map[int32]bool {
	for grown := true; grown; {
		grown = false
		for _, e := range edges {
			a, b := e.Source, e.Target
			if backwards {
				a, b = b, a
			}
			if from[a] && !from[b] {
				from[b], grown = true, true
			}
		}
	}
	return from
}

func TestSimplify(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, l := drawLog(t, mining.FileOrder)
		g := mining.DirectlyFollows(l)
		o := mining.SketchOptions{
			Edges:    rapid.IntRange(0, 12).Draw(t, "edges"),
			Coverage: rapid.SampledFrom([]float64{0, 0.5, 0.9, 1}).Draw(t, "coverage"),
		}
		s := mining.Simplify(g, o)
		starts, ends := map[int32]bool{}, map[int32]bool{}
		for _, n := range g.Nodes {
			if n.Starts > 0 {
				starts[n.Activity] = true
			}
			if n.Ends > 0 {
				ends[n.Activity] = true
			}
		}
		if len(reach(starts, s.Edges, false)) != len(g.Nodes) || len(reach(ends, s.Edges, true)) != len(g.Nodes) {
			t.Fatalf("an activity hangs in the air: %+v of %+v", s.Edges, g.Edges)
		}
		shown, out, in, self := 0, 0, 0, 0
		for _, e := range s.Edges {
			shown += e.Count
		}
		for _, r := range s.Rest {
			out, in, self = out+r.OutTransitions, in+r.InTransitions, self+r.SelfTransitions
		}
		if shown+s.HiddenTransitions != g.Transitions || len(s.Edges)+s.HiddenEdges != len(g.Edges) ||
			out != in || out+self != s.HiddenTransitions {
			t.Fatalf("%d shown, %d hidden, %d out, %d in, %d self of %d", shown, s.HiddenTransitions, out, in, self, g.Transitions)
		}
		if enough := float64(shown) >= o.Coverage*float64(g.Transitions); !enough && o.Edges >= len(g.Edges) {
			t.Fatalf("%d of %d transitions shown", shown, g.Transitions)
		}
	})
}

// TestSimplifyKeepsTheWidestPath: a is reached by a narrow direct edge and by a
// wide detour; the detour is kept.
func TestSimplifyKeepsTheWidestPath(t *testing.T) {
	t.Parallel()
	b := mining.NewBuilder()
	add := func(times int, path string) {
		for range times {
			c := b.NewCase("")
			for i := range path {
				b.Add(c, b.Activity(path[i:i+1]), int64(i))
			}
		}
	}
	add(100, "sxa")
	add(3, "sa")
	add(2, "xs")
	l, err := b.Build(mining.FileOrder)
	if err != nil {
		t.Fatal(err)
	}
	s := mining.Simplify(mining.DirectlyFollows(l), mining.SketchOptions{})
	var got []string
	for _, e := range s.Edges {
		got = append(got, l.Activities().Name(e.Source)+l.Activities().Name(e.Target))
	}
	if !slices.Equal(got, []string{"sx", "xa"}) || s.HiddenEdges != 2 || s.HiddenTransitions != 5 {
		t.Errorf("shown %v, hidden %d edges with %d transitions", got, s.HiddenEdges, s.HiddenTransitions)
	}
}

func TestLayout(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, l := drawLog(t, mining.FileOrder)
		g := mining.DirectlyFollows(l)
		edges := mining.Simplify(g, mining.SketchOptions{Edges: 5, Coverage: 0.9}).Edges
		places, backwards := mining.Layout(g, edges)
		layerOf, members := map[int32]int{}, map[int][]int{}
		for i, p := range places {
			if p.Activity != g.Nodes[i].Activity {
				t.Fatal("places are not in the order of nodes")
			}
			layerOf[p.Activity] = p.Layer
			members[p.Layer] = append(members[p.Layer], p.Order)
		}
		for layer := range len(members) {
			slices.Sort(members[layer])
			for i, order := range members[layer] {
				if i != order {
					t.Fatalf("layer %d has the orders %v", layer, members[layer])
				}
			}
		}
		for i, e := range edges {
			from, to := layerOf[e.Source], layerOf[e.Target]
			if e.Source == e.Target && backwards[i] || e.Source != e.Target && (from < to) == backwards[i] || e.Source != e.Target && from == to {
				t.Fatalf("edge %+v from layer %d to %d, backwards %v", e, from, to, backwards[i])
			}
		}
	})
}

func TestLayoutOfBPIC2012(t *testing.T) {
	t.Parallel()
	l := bpic2012(t, mining.XESOptions{})
	g := mining.DirectlyFollows(l)
	s := mining.Simplify(g, mining.SketchOptions{Edges: 20, Coverage: 0.9})
	places, backwards := mining.Layout(g, s.Edges)
	layer := map[string]int{}
	for _, p := range places {
		layer[l.Activities().Name(p.Activity)] = p.Layer
	}
	main := []string{"A_SUBMITTED", "A_PARTLYSUBMITTED", "A_PREACCEPTED", "W_Completeren aanvraag", "A_ACCEPTED", "O_CREATED", "O_SENT", "O_SENT_BACK"}
	for i := 1; i < len(main); i++ {
		if layer[main[i-1]] >= layer[main[i]] {
			t.Errorf("%s in layer %d, %s in layer %d", main[i-1], layer[main[i-1]], main[i], layer[main[i]])
		}
	}
	turned := 0
	for i, e := range s.Edges {
		if backwards[i] {
			turned += e.Count
		}
	}
	if turned*10 > g.Transitions {
		t.Errorf("%d of %d transitions run backwards", turned, g.Transitions)
	}
}
