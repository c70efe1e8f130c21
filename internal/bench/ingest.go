package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"omote/internal/app"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/warehouse"
)

// IngestOptions set a run.
type IngestOptions struct {
	// Dir is where the data folder is made; it is removed at the end.
	Dir string
	// Seconds is how long each phase loads; default 5.
	Seconds int
	// Overload is how long the server is offered twice what it holds; default 60 s.
	Overload time.Duration
	// Bulk is how many events the history load brings; default 400,000.
	Bulk int
	// Progress is told what is measured next.
	Progress func(string)
}

// IngestResult is what was measured. Rates are per second of wall time with the
// load generator on the same processors.
type IngestResult struct {
	Cores              int     `json:"cores"`
	BatchEventsPerS    float64 `json:"batch_events_per_s"`
	SingleEventsPerS   float64 `json:"single_events_per_s"`
	AckP50MS           float64 `json:"ack_p50_ms"`
	AckP99MS           float64 `json:"ack_p99_ms"`
	AckRate            float64 `json:"ack_measured_at_events_per_s"`
	EndToEndPerS       float64 `json:"end_to_end_events_per_s"`
	VisibleP50MS       float64 `json:"visible_p50_ms"`
	VisibleP99MS       float64 `json:"visible_p99_ms"`
	VisibleRate        float64 `json:"visible_measured_at_events_per_s"`
	BulkPerS           float64 `json:"bulk_history_events_per_s"`
	OverloadAccepted   int64   `json:"overload_accepted"`
	OverloadRefused    int64   `json:"overload_refused"`
	OverloadMaxLag     uint64  `json:"overload_max_lag_events"`
	OverloadRecoveredS float64 `json:"overload_recovered_s"`
	PeakRSSMB          float64 `json:"peak_rss_mb"`
}

// rig is a server under load: its engines, its address and a key.
type rig struct {
	app     *app.App
	address string
	key     string
	stop    []func()
}

// Ingest measures the way of an event from HTTP to a figure.
func Ingest(ctx context.Context, o IngestOptions) (res IngestResult, err error) {
	if o.Seconds <= 0 {
		o.Seconds = 5
	}
	if o.Overload <= 0 {
		o.Overload = time.Minute
	}
	if o.Bulk <= 0 {
		o.Bulk = 400_000
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	res.Cores = runtime.NumCPU()
	phase := time.Duration(o.Seconds) * time.Second
	if err := durable(ctx, o, phase, &res); err != nil {
		return res, err
	}
	if err := endToEnd(ctx, o, phase, &res); err != nil {
		return res, err
	}
	res.PeakRSSMB = peakRSS()
	return res, nil
}

// durable measures acknowledgements alone: nothing reads the log.
func durable(ctx context.Context, o IngestOptions, phase time.Duration, res *IngestResult) error {
	r, err := newRig(ctx, filepath.Join(o.Dir, "durable"))
	if err != nil {
		return err
	}
	defer r.close()
	o.Progress("batches of 100, as fast as they go")
	full := r.load(ctx, shape{batch: 100, connections: 8, span: phase})
	if full.err != nil {
		return full.err
	}
	res.BatchEventsPerS = full.rate()
	o.Progress("single events, 64 connections")
	single := r.load(ctx, shape{batch: 1, connections: 64, span: phase})
	if single.err != nil {
		return single.err
	}
	res.SingleEventsPerS = single.rate()
	o.Progress("batches at half that load")
	half := r.load(ctx, shape{batch: 100, connections: 8, span: phase, rate: res.BatchEventsPerS / 2})
	res.AckRate = half.rate()
	res.AckP50MS, res.AckP99MS = half.percentile(0.5), half.percentile(0.99)
	return half.err
}

// endToEnd measures with the projectors at work.
func endToEnd(ctx context.Context, o IngestOptions, phase time.Duration, res *IngestResult) error {
	r, err := newRig(ctx, filepath.Join(o.Dir, "whole"))
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.project(ctx); err != nil {
		return err
	}
	o.Progress("visible at 5,000 events a second")
	visible, err := r.visible(ctx, 5_000, phase)
	if err != nil {
		return err
	}
	res.VisibleRate, res.VisibleP50MS, res.VisibleP99MS = visible.rate(), visible.percentile(0.5), visible.percentile(0.99)
	o.Progress("live, as fast as the projectors follow")
	if res.EndToEndPerS, err = r.sustained(ctx, 4*phase); err != nil {
		return err
	}
	o.Progress("history, in bulk")
	if res.BulkPerS, err = r.bulk(ctx, o.Bulk); err != nil {
		return err
	}
	o.Progress("twice what it holds, for " + o.Overload.String())
	return r.overload(ctx, 2*res.EndToEndPerS, o.Overload, res)
}

func newRig(ctx context.Context, dir string) (*rig, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := config.Default()
	c.Data, c.Keys, c.Addr = filepath.Join(dir, "data"), filepath.Join(dir, "keys.json"), "127.0.0.1:0"
	a, err := app.Open(ctx, app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	r := &rig{app: a}
	r.stop = append(r.stop, func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		_ = a.Close(closing)
		_ = os.RemoveAll(dir)
	})
	if r.key, err = a.NewKey(ctx, auth.NewKey{Name: "bench", Roles: []auth.Role{auth.KeyIngest}}); err != nil {
		r.close()
		return nil, err
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		r.close()
		return nil, err
	}
	s := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }()
	r.stop = append(r.stop, func() { _ = s.Close() })
	r.address = "http://" + l.Addr().String()
	return r, nil
}

func (r *rig) close() {
	for i := len(r.stop) - 1; i >= 0; i-- {
		r.stop[i]()
	}
}

