package outbox

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

func insert(ctx context.Context, tx store.Tx, r *row) (bool, error) {
	n, err := affected(tx.NewInsert().Model(r).On("CONFLICT (customer_id, idempotency_key) DO NOTHING").Exec(ctx))
	return n > 0, err
}

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, fmt.Errorf("outbox: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("outbox: %w", err)
	}
	return n, nil
}

func idOfKey(ctx context.Context, tx store.Tx, customer, key string) (id string, err error) {
	err = tx.NewSelect().Model((*row)(nil)).Column("id").Where("customer_id = ? AND idempotency_key = ?", customer, key).Scan(ctx, &id)
	return id, err
}

func get(ctx context.Context, tx store.Tx, customer, id string) (r row, err error) {
	err = tx.NewSelect().Model(&r).Where("customer_id = ? AND id = ? AND entity = ?", customer, id, tx.Scope.Entity).Scan(ctx)
	return r, err
}

func void(ctx context.Context, tx store.Tx, s Selection, reason string) (int64, error) {
	q := tx.NewUpdate().Model((*row)(nil)).Set("state = ?, reason = ?, settled = ?", Void, reason, tx.Now()).
		Where("customer_id = ? AND entity = ? AND state = ?", s.CustomerID, tx.Scope.Entity, Pending)
	if s.Channel != "" {
		q = q.Where("channel = ?", s.Channel)
	}
	if s.Purpose != "" {
		q = q.Where("purpose = ?", s.Purpose)
	}
	return affected(q.Exec(ctx))
}

func resolve(ctx context.Context, tx store.Tx, customer, id string, state State, reason string) (int64, error) {
	return affected(tx.NewUpdate().Model((*row)(nil)).Set("state = ?, reason = ?, settled = ?", state, reason, tx.Now()).
		Where("customer_id = ? AND id = ? AND entity = ? AND state = ?", customer, id, tx.Scope.Entity, Unknown).Exec(ctx))
}

func list(ctx context.Context, tx store.Tx, state State, after string, limit int) (rows []row, err error) {
	q := tx.NewSelect().Model(&rows).ExcludeColumn("payload").Where("entity = ?", tx.Scope.Entity).Order("id DESC").Limit(int64(limit))
	if state != "" {
		q = q.Where("state = ?", state)
	}
	if after != "" {
		q = q.Where("id < ?", after)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("outbox: list: %w", err)
	}
	return rows, nil
}

func counts(ctx context.Context, tx store.Tx) (map[State]int64, error) {
	var rows []struct {
		State State
		N     int64
	}
	err := tx.NewSelect().Model((*row)(nil)).ColumnExpr("state, COUNT(*) AS n").Where("entity = ?", tx.Scope.Entity).Group("state").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("outbox: count: %w", err)
	}
	out := make(map[State]int64, len(States))
	for _, s := range States {
		out[s] = 0
	}
	for _, r := range rows {
		out[r.State] = r.N
	}
	return out, nil
}

func purge(ctx context.Context, tx store.Tx, before store.Micros) (int64, error) {
	return affected(tx.NewDelete().Model((*row)(nil)).
		Where("entity = ? AND settled < ? AND state IN (?)", tx.Scope.Entity, before, bun.List([]State{Sent, Failed, Void})).Exec(ctx))
}

// due takes the rows of the channels that wait and whose time has come, of any
// entity.
func due(ctx context.Context, tx store.Tx, channels []string, limit int) (rows []row, err error) {
	err = tx.NewRaw("SELECT * FROM outbox_message WHERE state = 'pending' AND due <= ? AND channel IN (?) ORDER BY due LIMIT ?"+tx.Engine.SkipLocked(),
		tx.Now(), bun.List(channels), limit).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("outbox: due messages: %w", err)
	}
	return rows, nil
}

// expired takes the rows of the channels whose claim ended without a result.
func expired(ctx context.Context, tx store.Tx, channels []string, limit int) (rows []row, err error) {
	err = tx.NewRaw("SELECT * FROM outbox_message WHERE state = 'claimed' AND lease_until < ? AND channel IN (?) ORDER BY lease_until LIMIT ?"+tx.Engine.SkipLocked(),
		tx.Now(), bun.List(channels), limit).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("outbox: expired claims: %w", err)
	}
	return rows, nil
}

// save writes what the steps change, if the row is still under the fence it was
// read with; ok tells whether it was.
func save(ctx context.Context, tx store.Tx, r *row, fence int64) (ok bool, err error) {
	n, err := affected(tx.NewUpdate().Model(r).
		Column("state", "reason", "due", "attempts", "fence", "claimed_by", "first_claim", "lease_until", "receipt", "settled").
		WherePK().Where("fence = ?", fence).Where("state IN (?)", bun.List([]State{Pending, Claimed, Unknown})).Exec(ctx))
	return n > 0, err
}
