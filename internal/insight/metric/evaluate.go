package metric

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/warehouse"
)

// Facts is what the registry needs of the warehouse.
type Facts interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	Dialect() warehouse.Dialect
	Zone(entity string) *time.Location
	Clock() clock.Clock
}

// Ask is a question as people and programs put it.
type Ask struct {
	Period      Period
	Granularity Granularity
	By          string // dimension of the definition, "" for none
	Where       *Expr  // further filter, nil for none
	// Level of the intervals, 0 for 95 %.
	Level float64
	// FactsOnly leaves the daily aggregates aside; for checks.
	FactsOnly bool
}

// Result is a metric over a period. Nothing in it stands without its interval,
// its n and the version of its definition.
type Result struct {
	Metric      string      `json:"metric"`
	Version     int         `json:"version"`
	Unit        Unit        `json:"unit"`
	Direction   Direction   `json:"direction"`
	Period      Period      `json:"period"`
	Granularity Granularity `json:"granularity"`
	By          string      `json:"by,omitempty"`
	Zone        string      `json:"zone"`
	Level       float64     `json:"level"`
	MinN        int64       `json:"min_n"`
	// AsOf is the moment at which conversions and durations were judged.
	AsOf time.Time `json:"as_of"`
	// Latest is when the feeds of the metric last delivered; zero when never.
	Latest time.Time `json:"latest"`
	// Stale tells that the promise of freshness is broken.
	Stale bool `json:"stale"`
	// Source is "aggregates" or "facts".
	Source string  `json:"source"`
	Points []Point `json:"points"`
}

// evaluate computes a valid definition.
func evaluate(ctx context.Context, facts Facts, d *Definition, version int, ask Ask) (*Result, error) {
	s, ok := scope.From(ctx)
	if !ok {
		return nil, errs.Denied("metric.error.scope", "a metric is computed within a scope")
	}
	q, err := question(d, facts.Zone(s.Entity), ask)
	if err != nil {
		return nil, err
	}
	now := facts.Clock().Now()
	out := &Result{Metric: d.ID, Version: version, Unit: d.Unit, Direction: d.Direction, Period: ask.Period, Granularity: ask.Granularity,
		By: ask.By, Zone: q.Zone.String(), Level: level(ask.Level), MinN: d.MinN, Source: "facts"}
	horizon, err := readFreshness(ctx, facts, d, out)
	if err != nil {
		return nil, err
	}
	out.Stale = d.stale(now, out.Latest)
	if q.AsOf = now; !horizon.IsZero() && horizon.Before(now) {
		q.AsOf = horizon
	}
	out.AsOf = q.AsOf
	query := Compile(facts.Dialect(), d, q)
	if query.Aggregates {
		out.Source = "aggregates"
	}
	rows, err := facts.Query(ctx, query.SQL, query.Args...)
	if err != nil {
		return nil, fmt.Errorf("compute metric %s: %w", d.ID, err)
	}
	cells, err := fold(ctx, rows, query.shape)
	if err != nil {
		return nil, fmt.Errorf("compute metric %s: %w", d.ID, err)
	}
	out.Points = d.points(q, cells, ask.Level)
	return out, nil
}

// stale reports whether the promise of freshness is broken.
func (d *Definition) stale(now, latest time.Time) bool {
	return d.Fresh > 0 && now.Sub(latest) > time.Duration(d.Fresh)
}

func level(l float64) float64 {
	if l == 0 {
		return 0.95
	}
	return l
}

// question checks what was asked against the definition.
func question(d *Definition, entityZone *time.Location, ask Ask) (Question, error) {
	q := Question{Period: ask.Period, Granularity: ask.Granularity, By: ask.By, Where: ask.Where, Zone: entityZone}
	if err := ask.Period.Validate(ask.Granularity); err != nil {
		return q, err
	}
	if ask.Level != 0 && !(ask.Level >= 0.5 && ask.Level < 1) {
		return q, errs.Invalid("metric.error.level", "level", "the level of an interval lies between 0.5 and 1")
	}
	if ask.By != "" && !d.splits(ask.By) {
		return q, errs.Invalid("metric.error.by", "by", "metric %s is not split by %q", d.ID, ask.By)
	}
	fields := eventFields
	if d.Answers != nil {
		fields = responseFields
	}
	if err := ask.Where.validate(fields, 0); err != nil {
		return q, errs.Invalid("metric.error.where", "where", "%v", err)
	}
	if d.Zone != "" {
		zone, err := time.LoadLocation(d.Zone)
		if err != nil {
			return q, fmt.Errorf("zone of metric %s: %w", d.ID, err)
		}
		q.Zone = zone
	}
	q.Days = !ask.FactsOnly && q.Zone.String() == entityZone.String()
	return q, nil
}

// splits reports whether the definition may be split by the dimension.
func (d *Definition) splits(by string) bool {
	for _, dim := range d.Dims {
		if dim == by {
			return true
		}
	}
	return false
}

// readFreshness fills in the last arrival of the metric's feeds, and gives the
// last instant at which its sources said that anything happened: what is open
// then is open, whatever the clock says now.
func readFreshness(ctx context.Context, facts Facts, d *Definition, out *Result) (horizon time.Time, err error) {
	b := builder{dialect: facts.Dialect()}
	var query string
	if a := d.Answers; a != nil {
		query = fmt.Sprintf("SELECT max(latest), NULL FROM {response_day} WHERE instrument = %s AND item = %s", b.arg(a.Instrument), b.arg(a.Item))
	} else {
		names := b.in(d.eventNames())
		query = fmt.Sprintf(`SELECT max(CASE WHEN name IN %[1]s THEN latest END), max(last_at)
FROM {feed} WHERE source IN (SELECT source FROM {feed f} WHERE name IN %[1]s)`, names)
	}
	rows, err := facts.Query(ctx, query, b.args...)
	if err != nil {
		return horizon, fmt.Errorf("read freshness of metric %s: %w", d.ID, err)
	}
	defer rows.Close()
	var latest, last sql.NullTime
	for rows.Next() {
		if err := rows.Scan(&latest, &last); err != nil {
			return horizon, fmt.Errorf("read freshness of metric %s: %w", d.ID, err)
		}
	}
	out.Latest = latest.Time
	return last.Time, rows.Err()
}

// scopeEntity is the entity of the context's scope, "" where there is none.
func scopeEntity(ctx context.Context) string {
	s, _ := scope.From(ctx)
	return s.Entity
}
