package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// CaseKey says what one run through a journey is.
type CaseKey uint8

const (
	// ByCase takes the case key that the event carries; events without one are
	// left out.
	ByCase CaseKey = iota
	// ByRecord takes the record: everything one record went through is one case.
	ByRecord
	// ByCustomer takes the customer, with merged records together.
	ByCustomer
)

// CaseFilter chooses events for journey mining. Empty fields do not filter.
type CaseFilter struct {
	Key     CaseKey
	Journey string
	Names   []string // of events
	From    time.Time
	To      time.Time // exclusive
	Channel string
	Unit    string
	Product string
	Import  string
	// With names further columns to return: channel, unit, product, outcome,
	// source, journey or case_key.
	With []string
	// Number names a number to return with each event: "amount", or a top-level
	// property that is a JSON number. Empty returns none.
	Number string
}

var extraColumns = []string{"channel", "unit", "product", "outcome", "source", "journey", "case_key"}

// CaseColumns are events as parallel integer slices: the events of a case stand
// side by side, in the order of the log. Ids are places in the dictionaries.
type CaseColumns struct {
	Case     []int32
	Activity []int32
	Time     []int64 // UTC microseconds
	// Extra holds one column for each name in CaseFilter.With.
	Extra []ExtraColumn
	// Numbers are those of CaseFilter.Number to the thousandth, NaN where an event
	// has none; nil when none was asked for.
	Numbers []float64

	Cases      []string // by id
	Activities []string // by id
}

// ExtraColumn is a further column with its dictionary; unknown is "".
type ExtraColumn struct {
	Name   string
	Names  []string
	Values []int32
}

// CaseColumns reads the events that the filter and the scope of ctx let through.
func (w *Warehouse) CaseColumns(ctx context.Context, f CaseFilter) (*CaseColumns, error) {
	q, err := newCaseQuery(w.Dialect(), f)
	if err != nil {
		return nil, err
	}
	out := &CaseColumns{}
	err = w.engine.Session(ctx, func(s session) error {
		dicts := make([][]string, len(q.keys))
		for i := range q.keys {
			if dicts[i], err = q.dictionary(ctx, s, i); err != nil {
				return err
			}
		}
		out.Cases, out.Activities = dicts[0], dicts[1]
		for i, name := range f.With {
			out.Extra = append(out.Extra, ExtraColumn{Name: name, Names: dicts[i+2]})
		}
		return q.events(ctx, s, out)
	})
	if err != nil {
		return nil, queryError(ctx, err)
	}
	return out, nil
}

// caseQuery holds the SQL of one reading: keys are the columns that are sent as
// numbers, the case first, the activity second.
type caseQuery struct {
	dialect  Dialect
	keys     []string
	filtered string // common table expression
	number   string // column of it, or empty
	args     []any
}

func newCaseQuery(d Dialect, f CaseFilter) (*caseQuery, error) {
	q := &caseQuery{dialect: d}
	table, key := "event", "case_key"
	switch f.Key {
	case ByRecord:
		key = "record_id"
	case ByCustomer:
		table, key = "event_customer", "customer_id"
	}
	q.keys = append([]string{key, "name"}, f.With...)
	for _, c := range f.With {
		if !slices.Contains(extraColumns, c) {
			return nil, fmt.Errorf("case columns cannot carry %q", c)
		}
	}
	var where []string
	add := func(cond string, arg any) {
		q.args = append(q.args, arg)
		where = append(where, fmt.Sprintf(cond, len(q.args)))
	}
	if f.Key == ByCase {
		where = append(where, "case_key <> ''")
	}
	for _, c := range []struct{ column, value string }{
		{"journey", f.Journey}, {"channel", f.Channel}, {"unit", f.Unit}, {"product", f.Product}, {"import_id", f.Import},
	} {
		if c.value != "" {
			add(c.column+" = $%d", c.value)
		}
	}
	if !f.From.IsZero() {
		add("occurred_at >= $%d", f.From.UTC())
	}
	if !f.To.IsZero() {
		add("occurred_at < $%d", f.To.UTC())
	}
	if len(f.Names) > 0 {
		var in []string
		for _, n := range f.Names {
			q.args = append(q.args, n)
			in = append(in, fmt.Sprintf("$%d", len(q.args)))
		}
		where = append(where, "name IN ("+strings.Join(in, ", ")+")")
	}
	if len(where) == 0 {
		where = []string{"true"}
	}
	number := ""
	if f.Number != "" {
		q.number, number = "number", d.PropNumber("props", f.Number)
		if f.Number == "amount" {
			number = "amount"
		}
		number = ", " + number + " AS number"
	}
	q.filtered = fmt.Sprintf("f AS (SELECT %s%s, occurred_at, log_partition, log_seq, log_index FROM {%s} WHERE %s)",
		strings.Join(q.keys, ", "), number, table, strings.Join(where, " AND "))
	return q, nil
}

