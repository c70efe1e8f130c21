package conform

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

type summaryRow struct {
	bun.BaseModel `bun:"table:journey_conformance"`
	Entity        string `bun:",pk"`
	Journey       string `bun:",pk"`
	Version       int
	Body          json.RawMessage
	ComputedAt    store.Micros
}

type taskRow struct {
	bun.BaseModel `bun:"table:journey_refresh"`
	Entity        string `bun:",pk"`
	Task          string `bun:",pk"`
	Journey       string
	Reason        Reason
	Version       int
	Body          json.RawMessage
	Owner         string
	FoundAt       store.Micros
	ClosedAt      store.Micros `bun:",nullzero"`
	ClosedBy      string
	Outcome       string
}

func putSummary(ctx context.Context, tx store.Tx, r *summaryRow) error {
	_, err := tx.NewInsert().Model(r).On("CONFLICT (entity, journey) DO UPDATE").Set("version = EXCLUDED.version").Set("body = EXCLUDED.body").
		Set("computed_at = EXCLUDED.computed_at").Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep the conformance of %s: %w", r.Journey, err)
	}
	return nil
}

func summaries(ctx context.Context, tx store.Tx) ([]summaryRow, error) {
	var rows []summaryRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("journey").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read conformance: %w", err)
	}
	return rows, nil
}

// addTask opens a task unless one for the same journey and reason is open.
func addTask(ctx context.Context, tx store.Tx, r *taskRow) (bool, error) {
	res, err := tx.NewInsert().Model(r).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("open a task for %s: %w", r.Journey, err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func tasks(ctx context.Context, tx store.Tx, open bool) ([]taskRow, error) {
	var rows []taskRow
	q := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("found_at DESC", "task").Limit(500)
	if open {
		q = q.Where("closed_at IS NULL")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read tasks: %w", err)
	}
	return rows, nil
}

// closeTask ends a task; false when none is open.
func closeTask(ctx context.Context, tx store.Tx, id, outcome string) (string, bool, error) {
	var r taskRow
	err := tx.NewSelect().Model(&r).Where("entity = ? AND task = ? AND closed_at IS NULL", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("task %s: %w", id, err)
	}
	r.ClosedAt, r.ClosedBy, r.Outcome = tx.Now(), tx.Scope.Actor, outcome
	if _, err := tx.NewUpdate().Model(&r).WherePK().Exec(ctx); err != nil {
		return "", false, fmt.Errorf("close task %s: %w", id, err)
	}
	return r.Journey, true, nil
}
