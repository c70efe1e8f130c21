package app_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/bank"
	"omote/internal/app"
	"omote/internal/demo"
	"omote/internal/governance"
	"omote/internal/governance/strategy"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
	"omote/internal/program"
	"omote/internal/testkit/browser"
)

// leap is a clock that runs, and that can be set forward: months pass in a minute.
type leap struct {
	mu    sync.Mutex
	at    time.Time
	begun time.Time
}

func (l *leap) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at.Add(time.Since(l.begun)).UTC().Truncate(time.Microsecond)
}

func (l *leap) set(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at, l.begun = t, time.Now()
}

// stage is the simulated bank with its people, each in a browser of their own, and a
// clock that the test moves. What happens to customers is what the bank's plan says;
// the product learns of it only through events, up to the present hour.
type stage struct {
	*running
	t         *testing.T
	b         *browser.Browser
	clock     *leap
	bank      *bank.Bank
	stream    *bank.Stream
	customers int
	seed      uint64
	events    int
	pages     map[string]*browser.Page
	signedIn  map[string]time.Time
	gov       *governance.Governance
	approvals *approval.Service
	program   *program.Program
}

const stageMonths = 15

// newStage serves an empty installation in the first days of a simulated bank in which
// effects are planted.
func newStage(t *testing.T, b *browser.Browser, seed uint64, customers int, begin time.Time, effects ...bank.Effect) *stage {
	t.Helper()
	s := &stage{t: t, b: b, clock: &leap{at: begin, begun: time.Now()}, customers: customers, seed: seed, pages: map[string]*browser.Page{}, signedIn: map[string]time.Time{}}
	ctx, cancel := context.WithCancel(context.Background())
	dir, err := os.MkdirTemp("", "os") // short: the socket's path is bounded
	s.must(err)
	c := crashConfig(dir)
	c.Locale, c.Bank = "en", "Ngân hàng Bến Lành"
	draws := seed
	a, err := app.Open(ctx, app.Options{Config: c, Clock: s.clock, Logger: slog.New(slog.DiscardHandler), Draw: func() uint64 { draws++; return draws * 0x9e3779b97f4a7c15 }})
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
		os.RemoveAll(dir)
	})
	s.running = &running{App: a, ctx: a.System(ctx)}
	if s.address = a.WaitAddress(ctx); s.address == "" {
		t.Fatal("it does not serve")
	}
	s.holdNights()
	s.must(demo.Prepare(s.ctx, a))
	s.gov, s.approvals, err = a.GovernanceAt(s.clock)
	s.must(err)
	s.program, _, err = a.ProgramAt(s.clock, nil)
	s.must(err)
	s.plan(begin, effects...)
	return s
}

// holdNights puts the nightly work off: the test does what it needs of it, and a leap
// over months would have all of it begin at once.
func (s *stage) holdNights() {
	s.t.Helper()
	for before := -1; ; {
		var n int
		s.must(s.Store.Read(s.ctx, func(ctx context.Context, tx store.Tx) error {
			return tx.NewRaw("SELECT COUNT(*) FROM jobs_periodic").Scan(ctx, &n)
		}))
		if n > 0 && n == before {
			break
		}
		before = n
		s.must(clock.Sleep(s.ctx, 300*time.Millisecond))
	}
	s.must(s.Store.Write(s.ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewRaw("UPDATE jobs_periodic SET due = ?", store.Micros(s.clock.Now().AddDate(5, 0, 0).UnixMicro())).Exec(ctx)
		return err
	}))
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// plan makes the bank anew with other effects; what it brings begins at from.
func (s *stage) plan(from time.Time, effects ...bank.Effect) {
	s.t.Helper()
	end := s.begin().AddDate(0, stageMonths, 0)
	b, err := bank.New(bank.Config{Seed: s.seed, Customers: s.customers, Months: stageMonths, End: end, Plan: &bank.Plan{Effects: effects}})
	s.must(err)
	s.bank, s.stream = b, b.Stream()
	s.stream.Skip(from.UnixMicro())
}

// begin is the midnight with which the bank's history begins.
func (s *stage) begin() time.Time {
	if s.bank != nil {
		return s.bank.Config().Start
	}
	t := s.clock.Now().In(bank.Zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, bank.Zone)
}

// day is nine in the morning of a day of the history.
func (s *stage) day(n int) time.Time { return s.begin().AddDate(0, 0, n).Add(9 * time.Hour) }

// felt are the events that this loop is about: visits and what customers say of them.
func felt(e *bank.Event) bool {
	return strings.HasPrefix(e.Name, "branch_") || strings.HasPrefix(e.Name, "survey_")
}

// until lets the bank live up to an instant, at which it then is.
func (s *stage) until(at time.Time) {
	s.t.Helper()
	begun := time.Now()
	s.clock.set(at) // what lies ahead of the clock is refused
	n, err := demo.Feed(s.ctx, s.App, func(yield func(*bank.Event) bool) {
		for e := range s.stream.Until(at.UnixMicro()) {
			if felt(e) && !yield(e) {
				return
			}
		}
	})
	s.must(err)
	s.events += n
	s.clock.set(at)
	s.t.Logf("day %d: %d events in %.1f s", int(at.Sub(s.begin()).Hours()/24), n, time.Since(begun).Seconds())
}

// email is the address of an account of the bank.
func email(name string) string { return name + "@demo.example" }

