package plan

import (
	"slices"
	"strconv"
	"time"
	"unsafe"

	"github.com/valyala/fastjson"

	"omote/internal/platform/event"
	"omote/internal/platform/money"
)

// Reason classes why a fact, or a part of it, does not fit. It is the stable
// word in counters, quarantine rows and answers of the API.
type Reason string

// The reasons.
const (
	UnknownEvent    Reason = "unknown_event"
	UnknownProperty Reason = "unknown_property"
	MissingProperty Reason = "missing_property"
	WrongType       Reason = "wrong_type"
	NotInList       Reason = "not_in_list"
	TooLong         Reason = "too_long"
	WrongAmount     Reason = "wrong_amount"
	InFuture        Reason = "time_in_future"
	BeforeTime      Reason = "time_too_old"
	Malformed       Reason = "malformed"
	OverLimit       Reason = "over_limit"
)

// Violation is one thing about a fact that does not fit the plan.
type Violation struct {
	Reason   Reason
	Property string
}

// Clock limits of a fact's own time.
const (
	// MaxAhead is how far a source's clock may run ahead.
	MaxAhead = 5 * time.Minute
	// MaxAge is the oldest fact taken; a date before it is a default or a typo.
	MaxAge = 60 * 365 * 24 * time.Hour
)

// Checker applies one version of a plan. It is immutable and safe for
// concurrent use.
type Checker struct {
	plan   *Plan
	common map[string]*Property
	events map[string]map[string]*Property
	needed map[string][]*Property
	labels map[string]Text
	// currency is assumed where a fact has an amount and names none.
	currency string
}

// NewChecker compiles a valid plan. currency is the entity's own (ISO 4217).
func NewChecker(p *Plan, currency string) (*Checker, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	c := &Checker{plan: p, common: index(p.Common), events: make(map[string]map[string]*Property, len(p.Events)),
		needed: map[string][]*Property{}, labels: map[string]Text{}, currency: currency}
	for i := range p.Events {
		e := &p.Events[i]
		c.events[e.Name] = index(e.Properties)
		if e.Label != (Text{}) {
			c.labels[e.Name] = e.Label
		}
		for j := range e.Properties {
			if e.Properties[j].Required {
				c.needed[e.Name] = append(c.needed[e.Name], &e.Properties[j])
			}
		}
	}
	return c, nil
}

func index(props []Property) map[string]*Property {
	m := make(map[string]*Property, len(props))
	for i := range props {
		m[props[i].Name] = &props[i]
	}
	return m
}

// Plan is the plan this checker applies.
func (c *Checker) Plan() *Plan { return c.plan }

// Scratch holds the buffers of one caller of Check, to be reused call by call.
type Scratch struct {
	violations []Violation
	drop       []string
	personal   []string
	arena      []byte
}

// Reset forgets the buffers' content. Events checked with the scratch since the
// last Reset must no longer be in use: they point into it.
func (s *Scratch) Reset() { s.arena = s.arena[:0] }

// Check fits an event and its properties (a JSON object, or nil) to the plan. It
// fills the event's analytic fields and Props from the properties, moves
// personal ones to Traits, and drops what is not declared. ok is false when
// the fact belongs in quarantine. The violations are valid until the next call.
//
// Reserved properties become fields of the event: journey (journey_id), case
// (case_key), channel, unit (branch_id), product (product_code), outcome,
// amount, currency and source_system.
func (c *Checker) Check(e *event.Event, props *fastjson.Value, s *Scratch) (violations []Violation, ok bool) {
	s.violations = s.violations[:0]
	e.Schema = c.plan.Version
	ok = c.checkTime(e, s)
	var declared map[string]*Property
	if e.Kind == event.Track {
		var known bool
		if declared, known = c.events[e.Name]; !known {
			s.violations = append(s.violations, Violation{Reason: UnknownEvent, Property: e.Name})
			ok = ok && c.plan.Unknown == Pass
		}
	}
	if isNull(props) {
		return s.violations, c.required(e, nil, s) && ok
	}
	object, err := props.Object()
	if err != nil {
		s.violations = append(s.violations, Violation{Reason: Malformed, Property: "properties"})
		return s.violations, false
	}
	reserved := len(s.violations)
	c.takeReserved(e, object, s)
	breach := len(s.violations) > reserved
	breach = c.checkDeclared(declared, object, s) || breach
	if !c.required(e, object, s) {
		breach = true
	}
	c.split(e, object, s)
	return s.violations, ok && (!breach || c.plan.Violations == Pass)
}

