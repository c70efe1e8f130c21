package segment

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/ingest/plan"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
)

var now = time.Date(2026, 11, 19, 9, 41, 0, 0, time.UTC)

// bench is a door with everything behind it in memory.
type bench struct {
	Door
	mu       sync.Mutex
	events   []event.Event
	rejected []Rejected
	counts   map[plan.Violation]int
	full     bool
	checker  *plan.Checker
}

func newBench(t testing.TB) *bench {
	checker, err := plan.NewChecker(&plan.Plan{
		Version: 7, Unknown: plan.Pass, Violations: plan.Pass,
		Events: []plan.Event{
			{Name: "card_activated", Properties: []plan.Property{
				{Name: "attempts", Type: plan.Integer}, {Name: "app_version", Type: plan.String}, {Name: "phone", Type: plan.String, Personal: true}}},
			{Name: "loan_requested", Properties: []plan.Property{{Name: "term", Type: plan.Integer, Required: true}}},
		},
	}, "VND")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{counts: map[plan.Violation]int{}, checker: checker}
	b.Door = Door{Log: b, Keys: b, Plans: b, Quarantine: b, Counter: b, Clock: clock.NewManual(now)}
	return b
}

func (b *bench) Append(_ context.Context, events []event.Event) (eventlog.Receipt, error) {
	if b.full {
		return nil, errs.Unavailable("log.full", "too much is waiting")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range events {
		var e event.Event // events point into the door's memory: copy through the codec
		if _, err := e.Decode(events[i].Append(nil)); err != nil {
			return nil, err
		}
		b.events = append(b.events, e)
	}
	return nil, nil
}

func (b *bench) WriteKey(_ context.Context, key string) (Source, error) {
	if key != "wk" {
		return Source{}, errs.Unauthenticated("auth.key", "the write key is not known")
	}
	return Source{Name: "app", Entity: "bank", System: "core"}, nil
}

func (b *bench) Checker(string) *plan.Checker { return b.checker }

func (b *bench) Put(_ context.Context, rows []Rejected) error {
	b.rejected = append(b.rejected, rows...)
	return nil
}

func (b *bench) Count(_, _, _ string, v plan.Violation) { b.counts[v]++ }

func (b *bench) post(path, body string, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.SetBasicAuth("wk", "")
	for _, f := range edit {
		f(r)
	}
	rw := httptest.NewRecorder()
	b.ServeHTTP(rw, r)
	return rw
}

func TestCalls(t *testing.T) {
	t.Parallel()
	const msg = `"messageId":"m1","userId":"u1","timestamp":"2026-11-19T09:40:00Z"`
	for _, c := range []struct {
		name, path, body string
		status           int
		want             func(t *testing.T, b *bench)
	}{
		{"track", "/v1/track", `{` + msg + `,"event":"card_activated","properties":{"attempts":2,"channel":"mobile_app","amount":1250000,"phone":"0900","colour":"red"}}`, 200,
			func(t *testing.T, b *bench) {
				e := b.events[0]
				if e.Kind != event.Track || e.Name != "card_activated" || e.RecordID() != "core:u1" || e.Channel != "mobile_app" ||
					e.Amount != 1250000 || e.Currency != "VND" || string(e.Props) != `{"attempts":2}` || string(e.Traits) != `{"phone":"0900"}` || e.Schema != 7 {
					t.Errorf("event %+v props %s traits %s", e, e.Props, e.Traits)
				}
				if b.counts[plan.Violation{Reason: plan.UnknownProperty, Property: "colour"}] != 1 {
					t.Errorf("counts %v", b.counts)
				}
			}},
		{"identify", "/v1/identify", `{` + msg + `,"traits":{"name":"Nguyễn Ví Dụ"}}`, 200,
			func(t *testing.T, b *bench) {
				if e := b.events[0]; e.Kind != event.Identify || string(e.Traits) != `{"name":"Nguyễn Ví Dụ"}` {
					t.Errorf("event %+v", e)
				}
			}},
		{"alias", "/v1/alias", `{` + msg + `,"previousId":"old"}`, 200, func(t *testing.T, b *bench) {
			if b.events[0].PreviousID != "old" {
				t.Errorf("event %+v", b.events[0])
			}
		}},
		{"import is history", "/v1/import", `{"batch":[{"type":"track","event":"x",` + msg + `}]}`, 200, func(t *testing.T, b *bench) {
			if !b.events[0].History {
				t.Error("an import is not marked as history")
			}
		}},
		{"clock skew is corrected", "/v1/track", `{"messageId":"m","userId":"u","event":"x","timestamp":"2026-11-19T08:00:00Z","sentAt":"2026-11-19T08:01:00Z"}`, 200, func(t *testing.T, b *bench) {
			if got := b.events[0].Time(); !got.Equal(now.Add(-time.Minute)) {
				t.Errorf("time %s", got)
			}
		}},
		{"partial acceptance", "/v1/batch", `{"batch":[{"type":"track","event":"a",` + msg + `},{"type":"track",` + msg + `},{"type":"nonsense",` + msg + `},7]}`, 200, func(t *testing.T, b *bench) {
			if len(b.events) != 1 || len(b.rejected) != 3 {
				t.Errorf("%d accepted, %d rejected", len(b.events), len(b.rejected))
			}
		}},
		{"missing required property passes and is counted", "/v1/track", `{` + msg + `,"event":"loan_requested","properties":{}}`, 200, func(t *testing.T, b *bench) {
			if b.counts[plan.Violation{Reason: plan.MissingProperty, Property: "term"}] != 1 {
				t.Errorf("counts %v", b.counts)
			}
		}},
		{"no id", "/v1/track", `{"messageId":"m","event":"x"}`, 400, nil},
		{"future", "/v1/track", `{"messageId":"m","userId":"u","event":"x","timestamp":"2027-11-19T08:00:00Z"}`, 400, func(t *testing.T, b *bench) {
			if b.rejected[0].Reason != plan.InFuture {
				t.Errorf("reason %s", b.rejected[0].Reason)
			}
		}},
		{"bad time", "/v1/track", `{"messageId":"m","userId":"u","event":"x","timestamp":"yesterday"}`, 400, nil},
		{"NUL", "/v1/track", `{"messageId":"m","userId":"u","event":"x","properties":{"a":"\u0000"}}`, 400, nil},
		{"invalid JSON", "/v1/track", `{"a":`, 400, nil},
		{"not UTF-8", "/v1/track", "{\"event\":\"\xff\"}", 400, nil},
		{"too large", "/v1/batch", `{"batch":[` + strings.Repeat(" ", MaxBody) + `]}`, 413, nil},
		{"one message too large", "/v1/batch", `{"batch":[{"type":"track","event":"x",` + msg + `,"properties":{"a":"` + strings.Repeat("x", MaxMessage) + `"}}]}`, 400, func(t *testing.T, b *bench) {
			if b.rejected[0].Reason != plan.OverLimit {
				t.Errorf("reason %s", b.rejected[0].Reason)
			}
		}},
		{"unknown call", "/v1/delete", `{}`, 404, nil},
		{"deep nesting", "/v1/track", strings.Repeat("[", 100_000), 400, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			rw := b.post(c.path, c.body)
			if rw.Code != c.status {
				t.Fatalf("status %d, want %d: %s", rw.Code, c.status, rw.Body)
			}
			if c.status != 200 && len(b.events) > 0 {
				t.Fatalf("%d events were taken", len(b.events))
			}
			if c.want != nil {
				c.want(t, b)
			}
		})
	}
}

