package activation

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

func list(ctx context.Context, tx store.Tx) (out []Activation, err error) {
	if err := tx.NewSelect().Model(&out).ExcludeColumn("secret").Where("entity = ?", tx.Scope.Entity).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list activations: %w", err)
	}
	for i := range out {
		if err := out[i].decode(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// get reads an activation with its sealed secret.
func get(ctx context.Context, tx store.Tx, id string) (*Activation, error) {
	var a Activation
	err := tx.NewSelect().Model(&a).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, errs.NotFound("activation.error.not_found", "there is no activation %s", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read an activation: %w", err)
	}
	return &a, a.decode()
}

func update(ctx context.Context, tx store.Tx, a *Activation, columns ...string) error {
	if _, err := tx.NewUpdate().Model(a).Column(columns...).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("note an activation: %w", err)
	}
	return nil
}

// claim takes the activation that is longest due and marks it taken.
func claim(ctx context.Context, tx store.Tx) (*Activation, error) {
	var id string
	err := tx.NewRaw("SELECT id FROM customer_activation WHERE entity = ? AND NOT paused AND due <= ? AND lease <= ? ORDER BY due LIMIT 1"+tx.Engine.SkipLocked(),
		tx.Scope.Entity, tx.Now(), tx.Now()).Scan(ctx, &id)
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find an activation that is due: %w", err)
	}
	a, err := get(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	a.Lease = tx.Now().Add(leaseTime)
	return a, update(ctx, tx, a, "lease")
}

// recordsAfter gives the next records of a system, in the order of pseudonyms.
func recordsAfter(ctx context.Context, tx store.Tx, system, after string, limit int) (out []string, err error) {
	err = tx.NewRaw("SELECT record_id FROM customer_record WHERE entity = ? AND record_id > ? AND system = ? AND NOT anonymous ORDER BY record_id LIMIT ?",
		tx.Scope.Entity, after, system, limit).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("records to activate: %w", err)
	}
	return out, nil
}

// recheckedRows gives records that are to be looked at before the round does.
func recheckedRows(ctx context.Context, tx store.Tx, id string, limit int) (out []string, err error) {
	err = tx.NewRaw("SELECT record_id FROM customer_activation_row WHERE entity = ? AND activation_id = ? AND recheck ORDER BY record_id LIMIT ?", tx.Scope.Entity, id, limit).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("rows to look at again: %w", err)
	}
	return out, nil
}

func rowsOf(ctx context.Context, tx store.Tx, id string, records []string) (map[string]*Row, error) {
	var rows []Row
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND activation_id = ? AND record_id IN (?)", tx.Scope.Entity, id, bun.List(records)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("rows of an activation: %w", err)
	}
	out := make(map[string]*Row, len(rows))
	for i := range rows {
		out[rows[i].RecordID] = &rows[i]
	}
	return out, nil
}

func putRow(ctx context.Context, tx store.Tx, r *Row) error {
	_, err := tx.NewInsert().Model(r).On("CONFLICT (entity, record_id, activation_id) DO UPDATE").
		Set("digest = EXCLUDED.digest, member = EXCLUDED.member, told = EXCLUDED.told, version = EXCLUDED.version, state = EXCLUDED.state, reason = EXCLUDED.reason, attempts = EXCLUDED.attempts, " +
			"message_id = EXCLUDED.message_id, recheck = EXCLUDED.recheck, queued_at = EXCLUDED.queued_at, settled_at = EXCLUDED.settled_at").Exec(ctx)
	if err != nil {
		return fmt.Errorf("note a row of an activation: %w", err)
	}
	return nil
}

func rowsIn(ctx context.Context, tx store.Tx, id string, state RowState, after string, limit int) (out []Row, err error) {
	q := tx.NewSelect().Model(&out).Where("entity = ? AND activation_id = ? AND record_id > ?", tx.Scope.Entity, id, after).Order("record_id").Limit(int64(limit))
	if state != "" {
		q = q.Where("state = ?", state)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("rows of an activation: %w", err)
	}
	return out, nil
}

func figures(ctx context.Context, tx store.Tx) (map[string]Figures, error) {
	var rows []struct {
		ActivationID string
		State        RowState
		N            int64
	}
	err := tx.NewRaw("SELECT activation_id, state, COUNT(*) AS n FROM customer_activation_row WHERE entity = ? GROUP BY activation_id, state", tx.Scope.Entity).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count rows of activations: %w", err)
	}
	out := map[string]Figures{}
	for _, r := range rows {
		if out[r.ActivationID] == nil {
			out[r.ActivationID] = Figures{}
		}
		out[r.ActivationID][r.State] = r.N
	}
	return out, nil
}

// again marks rows of the records to be looked at first, and their activations due.
func again(ctx context.Context, tx store.Tx, records []string) error {
	res, err := tx.NewRaw("UPDATE customer_activation_row SET recheck = ? WHERE entity = ? AND record_id IN (?)", true, tx.Scope.Entity, bun.List(records)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("look at rows again: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	_, err = tx.NewRaw(`UPDATE customer_activation SET due = ? WHERE entity = ? AND due > ?
AND id IN (SELECT activation_id FROM customer_activation_row WHERE entity = ? AND record_id IN (?))`, tx.Now(), tx.Scope.Entity, tx.Now(), tx.Scope.Entity, bun.List(records)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("look at rows again: %w", err)
	}
	return nil
}

func retryRows(ctx context.Context, tx store.Tx, id string) (int64, error) {
	res, err := tx.NewRaw("UPDATE customer_activation_row SET digest = '', attempts = 0, recheck = ? WHERE entity = ? AND activation_id = ? AND state IN (?, ?)",
		true, tx.Scope.Entity, id, Refused, Uncertain).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("try rows again: %w", err)
	}
	return res.RowsAffected()
}

func remove(ctx context.Context, tx store.Tx, id string) error {
	for _, text := range []string{"DELETE FROM customer_activation_row WHERE entity = ? AND activation_id = ?", "DELETE FROM customer_activation WHERE entity = ? AND id = ?"} {
		if _, err := tx.NewRaw(text, tx.Scope.Entity, id).Exec(ctx); err != nil {
			return fmt.Errorf("remove an activation: %w", err)
		}
	}
	return nil
}
