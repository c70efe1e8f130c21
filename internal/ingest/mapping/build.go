package mapping

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"omote/internal/ingest/files"
	"omote/internal/ingest/plan"
	"omote/internal/ingest/when"
	"omote/internal/platform/event"
)

// AnsweredEvent is the event that an answer or a comment becomes; the warehouse
// makes a response of it.
const AnsweredEvent = "survey_answered"

// Origin says where the rows of an import come from.
type Origin struct {
	Entity   string
	FileHash [32]byte // of the file: with the row number it is the message id
	Import   string
	History  bool
	Received time.Time
}

// Builder turns the rows of one file into events. It is for one goroutine.
type Builder struct {
	mapping *Mapping
	origin  Origin
	checker *plan.Checker
	time    when.Format
	system  string
	source  string
	prefix  string
	arena   fastjson.Arena
	scratch plan.Scratch
	out     []event.Event
	// Violations is called for each violation of the plan, where set.
	Violations func(event string, v plan.Violation)
}

// NewBuilder makes a builder for a valid mapping.
func NewBuilder(m *Mapping, checker *plan.Checker, o Origin) (*Builder, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	zone, err := m.location()
	if err != nil {
		return nil, err
	}
	format, err := when.NewFormat(m.TimeFormat, zone)
	if err != nil {
		return nil, err
	}
	hash := hex.EncodeToString(o.FileHash[:12])
	b := &Builder{mapping: m, origin: o, checker: checker, time: format, source: "file:" + hash[:8], system: m.System, prefix: hash + ":"}
	if b.system == "" {
		b.system = b.source
	}
	return b, nil
}

// Reset forgets the events built since the last call; they must be out of use.
func (b *Builder) Reset() {
	b.arena.Reset()
	b.scratch.Reset()
	b.out = b.out[:0]
}

// Build turns a row into its events: one, or one for each label of a labelled
// comment. They are valid until Reset. A row that does not fit is a
// *files.RowError.
func (b *Builder) Build(row *files.Row) ([]event.Event, error) {
	e, err := b.base(row)
	if err != nil {
		return nil, err
	}
	start := len(b.out)
	labels := b.labels(row)
	if len(labels) == 0 {
		labels = []string{""}
	}
	for i, label := range labels {
		one := e
		if i > 0 {
			one.MessageID += ":" + strconv.Itoa(i)
		}
		if err := b.finish(row, &one, label); err != nil {
			b.out = b.out[:start]
			return nil, err
		}
		b.out = append(b.out, one)
	}
	return b.out[start:], nil
}

func (b *Builder) base(row *files.Row) (event.Event, error) {
	o := b.origin
	e := event.Event{Source: b.source, System: b.system, Entity: o.Entity, Kind: event.Track, History: o.History, Import: o.Import,
		ReceivedAt: o.Received.UnixMicro(), MessageID: b.prefix + strconv.FormatInt(row.Number, 10)}
	e.Name = b.text(row, Event)
	e.UserID = b.text(row, User)
	e.AnonymousID = b.text(row, Anonymous)
	switch b.mapping.Kind {
	case EventLog:
		if e.UserID == "" {
			e.UserID = b.text(row, Case)
		}
	case Customers:
		e.Kind = event.Identify
	case Feedback:
		e.Name = AnsweredEvent
		if e.UserID == "" {
			e.AnonymousID = e.MessageID
		}
	}
	at, err := b.at(row)
	if err != nil {
		return e, &files.RowError{Number: row.Number, Reason: plan.WrongType, Field: b.mapping.Fields[Time], Detail: err.Error()}
	}
	e.At = at
	return e, nil
}

func (b *Builder) at(row *files.Row) (int64, error) {
	column := b.mapping.Fields[Time]
	if column == "" {
		if text := b.mapping.Constants[Time]; text != "" {
			return b.time.Parse(text)
		}
		return b.origin.Received.UnixMicro(), nil
	}
	v, ok := row.Get(column)
	switch {
	case !ok || v.Kind == files.Null:
		return 0, fmt.Errorf("the time is missing")
	case v.Kind == files.Instant:
		return v.Micros, nil
	}
	return b.time.Parse(v.Text)
}

// text gives a field's value: its column's, or the constant.
func (b *Builder) text(row *files.Row, f Field) string {
	if column := b.mapping.Fields[f]; column != "" {
		if v, ok := row.Get(column); ok && v.Kind != files.Null {
			return strings.TrimSpace(v.Text)
		}
		return ""
	}
	return b.mapping.Constants[f]
}

