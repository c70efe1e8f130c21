package metric

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"omote/analytics/stats"
	"omote/internal/platform/event"
)

// fact is an event as the oracle sees it.
type fact struct {
	event.Event
	seq      uint64
	index    int
	customer string
	props    map[string]any
}

// response is the answer that an event carries; ok is false for other events.
func (f *fact) answered() bool { return f.Name == "survey_answered" }

// fieldOf gives a field's value as Go value, nil when absent.
func (f *fact) fieldOf(name string) any {
	texts := map[string]string{
		"name": f.Name, "source": f.Source, "kind": f.Kind.String(), "journey": f.Journey, "case_key": f.Case, "channel": f.Channel,
		"unit": f.Unit, "product": f.Product, "outcome": f.Outcome, "currency": f.Currency, "import_id": f.Import,
	}
	for _, k := range []string{"instrument", "item", "trigger_event", "language", "aspect", "polarity"} {
		texts[k], _ = f.props[k].(string)
	}
	if s, ok := texts[name]; ok {
		if s == "" {
			return nil
		}
		return s
	}
	switch name {
	case "amount":
		if f.Currency == "" {
			return nil
		}
		return float64(f.Amount)
	case "schema_version":
		return float64(f.Schema)
	case "history":
		return f.History
	case "score":
		return f.props["score"]
	case "comment":
		if s, _ := f.props["verbatim"].(string); s != "" {
			return s
		}
		return nil
	}
	return f.props[strings.TrimPrefix(name, propsPrefix)]
}

// asText is how a property compares with text.
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

// holds decides a filter naively.
func (e *Expr) holds(f *fact) bool {
	switch {
	case e == nil:
		return true
	case len(e.All) > 0:
		return !slices.ContainsFunc(e.All, func(x Expr) bool { return !x.holds(f) })
	case len(e.Any) > 0:
		return slices.ContainsFunc(e.Any, func(x Expr) bool { return x.holds(f) })
	case e.Not != nil:
		return !e.Not.holds(f)
	}
	v := f.fieldOf(e.Field)
	if e.Set != nil {
		return *e.Set == (v != nil)
	}
	if v == nil {
		return false
	}
	equal := func(with any) bool {
		if x, ok := number(with); ok {
			y, isNumber := v.(float64)
			return isNumber && y == x
		}
		if b, ok := with.(bool); ok {
			with = strconv.FormatBool(b)
		}
		s, ok := asText(v)
		return ok && s == with
	}
	x, isNumber := v.(float64)
	switch {
	case e.Lt != nil:
		return isNumber && x < *e.Lt
	case e.Le != nil:
		return isNumber && x <= *e.Le
	case e.Gt != nil:
		return isNumber && x > *e.Gt
	case e.Ge != nil:
		return isNumber && x >= *e.Ge
	case e.Prefix != "":
		s, ok := asText(v)
		return ok && strings.HasPrefix(s, e.Prefix)
	case e.Ne != nil:
		if y, ok := number(e.Ne); ok {
			return isNumber && x != y
		}
		return !equal(e.Ne)
	case e.Eq != nil:
		return equal(e.Eq)
	}
	return slices.ContainsFunc(e.In, equal)
}

// oracle answers questions by looking at every fact.
type oracle struct {
	facts []fact // in the order of time, then of the log
	d     *Definition
	q     Question
}

func (o *oracle) bucket(f *fact) (key, bool) {
	day := DateIn(f.Time(), o.q.Zone)
	if day.Before(o.q.Period.From) || !day.Before(o.q.Period.To) {
		return key{}, false
	}
	b := o.q.Granularity.bucket(day)
	if o.q.Granularity == Total {
		b = o.q.Period.From
	}
	group := ""
	if o.q.By != "" {
		group, _ = asText(f.fieldOf(o.q.By))
	}
	return key{b, group}, true
}

func (e *Events) matches(f *fact, d *Definition) bool {
	return slices.Contains(e.Names, f.Name) && e.Where.holds(f) && (e.Value != amountField || f.Currency == string(d.Unit))
}

// each calls do for every fact of the part in the period.
func (o *oracle) each(e *Events, do func(k key, f *fact)) {
	for i := range o.facts {
		f := &o.facts[i]
		if k, ok := o.bucket(f); ok && e.matches(f, o.d) && o.q.Where.holds(f) {
			do(k, f)
		}
	}
}

func (o *oracle) subject(f *fact) string {
	if o.d.subject() == ByCustomer {
		return f.customer
	}
	return f.Case
}

