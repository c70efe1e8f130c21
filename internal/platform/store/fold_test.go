package store

import (
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestFoldedLogBeginsAnew writes and folds in turns: the log never holds more than
// what was written between two foldings, where without them it holds everything.
func TestFoldedLogBeginsAnew(t *testing.T) {
	t.Parallel()
	const turns, rows, row = 10, 40, 20_000
	for _, fold := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "store.db")
		db := sql.OpenDB(sqliteConnector(path, true))
		db.SetMaxOpenConns(1)
		beside := sql.OpenDB(sqliteConnector(path, true))
		f := &folder{path: path, writer: db, pace: pace{long: 64, rest: 16, passes: 4}, log: slog.New(slog.DiscardHandler)}
		exec := func(query string, args ...any) {
			if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
				t.Fatal(err)
			}
		}
		exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
		for range turns {
			exec("BEGIN")
			for range rows {
				exec("INSERT INTO t (v) VALUES (zeroblob(?))", row)
			}
			exec("COMMIT")
			if fold {
				if err := f.fold(t.Context(), beside); err != nil {
					t.Fatal(err)
				}
			}
		}
		file, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		if turn := int64(rows * row); fold && file.Size() > 2*turn || !fold && file.Size() < turns*turn {
			t.Errorf("folding %v: the log has %d bytes, a turn %d", fold, file.Size(), turn)
		}
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != turns*rows {
			t.Errorf("%d rows, %v", n, err)
		}
		if err := errors.Join(beside.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestFoldingBesideWriters folds as fast as it can while others write and read.
func TestFoldingBesideWriters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	db := sql.OpenDB(sqliteConnector(path, true))
	db.SetMaxOpenConns(1)
	f := newFolder(path, db, slog.New(slog.DiscardHandler), pace{long: 1, passes: 2})
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (id INTEGER PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	const writers, each = 4, 25
	var group errgroup.Group
	for range writers {
		group.Go(func() error {
			for range each {
				if _, err := db.ExecContext(t.Context(), "INSERT INTO t DEFAULT VALUES"); err != nil {
					return err
				}
				f.committed()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	f.close()
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != writers*each {
		t.Errorf("%d rows, %v", n, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
