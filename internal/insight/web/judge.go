package web

import (
	"context"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"omote/analytics/spc"
	"omote/internal/insight/metric"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

// judged is a weekly series with its noise band and what it says today.
type judged struct {
	points  []chart.Point
	state   ui.MetricState
	signals []spc.Signal
}

// judge puts a series of figures into its noise band. The band is that of
// variation and sampling error together (package spc), learned from the series
// itself.
func judge(d *metric.Definition, res *metric.Result) judged {
	s := spc.Series{Name: d.ID, Kind: spc.Mean, Good: goodWay(d)}
	z := distuv.UnitNormal.Quantile(0.5 + res.Level/2)
	for _, p := range res.Points {
		point := spc.Point{Time: p.Start.Time()}
		if p.State == metric.OK && p.Est.Valid() {
			n := max(float64(p.Est.N), 1)
			point = spc.MeanPoint(point.Time, n, p.Est.Value, p.Est.HalfWidth()/z*math.Sqrt(n))
		}
		s.Points = append(s.Points, point)
	}
	found := spc.Monitor([]spc.Series{s}, spc.Options{Period: -1, MinN: 1})[0]
	j := judged{state: stateOf(found.State), signals: found.Signals}
	if res.Stale {
		j.state = ui.Stale
	}
	for i, p := range res.Points {
		c := chart.Point{At: p.Start.Time(), Value: math.NaN(), Low: math.NaN(), High: math.NaN(), BandLow: math.NaN(), BandHigh: math.NaN(), N: p.Est.N}
		if i < len(found.Points) {
			c.BandLow, c.BandHigh = found.Points[i].Low, found.Points[i].High
			c.State = stateOf(found.Points[i].State)
		}
		if p.State == metric.OK {
			c.Value, c.Low, c.High = p.Est.Value, p.Est.Low, p.Est.High
		} else {
			c.State = ui.Few
		}
		j.points = append(j.points, c)
	}
	return j
}

func goodWay(d *metric.Definition) spc.Good {
	switch d.Direction {
	case metric.Higher:
		return spc.GoodUp
	case metric.Lower:
		return spc.GoodDown
	}
	return spc.GoodNone
}

func stateOf(s spc.State) ui.MetricState {
	switch s {
	case spc.Better:
		return ui.Better
	case spc.Worse:
		return ui.Worse
	case spc.Few:
		return ui.Few
	case spc.Stale:
		return ui.Stale
	}
	return ui.Noise
}

// write gives a value with its unit in the reader's language.
func write(ctx context.Context, u metric.Unit, x float64) string {
	number, unit := parts(ctx, u, x)
	if unit == "%" || unit == "" {
		return number + unit
	}
	return i18n.Fmt(ctx).Unit(number, unit)
}

// parts splits a value into number and unit.
func parts(ctx context.Context, u metric.Unit, x float64) (number, unit string) {
	f := i18n.Fmt(ctx)
	switch u {
	case metric.Share:
		return f.Decimal(x*100, 1), "%"
	case metric.Points:
		return f.Decimal(x, 1), ""
	case metric.Number:
		return f.Int(int64(math.Round(x))), ""
	case metric.VND:
		return f.Int(int64(math.Round(x))), "₫"
	case metric.Seconds, metric.Minutes, metric.Hours, metric.Days:
		return f.Decimal(x, 1), i18n.T(ctx, "insight.web.unit."+string(u))
	case metric.Per10k:
		return f.Decimal(x, 1), i18n.T(ctx, "insight.web.unit.per_10k")
	}
	return f.Decimal(x, 2), ""
}

// interval gives a figure's interval without repeating the unit.
func interval(ctx context.Context, u metric.Unit, p metric.Point) string {
	if !p.Est.Valid() {
		return ""
	}
	low, _ := parts(ctx, u, p.Est.Low)
	high, _ := parts(ctx, u, p.Est.High)
	return low + " – " + high
}

// name is what a metric is called in the reader's language.
func name(ctx context.Context, d *metric.Definition) string { return d.Name.In(i18n.Locale(ctx)) }

// weeksBack is a period of whole weeks that ends with the last whole one.
func weeksBack(today metric.Date, n int) metric.Period {
	t := today.Time()
	monday := today.AddDays(-(int(t.Weekday()) + 6) % 7)
	return metric.Period{From: monday.AddDays(-7 * n), To: monday}
}

// monthsBack is a period of whole months that ends with the last whole one.
func monthsBack(today metric.Date, n int) metric.Period {
	first := today.AddDays(1 - today.Time().Day())
	return metric.Period{From: first.AddMonths(-n), To: first}
}

// daysBack is a period of days that ends yesterday.
func daysBack(today metric.Date, n int) metric.Period {
	return metric.Period{From: today.AddDays(-n), To: today}
}
