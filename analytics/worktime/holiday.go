package worktime

import (
	"fmt"
	"slices"
	"time"

	"omote/analytics/calendar"
)

// Rule gives one holiday a year. Exactly one of Vietnam, Lunar, Easter (Named by
// ByEaster), Weekday (with Nth) or Month and Day alone says which day.
type Rule struct {
	Name string
	// Vietnam stands for all public holidays of article 112 of the Labour Code
	// 2019, days in lieu included, as package calendar gives them.
	Vietnam bool
	// Month and Day are a fixed date; with Lunar a date of the Vietnamese lunar
	// calendar.
	Month time.Month
	Day   int
	Lunar bool
	// Nth picks the n-th Weekday of Month, -1 the last.
	Nth     int
	Weekday time.Weekday
	// ByEaster makes the day Easter Sunday (Gregorian) plus Easter days.
	ByEaster bool
	Easter   int
	// Substitute says what a weekend does to the day.
	Substitute Substitute
	// Since is the first year of the rule; 0 for always.
	Since int
}

// Substitute is what happens when a holiday falls on a weekend.
type Substitute int

// The conventions for weekends.
const (
	Lost        Substitute = iota // it is lost
	NextWorkday                   // the next day that is neither weekend nor holiday (United Kingdom)
	SundayOnly                    // from Sunday to Monday; Saturday is lost (Federal Reserve)
)

// Validate tells what is wrong with the rule.
func (r Rule) Validate() error {
	switch {
	case r.Vietnam, r.ByEaster:
		return nil
	case r.Month < time.January || r.Month > time.December:
		return fmt.Errorf("worktime: holiday %q has no month", r.Name)
	case r.Nth != 0 && (r.Nth < -1 || r.Nth > 5 || r.Lunar):
		return fmt.Errorf("worktime: holiday %q is not the %d. of a month", r.Name, r.Nth)
	case r.Nth == 0 && (r.Day < 1 || r.Day > 31):
		return fmt.Errorf("worktime: holiday %q has no day", r.Name)
	}
	return nil
}

// holidays are those of a year with their names.
func holidays(rules []Rule, year int) map[Date]string {
	out := map[Date]string{}
	type moved struct {
		day  Date
		rule Rule
	}
	var weekend []moved
	// The years beside may move a day over the turn of the year.
	for y := year - 1; y <= year+1; y++ {
		for _, r := range rules {
			if y < r.Since {
				continue
			}
			if r.Vietnam {
				for _, h := range calendar.Holidays(y) {
					out[On(h.Date.Date())] = h.EN
				}
				continue
			}
			day, ok := r.on(y)
			if !ok {
				continue
			}
			out[day] = r.Name
			if isWeekend(day) && r.Substitute != Lost {
				weekend = append(weekend, moved{day, r})
			}
		}
	}
	slices.SortStableFunc(weekend, func(a, b moved) int { return int(a.day - b.day) })
	for _, m := range weekend {
		if m.rule.Substitute == SundayOnly && m.day.Weekday() == time.Saturday {
			continue
		}
		day := m.day + 1
		for isWeekend(day) || out[day] != "" {
			day++
		}
		out[day] = m.rule.Name
	}
	return out
}

func (r Rule) on(year int) (Date, bool) {
	switch {
	case r.ByEaster:
		return easter(year) + Date(r.Easter), true
	case r.Lunar:
		t, err := calendar.FromLunar(calendar.Lunar{Year: year, Month: int(r.Month), Day: r.Day})
		if err != nil {
			return 0, false
		}
		return On(t.Date()), true
	case r.Nth > 0:
		first := On(year, r.Month, 1)
		day := first + Date((int(r.Weekday)-int(first.Weekday())+7)%7+7*(r.Nth-1))
		_, m, _ := day.Civil()
		return day, m == r.Month
	case r.Nth < 0:
		last := On(year, r.Month+1, 0)
		return last - Date((int(last.Weekday())-int(r.Weekday)+7)%7), true
	}
	day := On(year, r.Month, r.Day)
	_, m, _ := day.Civil()
	return day, m == r.Month
}

