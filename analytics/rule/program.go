package rule

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
)

// Catalogue gives what a rule may refer to.
type Catalogue interface {
	// Attribute gives the definition of an attribute.
	Attribute(id string) (Attribute, bool)
	// Segment gives the rule of a segment.
	Segment(id string) (Rule, bool)
}

// Attribute is a named value, or a named rule that is true or false.
type Attribute struct {
	Value *Value
	Rule  *Rule
}

// Resolve writes out what a rule refers to, so that it stands for itself.
func Resolve(r Rule, c Catalogue) (Rule, error) {
	if err := r.Validate(); err != nil {
		return Rule{}, err
	}
	res := resolver{catalogue: c, open: map[string]bool{}}
	out, err := res.rule(r)
	if err != nil {
		return Rule{}, err
	}
	return out, out.Validate()
}

type resolver struct {
	catalogue Catalogue
	open      map[string]bool // references that are being followed
	parts     int
}

func (res *resolver) rule(r Rule) (out Rule, err error) {
	if res.parts++; res.parts > MaxNodes {
		return out, fail("too_many", r.pos, map[string]any{"max": MaxNodes}, "with what it refers to, a rule has at most %d parts", MaxNodes)
	}
	switch {
	case len(r.All) > 0:
		out.All, err = res.list(r.All)
	case len(r.Any) > 0:
		out.Any, err = res.list(r.Any)
	case r.Not != nil:
		var inner Rule
		inner, err = res.rule(*r.Not)
		out.Not = &inner
	case r.In != "":
		inner, known := res.catalogue.Segment(r.In)
		if !known {
			return out, fail("no_segment", r.pos, map[string]any{"name": r.In}, "there is no segment %q in use", r.In)
		}
		return res.follow("in "+r.In, r, inner)
	case r.Is != nil && r.Is.Value.Attr != "":
		return res.attribute(r)
	default:
		out = r
	}
	return out, err
}

