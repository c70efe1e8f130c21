package fmtx

import (
	"math"
	"strconv"
	"time"
)

// durationUnits are the words of one locale.
type durationUnits struct {
	day, dayOne, hour, minute, second, milli string
	dayShort, hourShort, minuteShort         string
}

// Duration writes a length of time with the precision a reader can use: 240 ms,
// 40 giây, 6 phút, 7 giờ 10, 8,1 ngày (English: 40 s, 6 min, 7 h 10, 8.1 days).
// From one day on it counts days of 24 hours with one decimal.
func (f Formatter) Duration(d time.Duration) string {
	u := f.rules().units
	return f.duration(d, u.day, u.dayOne, u.hour, u.minute, u.second)
}

// DurationShort is Duration for a narrow place: 6 ph, 8,1 ngày; 6 min, 8.1 d.
func (f Formatter) DurationShort(d time.Duration) string {
	u := f.rules().units
	return f.duration(d, u.dayShort, u.dayShort, u.hourShort, u.minuteShort, "s")
}

// Ago writes how long ago something was: "6 phút trước", "6 min ago"; within ten
// seconds "vừa xong", "just now".
func (f Formatter) Ago(d time.Duration) string {
	r := f.rules()
	if d < 10*time.Second {
		return r.justNow
	}
	return f.Duration(d) + NBSP + r.ago
}

// Seconds is Duration of a number of seconds; not finite shows an en dash.
func (f Formatter) Seconds(s float64) string {
	if math.IsNaN(s) || math.Abs(s) > math.MaxInt64/1e9 {
		return None
	}
	return f.Duration(time.Duration(s * float64(time.Second)))
}

// SecondsShort is DurationShort of a number of seconds.
func (f Formatter) SecondsShort(s float64) string {
	if math.IsNaN(s) || math.Abs(s) > math.MaxInt64/1e9 {
		return None
	}
	return f.DurationShort(time.Duration(s * float64(time.Second)))
}

func (f Formatter) duration(d time.Duration, day, dayOne, hour, minute, second string) string {
	if d == math.MinInt64 {
		d++
	}
	if d < 0 {
		return Minus + f.duration(-d, day, dayOne, hour, minute, second)
	}
	const fullDay = 24 * time.Hour
	switch {
	case d == 0:
		return "0" + NBSP + second
	case d < 999500*time.Microsecond:
		return f.trimmed(float64(d)/float64(time.Millisecond), 0) + NBSP + f.rules().units.milli
	case d < 9950*time.Millisecond:
		return f.trimmed(d.Seconds(), 1) + NBSP + second
	case d < 59500*time.Millisecond:
		return f.Decimal(d.Seconds(), 0) + NBSP + second
	case d < 10*time.Minute-3*time.Second:
		return f.trimmed(d.Minutes(), 1) + NBSP + minute
	case d < time.Hour-30*time.Second:
		return f.Decimal(d.Minutes(), 0) + NBSP + minute
	case d < fullDay-30*time.Second:
		minutes := int(d.Round(time.Minute) / time.Minute)
		text := strconv.Itoa(minutes/60) + NBSP + hour
		if rest := minutes % 60; rest > 0 {
			text += NBSP + pad2(rest)
		}
		return text
	default:
		days := f.trimmed(d.Hours()/24, 1)
		if days == "1" {
			return days + NBSP + dayOne
		}
		return days + NBSP + day
	}
}

func pad2(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}
