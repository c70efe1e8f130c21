package flow

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/ui/svg"
)

// Sizes of the layered drawing, in pixels.
const (
	widest  = 30.0 // the widest ribbon
	boxW    = 164.0
	boxH    = 52.0
	rowStep = 94.0
	sideW   = 64.0 // lane at either side for moves that run backward
	topRoom = 30.0
)

// deskWidth is the width of a section of twelve columns at 1440 pixels.
const deskWidth = 1144.0

// layeredDrawing draws a map without design from top to bottom.
func (m *model) layeredDrawing(ctx context.Context) templ.Component {
	inner := deskWidth - 2*sideW
	l := m.place(inner, boxW, 28)
	height := topRoom + float64(len(l.layers)-1)*rowStep + boxH + 34
	d := &drawing{Canvas: svg.New(deskWidth, height), m: m, l: l,
		labels: svg.Field{Bounds: svg.Box{X0: 0, Y0: 0, X1: deskWidth, Y1: height}}}
	for i := range m.Nodes {
		x, y := d.node(i)
		d.labels.Take(svg.Box{X0: x - boxW/2, Y0: y, X1: x + boxW/2, Y1: y + boxH})
	}
	d.spreadPorts()
	for _, i := range d.thinFirst() {
		if l.routes[i] != nil {
			d.forward(i)
		}
	}
	d.backward()
	for i := range m.Nodes {
		d.exits(ctx, i)
	}
	for _, row := range l.layers { // in reading order, which the arrow keys follow
		for _, s := range row {
			if v := l.slots[s].node; v >= 0 {
				d.box(ctx, v)
			}
		}
	}
	d.edgeLabels()
	return d.Component("f-map", m.Label)
}

// drawing is a layered map in progress.
type drawing struct {
	*svg.Canvas
	m      *model
	l      *layout
	ports  map[port]float64
	labels svg.Field
	notes  []edgeNote
}

// port is where a move meets a node: its upper edge when it arrives.
type port struct {
	move   int
	arrive bool
}

// edgeNote is a label waiting for a free place along its move.
type edgeNote struct {
	move   int
	places [][2]float64
}

// node gives the middle of a node's upper edge.
func (d *drawing) node(i int) (x, y float64) {
	s := d.l.slots[d.l.at[i]]
	return sideW + s.x, topRoom + float64(s.layer)*rowStep
}

// thinFirst is the order of drawing: wide ribbons below would hide thin ones, so
// the widest are drawn first.
func (d *drawing) thinFirst() []int {
	out := make([]int, len(d.m.drawn))
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int { return int(d.m.drawn[b].weight() - d.m.drawn[a].weight()) })
	return out
}

// spreadPorts shares the edges of each box among its moves, in the order of where
// they come from or go to, each with the room of its ribbon.
func (d *drawing) spreadPorts() {
	d.ports = map[port]float64{}
	for v := range d.m.Nodes {
		d.share(v, true)
		d.share(v, false)
	}
}

func (d *drawing) share(v int, arrive bool) {
	type end struct {
		move    int
		towards float64
		w       float64
	}
	var list []end
	for i, route := range d.l.routes {
		if route == nil {
			continue
		}
		e := d.m.drawn[i]
		if arrive && e.to == v {
			list = append(list, end{i, d.l.slots[route[len(route)-2]].x, d.m.ribbon(e.weight(), widest)})
		}
		if !arrive && e.from == v {
			list = append(list, end{i, d.l.slots[route[1]].x, d.m.ribbon(e.weight(), widest)})
		}
	}
	if len(list) == 0 {
		return
	}
	slices.SortStableFunc(list, func(a, b end) int { return int(math.Copysign(1, a.towards-b.towards)) })
	wants, rooms := make([]float64, len(list)), make([]float64, len(list))
	x, _ := d.node(v)
	for i, e := range list {
		wants[i] = min(max(sideW+e.towards-x+boxW/2, 0), boxW)
		if len(list) == 1 {
			wants[i] = boxW / 2
		}
		rooms[i] = e.w
	}
	for i, at := range spread(wants, rooms, 5, boxW-12) {
		d.ports[port{list[i].move, arrive}] = x - boxW/2 + 6 + at
	}
}