// cells computes what the warehouse should return.
func (o *oracle) cells() map[key]*cell {
	out := map[key]*cell{}
	at := func(k key) *cell {
		if out[k] == nil {
			out[k] = &cell{}
		}
		return out[k]
	}
	switch d := o.d; {
	case d.Answers != nil:
		o.answers(at)
	case d.Kind == Mean:
		o.each(d.Events, func(k key, f *fact) {
			if v, ok := f.fieldOf(d.Events.Value).(float64); ok {
				c := at(k)
				c.moments.Push(v)
				c.n++
			}
		})
	case d.Kind == Ratio:
		o.ratio(at)
	case d.Kind == Rate:
		o.rate(at)
	case d.Kind == Conversion || d.Kind == Duration:
		o.following(at)
	default:
		seen := map[string]bool{}
		o.each(d.Events, func(k key, f *fact) {
			if d.Subject != "" {
				id := k.bucket.String() + "\x00" + k.group + "\x00" + o.subject(f)
				if o.subject(f) == "" || seen[id] {
					return
				}
				seen[id] = true
			}
			at(k).n++
		})
	}
	return out
}

func (o *oracle) answers(at func(key) *cell) {
	a := o.d.Answers
	for i := range o.facts {
		f := &o.facts[i]
		k, ok := o.bucket(f)
		score, scored := f.fieldOf("score").(float64)
		if !ok || !f.answered() || !scored || f.fieldOf("instrument") != a.Instrument || f.fieldOf("item") != a.Item ||
			a.Trigger != "" && f.fieldOf("trigger_event") != a.Trigger || !a.Where.holds(f) || !o.q.Where.holds(f) {
			continue
		}
		c := at(k)
		c.scores, c.counts, c.n = append(c.scores, score), append(c.counts, 1), c.n+1
	}
}

func (o *oracle) ratio(at func(key) *cell) {
	type cluster struct {
		key
		customer string
	}
	sums := map[cluster][2]float64{}
	for i, e := range []*Events{o.d.Num, o.d.Den} {
		o.each(e, func(k key, f *fact) {
			v := 1.0
			if e.Value != "" {
				x, ok := f.fieldOf(e.Value).(float64)
				if !ok {
					return
				}
				v = x
			}
			s := sums[cluster{k, f.customer}]
			s[i] += v
			sums[cluster{k, f.customer}] = s
		})
	}
	for c, s := range sums {
		at(c.key).ratio.Push(s[0], s[1])
		at(c.key).n++
	}
}

func (o *oracle) rate(at func(key) *cell) {
	spoilt := map[string]bool{"": true}
	for i := range o.facts {
		if slices.Contains(o.d.Without, o.facts[i].Name) {
			spoilt[o.facts[i].Case] = true
		}
	}
	o.each(o.d.Num, func(k key, f *fact) {
		if len(o.d.Without) == 0 || !spoilt[f.Case] {
			at(k).hits++
		}
	})
	o.each(o.d.Den, func(k key, f *fact) { at(k).n++ })
}

// following looks from the first start of each subject in each bucket to what
// comes after it.
func (o *oracle) following(at func(key) *cell) {
	seen := map[string]bool{}
	asOf := o.q.AsOf.UnixMicro()
	o.each(o.d.From, func(k key, f *fact) {
		id := k.bucket.String() + "\x00" + o.subject(f)
		if o.subject(f) == "" || seen[id] || f.At > asOf {
			return
		}
		seen[id] = true
		within := time.Duration(o.d.Within).Microseconds()
		first, spoilt := int64(math.MaxInt64), false
		for i := range o.facts {
			g := &o.facts[i]
			if o.subject(g) != o.subject(f) || g.At < f.At || g.At > asOf {
				continue
			}
			if o.d.To.matches(g, o.d) && (g.At > f.At || !slices.Contains(o.d.From.Names, g.Name) && !o.sharesNames()) {
				first = min(first, g.At)
			}
			spoilt = spoilt || slices.Contains(o.d.Without, g.Name) && g.At <= f.At+within
		}
		if o.d.Kind == Duration {
			c := at(k)
			w := waiting{float64(asOf-f.At) / 1e6, false, 1}
			if first != math.MaxInt64 {
				w = waiting{float64(first-f.At) / 1e6, true, 1}
			}
			c.waits, c.n = append(c.waits, w), c.n+1
			return
		}
		if f.At+within > asOf {
			return
		}
		c := at(k)
		c.n++
		hit := first <= f.At+within && !spoilt
		if hit != o.d.Fail {
			c.hits++
		}
	})
}

// sharesNames tells that an event may be a start and an end.
func (o *oracle) sharesNames() bool {
	return slices.ContainsFunc(o.d.To.Names, func(n string) bool { return slices.Contains(o.d.From.Names, n) })
}

// near compares figures that two engines summed in different orders.
func near(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) && math.IsNaN(b)
	}
	return a == b || math.Abs(a-b) <= 1e-9*math.Max(1, math.Max(math.Abs(a), math.Abs(b)))
}

func sameEstimate(a, b stats.Estimate) bool {
	return a.N == b.N && a.Method == b.Method && near(a.Value, b.Value) && near(a.Low, b.Low) && near(a.High, b.High)
}

func decodeProps(raw []byte) map[string]any {
	m := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &m); err != nil {
			panic(err)
		}
	}
	return m
}
