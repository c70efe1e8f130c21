package sealed

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/platform/keyring"
	"omote/internal/platform/store"
)

// rotateBatch is how many rows one transaction of a rotation changes.
const rotateBatch = 200

// Rotation brings one column to the ring's current key. It may be run again at
// any time; it stops when nothing is left to do. Progress, when set, is called
// after each batch with its number of rows; an error of it stops the rotation.
type Rotation struct {
	Box      *Box
	Progress func(n int64) error
}

// Field re-encrypts an encrypted column. pk are the columns of the primary key,
// in the order of the model's fields.
func (r Rotation) Field(ctx context.Context, db *store.DB, c Column, pk ...string) (int64, error) {
	key, err := r.Box.keys.Current(ctx, keyring.Field)
	if err != nil {
		return 0, fmt.Errorf("sealed: %w", err)
	}
	prefix := keyPrefix(key.ID)
	var at cursor
	return r.loop(ctx, db, func(ctx context.Context, tx store.Tx) (int, error) {
		rows, err := at.next(ctx, tx, c, pk, "? IS NOT NULL AND SUBSTR(?, 1, ?) <> ?",
			bun.Ident(c.Name), bun.Ident(c.Name), len(prefix), prefix)
		if err != nil {
			return 0, err
		}
		for _, row := range rows {
			if err := r.reseal(ctx, tx, c, pk, row); err != nil {
				return 0, err
			}
		}
		return len(rows), nil
	})
}

// rotRow is a row to rotate: its key, and the value of the encrypted column.
type rotRow struct {
	pk  []string
	box []byte
}

// cursor is the primary key of the last row of the last committed batch, so
// that a pass over a table reads each row once.
type cursor struct{ pk []string }

// next selects rows behind the cursor and moves it when the transaction commits.
func (c *cursor) next(ctx context.Context, tx store.Tx, source Column, pk []string, where string, args ...any) ([]rotRow, error) {
	q := tx.NewSelect().TableExpr("?", bun.Ident(source.Table)).Column(pk...).Column(source.Name).
		Where(where, args...).Order(pk...).Limit(rotateBatch)
	if c.pk != nil {
		idents := make([]bun.Ident, len(pk))
		for i, name := range pk {
			idents[i] = bun.Ident(name)
		}
		q = q.Where("(?) > (?)", bun.List(idents), bun.List(c.pk))
	}
	out, err := scanRows(ctx, q, source, pk)
	if err == nil && len(out) > 0 {
		tx.AfterCommit(func() { c.pk = out[len(out)-1].pk })
	}
	return out, err
}

func scanRows(ctx context.Context, q *bun.SelectQuery, source Column, pk []string) ([]rotRow, error) {
	rows, err := q.Rows(ctx)
	if err != nil {
		return nil, fmt.Errorf("sealed: rows of %s: %w", source, err)
	}
	defer rows.Close()
	var out []rotRow
	for rows.Next() {
		row := rotRow{pk: make([]string, len(pk))}
		dest := make([]any, 0, len(pk)+1)
		for i := range pk {
			dest = append(dest, &row.pk[i])
		}
		if err := rows.Scan(append(dest, &row.box)...); err != nil {
			return nil, fmt.Errorf("sealed: rows of %s: %w", source, err)
		}
		row.box = bytes.Clone(row.box)
		out = append(out, row)
	}
	return out, rows.Err()
}

func (row rotRow) place(c Column) Place {
	return Place{c.Table, c.Name, strings.Join(row.pk, "\x1f")}
}

func (row rotRow) where(q *bun.UpdateQuery, pk []string) *bun.UpdateQuery {
	for i, name := range pk {
		q = q.Where("? = ?", bun.Ident(name), row.pk[i])
	}
	return q
}

func (r Rotation) reseal(ctx context.Context, tx store.Tx, c Column, pk []string, row rotRow) error {
	plain, err := r.Box.OpenBytes(ctx, row.place(c), row.box)
	if err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	box, err := r.Box.SealBytes(ctx, row.place(c), plain)
	if err != nil {
		return err
	}
	_, err = row.where(tx.NewUpdate().TableExpr("?", bun.Ident(c.Table)).Set("? = ?", bun.Ident(c.Name), box), pk).Exec(ctx)
	return err
}

// Blind re-indexes an equality-index column from its encrypted source column in
// the same table; normalise is what the writer applies before Box.Blind.
func (r Rotation) Blind(ctx context.Context, db *store.DB, index, source Column, normalise func(string) string, pk ...string) (int64, error) {
	key, err := r.Box.keys.Current(ctx, keyring.Blind)
	if err != nil {
		return 0, fmt.Errorf("sealed: %w", err)
	}
	prefix := entryPrefix(key.ID)
	var at cursor
	return r.loop(ctx, db, func(ctx context.Context, tx store.Tx) (int, error) {
		rows, err := at.next(ctx, tx, source, pk, "? <> '' AND SUBSTR(?, 1, ?) <> ?",
			bun.Ident(index.Name), bun.Ident(index.Name), len(prefix), prefix)
		if err != nil {
			return 0, err
		}
		for _, row := range rows {
			plain, err := r.Box.OpenBytes(ctx, row.place(source), row.box)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", source, err)
			}
			entry, err := r.Box.Blind(ctx, tx, index, normalise(string(plain)))
			if err != nil {
				return 0, err
			}
			q := tx.NewUpdate().TableExpr("?", bun.Ident(index.Table)).Set("? = ?", bun.Ident(index.Name), entry)
			if _, err := row.where(q, pk).Exec(ctx); err != nil {
				return 0, err
			}
		}
		return len(rows), nil
	})
}

// Tokens re-indexes a token index. owner is the column that names the row whose
// tokens they are; rebuild replaces all tokens of one such row, in tx.
func (r Rotation) Tokens(ctx context.Context, db *store.DB, index Column, owner string,
	rebuild func(ctx context.Context, tx store.Tx, owner string) error) (int64, error) {
	key, err := r.Box.keys.Current(ctx, keyring.Token)
	if err != nil {
		return 0, fmt.Errorf("sealed: %w", err)
	}
	prefix := entryPrefix(key.ID)
	last := ""
	return r.loop(ctx, db, func(ctx context.Context, tx store.Tx) (int, error) {
		var owners []string
		err := tx.NewSelect().TableExpr("?", bun.Ident(index.Table)).Distinct().Column(owner).
			Where("SUBSTR(?, 1, ?) <> ?", bun.Ident(index.Name), len(prefix), prefix).Where("? > ?", bun.Ident(owner), last).
			Order(owner).Limit(rotateBatch).Scan(ctx, &owners)
		if err != nil {
			return 0, fmt.Errorf("sealed: rows of %s: %w", index, err)
		}
		for _, o := range owners {
			if err := rebuild(ctx, tx, o); err != nil {
				return 0, err
			}
		}
		if len(owners) > 0 {
			tx.AfterCommit(func() { last = owners[len(owners)-1] })
		}
		return len(owners), nil
	})
}

func (r Rotation) loop(ctx context.Context, db *store.DB, batch func(context.Context, store.Tx) (int, error)) (int64, error) {
	var done int64
	for {
		var n int
		err := db.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
			n, err = batch(ctx, tx)
			return err
		})
		if err != nil {
			return done, err
		}
		if n == 0 {
			return done, nil
		}
		done += int64(n)
		if r.Progress == nil {
			continue
		}
		if err := r.Progress(int64(n)); err != nil {
			return done, err
		}
	}
}
