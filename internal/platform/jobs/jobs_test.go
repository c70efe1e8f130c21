package jobs

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

type args struct{ N int }

type rig struct {
	*Jobs
	t *testing.T
}

// each runs fn on both engines with one kind of job, "work".
func each(t *testing.T, attempts int, work func(ctx context.Context, run *Run, a args) error, fn func(t *testing.T, r rig)) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		fn(t, rig{New(db, Options{Kinds: []Kind{Define("work", attempts, work)}, Node: "n1", Lease: time.Minute}), t})
	}, Migrations)
}

func (r rig) write(fn func(context.Context, store.Tx) error) {
	r.t.Helper()
	if err := r.db.Write(testkit.Context(r.t), fn); err != nil {
		r.t.Fatal(err)
	}
}

func (r rig) submit(n int, s Submission) (id string) {
	r.t.Helper()
	r.write(func(ctx context.Context, tx store.Tx) (err error) {
		id, err = r.Submit(ctx, tx, "work", args{n}, s)
		return err
	})
	return id
}

func (r rig) job(id string) (job Job) {
	r.t.Helper()
	r.write(func(ctx context.Context, tx store.Tx) (err error) {
		job, err = r.Get(ctx, tx, id)
		return err
	})
	return job
}

func (r rig) cancel(id string) {
	r.t.Helper()
	r.write(func(ctx context.Context, tx store.Tx) error { return r.Cancel(ctx, tx, id) })
}

func (r rig) restart(id string) {
	r.t.Helper()
	r.write(func(ctx context.Context, tx store.Tx) error { return r.Restart(ctx, tx, id) })
}

