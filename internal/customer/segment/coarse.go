package segment

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"omote/internal/platform/event"
)

// Coarse gives what rules and the warehouse may see of an identify call: coded,
// coarse parts of the traits that name nobody. It is nil when there is none.
//
//	system             the system that says it
//	since_day          since when a customer there (created_at), in days from 1970
//	birth_day          1 January of the year of birth, in days from 1970; the
//	                   usual default dates (1900 and before) say nothing
//	region             first part of the home branch's path
//	job, language, preferred_channel   codes of lower-case letters, digits, '_'
//	access_need        "yes" where any is stated; which one stays sealed
func Coarse(e *event.Event) json.RawMessage {
	if e.Kind != event.Identify {
		return nil
	}
	var parser fastjson.Parser
	traits, err := parser.ParseBytes(e.Traits)
	if err != nil || traits.Type() != fastjson.TypeObject {
		traits = fastjson.MustParse("{}")
	}
	b := append(make([]byte, 0, 160), '{')
	text := func(name, value string) {
		if value != "" && isCode(value) {
			b = append(append(append(append(b, '"'), name...), `":"`...), value...)
			b = append(b, '"', ',')
		}
	}
	day := func(name, value string, yearOnly bool) {
		t, err := time.Parse(time.DateOnly, value)
		if err != nil || t.Year() <= 1900 || t.Year() > 2200 {
			return
		}
		if yearOnly {
			t = time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
		}
		b = append(append(append(b, '"'), name...), `":`...)
		b = append(strconv.AppendInt(b, floorDay(t), 10), ',')
	}
	get := func(name string) string { return string(traits.GetStringBytes(name)) }
	text("system", e.SystemName())
	day("since_day", get("created_at"), false)
	day("birth_day", get("birth_date"), true)
	region, _, _ := strings.Cut(strings.Trim(strings.ToLower(get("home_branch")), "/"), "/")
	text("region", region)
	text("job", get("job"))
	text("language", get("language"))
	text("preferred_channel", get("preferred_channel"))
	if get("access_need") != "" {
		text("access_need", "yes")
	}
	if len(b) == 1 {
		return nil
	}
	b[len(b)-1] = '}'
	return b
}

func floorDay(t time.Time) int64 {
	s := t.Unix()
	return (s - (s%86400+86400)%86400) / 86400
}

func isCode(s string) bool {
	if len(s) > 40 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
