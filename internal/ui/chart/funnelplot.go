package chart

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/platform/i18n/fmtx"
	"omote/internal/ui"
	"omote/internal/ui/svg"
)

// Unit is one branch, channel or team in a funnel plot.
type Unit struct {
	Name      string
	N         float64 // answers, calls, problems
	Value     float64
	Low, High float64        // its interval, drawn as a whisker when it lies outside
	State     ui.MetricState // Better and Worse lie outside the limits; Few is not judged
}

// FunnelPlotProps describes units against what chance explains at their size. It
// is never a ranking: only units outside the limits are named.
type FunnelPlotProps struct {
	ID     string
	Label  string
	Units  []Unit
	Centre float64
	Limits func(n float64) (low, high float64) // at the stated false-alarm rate
	MinN   float64                             // left of this nothing is judged
	Format Format                              // of values
	Tick   Format                              // of the axis; by default as values
	NName  string                              // what n counts: "problems raised in the unit, 28 days"
	Mean   string                              // label of the centre line: "bank 78.4%"
	Inside string                              // remark inside the limits; by default "inside: chance explains the difference"
	Bounds [2]float64                          // a value cannot leave these; equal means no bound
	Cols   int
	Height float64
}

// FunnelPlot draws units by size and value inside the limits of chance.
func FunnelPlot(p FunnelPlotProps) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w writer) error {
		if len(p.Units) == 0 {
			return nil
		}
		if p.Tick == nil {
			p.Tick = p.Format
		}
		if p.Height == 0 {
			p.Height = 320
		}
		if p.Inside == "" {
			p.Inside = i18n.T(ctx, "chart.inside")
		}
		f := figure{
			id: p.ID, kind: "funnel", label: p.Label,
			desk:  p.draw(ctx, deskWidth(p.Cols), p.Height, false),
			phone: p.draw(ctx, PhoneWidth, 300, true),
			table: p.table(ctx),
		}
		return frame(f).Render(ctx, w)
	})
}

func (p *FunnelPlotProps) draw(ctx context.Context, width, height float64, phone bool) templ.Component {
	f := i18n.Fmt(ctx)
	c := svg.New(width, height)
	ticks := p.valueTicks()
	left := 10.0
	for _, t := range ticks {
		left = max(left, 10+svg.Width(p.Tick(t), 11, false))
	}
	largest := 0.0
	for _, u := range p.Units {
		largest = max(largest, u.N)
	}
	nTicks := svg.Ticks(0, largest, map[bool]int{true: 4, false: 7}[phone])
	x := svg.Linear{D0: 0, D1: nTicks[len(nTicks)-1], R0: left, R1: width - 8}
	y := svg.Linear{D0: ticks[0], D1: ticks[len(ticks)-1], R0: height - 38, R1: 10}
	p.scales(c, f, x, y, ticks, nTicks, phone)
	p.limits(c, x, y)
	p.marks(c, x, y, phone)
	return c.Component("", p.Label)
}

// valueTicks span the units, not the mouth of the funnel, which is cut.
func (p *FunnelPlotProps) valueTicks() []float64 {
	var values []float64
	for _, u := range p.Units {
		values = append(values, u.Value)
		if u.State == ui.Better || u.State == ui.Worse {
			values = append(values, u.Low, u.High)
		}
	}
	low, high := svg.Extent(values, []float64{p.Centre})
	if p.Bounds[1] > p.Bounds[0] {
		low, high = max(low, p.Bounds[0]), min(high, p.Bounds[1])
	}
	return svg.Ticks(low, high, 6)
}

func (p *FunnelPlotProps) scales(c *svg.Canvas, f fmtx.Formatter, x, y svg.Linear, ticks, nTicks []float64, phone bool) {
	for _, t := range ticks {
		c.Line("k-grid", x.R0, y.At(t), x.R1, y.At(t))
		c.Text("a-e", x.R0-8, y.At(t)+4, p.Tick(t))
	}
	c.Line("k-axis", x.R0, y.R0, x.R1, y.R0)
	for i, t := range nTicks {
		class := "a-m"
		if i == 0 {
			class = ""
		} else if i == len(nTicks)-1 {
			class = "a-e"
		}
		c.Text(class, x.At(t), y.R0+15, f.Int(int64(t)))
	}
	c.Text("a-e", x.R1, y.R0+31, p.NName+" →")
	if p.MinN > 0 {
		c.Rect("k-unjudged", x.R0, y.R1, x.Clamp(p.MinN)-x.R0, y.R0-y.R1)
	}
}