func (r rig) runOnce() int {
	r.t.Helper()
	n, err := r.RunOnce(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

func (r rig) want(id string, s State) Job {
	r.t.Helper()
	job := r.job(id)
	if job.State != s {
		r.t.Errorf("job is %s (%s), want %s", job.State, job.ErrorText, s)
	}
	return job
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, Migrations)
}

func TestRunsWithProgressAndResult(t *testing.T) {
	work := func(ctx context.Context, run *Run, a args) error {
		for i := range a.N {
			if err := run.Progress(ctx, Progress{Done: int64(i + 1), Total: int64(a.N), Note: "counting"}); err != nil {
				return err
			}
		}
		return run.SetResult(map[string]int{"n": a.N})
	}
	each(t, 1, work, func(t *testing.T, r rig) {
		id := r.submit(1000, Submission{})
		later := r.submit(1, Submission{Due: testkit.Epoch.Add(time.Hour)})
		if n := r.runOnce(); n != 1 {
			t.Errorf("ran %d jobs", n)
		}
		job := r.want(id, Done)
		if d := cmp.Diff(Progress{1000, 1000, "counting"}, job.Progress); d != "" || job.Progress.Fraction() != 1 {
			t.Error(d)
		}
		if got := string(job.Result); got != `{"n":1000}` && got != `{"n": 1000}` {
			t.Errorf("result %s", got)
		}
		if job.Actor != "process:test" || job.Started != testkit.Epoch || job.Ended != testkit.Epoch {
			t.Errorf("%+v", job)
		}
		r.want(later, Queued)
	})
}

func TestErrorsAreTriedAgainUnlessHopeless(t *testing.T) {
	var calls atomic.Int64
	work := func(_ context.Context, _ *Run, a args) error {
		calls.Add(1)
		switch a.N {
		case 0:
			return errors.New("boom")
		case 1:
			return errs.Invalid("import.bad_file", "file", "no such column")
		default:
			panic("ouch")
		}
	}
	each(t, 3, work, func(t *testing.T, r rig) {
		calls.Store(0)
		id := r.submit(0, Submission{})
		for range 5 {
			r.runOnce()
			testkit.Clock(r.db).Advance(time.Hour)
		}
		job := r.want(id, Failed)
		if calls.Load() != 3 || job.ErrorText != "boom" || job.ErrorKey != "error.internal" {
			t.Errorf("%d calls, %q, %q", calls.Load(), job.ErrorText, job.ErrorKey)
		}
		calls.Store(0)
		id = r.submit(1, Submission{})
		r.runOnce()
		if job := r.want(id, Failed); calls.Load() != 1 || job.ErrorKey != "import.bad_file" {
			t.Errorf("%d calls, %q", calls.Load(), job.ErrorKey)
		}
		id = r.submit(2, Submission{})
		for range 5 {
			r.runOnce()
			testkit.Clock(r.db).Advance(time.Hour)
		}
		if job := r.want(id, Failed); job.ErrorText != "panic: ouch" {
			t.Errorf("%q", job.ErrorText)
		}
	})
}

// A job adds to a sum, chunk by chunk, with a checkpoint in the same
// transaction. It is cancelled, restarted, loses its process and is taken over;
// the sum stays exact.
func TestCheckpointsMakeWorkCountOnce(t *testing.T) {
	var pause atomic.Int64 // the chunk before which the work stops to be disturbed
	var paused chan struct{}
	work := func(ctx context.Context, run *Run, a args) error {
		next := 0
		if err := run.Resume(&next); err != nil {
			return err
		}
		for ; next < a.N; next++ {
			if int64(next) == pause.Load() {
				paused <- struct{}{}
				<-ctx.Done()
				return context.Cause(ctx)
			}
			err := run.jobs.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
				if _, err := tx.NewRaw("UPDATE demo_sum SET n = n + ?", next).Exec(ctx); err != nil {
					return err
				}
				return run.Checkpoint(ctx, tx, next+1, Progress{Done: int64(next + 1), Total: int64(a.N)})
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	each(t, 2, work, func(t *testing.T, r rig) {
		r.write(func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewRaw("CREATE TABLE demo_sum (n BIGINT NOT NULL)").Exec(ctx)
			if err == nil {
				_, err = tx.NewRaw("INSERT INTO demo_sum VALUES (0)").Exec(ctx)
			}
			return err
		})
		paused = make(chan struct{})
		id := r.submit(20, Submission{})
		var wg sync.WaitGroup

		pause.Store(5)
		wg.Go(func() { r.runOnce() })
		<-paused
		if job := r.job(id); job.Progress.Done != 5 || job.State != Running {
			t.Errorf("while running: %+v", job)
		}
		r.cancel(id)
		wg.Wait()
		r.want(id, Cancelled)

		pause.Store(11)
		r.restart(id)
		ctx, stop := context.WithCancel(t.Context())
		wg.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		<-paused
		stop() // an orderly stop of the process: back to the queue
		wg.Wait()
		if job := r.want(id, Queued); job.Attempts != 0 {
			t.Errorf("an orderly stop counted as an attempt: %d", job.Attempts)
		}

		// A process that dies: its claim is left behind, with a run that wakes later.
		pause.Store(-1)
		claims, err := r.claim(t.Context(), 1)
		if err != nil || len(claims) != 1 {
			t.Fatal(len(claims), err)
		}
		ghost := &Run{jobs: r.Jobs, row: claims[0]}
		if n := r.runOnce(); n != 0 {
			t.Errorf("a job under lease was taken")
		}
		testkit.Clock(r.db).Advance(2 * time.Minute)
		r.runOnce()
		r.want(id, Done)
		err = r.db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.NewRaw("UPDATE demo_sum SET n = n + 1000").Exec(ctx); err != nil {
				return err
			}
			return ghost.Checkpoint(ctx, tx, 12, Progress{})
		})
		if !errors.Is(err, ErrLost) {
			t.Errorf("the ghost's checkpoint: %v", err)
		}
		var sum int
		r.write(func(ctx context.Context, tx store.Tx) error {
			return tx.NewRaw("SELECT n FROM demo_sum").Scan(ctx, &sum)
		})
		if want := 20 * 19 / 2; sum != want {
			t.Errorf("sum %d, want %d", sum, want)
		}
	})
}

