package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
	"omote/internal/testkit/browser"
	"omote/internal/ui"

	"omote/internal/testkit/shared"
)

// Who signs in in the browser; both are invented.
const (
	browserEmail    = "lan.tran@example.com"
	browserPassword = "bốn mùa hoa nở trên đồi"
)

// TestBrowserJourney follows the main job in a real browser, by keyboard where a
// person would: sign in, bring an event log and answers in, open the journey,
// then a measure. Afterwards every page of the way is looked at in both
// languages, light and dark, at a desk and on a phone.
func TestBrowserJourney(t *testing.T) {
	b := browser.Start(t)
	s := start(t, t.TempDir())
	session := addPerson(t, s)
	base := "http://" + s.address

	p := b.Open(base, browser.Desk)
	p.Goto("/sign-in")
	p.Cookie(i18n.CookieName, "en")
	p.Goto("/sign-in")
	p.Type(`input[name=email]`, browserEmail)
	p.Press("Tab")
	p.Type(`input[name=password]`, browserPassword)
	p.Press("Enter")
	if p.Path() == "/sign-in" {
		t.Fatalf("not signed in: %s", p.Text("body"))
	}
	dir := t.TempDir()
	xes := bringIn(p, writeXES(t, dir), "eventlog")
	p.ClickText("Open the journey")
	for _, text := range []string{"Map", "Ways", "Where they drop out", "How long it takes"} {
		p.WaitText(text)
	}
	journey := p.Path()
	p.AssertSound()
	bringIn(p, writeAnswers(t, dir), "feedback")
	p.Goto("/insight/metrics")
	p.WaitFor(`main a[href*=nps_relationship]`)
	p.Shot("measures-first")
	p.Click(`main a[href*=nps_relationship]`)
	p.WaitText("Relationship NPS")
	measure := p.Path()
	p.AssertSound()

	pages := map[string]string{"home": "/", "imports": "/ingest/imports", "import-new": "/ingest/imports/new", "import": xes,
		"plan": "/ingest/plan", "quarantine": "/ingest/quarantine", "journeys": "/journey/observed", "journey": journey,
		"journey-time": journey + "?show=time", "atlas": "/journey/atlas", "templates": "/journey/templates", "measures": "/insight/metrics", "measure": measure}
	for _, l := range looks() {
		p := b.Open(base, l.view)
		p.Goto("/sign-in")
		p.Cookie((&auth.Web{}).CookieName(), session)
		p.Cookie(i18n.CookieName, l.lang)
		p.Cookie(ui.ThemeCookie, l.theme)
		for name, path := range pages {
			p.Goto(path)
			p.AssertSound()
			p.Shot(strings.Join([]string{name, l.size, l.lang, l.theme}, "-"))
		}
	}
}

// look is one way to see a page.
type look struct {
	lang, theme, size string
	view              browser.Viewport
}

// looks are all ways, or in the short form four that hold every pair of
// language, theme and size.
func looks() (all []look) {
	for i, lang := range []string{"en", "vi"} {
		for j, theme := range []string{"light", "dark"} {
			for k, size := range []string{"desk", "phone"} {
				if shared.Verify() || (i+j+k)%2 == 0 {
					all = append(all, look{lang, theme, size, []browser.Viewport{browser.Desk, browser.Phone}[k]})
				}
			}
		}
	}
	return all
}

// addPerson makes an account that may do all of it and signs it in.
func addPerson(t *testing.T, s *running) (session string) {
	t.Helper()
	n := auth.NewAccount{Email: browserEmail, Name: "Trần Lan", Locale: "en",
		Grants: []auth.Grant{{Role: auth.Admin, Unit: "/"}, {Role: auth.CXLead, Unit: "/"}, {Role: auth.Analyst, Unit: "/"}, {Role: auth.Steward, Unit: "/"}}}
	err := s.Store.Write(s.ctx, func(ctx context.Context, tx store.Tx) error {
		account, err := s.Auth().AddAccount(ctx, tx, n)
		if err != nil {
			return err
		}
		return s.Auth().SetPassword(ctx, tx, account.ID, browserPassword)
	})
	if err == nil {
		session, err = s.Auth().SignIn(s.ctx, auth.Credentials{Email: browserEmail, Password: browserPassword}, auth.Client{Agent: "test", Address: "127.0.0.1"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// bringIn uploads a file, accepts what is suggested for its columns, and waits
// until it is in. It gives the address of the import.
func bringIn(p *browser.Page, file, kind string) string {
	p.Goto("/ingest/imports/new")
	p.Click(fmt.Sprintf(`input[name=kind][value=%s]`, kind))
	p.Attach(`input[name=file]`, file)
	p.Click(`main button[type=submit]`)
	p.Shot("draft-" + kind)
	p.WaitFor("main input[name=mode]")
	p.Press("Control+Enter")
	p.WaitText("events are in")
	return p.Path()
}

// writeXES writes loan applications that never happened: most are accepted, some
// refused, some go round by a check.
func writeXES(t *testing.T, dir string) string {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><log xes.version="1.0"><string key="concept:name" value="loan"/>` + "\n")
	at := time.Date(2026, 9, 1, 2, 0, 0, 0, time.UTC)
	for c := range 120 {
		steps := []string{"application_submitted", "documents_checked", "offer_sent", "offer_accepted", "money_paid_out"}
		switch r.IntN(4) {
		case 0:
			steps = []string{"application_submitted", "documents_checked", "application_declined"}
		case 1:
			steps = []string{"application_submitted", "documents_checked", "documents_missing", "documents_checked", "offer_sent", "offer_accepted", "money_paid_out"}
		}
		fmt.Fprintf(&b, `<trace><string key="concept:name" value="loan-%d"/>`, c)
		when := at.Add(time.Duration(c) * 7 * time.Hour)
		for _, step := range steps {
			when = when.Add(time.Duration(1+r.IntN(3000)) * time.Minute)
			fmt.Fprintf(&b, `<event><string key="concept:name" value="%s"/><date key="time:timestamp" value="%s"/></event>`, step, when.Format(time.RFC3339))
		}
		b.WriteString("</trace>\n")
	}
	b.WriteString("</log>\n")
	return write(t, filepath.Join(dir, "loans.xes"), b.String())
}

// writeAnswers writes answers to the relationship survey over the last year.
func writeAnswers(t *testing.T, dir string) string {
	t.Helper()
	r := rand.New(rand.NewPCG(8, 8))
	var b strings.Builder
	b.WriteString("time,customer_id,instrument,item,score,comment,channel,unit\n")
	now := time.Now().UTC()
	for n := range 1500 {
		at := now.Add(-time.Duration(1500-n) * 350 * time.Minute)
		comment := ""
		if n%7 == 0 {
			comment = "Chờ lâu quá nhưng nhân viên nhiệt tình"
		}
		fmt.Fprintf(&b, "%s,c%d,rel_nps,rn_score,%d,%s,%s,hn-%d\n", at.Format(time.RFC3339), n%400, 4+r.IntN(7), comment, []string{"branch", "mobile_app"}[n%2], n%5)
	}
	return write(t, filepath.Join(dir, "answers.csv"), b.String())
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
