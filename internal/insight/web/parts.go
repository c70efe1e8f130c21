package web

import (
	"math"

	"github.com/a-h/templ"

	"omote/internal/ui/chart"
)

// spark is a series' shape inside its band.
func spark(j judged) templ.Component {
	p := chart.SparkProps{}
	low, high := math.Inf(1), math.Inf(-1)
	for _, pt := range j.points {
		if math.IsNaN(pt.Value) {
			continue
		}
		p.Values = append(p.Values, pt.Value)
		p.States = append(p.States, pt.State)
		if !math.IsNaN(pt.BandLow) && !math.IsNaN(pt.BandHigh) {
			low, high = min(low, pt.BandLow), max(high, pt.BandHigh)
		}
	}
	if low < high {
		p.BandLow, p.BandHigh = low, high
	}
	return chart.Spark(p)
}
