package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"omote/internal/platform/errs"
	"omote/internal/platform/pgcopy"
)

// contents lists what a snapshot of a store on PostgreSQL holds: a folder with a
// file a table and this list, written last.
type contents struct {
	// Versions are those of the modules' migrations.
	Versions map[string]int64 `json:"versions"`
	// Tables are in an order in which each follows those that it refers to.
	Tables []contentsTable `json:"tables"`
}

type contentsTable struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
}

func (t contentsTable) copied() pgcopy.Table {
	return pgcopy.Table{Name: t.Name, Columns: t.Columns}
}

func (c contents) counts() map[string]int64 {
	counts := make(map[string]int64, len(c.Tables))
	for _, t := range c.Tables {
		counts[t.Name] = t.Rows
	}
	return counts
}

const contentsFile = "contents.json"

// snapshotPostgres copies every table in one transaction that sees one moment.
func (db *DB) snapshotPostgres(ctx context.Context, dir string) (map[string]int64, error) {
	var c contents
	err := db.raw(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		if c, err = list(ctx, tx); err != nil {
			return err
		}
		for i, t := range c.Tables {
			if c.Tables[i].Rows, err = pgcopy.Out(ctx, tx.Conn(), t.copied(), dir); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, contentsFile)
	return c.counts(), errors.Join(os.WriteFile(path, raw, 0o600), syncFile(path))
}

// restorePostgres fills a database without tables: the migrations go as far as
// they had gone where the snapshot was taken, then the rows come in, in one
// transaction. What fails leaves no table behind.
func (db *DB) restorePostgres(ctx context.Context, dir string, modules []Migrations) (counts map[string]int64, err error) {
	var c contents
	raw, err := os.ReadFile(filepath.Join(dir, contentsFile))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	var there contents
	err = db.raw(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		there, err = list(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(there.Tables) > 0 || len(there.Versions) > 0 {
		return nil, errs.Conflict("error.store_not_empty", "the PostgreSQL database of the store holds tables already: name an empty one")
	}
	if err := db.migrateTo(ctx, c.Versions, modules); err != nil {
		return nil, errors.Join(err, db.Rollback(ctx, modules...))
	}
	err = db.raw(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error { return fill(ctx, tx, c, dir) })
	if err != nil {
		return nil, errors.Join(err, db.Rollback(ctx, modules...))
	}
	return c.counts(), nil
}

// fill puts the rows in the place of those that migrations made. Triggers, which
// keep the audit trail from changes, rest meanwhile; keys are checked.
func fill(ctx context.Context, tx pgx.Tx, c contents, dir string) error {
	each := func(what, command string, tables []contentsTable) error {
		for _, t := range tables {
			if _, err := tx.Exec(ctx, fmt.Sprintf(command, pgx.Identifier{t.Name}.Sanitize())); err != nil {
				return fmt.Errorf("%s %s: %w", what, t.Name, err)
			}
		}
		return nil
	}
	if err := each("open", "ALTER TABLE %s DISABLE TRIGGER USER", c.Tables); err != nil {
		return err
	}
	backwards := slices.Clone(c.Tables)
	slices.Reverse(backwards)
	if err := each("empty", "DELETE FROM %s", backwards); err != nil {
		return err
	}
	for _, t := range c.Tables {
		n, err := pgcopy.In(ctx, tx.Conn(), t.copied(), dir)
		if err != nil {
			return err
		}
		if n != t.Rows {
			return fmt.Errorf("%s has %d rows; the snapshot says %d", t.Name, n, t.Rows)
		}
	}
	return each("close", "ALTER TABLE %s ENABLE TRIGGER USER", c.Tables)
}

// migrateTo runs the migrations of each module up to its version.
func (db *DB) migrateTo(ctx context.Context, versions map[string]int64, modules []Migrations) error {
	known := map[string]bool{}
	for _, m := range modules {
		known[m.Module] = true
		version, ok := versions[m.Module]
		if !ok {
			continue // younger than the snapshot
		}
		p, err := db.provider(m)
		if err != nil {
			return fmt.Errorf("migrations of %s: %w", m.Module, err)
		}
		if _, target, err := p.GetVersions(ctx); err != nil || target < version {
			return errors.Join(errs.Invalid("error.store_newer", "", "the snapshot is of a newer version of the program: %s stands at %d, this program knows %d", m.Module, version, target), err)
		}
		if _, err := p.UpTo(ctx, version); err != nil {
			return fmt.Errorf("migrate %s to %d: %w", m.Module, version, err)
		}
	}
	for module := range versions {
		if !known[module] {
			return errs.Invalid("error.store_newer", "", "the snapshot is of a newer version of the program: this one has no part %s", module)
		}
	}
	return nil
}

// raw runs fn in a transaction of the driver itself, which knows COPY.
func (db *DB) raw(ctx context.Context, o pgx.TxOptions, fn func(tx pgx.Tx) error) error {
	conn, err := db.write.DB.Conn(ctx)
	if err != nil {
		return err
	}
	err = conn.Raw(func(raw any) error {
		return pgx.BeginTxFunc(ctx, raw.(*stdlib.Conn).Conn(), o, fn)
	})
	return errors.Join(err, conn.Close())
}

// list reads the tables of the store, without the migrations' own, and the
// versions that those tell.
func list(ctx context.Context, tx pgx.Tx) (contents, error) {
	c := contents{Versions: map[string]int64{}}
	rows, err := tx.Query(ctx, `SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname ORDER BY c.relname`)
	if err != nil {
		return c, fmt.Errorf("list tables: %w", err)
	}
	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t contentsTable, err error) { return t, row.Scan(&t.Name, &t.Columns) })
	if err != nil {
		return c, fmt.Errorf("list tables: %w", err)
	}
	for _, t := range tables {
		module, is := ofVersions(t.Name)
		if !is {
			c.Tables = append(c.Tables, t)
			continue
		}
		var version *int64
		if err := tx.QueryRow(ctx, "SELECT max(version_id) FROM "+pgx.Identifier{t.Name}.Sanitize()).Scan(&version); err != nil {
			return c, fmt.Errorf("read the version of %s: %w", module, err)
		}
		if version != nil && *version > 0 {
			c.Versions[module] = *version
		}
	}
	c.Tables, err = referredFirst(ctx, tx, c.Tables)
	return c, err
}

// referredFirst orders tables so that each follows those that it refers to.
func referredFirst(ctx context.Context, tx pgx.Tx, tables []contentsTable) ([]contentsTable, error) {
	rows, err := tx.Query(ctx, `SELECT f.relname::text, t.relname::text FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND k.connamespace = current_schema()::regnamespace`)
	if err != nil {
		return nil, fmt.Errorf("list foreign keys: %w", err)
	}
	refers := map[string][]string{}
	var from, to string
	if _, err := pgx.ForEachRow(rows, []any{&from, &to}, func() error {
		refers[from] = append(refers[from], to)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("list foreign keys: %w", err)
	}
	placed := map[string]bool{}
	var out []contentsTable
	for len(out) < len(tables) {
		before := len(out)
		for _, t := range tables {
			if !placed[t.Name] && !slices.ContainsFunc(refers[t.Name], func(r string) bool { return !placed[r] }) {
				placed[t.Name], out = true, append(out, t)
			}
		}
		if len(out) == before {
			return nil, errors.New("tables refer to each other in a circle")
		}
	}
	return out, nil
}
