package web

import (
	"context"
	"fmt"
	"io"

	"github.com/a-h/templ"
)

// axis is one scale for ranges that stand below one another.
type axis struct{ low, high float64 }

// axisOf spans all values and zero.
func axisOf(values ...int64) axis {
	var a axis
	for _, v := range values {
		a.low, a.high = min(a.low, float64(v)), max(a.high, float64(v))
	}
	if a.low == a.high {
		a.high = a.low + 1
	}
	return a
}

const rangeWidth, rangeHeight, rangeEdge = 220.0, 28.0, 6.0

func (a axis) x(v int64) float64 {
	return rangeEdge + (float64(v)-a.low)/(a.high-a.low)*(rangeWidth-2*rangeEdge)
}

// span draws a range of money: a line with a strong tick at the bookable bound, a
// ring at the middle, and a bar from zero for what is booked.
func (a axis) span(low, mid, high, booked int64, waits bool) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		const y = rangeHeight / 2
		class := "whole"
		if waits {
			class += " waits"
		}
		if _, err := fmt.Fprintf(w, `<svg class="range" width="%g" height="%g" viewBox="0 0 %g %g" aria-hidden="true"><path class="zero" d="M%.1f 0V%g"/>`,
			rangeWidth, rangeHeight, rangeWidth, rangeHeight, a.x(0), rangeHeight); err != nil {
			return err
		}
		if booked != 0 {
			from, to, bar := a.x(0), a.x(booked), "bar"
			if booked < 0 {
				from, to, bar = to, from, "loss"
			}
			fmt.Fprintf(w, `<rect class="%s" x="%.1f" y="9" width="%.1f" height="10"/>`, bar, from, to-from)
		}
		_, err := fmt.Fprintf(w, `<path class="%s" d="M%.1f %gH%.1f"/><path class="bound" d="M%.1f 5V23"/><path class="whole" d="M%.1f 10V18"/><circle class="mid" cx="%.1f" cy="%g" r="2.6"/></svg>`,
			class, a.x(low), y, a.x(high), a.x(low), a.x(high), a.x(mid), y)
		return err
	})
}

// forecastBox draws what was said as a box and what happened as a dot with its
// interval, on one axis.
func forecastBox(low, mid, high, value, valueLow, valueHigh float64, known bool) templ.Component {
	lo, hi := low, high
	if known {
		lo, hi = min(lo, valueLow), max(hi, valueHigh)
	}
	if lo == hi {
		hi = lo + 1
	}
	x := func(v float64) float64 { return rangeEdge + (v-lo)/(hi-lo)*(rangeWidth-2*rangeEdge) }
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := fmt.Fprintf(w, `<svg class="range" width="%g" height="%g" viewBox="0 0 %g %g" aria-hidden="true"><rect class="said" x="%.1f" y="6" width="%.1f" height="16"/><path class="whole" d="M%.1f 6V22"/>`,
			rangeWidth, rangeHeight, rangeWidth, rangeHeight, x(low), x(high)-x(low), x(mid))
		if err == nil && known {
			_, err = fmt.Fprintf(w, `<path class="out" d="M%.1f 14H%.1f"/><circle class="dot" cx="%.1f" cy="14" r="3.5"/>`, x(valueLow), x(valueHigh), x(value))
		}
		if err == nil {
			_, err = io.WriteString(w, "</svg>")
		}
		return err
	})
}
