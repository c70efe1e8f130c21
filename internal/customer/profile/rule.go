// Package profile is what the bank knows of a customer: the golden profile made
// of what source systems state (with the source of every value, the rule that
// chose it and what others say), attributes that the stream computes, the
// household, and who may see what for which purpose.
//
// Nothing of it is stored per customer. Traits and activity belong to records; a
// profile is made of a customer's records when it is asked for, so that a merge
// or an unmerge shows at once and loses nothing.
package profile

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/internal/platform/errs"
)

//go:embed rules.yaml
var builtIn []byte

// Rules say how a profile is made: see rules.yaml.
type Rules struct {
	Sources      map[string]int // system → trust, 0 to 100
	OtherSources int            `yaml:"other_sources"`
	Attributes   []AttributeRule
	Computed     []ComputedRule
	Purposes     []Purpose
}

// Criterion decides between values.
type Criterion string

// The criteria.
const (
	Plausible    Criterion = "plausible"
	Completeness Criterion = "completeness"
	Quorum       Criterion = "quorum"
	Trust        Criterion = "trust"
	Recency      Criterion = "recency"
	Only         Criterion = "only" // nobody says anything else; not to be chosen by
)

// Kind tells how values of an attribute compare.
type Kind string

// The kinds.
const (
	KindName     Kind = "name"
	KindDate     Kind = "date"
	KindPhone    Kind = "phone"
	KindMail     Kind = "mail"
	KindCitizen  Kind = "citizen"
	KindAddress  Kind = "address"
	KindCode     Kind = "code"
	KindText     Kind = "text"
	KindMoney    Kind = "money"
	KindEarliest Kind = "earliest" // the earliest date counts
	KindUnit     Kind = "unit"     // a code of the bank's organisation, or a path that ends in one
)

// Mask is what is left of a value that may not be seen.
type Mask string

// The masks.
const (
	MaskNone   Mask = "none"
	MaskNumber Mask = "number"
	MaskMail   Mask = "mail"
	MaskYear   Mask = "year"
	MaskPlace  Mask = "place"
	MaskAll    Mask = "all"
)

// AttributeRule makes one attribute of the golden profile.
type AttributeRule struct {
	Name string
	From []string // traits that state it, the first that is there counts
	Kind Kind
	Mask Mask
	By   []Criterion
}

// ComputedRule makes one attribute of the events of a customer. One of Count,
// Last and Sum is given; an empty list means all events.
type ComputedRule struct {
	Name  string
	Count *[]string
	Last  *[]string
	Sum   *[]string
}

// Purpose is a reason to see what is masked.
type Purpose struct {
	Name    string
	Minutes int
	Opens   []string
}

// Lasts is how long one statement of the purpose counts.
func (p *Purpose) Lasts() time.Duration { return time.Duration(p.Minutes) * time.Minute }

// opens reports whether the purpose opens an attribute.
func (p *Purpose) opens(attribute string) bool {
	return p != nil && (slices.Contains(p.Opens, "*") || slices.Contains(p.Opens, attribute))
}

// BuiltIn are the rules that an installation starts with.
func BuiltIn() (*Rules, error) { return ParseRules(builtIn) }

// ParseRules reads and checks rules.
func ParseRules(raw []byte) (*Rules, error) {
	var r Rules
	if err := yaml.Unmarshal(raw, &r); err != nil {
		return nil, errs.Invalid("customer.profile.error.rules", "", "the rules are no YAML").Because(err)
	}
	return &r, r.Validate()
}

// Validate checks the rules.
func (r *Rules) Validate() error {
	bad := func(format string, args ...any) error {
		return errs.Invalid("customer.profile.error.rules", "", "%s", fmt.Sprintf(format, args...))
	}
	names := map[string]bool{}
	for _, a := range r.Attributes {
		switch {
		case a.Name == "" || names[a.Name]:
			return bad("an attribute has no name of its own: %q", a.Name)
		case len(a.From) == 0:
			return bad("%s: from names no trait", a.Name)
		case !slices.Contains([]Kind{KindName, KindDate, KindPhone, KindMail, KindCitizen, KindAddress, KindCode, KindText, KindMoney, KindEarliest, KindUnit}, a.Kind):
			return bad("%s: unknown kind %q", a.Name, a.Kind)
		case !slices.Contains([]Mask{MaskNone, MaskNumber, MaskMail, MaskYear, MaskPlace, MaskAll}, a.Mask):
			return bad("%s: unknown mask %q", a.Name, a.Mask)
		case len(a.By) == 0:
			return bad("%s: by names no criterion", a.Name)
		}
		for _, c := range a.By {
			if !slices.Contains([]Criterion{Plausible, Completeness, Quorum, Trust, Recency}, c) {
				return bad("%s: unknown criterion %q", a.Name, c)
			}
		}
		names[a.Name] = true
	}
	for _, c := range r.Computed {
		given := 0
		for _, list := range []*[]string{c.Count, c.Last, c.Sum} {
			if list != nil {
				given++
			}
		}
		if c.Name == "" || names[c.Name] || given != 1 {
			return bad("computed %q: it needs a name of its own and one of count, last, sum", c.Name)
		}
		names[c.Name] = true
	}
	for _, p := range r.Purposes {
		if p.Name == "" || p.Minutes <= 0 || p.Minutes > 24*60 {
			return bad("purpose %q: it needs a name and 1 to 1440 minutes", p.Name)
		}
	}
	return nil
}

// Purpose finds a purpose, nil when there is none.
func (r *Rules) Purpose(name string) *Purpose {
	for i := range r.Purposes {
		if r.Purposes[i].Name == name {
			return &r.Purposes[i]
		}
	}
	return nil
}

// trust of a system, 0 to 100.
func (r *Rules) trust(system string) int {
	if t, ok := r.Sources[system]; ok {
		return t
	}
	return cmp.Or(r.OtherSources, 50)
}
