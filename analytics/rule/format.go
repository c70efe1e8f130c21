package rule

import (
	"strconv"
	"strings"
)

// String writes the rule as text that Parse reads back to the same rule.
func (r Rule) String() string {
	var b strings.Builder
	r.write(&b, 0)
	return b.String()
}

// Lines writes the rule as text with one condition a line at the top level.
func (r Rule) Lines() string {
	parts, joint := r.All, "\nand "
	if len(r.Any) > 0 {
		parts, joint = r.Any, "\nor "
	}
	if len(parts) == 0 {
		return r.String()
	}
	level := 2
	if len(r.Any) > 0 {
		level = 1
	}
	lines := make([]string, len(parts))
	for i := range parts {
		var b strings.Builder
		parts[i].write(&b, level)
		lines[i] = b.String()
	}
	return strings.Join(lines, joint)
}

// write writes the rule so that it holds together in its surroundings: 0 at the
// top, 1 in a list of "or", 2 in one of "and", 3 behind "not".
func (r *Rule) write(b *strings.Builder, around int) {
	own := 3
	switch {
	case len(r.Any) > 0:
		own = 0
	case len(r.All) > 0:
		own = 1
	}
	paren := own < around || len(r.Any) > 0 && around == 1 || len(r.All) == 1 || len(r.Any) == 1
	if len(r.All) == 1 || len(r.Any) == 1 { // a list of one says what its part says
		(&append(r.All, r.Any...)[0]).write(b, around)
		return
	}
	if len(r.All) > 0 && around == 2 {
		paren = true
	}
	if paren {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	list := func(all []Rule, joint string, level int) {
		for i := range all {
			if i > 0 {
				b.WriteString(joint)
			}
			all[i].write(b, level)
		}
	}
	switch {
	case len(r.Any) > 0:
		list(r.Any, " or ", 1)
	case len(r.All) > 0:
		list(r.All, " and ", 2)
	case r.Not != nil:
		b.WriteString("not ")
		r.Not.write(b, 3)
	case r.Did != nil:
		r.Did.write(b)
	case r.Then != nil:
		s := r.Then
		b.WriteString("did " + s.First.String() + " then " + s.Second.String() + " within " + s.Gap.String())
		if s.Within > 0 {
			b.WriteString(" in last " + s.Within.String())
		}
	case r.Is != nil:
		b.WriteString(r.Is.Value.String())
		if r.Is.Op == Known {
			b.WriteString(" is known")
			return
		}
		b.WriteByte(' ')
		writeComparison(b, r.Is.Op, r.Is.Values)
	case r.In != "":
		b.WriteString("in " + r.In)
	}
}

func (d *Did) write(b *strings.Builder) {
	if d.None {
		b.WriteString("no " + d.Pattern.String())
	} else {
		b.WriteString("did " + d.Pattern.String())
		if d.Times > 1 {
			b.WriteString(" " + strconv.Itoa(d.Times) + " times")
		}
	}
	if d.Within > 0 {
		b.WriteString(" within " + d.Within.String())
	}
}

// String writes the pattern as text.
func (p Pattern) String() string {
	var b strings.Builder
	for i, e := range p.Events {
		if i > 0 {
			b.WriteByte('|')
		}
		if plainName(e) || e == Any {
			b.WriteString(e)
		} else {
			writeText(&b, e)
		}
	}
	for i, f := range p.Filters {
		if i == 0 {
			b.WriteByte('[')
		} else {
			b.WriteString(", ")
		}
		b.WriteString(f.Prop + " ")
		writeComparison(&b, f.Op, f.Values)
	}
	if len(p.Filters) > 0 {
		b.WriteByte(']')
	}
	return b.String()
}

func plainName(s string) bool {
	if s == "" || keywords[s] {
		return false
	}
	for i, r := range s {
		if !letter(r) && (i == 0 || !digit(r)) {
			return false
		}
	}
	return true
}

// String writes the value as text.
func (v Value) String() string {
	if v.Attr != "" {
		return v.Attr
	}
	s := string(v.Fn) + "("
	if v.Pattern != nil {
		s += v.Pattern.String()
	}
	if v.Prop != "" {
		s += "." + v.Prop
	}
	if v.Within > 0 {
		s += " within " + v.Within.String()
	}
	return s + ")"
}

// String writes the constant as text.
func (c Const) String() string {
	switch {
	case c.Numeric:
		return strconv.FormatFloat(c.Number, 'f', -1, 64)
	case c.boolean:
		return c.Text
	}
	var b strings.Builder
	writeText(&b, c.Text)
	return b.String()
}

func writeText(b *strings.Builder, s string) {
	b.WriteByte('"')
	b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s))
	b.WriteByte('"')
}

func writeComparison(b *strings.Builder, op Op, values []Const) {
	b.WriteString(string(op) + " ")
	if op == In {
		b.WriteByte('(')
	}
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v.String())
	}
	if op == In {
		b.WriteByte(')')
	}
}
