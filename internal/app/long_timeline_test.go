package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"omote/internal/customer/profile"
	"omote/internal/platform/auth"
	"omote/internal/platform/event"
	"omote/internal/platform/scope"
	"omote/internal/testkit/shared"
)

// TestLongTimeline opens the page of a customer with very many events, at its
// begin, at its end and filtered: it answers within 300 ms, a page at a time, and
// the pages together hold every event once, newest first.
func TestLongTimeline(t *testing.T) {
	t.Parallel()
	n := 3_000
	if shared.Verify() {
		n = 50_000
	}
	s := start(t, t.TempDir())
	session := addPerson(t, s)
	now := time.Now().Add(-time.Hour)
	var events []event.Event
	for i := range n {
		e := event.Event{Entity: scope.DefaultEntity, Source: "core", System: "core", Kind: event.Track, Name: "transfer_credited", UserID: "C1", MessageID: fmt.Sprint("m", i), Channel: "mobile_app",
			Journey: "everyday_transfer", At: now.Add(-time.Duration(i) * time.Minute).UnixMicro(), ReceivedAt: now.UnixMicro() + int64(i)}
		if i == n/2 {
			e.Name, e.Journey = "complaint_filed", "complaint"
		}
		events = append(events, e)
	}
	for part := range slices.Chunk(events, 1000) {
		if _, err := s.Log.Append(s.ctx, part); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CaughtUp(s.ctx); err != nil {
		t.Fatal(err)
	}
	page := "/customer/customers/" + s.Names.Record(scope.DefaultEntity, "core:C1").String()
	fetch := func(path string) (string, time.Duration) {
		t.Helper()
		r, err := http.NewRequestWithContext(s.ctx, http.MethodGet, "http://"+s.address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: (&auth.Web{}).CookieName(), Value: session})
		began := time.Now()
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", path, res.StatusCode, err)
		}
		return string(body), time.Since(began)
	}
	// The quickest of several: the slower ones shared the machine with other tests.
	quickest := func(path string) (body string, best time.Duration) {
		t.Helper()
		for range 5 {
			text, took := fetch(path)
			if body = text; best == 0 || took < best {
				best = took
			}
		}
		return body, best
	}
	seen, after, last := map[string]bool{}, "", time.Now()
	for {
		tl, err := s.Profiles().Timeline(s.ctx, strings.TrimPrefix(page, "/customer/customers/"), profile.Filter{After: after, Limit: 200})
		if err != nil || len(tl.Entries) == 0 {
			t.Fatalf("after %d: %v", len(seen), err)
		}
		for _, e := range tl.Entries {
			if seen[e.ID] || e.At.After(last) {
				t.Fatalf("event %s comes twice or out of order", e.ID)
			}
			seen[e.ID], last = true, e.At
		}
		if tl.Next == "" {
			break
		}
		after = tl.Next
	}
	if len(seen) != n {
		t.Errorf("the pages hold %d of %d events", len(seen), n)
	}
	for name, path := range map[string]string{"begin": page, "end": page + "?after=" + url.QueryEscape(after), "journey": page + "?journey=complaint"} {
		body, took := quickest(path)
		if took > 300*time.Millisecond {
			t.Errorf("%s of %d events: %s", name, n, took)
		}
		if len(body) > 400_000 {
			t.Errorf("%s: a page of %d bytes", name, len(body))
		}
		t.Logf("%s of %d events: %s, %d kB", name, n, took, len(body)/1000)
	}
}
