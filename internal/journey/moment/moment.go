package moment

import (
	"math"
	"time"

	"omote/analytics/moments"
	"omote/analytics/stats"
	"omote/internal/journey/definition"
	"omote/internal/platform/auth"
)

// Permissions of moments of truth and pains.
const (
	PermRead auth.Permission = "journey.moment.read"
	PermEdit auth.Permission = "journey.moment.edit"
)

// Outcome is something that a bad experience may do to customers. All are losses.
type Outcome string

// The outcomes, as the journey templates name them.
const (
	Complaint Outcome = "complaint_within_30d"
	Left      Outcome = "left_within_180d"
	NextNPS   Outcome = "next_relationship_nps"
	Contact   Outcome = "contact_within_7d"
)

// Tested are the outcomes of the test of a moment, Priced those of a pain.
var (
	Tested = []Outcome{Complaint, Left, NextNPS}
	Priced = []Outcome{Complaint, Left, Contact}
)

// Finding is what a test said of one hypothesis: a bad experience at a step of a
// journey raises a loss.
type Finding struct {
	Journey string    `json:"journey"`
	Step    string    `json:"step"` // its event
	Place   int       `json:"place"`
	Outcome Outcome   `json:"outcome"`
	Tested  time.Time `json:"tested_at"`
	// Verdict is insufficient, unproven, probable or proven.
	Verdict string `json:"verdict"`
	// Candidate tells that the design claims a moment of truth here.
	Candidate bool `json:"candidate"`
	// Effect is the rise of the loss by the bad experience, among those who had
	// it; a share of customers, or of the scale for a score.
	Effect   Interval `json:"effect"`
	Observed float64  `json:"observed"` // loss of those who had it
	Expected float64  `json:"expected"` // loss of people like them without it
	Raw      float64  `json:"raw"`      // the difference before adjustment
	Q        float64  `json:"q"`
	First    Interval `json:"first"`  // the earlier half of the exposed
	Second   Interval `json:"second"` // the later half
	Exposed  int      `json:"exposed"`
	Others   int      `json:"others"`
	// Customers counts exposed customers.
	Customers int     `json:"customers"`
	Trimmed   float64 `json:"trimmed"`
	Imbalance float64 `json:"imbalance"`
	Effective float64 `json:"effective"`
	// Reach is how many runs are bad in a quarter of a year, and Index what
	// the lower bound of the effect costs then, in minor units of the currency.
	Reach float64 `json:"reach"`
	Index float64 `json:"index"`
	// Form is must_be, performance, delighter or unclear; Sure its probability.
	Form string  `json:"form,omitempty"`
	Sure float64 `json:"sure,omitempty"`
	// Was is the best verdict of earlier tests, and Since when the present one
	// holds; filled on reading.
	Was   string    `json:"-"`
	Since time.Time `json:"-"`
}

// Demoted tells that the moment was proven once and no longer is.
func (f *Finding) Demoted() bool { return f.Was == moments.Proven.String() && f.Verdict != f.Was }

// Interval is an estimate as it is stored; all are zero where nothing is known.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	N     int64   `json:"n"`
	Known bool    `json:"known"`
}

// Above tells that the whole interval lies above zero.
func (i Interval) Above() bool { return i.Known && i.Low > 0 }

func intervalOf(e stats.Estimate) Interval {
	if math.IsNaN(e.Value) || math.IsNaN(e.Low) || math.IsNaN(e.High) || math.IsInf(e.Value, 0) || math.IsInf(e.Low, 0) || math.IsInf(e.High, 0) {
		return Interval{N: e.N}
	}
	return Interval{Value: e.Value, Low: e.Low, High: e.High, N: e.N, Known: true}
}

func effectOf(r *moments.Result) Interval {
	if r == nil {
		return Interval{}
	}
	return intervalOf(r.Effect)
}

// rank orders verdicts.
func rank(verdict string) int {
	switch verdict {
	case moments.Proven.String():
		return 3
	case moments.Probable.String():
		return 2
	case moments.Unproven.String():
		return 1
	}
	return 0
}

// Step is a step with what was found about it: the best verdict over outcomes.
type Step struct {
	Journey  string
	Name     definition.Text // of the journey
	Event    string
	Place    int
	Verdict  string
	Best     Finding // the finding that the verdict rests on
	Findings []Finding
}

// Run is one test of everything.
type Run struct {
	Tested     time.Time `json:"tested_at"`
	Customers  int       `json:"customers"`
	Events     int       `json:"events"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Hypotheses int       `json:"hypotheses"`
	Took       float64   `json:"took_s"`
	Level      float64   `json:"level"`
	// Journeys are those of which something happened, in the order of the designs.
	Journeys []Summary `json:"journeys,omitempty"`
}
