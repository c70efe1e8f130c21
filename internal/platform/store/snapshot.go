package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"omote/internal/platform/errs"
)

// Snapshot writes the whole store, as of one moment, while others go on reading and
// writing, and counts the rows of each table in it. It holds back no writer. On
// SQLite path is a new file, on PostgreSQL a new folder.
func (db *DB) Snapshot(ctx context.Context, path string) (map[string]int64, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, errs.Conflict("error.store_exists", "%s exists already", path)
	}
	if db.path == "" {
		err := os.Mkdir(path, 0o700)
		var counts map[string]int64
		if err == nil {
			counts, err = db.snapshotPostgres(ctx, path)
		}
		if err != nil {
			return nil, fmt.Errorf("snapshot of the store: %w", err)
		}
		return counts, nil
	}
	// Readers of the pool are held to reading, which VACUUM INTO does not pass for.
	conn := sql.OpenDB(sqliteConnector(db.path, true))
	_, err := conn.ExecContext(ctx, "VACUUM INTO ?", path)
	if err = errors.Join(err, conn.Close()); err != nil {
		return nil, fmt.Errorf("snapshot of the store: %w", err)
	}
	if err := errors.Join(os.Chmod(path, 0o600), syncFile(path)); err != nil {
		return nil, fmt.Errorf("snapshot of the store: %w", err)
	}
	return countTables(ctx, path)
}

// Restore puts a snapshot into an empty place, a folder that has no store or a
// PostgreSQL database that has no tables, checks it, and counts the rows of each
// table. A snapshot goes back into the engine that it is of. The modules are those
// whose tables are in it, in the order of their migrations.
func Restore(ctx context.Context, snapshot string, o Options, modules ...Migrations) (map[string]int64, error) {
	if o.URL == "" {
		return restoreSQLite(ctx, snapshot, o.Dir)
	}
	db, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	counts, err := db.restorePostgres(ctx, snapshot, modules)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("restore the store: %w", err)
	}
	return counts, nil
}

func restoreSQLite(ctx context.Context, snapshot, dir string) (map[string]int64, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("restore the store: %w", err)
	}
	path := filepath.Join(dir, FileName)
	if _, err := os.Lstat(path); err == nil {
		return nil, errs.Conflict("error.store_exists", "%s exists already", path)
	}
	if err := copyFile(snapshot, path); err != nil {
		return nil, fmt.Errorf("restore the store: %w", err)
	}
	return countTables(ctx, path)
}

// countTables checks a store's file and counts the rows of its tables.
func countTables(ctx context.Context, path string) (counts map[string]int64, err error) {
	db := sql.OpenDB(sqliteConnector(path, true))
	defer func() { err = errors.Join(err, db.Close()) }()
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil || verdict != "ok" {
		return nil, errors.Join(fmt.Errorf("the store in %s is damaged: %s", path, verdict), err)
	}
	names, err := tableNames(ctx, db)
	if err != nil {
		return nil, err
	}
	counts = make(map[string]int64, len(names))
	for _, name := range names {
		var n int64
		if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM "`+name+`"`).Scan(&n); err != nil {
			return nil, fmt.Errorf("count %s: %w", name, err)
		}
		counts[name] = n
	}
	return counts, nil
}

func tableNames(ctx context.Context, db *sql.DB) (names []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// copyFile copies into a new file that is whole and on disk when it returns nil.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
