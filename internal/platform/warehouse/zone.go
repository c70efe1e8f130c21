package warehouse

import (
	"fmt"
	"strings"
	"time"
)

// LocalTime writes the SQL that turns a UTC timestamp into the wall clock of a
// zone, exact for instants in [from, to). Offsets come from Go's zone data and
// are written as constants, one per stretch between clock changes, so both
// engines cut days, weeks and months alike.
func LocalTime(expr string, zone *time.Location, from, to time.Time) string {
	type stretch struct {
		end    time.Time
		offset int
	}
	var stretches []stretch
	for at := from; ; {
		local := at.In(zone)
		_, offset := local.Zone()
		_, end := local.ZoneBounds()
		stretches = append(stretches, stretch{end, offset})
		if end.IsZero() || !end.Before(to) {
			break
		}
		at = end
	}
	if len(stretches) == 1 {
		return shifted(expr, stretches[0].offset)
	}
	var b strings.Builder
	b.WriteString("CASE")
	for _, s := range stretches[:len(stretches)-1] {
		fmt.Fprintf(&b, " WHEN %s < %s THEN %s", expr, Timestamp(s.end), shifted(expr, s.offset))
	}
	fmt.Fprintf(&b, " ELSE %s END", shifted(expr, stretches[len(stretches)-1].offset))
	return b.String()
}

func shifted(expr string, offset int) string {
	if offset == 0 {
		return expr
	}
	return fmt.Sprintf("(%s + INTERVAL '%d seconds')", expr, offset)
}

// Timestamp writes an instant as an SQL literal in UTC.
func Timestamp(t time.Time) string {
	return "TIMESTAMP '" + t.UTC().Format("2006-01-02 15:04:05.000000") + "'"
}
