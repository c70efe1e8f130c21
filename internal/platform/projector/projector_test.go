package projector_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/keyring"
	"omote/internal/platform/projector"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

var demo = store.Migrations{Module: "demo", FS: os.DirFS("testdata")}

// ledger is a handler that numbers the events of each person: a second effect
// of the same event, a lost one or a wrong order would show.
type ledger struct {
	name   string
	refuse func(r *eventlog.Record) error // nil: nothing is refused
	calls  atomic.Int64
}

func (l *ledger) Name() string { return l.name }

func (l *ledger) Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error {
	l.calls.Add(1)
	for i := range records {
		r := &records[i]
		if _, err := tx.ExecContext(ctx, `INSERT INTO demo_count (handler, person, n) VALUES (?, ?, 1)
ON CONFLICT (handler, person) DO UPDATE SET n = demo_count.n + 1`, l.name, r.UserID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO demo_effect (handler, person, n, message, entity)
SELECT handler, person, n, ?, ? FROM demo_count WHERE handler = ? AND person = ?`, r.MessageID, tx.Scope.Entity, l.name, r.UserID); err != nil {
			return err
		}
		if l.refuse != nil {
			if err := l.refuse(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// fataler is what both testing and rapid give.
type fataler interface {
	Helper()
	Fatal(...any)
}

// openSQLite opens an empty store in a folder of its own under root.
func openSQLite(tb fataler, root string) *store.DB {
	tb.Helper()
	dir, err := os.MkdirTemp(root, "")
	if err != nil {
		tb.Fatal(err)
	}
	ring, err := keyring.OpenFile(filepath.Join(dir, "ring.json"))
	if err != nil {
		tb.Fatal(err)
	}
	db, err := store.Open(context.Background(), store.Options{Dir: dir, Keys: ring, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	if err := db.Migrate(context.Background(), sealed.Migrations, projector.Migrations, demo); err != nil {
		tb.Fatal(err)
	}
	return db
}

// effects gives, for each person, the messages in the order of their effects.
func effects(tb fataler, db *store.DB, handler string) map[string][]string {
	tb.Helper()
	out := map[string][]string{}
	err := db.Read(bank(context.Background()), func(ctx context.Context, tx store.Tx) error {
		var rows []struct{ Person, Message string }
		if err := tx.NewSelect().Table("demo_effect").Column("person", "message").Where("handler = ?", handler).
			Order("person", "n").Scan(ctx, &rows); err != nil {
			return err
		}
		for _, r := range rows {
			out[r.Person] = append(out[r.Person], r.Message)
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func newState(tb testing.TB, db *store.DB, handlers ...projector.Handler) *projector.State {
	tb.Helper()
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		tb.Fatal(err)
	}
	s, err := projector.New(db, box, projector.Options{}, handlers...)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func stores(t *testing.T, fn func(t *testing.T, db *store.DB)) {
	t.Helper()
	testkit.Stores(t, fn, sealed.Migrations, projector.Migrations, demo)
}

func made(person string, n int) event.Event {
	return event.Event{
		Source: "app", MessageID: fmt.Sprintf("%s-%04d", person, n), Entity: "bank", Kind: event.Track, Name: "card_activated",
		UserID: person, At: int64(n), ReceivedAt: int64(n), Import: "i1",
	}
}

// tape hands events to a state as the log would: one message a batch.
type tape struct {
	state *projector.State
	at    uint64
}

func (p *tape) batch(events ...event.Event) eventlog.Batch {
	b := eventlog.Batch{After: p.at, First: p.at + 1, Last: p.at + 1}
	for i, e := range events {
		b.Records = append(b.Records, eventlog.Record{Event: e, Seq: b.Last, Index: i})
	}
	return b
}

func (p *tape) apply(tb testing.TB, events ...event.Event) {
	tb.Helper()
	b := p.batch(events...)
	if err := p.state.Apply(context.Background(), b); err != nil {
		tb.Fatal(err)
	}
	p.at = b.Last
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, projector.Migrations)
}

func TestBatchAndPositionAreOneTransaction(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, db *store.DB) {
		l := &ledger{name: "ledger"}
		s := newState(t, db, l)
		p := tape{state: s}
		p.apply(t, made("a", 1), made("b", 1), made("a", 2))
		if position, err := s.Position(t.Context(), 0); err != nil || position != 1 {
			t.Fatalf("position %d, %v", position, err)
		}
		again := p.batch(made("a", 3))
		again.After, again.First, again.Last = 0, 1, 1
		if err := s.Apply(t.Context(), again); errs.KindOf(err) != errs.KindConflict {
			t.Fatalf("a batch from an old position: %v, want a conflict", err)
		}
		l.refuse = func(*eventlog.Record) error { return errs.Unavailable("x", "away") }
		if err := s.Apply(t.Context(), p.batch(made("a", 3))); errs.KindOf(err) != errs.KindUnavailable {
			t.Fatalf("got %v, want unavailable", err)
		}
		if position, err := s.Position(t.Context(), 0); err != nil || position != 1 {
			t.Fatalf("position %d after a failed batch, %v", position, err)
		}
		l.refuse = nil
		p.apply(t, made("a", 3))
		want := map[string][]string{"a": {"a-0001", "a-0002", "a-0003"}, "b": {"b-0001"}}
		if d := cmp.Diff(want, effects(t, db, "ledger")); d != "" {
			t.Fatal(d)
		}
	})
}

func TestDuplicatesAreCountedAndNotHandled(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, db *store.DB) {
		s := newState(t, db, &ledger{name: "ledger"})
		p := tape{state: s}
		for n := range 3 {
			b := p.batch(made("a", n), made("a", n), made("b", n))
			b.Records[1].Duplicate = true
			b.Partition = n % 2
			b.After, b.First, b.Last = uint64(n/2), uint64(n/2)+1, uint64(n/2)+1
			if err := s.Apply(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		c, err := s.Import(testkit.Context(t), "i1")
		if err != nil || c != (projector.ImportCount{Accepted: 6, Duplicates: 3}) {
			t.Fatalf("import %+v, %v", c, err)
		}
		if c, err := s.Import(testkit.Context(t), "other"); err != nil || c != (projector.ImportCount{}) {
			t.Fatalf("unknown import %+v, %v", c, err)
		}
		if got := effects(t, db, "ledger"); len(got["a"]) != 3 || len(got["b"]) != 3 {
			t.Fatalf("effects %v", got)
		}
	})
}

func TestEntitiesAreHandledApart(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, db *store.DB) {
		other := made("a", 2)
		other.Entity = "insurer"
		p := tape{state: newState(t, db, &ledger{name: "ledger"})}
		p.apply(t, made("a", 1), other, made("a", 3))
		var entities []string
		err := db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			return tx.NewSelect().Table("demo_effect").Column("entity").Order("message").Scan(ctx, &entities)
		})
		if err != nil || !slices.Equal(entities, []string{"bank", "insurer", "bank"}) {
			t.Fatalf("scopes %v, %v", entities, err)
		}
	})
}

func TestRefusedEventHoldsItsRecordOnly(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		good, bad := &ledger{name: "good"}, &ledger{name: "bad"}
		bad.refuse = func(r *eventlog.Record) error {
			switch r.MessageID {
			case "a-0001":
				return errors.New("cannot\x00 read")
			case "b-0002":
				panic("defect")
			}
			return nil
		}
		s := newState(t, db, bad, good)
		p := tape{state: s}
		p.apply(t, made("a", 0), made("a", 1), made("b", 1), made("a", 2), made("b", 2), made("c", 1))
		p.apply(t, made("a", 3), made("b", 3), made("c", 2))
		if d := cmp.Diff(map[string][]string{"a": {"a-0000"}, "b": {"b-0001"}, "c": {"c-0001", "c-0002"}}, effects(t, db, "bad")); d != "" {
			t.Fatal(d)
		}
		if got := effects(t, db, "good"); len(got["a"]) != 4 || len(got["b"]) != 3 || len(got["c"]) != 2 {
			t.Fatalf("the other handler was held up: %v", got)
		}
		counts, err := s.Counts(ctx)
		if err != nil || !slices.Equal(counts, []projector.HandlerCount{{Handler: "bad", Failed: 2, Waiting: 3}}) {
			t.Fatalf("counts %+v, %v", counts, err)
		}
		letters, err := s.DeadLetters(ctx, projector.Query{Limit: 1})
		if err != nil || len(letters) != 1 {
			t.Fatalf("letters %+v, %v", letters, err)
		}
		rest, err := s.DeadLetters(ctx, projector.Query{AfterHandler: letters[0].Handler, AfterSubject: letters[0].Subject})
		if err != nil || len(rest) != 1 {
			t.Fatalf("rest %+v, %v", rest, err)
		}
		letters = append(letters, rest...)
		for _, l := range letters {
			if l.Attempts != 1 || l.Seq != 1 || (!strings.Contains(l.Reason, "cannot read") && !strings.Contains(l.Reason, "panic: defect")) {
				t.Errorf("letter %+v", l)
			}
		}

		// Still refused: nothing moves, the attempt is counted.
		if n, err := s.ReplayAll(ctx, "bad"); err != nil || n != 0 {
			t.Fatalf("replayed %d, %v", n, err)
		}
		letters, _ = s.DeadLetters(ctx, projector.Query{})
		if len(letters) != 2 || letters[0].Attempts != 2 {
			t.Fatalf("letters after a vain replay %+v", letters)
		}
		// Mended: what waits takes effect in order, and the stream goes on.
		bad.refuse = nil
		if n, err := s.ReplayAll(ctx, "bad"); err != nil || n != 5 {
			t.Fatalf("replayed %d, %v", n, err)
		}
		p.apply(t, made("a", 4), made("b", 4))
		if d := cmp.Diff(effects(t, db, "good"), effects(t, db, "bad")); d != "" {
			t.Fatal(d)
		}
		if counts, _ := s.Counts(ctx); len(counts) != 0 {
			t.Fatalf("counts after the replay %+v", counts)
		}
	})
}

func TestDiscardLetsTheNextOnesThrough(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		l := &ledger{name: "ledger", refuse: func(r *eventlog.Record) error {
			if r.MessageID == "a-0001" {
				return errs.Invalid("x", "", "wrong")
			}
			return nil
		}}
		s := newState(t, db, l)
		p := tape{state: s}
		p.apply(t, made("a", 1), made("a", 2), made("a", 3))
		letters, err := s.DeadLetters(ctx, projector.Query{Handler: "ledger"})
		if err != nil || len(letters) != 1 {
			t.Fatalf("letters %+v, %v", letters, err)
		}
		if err := s.Discard(ctx, "ledger", letters[0].Subject); err != nil {
			t.Fatal(err)
		}
		if letters, _ = s.DeadLetters(ctx, projector.Query{}); len(letters) != 1 || letters[0].Index != 1 || letters[0].Attempts != 0 {
			t.Fatalf("letters after discarding %+v", letters)
		}
		if n, err := s.Replay(ctx, "ledger", letters[0].Subject); err != nil || n != 2 {
			t.Fatalf("replayed %d, %v", n, err)
		}
		if err := s.Discard(ctx, "ledger", letters[0].Subject); errs.KindOf(err) != errs.KindNotFound {
			t.Fatalf("discarding nothing: %v", err)
		}
		if _, err := s.Replay(ctx, "nobody", "x"); errs.KindOf(err) != errs.KindNotFound {
			t.Fatalf("replaying for nobody: %v", err)
		}
	})
}

func TestDeadLettersAreUnreadableInTheStore(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, db *store.DB) {
		l := &ledger{name: "ledger", refuse: func(*eventlog.Record) error { return errors.New("no") }}
		e := made("nguyen-van-an", 1)
		e.Traits = []byte(`{"phone":"0901234567"}`)
		p := tape{state: newState(t, db, l)}
		p.apply(t, e)
		err := db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			var row struct {
				Subject string
				Event   []byte
			}
			if err := tx.NewSelect().Table("projector_dead_letter").Column("subject", "event").Scan(ctx, &row); err != nil {
				return err
			}
			if all := row.Subject + string(row.Event); strings.Contains(all, "nguyen") || strings.Contains(all, "0901234567") {
				t.Errorf("personal data stands in the row: %q", all)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestStateIsThatOfOneByOne draws streams, refusals and batch sizes. After the
// refusals are mended and replayed, every handler has seen every event of each
// person once and in order, however the stream was cut.
func TestStateIsThatOfOneByOne(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		db := openSQLite(t, root)
		defer db.Close()
		ctx := bank(context.Background())
		broken := true
		bad := map[string]bool{}
		handlers := []*ledger{{name: "one"}, {name: "two"}}
		for _, h := range handlers {
			h.refuse = func(r *eventlog.Record) error {
				if broken && bad[h.name+r.MessageID] {
					return errors.New("refused")
				}
				return nil
			}
		}
		box, err := sealed.NewBox(db.Keys())
		if err != nil {
			t.Fatal(err)
		}
		s, err := projector.New(db, box, projector.Options{}, handlers[0], handlers[1])
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][]string{}
		p := tape{state: s}
		for range rapid.IntRange(1, 6).Draw(t, "batches") {
			var events []event.Event
			for range rapid.IntRange(0, 12).Draw(t, "events") {
				person := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "person")
				e := made(person, len(want[person]))
				want[person] = append(want[person], e.MessageID)
				for _, h := range handlers {
					if rapid.IntRange(0, 5).Draw(t, "refused") == 0 {
						bad[h.name+e.MessageID] = true
					}
				}
				events = append(events, e)
			}
			b := p.batch(events...)
			if err := s.Apply(ctx, b); err != nil {
				t.Fatal(err)
			}
			p.at = b.Last
			if rapid.IntRange(0, 3).Draw(t, "replay") == 0 {
				if _, err := s.ReplayAll(ctx, "one"); err != nil {
					t.Fatal(err)
				}
			}
		}
		broken = false
		for _, h := range handlers {
			if _, err := s.ReplayAll(ctx, h.name); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, effects(t, db, h.name)); d != "" {
				t.Fatalf("handler %s: %s", h.name, d)
			}
		}
	})
}

// bank gives a context the scope of a process in the bank.
func bank(ctx context.Context) context.Context {
	return scope.With(ctx, scope.Process("bank", "test"))
}

func TestPositionOfAnEmptyStoreIsRefused(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, db *store.DB) {
		s := newState(t, db)
		if err := s.Apply(t.Context(), eventlog.Batch{After: 7, First: 8, Last: 8}); errs.KindOf(err) != errs.KindConflict {
			t.Fatalf("got %v, want a conflict", err)
		}
		if position, err := s.Position(t.Context(), 0); err != nil || position != 0 {
			t.Fatalf("position %d, %v", position, err)
		}
	})
}

// TestPartitionsDoNotRefuseEachOther applies to several partitions at once. The
// statistics are those of a small, settled table, which make PostgreSQL read
// all of it wherever it is selected from: every such read would collide.
func TestPartitionsDoNotRefuseEachOther(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, db *store.DB) {
		h := &counting{}
		s := newState(t, db, h)
		const partitions, batches = 4, 25
		for p := range partitions {
			if err := s.Apply(t.Context(), eventlog.Batch{Partition: p, First: 1, Last: 1}); err != nil {
				t.Fatal(err)
			}
		}
		err := db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.ExecContext(ctx, "ANALYZE")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for p := range partitions {
			group.Go(func() {
				for n := range uint64(batches) {
					b := eventlog.Batch{Partition: p, After: n + 1, First: n + 2, Last: n + 2}
					b.Records = []eventlog.Record{{Event: made(fmt.Sprint("p", p), int(n)), Partition: p, Seq: b.Last}}
					if err := s.Apply(t.Context(), b); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if n := h.n.Load(); n != partitions*batches {
			t.Errorf("%d batches took %d attempts", partitions*batches, n)
		}
	})
}

// counting is a handler that counts how often it is called.
type counting struct{ n atomic.Int64 }

func (*counting) Name() string { return "counting" }
func (c *counting) Handle(context.Context, store.Tx, []eventlog.Record) error {
	c.n.Add(1)
	return nil
}
