package web

import (
	"context"
	"strings"

	"omote/analytics/rule"
	"omote/internal/customer/segment"
	"omote/internal/platform/i18n"
)

// phrase is a part of a rule in words: a sentence, or parts with a joint.
type phrase struct {
	Text  string
	Joint string // before each part but the first
	Parts []phrase
}

// teller says rules in words.
type teller struct {
	label      func(ctx context.Context, event string) string
	attributes *segment.Attributes
	segments   map[string]segment.Text
}

func (t teller) tell(ctx context.Context, r *rule.Rule) phrase {
	switch {
	case len(r.All) > 0:
		return t.list(ctx, r.All, "segment.words.and")
	case len(r.Any) > 0:
		return t.list(ctx, r.Any, "segment.words.or")
	case r.Not != nil:
		inner := t.tell(ctx, r.Not)
		if len(inner.Parts) == 0 {
			return phrase{Text: i18n.T(ctx, "segment.words.not", "what", inner.Text)}
		}
		inner.Text = i18n.T(ctx, "segment.words.not_all")
		return inner
	case r.Did != nil:
		d := r.Did
		key := "segment.words.did"
		if d.None {
			key = "segment.words.none"
		} else if d.Times > 1 {
			key = "segment.words.times"
		}
		return phrase{Text: i18n.T(ctx, key, "events", t.events(ctx, d.Pattern), "count", d.Times, "when", t.when(ctx, d.Within))}
	case r.Then != nil:
		s := r.Then
		return phrase{Text: i18n.T(ctx, "segment.words.then", "first", t.events(ctx, s.First), "second", t.events(ctx, s.Second),
			"gap", i18n.Fmt(ctx).Duration(s.Gap.Duration()), "when", t.when(ctx, s.Within))}
	case r.In != "":
		name := r.In
		if text, known := t.segments[r.In]; known {
			name = text.In(i18n.Locale(ctx))
		}
		return phrase{Text: i18n.T(ctx, "segment.words.in", "name", name)}
	}
	return phrase{Text: t.compare(ctx, r.Is)}
}

func (t teller) list(ctx context.Context, all []rule.Rule, joint string) phrase {
	out := phrase{Joint: i18n.T(ctx, joint)}
	for i := range all {
		out.Parts = append(out.Parts, t.tell(ctx, &all[i]))
	}
	return out
}

func (t teller) when(ctx context.Context, s rule.Span) string {
	if s == 0 {
		return ""
	}
	return " " + i18n.T(ctx, "segment.words.when", "time", i18n.Fmt(ctx).Duration(s.Duration()))
}

func (t teller) events(ctx context.Context, p rule.Pattern) string {
	names := make([]string, len(p.Events))
	for i, e := range p.Events {
		switch {
		case e == rule.Any:
			names[i] = i18n.T(ctx, "segment.words.any")
		case e == rule.Profile:
			names[i] = i18n.T(ctx, "segment.words.profile")
		case t.label != nil:
			names[i] = "“" + t.label(ctx, e) + "”"
		default:
			names[i] = "“" + e + "”"
		}
	}
	out := strings.Join(names, " "+i18n.T(ctx, "segment.words.or")+" ")
	if len(p.Filters) == 0 {
		return out
	}
	filters := make([]string, len(p.Filters))
	for i, f := range p.Filters {
		filters[i] = f.Prop + " " + t.comparison(ctx, f.Op, f.Values)
	}
	return out + " (" + strings.Join(filters, ", ") + ")"
}

func (t teller) compare(ctx context.Context, c *rule.Compare) string {
	value, boolean := t.value(ctx, &c.Value)
	if boolean && len(c.Values) == 1 && (c.Op == rule.Eq || c.Op == rule.Ne) {
		if (c.Op == rule.Eq) == (c.Values[0].Text == "true") {
			return value
		}
		return i18n.T(ctx, "segment.words.not", "what", value)
	}
	return value + " " + t.comparison(ctx, c.Op, c.Values)
}

func (t teller) value(ctx context.Context, v *rule.Value) (text string, boolean bool) {
	if v.Attr != "" {
		if a, known := t.attributes.Get(v.Attr); known {
			return a.Label.In(i18n.Locale(ctx)), a.Boolean()
		}
		return v.Attr, false
	}
	return i18n.T(ctx, "segment.words.fn."+string(v.Fn), "events", t.events(ctx, *v.Pattern), "prop", v.Prop, "when", t.when(ctx, v.Within)), false
}

func (t teller) comparison(ctx context.Context, op rule.Op, values []rule.Const) string {
	said := make([]string, len(values))
	for i, v := range values {
		said[i] = v.Text
		if v.Numeric {
			digits := 0
			for x := v.Number; x != float64(int64(x)) && digits < 4; x *= 10 {
				digits++
			}
			said[i] = i18n.Fmt(ctx).Decimal(v.Number, digits)
		}
	}
	return i18n.T(ctx, "segment.words.op."+opNames[op], "value", strings.Join(said, ", "))
}

var opNames = map[rule.Op]string{rule.Eq: "eq", rule.Ne: "ne", rule.Lt: "lt", rule.Le: "le", rule.Gt: "gt", rule.Ge: "ge", rule.In: "in",
	rule.Contains: "contains", rule.Known: "known"}

// teller makes one with the names of the segments there are.
func (p Pages) teller(ctx context.Context) (teller, []segment.Summary, error) {
	all, err := p.Segments.List(ctx, segment.Filter{})
	if err != nil {
		return teller{}, nil, err
	}
	t := teller{label: p.Label, attributes: p.Segments.Attributes, segments: map[string]segment.Text{}}
	for _, s := range all {
		t.segments[s.Version.Definition.ID] = s.Version.Definition.Name
	}
	return t, all, nil
}
