package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

// Forget deletes every fact of the records and their links, within the scope's
// entity, and recounts the aggregates, all in one transaction. It is how an
// erasure reaches the warehouse, and how it is done again after a restore. The
// engine gives the space of deleted rows to new ones when it checkpoints
// (DuckDB) or vacuums (PostgreSQL). It returns how many facts were deleted.
func (w *Warehouse) Forget(ctx context.Context, records []uuid.UUID) (int64, error) {
	s, ok := scope.From(ctx)
	if !ok {
		return 0, errs.Denied("warehouse.error.scope", "forgetting records needs a scope")
	}
	w.write.Lock()
	defer w.write.Unlock()
	day, err := w.dayOfFacts(ctx, s.Entity)
	if err != nil {
		return 0, err
	}
	var deleted int64
	err = w.engine.Write(ctx, func(tx writeTx) error {
		for chunk := range slices.Chunk(records, 1000) {
			n, err := forget(ctx, tx, s.Entity, chunk)
			if err != nil {
				return err
			}
			deleted += n
		}
		return recount(ctx, tx, s.Entity, day)
	})
	if err != nil {
		return 0, fmt.Errorf("forget %d records: %w", len(records), err)
	}
	return deleted, nil
}

func forget(ctx context.Context, tx writeTx, entity string, records []uuid.UUID) (int64, error) {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = "'" + r.String() + "'"
	}
	where := " WHERE entity = $1 AND record_id IN (" + strings.Join(ids, ", ") + ")"
	n, err := tx.Int(ctx, "SELECT count(*) FROM warehouse.event"+where, entity)
	if err != nil {
		return 0, err
	}
	for _, t := range []string{"event", "response", "identity_link"} {
		if err := tx.Exec(ctx, "DELETE FROM warehouse."+t+where, entity); err != nil {
			return 0, err
		}
	}
	return n, nil
}
