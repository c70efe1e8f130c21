package app_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"omote/internal/app"
	"omote/internal/insight/signal"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
)

// desk is an installation with people at it.
type desk struct {
	t       *testing.T
	app     *app.App
	cookies map[string]*http.Cookie
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// person adds somebody who is signed in.
func (d *desk) person(role auth.Role, unit string) {
	d.t.Helper()
	const secret = "bốn mùa hoa nở trên đồi"
	ctx := d.app.System(d.t.Context())
	n := auth.NewAccount{Email: string(role) + "@example.com", Name: "Example " + string(role), Locale: "en", Grants: []auth.Grant{{Role: role, Unit: unit}}}
	d.must(d.app.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		account, err := d.app.Auth().AddAccount(ctx, tx, n)
		if err != nil {
			return err
		}
		return d.app.Auth().SetPassword(ctx, tx, account.ID, secret)
	}))
	token, err := d.app.Auth().SignIn(ctx, auth.Credentials{Email: n.Email, Password: secret}, auth.Client{Agent: "test", Address: "127.0.0.1"})
	d.must(err)
	d.cookies[string(role)] = &http.Cookie{Name: (&auth.Web{}).CookieName(), Value: token}
}

// ask sends a request; with a form it is a POST.
func (d *desk) ask(who auth.Role, locale, path string, form url.Values) (status int, body, to string) {
	d.t.Helper()
	method, content := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, content = http.MethodPost, strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, path, content)
	r.AddCookie(d.cookies[string(who)])
	r.AddCookie(&http.Cookie{Name: "omote_lang", Value: locale})
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	d.app.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header().Get("Location")
}

func (d *desk) shows(who auth.Role, locale, path string, texts ...string) {
	d.t.Helper()
	status, body, _ := d.ask(who, locale, path, nil)
	if status != http.StatusOK {
		d.t.Fatalf("%s %s: status %d", who, path, status)
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			d.t.Errorf("%s %s in %s does not show %q", who, path, locale, text)
		}
	}
}

// fall writes what customers of two regions said up to yesterday; in the south it
// fell 20 days ago.
func (d *desk) fall() {
	d.t.Helper()
	d.must(d.app.Warehouse.ReplaceUnits(d.app.System(d.t.Context()), []warehouse.Unit{{Code: "n1", Path: "/north/n1/"}, {Code: "s1", Path: "/south/s1/"}, {Code: "s2", Path: "/south/s2/"}}))
	random := rand.New(rand.NewPCG(1, 2))
	b := eventlog.Batch{First: 1, Last: 1}
	today := d.app.Clock.Now().In(d.app.Config.Location())
	for ago := 120; ago >= 1; ago-- {
		for k := range 90 {
			unit, share := []string{"n1", "s1", "s2"}[k%3], 0.85
			if unit != "n1" && ago <= 20 {
				share = 0.5
			}
			score, words := 5, "nhanh"
			if random.Float64() >= share {
				score, words = 1, "chờ quá lâu"
			}
			at := time.Date(today.Year(), today.Month(), today.Day()-ago, 9, k, 0, 0, today.Location())
			b.Records = append(b.Records, eventlog.Record{Seq: 1, Index: len(b.Records), Event: event.Event{Source: "survey", System: "core", MessageID: fmt.Sprintf("%d-%d", ago, k),
				Entity: d.app.Config.Entity, Kind: event.Track, Name: "survey_answered", UserID: fmt.Sprintf("c%d", random.IntN(5000)), At: at.UnixMicro(), ReceivedAt: at.UnixMicro(), Unit: unit, Channel: "branch",
				Props: fmt.Appendf(nil, `{"instrument":"tx_csat","item":"tc_score","score":%d,"trigger_event":"branch_service_completed","comment":%q,"language":"vi","polarity":"negative"}`, score, words)}})
		}
	}
	d.must(d.app.Warehouse.Apply(d.t.Context(), b))
}

