package metric

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"omote/internal/platform/errs"
)

// Kind is how a figure comes about.
type Kind string

// The kinds of metric, and the parts of a Definition each needs.
const (
	// NPS: answers from 0 to 10; promoters (9, 10) minus detractors (0–6), in
	// points. Needs Answers.
	NPS Kind = "nps"
	// TopBox: share of answers at or above a level (or at or below one). Needs
	// Answers with AtLeast or AtMost. CSAT is a top box of two.
	TopBox Kind = "top_box"
	// CES: mean of a customer effort or ease scale. Needs Answers; the scale
	// defaults to 1–7.
	CES Kind = "ces"
	// Mean: mean of answers, or of a value of events. Needs Answers, or Events
	// with Value.
	Mean Kind = "mean"
	// Ratio: one sum over another, such as money per case; its interval takes
	// customers as clusters. Needs Num and Den.
	Ratio Kind = "ratio"
	// Rate: events per event. With unit "share" the first are a part of the
	// second. Needs Num and Den.
	Rate Kind = "rate"
	// Conversion: share of those with one event who have another within a time.
	// Needs From, To and Within.
	Conversion Kind = "conversion"
	// Duration: quantile of the time from one event to another, open cases
	// censored. Needs From, To and Quantile.
	Duration Kind = "duration"
	// Count: events, or distinct customers with one. Needs Events.
	Count Kind = "count"
)

var kinds = []Kind{NPS, TopBox, CES, Mean, Ratio, Rate, Conversion, Duration, Count}

// Unit is what a figure is in.
type Unit string

// The units of figures. Shares are fractions from 0 to 1; durations are
// computed in seconds and given in their unit; the dong has no smaller unit.
const (
	Points  Unit = "points"
	Share   Unit = "share"
	PerOne  Unit = "ratio"
	Per10k  Unit = "per_10k"
	Number  Unit = "count"
	Seconds Unit = "seconds"
	Minutes Unit = "minutes"
	Hours   Unit = "hours"
	Days    Unit = "days"
	VND     Unit = "VND"
)

var units = []Unit{Points, Share, PerOne, Per10k, Number, Seconds, Minutes, Hours, Days, VND}

// seconds is the length of a unit of time, 0 for other units.
func (u Unit) seconds() float64 {
	return map[Unit]float64{Seconds: 1, Minutes: 60, Hours: 3600, Days: 86400}[u]
}

// Direction is which way is better.
type Direction string

// The directions. Target: both sides of the target count. Context: shown, and
// never a goal.
const (
	Higher  Direction = "higher"
	Lower   Direction = "lower"
	Target  Direction = "target"
	Context Direction = "context"
)

var directions = []Direction{Higher, Lower, Target, Context}

// Subject is whose events belong together.
type Subject string

// The subjects. A customer has all records that were merged.
const (
	ByCustomer Subject = "customer"
	ByCase     Subject = "case"
)

// Text is in English and Vietnamese.
type Text struct {
	En string `yaml:"en" json:"en"`
	Vi string `yaml:"vi" json:"vi"`
}

// In gives the text of a locale, English where it has none.
func (t Text) In(locale string) string {
	if strings.HasPrefix(locale, "vi") && t.Vi != "" {
		return t.Vi
	}
	return t.En
}

// Limits of a definition.
const (
	MaxID        = 64
	MaxText      = 200
	MaxNote      = 1000
	MaxNames     = 20 // event names in one place
	MaxDims      = 12
	MaxWithin    = 366 * 24 * time.Hour
	MinPublished = 5 // no definition may show a figure of fewer
)

