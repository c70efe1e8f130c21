package warehouse

import (
	"context"
	"fmt"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

// OldComments counts the comments of the scope's entity that were given before t.
func (w *Warehouse) OldComments(ctx context.Context, t time.Time) (n int64, err error) {
	s, ok := scope.From(ctx)
	if !ok {
		return 0, errs.Denied("warehouse.error.scope", "counting comments needs a scope")
	}
	err = w.engine.Reader().QueryRowContext(ctx, `SELECT count(*) FROM warehouse.response WHERE entity = $1 AND occurred_at < $2 AND comment IS NOT NULL`,
		s.Entity, instant(t.UnixMicro())).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count old comments: %w", err)
	}
	return n, nil
}

// ForgetComments removes the words of answers that were given before t; scores
// stay. It gives their number.
func (w *Warehouse) ForgetComments(ctx context.Context, t time.Time) (int64, error) {
	n, err := w.OldComments(ctx, t)
	if err != nil || n == 0 {
		return 0, err
	}
	s, _ := scope.From(ctx)
	err = w.inTx(ctx, func(tx writeTx) error {
		return tx.Exec(ctx, `UPDATE warehouse.response SET comment = NULL WHERE entity = $1 AND occurred_at < $2 AND comment IS NOT NULL`, s.Entity, instant(t.UnixMicro()))
	})
	if err != nil {
		return 0, fmt.Errorf("forget old comments: %w", err)
	}
	return n, nil
}
