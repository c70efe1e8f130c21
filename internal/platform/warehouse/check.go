package warehouse

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

// Mismatch is a table of aggregates that does not say what the facts say.
type Mismatch struct {
	Table string
	// Keys is how many of its keys differ from full recomputation.
	Keys int64
}

// CheckAggregates recomputes the daily aggregates of the scope's entity from
// its facts and reports every table that differs. Counts must be equal; so must
// the last arrivals.
func (w *Warehouse) CheckAggregates(ctx context.Context) ([]Mismatch, error) {
	s, ok := scope.From(ctx)
	if !ok {
		return nil, errs.Denied("warehouse.error.scope", "checking aggregates needs a scope")
	}
	day, err := w.dayOfFacts(ctx, s.Entity)
	if err != nil {
		return nil, err
	}
	var found []Mismatch
	err = w.engine.Session(ctx, func(session session) error {
		for _, a := range aggregates {
			n, err := differences(ctx, session, a, day, s.Entity)
			if err != nil {
				return fmt.Errorf("check %s: %w", a.table, err)
			}
			if n > 0 {
				found = append(found, Mismatch{a.table, n})
			}
		}
		return nil
	})
	return found, err
}

// dayOfFacts is the SQL of a fact's local day, exact for all facts of the entity.
func (w *Warehouse) dayOfFacts(ctx context.Context, entity string) (string, error) {
	var from, to sql.NullTime
	if err := w.engine.Reader().QueryRowContext(ctx,
		`SELECT min(occurred_at), max(occurred_at) FROM warehouse.event WHERE entity = $1`, entity).Scan(&from, &to); err != nil {
		return "", fmt.Errorf("read the span of the facts: %w", err)
	}
	return fmt.Sprintf("CAST(%s AS DATE)", LocalTime("occurred_at", w.opt.Zone(entity), from.Time, to.Time.Add(time.Microsecond))), nil
}

// differences counts the keys of which the aggregate and the facts say
// different things, or of which only one of them knows.
func differences(ctx context.Context, s session, a aggregate, day, entity string) (int64, error) {
	held := fmt.Sprintf("SELECT %s, CAST(sum(n) AS BIGINT) AS n, max(latest) AS latest FROM warehouse.%s WHERE entity = $1 GROUP BY %s", a.keys, a.table, a.keys)
	facts := fmt.Sprintf("SELECT %s, count(*) AS n, max(received_at) AS latest FROM (SELECT *, %s AS day FROM warehouse.%s WHERE entity = $1) f GROUP BY %s", a.keys, day, a.facts, a.keys)
	rows, err := s.Query(ctx, fmt.Sprintf(
		"WITH held AS (%s), facts AS (%s) SELECT count(*) FROM ((SELECT * FROM held EXCEPT SELECT * FROM facts) UNION ALL (SELECT * FROM facts EXCEPT SELECT * FROM held)) d",
		held, facts), entity)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var n int64
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}

// Rebuild recomputes the aggregates of the scope's entity from its facts, as is
// needed when the entity's zone was changed.
func (w *Warehouse) Rebuild(ctx context.Context) error {
	s, ok := scope.From(ctx)
	if !ok {
		return errs.Denied("warehouse.error.scope", "rebuilding aggregates needs a scope")
	}
	w.write.Lock() // nothing may come in between reading the span and counting
	defer w.write.Unlock()
	day, err := w.dayOfFacts(ctx, s.Entity)
	if err != nil {
		return err
	}
	err = w.engine.Write(ctx, func(tx writeTx) error { return recount(ctx, tx, s.Entity, day) })
	if err != nil {
		return fmt.Errorf("rebuild aggregates of %s: %w", s.Entity, err)
	}
	return nil
}

// recount replaces the aggregates of an entity by what its facts say.
func recount(ctx context.Context, tx writeTx, entity, day string) error {
	for _, a := range aggregates {
		if err := tx.Exec(ctx, "DELETE FROM warehouse."+a.table+" WHERE entity = $1", entity); err != nil {
			return err
		}
		if err := tx.Exec(ctx, fmt.Sprintf(
			"INSERT INTO warehouse.%s (entity, %s, n, latest%s) SELECT entity, %s, count(*), max(received_at)%s FROM (SELECT *, %s AS day FROM warehouse.%s WHERE entity = $1) f GROUP BY entity, %s",
			a.table, a.keys, a.more, a.keys, a.moreOfFacts, day, a.facts, a.keys), entity); err != nil {
			return err
		}
	}
	return nil
}

// aggregate says which keys a table of aggregates has and which facts it counts.
type aggregate struct {
	table, facts, keys string
	daily              bool
	more, moreOfFacts  string // a further column, with its comma
}

var aggregates = []aggregate{
	{"event_day", "event", "day, name, channel, unit", true, "", ""},
	{"response_day", "response", "day, instrument, item, trigger_event, channel, unit, product, score", true, "", ""},
	{"feed", "event", "source, name", false, ", last_at", ", max(occurred_at)"},
}
