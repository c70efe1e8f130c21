package definition

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var isoDuration = regexp.MustCompile(`^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// ParseDuration reads an ISO 8601 duration of weeks, days, hours, minutes and
// seconds, such as P7D or PT24H.
func ParseDuration(text string) (time.Duration, error) {
	m := isoDuration.FindStringSubmatch(text)
	if m == nil || len(text) < 3 {
		return 0, fmt.Errorf("%q is no ISO 8601 duration such as P7D or PT24H", text)
	}
	var total time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(m[i+1], 10, 32)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", text, err)
		}
		total += time.Duration(n) * unit
	}
	return total, nil
}

// FormatDuration writes a duration as ISO 8601, to the second.
func FormatDuration(d time.Duration) string {
	if d < time.Second {
		return "PT0S"
	}
	var b strings.Builder
	b.WriteByte('P')
	part := func(unit time.Duration, mark byte) {
		if n := d / unit; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10))
			b.WriteByte(mark)
			d -= n * unit
		}
	}
	part(24*time.Hour, 'D')
	if d < time.Second {
		return b.String()
	}
	b.WriteByte('T')
	part(time.Hour, 'H')
	part(time.Minute, 'M')
	part(time.Second, 'S')
	return b.String()
}
