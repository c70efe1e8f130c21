package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"omote/internal/app"
	"omote/internal/customer/segment"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/store"
)

// SegmentsOptions set a run.
type SegmentsOptions struct {
	// Dir is where the data folder is made; it is removed at the end.
	Dir       string
	Events    int // of the first phase; default 200,000
	Customers int // default 50,000
	Segments  int // in use, the shipped ones among them; default 100
	Seconds   int // of the second phase; default 10
	Seed      uint64
	Progress  func(string)
}

// SegmentsResult is what was measured, with everything in one process: log,
// identity, consent, segments, and the projector's store.
type SegmentsResult struct {
	Cores        int     `json:"cores"`
	Segments     int     `json:"segments"`
	Customers    int     `json:"customers"`
	EventsPerS   float64 `json:"events_per_s"`
	VisibleRate  float64 `json:"visible_measured_at_events_per_s"`
	VisibleP50MS float64 `json:"visible_p50_ms"`
	VisibleP99MS float64 `json:"visible_p99_ms"`
	PeakRSSMB    float64 `json:"peak_rss_mb"`
}

// Segments measures how fast segments follow events: first as many events as the
// state projector takes, then the time from an event's arrival until its customer
// is a member, at 5,000 events a second.
func Segments(ctx context.Context, o SegmentsOptions) (res SegmentsResult, err error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	r, err := newRig(ctx, filepath.Join(o.Dir, "segments"))
	if err != nil {
		return res, err
	}
	defer r.close()
	a := r.app
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	group.Go(func() error { return a.Segments().Filler().Run(run) })
	group.Go(func() error { return a.Segments().Timer().Run(run) })
	r.stop = append(r.stop, func() {
		cancel()
		_ = group.Wait()
	})
	if res.Segments, err = defineSegments(ctx, a, o.Segments); err != nil {
		return res, err
	}
	res.Cores, res.Customers = runtime.NumCPU(), o.Customers
	rng := rand.New(rand.NewPCG(o.Seed, 1))
	o.Progress(fmt.Sprintf("%d events of %d customers into the log", o.Events, o.Customers))
	for sent := 0; sent < o.Events; sent += 2_000 {
		if err := appendEvents(ctx, a, drawEvents(rng, a, min(2_000, o.Events-sent), o.Customers, sent)); err != nil {
			return res, err
		}
	}
	o.Progress("the state projector takes them up")
	begin := time.Now()
	group.Go(func() error { return a.Log.Run(run, a.State, a.State.Feed()) })
	ends, err := r.ends(ctx)
	if err != nil {
		return res, err
	}
	if err := a.Log.WaitFor(ctx, a.State.Name(), ends); err != nil {
		return res, err
	}
	res.EventsPerS = float64(o.Events) / time.Since(begin).Seconds()
	o.Progress("5,000 events a second")
	if err := visibleSegments(ctx, a, rng, o, &res); err != nil {
		return res, err
	}
	res.PeakRSSMB = peakRSS()
	return res, nil
}

var benchEvents = []string{"login_succeeded", "transfer_submitted", "card_purchase", "branch_ticket_issued", "contact_received", "login_failed", "complaint_filed", "salary_received"}

