package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"testing"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// TestSnapshotIsOneMomentAndRestores snapshots while a writer adds rows in
// pairs: the copy holds whole pairs, and restores with the same counts and rows.
func TestSnapshotIsOneMomentAndRestores(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		path := filepath.Join(t.TempDir(), "copy.db")
		writing, stop := context.WithCancel(ctx)
		first, done := make(chan struct{}), make(chan error, 1)
		go func() {
			for n := 0; writing.Err() == nil; n++ {
				err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
					_, err := tx.NewInsert().Model(&[]thing{{ID: fmt.Sprint("a", n), Entity: "bank"}, {ID: fmt.Sprint("b", n), Entity: "bank"}}).Exec(ctx)
					return err
				})
				if err != nil {
					done <- err
					return
				}
				if n == 0 {
					close(first)
				}
			}
			done <- nil
		}()
		<-first
		counts, err := db.Snapshot(ctx, path)
		stop()
		if werr := <-done; err != nil || werr != nil {
			t.Fatal(err, werr)
		}
		if n := counts["demo_thing"]; n == 0 || n%2 != 0 {
			t.Errorf("%d rows: not a moment between transactions", n)
		}
		if _, err := db.Snapshot(ctx, path); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("a snapshot went over another: %v", err)
		}
		to := store.Options{Dir: t.TempDir(), Keys: db.Keys()}
		if db.Dialect().String() == "postgres" {
			to.URL = testkit.PostgresURL(t)
		}
		again, err := store.Restore(ctx, path, to, demo)
		if err != nil || !maps.Equal(again, counts) {
			t.Fatalf("restored %v, want %v: %v", again, counts, err)
		}
		restored, err := store.Open(ctx, to)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := restored.Pending(ctx, demo); err != nil || n != 0 {
			t.Errorf("%d migrations are pending after the restore, %v", n, err)
		}
		var rows []thing
		err = restored.Read(ctx, func(ctx context.Context, tx store.Tx) error { return tx.NewSelect().Model(&rows).Scan(ctx) })
		if err = errors.Join(err, restored.Close()); err != nil || int64(len(rows)) != counts["demo_thing"] {
			t.Errorf("%d rows can be read, %v", len(rows), err)
		}
		if _, err := store.Restore(ctx, path, to, demo); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("restored over a store: %v", err)
		}
	}, demo)
}