// limits draws the band that chance explains at every size.
func (p *FunnelPlotProps) limits(c *svg.Canvas, x, y svg.Linear) {
	if p.Limits == nil {
		return
	}
	var xs, low, high []float64
	for px := max(x.Clamp(p.MinN), x.R0+1); px <= x.R1; px += 4 {
		n := x.D0 + (px-x.R0)/(x.R1-x.R0)*(x.D1-x.D0)
		l, h := p.Limits(n)
		xs, low, high = append(xs, px), append(low, y.Clamp(l)), append(high, y.Clamp(h))
	}
	c.Path("k-band", svg.Ribbon(xs, low, high))
	c.Path("k-bedge", svg.Polyline(xs, high))
	c.Path("k-bedge", svg.Polyline(xs, low))
	c.Line("k-mid", x.R0, y.At(p.Centre), x.R1, y.At(p.Centre))
}

// marks draws the units; those outside are drawn last and named.
func (p *FunnelPlotProps) marks(c *svg.Canvas, x, y svg.Linear, phone bool) {
	field := svg.Field{Bounds: svg.Box{X0: x.R0, Y0: 0, X1: c.W, Y1: y.R0}}
	units := slices.Clone(p.Units)
	slices.SortStableFunc(units, func(a, b Unit) int { return cmp.Compare(outside(a), outside(b)) })
	for _, u := range units {
		cx, cy := x.Clamp(u.N), y.Clamp(u.Value)
		c.Open("g")
		c.Title(u.Name + " · " + p.Format(u.Value) + " · n = " + svg.Num(u.N))
		switch {
		case outside(u) == 1:
			if u.Low < u.High {
				c.Line("k-whisk "+map[bool]string{true: "st-warm", false: "st-better"}[u.State == ui.Worse], cx, y.Clamp(u.Low), cx, y.Clamp(u.High))
			}
			mark(c, u.State, cx, cy, 3)
		case u.State == ui.Few:
			c.Circle("k-few", cx, cy, 3.5)
		default:
			c.Circle("k-unit", cx, cy, 2.6)
		}
		c.Close("g")
		field.Take(svg.Box{X0: cx - 4, Y0: cy - 4, X1: cx + 4, Y1: cy + 4})
	}
	for _, u := range units {
		if outside(u) == 1 {
			p.name(c, &field, x.Clamp(u.N), y.Clamp(u.Value), u)
		}
	}
	p.remarks(c, &field, x, y)
}

func outside(u Unit) int {
	if u.State == ui.Better || u.State == ui.Worse {
		return 1
	}
	return 0
}

// name labels a unit at the first free place around its mark.
func (p *FunnelPlotProps) name(c *svg.Canvas, field *svg.Field, cx, cy float64, u Unit) {
	text := u.Name + " " + p.Format(u.Value)
	w := svg.Width(text, 12, true)
	var places []svg.Box
	for _, dy := range []float64{4, -10, 18, -24, 32} {
		places = append(places, svg.Box{X0: cx + 8, Y0: cy + dy - 11, X1: cx + 8 + w, Y1: cy + dy + 3},
			svg.Box{X0: cx - 8 - w, Y0: cy + dy - 11, X1: cx - 8, Y1: cy + dy + 3})
	}
	b, ok := field.Place(places)
	if !ok {
		b = places[0]
		if b.X1 > c.W {
			b = places[1]
		}
	}
	class := "lbs halo fill-better"
	if u.State == ui.Worse {
		class = "lbs halo fill-warm"
	}
	c.Text(class, b.X0, b.Y1-3, text)
}

// remarks names the centre line and the band, where there is room.
func (p *FunnelPlotProps) remarks(c *svg.Canvas, field *svg.Field, x, y svg.Linear) {
	put := func(class, text string, size float64, ys ...float64) {
		w := svg.Width(text, size, false)
		for _, right := range []float64{x.R1 - 4, x.R1 - 90, x.R1 - 180} {
			for _, py := range ys {
				if b, ok := field.Place([]svg.Box{{X0: right - w, Y0: py - 11, X1: right, Y1: py + 3}}); ok {
					c.Text(class, b.X0, py, text)
					return
				}
			}
		}
	}
	centre := y.At(p.Centre)
	if p.Mean != "" {
		put("lb halo on-band", p.Mean, 12, centre-5, centre+14)
	}
	if p.Limits != nil && p.Inside != "" {
		low, _ := p.Limits(x.D1)
		put("halo", p.Inside, 11, y.Clamp(low)+16, y.R0-8, y.R1+14)
	}
}

func (p *FunnelPlotProps) table(ctx context.Context) table {
	f := i18n.Fmt(ctx)
	t := table{head: []string{i18n.T(ctx, "chart.unit"), "n", i18n.T(ctx, "chart.value"), i18n.T(ctx, "chart.interval"), i18n.T(ctx, "chart.state")}}
	for _, u := range p.Units {
		interval := ""
		if u.Low < u.High {
			interval = p.Format(u.Low) + " – " + p.Format(u.High)
		}
		t.rows = append(t.rows, []string{u.Name, f.Int(int64(math.Round(u.N))), p.Format(u.Value), interval, u.State.Word(ctx)})
	}
	return t
}
