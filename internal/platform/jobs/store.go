package jobs

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, fmt.Errorf("jobs: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("jobs: %w", err)
	}
	return n, nil
}

func insert(ctx context.Context, tx store.Tx, r *row) (bool, error) {
	n, err := affected(tx.NewInsert().Model(r).On("CONFLICT (entity, unique_key) DO NOTHING").Exec(ctx))
	return n > 0, err
}

func get(ctx context.Context, tx store.Tx, id string) (r row, err error) {
	err = tx.NewSelect().Model(&r).Where("id = ? AND entity = ?", id, tx.Scope.Entity).Scan(ctx)
	return r, err
}

func list(ctx context.Context, tx store.Tx, f Filter) (rows []row, err error) {
	q := tx.NewSelect().Model(&rows).ExcludeColumn("checkpoint").Where("entity = ?", tx.Scope.Entity).Order("id DESC").Limit(int64(f.Limit))
	if f.Kind != "" {
		q = q.Where("kind = ?", f.Kind)
	}
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if f.After != "" {
		q = q.Where("id < ?", f.After)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("jobs: list: %w", err)
	}
	return rows, nil
}

func cancelQueued(ctx context.Context, tx store.Tx, id string) (int64, error) {
	return affected(tx.NewUpdate().Model((*row)(nil)).Set("state = ?, ended = ?, unique_key = NULL", Cancelled, tx.Now()).
		Where("id = ? AND entity = ? AND state = ?", id, tx.Scope.Entity, Queued).Exec(ctx))
}

func cancelRunning(ctx context.Context, tx store.Tx, id string) (int64, error) {
	return affected(tx.NewUpdate().Model((*row)(nil)).Set("stop = TRUE").
		Where("id = ? AND entity = ? AND state = ?", id, tx.Scope.Entity, Running).Exec(ctx))
}

func restart(ctx context.Context, tx store.Tx, id string) (int64, error) {
	return affected(tx.NewUpdate().Model((*row)(nil)).
		Set("state = ?, due = ?, attempts = 0, stop = FALSE, ended = NULL, error_key = '', error_text = ''", Queued, tx.Now()).
		Where("id = ? AND entity = ? AND state IN (?)", id, tx.Scope.Entity, bun.List([]State{Cancelled, Failed})).Exec(ctx))
}

func purge(ctx context.Context, tx store.Tx, before store.Micros) (int64, error) {
	return affected(tx.NewDelete().Model((*row)(nil)).Where("entity = ? AND ended < ?", tx.Scope.Entity, before).Exec(ctx))
}

// due takes jobs of the kinds that wait and whose time has come, or whose
// runner's lease has ended, of any entity.
func due(ctx context.Context, tx store.Tx, kinds []string, limit int) (rows []row, err error) {
	err = tx.NewRaw("SELECT * FROM jobs_job WHERE state IN (?) AND due <= ? AND kind IN (?) ORDER BY due LIMIT ?"+tx.Engine.SkipLocked(),
		bun.List([]State{Queued, Running}), tx.Now(), bun.List(kinds), limit).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("jobs: due: %w", err)
	}
	return rows, nil
}

// save writes the whole row if it is still under the fence.
func save(ctx context.Context, tx store.Tx, r *row, fence int64) (bool, error) {
	n, err := affected(tx.NewUpdate().Model(r).ExcludeColumn("stop").WherePK().Where("fence = ?", fence).Exec(ctx))
	return n > 0, err
}

// renew prolongs the lease of a running job and reads whether it shall stop.
func renew(ctx context.Context, tx store.Tx, r *row, until store.Micros) (held, stop bool, err error) {
	n, err := affected(tx.NewUpdate().Model((*row)(nil)).Set("due = ?", until).
		Where("id = ? AND fence = ? AND state = ?", r.ID, r.Fence, Running).Exec(ctx))
	if err != nil || n == 0 {
		return false, false, err
	}
	err = tx.NewSelect().Model((*row)(nil)).Column("stop").Where("id = ?", r.ID).Scan(ctx, &stop)
	return true, stop, err
}

// note writes progress, and with it a checkpoint unless that is nil.
func note(ctx context.Context, tx store.Tx, r *row, p Progress, checkpoint []byte) (held bool, err error) {
	q := tx.NewUpdate().Model((*row)(nil)).Set("done = ?, total = ?, note = ?", p.Done, p.Total, p.Note).
		Where("id = ? AND fence = ? AND state = ?", r.ID, r.Fence, Running)
	if checkpoint != nil {
		q = q.Set("checkpoint = ?, attempts = 1", string(checkpoint))
	}
	n, err := affected(q.Exec(ctx))
	return n > 0, err
}