func (c *Checker) checkTime(e *event.Event, s *Scratch) bool {
	switch {
	case e.At > e.ReceivedAt+MaxAhead.Microseconds():
		s.violations = append(s.violations, Violation{Reason: InFuture, Property: "timestamp"})
	case e.At < e.ReceivedAt-MaxAge.Microseconds():
		s.violations = append(s.violations, Violation{Reason: BeforeTime, Property: "timestamp"})
	default:
		return true
	}
	return false
}

// required tells whether the fact has what its declaration needs, or may pass without.
func (c *Checker) required(e *event.Event, object *fastjson.Object, s *Scratch) bool {
	if e.Kind != event.Track {
		return true
	}
	whole := true
	for _, q := range c.needed[e.Name] {
		if object == nil || isNull(object.Get(q.Name)) {
			s.violations = append(s.violations, Violation{Reason: MissingProperty, Property: q.Name})
			whole = false
		}
	}
	return whole || c.plan.Violations == Pass
}

func isNull(v *fastjson.Value) bool { return v == nil || v.Type() == fastjson.TypeNull }

// takeReserved moves the properties that are fields of an event out of object.
func (c *Checker) takeReserved(e *event.Event, object *fastjson.Object, s *Scratch) {
	s.drop = s.drop[:0]
	var amount *fastjson.Value
	object.Visit(func(key []byte, v *fastjson.Value) {
		var field *string
		switch string(key) {
		case "journey", "journey_id":
			field = &e.Journey
		case "case", "case_key":
			field = &e.Case
		case "channel":
			field = &e.Channel
		case "unit", "branch_id":
			field = &e.Unit
		case "product", "product_code":
			field = &e.Product
		case "outcome":
			field = &e.Outcome
		case "currency":
			field = &e.Currency
		case "source_system":
			field = &e.System
		case "amount":
			amount = v
			s.drop = append(s.drop, "amount")
			return
		default:
			return
		}
		name := string(key)
		s.drop = append(s.drop, name)
		switch text, fits := s.scalar(v); {
		case !fits || len(text) > event.MaxIDLength:
			s.violations = append(s.violations, Violation{Reason: WrongType, Property: name})
		default:
			*field = text
		}
	})
	for _, name := range s.drop {
		object.Del(name)
	}
	if !isNull(amount) {
		c.takeAmount(e, amount, s)
	} else {
		e.Currency = ""
	}
}

func (c *Checker) takeAmount(e *event.Event, v *fastjson.Value, s *Scratch) {
	if e.Currency == "" {
		e.Currency = c.currency
	}
	text, fits := s.scalar(v)
	minor, err := money.Parse(text, e.Currency)
	if !fits || err != nil {
		e.Currency = ""
		s.violations = append(s.violations, Violation{Reason: WrongAmount, Property: "amount"})
		return
	}
	e.Amount = minor
}

// checkDeclared drops what is not declared or does not fit, notes what is
// personal, and tells whether a declaration was broken.
func (c *Checker) checkDeclared(declared map[string]*Property, object *fastjson.Object, s *Scratch) (breach bool) {
	s.drop, s.personal = s.drop[:0], s.personal[:0]
	object.Visit(func(key []byte, v *fastjson.Value) {
		q, known := declared[string(key)]
		if !known {
			q, known = c.common[string(key)]
		}
		if !known {
			name := string(key)
			s.drop = append(s.drop, name)
			s.violations = append(s.violations, Violation{Reason: UnknownProperty, Property: name})
			return
		}
		if reason := q.check(v); reason != "" {
			breach = true
			s.drop = append(s.drop, q.Name)
			s.violations = append(s.violations, Violation{Reason: reason, Property: q.Name})
			return
		}
		if q.Personal {
			s.personal = append(s.personal, q.Name)
		}
	})
	for _, name := range s.drop {
		object.Del(name)
	}
	return breach
}

