package metric

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"omote/internal/platform/warehouse"
)

// Question asks for a metric over a period.
type Question struct {
	Period      Period
	Granularity Granularity
	// By is the dimension to split by, "" for none.
	By string
	// Where narrows the facts beyond the definition, nil for all. It applies to
	// every event or answer the metric reads.
	Where *Expr
	// AsOf is the moment at which conversions and durations are judged: what
	// began or ended later is not seen, and a conversion counts only when its
	// time was over.
	AsOf time.Time
	// Zone is the zone of the definition, else of the entity.
	Zone *time.Location
	// Days says that the warehouse's daily aggregates are cut in Zone, so that
	// they may answer.
	Days bool
	// also are further dimensions to split by; see Tallies.
	also []string
}

// shape is what the rows of a query hold after the bucket and the group.
type shape uint8

const (
	histogram shape = iota // score, n
	moments                // n, sum, sum of squares
	pairs                  // n, Σy, Σx, Σy², Σx², Σxy over clusters
	shares                 // hits, n
	tallies                // n
	durations              // seconds, closed (0 or 1), n
)

// Query is a compiled question: SQL for [warehouse.Warehouse.Query].
type Query struct {
	SQL   string
	Args  []any
	shape shape
	// Aggregates tells that the daily aggregates answer, not the facts.
	Aggregates bool
}

// Compile writes the SQL that answers the question. The definition and the
// question are valid.
func Compile(dialect warehouse.Dialect, d *Definition, q Question) Query {
	c := &compiler{builder: builder{dialect: dialect}, d: d, q: q}
	var out Query
	switch d.Kind {
	case NPS, TopBox, CES:
		out = c.answers()
	case Mean:
		if d.Answers != nil {
			out = c.answers()
		} else {
			out = c.eventMean()
		}
	case Ratio:
		out = c.ratio()
	case Rate:
		out = c.rate()
	case Conversion:
		out = c.conversion()
	case Duration:
		out = c.duration()
	case Count:
		out = c.count()
	}
	out.Args = c.args
	return out
}

type compiler struct {
	builder
	d *Definition
	q Question
}

// group is the SQL of the value split by.
func (c *compiler) group(fields fieldSet) string {
	if c.q.By == "" {
		return "''"
	}
	parts := make([]string, 0, 1+len(c.q.also))
	for _, by := range append([]string{c.q.By}, c.q.also...) {
		f, _ := fields.find(by)
		parts = append(parts, "coalesce("+c.text(f)+", '')")
	}
	return strings.Join(parts, " || chr(31) || ")
}

// head is the SQL of bucket and group, of facts or of a table of days.
func (c *compiler) head(fields fieldSet, days bool) string {
	day := "day"
	if !days {
		day = c.q.Period.localDay("occurred_at", c.q.Zone)
	}
	return fmt.Sprintf("%s AS bucket, %s AS grp", c.q.Period.cut(c.q.Granularity, day), c.group(fields))
}

// period is the SQL that keeps what lies in the period.
func (c *compiler) period(days bool) string {
	if days {
		return c.q.Period.withinDays("day")
	}
	return c.q.Period.within("occurred_at", c.q.Zone)
}

// answers: a histogram of scores, of which every figure of answers is made.
func (c *compiler) answers() Query {
	a := c.d.Answers
	days := c.daysAnswer([]string{"channel", "unit", "product", "trigger_event", "score"}, a.Where)
	table, n := "response", "count(*)"
	if days {
		table, n = "response_day", "sum(n)"
	}
	where := []string{
		"instrument = " + c.arg(a.Instrument), "item = " + c.arg(a.Item), "score IS NOT NULL", c.period(days),
		c.where(a.Where, responseFields), c.where(c.q.Where, responseFields),
	}
	if a.Trigger != "" {
		where = append(where, "trigger_event = "+c.arg(a.Trigger))
	}
	return Query{shape: histogram, Aggregates: days, SQL: fmt.Sprintf(
		`SELECT bucket, grp, score, CAST(%s AS BIGINT) AS n
FROM (SELECT *, %s FROM {%s} WHERE %s) f
GROUP BY bucket, grp, score`, n, c.head(responseFields, days), table, strings.Join(where, " AND "))}
}

// daysAnswer reports whether the daily aggregates hold all that is asked.
func (c *compiler) daysAnswer(columns []string, filters ...*Expr) bool {
	if !c.q.Days || c.q.By != "" && !slices.Contains(columns, c.q.By) {
		return false
	}
	for _, by := range c.q.also {
		if !slices.Contains(columns, by) {
			return false
		}
	}
	for _, f := range append(filters, c.q.Where) {
		if !f.onlyReads(columns) {
			return false
		}
	}
	return true
}

// onlyReads reports whether the filter names no other fields.
func (e *Expr) onlyReads(columns []string) bool {
	if e == nil {
		return true
	}
	for _, g := range [][]Expr{e.All, e.Any} {
		for i := range g {
			if !g[i].onlyReads(columns) {
				return false
			}
		}
	}
	return e.Not.onlyReads(columns) && (e.Field == "" || slices.Contains(columns, e.Field))
}

