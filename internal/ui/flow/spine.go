package flow

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/ui/svg"
)

// desk chooses the drawing for a desk.
func (m *model) desk(ctx context.Context) templ.Component {
	if m.designed() {
		return m.spineDrawing(ctx)
	}
	return m.layeredDrawing(ctx)
}

// phone is the drawing for a phone.
func (m *model) phone(ctx context.Context) templ.Component { return m.downDrawing(ctx) }

func idAttr(id string) templ.Attributes {
	if id == "" {
		return nil
	}
	return templ.Attributes{"id": id}
}

// spine is a map with designed steps in a row.
type spine struct {
	*svg.Canvas
	m        *model
	steps    []int // nodes of the design, in order
	outside  []int // nodes not in the design, most frequent first
	place    map[int]int
	y        float64 // of the row
	x0, gapX float64
	boxes    map[int]svg.Box // of the nodes outside
	labels   svg.Field
}

// split sorts the nodes into designed steps and others.
func (m *model) split() (steps, outside []int) {
	for i, n := range m.Nodes {
		if n.Step > 0 {
			steps = append(steps, i)
		} else {
			outside = append(outside, i)
		}
	}
	slices.SortStableFunc(steps, func(a, b int) int { return cmp.Compare(m.Nodes[a].Step, m.Nodes[b].Step) })
	slices.SortStableFunc(outside, func(a, b int) int { return cmp.Compare(m.Nodes[b].Cases, m.Nodes[a].Cases) })
	return steps, outside
}

const (
	ring     = 16.0 // radius of a step
	spineTop = 62.0 // names and numbers over the row
)

func (m *model) spineDrawing(ctx context.Context) templ.Component {
	s := &spine{m: m, place: map[int]int{}, boxes: map[int]svg.Box{}}
	s.steps, s.outside = m.split()
	for at, v := range s.steps {
		s.place[v] = at
	}
	s.x0 = 52
	s.gapX = (deskWidth - 2*s.x0) / float64(max(len(s.steps)-1, 1))
	arcs := s.arcRows()
	s.y = spineTop + 30 + 34*float64(max(arcs, 1)) + ring
	height := s.y + 80
	if len(s.outside) > 0 {
		height = s.y + 190
	}
	s.Canvas = svg.New(deskWidth, height)
	s.labels = svg.Field{Bounds: svg.Box{X0: 0, Y0: 0, X1: deskWidth, Y1: height}}
	s.placeOutside()
	s.ribbons()
	s.arcs()
	s.detours()
	s.peels(ctx)
	s.Line("f-design", s.x(0), s.y, s.x(len(s.steps)-1), s.y)
	s.times()
	s.nodes(ctx)
	return s.Component("f-map", m.Label)
}

func (s *spine) x(at int) float64 { return s.x0 + float64(at)*s.gapX }

// isArc tells moves between designed steps that are not the designed next one.
func (s *spine) isArc(e move) (from, to int, ok bool) {
	from, okFrom := s.place[e.from]
	to, okTo := s.place[e.to]
	return from, to, okFrom && okTo && to != from+1
}

// level is how high an arc must rise to pass over shorter ones.
func level(from, to int) int {
	span := to - from
	if span < 0 {
		span = -span
	}
	return min(span, 4)
}

func (s *spine) arcRows() int {
	rows := 0
	for _, e := range s.m.drawn {
		if from, to, ok := s.isArc(e); ok {
			rows = max(rows, level(from, to))
		}
	}
	return rows
}

// ribbons joins designed neighbours.
func (s *spine) ribbons() {
	for _, e := range s.m.drawn {
		from, okFrom := s.place[e.from]
		to, okTo := s.place[e.to]
		if !okFrom || !okTo || to != from+1 {
			continue
		}
		s.m.openEdge(s.Canvas, e)
		stroke(s.Canvas, "f-edge f-rib", "M"+svg.Num(s.x(from))+" "+svg.Num(s.y)+"H"+svg.Num(s.x(to)), s.m.ribbon(e.weight(), 40))
		s.Close("g")
	}
}

// arcs draws what was skipped or repeated over the row; loops stand on their step.
func (s *spine) arcs() {
	for _, e := range s.m.drawn {
		from, to, ok := s.isArc(e)
		if !ok {
			continue
		}
		rise := 26 + 34*float64(level(from, to))
		a, b := s.x(from), s.x(to)
		back := to < from
		foot := s.y - ring - 2
		w := min(s.m.ribbon(e.weight(), 40), 7)
		class := "f-edge f-skip"
		if back {
			class = "f-edge f-back"
		}
		if e.Care {
			class = "f-edge f-care"
		}
		off := math.Copysign(5, b-a)
		s.m.openEdge(s.Canvas, e)
		stroke(s.Canvas, class, "M"+svg.Num(a+off)+" "+svg.Num(foot)+"C"+svg.Num(a+off*3)+" "+svg.Num(foot-rise)+" "+svg.Num(b-off*3)+" "+svg.Num(foot-rise)+" "+svg.Num(b-off)+" "+svg.Num(foot-5), w)
		arrow(s.Canvas, arrowClass(e.Edge), b-off, foot, -off*0.3, 5, 6)
		s.Close("g")
		text, look := s.m.text(e.Edge), "a-m halo"
		if e.Care {
			text, look = "◆ "+text, "lbs a-m fill-warm halo"
		}
		s.labelAt(e, look, text, (a+b)/2, foot-rise*0.75-5)
	}
	for at, v := range s.steps {
		if s.m.loops[v] > 0 {
			s.loop(at, v)
		}
	}
}

