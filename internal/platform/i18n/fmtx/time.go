package fmtx

import (
	"strconv"
	"time"
)

// Date writes a day with its weekday: Thứ Năm 19.11.2026, Thu 19 Nov 2026.
func (f Formatter) Date(t time.Time) string {
	return f.rules().weekdays[t.Weekday()] + NBSP + f.DateOnly(t)
}

// DateOnly writes a day without its weekday: 19.11.2026, 19 Nov 2026.
func (f Formatter) DateOnly(t time.Time) string {
	year := strconv.Itoa(t.Year())
	if f.rules().dayFirst {
		return f.Day(t) + "." + year
	}
	return f.Day(t) + NBSP + year
}

// Day writes day and month: 19.11, 19 Nov.
func (f Formatter) Day(t time.Time) string {
	r := f.rules()
	if r.dayFirst {
		return strconv.Itoa(t.Day()) + "." + strconv.Itoa(int(t.Month()))
	}
	return strconv.Itoa(t.Day()) + NBSP + r.months[t.Month()-1]
}

// Month names a month for an axis: Thg 11, Nov.
func (f Formatter) Month(t time.Time) string { return f.rules().months[t.Month()-1] }

// MonthYear names a month of a year: 11.2026, Nov 2026.
func (f Formatter) MonthYear(t time.Time) string {
	if f.rules().dayFirst {
		return strconv.Itoa(int(t.Month())) + "." + strconv.Itoa(t.Year())
	}
	return f.Month(t) + NBSP + strconv.Itoa(t.Year())
}

// Clock writes the time of day: 09:41.
func (f Formatter) Clock(t time.Time) string { return t.Format("15:04") }

// DateTime writes day and time: 16.11, 22:10 or 16 Nov, 22:10. The year is
// added when it differs from that of now.
func (f Formatter) DateTime(t, now time.Time) string {
	if t.Year() != now.In(t.Location()).Year() {
		return f.DateOnly(t) + ", " + f.Clock(t)
	}
	return f.Day(t) + ", " + f.Clock(t)
}

// DayRange writes two days in words: "từ 22.10 đến 18.11", "22 Oct to 18 Nov".
func (f Formatter) DayRange(from, to time.Time) string {
	r := f.rules()
	if from.Year() != to.Year() {
		return r.from + f.DateOnly(from) + " " + r.to + " " + f.DateOnly(to)
	}
	return r.from + f.Day(from) + " " + r.to + " " + f.Day(to)
}
