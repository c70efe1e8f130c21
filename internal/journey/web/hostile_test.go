package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"omote/internal/journey/conform"
	"omote/internal/platform/auth"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/scope"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
)

// Sizes of the bad input.
const (
	longCase   = 100_000
	wideEvents = 5_000
)

// fillHostile writes journeys as no bank should send them, each under the name of
// what is wrong with it.
func fillHostile(t *testing.T, w *warehouse.Warehouse) {
	t.Helper()
	b := eventlog.Batch{First: 1, Last: 1}
	begin := testkit.Epoch.AddDate(-1, 0, 0)
	add := func(journey, run, name string, at time.Time) {
		e := event.Event{Source: "core", System: "core", MessageID: fmt.Sprint(len(b.Records)), Entity: scope.DefaultEntity, Kind: event.Track, Name: name, UserID: "c-" + run,
			At: at.UnixMicro(), ReceivedAt: at.UnixMicro(), Channel: "branch", Journey: journey, Case: journey + run}
		b.Records = append(b.Records, eventlog.Record{Seq: 1, Index: len(b.Records) % 2048, Event: e})
		if len(b.Records)%2048 == 0 {
			b.First++
			b.Last++
		}
		b.Records[len(b.Records)-1].Seq = b.Last
	}
	apply := func() {
		b.First = b.Records[0].Seq
		if err := w.Apply(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		b = eventlog.Batch{First: b.Last + 1, Last: b.Last + 1}
	}
	for i := range longCase { // one case, with a cycle of seven
		add("long", "1", fmt.Sprint("step ", i%7), begin.Add(time.Duration(i)*time.Minute))
		if len(b.Records) == 20_000 {
			apply()
		}
	}
	for i := range wideEvents { // each event under a name of its own, in cases of ten
		add("wide", fmt.Sprint(i/10), fmt.Sprint("event ", i), begin.Add(time.Duration(i)*time.Second))
		add("wide", fmt.Sprint(i/10), "known", begin.Add(time.Duration(i)*time.Second+time.Millisecond))
	}
	apply()
	for c := range 60 {
		run := fmt.Sprint(c)
		for _, name := range []string{"a", "b", "a", "b", "a", "c"} { // round and round
			add("cycles", run, name, begin.Add(time.Duration(len(b.Records))*time.Hour))
		}
		for _, name := range []string{"a", "b", "c"} { // all at one instant
			add("equal", run, name, begin)
		}
		// The card journey: what comes before it begins, and what no map knows.
		for i, name := range []string{"card_first_purchase", "nobody_knows_this", "card_requested", "card_approved", "card_activated"} {
			add("card_activation", run, name, begin.Add(time.Duration(c*100+i)*time.Hour))
		}
		for i, name := range []string{"elsewhere", "otherwise"} { // the map's events never come
			add("personal_loan", run, name, begin.Add(time.Duration(c*100+i)*time.Hour))
		}
	}
	apply()
}

// Bad input gets a page that can be read, on every view, within seconds.
func TestHostileJourneys(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, fillHostile)
	nodes := regexp.MustCompile(`data-node="(\d+)"`)
	for _, journey := range []string{"long", "wide", "cycles", "equal", "card_activation", "personal_loan"} {
		for _, view := range []string{"", "?detail=5", "?lay=design", "?show=cost&detail=1", "/funnel", "/variants", "/compare?side=with", "/handoffs?between=channel", "/channels", "/now", "/replay", "/cases"} {
			begun := time.Now()
			w := s.get(auth.CXLead, "vi", "/journey/observed/"+journey+view)
			body := w.Body.String()
			if w.Code != http.StatusOK || strings.Contains(body, "NaN") || strings.Contains(body, "%!") || strings.Contains(body, "Inf") {
				t.Errorf("%s%s: %d %.300s", journey, view, w.Code, body)
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("%s%s took %v", journey, view, took)
			}
			if view == "" || view == "?lay=design" { // legible: rare steps are one
				seen := map[string]bool{}
				for _, m := range nodes.FindAllStringSubmatch(body, -1) {
					seen[m[1]] = true
				}
				if len(seen) > 40 || len(seen) == 0 {
					t.Errorf("%s%s draws %d steps", journey, view, len(seen))
				}
				if len(body) > 2<<20 {
					t.Errorf("%s%s has %d bytes", journey, view, len(body))
				}
			}
		}
	}
	if body := s.get(auth.CXLead, "en", "/journey/observed/wide").Body.String(); !strings.Contains(body, "rare steps") {
		t.Error("five thousand steps are not grouped")
	}
	// A map whose events never come says so of each step, and blames nobody.
	if body := s.get(auth.CXLead, "en", "/journey/observed/personal_loan?lay=design").Body.String(); strings.Count(body, "never seen") < 8 {
		t.Error("the overlay does not tell that nothing of the map was seen")
	}
}

// Events before the start, unknown ones and a map that is never seen cost what
// they should.
func TestHostileConformance(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, fillHostile)
	for journey, check := range map[string]func(r *conform.Report) string{
		"card_activation": func(r *conform.Report) string {
			known := ""
			for _, x := range r.Extras {
				known += x.Event + " " + x.Kind + "; "
			}
			if !strings.Contains(known, "nobody_knows_this unknown") {
				return "extras: " + known
			}
			return ""
		},
		"personal_loan": func(r *conform.Report) string {
			for _, st := range r.Steps {
				if st.Done != 0 {
					return st.Step + " was made"
				}
			}
			return ""
		},
	} {
		v, err := s.maps.Version(t.Context(), journey, 0)
		if err != nil {
			t.Fatal(err)
		}
		l, _, err := s.seen.Log(testkit.Context(t), journey)
		if err != nil {
			t.Fatal(err)
		}
		r, err := conform.Compare(v.Document, l, conform.Part{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if wrong := check(r); wrong != "" || r.Cases == 0 || r.Cases+r.Open != 60 || !(r.Fitness.Value >= 0 && r.Fitness.Value < 1) {
			t.Errorf("%s: %s; %d cases, fitness %+v", journey, wrong, r.Cases, r.Fitness)
		}
	}
}
