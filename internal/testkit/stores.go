package testkit

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"omote/internal/platform/clock"
	"omote/internal/platform/keyring"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Epoch is where the manual clocks of tests start: a Monday morning in Hanoi.
var Epoch = time.Date(2026, 1, 5, 2, 0, 0, 0, time.UTC)

// Stores runs fn as a sub-test on a fresh, empty store of each engine, with the
// given migrations applied, a temporary key ring and a manual clock (see Clock).
func Stores(t *testing.T, fn func(t *testing.T, db *store.DB), migrations ...store.Migrations) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t, migrations...)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t, migrations...)) })
}

// SQLite opens a fresh store on SQLite.
func SQLite(t testing.TB, migrations ...store.Migrations) *store.DB {
	t.Helper()
	return Open(t, store.Options{Dir: t.TempDir()}, migrations...)
}

// Postgres opens a fresh store on PostgreSQL.
func Postgres(t testing.TB, migrations ...store.Migrations) *store.DB {
	t.Helper()
	return Open(t, store.Options{URL: PostgresURL(t)}, migrations...)
}

// Open opens the store that o names, filling in what o leaves empty with the
// defaults of Stores, and closes it when the test ends.
func Open(t testing.TB, o store.Options, migrations ...store.Migrations) *store.DB {
	t.Helper()
	if o.Keys == nil {
		o.Keys = Keys(t)
	}
	if o.Clock == nil {
		o.Clock = clock.NewManual(Epoch)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	if err := db.Migrate(t.Context(), migrations...); err != nil {
		t.Fatal(err)
	}
	return db
}

// Clock is the manual clock of a store that this package opened.
func Clock(db *store.DB) *clock.Manual { return db.Clock().(*clock.Manual) }

// Keys is an empty key ring in a temporary folder.
func Keys(t testing.TB) *keyring.File {
	t.Helper()
	ring, err := keyring.OpenFile(filepath.Join(t.TempDir(), "keys", "ring.json"))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// Context is the test's context with the scope of a process that may do anything.
func Context(t testing.TB) context.Context {
	return scope.With(t.Context(), scope.Process(scope.DefaultEntity, "test"))
}

// CheckMigrations proves what every module's migrations must obey: both
// dialects give the same schema, the schema passes store.Schema.Lint, a second
// run changes nothing, and Down undoes Up.
func CheckMigrations(t *testing.T, migrations ...store.Migrations) {
	t.Helper()
	var names []string
	for _, m := range migrations {
		names = append(names, m.Module)
	}
	schemas := map[string]store.Schema{}
	Stores(t, func(t *testing.T, db *store.DB) {
		if err := db.Migrate(t.Context(), migrations...); err != nil {
			t.Fatalf("second run: %v", err)
		}
		s, err := db.ReadSchema(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range s.Lint(names...) {
			t.Error(fault)
		}
		schemas[db.Dialect().String()] = s
		if err := db.Rollback(t.Context(), migrations...); err != nil {
			t.Fatal(err)
		}
		if left, err := db.ReadSchema(t.Context()); err != nil || len(left) > 0 {
			t.Errorf("after rolling back: %v, %v", left, err)
		}
	}, migrations...)
	if pg, ok := schemas["postgres"]; ok {
		if d := cmp.Diff(schemas["sqlite"], pg); d != "" {
			t.Errorf("the dialects give different schemas (-sqlite +postgres):\n%s", d)
		}
	}
}