// facts is the SQL condition that keeps events of the part.
func (c *compiler) facts(e *Events) string {
	cond := []string{"name IN " + c.in(e.Names), c.where(e.Where, eventFields), c.where(c.q.Where, eventFields)}
	if e.Value == amountField {
		cond = append(cond, "currency = "+c.arg(string(c.d.Unit)))
	}
	return strings.Join(cond, " AND ")
}

// value is the SQL of what a part sums; 1 where it counts.
func (c *compiler) value(e *Events) string {
	if e.Value == "" {
		return c.float(1)
	}
	f, _ := eventFields.find(e.Value)
	return c.number(f)
}

func (c *compiler) eventMean() Query {
	e := c.d.Events
	return Query{shape: moments, SQL: fmt.Sprintf(
		`SELECT bucket, grp, count(*) AS n, sum(v) AS total, sum(v * v) AS squares
FROM (SELECT %s, %s AS v FROM {event} WHERE %s AND %s) f
WHERE v IS NOT NULL
GROUP BY bucket, grp`, c.head(eventFields, false), c.value(e), c.facts(e), c.period(false))}
}

// ratio: sums per customer, and the products of them over customers.
func (c *compiler) ratio() Query {
	part := func(e *Events, y, x string) string {
		return fmt.Sprintf("SELECT %s, customer_id, %s AS y, %s AS x FROM {event_customer} WHERE %s AND %s",
			c.head(eventFields, false), y, x, c.facts(e), c.period(false))
	}
	zero := c.float(0)
	return Query{shape: pairs, SQL: fmt.Sprintf(
		`WITH part AS (
%s
UNION ALL
%s
), cluster AS (
SELECT bucket, grp, customer_id, sum(y) AS y, sum(x) AS x FROM part WHERE y IS NOT NULL AND x IS NOT NULL GROUP BY bucket, grp, customer_id
)
SELECT bucket, grp, count(*) AS n, sum(y) AS y, sum(x) AS x, sum(y * y) AS yy, sum(x * x) AS xx, sum(x * y) AS xy
FROM cluster GROUP BY bucket, grp`,
		part(c.d.Num, c.value(c.d.Num), zero), part(c.d.Den, zero, c.value(c.d.Den)))}
}

// rate: how many of either.
func (c *compiler) rate() Query {
	days := len(c.d.Without) == 0 && c.daysAnswer([]string{"name", "channel", "unit"}, c.d.Num.Where, c.d.Den.Where)
	table, n := "event", "1"
	if days {
		table, n = "event_day", "n"
	}
	part := func(e *Events, hits, base string) string {
		return fmt.Sprintf("SELECT %s, %s AS hits, %s AS base FROM {%s e} WHERE %s AND %s",
			c.head(eventFields, days), hits, base, table, c.facts(e), c.period(days))
	}
	num := part(c.d.Num, n, "0")
	if len(c.d.Without) > 0 {
		num += fmt.Sprintf(" AND case_key <> '' AND case_key NOT IN (SELECT case_key FROM {event} WHERE name IN %s)", c.in(c.d.Without))
	}
	return Query{shape: shares, Aggregates: days, SQL: fmt.Sprintf(
		`SELECT bucket, grp, CAST(sum(hits) AS BIGINT) AS hits, CAST(sum(base) AS BIGINT) AS base
FROM (%s
UNION ALL
%s) f
GROUP BY bucket, grp`, num, part(c.d.Den, "0", n))}
}

func (c *compiler) count() Query {
	e := c.d.Events
	if s := c.d.subject(); s != "" {
		table, column := subjectOf(s)
		return Query{shape: tallies, SQL: fmt.Sprintf(
			`SELECT bucket, grp, count(DISTINCT %s) AS n
FROM (SELECT %s, %s FROM {%s} WHERE %s AND %s) f
GROUP BY bucket, grp`, column, c.head(eventFields, false), column, table, c.facts(e), c.subjectKnown(s)+c.period(false))}
	}
	days := c.daysAnswer([]string{"name", "channel", "unit"}, e.Where)
	table, n := "event", "count(*)"
	if days {
		table, n = "event_day", "sum(n)"
	}
	return Query{shape: tallies, Aggregates: days, SQL: fmt.Sprintf(
		`SELECT bucket, grp, CAST(%s AS BIGINT) AS n
FROM (SELECT *, %s FROM {%s} WHERE %s AND %s) f
GROUP BY bucket, grp`, n, c.head(eventFields, days), table, c.facts(e), c.period(days))}
}

// subjectOf names the table and the column that tell subjects apart.
func subjectOf(s Subject) (table, column string) {
	if s == ByCase {
		return "event", "case_key"
	}
	return "event_customer", "customer_id"
}