// labels splits the labels of a comment, given as a JSON list or with commas.
func (b *Builder) labels(row *files.Row) []string {
	text := b.text(row, Labels)
	if text == "" {
		return nil
	}
	if v, err := fastjson.Parse(text); err == nil && v.Type() == fastjson.TypeArray {
		var out []string
		for _, item := range v.GetArray() {
			out = append(out, string(item.GetStringBytes()))
		}
		return out
	}
	return strings.Split(text, ",")
}

// finish gives an event its properties and fits it to the plan.
func (b *Builder) finish(row *files.Row, e *event.Event, label string) error {
	props := b.arena.NewObject()
	for _, f := range propertyFields {
		if text := b.text(row, f.field); text != "" {
			props.Set(f.name, b.arena.NewString(text))
		}
	}
	if err := b.answer(row, props, label); err != nil {
		return err
	}
	for i := range b.mapping.Properties {
		p := &b.mapping.Properties[i]
		v, ok := row.Get(p.Column)
		if !ok || v.Kind == files.Null {
			continue
		}
		value, err := b.typed(p.Type, v)
		if err != nil {
			return &files.RowError{Number: row.Number, Reason: plan.WrongType, Field: p.Column, Detail: err.Error()}
		}
		props.Set(p.Name, value)
	}
	if e.Kind == event.Identify {
		e.Traits = b.scratch.Keep(props)
		props = nil
	}
	if err := e.Validate(); err != nil {
		return &files.RowError{Number: row.Number, Reason: plan.Malformed, Detail: err.Error()}
	}
	violations, fit := b.checker.Check(e, props, &b.scratch)
	for _, v := range violations {
		if b.Violations != nil {
			b.Violations(e.Name, v)
		}
	}
	if !fit {
		return &files.RowError{Number: row.Number, Reason: violations[0].Reason, Field: violations[0].Property, Detail: string(violations[0].Reason)}
	}
	if len(e.Props)+len(e.Traits) > event.MaxSize {
		return &files.RowError{Number: row.Number, Reason: plan.OverLimit, Detail: "the row is larger than 32 KB"}
	}
	return nil
}

// propertyFields are the fields that reach the event as reserved properties.
var propertyFields = []struct {
	field Field
	name  string
}{
	{Case, "case"}, {Journey, "journey"}, {Channel, "channel"}, {Unit, "unit"}, {Product, "product"}, {Outcome, "outcome"},
	{Amount, "amount"}, {Currency, "currency"}, {Instrument, "instrument"}, {Item, "item"}, {Comment, "verbatim"},
	{Language, "language"}, {Aspect, "aspect"}, {Polarity, "polarity"},
}

// answer sets a score as a number and splits a label into aspect and polarity.
func (b *Builder) answer(row *files.Row, props *fastjson.Value, label string) error {
	if text := b.text(row, Score); text != "" {
		number, ok := decimal(strings.Replace(text, ",", ".", 1))
		if !ok {
			return &files.RowError{Number: row.Number, Reason: plan.WrongType, Field: b.mapping.Fields[Score], Detail: fmt.Sprintf("%q is no score", text)}
		}
		props.Set("score", b.arena.NewNumberString(number))
	}
	if aspect, polarity, ok := strings.Cut(strings.TrimSpace(label), "#"); ok {
		props.Set("aspect", b.arena.NewString(strings.ToLower(aspect)))
		props.Set("polarity", b.arena.NewString(strings.ToLower(polarity)))
	}
	return nil
}

// typed turns a cell into a JSON value of a declared type.
func (b *Builder) typed(t plan.Type, v files.Value) (*fastjson.Value, error) {
	text := strings.TrimSpace(v.Text)
	switch t {
	case plan.Integer:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", text)
		}
		return b.arena.NewNumberString(strconv.FormatInt(n, 10)), nil
	case plan.Number:
		number, ok := decimal(text)
		if !ok {
			return nil, fmt.Errorf("%q is no number", text)
		}
		return b.arena.NewNumberString(number), nil
	case plan.Boolean:
		switch strings.ToLower(text) {
		case "true", "1", "yes", "y", "có", "x":
			return b.arena.NewTrue(), nil
		case "false", "0", "no", "n", "không":
			return b.arena.NewFalse(), nil
		}
		return nil, fmt.Errorf("%q is neither true nor false", text)
	case plan.Date:
		if v.Kind == files.Instant {
			text = time.UnixMicro(v.Micros).UTC().Format(time.RFC3339Nano)
		}
	}
	return b.arena.NewString(text), nil
}

// decimal brings a number into the form of JSON.
func decimal(text string) (string, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.ContainsAny(text, "nNxXpPiI_") {
		return "", false
	}
	return strconv.FormatFloat(n, 'g', -1, 64), true
}