// A cancellation that was asked for on another node reaches the runner with its
// next heartbeat.
func TestCancelFromAnotherNode(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		started := make(chan struct{})
		work := func(ctx context.Context, _ *Run, _ args) error {
			close(started)
			<-ctx.Done()
			return ctx.Err()
		}
		a := rig{New(db, Options{Kinds: []Kind{Define("work", 1, work)}, Lease: 150 * time.Millisecond}), t}
		b := rig{New(db, Options{Kinds: []Kind{Define("work", 1, work)}}), t}
		id := a.submit(1, Submission{})
		var wg sync.WaitGroup
		wg.Go(func() { a.runOnce() })
		<-started
		b.cancel(id)
		if !b.job(id).Stopping {
			t.Error("the job is not shown as stopping")
		}
		wg.Wait()
		b.want(id, Cancelled)
	}, Migrations)
}

func TestAJobThatKillsItsProcessFails(t *testing.T) {
	each(t, 2, func(context.Context, *Run, args) error { return nil }, func(t *testing.T, r rig) {
		id := r.submit(1, Submission{})
		for range 2 {
			if claims, err := r.claim(t.Context(), 1); err != nil || len(claims) != 1 {
				t.Fatal(len(claims), err)
			}
			testkit.Clock(r.db).Advance(2 * time.Minute)
		}
		r.runOnce()
		r.want(id, Failed)
	})
}

func TestUniqueJobs(t *testing.T) {
	each(t, 1, func(context.Context, *Run, args) error { return nil }, func(t *testing.T, r rig) {
		first := r.submit(1, Submission{Unique: "import:a"})
		again := func() error {
			return r.db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
				_, err := r.Submit(ctx, tx, "work", args{}, Submission{Unique: "import:a"})
				return err
			})
		}
		if err := again(); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("second submission: %v", err)
		}
		r.runOnce()
		r.want(first, Done)
		if err := again(); err != nil {
			t.Errorf("after the first has ended: %v", err)
		}
	})
}

func TestCancelAndRestartOfTheWrongState(t *testing.T) {
	each(t, 1, func(context.Context, *Run, args) error { return nil }, func(t *testing.T, r rig) {
		id := r.submit(1, Submission{})
		try := func(fn func(ctx context.Context, tx store.Tx, id string) error) errs.Kind {
			return errs.KindOf(r.db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error { return fn(ctx, tx, id) }))
		}
		if k := try(r.Restart); k != errs.KindConflict {
			t.Errorf("restart of a waiting job: %v", k)
		}
		r.cancel(id)
		r.want(id, Cancelled)
		if k := try(r.Cancel); k != errs.KindConflict {
			t.Errorf("cancel of a cancelled job: %v", k)
		}
	})
}

func TestPeriodic(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		var ran atomic.Int64
		kind := Define("tick", 1, func(context.Context, *Run, struct{}) error { ran.Add(1); return nil })
		o := Options{Kinds: []Kind{kind}, Periodic: []Periodic{{Name: "hourly", Kind: "tick", Args: struct{}{}, Schedule: Every(time.Hour)}}}
		nodes := []rig{{New(db, o), t}, {New(db, o), t}}
		for hour := range int64(4) {
			for range 3 {
				for _, n := range nodes {
					n.runOnce()
				}
			}
			if got := ran.Load(); got != hour {
				t.Errorf("after %d hours the job ran %d times", hour, got)
			}
			testkit.Clock(db).Advance(time.Hour)
		}
		testkit.Clock(db).Advance(48 * time.Hour)
		nodes[0].runOnce()
		nodes[1].runOnce()
		if got := ran.Load(); got != 4 {
			t.Errorf("missed runs were made up for %d times, want once", got-3)
		}
	}, Migrations)
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	hanoi := time.FixedZone("Asia/Ho_Chi_Minh", 7*3600)
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	cases := []struct {
		s          Schedule
		from, want string
	}{
		{Every(time.Hour), "2026-01-05T02:00:00Z", "2026-01-05T03:00:00Z"},
		{Every(15 * time.Minute), "2026-01-05T02:59:59Z", "2026-01-05T03:00:00Z"},
		{Daily{2, 30, hanoi}, "2026-01-05T19:29:59Z", "2026-01-05T19:30:00Z"},
		{Daily{2, 30, hanoi}, "2026-01-05T19:30:00Z", "2026-01-06T19:30:00Z"},
		{Daily{Hour: 23}, "2026-12-31T23:30:00Z", "2027-01-01T23:00:00Z"},
	}
	for _, c := range cases {
		if got := c.s.Next(at(c.from)); !got.Equal(at(c.want)) {
			t.Errorf("%v after %s: %v, want %s", c.s, c.from, got, c.want)
		}
	}
}

