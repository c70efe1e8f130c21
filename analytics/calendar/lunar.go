package calendar

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Lunar is a date of the Vietnamese lunar calendar.
type Lunar struct {
	Year, Month, Day int
	Leap             bool // the repeated month of this number
}

// String writes day/month/year, with a mark for leap months.
func (l Lunar) String() string {
	if l.Leap {
		return fmt.Sprintf("%d/%d (leap)/%d", l.Day, l.Month, l.Year)
	}
	return fmt.Sprintf("%d/%d/%d", l.Day, l.Month, l.Year)
}

const (
	zone     = 7.0 / 24 // Vietnamese time as a fraction of a day
	epoch    = 2415021.076998695
	synodic  = 29.530588853
	unixZero = 2440588 // Julian day number of 1 January 1970
)

// dayNumber is the Julian day number of the civil date of t.
func dayNumber(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()/86400) + unixZero
}

// date is the civil date of a Julian day number, at midnight UTC.
func date(jdn int) time.Time {
	return time.Unix(int64(jdn-unixZero)*86400, 0).UTC()
}

// newMoon is the day number, in Vietnamese time, of the k-th new moon after
// that of 1 January 1900 (Meeus 1982, chapter 32).
func newMoon(k int) int {
	kf := float64(k)
	t := kf / 1236.85
	t2, t3 := t*t, t*t*t
	jd := 2415020.75933 + 29.53058868*kf + 0.0001178*t2 - 0.000000155*t3 +
		0.00033*sin(166.56+132.87*t-0.009173*t2)
	sun := 359.2242 + 29.10535608*kf - 0.0000333*t2 - 0.00000347*t3
	moon := 306.0253 + 385.81691806*kf + 0.0107306*t2 + 0.00001236*t3
	node := 21.2964 + 390.67050646*kf - 0.0016528*t2 - 0.00000239*t3
	jd += (0.1734-0.000393*t)*sin(sun) + 0.0021*sin(2*sun) -
		0.4068*sin(moon) + 0.0161*sin(2*moon) - 0.0004*sin(3*moon) +
		0.0104*sin(2*node) - 0.0051*sin(sun+moon) - 0.0074*sin(sun-moon) +
		0.0004*sin(2*node+sun) - 0.0004*sin(2*node-sun) - 0.0006*sin(2*node+moon) +
		0.0010*sin(2*node-moon) + 0.0005*sin(2*moon+sun)
	delta := -0.000278 + 0.000265*t + 0.000262*t2
	if t < -11 {
		delta = 0.001 + 0.000839*t + 0.0002261*t2 - 0.00000845*t3 - 0.000000081*t*t3
	}
	return int(math.Floor(jd - delta + 0.5 + zone))
}

// sunSign is the zodiac sign, 0 to 11 from the March equinox, that the sun is
// in at the Vietnamese midnight that begins the day.
func sunSign(jdn int) int {
	t := (float64(jdn) - 2451545.5 - zone) / 36525
	t2 := t * t
	anomaly := 357.52910 + 35999.05030*t - 0.0001559*t2 - 0.00000048*t*t2
	longitude := 280.46645 + 36000.76983*t + 0.0003032*t2 +
		(1.914600-0.004817*t-0.000014*t2)*sin(anomaly) +
		(0.019993-0.000101*t)*sin(2*anomaly) + 0.000290*sin(3*anomaly)
	longitude -= 360 * math.Floor(longitude/360)
	return int(longitude / 30)
}

func sin(degrees float64) float64 { return math.Sin(degrees * math.Pi / 180) }

// eleventh is the first day of the month that holds the winter solstice of a
// solar year.
func eleventh(year int) int {
	last := dayNumber(time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC))
	k := int(math.Floor(float64(last-2415021) / synodic))
	if first := newMoon(k); sunSign(first) < 9 {
		return first
	}
	return newMoon(k - 1)
}

// moonIndex is the number of the new moon on a day known to have one.
func moonIndex(jdn int) int { return int(math.Floor(0.5 + (float64(jdn)-epoch)/synodic)) }

// leapOffset is how many months after an eleventh month the leap month comes,
// in a lunar year known to have one: the first in which the sun stays in a sign.
func leapOffset(eleventh int) int {
	k := moonIndex(eleventh)
	sign := sunSign(newMoon(k + 1))
	for i := 2; i < 14; i++ {
		next := sunSign(newMoon(k + i))
		if next == sign {
			return i - 1
		}
		sign = next
	}
	return 13
}

// ToLunar converts a civil date, meant for the years 1900 to 2199.
func ToLunar(t time.Time) Lunar {
	day, year := dayNumber(t), t.Year()
	k := int(math.Floor((float64(day) - epoch) / synodic))
	start := newMoon(k + 1)
	if start > day {
		start = newMoon(k)
	}
	from, to := eleventh(year), 0
	lunarYear := year + 1
	if from >= start {
		from, to, lunarYear = eleventh(year-1), from, year
	} else {
		to = eleventh(year + 1)
	}
	months := (start - from) / 29
	out := Lunar{Year: lunarYear, Month: months + 11, Day: day - start + 1}
	if to-from > 365 {
		if leap := leapOffset(from); months >= leap {
			out.Month--
			out.Leap = months == leap
		}
	}
	if out.Month > 12 {
		out.Month -= 12
	}
	if out.Month >= 11 && months < 4 {
		out.Year--
	}
	return out
}

// ErrDate says that a lunar date does not exist.
var ErrDate = errors.New("calendar: no such lunar date")

// FromLunar converts a lunar date to a civil one at midnight UTC.
func FromLunar(l Lunar) (time.Time, error) {
	if l.Month < 1 || l.Month > 12 || l.Day < 1 || l.Day > 30 {
		return time.Time{}, fmt.Errorf("%w: %v", ErrDate, l)
	}
	from, to := eleventh(l.Year-1), eleventh(l.Year)
	if l.Month >= 11 {
		from, to = to, eleventh(l.Year+1)
	}
	offset := (l.Month + 1) % 12
	if to-from > 365 {
		leap := leapOffset(from)
		if l.Leap && offset != leap-1 {
			return time.Time{}, fmt.Errorf("%w: %v, whose leap month is another", ErrDate, l)
		}
		if l.Leap || offset >= leap {
			offset++
		}
	} else if l.Leap {
		return time.Time{}, fmt.Errorf("%w: %v, a year without leap month", ErrDate, l)
	}
	k := moonIndex(from) + offset
	start := newMoon(k)
	if start+l.Day-1 >= newMoon(k+1) {
		return time.Time{}, fmt.Errorf("%w: %v, a month of 29 days", ErrDate, l)
	}
	return date(start + l.Day - 1), nil
}

// Tet is the first day of a lunar year, which begins in January or February of
// the solar year of the same number.
func Tet(year int) time.Time {
	t, err := FromLunar(Lunar{Year: year, Month: 1, Day: 1})
	if err != nil {
		panic(err) // every lunar year has a first day
	}
	return t
}
