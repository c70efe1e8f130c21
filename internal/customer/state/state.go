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
	"context"
	"fmt"
	"maps"
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

// held are the rows of a transaction, by entity.
type held map[string]*rows

type rows struct {
	known   map[string]*Row // nil: there is none
	changed map[string]bool
}

type heldKey struct{}

func of(tx store.Tx, entity string) *rows {
	h := store.Once(tx, heldKey{}, func() held {
		h := held{}
		tx.BeforeCommit(h.write)
		return h
	})
	r := h[entity]
	if r == nil {
		r = &rows{map[string]*Row{}, map[string]bool{}}
		h[entity] = r
	}
	return r
}

// chunk bounds the records of one statement.
const chunk = 5000

// Read gives the rows of records that have one, as the transaction left them.
func Read(ctx context.Context, tx store.Tx, entity string, records []string) (map[string]*Row, error) {
	r := of(tx, entity)
	var missing []string
	for _, id := range records {
		if _, known := r.known[id]; !known {
			r.known[id] = nil
			missing = append(missing, id)
		}
	}
	for part := range slices.Chunk(missing, chunk) {
		if err := r.read(ctx, tx, entity, part); err != nil {
			for _, id := range missing { // nothing is known of them
				delete(r.known, id)
			}
			return nil, fmt.Errorf("read states of records: %w", err)
		}
	}
	out := make(map[string]*Row, len(records))
	for _, id := range records {
		if row := r.known[id]; row != nil {
			out[id] = row
		}
	}
	return out, nil
}

func (r *rows) read(ctx context.Context, tx store.Tx, entity string, records []string) error {
	found, err := tx.QueryContext(ctx, "SELECT record_id, did, holder, rules FROM customer_state WHERE entity = ? AND record_id ?", entity, tx.Among(records))
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		row := &Row{Entity: entity}
		if err := found.Scan(&row.RecordID, &row.Did, &row.Holder, &row.Rules); err != nil {
			return err
		}
		r.known[row.RecordID] = row
	}
	return found.Err()
}

// Held gives a row that the transaction has read or put; nil where there is none.
func Held(tx store.Tx, entity, record string) *Row { return of(tx, entity).known[record] }

// Put has rows written when the transaction ends.
func Put(tx store.Tx, all ...*Row) {
	for _, row := range all {
		r := of(tx, row.Entity)
		r.known[row.RecordID], r.changed[row.RecordID] = row, true
	}
}

// write stores what was put, in the order of the keys.
func (h held) write(ctx context.Context, tx store.Tx) error {
	var all []*Row
	for _, entity := range slices.Sorted(maps.Keys(h)) {
		r := h[entity]
		for _, id := range slices.Sorted(maps.Keys(r.changed)) {
			all = append(all, r.known[id])
		}
		clear(r.changed)
	}
	n := len(all)
	entity, record, did, holder, rules := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([][]byte, n)
	for i, r := range all {
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
