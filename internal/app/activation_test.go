package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/customer/activation"
	"omote/internal/customer/consent"
	"omote/internal/customer/segment"
	"omote/internal/platform/auth"
	"omote/internal/platform/event"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/testkit/browser"
	"omote/internal/ui"
)

// TestWriteBackJourney sets a write-back up on its page, sees what the other system
// was told, row by row, and what it is told after a withdrawal.
func TestWriteBackJourney(t *testing.T) {
	b := browser.Start(t)
	s := start(t, t.TempDir())
	session := addPerson(t, s)
	now := s.Clock.Now().UnixMicro()
	var events []event.Event
	for _, user := range []string{"700001", "700002", "700003"} {
		events = append(events, event.Event{Entity: scope.DefaultEntity, Source: "crm", System: "crm", Kind: event.Identify, UserID: user, MessageID: "i" + user, At: now, ReceivedAt: now,
			Traits: json.RawMessage(`{"name":"Nguyễn Thị Ví Dụ"}`)},
			event.Event{Entity: scope.DefaultEntity, Source: "crm", System: "crm", Kind: event.Track, Name: "login_succeeded", UserID: user, MessageID: "t" + user, At: now, ReceivedAt: now})
	}
	if _, err := s.Log.Append(s.ctx, events); err != nil {
		t.Fatal(err)
	}
	if err := s.CaughtUp(s.ctx); err != nil {
		t.Fatal(err)
	}
	record := func(user string) string { return s.Names.Record(scope.DefaultEntity, "crm:"+user).String() }
	says := func(user string, yes bool) {
		t.Helper()
		if err := s.Consents().Record(s.ctx, consent.Said{CustomerID: record(user), Purpose: "marketing", Channel: "*", Granted: yes, Source: consent.FromAPI, TextVersion: 1}); err != nil {
			t.Fatal(err)
		}
	}
	says("700001", true)
	says("700002", true)
	d := segment.Definition{ID: "active", Name: segment.Text{En: "Active", Vi: "Đang hoạt động"}, Rule: "did login_succeeded within 30d", Uses: []string{"offer"}, Owner: "cx_lead"}
	v, err := s.Segments().Save(s.ctx, d, "test")
	if err == nil {
		_, err = s.Segments().Activate(s.ctx, d.ID, v.Version)
	}
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, s, "the segment is live", func() bool {
		f, err := s.Segments().Figures(s.ctx, "active")
		return err == nil && f.Members == 3 && !f.Filling
	})
	var mu sync.Mutex
	held := map[string]bool{} // what the other system was told last, by its own ids
	crm := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e struct {
			Data struct {
				Key    string
				Member bool `json:"omote_segment"`
			}
		}
		raw, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		held[e.Data.Key] = e.Data.Member
	}))
	defer crm.Close()
	told := func() (out string) {
		mu.Lock()
		defer mu.Unlock()
		for _, user := range []string{"700001", "700002", "700003"} {
			if member, known := held[user]; known {
				out += user + map[bool]string{true: "+", false: "-"}[member]
			}
		}
		return out
	}

	base := "http://" + s.address
	open := func(v browser.Viewport, lang, theme string) *browser.Page {
		p := b.Open(base, v)
		p.Goto("/sign-in")
		p.Cookie((&auth.Web{}).CookieName(), session)
		p.Cookie(i18n.CookieName, lang)
		p.Cookie(ui.ThemeCookie, theme)
		return p
	}
	p := open(browser.Desk, "en", "light")
	p.Goto("/customer/activations")
	p.WaitText("Nothing is written back yet")
	p.Goto("/customer/activations/new?segment=active")
	p.Type(`input[name=name]`, "CRM: active customers")
	p.Type(`input[name=url]`, crm.URL)
	p.AssertSound()
	p.ClickText("Save")
	p.WaitText("Keep the signing secret")
	p.AssertSound()
	p.ClickText("Go on")
	p.WaitText("How it works")
	page := p.Path()
	waitFor(t, s, "both who consent are told of", func() bool { return told() == "700001+700002+" })
	says("700001", false)
	waitFor(t, s, "the withdrawal is taken back", func() bool { return told() == "700001-700002+" })
	all, err := s.Activations().List(s.ctx)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if err := s.Activations().RunNow(s.ctx, all[0].ID); err != nil {
		t.Fatal(err)
	}
	waitFor(t, s, "the results stand at the rows", func() bool {
		one, err := s.Activations().Get(s.ctx, all[0].ID)
		if err == nil && one.Rows[activation.Delivered] < 2 {
			time.Sleep(200 * time.Millisecond)
			err = s.Activations().RunNow(s.ctx, all[0].ID)
		}
		return err == nil && one.Rows[activation.Delivered] == 2
	})
	p.Goto(page)
	p.WaitText("taken back")
	p.AssertSound()
	for _, l := range looks() {
		p := open(l.view, l.lang, l.theme)
		for name, path := range map[string]string{"activations": "/customer/activations", "activation": page, "activation-new": "/customer/activations/new"} {
			p.Goto(path)
			p.AssertSound()
			if n := p.Overflow(); n > 0 {
				t.Errorf("%s is %d px too wide (%s, %s)", name, n, l.lang, l.size)
			}
			p.Shot(strings.Join([]string{name, l.size, l.lang, l.theme}, "-"))
		}
	}
}
