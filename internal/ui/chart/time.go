package chart

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/platform/i18n/fmtx"
	"omote/internal/ui"
	"omote/internal/ui/svg"
)

// Point is one value over time. Use NaN for what is not known.
type Point struct {
	At        time.Time
	Value     float64 // NaN leaves a gap
	Low, High float64 // its sampling interval; NaN or equal draws none
	BandLow   float64 // the noise band at this time; NaN draws none
	BandHigh  float64
	N         int64          // answers or customers behind it
	State     ui.MetricState // Few is drawn hollow and skipped by the line
}

// NoteKind is the kind of an annotation under the axis.
type NoteKind uint8

// The kinds of annotations, each with its shape.
const (
	NoteHoliday  NoteKind = iota // ○ holiday, salary day, Tết
	NoteRelease                  // □ release
	NoteDecision                 // ■ decision or change
)

// Note is an event that the reader should see beside the values.
type Note struct {
	At    time.Time
	Label string
	Kind  NoteKind
}

// Change is a change point: when the level moved, how uncertain its date is, and
// the levels on either side.
type Change struct {
	At, From, To  time.Time // From and To bound the date
	Label         string    // "level change, 3 Nov ± 1 day"
	Before, After float64   // levels; NaN draws none
}

// Target is a promise or standard, drawn as a dotted line with its sign.
type Target struct {
	Value float64
	Label string // "promise ≥ 80%"
}

// TimeProps describes a time chart.
type TimeProps struct {
	ID        string
	Label     string // the finding, for screen readers
	Points    []Point
	Format    Format // of values
	Tick      Format // of the axis; by default as values
	EndLabel  string // at the last value: "78.4% ± 0.7"; by default its formatted value
	BandLabel string // under the band's left end; by default "noise band"
	Target    *Target
	Changes   []Change
	Notes     []Note
	StaleFrom time.Time // out of date from here on; zero means fresh
	Until     time.Time // right end of the axis; by default the last point
	FromZero  bool      // the value axis begins at zero
	Bounds    [2]float64
	Cols      int // columns of the section it stands in
	Height    float64
	When      func(time.Time) string // names a point in time; by default its day
	ValueName string                 // head of the table's value column
}

// Time draws values over time inside their noise band.
func Time(p TimeProps) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w writer) error {
		p.fill(ctx)
		if len(p.Points) == 0 {
			return nil
		}
		f := figure{
			id: p.ID, kind: "time", label: p.Label, steps: true,
			desk:  p.draw(ctx, deskWidth(p.Cols), p.Height, false),
			phone: p.draw(ctx, PhoneWidth, 220, true),
			hint:  i18n.T(ctx, "chart.step"),
			table: p.table(ctx), island: p.island(ctx),
		}
		return frame(f).Render(ctx, w)
	})
}

// fill sets what the caller left to the default.
func (p *TimeProps) fill(ctx context.Context) {
	f := i18n.Fmt(ctx)
	if p.Format == nil {
		p.Format = func(v float64) string { return f.Decimal(v, 1) }
	}
	if p.Tick == nil {
		p.Tick = p.Format
	}
	if p.When == nil {
		p.When = f.Day
	}
	if p.Height == 0 {
		p.Height = 250
	}
	if p.BandLabel == "" {
		p.BandLabel = i18n.T(ctx, "chart.band")
	}
	if p.ValueName == "" {
		p.ValueName = i18n.T(ctx, "chart.value")
	}
	p.Points = slices.Clone(p.Points)
	slices.SortStableFunc(p.Points, func(a, b Point) int { return a.At.Compare(b.At) })
	if p.Until.IsZero() && len(p.Points) > 0 {
		p.Until = p.Points[len(p.Points)-1].At
	}
	if last, ok := p.last(); ok && p.EndLabel == "" {
		p.EndLabel = p.Format(p.Points[last].Value)
	}
}

// last is the index of the newest value that counts.
func (p *TimeProps) last() (int, bool) {
	for i := len(p.Points) - 1; i >= 0; i-- {
		if !math.IsNaN(p.Points[i].Value) && p.Points[i].State != ui.Few {
			return i, true
		}
	}
	return 0, false
}

// column picks one number of each point.
func (p *TimeProps) column(pick func(Point) float64) []float64 {
	out := make([]float64, len(p.Points))
	for i, pt := range p.Points {
		out[i] = pick(pt)
	}
	return out
}

// ticks are the labelled values of the axis; its ends are ticks.
func (p *TimeProps) ticks(n int) []float64 {
	low, high := svg.Extent(p.column(func(q Point) float64 { return q.Value }),
		p.column(func(q Point) float64 { return q.BandLow }), p.column(func(q Point) float64 { return q.BandHigh }),
		p.column(lowOf), p.column(highOf))
	if p.Target != nil {
		low, high = min(low, p.Target.Value), max(high, p.Target.Value)
	}
	if p.FromZero {
		low, high = min(low, 0), max(high, 0)
	}
	if p.Bounds[1] > p.Bounds[0] { // a value cannot leave these, nor should its axis
		low, high = max(low, p.Bounds[0]), min(high, p.Bounds[1])
	}
	return svg.Ticks(low, high, n)
}