// defineSegments adds rules of every kind to the shipped ones and waits until all are live.
func defineSegments(ctx context.Context, a *app.App, n int) (int, error) {
	ctx = a.System(ctx)
	have, err := a.Segments().List(ctx, segment.Filter{})
	if err != nil {
		return 0, err
	}
	for i := len(have); i < n; i++ {
		one, two := benchEvents[i%len(benchEvents)], benchEvents[(i/8+i+1)%len(benchEvents)]
		rules := []string{
			fmt.Sprintf("did %s %d times within %dd", one, 1+i%9, 7+i%60),
			fmt.Sprintf("no %s within %dd and did %s within 90d", one, 10+i%50, two),
			fmt.Sprintf("did %s then %s within %dd in last 30d", one, two, 1+i%5),
			fmt.Sprintf("sum(%s.amount within %dd) > %d", one, 30+i%60, 1000*i),
			fmt.Sprintf("share(%s|%s[channel = \"mobile_app\"] within 90d) >= 0.%d", one, two, 1+i%9),
		}
		d := segment.Definition{ID: fmt.Sprintf("bench_%d", i), Name: segment.Text{En: "bench", Vi: "bench"}, Rule: rules[i%len(rules)], Uses: []string{"analysis"}, Owner: "analyst"}
		if i == len(have) {
			d.ID, d.Rule = "bench_probe", "did probe within 1d"
		}
		v, err := a.Segments().Save(ctx, d, "bench")
		if err != nil {
			return 0, err
		}
		if _, err := a.Segments().Activate(ctx, d.ID, v.Version); err != nil {
			return 0, err
		}
	}
	for {
		live, err := a.Segments().List(ctx, segment.Filter{Status: segment.Live})
		if err != nil || len(live) >= n {
			return len(live), err
		}
		if err := clock.Sleep(ctx, 20*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func drawEvents(rng *rand.Rand, a *app.App, n, customers, from int) []event.Event {
	now := a.Clock.Now().UnixMicro()
	out := make([]event.Event, n)
	for i := range out {
		props, _ := json.Marshal(map[string]any{"wait_seconds": rng.IntN(900)}) // of integers: cannot fail
		out[i] = event.Event{Entity: a.Config.Entity, Source: "bench", System: "core", MessageID: fmt.Sprintf("m%d", from+i), Kind: event.Track, Name: benchEvents[rng.IntN(len(benchEvents))],
			UserID: fmt.Sprintf("c%d", rng.IntN(customers)), At: now - rng.Int64N(90*24*3600)*1_000_000, ReceivedAt: now, Channel: []string{"mobile_app", "branch"}[rng.IntN(2)],
			Amount: rng.Int64N(1_000_000), Currency: "VND", Props: props}
	}
	return out
}

func appendEvents(ctx context.Context, a *app.App, events []event.Event) error {
	for {
		_, err := a.Log.Append(ctx, events)
		if errs.KindOf(err) != errs.KindUnavailable || err == nil {
			return err
		}
		if err := clock.Sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// visibleSegments sends batches on a schedule; in each is one event that makes a
// new customer a member. Its latency runs from the moment the batch was due.
func visibleSegments(ctx context.Context, a *app.App, rng *rand.Rand, o SegmentsOptions, res *SegmentsResult) error {
	const rate, every = 5_000, 50 * time.Millisecond
	batches := o.Seconds * int(time.Second/every)
	dues, customers := make([]time.Time, batches), make(map[string]int, batches)
	for i := range batches {
		customers[a.Names.Record(a.Config.Entity, event.UserRecord("core", fmt.Sprintf("probe%d", i))).String()] = i
	}
	begin := time.Now()
	var group errgroup.Group
	group.Go(func() error {
		for i := range batches {
			dues[i] = begin.Add(time.Duration(i) * every)
			if err := clock.Sleep(ctx, time.Until(dues[i])); err != nil {
				return err
			}
			events := drawEvents(rng, a, rate/int(time.Second/every), o.Customers, o.Events+i*rate)
			probe := &events[0]
			probe.Name, probe.UserID, probe.At = "probe", fmt.Sprintf("probe%d", i), probe.ReceivedAt
			if err := appendEvents(ctx, a, events); err != nil {
				return err
			}
		}
		res.VisibleRate = rate * float64(batches) / float64(int(time.Second/every)) / time.Since(begin).Seconds()
		return nil
	})
	seen := map[string]time.Time{}
	deadline := time.Now().Add(time.Duration(o.Seconds+60) * time.Second)
	for len(seen) < batches && time.Now().Before(deadline) {
		found, err := probes(ctx, a)
		if err != nil {
			return err
		}
		now := time.Now()
		for _, c := range found {
			if _, twice := seen[c]; !twice {
				seen[c] = now
			}
		}
		if err := clock.Sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var ms []float64
	for c, i := range customers {
		at, ok := seen[c]
		if !ok {
			return fmt.Errorf("probe %d never became a member", i)
		}
		ms = append(ms, float64(at.Sub(dues[i]).Microseconds())/1000)
	}
	slices.Sort(ms)
	res.VisibleP50MS, res.VisibleP99MS = ms[len(ms)/2], ms[len(ms)*99/100]
	return nil
}

func probes(ctx context.Context, a *app.App) (ids []string, err error) {
	err = a.Store.Read(a.System(ctx), func(ctx context.Context, tx store.Tx) error {
		return tx.NewRaw("SELECT customer_id FROM customer_segment_member WHERE entity = ? AND segment_id = 'bench_probe' AND departed IS NULL", tx.Scope.Entity).Scan(ctx, &ids)
	})
	return ids, err
}