// Definition is one version of a metric.
type Definition struct {
	// ID stays the same over versions: lower-case letters, digits, '_'.
	ID   string `yaml:"id" json:"id"`
	Kind Kind   `yaml:"kind" json:"kind"`
	Name Text   `yaml:"name" json:"name"`
	Note Text   `yaml:"note,omitempty" json:"note,omitzero"`

	Unit      Unit      `yaml:"unit" json:"unit"`
	Direction Direction `yaml:"direction" json:"direction"`
	// Target is the value aimed at, needed where the direction is Target.
	Target *float64 `yaml:"target,omitempty" json:"target,omitempty"`
	// MinN is the smallest denominator at which the figure is shown.
	MinN int64 `yaml:"min_n" json:"min_n"`
	// Owner is the role that answers for it; Counter the metric that must not
	// worsen when this one improves; Journey the template it belongs to.
	Owner   string `yaml:"owner" json:"owner"`
	Counter string `yaml:"counter,omitempty" json:"counter,omitempty"`
	Journey string `yaml:"journey,omitempty" json:"journey,omitempty"`
	// Dims are the fields by which it may be split.
	Dims []string `yaml:"dims,omitempty" json:"dims,omitempty"`
	// Fresh is how old the last arrival of its feeds may be; 0 promises nothing.
	Fresh Span `yaml:"fresh,omitempty" json:"fresh,omitzero"`
	// Anonymous forbids looking at the rows behind the figure.
	Anonymous bool `yaml:"anonymous,omitempty" json:"anonymous,omitempty"`
	// Zone cuts days; "" is the zone of the entity.
	Zone string `yaml:"zone,omitempty" json:"zone,omitempty"`

	Answers *Answers `yaml:"answers,omitempty" json:"answers,omitempty"`
	Events  *Events  `yaml:"events,omitempty" json:"events,omitempty"`
	Num     *Events  `yaml:"num,omitempty" json:"num,omitempty"`
	Den     *Events  `yaml:"den,omitempty" json:"den,omitempty"`
	From    *Events  `yaml:"from,omitempty" json:"from,omitempty"`
	To      *Events  `yaml:"to,omitempty" json:"to,omitempty"`
	// Within is the time allowed for a conversion.
	Within Span `yaml:"within,omitempty" json:"within,omitzero"`
	// Fail turns a conversion into the share that does not convert.
	Fail bool `yaml:"fail,omitempty" json:"fail,omitempty"`
	// Without names events that spoil a success: of the same case (Rate), or of
	// the same subject from start to the end of Within (Conversion).
	Without []string `yaml:"without,omitempty" json:"without,omitempty"`
	// Subject of Conversion and Duration; Count with a subject counts distinct
	// ones. The default of Conversion and Duration is the case.
	Subject Subject `yaml:"subject,omitempty" json:"subject,omitempty"`
	// Quantile of a Duration, 0.5 for the median.
	Quantile float64 `yaml:"quantile,omitempty" json:"quantile,omitempty"`
}

// Answers are survey answers to one item. Skipped ones are never among them.
type Answers struct {
	Instrument string `yaml:"instrument" json:"instrument"`
	Item       string `yaml:"item" json:"item"`
	// Trigger is the event after which the question was asked; "" for any.
	Trigger string `yaml:"trigger,omitempty" json:"trigger,omitempty"`
	// Min and Max bound the scale; both 0 where it has no bounds.
	Min float64 `yaml:"min,omitempty" json:"min,omitempty"`
	Max float64 `yaml:"max,omitempty" json:"max,omitempty"`
	// AtLeast or AtMost is the level of a top (or bottom) box.
	AtLeast *float64 `yaml:"at_least,omitempty" json:"at_least,omitempty"`
	AtMost  *float64 `yaml:"at_most,omitempty" json:"at_most,omitempty"`
	Where   *Expr    `yaml:"where,omitempty" json:"where,omitempty"`
}

// Events are facts of the named events.
type Events struct {
	Names []string `yaml:"names" json:"names"`
	Where *Expr    `yaml:"where,omitempty" json:"where,omitempty"`
	// Value is what is summed or averaged: "amount" (of the currency that is the
	// metric's unit) or a property ("props.handle_seconds"). "" counts events.
	Value string `yaml:"value,omitempty" json:"value,omitempty"`
}

// amountField is the field of money. It counts only in the metric's currency.
const amountField = "amount"

var (
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	nameForm = regexp.MustCompile(`^[^\x00-\x1f]{1,200}$`)
)

