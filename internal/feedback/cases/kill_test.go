package cases

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"omote/internal/platform/store"
	"omote/internal/testkit/shared"
)

// killedDir tells the test binary that it is the process that is killed.
const killedDir = "OMOTE_CASES_KILLED"

// TestKilledChild is the process that TestEscalationKilled kills; alone it does nothing.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv(killedDir)
	if dir == "" {
		return
	}
	b, err := newBench(t.Context(), BenchOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.timers.Run(b.ctx); err != nil {
		t.Fatal(err)
	}
}

// TestEscalationKilled lets clocks run out while the process that fires them is killed
// at random moments and started again. Afterwards every clock that was due has breached
// once, with one line of history and one step of the ladder, and no other has. The long
// form has a million open clocks and fifty kills.
func TestEscalationKilled(t *testing.T) {
	t.Parallel()
	open, due, kills := 3_000, 2_000, 5
	if shared.Verify() {
		open, due, kills = 1_000_000, 250_000, 50
	}
	dir := t.TempDir()
	o := BenchOptions{Dir: dir, Open: open, Burst: due}
	last := prepareKilled(t, o, due, time.Duration(kills)*600*time.Millisecond)
	r := rand.New(rand.NewPCG(5, uint64(kills)))
	working := 0
	for range kills {
		before := breaches(t, o)
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
		cmd.Env = append(os.Environ(), killedDir+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Also while the process opens its store.
		time.Sleep(100*time.Millisecond + time.Duration(r.IntN(900))*time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal("the process ended by itself:", err)
		}
		_ = cmd.Wait()
		if breaches(t, o) > before {
			working++
		}
	}
	b, err := newBench(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.db.Close()
	time.Sleep(time.Until(last)) // all are due by then
	for n := 1; n > 0; {
		if n, err = b.timers.Step(b.ctx); err != nil {
			t.Fatal(err)
		}
	}
	var result BenchResult
	if err := b.account(o, &result); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d open clocks, %d due, %d kills of which %d in the middle of the work: lost %d, twice %d", open, due, kills, working, result.Lost, result.Twice)
	if result.Lost != 0 || result.Twice != 0 {
		t.Errorf("lost %d, twice %d", result.Lost, result.Twice)
	}
}

// prepareKilled makes the open clocks: half of the due ones are late already, the others
// run out one after another while the process is being killed.
func prepareKilled(t *testing.T, o BenchOptions, due int, span time.Duration) (last time.Time) {
	t.Helper()
	b, err := newBench(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.db.Close()
	if err := b.fill(o); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := b.bring(0, due/2, func(i int) time.Time { return now.Add(-time.Duration(i%60) * time.Second) }); err != nil {
		t.Fatal(err)
	}
	const steps = 50
	err = b.bring(due/2, due, func(i int) time.Time { return now.Add(span * time.Duration(i%steps) / steps) })
	if err != nil {
		t.Fatal(err)
	}
	return now.Add(span)
}

// breaches counts what is committed, as another process sees it.
func breaches(t *testing.T, o BenchOptions) (n int) {
	t.Helper()
	b, err := newBench(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.db.Close()
	if err := b.db.Read(b.ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewRaw("SELECT COUNT(*) FROM cases_clock WHERE state = 'breached'").Scan(ctx, &n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAgentsOnOneQueue lets many agents take cases of one queue: each case goes to one of
// them, the most urgent first, and nobody is refused.
func TestAgentsOnOneQueue(t *testing.T) {
	t.Parallel()
	o := QueueOptions{Dir: t.TempDir(), Agents: 200, Cases: 500, Every: time.Second, Span: 500 * time.Millisecond}
	if shared.Verify() {
		o = QueueOptions{Dir: o.Dir}
	}
	r, err := BenchQueue(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if r.Twice+r.WrongOwner+r.OutOfOrder+r.Errors != 0 || r.Taken < r.Agents {
		t.Errorf("%+v", r)
	}
}
