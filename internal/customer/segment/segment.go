package segment

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"omote/analytics/rule"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// Permissions of segments. Figures may be seen by whoever works with figures;
// who the members are is a read of customer data.
const (
	PermRead   auth.Permission = "customer.segment.read"
	PermEdit   auth.Permission = "customer.segment.edit"
	PermMember auth.Permission = "customer.segment.member"
	PermExport auth.Permission = "customer.segment.export"
	// PermApprove brings a segment to life that somebody else put forward.
	PermApprove auth.Permission = "customer.segment.approve"
)

// Text is said in both languages.
type Text struct {
	En string `yaml:"en" json:"en"`
	Vi string `yaml:"vi" json:"vi"`
}

// In gives the text in a language.
func (t Text) In(lang string) string {
	if lang == "vi" && t.Vi != "" || t.En == "" {
		return t.Vi
	}
	return t.En
}

// Stage is a part of a relationship's life.
type Stage string

// The stages, and the end.
const (
	Get  Stage = "get"
	Grow Stage = "grow"
	Keep Stage = "keep"
	Left Stage = "left"
)

// Stages lists the stages in their order.
var Stages = []Stage{Get, Grow, Keep, Left}

// Uses are what a segment may be used for. A use that a segment does not list is
// refused when an audience is built.
var Uses = []string{"service", "survey", "offer", "analysis", "protection"}

// contactUses are the uses by which a member hears from the bank.
var contactUses = []string{"service", "survey", "offer"}

// Contacts reports whether members may be contacted because they belong.
func (d *Definition) Contacts() bool {
	return slices.ContainsFunc(d.Uses, func(u string) bool { return slices.Contains(contactUses, u) })
}

// LifeGroup is the group whose ranked segments make the life-cycle board.
const LifeGroup = "life"

// Limits of a segment.
const (
	MaxName     = 120
	MaxIntent   = 500
	MaxHold     = 400 * 24 * time.Hour
	MaxSegments = 500 // in use at a time
)

// Definition is what a version of a segment says. It never changes.
type Definition struct {
	ID     string `yaml:"id" json:"id"`
	Name   Text   `yaml:"name" json:"name"`
	Intent Text   `yaml:"intent" json:"intent"` // what it is for
	// Rule says who belongs, Exit (optional) who no longer does; without Exit a
	// customer leaves when the rule no longer holds. Unknown is not a member.
	Rule string `yaml:"rule" json:"rule"`
	Exit string `yaml:"exit" json:"exit,omitempty"`
	// Hold is the minimum stay: who entered stays at least that long.
	Hold rule.Span `yaml:"hold" json:"hold,omitempty"`
	// Group names segments that exclude each other. With Rank, the first of the
	// group that holds counts, in the order of ranks; without it the rules
	// themselves exclude each other, and the overlap page shows where they do not.
	Group string `yaml:"group" json:"group,omitempty"`
	Rank  int    `yaml:"rank" json:"rank,omitempty"`
	Stage Stage  `yaml:"stage" json:"stage,omitempty"`
	// Metrics are the measures that show whether serving the segment works.
	Metrics []string `yaml:"metrics" json:"metrics,omitempty"`
	// Uses are allowed; Forbidden are words of warning for people.
	Uses      []string `yaml:"uses" json:"uses"`
	Forbidden []string `yaml:"forbidden" json:"forbidden,omitempty"`
	Owner     string   `yaml:"owner" json:"owner"`
	Review    int      `yaml:"review" json:"review"` // days until the owner looks at it again
}

// Validate checks what can be told without the catalogue. The errors of rules are
// those of RuleError.
func (d *Definition) Validate() error {
	if !rule.ValidID(d.ID) {
		return errs.Invalid("segment.error.id", "id", "a segment's id has lower-case letters, digits and '_', at most 64, and begins with a letter")
	}
	for _, t := range []string{d.Name.En, d.Name.Vi} {
		if n := utf8.RuneCountInString(strings.TrimSpace(t)); n == 0 || n > MaxName {
			return errs.Invalid("segment.error.name", "name", "a segment needs a name of at most %d characters in both languages", MaxName).With("max", MaxName)
		}
	}
	if utf8.RuneCountInString(d.Intent.En) > MaxIntent || utf8.RuneCountInString(d.Intent.Vi) > MaxIntent {
		return errs.Invalid("segment.error.intent", "intent", "the purpose has at most %d characters", MaxIntent).With("max", MaxIntent)
	}
	if _, err := rule.Parse(d.Rule); err != nil {
		return RuleError("rule", err)
	}
	if d.Exit != "" {
		if _, err := rule.Parse(d.Exit); err != nil {
			return RuleError("exit", err)
		}
	}
	if d.Hold < 0 || d.Hold.Duration() > MaxHold {
		return errs.Invalid("segment.error.hold", "hold", "the minimum stay is at most 400 days")
	}
	if d.Group != "" && !rule.ValidID(d.Group) || d.Rank < 0 || d.Rank > 100 || d.Rank > 0 && d.Group == "" {
		return errs.Invalid("segment.error.group", "group", "a rank from 1 to 100 needs a group, named like an id")
	}
	if d.Rank > 0 && (d.Exit != "" || d.Hold > 0) {
		return errs.Invalid("segment.error.ranked", "rank", "of a ranked group the first that holds counts: it takes neither an exit nor a minimum stay")
	}
	if d.Stage != "" && !slices.Contains(Stages, d.Stage) {
		return errs.Invalid("segment.error.stage", "stage", "the stage is get, grow, keep or left")
	}
	if len(d.Uses) == 0 || slices.ContainsFunc(d.Uses, func(u string) bool { return !slices.Contains(Uses, u) }) {
		return errs.Invalid("segment.error.uses", "uses", "name at least one use: %s", strings.Join(Uses, ", "))
	}
	if d.Owner == "" || len(d.Owner) > 64 {
		return errs.Invalid("segment.error.owner", "owner", "name the role that answers for the segment")
	}
	if d.Review < 0 || d.Review > 1000 {
		return errs.Invalid("segment.error.review", "review", "the next review is at most 1,000 days away")
	}
	return nil
}

// RuleError makes an error of a rule one that every front door can say. Its Args
// hold line and column, so that the place can be shown.
func RuleError(field string, err error) error {
	e, ok := errors.AsType[*rule.Error](err)
	if !ok {
		return err
	}
	out := errs.Invalid("segment.rule."+e.Code, field, "%s: %s", field, e.Error())
	for k, v := range e.Args {
		out = out.With(k, v)
	}
	return out.With("line", e.Pos.Line).With("column", e.Pos.Column)
}

// Status is where a version stands.
type Status string

// The states of a version. Of a segment at most one version is live and at most
// one is filling.
const (
	Draft   Status = "draft"
	Filling Status = "filling" // takes up history; not yet to be used
	Live    Status = "live"
	Retired Status = "retired"
)

// Version is one version of a segment.
type Version struct {
	Definition Definition
	Version    int
	Status     Status
	Origin     string // "person" or the pack that brought it
	Reason     string // why it was made
	CreatedAt  time.Time
	CreatedBy  string
	LiveAt     time.Time // zero until it is live
}
