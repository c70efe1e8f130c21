package bank

import (
	"sync"
	"time"

	"omote/analytics/calendar"
)

// Zone is the bank's time zone: UTC+7 all year, as Vietnam has had since 1975.
var Zone = time.FixedZone("Asia/Ho_Chi_Minh", 7*3600)

const (
	second = int64(1e6) // microseconds
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
	offset = 7 * hour // local minus UTC
)

var (
	firstDay = time.Date(2020, 1, 1, 0, 0, 0, 0, Zone)
	lastDay  = time.Date(2051, 1, 1, 0, 0, 0, 0, Zone)
)

// dayInfo is what the calendar knows of one day.
type dayInfo struct {
	weekday  uint8 // 0 Sunday
	holiday  bool
	office   bool // branches and back office work
	saturday bool // a Saturday on which Saturday branches work
	month    uint8
	dom      uint8
	last     bool  // last day of the month
	tet      int16 // days from the nearest mùng một; -1 is New Year's Eve
	digital  float32
	branch   float32
	payday   uint8 // bit set of payroll days that fall here, see paydays
}

// paydays are the days of the month on which employers pay; 0 is the last day.
// A payday on a day off moves to the working day before it.
var paydays = [...]int{1, 5, 10, 15, 25, 0}

// almanac holds every day from 2020 to 2050.
type almanac struct{ days []dayInfo }

func newAlmanac() *almanac {
	n := int(lastDay.Sub(firstDay) / (24 * time.Hour))
	c := &almanac{days: make([]dayInfo, n)}
	var tets []int
	for year := firstDay.Year() - 1; year <= lastDay.Year(); year++ {
		tets = append(tets, dayNumber(calendar.Tet(year)))
	}
	for d := range c.days {
		c.days[d] = plainDay(d, tets)
	}
	for year := firstDay.Year(); year < lastDay.Year(); year++ {
		for _, h := range calendar.Holidays(year) {
			c.days[dayNumber(h.Date)].holiday = true
		}
	}
	for d := range c.days {
		c.finish(d)
	}
	c.markPaydays()
	for d := range c.days {
		c.weigh(d)
	}
	return c
}

// dayNumber is the number of a civil date, counted from firstDay.
func dayNumber(date time.Time) int {
	return int(time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, Zone).Sub(firstDay) / (24 * time.Hour))
}

func plainDay(d int, tets []int) dayInfo {
	t := firstDay.AddDate(0, 0, d)
	i := dayInfo{weekday: uint8(t.Weekday()), month: uint8(t.Month()), dom: uint8(t.Day()), last: t.AddDate(0, 0, 1).Day() == 1}
	best := 400
	for _, x := range tets {
		if abs(d-x) < abs(best) {
			best = d - x
		}
	}
	i.tet = int16(best)
	return i
}

func abs(x int) int {
	if x < 0 {
		return -x
	}
	return x
}

func (c *almanac) finish(d int) {
	i := &c.days[d]
	i.office = !i.holiday && i.weekday >= 1 && i.weekday <= 5
	i.saturday = !i.holiday && i.weekday == 6
}

func (c *almanac) markPaydays() {
	for d := range c.days {
		i := c.days[d]
		for k, p := range paydays {
			if (p == 0 && !i.last) || (p != 0 && int(i.dom) != p) {
				continue
			}
			x := d
			for x >= 0 && !c.days[x].office {
				x--
			}
			if x >= 0 {
				c.days[x].payday |= 1 << k
			}
		}
	}
}

// weigh sets how busy a day is for the digital channels and for branches,
// relative to an ordinary Wednesday: the week, salary days, the rush of the two
// weeks before Tết, the quiet of the holiday and the lucky money of its first days.
func (c *almanac) weigh(d int) {
	i := &c.days[d]
	i.digital = [...]float32{0.86, 1.02, 0.98, 1.0, 1.0, 1.08, 1.05}[i.weekday]
	i.branch = [...]float32{0, 1.22, 1.0, 0.96, 0.98, 1.12, 0.8}[i.weekday]
	if i.payday != 0 {
		i.digital *= 1.35
		i.branch *= 1.18
	}
	switch {
	case i.tet >= -14 && i.tet <= -2:
		i.digital *= 1.25 + 0.03*float32(14+i.tet)
		i.branch *= 1.3 + 0.05*float32(14+i.tet)
	case i.tet == -1:
		i.digital *= 1.1
	case i.tet >= 0 && i.tet <= 3:
		i.digital *= 0.9
	case i.tet >= 4 && i.tet <= 10:
		i.digital *= 0.75
		i.branch *= 0.85
	}
	if i.holiday {
		i.branch = 0
	}
}

