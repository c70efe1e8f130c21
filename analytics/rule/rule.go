package rule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Limits of a rule. They bound its cost, not its meaning.
const (
	MaxText    = 20_000               // bytes of text
	MaxNodes   = 200                  // parts of a rule, those it refers to included
	MaxDepth   = 20                   // of and, or, not and references
	MaxTimes   = 100                  // of did … times; count() has no such bound
	MaxValues  = 200                  // of a list
	MaxEvents  = 50                   // names in a pattern
	MaxFilters = 10                   // filters of a pattern
	MaxSpan    = 400 * 24 * time.Hour // the longest window
	Latest     = 64                   // occurrences that a sequence and change() look at
)

// Rule says which customers are meant. Exactly one of its fields is set.
type Rule struct {
	All  []Rule    `json:"all,omitempty"`  // every one holds
	Any  []Rule    `json:"any,omitempty"`  // at least one holds
	Not  *Rule     `json:"not,omitempty"`  // it does not hold
	Did  *Did      `json:"did,omitempty"`  // something happened, or did not
	Then *Sequence `json:"then,omitempty"` // one thing after another
	Is   *Compare  `json:"is,omitempty"`   // a value compares with constants
	In   string    `json:"in,omitempty"`   // the rule of that segment holds

	pos Pos
}

// Pattern picks facts: those of the named events ("*" is any, "$profile" what
// systems say about the person) that pass all filters.
type Pattern struct {
	Events  []string `json:"events"`
	Filters []Filter `json:"where,omitempty"`

	pos Pos
}

// Any is the name that stands for every event, Profile the one of statements
// about the person.
const (
	Any     = "*"
	Profile = "$profile"
)

// Filter compares a property of a fact with constants. A fact without the
// property does not pass.
type Filter struct {
	Prop   string  `json:"prop"`
	Op     Op      `json:"op"`
	Values []Const `json:"values"`
}

// Did says that facts of the pattern happened at least Times times within the
// window (0: ever), or, with None, that none did.
type Did struct {
	Pattern
	Times  int  `json:"times,omitempty"` // 0 is 1
	None   bool `json:"none,omitempty"`
	Within Span `json:"within,omitempty"`
}

// Sequence says that a fact of First was followed by one of Second no later than
// Gap, both within the window (0: ever).
type Sequence struct {
	First  Pattern `json:"first"`
	Second Pattern `json:"second"`
	Gap    Span    `json:"gap"`
	Within Span    `json:"within,omitempty"`
}

// Compare compares a value with constants.
type Compare struct {
	Value  Value   `json:"value"`
	Op     Op      `json:"op"`
	Values []Const `json:"values,omitempty"` // none for Known
}

// Value is an attribute of the catalogue, or computed from facts.
type Value struct {
	Attr    string   `json:"attr,omitempty"`
	Fn      Fn       `json:"fn,omitempty"`
	Pattern *Pattern `json:"of,omitempty"`
	Prop    string   `json:"prop,omitempty"`
	Within  Span     `json:"within,omitempty"` // 0: ever

	pos Pos
}

// Fn computes a value from the facts of a pattern.
type Fn string

// The functions. Sum, Avg, Last and Change need a property; facts without it do
// not count. AgeDays and AgeYears take a property that is a day, counted from
// 1970-01-01.
const (
	Count     Fn = "count"      // how many; 0 where none
	Sum       Fn = "sum"        // 0 where none
	Avg       Fn = "avg"        // unknown where none
	Share     Fn = "share"      // of the events' facts, those that pass the filters; unknown where none
	Last      Fn = "last"       // of the newest; unknown where none
	Change    Fn = "change"     // newest ÷ oldest − 1; unknown below two or where the oldest is 0
	DaysSince Fn = "days_since" // whole days since the newest; unknown where none
	AgeDays   Fn = "age_days"   // whole days since the day that the newest states
	AgeYears  Fn = "age_years"  // whole years (365.2425 days) since that day
)

var functions = map[Fn]struct{ prop, window bool }{
	Count: {false, true}, Sum: {true, true}, Avg: {true, true}, Share: {false, true}, Last: {true, true},
	Change: {true, true}, DaysSince: {false, true}, AgeDays: {true, false}, AgeYears: {true, false},
}

// Op is a comparison.
type Op string

