package chart

import (
	"math"

	"github.com/a-h/templ"

	"omote/internal/ui"
	"omote/internal/ui/svg"
)

// SparkProps is a small line beside a value: shape only, without axis. It stands
// beside the state's word and is hidden from screen readers.
type SparkProps struct {
	Values            []float64
	States            []ui.MetricState // per value; nil means all within noise
	BandLow, BandHigh float64          // NaN or equal draws no band
	StaleFrom         int              // index of the last good value; 0 means fresh
	Width, Height     float64          // 150 by 44 unless set
}

// Spark draws the line of one measure in a row.
func Spark(p SparkProps) templ.Component {
	w, h := p.Width, p.Height
	if w == 0 {
		w = 150
	}
	if h == 0 {
		h = 44
	}
	c := svg.New(w, h)
	if len(p.Values) == 0 {
		return c.Component("spark", "")
	}
	band := []float64{}
	if p.BandLow < p.BandHigh {
		band = append(band, p.BandLow, p.BandHigh)
	}
	low, high := svg.Extent(p.Values, band)
	y := svg.Linear{D0: low, D1: high, R0: h - 5, R1: 5}
	x := svg.Linear{D0: 0, D1: float64(max(len(p.Values)-1, 1)), R0: 4, R1: w - 8}
	if len(band) > 0 {
		c.Rect("k-band", 0, y.At(p.BandHigh), w-4, y.At(p.BandLow)-y.At(p.BandHigh))
	}
	p.line(c, x, y)
	if p.StaleFrom > 0 && p.StaleFrom < len(p.Values) {
		at := x.At(float64(p.StaleFrom))
		c.Rect("k-stale", at, 0, w-4-at, h)
	}
	p.marks(c, x, y)
	return c.Component("spark", "")
}

func (p SparkProps) state(i int) ui.MetricState {
	if i < len(p.States) {
		return p.States[i]
	}
	return ui.Noise
}

// line joins the values that count, up to the last good one.
func (p SparkProps) line(c *svg.Canvas, x, y svg.Linear) {
	xs, ys := make([]float64, len(p.Values)), make([]float64, len(p.Values))
	for i, v := range p.Values {
		xs[i], ys[i] = x.At(float64(i)), y.At(v)
		if p.state(i) == ui.Few || p.StaleFrom > 0 && i > p.StaleFrom {
			ys[i] = math.NaN()
		}
	}
	c.Path("k-line thin", svg.Polyline(xs, ys))
}

// marks draws what lies beyond noise, what is too few, and the newest value.
func (p SparkProps) marks(c *svg.Canvas, x, y svg.Linear) {
	last := len(p.Values) - 1
	if p.StaleFrom > 0 {
		last = min(last, p.StaleFrom)
	}
	for i := 0; i <= last; i++ {
		if math.IsNaN(p.Values[i]) {
			continue
		}
		cx, cy := x.At(float64(i)), y.At(p.Values[i])
		switch s := p.state(i); {
		case s == ui.Few:
			c.Circle("k-few", cx, cy, 2.6)
		case s == ui.Better || s == ui.Worse:
			mark(c, s, cx, cy, 2.4)
		case i == last:
			c.Circle("k-dot", cx, cy, 2.4)
		}
	}
}