// Validate reports the first rule that the definition breaks.
func (d *Definition) Validate() error {
	for _, check := range []func() error{d.validateHead, d.validateParts, d.validateFields, d.validateUnit} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func bad(field, format string, args ...any) error {
	return errs.Invalid("metric.error."+strings.ReplaceAll(field, ".", "_"), field, format, args...)
}

func (d *Definition) validateHead() error {
	switch {
	case len(d.ID) > MaxID || !idForm.MatchString(d.ID):
		return bad("id", "the id %q is not 1–%d lower-case letters, digits or '_', starting with a letter", d.ID, MaxID)
	case !slices.Contains(kinds, d.Kind):
		return bad("kind", "%s: unknown kind %q", d.ID, d.Kind)
	case d.Name.En == "" || d.Name.Vi == "" || len(d.Name.En) > MaxText || len(d.Name.Vi) > MaxText:
		return bad("name", "%s: a name in English and Vietnamese of at most %d bytes each is needed", d.ID, MaxText)
	case len(d.Note.En) > MaxNote || len(d.Note.Vi) > MaxNote || (d.Note.En == "") != (d.Note.Vi == ""):
		return bad("note", "%s: a note is in both languages, of at most %d bytes each", d.ID, MaxNote)
	case !slices.Contains(directions, d.Direction):
		return bad("direction", "%s: unknown direction %q", d.ID, d.Direction)
	case d.Direction == Target && d.Target == nil:
		return bad("target", "%s: a metric with a target needs its value", d.ID)
	case d.MinN < MinPublished:
		return bad("min_n", "%s: min_n must be at least %d", d.ID, MinPublished)
	case d.Owner == "":
		return bad("owner", "%s: an owner is needed", d.ID)
	case d.Counter == d.ID:
		return bad("counter", "%s: a metric cannot be its own counter-metric", d.ID)
	case d.Fresh < 0:
		return bad("fresh", "%s: a freshness promise cannot be negative", d.ID)
	}
	if d.Zone != "" {
		if _, err := time.LoadLocation(d.Zone); err != nil || d.Zone == "Local" {
			return bad("zone", "%s: %q is no IANA time zone", d.ID, d.Zone)
		}
	}
	return nil
}

// parts says which parts each kind needs; a part not named is refused.
var parts = map[Kind][]string{
	NPS: {"answers"}, TopBox: {"answers"}, CES: {"answers"},
	Ratio: {"num", "den"}, Rate: {"num", "den"},
	Conversion: {"from", "to", "within"}, Duration: {"from", "to", "quantile"}, Count: {"events"},
}

func (d *Definition) validateParts() error {
	need := parts[d.Kind]
	if d.Kind == Mean {
		need = []string{"answers"}
		if d.Events != nil {
			need = []string{"events"}
		}
	}
	for _, p := range []struct {
		name string
		has  bool
	}{
		{"answers", d.Answers != nil}, {"events", d.Events != nil}, {"num", d.Num != nil}, {"den", d.Den != nil},
		{"from", d.From != nil}, {"to", d.To != nil}, {"within", d.Within != 0}, {"quantile", d.Quantile != 0},
	} {
		if needed := slices.Contains(need, p.name); needed != p.has {
			return bad(p.name, "%s: a metric of kind %s %s %s", d.ID, d.Kind, map[bool]string{true: "needs", false: "has no"}[needed], p.name)
		}
	}
	switch {
	case d.Within < 0 || time.Duration(d.Within) > MaxWithin:
		return bad("within", "%s: within must be positive and at most a year", d.ID)
	case d.Kind == Duration && !(d.Quantile > 0 && d.Quantile < 1):
		return bad("quantile", "%s: a quantile lies between 0 and 1", d.ID)
	case d.Fail && d.Kind != Conversion:
		return bad("fail", "%s: only a conversion can be counted by failures", d.ID)
	case len(d.Without) > 0 && d.Kind != Conversion && d.Kind != Rate:
		return bad("without", "%s: only rates and conversions can be spoilt by other events", d.ID)
	case d.Subject != "" && d.Subject != ByCase && d.Subject != ByCustomer:
		return bad("subject", "%s: unknown subject %q", d.ID, d.Subject)
	case d.Subject != "" && !slices.Contains([]Kind{Conversion, Duration, Count}, d.Kind):
		return bad("subject", "%s: a metric of kind %s has no subject", d.ID, d.Kind)
	}
	return validNames("without", d.ID, d.Without, true)
}

// validateFields checks answers, events, filters and dimensions.
func (d *Definition) validateFields() error {
	if a := d.Answers; a != nil {
		if err := d.validateAnswers(a); err != nil {
			return err
		}
	}
	for _, p := range []struct {
		name string
		e    *Events
	}{{"events", d.Events}, {"num", d.Num}, {"den", d.Den}, {"from", d.From}, {"to", d.To}} {
		if p.e == nil {
			continue
		}
		if err := validNames(p.name, d.ID, p.e.Names, false); err != nil {
			return err
		}
		if err := p.e.Where.validate(eventFields, 0); err != nil {
			return bad(p.name+".where", "%s: %v", d.ID, err)
		}
		if err := d.validateValue(p.name, p.e.Value); err != nil {
			return err
		}
	}
	if len(d.Dims) > MaxDims {
		return bad("dims", "%s: at most %d dimensions", d.ID, MaxDims)
	}
	fields := eventFields
	if d.Answers != nil {
		fields = responseFields
	}
	for _, dim := range d.Dims {
		if f, ok := fields.find(dim); !ok || f.kind != textField {
			return bad("dims", "%s: %q is no field to split by", d.ID, dim)
		}
	}
	return nil
}

func (d *Definition) validateAnswers(a *Answers) error {
	boxes := a.AtLeast != nil || a.AtMost != nil
	switch {
	case a.Instrument == "" || a.Item == "":
		return bad("answers", "%s: answers need an instrument and an item", d.ID)
	case boxes != (d.Kind == TopBox) || a.AtLeast != nil && a.AtMost != nil:
		return bad("answers", "%s: a top box, and nothing else, has either at_least or at_most", d.ID)
	case a.Min > a.Max || a.Min == a.Max && a.Min != 0:
		return bad("answers", "%s: the scale from %v to %v is empty", d.ID, a.Min, a.Max)
	}
	if err := a.Where.validate(responseFields, 0); err != nil {
		return bad("answers.where", "%s: %v", d.ID, err)
	}
	return nil
}

func validNames(field, id string, names []string, mayBeEmpty bool) error {
	if len(names) == 0 && !mayBeEmpty || len(names) > MaxNames {
		return bad(field, "%s: %s needs 1 to %d event names", id, field, MaxNames)
	}
	for _, n := range names {
		if !nameForm.MatchString(n) {
			return bad(field, "%s: %q is no event name", id, n)
		}
	}
	return nil
}

func (d *Definition) validateValue(part, value string) error {
	needed := part == "events" && d.Kind == Mean
	allowed := needed || d.Kind == Ratio
	f, ok := eventFields.find(value)
	switch {
	case value == "" && !needed:
		return nil
	case !allowed:
		return bad(part+".value", "%s: %s of kind %s has no value", d.ID, part, d.Kind)
	case value == amountField && d.Unit != VND:
		return bad(part+".value", "%s: amounts need the unit of one currency", d.ID)
	case !ok || f.kind == boolField || f.kind == textField && !strings.HasPrefix(value, propsPrefix):
		return bad(part+".value", "%s: %q is no number of events", d.ID, value)
	}
	return nil
}

func (d *Definition) validateUnit() error {
	allowed := map[Kind][]Unit{
		NPS: {Points}, TopBox: {Share}, CES: {Points}, Mean: {Points, Number, Seconds, Minutes, Hours, Days, VND, PerOne},
		Ratio: {PerOne, Seconds, Minutes, Hours, Days, VND}, Rate: {Share, PerOne, Per10k}, Conversion: {Share},
		Duration: {Seconds, Minutes, Hours, Days}, Count: {Number},
	}[d.Kind]
	if !slices.Contains(units, d.Unit) || !slices.Contains(allowed, d.Unit) {
		return bad("unit", "%s: a metric of kind %s cannot be in %q", d.ID, d.Kind, d.Unit)
	}
	return nil
}

// subject is the definition's subject with its default.
func (d *Definition) subject() Subject {
	if d.Subject == "" && (d.Kind == Conversion || d.Kind == Duration) {
		return ByCase
	}
	return d.Subject
}

// eventNames lists the events that the definition reads.
func (d *Definition) eventNames() []string {
	var out []string
	for _, e := range []*Events{d.Events, d.Num, d.Den, d.From, d.To} {
		if e != nil {
			out = append(out, e.Names...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