// From a fall in a region to an initiative, through the pages: the list, the signal
// in both languages, the first page of each role, the rule with its back-test, the
// council's agenda.
func TestSignalPages(t *testing.T) {
	dir, err := os.MkdirTemp("", "os") // short: the socket's path is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := config.Default()
	c.Data, c.Keys, c.Addr, c.Locale = filepath.Join(dir, "d"), filepath.Join(dir, "keys.json"), "127.0.0.1:0", "en"
	a, err := app.Open(t.Context(), app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	d := &desk{t: t, app: a, cookies: map[string]*http.Cookie{}}
	for _, role := range []auth.Role{auth.CXLead, auth.Council, auth.Auditor, auth.Agent, auth.DPO, auth.Analyst} {
		d.person(role, "/")
	}
	d.shows(auth.CXLead, "en", "/insight/signals", "Nobody has looked for signals yet", "Look now")
	d.fall()
	run, err := a.Signals().Look(a.System(t.Context()), nil)
	d.must(err)
	if run.Opened == 0 {
		t.Fatalf("no signal: %+v", run)
	}
	all, err := a.Signals().List(a.System(t.Context()), signal.Open)
	d.must(err)
	var id string
	for _, s := range all {
		if s.Body.Metric == "csat_branch" {
			id = s.ID
		}
	}
	one := "/insight/signals/" + id
	d.shows(auth.CXLead, "en", "/insight/signals", "Branch satisfaction got worse", one, "mostly south")
	d.shows(auth.CXLead, "en", one, "Cost in a year", "90% interval", "chờ quá lâu", "Take it up", "Turn into an initiative", "Explain as noise", "customers, ")
	d.shows(auth.CXLead, "vi", one, "Hài lòng tại quầy: xấu đi", "Thiệt hại một năm", "Đến từ đâu", "Nhận xử lý")
	d.shows(auth.CXLead, "en", one+"/customers", "customers were there since")
	d.shows(auth.CXLead, "en", "/", "Branch satisfaction got worse", "Your scorecard")
	d.shows(auth.Council, "vi", "/", "Hài lòng tại quầy: xấu đi")
	for _, role := range []auth.Role{auth.Agent, auth.DPO, auth.Analyst, auth.Auditor} {
		d.shows(role, "en", "/", "today")
	}
	if _, body, _ := d.ask(auth.Auditor, "en", one, nil); strings.Contains(body, "chờ quá lâu") || strings.Contains(body, "Take it up") {
		t.Error("an auditor reads answers, or may act")
	}
	if status, _, _ := d.ask(auth.Auditor, "en", one+"/acknowledge", url.Values{}); status != http.StatusForbidden {
		t.Errorf("an auditor takes it up: %d", status)
	}
	d.shows(auth.Analyst, "en", "/insight/signals/rule", "Try on the past", "came with the program")
	draft := url.Values{"limit": {"0.5"}, "persist": {"3"}, "reach": {"30"}, "share": {"10"}, "per_thousand": {"0.5"}, "days": {"180"}, "do": {"try"}}
	if status, body, _ := d.ask(auth.Analyst, "en", "/insight/signals/rule", draft); status != http.StatusOK || !strings.Contains(body, "signals in 180 days") {
		t.Errorf("a back-test: %d", status)
	}
	draft.Set("persist", "900")
	if status, body, _ := d.ask(auth.Analyst, "en", "/insight/signals/rule", draft); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Between 1 and 60 periods") {
		t.Errorf("a rule out of bounds: %d", status)
	}
	if status, body, _ := d.ask(auth.CXLead, "en", one+"/noise", url.Values{"reason": {" "}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Say why.") {
		t.Errorf("noise without a reason: %d", status)
	}
	if status, _, _ := d.ask(auth.CXLead, "en", one+"/acknowledge", url.Values{"note": {"calling the branches"}}); status != http.StatusSeeOther {
		t.Errorf("taking it up: %d", status)
	}
	d.shows(auth.CXLead, "en", one, "Taken up", "calling the branches", "Example cx_lead")
	d.shows(auth.Council, "en", "/governance/council", "Branch satisfaction got worse")
	status, _, to := d.ask(auth.CXLead, "en", one+"/work", url.Values{"title": {"Shorter queues in the south"}, "why": {"Satisfaction fell"}, "days": {"25"}, "units": {"1"}})
	if status != http.StatusSeeOther || !strings.HasPrefix(to, "/governance/initiatives/") {
		t.Fatalf("turning it into work: %d to %s", status, to)
	}
	d.shows(auth.CXLead, "en", to, "Shorter queues in the south")
	d.shows(auth.CXLead, "en", one, "An initiative carries this signal")
	if status, _, _ := d.ask(auth.CXLead, "en", one+"/work", url.Values{"title": {"again"}, "why": {"x"}, "days": {"25"}, "units": {"1"}}); status != http.StatusConflict {
		t.Errorf("work twice: %d", status)
	}
}
