package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"omote/internal/platform/event"
	"omote/internal/platform/keyring"
)

// testRing is a key ring in a folder of its own.
func testRing(tb testing.TB) *keyring.File {
	tb.Helper()
	ring, err := keyring.OpenFile(filepath.Join(tb.TempDir(), "ring.json"))
	if err != nil {
		tb.Fatal(err)
	}
	return ring
}

// quiet drops messages; the tests look at errors.
var quiet = slog.New(slog.DiscardHandler)

// openTest opens an embedded log; change may set options.
func openTest(tb testing.TB, dir string, keys keyring.Provider, change func(*Options)) *Log {
	tb.Helper()
	o := Options{Dir: dir, Keys: keys, Logger: quiet}
	if change != nil {
		change(&o)
	}
	l, err := Open(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeLog(tb, l) })
	return l
}

func closeLog(tb testing.TB, l *Log) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		tb.Errorf("close: %v", err)
	}
}

// made is an invented event: number n of a customer.
func made(customer string, n int) event.Event {
	return event.Event{
		Source: "app", MessageID: fmt.Sprintf("%s-%06d", customer, n), Entity: "bank", Kind: event.Track,
		Name: "card_activated", UserID: customer, At: int64(n), ReceivedAt: int64(n), Channel: "mobile_app",
		Props: []byte(`{"amount":125000}`),
	}
}

func mustAppend(tb testing.TB, l *Log, events ...event.Event) Receipt {
	tb.Helper()
	r, err := l.Append(tb.Context(), events)
	if err != nil {
		tb.Fatalf("append: %v", err)
	}
	return r
}

// memory is a projector that keeps what it applied.
type memory struct {
	name string
	mu   sync.Mutex
	pos  map[int]uint64
	recs map[int][]Record // by partition, in order
	fail func(Batch) error
}

func newMemory(name string) *memory {
	return &memory{name: name, pos: map[int]uint64{}, recs: map[int][]Record{}}
}

func (m *memory) Name() string { return m.name }

func (m *memory) Position(_ context.Context, partition int) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pos[partition], nil
}

func (m *memory) Apply(_ context.Context, b Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(b); err != nil {
			return err
		}
	}
	m.pos[b.Partition] = b.Last
	m.recs[b.Partition] = append(m.recs[b.Partition], b.Records...)
	return nil
}

// all gives the records of every partition, one partition after another.
func (m *memory) all() []Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Record
	for p := range len(m.recs) + 64 {
		out = append(out, m.recs[p]...)
	}
	return out
}

// start runs a projector until the test ends or stop is called.
func start(tb testing.TB, l *Log, p Projector, o RunOptions) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx, p, o) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("run %s: %v", p.Name(), err)
		}
	})
	tb.Cleanup(stop)
	return stop
}

func waitFor(tb testing.TB, l *Log, projector string, r Receipt) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := l.WaitFor(ctx, projector, r); err != nil {
		tb.Fatal(err)
	}
}

// eventually polls a condition for at most a minute.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("%s did not happen within a minute", what)
		}
	}
}
