package chart

import (
	"time"

	"omote/internal/platform/i18n/fmtx"
	"omote/internal/ui/svg"
)

// timeTick is a labelled moment of a time axis.
type timeTick struct {
	at    time.Time
	label string
}

// timeTicks labels a span of time for a reader: hours within two days, days
// within ten weeks, months within two years, then quarters and years. Labels are
// at least their own width apart at the given pixels per hour.
func timeTicks(f fmtx.Formatter, from, to time.Time, width float64) []timeTick {
	span := to.Sub(from)
	if span <= 0 {
		return []timeTick{{from, f.Day(from)}}
	}
	const day = 24 * time.Hour
	for _, c := range []struct {
		fits  bool
		step  func(time.Time) time.Time
		first time.Time
		label func(time.Time) string
	}{
		{span <= 2*day, hours(1), from.Truncate(time.Hour), f.Clock},
		{span <= 2*day, hours(3), midnight(from), f.Clock},
		{span <= 2*day, hours(6), midnight(from), f.Clock},
		{span <= 10*day, days(1), midnight(from), f.Day},
		{span <= 30*day, days(2), midnight(from), f.Day},
		{span <= 100*day, days(7), monday(from), f.Day},
		{span <= 100*day, days(14), monday(from), f.Day},
		{span <= 800*day, months(1), month(from), monthLabel(f, from)},
		{span <= 1600*day, months(3), quarter(from), f.MonthYear},
		{true, months(12), years(from, 1), func(t time.Time) string { return t.Format("2006") }},
		{true, months(24), years(from, 2), func(t time.Time) string { return t.Format("2006") }},
		{true, months(60), years(from, 5), func(t time.Time) string { return t.Format("2006") }},
	} {
		if !c.fits {
			continue
		}
		if ticks, ok := walk(c.first, from, to, c.step, c.label, width); ok {
			return ticks
		}
	}
	return []timeTick{{from, f.DateOnly(from)}, {to, f.DateOnly(to)}}
}

// walk lists the ticks of one step, or reports that their labels would touch.
func walk(first, from, to time.Time, step func(time.Time) time.Time, label func(time.Time) string, width float64) ([]timeTick, bool) {
	var out []timeTick
	widest := 0.0
	for t := first; !t.After(to); t = step(t) {
		if t.Before(from) {
			continue
		}
		tick := timeTick{t, label(t)}
		widest = max(widest, svg.Width(tick.label, 11, false))
		out = append(out, tick)
		if len(out) > 60 {
			return nil, false
		}
	}
	return out, len(out) > 0 && float64(len(out))*(widest+14) <= width+widest
}

func hours(n int) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.Add(time.Duration(n) * time.Hour) }
}

func days(n int) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.AddDate(0, 0, n) }
}

func months(n int) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.AddDate(0, n, 0) }
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

func monday(t time.Time) time.Time {
	return midnight(t).AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

func month(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
}

func quarter(t time.Time) time.Time {
	return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, t.Location())
}

// years is the first day of the last year that is a multiple of n.
func years(t time.Time, n int) time.Time {
	return time.Date(t.Year()/n*n, 1, 1, 0, 0, 0, 0, t.Location())
}

// monthLabel names months, with the year where it changes.
func monthLabel(f fmtx.Formatter, from time.Time) func(time.Time) string {
	return func(t time.Time) string {
		if t.Month() == time.January && t.Year() != from.Year() {
			return f.MonthYear(t)
		}
		return f.Month(t)
	}
}
