package council

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"omote/analytics/forecast"
	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
)

// States of a decision.
const (
	Paper    = "paper"    // prepared, not decided
	Proposed = "proposed" // the meeting has decided, the second signature is missing
	Decided  = "decided"
	Refused  = "refused" // a request that the council refused
	Scored   = "scored"  // decided, and its forecast met the outcome
)

// Grades of evidence, as everywhere: 1 opinion, 2 pattern, 3 adjusted, 4 experiment.
const (
	MinGrade = 1
	MaxGrade = 4
)

// weights of the grades when alternatives are ranked, from the pack's weights of
// evidence.
var weights = [MaxGrade + 1]float64{0, 0.1, 0.3, 0.7, 1}

// Alternative is one thing that could be done.
type Alternative struct {
	Name approval.Text `json:"name"`
	// Low, Mid and High are what it is worth in a year against doing nothing, minor
	// units.
	Low  int64 `json:"low"`
	Mid  int64 `json:"mid"`
	High int64 `json:"high"`
	// Grade of the evidence for it.
	Grade   int    `json:"grade"`
	Risk    string `json:"risk,omitempty"`
	Nothing bool   `json:"nothing,omitempty"` // this is doing nothing
}

// Forecast is what a decision says will happen, on the day Decision.Review.
type Forecast struct {
	Metric string `json:"metric"`
	// Days is the length of the window that ends on the review day.
	Days int `json:"days"`
	// Low to High will hold the metric with the chance Level; Mid is most likely.
	Low   float64 `json:"low"`
	Mid   float64 `json:"mid"`
	High  float64 `json:"high"`
	Level float64 `json:"level"`
	// Chance, where it is set, is that the metric reaches Reach instead: a forecast
	// of an event.
	Chance *float64 `json:"chance,omitempty"`
	Reach  float64  `json:"reach,omitempty"`
	// Baseline is the metric when the decision was proposed.
	Baseline *Baseline `json:"baseline,omitempty"`
}

// Baseline is a reading before.
type Baseline struct {
	Value, Low, High float64
	N                int64
	At               time.Time
}

// interval is the forecast in the form that is scored.
func (f Forecast) interval() forecast.Interval {
	return forecast.Interval{Low: f.Low, Mid: f.Mid, High: f.High, Level: f.Level}
}

// Validate tells what is wrong with it.
func (f Forecast) Validate() error {
	switch {
	case f.Metric == "":
		return errs.Invalid("governance.council.error.forecast_metric", "forecast", "a forecast names a metric of the registry")
	case f.Days < 1 || f.Days > 366:
		return errs.Invalid("governance.council.error.forecast_days", "days", "the window of a forecast is 1 to 366 days")
	case f.Chance != nil && !(*f.Chance > 0 && *f.Chance < 1):
		return errs.Invalid("governance.council.error.chance", "chance", "a chance lies between 0 and 1")
	case f.Chance == nil && f.interval().Validate() != nil:
		return errs.Invalid("governance.council.error.forecast_range", "forecast", "%v", f.interval().Validate())
	case math.IsNaN(f.Reach) || math.IsInf(f.Reach, 0):
		return errs.Invalid("governance.council.error.forecast_range", "reach", "the value to reach is no number")
	}
	return nil
}

// Outcome is what happened, and how the forecast did.
type Outcome struct {
	At               time.Time
	Known            bool // the registry could tell
	Value, Low, High float64
	N                int64
	MetricVersion    int
	Held             bool    // the interval held the value, or the event happened
	Interval         float64 // interval score, unit of the metric
	CRPS             float64
	Reference        float64 // CRPS of "it stays as it was"
	Brier            float64 // of a forecast of an event
}

// Refusal is what goes with the refusal of a request.
type Refusal struct {
	Request string `json:"request"` // the request in the customer's or unit's words
	Reason  string `json:"reason"`  // id of the pack
	// Value and Cost over the lifetime, minor units, where they were estimated.
	Value int64 `json:"value"`
	Cost  int64 `json:"cost"`
}

// Votes of the members present.
type Votes struct {
	For       int      `json:"for"`
	Against   int      `json:"against"`
	Abstain   int      `json:"abstain"`
	ChairFor  bool     `json:"chair_for"`           // the chair's vote breaks a tie
	Conflicts []string `json:"conflicts,omitempty"` // actors counted out
}

// Carried reports whether the votes carry the decision.
func (v Votes) Carried() bool {
	return v.For > v.Against || v.For == v.Against && v.For > 0 && v.ChairFor
}

