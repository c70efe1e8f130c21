package eventlog

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"omote/internal/platform/event"
	"omote/internal/platform/keyring"
)

// BenchOptions set a measurement of durable appends up. Zero fields take the
// defaults.
type BenchOptions struct {
	Dir        string        // folder for the log; default a temporary one, removed afterwards
	Duration   time.Duration // default 5 s, after one second of warming up
	Batch      int           // events an append, default 500
	InFlight   int           // appends at the same time, default 8
	Partitions int           // default 2
	Seed       uint64        // of the events' contents
}

// BenchResult is what a measurement found.
type BenchResult struct {
	EventsPerSecond float64 `json:"events_per_s"`
	AckP50          float64 `json:"ack_p50_ms"`
	AckP99          float64 `json:"ack_p99_ms"`
	PeakRSS         float64 `json:"peak_rss_mb"` // of the whole process, MiB
	// CPUPerEvent is processor time of the whole process for one event, making
	// the load included; it depends less than the rest on what else the machine does.
	CPUPerEvent float64 `json:"cpu_us_per_event"`
	EventBytes  float64 `json:"event_bytes"` // mean size of an encoded event
	StoredBytes float64 `json:"stored_bytes"`
	GroupEvents float64 `json:"group_events"` // mean events of a message
	Batch       int     `json:"batch"`
	InFlight    int     `json:"in_flight"`
	Cores       int     `json:"cores"`
}

// Bench measures durable appends to an embedded log: events of about 420 bytes
// from many customers, each append acknowledged after its flush.
func Bench(ctx context.Context, o BenchOptions) (BenchResult, error) {
	set := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	set(&o.Batch, 500)
	set(&o.InFlight, 8)
	set(&o.Partitions, 2)
	if o.Duration == 0 {
		o.Duration = 5 * time.Second
	}
	if o.Dir == "" {
		dir, err := os.MkdirTemp("", "omote-bench-log-*")
		if err != nil {
			return BenchResult{}, fmt.Errorf("bench log: %w", err)
		}
		defer os.RemoveAll(dir)
		o.Dir = dir
	}
	l, err := Open(ctx, Options{Dir: o.Dir, Partitions: o.Partitions, Keys: newBenchKeys()})
	if err != nil {
		return BenchResult{}, fmt.Errorf("bench log: %w", err)
	}
	defer l.Close(context.WithoutCancel(ctx))
	return measureAppends(ctx, l, o)
}

func measureAppends(ctx context.Context, l *Log, o BenchOptions) (BenchResult, error) {
	var (
		workers  sync.WaitGroup
		measured atomic.Bool
		failure  atomic.Pointer[error]
		counts   = make([]int, o.InFlight)
		times    = make([][]time.Duration, o.InFlight)
	)
	running, stop := context.WithCancel(ctx)
	defer stop()
	for w := range o.InFlight {
		workers.Go(func() {
			batches := benchBatches(o, uint64(w))
			for n := 0; running.Err() == nil; n++ {
				start := time.Now()
				_, err := l.Append(running, batches[n%len(batches)])
				if err != nil {
					if running.Err() == nil {
						failure.Store(&err)
						stop()
					}
					return
				}
				if measured.Load() {
					counts[w] += o.Batch
					times[w] = append(times[w], time.Since(start))
				}
			}
		})
	}
	pause(running, time.Second)
	before, start, cpu := l.Stats(), time.Now(), cpuTime()
	measured.Store(true)
	pause(running, o.Duration)
	measured.Store(false)
	elapsed, after, used := time.Since(start), l.Stats(), cpuTime()-cpu
	stop()
	workers.Wait()
	if err := failure.Load(); err != nil {
		return BenchResult{}, fmt.Errorf("bench log: %w", *err)
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	total := 0
	for _, n := range counts {
		total += n
	}
	groups := float64(max(1, after.Groups-before.Groups))
	stored := float64(max(1, after.Events-before.Events))
	return BenchResult{
		EventsPerSecond: float64(total) / elapsed.Seconds(),
		AckP50:          quantile(all, 0.50), AckP99: quantile(all, 0.99),
		PeakRSS:     PeakRSS(),
		CPUPerEvent: float64(used.Microseconds()) / stored,
		EventBytes:  meanSize(benchBatches(o, 0)),
		StoredBytes: float64(after.Bytes-before.Bytes) / stored,
		GroupEvents: stored / groups,
		Batch:       o.Batch, InFlight: o.InFlight, Cores: runtime.GOMAXPROCS(0),
	}, ctx.Err()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// quantile of sorted durations in milliseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := min(len(sorted)-1, int(q*float64(len(sorted))))
	return float64(sorted[i].Microseconds()) / 1000
}

func meanSize(batches [][]event.Event) float64 {
	var buf []byte
	events := 0
	for _, b := range batches {
		for i := range b {
			buf = b[i].Append(buf)
		}
		events += len(b)
	}
	return float64(len(buf)) / float64(events)
}

// PeakRSS is the largest resident size this process has had, in MiB.
func PeakRSS() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	unit := 1024.0 // kibibytes, but bytes on macOS
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return float64(u.Maxrss) * unit / (1 << 20)
}

