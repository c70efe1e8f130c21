package cases

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/audit"
	"omote/internal/platform/clock"
	"omote/internal/platform/keyring"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/timer"
)

// BenchOptions say how much is measured; zero values take the defaults.
type BenchOptions struct {
	Dir   string        // folder for the store; default a temporary one
	Open  int           // open clocks; default 1,000,000
	Burst int           // of them due in the same minute; default 100,000
	Even  int           // due evenly over Span afterwards; default 20,000
	Span  time.Duration // default 20 s
}

// BenchResult is what was measured. A clock counts as fired when its breach, its
// line of history and its step of the ladder are committed.
type BenchResult struct {
	FiredPerSecond float64 `json:"fired_per_s"`
	LatenessP50    float64 `json:"lateness_p50_s"`
	LatenessP99    float64 `json:"lateness_p99_s"` // of the even part: from the deadline to the commit
	Lost           int     `json:"lost"`
	Twice          int     `json:"twice"`
	Fired          int     `json:"fired"`
	Open           int     `json:"open"`
	QueueP50       float64 `json:"queue_p50_ms"` // first page of a unit's queue of Open / 40 cases
	QueueP99       float64 `json:"queue_p99_ms"`
	CountP99       float64 `json:"count_p99_ms"` // figures over that queue
	Cores          int     `json:"cores"`
}

// Bench measures the escalation engine on an embedded store: the same service, rules
// and tables as in production, with cases that name nobody.
func Bench(ctx context.Context, o BenchOptions) (r BenchResult, err error) {
	if o.Open <= 0 {
		o.Open = 1_000_000
	}
	if o.Burst <= 0 {
		o.Burst = 100_000
	}
	if o.Even <= 0 {
		o.Even = 20_000
	}
	if o.Span <= 0 {
		o.Span = 20 * time.Second
	}
	if o.Burst+o.Even > o.Open {
		return r, fmt.Errorf("cases: more clocks are due than open")
	}
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "omote-bench"); err != nil {
			return r, err
		}
		defer os.RemoveAll(o.Dir)
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.db.Close()) }()
	r.Open, r.Cores = o.Open, runtime.NumCPU()
	if err := b.fill(o); err != nil {
		return r, err
	}
	if err := b.measureQueue(&r); err != nil {
		return r, err
	}
	if err := b.burst(o, &r); err != nil {
		return r, err
	}
	if err := b.even(o, &r); err != nil {
		return r, err
	}
	return r, b.account(o, &r)
}

type bench struct {
	ctx     context.Context
	db      *store.DB
	service *Service
	timers  *timer.Timers
	mu      sync.Mutex
	late    []time.Duration
	fired   int
}

func newBench(ctx context.Context, o BenchOptions) (*bench, error) {
	keys, err := keyring.OpenFile(filepath.Join(o.Dir, "keys", "ring.json"))
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{Dir: o.Dir, Keys: keys, Clock: clock.System{}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, sealed.Migrations, audit.Migrations, timer.Migrations, Migrations); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	box, err := sealed.NewBox(keys)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	b := &bench{ctx: scope.With(ctx, scope.Process(scope.DefaultEntity, "bench")), db: db, timers: timer.New(db, timer.Options{})}
	b.service = NewService(Deps{DB: db, Box: box, Timers: b.timers, Clock: db.Clock()})
	b.timers.Add(timer.Kind{Name: timerClock, Fire: func(ctx context.Context, tx store.Tx, due []timer.Timer) error {
		tx.AfterCommit(func() {
			now := time.Now()
			b.mu.Lock()
			defer b.mu.Unlock()
			b.fired += len(due)
			for _, d := range due {
				b.late = append(b.late, now.Sub(d.Due))
			}
		})
		return b.service.fireClocks(ctx, tx, due)
	}})
	return b, nil
}

const benchRule, benchPack = "vn_cl_negotiate", "vn_consumer@1"

// benchUnit spreads cases over forty units.
func benchUnit(i int) string { return fmt.Sprintf("/r%d/b%02d/", i%4, i%40) }

