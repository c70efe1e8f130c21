package xes

import (
	"errors"
	"fmt"
)

// ErrTime is wrapped by [ParseTime] when a text is no ISO 8601 instant.
var ErrTime = errors.New("not an ISO 8601 date and time")

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
)

// ParseTime reads an ISO 8601 instant and returns microseconds since
// 1970-01-01 UTC. It accepts what xs:dateTime allows and the common
// variations of real logs:
//
//	2011-10-01T00:38:44.546+02:00
//	2011-10-01T00:38:44Z
//	2011-10-01 00:38:44,546+0200
//	2011-10-01T00:38
//	2011-10-01
//
// Years run from 0000 to 9999. Digits of the fraction beyond microseconds are
// cut off. A text without an offset is taken as UTC. 24:00:00 is the midnight
// that ends the day, and a leap second is the last second of its minute plus
// one. Nothing but the offset shifts the instant, so the result does not
// depend on the time zone of the machine.
func ParseTime[T []byte | string](s T) (int64, error) {
	days, ok := parseDate(s)
	if !ok {
		return 0, timeError(s)
	}
	if len(s) == 10 {
		return days * microsPerDay, nil
	}
	if (s[10] != 'T' && s[10] != ' ' && s[10] != 't') || len(s) < 16 || s[13] != ':' {
		return 0, timeError(s)
	}
	hour, ok1 := twoDigits(s, 11)
	minute, ok2 := twoDigits(s, 14)
	if !ok1 || !ok2 || minute > 59 {
		return 0, timeError(s)
	}
	var second, micros int64
	i := 16
	if i < len(s) && s[i] == ':' {
		if second, ok = twoDigits(s, 17); !ok || second > 60 {
			return 0, timeError(s)
		}
		i = 19
		if i < len(s) && (s[i] == '.' || s[i] == ',') {
			if micros, i, ok = parseFraction(s, i+1); !ok {
				return 0, timeError(s)
			}
		}
	}
	if hour > 24 || (hour == 24 && (minute|second|micros) != 0) {
		return 0, timeError(s)
	}
	offset, ok := parseOffset(s, i)
	if !ok {
		return 0, timeError(s)
	}
	return days*microsPerDay + (hour*3600+minute*60+second-offset)*microsPerSecond + micros, nil
}

func timeError[T []byte | string](s T) error {
	return fmt.Errorf("%q: %w", clip([]byte(s)), ErrTime)
}

// parseDate reads the leading YYYY-MM-DD as days since 1970-01-01.
func parseDate[T []byte | string](s T) (int64, bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	century, ok1 := twoDigits(s, 0)
	years, ok2 := twoDigits(s, 2)
	month, ok3 := twoDigits(s, 5)
	day, ok4 := twoDigits(s, 8)
	year := century*100 + years
	if !ok1 || !ok2 || !ok3 || !ok4 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return daysFromCivil(year, month, day), true
}

// daysFromCivil counts days since 1970-01-01 in the proleptic Gregorian
// calendar, for years from 0 on. Years begin in March so that the leap day is
// the last day of a year.
func daysFromCivil(year, month, day int64) int64 {
	if month <= 2 {
		year--
	}
	era := (year + 400) / 400 // year 0 before March falls in the era before
	yearOfEra := year + 400 - era*400
	dayOfYear := (153*((month+9)%12)+2)/5 + day - 1
	return (era-1)*146_097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719_468
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

func twoDigits[T []byte | string](s T, i int) (int64, bool) {
	if i+2 > len(s) {
		return 0, false
	}
	a, b := s[i]-'0', s[i+1]-'0'
	return int64(a)*10 + int64(b), a <= 9 && b <= 9
}

// parseFraction reads the digits after the decimal sign and returns
// microseconds and the position after the digits.
func parseFraction[T []byte | string](s T, i int) (int64, int, bool) {
	start, micros, scale := i, int64(0), int64(100_000)
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		micros += int64(s[i]-'0') * scale
		scale /= 10
	}
	return micros, i, i > start
}

// parseOffset reads Z, ±hh:mm, ±hhmm, ±hh or nothing up to the end of s and
// returns seconds east of UTC.
func parseOffset[T []byte | string](s T, i int) (int64, bool) {
	switch rest := len(s) - i; {
	case rest == 0:
		return 0, true
	case rest == 1:
		return 0, s[i] == 'Z' || s[i] == 'z'
	case rest == 3 || rest == 5 || (rest == 6 && s[i+3] == ':'):
		hours, ok := twoDigits(s, i+1)
		var minutes int64
		if ok && rest > 3 {
			minutes, ok = twoDigits(s, len(s)-2)
		}
		seconds := hours*3600 + minutes*60
		if s[i] == '-' {
			seconds = -seconds
		} else if s[i] != '+' {
			return 0, false
		}
		return seconds, ok && minutes <= 59 && hours <= 23
	}
	return 0, false
}

// AppendTime appends an instant, given in microseconds since 1970-01-01 UTC, as
// ISO 8601 with offset Z: with milliseconds, or with microseconds where there
// are any. Instants outside the years 0000 to 9999 have no such form; they are
// written as the nearest one that has.
func AppendTime(dst []byte, micros int64) []byte {
	const first, last = -719_528 * microsPerDay, 2_932_897*microsPerDay - 1
	micros = min(max(micros, first), last)
	days, rest := micros/microsPerDay, micros%microsPerDay
	if rest < 0 {
		days, rest = days-1, rest+microsPerDay
	}
	year, month, day := civilFromDays(days)
	dst = appendDigits(dst, year, 4)
	dst = appendDigits(append(dst, '-'), month, 2)
	dst = appendDigits(append(dst, '-'), day, 2)
	seconds, fraction := rest/microsPerSecond, rest%microsPerSecond
	dst = appendDigits(append(dst, 'T'), seconds/3600, 2)
	dst = appendDigits(append(dst, ':'), seconds/60%60, 2)
	dst = appendDigits(append(dst, ':'), seconds%60, 2)
	if fraction%1000 == 0 {
		dst = appendDigits(append(dst, '.'), fraction/1000, 3)
	} else {
		dst = appendDigits(append(dst, '.'), fraction, 6)
	}
	return append(dst, 'Z')
}

// civilFromDays is the inverse of daysFromCivil.
func civilFromDays(days int64) (year, month, day int64) {
	days += 719_468 + 146_097 // from 1 March of the year -400
	era := days / 146_097
	dayOfEra := days % 146_097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36_524 - dayOfEra/146_096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*dayOfYear + 2) / 153
	day = dayOfYear - (153*shifted+2)/5 + 1
	month = (shifted+2)%12 + 1
	year = yearOfEra + (era-1)*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

func appendDigits(dst []byte, v int64, width int) []byte {
	for scale := pow10[width-1]; scale > 0; scale /= 10 {
		dst = append(dst, byte('0'+v/scale%10))
	}
	return dst
}

var pow10 = [...]int64{1, 10, 100, 1000, 10_000, 100_000}