// cpuTime is the processor time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var (
	benchNames    = []string{"loan_application_started", "card_activated", "transfer_completed", "branch_visit_ended", "statement_viewed"}
	benchChannels = []string{"mobile_app", "web", "branch", "contact_centre"}
)

// benchBatches makes some batches of one worker; they are appended in turn.
func benchBatches(o BenchOptions, worker uint64) [][]event.Event {
	r := mathrand.New(mathrand.NewPCG(o.Seed, worker))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	batches := make([][]event.Event, 16)
	for b := range batches {
		for range o.Batch {
			customer, amount := r.IntN(200_000), 10_000+r.IntN(50_000_000)
			batches[b] = append(batches[b], event.Event{
				Source: "mobile", MessageID: fmt.Sprintf("%08x-%04x-7%03x-%012x", r.Uint32(), r.Uint32()>>16, r.Uint32()>>20, r.Uint64()>>16),
				Entity: "bank", Kind: event.Track, Name: benchNames[r.IntN(len(benchNames))], UserID: fmt.Sprint(customer), System: "core",
				At: now + r.Int64N(1e12), ReceivedAt: now + r.Int64N(1e12), Journey: "loan", Case: fmt.Sprintf("L-%d", r.IntN(1e7)),
				Channel: benchChannels[r.IntN(len(benchChannels))], Unit: fmt.Sprintf("/north/branch-%d/", r.IntN(200)), Product: "personal_loan",
				Outcome: "ok", Amount: int64(amount), Currency: "VND",
				Props: fmt.Appendf(nil, `{"amount":%d,"screen":"confirm","attempt":%d,"device":"%016x","os":"android 15","app_version":"8.%d.1","network":"4g","duration_ms":%d,"risk_band":"%c","referrer":"home_tile","session":"%016x","step":"%d_of_7","campaign":"tet_2026"}`,
					amount, r.IntN(5), r.Uint64(), r.IntN(30), r.IntN(90_000), 'A'+rune(r.IntN(5)), r.Uint64(), 1+r.IntN(7)),
			})
		}
	}
	return batches
}

// benchKeys is a ring of one key that lives as long as the measurement.
type benchKeys struct{ key keyring.Key }

func newBenchKeys() *benchKeys {
	k := &benchKeys{keyring.Key{ID: "bench"}}
	_, _ = rand.Read(k.key.Secret[:]) // never fails: crypto/rand aborts the program instead
	return k
}

func (k *benchKeys) Current(context.Context, string) (keyring.Key, error) { return k.key, nil }

func (k *benchKeys) Lookup(_ context.Context, _, id string) (keyring.Key, error) {
	if id != k.key.ID {
		return keyring.Key{}, keyring.ErrUnknownKey
	}
	return k.key, nil
}
