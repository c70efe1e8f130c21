package eventlog

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

func TestFailedBatchIsGivenAgain(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) { o.Partitions = 1 })
	p := newMemory("state")
	failures := 3
	p.fail = func(Batch) error {
		if failures--; failures >= 0 {
			return errs.Unavailable("x", "the database is away")
		}
		return nil
	}
	start(t, l, p, RunOptions{})
	waitFor(t, l, "state", mustAppend(t, l, made("a", 1), made("a", 2)))
	if got := p.all(); len(got) != 2 || got[0].Duplicate || got[1].Duplicate {
		t.Fatalf("applied %+v", got)
	}
	lag := l.Lag("state")
	if len(lag) != 1 || lag[0].Retries != 3 || lag[0].Failure != "" || lag[0].Messages != 0 || lag[0].Applied != 2 {
		t.Fatalf("lag %+v", lag)
	}
}

func TestMovedPositionIsFollowed(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) { o.Partitions = 1 })
	first := mustAppend(t, l, made("a", 1))
	second := mustAppend(t, l, made("a", 2))
	last := mustAppend(t, l, made("a", 3))
	p := newMemory("state")
	moved := false
	p.fail = func(b Batch) error {
		if !moved && b.Last >= second[0] {
			moved = true
			p.pos[0] = second[0] // another process applied the first two
			return errs.Conflict("x", "position %d is taken", first[0])
		}
		return nil
	}
	start(t, l, p, RunOptions{})
	waitFor(t, l, "state", last)
	got := p.all()
	if len(got) == 0 || got[len(got)-1].MessageID != "a-000003" {
		t.Fatalf("applied %+v", got)
	}
	for _, r := range got {
		if r.MessageID == "a-000002" {
			t.Fatal("what another process had applied was applied again")
		}
	}
}

func TestBatchesHoldWholeMessagesUpToTheirLimit(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) { o.Partitions = 1 })
	var last Receipt
	for n := range 30 {
		last = mustAppend(t, l, made("a", 3*n), made("a", 3*n+1), made("a", 3*n+2))
	}
	p := newMemory("state")
	next := uint64(0)
	p.fail = func(b Batch) error {
		if next != 0 && b.First != next {
			t.Errorf("batch begins at %d, want %d", b.First, next)
		}
		next = b.Last + 1
		if len(b.Records) != 3*int(b.Last-b.First+1) || len(b.Records) > 9 {
			t.Errorf("batch %d to %d holds %d events", b.First, b.Last, len(b.Records))
		}
		return nil
	}
	start(t, l, p, RunOptions{MaxEvents: 9, MaxDelay: 5 * time.Millisecond})
	waitFor(t, l, "state", last)
}

func TestCancelledRunFinishesItsBatch(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) { o.Partitions = 1 })
	mustAppend(t, l, made("a", 1))
	ctx, cancel := context.WithCancel(t.Context())
	p := &slow{started: make(chan struct{}), release: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx, p, RunOptions{}) }()
	<-p.started
	cancel()
	close(p.release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if p.applied.Load() != 1 {
		t.Fatal("the batch in progress was given up")
	}
}

// slow applies one batch when released, unless its context ends before.
type slow struct {
	started, release chan struct{}
	applied          atomic.Int32
}

func (s *slow) Name() string                                  { return "slow" }
func (s *slow) Position(context.Context, int) (uint64, error) { return 0, nil }
func (s *slow) Apply(ctx context.Context, _ Batch) error {
	close(s.started)
	<-s.release
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.applied.Add(1)
	return nil
}

func TestPositionThatTheLogDoesNotHoldIsRefused(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) { o.Partitions = 1 })
	r := mustAppend(t, l, made("a", 1))
	for _, position := range []uint64{5, r[0] + 1} {
		p := newMemory("state")
		p.pos[0] = position
		if err := l.Run(t.Context(), p, RunOptions{}); !errors.Is(err, ErrLost) {
			t.Errorf("position %d: got %v, want ErrLost", position, err)
		}
		stop := start(t, l, p, RunOptions{SkipLost: true})
		eventually(t, "going on with what is there", func() bool { return len(p.all()) == 1 })
		stop()
	}
}

func TestLogThatWasMadeAgainIsNoticed(t *testing.T) {
	t.Parallel()
	ring, p := testRing(t), newMemory("state")
	l := openTest(t, t.TempDir(), ring, func(o *Options) { o.Partitions = 1 })
	stop := start(t, l, p, RunOptions{})
	waitFor(t, l, "state", mustAppend(t, l, made("a", 1)))
	stop()
	closeLog(t, l)

	again := openTest(t, t.TempDir(), ring, func(o *Options) { o.Partitions = 1 })
	mustAppend(t, again, made("a", 2))
	if err := again.Run(t.Context(), p, RunOptions{}); !errors.Is(err, ErrLost) {
		t.Fatalf("got %v, want ErrLost", err)
	}
}

