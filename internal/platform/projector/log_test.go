package projector_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/keyring"
	"omote/internal/platform/projector"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

// openLog opens a log in a folder and closes it when the test ends.
func openLog(tb testing.TB, dir string, keys keyring.Provider) *eventlog.Log {
	tb.Helper()
	l, err := eventlog.Open(context.Background(), eventlog.Options{Dir: dir, Keys: keys, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close(context.Background()) })
	return l
}

// run feeds a state until the test ends or stop is called.
func run(tb testing.TB, l *eventlog.Log, s *projector.State) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx, s, s.Feed()) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("run: %v", err)
		}
	})
	tb.Cleanup(stop)
	return stop
}

// TestImportReportsItsDuplicates appends a file twice, as an import that was
// stopped and resumed would, and reads what it brought.
func TestImportReportsItsDuplicates(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, db *store.DB) {
		s := newState(t, db, &ledger{name: "ledger"})
		l := openLog(t, t.TempDir(), db.Keys())
		run(t, l, s)
		var events []event.Event
		for n := range 500 {
			events = append(events, made(fmt.Sprint("p", n%7), n))
		}
		for _, part := range [][]event.Event{events[:300], events} {
			receipt, err := l.Append(t.Context(), part)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if err := l.WaitFor(ctx, s.Name(), receipt); err != nil {
				t.Fatal(err)
			}
		}
		c, err := s.Import(testkit.Context(t), "i1")
		if err != nil || c != (projector.ImportCount{Accepted: 500, Duplicates: 300}) {
			t.Fatalf("import %+v, %v", c, err)
		}
		n := 0
		for person, messages := range effects(t, db, "ledger") {
			for i, m := range messages {
				n++
				if i > 0 && m <= messages[i-1] {
					t.Errorf("%s: %s took effect after %s", person, m, messages[i-1])
				}
			}
		}
		if n != 500 {
			t.Fatalf("%d effects, want 500", n)
		}
	})
}

// BenchmarkApply measures the projector without any handler's work of its own:
// reading the position, two savepoints, the counters and the commit.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{1, 100, 2000} {
		b.Run(fmt.Sprint("events=", n), func(b *testing.B) {
			db := testkit.Open(b, store.Options{Dir: b.TempDir()}, sealed.Migrations, projector.Migrations)
			p := tape{state: newState(b, db, nothing("one"), nothing("two"))}
			events := make([]event.Event, n)
			for i := range events {
				events[i] = made(fmt.Sprint(i), 1)
			}
			b.ReportAllocs()
			for b.Loop() {
				p.apply(b, events...)
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// nothing is a handler that does nothing.
type nothing string

func (n nothing) Name() string                                            { return string(n) }
func (nothing) Handle(context.Context, store.Tx, []eventlog.Record) error { return nil }

// openAt opens store, state and log of a folder that is used again and again.
func openAt(ctx context.Context, dir string, handlers ...projector.Handler) (*store.DB, *projector.State, *eventlog.Log, error) {
	ring, err := keyring.OpenFile(filepath.Join(dir, "ring.json"))
	if err != nil {
		return nil, nil, nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Options{Dir: filepath.Join(dir, "store"), Keys: ring, Logger: quiet})
	if err != nil {
		return nil, nil, nil, err
	}
	if err := db.Migrate(ctx, sealed.Migrations, projector.Migrations, demo); err != nil {
		return nil, nil, nil, err
	}
	box, err := sealed.NewBox(ring)
	if err != nil {
		return nil, nil, nil, err
	}
	s, err := projector.New(db, box, projector.Options{}, handlers...)
	if err != nil {
		return nil, nil, nil, err
	}
	l, err := eventlog.Open(ctx, eventlog.Options{Dir: filepath.Join(dir, "log"), Keys: ring, Logger: quiet})
	return db, s, l, err
}

// verifying reports whether the long forms were asked for.
func verifying() bool { return os.Getenv("OMOTE_VERIFY") == "1" }
