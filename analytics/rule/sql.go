package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Dialect writes the parts of SQL in which warehouses differ; the warehouse's
// own dialect is one.
type Dialect interface {
	// Prop is the text of a top-level property of a JSON column, NULL when absent.
	Prop(column, key string) string
	// PropNumber is the property as a 64-bit float, NULL when it is no JSON number.
	PropNumber(column, key string) string
	// Micros is a timestamp as Unix microseconds, BIGINT.
	Micros(expr string) string
	// Double is the name of the type of 64-bit floats.
	Double() string
}

// Query is SQL with its arguments $1, $2, …
type Query struct {
	Text string
	Args []any
}

// SQL writes the program as a query over the warehouse's facts as of an instant
// (Unix microseconds): one row for each customer with any fact by then, their
// customer_id and the answer (true, false or NULL for unknown). Facts of the
// ignored events do not count. The relation {event_customer} is the warehouse's.
func (p *Program) SQL(d Dialect, now int64, ignored []string) Query {
	w := writer{d: d, now: now, ignored: ignored}
	w.with("who", "SELECT DISTINCT e.customer_id FROM {event_customer e} WHERE "+w.counts()+" AND "+w.at()+" <= "+strconv.FormatInt(now, 10))
	expr := w.node(&p.root, p.Features)
	var b strings.Builder
	b.WriteString("WITH " + strings.Join(w.steps, ",\n") + "\nSELECT w.customer_id, " + expr + " AS answer\nFROM who w")
	for _, j := range w.joins {
		fmt.Fprintf(&b, "\nLEFT JOIN %[1]s ON %[1]s.customer_id = w.customer_id", j)
	}
	return Query{b.String(), w.args}
}

type writer struct {
	d       Dialect
	now     int64
	ignored []string
	steps   []string
	joins   []string
	args    []any
}

func (w *writer) with(name, query string) { w.steps = append(w.steps, name+" AS ("+query+")") }

// step adds a step that has one row a customer and is joined to the end.
func (w *writer) step(query string) string {
	name := "g" + strconv.Itoa(len(w.joins))
	w.with(name, query)
	w.joins = append(w.joins, name)
	return name
}

func (w *writer) arg(v any) string {
	if i := slices.Index(w.args, v); i >= 0 {
		return "$" + strconv.Itoa(i+1)
	}
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *writer) at() string { return w.d.Micros("least(e.occurred_at, e.received_at)") }

const happened = "e.kind IN ('track', 'page', 'screen')"

// counts is the condition that a fact is of those that make a customer.
func (w *writer) counts() string { return w.names("NOT IN", w.ignored) }

func (w *writer) names(in string, names []string) string {
	if len(names) == 0 {
		return "TRUE"
	}
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = w.arg(n)
	}
	return "e.name " + in + " (" + strings.Join(list, ", ") + ")"
}

func (w *writer) node(n *node, features []Feature) string {
	switch n.op {
	case opAll, opAny:
		parts := make([]string, len(n.parts))
		for i := range n.parts {
			parts[i] = w.node(&n.parts[i], features)
		}
		joint := " AND "
		if n.op == opAny {
			joint = " OR "
		}
		return "(" + strings.Join(parts, joint) + ")"
	case opNot:
		return "(NOT " + w.node(&n.parts[0], features) + ")"
	case opDid:
		return w.did(n.leaf.Did, &features[n.a])
	case opThen:
		return w.then(n.leaf.Then, &features[n.a], &features[n.b])
	}
	return w.is(n.leaf.Is, &features[n.a])
}

// facts selects customer_id, us, v and hit of the facts that a feature counts.
func (w *writer) facts(f *Feature) string {
	v := "1"
	switch {
	case f.Prop == "":
	case f.Numeric:
		v = w.number(f.Prop)
	default:
		v = w.text(f.Prop)
	}
	filters := w.filters(f.Pattern.Filters)
	hit := "1"
	where := []string{w.pattern(f.Pattern.Events), w.counts()}
	if f.Hits {
		hit = "CASE WHEN " + filters + " THEN 1 ELSE 0 END"
	} else {
		where = append(where, filters)
	}
	outer := []string{"x.us <= " + strconv.FormatInt(w.now, 10), "x.v IS NOT NULL"}
	if f.Within > 0 {
		outer = append(outer, "x.us >= "+strconv.FormatInt(f.oldest(w.now), 10))
	}
	if f.Prop != "" && !f.Numeric {
		outer = append(outer, "length(x.v) <= "+strconv.Itoa(maxKept))
	}
	return fmt.Sprintf("SELECT * FROM (SELECT e.customer_id, %s AS us, %s AS v, %s AS hit FROM {event_customer e} WHERE %s) x WHERE %s",
		w.at(), v, hit, strings.Join(where, " AND "), strings.Join(outer, " AND "))
}

func (w *writer) pattern(events []string) string {
	if events[0] == Any {
		return happened
	}
	names := slices.DeleteFunc(slices.Clone(events), func(n string) bool { return n == Profile })
	var alternatives []string
	if len(names) > 0 {
		alternatives = append(alternatives, "("+happened+" AND "+w.names("IN", names)+")")
	}
	if len(names) < len(events) {
		alternatives = append(alternatives, "e.kind = 'identify'")
	}
	return "(" + strings.Join(alternatives, " OR ") + ")"
}

func column(name string) string {
	if name == "case" {
		return "e.case_key"
	}
	return "e." + name
}

func (w *writer) text(prop string) string {
	switch {
	case columns[prop]:
		return "NULLIF(" + column(prop) + ", '')"
	case prop == Amount:
		return "CAST(NULL AS VARCHAR)"
	}
	return w.d.Prop("e.props", prop)
}