// forward draws a move that runs downward, through its bends.
func (d *drawing) forward(i int) {
	e, route := d.m.drawn[i], d.l.routes[i]
	w := d.m.ribbon(e.weight(), widest)
	_, y0 := d.node(e.from)
	_, y1 := d.node(e.to)
	xs, ys := []float64{d.ports[port{i, false}]}, []float64{y0 + boxH}
	for _, s := range route[1 : len(route)-1] {
		y := topRoom + float64(d.l.slots[s].layer)*rowStep
		xs, ys = append(xs, sideW+d.l.slots[s].x, sideW+d.l.slots[s].x), append(ys, y, y+boxH)
	}
	end := y1
	if w < 6 {
		end -= 5
	}
	xs, ys = append(xs, d.ports[port{i, true}]), append(ys, end)
	var b strings.Builder
	b.WriteString("M" + svg.Num(xs[0]) + " " + svg.Num(ys[0]))
	for j := 1; j < len(xs); j++ {
		if xs[j] == xs[j-1] {
			b.WriteString("V" + svg.Num(ys[j]))
			continue
		}
		mid := (ys[j-1] + ys[j]) / 2
		b.WriteString("C" + svg.Num(xs[j-1]) + " " + svg.Num(mid) + " " + svg.Num(xs[j]) + " " + svg.Num(mid) + " " + svg.Num(xs[j]) + " " + svg.Num(ys[j]))
	}
	d.m.openEdge(d.Canvas, e)
	stroke(d.Canvas, edgeClass(e.Edge, w), b.String(), w)
	if w < 6 {
		arrow(d.Canvas, arrowClass(e.Edge), xs[len(xs)-1], y1, 0, 1, 6)
	}
	d.Close("g")
	d.noteAlong(i, xs, ys)
}

func arrowClass(e Edge) string {
	if e.Care {
		return "f-head f-care"
	}
	return "f-head"
}

// noteAlong remembers where the label of a move may stand: near its beginning,
// in its middle, near its end.
func (d *drawing) noteAlong(i int, xs, ys []float64) {
	var places [][2]float64
	for j := 1; j < len(xs); j++ {
		for _, t := range []float64{0.5, 0.35, 0.65} {
			places = append(places, [2]float64{xs[j-1] + (xs[j]-xs[j-1])*t, ys[j-1] + (ys[j]-ys[j-1])*t})
		}
	}
	d.notes = append(d.notes, edgeNote{i, places})
}

// backward draws the moves that run upward or within a row: out of the side of
// one box, along a lane, into the side of the other. Lanes lie outside the boxes
// between them; shorter moves take inner lanes.
func (d *drawing) backward() {
	var list []int
	for i, route := range d.l.routes {
		if route == nil {
			list = append(list, i)
		}
	}
	span := func(i int) float64 {
		_, a := d.node(d.m.drawn[i].from)
		_, b := d.node(d.m.drawn[i].to)
		return math.Abs(a - b)
	}
	slices.SortStableFunc(list, func(a, b int) int { return int(span(a) - span(b)) })
	var used [2][]svg.Box // lanes taken, left and right
	for _, i := range list {
		d.backMove(i, &used)
	}
}

func (d *drawing) backMove(i int, used *[2][]svg.Box) {
	e := d.m.drawn[i]
	x0, y0 := d.node(e.from)
	x1, y1 := d.node(e.to)
	ya, yb := y0+boxH*0.62, y1+boxH*0.38
	side, sign := d.betterSide(e, ya, yb, used)
	a, b := x0+sign*boxW/2, x1+sign*boxW/2
	lane := d.freeLane(a, b, ya, yb, sign, used[side])
	used[side] = append(used[side], laneBox(lane, ya, yb))
	w := min(d.m.ribbon(e.weight(), widest), 4)
	tip := b + sign*2
	path := "M" + svg.Num(a) + " " + svg.Num(ya) + "C" + svg.Num(lane) + " " + svg.Num(ya) + " " + svg.Num(lane) + " " + svg.Num(ya) + " " + svg.Num(lane) + " " + svg.Num(ya+sgn(yb-ya)*14) +
		"V" + svg.Num(yb-sgn(yb-ya)*14) + "C" + svg.Num(lane) + " " + svg.Num(yb) + " " + svg.Num(lane) + " " + svg.Num(yb) + " " + svg.Num(tip+sign*5) + " " + svg.Num(yb)
	class := "f-edge f-back"
	if w < 1.5 {
		class += " f-rare"
	}
	if e.Care {
		class = "f-edge f-care"
	}
	d.m.openEdge(d.Canvas, e)
	stroke(d.Canvas, class, path, w)
	arrow(d.Canvas, arrowClass(e.Edge), tip, yb, -sign, 0, 6)
	d.Close("g")
	d.notes = append(d.notes, edgeNote{i, [][2]float64{{lane, (ya + yb) / 2}, {lane, ya + (yb-ya)*0.3}, {lane, ya + (yb-ya)*0.7}}})
}

