package eventlog

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"
)

func TestBenchMeasures(t *testing.T) {
	t.Parallel()
	r, err := Bench(t.Context(), BenchOptions{Duration: 200 * time.Millisecond, Batch: 50, InFlight: 2})
	if err != nil {
		t.Fatal(err)
	}
	if r.EventsPerSecond <= 0 || r.AckP50 <= 0 || r.AckP99 < r.AckP50 || r.PeakRSS <= 0 || r.EventBytes < 380 || r.EventBytes > 460 {
		t.Fatalf("implausible measurement: %+v", r)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, c := range []BenchOptions{{Batch: 1, InFlight: 1}, {Batch: 100, InFlight: 1}, {Batch: 500, InFlight: 1}} {
		b.Run(fmt.Sprint("batch=", c.Batch), func(b *testing.B) {
			l := openTest(b, b.TempDir(), newBenchKeys(), nil)
			batches := benchBatches(c, 1)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if _, err := l.Append(b.Context(), batches[n%len(batches)]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*c.Batch)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	l := openTest(b, b.TempDir(), newBenchKeys(), nil)
	var last Receipt
	events := 0
	for range 20 {
		for _, batch := range benchBatches(BenchOptions{Batch: 500}, 1) {
			last = mustAppend(b, l, batch...)
			events += len(batch)
		}
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		p := &discard{name: fmt.Sprint("read", n)}
		stop := start(b, l, p, RunOptions{})
		waitFor(b, l, p.name, last)
		stop()
	}
	b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
}

// discard is a projector that keeps nothing.
type discard struct{ name string }

func (d *discard) Name() string                                  { return d.name }
func (d *discard) Position(context.Context, int) (uint64, error) { return 0, nil }
func (d *discard) Apply(context.Context, Batch) error            { return nil }

func BenchmarkDedup(b *testing.B) {
	d := newDeduper(DedupWindow{Events: 1_000_000, Age: time.Hour})
	var id [16]byte
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		binary.LittleEndian.PutUint64(id[:], uint64(n))
		d.see(hashIdentity(d, []byte("bank"), []byte("app"), id[:]), 0)
	}
}

func BenchmarkMessage(b *testing.B) {
	var raw []byte
	batch := benchBatches(BenchOptions{Batch: 500}, 1)[0]
	for i := range batch {
		raw = batch[i].Append(raw)
	}
	enc, dec := encoder{sealer: newSealer(newBenchKeys())}, decoder{}
	dec.sealer = enc.sealer
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := enc.message(b.Context(), "s", raw, len(batch), 0)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := dec.open(b.Context(), "s", m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWarm measures how long a reader needs to see the whole duplicate
// window before it can begin.
func BenchmarkWarm(b *testing.B) {
	const events = 200_000
	l := openTest(b, b.TempDir(), newBenchKeys(), func(o *Options) { o.Partitions = 1 })
	batches := benchBatches(BenchOptions{Batch: 500}, 1)
	for n := range events / 500 {
		mustAppend(b, l, batches[n%len(batches)]...)
	}
	_, last, err := l.Bounds(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d, err := l.warm(b.Context(), 0, last+1)
		if err != nil || d.n < events {
			b.Fatalf("%d events, %v", d.n, err)
		}
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
}