func isWeekend(d Date) bool { return d.Weekday() == time.Saturday || d.Weekday() == time.Sunday }

// easter is Easter Sunday by the anonymous Gregorian algorithm (Meeus, Astronomical
// Algorithms, chapter 8).
func easter(year int) Date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	return On(year, time.Month((h+l-7*m+114)/31), (h+l-7*m+114)%31+1)
}

// EnglandWales are the bank holidays of England and Wales: the Banking and Financial
// Dealings Act 1971 with the proclaimed New Year's Day and early May days. Days
// proclaimed for one year are single dates of a [Spec].
func EnglandWales() []Rule {
	return []Rule{
		{Name: "New Year's Day", Month: 1, Day: 1, Substitute: NextWorkday},
		{Name: "Good Friday", ByEaster: true, Easter: -2},
		{Name: "Easter Monday", ByEaster: true, Easter: 1},
		{Name: "Early May bank holiday", Month: 5, Nth: 1, Weekday: time.Monday},
		{Name: "Spring bank holiday", Month: 5, Nth: -1, Weekday: time.Monday},
		{Name: "Summer bank holiday", Month: 8, Nth: -1, Weekday: time.Monday},
		{Name: "Christmas Day", Month: 12, Day: 25, Substitute: NextWorkday},
		{Name: "Boxing Day", Month: 12, Day: 26, Substitute: NextWorkday},
	}
}

// USFederal are the legal public holidays of 5 U.S.C. 6103(a) as the Federal
// Reserve Banks observe them: from Sunday to Monday, on Saturday not at all.
func USFederal() []Rule {
	return []Rule{
		{Name: "New Year's Day", Month: 1, Day: 1, Substitute: SundayOnly},
		{Name: "Birthday of Martin Luther King, Jr.", Month: 1, Nth: 3, Weekday: time.Monday},
		{Name: "Washington's Birthday", Month: 2, Nth: 3, Weekday: time.Monday},
		{Name: "Memorial Day", Month: 5, Nth: -1, Weekday: time.Monday},
		{Name: "Juneteenth", Month: 6, Day: 19, Substitute: SundayOnly, Since: 2021},
		{Name: "Independence Day", Month: 7, Day: 4, Substitute: SundayOnly},
		{Name: "Labor Day", Month: 9, Nth: 1, Weekday: time.Monday},
		{Name: "Columbus Day", Month: 10, Nth: 2, Weekday: time.Monday},
		{Name: "Veterans Day", Month: 11, Day: 11, Substitute: SundayOnly},
		{Name: "Thanksgiving Day", Month: 11, Nth: 4, Weekday: time.Thursday},
		{Name: "Christmas Day", Month: 12, Day: 25, Substitute: SundayOnly},
	}
}

// Target are the closing days of the euro area's TARGET system, a common ground for
// payment terms when the member state's own list is not set.
func Target() []Rule {
	return []Rule{
		{Name: "New Year's Day", Month: 1, Day: 1},
		{Name: "Good Friday", ByEaster: true, Easter: -2},
		{Name: "Easter Monday", ByEaster: true, Easter: 1},
		{Name: "Labour Day", Month: 5, Day: 1},
		{Name: "Christmas Day", Month: 12, Day: 25},
		{Name: "Boxing Day", Month: 12, Day: 26},
	}
}

// Swiss are the days on which banks rest in most Swiss cantons; further cantonal
// days are rules or single dates of a [Spec].
func Swiss() []Rule {
	return []Rule{
		{Name: "New Year's Day", Month: 1, Day: 1},
		{Name: "Saint Berchtold", Month: 1, Day: 2},
		{Name: "Good Friday", ByEaster: true, Easter: -2},
		{Name: "Easter Monday", ByEaster: true, Easter: 1},
		{Name: "Labour Day", Month: 5, Day: 1},
		{Name: "Ascension Day", ByEaster: true, Easter: 39},
		{Name: "Whit Monday", ByEaster: true, Easter: 50},
		{Name: "National Day", Month: 8, Day: 1},
		{Name: "Christmas Day", Month: 12, Day: 25},
		{Name: "Saint Stephen", Month: 12, Day: 26},
	}
}
