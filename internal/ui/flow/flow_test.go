package flow

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"omote/internal/platform/i18n"
	"omote/internal/testkit"
	"omote/internal/ui"
	"omote/internal/ui/svg"
)

func speak(t testing.TB, locale string) context.Context {
	t.Helper()
	b, err := i18n.New(ui.Locales())
	if err != nil {
		t.Fatal(err)
	}
	return i18n.With(t.Context(), b.Localizer(locale))
}

// TestSpreadIsOptimal compares the one-layer fit with the conditions that only
// the least-squares optimum meets, where the ends do not bind: neighbours keep
// their distance, and every touching group stands at the mean of its wishes.
func TestSpreadIsOptimal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		wants, rooms := make([]float64, n), make([]float64, n)
		for i := range n {
			wants[i] = rapid.Float64Range(2000, 3000).Draw(t, "want")
			rooms[i] = rapid.Float64Range(5, 150).Draw(t, "room")
		}
		const gap, width = 10, 5000
		got := spread(wants, rooms, gap, width)
		touches := func(i int) bool {
			return math.Abs(got[i]-got[i-1]-(rooms[i-1]/2+gap+rooms[i]/2)) < 1e-6
		}
		for i := 1; i < n; i++ {
			if got[i]-got[i-1] < rooms[i-1]/2+gap+rooms[i]/2-1e-6 {
				t.Fatalf("slots %d and %d overlap: %v", i-1, i, got)
			}
		}
		for i := 0; i < n; {
			j := i + 1
			for j < n && touches(j) {
				j++
			}
			sum := 0.0
			for k := i; k < j; k++ {
				sum += got[k] - wants[k]
			}
			if math.Abs(sum) > 1e-6*float64(j-i)*width {
				t.Fatalf("group %d to %d is not at its mean: %v for %v", i, j, got, wants)
			}
			i = j
		}
	})
}

// TestSpreadStaysInside: slots stay within the width whenever they fit.
func TestSpreadStaysInside(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		wants, rooms := make([]float64, n), make([]float64, n)
		for i := range n {
			wants[i] = rapid.Float64Range(-500, 1500).Draw(t, "want")
			rooms[i] = rapid.Float64Range(5, 150).Draw(t, "room")
		}
		const width = 1000
		for i, x := range spread(wants, rooms, 28, width) {
			if x-rooms[i]/2 < -1e-6 || x+rooms[i]/2 > width+1e-6 {
				t.Fatalf("slot %d at %v leaves the width", i, x)
			}
		}
	})
}

// graph draws a random map.
func graph(t *rapid.T) MapProps {
	n := rapid.IntRange(1, 24).Draw(t, "nodes")
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	designed := rapid.Bool().Draw(t, "designed")
	p := MapProps{ID: "m", Label: "map", Unit: "cases", Coverage: rapid.SampledFrom([]float64{0.5, 0.9, 1}).Draw(t, "coverage")}
	for i := range n {
		node := Node{Key: string(rune('a' + i)), Name: "Activity_" + strings.Repeat("x", r.IntN(20)), Cases: r.Int64N(10000), Events: r.Int64N(20000), Ends: r.Int64N(100)}
		if i == 0 {
			node.Starts = 1000
		}
		if designed && i%3 != 2 {
			node.Step = i + 1
		}
		p.Nodes = append(p.Nodes, node)
	}
	for range r.IntN(130) {
		p.Edges = append(p.Edges, Edge{From: string(rune('a' + r.IntN(n))), To: string(rune('a' + r.IntN(n))), Count: 1 + r.Int64N(5000), Care: r.IntN(20) == 0})
	}
	return p
}

// TestDrawsAnything: every map can be drawn, without NaN and without boxes that
// overlap each other.
func TestDrawsAnything(t *testing.T) {
	t.Parallel()
	ctx := speak(t, "vi")
	rapid.Check(t, func(t *rapid.T) {
		p := graph(t)
		var b strings.Builder
		if err := Map(p).Render(ctx, &b); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"NaN", "Inf", "style="} {
			if strings.Contains(b.String(), bad) {
				t.Fatalf("drawing contains %s", bad)
			}
		}
		m := newModel(ctx, p)
		l := m.place(deskWidth-2*sideW, boxW, 28)
		for i := range l.at {
			for j := range i {
				a, c := l.slots[l.at[i]], l.slots[l.at[j]]
				if a.layer == c.layer && math.Abs(a.x-c.x) < boxW-1e-6 {
					t.Fatalf("boxes %d and %d overlap in layer %d", i, j, a.layer)
				}
			}
		}
	})
}

// TestRowsNeverOverflow: no row holds more boxes than fit.
func TestRowsNeverOverflow(t *testing.T) {
	t.Parallel()
	ctx := speak(t, "en")
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(ctx, graph(t))
		l := m.place(deskWidth-2*sideW, boxW, 28)
		for _, row := range l.layers {
			boxes := 0
			for _, s := range row {
				if l.slots[s].node >= 0 {
					boxes++
				}
			}
			if float64(boxes)*boxW > deskWidth-2*sideW {
				t.Fatalf("%d boxes in a row", boxes)
			}
		}
	})
}

