package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/event"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
	"omote/internal/testkit/browser"
)

// signIn makes an account with roles over the whole bank and opens a page of it.
func signIn(t *testing.T, s *running, b *browser.Browser, email, name string, roles ...auth.Role) *browser.Page {
	t.Helper()
	n := auth.NewAccount{Email: email, Name: name, Locale: "en"}
	for _, r := range roles {
		n.Grants = append(n.Grants, auth.Grant{Role: r, Unit: "/"})
	}
	err := s.Store.Write(s.ctx, func(ctx context.Context, tx store.Tx) error {
		account, err := s.Auth().AddAccount(ctx, tx, n)
		if err != nil {
			return err
		}
		return s.Auth().SetPassword(ctx, tx, account.ID, browserPassword)
	})
	if err != nil {
		t.Fatal(err)
	}
	session, err := s.Auth().SignIn(s.ctx, auth.Credentials{Email: email, Password: browserPassword}, auth.Client{Agent: "test", Address: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	p := b.Open("http://"+s.address, browser.Desk)
	p.Goto("/sign-in")
	p.Cookie((&auth.Web{}).CookieName(), session)
	p.Cookie(i18n.CookieName, "en")
	return p
}

// tabTo skips the navigation and moves the focus by Tab until it stands on an element of the selector.
func tabTo(t *testing.T, p *browser.Page, selector string) {
	t.Helper()
	if browser.Eval[bool](p, "document.activeElement === document.body") {
		p.Press("Tab", "Enter") // the link that skips the navigation
	}
	for range 80 {
		if browser.Eval[bool](p, fmt.Sprintf("document.activeElement !== null && document.activeElement.matches(%q)", selector)) {
			return
		}
		p.Press("Tab")
	}
	p.Shot("failed")
	t.Fatalf("Tab never comes to %s on %s", selector, p.Path())
}

// typeText writes by keys alone.
func typeText(p *browser.Page, text string) {
	for _, r := range text {
		key := string(r)
		if r == ' ' {
			key = "Space"
		}
		p.Press(key)
	}
}

// saved waits until everything typed is on the server.
func saved(t *testing.T, p *browser.Page) {
	t.Helper()
	for range 100 {
		if browser.Eval[bool](p, `!Object.keys(sessionStorage).some((k) => k.startsWith("omote-map-queue:") && sessionStorage[k] !== "[]")`) {
			p.Settle()
			return
		}
		p.Settle()
		time.Sleep(50 * time.Millisecond)
	}
	p.Shot("failed")
	t.Fatal("the editor's queue is not empty")
}

// sendOnboarding plays runs through the journey: most as designed, some without
// the chip, some that end in a refusal.
func sendOnboarding(t *testing.T, s *running) {
	t.Helper()
	at := time.Now().Add(-60 * 24 * time.Hour)
	var batch []event.Event
	for c := range 60 {
		names := []string{"onboarding_started", "id_document_scanned", "id_chip_read", "face_match_passed", "consent_recorded", "terms_accepted", "account_opened", "first_login_done", "first_funding_received"}
		switch {
		case c%6 == 0:
			names = append(names[:2:2], names[3:]...)
		case c%10 == 1:
			names = append(names[:3:3], "onboarding_rejected")
		}
		for i, name := range names {
			when := at.Add(time.Duration(c)*time.Hour + time.Duration(i)*time.Minute)
			batch = append(batch, event.Event{Source: "core", System: "core", MessageID: fmt.Sprint(c, "-", i), Entity: s.Config.Entity, Kind: event.Track, Name: name, UserID: fmt.Sprint("c", c),
				At: when.UnixMicro(), ReceivedAt: when.UnixMicro(), Journey: "onboarding_ekyc", Case: fmt.Sprint("run-", c), Channel: "mobile_app", History: true})
		}
	}
	if _, err := s.Log.Append(s.ctx, batch); err != nil {
		t.Fatal(err)
	}
	if err := s.CaughtUp(s.ctx); err != nil {
		t.Fatal(err)
	}
}

// TestMapBrowserJourney builds the eKYC map from its template with the keyboard
// alone, publishes it by two people and sees the fitness; then two people edit at
// once, and nothing is lost.
func TestMapBrowserJourney(t *testing.T) {
	b := browser.Start(t)
	s := start(t, t.TempDir())
	sendOnboarding(t, s)
	maker := signIn(t, s, b, "lan.tran@example.com", "Trần Lan", auth.CXLead)
	checker := signIn(t, s, b, "minh.vu@example.com", "Vũ Minh", auth.Council)
	begun := time.Now()

	maker.Goto("/journey/templates")
	tabTo(t, maker, `[data-template=onboarding_ekyc]`)
	maker.Press("Enter")
	maker.WaitFor(".map")
	tabTo(t, maker, `.map [data-target][tabindex="0"]`)
	maker.Press("ArrowDown") // to the first step
	if got := maker.Text("[data-at]"); got != "Step, Account opening started" {
		t.Errorf("the cursor stands on %q", got)
	}
	// A step after it, with a name, a standard and an event; it may be left out.
	maker.Press("N")
	saved(t, maker)
	maker.Press("Enter")
	typeText(maker, "Ask for help")
	maker.Press("Enter")
	saved(t, maker)
	maker.Press("ArrowDown", "Enter")
	typeText(maker, "10 min")
	maker.Press("Enter")
	saved(t, maker)
	maker.Press("E")
	typeText(maker, "support_contacted")
	maker.Press("Enter", "Escape")
	saved(t, maker)
	maker.Press("O")
	saved(t, maker)
	maker.Press("Alt+ArrowRight") // and later than it was
	saved(t, maker)
	maker.Press(".", "0") // an empty cell has nothing
	saved(t, maker)
	maker.Press("Z") // which is taken back, and done again
	maker.Settle()
	maker.Press("Shift+Z")
	maker.Settle()
	maker.WaitText("≤ 10 min")
	maker.Shot("editor")
	maker.AssertSound()
	// The journey needs an owner before it can be published.
	maker.Press("D")
	maker.WaitFor("#owner")
	tabTo(t, maker, "#owner")
	typeText(maker, "Digital bank")
	maker.Press("Control+Enter")
	maker.WaitFor(".map")
	maker.Press("C")
	maker.WaitFor("#note")
	tabTo(t, maker, "#note")
	typeText(maker, "first map")
	maker.Press("Control+Enter")
	maker.WaitText("Somebody else must decide")
	if took := time.Since(begun); took > 3*time.Minute {
		t.Errorf("the map took %v", took)
	}

	checker.Goto("/journey/blueprints/onboarding_ekyc/diff?to=1")
	checker.WaitText("Put in force")
	checker.Shot("review")
	checker.AssertSound()
	tabTo(t, checker, "#reason")
	checker.Press("Control+Enter")
	checker.WaitText("Designed against observed")
	checker.WaitText("cases that are over")
	if v := checker.Text(".figure .big"); len(v) < 3 || v == "0.00" || v == "1.00" {
		t.Errorf("fitness %q", v)
	}
	checker.WaitText("Digital bank")
	checker.Shot("journey-home")
	checker.AssertSound()
	checker.Goto("/journey/atlas")
	checker.WaitText("In force, version 1")
	checker.AssertSound()

	t.Run("two at once", func(t *testing.T) { twoAtOnce(t, s, b, maker) })
}

// twoAtOnce has two people edit different cells, then the same one.
func twoAtOnce(t *testing.T, s *running, b *browser.Browser, ann *browser.Page) {
	bob := signIn(t, s, b, "an.ho@example.com", "Hồ An", auth.Analyst)
	const edit = "/journey/blueprints/onboarding_ekyc/edit"
	ann.Goto(edit)
	bob.Goto(edit)
	cell := func(layer string) string {
		return fmt.Sprintf(`.map [data-target="step/id_chip_read"][data-field="layers.%s"]`, layer)
	}
	write := func(p *browser.Page, layer, text string) {
		p.Click(cell(layer))
		p.Press("Enter")
		p.Press("Control+A")
		typeText(p, text)
	}
	// Both have their cell open before either saves.
	write(ann, "policy", "by ann")
	write(bob, "systems", "by bob")
	ann.Press("Enter")
	bob.Press("Enter")
	saved(t, ann)
	saved(t, bob)
	for _, p := range []*browser.Page{ann, bob} {
		p.WaitText("by ann")
		p.WaitText("by bob")
	}
	ann.WaitText("Hồ An") // who else is here
	write(ann, "people", "two of ann")
	write(bob, "people", "three of bob")
	ann.Press("Enter")
	saved(t, ann)
	bob.Press("Enter")
	saved(t, bob)
	bob.WaitText("Two people changed the same place")
	for _, p := range []*browser.Page{ann, bob} { // both values are there
		p.WaitText("two of ann")
		p.WaitText("three of bob")
	}
	bob.Shot("conflict")
	bob.AssertNoProblemsBut()
	bob.ClickText("Take that of Hồ An")
	bob.WaitFor(".map")
	if got := bob.Text(cell("people")); !strings.HasPrefix(got, "three of bob") { // who is there may stand in the cell too
		t.Errorf("after the choice the cell says %q", got)
	}
	ann.WaitText("three of bob")
}
