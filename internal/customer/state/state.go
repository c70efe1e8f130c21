// Package state keeps, for each source record, all that changes with every event
// of it: what the record did, and what the segments' rules need to know of it.
//
// It is one row a record, in the order of the keys, so that an event changes one
// page of the store however many parts follow the stream. A transaction reads a
// row once and writes it once, at its end; between, the parts share it in memory:
//
//	rows, err := state.Read(ctx, tx, entity, ids)
//	row := rows[id].Or(entity, id)
//	row.Rules = …
//	state.Put(tx, row)
//
// A part puts rows as the last thing it does, when it can no longer fail: what it
// put stays, whatever savepoint it ran in.
//
// Table: customer_state.
package state

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"omote/internal/platform/store"
)

// Row is what is kept of a record. Rows that were read are not changed in place.
type Row struct {
	Entity, RecordID string
	// Did is what the record did; see [Did].
	Did string
	// Holder is the customer whose rules count the record; "" until rules do.
	Holder string
	// Rules is what the rules in use remember of its events (analytics/rule).
	Rules []byte
}

// Or gives a copy to change: of the row, or of an empty one where there is none.
func (r *Row) Or(entity, record string) *Row {
	if r == nil {
		return &Row{Entity: entity, RecordID: record}
	}
	c := *r
	return &c
}

type key struct{ entity, record string }

// held are the rows of a transaction.
type held struct {
	rows    map[key]*Row // nil: known to be absent
	changed map[key]bool
}

type heldKey struct{}

func of(tx store.Tx) *held {
	return store.Once(tx, heldKey{}, func() *held {
		h := &held{rows: map[key]*Row{}, changed: map[key]bool{}}
		tx.BeforeCommit(h.write)
		return h
	})
}

// chunk bounds the records of one statement.
const chunk = 5000

// Read gives the rows of records that have one, as the transaction left them.
func Read(ctx context.Context, tx store.Tx, entity string, records []string) (map[string]*Row, error) {
	h := of(tx)
	var missing []string
	for _, id := range records {
		k := key{entity, id}
		if _, known := h.rows[k]; !known {
			h.rows[k] = nil
			missing = append(missing, id)
		}
	}
	for part := range slices.Chunk(missing, chunk) {
		if err := h.read(ctx, tx, entity, part); err != nil {
			for _, id := range missing { // nothing is known of them
				delete(h.rows, key{entity, id})
			}
			return nil, fmt.Errorf("read states of records: %w", err)
		}
	}
	out := make(map[string]*Row, len(records))
	for _, id := range records {
		if r := h.rows[key{entity, id}]; r != nil {
			out[id] = r
		}
	}
	return out, nil
}

func (h *held) read(ctx context.Context, tx store.Tx, entity string, records []string) error {
	rows, err := tx.QueryContext(ctx, "SELECT record_id, did, holder, rules FROM customer_state WHERE entity = ? AND record_id ?", entity, tx.Among(records))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r := &Row{Entity: entity}
		if err := rows.Scan(&r.RecordID, &r.Did, &r.Holder, &r.Rules); err != nil {
			return err
		}
		h.rows[key{entity, r.RecordID}] = r
	}
	return rows.Err()
}

// Held gives a row that the transaction has read or put; nil where there is none.
func Held(tx store.Tx, entity, record string) *Row { return of(tx).rows[key{entity, record}] }

// Put has rows written when the transaction ends.
func Put(tx store.Tx, rows ...*Row) {
	h := of(tx)
	for _, r := range rows {
		k := key{r.Entity, r.RecordID}
		h.rows[k], h.changed[k] = r, true
	}
}

// write stores what was put, in the order of the keys.
func (h *held) write(ctx context.Context, tx store.Tx) error {
	n := len(h.changed)
	rows := make([]*Row, 0, n)
	for k := range h.changed {
		rows = append(rows, h.rows[k])
	}
	clear(h.changed)
	slices.SortFunc(rows, func(a, b *Row) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.RecordID, b.RecordID))
	})
	entity, record, did, holder, rules := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([][]byte, n)
	for i, r := range rows {
		entity[i], record[i], did[i], holder[i], rules[i] = r.Entity, r.RecordID, r.Did, r.Holder, r.Rules
	}
	_, err := tx.Batch(ctx, "customer_state", store.Upsert{Key: []string{"entity", "record_id"}, Set: store.Replace("did", "holder", "rules")},
		store.Col("entity", entity), store.Col("record_id", record), store.Col("did", did), store.Col("holder", holder), store.Col("rules", rules))
	return err
}

// Next gives the ids of records that rules count, after one, in order. It sees
// what is stored, not what the transaction has put.
func Next(ctx context.Context, tx store.Tx, after string, limit int) (ids []string, err error) {
	err = tx.NewSelect().Table("customer_state").Column("record_id").Where("entity = ? AND record_id > ? AND holder <> ''", tx.Scope.Entity, after).
		Order("record_id").Limit(int64(limit)).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("walk through records: %w", err)
	}
	return ids, nil
}
