// Package flow draws how customers really move: a map of activities and the
// moves between them, laid out on the server and drawn as SVG.
//
// Two drawings serve a desk. When the nodes carry a designed order the map is a
// spine: designed steps in a row, ribbons as wide as the customers who moved,
// repeats and skips as arcs above, what is not in the design in dashed boxes
// below, those who left peeling off. Without a design, as for a log that was just
// imported, the map is layered from top to bottom. On a phone both run downward
// in one column with arcs at the sides.
//
// Moves beyond the wanted coverage are not drawn; they are counted in the open and
// stand in the table behind the map. Only what carries Care is warm.
//
// Files: flow.go (the model, which moves are drawn), layered.go (layers, order
// and positions by the method of Sugiyama, Tagawa and Toda, 1981), order.go (depth
// in the process), desk.go, spine.go and down.go (drawings), map.templ
// (the figure around them).
package flow

import (
	"cmp"
	"context"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/platform/i18n/fmtx"
	"omote/internal/ui/svg"
)

// Node is one activity.
type Node struct {
	Key    string
	Name   string
	Cases  int64 // customers, or cases, who reached it
	Events int64 // how often it happened; shown when it differs from Cases
	Step   int   // its place in the design, from 1; 0 means not in the design
	Starts int64 // cases that began here
	Ends   int64 // cases whose last event this is
	Open   int64 // of these, still open
	Care   bool
	Note   string // said at the node when it needs care: "sent again 34%"
	// Remark is said below a designed step that fares worse than it should: "left
	// out 34%". It needs no Care, which also colours the moves of the node.
	Remark string
}

// Edge is the move from one activity to the next.
type Edge struct {
	From, To string
	Count    int64  // how often
	Cases    int64  // customers who made it; 0 when not known
	Time     string // its usual length, formatted: "1,4 ngày"
	Promise  string // the standard for it: "≤ 2 ngày"
	Care     bool   // slower or more frequent than it should be, beyond noise
}

// weight is what the width of a ribbon stands for.
func (e Edge) weight() int64 {
	if e.Cases > 0 {
		return e.Cases
	}
	return e.Count
}

// LabelKind is what stands beside the ribbons.
type LabelKind uint8

// The labels of moves.
const (
	ByCount LabelKind = iota
	ByTime
)

// MapProps describes a map.
type MapProps struct {
	ID       string
	Label    string // the finding, for screen readers
	Nodes    []Node
	Edges    []Edge
	Total    int64   // all cases
	Coverage float64 // share of all moves that is drawn, 0.9 by default; 1 draws all
	Show     LabelKind
	Caption  string // by default how the drawing is read
	Unit     string // what Cases counts, lower case: "customers"
}

// Map draws the map of a journey.
func Map(p MapProps) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if len(p.Nodes) == 0 {
			return nil
		}
		m := newModel(ctx, p)
		return figure(m).Render(ctx, w)
	})
}

// model is a map with its moves sorted out.
type model struct {
	MapProps
	f     fmtx.Formatter
	index map[string]int
	drawn []move // widest first, loops apart
	loops []int64
	left  int   // moves not drawn
	total int64 // sum of all counts, loops included
	shown int64 // sum of those drawn
	most  int64 // weight of the widest ribbon
}

// move is a drawn edge between two different nodes.
type move struct {
	Edge
	from, to int
}

func newModel(ctx context.Context, p MapProps) *model {
	if p.Coverage <= 0 {
		p.Coverage = 0.9
	}
	m := &model{MapProps: p, f: i18n.Fmt(ctx), index: map[string]int{}, loops: make([]int64, len(p.Nodes)), most: 1}
	for i, n := range p.Nodes {
		m.index[n.Key] = i
	}
	m.choose()
	for _, e := range m.drawn {
		m.most = max(m.most, e.weight())
	}
	for _, n := range p.Nodes {
		m.most = max(m.most, n.Starts)
	}
	return m
}

// choose takes moves from the most frequent on until the coverage is reached,
// and the strongest way into and out of every node, so that none floats alone.
func (m *model) choose() {
	var all []move
	for _, e := range m.Edges {
		from, okFrom := m.index[e.From]
		to, okTo := m.index[e.To]
		m.total += e.Count
		switch {
		case !okFrom || !okTo:
			m.left++
		case from == to:
			m.loops[from] = e.Count
			m.shown += e.Count
		default:
			all = append(all, move{e, from, to})
		}
	}
	slices.SortStableFunc(all, func(a, b move) int { return cmp.Compare(b.Count, a.Count) })
	wanted := int64(math.Ceil(m.Coverage * float64(m.total)))
	into, outof := map[int]bool{}, map[int]bool{}
	for _, e := range all {
		needed := !into[e.to] || !outof[e.from]
		if m.shown >= wanted && !needed && !e.Care {
			m.left++
			continue
		}
		into[e.to], outof[e.from] = true, true
		m.shown += e.Count
		m.drawn = append(m.drawn, e)
	}
}

