package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"omote/internal/ingest/segment"
	"omote/internal/platform/errs"
)

// door keeps what it is given; it refuses while refuse is above zero.
type door struct {
	mu     sync.Mutex
	refuse int
	times  map[string]int
	bodies map[string]string
	moved  chan struct{}
}

func newDoor() *door {
	return &door{times: map[string]int{}, bodies: map[string]string{}, moved: make(chan struct{}, 1000)}
}

func (d *door) Take(_ context.Context, source segment.Source, messages []segment.Message) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() { d.moved <- struct{}{} }()
	if source.Name != "core" {
		return errs.Denied("test", "feed %q", source.Name)
	}
	if d.refuse > 0 {
		d.refuse--
		return errs.Unavailable("test", "too much is waiting")
	}
	for _, m := range messages {
		d.times[m.ID]++
		d.bodies[m.ID] = string(m.Body)
	}
	return nil
}

func (d *door) wait(t *testing.T, n int) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		d.mu.Lock()
		have := len(d.times)
		d.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-d.moved:
		case <-late:
			t.Fatalf("%d records came, want %d", have, n)
		}
	}
}

func cluster(t *testing.T) []string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "events"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

func produce(t *testing.T, brokers []string, from, to int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic("events"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for n := from; n < to; n++ {
		r := &kgo.Record{Key: fmt.Append(nil, "c", n%7), Value: fmt.Appendf(nil, `{"type":"track","event":"e","userId":"c%d","properties":{"n":%d}}`, n%7, n)}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte("gone")}).FirstErr(); err != nil { // a tombstone
		t.Fatal(err)
	}
}

// run reads until the returned stop is called.
func run(t *testing.T, brokers []string, d *door) (stop func()) {
	t.Helper()
	return start(t, brokers, Security{}, d)
}

func start(t *testing.T, brokers []string, security Security, d *door) (stop func()) {
	t.Helper()
	s := &Source{Brokers: brokers, Topics: []string{"events"}, Group: "omote", Feed: segment.Source{Name: "core", Entity: "bank"}, Door: d,
		Logger: slog.New(slog.DiscardHandler), Security: security}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestEveryRecordOnce reads, waits while the log refuses, and goes on in a new
// process where the committed offsets say.
func TestEveryRecordOnce(t *testing.T) {
	t.Parallel()
	brokers := cluster(t)
	produce(t, brokers, 0, 60)
	d := newDoor()
	d.refuse = 1
	stop := run(t, brokers, d)
	d.wait(t, 60)
	produce(t, brokers, 60, 80)
	d.wait(t, 80)
	time.Sleep(300 * time.Millisecond) // the last commit follows the last record
	stop()
	produce(t, brokers, 80, 100)
	stop = run(t, brokers, d)
	d.wait(t, 100)
	stop()
	seen := map[string]bool{}
	for id, n := range d.times {
		if n != 1 {
			t.Errorf("%s was taken %d times", id, n)
		}
		seen[d.bodies[id]] = true
	}
	if len(d.times) != 100 || len(seen) != 100 {
		t.Errorf("%d records, %d different, want 100", len(d.times), len(seen))
	}
}

// TestNotCommittedIsDeliveredAgain ends a process whose log never acknowledged:
// the next one gets every record under the same id.
func TestNotCommittedIsDeliveredAgain(t *testing.T) {
	t.Parallel()
	brokers := cluster(t)
	produce(t, brokers, 0, 10)
	refusing := newDoor()
	refusing.refuse = 1 << 30
	stop := run(t, brokers, refusing)
	<-refusing.moved
	stop()
	d := newDoor()
	stop = run(t, brokers, d)
	d.wait(t, 10)
	stop()
	if len(d.times) != 10 {
		t.Errorf("%d records, want 10", len(d.times))
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	if err := (&Source{}).Run(t.Context()); err != nil {
		t.Errorf("without brokers: %v", err)
	}
	if err := (&Source{Brokers: []string{"127.0.0.1:1"}}).Run(t.Context()); errs.KindOf(err) != errs.KindInvalid {
		t.Errorf("without topics: %v", err)
	}
}