// hire adds somebody to the bank's people.
func (s *stage) hire(name, called string, role auth.Role, unit string) {
	s.t.Helper()
	s.must(s.Store.Write(s.ctx, func(ctx context.Context, tx store.Tx) error {
		a, err := s.Auth().AddAccount(ctx, tx, auth.NewAccount{Email: email(name), Name: called, Locale: "vi", Grants: []auth.Grant{{Role: role, Unit: unit}}})
		if err != nil {
			return err
		}
		return s.Auth().SetPassword(ctx, tx, a.ID, demo.Password)
	}))
}

// actor is the context in which an account acts without a browser.
func (s *stage) actor(name string) (ctx context.Context, ref string) {
	s.t.Helper()
	s.must(s.Store.Read(s.ctx, func(_ context.Context, tx store.Tx) error {
		all, err := s.Auth().Accounts(s.ctx, tx)
		for _, one := range all {
			if one.Email == email(name) {
				a := auth.Actor{Kind: auth.Person, ID: one.ID, Entity: s.Config.Entity, Grants: one.Grants}
				ctx, ref = auth.WithActor(s.ctx, a), a.Ref()
			}
		}
		return err
	}))
	if ctx == nil {
		s.t.Fatalf("nobody is called %s", name)
	}
	return ctx, ref
}

// as is the browser of a person, signed in today.
func (s *stage) as(name string) *browser.Page {
	s.t.Helper()
	p := s.pages[name]
	now := s.clock.Now()
	if p != nil && now.Sub(s.signedIn[name]) < 2*time.Hour {
		return p
	}
	if p == nil {
		p = s.b.Open("http://"+s.address, browser.Desk)
		s.pages[name] = p
		p.Goto("/sign-in")
		p.Cookie(i18n.CookieName, "en")
	}
	token, err := s.Auth().SignIn(s.ctx, auth.Credentials{Email: email(name), Password: demo.Password}, auth.Client{Agent: "test", Address: "127.0.0.1"})
	s.must(err)
	p.Cookie((&auth.Web{}).CookieName(), token)
	s.signedIn[name] = now
	return p
}

// status asks for a page, or posts a form, as a person would with any client.
func (s *stage) status(name, path string, form url.Values) (status int, body string) {
	s.t.Helper()
	token, err := s.Auth().SignIn(s.ctx, auth.Credentials{Email: email(name), Password: demo.Password}, auth.Client{Agent: "test", Address: "127.0.0.1"})
	s.must(err)
	method, content := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, content = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(s.ctx, method, "http://"+s.address+path, content)
	s.must(err)
	r.AddCookie(&http.Cookie{Name: (&auth.Web{}).CookieName(), Value: token})
	r.AddCookie(&http.Cookie{Name: i18n.CookieName, Value: "en"})
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	s.must(err)
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	s.must(err)
	return resp.StatusCode, string(all)
}

// refused asks for what must not be had.
func (s *stage) refused(what, name, path string, form url.Values, want int, says string) {
	s.t.Helper()
	status, body := s.status(name, path, form)
	if status != want || !strings.Contains(body, says) {
		s.t.Errorf("%s: status %d, want %d with %q", what, status, want, says)
	}
}

// guide saves what a window shows as a picture of the guide, where OMOTE_GUIDE names
// its folder.
func (s *stage) guide(p *browser.Page, name string) {
	s.t.Helper()
	p.Shot("steer-" + name)
	if dir := os.Getenv("OMOTE_GUIDE"); dir != "" {
		p.Picture(filepath.Join(dir, name+".png"))
	}
}

// approve has a person decide what waits for them about a thing, in their browser.
func (s *stage) approve(name, title string) {
	s.t.Helper()
	p := s.as(name)
	p.Goto("/governance/approvals")
	p.WaitText(title)
	p.ClickText("Look at it")
	p.WaitText(title)
	p.Send("/decision", "verdict", "approve")
	s.sound(p)
}

// sound asserts that a window shows a sound page; refusals are answers too.
func (s *stage) sound(p *browser.Page) {
	s.t.Helper()
	p.AssertNoProblemsBut("422", "403", "404", "409")
	for _, f := range p.Contrast() {
		s.t.Errorf("%s: %s", p.Path(), f)
	}
	if n := p.Overflow(); n > 0 {
		s.t.Errorf("%s runs %d px out of its window", p.Path(), n)
	}
}

// id is the last part of the path at which a window stands.
func id(p *browser.Page) string {
	path, _, _ := strings.Cut(p.Path(), "?")
	return path[strings.LastIndex(path, "/")+1:]
}

// node adds a node to the strategy and gives its id.
func (s *stage) node(p *browser.Page, parent string, fields ...string) string {
	s.t.Helper()
	p.Goto("/governance/strategy/new?parent=" + parent)
	p.Send("/governance/strategy", fields...)
	ctx, _ := s.actor("cxlead")
	tree, err := s.gov.Strategy.Tree(ctx)
	s.must(err)
	var walk func(all []*strategy.Branch) string
	walk = func(all []*strategy.Branch) string {
		for _, b := range all {
			if b.Body.Title.EN == fields[3] {
				return b.ID
			}
			if id := walk(b.Below); id != "" {
				return id
			}
		}
		return ""
	}
	id := walk(tree.Roots)
	if id == "" {
		s.t.Fatalf("%s is not in the tree: %s", fields[3], p.Text("main"))
	}
	return id
}