// designed tells whether the nodes carry a designed order.
func (m *model) designed() bool {
	n := 0
	for _, node := range m.Nodes {
		if node.Step > 0 {
			n++
		}
	}
	return n >= 2
}

// ribbon is the width of a weight in pixels, in proportion to the widest.
func (m *model) ribbon(weight int64, widest float64) float64 {
	return max(1, widest*float64(weight)/float64(m.most))
}

// text is the label of a move.
func (m *model) text(e Edge) string {
	if m.Show == ByTime && e.Time != "" {
		return e.Time
	}
	return m.f.Int(e.Count)
}

// say reads a node out.
func (m *model) say(ctx context.Context, i int) string {
	n := m.Nodes[i]
	text := n.Name + " · " + m.f.Int(n.Cases) + " " + m.Unit
	if m.loops[i] > 0 {
		text += " · " + i18n.T(ctx, "flow.repeats", "count", m.loops[i])
	}
	if n.Ends > 0 {
		text += " · " + i18n.T(ctx, "flow.ends", "count", n.Ends)
	}
	for _, said := range []string{n.Note, n.Remark} {
		if said != "" {
			text += " · " + said
		}
	}
	return text
}

// title names a move for the pointer.
func (m *model) title(e move) string {
	text := m.Nodes[e.from].Name + " → " + m.Nodes[e.to].Name + " · " + m.f.Int(e.Count)
	if e.Time != "" {
		text += " · " + e.Time
	}
	if e.Promise != "" {
		text += " (" + e.Promise + ")"
	}
	return text
}

// caption says how to read the map and what is not drawn.
func (m *model) captionText(ctx context.Context) string {
	text := m.Caption
	if text == "" {
		key := "flow.read.layered"
		if m.designed() {
			key = "flow.read.spine"
		}
		text = i18n.T(ctx, key)
	}
	if m.left > 0 {
		text += " " + i18n.T(ctx, "flow.left", "count", m.left, "share", m.f.Percent(float64(m.shown)/float64(max(m.total, 1)), 0))
	}
	return text
}

// rows are the table behind the map: every move, the most frequent first.
func (m *model) rows() [][]string {
	edges := slices.Clone(m.Edges)
	slices.SortStableFunc(edges, func(a, b Edge) int { return cmp.Compare(b.Count, a.Count) })
	name := func(key string) string {
		if i, ok := m.index[key]; ok {
			return m.Nodes[i].Name
		}
		return key
	}
	out := make([][]string, len(edges))
	for i, e := range edges {
		out[i] = []string{name(e.From), name(e.To), m.f.Int(e.Count), e.Time, e.Promise}
	}
	return out
}

// edgeClass is the look of a ribbon of a width.
func edgeClass(e Edge, width float64) string {
	switch {
	case e.Care:
		return "f-edge f-care"
	case width < 1.5:
		return "f-edge f-thin f-rare"
	case width < 2.5:
		return "f-edge f-thin"
	default:
		return "f-edge f-rib"
	}
}

// ends are the attributes by which the scripts find the moves of a node.
func ends(e move) []svg.Attr {
	return []svg.Attr{svg.S("data-from", strconv.Itoa(e.from)), svg.S("data-to", strconv.Itoa(e.to))}
}

// openEdge begins the group of a move, with its name for the pointer.
func (m *model) openEdge(c *svg.Canvas, e move) {
	c.Open("g", append([]svg.Attr{svg.S("class", "f-move")}, ends(e)...)...)
	c.Title(m.title(e))
}

// stroke draws a line of a width along a path.
func stroke(c *svg.Canvas, class, d string, width float64) {
	c.Path(class, d, svg.N("stroke-width", width))
}

// arrow draws the head of an arrow whose tip is at a point, pointing along
// (dx, dy).
func arrow(c *svg.Canvas, class string, x, y, dx, dy, size float64) {
	length := math.Hypot(dx, dy)
	if length == 0 {
		return
	}
	ux, uy := dx/length*size, dy/length*size
	c.Path(class, "M"+svg.Num(x)+" "+svg.Num(y)+"L"+svg.Num(x-ux-uy*0.55)+" "+svg.Num(y-uy+ux*0.55)+"L"+svg.Num(x-ux+uy*0.55)+" "+svg.Num(y-uy-ux*0.55)+"Z")
}