func (res *resolver) list(all []Rule) ([]Rule, error) {
	out := make([]Rule, len(all))
	for i := range all {
		var err error
		if out[i], err = res.rule(all[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (res *resolver) follow(name string, from, to Rule) (Rule, error) {
	if res.open[name] || len(res.open) >= MaxDepth {
		return Rule{}, fail("circle", from.pos, map[string]any{"name": name}, "%s leads back to itself", name)
	}
	res.open[name] = true
	defer delete(res.open, name)
	return res.rule(to)
}

func (res *resolver) attribute(r Rule) (Rule, error) {
	id := r.Is.Value.Attr
	a, known := res.catalogue.Attribute(id)
	if !known {
		return Rule{}, fail("no_attribute", r.Is.Value.pos, map[string]any{"name": id}, "there is no attribute %q", id)
	}
	if a.Value != nil {
		c := *r.Is
		c.Value = *a.Value
		out := Rule{Is: &c, pos: r.pos}
		if err := out.Validate(); err != nil {
			return Rule{}, fail("attribute_type", r.Is.Value.pos, map[string]any{"name": id}, "the attribute %q does not compare so: %s", id, err.(*Error).Plain())
		}
		return out, nil
	}
	inner, err := res.follow(id, r, *a.Rule)
	if err != nil {
		return Rule{}, err
	}
	negative := Rule{Not: &inner}
	switch {
	case r.Is.Op == Known:
		return Rule{Any: []Rule{inner, negative}}, nil
	case r.Is.Op != Eq && r.Is.Op != Ne || !r.Is.Values[0].boolean:
		return Rule{}, fail("attribute_bool", r.Is.Value.pos, map[string]any{"name": id}, "the attribute %q is true or false: write %s = true", id, id)
	case (r.Is.Op == Eq) == (r.Is.Values[0].Text == "true"):
		return inner, nil
	}
	return negative, nil
}

// References lists the segments and attributes that a rule names itself.
func (r *Rule) References() (segments, attributes []string) {
	seg, attr := map[string]bool{}, map[string]bool{}
	r.Walk(func(p *Rule) {
		if p.In != "" {
			seg[p.In] = true
		}
		if p.Is != nil && p.Is.Value.Attr != "" {
			attr[p.Is.Value.Attr] = true
		}
	})
	return slices.Sorted(maps.Keys(seg)), slices.Sorted(maps.Keys(attr))
}

// Events lists the events that a rule names itself.
func (r *Rule) Events() []string {
	names := map[string]bool{}
	add := func(p *Pattern) {
		for _, e := range p.Events {
			names[e] = true
		}
	}
	r.Walk(func(p *Rule) {
		switch {
		case p.Did != nil:
			add(&p.Did.Pattern)
		case p.Then != nil:
			add(&p.Then.First)
			add(&p.Then.Second)
		case p.Is != nil && p.Is.Value.Pattern != nil:
			add(p.Is.Value.Pattern)
		}
	})
	return slices.Sorted(maps.Keys(names))
}

// Walk calls fn for the rule and each of its parts.
func (r *Rule) Walk(fn func(*Rule)) {
	fn(r)
	for _, list := range [][]Rule{r.All, r.Any} {
		for i := range list {
			list[i].Walk(fn)
		}
	}
	if r.Not != nil {
		r.Not.Walk(fn)
	}
}

// Feature is what a record remembers for one part of a rule. Rules that say the
// same share it, whatever segment they belong to.
type Feature struct {
	ID      uint64 // of its text: the same in every program and version
	Pattern Pattern
	Prop    string // property whose value is kept; "" for none
	Numeric bool   // the value is a number
	Keep    int    // latest occurrences kept; 0: sums by step
	Hits    bool   // sums: filters tell hits from the rest and exclude nothing
	Within  Span
}

func (f *Feature) identify() {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%t\x00%d\x00%t\x00%d", f.Pattern, f.Prop, f.Numeric, f.Keep, f.Hits, f.Within)
	f.ID = h.Sum64()
}

// step is the width of the sums' buckets; 0 where there is one for all time.
func (f *Feature) step() int64 {
	switch {
	case f.Within == 0:
		return 0
	case f.Within <= 31*day:
		return int64(hour)
	}
	return int64(day)
}

// Program is a rule that stands for itself, made ready to run.
type Program struct {
	Rule     Rule
	Features []Feature
	root     node
}

// node is a part of a compiled rule; leaves point at features.
type node struct {
	op    nodeOp
	parts []node
	a, b  int // features
	leaf  *Rule
}

type nodeOp uint8

const (
	opAll nodeOp = iota
	opAny
	opNot
	opDid
	opThen
	opIs
)

// Compile makes a resolved rule ready to run.
func Compile(r Rule) (*Program, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	p := &Program{Rule: r}
	var err error
	p.root, err = p.compile(&p.Rule)
	return p, err
}

func (p *Program) compile(r *Rule) (node, error) {
	switch {
	case len(r.All) > 0:
		return p.group(opAll, r.All)
	case len(r.Any) > 0:
		return p.group(opAny, r.Any)
	case r.Not != nil:
		return p.group(opNot, []Rule{*r.Not})
	case r.Did != nil:
		return node{op: opDid, leaf: r, a: p.feature(Feature{Pattern: r.Did.Pattern, Keep: max(r.Did.Times, 1), Within: r.Did.Within})}, nil
	case r.Then != nil:
		s := r.Then
		return node{op: opThen, leaf: r, a: p.feature(Feature{Pattern: s.First, Keep: Latest, Within: s.Within}),
			b: p.feature(Feature{Pattern: s.Second, Keep: Latest, Within: s.Within})}, nil
	case r.Is != nil && r.Is.Value.Fn != "":
		return node{op: opIs, leaf: r, a: p.feature(r.Is.feature())}, nil
	}
	return node{}, fail("unresolved", r.pos, nil, "the rule refers to something else; resolve it first")
}

func (p *Program) group(op nodeOp, all []Rule) (node, error) {
	n := node{op: op, parts: make([]node, len(all))}
	for i := range all {
		var err error
		if n.parts[i], err = p.compile(&all[i]); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (c *Compare) feature() Feature {
	f := Feature{Pattern: *c.Value.Pattern, Prop: c.Value.Prop, Within: c.Value.Within, Numeric: c.Value.Prop != ""}
	switch c.Value.Fn {
	case Share:
		f.Hits = true
	case Last:
		f.Keep, f.Numeric = 1, len(c.Values) > 0 && c.Values[0].Numeric
	case Change:
		f.Keep = Latest
	case DaysSince, AgeDays, AgeYears:
		f.Keep = 1
	}
	return f
}

func (p *Program) feature(f Feature) int {
	f.identify()
	for i := range p.Features {
		if p.Features[i].ID == f.ID {
			return i
		}
	}
	p.Features = append(p.Features, f)
	return len(p.Features) - 1
}