func (w *writer) number(prop string) string {
	switch {
	case columns[prop]:
		return "CAST(NULL AS " + w.d.Double() + ")"
	case prop == Amount:
		return "CAST(e.amount AS " + w.d.Double() + ")"
	}
	return w.d.PropNumber("e.props", prop)
}

func (w *writer) filters(all []Filter) string {
	if len(all) == 0 {
		return "TRUE"
	}
	parts := make([]string, len(all))
	for i, f := range all {
		if f.Values[0].Numeric {
			parts[i] = w.compare(w.number(f.Prop), f.Op, f.Values)
		} else {
			parts[i] = w.compare(w.text(f.Prop), f.Op, f.Values)
		}
	}
	return strings.Join(parts, " AND ")
}

func (w *writer) constant(c Const) string {
	if c.Numeric {
		return "CAST(" + strconv.FormatFloat(c.Number, 'g', -1, 64) + " AS " + w.d.Double() + ")"
	}
	return w.arg(c.Text)
}

var sqlOps = map[Op]string{Eq: "=", Ne: "<>", Lt: "<", Le: "<=", Gt: ">", Ge: ">="}

func (w *writer) compare(value string, op Op, values []Const) string {
	switch op {
	case Known:
		return "(" + value + " IS NOT NULL)"
	case Contains:
		return "(strpos(" + value + ", " + w.arg(`"`+values[0].Text+`"`) + ") > 0)"
	case In:
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = w.constant(v)
		}
		return "(" + value + " IN (" + strings.Join(list, ", ") + "))"
	}
	return "(" + value + " " + sqlOps[op] + " " + w.constant(values[0]) + ")"
}

func (w *writer) did(d *Did, f *Feature) string {
	g := w.step("SELECT customer_id, count(*) AS n FROM (" + w.facts(f) + ") f GROUP BY customer_id")
	if d.None {
		return "(coalesce(" + g + ".n, 0) = 0)"
	}
	return "(coalesce(" + g + ".n, 0) >= " + strconv.Itoa(max(d.Times, 1)) + ")"
}

// ranked are a feature's facts with their rank, the newest first, as far as they are kept.
func (w *writer) ranked(f *Feature) string {
	return fmt.Sprintf("SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY us DESC, v DESC) AS rn FROM (%s) f) r WHERE rn <= %d",
		w.facts(f), f.Keep)
}

func (w *writer) then(s *Sequence, first, second *Feature) string {
	n := strconv.Itoa(len(w.steps))
	w.with("a"+n, w.ranked(first))
	w.with("b"+n, w.ranked(second))
	g := w.step(fmt.Sprintf("SELECT DISTINCT a.customer_id FROM a%[1]s a JOIN b%[1]s b ON a.customer_id = b.customer_id AND b.us > a.us AND b.us <= a.us + %[2]d", n, int64(s.Gap)))
	return "(" + g + ".customer_id IS NOT NULL)"
}

func (w *writer) is(c *Compare, f *Feature) string {
	double, d := w.d.Double(), int64(day)
	value := ""
	switch c.Value.Fn {
	case Count, Sum, Avg, Share:
		sum := "count(*)"
		if f.Prop != "" {
			sum = "sum(v)"
		}
		g := w.step("SELECT customer_id, CAST(count(*) AS " + double + ") AS n, CAST(sum(hit) AS " + double + ") AS hits, CAST(" + sum + " AS " + double +
			") AS s FROM (" + w.facts(f) + ") f GROUP BY customer_id")
		value = map[Fn]string{Count: "coalesce(" + g + ".n, 0)", Sum: "coalesce(" + g + ".s, 0)", Avg: g + ".s / " + g + ".n", Share: g + ".hits / " + g + ".n"}[c.Value.Fn]
	case Last:
		value = w.step("SELECT customer_id, v FROM ("+w.ranked(f)+") f") + ".v"
	case Change:
		g := w.step("SELECT customer_id, max(CASE WHEN rn = 1 THEN v END) AS newest, max(CASE WHEN rn = n THEN v END) AS oldest, max(n) AS n FROM (SELECT *, count(*) OVER (PARTITION BY customer_id) AS n FROM (" +
			w.ranked(f) + ") f) c GROUP BY customer_id")
		value = fmt.Sprintf("CASE WHEN %[1]s.n >= 2 AND %[1]s.oldest <> 0 THEN %[1]s.newest / %[1]s.oldest - 1 END", g)
	case DaysSince:
		g := w.step(fmt.Sprintf("SELECT customer_id, %d - max(us) AS us FROM (%s) f GROUP BY customer_id", w.now, w.facts(f)))
		value = fmt.Sprintf("CAST((%[1]s.us - %[1]s.us %% %[2]d) / %[2]d AS %[3]s)", g, d, double)
	case AgeDays, AgeYears:
		g := w.step(fmt.Sprintf("SELECT customer_id, CASE WHEN abs(v) <= %d THEN CAST(%d AS BIGINT) - CAST(floor(v) AS BIGINT) END AS days FROM (%s) f",
			maxDay, floor(w.now, d)/d, w.ranked(f)))
		value = g + ".days"
		if c.Value.Fn == AgeYears {
			value = fmt.Sprintf("(%[1]s.days * 10000 - (%[1]s.days * 10000) %% %[2]d) / %[2]d", g, yearDays)
		}
		value = fmt.Sprintf("CASE WHEN %s.days >= 0 THEN CAST(%s AS %s) END", g, value, double)
	}
	return w.compare("("+value+")", c.Op, c.Values)
}
