package eventlog

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"
	"testing"

	"omote/internal/platform/event"
)

// TestCopyRestore copies a log and makes another of it: every event is there
// with its sequence, duplicates of what was copied are recognised, and the log
// goes on.
func TestCopyRestore(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	ring := testRing(t)
	l := openTest(t, t.TempDir(), ring, nil)
	for n := range 30 {
		if _, err := l.Append(ctx, []event.Event{made("a", n), made("b", n), made("c", n)}); err != nil {
			t.Fatal(err)
		}
	}
	copies := make([]bytes.Buffer, l.Partitions())
	spans := make([]Span, l.Partitions())
	var total uint64
	for p := range spans {
		var err error
		if spans[p], err = l.Copy(ctx, p, &copies[p]); err != nil {
			t.Fatal(err)
		}
		first, last, err := l.Bounds(ctx, p)
		if err != nil || spans[p] != (Span{first, last}) {
			t.Fatalf("partition %d: copied %v of %d to %d: %v", p, spans[p], first, last, err)
		}
		total += spans[p].Messages()
	}
	if total == 0 {
		t.Fatal("nothing was copied")
	}
	dir := t.TempDir()
	open := func(p int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(copies[p].Bytes())), nil }
	if err := Restore(ctx, Options{Dir: dir, Keys: ring, Logger: quiet}, spans, open); err != nil {
		t.Fatal(err)
	}
	again := openTest(t, dir, ring, nil)
	for p, want := range spans {
		first, last, err := again.Bounds(ctx, p)
		if err != nil || want != (Span{first, last}) {
			t.Errorf("partition %d: restored %d to %d, want %v: %v", p, first, last, want, err)
		}
	}
	if _, err := again.Append(ctx, []event.Event{made("a", 3), made("a", 99)}); err != nil {
		t.Fatal(err)
	}
	if got := countEffects(t, again); got != 91 {
		t.Errorf("%d events have an effect, want 91: 90 copied, one new, one sent again", got)
	}
}

// TestRestoreRefuses refuses a copy that is cut off, and a place that has a log.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	ring := testRing(t)
	dir := t.TempDir()
	cut := func(int) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte{0, 0, 0, 9, 1})), nil }
	if err := Restore(t.Context(), Options{Dir: dir, Keys: ring, Logger: quiet}, []Span{{5, 6}}, cut); err == nil {
		t.Error("a copy that is cut off was restored")
	}
	if err := Restore(t.Context(), Options{Dir: dir, Keys: ring, Logger: quiet}, []Span{{5, 4}}, cut); err == nil {
		t.Error("a log was restored over another")
	}
}

// countEffects runs a projector over the whole log and counts what is no
// duplicate.
func countEffects(t *testing.T, l *Log) int {
	t.Helper()
	ends := map[int]uint64{}
	for p := range l.Partitions() {
		_, last, err := l.Bounds(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		ends[p] = last
	}
	counter := &effectCounter{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx, counter, RunOptions{Partitions: nil}) }()
	if err := l.WaitFor(t.Context(), counter.Name(), ends); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return int(counter.n.Load())
}

type effectCounter struct{ n atomic.Int64 }

func (*effectCounter) Name() string                                  { return "effects" }
func (*effectCounter) Position(context.Context, int) (uint64, error) { return 0, nil }
func (c *effectCounter) Apply(_ context.Context, b Batch) error {
	for _, r := range b.Records {
		if !r.Duplicate {
			c.n.Add(1)
		}
	}
	return nil
}
