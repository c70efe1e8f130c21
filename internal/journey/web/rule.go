package web

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"omote/internal/journey/observed"
)

// ruleDays is how far back the rule of a segment looks where no period was
// chosen, and longestRule the most that rules can look back.
const (
	ruleDays    = 90
	longestRule = 400
)

// segmentRule says in the language of segments which customers a list of cases is
// about: those who made the last step reached and not the next one, with what the
// filters ask for. A segment follows customers from now on, so that the rule says
// "within so many days" where the list has dates; how long a case took and how it
// ended cannot be said and is left out. The builder shows how many customers the
// rule means before anything is saved.
func segmentRule(s *observed.Slice, q url.Values, now time.Time) string {
	days := ruleDays
	if from := s.Query.From; !from.IsZero() {
		days = int(math.Ceil(now.Sub(from).Hours() / 24))
	}
	within := fmt.Sprintf(" within %dd", min(max(days, 1), longestRule))
	var where []string
	if s.Query.Journey != observed.AllJourneys {
		where = append(where, "journey = "+strconv.Quote(s.Query.Journey))
	}
	for _, c := range [][2]string{{"channel", s.Query.Channel}, {"product", s.Query.Product}, {"unit", s.Query.Unit}} {
		if c[1] != "" {
			where = append(where, c[0]+" = "+strconv.Quote(c[1]))
		}
	}
	filter := ""
	if len(where) > 0 {
		filter = "[" + strings.Join(where, ", ") + "]"
	}
	var did, no []string
	if s.Query.With != "" {
		did = append(did, s.Query.With)
	}
	if s.Query.Without != "" {
		no = append(no, s.Query.Without)
	}
	if s.Query.Begins != "" {
		did = append(did, s.Query.Begins)
	}
	if s.Query.Ends != "" {
		did = append(did, s.Query.Ends)
	}
	if from, to, ok := strings.Cut(s.Query.Passing, ">"); ok {
		did = append(did, from, to)
	}
	if stopped, err := strconv.Atoi(q.Get("stopped")); err == nil {
		if steps := spec(q, s).Steps; stopped >= 1 && stopped < len(steps) {
			did, no = append(did, steps[stopped-1]), append(no, steps[stopped])
		}
	}
	if len(did) == 0 {
		did = append(did, s.Begin())
	}
	var parts []string
	seen := map[string]bool{}
	for _, x := range did {
		if !seen[x] {
			seen[x] = true
			parts = append(parts, "did "+x+filter+within)
		}
	}
	for _, x := range no {
		parts = append(parts, "no "+x+within)
	}
	if s.Query.Segment != "" {
		parts = append(parts, "in "+s.Query.Segment)
	}
	return strings.Join(parts, " and ")
}
