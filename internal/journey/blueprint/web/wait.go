package web

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/definition"
	"omote/internal/platform/errs"
)

var waitForm = regexp.MustCompile(`^(\d+(?:[.,]\d+)?)\s*(\p{L}+)$`)

// waitUnits are the units that people write, in both languages.
var waitUnits = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second, "giây": time.Second, "giay": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute, "ph": time.Minute, "phút": time.Minute, "phut": time.Minute, "p": time.Minute,
	"h": time.Hour, "hour": time.Hour, "hours": time.Hour, "giờ": time.Hour, "gio": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour, "ngày": 24 * time.Hour, "ngay": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour, "tuần": 7 * 24 * time.Hour, "tuan": 7 * 24 * time.Hour,
}

// parseWait reads a duration as people write it ("3 phút", "2 days", "90s") or as
// ISO 8601; nothing is zero.
func parseWait(text string) (blueprint.Duration, error) {
	text = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(text), "≤<= "))
	if text == "" {
		return 0, nil
	}
	if d, err := definition.ParseDuration(strings.ToUpper(text)); err == nil {
		return blueprint.Duration(d), nil
	}
	if m := waitForm.FindStringSubmatch(strings.ToLower(text)); m != nil {
		n, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
		if unit, ok := waitUnits[m[2]]; ok && err == nil && n*unit.Seconds() < definition.MaxTimeout.Seconds() {
			return blueprint.Duration((time.Duration(n * float64(unit))).Round(time.Second)), nil
		}
	}
	return 0, errs.Invalid("blueprint.error.duration", "max_wait", "%q is no duration such as 3 minutes, 2 days or PT3M", text).With("value", text)
}

// waitText writes a duration for a field that parseWait reads again.
func waitText(d blueprint.Duration, vi bool) string {
	if d == 0 {
		return ""
	}
	units := []struct {
		unit   time.Duration
		en, vi string
	}{{24 * time.Hour, "d", "ngày"}, {time.Hour, "h", "giờ"}, {time.Minute, "min", "phút"}, {time.Second, "s", "giây"}}
	for _, u := range units {
		if time.Duration(d)%u.unit == 0 {
			n := strconv.FormatInt(int64(time.Duration(d)/u.unit), 10)
			if vi {
				return n + " " + u.vi
			}
			return n + " " + u.en
		}
	}
	return d.String()
}
