// Package ruletest helps to test the rule language: generators of random rules
// and histories, and an oracle that reads a whole history naively, word by word
// of the language's description, with nothing kept between questions.
package ruletest

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"omote/analytics/rule"
)

// Fact is one fact of a history.
type Fact struct {
	At      int64 // when it counts
	Name    string
	Channel string
	Amount  int64 // 0: none
	Score   int   // a numeric property; 0: absent
	Tag     string
	Tags    []string
}

const day = 24 * 3600 * 1_000_000

// Text implements rule.Props.
func (f Fact) Text(name string) (string, bool) {
	switch name {
	case "channel":
		return f.Channel, f.Channel != ""
	case "score":
		return strconv.Itoa(f.Score), f.Score != 0
	case "tag":
		return f.Tag, f.Tag != ""
	case "tags":
		return `["` + strings.Join(f.Tags, `","`) + `"]`, len(f.Tags) > 0
	}
	return "", false
}

// Number implements rule.Props.
func (f Fact) Number(name string) (float64, bool) {
	switch name {
	case "amount":
		return float64(f.Amount), f.Amount != 0
	case "score":
		return float64(f.Score), f.Score != 0
	}
	return 0, false
}

// Events are the names that generated facts and rules use.
var Events = []string{"login", "transfer", "card used"}

// Facts draws a history of facts at most at now, dense enough that windows,
// sequences and thresholds decide either way.
func Facts(t *rapid.T, now int64, label string) []Fact {
	n := rapid.IntRange(0, 14).Draw(t, label+"n")
	out := make([]Fact, n)
	for i := range out {
		f := Fact{Name: rapid.SampledFrom(append([]string{rule.Profile}, Events...)).Draw(t, "name")}
		// Ages that fall on the edges of windows, as well as between them.
		age := int64(rapid.SampledFrom([]int{0, 1, 2, 3, 5, 7, 10, 30, 31, 40, 90}).Draw(t, "days")) * day
		age += int64(rapid.SampledFrom([]int{0, 0, 1, -1, 3_600_000_000, 40_000_000_000}).Draw(t, "us"))
		f.At = now - max(age, 0)
		f.Channel = rapid.SampledFrom([]string{"", "app", "branch"}).Draw(t, "channel")
		f.Amount = int64(rapid.SampledFrom([]int{0, 5, 10, -3}).Draw(t, "amount"))
		f.Score = rapid.SampledFrom([]int{0, 1, 2, 9, int(now/day) - 31, int(now/day) - 800, int(now/day) + 3}).Draw(t, "score")
		f.Tag = rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "tag")
		f.Tags = rapid.SampledFrom([][]string{nil, {"a"}, {"a", "b"}}).Draw(t, "tags")
		out[i] = f
	}
	return out
}

func spans(t *rapid.T, least int) rule.Span {
	return rule.Days(rapid.SampledFrom([]int{0, 1, 3, 7, 30, 40}[least:]).Draw(t, "span"))
}

// Pattern draws a pattern.
func Pattern(t *rapid.T, filters bool) rule.Pattern {
	p := rule.Pattern{Events: rapid.SampledFrom([][]string{{"*"}, {"login"}, {"transfer"}, {"card used"}, {"login", "transfer"}, {rule.Profile}, {rule.Profile, "login"}}).Draw(t, "events")}
	n := rapid.IntRange(0, 2).Draw(t, "filters")
	if filters {
		n = max(n, 1)
	}
	for range n {
		p.Filters = append(p.Filters, rapid.SampledFrom([]rule.Filter{
			{Prop: "channel", Op: rule.Eq, Values: []rule.Const{rule.Str("app")}},
			{Prop: "channel", Op: rule.Ne, Values: []rule.Const{rule.Str("app")}},
			{Prop: "channel", Op: rule.In, Values: []rule.Const{rule.Str("app"), rule.Str("o'hara")}},
			{Prop: "amount", Op: rule.Gt, Values: []rule.Const{rule.Num(0)}},
			{Prop: "score", Op: rule.Le, Values: []rule.Const{rule.Num(2)}},
			{Prop: "score", Op: rule.In, Values: []rule.Const{rule.Num(1), rule.Num(9)}},
			{Prop: "tag", Op: rule.Eq, Values: []rule.Const{rule.Str("x")}},
			{Prop: "tags", Op: rule.Contains, Values: []rule.Const{rule.Str("b")}},
			{Prop: "absent", Op: rule.Ne, Values: []rule.Const{rule.Str("x")}},
		}).Draw(t, "filter"))
	}
	return p
}

