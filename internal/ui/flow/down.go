package flow

import (
	"context"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/ui/chart"
	"omote/internal/ui/svg"
)

// down is a map in one column: every activity a row, the move to the next row a
// ribbon, all others arcs, in lanes at its left.
type down struct {
	*svg.Canvas
	m     *model
	order []int
	row   []int // of each node
	step  float64
}

const (
	downX     = 70.0 // the column
	downTop   = 30.0
	downArcs  = 30 // so many arcs at most, the most frequent
	downLanes = 7  // upright lines for them at the left of the column
)

func (m *model) downDrawing(ctx context.Context) templ.Component {
	d := &down{m: m, step: 66, row: make([]int, len(m.Nodes))}
	if m.designed() {
		d.step = 80
		steps, outside := m.split()
		d.order = d.weave(steps, outside)
	} else {
		starts := make([]int64, len(m.Nodes))
		for i, n := range m.Nodes {
			starts[i] = n.Starts
		}
		d.order = timeOrder(len(m.Nodes), m.drawn, starts)
	}
	for at, v := range d.order {
		d.row[v] = at
	}
	d.Canvas = svg.New(chart.PhoneWidth, downTop+d.step*float64(len(d.order)-1)+52)
	d.ribbons()
	d.arcs()
	for _, v := range d.order {
		d.node(ctx, v)
	}
	return d.Component("f-map", m.Label)
}

// weave puts each unplanned activity behind the step it is most often reached
// from.
func (d *down) weave(steps, outside []int) []int {
	after := map[int][]int{}
	for _, v := range outside {
		best, at := int64(-1), steps[len(steps)-1]
		for _, e := range d.m.drawn {
			if e.to == v && e.Count > best && slices.Contains(steps, e.from) {
				best, at = e.Count, e.from
			}
		}
		after[at] = append(after[at], v)
	}
	var out []int
	for _, v := range steps {
		out = append(append(out, v), after[v]...)
	}
	return out
}

func (d *down) y(v int) float64 { return downTop + d.step*float64(d.row[v]) }

func (d *down) ribbons() {
	for _, e := range d.m.drawn {
		if d.row[e.to] != d.row[e.from]+1 {
			continue
		}
		class := edgeClass(e.Edge, 10)
		if d.dashed(e) {
			class = "f-edge f-out"
			if e.Care {
				class += " f-care"
			}
		}
		w := d.m.ribbon(e.weight(), 34)
		if d.dashed(e) {
			w = min(w, 6)
		}
		d.m.openEdge(d.Canvas, e)
		stroke(d.Canvas, class, "M"+svg.Num(downX)+" "+svg.Num(d.y(e.from))+"V"+svg.Num(d.y(e.to)), w)
		d.Close("g")
		d.betweenRows(e)
	}
}

// dashed tells moves to or from what is not in the design.
func (d *down) dashed(e move) bool {
	return d.m.designed() && (d.m.Nodes[e.from].Step == 0 || d.m.Nodes[e.to].Step == 0)
}

// betweenRows writes time and promise, or the count, beside a ribbon.
func (d *down) betweenRows(e move) {
	text, class := d.m.text(e.Edge), "lb"
	if d.m.designed() && e.Time != "" {
		text = e.Time
		if e.Promise != "" {
			text += " · " + e.Promise
		}
	}
	if e.Care {
		text, class = "◆ "+text, "lbs fill-warm"
	}
	d.Text(class, downX+32, d.y(e.from)+d.step*0.54, text)
}

// arcs draws the other moves in lanes at the left, the most frequent first;
// shorter ones take inner lanes. What finds no lane is in the table.
func (d *down) arcs() {
	var list []move
	for _, e := range d.m.drawn {
		if d.row[e.to] != d.row[e.from]+1 && len(list) < downArcs {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(a, b move) int { return d.span(a) - d.span(b) })
	var lanes [downLanes][]svg.Box
	for _, e := range list {
		top, bottom := min(d.y(e.from), d.y(e.to)), max(d.y(e.from), d.y(e.to))
		box := svg.Box{X0: 0, X1: 1, Y0: top + 4, Y1: bottom - 4}
		for lane := range lanes {
			if !slices.ContainsFunc(lanes[lane], box.Overlaps) {
				lanes[lane] = append(lanes[lane], box)
				d.arc(e, lane)
				break
			}
		}
	}
}

func (d *down) span(e move) int {
	n := d.row[e.to] - d.row[e.from]
	if n < 0 {
		return -n
	}
	return n
}

// arc runs out of a node to its lane, along it, and into the other node.
func (d *down) arc(e move, lane int) {
	dir := sgn(d.y(e.to) - d.y(e.from))
	a, b := d.y(e.from)+dir*5, d.y(e.to)-dir*5
	edge := downX - 10
	if d.m.designed() {
		edge = downX - 15
	}
	x := edge - 10 - float64(lane)*6.5
	w := min(d.m.ribbon(e.weight(), 34), 3.5)
	class := "f-edge f-skip"
	if dir < 0 {
		class = "f-edge f-back"
	}
	if d.dashed(e) {
		class = "f-edge f-out"
	}
	if e.Care {
		class += " f-care"
	}
	d.m.openEdge(d.Canvas, e)
	stroke(d.Canvas, class, "M"+svg.Num(edge)+" "+svg.Num(a)+"H"+svg.Num(x+6)+"Q"+svg.Num(x)+" "+svg.Num(a)+" "+svg.Num(x)+" "+svg.Num(a+dir*6)+
		"V"+svg.Num(b-dir*6)+"Q"+svg.Num(x)+" "+svg.Num(b)+" "+svg.Num(x+6)+" "+svg.Num(b)+"H"+svg.Num(edge-5), w)
	arrow(d.Canvas, arrowClass(e.Edge), edge, b, 1, 0, 6)
	d.Close("g")
}

// node draws one row: mark, name, numbers, repeats and those who end here.
func (d *down) node(ctx context.Context, v int) {
	n := d.m.Nodes[v]
	y := d.y(v)
	d.Open("g", svg.S("class", "f-at"), svg.S("data-node", strconv.Itoa(v)), svg.S("data-say", d.m.say(ctx, v)))
	d.Title(d.m.say(ctx, v))
	class := "f-node"
	if n.Care {
		class += " f-hot"
	}
	switch {
	case n.Step > 0:
		d.Circle(class, downX, y, 15)
		d.Text("lbs a-m", downX, y+4, strconv.Itoa(n.Step))
	case d.m.designed():
		d.Rect(class+" f-un", downX-13, y-13, 26, 26, svg.N("rx", 4))
		d.Text("a-m", downX, y+4, string([]rune(n.Name)[:1]))
	default:
		d.Circle(class, downX, y, 9)
	}
	d.Text("lbs", downX+32, y-2, svg.Cut(n.Name, 12, chart.PhoneWidth-downX-36, true))
	d.Text("lb", downX+32, y+15, d.facts(ctx, v))
	d.Close("g")
}

// facts is the second line of a row.
func (d *down) facts(ctx context.Context, v int) string {
	n := d.m.Nodes[v]
	text := d.m.f.Int(n.Cases) + " " + d.m.Unit
	if d.m.loops[v]*50 >= n.Cases && d.m.loops[v] > 1 {
		text += " · ↻ " + d.m.f.Compact(d.m.loops[v])
	}
	if n.Ends*50 >= d.m.most {
		text += " · " + i18n.T(ctx, "flow.ends", "count", n.Ends)
	}
	return text
}