func TestWrongKeyAndBackPressure(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const body = `{"messageId":"m","userId":"u","event":"x"}`
	if rw := b.post("/v1/track", body, func(r *http.Request) { r.SetBasicAuth("other", "") }); rw.Code != 401 {
		t.Errorf("wrong key: %d", rw.Code)
	}
	if rw := b.post("/v1/track", `{"writeKey":"wk",`+body[1:], func(r *http.Request) { r.Header.Del("Authorization") }); rw.Code != 200 {
		t.Errorf("key in body: %d %s", rw.Code, rw.Body)
	}
	b.full = true
	rw := b.post("/v1/track", body)
	if rw.Code != 429 || rw.Header().Get("Retry-After") == "" {
		t.Errorf("full log: %d, Retry-After %q", rw.Code, rw.Header().Get("Retry-After"))
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	zip := func(s string) string {
		var buf bytes.Buffer
		zw := gzip.NewWriter(&buf)
		_, _ = zw.Write([]byte(s))
		_ = zw.Close()
		return buf.String()
	}
	packed := func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }
	b := newBench(t)
	whole := zip(`{"messageId":"m","userId":"u","event":"x"}`)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"whole":    {whole, 200},
		"cut":      {whole[:len(whole)-6], 400},
		"not gzip": {"plain", 400},
		"bomb":     {zip(strings.Repeat(" ", 64<<20)), 413},
	} {
		if rw := b.post("/v1/track", c.body, packed); rw.Code != c.status {
			t.Errorf("%s: %d %s", name, rw.Code, rw.Body)
		}
	}
}