// Rule draws a rule without references.
func Rule(t *rapid.T, depth int) rule.Rule {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth <= 0 && kind < 3 {
		kind += 3
	}
	parts := func() []rule.Rule {
		out := make([]rule.Rule, rapid.IntRange(2, 3).Draw(t, "parts"))
		for i := range out {
			out[i] = Rule(t, depth-1)
		}
		return out
	}
	switch kind {
	case 0:
		return rule.Rule{All: parts()}
	case 1:
		return rule.Rule{Any: parts()}
	case 2:
		inner := Rule(t, depth-1)
		return rule.Rule{Not: &inner}
	case 3, 4:
		d := &rule.Did{Pattern: Pattern(t, false), Within: spans(t, 0)}
		if d.None = rapid.Bool().Draw(t, "none"); !d.None {
			d.Times = rapid.IntRange(1, 3).Draw(t, "times")
		}
		return rule.Rule{Did: d}
	case 5:
		return rule.Rule{Then: &rule.Sequence{First: Pattern(t, false), Second: Pattern(t, false), Gap: spans(t, 1), Within: spans(t, 0)}}
	}
	return rule.Rule{Is: compare(t)}
}

func compare(t *rapid.T) *rule.Compare {
	c := &rule.Compare{}
	c.Value.Fn = rapid.SampledFrom([]rule.Fn{rule.Count, rule.Sum, rule.Avg, rule.Share, rule.Last, rule.Change, rule.DaysSince, rule.AgeDays, rule.AgeYears}).Draw(t, "fn")
	p := Pattern(t, c.Value.Fn == rule.Share)
	c.Value.Pattern = &p
	number := []float64{-1, 0, 0.5, 1, 2, 3, 9, 31}
	switch c.Value.Fn {
	case rule.Sum, rule.Avg, rule.Change:
		c.Value.Prop = rapid.SampledFrom([]string{"amount", "score"}).Draw(t, "prop")
	case rule.AgeDays, rule.AgeYears:
		c.Value.Prop = "score"
	case rule.Last:
		c.Value.Prop = rapid.SampledFrom([]string{"amount", "score", "tag", "tags", "channel"}).Draw(t, "prop")
	}
	if c.Value.Fn != rule.AgeDays && c.Value.Fn != rule.AgeYears {
		c.Value.Within = spans(t, 0)
	}
	text := c.Value.Prop == "tag" || c.Value.Prop == "tags" || c.Value.Prop == "channel"
	c.Op = rapid.SampledFrom([]rule.Op{rule.Eq, rule.Ne, rule.Lt, rule.Le, rule.Gt, rule.Ge, rule.In, rule.Known}).Draw(t, "op")
	if text {
		c.Op = rapid.SampledFrom([]rule.Op{rule.Eq, rule.Ne, rule.In, rule.Contains, rule.Known}).Draw(t, "op")
	}
	draw := func() rule.Const {
		if text {
			return rule.Str(rapid.SampledFrom([]string{"x", "app", "b"}).Draw(t, "text"))
		}
		return rule.Num(rapid.SampledFrom(number).Draw(t, "number"))
	}
	switch c.Op {
	case rule.Known:
	case rule.In:
		c.Values = []rule.Const{draw(), draw()}
	default:
		c.Values = []rule.Const{draw()}
	}
	return c
}

// Oracle answers a rule for a customer by reading all facts anew.
func Oracle(r rule.Rule, facts []Fact, now int64) rule.Answer {
	switch {
	case len(r.All) > 0:
		all := rule.Yes
		for _, p := range r.All {
			switch Oracle(p, facts, now) {
			case rule.No:
				return rule.No
			case rule.Unknown:
				all = rule.Unknown
			}
		}
		return all
	case len(r.Any) > 0:
		some := rule.No
		for _, p := range r.Any {
			switch Oracle(p, facts, now) {
			case rule.Yes:
				return rule.Yes
			case rule.Unknown:
				some = rule.Unknown
			}
		}
		return some
	case r.Not != nil:
		return map[rule.Answer]rule.Answer{rule.Yes: rule.No, rule.No: rule.Yes, rule.Unknown: rule.Unknown}[Oracle(*r.Not, facts, now)]
	case r.Did != nil:
		n := len(between(passing(facts, r.Did.Pattern, now), now-int64(r.Did.Within)+1, r.Did.Within))
		if r.Did.None {
			return yes(n == 0)
		}
		return yes(n >= max(r.Did.Times, 1))
	case r.Then != nil:
		s := r.Then
		a := latest(between(passing(facts, s.First, now), now-int64(s.Within)+1, s.Within))
		b := latest(between(passing(facts, s.Second, now), now-int64(s.Within)+1, s.Within))
		for _, x := range a {
			for _, y := range b {
				if y.At > x.At && y.At <= x.At+int64(s.Gap) {
					return rule.Yes
				}
			}
		}
		return rule.No
	}
	return is(r.Is, facts, now)
}

func yes(b bool) rule.Answer {
	if b {
		return rule.Yes
	}
	return rule.No
}

