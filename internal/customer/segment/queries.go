package segment

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"omote/analytics/rule"
	"omote/internal/platform/warehouse"
)

// Facts is what segments need of the warehouse.
type Facts interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	Dialect() warehouse.Dialect
	Position(ctx context.Context, partition int) (uint64, error)
}

// factsQuery reads the facts that a set listens to, up to the log positions, of
// the records whose id begins with $1 and comes after $2, record by record. Each
// record has at least one row; one without a kind holds no fact.
func factsQuery(d warehouse.Dialect, set *rule.Set, positions map[int]uint64) string {
	var upto []string
	for _, p := range sortedKeys(positions) {
		upto = append(upto, fmt.Sprintf("(e.log_partition = %d AND e.log_seq <= %d)", p, positions[p]))
	}
	record := "CAST(e.record_id AS VARCHAR)"
	base := "FROM {event e} WHERE starts_with(" + record + ", $1) AND " + record + " > $2 AND (" + strings.Join(upto, " OR ") + ")"
	names, any := set.Names(), false
	var kinds []string
	if i := slices.Index(names, rule.Any); i >= 0 {
		names, any = slices.Delete(names, i, i+1), true
	}
	if i := slices.Index(names, rule.Profile); i >= 0 {
		names = slices.Delete(names, i, i+1)
		kinds = append(kinds, "e.kind = 'identify'")
	}
	for i := range names {
		names[i] = warehouse.Literal(names[i])
	}
	switch {
	case any:
		kinds = append(kinds, "e.kind IN ('track', 'page', 'screen')")
	case len(names) > 0:
		kinds = append(kinds, "(e.kind IN ('track', 'page', 'screen') AND e.name IN ("+strings.Join(names, ", ")+"))")
	}
	if len(kinds) == 0 {
		kinds = append(kinds, "FALSE")
	}
	var ignored []string
	for _, n := range Operational {
		ignored = append(ignored, warehouse.Literal(n))
	}
	base += " AND e.name NOT IN (" + strings.Join(ignored, ", ") + ")"
	return `SELECT * FROM (
SELECT ` + record + ` AS record, ` + d.Micros("least(e.occurred_at, e.received_at)") + ` AS us, e.kind, e.name, e.journey, e.case_key, e.channel, e.unit, e.product, e.outcome,
  e.currency, coalesce(e.amount, 0) AS amount, coalesce(CAST(e.props AS VARCHAR), '') AS props ` + base + ` AND (` + strings.Join(kinds, " OR ") + `)
UNION ALL
SELECT DISTINCT ` + record + `, 0, '', '', '', '', '', '', '', '', '', 0, '' ` + base + `) f ORDER BY record`
}

// factRow is one row of factsQuery; it gives its properties to rules.
type factRow struct {
	record, kind, name string
	at                 int64
	columns            map[string]string
	amount             int64
	props              string
	parsed             *fastjson.Value
}

func (f *factRow) scan(rows *sql.Rows) error {
	var journey, caseKey, channel, unit, product, outcome, currency string
	err := rows.Scan(&f.record, &f.at, &f.kind, &f.name, &journey, &caseKey, &channel, &unit, &product, &outcome, &currency, &f.amount, &f.props)
	if f.kind == "identify" {
		f.name = rule.Profile
	}
	f.columns = map[string]string{"journey": journey, "case": caseKey, "channel": channel, "unit": unit, "product": product, "outcome": outcome, "currency": currency}
	return err
}

func (f *factRow) get(name string) *fastjson.Value {
	if f.parsed == nil {
		var err error
		if f.parsed, err = fastjson.Parse(f.props); err != nil || f.parsed.Type() != fastjson.TypeObject {
			f.parsed = fastjson.MustParse("{}")
		}
	}
	return f.parsed.Get(name)
}

// Text implements rule.Props.
func (f *factRow) Text(name string) (string, bool) {
	if v, column := f.columns[name]; column {
		return v, v != ""
	}
	if name == rule.Amount {
		return "", false
	}
	return propText(f.get(name))
}

// Number implements rule.Props.
func (f *factRow) Number(name string) (float64, bool) {
	if name == rule.Amount {
		return float64(f.amount), f.columns["currency"] != ""
	}
	if _, column := f.columns[name]; column {
		return 0, false
	}
	return propNumber(f.get(name))
}

func propText(v *fastjson.Value) (string, bool) {
	switch {
	case v == nil || v.Type() == fastjson.TypeNull:
		return "", false
	case v.Type() == fastjson.TypeString:
		return string(v.GetStringBytes()), true
	}
	return v.String(), true
}

func propNumber(v *fastjson.Value) (float64, bool) {
	if v == nil || v.Type() != fastjson.TypeNumber {
		return 0, false
	}
	return v.GetFloat64(), true
}

// Counts of a rule over the warehouse.
type Counts struct {
	Customers int64 // whom the bank knows by any fact
	Members   int64
	Unknown   int64 // of whom the rule cannot be told
}

// countRule counts a rule as of an instant (Unix microseconds).
func countRule(ctx context.Context, f Facts, p *rule.Program, now int64) (c Counts, err error) {
	q := p.SQL(f.Dialect(), now, Operational)
	rows, err := f.Query(ctx, "SELECT count(*), coalesce(sum(CASE WHEN answer THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN answer IS NULL THEN 1 ELSE 0 END), 0) FROM ("+q.Text+") q", q.Args...)
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		var n, m, u sql.NullFloat64
		if err := rows.Scan(&n, &m, &u); err != nil {
			return c, fmt.Errorf("count a rule: %w", err)
		}
		c = Counts{int64(n.Float64), int64(m.Float64), int64(u.Float64)}
	}
	return c, rows.Err()
}

// answers gives what a rule says of every customer as of an instant.
func answers(ctx context.Context, f Facts, p *rule.Program, now int64) (map[string]rule.Answer, error) {
	q := p.SQL(f.Dialect(), now, Operational)
	rows, err := f.Query(ctx, "SELECT CAST(customer_id AS VARCHAR), answer FROM ("+q.Text+") q", q.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]rule.Answer{}
	for rows.Next() {
		var id string
		var a sql.NullBool
		if err := rows.Scan(&id, &a); err != nil {
			return nil, fmt.Errorf("answer a rule: %w", err)
		}
		switch {
		case !a.Valid:
			out[id] = rule.Unknown
		case a.Bool:
			out[id] = rule.Yes
		default:
			out[id] = rule.No
		}
	}
	return out, rows.Err()
}

// sample gives a few customers for whom a rule holds. Their ids are pseudonyms, so
// the first are as good as any.
func sample(ctx context.Context, f Facts, p *rule.Program, now int64, n int) (ids []string, err error) {
	q := p.SQL(f.Dialect(), now, Operational)
	rows, err := f.Query(ctx, "SELECT CAST(customer_id AS VARCHAR) AS id FROM ("+q.Text+") q WHERE answer ORDER BY id LIMIT "+strconv.Itoa(n), q.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("sample a rule: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