// TestCoverage: what is not drawn is counted, and what is drawn reaches the
// wanted share or is everything.
func TestCoverage(t *testing.T) {
	t.Parallel()
	ctx := speak(t, "en")
	rapid.Check(t, func(t *rapid.T) {
		p := graph(t)
		m := newModel(ctx, p)
		loops := 0
		for _, e := range p.Edges {
			if e.From == e.To {
				loops++
			}
		}
		if len(m.drawn)+m.left+loops != len(p.Edges) {
			t.Fatalf("%d drawn, %d left, %d loops of %d moves", len(m.drawn), m.left, loops, len(p.Edges))
		}
		if m.left > 0 && float64(m.shown) < p.Coverage*float64(m.total)-1 {
			t.Fatalf("%d of %d shown at coverage %v", m.shown, m.total, p.Coverage)
		}
	})
}

// TestOrderFollowsTime: in a chain with rare jumps back the order is the chain's.
func TestOrderFollowsTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 20).Draw(t, "n")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		names := r.Perm(n) // the chain visits names[0], names[1], …
		var edges []move
		for i := 1; i < n; i++ {
			edges = append(edges, move{Edge: Edge{Count: 1000}, from: names[i-1], to: names[i]})
		}
		for range n {
			a, b := r.IntN(n), r.IntN(n)
			if b < a {
				edges = append(edges, move{Edge: Edge{Count: 1 + r.Int64N(20)}, from: names[a], to: names[b]})
			}
		}
		starts := make([]int64, n)
		starts[names[0]] = 1000
		if got := timeOrder(n, edges, starts); !slices.Equal(got, names) {
			t.Fatalf("order %v of chain %v", got, names)
		}
	})
}

// TestCrossingsFall: sorting the layers never leaves more crossings than before.
func TestCrossingsFall(t *testing.T) {
	t.Parallel()
	ctx := speak(t, "en")
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(ctx, graph(t))
		starts := make([]int64, len(m.Nodes))
		order := timeOrder(len(m.Nodes), m.drawn, starts)
		rank := make([]int, len(order))
		for i, v := range order {
			rank[v] = i
		}
		l := &layout{at: make([]int, len(m.Nodes)), routes: make([][]int, len(m.drawn))}
		l.fill(m, order, m.assignLayers(order, rank, 5), boxW)
		before := l.crossings()
		l.reduceCrossings()
		if after := l.crossings(); after > before+1e-9 {
			t.Fatalf("crossings rose from %v to %v", before, after)
		}
	})
}

func TestLabelsNeverOverlap(t *testing.T) {
	t.Parallel()
	f := svg.Field{Bounds: svg.Box{X1: 1000, Y1: 1000}}
	var placed []svg.Box
	for i := range 40 {
		x := float64(i%7) * 60
		if b, ok := f.Place([]svg.Box{{X0: x, Y0: 10, X1: x + 70, Y1: 24}, {X0: x, Y0: 30, X1: x + 70, Y1: 44}}); ok {
			for _, p := range placed {
				if p.Overlaps(b) {
					t.Fatalf("%v and %v overlap", p, b)
				}
			}
			placed = append(placed, b)
		}
	}
}

func BenchmarkMap24x125(b *testing.B) {
	ctx := speak(b, "en")
	r := rand.New(rand.NewPCG(3, 4))
	p := MapProps{ID: "m", Label: "map", Coverage: 1}
	for i := range 24 {
		p.Nodes = append(p.Nodes, Node{Key: string(rune('a' + i)), Name: "Activity", Cases: 1000})
	}
	p.Nodes[0].Starts = 1000
	for i := range 125 {
		p.Edges = append(p.Edges, Edge{From: string(rune('a' + i%24)), To: string(rune('a' + r.IntN(24))), Count: 1 + r.Int64N(1000)})
	}
	b.ReportAllocs()
	for b.Loop() {
		var out strings.Builder
		if err := Map(p).Render(ctx, &out); err != nil {
			b.Fatal(err)
		}
	}
}

// TestGolden holds both drawings of a small map with and without design.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]int{"spine": 1, "layered": 0} {
		p := MapProps{ID: "m", Label: "most arrive", Unit: "khách", Total: 100, Coverage: 1, Show: ByTime,
			Nodes: []Node{{Key: "a", Name: "Nộp đơn", Cases: 100, Starts: 100, Step: step}, {Key: "b", Name: "Thẩm định", Cases: 90, Step: 2 * step, Ends: 30, Open: 10}, {Key: "c", Name: "Giải ngân", Cases: 60, Ends: 60, Step: 3 * step}, {Key: "g", Name: "Gọi hỏi", Cases: 25, Events: 40, Care: true, Note: "25%"}},
			Edges: []Edge{{From: "a", To: "b", Count: 90, Time: "2 ngày", Promise: "≤ 1 ngày", Care: true}, {From: "b", To: "c", Count: 60, Time: "5 giờ"}, {From: "b", To: "b", Count: 20}, {From: "b", To: "a", Count: 12}, {From: "a", To: "c", Count: 5}, {From: "a", To: "g", Count: 25}, {From: "g", To: "b", Count: 25}}}
		var b strings.Builder
		if err := Map(p).Render(speak(t, "vi"), &b); err != nil {
			t.Fatal(err)
		}
		testkit.Golden(t, "golden/"+name+".html", []byte(strings.ReplaceAll(b.String(), "><", ">\n<")+"\n"))
	}
}
