// Package mapping says what the columns of a file mean, and turns rows into
// events by it.
//
// A mapping is a small document that a person makes on the import page, or
// writes as YAML for the command line:
//
//	kind: feedback
//	fields: {comment: content, score: stars, time: posted_at}
//	constants: {instrument: app_review, item: stars, channel: app_store}
//	properties: [{column: version, name: app_version, type: string}]
//	time_format: 02/01/2006 15:04
//	zone: Asia/Ho_Chi_Minh
package mapping

import (
	"fmt"
	"slices"
	"time"

	"omote/internal/ingest/plan"
	"omote/internal/ingest/when"
	"omote/internal/platform/errs"
)

// Kind is what a file is about.
type Kind string

// The kinds of import.
const (
	EventLog  Kind = "eventlog"  // cases with activities and times: a journey that happened
	Events    Kind = "events"    // events of known customers
	Customers Kind = "customers" // who customers are
	Feedback  Kind = "feedback"  // answers and comments
)

// Kinds lists the kinds of import in the order of the page.
var Kinds = []Kind{EventLog, Events, Customers, Feedback}

// Field is a meaning that a column can have.
type Field string

// The fields. Which of them a kind needs stands in needed.
const (
	MessageID  Field = "message_id"
	Time       Field = "time"
	Event      Field = "event"
	User       Field = "user"
	Anonymous  Field = "anonymous"
	Case       Field = "case"
	Journey    Field = "journey"
	Channel    Field = "channel"
	Unit       Field = "unit"
	Product    Field = "product"
	Outcome    Field = "outcome"
	Amount     Field = "amount"
	Currency   Field = "currency"
	Instrument Field = "instrument"
	Item       Field = "item"
	Score      Field = "score"
	Comment    Field = "comment"
	Language   Field = "language"
	Aspect     Field = "aspect"
	Polarity   Field = "polarity"
	// Labels is a list of ASPECT#POLARITY, as labelled comments carry.
	Labels Field = "labels"
)

// fields that each kind can use, the needed ones first.
var fields = map[Kind]struct{ needed, optional []Field }{
	EventLog:  {[]Field{Case, Event, Time}, []Field{User, Journey, Channel, Unit, Product, Outcome, Amount, Currency, MessageID}},
	Events:    {[]Field{Event, Time, User}, []Field{Anonymous, Journey, Case, Channel, Unit, Product, Outcome, Amount, Currency, MessageID}},
	Customers: {[]Field{User}, []Field{Time, Unit, MessageID}},
	Feedback:  {nil, []Field{Score, Comment, Labels, Instrument, Item, Time, User, Aspect, Polarity, Language, Journey, Case, Channel, Unit, Product, MessageID}},
}

// Fields are the meanings that columns of a kind can have; the first needed of
// them cannot do without a column or a constant.
func Fields(k Kind) (all []Field, needed int) {
	f := fields[k]
	return append(slices.Clone(f.needed), f.optional...), len(f.needed)
}

// Property is a column kept as a property of the event.
type Property struct {
	Column   string    `yaml:"column" json:"column"`
	Name     string    `yaml:"name" json:"name"`
	Type     plan.Type `yaml:"type" json:"type"`
	Personal bool      `yaml:"personal,omitempty" json:"personal,omitempty"`
}

// Mapping says what the columns of a file mean.
type Mapping struct {
	Kind Kind `yaml:"kind" json:"kind"`
	// Fields gives the column of each field that has one.
	Fields map[Field]string `yaml:"fields,omitempty" json:"fields,omitempty"`
	// Constants gives the value of fields that are the same in every row.
	Constants map[Field]string `yaml:"constants,omitempty" json:"constants,omitempty"`
	// Properties are further columns to keep. A column in neither list is left out.
	Properties []Property `yaml:"properties,omitempty" json:"properties,omitempty"`
	// TimeFormat is iso, unix, unix_ms, excel or a Go layout; "" detects it.
	TimeFormat string `yaml:"time_format,omitempty" json:"time_format,omitempty"`
	// Zone is the IANA zone of times that name none.
	Zone string `yaml:"zone,omitempty" json:"zone,omitempty"`
	// System is the system whose ids the user column holds.
	System string `yaml:"system,omitempty" json:"system,omitempty"`
	// Encoding and Delimiter override what is detected.
	Encoding  string `yaml:"encoding,omitempty" json:"encoding,omitempty"`
	Delimiter string `yaml:"delimiter,omitempty" json:"delimiter,omitempty"`
}

// Validate checks the mapping and names the first thing that is wrong.
func (m *Mapping) Validate() error {
	known, needed := Fields(m.Kind)
	if known == nil {
		return errs.Invalid("mapping.error.kind", "kind", "%q is no kind of import: use eventlog, events, customers or feedback", m.Kind).With("kind", string(m.Kind))
	}
	for _, set := range []map[Field]string{m.Fields, m.Constants} {
		for f := range set {
			if !slices.Contains(known, f) {
				return errs.Invalid("mapping.error.field", string(f), "an import of %s has no field %q", m.Kind, f).With("field", string(f))
			}
		}
	}
	for _, f := range known[:needed] {
		if m.Fields[f] == "" && m.Constants[f] == "" {
			return errs.Invalid("mapping.error.needed", string(f), "an import of %s needs a column for %s", m.Kind, f).With("field", string(f))
		}
	}
	if m.Kind == Feedback && m.Fields[Score] == "" && m.Fields[Comment] == "" {
		return errs.Invalid("mapping.error.feedback", string(Score), "feedback needs a column with a score or a comment")
	}
	if _, err := m.location(); err != nil {
		return err
	}
	if _, err := when.NewFormat(m.TimeFormat, time.UTC); err != nil {
		return err
	}
	return m.validateProperties()
}

func (m *Mapping) validateProperties() error {
	check := plan.Plan{Unknown: plan.Pass, Violations: plan.Pass}
	for i, p := range m.Properties {
		if p.Column == "" {
			return errs.Invalid("mapping.error.property", fmt.Sprintf("properties[%d]", i), "a property needs a column")
		}
		check.Common = append(check.Common, plan.Property{Name: p.Name, Type: p.Type, Personal: p.Personal})
	}
	return check.Validate()
}

func (m *Mapping) location() (*time.Location, error) {
	if m.Zone == "" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(m.Zone)
	if err != nil {
		return nil, errs.Invalid("mapping.error.zone", "zone", "%q is no IANA time zone such as Asia/Ho_Chi_Minh", m.Zone).With("zone", m.Zone)
	}
	return zone, nil
}

// Declarations are the plan's properties that the mapping's columns stand for.
func (m *Mapping) Declarations() []plan.Property {
	out := make([]plan.Property, 0, len(m.Properties))
	for _, p := range m.Properties {
		out = append(out, plan.Property{Name: p.Name, Type: p.Type, Personal: p.Personal})
	}
	return out
}

// BadDocument is the error of a mapping that cannot be read.
func BadDocument(cause error) error {
	return errs.Invalid("mapping.error.document", "mapping", "the mapping cannot be read: %v", cause).Because(cause)
}