// dictionary gives the values of key i in the order of their numbers.
func (q *caseQuery) dictionary(ctx context.Context, s session, i int) ([]string, error) {
	text, args, err := scoped(ctx, fmt.Sprintf(
		"WITH %s SELECT CAST(k AS VARCHAR) FROM (SELECT DISTINCT %s AS k FROM f) d ORDER BY k", q.filtered, q.keys[i]), q.args)
	if err != nil {
		return nil, err
	}
	rows, err := s.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return scanStrings(rows)
}

func scanStrings(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	var out []string
	var raw sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		out = append(out, string(raw))
	}
	return out, rows.Err()
}

// events reads the events as numbers, two ids to a column, and groups them.
func (q *caseQuery) events(ctx context.Context, s session, out *CaseColumns) error {
	text, args, err := scoped(ctx, q.numbers(), q.args)
	if err != nil {
		return err
	}
	packed := (len(q.keys) + 1) / 2
	width := packed + 2
	if q.number != "" {
		width++
	}
	var position []int64
	ids := make([][]int32, len(q.keys))
	err = s.Ints(ctx, width, text, args, func(row []int64) {
		for i := range ids {
			ids[i] = append(ids[i], int32(row[i/2]>>(32*(1-i%2))))
		}
		out.Time = append(out.Time, row[packed])
		position = append(position, row[packed+1])
		if q.number != "" {
			x := math.NaN()
			if v := row[packed+2]; v != noNumber {
				x = float64(v) / 1000
			}
			out.Numbers = append(out.Numbers, x)
		}
	})
	if err != nil {
		return err
	}
	order := groupByCase(ids[0], position, len(out.Cases))
	for i := range ids {
		ids[i] = reorder(ids[i], order)
	}
	out.Case, out.Activity, out.Time = ids[0], ids[1], reorder(out.Time, order)
	for i := range out.Extra {
		out.Extra[i].Values = ids[i+2]
	}
	if out.Numbers != nil {
		out.Numbers = reorder(out.Numbers, order)
	}
	return nil
}

// noNumber stands for a missing number, and one that thousandths cannot hold.
const noNumber = math.MinInt64

// numbers is the query of the events: packed pairs of ids, the instant, and the
// place in the log as partition (10 bits), sequence (42) and index (11).
func (q *caseQuery) numbers() string {
	var with, from strings.Builder
	var columns []string
	with.WriteString("WITH " + q.filtered)
	from.WriteString("FROM f")
	for i, k := range q.keys {
		fmt.Fprintf(&with, ",\nk%d AS (SELECT k, row_number() OVER (ORDER BY k) - 1 AS id FROM (SELECT DISTINCT %s AS k FROM f) d)", i, k)
		fmt.Fprintf(&from, " JOIN k%[1]d ON k%[1]d.k = f.%[2]s", i, k)
		if i%2 == 0 {
			columns = append(columns, fmt.Sprintf("k%d.id * 4294967296", i))
		} else {
			columns[i/2] += fmt.Sprintf(" + k%d.id", i)
		}
	}
	number := ""
	if q.number != "" {
		number = ", CASE WHEN abs(number) < 9e15 THEN CAST(round(number * 1000) AS BIGINT) ELSE (-9223372036854775807 - 1) END"
	}
	return fmt.Sprintf("%s\nSELECT %s, %s, CAST(log_partition AS BIGINT) * 9007199254740992 + log_seq * 2048 + log_index%s %s",
		with.String(), strings.Join(columns, ", "), q.dialect.Micros("occurred_at"), number, from.String())
}

// groupByCase gives the places of the events so that cases stand side by side
// and the events of each in the order of the log.
func groupByCase(cases []int32, position []int64, n int) []int32 {
	next := make([]int32, n+1)
	for _, c := range cases {
		next[c+1]++
	}
	for i := range n {
		next[i+1] += next[i]
	}
	starts := slices.Clone(next)
	order := make([]int32, len(cases))
	for i, c := range cases {
		order[next[c]] = int32(i)
		next[c]++
	}
	for c := range n {
		slices.SortFunc(order[starts[c]:starts[c+1]], func(a, b int32) int {
			switch {
			case position[a] < position[b]:
				return -1
			case position[a] > position[b]:
				return 1
			}
			return 0
		})
	}
	return order
}

func reorder[T any](xs []T, order []int32) []T {
	out := make([]T, len(order))
	for i, from := range order {
		out[i] = xs[from]
	}
	return out
}
