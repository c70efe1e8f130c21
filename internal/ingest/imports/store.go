package imports

import (
	"context"
	"fmt"

	"omote/internal/ingest/quarantine"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

func find(ctx context.Context, tx store.Tx, id string) (*Import, error) {
	var im Import
	err := tx.NewSelect().Model(&im).Where("id = ? AND entity = ?", id, tx.Scope.Entity).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, errs.NotFound("import.error.not_found", "there is no import %s", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read import %s: %w", id, err)
	}
	return &im, nil
}

func insert(ctx context.Context, tx store.Tx, im *Import) error {
	if _, err := tx.NewInsert().Model(im).Exec(ctx); err != nil {
		return fmt.Errorf("store import: %w", err)
	}
	return nil
}

// update writes the named columns, provided that the import is still in one of
// the states; otherwise somebody paused, cancelled or finished it.
func update(ctx context.Context, tx store.Tx, im *Import, states []State, columns ...string) error {
	q := tx.NewUpdate().Model(im).Column(columns...).WherePK().Where("entity = ?", tx.Scope.Entity)
	if len(states) > 0 {
		q = q.Where("state IN (?)", inStates(states))
	}
	res, err := q.Exec(ctx)
	if err != nil {
		return fmt.Errorf("update import %s: %w", im.ID, err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		return errs.Conflict("import.error.state", "the import is not in a state for this").With("id", im.ID)
	}
	return nil
}

func list(ctx context.Context, tx store.Tx, after string, limit int) (out []Import, err error) {
	q := tx.NewSelect().Model(&out).Where("entity = ?", tx.Scope.Entity)
	if after != "" {
		q = q.Where("id < ?", after)
	}
	if err := q.Order("id DESC").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return out, nil
}

// waiting gives imports that a worker should run, oldest first.
func waiting(ctx context.Context, tx store.Tx) (out []Import, err error) {
	err = tx.NewSelect().Model(&out).Where("state IN (?)", inStates([]State{Queued, Reading, Settling})).Order("id ASC").Limit(20).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("find imports to run: %w", err)
	}
	return out, nil
}

// earlier says which rows of the same file were dealt with by other imports:
// all up to row upto, except those that still lie in quarantine.
type earlier struct {
	upto int64
	open map[int64]bool
}

func (e *earlier) has(row int64) bool { return row <= e.upto && !e.open[row] }

func sameFile(ctx context.Context, tx store.Tx, im *Import) (*earlier, error) {
	var others []Import
	err := tx.NewSelect().Model(&others).Where("entity = ? AND file_hash = ? AND id <> ? AND retry_of = ''", im.Entity, im.FileHash, im.ID).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("find imports of the same file: %w", err)
	}
	e := &earlier{open: map[int64]bool{}}
	for _, o := range others {
		e.upto = max(e.upto, o.ReadRows)
		var numbers []int64
		err := tx.NewSelect().Model((*quarantine.Row)(nil)).Column("row_number").
			Where("entity = ? AND import_id = ? AND state = ?", im.Entity, o.ID, quarantine.Open).Scan(ctx, &numbers)
		if err != nil {
			return nil, fmt.Errorf("find quarantined rows of the same file: %w", err)
		}
		for _, n := range numbers {
			e.open[n] = true
		}
	}
	return e, nil
}
