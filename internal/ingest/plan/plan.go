// Package plan is the tracking plan (requirement 001-04): which events a bank
// expects, with which properties of which types, and what happens to facts
// that do not fit.
//
// The plan is also the gate for personal data. A property reaches analysis only
// when it is declared and not personal; a personal one goes to the encrypted
// store alone; one that nobody declared is dropped and counted, so that a new
// field in an app can never leak by itself.
package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"omote/internal/platform/errs"
)

// Type is the type of a property's value.
type Type string

// The types a property may declare.
const (
	String  Type = "string"
	Number  Type = "number"
	Integer Type = "integer"
	Boolean Type = "boolean"
	Date    Type = "date" // ISO 8601 date or instant, as text
	List    Type = "list" // of scalars
)

// Policy says what happens to a fact that does not fit.
type Policy string

// The policies.
const (
	// Pass takes the fact without what does not fit, and counts the violation.
	Pass Policy = "pass"
	// Quarantine sets the fact aside with its reason, to be corrected and sent again.
	Quarantine Policy = "quarantine"
)

// Limits of a plan.
const (
	MaxEvents     = 2_000
	MaxProperties = 200
	MaxEnum       = 500
	MaxText       = 8_000 // bytes of a text property unless it declares less
)

// Text is a text in both languages.
type Text struct {
	EN string `yaml:"en" json:"en"`
	VI string `yaml:"vi" json:"vi"`
}

// Property declares one property.
type Property struct {
	Name     string `yaml:"name" json:"name"`
	Type     Type   `yaml:"type" json:"type"`
	Label    Text   `yaml:"label,omitempty" json:"label,omitzero"`
	Required bool   `yaml:"required,omitempty" json:"required,omitempty"`
	// Personal keeps the property out of the warehouse.
	Personal bool `yaml:"personal,omitempty" json:"personal,omitempty"`
	// Enum lists the only values allowed; empty allows any.
	Enum []string `yaml:"enum,omitempty" json:"enum,omitempty"`
	// MaxLength bounds a text in bytes; 0 stands for MaxText.
	MaxLength int `yaml:"max_length,omitempty" json:"max_length,omitempty"`
}

// Event declares one event.
type Event struct {
	Name       string     `yaml:"name" json:"name"`
	Label      Text       `yaml:"label,omitempty" json:"label,omitzero"`
	Properties []Property `yaml:"properties,omitempty" json:"properties,omitempty"`
}

// Plan is one version of the tracking plan.
type Plan struct {
	// Version counts up from 1; every fact keeps the version it was checked against.
	Version uint32 `yaml:"version" json:"version"`
	// Unknown is the policy for events that are not declared.
	Unknown Policy `yaml:"unknown" json:"unknown"`
	// Violations is the policy for declared events that break their declaration.
	Violations Policy `yaml:"violations" json:"violations"`
	// Common declares properties that any event may carry.
	Common []Property `yaml:"common,omitempty" json:"common,omitempty"`
	Events []Event    `yaml:"events" json:"events"`
}

var (
	eventName    = regexp.MustCompile(`^[^\x00-\x1f]{1,200}$`)
	propertyName = regexp.MustCompile(`^[\p{L}\p{N}_$][\p{L}\p{N}_.:$ -]{0,99}$`)
)

// Validate checks the plan as a whole and names the first thing that is wrong.
func (p *Plan) Validate() error {
	if !p.Unknown.valid() || !p.Violations.valid() {
		return errs.Invalid("plan.error.policy", "unknown", "a policy is pass or quarantine")
	}
	if len(p.Events) > MaxEvents {
		return errs.TooLarge("plan.error.events", "a plan declares at most %d events", MaxEvents).With("max", MaxEvents)
	}
	if err := validateProperties("common", p.Common); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, e := range p.Events {
		field := fmt.Sprintf("events[%d]", i)
		if !eventName.MatchString(e.Name) {
			return errs.Invalid("plan.error.event_name", field, "%q is no event name: 1 to 200 printable characters", e.Name).With("name", e.Name)
		}
		if seen[e.Name] {
			return errs.Invalid("plan.error.event_twice", field, "event %q is declared twice", e.Name).With("name", e.Name)
		}
		seen[e.Name] = true
		if err := validateProperties(field, e.Properties); err != nil {
			return err
		}
	}
	return nil
}

func (p Policy) valid() bool { return p == Pass || p == Quarantine }

func validateProperties(field string, props []Property) error {
	if len(props) > MaxProperties {
		return errs.TooLarge("plan.error.properties", "%s declares more than %d properties", field, MaxProperties).With("max", MaxProperties)
	}
	seen := map[string]bool{}
	for _, q := range props {
		switch {
		case !propertyName.MatchString(q.Name):
			return errs.Invalid("plan.error.property_name", field, "%q is no property name", q.Name).With("name", q.Name)
		case seen[q.Name]:
			return errs.Invalid("plan.error.property_twice", field, "property %q is declared twice", q.Name).With("name", q.Name)
		case !slices.Contains([]Type{String, Number, Integer, Boolean, Date, List}, q.Type):
			return errs.Invalid("plan.error.property_type", field, "property %q has the unknown type %q", q.Name, q.Type).With("name", q.Name)
		case len(q.Enum) > MaxEnum:
			return errs.TooLarge("plan.error.enum", "property %q lists more than %d values", q.Name, MaxEnum).With("max", MaxEnum)
		case q.MaxLength < 0 || q.MaxLength > MaxText:
			return errs.Invalid("plan.error.max_length", field, "property %q: max_length lies between 0 and %d", q.Name, MaxText).With("max", MaxText)
		}
		seen[q.Name] = true
	}
	return nil
}

// Declare gives a copy of the plan with an event and its properties added; what
// is declared already stays as it is. changed is false when nothing was new.
func (p *Plan) Declare(e Event) (next *Plan, changed bool) {
	name, props := e.Name, e.Properties
	next = &Plan{Version: p.Version, Unknown: p.Unknown, Violations: p.Violations, Common: slices.Clone(p.Common), Events: slices.Clone(p.Events)}
	at := slices.IndexFunc(next.Events, func(e Event) bool { return e.Name == name })
	if at < 0 {
		next.Events = append(next.Events, Event{Name: name, Label: e.Label})
		at, changed = len(next.Events)-1, true
	}
	declared := map[string]bool{}
	for _, q := range append(slices.Clone(next.Common), next.Events[at].Properties...) {
		declared[q.Name] = true
	}
	own := slices.Clone(next.Events[at].Properties)
	for _, q := range props {
		if !declared[q.Name] {
			own, changed = append(own, q), true
		}
	}
	next.Events[at].Properties = own
	slices.SortFunc(next.Events, func(a, b Event) int { return strings.Compare(a.Name, b.Name) })
	return next, changed
}
