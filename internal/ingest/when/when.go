// Package when reads times as feeds write them: ISO 8601 without allocation for
// the streaming doors, and the many local forms of files with a stated zone.
package when

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"omote/internal/platform/errs"
)

// ISO reads an ISO 8601 instant with offset ("2026-11-19T09:41:00.123Z",
// "…+07:00") into Unix microseconds. ok is false for anything else.
func ISO(b []byte) (micros int64, ok bool) {
	const dateTime = len("2006-01-02T15:04:05")
	if len(b) < dateTime+1 || len(b) > 40 || b[4] != '-' || b[7] != '-' || (b[10] != 'T' && b[10] != ' ' && b[10] != 't') || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	year, ok1 := digits(b[0:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	hour, ok4 := digits(b[11:13])
	minute, ok5 := digits(b[14:16])
	second, ok6 := digits(b[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	rest := b[dateTime:]
	fraction := 0
	if rest[0] == '.' || rest[0] == ',' {
		rest = rest[1:]
		n, scale := 0, 100_000
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			fraction += int(rest[n]-'0') * scale
			scale /= 10
			n++
		}
		if n == 0 {
			return 0, false
		}
		rest = rest[n:]
	}
	offset, ok := zone(rest)
	if !ok {
		return 0, false
	}
	seconds := int64(days(year, month, day))*86400 + int64(hour*3600+minute*60+second-offset)
	return seconds*1_000_000 + int64(fraction), true
}

func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// zone reads Z, ±hh:mm, ±hhmm or ±hh into seconds east of UTC.
func zone(b []byte) (seconds int, ok bool) {
	if len(b) == 1 && (b[0] == 'Z' || b[0] == 'z') {
		return 0, true
	}
	if len(b) < 3 || (b[0] != '+' && b[0] != '-') {
		return 0, false
	}
	hours, ok := digits(b[1:3])
	if !ok || hours > 15 {
		return 0, false
	}
	minutes := 0
	switch rest := b[3:]; {
	case len(rest) == 0:
	case len(rest) == 3 && rest[0] == ':':
		minutes, ok = digits(rest[1:])
	case len(rest) == 2:
		minutes, ok = digits(rest)
	default:
		return 0, false
	}
	if !ok || minutes > 59 {
		return 0, false
	}
	seconds = hours*3600 + minutes*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func daysIn(year, month int) int {
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

// days counts days since 1970-01-01 in the proleptic Gregorian calendar
// (Howard Hinnant, "chrono-compatible low-level date algorithms").
func days(year, month, day int) int {
	if month <= 2 {
		year--
	}
	era := year / 400
	yoe := year - era*400
	mp := (month + 9) % 12
	doy := (153*mp+2)/5 + day - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

// Format reads times written in one way.
type Format struct {
	// Name is "iso", "unix", "unix_ms", "excel" or a Go layout.
	Name string
	zone *time.Location
}

// layouts are tried in this order by Detect. Day-first forms stand before
// month-first ones, as is usual in Vietnam; a column in which both would fit is
// read day-first unless the mapping says otherwise.
var layouts = []string{
	"2006-01-02 15:04:05.999999", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05.999999", "2006-01-02T15:04", "2006-01-02",
	"02/01/2006 15:04:05", "02/01/2006 15:04", "02/01/2006", "2/1/2006 15:04:05", "2/1/2006 15:04", "2/1/2006",
	"02-01-2006 15:04:05", "02-01-2006 15:04", "02-01-2006", "02.01.2006 15:04:05", "02.01.2006 15:04", "02.01.2006",
	"01/02/2006 15:04:05", "01/02/2006 15:04", "01/02/2006", "1/2/2006 15:04", "1/2/2006",
	"2006/01/02 15:04:05", "2006/01/02 15:04", "2006/01/02", "20060102150405", "20060102",
	"2 Jan 2006 15:04:05", "2 Jan 2006", "Jan 2, 2006 15:04:05", "Jan 2, 2006", "2006-01-02 15:04:05 -0700", time.RFC1123Z, time.RFC1123, time.RFC822Z,
}

// NewFormat makes a reader for a named form, in the zone where the text has none.
func NewFormat(name string, zone *time.Location) (Format, error) {
	if zone == nil {
		zone = time.UTC
	}
	switch name {
	case "", "iso":
		return Format{Name: "iso", zone: zone}, nil
	case "unix", "unix_ms", "excel":
		return Format{Name: name, zone: zone}, nil
	}
	if !strings.ContainsAny(name, "0123456789") {
		return Format{}, errs.Invalid("when.error.format", "time_format", "%q is no time format: use iso, unix, unix_ms, excel or a layout such as 02/01/2006 15:04", name).With("name", name)
	}
	return Format{Name: name, zone: zone}, nil
}

// Detect finds the form that reads every one of the samples (empty ones aside).
func Detect(samples []string, zone *time.Location) (Format, bool) {
	candidates := append([]string{"iso", "unix", "unix_ms"}, layouts...)
	for _, name := range candidates {
		f, _ := NewFormat(name, zone)
		if f.readsAll(samples) {
			return f, true
		}
	}
	return Format{}, false
}

func (f Format) readsAll(samples []string) bool {
	seen := false
	for _, s := range samples {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		seen = true
		if _, err := f.Parse(s); err != nil {
			return false
		}
	}
	return seen
}

// Parse reads one time into Unix microseconds.
func (f Format) Parse(text string) (int64, error) {
	text = strings.TrimSpace(text)
	switch f.Name {
	case "iso":
		if micros, ok := ISO([]byte(text)); ok {
			return micros, nil
		}
	case "unix", "unix_ms":
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			if f.Name == "unix_ms" {
				n /= 1000
			}
			// Between 1973 and 2100; anything else is another form, such as 20261119.
			if n >= 1e8 && n < 4_102_444_800 {
				return int64(n * 1e6), nil
			}
		}
	case "excel":
		if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 && n < 100_000 {
			wall := time.Date(1899, 12, 30, 0, 0, 0, 0, f.zone).AddDate(0, 0, int(n))
			return wall.Add(time.Duration((n - float64(int(n))) * float64(24*time.Hour)).Round(time.Microsecond)).UnixMicro(), nil
		}
	default:
		if t, err := time.ParseInLocation(f.Name, text, f.zone); err == nil {
			return t.UnixMicro(), nil
		}
	}
	return 0, fmt.Errorf("%q is no time of the form %s", text, f.Name)
}