// FuzzDoor sends any body to the batch call: it must answer, never crash, and
// never take an event that fails validation.
func FuzzDoor(f *testing.F) {
	f.Add(`{"batch":[{"type":"track","event":"a","userId":"u","messageId":"m","properties":{"amount":"1e9","journey":[1]}}]}`)
	f.Add(`{"batch":[{"type":"identify","anonymousId":1,"traits":{"a":{"b":null}}}],"sentAt":"2026-11-19T09:41:00Z"}`)
	f.Fuzz(func(t *testing.T, body string) {
		b := newBench(t)
		rw := b.post("/v1/batch", body)
		if rw.Code != 200 && rw.Code != 400 && rw.Code != 413 {
			t.Fatalf("status %d: %s", rw.Code, rw.Body)
		}
		if !json.Valid(rw.Body.Bytes()) {
			t.Fatalf("answer is no JSON: %s", rw.Body)
		}
		for i := range b.events {
			if err := b.events[i].Validate(); err != nil {
				t.Fatalf("took an invalid event: %v", err)
			}
			if p := b.events[i].Props; p != nil && !json.Valid(p) {
				t.Fatalf("props are no JSON: %s", p)
			}
			if p := b.events[i].Traits; p != nil && !json.Valid(p) {
				t.Fatalf("traits are no JSON: %s", p)
			}
		}
	})
}

func BenchmarkBatch100(b *testing.B) {
	door := newBench(b)
	door.Log = &discard{}
	var body strings.Builder
	body.WriteString(`{"batch":[`)
	for i := range 100 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"type":"track","messageId":"01930000-0000-7000-8000-%012d","userId":"c-%d","event":"card_activated","timestamp":"2026-11-19T09:40:%02d.123Z","properties":{"attempts":%d,"app_version":"5.12.1","channel":"mobile_app","amount":%d,"outcome":"ok"},"context":{"library":{"name":"analytics-node","version":"2.1.0"},"device":{"model":"SM-A155F"},"locale":"vi-VN"}}`, i, i, i%60, i, i*1000)
	}
	body.WriteString(`]}`)
	text := body.String()
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if rw := door.post("/v1/batch", text); rw.Code != 200 {
			b.Fatal(rw.Body)
		}
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "events/s")
}

// discard copies events as the log does, and keeps nothing.
type discard struct{ buf []byte }

func (d *discard) Append(_ context.Context, events []event.Event) (eventlog.Receipt, error) {
	d.buf = d.buf[:0]
	for i := range events {
		d.buf = events[i].Append(d.buf)
	}
	return nil, nil
}
