package chart

import (
	"context"
	"math"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/svg"
)

// StepItem is the value of one step.
type StepItem struct {
	Name      string
	Value     float64 // NaN: nobody was asked
	Low, High float64 // its interval
	N         int64
	State     ui.MetricState
}

// StepsProps describes values along the steps of a journey, such as how each
// feels. A line joins neighbours that both have a value; where nobody was asked it
// is left out.
type StepsProps struct {
	ID        string
	Label     string
	Items     []StepItem
	Format    Format
	Bounds    [2]float64 // of the value axis
	ValueName string
	StepName  string
	Caption   string
	Height    float64
}

// Steps draws values along steps: side by side at a desk, downward on a phone.
func Steps(p StepsProps) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w writer) error {
		if len(p.Items) == 0 {
			return nil
		}
		if p.Height == 0 {
			p.Height = 280
		}
		f := figure{id: p.ID, kind: "steps", label: p.Label, caption: p.Caption, desk: p.desk(), phone: p.phone(), table: p.table(ctx)}
		return frame(f).Render(ctx, w)
	})
}

func (it StepItem) known() bool { return !math.IsNaN(it.Value) }

func (p *StepsProps) desk() templ.Component {
	c := svg.New(deskWidth(12), p.Height)
	ticks := svg.Ticks(p.Bounds[0], p.Bounds[1], 4)
	left := 10.0
	for _, t := range ticks {
		left = max(left, 14+svg.Width(p.Format(t), 11, false))
	}
	bottom := p.Height - 52
	y := svg.Linear{D0: p.Bounds[0], D1: p.Bounds[1], R0: bottom, R1: 12}
	for _, t := range ticks {
		c.Line("k-grid", left, y.At(t), c.W-8, y.At(t))
		c.Text("a-e", left-8, y.At(t)+4, p.Format(t))
	}
	slot := (c.W - 8 - left) / float64(len(p.Items))
	at := func(i int) float64 { return left + slot*(float64(i)+0.5) }
	for i := 1; i < len(p.Items); i++ {
		if a, b := p.Items[i-1], p.Items[i]; a.known() && b.known() {
			c.Line("k-line thin", at(i-1), y.At(a.Value), at(i), y.At(b.Value))
		}
	}
	for i, it := range p.Items {
		c.Line("k-axis", at(i), bottom, at(i), bottom+4)
		for row, text := range svg.Wrap(it.Name, 11, slot-8, false, 3) {
			c.Text("a-m", at(i), bottom+17+13*float64(row), text)
		}
		if !it.known() {
			c.Circle("k-few", at(i), bottom-10, 4)
			continue
		}
		c.Open("g")
		c.Title(it.Name + ": " + p.Format(it.Value))
		if it.Low < it.High {
			c.Line("k-whisk", at(i), y.Clamp(it.Low), at(i), y.Clamp(it.High))
		}
		mark(c, it.State, at(i), y.At(it.Value), 4)
		c.Text("", at(i)+9, y.At(it.Value)-6, p.Format(it.Value))
		c.Close("g")
	}
	c.Line("k-axis", left, bottom, c.W-8, bottom)
	return c.Component("", p.Label)
}

func (p *StepsProps) phone() templ.Component {
	const row = 44.0
	c := svg.New(PhoneWidth, row*float64(len(p.Items))+28)
	x := svg.Linear{D0: p.Bounds[0], D1: p.Bounds[1], R0: 12, R1: PhoneWidth - 52}
	for _, t := range svg.Ticks(p.Bounds[0], p.Bounds[1], 3) {
		c.Line("k-grid", x.At(t), 4, x.At(t), c.H-20)
		c.Text("a-m", x.At(t), c.H-6, p.Format(t))
	}
	at := func(i int) float64 { return row*float64(i) + 30 }
	for i := 1; i < len(p.Items); i++ {
		if a, b := p.Items[i-1], p.Items[i]; a.known() && b.known() {
			c.Line("k-line thin", x.At(a.Value), at(i-1), x.At(b.Value), at(i))
		}
	}
	for i, it := range p.Items {
		c.Text("halo", 2, at(i)-14, svg.Cut(it.Name, 11, PhoneWidth-60, false))
		if !it.known() {
			c.Circle("k-few", 12, at(i), 4)
			continue
		}
		if it.Low < it.High {
			c.Line("k-whisk", x.Clamp(it.Low), at(i), x.Clamp(it.High), at(i))
		}
		mark(c, it.State, x.At(it.Value), at(i), 4)
		c.Text("a-e", PhoneWidth-2, at(i)+4, p.Format(it.Value))
	}
	return c.Component("", p.Label)
}

func (p *StepsProps) table(ctx context.Context) table {
	f := i18n.Fmt(ctx)
	t := table{head: []string{p.StepName, p.ValueName, i18n.T(ctx, "chart.interval"), "n"}}
	for _, it := range p.Items {
		if !it.known() {
			t.rows = append(t.rows, []string{it.Name, "–", "–", f.Int(it.N)})
			continue
		}
		interval := "–"
		if it.Low < it.High {
			interval = p.Format(it.Low) + " – " + p.Format(it.High)
		}
		t.rows = append(t.rows, []string{it.Name, p.Format(it.Value), interval, f.Int(it.N)})
	}
	return t
}
