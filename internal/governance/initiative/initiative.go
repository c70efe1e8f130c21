// Package initiative is a change the bank makes for its customers: where it came
// from, which aim it serves, in which lane it runs, what it may bring and cost, who
// takes part, what proves each step, and what came out.
//
// # Lanes
//
// A change of at most 30 days in one unit, without a change of core systems and
// within the limit of money, is a quick win: decided close to the work. An
// obligation is mandatory. Everything else is strategic. The lane follows from the
// facts; when they change, so does the lane.
//
// # Lifecycle
//
// Strategise → Design → Execute → Measure. A gate ends each stage. It passes when
// every criterion is met (what the platform can see itself is computed, the rest
// needs recorded evidence of the pack's grade; what is unknown is not met), when
// the roles that must take part do, system experts from the first stage on, and
// when somebody else approves.
//
// Files: initiative.go (types), lane.go, gate.go (criteria), stall.go (flow and
// survival), service.go, steps.go. Table: governance_initiative.
package initiative

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"omote/analytics/decision"
	"omote/internal/governance/packs"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// Permissions of initiatives. The first gate of a strategic initiative, and its
// last, need the council.
const (
	PermRead    auth.Permission = "governance.initiative.read"
	PermEdit    auth.Permission = "governance.initiative.edit"
	PermApprove auth.Permission = "governance.initiative.approve"
	PermCouncil auth.Permission = "governance.council.decide"
)

// Stage is a stage of the lifecycle.
type Stage string

// The stages.
const (
	Strategise Stage = "strategise"
	Design     Stage = "design"
	Execute    Stage = "execute"
	Measure    Stage = "measure"
	Done       Stage = "done"
)

// Stages lists them in order, Done last.
var Stages = []Stage{Strategise, Design, Execute, Measure, Done}

// Next is the stage after s; Done stays.
func (s Stage) Next() Stage {
	i := slices.Index(Stages, s)
	return Stages[min(i+1, len(Stages)-1)]
}

// States of an initiative (the head's State).
const (
	Running  = "running"
	Stopped  = "stopped"
	Finished = "finished"
)

// Source says where an initiative came from.
type Source struct {
	Kind  string `json:"kind"` // pain, signal, case, idea, council, obligation
	Ref   string `json:"ref,omitempty"`
	Label string `json:"label,omitempty"`
	Href  string `json:"href,omitempty"`
}

// SourceKinds are the kinds of sources.
var SourceKinds = []string{"pain", "signal", "case", "idea", "council", "obligation"}

// StopRule says, before the start, what ends the change.
type StopRule struct {
	// Metric of the registry, whose value on Day decides: it must be at least (or,
	// where less is better, at most) Value.
	Metric string    `json:"metric"`
	Value  float64   `json:"value"`
	Day    time.Time `json:"day"`
	Words  string    `json:"words,omitempty"`
}

// Set reports whether a rule was agreed.
func (r StopRule) Set() bool { return r.Metric != "" && !r.Day.IsZero() }

// Participant is a role that takes part, from a stage on.
type Participant struct {
	Role   string    `json:"role"`
	Person string    `json:"person,omitempty"` // actor, where one is named
	Since  Stage     `json:"since"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
}

// Grade is the strength of evidence in the packs' words.
const (
	Assertion = 0
	Document  = 1
	Record    = 2
	Computed  = 3
)

// Evidence is what somebody says a criterion is met by.
type Evidence struct {
	Criterion string    `json:"criterion"`
	Grade     int       `json:"grade"` // Assertion, Document, Record; Computed is only the platform's own
	Note      string    `json:"note"`
	Href      string    `json:"href,omitempty"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
}

// Event is a step in the life of an initiative.
type Event struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	What string    `json:"what"` // open, evidence, join, case, lane, propose, gate, stop, finish
	Note string    `json:"note,omitempty"`
}

// Outcomes that the last stage decides on.
var Outcomes = []string{"scale", "keep", "change", "stop"}