// betterSide chooses the side on which a move upward crosses fewer boxes on its
// way to the lane, and of two equal ones the nearer.
func (d *drawing) betterSide(e move, ya, yb float64, used *[2][]svg.Box) (side int, sign float64) {
	x0, _ := d.node(e.from)
	x1, _ := d.node(e.to)
	cost := [2]float64{}
	for side, sign := range [2]float64{-1, 1} {
		a, b := x0+sign*boxW/2, x1+sign*boxW/2
		lane := d.freeLane(a, b, ya, yb, sign, used[side])
		cost[side] = math.Abs(lane-a) + math.Abs(lane-b) + 600*float64(d.crossed(a, lane, ya)+d.crossed(b, lane, yb))
	}
	if cost[0] < cost[1] {
		return 0, -1
	}
	return 1, 1
}

// crossed counts the boxes that a level line runs through.
func (d *drawing) crossed(from, to, y float64) int {
	n := 0
	line := svg.Box{X0: min(from, to) + 1, Y0: y - 1, X1: max(from, to) - 1, Y1: y + 1}
	for i := range d.m.Nodes {
		x, top := d.node(i)
		if line.Overlaps(svg.Box{X0: x - boxW/2, Y0: top, X1: x + boxW/2, Y1: top + boxH}) {
			n++
		}
	}
	return n
}

// laneBox is the room that an upright line between two heights takes.
func laneBox(x, ya, yb float64) svg.Box {
	return svg.Box{X0: x - 4, Y0: min(ya, yb) - 10, X1: x + 4, Y1: max(ya, yb) + 10}
}

func sgn(x float64) float64 {
	if x < 0 {
		return -1
	}
	return 1
}

// freeLane finds the nearest upright line beside both boxes that passes no box
// and no lane already taken over the same height.
func (d *drawing) freeLane(a, b, ya, yb, sign float64, taken []svg.Box) float64 {
	start := max(a*sign, b*sign) * sign
	for step := 14.0; ; step += 9 {
		x := start + sign*step
		if x < 6 || x > deskWidth-6 {
			return min(max(x, 6), deskWidth-6)
		}
		if d.laneFree(laneBox(x, ya, yb), taken) {
			return x
		}
	}
}

func (d *drawing) laneFree(lane svg.Box, taken []svg.Box) bool {
	for _, t := range taken {
		if t.Overlaps(lane) {
			return false
		}
	}
	for i := range d.m.Nodes {
		x, y := d.node(i)
		if lane.Overlaps(svg.Box{X0: x - boxW/2 - 6, Y0: y, X1: x + boxW/2 + 6, Y1: y + boxH}) {
			return false
		}
	}
	return true
}