func (s *spine) loop(at, v int) {
	n := s.m.Nodes[v]
	x, foot := s.x(at), s.y-ring-2
	w := max(1.5, min(s.m.ribbon(s.m.loops[v], 40)/2, 6))
	class, look, text := "f-edge f-loop", "a-m halo", "↻ "+s.m.f.Int(s.m.loops[v])
	if n.Care {
		class, look = "f-edge f-care", "lbs a-m fill-warm halo"
		if n.Note != "" {
			text = n.Note
		}
		text = "◆ " + text
	}
	stroke(s.Canvas, class, "M"+svg.Num(x-9)+" "+svg.Num(foot)+"c-25 -50 43 -50 18 0", w)
	s.put(look, text, x, foot-44)
}

// labelAt writes the label of a move, a little aside when its place is taken.
func (s *spine) labelAt(e move, class, text string, x, y float64) {
	s.Open("g", append([]svg.Attr{svg.S("class", "f-label")}, ends(e)...)...)
	s.put(class, text, x, y)
	s.Close("g")
}

// put writes centred text at the first free place near a point.
func (s *spine) put(class, text string, x, y float64) {
	w := svg.Width(text, 12, true)
	var places []svg.Box
	for _, dy := range []float64{0, -14, 14, -28, 28} {
		for _, dx := range []float64{0, -30, 30} {
			cx := min(max(x+dx, w/2), deskWidth-w/2)
			places = append(places, svg.Box{X0: cx - w/2, Y0: y + dy - 11, X1: cx + w/2, Y1: y + dy + 3})
		}
	}
	b, ok := s.labels.Place(places)
	if !ok {
		b = places[0]
	}
	s.Text(class, (b.X0+b.X1)/2, b.Y1-3, text)
}

// placeOutside puts the boxes of unplanned activities in a row below, near the
// steps they are reached from.
func (s *spine) placeOutside() {
	if len(s.outside) == 0 {
		return
	}
	list := s.outside
	if len(list) > 6 {
		list = list[:6]
	}
	wants := map[int]float64{}
	for _, v := range list {
		sum, weight := 0.0, 0.0
		for _, e := range s.m.drawn {
			other := -1
			if e.from == v {
				other = e.to
			} else if e.to == v {
				other = e.from
			}
			if at, ok := s.place[other]; ok {
				sum += s.x(at) * float64(e.Count)
				weight += float64(e.Count)
			}
		}
		wants[v] = deskWidth / 2
		if weight > 0 {
			wants[v] = sum / weight
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(wants[a], wants[b]) })
	xs, rooms := make([]float64, len(list)), make([]float64, len(list))
	for i, v := range list {
		xs[i], rooms[i] = wants[v], s.roomOf(v)
	}
	top := s.y + 118
	for i, x := range spread(xs, rooms, 24, deskWidth) {
		s.boxes[list[i]] = svg.Box{X0: x - rooms[i]/2, Y0: top, X1: x + rooms[i]/2, Y1: top + 42}
	}
}

func (s *spine) roomOf(v int) float64 {
	n := s.m.Nodes[v]
	return min(max(112, svg.Width(n.Name, 12, true)+28), 190)
}

// detours draws the dashed ways to and from what is not in the design.
func (s *spine) detours() {
	for _, e := range s.m.drawn {
		for v, b := range s.boxes {
			if e.from == v || e.to == v {
				s.detour(e, b, e.to == v)
			}
		}
	}
}

func (s *spine) detour(e move, b svg.Box, into bool) {
	other := e.to
	if into {
		other = e.from
	}
	at, ok := s.place[other]
	if !ok {
		return // between two unplanned activities: in the table
	}
	x := s.x(at)
	foot := s.y + ring + 2
	port := min(max(x, b.X0+16), b.X1-16)
	if into {
		x += 8
		port = min(port, (b.X0+b.X1)/2)
	} else {
		x -= 8
		port = max(port, (b.X0+b.X1)/2)
	}
	class, look := "f-edge f-out", "a-m halo"
	if e.Care {
		class, look = "f-edge f-out f-care", "lbs a-m fill-warm halo"
	}
	w := max(1.25, min(s.m.ribbon(e.weight(), 40)*0.6, 7))
	mid := (foot + b.Y0) / 2
	s.m.openEdge(s.Canvas, e)
	stroke(s.Canvas, class, "M"+svg.Num(x)+" "+svg.Num(foot)+"C"+svg.Num(x)+" "+svg.Num(mid+8)+" "+svg.Num(port)+" "+svg.Num(mid-8)+" "+svg.Num(port)+" "+svg.Num(b.Y0), w)
	if into {
		arrow(s.Canvas, arrowClass(e.Edge)+" f-detour", port, b.Y0, 0, 1, 7)
	} else {
		arrow(s.Canvas, arrowClass(e.Edge)+" f-detour", x, foot, 0, -1, 7)
	}
	s.Close("g")
	s.labelAt(e, look, s.m.f.Int(e.Count), x+(port-x)*0.5, mid)
}

