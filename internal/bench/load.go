package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

// shape is a load: how many events a request has, over how many connections, for
// how long, at which rate (0: as fast as it goes).
type shape struct {
	batch, connections int
	span               time.Duration
	rate               float64
	// mayRefuse counts answers of 429 instead of failing.
	mayRefuse bool
	// hold pauses the senders while it is true.
	hold func() bool
}

// measured is what a load found.
type measured struct {
	events, refused int64
	took            time.Duration
	ms              []float64 // latency of each request
	err             error
}

func (m *measured) rate() float64 { return float64(m.events) / m.took.Seconds() }

func (m *measured) percentile(q float64) float64 {
	if len(m.ms) == 0 {
		return 0
	}
	slices.Sort(m.ms)
	return m.ms[min(len(m.ms)-1, int(q*float64(len(m.ms))))]
}

// load sends prepared requests through HTTP.
func (r *rig) load(ctx context.Context, s shape) measured {
	ctx, cancel := context.WithTimeout(ctx, s.span+30*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: s.connections, MaxConnsPerHost: s.connections}}
	defer client.CloseIdleConnections()
	var m measured
	var mu sync.Mutex
	var turn atomic.Int64
	begin := time.Now()
	var group sync.WaitGroup
	for c := range s.connections {
		group.Go(func() {
			one := r.connection(ctx, client, s, uint64(c), begin, &turn)
			mu.Lock()
			defer mu.Unlock()
			m.events, m.refused, m.ms, m.err = m.events+one.events, m.refused+one.refused, append(m.ms, one.ms...), errors.Join(m.err, one.err)
		})
	}
	group.Wait()
	m.took = time.Since(begin)
	return m
}

// connection sends one request after the other; with a rate, the connections take
// turns on one schedule, so that a slow answer does not lower the rate.
func (r *rig) connection(ctx context.Context, client *http.Client, s shape, seed uint64, begin time.Time, turn *atomic.Int64) (m measured) {
	source := newGenerator(seed*7919 + uint64(begin.UnixNano()))
	path := "/v1/batch"
	if s.batch == 1 {
		path = "/v1/track"
	}
	var body bytes.Buffer
	for time.Since(begin) < s.span {
		if s.hold != nil && s.hold() {
			time.Sleep(2 * time.Millisecond)
			continue
		}
		if s.rate > 0 {
			due := begin.Add(time.Duration(float64(turn.Add(1)) * float64(s.batch) / s.rate * float64(time.Second)))
			if due.Sub(begin) > s.span {
				return m
			}
			time.Sleep(time.Until(due))
		}
		source.request(&body, s.batch)
		sent := time.Now()
		status, err := r.post(ctx, client, path, body.Bytes())
		switch {
		case err != nil:
			m.err = err
			return m
		case status == http.StatusTooManyRequests && s.mayRefuse:
			m.refused += int64(s.batch)
		case status != http.StatusOK:
			m.err = fmt.Errorf("the server answered %d", status)
			return m
		default:
			m.events += int64(s.batch)
			m.ms = append(m.ms, time.Since(sent).Seconds()*1000)
		}
	}
	return m
}

func (r *rig) post(ctx context.Context, client *http.Client, path string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.SetBasicAuth(r.key, "")
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

func refused(err error) bool { return errs.KindOf(err) == errs.KindUnavailable }

// generator makes events of about 420 bytes as an SDK sends them.
type generator struct {
	r *rand.Rand
	n uint64
}

func newGenerator(seed uint64) *generator { return &generator{r: rand.New(rand.NewPCG(seed, 1))} }

var names = []string{"card_activated", "transfer_started", "transfer_credited", "login_succeeded", "contact_received", "branch_service_completed"}

// customers bounds how many different customers the load speaks of.
const customers = 200_000

func (g *generator) next() (id string, customer, name int) {
	g.n++
	id = strconv.FormatUint(g.r.Uint64(), 36) + "-" + strconv.FormatUint(g.n, 36)
	return id, g.r.IntN(customers), g.r.IntN(len(names))
}

// request writes a body with n events, one event without the frame of a batch.
func (g *generator) request(b *bytes.Buffer, n int) {
	b.Reset()
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	if n > 1 {
		b.WriteString(`{"batch":[`)
	}
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		id, customer, name := g.next()
		fmt.Fprintf(b, `{"type":"track","messageId":"%s","userId":"c-%d","event":"%s","timestamp":"%s","properties":{"channel":"mobile_app","app_version":"5.12.%d","carrier":"carrier-%d","amount":%d,"outcome":"ok","journey_id":"bench","case_key":"k-%d"},"context":{"library":{"name":"analytics-node","version":"2.1.0"},"device":{"model":"example"},"locale":"vi-VN"}}`,
			id, customer, names[name], now, customer%9, customer%3, customer*1000, customer)
	}
	if n > 1 {
		b.WriteString(`]}`)
	}
}

// events makes n events as the doors hand them to the log.
func (g *generator) events(n int, history bool) []event.Event {
	out := make([]event.Event, n)
	now := time.Now().UnixMicro()
	for i := range out {
		id, customer, name := g.next()
		out[i] = event.Event{Source: "bench", System: "core", Entity: "bank", Kind: event.Track, MessageID: id, UserID: "c-" + strconv.Itoa(customer),
			Name: names[name], At: now, ReceivedAt: now, Channel: "mobile_app", Journey: "bench", Case: "k-" + strconv.Itoa(customer), Outcome: "ok",
			Amount: int64(customer) * 1000, Currency: "VND", Props: []byte(`{"app_version":"5.12.1","carrier":"carrier-1"}`), History: history}
	}
	return out
}
