package timer_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/timer"
	"omote/internal/testkit"
	"omote/internal/testkit/shared"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fired is a table of what fired, for the suites: it commits with the timers.
const fired = `CREATE TABLE timer_fired (id TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL)`

func note(ctx context.Context, tx store.Tx, due []timer.Timer) error {
	for _, t := range due {
		if _, err := tx.ExecContext(ctx, "INSERT INTO timer_fired AS f (id, n) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET n = f.n + 1", t.ID); err != nil {
			return err
		}
	}
	return nil
}

func TestMigrations(t *testing.T) { testkit.CheckMigrations(t, timer.Migrations) }

func TestTimers(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		var got []string
		bad := map[string]bool{}
		timers := timer.New(db, timer.Options{Batch: 10, Attempts: 2}, timer.Kind{Name: "a", Fire: func(_ context.Context, tx store.Tx, due []timer.Timer) error {
			if tx.Scope.Entity != scope.DefaultEntity {
				return fmt.Errorf("entity %q", tx.Scope.Entity)
			}
			for _, d := range due {
				if bad[d.ID] {
					return errors.New("refused")
				}
			}
			for _, d := range due {
				got = append(got, d.ID+d.Payload)
			}
			return nil
		}})
		now := testkit.Clock(db).Now()
		set := func(list ...timer.Timer) {
			must(t, db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return timers.Set(ctx, tx, list...) }))
		}
		step := func(want string) {
			t.Helper()
			got = nil
			_, err := timers.Step(ctx)
			must(t, err)
			if g := strings.Join(got, " "); g != want {
				t.Fatalf("fired %q, want %q", g, want)
			}
		}
		set(timer.Timer{Kind: "a", ID: "2", Due: now.Add(2 * time.Second)}, timer.Timer{Kind: "a", ID: "1", Due: now.Add(time.Second)}, timer.Timer{Kind: "a", ID: "late", Due: now.Add(time.Hour)})
		step("")
		set(timer.Timer{Kind: "a", ID: "late", Due: now.Add(3 * time.Second), Payload: "!"})
		testkit.Clock(db).Advance(3 * time.Second)
		must(t, db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return timers.Cancel(ctx, tx, "a", "2", "none") }))
		step("1 late!")
		step("")
		// One bad timer stops no other, waits, and is given up in the end.
		bad["b"] = true
		set(timer.Timer{Kind: "a", ID: "b", Due: now}, timer.Timer{Kind: "a", ID: "c", Due: now})
		step("c")
		step("")
		testkit.Clock(db).Advance(time.Second)
		step("")
		testkit.Clock(db).Advance(24 * time.Hour)
		step("")
		must(t, db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
			s, err := timers.Stats(ctx, tx)
			if err == nil && (s.GivenUp != 1 || s.Waiting != 0) {
				err = fmt.Errorf("stats %+v", s)
			}
			failed, ferr := timers.GivenUp(ctx, tx, 10)
			if ferr == nil && (len(failed) != 1 || failed[0].Error != "refused" || failed[0].Attempts != 2) {
				ferr = fmt.Errorf("given up: %+v", failed)
			}
			return errors.Join(err, ferr)
		}))
		if err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			return timers.Set(ctx, tx, timer.Timer{Kind: "x", ID: "1", Due: now})
		}); err == nil {
			t.Error("an unknown kind was set")
		}
	}, timer.Migrations)
}

// TestWorkersShare lets several workers fire at once: each timer once.
func TestWorkersShare(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		must(t, db.Write(ctx, func(ctx context.Context, tx store.Tx) error { _, err := tx.ExecContext(ctx, fired); return err }))
		timers := timer.New(db, timer.Options{Batch: 7}, timer.Kind{Name: "a", Fire: note})
		const n = 300
		must(t, db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			var all []timer.Timer
			for i := range n {
				all = append(all, timer.Timer{Kind: "a", ID: fmt.Sprint(i), Due: tx.Now().Time()})
			}
			return timers.Set(ctx, tx, all...)
		}))
		var workers sync.WaitGroup
		for range 4 {
			workers.Go(func() {
				for {
					k, err := timers.Step(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					if k == 0 {
						return
					}
				}
			})
		}
		workers.Wait()
		// On PostgreSQL a worker that saw only locked rows may have gone home.
		for k := 1; k > 0; {
			var err error
			k, err = timers.Step(ctx)
			must(t, err)
		}
		once(t, db, n)
	}, timer.Migrations)
}

func once(t *testing.T, db *store.DB, want int) {
	t.Helper()
	must(t, db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
		var rows, sum, left int
		if err := tx.NewRaw("SELECT COUNT(*), COALESCE(SUM(n), 0) FROM timer_fired").Scan(ctx, &rows, &sum); err != nil {
			return err
		}
		if err := tx.NewRaw("SELECT COUNT(*) FROM timer_timer").Scan(ctx, &left); err != nil {
			return err
		}
		if rows != want || sum != want || left != 0 {
			return fmt.Errorf("%d timers fired %d times, %d left; want %d once", rows, sum, left, want)
		}
		return nil
	}))
}

// TestKilledWorker kills the process that fires at random moments: none is lost,
// none fires twice. 50 times with OMOTE_VERIFY, 3 times otherwise.
func TestKilledWorker(t *testing.T) {
	if dir := os.Getenv("OMOTE_TIMER_CHILD"); dir != "" {
		child(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	ctx := testkit.Context(t)
	kills, n := 3, 3_000
	if shared.Verify() {
		kills, n = 50, 60_000
	}
	db := testkit.Open(t, store.Options{Dir: dir, Clock: clock.System{}}, timer.Migrations)
	must(t, db.Write(ctx, func(ctx context.Context, tx store.Tx) error { _, err := tx.ExecContext(ctx, fired); return err }))
	timers := timer.New(db, timer.Options{}, timer.Kind{Name: "a", Fire: note})
	must(t, db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		var all []timer.Timer
		for i := range n {
			all = append(all, timer.Timer{Kind: "a", ID: fmt.Sprint(i), Due: tx.Now().Time()})
		}
		return timers.Set(ctx, tx, all...)
	}))
	r := rand.New(rand.NewPCG(1, 2))
	left := func() (k int) {
		must(t, db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
			return tx.NewRaw("SELECT COUNT(*) FROM timer_timer").Scan(ctx, &k)
		}))
		return k
	}
	killed := 0
	for killed < kills && left() > 0 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWorker$")
		cmd.Env = append(os.Environ(), "OMOTE_TIMER_CHILD="+dir)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		if line, _ := bufio.NewReader(out).ReadString('\n'); !strings.HasPrefix(line, "firing") {
			t.Fatalf("the child said %q", line)
		}
		time.Sleep(time.Duration(r.IntN(25_000)) * time.Microsecond)
		must(t, cmd.Process.Kill())
		_ = cmd.Wait()
		killed++
	}
	if killed < kills {
		t.Fatalf("all fired after %d kills; the test needs more timers", killed)
	}
	for k := 1; k > 0; {
		var err error
		k, err = timers.Step(ctx)
		must(t, err)
	}
	once(t, db, n)
}

// child fires small batches until it is killed.
func child(t *testing.T, dir string) {
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Keys: testkit.Keys(t), Clock: clock.System{}, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	timers := timer.New(db, timer.Options{Batch: 20}, timer.Kind{Name: "a", Fire: note})
	fmt.Println("firing")
	for {
		k, err := timers.Step(testkit.Context(t))
		must(t, err)
		if k == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}