func named(f Fact, p rule.Pattern) bool {
	if p.Events[0] == rule.Any {
		return f.Name != rule.Profile
	}
	return slices.Contains(p.Events, f.Name)
}

func passing(facts []Fact, p rule.Pattern, now int64) (out []Fact) {
	for _, f := range facts {
		ok := named(f, p) && f.At <= now
		for _, q := range p.Filters {
			ok = ok && passes(f, q)
		}
		if ok {
			out = append(out, f)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].At > out[j].At })
	return out
}

func passes(f Fact, q rule.Filter) bool {
	if q.Values[0].Numeric {
		v, ok := f.Number(q.Prop)
		return ok && holds(q.Op, v, "", q.Values)
	}
	v, ok := f.Text(q.Prop)
	return ok && holds(q.Op, 0, v, q.Values)
}

func holds(op rule.Op, num float64, text string, values []rule.Const) bool {
	equal := func(c rule.Const) bool {
		if c.Numeric {
			return c.Number == num
		}
		return c.Text == text
	}
	switch op {
	case rule.Eq:
		return equal(values[0])
	case rule.Ne:
		return !equal(values[0])
	case rule.In:
		return slices.ContainsFunc(values, equal)
	case rule.Contains:
		return strings.Contains(text, `"`+values[0].Text+`"`)
	case rule.Lt:
		return num < values[0].Number
	case rule.Le:
		return num <= values[0].Number
	case rule.Gt:
		return num > values[0].Number
	}
	return num >= values[0].Number
}

func between(facts []Fact, from int64, within rule.Span) []Fact {
	if within == 0 {
		return facts
	}
	return slices.DeleteFunc(slices.Clone(facts), func(f Fact) bool { return f.At < from })
}

func latest(facts []Fact) []Fact { return facts[:min(len(facts), rule.Latest)] }

// is computes a value and compares it.
func is(c *rule.Compare, facts []Fact, now int64) rule.Answer {
	v := c.Value
	in := passing(facts, *v.Pattern, now)
	if v.Fn == rule.Share {
		in = passing(facts, rule.Pattern{Events: v.Pattern.Events}, now)
	}
	numeric := len(c.Values) > 0 && c.Values[0].Numeric || v.Fn != rule.Last
	if v.Prop != "" {
		in = slices.DeleteFunc(slices.Clone(in), func(f Fact) bool {
			_, ok := f.Text(v.Prop)
			if numeric {
				_, ok = f.Number(v.Prop)
			}
			return !ok
		})
	}
	number := func(f Fact) float64 { n, _ := f.Number(v.Prop); return n }
	text := func(f Fact) string { s, _ := f.Text(v.Prop); return s }
	// Among facts of one instant the larger value is the newer.
	sort.SliceStable(in, func(i, j int) bool {
		a, b := in[i], in[j]
		if a.At != b.At {
			return a.At > b.At
		}
		if numeric && number(a) != number(b) {
			return number(a) > number(b)
		}
		return !numeric && text(a) > text(b)
	})
	from := now - int64(v.Within) + 1
	switch v.Fn {
	case rule.Count, rule.Sum, rule.Avg, rule.Share:
		step := int64(3_600_000_000)
		if v.Within > rule.Days(31) {
			step = day
		}
		from = int64(math.Floor(float64(now-int64(v.Within))/float64(step))) * step
	}
	in = between(in, from, v.Within)
	sum, hits := 0.0, 0.0
	for _, f := range in {
		sum += number(f)
		ok := true
		for _, q := range v.Pattern.Filters {
			ok = ok && passes(f, q)
		}
		if ok {
			hits++
		}
	}
	n := float64(len(in))
	judge := func(known bool, num float64, text string) rule.Answer {
		if c.Op == rule.Known {
			return yes(known)
		}
		if !known {
			return rule.Unknown
		}
		return yes(holds(c.Op, num, text, c.Values))
	}
	switch v.Fn {
	case rule.Count:
		return judge(true, n, "")
	case rule.Sum:
		return judge(true, sum, "")
	case rule.Avg:
		return judge(n > 0, sum/n, "")
	case rule.Share:
		return judge(n > 0, hits/n, "")
	}
	if len(in) == 0 {
		return judge(false, 0, "")
	}
	switch v.Fn {
	case rule.Last:
		return judge(true, number(in[0]), text(in[0]))
	case rule.Change:
		in = latest(in)
		oldest := number(in[len(in)-1])
		return judge(len(in) > 1 && oldest != 0, number(in[0])/oldest-1, "")
	case rule.DaysSince:
		return judge(true, float64((now-in[0].At)/day), "")
	}
	days := now/day - int64(number(in[0]))
	if v.Fn == rule.AgeYears {
		return judge(days >= 0, math.Floor(float64(days)/365.2425), "")
	}
	return judge(days >= 0, float64(days), "")
}
