package store

import (
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestLogStaysShortUnderLoad writes without a pause: the log is folded and begun
// anew meanwhile, where without folding it would hold all that was written.
func TestLogStaysShortUnderLoad(t *testing.T) {
	t.Parallel()
	written, folded := loadLog(t, pace{every: time.Millisecond, long: 64, rest: 16, passes: 4})
	_, grown := loadLog(t, pace{every: time.Hour})
	t.Logf("of %d bytes written the log held %d with folding, %d without", written, folded, grown)
	if folded > written/2 || grown < written {
		t.Errorf("of %d bytes written the log held %d with folding, %d without", written, folded, grown)
	}
}

// loadLog gives how many bytes of rows were written, and how long the log became.
func loadLog(t *testing.T, p pace) (written, log int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	db := sql.OpenDB(sqliteConnector(path, true))
	db.SetMaxOpenConns(1)
	f := newFolder(path, db, slog.New(slog.DiscardHandler), p)
	t.Cleanup(func() {
		f.close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	exec := func(query string, args ...any) {
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
	const row = 20_000
	for range 400 {
		exec("INSERT INTO t (v) VALUES (zeroblob(?))", row)
		f.committed()
		written += row
	}
	file, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != 400 {
		t.Fatalf("%d rows, %v", n, err)
	}
	return written, file.Size()
}
