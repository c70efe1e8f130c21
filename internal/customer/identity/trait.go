package identity

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// maxTraits bounds how many traits a record keeps; further ones are passed over.
const maxTraits = 200

// Said is what a trait says: its JSON value, since when, and when that was last
// confirmed.
type Said struct {
	Value            json.RawMessage
	Since, Confirmed store.Micros
}

// Members gives a record's traits one by one. Traits must have been opened.
func (t *Traits) Members() (map[string]Said, error) {
	return members(t.Traits.Plain, t.Times, t.StatedAt)
}

func members(traits, times string, stated store.Micros) (map[string]Said, error) {
	out := map[string]Said{}
	if traits == "" {
		return out, nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(traits), &values); err != nil {
		return nil, fmt.Errorf("decode traits: %w", err)
	}
	at := map[string][2]store.Micros{}
	if times != "" {
		if err := json.Unmarshal([]byte(times), &at); err != nil {
			return nil, fmt.Errorf("decode times of traits: %w", err)
		}
	}
	for name, v := range values {
		t, ok := at[name]
		if !ok {
			t = [2]store.Micros{stated, stated} // written before times were kept
		}
		out[name] = Said{v, t[0], t[1]}
	}
	return out, nil
}

// stating is one record's traits on their way.
type stating struct {
	row    Traits
	before string // what it had stated
	said   []statement
	past   []Past
}

// merge takes the statements up one after the other: the newer statement wins,
// trait by trait, whatever order they arrive in. It gives the identifiers that
// were new at some moment.
func (s *stating) merge() (values []ruleValue, err error) {
	state, err := members(s.before, s.row.Times, s.row.StatedAt)
	if err != nil {
		return nil, err
	}
	ids := parseStated(s.before)
	for _, say := range s.said {
		var told map[string]json.RawMessage
		if err := json.Unmarshal(say.traits, &told); err != nil {
			return nil, fmt.Errorf("decode traits: %w", err)
		}
		at := store.Micros(say.at)
		changed := false
		for name, value := range told {
			changed = s.state(state, name, value, at) || changed
		}
		s.row.StatedAt = max(s.row.StatedAt, at)
		if !changed {
			continue
		}
		plain, err := encodeValues(state)
		if err != nil {
			return nil, err
		}
		next := parseStated(plain)
		values = append(values, newValues(next, ids)...)
		ids = next
	}
	plain, err := encodeValues(state)
	if err != nil {
		return nil, err
	}
	s.row.Traits = sealed.New(plain)
	s.row.Times, err = encodeTimes(state)
	return values, err
}

// state takes up one trait and reports whether its present value changed.
func (s *stating) state(state map[string]Said, name string, value json.RawMessage, at store.Micros) bool {
	value = compact(value)
	now, known := state[name]
	switch {
	case !known && len(state) >= maxTraits:
		return false
	case !known:
		state[name] = Said{value, at, at}
		return true
	case bytes.Equal(now.Value, value):
		now.Since, now.Confirmed = min(now.Since, at), max(now.Confirmed, at)
		state[name] = now
		return false
	case at < now.Confirmed: // said late
		s.was(name, value, at)
		return false
	}
	s.was(name, now.Value, now.Since)
	state[name] = Said{value, at, at}
	return true
}

func (s *stating) was(name string, value json.RawMessage, from store.Micros) {
	s.past = append(s.past, Past{Entity: s.row.Entity, RecordID: s.row.RecordID, Trait: name, FromAt: from, Value: sealed.New(string(value))})
}

func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

func encodeValues(state map[string]Said) (string, error) {
	values := make(map[string]json.RawMessage, len(state))
	for name, said := range state {
		values[name] = said.Value
	}
	raw, err := json.Marshal(values)
	return string(raw), err
}

func encodeTimes(state map[string]Said) (string, error) {
	times := make(map[string][2]store.Micros, len(state))
	for name, said := range state {
		times[name] = [2]store.Micros{said.Since, said.Confirmed}
	}
	raw, err := json.Marshal(times)
	return string(raw), err
}

func (h *Handler) storeTraits(ctx context.Context, tx store.Tx, all []*stating) error {
	n := len(all)
	entity, id, traits, at, times := make([]string, n), make([]string, n), make([][]byte, n), make([]store.Micros, n), make([]string, n)
	var past []Past
	for i, s := range all {
		entity[i], id[i], at[i], times[i] = s.row.Entity, s.row.RecordID, s.row.StatedAt, s.row.Times
		var err error
		place := sealed.Place{Table: "customer_trait", Column: "traits", Row: entity[i] + "\x1f" + id[i]}
		if traits[i], err = h.box.SealBytes(ctx, place, []byte(s.row.Traits.Plain)); err != nil {
			return err
		}
		past = append(past, s.past...)
	}
	_, err := tx.Batch(ctx, "customer_trait", store.Upsert{Key: []string{"entity", "record_id"}, Set: store.Replace("traits", "stated_at", "times")},
		store.Col("entity", entity), store.Col("record_id", id), store.Col("traits", traits), store.Col("stated_at", at), store.Col("times", times))
	if err != nil {
		return err
	}
	return h.storePast(ctx, tx, past)
}

func (h *Handler) storePast(ctx context.Context, tx store.Tx, past []Past) error {
	if len(past) == 0 {
		return nil
	}
	compare := func(a, b Past) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.RecordID, b.RecordID), cmp.Compare(a.Trait, b.Trait), cmp.Compare(a.FromAt, b.FromAt))
	}
	slices.SortStableFunc(past, compare)
	past = slices.CompactFunc(past, func(a, b Past) bool { return compare(a, b) == 0 })
	if err := h.box.Seal(ctx, tx, &past); err != nil {
		return err
	}
	for chunk := range slices.Chunk(past, 500) {
		if _, err := tx.NewInsert().Model(&chunk).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("store past traits: %w", err)
		}
	}
	return nil
}