// subjectKnown is the SQL that leaves out events without a case.
func (c *compiler) subjectKnown(s Subject) string {
	if s == ByCase {
		return "case_key <> '' AND "
	}
	return ""
}

// starts is the SQL of the first starting event of each subject in each bucket.
func (c *compiler) starts() string {
	table, column := subjectOf(c.d.subject())
	return fmt.Sprintf(`SELECT bucket, grp, subject, began FROM (
SELECT *, row_number() OVER (PARTITION BY bucket, subject ORDER BY began, log_partition, log_seq, log_index) AS place FROM (
SELECT %s, %s AS subject, occurred_at AS began, log_partition, log_seq, log_index FROM {%s} WHERE %s%s AND %s AND occurred_at <= %s
) e) r WHERE place = 1`,
		c.head(eventFields, false), column, table, c.subjectKnown(c.d.subject()), c.facts(c.d.From), c.period(false), warehouse.Timestamp(c.q.AsOf))
}

// ends is the SQL of events that may end what began in the period, at most
// reach later (0 for ever).
func (c *compiler) ends(cond string, reach time.Duration) string {
	table, column := subjectOf(c.d.subject())
	from, to := c.q.Period.bounds()
	until := c.q.AsOf
	if reach > 0 && to.Add(reach).Before(until) {
		until = to.Add(reach)
	}
	return fmt.Sprintf("SELECT %s AS subject, occurred_at AS ended FROM {%s} WHERE %s%s AND occurred_at >= %s AND occurred_at <= %s",
		column, table, c.subjectKnown(c.d.subject()), cond, warehouse.Timestamp(from), warehouse.Timestamp(until))
}

// endCondition keeps the ending events. The question's own filter narrows where
// things begin, not where they end.
func (c *compiler) endCondition(e *Events) string {
	return "name IN " + c.in(e.Names) + " AND " + c.where(e.Where, eventFields)
}

// after is the comparison of an end with its beginning: an event does not end
// what it began.
func (c *compiler) after() string {
	for _, n := range c.d.To.Names {
		if slices.Contains(c.d.From.Names, n) {
			return ">"
		}
	}
	return ">="
}

// conversion: subjects whose time was over, and how many of them made it.
func (c *compiler) conversion() Query {
	within := time.Duration(c.d.Within)
	interval := fmt.Sprintf("INTERVAL '%d seconds'", int64(within.Seconds()))
	inTime := fmt.Sprintf(" AND g.ended <= s.began + %s", interval)
	with := fmt.Sprintf("WITH start AS (\n%s\n), goal AS (\n%s\n), ended AS (\n%s\n)",
		c.starts(), c.ends(c.endCondition(c.d.To), within), firstEnds("goal", c.after(), inTime))
	from, made := "ended", "done IS NOT NULL"
	if len(c.d.Without) > 0 {
		with += fmt.Sprintf(", spoiler AS (\n%s\n), spoilt AS (\n%s\n)",
			c.ends("name IN "+c.in(c.d.Without), within), firstEnds("spoiler", ">=", inTime))
		from = `(SELECT e.bucket, e.grp, e.began, e.done, x.done AS spoilt
FROM ended e JOIN spoilt x ON x.bucket = e.bucket AND x.subject = e.subject) f`
		made += " AND spoilt IS NULL"
	}
	hit, miss := 1, 0
	if c.d.Fail {
		hit, miss = 0, 1
	}
	return Query{shape: shares, SQL: fmt.Sprintf(`%s
SELECT bucket, grp, CAST(sum(CASE WHEN %s THEN %d ELSE %d END) AS BIGINT) AS hits, count(*) AS base
FROM %s WHERE began + %s <= %s
GROUP BY bucket, grp`, with, made, hit, miss, from, interval, warehouse.Timestamp(c.q.AsOf))}
}

// firstEnds is the SQL of the first end, or none, of what started. A join and a
// minimum, since engines turn neither into a loop over all pairs, as they may
// with EXISTS.
func firstEnds(table, after, cond string) string {
	return fmt.Sprintf(`SELECT s.bucket, s.grp, s.subject, s.began, min(g.ended) AS done
FROM start s LEFT JOIN %s g ON g.subject = s.subject AND g.ended %s s.began%s
GROUP BY s.bucket, s.grp, s.subject, s.began`, table, after, cond)
}

// duration: how long each took, or has taken so far.
func (c *compiler) duration() Query {
	return Query{shape: durations, SQL: fmt.Sprintf(`WITH start AS (
%s
), goal AS (
%s
), ended AS (
%s
)
SELECT bucket, grp, %s AS seconds, CASE WHEN done IS NULL THEN 0 ELSE 1 END AS closed, count(*) AS n
FROM ended GROUP BY bucket, grp, seconds, closed`,
		c.starts(), c.ends(c.endCondition(c.d.To), 0), firstEnds("goal", c.after(), ""),
		c.dialect.Seconds("began", "coalesce(done, "+warehouse.Timestamp(c.q.AsOf)+")"))}
}
