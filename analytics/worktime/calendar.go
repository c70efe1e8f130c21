package worktime

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Shift is a stretch of a day in which work is done, in minutes of the wall clock
// since midnight: From inclusive, To exclusive, at most 1440.
type Shift struct{ From, To int }

// ParseShift reads a shift such as "08:00-17:00"; "00:00-24:00" is the whole day.
func ParseShift(s string) (Shift, error) {
	from, to, found := strings.Cut(s, "-")
	a, okA := clockMinutes(strings.TrimSpace(from))
	b, okB := clockMinutes(strings.TrimSpace(to))
	if !found || !okA || !okB || a >= b {
		return Shift{}, fmt.Errorf("worktime: shift %q is not of the form 08:00-17:00", s)
	}
	return Shift{a, b}, nil
}

func clockMinutes(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, errH := strconv.ParseUint(s[:2], 10, 8)
	m, errM := strconv.ParseUint(s[3:], 10, 8)
	if errH != nil || errM != nil || h > 24 || m > 59 || h == 24 && m != 0 {
		return 0, false
	}
	return int(h*60 + m), true
}

// String is the shift in the form that [ParseShift] reads.
func (s Shift) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, s.To/60, s.To%60)
}

// Pattern holds the shifts of each weekday, Sunday first as in time.Weekday, in the
// form that [ParseShift] reads.
type Pattern [7][]string

// Weekdays are the same shifts from Monday to Friday.
func Weekdays(shifts ...string) Pattern {
	return Pattern{1: shifts, 2: shifts, 3: shifts, 4: shifts, 5: shifts}
}

// EveryDay are the same shifts on all seven days.
func EveryDay(shifts ...string) Pattern {
	return Pattern{shifts, shifts, shifts, shifts, shifts, shifts, shifts}
}

// Spec describes a calendar as data.
type Spec struct {
	Zone     string // IANA name
	Week     Pattern
	Holidays []Rule
	// Days are single dates, 2006-01-02, with shifts of their own, whatever
	// weekday and holiday say; none closes the day.
	Days map[string][]string
}

// Calendar says when work is done. It does not change and is safe for concurrent
// use.
type Calendar struct {
	zone  *time.Location
	week  [7][]Shift
	rules []Rule
	days  map[Date][]Shift
	years sync.Map // year → map[Date]string, the holidays with their names
}

// New makes a calendar. The error names the part that is wrong. A calendar has
// working time on at least one weekday.
func New(spec Spec) (*Calendar, error) {
	if spec.Zone == "" || spec.Zone == "Local" {
		return nil, fmt.Errorf("worktime: a calendar needs the IANA name of a zone")
	}
	zone, err := time.LoadLocation(spec.Zone)
	if err != nil {
		return nil, fmt.Errorf("worktime: zone: %w", err)
	}
	c := &Calendar{zone: zone, rules: spec.Holidays, days: map[Date][]Shift{}}
	any := false
	for weekday, texts := range spec.Week {
		if c.week[weekday], err = shifts(texts); err != nil {
			return nil, fmt.Errorf("%s: %w", time.Weekday(weekday), err)
		}
		any = any || len(texts) > 0
	}
	if !any {
		return nil, fmt.Errorf("worktime: a calendar needs a weekday with a shift")
	}
	for _, r := range spec.Holidays {
		if err := r.Validate(); err != nil {
			return nil, err
		}
	}
	for text, texts := range spec.Days {
		day, err := ParseDate(text)
		if err != nil {
			return nil, err
		}
		if c.days[day], err = shifts(texts); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	return c, nil
}

// Always is the calendar of a zone in which all time counts.
func Always(zone string) (*Calendar, error) {
	return New(Spec{Zone: zone, Week: EveryDay("00:00-24:00")})
}

func shifts(texts []string) ([]Shift, error) {
	var out []Shift
	for _, text := range texts {
		s, err := ParseShift(text)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Shift) int { return a.From - b.From })
	for i := 1; i < len(out); i++ {
		if out[i].From < out[i-1].To {
			return nil, fmt.Errorf("worktime: shifts %s and %s overlap", out[i-1], out[i])
		}
	}
	return out, nil
}

// Zone is the calendar's time zone.
func (c *Calendar) Zone() *time.Location { return c.zone }

// Date is the civil day of an instant in the calendar's zone.
func (c *Calendar) Date(t time.Time) Date { return DateOf(t, c.zone) }

// Holiday gives the name of the holiday on a day, "" for none.
func (c *Calendar) Holiday(d Date) string {
	year, _, _ := d.Civil()
	known, ok := c.years.Load(year)
	if !ok {
		known, _ = c.years.LoadOrStore(year, holidays(c.rules, year))
	}
	return known.(map[Date]string)[d]
}