// exits shows where cases begin and where they end: a stub into the box from
// above, a stub out of it at its lower left with the number who went no further.
func (d *drawing) exits(ctx context.Context, i int) {
	n := d.m.Nodes[i]
	x, y := d.node(i)
	if n.Starts > 0 {
		w := d.m.ribbon(n.Starts, widest)
		stroke(d.Canvas, "f-edge f-rib", "M"+svg.Num(x)+" "+svg.Num(y-14)+"V"+svg.Num(y), w)
		d.Text("a-m", x, y-18, i18n.T(ctx, "flow.starts", "count", n.Starts))
	}
	if n.Ends*50 < d.m.most || n.Ends == 0 {
		return
	}
	w := min(d.m.ribbon(n.Ends, widest), 22)
	at := x - boxW/2 + 8 + w/2
	stroke(d.Canvas, "f-edge f-loss", "M"+svg.Num(at)+" "+svg.Num(y+boxH)+"v14", w)
	d.Line("f-stop", at-w/2-2, y+boxH+14, at+w/2+2, y+boxH+14)
	text := i18n.T(ctx, "flow.ends", "count", n.Ends)
	tw := svg.Width(text, 11, false)
	if b, ok := d.labels.Place([]svg.Box{
		{X0: at - w/2, Y0: y + boxH + 16, X1: at - w/2 + tw, Y1: y + boxH + 29},
		{X0: at - w/2 - tw - 6, Y0: y + boxH + 4, X1: at - w/2 - 6, Y1: y + boxH + 17},
	}); ok {
		d.Text("halo", b.X0, b.Y1-3, text)
	}
}

// box draws a node: name in at most two lines, its number, and a loop at its
// right when it is repeated at once.
func (d *drawing) box(ctx context.Context, i int) {
	n := d.m.Nodes[i]
	x, y := d.node(i)
	class := "f-node"
	if n.Care {
		class += " f-hot"
	}
	d.Open("g", svg.S("class", "f-at"), svg.S("data-node", strconv.Itoa(i)), svg.S("data-say", d.m.say(ctx, i)))
	d.Title(d.m.say(ctx, i))
	if d.m.loops[i]*50 >= n.Cases && d.m.loops[i] > 1 {
		d.loop(ctx, i, x, y)
	}
	d.Rect(class, x-boxW/2, y, boxW, boxH, svg.N("rx", 4))
	lines := svg.Wrap(n.Name, 12, boxW-14, true, 2)
	first := y + 30 - 7*float64(len(lines))
	for k, line := range lines {
		d.Text("lbs a-m", x, first+14*float64(k), line)
	}
	d.Text("a-m", x, first+14*float64(len(lines))+2, d.m.f.Int(n.Cases))
	d.Close("g")
}

// loop draws an immediate repeat at the right of a box.
func (d *drawing) loop(_ context.Context, i int, x, y float64) {
	right := x + boxW/2
	w := min(max(1.25, d.m.ribbon(d.m.loops[i], widest)/3), 6)
	stroke(d.Canvas, "f-edge f-loop", "M"+svg.Num(right)+" "+svg.Num(y+8)+"c26 -10 26 38 2 28", w)
	arrow(d.Canvas, "f-head", right, y+34, -1, -0.45, 6)
	text := "↻ " + d.m.f.Compact(d.m.loops[i])
	b := svg.Box{X0: right + 22, Y0: y + 14, X1: right + 22 + svg.Width(text, 11, false), Y1: y + 28}
	if d.labels.Free(b) {
		d.labels.Take(b)
		d.Text("halo", b.X0, b.Y1-3, text)
	}
}

// edgeLabels writes the labels of the widest moves where there is room.
func (d *drawing) edgeLabels() {
	slices.SortStableFunc(d.notes, func(a, b edgeNote) int {
		return int(d.m.drawn[b.move].weight() - d.m.drawn[a.move].weight())
	})
	for _, n := range d.notes {
		e := d.m.drawn[n.move]
		if !e.Care && e.weight()*50 < d.m.most {
			continue // hairlines stay without a number; the pointer and the table tell it
		}
		text, class := d.m.text(e.Edge), "lb a-m halo"
		if e.Care {
			text, class = "◆ "+text, "lbs fill-warm a-m halo"
		}
		w := svg.Width(text, 12, e.Care) + 4
		var places []svg.Box
		for _, p := range n.places {
			places = append(places, svg.Box{X0: p[0] - w/2, Y0: p[1] - 8, X1: p[0] + w/2, Y1: p[1] + 7})
		}
		if b, ok := d.labels.Place(places); ok {
			d.Open("g", append([]svg.Attr{svg.S("class", "f-label")}, ends(e)...)...)
			d.Text(class, (b.X0+b.X1)/2, b.Y1-3, text)
			d.Close("g")
		}
	}
}
