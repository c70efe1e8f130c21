package identity

import (
	"cmp"
	"context"
	"fmt"

	"omote/internal/customer/state"
	"omote/internal/platform/store"
)

// Seen is what a record did in all.
type Seen struct {
	FirstSeen   store.Micros
	LastSeen    store.Micros
	Events      int64 // 0: it did nothing, others named it
	LastEvent   string
	LastChannel string
	LastJourney string
	Unit        string // code of the unit that served it last
}

// count adds the events of the batch to what each record did. It gives the rows
// to put, and by key the records that did something for the first time.
func (b *batch) count(ctx context.Context, tx store.Tx, keys []string) (rows []*state.Row, fresh map[string]bool, err error) {
	fresh = map[string]bool{}
	byEntity := map[string][]*seen{}
	for _, key := range keys {
		if s := b.seen[key]; len(s.events) > 0 {
			byEntity[s.Entity] = append(byEntity[s.Entity], s)
		}
	}
	var did state.Did
	var text []byte
	for entity, all := range byEntity {
		ids := make([]string, len(all))
		for i, s := range all {
			ids[i] = s.RecordID
		}
		before, err := state.Read(ctx, tx, entity, ids)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range all {
			row := before[s.RecordID].Or(entity, s.RecordID)
			if row.Did == "" {
				fresh[entity+"\x00"+s.RecordID] = true
			}
			if err := did.Parse(row.Did); err != nil {
				return nil, nil, err
			}
			for _, e := range s.events {
				amount := e.Amount
				if e.Currency == "" {
					amount = 0
				}
				did.Note(store.Micros(e.At), cmp.Or(e.Name, e.Kind.String()), e.Channel, e.Journey, e.Unit, e.Currency, amount)
			}
			text = did.Append(text[:0])
			row.Did = string(text)
			rows = append(rows, row)
		}
	}
	return rows, fresh, nil
}

// DidOf reads what records did; one that did nothing is absent.
func DidOf(ctx context.Context, tx store.Tx, records []string) (map[string]*state.Did, error) {
	rows, err := state.Read(ctx, tx, tx.Scope.Entity, records)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*state.Did, len(rows))
	for id, r := range rows {
		if r.Did == "" {
			continue
		}
		d := &state.Did{}
		if err := d.Parse(r.Did); err != nil {
			return nil, fmt.Errorf("record %s: %w", id, err)
		}
		out[id] = d
	}
	return out, nil
}
