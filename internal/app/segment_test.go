package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"omote/internal/customer/segment"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/event"
	"omote/internal/platform/i18n"
	"omote/internal/testkit/browser"
)

// signIns feeds sign-ins of numbered customers: those below recent today, the
// others 60 days ago.
func signIns(t *testing.T, s *running, n, recent int) {
	t.Helper()
	now := s.Clock.Now()
	var events []event.Event
	for i := range n {
		at := now
		if i >= recent {
			at = now.Add(-60 * 24 * time.Hour)
		}
		events = append(events, event.Event{Entity: s.Config.Entity, Source: "app", System: "core", MessageID: fmt.Sprint("s", i), Kind: event.Track, Name: "login_succeeded",
			UserID: fmt.Sprint("c", i), At: at.UnixMicro(), ReceivedAt: now.UnixMicro(), Channel: "mobile_app"})
	}
	if _, err := s.Log.Append(s.ctx, events); err != nil {
		t.Fatal(err)
	}
	if err := s.CaughtUp(s.ctx); err != nil {
		t.Fatal(err)
	}
}

// waitFor asks until a condition holds.
func waitFor(t *testing.T, s *running, what string, holds func() bool) {
	t.Helper()
	for range 400 {
		if holds() {
			return
		}
		if err := clock.Sleep(s.ctx, 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("it never came to that: ", what)
}

// TestSegmentJourney makes a segment in the builder, by its conditions and by its
// text, puts it into use, sees its members, and builds an audience of them.
func TestSegmentJourney(t *testing.T) {
	b := browser.Start(t)
	s := start(t, t.TempDir())
	session := addPerson(t, s)
	signIns(t, s, 12, 5)
	p := b.Open("http://"+s.address, browser.Desk)
	p.Goto("/sign-in")
	p.Cookie(i18n.CookieName, "en")
	p.Cookie((&auth.Web{}).CookieName(), session)
	p.Goto("/customer/segments/new")
	p.Click(`details:has(#no_event) > summary`)
	p.Type(`#no_event`, "login_succeeded")
	p.Click(`button[value="add:no"]`)
	p.WaitFor(`.seg-conditions li`)
	if text := browser.Eval[string](p, `document.querySelector('textarea[name=rule]').value`); text != "no login_succeeded within 30d" {
		t.Errorf("the condition became %q", text)
	}
	if count := p.Text(`#seg-check`); !slices.Contains(strings.Fields(count), "7") {
		t.Errorf("it counts %q, want 7 of 12", count)
	}
	p.Type(`#id`, "quiet")
	p.Type(`input[name="name.vi"]`, "Vắng mặt")
	p.Type(`input[name="name.en"]`, "Quiet")
	p.Type(`input[name=reason]`, "nobody asks them")
	p.ClickText("Save the draft")
	p.WaitText("Put forward")
	p.ClickText("Put forward")
	p.WaitText("waits for a second person")
	p.AssertSound()
	p.Shot("segment-waits")
	secondPerson(t, b, s.App, s.ctx, "http://"+s.address)
	waitFor(t, s, "the segment is live with 7 members", func() bool {
		f, err := s.Segments().Figures(s.ctx, "quiet")
		return err == nil && f.Members == 7 && !f.Filling
	})
	p.Goto("/customer/segments/quiet")
	p.WaitText("Quiet")
	p.AssertSound()
	p.Goto("/customer/segments/quiet/members")
	p.WaitText("7 customers belong")
	p.AssertSound()
	// Whoever signs in leaves within a moment.
	now := s.Clock.Now().UnixMicro()
	_, err := s.Log.Append(s.ctx, []event.Event{{Entity: s.Config.Entity, Source: "app", System: "core", MessageID: "back", Kind: event.Track, Name: "login_succeeded", UserID: "c11", At: now, ReceivedAt: now}})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, s, "one has left", func() bool {
		f, err := s.Segments().Figures(s.ctx, "quiet")
		return err == nil && f.Members == 6
	})
	p.Goto("/customer/audiences/new?segment=quiet&use=service&channel=sms&hold_out=50")
	p.WaitText("What remains")
	p.AssertSound()
	if _, err := s.Segments().Estimate(s.ctx, segment.Audience{Segment: "quiet", Use: "offer", Channel: "sms"}); err == nil {
		t.Error("an offer is not among the allowed uses and was not refused")
	}
	for _, path := range []string{"/customer/segments", "/customer/lifecycle", "/customer/segments/overlap", "/ingest/connectors", "/ingest/connectors/new"} {
		for _, view := range []browser.Viewport{browser.Desk, browser.Phone.InDark()} {
			p.Resize(view)
			p.Goto(path)
			p.AssertSound()
		}
	}
}
