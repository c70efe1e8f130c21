package chart

import (
	"context"
	"math"
	"strings"

	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/svg"
)

// labels names the series, promise, band and changes where they are drawn.
func (pl *plot) labels() {
	pl.endLabels()
	pl.changeLabels()
	pl.bandLabel()
}

// endLabels stand at the right end on a desk, apart from each other, and inside
// the plot on a phone.
func (pl *plot) endLabels() {
	last, ok := pl.p.last()
	target := pl.p.Target
	if pl.phone {
		if target != nil {
			pl.placeText("lb", target.Label, pl.x.R0+4, pl.y.Clamp(target.Value), true)
		}
		if ok {
			pl.phoneEnd(last)
		}
		return
	}
	y := math.NaN()
	if ok {
		y = pl.ys[last] + 4
	}
	if target != nil {
		ty := pl.y.Clamp(target.Value) + 4
		if ok && math.Abs(ty-y) < 15 {
			if ty <= y {
				ty = y - 15
			} else {
				ty = y + 15
			}
		}
		pl.Text("lb", pl.x.R1+8, ty, target.Label)
	}
	if ok {
		pl.Text("lbs", pl.xs[last]+8, y, pl.p.EndLabel)
	}
}

// phoneEnd writes the newest value over or under the line's end.
func (pl *plot) phoneEnd(last int) {
	w := svg.Width(pl.p.EndLabel, 12, true)
	x := pl.x.R1
	for _, y := range []float64{pl.ys[last] - 10, pl.ys[last] + 20, pl.ys[last] - 24, pl.ys[last] + 34, pl.y.R0 - 6} {
		b := svg.Box{X0: x - w, Y0: y - 11, X1: x, Y1: y + 3}
		if pl.field.Free(b) || y == pl.y.R0-6 {
			pl.field.Take(b)
			pl.Text("lbs a-e halo", x, y, pl.p.EndLabel)
			return
		}
	}
}

// placeText writes a label over or under a level where nothing else is drawn.
func (pl *plot) placeText(class, text string, x, level float64, above bool) {
	w := svg.Width(text, 12, false)
	offsets := []float64{-6, 15, -20, 29}
	if !above {
		offsets = []float64{15, -6, 29, -20}
	}
	for _, dy := range offsets {
		y := level + dy
		for _, dx := range []float64{0, 40, 90, 150} {
			b := svg.Box{X0: x + dx, Y0: y - 11, X1: x + dx + w, Y1: y + 3}
			if pl.field.Free(b) {
				pl.field.Take(b)
				pl.Text(strings.TrimSpace(class+" halo"), x+dx, y, text)
				return
			}
		}
	}
	pl.Text(strings.TrimSpace(class+" halo"), x, level+offsets[0], text)
}

// changeLabels stand over the plot, centred on their line and kept inside.
func (pl *plot) changeLabels() {
	used := math.Inf(-1)
	for _, ch := range pl.p.Changes {
		w := svg.Width(ch.Label, 12, true)
		left := min(max(pl.x.Clamp(seconds(ch.At))-w/2, 0), pl.W-w)
		if left < used+8 {
			continue
		}
		used = left + w
		pl.Text("lbs fill-warm", left, 14, ch.Label)
	}
}

// bandLabel names the band once, under its left end.
func (pl *plot) bandLabel() {
	for i, q := range pl.p.Points {
		if math.IsNaN(q.BandLow) || q.BandHigh <= q.BandLow {
			continue
		}
		lowest := pl.y.Clamp(q.BandLow)
		w := svg.Width(pl.p.BandLabel, 11, false)
		for j := i; j < len(pl.xs) && pl.xs[j] < pl.xs[i]+w; j++ {
			if !math.IsNaN(pl.p.Points[j].BandLow) {
				lowest = max(lowest, pl.y.Clamp(pl.p.Points[j].BandLow))
			}
		}
		y := min(lowest+15, pl.y.R0-5)
		pl.placeText("", pl.p.BandLabel, max(pl.xs[i], pl.x.R0)+6, y-15, false)
		return
	}
}

// hits are invisible columns that read a point out under the pointer, and mark
// it when stepped with the keyboard.
func (pl *plot) hits(ctx context.Context) {
	for i := range pl.p.Points {
		a, b := pl.x.R0, pl.x.R1
		if i > 0 {
			a = (pl.xs[i-1] + pl.xs[i]) / 2
		}
		if i+1 < len(pl.xs) {
			b = (pl.xs[i] + pl.xs[i+1]) / 2
		}
		pl.Open("g", svg.S("class", "pt"), svg.S("data-say", pl.p.say(ctx, i)))
		pl.Rect("hit", a, pl.y.R1, max(b-a, 1), pl.y.R0-pl.y.R1)
		pl.Line("cross", pl.xs[i], pl.y.R1, pl.xs[i], pl.y.R0)
		pl.Close("g")
	}
}

// say reads one point: when, value, interval, n, state.
func (p *TimeProps) say(ctx context.Context, i int) string {
	q := p.Points[i]
	f := i18n.Fmt(ctx)
	parts := []string{p.When(q.At)}
	switch {
	case math.IsNaN(q.Value):
		parts = append(parts, i18n.T(ctx, "chart.missing"))
	case q.Low < q.High:
		parts = append(parts, p.Format(q.Value)+" ("+p.Format(q.Low)+" – "+p.Format(q.High)+")")
	default:
		parts = append(parts, p.Format(q.Value))
	}
	if q.N > 0 {
		parts = append(parts, "n = "+f.Int(q.N))
	}
	if q.State != ui.Noise {
		parts = append(parts, q.State.Word(ctx))
	}
	return strings.Join(parts, " · ")
}

// table is the data behind the chart, newest last.
func (p *TimeProps) table(ctx context.Context) table {
	f := i18n.Fmt(ctx)
	t := table{head: []string{i18n.T(ctx, "chart.when"), p.ValueName, i18n.T(ctx, "chart.interval"), "n", i18n.T(ctx, "chart.band.short"), i18n.T(ctx, "chart.state")}}
	for _, q := range p.Points {
		row := []string{p.When(q.At), p.Format(q.Value), "", "", "", q.State.Word(ctx)}
		if q.Low < q.High {
			row[2] = p.Format(q.Low) + " – " + p.Format(q.High)
		}
		if q.N > 0 {
			row[3] = f.Int(q.N)
		}
		if q.BandLow < q.BandHigh {
			row[4] = p.Format(q.BandLow) + " – " + p.Format(q.BandHigh)
		}
		t.rows = append(t.rows, row)
	}
	return t
}
