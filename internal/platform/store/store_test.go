package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

var demo = store.Migrations{Module: "demo", FS: os.DirFS("testdata")}

type thing struct {
	bun.BaseModel `bun:"table:demo_thing,alias:t"`
	ID            string `bun:",pk"`
	Entity        string
	Name          string `bun:",nullzero"`
	N             int64
	Score         *float64
	Open          bool
	Secret        []byte
	Attrs         json.RawMessage `bun:"type:jsonb,nullzero"`
	At            store.Micros    `bun:",nullzero"`
}

func TestMigrationsOfBothDialectsAreEqual(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, demo)
}

// sameJSON compares JSON by meaning.
var sameJSON = cmp.Transformer("JSON", func(raw json.RawMessage) (v any) {
	if len(raw) > 0 && json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	return v
})

func TestEveryTypeSurvivesTheRoundTrip(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		half := 0.5
		in := thing{ID: "1", Entity: "bank", Name: "Đặng 'quoted' \"x\" \\ ? 🙂", N: -1 << 62, Score: &half, Open: true,
			Secret: []byte{0, 1, 255, '\''}, Attrs: json.RawMessage(`{"n": 7, "s": "a"}`), At: db.Now()}
		empty := thing{ID: "2", Entity: "bank"}
		err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewInsert().Model(&[]thing{in, empty}).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var out []thing
		var text string
		var number float64
		err = db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
			if err := tx.NewSelect().Model(&out).Order("id").Scan(ctx); err != nil {
				return err
			}
			return tx.NewSelect().Table("demo_thing").
				ColumnExpr(tx.Engine.JSONText("attrs", "s")).ColumnExpr(tx.Engine.JSONNumber("attrs", "n")).
				Where("id = ?", "1").Scan(ctx, &text, &number)
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]thing{in, empty}, out, sameJSON); d != "" {
			t.Error(d)
		}
		if text != "a" || number != 7 {
			t.Errorf("JSON members: %q, %v", text, number)
		}
		if !out[0].At.Time().Equal(testkit.Epoch) {
			t.Errorf("instant %v, want %v", out[0].At.Time(), testkit.Epoch)
		}
	}, demo)
}

func TestScopeIsRequiredAndNestingRefused(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		nothing := func(context.Context, store.Tx) error { return nil }
		for _, run := range []func(context.Context, func(context.Context, store.Tx) error) error{db.Read, db.Write, db.Claim} {
			if err := run(t.Context(), nothing); !errors.Is(err, store.ErrNoScope) {
				t.Errorf("without a scope: %v", err)
			}
			err := db.Write(testkit.Context(t), func(ctx context.Context, _ store.Tx) error { return run(ctx, nothing) })
			if !errors.Is(err, store.ErrNested) {
				t.Errorf("nested: %v", err)
			}
		}
	})
}

func TestHooksRunOnlyAfterACommit(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		boom := errors.New("boom")
		var got []string
		hook := func(tx store.Tx, s string) { tx.AfterCommit(func() { got = append(got, s) }) }
		err := db.Write(ctx, func(_ context.Context, tx store.Tx) error { hook(tx, "lost"); return boom })
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		err = db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			hook(tx, "outer")
			insert := func(id string, end error) error {
				return tx.Savepoint(ctx, func(ctx context.Context, tx store.Tx) error {
					hook(tx, id)
					_, err := tx.NewInsert().Model(&thing{ID: id, Entity: "bank"}).Exec(ctx)
					return errors.Join(err, end)
				})
			}
			if err := insert("bad", boom); !errors.Is(err, boom) {
				return err
			}
			return insert("good", nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"outer", "good"}, got); d != "" {
			t.Error(d)
		}
		if n := count(t, db); n != 1 {
			t.Errorf("%d rows, want the one of the good savepoint", n)
		}
	}, demo)
}

