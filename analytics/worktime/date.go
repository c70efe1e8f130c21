package worktime

import (
	"fmt"
	"time"
)

// Date is a civil day, counted from 1 January 1970. The day after d is d+1.
type Date int

// DateOf is the civil day of an instant in a zone.
func DateOf(t time.Time, zone *time.Location) Date {
	_, offset := t.In(zone).Zone()
	return Date(floorDiv(t.Unix()+int64(offset), secondsOfDay))
}

// On is the date of a year, month and day; overflowing values are normalised as by
// time.Date.
func On(year int, month time.Month, day int) Date {
	return Date(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), secondsOfDay))
}

// ParseDate reads a date in the form 2006-01-02.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("worktime: date %q is not of the form 2006-01-02", s)
	}
	return On(t.Date()), nil
}

func (d Date) midnight() time.Time { return time.Unix(int64(d)*secondsOfDay, 0).UTC() }

// Civil gives year, month and day.
func (d Date) Civil() (int, time.Month, int) { return d.midnight().Date() }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return d.midnight().Weekday() }

// String is the date in the form 2006-01-02.
func (d Date) String() string { return d.midnight().Format(time.DateOnly) }

// AddMonths is the same day n months later, or the last day of that month when it
// is shorter: 31 January plus one month is 28 or 29 February.
func (d Date) AddMonths(n int) Date {
	year, month, day := d.Civil()
	last := On(year, month+time.Month(n)+1, 0)
	if _, _, l := last.Civil(); day > l {
		return last
	}
	return On(year, month+time.Month(n), day)
}

const secondsOfDay = 24 * 60 * 60

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// piece is a stretch of a civil day during which the zone's offset stands still.
// local is the wall clock, in seconds since midnight, at from.
type piece struct {
	from, to time.Time
	local    int64
}

// pieces are the stretches of a civil day in a zone, in order: one on most days,
// two when the clocks change, none for a day that the zone skipped.
func (d Date) pieces(zone *time.Location) []piece {
	midnight := int64(d) * secondsOfDay
	// No offset exceeds a day, so the civil day lies within these bounds.
	at, end := time.Unix(midnight-secondsOfDay, 0).In(zone), time.Unix(midnight+2*secondsOfDay, 0)
	var out []piece
	for at.Before(end) {
		_, next := at.ZoneBounds()
		if next.IsZero() || next.After(end) {
			next = end
		}
		_, offset := at.Zone()
		from, to := max(at.Unix(), midnight-int64(offset)), min(next.Unix(), midnight+secondsOfDay-int64(offset))
		if from < to {
			out = append(out, piece{time.Unix(from, 0).UTC(), time.Unix(to, 0).UTC(), from + int64(offset) - midnight})
		}
		at = next.In(zone)
	}
	return out
}

// Start is the first instant of the day in a zone. Of a day that the zone skipped
// it is the first instant after it.
func (d Date) Start(zone *time.Location) time.Time {
	for {
		if p := d.pieces(zone); len(p) > 0 {
			return p[0].from
		}
		d++
	}
}

// At is the first instant of the day at which the wall clock shows clock (since
// midnight) or later: a time that the clocks skip becomes the moment of the change,
// a time that they show twice the first of the two.
func (d Date) At(clock time.Duration, zone *time.Location) time.Time {
	second := int64(clock / time.Second)
	for _, p := range d.pieces(zone) {
		if length := int64(p.to.Sub(p.from) / time.Second); second < p.local+length {
			return p.from.Add(time.Duration(max(0, second-p.local)) * time.Second).Add(clock % time.Second)
		}
	}
	return (d + 1).Start(zone)
}

// wall is the wall clock of an instant since midnight.
func wall(t time.Time, zone *time.Location) time.Duration {
	_, offset := t.In(zone).Zone()
	local := t.Unix() + int64(offset)
	return time.Duration(local-floorDiv(local, secondsOfDay)*secondsOfDay)*time.Second + time.Duration(t.Nanosecond())
}
