package sealed

import (
	"context"
	"fmt"
	"slices"

	"omote/internal/platform/store"
)

// Marked is an encrypted column with the primary key of its table, in the order
// of the model's fields.
type Marked struct {
	Column Column
	PK     []string
}

// Indexed is an equality index: the column with the entries, the encrypted
// column of the same table that they are made from, and what the writer does to
// a value before Box.Blind.
type Indexed struct {
	Index     Column
	Source    Column
	PK        []string
	Normalise func(string) string
}

// Tokened is a token index: the column with the tokens, the column that names
// whose tokens they are, and how one owner's tokens are made anew.
type Tokened struct {
	Index   Column
	Owner   string
	Rebuild func(ctx context.Context, tx store.Tx, owner string) error
}

// Inventory says where a module keeps what is encrypted or indexed. Every module
// with a column of type Text gives one; a rotation walks through all of them.
type Inventory struct {
	Fields []Marked
	Blind  []Indexed
	Tokens []Tokened
}

// Rotated counts the rows that a rotation changed, by "table.column".
type Rotated map[string]int64

// All brings everything in the inventories to the ring's current keys. Indexes
// go first: they are made from fields that still open under the old keys.
func (r Rotation) All(ctx context.Context, db *store.DB, inventories ...Inventory) (Rotated, error) {
	done := Rotated{}
	note := func(c Column, n int64, err error) error {
		done[c.String()] += n
		if err != nil {
			return fmt.Errorf("rotate %s: %w", c, err)
		}
		return nil
	}
	for _, inv := range inventories {
		for _, t := range inv.Tokens {
			n, err := r.Tokens(ctx, db, t.Index, t.Owner, t.Rebuild)
			if err := note(t.Index, n, err); err != nil {
				return done, err
			}
		}
		for _, b := range inv.Blind {
			n, err := r.Blind(ctx, db, b.Index, b.Source, b.Normalise, b.PK...)
			if err := note(b.Index, n, err); err != nil {
				return done, err
			}
		}
		for _, f := range inv.Fields {
			n, err := r.Field(ctx, db, f.Column, f.PK...)
			if err := note(f.Column, n, err); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// Missing lists byte columns of the schema that no inventory marks: what a
// rotation would leave behind. A column that holds bytes in the clear on purpose
// is named in clear as "table.column".
func Missing(s store.Schema, clear []string, inventories ...Inventory) []string {
	known := map[string]bool{}
	for _, c := range clear {
		known[c] = true
	}
	for _, inv := range inventories {
		for _, f := range inv.Fields {
			known[f.Column.String()] = true
		}
	}
	var missing []string
	for _, t := range s {
		for _, c := range t.Columns {
			if name := (Column{t.Name, c.Name}).String(); c.Type == "bytes" && !known[name] {
				missing = append(missing, name)
			}
		}
	}
	slices.Sort(missing)
	return missing
}
