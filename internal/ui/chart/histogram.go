package chart

import (
	"context"
	"math"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/ui/svg"
)

// Bin counts the values from From up to, not including, To.
type Bin struct {
	From, To float64
	Count    int64
}

// Ref is a named value on the axis of a histogram: median, promise.
type Ref struct {
	Value   float64
	Label   string
	Promise bool // a promise is drawn dotted
	Care    bool // and warm when it is broken beyond noise
}

// HistogramProps describes a distribution, such as that of a journey's length.
type HistogramProps struct {
	ID      string
	Label   string
	Bins    []Bin
	Over    int64 // values beyond the last bin, said at the right end
	Format  Format
	Refs    []Ref
	XName   string
	Cols    int
	Height  float64
	Caption string
}

// Histogram draws a distribution as bars from zero.
func Histogram(p HistogramProps) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w writer) error {
		if len(p.Bins) == 0 {
			return nil
		}
		if p.Height == 0 {
			p.Height = 200
		}
		f := figure{id: p.ID, kind: "histogram", label: p.Label, caption: p.Caption,
			desk:  p.draw(ctx, deskWidth(p.Cols), p.Height, false),
			phone: p.draw(ctx, PhoneWidth, 190, true),
			table: p.table(ctx)}
		return frame(f).Render(ctx, w)
	})
}

func (p *HistogramProps) draw(ctx context.Context, width, height float64, phone bool) templ.Component {
	f := i18n.Fmt(ctx)
	c := svg.New(width, height)
	most := int64(1)
	for _, b := range p.Bins {
		most = max(most, b.Count)
	}
	ticks := svg.Ticks(0, float64(most), 3)
	left := 10.0
	for _, t := range ticks {
		left = max(left, 10+svg.Width(f.Compact(int64(t)), 11, false))
	}
	refRows := 16 * float64(min(len(p.Refs), 2))
	x := svg.Linear{D0: p.Bins[0].From, D1: p.Bins[len(p.Bins)-1].To, R0: left, R1: width - 8}
	y := svg.Linear{D0: 0, D1: ticks[len(ticks)-1], R0: height - 36, R1: 6 + refRows}
	for _, t := range ticks {
		c.Line("k-grid", x.R0, y.At(t), x.R1, y.At(t))
		c.Text("a-e", x.R0-8, y.At(t)+4, f.Compact(int64(t)))
	}
	for _, b := range p.Bins {
		c.Open("g", svg.S("class", "binbar"))
		c.Title(p.Format(b.From) + " – " + p.Format(b.To) + " · " + f.Int(b.Count))
		c.Rect("k-bar", x.At(b.From)+0.5, y.At(float64(b.Count)), x.At(b.To)-x.At(b.From)-1, y.R0-y.At(float64(b.Count)))
		c.Close("g")
	}
	c.Line("k-axis", x.R0, y.R0, x.R1, y.R0)
	p.axis(c, x, y, phone)
	p.refs(c, x, y)
	if p.Over > 0 {
		text := i18n.T(ctx, "chart.over", "count", p.Over)
		c.Text("a-e", x.R1, y.At(p.highest(x, x.R1-svg.Width(text, 11, false)))-6, text)
	}
	return c.Component("", p.Label)
}

func (p *HistogramProps) axis(c *svg.Canvas, x, y svg.Linear, phone bool) {
	used := math.Inf(-1)
	n := 8
	if phone {
		n = 4
	}
	for _, t := range svg.Ticks(x.D0, x.D1, n) {
		if t < x.D0-1e-9 || t > x.D1+1e-9 {
			continue
		}
		text := p.Format(t)
		w := svg.Width(text, 11, false)
		at := min(max(x.At(t)-w/2, x.R0), c.W-w)
		if at < used+8 {
			continue
		}
		used = at + w
		c.Line("k-axis", x.At(t), y.R0, x.At(t), y.R0+3)
		c.Text("", at, y.R0+15, text)
	}
	if p.XName != "" {
		c.Text("a-e", x.R1, y.R0+31, p.XName+" →")
	}
}

// highest is the largest count right of a pixel, over which a label is free.
func (p *HistogramProps) highest(x svg.Linear, from float64) float64 {
	most := int64(0)
	for _, b := range p.Bins {
		if x.At(b.To) >= from {
			most = max(most, b.Count)
		}
	}
	return float64(most)
}

// refs draws median and promise as lines named over the plot, one row each.
func (p *HistogramProps) refs(c *svg.Canvas, x, y svg.Linear) {
	for i, r := range p.Refs {
		row := min(i, 1)
		at := x.Clamp(r.Value)
		class, text := "k-ref", "lb"
		if r.Promise {
			class = "k-promise"
		}
		if r.Care {
			class, text = class+" st-warm", "lbs fill-warm"
		}
		ty := 12 + 16*float64(row)
		c.Line(class, at, ty+4, at, y.R0)
		w := svg.Width(r.Label, 12, r.Care)
		if at+4+w > c.W {
			c.Text(text+" a-e", at-4, ty, r.Label)
		} else {
			c.Text(text, at+4, ty, r.Label)
		}
	}
}

func (p *HistogramProps) table(ctx context.Context) table {
	f := i18n.Fmt(ctx)
	t := table{head: []string{i18n.T(ctx, "chart.from"), i18n.T(ctx, "chart.to"), i18n.T(ctx, "chart.count")}}
	for _, b := range p.Bins {
		t.rows = append(t.rows, []string{p.Format(b.From), p.Format(b.To), f.Int(b.Count)})
	}
	if p.Over > 0 {
		t.rows = append(t.rows, []string{p.Format(p.Bins[len(p.Bins)-1].To), "∞", f.Int(p.Over)})
	}
	return t
}
