package calendar

import (
	"slices"
	"sync"
	"time"
)

// Holiday is a public holiday.
type Holiday struct {
	Date time.Time
	EN   string
	VI   string
	// InLieu marks a working day given off for a holiday on a weekend.
	InLieu bool
}

// Holidays lists the public holidays of a year by article 112 of the Labour
// Code 2019, in order: New Year, Tết (its eve and the first four days), the
// Hùng Kings' anniversary, Liberation Day, Labour Day and National Day with the
// day before. Holidays on a weekend are followed by days in lieu. The
// government announces each year which five days of Tết and which day beside 2
// September are given; [Vietnam.Extra] takes what differs.
func Holidays(year int) []Holiday {
	solar := func(m time.Month, d int) time.Time { return time.Date(year, m, d, 0, 0, 0, 0, time.UTC) }
	tet := Tet(year)
	list := []Holiday{{Date: solar(1, 1), EN: "New Year's Day", VI: "Tết Dương lịch"}}
	for d := -1; d <= 3; d++ {
		list = append(list, Holiday{Date: tet.AddDate(0, 0, d), EN: "Lunar New Year", VI: "Tết Nguyên đán"})
	}
	if kings, err := FromLunar(Lunar{Year: year, Month: 3, Day: 10}); err == nil {
		list = append(list, Holiday{Date: kings, EN: "Hùng Kings' Anniversary", VI: "Giỗ Tổ Hùng Vương"})
	}
	list = append(list,
		Holiday{Date: solar(4, 30), EN: "Liberation Day", VI: "Ngày Giải phóng miền Nam"},
		Holiday{Date: solar(5, 1), EN: "Labour Day", VI: "Ngày Quốc tế Lao động"},
		Holiday{Date: solar(9, 1), EN: "National Day", VI: "Quốc khánh"},
		Holiday{Date: solar(9, 2), EN: "National Day", VI: "Quốc khánh"},
	)
	return inLieu(list)
}

// inLieu adds the next free working day for each holiday on a weekend.
func inLieu(list []Holiday) []Holiday {
	byDate := func(a, b Holiday) int { return a.Date.Compare(b.Date) }
	slices.SortStableFunc(list, byDate)
	taken := map[time.Time]bool{}
	for _, h := range list {
		taken[h.Date] = true
	}
	for _, h := range slices.Clone(list) {
		if !weekend(h.Date) {
			continue
		}
		day := h.Date
		for weekend(day) || taken[day] {
			day = day.AddDate(0, 0, 1)
		}
		taken[day] = true
		list = append(list, Holiday{Date: day, EN: h.EN, VI: h.VI, InLieu: true})
	}
	slices.SortStableFunc(list, byDate)
	return list
}

func weekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// The classes that [Vietnam] tells apart.
const (
	BeforeTet = "before-tet" // the two weeks before the eve: rush, bonuses, cash
	TetDays   = "tet"        // the eve and the first six days
	AfterTet  = "after-tet"  // the week in which business starts again
	OffDay    = "holiday"    // other public holidays
	PayDay    = "pay-day"    // a pay day and the day after it
)

// Vietnam names the class of each day. The zero value is ready to use, as is a
// pointer to it by many goroutines; its fields must not change after first use.
type Vietnam struct {
	// PayDays are days of the month on which salaries are paid, 31 for the last;
	// 5, 10, 25 and the last when nil. Pay falls on the working day before when
	// it would be on a weekend or holiday.
	PayDays []int
	// Extra names further days, or renames days, by date in the form 2006-01-02;
	// "" makes a day ordinary.
	Extra map[string]string

	years sync.Map // year → [367]string by day of the year
}

// Class returns the class of a day, "" for an ordinary one.
func (v *Vietnam) Class(t time.Time) string {
	year, ok := v.years.Load(t.Year())
	if !ok {
		year, _ = v.years.LoadOrStore(t.Year(), v.table(t.Year()))
	}
	return year.(*[367]string)[t.YearDay()]
}

func (v *Vietnam) table(year int) *[367]string {
	var days [367]string
	set := func(t time.Time, class string) {
		if t.Year() == year {
			days[t.YearDay()] = class
		}
	}
	off := map[time.Time]bool{}
	holidays := append(Holidays(year), Holidays(year + 1)[0])
	for _, h := range holidays {
		off[h.Date] = true
	}
	for _, pay := range v.payDates(year, off) {
		set(pay, PayDay)
		set(pay.AddDate(0, 0, 1), PayDay)
	}
	for _, h := range holidays {
		set(h.Date, OffDay)
	}
	tet := Tet(year)
	for d := -15; d <= 13; d++ {
		class := BeforeTet
		if d >= -1 {
			class = TetDays
		}
		if d > 6 {
			class = AfterTet
		}
		set(tet.AddDate(0, 0, d), class)
	}
	for text, class := range v.Extra {
		if t, err := time.Parse(time.DateOnly, text); err == nil {
			set(t, class)
		}
	}
	return &days
}

// payDates are the dates on which pay falls from the December before to
// December of a year.
func (v *Vietnam) payDates(year int, off map[time.Time]bool) []time.Time {
	monthDays := v.PayDays
	if monthDays == nil {
		monthDays = []int{5, 10, 25, 31}
	}
	var out []time.Time
	for m := 0; m <= 12; m++ {
		last := time.Date(year, time.Month(m+1), 0, 0, 0, 0, 0, time.UTC).Day()
		for _, d := range monthDays {
			t := time.Date(year, time.Month(m), min(d, last), 0, 0, 0, 0, time.UTC)
			for weekend(t) || off[t] {
				t = t.AddDate(0, 0, -1)
			}
			out = append(out, t)
		}
	}
	return out
}
