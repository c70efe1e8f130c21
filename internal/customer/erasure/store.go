package erasure

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/customer/identity"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

func insert(ctx context.Context, tx store.Tx, r *row) error {
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("order an erasure: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx store.Tx, r *row, columns ...string) error {
	if _, err := tx.NewUpdate().Model(r).Column(columns...).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("erasure %s: %w", r.ID, err)
	}
	return nil
}

func get(ctx context.Context, tx store.Tx, id string) (r row, err error) {
	err = tx.NewSelect().Model(&r).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) {
		return r, errs.NotFound("customer.erasure.error.not_found", "there is no erasure %s", id)
	}
	if err != nil {
		return r, fmt.Errorf("erasure: %w", err)
	}
	return r, nil
}

func list(ctx context.Context, tx store.Tx, after string, limit int) (rows []row, err error) {
	q := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity)
	if after != "" {
		q = q.Where("id < ?", after)
	}
	if err := q.Order("id DESC").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("erasures: %w", err)
	}
	return rows, nil
}

// heldErasures are those that wait for a hold to end.
func heldErasures(ctx context.Context, tx store.Tx) (rows []row, err error) {
	if err := tx.NewSelect().Model(&rows).Where("entity = ? AND state IN (?, ?)", tx.Scope.Entity, Held, Running).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("erasures that wait: %w", err)
	}
	return rows, nil
}

func standingHolds(ctx context.Context, tx store.Tx, records []string) (out []Hold, err error) {
	err = tx.NewSelect().Model(&out).Where("entity = ? AND record_id IN (?) AND until IS NULL", tx.Scope.Entity, bun.List(records)).Order("since", "id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("holds: %w", err)
	}
	return out, nil
}

func allHolds(ctx context.Context, tx store.Tx, limit int) (out []Hold, err error) {
	err = tx.NewSelect().Model(&out).Where("entity = ? AND until IS NULL", tx.Scope.Entity).Order("review_at", "id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("holds: %w", err)
	}
	return out, nil
}

func insertHold(ctx context.Context, tx store.Tx, h *Hold) error {
	if _, err := tx.NewInsert().Model(h).On("CONFLICT (entity, record_id, id) DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("hold: %w", err)
	}
	return nil
}

func endHold(ctx context.Context, tx store.Tx, id string) (int64, error) {
	res, err := tx.NewUpdate().Model((*Hold)(nil)).Set("until = ?", tx.Now()).Set("ended_by = ?", tx.Scope.Actor).
		Where("entity = ? AND id = ? AND until IS NULL", tx.Scope.Entity, id).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("end a hold: %w", err)
	}
	return res.RowsAffected()
}

// allSystems are the systems whose ids records have.
func allSystems(ctx context.Context, tx store.Tx) (out []string, err error) {
	err = tx.NewSelect().Model((*identity.Record)(nil)).ColumnExpr("DISTINCT system").Where("entity = ?", tx.Scope.Entity).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("systems: %w", err)
	}
	return out, nil
}

// traitsOf gives what the records say of their person, as JSON.
func traitsOf(ctx context.Context, tx store.Tx, box *sealed.Box, records []string) (out []string, err error) {
	var rows []identity.Traits
	if err := tx.NewSelect().Model(&rows).Where("entity = ? AND record_id IN (?)", tx.Scope.Entity, bun.List(records)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("traits: %w", err)
	}
	if err := box.Open(ctx, tx, &rows); err != nil {
		return nil, err
	}
	for _, r := range rows {
		out = append(out, r.Traits.Plain)
	}
	return out, nil
}
