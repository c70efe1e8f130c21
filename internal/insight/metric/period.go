package metric

import (
	"fmt"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/warehouse"
)

// Granularity is the length of a bucket.
type Granularity string

// The granularities. Weeks begin on Monday. Total is one bucket for all.
const (
	Day   Granularity = "day"
	Week  Granularity = "week"
	Month Granularity = "month"
	Total Granularity = "total"
)

// MaxBuckets bounds a series.
const MaxBuckets = 1500

// Date is a calendar day, without zone or time of day.
type Date struct{ t time.Time }

// DateOf is the day of a year and month.
func DateOf(year int, month time.Month, day int) Date {
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// DateIn is the local day of an instant.
func DateIn(t time.Time, zone *time.Location) Date {
	y, m, d := t.In(zone).Date()
	return DateOf(y, m, d)
}

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, errs.Invalid("metric.error.date", "", "%q is no date such as 2026-01-31", s)
	}
	return Date{t}, nil
}

// String writes YYYY-MM-DD.
func (d Date) String() string { return d.t.Format(time.DateOnly) }

// MarshalText implements encoding.TextMarshaler.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Date) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDate(string(b))
	return err
}

// AddDays moves by days.
func (d Date) AddDays(n int) Date { return Date{d.t.AddDate(0, 0, n)} }

// AddMonths moves by months; from the first of a month it stays there.
func (d Date) AddMonths(n int) Date { return Date{d.t.AddDate(0, n, 0)} }

// Before reports whether d is an earlier day.
func (d Date) Before(o Date) bool { return d.t.Before(o.t) }

// Time is midnight UTC of the day, as engines give dates.
func (d Date) Time() time.Time { return d.t }

// bucket is the first day of the bucket that holds d; Total has none.
func (g Granularity) bucket(d Date) Date {
	switch g {
	case Week:
		return d.AddDays(-(int(d.t.Weekday()) + 6) % 7)
	case Month:
		return DateOf(d.t.Year(), d.t.Month(), 1)
	}
	return d
}

func (g Granularity) next(d Date) Date {
	switch g {
	case Week:
		return d.AddDays(7)
	case Month:
		return d.AddMonths(1)
	}
	return d.AddDays(1)
}

// Period is the local days from From up to, not including, To.
type Period struct {
	From Date `json:"from"`
	To   Date `json:"to"`
}

// Validate checks that the period is not empty and not absurd.
func (p Period) Validate(g Granularity) error {
	if !p.From.Before(p.To) {
		return errs.Invalid("metric.error.period", "to", "the period from %s to %s is empty", p.From, p.To)
	}
	if y := p.From.t.Year(); y < 1900 || p.To.t.Year() > 2200 {
		return errs.Invalid("metric.error.period", "from", "the period from %s to %s lies outside 1900–2200", p.From, p.To)
	}
	switch g {
	case Day, Week, Month, Total:
	default:
		return errs.Invalid("metric.error.granularity", "granularity", "unknown granularity %q", g)
	}
	if len(p.buckets(g)) > MaxBuckets {
		return errs.TooLarge("metric.error.buckets", "more than %d buckets; choose a longer granularity or a shorter period", MaxBuckets)
	}
	return nil
}

// buckets are the first days of all buckets, clipped to the period's own first
// day; it stops once there are too many.
func (p Period) buckets(g Granularity) []Date {
	if g == Total {
		return []Date{p.From}
	}
	var out []Date
	for d := g.bucket(p.From); d.Before(p.To) && len(out) <= MaxBuckets; d = g.next(d) {
		out = append(out, d)
	}
	return out
}

// end is the day after the bucket, within the period.
func (p Period) end(g Granularity, bucket Date) Date {
	if g == Total {
		return p.To
	}
	if e := g.next(bucket); e.Before(p.To) {
		return e
	}
	return p.To
}

// zoneSlack is more than any zone is ahead of or behind UTC.
const zoneSlack = 36 * time.Hour

// bounds are instants that certainly enclose the period's days in any zone.
func (p Period) bounds() (from, to time.Time) {
	return p.From.t.Add(-zoneSlack), p.To.t.Add(zoneSlack)
}

// localDay is the SQL of the local day of an instant within the bounds.
func (p Period) localDay(expr string, zone *time.Location) string {
	from, to := p.bounds()
	return "CAST(" + warehouse.LocalTime(expr, zone, from, to) + " AS DATE)"
}

// within is the SQL that keeps instants whose local day lies in the period. The
// bounds are there for indexes and zone maps; the days decide.
func (p Period) within(expr string, zone *time.Location) string {
	from, to := p.bounds()
	return fmt.Sprintf("%[1]s >= %[2]s AND %[1]s < %[3]s AND %[4]s", expr, warehouse.Timestamp(from), warehouse.Timestamp(to),
		p.withinDays(p.localDay(expr, zone)))
}

// withinDays is the SQL that keeps days in the period.
func (p Period) withinDays(day string) string {
	return fmt.Sprintf("%[1]s >= DATE '%[2]s' AND %[1]s < DATE '%[3]s'", day, p.From, p.To)
}

// cut is the SQL of the bucket of a day.
func (p Period) cut(g Granularity, day string) string {
	switch g {
	case Week, Month:
		return fmt.Sprintf("CAST(date_trunc('%s', CAST(%s AS TIMESTAMP)) AS DATE)", g, day)
	case Total:
		return fmt.Sprintf("DATE '%s'", p.From)
	}
	return day
}
