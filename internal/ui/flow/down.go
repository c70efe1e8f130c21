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
// ribbon, all others arcs in lanes at its left. With a design only its steps are
// rows; what is not in it stands in dashed boxes at the right, below the step from
// which it is most often reached.
type down struct {
	*svg.Canvas
	m       *model
	order   []int
	outside []int
	row     []int // of each node; -1 for those at the right
	step    float64
}

const (
	downX     = 70.0 // the column
	downTop   = 30.0
	downArcs  = 30 // so many arcs at most, the most frequent
	downLanes = 7  // upright lines for them at the left of the column
	sideBoxW  = 126.0
	sideBoxH  = 40.0
)

func (m *model) downDrawing(ctx context.Context) templ.Component {
	d := &down{m: m, step: 66, row: make([]int, len(m.Nodes))}
	if m.designed() {
		d.step = 92
		d.order, d.outside = m.split()
	} else {
		starts := make([]int64, len(m.Nodes))
		for i, n := range m.Nodes {
			starts[i] = n.Starts
		}
		d.order = timeOrder(len(m.Nodes), m.drawn, starts)
	}
	for i := range d.row {
		d.row[i] = -1
	}
	for at, v := range d.order {
		d.row[v] = at
	}
	d.Canvas = svg.New(chart.PhoneWidth, downTop+d.step*float64(len(d.order)-1)+52)
	d.ribbons()
	d.arcs()
	d.sideBoxes(ctx)
	if m.designed() {
		d.Line("f-design", downX, d.y(d.order[0]), downX, d.y(d.order[len(d.order)-1]))
	}
	for _, v := range d.order {
		d.node(ctx, v)
	}
	return d.Component("f-map", m.Label)
}

// sideBoxes draws what is not in the design, one to a row, with the way into it.
func (d *down) sideBoxes(ctx context.Context) {
	taken := map[int]bool{}
	for _, v := range d.outside {
		from, best := d.reachedFrom(v)
		if from < 0 {
			continue
		}
		at := d.row[from]
		for taken[at] {
			at++
		}
		taken[at] = true
		if at >= len(d.order) {
			break // beyond the last row there is no room; the table has it
		}
		d.sideBox(ctx, v, from, at, best)
	}
}

// reachedFrom is the step from which an activity is most often reached.
func (d *down) reachedFrom(v int) (from int, best move) {
	from = -1
	for _, e := range d.m.drawn {
		if e.to == v && d.row[e.from] >= 0 && (from < 0 || e.Count > best.Count) {
			from, best = e.from, e
		}
	}
	return from, best
}

func (d *down) sideBox(ctx context.Context, v, from, at int, e move) {
	n := d.m.Nodes[v]
	x, y := chart.PhoneWidth-sideBoxW-1, downTop+d.step*float64(at)+d.step/2-8
	class, look, line := "f-node f-un", "lbs a-m", "f-edge f-out"
	if n.Care {
		class, look = "f-node f-un f-hot", "lbs a-m fill-warm"
	}
	if e.Care {
		line = "f-edge f-out f-care"
	}
	y0 := d.y(from) + 21
	d.m.openEdge(d.Canvas, e)
	stroke(d.Canvas, line, "M"+svg.Num(downX+8)+" "+svg.Num(y0)+"H"+svg.Num(x+sideBoxW/2-14)+"Q"+svg.Num(x+sideBoxW/2)+" "+svg.Num(y0)+" "+svg.Num(x+sideBoxW/2)+" "+svg.Num(y), max(1.25, min(d.m.ribbon(e.weight(), 34)*0.5, 5)))
	d.Close("g")
	d.Open("g", svg.S("class", "f-at"), svg.S("data-node", strconv.Itoa(v)), svg.S("data-say", d.m.say(ctx, v)))
	d.Rect(class, x, y, sideBoxW, sideBoxH, svg.N("rx", 4))
	d.Text(look, x+sideBoxW/2, y+17, svg.Cut(n.Name, 12, sideBoxW-10, true))
	d.Text("a-m", x+sideBoxW/2, y+33, i18n.T(ctx, "flow.times", "count", max(n.Events, n.Cases)))
	d.Close("g")
}

func (d *down) y(v int) float64 { return downTop + d.step*float64(d.row[v]) }

// inColumn tells moves between two rows of the column.
func (d *down) inColumn(e move) bool { return d.row[e.from] >= 0 && d.row[e.to] >= 0 }

func (d *down) ribbons() {
	for _, e := range d.m.drawn {
		if !d.inColumn(e) || d.row[e.to] != d.row[e.from]+1 {
			continue
		}
		class := edgeClass(e.Edge, 10)
		if d.m.designed() {
			class = "f-edge f-rib"
		}
		d.m.openEdge(d.Canvas, e)
		stroke(d.Canvas, class, "M"+svg.Num(downX)+" "+svg.Num(d.y(e.from))+"V"+svg.Num(d.y(e.to)), d.m.ribbon(e.weight(), 34))
		d.Close("g")
		d.betweenRows(e)
	}
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
		if d.inColumn(e) && d.row[e.to] != d.row[e.from]+1 && len(list) < downArcs {
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
	if n.Care || n.Remark != "" {
		class += " f-hot"
	}
	if n.Step > 0 {
		d.Circle(class, downX, y, 15)
		d.Text("lbs a-m", downX, y+4, strconv.Itoa(n.Step))
	} else {
		d.Circle(class, downX, y, 9)
	}
	d.Text("lbs", downX+32, y-2, svg.Cut(n.Name, 12, d.nameRoom(n), true))
	d.Text("lb", downX+32, y+15, d.facts(ctx, v))
	if note := n.rowNote(); note != "" {
		d.Text("lbs fill-warm a-e", chart.PhoneWidth-2, y-2, "◆ "+note)
	}
	d.Close("g")
}

// rowNote is what stands at the right of a designed step's row.
func (n Node) rowNote() string {
	switch {
	case n.Remark != "":
		return n.Remark
	case n.Care && n.Step > 0:
		return n.Note
	}
	return ""
}

// nameRoom is the room for a name, less that of a note at the right.
func (d *down) nameRoom(n Node) float64 {
	room := chart.PhoneWidth - downX - 36.0
	if note := n.rowNote(); note != "" {
		room -= svg.Width("◆ "+note, 12, true) + 8
	}
	return room
}

// facts is the second line of a row.
func (d *down) facts(ctx context.Context, v int) string {
	n := d.m.Nodes[v]
	text := d.m.f.Int(n.Cases) + " " + d.m.Unit
	if d.m.loops[v]*50 >= n.Cases && d.m.loops[v] > 1 {
		text += " · ↻ " + d.m.f.Compact(d.m.loops[v])
	}
	last := n.Step > 0 && d.row[v] == len(d.order)-1 // ending there is what the design wants
	if n.Ends*50 >= d.m.most && !last {
		text += " · " + i18n.T(ctx, "flow.ends", "count", n.Ends)
	}
	return text
}