// lowOf and highOf are a point's interval where it is drawn. Wide intervals of
// points with too few answers do not stretch the axis.
func lowOf(q Point) float64 {
	if q.State == ui.Few || !(q.Low < q.High) {
		return math.NaN()
	}
	return q.Low
}

func highOf(q Point) float64 {
	if q.State == ui.Few || !(q.Low < q.High) {
		return math.NaN()
	}
	return q.High
}

// plot is one drawing in progress.
type plot struct {
	*svg.Canvas
	p      *TimeProps
	f      fmtx.Formatter
	x, y   svg.Linear
	xs, ys []float64
	phone  bool
	field  svg.Field
}

const (
	top        = 26.0 // room over the plot for a change label
	laneHeight = 16.0
)

func (p *TimeProps) draw(ctx context.Context, width, height float64, phone bool) templ.Component {
	pl := p.layout(ctx, width, height, phone)
	pl.grid()
	pl.background()
	pl.lines()
	pl.points()
	pl.axis()
	pl.lane()
	pl.labels()
	pl.hits(ctx)
	return pl.Component("", p.Label)
}

// layout fixes scales and margins from the labels they must hold.
func (p *TimeProps) layout(ctx context.Context, width, height float64, phone bool) *plot {
	ticks := p.ticks(5)
	left := 0.0
	for _, t := range ticks {
		left = max(left, svg.Width(p.Tick(t), 11, false))
	}
	left += 10
	right := 8.0
	if !phone {
		right = 12 + svg.Width(p.EndLabel, 12, true)
		if p.Target != nil {
			right = max(right, 12+svg.Width(p.Target.Label, 12, false))
		}
	}
	lane := 0.0
	if len(p.Notes) > 0 {
		lane = laneHeight + 4
		if phone && len(p.Notes) > 2 {
			lane += laneHeight
		}
	}
	c := svg.New(width, height)
	x0, x1 := left, width-right
	y0, y1 := height-22-lane, top
	first := p.Points[0].At
	pl := &plot{Canvas: c, p: p, f: i18n.Fmt(ctx), phone: phone,
		x: svg.Linear{D0: seconds(first), D1: seconds(p.Until), R0: x0, R1: x1},
		y: svg.Linear{D0: ticks[0], D1: ticks[len(ticks)-1], R0: y0, R1: y1}}
	pl.xs = pl.x.Each(p.column(func(q Point) float64 { return seconds(q.At) }))
	pl.ys = p.column(func(q Point) float64 { return pl.y.Clamp(q.Value) })
	for i, q := range p.Points {
		if math.IsNaN(q.Value) {
			pl.ys[i] = math.NaN()
		}
	}
	pl.field = svg.Field{Bounds: svg.Box{X0: x0, Y0: 0, X1: width, Y1: y0}}
	return pl
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (pl *plot) grid() {
	for _, t := range pl.p.ticks(5) {
		y := pl.y.At(t)
		pl.Line("k-grid", pl.x.R0, y, pl.x.R1, y)
		pl.Text("a-e", pl.x.R0-8, y+4, pl.p.Tick(t))
	}
}

// background draws the noise band, windows of changes, and stale hatching.
func (pl *plot) background() {
	low := pl.clamped(func(q Point) float64 { return q.BandLow })
	high := pl.clamped(func(q Point) float64 { return q.BandHigh })
	if d := svg.Ribbon(pl.xs, low, high); d != "" {
		pl.Path("k-band", d)
		pl.Path("k-bedge", svg.Polyline(pl.xs, high))
		pl.Path("k-bedge", svg.Polyline(pl.xs, low))
	}
	for _, ch := range pl.p.Changes {
		if !ch.From.IsZero() && ch.To.After(ch.From) {
			a, b := pl.x.Clamp(seconds(ch.From)), pl.x.Clamp(seconds(ch.To))
			pl.Rect("k-cwin", a, pl.y.R1, b-a, pl.y.R0-pl.y.R1)
		}
	}
	if !pl.p.StaleFrom.IsZero() {
		a := pl.x.Clamp(seconds(pl.p.StaleFrom))
		pl.Rect("k-stale", a, pl.y.R1, pl.x.R1-a, pl.y.R0-pl.y.R1)
	}
}

// clamped maps one number of each point to pixels within the plot.
func (pl *plot) clamped(pick func(Point) float64) []float64 {
	out := pl.p.column(pick)
	for i, v := range out {
		if !math.IsNaN(v) {
			out[i] = pl.y.Clamp(v)
		}
	}
	return out
}

// lines draws target, sampling interval, the line itself, and change points.
func (pl *plot) lines() {
	if t := pl.p.Target; t != nil {
		pl.Line("k-promise", pl.x.R0, pl.y.Clamp(t.Value), pl.x.R1, pl.y.Clamp(t.Value))
	}
	if d := svg.Ribbon(pl.xs, pl.clamped(lowOf), pl.clamped(highOf)); d != "" {
		pl.Path("k-ci", d)
	}
	line := slices.Clone(pl.ys)
	for i, q := range pl.p.Points {
		if q.State == ui.Few {
			line[i] = math.NaN()
		}
	}
	pl.Path("k-line", svg.Polyline(pl.xs, line))
	for _, ch := range pl.p.Changes {
		x := pl.x.Clamp(seconds(ch.At))
		if !math.IsNaN(ch.Before) && ch.Before != ch.After {
			pl.Line("k-mid", pl.x.R0, pl.y.Clamp(ch.Before), x, pl.y.Clamp(ch.Before))
			pl.Line("k-mid", x, pl.y.Clamp(ch.After), pl.x.R1, pl.y.Clamp(ch.After))
		}
		pl.Line("k-change", x, pl.y.R1-4, x, pl.y.R0)
	}
}

// points marks every value; with very many, only those beyond noise.
func (pl *plot) points() {
	dense := len(pl.p.Points) > int(pl.x.R1-pl.x.R0)/5
	last, _ := pl.p.last()
	for i, q := range pl.p.Points {
		if math.IsNaN(pl.ys[i]) {
			continue
		}
		x, y := pl.xs[i], pl.ys[i]
		switch {
		case q.State == ui.Few:
			if q.Low < q.High {
				pl.Line(whisker(q, pl.y), x, pl.y.Clamp(q.Low), x, pl.y.Clamp(q.High))
			}
			pl.Circle("k-few", x, y, 4)
		case q.State == ui.Worse || q.State == ui.Better:
			mark(pl.Canvas, q.State, x, y, 2.6)
		case i == last:
			pl.Circle("k-dot", x, y, 3.2)
		case !dense:
			pl.Circle("k-dot", x, y, 1.8)
		}
		pl.field.Take(svg.Box{X0: x - 3, Y0: y - 3, X1: x + 3, Y1: y + 3})
	}
}

// whisker is dashed where the interval does not fit into the plot.
func whisker(q Point, y svg.Linear) string {
	if q.Low < y.D0 || q.High > y.D1 {
		return "k-whisk cut"
	}
	return "k-whisk"
}

// axis draws the time axis and its labels.
func (pl *plot) axis() {
	pl.Line("k-axis", pl.x.R0, pl.y.R0, pl.x.R1, pl.y.R0)
	used := math.Inf(-1)
	for _, t := range timeTicks(pl.f, pl.p.Points[0].At, pl.p.Until, pl.x.R1-pl.x.R0) {
		x := pl.x.At(seconds(t.at))
		w := svg.Width(t.label, 11, false)
		left := min(max(x-w/2, pl.x.R0), pl.W-w)
		if left < used+6 {
			continue
		}
		used = left + w
		pl.Line("k-axis", x, pl.y.R0, x, pl.y.R0+3)
		pl.Text("", left, pl.y.R0+16, t.label)
	}
}

// lane draws the annotations under the axis; labels that would touch go to a
// second row, and beyond that only their shapes stay.
func (pl *plot) lane() {
	rows := [2]float64{math.Inf(-1), math.Inf(-1)}
	notes := slices.Clone(pl.p.Notes)
	slices.SortFunc(notes, func(a, b Note) int { return a.At.Compare(b.At) })
	base := pl.y.R0 + 32
	for _, n := range notes {
		x := pl.x.Clamp(seconds(n.At))
		w := 12 + svg.Width(n.Label, 11, false)
		start := x - 4
		if start+w > pl.W {
			start = pl.W - w
		}
		row := 0
		if start < rows[0]+10 && base+laneHeight < pl.H {
			row = 1
		}
		y := base + float64(row)*laneHeight
		pl.Line("k-ann", x, pl.y.R1, x, y-6)
		pl.Open("g")
		pl.Title(n.Label)
		switch n.Kind {
		case NoteHoliday:
			pl.Circle("k-annm", x, y, 3.5)
		case NoteRelease:
			pl.Rect("k-annm", x-3.5, y-3.5, 7, 7)
		default:
			pl.Rect("k-annd", x-3.5, y-3.5, 7, 7)
		}
		if start >= rows[row]+10 {
			rows[row] = start + w
			if start+12 > x+4 {
				pl.Text("halo", x+8, y+4, n.Label)
			} else {
				pl.Text("a-e halo", x-8, y+4, n.Label)
			}
		}
		pl.Close("g")
	}
}
