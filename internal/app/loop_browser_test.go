package app_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"omote/internal/app"
	"omote/internal/feedback/survey"
	"omote/internal/platform/auth"
	"omote/internal/platform/event"
	"omote/internal/platform/store"
	"omote/internal/testkit/browser"
	"omote/internal/testkit/mailbox"
)

// since is a clock that runs from a moment on, so that quiet hours and holidays are
// the same whenever the test runs.
type since struct{ from, begun time.Time }

func (c since) Now() time.Time {
	return c.from.Add(time.Since(c.begun)).UTC().Truncate(time.Microsecond)
}

// startAsking serves an installation whose letters go to box and whose links lead to
// itself. It is a Tuesday at ten in Hà Nội.
func startAsking(t *testing.T, box *mailbox.Box) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	c := crashConfig(t.TempDir())
	c.Addr, c.BaseURL = address, "http://"+address
	c.Mail, c.MailFrom = box.Address(), "Ngân hàng Ví Dụ <no-reply@bank.example>"
	ctx, cancel := context.WithCancel(context.Background())
	clock := since{time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC), time.Now()}
	a, err := app.Open(ctx, app.Options{Config: c, Clock: clock, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, true) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error("serve:", err)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Error("close:", err)
		}
	})
	if a.WaitAddress(ctx) == "" {
		t.Fatal("it does not serve")
	}
	return &running{App: a, ctx: a.System(ctx), address: address}
}