// Initiative is the body of the document; the head's unit is where it runs, Ref
// the node of the strategy it serves.
type Initiative struct {
	Title      approval.Text `json:"title"`
	Why        string        `json:"why"`
	Owner      string        `json:"owner"`            // role
	Person     string        `json:"person,omitempty"` // actor who carries it
	Journey    string        `json:"journey,omitempty"`
	Steps      []string      `json:"steps,omitempty"`
	Source     Source        `json:"source"`
	Days       int           `json:"days"`   // planned from start to effect
	Units      int           `json:"units"`  // that it changes
	CoreChange bool          `json:"core"`   // it changes core systems
	Budget     int64         `json:"budget"` // minor units of Currency
	Currency   string        `json:"currency"`
	Obligation string        `json:"obligation,omitempty"`
	Assumption bool          `json:"assumption,omitempty"` // openly without customer evidence
	Start      time.Time     `json:"start"`

	Lane  Lane  `json:"lane"`
	Stage Stage `json:"stage"`
	// Case is the business case, Judged what it comes to.
	Case   *decision.Case `json:"case,omitempty"`
	Judged *Judged        `json:"judged,omitempty"`
	Stop   StopRule       `json:"stop,omitzero"`
	// Method is how the effect will be told apart from what would have happened, and
	// Registered when that was written down.
	Method     string    `json:"method,omitempty"` // rct, staggered, did, matched, before_after
	Registered time.Time `json:"registered,omitzero"`

	People   []Participant `json:"people,omitempty"`
	Evidence []Evidence    `json:"evidence,omitempty"`
	Events   []Event       `json:"events,omitempty"`
	Moved    time.Time     `json:"moved"` // last change of stage or evidence
	Pending  bool          `json:"pending,omitempty"`

	Outcome string    `json:"outcome,omitempty"`
	Lesson  string    `json:"lesson,omitempty"`
	Ended   time.Time `json:"ended,omitzero"`
}

// Judged is what the case came to, in minor units and shares.
type Judged struct {
	Low, Mid, High int64
	AtMid          int64 // with every guess at its middle
	Positive       float64
	Payback        [3]float64 // years; −1 where it is never earned back
	Tornado        []decision.Bar
	At             time.Time
}

// Methods that tell the effect apart from what would have happened anyway.
var Methods = []string{"rct", "staggered", "did", "matched", "before_after"}

// Limits of an initiative.
const (
	MaxTitle    = 200  // characters, each language
	MaxWhy      = 2000 // characters
	MaxDays     = 1100
	MaxEvidence = 100
)

// Validate tells what is wrong with it.
func (i Initiative) Validate(pack *packs.Governance) error {
	switch {
	case badText(i.Title.EN, MaxTitle) || badText(i.Title.VI, MaxTitle):
		return errs.Invalid("governance.initiative.error.title", "title", "a title of 1 to %d characters is needed in both languages", MaxTitle).With("max", MaxTitle)
	case badText(i.Why, MaxWhy):
		return errs.Invalid("governance.initiative.error.why", "why", "say why, in at most %d characters", MaxWhy).With("max", MaxWhy)
	case pack.Role(i.Owner).ID == "":
		return errs.Invalid("governance.error.role", "owner", "there is no role %q", i.Owner).With("role", i.Owner)
	case !slices.Contains(SourceKinds, i.Source.Kind):
		return errs.Invalid("governance.initiative.error.source", "source", "an initiative comes from a pain, a signal, a case, an idea, the council or an obligation")
	case i.Source.Href != "" && (!strings.HasPrefix(i.Source.Href, "/") || strings.HasPrefix(i.Source.Href, "//")):
		return errs.Invalid("approval.error.href", "source", "the page lies within this installation")
	case i.Days < 1 || i.Days > MaxDays:
		return errs.Invalid("governance.initiative.error.days", "days", "a change takes 1 to %d days", MaxDays).With("max", MaxDays)
	case i.Units < 1:
		return errs.Invalid("governance.initiative.error.units", "units", "a change touches at least one unit")
	case i.Budget < 0 || i.Currency == "":
		return errs.Invalid("governance.initiative.error.budget", "budget", "a budget is an amount of a currency")
	case len(i.Steps) > 0 && i.Journey == "":
		return errs.Invalid("governance.initiative.error.steps", "steps", "steps belong to a journey")
	case i.Method != "" && !slices.Contains(Methods, i.Method):
		return errs.Invalid("governance.initiative.error.method", "method", "%q is no method", i.Method)
	}
	return nil
}

func badText(s string, top int) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return n == 0 || n > top || !utf8.ValidString(s) || strings.ContainsRune(s, 0)
}

// End is when the change has its effect by plan.
func (i Initiative) End() time.Time { return i.Start.AddDate(0, 0, i.Days) }

// has reports whether a role takes part.
func (i Initiative) has(role string) bool {
	return slices.ContainsFunc(i.People, func(p Participant) bool { return p.Role == role })
}
