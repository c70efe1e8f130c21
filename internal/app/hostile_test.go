package app_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"omote/internal/app"
	ingest "omote/internal/ingest/api"
	"omote/internal/platform/store"

	"omote/internal/testkit/shared"
)

// These tests run alone, one after another: they look at the memory of the
// process.

// peak watches the Go heap until stop, which tells by how much it grew at most.
func peak() (stop func() uint64) {
	read := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	before, highest := read(), uint64(0)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
				highest = max(highest, read())
			}
		}
	}()
	return func() uint64 {
		close(done)
		<-ended
		return max(highest, before) - before
	}
}

const mb = 1 << 20

// send posts a body to the tracking door and gives the status.
func (s *running) send(t *testing.T, path, key, encoding string, body io.Reader) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.address+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(key, "")
	if encoding != "" {
		r.Header.Set("Content-Encoding", encoding)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// good is a message that is always fit.
const good = `{"type":"track","event":"card_activated","userId":"1","properties":{}}`

// zeros is a gzip stream of n bytes that unpacks to a thousand times as much.
func zeros(t *testing.T, size int64) *bytes.Reader {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.CopyN(w, zeroReader{}, size); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(packed.Bytes())
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestHostileRequests sends what should be refused and, after each, what should
// not: every refusal is clear, disturbs nothing and costs little memory.
func TestHostileRequests(t *testing.T) {
	s := start(t, t.TempDir())
	bomb := zeros(t, 300*mb)
	large := strings.Repeat("x", 2*mb)
	cases := []struct {
		name, path, key, encoding string
		body                      io.Reader
		want                      int
	}{
		{"gzip bomb", "/v1/batch", s.key, "gzip", bomb, http.StatusRequestEntityTooLarge},
		{"body over the limit", "/v1/batch", s.key, "", strings.NewReader(large), http.StatusRequestEntityTooLarge},
		{"body over the limit, length unsaid", "/v1/batch", s.key, "", io.MultiReader(strings.NewReader(large)), http.StatusRequestEntityTooLarge},
		{"invalid JSON", "/v1/track", s.key, "", strings.NewReader(`{"type":"track",`), http.StatusBadRequest},
		{"no JSON", "/v1/batch", s.key, "", strings.NewReader(`batch`), http.StatusBadRequest},
		{"a hundred thousand brackets", "/v1/batch", s.key, "", strings.NewReader(strings.Repeat("[", 100_000)), http.StatusBadRequest},
		{"not gzip", "/v1/batch", s.key, "gzip", strings.NewReader(good), http.StatusBadRequest},
		{"not UTF-8", "/v1/track", s.key, "", strings.NewReader("{\"event\":\"\xff\"}"), http.StatusBadRequest},
		{"wrong key", "/v1/track", "no such key", "", strings.NewReader(good), http.StatusUnauthorized},
		{"no key", "/v1/track", "", "", strings.NewReader(good), http.StatusUnauthorized},
		{"no such call", "/v1/explode", s.key, "", strings.NewReader(good), http.StatusNotFound},
		{"event over its limit", "/v1/track", s.key, "", strings.NewReader(`{"event":"e","userId":"1","properties":{"a":"` + large[:40_000] + `"}}`), http.StatusBadRequest},
	}
	grown := peak()
	for _, c := range cases {
		if got := s.send(t, c.path, c.key, c.encoding, c.body); got != c.want {
			t.Errorf("%s: status %d, want %d", c.name, got, c.want)
		}
		if got := s.send(t, "/v1/track", s.key, "", strings.NewReader(good)); got != http.StatusOK {
			t.Errorf("after %s a good request got %d", c.name, got)
		}
	}
	if n := grown(); n > 64*mb {
		t.Errorf("the heap grew by %d MB", n/mb)
	}
	if err := s.CaughtUp(s.ctx); err != nil {
		t.Fatal(err)
	}
	if facts := factCounts(t, s.App, s.ctx); len(facts) != len(cases) {
		t.Errorf("%d facts, want the %d good requests", len(facts), len(cases))
	}
}

// TestUnknownEvents sends ten thousand events that nobody declared: all of them
// are counted, and what is kept of their names is bounded.
func TestUnknownEvents(t *testing.T) {
	s := start(t, t.TempDir())
	const events, batch = 10_000, 100
	for from := 0; from < events; from += batch {
		var b strings.Builder
		b.WriteString(`{"batch":[`)
		for n := from; n < from+batch; n++ {
			if n > from {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"type":"track","event":"unheard of %d","userId":"u","messageId":"m%d"}`, n, n)
		}
		b.WriteString(`]}`)
		if got := s.send(t, "/v1/batch", s.key, "", strings.NewReader(b.String())); got != http.StatusOK && got != http.StatusBadRequest {
			t.Fatalf("status %d", got)
		}
	}
	var names, total int64
	for late := time.Now().Add(20 * time.Second); total < events && time.Now().Before(late); time.Sleep(100 * time.Millisecond) {
		err := s.Store.Read(s.ctx, func(ctx context.Context, tx store.Tx) error {
			return tx.NewRaw("SELECT COUNT(*), COALESCE(SUM(n), 0) FROM ingest_violation").Scan(ctx, &names, &total)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if total != events {
		t.Errorf("%d violations are counted, want %d", total, events)
	}
	if names > 1_001 {
		t.Errorf("%d different violations are kept", names)
	}
}

// TestSlowConnections holds thousands of connections that never finish their
// request; good requests still succeed.
func TestSlowConnections(t *testing.T) {
	s := start(t, t.TempDir())
	slow := 2_000
	if shared.Verify() {
		slow = 10_000
	}
	holder := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHoldConnections$", "-test.v")
	holder.Env = append(os.Environ(), "OMOTE_HOLD="+s.address, "OMOTE_HOLD_COUNT="+strconv.Itoa(slow))
	release, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	held := false
	for lines := bufio.NewScanner(said); !held && lines.Scan(); {
		held = strings.Contains(lines.Text(), "held "+strconv.Itoa(slow))
	}
	if !held {
		t.Errorf("not all of %d connections were taken", slow)
	}
	grown := peak()
	for range 50 {
		if got := s.send(t, "/v1/track", s.key, "", strings.NewReader(good)); got != http.StatusOK {
			t.Errorf("a good request got %d", got)
		}
	}
	if n := grown(); n > 64*mb {
		t.Errorf("the heap grew by %d MB over %d connections", n/mb, slow)
	}
	release.Close()
	if err := holder.Wait(); err != nil {
		t.Error(err)
	}
}

// TestHoldConnections is the other end of TestSlowConnections, in a process of its
// own since both ends together need more open files than one may have.
func TestHoldConnections(t *testing.T) {
	address := os.Getenv("OMOTE_HOLD")
	if address == "" {
		return
	}
	slow, _ := strconv.Atoi(os.Getenv("OMOTE_HOLD_COUNT"))
	var group errgroup.Group
	group.SetLimit(50)
	for range slow {
		group.Go(func() error {
			c, err := net.DialTimeout("tcp", address, 30*time.Second)
			if err == nil {
				t.Cleanup(func() { c.Close() })
				_, err = io.WriteString(c, "POST /v1/track HTTP/1.1\r\nHost: x\r\nX-Slow: ")
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	fmt.Println("held", slow)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// TestBrokenXES brings in a large event log that ends in the middle of an event:
// what stood before is in, the import says where it stopped, and memory does not
// grow with the file.
func TestBrokenXES(t *testing.T) {
	s := start(t, t.TempDir())
	size := int64(24 * mb)
	if shared.Verify() {
		size = 1 << 30
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(s.Config.Data, app.SocketName))
	}}}
	call := func(method, path string, body io.Reader) (im ingest.Import) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://omote"+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode >= 300 || json.Unmarshal(raw, &im) != nil {
			t.Fatalf("%s %s: %s: %s %v", method, path, res.Status, raw, err)
		}
		return im
	}
	file := &xesStream{left: size}
	grown := peak()
	im := call(http.MethodPost, "/api/v1/imports?name=broken.xes", file)
	call(http.MethodPost, "/api/v1/imports/"+im.ID+"/start", strings.NewReader(`{"kind":"eventlog","mode":"history"}`))
	for late := time.Now().Add(10 * time.Minute); im.State != "failed" && im.State != "done" && time.Now().Before(late); time.Sleep(50 * time.Millisecond) {
		im = call(http.MethodGet, "/api/v1/imports/"+im.ID, nil)
	}
	if n := grown(); n > 400*mb {
		t.Errorf("the heap grew by %d MB over a file of %d MB", n/mb, size/mb)
	}
	if im.State != "failed" || im.Error == "" {
		t.Errorf("the import is %s: %q", im.State, im.Error)
	}
	if err := s.CaughtUp(s.ctx); err != nil {
		t.Fatal(err)
	}
	var facts int64
	rows, err := s.Warehouse.Query(s.ctx, "SELECT COUNT(*) FROM {event}")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&facts); err != nil {
			t.Fatal(err)
		}
	}
	if facts != file.events {
		t.Errorf("%d facts, want the %d whole events before the end", facts, file.events)
	}
}

// xesStream writes an event log of about a size that breaks off.
type xesStream struct {
	left   int64
	events int64 // whole events so far
	buf    bytes.Buffer
	begun  bool
	over   bool
}

func (x *xesStream) Read(p []byte) (int, error) {
	for x.buf.Len() < len(p) && !x.over {
		if !x.begun {
			x.begun = true
			x.buf.WriteString(`<?xml version="1.0"?><log xes.version="1.0">`)
		}
		before := x.buf.Len()
		fmt.Fprintf(&x.buf, `<trace><string key="concept:name" value="c%d"/>`, x.events)
		for _, step := range []string{"submitted", "checked", "decided"} {
			fmt.Fprintf(&x.buf, `<event><string key="concept:name" value="%s"/><date key="time:timestamp" value="2026-01-%02dT08:00:00Z"/><string key="note" value="%s"/></event>`,
				step, 1+x.events%28, strings.Repeat("n", 600))
			x.events++
		}
		x.buf.WriteString("</trace>\n")
		if x.left -= int64(x.buf.Len() - before); x.left <= 0 {
			x.over = true
			x.buf.WriteString(`<trace><string key="concept:name" value="last"/><event><string key="conc`)
		}
	}
	return x.buf.Read(p)
}
