package eventlog

import (
	"errors"
	"sync"
	"testing"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

func TestBackPressureRefusesAndRecovers(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) {
		o.Partitions = 1
		o.Backlog.Events = 200
	})
	p := newMemory("state")
	var mu sync.Mutex
	held := true
	p.fail = func(Batch) error {
		mu.Lock()
		defer mu.Unlock()
		if held {
			return errors.New("held")
		}
		return nil
	}
	start(t, l, p, RunOptions{})
	var refused error
	n := 0
	eventually(t, "a refusal", func() bool {
		_, refused = l.Append(t.Context(), []event.Event{made("a", n), made("b", n)})
		n++
		return refused != nil
	})
	if errs.KindOf(refused) != errs.KindUnavailable || RetryAfter(refused) < time.Second {
		t.Fatalf("refused with %v, retry after %s", refused, RetryAfter(refused))
	}
	lag := l.Lag("state")
	if len(lag) != 1 || lag[0].Events < 200 || lag[0].Messages == 0 || lag[0].Bytes == 0 {
		t.Fatalf("lag %+v", lag)
	}
	mu.Lock()
	held = false
	mu.Unlock()
	var r Receipt
	eventually(t, "recovery", func() bool {
		var err error
		r, err = l.Append(t.Context(), []event.Event{made("c", n)})
		n++
		return err == nil
	})
	waitFor(t, l, "state", r)
	if lag := l.Lag("state"); lag[0].Messages != 0 || lag[0].Events != 0 || lag[0].Behind != 0 {
		t.Fatalf("lag after recovery %+v", lag)
	}
}

func TestOldBacklogRefuses(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) {
		o.Clock = now
		o.Backlog.Seconds = time.Minute
	})
	p := newMemory("state")
	stop := start(t, l, p, RunOptions{})
	waitFor(t, l, "state", mustAppend(t, l, made("a", 1)))
	stop()
	mustAppend(t, l, made("a", 2))
	now.Advance(61 * time.Second)
	eventually(t, "a refusal", func() bool {
		_, err := l.Append(t.Context(), []event.Event{made("a", 3)})
		return errs.KindOf(err) == errs.KindUnavailable && err != nil
	})
	var behind time.Duration
	for _, lag := range l.Lag("state") {
		behind = max(behind, lag.Behind)
	}
	if behind != 61*time.Second {
		t.Errorf("%s behind, want 61s", behind)
	}
	if err := l.Forget(t.Context(), "state"); err != nil {
		t.Fatal(err)
	}
	if len(l.Lag("state")) != 0 {
		t.Error("a forgotten projector still has lag")
	}
	mustAppend(t, l, made("a", 4))
}

func TestPositionsSurviveARestart(t *testing.T) {
	t.Parallel()
	dir, ring := t.TempDir(), testRing(t)
	l := openTest(t, dir, ring, func(o *Options) { o.Partitions = 1 })
	stop := start(t, l, newMemory("state"), RunOptions{})
	r := mustAppend(t, l, made("a", 1))
	waitFor(t, l, "state", r)
	stop()
	closeLog(t, l)
	l = openTest(t, dir, ring, nil)
	if lag := l.Lag("state"); len(lag) != 1 || lag[0].Position != r[0] {
		t.Fatalf("lag %+v, want position %d", lag, r[0])
	}
}