// fill makes the open cases with one clock each, due a day from now.
func (b *bench) fill(o BenchOptions) error {
	const chunk = 10_000
	for from := 0; from < o.Open; from += chunk {
		n := min(chunk, o.Open-from)
		err := b.db.Write(b.ctx, func(ctx context.Context, tx store.Tx) error { return fillChunk(ctx, tx, b.timers, from, n) })
		if err != nil {
			return err
		}
	}
	return nil
}

func benchID(kind string, i int) string { return fmt.Sprintf("%s-%09d", kind, i) }

func fillChunk(ctx context.Context, tx store.Tx, timers *timer.Timers, from, n int) error {
	now := tx.Now()
	start, due := now.Add(-6*24*time.Hour), now.Add(24*time.Hour)
	dues := make([]store.Micros, n)
	for i := range dues {
		// Spread over the day after, each at its own instant.
		dues[i] = due.Add(time.Duration((from+i)*7919%86_400_000) * time.Millisecond)
	}
	text := func(f func(i int) string) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = f(from + i)
		}
		return out
	}
	same := func(v string) []string { return text(func(int) string { return v }) }
	times := func(v store.Micros) []store.Micros { return slices.Repeat([]store.Micros{v}, n) }
	ints := func(v int64) []int64 { return slices.Repeat([]int64{v}, n) }
	bools := func(v bool) []bool { return slices.Repeat([]bool{v}, n) }
	number := make([]int64, n)
	for i := range number {
		number[i] = int64(from + i + 1)
	}
	columns := []store.Column{store.Col("id", text(func(i int) string { return benchID("case", i) })), store.Col("number", number), store.Col("unit", text(benchUnit)), store.Col("is_open", bools(true)),
		store.Col("late", bools(false)), store.Col("next_due", dues), store.Col("next_rule", same(benchRule)), store.Col("signals", ints(1)), store.Col("reopened", ints(0)),
		store.Col("opened", times(start)), store.Col("touched", times(start)), store.Col("version", ints(1)), store.Col("entity", same(scope.DefaultEntity)),
		store.Col("kind", same(string(Complaint))), store.Col("state", same(string(Working))), store.Col("severity", same(string(Medium))), store.Col("channel", same("phone")),
		store.Col("facts", same("{}")), store.Col("actions", same("[]")), store.Col("locale", same("vi")), store.Col("customer_id", text(func(i int) string { return "c" + strconv.Itoa(i) }))}
	for _, name := range []string{"product", "journey", "reason", "issue", "contact_ix", "skill", "owner", "cause", "outcome", "merged_into"} {
		columns = append(columns, store.Col(name, same("")))
	}
	if _, err := tx.Batch(ctx, "cases_case", store.Upsert{}, columns...); err != nil {
		return err
	}
	ids := text(func(i int) string { return benchID("clock", i) })
	_, err := tx.Batch(ctx, "cases_clock", store.Upsert{}, store.Col("id", ids), store.Col("case_id", text(func(i int) string { return benchID("case", i) })), store.Col("entity", same(scope.DefaultEntity)),
		store.Col("rule", same(benchRule)), store.Col("pack", same(benchPack)), store.Col("calendar", same("vn_banking@1")), store.Col("ladder", same("ladder_legal_clock")), store.Col("legal", bools(true)),
		store.Col("side", same("")), store.Col("optional", bools(false)), store.Col("state", same(string(ClockRunning))), store.Col("start", times(start)), store.Col("due", dues),
		store.Col("first_due", dues), store.Col("warned", ints(0)), store.Col("warn_at", same("[]")), store.Col("changes", same("{}")))
	if err != nil {
		return err
	}
	all := make([]timer.Timer, n)
	for i := range all {
		all[i] = timer.Timer{Kind: timerClock, ID: ids[i], Due: dues[i].Time()}
	}
	return timers.Set(ctx, tx, all...)
}

