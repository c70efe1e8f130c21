package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"omote/internal/platform/store"
	"omote/internal/testkit"
)

func things(from, n int) []store.Column {
	var (
		id, entity = make([]string, n), make([]string, n)
		name       = make([]*string, n)
		count      = make([]int64, n)
		score      = make([]*float64, n)
		open       = make([]bool, n)
		secret     = make([][]byte, n)
		attrs      = make([]json.RawMessage, n)
		at         = make([]*store.Micros, n)
	)
	for i := range n {
		k := from + i
		id[i], entity[i], count[i], open[i] = fmt.Sprintf("%06d", k), "bank", int64(k), k%2 == 0
		if k%3 == 0 {
			s, f, m := fmt.Sprint("ten ", k), float64(k)/8, store.Micros(k)
			name[i], score[i], at[i] = &s, &f, &m
			secret[i], attrs[i] = []byte{byte(k), 0}, json.RawMessage(`{"k": 1}`)
		}
	}
	return []store.Column{store.Col("id", id), store.Col("entity", entity), store.Col("name", name), store.Col("n", count),
		store.Col("score", score), store.Col("open", open), store.Col("secret", secret), store.Col("attrs", attrs), store.Col("at", at)}
}

func TestBatchInsertsAndUpserts(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		const n = 2500 // more than one statement on SQLite
		batch := func(from, n int, u store.Upsert) (changed int64) {
			write(t, db, func(ctx context.Context, tx store.Tx) (err error) {
				changed, err = tx.Batch(ctx, "demo_thing", u, things(from, n)...)
				return err
			})
			return changed
		}
		if got := batch(0, n, store.Upsert{}); got != n {
			t.Errorf("inserted %d, want %d", got, n)
		}
		if got := batch(n-10, 20, store.Upsert{Key: []string{"id"}}); got != 10 {
			t.Errorf("kept the old rows: %d changed, want 10", got)
		}
		if got := batch(0, 5, store.Upsert{Key: []string{"id"}, Set: "n = t.n + excluded.n + 1"}); got != 5 {
			t.Errorf("added: %d changed, want 5", got)
		}
		var out []thing
		read(t, db, func(ctx context.Context, tx store.Tx) error {
			return tx.NewSelect().Model(&out).Order("id").Limit(4).Scan(ctx)
		})
		name, score := "ten 3", 3.0/8
		want := thing{ID: "000003", Entity: "bank", Name: name, N: 7, Score: &score, Secret: []byte{3, 0},
			Attrs: json.RawMessage(`{"k": 1}`), At: 3}
		if d := cmp.Diff(want, out[3], sameJSON); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(thing{ID: "000002", Entity: "bank", N: 5, Open: true}, out[2]); d != "" {
			t.Error(d)
		}
		if got := count(t, db); got != n+10 {
			t.Errorf("%d rows, want %d", got, n+10)
		}
	}, demo)
}

func TestBatchRefusesTheSameKeyTwice(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		err := db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Batch(ctx, "demo_thing", store.Upsert{Key: []string{"id"}, Set: store.Replace("n")},
				store.Col("id", []string{"a", "b", "a"}), store.Col("entity", []string{"x", "x", "x"}), store.Col("n", []int64{1, 2, 3}))
			return err
		})
		if !errors.Is(err, store.ErrBatchKeyTwice) {
			t.Errorf("got %v", err)
		}
	}, demo)
}

func BenchmarkBatch(b *testing.B) {
	engines := map[string]func(testing.TB, ...store.Migrations) *store.DB{"sqlite": testkit.SQLite, "postgres": testkit.Postgres}
	for name, open := range engines {
		b.Run(name, func(b *testing.B) {
			db := open(b, demo)
			ctx := testkit.Context(b)
			const n = 500
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				err := db.Claim(ctx, func(ctx context.Context, tx store.Tx) error {
					_, err := tx.Batch(ctx, "demo_thing", store.Upsert{Key: []string{"id"}, Set: store.Replace("n")}, things(i*n, n)...)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