// askAfterBranch publishes the questionnaire about a transaction so that everybody is
// asked at once, as one person who saves it and another who decides.
func askAfterBranch(t *testing.T, s *running, checker *browser.Page) {
	t.Helper()
	all, err := s.Surveys().Versions(s.ctx, "tx_csat")
	if err != nil {
		t.Fatal(err)
	}
	d := *all[0].Document
	d.Asking.Sample, d.Asking.Delay, d.Asking.Channels = 1, 0, []string{"email"}
	if _, err := s.Surveys().Save(s.ctx, &d, all[0].Version, "ask everybody"); err != nil {
		t.Fatal(err)
	}
	request, err := s.Surveys().Publish(s.ctx, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	checker.Goto("/governance/approvals/" + request)
	checker.Shot("loop-publish")
	checker.Click(`button[value=approve]`)
	checker.AssertSound()
}

// visits lets invented customers finish an errand at the branch.
func visits(t *testing.T, s *running, people map[string]string) {
	t.Helper()
	now := s.Clock.Now()
	var batch []event.Event
	for id, email := range people { // nothing that makes two of them one customer
		traits, err := json.Marshal(map[string]string{"name": "Mẫu " + id, "phone": "090300432" + id[1:], "email": email, "locale": "en", "language": "en"})
		if err != nil {
			t.Fatal(err)
		}
		batch = append(batch,
			event.Event{Source: "core", System: "core", MessageID: "i" + id, Entity: s.Config.Entity, Kind: event.Identify, UserID: id, At: now.UnixMicro() - 2, ReceivedAt: now.UnixMicro(), Traits: traits},
			event.Event{Source: "core", System: "core", MessageID: "v" + id, Entity: s.Config.Entity, Kind: event.Track, Name: "branch_service_completed", UserID: id, At: now.UnixMicro() - 1,
				ReceivedAt: now.UnixMicro(), Journey: "branch_visit", Case: "run-" + id, Channel: "branch", Product: "current_account"})
	}
	if _, err := s.Log.Append(s.ctx, batch); err != nil {
		t.Fatal(err)
	}
	if err := s.CaughtUp(s.ctx); err != nil {
		t.Fatal(err)
	}
}

// TestLoopBrowserJourney follows one bad errand until the customer says that it is
// solved: asked by e-mail, answered by a tap and a comment, called back by a champion
// on a phone who finds the cause and makes a gesture, asked again. Then another one,
// where the customer says that it is not.
func TestLoopBrowserJourney(t *testing.T) {
	b := browser.Start(t)
	box := mailbox.Start(t)
	s := startAsking(t, box)
	champion := signIn(t, s, b, "an.ho@example.com", "Hồ An", auth.Champion)
	askAfterBranch(t, s, signIn(t, s, b, "minh.vu@example.com", "Vũ Minh", auth.Council))
	people := map[string]string{"C1": "mau.mot@example.com", "C2": "mau.hai@example.com"}
	visits(t, s, people)

	solved := answerBadly(t, s, b, box, "mau.mot@example.com", "Waited two hours, nobody told me why.")
	if solved != 1 {
		t.Fatalf("%d cases, want 1", solved)
	}
	callBack(t, champion, "Waited two hours")
	letter := box.Wait(t, "mau.mot@example.com", "/feedback/solved/")
	customer := b.Open("http://"+s.address, browser.Phone)
	customer.Goto(path(t, s, letter.Link("/feedback/solved/")))
	customer.WaitText("solved")
	customer.AssertSound()
	customer.Shot("loop-follow-up")
	customer.Click(`button[value=yes]`)
	customer.AssertSound()
	customer.Shot("loop-verified")

	answerBadly(t, s, b, box, "mau.hai@example.com", "The teller was rude to my mother.")
	callBack(t, champion, "The teller was rude")
	letter = box.Wait(t, "mau.hai@example.com", "/feedback/solved/")
	customer.Goto(path(t, s, letter.Link("/feedback/solved/")))
	customer.Click(`button[value=no]`)
	customer.Type(`textarea[name=words]`, "Nobody called her.")
	customer.ClickText("Send")
	customer.Shot("loop-not-solved")
	champion.Goto("/feedback/today")
	champion.WaitText("The teller was rude")
	champion.Shot("loop-reopened")
	champion.ClickText("Call now")
	champion.WaitText("Nobody called her.")
	champion.WaitText("Call again where the customer says no")
	champion.AssertSound()
	champion.Shot("loop-reopened-call")
	states := map[string]int{}
	err := s.Store.Read(s.ctx, func(ctx context.Context, tx store.Tx) error {
		var rows []struct {
			State    string
			Reopened int
		}
		if err := tx.NewRaw("SELECT state, reopened FROM cases_case").Scan(ctx, &rows); err != nil {
			return err
		}
		for _, r := range rows {
			states[r.State] += 1 + 10*r.Reopened
		}
		return nil
	})
	if err != nil || states["solved"] != 1 || states["working"] != 11 || len(states) != 2 {
		t.Errorf("cases end as %v, %v; want one solved and one that was reopened", states, err)
	}
}

func path(t *testing.T, s *running, address string) string {
	t.Helper()
	p, ok := strings.CutPrefix(address, "http://"+s.address)
	if !ok {
		t.Fatalf("the link %q leads elsewhere", address)
	}
	return p
}

// answerBadly opens the letter's tap, confirms it, and goes on to the end, in a browser
// without scripts. It gives the number of cases there are then.
func answerBadly(t *testing.T, s *running, b *browser.Browser, box *mailbox.Box, to, words string) int {
	t.Helper()
	letter := box.Wait(t, to, "How happy are you with your visit to the branch today?")
	phone := browser.Phone
	phone.NoScript = true
	p := b.Open("http://"+s.address, phone)
	p.Goto(path(t, s, letter.Link("tc_score=1")))
	p.Shot("loop-tap")
	if n := responses(t, s, survey.Asked); n == 0 {
		t.Error("opening the link was taken for an answer")
	}
	p.Click(`button[aria-pressed=true]`)
	p.Shot("loop-reason")
	p.Click(`input[value=r_wait]`)
	p.Click(`button[type=submit]:not([name])`)
	p.Click(`button[value=no]`)
	p.Type(`textarea`, words)
	p.Shot("loop-comment")
	p.Click(`button[type=submit]:not([name])`)
	p.Shot("loop-thanks")
	var n int
	err := s.Store.Read(s.ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewRaw("SELECT COUNT(*) FROM cases_case").Scan(ctx, &n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func responses(t *testing.T, s *running, state survey.AskState) (n int) {
	t.Helper()
	err := s.Store.Read(s.ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewRaw("SELECT COUNT(*) FROM survey_invitation WHERE state = ?", state).Scan(ctx, &n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// callBack is the champion's two minutes: the customer's words, the call, the cause,
// what was done and a gesture, on a phone.
func callBack(t *testing.T, p *browser.Page, words string) {
	t.Helper()
	p.Resize(browser.Phone)
	p.Goto("/feedback/today")
	p.WaitText(words)
	p.AssertSound()
	p.Shot("loop-today")
	p.ClickText("Call now")
	p.WaitText(words)
	p.AssertSound()
	p.Shot("loop-call")
	p.Type(`textarea[name=words]`, "Said sorry and explained the queue.")
	browser.Eval[bool](p, `(() => { const s = document.querySelector("select[name=cause]"); s.value = [...s.options].find((o) => o.value).value; return true; })()`)
	p.Click(`input[name=actions]`)
	p.Click(`details.case-act > summary`)
	p.Type(`input[name=amount]`, "50000")
	p.Type(`input[name=reason]`, "For the two hours lost")
	p.Shot("loop-filled")
	p.Click(`button[value=done]`)
	p.WaitText("Nothing needs you now")
	p.Shot("loop-done")
}
