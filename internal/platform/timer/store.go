package timer

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

type row struct {
	bun.BaseModel `bun:"table:timer_timer"`

	Entity   string       `bun:",pk"`
	Kind     string       `bun:",pk"`
	ID       string       `bun:",pk"`
	Due      store.Micros `bun:",nullzero"`
	Payload  string
	Attempts int
	Error    string
}

func (r row) timer() Timer {
	return Timer{Kind: r.Kind, ID: r.ID, Due: r.Due.Time(), Payload: r.Payload, Entity: r.Entity, Attempts: r.Attempts}
}

func upsert(ctx context.Context, tx store.Tx, timers []Timer) error {
	n := len(timers)
	if n == 0 {
		return nil
	}
	entity, kind, id, payload, none := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	due, attempts := make([]store.Micros, n), make([]int64, n)
	for i, t := range timers {
		entity[i], kind[i], id[i], payload[i], due[i] = tx.Scope.Entity, t.Kind, t.ID, t.Payload, store.At(t.Due)
	}
	_, err := tx.Batch(ctx, "timer_timer", store.Upsert{Key: []string{"entity", "kind", "id"}, Set: store.Replace("due", "payload", "attempts", "error")},
		store.Col("entity", entity), store.Col("kind", kind), store.Col("id", id), store.Col("due", due), store.Col("payload", payload),
		store.Col("attempts", attempts), store.Col("error", none))
	if err != nil {
		return fmt.Errorf("set timers: %w", err)
	}
	return nil
}

func remove(ctx context.Context, tx store.Tx, entity, kind string, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.NewDelete().Model((*row)(nil)).Where("entity = ? AND kind = ? AND id IN (?)", entity, kind, bun.List(ids)).Exec(ctx); err != nil {
		return fmt.Errorf("take timers away: %w", err)
	}
	return nil
}

// take locks the timers that are due, the most overdue first.
func take(ctx context.Context, tx store.Tx, limit int) (rows []row, err error) {
	err = tx.NewRaw("SELECT entity, kind, id, due, payload, attempts, error FROM timer_timer WHERE due <= ? ORDER BY due LIMIT ?"+tx.Engine.SkipLocked(),
		tx.Now(), limit).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("find due timers: %w", err)
	}
	return rows, nil
}

func delay(ctx context.Context, tx store.Tx, r row, due store.Micros, reason string) error {
	r.Due, r.Error = due, reason[:min(len(reason), 500)]
	if _, err := tx.NewUpdate().Model(&r).Column("due", "attempts", "error").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("put a timer off: %w", err)
	}
	return nil
}

func stats(ctx context.Context, tx store.Tx) (s Stats, err error) {
	var oldest *store.Micros
	now := tx.Now()
	err = tx.NewRaw(`SELECT COUNT(due), COALESCE(SUM(CASE WHEN due <= ? THEN 1 ELSE 0 END), 0), COALESCE(SUM(CASE WHEN due IS NULL THEN 1 ELSE 0 END), 0),
		MIN(CASE WHEN due <= ? THEN due END) FROM timer_timer WHERE entity = ?`, now, now, tx.Scope.Entity).Scan(ctx, &s.Waiting, &s.Overdue, &s.GivenUp, &oldest)
	if err != nil {
		return s, fmt.Errorf("count timers: %w", err)
	}
	if oldest != nil {
		s.Oldest = oldest.Time()
	}
	return s, nil
}

func givenUp(ctx context.Context, tx store.Tx, limit int) (out []Failed, err error) {
	var rows []row
	if err := tx.NewSelect().Model(&rows).Where("entity = ? AND due IS NULL", tx.Scope.Entity).Order("kind", "id").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("timers given up: %w", err)
	}
	for _, r := range rows {
		out = append(out, Failed{Timer: r.timer(), Error: r.Error})
	}
	return out, nil
}
