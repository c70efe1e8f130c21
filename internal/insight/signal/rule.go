package signal

import (
	"time"

	"omote/internal/platform/errs"
)

// Rule says which changes become signals. It is one versioned document of the
// bank: a person proposes it with its back-test, another puts it into force.
type Rule struct {
	// Share is the largest share of false signals among signals, over all series
	// watched together: 0.01 to 0.3.
	Share float64 `json:"share"`
	// PerThousand is the most false signals of 1,000 periods of a quiet series: 0.05
	// to 5.
	PerThousand float64 `json:"per_thousand"`
	// Limit is how far the level must move, in standard deviations of one period: 0
	// to 10.
	Limit float64 `json:"limit"`
	// Persist is for how many periods with data it must last: 1 to 60.
	Persist int `json:"persist"`
	// Reach is how many customers it must reach: 1 to 1,000,000.
	Reach int64 `json:"reach"`
	// Both admits improvements too.
	Both bool `json:"both"`
	// Days is how far back a run looks for changes that nobody has seen: 7 to 730.
	Days int `json:"days"`
}

// DefaultRule is the rule of a fresh installation.
func DefaultRule() Rule {
	return Rule{Share: 0.1, PerThousand: 0.5, Limit: 0.5, Persist: 3, Reach: 30, Days: 180}
}

// Validate tells what is wrong with it.
func (r Rule) Validate() error {
	bad := func(field string, low, high any) error {
		return errs.Invalid("insight.signal.error."+field, field, "%s lies between %v and %v", field, low, high).With("low", low).With("high", high)
	}
	switch {
	case !(r.Share >= 0.01 && r.Share <= 0.3):
		return bad("share", 0.01, 0.3)
	case !(r.PerThousand >= 0.05 && r.PerThousand <= 5):
		return bad("per_thousand", 0.05, 5)
	case !(r.Limit >= 0 && r.Limit <= 10):
		return bad("limit", 0, 10)
	case r.Persist < 1 || r.Persist > 60:
		return bad("persist", 1, 60)
	case r.Reach < 1 || r.Reach > 1_000_000:
		return bad("reach", 1, 1_000_000)
	case r.Days < 7 || r.Days > 730:
		return bad("days", 7, 730)
	}
	return nil
}

// Admits reports whether a finding passes the rule at an instant, but for the
// number of customers, which costs a query.
func (r Rule) Admits(f *Finding, now time.Time) bool {
	return (f.State == "worse" || r.Both && f.State == "better") && f.Sigmas >= r.Limit && f.Persisted >= r.Persist &&
		f.N >= float64(r.Reach) && !f.Detected.Before(now.AddDate(0, 0, -r.Days))
}

// Status is where a version of the rule stands.
type Status string

// The states of a version. At most one is live and at most one proposed.
const (
	Proposed Status = "proposed"
	Live     Status = "live"
	Retired  Status = "retired"
	Refused  Status = "refused"
)

// RuleVersion is a version of the rule with its record.
type RuleVersion struct {
	Version   int
	Status    Status
	Body      Rule
	Reason    string // why it was proposed
	Tested    Tested // what it would have raised
	CreatedAt time.Time
	CreatedBy string
	// Of the signals it opened so far: all of them, and those that people explained
	// as noise.
	Opened      int
	FalseAlarms int
	Judged      int // signals that people decided on: noise or work
}

// Tested is what a rule would have raised.
type Tested struct {
	At     time.Time `json:"at"`
	Days   int       `json:"days"`
	Series int       `json:"series"`
	// Found are the changes beyond noise in those days, Raised the episodes that the
	// rule lets through, Short those of them that had returned within a week.
	Found  int          `json:"found"`
	Raised int          `json:"raised"`
	Short  int          `json:"short"`
	List   []TestedLine `json:"list,omitempty"`
}

// TestedLine is one episode of a back-test.
type TestedLine struct {
	Metric   string    `json:"metric"`
	Place    Place     `json:"place"`
	Detected time.Time `json:"detected"`
	Before   float64   `json:"before"`
	After    float64   `json:"after"`
	Outcome  string    `json:"outcome"`
}
