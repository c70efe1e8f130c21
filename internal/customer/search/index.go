package search

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/customer/identity"
	"omote/internal/platform/erasure"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// entryColumn is the dictionary of tokens.
var entryColumn = sealed.Column{Table: "customer_token", Name: "entry"}

type tokenRow struct {
	bun.BaseModel `bun:"table:customer_token"`
	Entity        string `bun:",pk"`
	ID            int64  `bun:",pk"`
	Entry         string
	N             int64
}

// Index keeps the tokens of records up to date. It is an identity.Follower.
type Index struct{ box *sealed.Box }

// NewIndex makes the index.
func NewIndex(box *sealed.Box) *Index { return &Index{box} }

// tokenID is the number of a dictionary entry.
func tokenID(entry string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(entry))
	return int64(h.Sum64())
}

// recordNumber is the number of a record: the first half of its pseudonym.
func recordNumber(record string) (int64, error) {
	id, err := uuid.Parse(record)
	if err != nil {
		return 0, fmt.Errorf("record id %q: %w", record, err)
	}
	return int64(binary.BigEndian.Uint64(id[:8])), nil
}

func within(entity, token string) string { return entity + "\x1f" + token }

// posting is a token of a record.
type posting struct{ token, record int64 }

// Stated implements identity.Follower.
func (x *Index) Stated(ctx context.Context, tx store.Tx, changes []identity.Change) error {
	w := writing{counts: map[string]int64{}, records: map[int64]identity.Change{}}
	type edit struct {
		token string
		rec   int64
		add   bool
	}
	var edits []edit
	var texts []string
	entity := ""
	for _, c := range changes {
		n, err := recordNumber(c.RecordID)
		if err != nil {
			return err
		}
		entity = c.Entity
		before, now := Tokens(c.Before), Tokens(c.Now)
		for _, t := range now {
			if !slices.Contains(before, t) {
				edits, texts = append(edits, edit{within(c.Entity, t), n, true}), append(texts, within(c.Entity, t))
			}
		}
		for _, t := range before {
			if !slices.Contains(now, t) {
				edits, texts = append(edits, edit{within(c.Entity, t), n, false}), append(texts, within(c.Entity, t))
			}
		}
		if len(now) > 0 && len(before) == 0 {
			w.records[n] = c
		}
	}
	if len(edits) == 0 {
		return nil
	}
	if err := w.lookUp(ctx, tx, x.box, texts); err != nil {
		return err
	}
	for _, e := range edits {
		entry := w.now[e.token]
		if e.add {
			w.counts[entry]++
			w.added = append(w.added, posting{tokenID(entry), e.rec})
			continue
		}
		for _, id := range w.ids[e.token] { // also under keys before a rotation
			w.gone = append(w.gone, posting{id, e.rec})
		}
		w.counts[entry]--
	}
	return w.store(ctx, tx, entity)
}

// writing is a change of the index on its way.
type writing struct {
	now     map[string]string  // token → its present entry
	ids     map[string][]int64 // token → the numbers it has postings under
	counts  map[string]int64
	added   []posting
	gone    []posting
	records map[int64]identity.Change
}

func (w *writing) lookUp(ctx context.Context, tx store.Tx, box *sealed.Box, texts []string) error {
	slices.Sort(texts)
	texts = slices.Compact(texts)
	now, err := box.Tokens(ctx, tx, entryColumn, texts)
	if err != nil {
		return err
	}
	every, err := box.TokenSearch(ctx, tx, entryColumn, texts)
	if err != nil {
		return err
	}
	rows, err := dictionary(ctx, tx, slices.Concat(every...))
	if err != nil {
		return err
	}
	w.now, w.ids = make(map[string]string, len(texts)), make(map[string][]int64, len(texts))
	for i, t := range texts {
		w.now[t] = now[i]
		for _, e := range every[i] {
			for _, r := range rows[e] {
				w.ids[t] = append(w.ids[t], r.ID)
			}
		}
	}
	return nil
}

// dictionary reads the rows of entries; one entry has several after a rotation.
func dictionary(ctx context.Context, tx store.Tx, entries []string) (map[string][]tokenRow, error) {
	found := map[string][]tokenRow{}
	for chunk := range slices.Chunk(entries, 800) {
		var rows []tokenRow
		if err := tx.NewSelect().Model(&rows).Where("entry IN (?)", bun.List(chunk)).Scan(ctx); err != nil {
			return nil, fmt.Errorf("look tokens up: %w", err)
		}
		for _, r := range rows {
			found[r.Entry] = append(found[r.Entry], r)
		}
	}
	return found, nil
}

func (w *writing) store(ctx context.Context, tx store.Tx, entity string) error {
	if err := w.storeTokens(ctx, tx, entity); err != nil {
		return err
	}
	if err := w.storeRecords(ctx, tx); err != nil {
		return err
	}
	for _, p := range w.gone {
		if _, err := tx.NewRaw("DELETE FROM customer_posting WHERE token = ? AND record = ?", p.token, p.record).Exec(ctx); err != nil {
			return fmt.Errorf("take a token away: %w", err)
		}
	}
	slices.SortFunc(w.added, func(a, b posting) int { return cmp.Or(cmp.Compare(a.token, b.token), cmp.Compare(a.record, b.record)) })
	w.added = slices.Compact(w.added)
	token, record := make([]int64, len(w.added)), make([]int64, len(w.added))
	for i, p := range w.added {
		token[i], record[i] = p.token, p.record
	}
	_, err := tx.Batch(ctx, "customer_posting", store.Upsert{Key: []string{"token", "record"}}, store.Col("token", token), store.Col("record", record))
	return err
}