// dayOf is the local day number of an instant in microseconds.
func dayOf(at int64) int {
	return int((at + offset - firstDayMicro) / day)
}

var firstDayMicro = firstDay.UnixMicro() + offset

// dayStart is the instant at which local day d begins.
func dayStart(d int) int64 { return firstDayMicro - offset + int64(d)*day }

// clockOf is the local time of day in microseconds.
func clockOf(at int64) int64 { return (at + offset) - firstDayMicro - int64(dayOf(at))*day }

// at is the calendar's knowledge of day d; days beyond the table repeat its last.
func (c *almanac) at(d int) *dayInfo {
	return &c.days[min(max(d, 0), len(c.days)-1)]
}

// officeTime moves an instant to the next one at which the back office works
// (Monday to Friday, 8:00-17:00, no holiday).
func (c *almanac) officeTime(at int64) int64 {
	for {
		d, s := dayOf(at), clockOf(at)
		switch {
		case !c.at(d).office || s >= 17*hour:
			at = dayStart(d+1) + 8*hour + s%(40*minute)
		case s < 8*hour:
			return dayStart(d) + 8*hour + s%(40*minute)
		default:
			return at
		}
	}
}

// daytime moves an instant into 7:30-21:00, when people answer and couriers ride.
func (c *almanac) daytime(at int64) int64 {
	s := clockOf(at)
	if s >= 21*hour {
		return dayStart(dayOf(at)+1) + 7*hour + 30*minute + s%(2*hour)
	}
	if s < 7*hour+30*minute {
		return dayStart(dayOf(at)) + 7*hour + 30*minute + s%(2*hour)
	}
	return at
}

// Hour profiles: relative load of each hour of the day. Digital has the lunch
// peak and the evening peak; branches have the two halves of the working day.
var (
	digitalHours = newChoice([]float64{8, 4, 2, 2, 3, 9, 22, 38, 50, 58, 62, 82, 88, 60, 54, 55, 58, 64, 66, 76, 84, 78, 52, 24})
	branchHours  = newChoice([]float64{0, 0, 0, 0, 0, 0, 0, 0, 70, 100, 92, 46, 0, 58, 86, 80, 42, 0, 0, 0, 0, 0, 0, 0})
	callHours    = newChoice([]float64{6, 4, 3, 2, 2, 5, 14, 40, 86, 100, 92, 70, 62, 74, 88, 84, 76, 60, 48, 46, 44, 38, 24, 12})
	payHours     = newChoice([]float64{1, 0, 0, 0, 0, 0, 1, 4, 14, 24, 20, 12, 3, 10, 22, 26, 24, 12, 6, 3, 2, 1, 1, 0})
)

// hourLoad is how busy the queue of a branch is at an hour, mean 1.
var hourLoad = [24]float64{8: 0.8, 9: 1.3, 10: 1.25, 11: 0.95, 13: 0.7, 14: 1.1, 15: 1.15, 16: 0.9}

// clockIn draws a time of day from an hour profile.
func clockIn(r *rng, c choice) int64 {
	h := c.draw(r)
	return int64(h)*hour + int64(r.float()*float64(hour))
}

// branchClock draws a time of day at which a branch is open.
func branchClock(r *rng, saturday bool) int64 {
	for {
		s := clockIn(r, branchHours)
		if s < 8*hour || s > 16*hour+20*minute || (s > 11*hour+20*minute && s < 13*hour) || (saturday && s > 11*hour+10*minute) {
			continue
		}
		return s
	}
}

var theAlmanac = sync.OnceValue(newAlmanac)