// Shifts are those of a day, in order; none on a day without work.
func (c *Calendar) Shifts(d Date) []Shift {
	if s, ok := c.days[d]; ok {
		return s
	}
	s := c.week[d.Weekday()]
	if len(s) > 0 && len(c.rules) > 0 && c.Holiday(d) != "" {
		return nil
	}
	return s
}

// IsWorkingDay reports whether any work is done on a day.
func (c *Calendar) IsWorkingDay(d Date) bool { return len(c.Shifts(d)) > 0 }

// OnOrAfter is the first working day from d on.
func (c *Calendar) OnOrAfter(d Date) Date {
	for !c.IsWorkingDay(d) {
		d++
	}
	return d
}

// AddDays is the n-th working day after d; d itself for n = 0, the n-th before for
// a negative n.
func (c *Calendar) AddDays(d Date, n int) Date {
	for ; n > 0; n-- {
		d = c.OnOrAfter(d + 1)
	}
	for ; n < 0; n++ {
		for d--; !c.IsWorkingDay(d); d-- {
		}
	}
	return d
}

// WorkingDays counts the working days after from, up to and with to; negative when
// to lies before from.
func (c *Calendar) WorkingDays(from, to Date) int {
	if to < from {
		return -c.WorkingDays(to, from)
	}
	n := 0
	for d := from + 1; d <= to; d++ {
		if c.IsWorkingDay(d) {
			n++
		}
	}
	return n
}

// Span is a stretch of time: From inclusive, To exclusive.
type Span struct{ From, To time.Time }

// Spans are the stretches of working time of a day, in order.
func (c *Calendar) Spans(d Date) []Span {
	shifts := c.Shifts(d)
	if len(shifts) == 0 {
		return nil
	}
	out := make([]Span, 0, len(shifts))
	for _, p := range d.pieces(c.zone) {
		length := int64(p.to.Sub(p.from) / time.Second)
		for _, s := range shifts {
			from, to := max(int64(s.From)*60, p.local), min(int64(s.To)*60, p.local+length)
			if from < to {
				out = append(out, Span{p.from.Add(time.Duration(from-p.local) * time.Second), p.from.Add(time.Duration(to-p.local) * time.Second)})
			}
		}
	}
	return out
}

// IsOpen reports whether an instant is working time.
func (c *Calendar) IsOpen(t time.Time) bool {
	for _, s := range c.Spans(c.Date(t)) {
		if !t.Before(s.From) && t.Before(s.To) {
			return true
		}
	}
	return false
}

// NextOpen is the first instant of working time from t on.
func (c *Calendar) NextOpen(t time.Time) time.Time {
	for d := c.Date(t); ; d++ {
		for _, s := range c.Spans(d) {
			if t.Before(s.To) {
				return later(t, s.From)
			}
		}
	}
}

// Add is the first instant at which d of working time has passed since t. Time
// outside the shifts does not count. For d ≤ 0 it is t.
func (c *Calendar) Add(t time.Time, d time.Duration) time.Time { return c.addExcept(t, d, nil) }

// addExcept is Add where working time inside the stretches of except, which are in
// order and apart, does not count either.
func (c *Calendar) addExcept(t time.Time, d time.Duration, except []Span) time.Time {
	if d <= 0 {
		return t
	}
	for day := c.Date(t); ; day++ {
		for _, s := range c.Spans(day) {
			for _, free := range without(Span{later(t, s.From), s.To}, except) {
				if length := free.To.Sub(free.From); length >= d {
					return free.From.Add(d)
				} else if length > 0 {
					d -= length
				}
			}
		}
	}
}

// Between is the working time from a to b, negative when b lies before a.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	if b.Before(a) {
		return -c.Between(b, a)
	}
	return c.betweenExcept(a, b, nil)
}

func (c *Calendar) betweenExcept(a, b time.Time, except []Span) time.Duration {
	var sum time.Duration
	last := c.Date(b)
	for day := c.Date(a); day <= last; day++ {
		for _, s := range c.Spans(day) {
			for _, free := range without(Span{later(a, s.From), earlier(b, s.To)}, except) {
				sum += max(0, free.To.Sub(free.From))
			}
		}
	}
	return sum
}

// without gives what is left of a span when the stretches of except are cut out.
func without(s Span, except []Span) []Span {
	out := make([]Span, 0, 1)
	for _, e := range except {
		if !e.To.After(s.From) || !e.From.Before(s.To) {
			continue
		}
		if e.From.After(s.From) {
			out = append(out, Span{s.From, e.From})
		}
		s.From = later(s.From, e.To)
	}
	if s.From.Before(s.To) {
		out = append(out, s)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
