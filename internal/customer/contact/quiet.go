package contact

import (
	"slices"
	"sync"
	"time"

	"omote/analytics/calendar"
)

// holidayYears remembers the public holidays of a year by their dates.
var holidayYears sync.Map // int → map[string]bool

func isHoliday(day time.Time) bool {
	year := day.Year()
	known, ok := holidayYears.Load(year)
	if !ok {
		dates := map[string]bool{}
		for _, h := range calendar.Holidays(year) {
			dates[h.Date.Format(time.DateOnly)] = true
		}
		known, _ = holidayYears.LoadOrStore(year, dates)
	}
	return known.(map[string]bool)[day.Format(time.DateOnly)]
}

// allDay reports whether the rule makes the whole day of t quiet, and why.
func (q *Quiet) allDay(t time.Time) (Reason, bool) {
	switch {
	case slices.Contains(q.Weekdays, weekdays[t.Weekday()]):
		return QuietDay, true
	case q.Holidays && isHoliday(t):
		return Holiday, true
	case slices.Contains(q.Dates, t.Format(time.DateOnly)):
		return QuietDay, true
	}
	return "", false
}

// at reports whether t, in the customer's zone, is quiet, why, and when the
// present stretch of that reason ends.
func (q *Quiet) at(t time.Time) (why Reason, until time.Time, quiet bool) {
	if why, ok := q.allDay(t); ok {
		return why, time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, t.Location()), true
	}
	if q.From == "" {
		return "", time.Time{}, false
	}
	// Times of day compare as text; a clock that is put forward over an edge is
	// past it, one that is put back repeats it.
	now := t.Format("15:04")
	over := q.From > q.To
	switch {
	case !over && now >= q.From && now < q.To, over && now < q.To:
		return QuietHours, onDay(t, 0, q.To), true
	case over && now >= q.From:
		return QuietHours, onDay(t, 1, q.To), true
	}
	return "", time.Time{}, false
}

func onDay(t time.Time, plus int, clock string) time.Time {
	hour := int(clock[0]-'0')*10 + int(clock[1]-'0')
	minute := int(clock[3]-'0')*10 + int(clock[4]-'0')
	return time.Date(t.Year(), t.Month(), t.Day()+plus, hour, minute, 0, 0, t.Location())
}

// maxStretches bounds how many quiet stretches in a row are followed: more than
// two weeks of nights and holidays.
const maxStretches = 64

// ends gives the end of the quiet stretch that t lies in, through nights that
// touch holidays; zero when it does not end within reach.
func (q *Quiet) ends(t time.Time) time.Time {
	for range maxStretches {
		_, until, quiet := q.at(t)
		if !quiet {
			return t
		}
		if !until.After(t) {
			until = t.Add(time.Minute)
		}
		t = until
	}
	return time.Time{}
}
