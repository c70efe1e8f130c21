package worktime

import (
	"fmt"
	"time"
)

// Unit is what a term counts.
type Unit string

// The units. Second, Minute and Hour run all the time; WorkingHour runs inside the
// calendar's shifts; the others are civil days of the calendar's zone.
const (
	Second      Unit = "second"
	Minute      Unit = "minute"
	Hour        Unit = "hour"
	WorkingHour Unit = "working_hour"
	WorkingDay  Unit = "working_day"
	Day         Unit = "day"
	Week        Unit = "week"  // seven days
	Month       Unit = "month" // the same day next month, or its last day
)

// Count says from when a term counts.
type Count string

// From the moment itself, or from the day after, where whole days are counted and
// the last one counts to its end.
const (
	SameMoment Count = "same_moment"
	NextDay    Count = "next_day"
)

// End says when a last day is over.
type End string

// At 24:00, or when the last shift of the day ends.
const (
	Midnight End = "midnight"
	Closing  End = "closing"
)

// MaxAmount bounds the amount of a term.
const MaxAmount = 100_000

// Term is a length of time with the conventions of the text that set it.
type Term struct {
	Amount int // 0 to MaxAmount
	Unit   Unit
	Count  Count // for days, weeks and months; by default NextDay
	// Roll moves a last day without work to the next working day.
	Roll bool
	End  End // by default Midnight
	// WhenOpen takes an event outside working time as one of the next opening.
	WhenOpen bool
}

// Days reports whether the term counts civil days and not running time.
func (t Term) Days() bool {
	switch t.Unit {
	case WorkingDay, Day, Week, Month:
		return true
	}
	return false
}

// Validate tells what is wrong with the term.
func (t Term) Validate() error {
	if t.Amount < 0 || t.Amount > MaxAmount {
		return fmt.Errorf("worktime: amount %d is not between 0 and %d", t.Amount, MaxAmount)
	}
	switch t.Unit {
	case Second, Minute, Hour, WorkingHour, WorkingDay, Day, Week, Month:
	default:
		return fmt.Errorf("worktime: there is no unit %q", t.Unit)
	}
	if t.Count != "" && t.Count != SameMoment && t.Count != NextDay {
		return fmt.Errorf("worktime: %q says not from when to count", t.Count)
	}
	if t.End != "" && t.End != Midnight && t.End != Closing {
		return fmt.Errorf("worktime: %q is no end of a day", t.End)
	}
	return nil
}

// length is the running time of a term that does not count days.
func (t Term) length() time.Duration {
	switch t.Unit {
	case Second:
		return time.Duration(t.Amount) * time.Second
	case Minute:
		return time.Duration(t.Amount) * time.Minute
	}
	return time.Duration(t.Amount) * time.Hour
}

// Due is the deadline of the term for an event at start: the first instant that is
// too late.
func (t Term) Due(start time.Time, c *Calendar) time.Time { return t.due(c, start, nil, nil) }

// due is Due with extensions and pauses (in order, apart, all ended).
func (t Term) due(c *Calendar, start time.Time, pauses []Span, more []Extension) time.Time {
	if t.WhenOpen {
		start = c.NextOpen(start)
	}
	if !t.Days() {
		due := t.run(c, start, t.length(), pauses)
		for _, e := range more {
			due = e.after(c, t, due, pauses)
		}
		return due
	}
	last := t.add(c, c.Date(start), t.Amount)
	for _, e := range more {
		last = e.term(t).add(c, last, e.Amount)
	}
	for _, p := range pauses {
		if !p.From.Before(t.end(c, t.rolled(c, last))) {
			break // too late to stop anything
		}
		// A pause takes out the days that began during it.
		from, to := max(c.Date(p.From), c.Date(start)), c.Date(p.To)
		if t.Unit == WorkingDay {
			last = c.AddDays(last, max(0, c.WorkingDays(from, to)))
		} else {
			last += max(0, to-from)
		}
	}
	last = t.rolled(c, last)
	if t.Count == SameMoment {
		return last.At(wall(start, c.zone), c.zone)
	}
	return t.end(c, last)
}

// rolled moves a last day without work where the term says so.
func (t Term) rolled(c *Calendar, last Date) Date {
	if t.Roll || t.Count == SameMoment && t.Unit == WorkingDay {
		return c.OnOrAfter(last)
	}
	return last
}

func (t Term) run(c *Calendar, from time.Time, length time.Duration, pauses []Span) time.Time {
	if t.Unit == WorkingHour {
		return c.addExcept(from, length, pauses)
	}
	return addFree(from, length, pauses)
}

// add counts n units from a day.
func (t Term) add(c *Calendar, from Date, n int) Date {
	switch t.Unit {
	case WorkingDay:
		return c.AddDays(from, n)
	case Week:
		return from + Date(7*n)
	case Month:
		return from.AddMonths(n)
	}
	return from + Date(n)
}

// end is the instant at which a last day is over.
func (t Term) end(c *Calendar, last Date) time.Time {
	if spans := c.Spans(last); t.End == Closing && len(spans) > 0 {
		return spans[len(spans)-1].To
	}
	return (last + 1).Start(c.zone)
}

// addFree is the first instant at which d has passed since t outside the pauses.
func addFree(t time.Time, d time.Duration, pauses []Span) time.Time {
	due := t.Add(d)
	for _, p := range pauses {
		if p.To.After(t) && p.From.Before(due) {
			due = due.Add(p.To.Sub(later(p.From, t)))
		}
	}
	return due
}
