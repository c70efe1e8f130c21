// Package chart draws the charts of the design system as SVG on the server, so
// that they are complete without JavaScript, print well, and obey one grammar:
// noise bands, sampling intervals, states by shape, promises, changes and an
// annotation lane. Every chart carries a label that says its finding and a real
// table behind it.
//
// A chart is drawn twice, at the width of its place on a desk and at the width of
// a phone, each with its own ticks and labels; style sheets show one of the two.
// The time chart also carries its data, from which assets/charts draws it with
// ECharts at the exact width of its place, with zoom.
//
// Files: chart.go (shared parts), time.go (values over time with band), axis.go
// (ticks of time), funnelplot.go (units by n and value), spark.go (a line in a
// row), histogram.go (a distribution), bars.go (values with intervals), and
// frame.templ (the figure around a drawing).
package chart

import (
	"math"

	"github.com/a-h/templ"

	"omote/internal/ui"
	"omote/internal/ui/svg"
)

// PhoneWidth is the width of a drawing on a phone of 390 pixels.
const PhoneWidth = 358

// deskWidth is the width of a drawing in a section of so many columns on a desk
// of 1440 pixels; 0 columns take the full width.
func deskWidth(cols int) float64 {
	if cols < 3 || cols > 11 {
		cols = 12
	}
	return math.Floor((1144-11*24)/12*float64(cols) + 24*float64(cols-1))
}

// Format writes a value of the chart, such as a percentage.
type Format func(float64) string

// figure is what frame.templ puts around the drawings.
type figure struct {
	id      string
	kind    string
	desk    templ.Component
	phone   templ.Component
	steps   bool // its points can be stepped with the arrow keys
	label   string
	hint    string
	caption string
	table   table
	island  any // data for ECharts; nil when the drawing stays as it is
}

// table is the data behind a chart.
type table struct {
	head []string
	rows [][]string
}

// TableID is the id of the table behind a chart, for a link in a section's head:
// ui.Anchor("Table", "#"+chart.TableID("weekly")).
func TableID(chartID string) string { return "table-" + chartID }

// mark draws one value by its state: only what lies beyond noise is coloured.
func mark(c *svg.Canvas, state ui.MetricState, x, y, r float64) {
	switch state {
	case ui.Worse:
		c.Diamond("k-worse", x, y, r*1.6)
	case ui.Better:
		c.Circle("k-better", x, y, r*1.35)
	case ui.Few:
		c.Circle("k-few", x, y, r*1.3)
	default:
		c.Circle("k-dot", x, y, r)
	}
}
