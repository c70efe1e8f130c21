package rule

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	itemForm = regexp.MustCompile(`^[A-Za-z0-9_. -]{1,64}$`)
)

// ValidID reports whether a segment or attribute can be called so.
func ValidID(id string) bool { return idForm.MatchString(id) && !keywords[id] }

// Validate checks the form of a rule: what can be told without a catalogue.
// Errors are of type *Error.
func (r *Rule) Validate() error {
	n := 0
	return r.validate(&n, 1)
}

func (r *Rule) validate(n *int, depth int) error {
	if *n++; *n > MaxNodes {
		return fail("too_many", r.pos, map[string]any{"max": MaxNodes}, "a rule has at most %d parts", MaxNodes)
	}
	if depth > MaxDepth {
		return fail("too_deep", r.pos, map[string]any{"max": MaxDepth}, "a rule is at most %d levels deep", MaxDepth)
	}
	set := 0
	for _, is := range []bool{len(r.All) > 0, len(r.Any) > 0, r.Not != nil, r.Did != nil, r.Then != nil, r.Is != nil, r.In != ""} {
		if is {
			set++
		}
	}
	if set != 1 {
		return fail("shape", r.pos, nil, "each part of a rule says exactly one thing")
	}
	for _, list := range [][]Rule{r.All, r.Any} {
		for i := range list {
			if err := list[i].validate(n, depth+1); err != nil {
				return err
			}
		}
	}
	switch {
	case r.Not != nil:
		return r.Not.validate(n, depth+1)
	case r.Did != nil:
		return r.Did.validate(r.pos)
	case r.Then != nil:
		return r.Then.validate(r.pos)
	case r.Is != nil:
		return r.Is.validate(r.pos)
	case r.In != "" && !ValidID(r.In):
		return fail("id", r.pos, map[string]any{"name": r.In}, "%q is no name of a segment", r.In)
	}
	return nil
}

func (d *Did) validate(pos Pos) error {
	if d.Times < 0 || d.Times > MaxTimes || d.None && d.Times > 1 {
		return fail("times", pos, map[string]any{"max": MaxTimes}, "did takes 1 to %d times; count() takes more", MaxTimes)
	}
	if err := d.Pattern.validate(pos); err != nil {
		return err
	}
	return d.Within.validate(pos)
}

func (s *Sequence) validate(pos Pos) error {
	for _, p := range []*Pattern{&s.First, &s.Second} {
		if err := p.validate(pos); err != nil {
			return err
		}
	}
	if s.Gap <= 0 {
		return fail("gap", pos, nil, "a sequence says within what time the second follows")
	}
	if err := s.Gap.validate(pos); err != nil {
		return err
	}
	return s.Within.validate(pos)
}

func (s Span) validate(pos Pos) error {
	if s < 0 || s.Duration() > MaxSpan {
		return fail("span", pos, map[string]any{"max": int(MaxSpan.Hours() / 24)}, "a window is at most %d days long", int(MaxSpan.Hours()/24))
	}
	return nil
}

func (p *Pattern) validate(pos Pos) error {
	if p.pos.Line > 0 {
		pos = p.pos
	}
	if len(p.Events) == 0 || len(p.Events) > MaxEvents {
		return fail("events", pos, map[string]any{"max": MaxEvents}, "name 1 to %d events", MaxEvents)
	}
	for _, e := range p.Events {
		if e == "" || len(e) > 200 || !utf8.ValidString(e) || strings.ContainsAny(e, "\x00\n\r\"\\") {
			return fail("event_name", pos, map[string]any{"name": e}, "%q is no name of an event", e)
		}
	}
	if slices.Contains(p.Events, Any) && len(p.Events) > 1 {
		return fail("any_alone", pos, nil, "* stands for every event and stands alone")
	}
	if len(p.Filters) > MaxFilters {
		return fail("filters", pos, map[string]any{"max": MaxFilters}, "an event takes at most %d filters", MaxFilters)
	}
	for i := range p.Filters {
		f := &p.Filters[i]
		if err := validateProp(f.Prop, pos); err != nil {
			return err
		}
		if f.Op == Known {
			return fail("filter_known", pos, nil, "a filter compares a property; facts without it do not pass anyway")
		}
		if err := validateValues(f.Op, f.Values, pos); err != nil {
			return err
		}
		if columns[f.Prop] && f.Values[0].Numeric {
			return fail("text_column", pos, map[string]any{"name": f.Prop}, "%s is a text and compares with a text", f.Prop)
		}
	}
	return nil
}

var propForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

func validateProp(name string, pos Pos) error {
	if !propForm.MatchString(name) {
		return fail("prop", pos, map[string]any{"name": name}, "%q is no name of a property", name)
	}
	return nil
}

func validateValues(op Op, values []Const, pos Pos) error {
	if !op.valid() {
		return fail("op", pos, map[string]any{"name": string(op)}, "%q is no comparison", op)
	}
	most := 1
	switch op {
	case In:
		most = MaxValues
	case Known:
		most = 0
	}
	if len(values) > most || len(values) == 0 && op != Known {
		return fail("values", pos, map[string]any{"max": most}, "the comparison %s takes a constant, in a list of at most %d", op, MaxValues)
	}
	for _, v := range values {
		switch {
		case v.Numeric != values[0].Numeric:
			return fail("mixed", pos, nil, "a list holds either numbers or texts")
		case op.ordered() && !v.Numeric:
			return fail("ordered", pos, map[string]any{"name": v.Text}, "%s compares numbers, %q is none", op, v.Text)
		case v.Numeric && (math.IsNaN(v.Number) || math.IsInf(v.Number, 0)):
			return fail("number", pos, nil, "a number is finite")
		case op == Contains && (v.Numeric || !itemForm.MatchString(v.Text)):
			return fail("item", pos, nil, "contains takes a plain text of letters, digits, '_', '.', '-' and spaces")
		case len(v.Text) > 500 || !utf8.ValidString(v.Text) || strings.ContainsAny(v.Text, "\x00\n\r"):
			return fail("text", pos, nil, "a text has at most 500 bytes")
		}
	}
	return nil
}

func (c *Compare) validate(pos Pos) error {
	v := &c.Value
	if v.pos.Line > 0 {
		pos = v.pos
	}
	if (v.Attr != "") == (v.Fn != "") {
		return fail("value", pos, nil, "a comparison begins with an attribute or a function")
	}
	if err := validateValues(c.Op, c.Values, pos); err != nil {
		return err
	}
	if v.Attr != "" {
		if !ValidID(v.Attr) || v.Prop != "" || v.Pattern != nil || v.Within != 0 {
			return fail("id", pos, map[string]any{"name": v.Attr}, "%q is no name of an attribute", v.Attr)
		}
		return nil
	}
	if err := v.validate(pos); err != nil {
		return err
	}
	if v.Fn != Last && len(c.Values) > 0 && !c.Values[0].Numeric || v.Fn != Last && c.Op == Contains {
		return fail("ordered", pos, map[string]any{"name": c.Values[0].Text}, "%s() gives a number and compares with a number", v.Fn)
	}
	return nil
}

func (v *Value) validate(pos Pos) error {
	f, known := functions[v.Fn]
	switch {
	case !known:
		return fail("function", pos, map[string]any{"name": string(v.Fn)}, "%q is no function", v.Fn)
	case v.Pattern == nil:
		return fail("events", pos, map[string]any{"max": MaxEvents}, "name 1 to %d events", MaxEvents)
	case f.prop && v.Prop == "":
		return fail("needs_prop", pos, map[string]any{"name": string(v.Fn)}, "%s() needs a property: %s(event.property)", v.Fn, v.Fn)
	case !f.prop && v.Prop != "":
		return fail("no_prop", pos, map[string]any{"name": string(v.Fn)}, "%s() takes events and no property", v.Fn)
	case !f.window && v.Within != 0:
		return fail("no_window", pos, map[string]any{"name": string(v.Fn)}, "%s() takes no window", v.Fn)
	case v.Fn == Share && len(v.Pattern.Filters) == 0:
		return fail("share", pos, nil, "share() needs filters: share(event[channel = \"branch\"])")
	}
	if v.Prop != "" {
		if err := validateProp(v.Prop, pos); err != nil {
			return err
		}
	}
	if err := v.Pattern.validate(pos); err != nil {
		return err
	}
	return v.Within.validate(pos)
}

// columns are the properties that every fact has as a text of its own.
var columns = map[string]bool{"journey": true, "channel": true, "unit": true, "product": true, "outcome": true, "currency": true, "case": true}

// Amount is the property that holds a fact's money in minor units.
const Amount = "amount"
