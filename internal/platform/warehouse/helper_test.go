package warehouse

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"omote/internal/platform/event"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/testkit"
)

var hanoi = mustZone("Asia/Ho_Chi_Minh")

func mustZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

func options(t testing.TB) Options {
	t.Helper()
	maker, err := pseudonym.New(t.Context(), testkit.Keys(t))
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Pseudonyms: maker,
		Mask:       func(s string) string { return "masked:" + s },
		Zone:       func(string) *time.Location { return hanoi },
		Logger:     slog.New(slog.DiscardHandler),
	}
}

// each runs fn on a fresh warehouse of each engine.
func each(t *testing.T, fn func(t *testing.T, w *Warehouse)) {
	t.Helper()
	t.Run("duckdb", func(t *testing.T) {
		t.Parallel()
		opt := options(t)
		opt.Dir = t.TempDir()
		fn(t, openTest(t, opt))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		opt := options(t)
		opt.URL = testkit.PostgresURL(t)
		fn(t, openTest(t, opt))
	})
}

func openTest(t testing.TB, opt Options) *Warehouse {
	t.Helper()
	w, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("close warehouse: %v", err)
		}
	})
	return w
}

// as is a context that sees a subtree of the default entity.
func as(t testing.TB, unit string) context.Context {
	return scope.With(t.Context(), scope.Scope{Entity: scope.DefaultEntity, Unit: unit, Actor: "tester"})
}

// one gives the single value of a query.
func one[T any](t testing.TB, ctx context.Context, w *Warehouse, query string, args ...any) T {
	t.Helper()
	rows, err := w.Query(ctx, query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var v T
	if !rows.Next() {
		t.Fatalf("%s: no row: %v", query, rows.Err())
	}
	if err := rows.Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// facts makes n facts in messages of up to ten, the first with sequence first.
func facts(rng *rand.Rand, n int, first uint64) []Fact {
	out := make([]Fact, 0, n)
	seq, index := first, 0
	base := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for range n {
		if index > 0 && rng.IntN(10) == 0 {
			seq, index = seq+1, 0
		}
		at := base.Add(time.Duration(rng.Int64N(int64(40 * 24 * time.Hour)))).UnixMicro()
		e := event.Event{
			Source: pick(rng, "app", "core"), MessageID: fmt.Sprint(rng.Uint64()), Entity: scope.DefaultEntity, Kind: event.Track,
			Name: pick(rng, "loan_started", "loan_decided", answeredSuffix), UserID: fmt.Sprint("u", rng.IntN(50)), System: "core",
			At: at, ReceivedAt: at + rng.Int64N(1e9), Journey: "loan", Case: fmt.Sprint("c", rng.IntN(40)),
			Channel: pick(rng, "app", "branch", ""), Unit: pick(rng, "hn1", "hn2", "sg1", ""), Product: pick(rng, "card", "loan"),
			Props: []byte(`{"step":"x","n":3}`), Schema: 1,
		}
		if rng.IntN(3) == 0 {
			e.Amount, e.Currency = rng.Int64N(1e9), "VND"
		}
		if e.Name == answeredSuffix {
			e.Props = fmt.Appendf(nil, `{"instrument":"tx_csat","item":"tc_score","score":%s,"verbatim":%q,"language":"vi"}`,
				pick(rng, "1", "2", "3", "4", "5", "null"), pick(rng, "", "rất tốt", "chờ lâu"))
		}
		out = append(out, Fact{Event: e, Seq: seq, Index: index})
		index++
	}
	return out
}

func pick[T any](rng *rand.Rand, xs ...T) T { return xs[rng.IntN(len(xs))] }

func last(fs []Fact) uint64 { return fs[len(fs)-1].Seq }
