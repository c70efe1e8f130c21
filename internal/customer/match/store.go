package match

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/customer/identity"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// chunk is how many names one statement lists.
const chunk = 500

func chunks(names []string, fn func([]string) error) error {
	for len(names) > 0 {
		n := min(len(names), chunk)
		if err := fn(names[:n]); err != nil {
			return err
		}
		names = names[n:]
	}
	return nil
}

// newestModel gives the newest version, sealed; nil when there is none.
func newestModel(ctx context.Context, tx store.Tx, entity string) (*Model, error) {
	var m Model
	err := tx.NewSelect().Model(&m).Where("entity = ? AND ready", entity).Order("version DESC").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the newest model: %w", err)
	}
	return &m, nil
}

func newestVersion(ctx context.Context, tx store.Tx, entity string) (v uint64, err error) {
	if err = tx.NewRaw("SELECT COALESCE(MAX(version), 0) FROM customer_match_model WHERE entity = ? AND ready", entity).Scan(ctx, &v); err != nil {
		return 0, fmt.Errorf("read the newest model's version: %w", err)
	}
	return v, nil
}

// running tells whether a run is under way that began after since.
func running(ctx context.Context, tx store.Tx, entity string, since store.Micros) (bool, error) {
	n, err := tx.NewSelect().Model((*Model)(nil)).Where("entity = ? AND NOT ready AND at > ?", entity, since).Count(ctx)
	if err != nil {
		return false, fmt.Errorf("look for a run: %w", err)
	}
	return n > 0, nil
}

// beginModel keeps the place of the next version while its run is under way, in
// place of one that a run left behind.
func beginModel(ctx context.Context, tx store.Tx, m *Model) error {
	if err := dropUnready(ctx, tx, m.Entity); err != nil {
		return err
	}
	v, err := newestVersion(ctx, tx, m.Entity)
	if err != nil {
		return err
	}
	m.Version = v + 1
	if _, err := tx.NewInsert().Model(m).Exec(ctx); err != nil {
		return fmt.Errorf("begin a model: %w", err)
	}
	return nil
}

func dropUnready(ctx context.Context, tx store.Tx, entity string) error {
	if _, err := tx.NewRaw("DELETE FROM customer_match_model WHERE entity = ? AND NOT ready", entity).Exec(ctx); err != nil {
		return fmt.Errorf("drop a model: %w", err)
	}
	return nil
}

// putModel replaces the row of a version.
func putModel(ctx context.Context, tx store.Tx, m *Model) error {
	if _, err := tx.NewRaw("DELETE FROM customer_match_model WHERE entity = ? AND version = ?", m.Entity, m.Version).Exec(ctx); err != nil {
		return fmt.Errorf("keep a model: %w", err)
	}
	if _, err := tx.NewInsert().Model(m).Exec(ctx); err != nil {
		return fmt.Errorf("keep a model: %w", err)
	}
	return nil
}

func noteDue(ctx context.Context, tx store.Tx, rows []due) error {
	entity, record, at := make([]string, len(rows)), make([]string, len(rows)), make([]store.Micros, len(rows))
	for i, r := range rows {
		entity[i], record[i], at[i] = r.Entity, r.RecordID, r.At
	}
	_, err := tx.Batch(ctx, "customer_match_due", store.Upsert{Key: []string{"entity", "record_id"}, Set: "at = excluded.at"},
		store.Col("entity", entity), store.Col("record_id", record), store.Col("at", at))
	return err
}

// takeDue gives the oldest records that wait and takes them off.
func takeDue(ctx context.Context, tx store.Tx, entity string, n int) (records []string, err error) {
	err = tx.NewRaw("SELECT record_id FROM customer_match_due WHERE entity = ? ORDER BY at, record_id LIMIT ?"+tx.Engine.ForUpdate(), entity, n).Scan(ctx, &records)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	_, err = tx.NewRaw("DELETE FROM customer_match_due WHERE entity = ? AND record_id IN (?)", entity, bun.List(records)).Exec(ctx)
	return records, err
}

func keysOf(ctx context.Context, tx store.Tx, record string) (rows []blindKey, err error) {
	if err = tx.NewSelect().Model(&rows).Where("record_id = ?", record).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read blind keys: %w", err)
	}
	return rows, nil
}

func deleteKeys(ctx context.Context, tx store.Tx, records ...string) error {
	return chunks(records, func(some []string) error {
		if _, err := tx.NewRaw("DELETE FROM customer_match_key WHERE record_id IN (?)", bun.List(some)).Exec(ctx); err != nil {
			return fmt.Errorf("delete blind keys: %w", err)
		}
		return nil
	})
}