func TestUnreadableMessageHoldsThePartition(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) { o.Partitions = 1 })
	mustAppend(t, l, made("a", 1))
	if _, err := l.js.Publish(t.Context(), l.subject(0), []byte("not ours")); err != nil {
		t.Fatal(err)
	}
	last := mustAppend(t, l, made("a", 2))
	p := newMemory("state")
	stop := start(t, l, p, RunOptions{})
	eventually(t, "the failure is shown", func() bool {
		lag := l.Lag("state")
		return len(lag) == 1 && lag[0].Failure != "" && lag[0].Retries > 1
	})
	if n := len(p.all()); n != 1 {
		t.Fatalf("%d events were applied, want the one before the unreadable message", n)
	}
	stop()
	start(t, l, p, RunOptions{SkipLost: true})
	waitFor(t, l, "state", last)
	if n := len(p.all()); n != 2 {
		t.Fatalf("%d events were applied, want 2", n)
	}
}

func TestCloseStoresWhatWasQueuedAndEndsRuns(t *testing.T) {
	t.Parallel()
	dir, ring := t.TempDir(), testRing(t)
	l := openTest(t, dir, ring, nil)
	p := newMemory("state")
	done := make(chan error, 1)
	go func() { done <- l.Run(context.Background(), p, RunOptions{}) }()
	var stored atomic.Int32
	appended := make(chan struct{})
	go func() {
		defer close(appended)
		for n := 0; ; n++ {
			if _, err := l.Append(context.Background(), []event.Event{made("a", n)}); err != nil {
				if errs.KindOf(err) != errs.KindUnavailable {
					t.Errorf("append to a closed log: %v", err)
				}
				return
			}
			stored.Add(1)
		}
	}()
	eventually(t, "some appends", func() bool { return stored.Load() > 20 })
	closeLog(t, l)
	<-appended
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	again := openTest(t, dir, ring, nil)
	all := newMemory("all")
	start(t, again, all, RunOptions{})
	waitFor(t, again, "all", mustAppend(t, again, made("a", 1_000_000)))
	if n := len(all.all()); n < int(stored.Load())+1 {
		t.Fatalf("%d events are in the log, %d were acknowledged", n-1, stored.Load())
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	openTest(t, dir, testRing(t), nil)
	if _, err := Open(t.Context(), Options{Dir: dir, Keys: testRing(t), Logger: quiet}); err == nil {
		t.Fatal("the folder was opened twice")
	}
}

func TestNumberOfPartitionsIsFixed(t *testing.T) {
	t.Parallel()
	dir, ring := t.TempDir(), testRing(t)
	closeLog(t, openTest(t, dir, ring, func(o *Options) { o.Partitions = 3 }))
	l := openTest(t, dir, ring, nil)
	if l.Partitions() != 3 {
		t.Errorf("reopened with %d partitions, want 3", l.Partitions())
	}
	closeLog(t, l)
	if _, err := Open(t.Context(), Options{Dir: dir, Keys: ring, Partitions: 4, Logger: quiet}); err == nil {
		t.Fatal("the number of partitions was changed")
	}
}

func TestKeyRotationKeepsOldEventsReadable(t *testing.T) {
	t.Parallel()
	ring := testRing(t)
	l := openTest(t, t.TempDir(), ring, func(o *Options) { o.Partitions = 1 })
	var last Receipt
	keys := map[string]bool{}
	for n := range 3 {
		last = mustAppend(t, l, made("a", n))
		h, _, err := l.headOf(t.Context(), 0, last[0])
		if err != nil {
			t.Fatal(err)
		}
		keys[h.keyID] = true
		if _, err := ring.Rotate(t.Context(), "log"); err != nil {
			t.Fatal(err)
		}
	}
	if len(keys) != 3 {
		t.Errorf("three rotations sealed with %d keys", len(keys))
	}
	p := newMemory("state")
	start(t, l, p, RunOptions{})
	waitFor(t, l, "state", last)
	if n := len(p.all()); n != 3 {
		t.Fatalf("%d events could be read, want 3", n)
	}
}

func TestLargeAndOversizedEvents(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), nil)
	p := newMemory("state")
	start(t, l, p, RunOptions{})
	events := make([]event.Event, 5000)
	for i := range events {
		events[i] = made("a", i)
		events[i].Props = append(append([]byte(`"`), make([]byte, 1000)...), '"')
	}
	waitFor(t, l, "state", mustAppend(t, l, events...))
	got := p.all()
	for i := range got {
		if got[i].MessageID != events[i].MessageID {
			t.Fatalf("place %d holds %s", i, got[i].MessageID)
		}
	}
	if len(got) != len(events) {
		t.Fatalf("%d events, want %d", len(got), len(events))
	}
	big := made("a", 1)
	big.Props = make([]byte, maxEvent)
	if _, err := l.Append(t.Context(), []event.Event{big}); errs.KindOf(err) != errs.KindTooLarge {
		t.Fatalf("an event of %d bytes: %v", len(big.Props), err)
	}
}