// peels shows who left for good at each step, downward from its ribbon.
func (s *spine) peels(ctx context.Context) {
	for at, v := range s.steps[:len(s.steps)-1] {
		n := s.m.Nodes[v]
		gone := n.Ends - n.Open
		if n.Ends*50 < s.m.most || n.Ends == 0 {
			continue
		}
		x := s.x(at) + s.gapX*0.28
		w := max(2, s.m.ribbon(n.Ends, 40)*0.8)
		class := "f-edge f-loss"
		if n.Care {
			class = "f-edge f-losshot"
		}
		stroke(s.Canvas, class, "M"+svg.Num(x)+" "+svg.Num(s.y+6)+"c6 20 6 30 6 52", w)
		s.put("lb a-m halo", i18n.T(ctx, "flow.left.here", "count", gone), x+6, s.y+74)
		if n.Open > 0 {
			s.put("a-m halo", i18n.T(ctx, "flow.open", "count", n.Open), x+6, s.y+88)
		}
	}
}

// times writes the usual length of each designed move over its ribbon and the
// promise below it.
func (s *spine) times() {
	for _, e := range s.m.drawn {
		from, okFrom := s.place[e.from]
		to, okTo := s.place[e.to]
		if !okFrom || !okTo || to != from+1 {
			continue
		}
		x := (s.x(from) + s.x(to)) / 2
		half := s.m.ribbon(e.weight(), 40) / 2
		text := e.Time
		if s.m.Show == ByCount && text == "" {
			text = s.m.f.Int(e.Count)
		}
		if text != "" {
			class := "lb a-m"
			if e.Care {
				class, text = "lbs a-m fill-warm", "◆ "+text
			}
			s.Text(class, x, s.y-half-6, text)
		}
		if e.Promise != "" {
			s.Text("a-m", x, s.y+half+14, e.Promise)
		}
	}
}

// nodes draws the steps with their names, and the boxes outside the design.
func (s *spine) nodes(ctx context.Context) {
	for at, v := range s.steps {
		n := s.m.Nodes[v]
		x := s.x(at)
		s.Open("g", svg.S("class", "f-at"), svg.S("data-node", strconv.Itoa(v)), svg.S("data-say", s.m.say(ctx, v)))
		s.Title(s.m.say(ctx, v))
		s.Line("f-lead", x, spineTop, x, s.y-ring-1)
		class := "f-node"
		if n.Remark != "" {
			class += " f-hot"
		}
		s.Circle(class, x, s.y, ring)
		s.Text("lbs a-m", x, s.y+4, strconv.Itoa(n.Step))
		lines := svg.Wrap(n.Name, 12, max(s.gapX-14, 60), false, 2)
		widestLine := svg.Width(s.m.f.Int(n.Cases), 11, false)
		for _, line := range lines {
			widestLine = max(widestLine, svg.Width(line, 12, false))
		}
		anchor := min(max(x, widestLine/2), deskWidth-widestLine/2)
		for i, line := range lines {
			s.Text("lb a-m fill-ink", anchor, 18+15*float64(i+2-len(lines)), line)
		}
		s.Text("a-m", anchor, 52, s.m.f.Int(n.Cases))
		if n.Remark != "" {
			s.put("lbs a-m fill-warm halo", "◆ "+n.Remark, x, s.y+ring+30)
		}
		s.Close("g")
	}
	for v, b := range s.boxes {
		s.outsideBox(ctx, v, b)
	}
}

func (s *spine) outsideBox(ctx context.Context, v int, b svg.Box) {
	n := s.m.Nodes[v]
	class, look := "f-node f-un", "lbs a-m"
	if n.Care {
		class, look = "f-node f-un f-hot", "lbs a-m fill-warm"
	}
	s.Open("g", svg.S("class", "f-at"), svg.S("data-node", strconv.Itoa(v)), svg.S("data-say", s.m.say(ctx, v)))
	s.Title(s.m.say(ctx, v))
	s.Rect(class, b.X0, b.Y0, b.X1-b.X0, b.Y1-b.Y0, svg.N("rx", 4))
	s.Text(look, (b.X0+b.X1)/2, b.Y0+17, svg.Cut(n.Name, 12, b.X1-b.X0-12, true))
	s.Text("a-m", (b.X0+b.X1)/2, b.Y0+33, i18n.T(ctx, "flow.times", "count", max(n.Events, n.Cases)))
	s.Close("g")
	if n.Note != "" {
		s.put("a-m", n.Note, (b.X0+b.X1)/2, b.Y1+18)
	}
}