func (w *writing) storeTokens(ctx context.Context, tx store.Tx, entity string) error {
	entries := slices.Sorted(maps.Keys(w.counts))
	n := len(entries)
	entities, id, count := make([]string, n), make([]int64, n), make([]int64, n)
	for i, e := range entries {
		entities[i], id[i], count[i] = entity, tokenID(e), w.counts[e]
	}
	_, err := tx.Batch(ctx, "customer_token", store.Upsert{Key: []string{"entity", "id"}, Set: "n = t.n + excluded.n"},
		store.Col("entity", entities), store.Col("id", id), store.Col("entry", entries), store.Col("n", count))
	return err
}

func (w *writing) storeRecords(ctx context.Context, tx store.Tx) error {
	numbers := slices.Sorted(maps.Keys(w.records))
	entity, record := make([]string, len(numbers)), make([]string, len(numbers))
	for i, n := range numbers {
		entity[i], record[i] = w.records[n].Entity, w.records[n].RecordID
	}
	_, err := tx.Batch(ctx, "customer_indexed", store.Upsert{Key: []string{"record"}},
		store.Col("record", numbers), store.Col("entity", entity), store.Col("record_id", record))
	return err
}

// Sealed is where the index keeps what a rotation of keys must bring along: the
// dictionary alone, since postings hold numbers.
func (x *Index) Sealed() sealed.Inventory {
	return sealed.Inventory{Tokens: []sealed.Tokened{{Index: entryColumn, Owner: "entry", Rebuild: x.rebuild}}}
}

// rebuild writes a dictionary entry under the ring's present key. The token is
// found again in a record that has it; an entry that no record has goes.
func (x *Index) rebuild(ctx context.Context, tx store.Tx, entry string) error {
	var rows []identity.Traits
	err := tx.NewRaw(`SELECT t.* FROM customer_trait t JOIN customer_indexed i ON i.entity = t.entity AND i.record_id = t.record_id
WHERE i.record IN (SELECT record FROM customer_posting WHERE token IN (SELECT id FROM customer_token WHERE entry = ?) LIMIT 4)`, entry).Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("read a record of a token: %w", err)
	}
	if err := x.box.Open(ctx, tx, &rows); err != nil {
		return err
	}
	for _, r := range rows {
		for _, t := range Tokens(r.Traits.Plain) {
			sets, err := x.box.TokenSearch(ctx, tx, entryColumn, []string{within(r.Entity, t)})
			if err != nil {
				return err
			}
			if !slices.Contains(sets[0], entry) {
				continue
			}
			now, err := x.box.Tokens(ctx, tx, entryColumn, []string{within(r.Entity, t)})
			if err != nil {
				return err
			}
			_, err = tx.NewRaw("UPDATE customer_token SET entry = ? WHERE entry = ?", now[0], entry).Exec(ctx)
			return err
		}
	}
	_, err = tx.NewRaw("DELETE FROM customer_token WHERE entry = ?", entry).Exec(ctx)
	return err
}

// Eraser takes the tokens of erased records out of the index; tokens that no
// other record has go with them.
func (x *Index) Eraser() erasure.Eraser {
	return erasure.Eraser{Name: "customer_search", Tables: []string{"customer_indexed", "customer_posting", "customer_token"}, InStore: eraseRecords}
}

func eraseRecords(ctx context.Context, tx store.Tx, s *erasure.Subject) ([]erasure.Line, error) {
	var postings, tokens int64
	for chunk := range slices.Chunk(s.Records, 500) {
		var numbers []int64
		for _, record := range chunk {
			if n, err := recordNumber(record); err == nil {
				numbers = append(numbers, n)
			}
		}
		if len(numbers) == 0 {
			continue
		}
		statements := []struct {
			text string
			to   *int64
		}{
			{"UPDATE customer_token SET n = n - (SELECT count(*) FROM customer_posting p WHERE p.token = customer_token.id AND p.record IN (?0)) WHERE id IN (SELECT token FROM customer_posting WHERE record IN (?0))", nil},
			{"DELETE FROM customer_posting WHERE record IN (?0)", &postings},
			{"DELETE FROM customer_token WHERE n <= 0", &tokens},
			{"DELETE FROM customer_indexed WHERE record IN (?0)", nil},
		}
		for _, st := range statements {
			res, err := tx.NewRaw(st.text, bun.List(numbers)).Exec(ctx)
			if err != nil {
				return nil, fmt.Errorf("erase from the search index: %w", err)
			}
			if n, err := res.RowsAffected(); err == nil && st.to != nil {
				*st.to += n
			}
		}
	}
	return []erasure.Line{{Place: "customer_posting", Action: erasure.Deleted, Count: postings}, {Place: "customer_token", Action: erasure.Deleted, Count: tokens}}, nil
}