// TestWritesGatheredInMemory: what a transaction holds in memory is written before
// the commit, once, without what a savepoint made that was rolled back; and an
// error then is one of the transaction.
func TestWritesGatheredInMemory(t *testing.T) {
	t.Parallel()
	type key struct{ name string }
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		boom := errors.New("boom")
		gather := func(tx store.Tx, name, id string) {
			ids := store.Once(tx, key{name}, func() *[]string {
				var ids []string
				tx.BeforeCommit(func(ctx context.Context, tx store.Tx) error {
					for _, id := range ids {
						if _, err := tx.NewInsert().Model(&thing{ID: id, Entity: "bank"}).Exec(ctx); err != nil {
							return err
						}
					}
					return nil
				})
				return &ids
			})
			*ids = append(*ids, id)
		}
		err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			in := func(name, id string, end error) error {
				return tx.Savepoint(ctx, func(_ context.Context, tx store.Tx) error { gather(tx, name, id); return end })
			}
			if err := in("lost", "a", boom); !errors.Is(err, boom) {
				return err
			}
			if err := in("kept", "b", nil); err != nil {
				return err
			}
			gather(tx, "kept", "c")
			return in("lost", "d", nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, db); n != 3 {
			t.Errorf("%d rows, want b, c and d", n)
		}
		err = db.Write(ctx, func(_ context.Context, tx store.Tx) error { gather(tx, "new", "e"); gather(tx, "new", "b"); return nil })
		if !store.IsDuplicate(err) {
			t.Errorf("a row that exists: %v", err)
		}
		if n := count(t, db); n != 3 {
			t.Errorf("%d rows after a transaction that could not be written", n)
		}
	}, demo)
}

func count(t *testing.T, db *store.DB) (n int64) {
	t.Helper()
	err := db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) (err error) {
		n, err = tx.NewSelect().Table("demo_thing").Count(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Sixteen goroutines read a counter and write it back plus one. Any lost update
// shows as a smaller sum; any refused conflict must have been tried again.
func TestWritesAreSerialisable(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		write(t, db, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewInsert().Model(&thing{ID: "c", Entity: "bank"}).Exec(ctx)
			return err
		})
		const workers, each = 8, 10
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range each {
					for {
						err := db.Write(ctx, increment)
						if err == nil {
							break
						}
						if errs.KindOf(err) != errs.KindUnavailable {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		var got thing
		read(t, db, func(ctx context.Context, tx store.Tx) error { return tx.NewSelect().Model(&got).Scan(ctx) })
		if got.N != workers*each {
			t.Errorf("counter %d, want %d", got.N, workers*each)
		}
	}, demo)
}

func increment(ctx context.Context, tx store.Tx) error {
	var c thing
	if err := tx.NewSelect().Model(&c).Where("id = 'c'").Scan(ctx); err != nil {
		return err
	}
	c.N++
	_, err := tx.NewUpdate().Model(&c).Column("n").WherePK().Exec(ctx)
	return err
}

func write(t *testing.T, db *store.DB, fn func(context.Context, store.Tx) error) {
	t.Helper()
	if err := db.Write(testkit.Context(t), fn); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, db *store.DB, fn func(context.Context, store.Tx) error) {
	t.Helper()
	if err := db.Read(testkit.Context(t), fn); err != nil {
		t.Fatal(err)
	}
}

func TestReadSeesOneSnapshotAndCannotWrite(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		insert := func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewInsert().Model(&thing{ID: "x", Entity: "bank"}).Exec(ctx)
			return err
		}
		read(t, db, func(txCtx context.Context, tx store.Tx) error {
			before, err := tx.NewSelect().Table("demo_thing").Count(txCtx)
			if err != nil {
				return err
			}
			if err := db.Write(ctx, insert); err != nil { // the outer context: another client
				return err
			}
			after, err := tx.NewSelect().Table("demo_thing").Count(txCtx)
			if before != 0 || after != 0 {
				t.Errorf("counted %d then %d inside one snapshot", before, after)
			}
			return err
		})
		if err := db.Read(ctx, insert); err == nil {
			t.Error("a read transaction wrote")
		}
	}, demo)
}

func TestDuplicatesAreRecognised(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		insert := func(id, name string) error {
			return db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
				_, err := tx.NewInsert().Model(&thing{ID: id, Entity: "bank", Name: name}).Exec(ctx)
				return err
			})
		}
		if err := insert("1", "a"); err != nil {
			t.Fatal(err)
		}
		if err := insert("1", "b"); !store.IsDuplicate(err) {
			t.Errorf("primary key: %v", err)
		}
		if err := insert("2", "a"); !store.IsDuplicate(err) {
			t.Errorf("unique key: %v", err)
		}
	}, demo)
}

func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data ?#%")
	db := testkit.Open(t, store.Options{Dir: dir}, demo)
	write(t, db, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewInsert().Model(&thing{ID: "1", Entity: "bank"}).Exec(ctx)
		return err
	})
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if info, _ := f.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", f.Name(), info.Mode().Perm())
		}
	}
}

func TestMicros(t *testing.T) {
	t.Parallel()
	if store.At(time.Time{}) != 0 || !store.Micros(0).Time().IsZero() {
		t.Error("the zero time and 0 must stand for each other")
	}
	m := store.At(testkit.Epoch)
	if got := m.Add(1500 * time.Millisecond).Sub(m); got != 1500*time.Millisecond {
		t.Errorf("got %v", got)
	}
}
