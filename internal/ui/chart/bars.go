package chart

import (
	"context"
	"math"
	"strconv"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/svg"
)

// BarItem is one named value of a list of bars.
type BarItem struct {
	Name      string
	Href      string
	Value     float64
	Low, High float64 // its interval; NaN or equal draws none
	N         int64
	State     ui.MetricState
	Note      string
}

// BarsProps describes a list of values on one axis from zero.
type BarsProps struct {
	ID     string
	Label  string
	Items  []BarItem
	Format Format
	Max    float64 // right end of the axis; by default the largest value or bound
}

// Bars draws values from zero, each with its interval as a whisker. It is a list,
// so it needs no table behind it.
func Bars(p BarsProps) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w writer) error {
		if p.Format == nil {
			f := i18n.Fmt(ctx)
			p.Format = func(v float64) string { return f.Decimal(v, 0) }
		}
		if p.Max <= 0 {
			for _, it := range p.Items {
				p.Max = max(p.Max, it.Value)
				if it.Low < it.High {
					p.Max = max(p.Max, it.High)
				}
			}
		}
		return bars(p).Render(ctx, w)
	})
}

// share is a value's position on the axis as a percentage.
func (p BarsProps) share(v float64) string {
	if p.Max <= 0 || math.IsNaN(v) {
		return "0%"
	}
	return svg.Num(min(max(v/p.Max, 0), 1)*100) + "%"
}

func (p BarsProps) text(ctx context.Context, it BarItem) string {
	if it.State == ui.Few {
		return "n = " + strconv.FormatInt(it.N, 10)
	}
	return p.Format(it.Value)
}

func (it BarItem) interval() bool { return it.Low < it.High && it.State != ui.Few }