// shelf is a log under a manual clock with short retention.
func shelf(t *testing.T) (*Log, *clock.Manual) {
	now := clock.NewManual(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	return openTest(t, t.TempDir(), testRing(t), func(o *Options) {
		o.Partitions, o.Clock, o.Dedup.Age = 1, now, time.Hour
		o.Backlog = Backlog{-1, -1, -1}
	}), now
}

func TestExpiredEventsAreDeleted(t *testing.T) {
	t.Parallel()
	l, now := shelf(t)
	p := newMemory("state")
	start(t, l, p, RunOptions{})
	var days []uint64
	for n := range 10 {
		r := mustAppend(t, l, made("a", n))
		waitFor(t, l, "state", r)
		days = append(days, r[0])
		now.Advance(24 * time.Hour)
	}
	if err := l.expirePartition(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	first, last, err := l.Bounds(t.Context(), 0)
	if err != nil || first != days[3] || last != days[9] {
		t.Fatalf("bounds %d to %d (%v), want %d to %d: seven days", first, last, err, days[3], days[9])
	}
	now.Advance(30 * 24 * time.Hour)
	if err := l.expirePartition(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if first, last, _ := l.Bounds(t.Context(), 0); first != last+1 || last != days[9] {
		t.Fatalf("bounds %d to %d of an expired log", first, last)
	}
	waitFor(t, l, "state", mustAppend(t, l, made("a", 11)))
}

func TestExpiredEventsAreKeptForAProjectorUntilTheLimit(t *testing.T) {
	t.Parallel()
	l, now := shelf(t)
	p := newMemory("state")
	stop := start(t, l, p, RunOptions{})
	first := mustAppend(t, l, made("a", 0))[0]
	waitFor(t, l, "state", Receipt{0: first})
	stop()
	now.Advance(2 * time.Hour)
	second := mustAppend(t, l, made("a", 1))[0]
	now.Advance(30 * time.Minute)
	mustAppend(t, l, made("a", 2))

	now.Advance(9 * 24 * time.Hour)
	if err := l.expirePartition(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if at, _, _ := l.Bounds(t.Context(), 0); at != second {
		t.Fatalf("the log begins at %d, want %d: what was not applied, and no more", at, second)
	}
	now.Advance(6 * 24 * time.Hour)
	if err := l.expirePartition(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if at, last, _ := l.Bounds(t.Context(), 0); at != last+1 {
		t.Fatalf("the log holds %d to %d after the retention limit", at, last)
	}
	mustAppend(t, l, made("a", 3))
	if err := l.Run(t.Context(), p, RunOptions{}); !errors.Is(err, ErrLost) {
		t.Fatalf("got %v, want ErrLost", err)
	}
}

func TestDuplicateWindowIsKeptForAProjector(t *testing.T) {
	t.Parallel()
	l, now := shelf(t)
	p := newMemory("state")
	stop := start(t, l, p, RunOptions{})
	original := mustAppend(t, l, made("a", 0))
	waitFor(t, l, "state", original)
	stop()
	now.Advance(30 * time.Minute)
	mustAppend(t, l, made("a", 0)) // the same again, not applied
	now.Advance(8 * 24 * time.Hour)
	if err := l.expirePartition(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	last := mustAppend(t, l, made("a", 1))
	start(t, l, p, RunOptions{})
	waitFor(t, l, "state", last)
	got := p.all()
	if len(got) != 3 || !got[1].Duplicate || got[2].Duplicate {
		t.Fatalf("applied %+v", got)
	}
}

func TestWaitingIsBounded(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) { o.Partitions = 1 })
	l.committers[0].waiting.Add(maxWaiting)
	_, err := l.Append(t.Context(), []event.Event{made("a", 1)})
	if errs.KindOf(err) != errs.KindUnavailable {
		t.Fatalf("got %v, want unavailable", err)
	}
	l.committers[0].waiting.Add(-maxWaiting)
	mustAppend(t, l, made("a", 1))
}

func TestMovingProjectorShowsItsAge(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) { o.Partitions = 1 })
	p := newMemory("state")
	p.fail = func(Batch) error {
		time.Sleep(10 * time.Millisecond)
		return nil
	}
	start(t, l, p, RunOptions{MaxEvents: 1})
	var last Receipt
	for n := range 300 {
		last = mustAppend(t, l, made("a", n))
	}
	eventually(t, "an age while it moves", func() bool {
		lag := l.Lag("state")[0]
		if lag.Messages == 0 {
			t.Fatal("it caught up and its age was never shown")
		}
		return lag.Behind > 0
	})
	waitFor(t, l, "state", last)
	if lag := l.Lag("state")[0]; lag.Behind != 0 || lag.Messages != 0 {
		t.Fatalf("lag %+v after catching up", lag)
	}
}

func TestProjectorRunsOnceInAProcess(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) { o.Partitions = 1 })
	stop := start(t, l, newMemory("state"), RunOptions{})
	waitFor(t, l, "state", mustAppend(t, l, made("a", 1)))
	if err := l.Run(t.Context(), newMemory("state"), RunOptions{}); err == nil {
		t.Fatal("the same projector ran twice")
	}
	stop()
	start(t, l, newMemory("state"), RunOptions{})
	waitFor(t, l, "state", mustAppend(t, l, made("a", 2)))
}