// check fits one value to its declaration; "" means it fits. null always fits:
// it means the value is not known.
func (q *Property) check(v *fastjson.Value) Reason {
	t := v.Type()
	if t == fastjson.TypeNull {
		return ""
	}
	switch q.Type {
	case String, Date:
		text, err := v.StringBytes()
		if err != nil {
			return WrongType
		}
		limit := q.MaxLength
		if limit == 0 {
			limit = MaxText
		}
		if len(text) > limit {
			return TooLong
		}
		if q.Type == Date && !isDate(string(text)) {
			return WrongType
		}
		if len(q.Enum) > 0 && !slices.Contains(q.Enum, string(text)) {
			return NotInList
		}
	case Number:
		if t != fastjson.TypeNumber {
			return WrongType
		}
	case Integer:
		if _, err := v.Int64(); err != nil {
			return WrongType
		}
	case Boolean:
		if t != fastjson.TypeTrue && t != fastjson.TypeFalse {
			return WrongType
		}
	case List:
		items, err := v.Array()
		if err != nil {
			return WrongType
		}
		for _, item := range items {
			if k := item.Type(); k == fastjson.TypeObject || k == fastjson.TypeArray {
				return WrongType
			}
		}
	}
	return ""
}

func isDate(s string) bool {
	if _, err := time.Parse(time.DateOnly, s); err == nil {
		return true
	}
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

// split writes personal properties to the event's Traits and the rest to Props.
func (c *Checker) split(e *event.Event, object *fastjson.Object, s *Scratch) {
	if len(s.personal) > 0 {
		start := len(s.arena)
		if n := len(e.Traits); n > len("{}") {
			s.arena = append(append(s.arena, e.Traits[:n-1]...), ',')
		} else {
			s.arena = append(s.arena, '{')
		}
		for i, name := range s.personal {
			if i > 0 {
				s.arena = append(s.arena, ',')
			}
			s.arena = strconv.AppendQuote(s.arena, name)
			s.arena = append(s.arena, ':')
			s.arena = object.Get(name).MarshalTo(s.arena)
			object.Del(name)
		}
		s.arena = append(s.arena, '}')
		e.Traits = s.arena[start:len(s.arena):len(s.arena)]
	}
	if object.Len() > 0 {
		start := len(s.arena)
		s.arena = object.MarshalTo(s.arena)
		e.Props = s.arena[start:len(s.arena):len(s.arena)]
	}
}

// scalar gives a text for a string, number or boolean. It points into the
// parser's or the scratch's memory.
func (s *Scratch) scalar(v *fastjson.Value) (string, bool) {
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return unsafe.String(unsafe.SliceData(b), len(b)), true
	case fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		b := s.Keep(v)
		return unsafe.String(unsafe.SliceData(b), len(b)), true
	case fastjson.TypeNull:
		return "", true
	}
	return "", false
}

// Size is the length of a value's JSON in bytes.
func (s *Scratch) Size(v *fastjson.Value) int {
	start := len(s.arena)
	s.arena = v.MarshalTo(s.arena)
	size := len(s.arena) - start
	s.arena = s.arena[:start]
	return size
}

// Keep copies a JSON value into the scratch and gives its bytes, which live
// until Reset.
func (s *Scratch) Keep(v *fastjson.Value) []byte {
	start := len(s.arena)
	s.arena = v.MarshalTo(s.arena)
	return s.arena[start:len(s.arena):len(s.arena)]
}