func TestLeaseHasOneHolder(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		a, b := New(db, Options{Node: "a"}), New(db, Options{Node: "b"})
		ctx := t.Context()
		first, ok, err := a.acquire(ctx, "warehouse", time.Minute)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if _, ok, err := b.acquire(ctx, "warehouse", time.Minute); ok || err != nil {
			t.Errorf("a held lease was given away: %v, %v", ok, err)
		}
		check := func(l Lease) error {
			return db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error { return l.Check(ctx, tx) })
		}
		if err := check(first); err != nil {
			t.Errorf("holder: %v", err)
		}
		testkit.Clock(db).Advance(time.Minute)
		ran := false
		err = b.Hold(ctx, "warehouse", time.Minute, func(_ context.Context, l Lease) error {
			ran = true
			if l.Fence <= first.Fence {
				t.Errorf("fence %d after %d", l.Fence, first.Fence)
			}
			if err := check(l); err != nil {
				t.Errorf("new holder: %v", err)
			}
			return check(first)
		})
		if !ran || !errors.Is(err, ErrLost) {
			t.Errorf("ran %v; old holder: %v", ran, err)
		}
		if _, ok, err := a.acquire(ctx, "warehouse", time.Minute); !ok || err != nil {
			t.Errorf("the lease was not given back: %v, %v", ok, err)
		}
	}, Migrations)
}

func TestHolderLearnsThatTheLeaseIsLost(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		a, b := New(db, Options{Node: "a"}), New(db, Options{Node: "b"})
		const ttl = 90 * time.Millisecond
		err := a.Hold(t.Context(), "x", ttl, func(ctx context.Context, _ Lease) error {
			testkit.Clock(db).Advance(time.Hour) // as if this node had slept
			for {
				if _, ok, err := b.acquire(t.Context(), "x", time.Hour); err != nil || ok {
					break
				}
				testkit.Clock(db).Advance(time.Hour)
			}
			<-ctx.Done()
			return context.Cause(ctx)
		})
		if !errors.Is(err, ErrLost) {
			t.Errorf("got %v", err)
		}
	}, Migrations)
}

func TestListAndPurge(t *testing.T) {
	each(t, 1, func(context.Context, *Run, args) error { return nil }, func(t *testing.T, r rig) {
		var want []string
		for i := range 5 {
			want = append([]string{r.submit(i, Submission{})}, want...)
		}
		var got []string
		f := Filter{Kind: "work", State: Queued, Limit: 2}
		for range 3 {
			r.write(func(ctx context.Context, tx store.Tx) error {
				page, err := r.List(ctx, tx, f)
				for _, job := range page {
					got, f.After = append(got, job.ID), job.ID
				}
				return err
			})
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		for r.runOnce() > 0 {
		}
		testkit.Clock(r.db).Advance(time.Hour)
		r.write(func(ctx context.Context, tx store.Tx) error {
			n, err := r.Purge(ctx, tx, tx.Now().Time())
			if n != 5 {
				t.Errorf("purged %d", n)
			}
			return err
		})
	})
}

func BenchmarkJobs(b *testing.B) {
	for name, open := range map[string]func(testing.TB, ...store.Migrations) *store.DB{"sqlite": testkit.SQLite, "postgres": testkit.Postgres} {
		b.Run(name, func(b *testing.B) {
			db := open(b, Migrations)
			j := New(db, Options{Kinds: []Kind{Define("noop", 1, func(context.Context, *Run, args) error { return nil })}, Workers: 8})
			ctx := testkit.Context(b)
			b.ReportAllocs()
			for b.Loop() {
				err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
					for range 8 {
						if _, err := j.Submit(ctx, tx, "noop", args{}, Submission{}); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				if n, err := j.RunOnce(ctx); n != 8 || err != nil {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(8*float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}