// Decision is the body of a decision; Ref is the meeting, once there is one.
type Decision struct {
	Type     string        `json:"type"` // of the pack: dt_prioritise, …
	Title    approval.Text `json:"title"`
	Question string        `json:"question"`
	About    string        `json:"about,omitempty"` // "initiative/…", "signal/…"
	Href     string        `json:"href,omitempty"`
	// Alternatives hold doing nothing. Recommended is the paper's own choice.
	Alternatives []Alternative `json:"alternatives"`
	Recommended  int           `json:"recommended"`
	Grade        int           `json:"grade"`
	// Assumption: below the grade that its type asks for, and labelled so.
	Assumption bool      `json:"assumption,omitempty"`
	Dissent    string    `json:"dissent,omitempty"` // the opposing view
	Currency   string    `json:"currency"`
	Forecast   *Forecast `json:"forecast,omitempty"`
	Refusal    *Refusal  `json:"refusal,omitempty"`
	Owner      string    `json:"owner"` // role that carries it out
	Due        time.Time `json:"due"`   // when it is to be decided

	Chosen   int       `json:"chosen"`
	Overrode bool      `json:"overrode,omitempty"`
	Override string    `json:"override,omitempty"` // why it went against the rank
	Votes    Votes     `json:"votes,omitzero"`
	Decided  time.Time `json:"decided,omitzero"`
	By       []string  `json:"by,omitempty"` // maker and checker
	Review   time.Time `json:"review,omitzero"`
	Outcome  *Outcome  `json:"outcome,omitempty"`
	Deferred int       `json:"deferred,omitempty"`
}

// Doc is a decision with its head.
type Doc = record.Doc[Decision]

// Limits of a decision.
const (
	MaxText         = 2000 // characters
	MaxAlternatives = 8
	MinOverride     = 20 // characters of a reason to go against the rank
)

// Validate tells what is wrong with a paper.
func (d Decision) Validate(pack *packs.Governance) error {
	t, ok := pack.Decision(d.Type)
	nothing := slices.ContainsFunc(d.Alternatives, func(a Alternative) bool { return a.Nothing })
	switch {
	case !ok:
		return errs.Invalid("governance.council.error.type", "type", "there is no kind of decision %q", d.Type)
	case badText(d.Title.EN, 300) || badText(d.Title.VI, 300):
		return errs.Invalid("governance.council.error.title", "title", "a title is needed in both languages")
	case badText(d.Question, MaxText):
		return errs.Invalid("governance.council.error.question", "question", "say what is to be decided, in at most %d characters", MaxText).With("max", MaxText)
	case pack.Role(d.Owner).ID == "":
		return errs.Invalid("governance.error.role", "owner", "there is no role %q", d.Owner).With("role", d.Owner)
	case d.Grade < MinGrade || d.Grade > MaxGrade:
		return errs.Invalid("governance.council.error.grade", "grade", "the grade of the evidence is missing")
	case d.Type == "dt_refuse":
		return d.validateRefusal(pack)
	case len(d.Alternatives) < 2 || !nothing:
		return errs.Invalid("governance.council.error.alternatives", "alternatives", "at least two alternatives are needed, doing nothing among them")
	case len(d.Alternatives) > MaxAlternatives:
		return errs.TooLarge("governance.council.error.alternatives_many", "at most %d alternatives", MaxAlternatives).With("max", MaxAlternatives)
	case d.Recommended < 0 || d.Recommended >= len(d.Alternatives):
		return errs.Invalid("governance.council.error.recommended", "recommended", "the paper recommends one of its alternatives")
	case d.Grade <= t.MinGrade && !d.Assumption:
		return errs.Invalid("governance.council.error.below_grade", "grade", "decisions of this kind need evidence of grade %d, or the open label assumption", t.MinGrade+1)
	}
	for _, a := range d.Alternatives {
		if badText(a.Name.EN, 300) || badText(a.Name.VI, 300) || a.Low > a.Mid || a.Mid > a.High || a.Grade < MinGrade || a.Grade > MaxGrade {
			return errs.Invalid("governance.council.error.alternative", "alternatives", "an alternative has a name in both languages, a range in order and a grade")
		}
		if a.Nothing && (a.Low != 0 || a.Mid != 0 || a.High != 0) {
			return errs.Invalid("governance.council.error.nothing", "alternatives", "values are against doing nothing, which is worth nothing")
		}
	}
	if d.Forecast != nil {
		return d.Forecast.Validate()
	}
	return nil
}

func (d Decision) validateRefusal(pack *packs.Governance) error {
	if d.Refusal == nil || badText(d.Refusal.Request, MaxText) {
		return errs.Invalid("governance.council.error.request", "request", "say which request is refused")
	}
	if _, ok := pack.Refusal(d.Refusal.Reason); !ok {
		return errs.Invalid("governance.council.error.refusal_reason", "reason", "there is no reason %q to refuse", d.Refusal.Reason)
	}
	return nil
}

func badText(s string, top int) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return n == 0 || n > top || !utf8.ValidString(s) || strings.ContainsRune(s, 0)
}

// Rank orders the alternatives by what the evidence supports: the bound that could
// be booked, weighted by the grade of its evidence; for a loss the weight counts
// the other way. It gives indices, the best first; ties keep the paper's order.
func (d Decision) Rank() []int {
	worth := func(a Alternative) float64 {
		if a.Low >= 0 {
			return float64(a.Low) * weights[a.Grade]
		}
		return float64(a.Low) * (1.1 - weights[a.Grade])
	}
	out := make([]int, len(d.Alternatives))
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(x, y int) int {
		a, b := worth(d.Alternatives[x]), worth(d.Alternatives[y])
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	return out
}
