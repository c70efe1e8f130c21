package metric

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Expr is a filter: a group (All, Any, Not) or one comparison of a field. In
// YAML:
//
//	where:
//	  all:
//	    - {field: channel, in: [app, web]}
//	    - {field: props.reason_code, set: true}
//	    - not: {field: props.wait_seconds, gt: 300}
//
// A comparison with something absent is false. Exactly one of the members is
// set, or Field with exactly one comparison.
type Expr struct {
	All []Expr `yaml:"all,omitempty" json:"all,omitempty"`
	Any []Expr `yaml:"any,omitempty" json:"any,omitempty"`
	Not *Expr  `yaml:"not,omitempty" json:"not,omitempty"`

	Field string `yaml:"field,omitempty" json:"field,omitempty"`
	// Eq and Ne compare with text, a number or true/false.
	Eq any `yaml:"eq,omitempty" json:"eq,omitempty"`
	Ne any `yaml:"ne,omitempty" json:"ne,omitempty"`
	// In compares with any of several texts or numbers.
	In []any `yaml:"in,omitempty" json:"in,omitempty"`
	// Bounds of numbers.
	Lt *float64 `yaml:"lt,omitempty" json:"lt,omitempty"`
	Le *float64 `yaml:"le,omitempty" json:"le,omitempty"`
	Gt *float64 `yaml:"gt,omitempty" json:"gt,omitempty"`
	Ge *float64 `yaml:"ge,omitempty" json:"ge,omitempty"`
	// Set asks whether the field is present (true) or absent (false).
	Set *bool `yaml:"set,omitempty" json:"set,omitempty"`
	// Prefix compares the beginning of text.
	Prefix string `yaml:"prefix,omitempty" json:"prefix,omitempty"`
}

// Limits of a filter.
const (
	maxExprDepth = 8
	maxExprItems = 200
)

// fieldKind is the type of a field. Properties are text or numbers, as compared.
type fieldKind uint8

const (
	textField fieldKind = iota
	numberField
	boolField
	presenceField // may only be asked whether it is there
)

// field is a column of facts, or a property of events.
type field struct {
	column string
	kind   fieldKind
	prop   string // key of the property, "" for a column
}

// fieldSet are the fields that a filter may name.
type fieldSet struct {
	columns map[string]fieldKind
	props   bool
}

// propsPrefix begins the names of fields that are properties of events.
const propsPrefix = "props."

var (
	eventFields = fieldSet{props: true, columns: map[string]fieldKind{
		"name": textField, "source": textField, "kind": textField, "journey": textField, "case_key": textField, "channel": textField,
		"unit": textField, "product": textField, "outcome": textField, "currency": textField, "import_id": textField,
		"amount": numberField, "schema_version": numberField, "history": boolField,
	}}
	responseFields = fieldSet{columns: map[string]fieldKind{
		"source": textField, "journey": textField, "case_key": textField, "channel": textField, "unit": textField, "product": textField,
		"import_id": textField, "instrument": textField, "item": textField, "trigger_event": textField, "language": textField,
		"aspect": textField, "polarity": textField, "score": numberField, "history": boolField, "comment": presenceField,
	}}
)

var propForm = regexp.MustCompile(`^[A-Za-z0-9_\-]{1,100}$`)

func (s fieldSet) find(name string) (field, bool) {
	if kind, ok := s.columns[name]; ok {
		return field{column: name, kind: kind}, true
	}
	if key, ok := strings.CutPrefix(name, propsPrefix); ok && s.props && propForm.MatchString(key) {
		return field{column: "props", kind: textField, prop: key}, true
	}
	return field{}, false
}

// comparisons counts the comparisons of e.
func (e *Expr) comparisons() int {
	n := 0
	for _, set := range []bool{e.Eq != nil, e.Ne != nil, len(e.In) > 0, e.Lt != nil, e.Le != nil, e.Gt != nil, e.Ge != nil, e.Set != nil, e.Prefix != ""} {
		if set {
			n++
		}
	}
	return n
}

// validate checks form, fields and types; nil is the filter that lets all pass.
func (e *Expr) validate(fields fieldSet, depth int) error {
	if e == nil {
		return nil
	}
	if depth > maxExprDepth {
		return fmt.Errorf("a filter nests deeper than %d", maxExprDepth)
	}
	members := 0
	for _, set := range []bool{len(e.All) > 0, len(e.Any) > 0, e.Not != nil, e.Field != ""} {
		if set {
			members++
		}
	}
	switch {
	case members != 1:
		return errors.New("a filter has exactly one of all, any, not and field")
	case len(e.All)+len(e.Any) > maxExprItems:
		return fmt.Errorf("a filter has more than %d parts", maxExprItems)
	case e.Field == "" && e.comparisons() > 0:
		return errors.New("a comparison needs a field")
	case e.Not != nil:
		return e.Not.validate(fields, depth+1)
	case e.Field != "":
		return e.validateComparison(fields)
	}
	for _, group := range [][]Expr{e.All, e.Any} {
		for i := range group {
			if err := group[i].validate(fields, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Expr) validateComparison(fields fieldSet) error {
	f, ok := fields.find(e.Field)
	if !ok {
		return fmt.Errorf("unknown field %q", e.Field)
	}
	if e.comparisons() != 1 {
		return fmt.Errorf("field %s needs exactly one comparison", e.Field)
	}
	if e.Set != nil {
		return nil
	}
	bounds := e.Lt != nil || e.Le != nil || e.Gt != nil || e.Ge != nil
	switch {
	case f.kind == presenceField:
		return fmt.Errorf("field %s can only be asked whether it is set", e.Field)
	case len(e.In) > maxExprItems:
		return fmt.Errorf("field %s is compared with more than %d values", e.Field, maxExprItems)
	case bounds && f.kind != numberField && f.prop == "":
		return fmt.Errorf("field %s is no number", e.Field)
	case e.Prefix != "" && f.kind != textField:
		return fmt.Errorf("field %s is no text", e.Field)
	}
	for _, v := range e.operands() {
		if err := f.accepts(v); err != nil {
			return fmt.Errorf("field %s: %w", e.Field, err)
		}
	}
	return nil
}

// operands are the values of eq, ne and in.
func (e *Expr) operands() []any {
	out := append([]any(nil), e.In...)
	for _, v := range []any{e.Eq, e.Ne} {
		if v != nil {
			out = append(out, v)
		}
	}
	return out
}

func (f field) accepts(v any) error {
	switch x := v.(type) {
	case string:
		if f.kind == textField && x != "" && !strings.Contains(x, "\x00") {
			return nil
		}
	case bool:
		if f.kind == boolField || f.prop != "" {
			return nil
		}
	default:
		if _, ok := number(v); ok && (f.kind == numberField || f.prop != "") {
			return nil
		}
	}
	return fmt.Errorf("cannot be compared with %#v", v)
}

// number reads the number types that YAML and JSON decoders give.
func number(v any) (float64, bool) {
	switch x := v.(type) {
	case int:
		return float64(x), true
	case int64:
		return float64(x), true
	case uint64:
		return float64(x), true
	case float64:
		return x, true
	}
	return 0, false
}