// project runs the projectors until the rig closes.
func (r *rig) project(ctx context.Context) error {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	group.Go(func() error { return r.app.Log.Run(run, r.app.State, r.app.State.Feed()) })
	group.Go(func() error { return r.app.Log.Run(run, r.app.Warehouse, warehouse.Feed()) })
	r.stop = append(r.stop, func() {
		cancel()
		_ = group.Wait()
	})
	return nil
}

// ends are the last positions of the log.
func (r *rig) ends(ctx context.Context) (map[int]uint64, error) {
	ends := map[int]uint64{}
	for p := range r.app.Log.Partitions() {
		_, last, err := r.app.Log.Bounds(ctx, p)
		if err != nil {
			return nil, err
		}
		ends[p] = last
	}
	return ends, nil
}

// settle waits until both projectors have taken up everything.
func (r *rig) settle(ctx context.Context, ends map[int]uint64) error {
	return errors.Join(r.app.Log.WaitFor(ctx, r.app.State.Name(), ends), r.app.Log.WaitFor(ctx, r.app.Warehouse.Name(), ends))
}

// lag is how many events the slowest projector is behind.
func (r *rig) lag() (most uint64) {
	for _, name := range []string{r.app.State.Name(), r.app.Warehouse.Name()} {
		var sum uint64
		for _, l := range r.app.Log.Lag(name) {
			sum += l.Events
		}
		most = max(most, sum)
	}
	return most
}

// applied counts what both projectors have taken up.
func (r *rig) applied() uint64 {
	least := ^uint64(0)
	for _, name := range []string{r.app.State.Name(), r.app.Warehouse.Name()} {
		var sum uint64
		for _, l := range r.app.Log.Lag(name) {
			sum += l.Applied
		}
		least = min(least, sum)
	}
	return least
}

// sustained offers as much as is taken, holding the lag within two seconds of
// work, and counts what both projectors took up.
func (r *rig) sustained(ctx context.Context, span time.Duration) (float64, error) {
	before, begin := r.applied(), time.Now()
	load := r.load(ctx, shape{batch: 100, connections: 4, span: span, hold: func() bool { return r.lag() > 40_000 }})
	if load.err != nil {
		return 0, load.err
	}
	ends, err := r.ends(ctx)
	if err != nil {
		return 0, err
	}
	if err := r.settle(ctx, ends); err != nil {
		return 0, err
	}
	return float64(r.applied()-before) / time.Since(begin).Seconds(), nil
}

// visible sends at a steady rate and measures from the sending of a batch until
// the warehouse has committed it, so that a metric counts it.
func (r *rig) visible(ctx context.Context, rate float64, span time.Duration) (measured, error) {
	var m measured
	begin := time.Now()
	every := time.Duration(100 / rate * float64(time.Second))
	source := newGenerator(7)
	var group errgroup.Group
	group.SetLimit(1024)
	results := make(chan float64, 1<<16)
	for at := begin; time.Since(begin) < span; at = at.Add(every) {
		time.Sleep(time.Until(at))
		events := source.events(100, false)
		sent := time.Now()
		group.Go(func() error {
			receipt, err := r.app.Log.Append(ctx, events)
			if err != nil {
				return err
			}
			if err := r.app.Log.WaitFor(ctx, r.app.Warehouse.Name(), receipt); err != nil {
				return err
			}
			results <- time.Since(sent).Seconds() * 1000
			return nil
		})
		m.events += 100
	}
	m.took = time.Since(begin)
	err := group.Wait()
	close(results)
	for ms := range results {
		m.ms = append(m.ms, ms)
	}
	return m, err
}

// bulk loads history as an import does, and waits until every figure has it.
func (r *rig) bulk(ctx context.Context, n int) (float64, error) {
	source := newGenerator(11)
	begin := time.Now()
	const size = 2_000
	for sent := 0; sent < n; sent += size {
		events := source.events(size, true)
		for {
			_, err := r.app.Log.Append(ctx, events)
			if err == nil {
				break
			}
			if !refused(err) {
				return 0, err
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	ends, err := r.ends(ctx)
	if err != nil {
		return 0, err
	}
	if err := r.settle(ctx, ends); err != nil {
		return 0, err
	}
	return float64(n) / time.Since(begin).Seconds(), nil
}

// overload offers more than is held and watches: what was refused, how far the
// projectors fell behind, and how long until they had caught up.
func (r *rig) overload(ctx context.Context, rate float64, span time.Duration, res *IngestResult) error {
	watch, stop := context.WithCancel(ctx)
	defer stop()
	most := make(chan uint64, 1)
	go func() {
		var m uint64
		for watch.Err() == nil {
			m = max(m, r.lag())
			time.Sleep(50 * time.Millisecond)
		}
		most <- m
	}()
	load := r.load(ctx, shape{batch: 100, connections: 16, span: span, rate: rate, mayRefuse: true})
	if load.err != nil {
		return load.err
	}
	begin := time.Now()
	ends, err := r.ends(ctx)
	if err != nil {
		return err
	}
	if err := r.settle(ctx, ends); err != nil {
		return err
	}
	res.OverloadRecoveredS = time.Since(begin).Seconds()
	stop()
	res.OverloadMaxLag = <-most
	res.OverloadAccepted, res.OverloadRefused = load.events, load.refused
	again := r.load(ctx, shape{batch: 100, connections: 2, span: time.Second, rate: 1000})
	if again.err != nil || again.events == 0 {
		return fmt.Errorf("after the overload nothing is taken: %w", again.err)
	}
	return nil
}

func peakRSS() float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Maxrss) / 1024
}