// deleteKeysBefore deletes the keys of older versions.
func deleteKeysBefore(ctx context.Context, tx store.Tx, entity string, version uint64) error {
	if _, err := tx.NewRaw("DELETE FROM customer_match_key WHERE entity = ? AND version < ?", entity, version).Exec(ctx); err != nil {
		return fmt.Errorf("delete blind keys: %w", err)
	}
	return nil
}

func insertKeys(ctx context.Context, tx store.Tx, rows []blindKey) error {
	entity, ix, record, version := make([]string, len(rows)), make([]string, len(rows)), make([]string, len(rows)), make([]int64, len(rows))
	for i, r := range rows {
		entity[i], ix[i], record[i], version[i] = r.Entity, r.KeyIx, r.RecordID, int64(r.Version)
	}
	_, err := tx.Batch(ctx, "customer_match_key", store.Upsert{Key: []string{"entity", "key_ix", "record_id"}},
		store.Col("entity", entity), store.Col("key_ix", ix), store.Col("record_id", record), store.Col("version", version))
	return err
}

// holdersOf gives at most maxHolders+1 records of a key, under any of its entries.
func holdersOf(ctx context.Context, tx store.Tx, entity string, ix []string) (records []string, err error) {
	err = tx.NewRaw("SELECT record_id FROM customer_match_key WHERE entity = ? AND key_ix IN (?) ORDER BY key_ix, record_id LIMIT ?", entity, bun.List(ix), maxHolders+1).Scan(ctx, &records)
	if err != nil {
		return nil, fmt.Errorf("look for records with a key: %w", err)
	}
	return records, nil
}

func pairByID(ctx context.Context, tx store.Tx, id string) (p Pair, err error) {
	err = tx.NewSelect().Model(&p).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Scan(ctx)
	if store.IsNoRows(err) {
		return p, errs.NotFound("customer.review.error.not_found", "no pair %s", id)
	}
	if err != nil {
		return p, fmt.Errorf("read a pair: %w", err)
	}
	return p, nil
}

// pairBetween gives a pair of any two records of two customers that waits or was
// called different; nil when there is none.
func pairBetween(ctx context.Context, tx store.Tx, a, b []string) (*Pair, error) {
	var p Pair
	err := tx.NewSelect().Model(&p).Where("entity = ? AND state IN (?)", tx.Scope.Entity, bun.List([]State{Waiting, Different})).
		Where("(record_a IN (?) AND record_b IN (?)) OR (record_a IN (?) AND record_b IN (?))", bun.List(a), bun.List(b), bun.List(b), bun.List(a)).
		Order("state", "record_a", "record_b").Limit(1).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a pair: %w", err)
	}
	return &p, nil
}

func savePair(ctx context.Context, tx store.Tx, p *Pair) error {
	_, err := tx.NewInsert().Model(p).On("CONFLICT (entity, record_a, record_b) DO UPDATE").
		Set("state = EXCLUDED.state").Set("score = EXCLUDED.score").Set("probability = EXCLUDED.probability").Set("version = EXCLUDED.version").
		Set("origin = EXCLUDED.origin").Set("answered_at = EXCLUDED.answered_at").Set("answered_by = EXCLUDED.answered_by").Set("act = EXCLUDED.act").Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep a pair: %w", err)
	}
	return nil
}

// waitingPairs lists the pairs that wait, the likeliest first.
func waitingPairs(ctx context.Context, tx store.Tx, limit int64) (rows []Pair, err error) {
	err = tx.NewSelect().Model(&rows).Where("entity = ? AND state = ?", tx.Scope.Entity, Waiting).Order("probability DESC", "record_a", "record_b").Limit(limit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read waiting pairs: %w", err)
	}
	return rows, nil
}

func waitingCount(ctx context.Context, tx store.Tx) (n int64, err error) {
	if n, err = tx.NewSelect().Model((*Pair)(nil)).Where("entity = ? AND state = ?", tx.Scope.Entity, Waiting).Count(ctx); err != nil {
		return 0, fmt.Errorf("count waiting pairs: %w", err)
	}
	return n, nil
}

// answers gives the newest answers of stewards.
func answers(ctx context.Context, tx store.Tx, entity string, limit int64) (rows []Pair, err error) {
	err = tx.NewSelect().Model(&rows).Where("entity = ? AND state IN (?)", entity, bun.List([]State{Same, Different})).
		Order("answered_at DESC", "record_a", "record_b").Limit(limit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	return rows, nil
}

// traitsAfter reads what records state, opened by the caller, in order of their ids.
func traitsAfter(ctx context.Context, tx store.Tx, after string, n int64) (rows []identity.Traits, err error) {
	err = tx.NewSelect().Model(&rows).Where("entity = ? AND record_id > ?", tx.Scope.Entity, after).Order("record_id").Limit(n).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what records state: %w", err)
	}
	return rows, nil
}