// bring sets the deadlines of clocks from to to: at gives each one's instant.
func (b *bench) bring(from, to int, at func(i int) time.Time) error {
	const chunk = 5_000
	for lo := from; lo < to; lo += chunk {
		hi := min(lo+chunk, to)
		err := b.db.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
			var all []timer.Timer
			byTime := map[int64][]string{}
			for i := lo; i < hi; i++ {
				due := store.At(at(i))
				all = append(all, timer.Timer{Kind: timerClock, ID: benchID("clock", i), Due: due.Time()})
				byTime[int64(due)] = append(byTime[int64(due)], benchID("clock", i))
			}
			for due, ids := range byTime {
				if _, err := tx.NewRaw("UPDATE cases_clock SET due = ? WHERE id IN (?)", due, bun.List(ids)).Exec(ctx); err != nil {
					return err
				}
			}
			return b.timers.Set(ctx, tx, all...)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// burst lets many clocks be due in the same minute, and fires them all.
func (b *bench) burst(o BenchOptions, r *BenchResult) error {
	minute := time.Now().Add(-time.Minute).Truncate(time.Second)
	if err := b.bring(0, o.Burst, func(i int) time.Time { return minute.Add(time.Duration(i%60) * time.Second) }); err != nil {
		return err
	}
	began := time.Now()
	for {
		n, err := b.timers.Step(b.ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	r.FiredPerSecond = float64(b.fired) / time.Since(began).Seconds()
	return nil
}

// even lets clocks be due one after another while the worker runs, and measures from
// the deadline to the commit.
func (b *bench) even(o BenchOptions, r *BenchResult) error {
	start := time.Now().Add(2*time.Second + time.Duration(o.Even/5_000)*time.Second)
	const steps = 1_000
	if err := b.bring(o.Burst, o.Burst+o.Even, func(i int) time.Time {
		return start.Add(o.Span * time.Duration((i-o.Burst)*steps/o.Even) / steps)
	}); err != nil {
		return err
	}
	b.mu.Lock()
	b.late = nil
	before := b.fired
	b.mu.Unlock()
	ctx, cancel := context.WithDeadline(b.ctx, start.Add(o.Span+time.Minute))
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- b.timers.Run(ctx) }()
	for ctx.Err() == nil {
		b.mu.Lock()
		done := b.fired-before >= o.Even
		b.mu.Unlock()
		if done {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		return err
	}
	slices.Sort(b.late)
	if n := len(b.late); n > 0 {
		r.LatenessP50, r.LatenessP99 = b.late[n/2].Seconds(), b.late[n*99/100].Seconds()
	}
	r.Fired = b.fired
	return nil
}

// account counts what is committed against what was due.
func (b *bench) account(o BenchOptions, r *BenchResult) error {
	want := o.Burst + o.Even
	return b.db.Read(b.ctx, func(ctx context.Context, tx store.Tx) error {
		var breached, lines, steps, most int
		err := tx.NewRaw(`SELECT (SELECT COUNT(*) FROM cases_clock WHERE state = 'breached'), (SELECT COUNT(*) FROM cases_entry WHERE kind = 'breach'), (SELECT COUNT(*) FROM cases_escalation),
			(SELECT COALESCE(MAX(n), 0) FROM (SELECT COUNT(*) AS n FROM cases_entry GROUP BY case_id) AS per)`).Scan(ctx, &breached, &lines, &steps, &most)
		if err != nil {
			return err
		}
		r.Lost = want - min(breached, lines, steps)
		r.Twice = max(breached, lines, steps) - want
		if most > 1 && r.Twice <= 0 {
			r.Twice = most - 1
		}
		return nil
	})
}

// measureQueue reads a unit's queue as an agent's page does.
func (b *bench) measureQueue(r *BenchResult) error {
	var pages, counts []float64
	for i := range 200 {
		ctx := scope.With(b.ctx, scope.Scope{Entity: scope.DefaultEntity, Unit: benchUnit(i), Actor: "process:bench", System: true})
		began := time.Now()
		if _, err := b.service.List(ctx, Query{Limit: 50}); err != nil {
			return err
		}
		pages = append(pages, float64(time.Since(began).Microseconds())/1000)
		began = time.Now()
		if _, err := b.service.Count(ctx, Query{}, time.Now()); err != nil {
			return err
		}
		counts = append(counts, float64(time.Since(began).Microseconds())/1000)
	}
	slices.Sort(pages)
	slices.Sort(counts)
	r.QueueP50, r.QueueP99, r.CountP99 = pages[len(pages)/2], pages[len(pages)*99/100], counts[len(counts)*99/100]
	return nil
}
