package warehouse

import (
	"fmt"
	"time"
)

// stretch is a time in which a zone keeps its offset.
type stretch struct {
	end    time.Time
	offset int // seconds east of UTC
}

// LocalTime writes the SQL that turns a UTC timestamp into the wall clock of a
// zone, exact for instants in [from, to). Offsets come from Go's zone data and
// are written as constants, one per stretch between clock changes, so both
// engines cut days, weeks and months alike.
func LocalTime(expr string, zone *time.Location, from, to time.Time) string {
	var stretches []stretch
	for at := from; ; {
		local := at.In(zone)
		_, offset := local.Zone()
		_, end := local.ZoneBounds()
		stretches = append(stretches, stretch{end, offset})
		if end.IsZero() || !end.Before(to) {
			return localTime(expr, stretches)
		}
		at = end
	}
}

// localTime halves the stretches until one is left.
func localTime(expr string, s []stretch) string {
	if len(s) > 1 {
		mid := len(s) / 2
		return fmt.Sprintf("CASE WHEN %s < %s THEN %s ELSE %s END",
			expr, Timestamp(s[mid-1].end), localTime(expr, s[:mid]), localTime(expr, s[mid:]))
	}
	if s[0].offset == 0 {
		return expr
	}
	return fmt.Sprintf("(%s + INTERVAL '%d seconds')", expr, s[0].offset)
}

// Timestamp writes an instant as an SQL literal in UTC.
func Timestamp(t time.Time) string {
	return "TIMESTAMP '" + t.UTC().Format("2006-01-02 15:04:05.000000") + "'"
}