// The comparisons. Contains asks whether a list property has an element.
const (
	Eq       Op = "="
	Ne       Op = "!="
	Lt       Op = "<"
	Le       Op = "<="
	Gt       Op = ">"
	Ge       Op = ">="
	In       Op = "in"
	Contains Op = "contains"
	Known    Op = "known" // the value is there
)

func (o Op) valid() bool {
	switch o {
	case Eq, Ne, Lt, Le, Gt, Ge, In, Contains, Known:
		return true
	}
	return false
}

// ordered reports whether the comparison needs numbers.
func (o Op) ordered() bool { return o == Lt || o == Le || o == Gt || o == Ge }

// Const is a number, a text or a truth value. A truth value compares as the text
// "true" or "false".
type Const struct {
	Text    string
	Number  float64
	Numeric bool
	boolean bool
}

// Num, Str and Bool make constants.
func Num(f float64) Const { return Const{Number: f, Numeric: true} }

// Str makes a text.
func Str(s string) Const { return Const{Text: s} }

// Bool makes a truth value.
func Bool(b bool) Const { return Const{Text: strconv.FormatBool(b), boolean: true} }

// MarshalJSON writes the constant as the JSON value it is.
func (c Const) MarshalJSON() ([]byte, error) {
	switch {
	case c.Numeric:
		return json.Marshal(c.Number)
	case c.boolean:
		return []byte(c.Text), nil
	}
	return json.Marshal(c.Text)
}

// UnmarshalJSON reads a number, a string or a truth value.
func (c *Const) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case float64:
		*c = Num(v)
	case string:
		*c = Str(v)
	case bool:
		*c = Bool(v)
	default:
		return fmt.Errorf("rule: %s is neither number, text nor truth value", bytes.TrimSpace(b))
	}
	return nil
}

// Span is a length of time in microseconds; 0 where there is none. Its text is a
// whole number and a unit: 30d, 12h, 90m (minutes).
type Span int64

const (
	minute Span = 60_000_000
	hour        = 60 * minute
	day         = 24 * hour
)

// Days makes a span of whole days.
func Days(n int) Span { return Span(n) * day }

// String writes the span in the largest unit that divides it.
func (s Span) String() string {
	for _, u := range units {
		if s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "us"
}

// Duration gives the span as Go's.
func (s Span) Duration() time.Duration { return time.Duration(s) * time.Microsecond }

var units = []struct {
	name string
	size Span
}{{"d", day}, {"h", hour}, {"m", minute}, {"us", 1}}

// ParseSpan reads a span; weeks (w) are read too.
func ParseSpan(text string) (Span, bool) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	n, err := strconv.ParseInt(text[:i], 10, 64)
	if err != nil {
		return 0, false
	}
	size := Span(0)
	switch text[i:] {
	case "us":
		size = 1
	case "m":
		size = minute
	case "h":
		size = hour
	case "d":
		size = day
	case "w":
		size = 7 * day
	}
	if size == 0 || n > math.MaxInt64/int64(size) {
		return 0, false
	}
	return Span(n) * size, true
}

// MarshalText writes the span for JSON and YAML.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads it.
func (s *Span) UnmarshalText(b []byte) error {
	v, ok := ParseSpan(string(b))
	if !ok {
		return fmt.Errorf("rule: %q is no length of time such as 30d, 12h or 90m", b)
	}
	*s = v
	return nil
}

// Pos is a place in a rule's text: line and column from 1, counted in
// characters. It is zero in rules that were not read from text.
type Pos struct{ Line, Column int }

// Error says what is wrong with a rule and where. Code names the mistake for
// translation ("rule.error." + Code), Args are the words it needs.
type Error struct {
	Code string
	Pos  Pos
	Args map[string]any
	text string
}

// Error gives the message in English.
func (e *Error) Error() string {
	if e.Pos.Line > 0 {
		return fmt.Sprintf("line %d, column %d: %s", e.Pos.Line, e.Pos.Column, e.text)
	}
	return e.text
}

// Plain is the message without the place.
func (e *Error) Plain() string { return e.text }

func fail(code string, pos Pos, args map[string]any, format string, a ...any) *Error {
	return &Error{Code: code, Pos: pos, Args: args, text: fmt.Sprintf(format, a...)}
}
