package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"omote/internal/app"
	"omote/internal/governance"
	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/role"
	"omote/internal/governance/strategy"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/config"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

const password = "bốn mùa hoa nở trên đồi"

// site is the whole program with people who are signed in.
type site struct {
	t       *testing.T
	app     *app.App
	g       *governance.Governance
	sign    *approval.Service
	cookies map[string]*http.Cookie
	actors  map[string]context.Context
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "og") // short: the socket's path is bounded
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := config.Default()
	c.Data, c.Keys, c.Addr, c.Locale = filepath.Join(dir, "d"), filepath.Join(dir, "keys.json"), "127.0.0.1:0", "en"
	a, err := app.Open(t.Context(), app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s := &site{t: t, app: a, cookies: map[string]*http.Cookie{}, actors: map[string]context.Context{}}
	s.g, s.sign, err = a.GovernanceAt(clock.System{})
	must(t, err)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person adds an account with the roles at the unit and signs it in.
func (s *site) person(name, unit string, roles ...auth.Role) {
	s.t.Helper()
	ctx := s.app.System(s.t.Context())
	n := auth.NewAccount{Email: name + "@example.com", Name: "Example " + name, Locale: "en"}
	for _, r := range roles {
		n.Grants = append(n.Grants, auth.Grant{Role: r, Unit: unit})
	}
	var id string
	must(s.t, s.app.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		account, err := s.app.Auth().AddAccount(ctx, tx, n)
		if err != nil {
			return err
		}
		id = account.ID
		return s.app.Auth().SetPassword(ctx, tx, account.ID, password)
	}))
	token, err := s.app.Auth().SignIn(ctx, auth.Credentials{Email: n.Email, Password: password}, auth.Client{Agent: "test", Address: "127.0.0.1"})
	must(s.t, err)
	s.cookies[name] = &http.Cookie{Name: (&auth.Web{}).CookieName(), Value: token}
	s.actors[name] = auth.WithActor(s.t.Context(), auth.Actor{Kind: auth.Person, ID: id, Entity: scope.DefaultEntity, Grants: n.Grants})
}

func (s *site) ref(name string) string {
	a, _ := auth.From(s.actors[name])
	return a.Ref()
}

// ask sends a request as a person; with values it is a form.
func (s *site) ask(name, path string, form url.Values) (status int, body, location string) {
	s.t.Helper()
	method, content := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, content = http.MethodPost, strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, path, content)
	r.Header.Set("Accept-Language", "en")
	r.AddCookie(s.cookies[name])
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	s.app.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header().Get("Location")
}

// refuses checks that a request is refused with the status and says why.
func (s *site) refuses(what, name, path string, form url.Values, status int, says string) {
	s.t.Helper()
	got, body, _ := s.ask(name, path, form)
	if got != status || !strings.Contains(body, says) {
		s.t.Errorf("%s: status %d, want %d with %q", what, got, status, says)
		if testing.Verbose() {
			s.t.Log(body)
		}
	}
}

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// What must never happen is refused at the door, with the reason, and the pages
// show what is missing.
func TestRefusedWithReasons(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.person("lead", "/", auth.CXLead)
	s.person("second", "/", auth.CXLead)
	s.person("north", "/north/", auth.Champion)
	s.person("south", "/south/", auth.Champion)
	lead := s.actors["lead"]

	// Two who answer for one step.
	list, err := s.g.Journeys.List(lead)
	must(t, err)
	j := list[0]
	form := values("cell."+j.Steps[0].ID+".journey_owner", "A", "cell."+j.Steps[0].ID+".it_owner", "A")
	s.refuses("two accountables", "lead", "/governance/raci/"+j.ID, form, http.StatusUnprocessableEntity, "Two roles answer for the step")
	s.refuses("an unfinished matrix", "lead", "/governance/raci/"+j.ID+"/proposal", values("x", "1"), http.StatusUnprocessableEntity, "Nobody has filled this matrix in")

	// A gate without evidence, and without those who must take part.
	_, _, to := s.ask("north", "/governance/initiatives", values("title.vi", "Hàng thứ hai", "title.en", "A second queue", "why", "People wait", "owner", "unit_head", "source", "idea",
		"days", "20", "units", "1", "budget", "50.000.000", "unit", "/north/"))
	if !strings.HasPrefix(to, "/governance/initiatives/") {
		t.Fatalf("the initiative was not opened: %q", to)
	}
	s.refuses("a gate without people", "north", to+"/gate", values("x", "1"), http.StatusUnprocessableEntity, "Roles that must take part")
	for _, r := range []string{"unit_head", "it_owner"} {
		if status, _, _ := s.ask("north", to+"/join", values("role", r)); status != http.StatusSeeOther {
			t.Errorf("join %s: %d", r, status)
		}
	}
	s.refuses("a gate without evidence", "north", to+"/gate", values("x", "1"), http.StatusUnprocessableEntity, "evidence is missing")

	// A head of another unit.
	s.refuses("another unit looks", "south", to, nil, http.StatusNotFound, "outside of your units")
	s.refuses("another unit acts", "south", to+"/stop", values("reason", "mine"), http.StatusNotFound, "outside of your units")
	if _, body, _ := s.ask("south", "/governance/initiatives", nil); strings.Contains(body, "A second queue") {
		t.Error("another unit finds it in the list")
	}

	// A maker as own checker.
	full := role.Cells{}
	for _, step := range j.Steps {
		full[step.ID] = map[string]role.Duty{"journey_owner": role.Accountable, "digital_squad": role.Responsible}
	}
	must(t, s.g.Roles.SaveDuties(lead, j.ID, 0, full))
	status, _, to := s.ask("lead", "/governance/raci/"+j.ID+"/proposal", values("x", "1"))
	if status != http.StatusSeeOther || !strings.HasPrefix(to, "/governance/approvals/") {
		t.Fatalf("the matrix was not proposed: %d %q", status, to)
	}
	s.refuses("the maker decides", "lead", to+"/decision", values("verdict", "approve"), http.StatusForbidden, "You proposed this yourself")
	s.refuses("a refusal without a reason", "second", to+"/decision", values("verdict", "refuse"), http.StatusUnprocessableEntity, "Say why you refuse")
	if _, body, _ := s.ask("second", "/governance/approvals", nil); !strings.Contains(body, "RACI matrix") {
		t.Error("the checker does not find it")
	}
	if status, _, _ := s.ask("second", to+"/decision", values("verdict", "approve")); status != http.StatusSeeOther {
		t.Errorf("the second person could not approve: %d", status)
	}
	if _, body, _ := s.ask("lead", "/governance/raci/"+j.ID, nil); !strings.Contains(body, "version 1 is in force") {
		t.Error("the matrix is not in force")
	}
}

// A decision without a forecast, against the evidence, or without quorum.
func TestCouncilRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.person("lead", "/", auth.CXLead)
	s.person("chair", "/", auth.Council)
	lead := s.actors["lead"]
	people := []string{s.ref("chair")}
	_, err := s.g.Roles.Assign(lead, "/", role.Assignment{Role: "ceo", Holder: s.ref("chair")})
	must(t, err)
	for i, r := range []string{"finance_partner", "risk_validator", "it_owner", "hr_partner"} {
		name := "member" + string(rune('a'+i))
		s.person(name, "/", auth.Council)
		people = append(people, s.ref(name))
		_, err := s.g.Roles.Assign(lead, "/", role.Assignment{Role: r, Holder: s.ref(name)})
		must(t, err)
	}
	status, body, to := s.ask("lead", "/governance/decisions", values("type", "dt_prioritise", "title.vi", "Chọn", "title.en", "Choose", "question", "Which first?", "owner", "journey_owner", "grade", "3",
		"a0.vi", "Một", "a0.en", "One", "a0.low", "20000000", "a0.mid", "30000000", "a0.high", "40000000", "a0.grade", "3",
		"a1.vi", "Hai", "a1.en", "Two", "a1.low", "-20000000", "a1.mid", "30000000", "a1.high", "90000000", "a1.grade", "2"))
	if status != http.StatusSeeOther {
		t.Fatalf("the paper was not accepted: %d %s", status, body)
	}
	m, err := s.g.Council.Plan(lead, time.Now(), "ordinary")
	must(t, err)
	meeting := "/governance/council/" + m.ID
	s.refuses("a meeting without quorum", "lead", meeting+"/open", values("x", "1"), http.StatusUnprocessableEntity, "members with a vote are present")
	must(t, s.g.Council.Attend(lead, m.ID, people))
	if status, _, _ := s.ask("lead", meeting+"/open", values("x", "1")); status != http.StatusSeeOther {
		t.Fatalf("the meeting did not open: %d", status)
	}
	ballot := values("meeting", m.ID, "chosen", "0", "for", "5")
	s.refuses("a decision without a forecast", "lead", to+"/proposal", ballot, http.StatusUnprocessableEntity, "needs a forecast")
	if status, _, _ := s.ask("lead", to+"/forecast", values("metric", "nps_relationship", "forecast.low", "20", "forecast.mid", "22", "forecast.high", "25", "level", "80", "days", "28")); status != http.StatusSeeOther {
		t.Fatalf("the forecast was not kept: %d", status)
	}
	against := values("meeting", m.ID, "chosen", "1", "for", "5")
	s.refuses("against the evidence without a reason", "lead", to+"/proposal", against, http.StatusUnprocessableEntity, "against the rank of the evidence")
	status, _, at := s.ask("lead", to+"/proposal", ballot)
	if status != http.StatusSeeOther {
		t.Fatalf("the decision was not proposed: %d", status)
	}
	s.refuses("the lead decides for the council", "lead", at+"/decision", values("verdict", "approve"), http.StatusForbidden, "")
	if status, _, _ := s.ask("chair", at+"/decision", values("verdict", "approve")); status != http.StatusSeeOther {
		t.Errorf("the chair could not approve: %d", status)
	}
	all, err := s.g.Council.Decisions(lead)
	must(t, err)
	if len(all) != 1 || all[0].State != council.Decided {
		t.Errorf("%+v", all)
	}
}

// Every page answers for whoever may see it, empty and with something in it.
func TestPagesAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.person("lead", "/", auth.CXLead)
	s.person("auditor", "/", auth.Auditor)
	s.person("agent", "/", auth.Agent)
	lead := s.actors["lead"]
	lists := []string{"strategy", "roles", "initiatives", "council", "ledger", "approvals"}
	for _, l := range lists {
		if status, body, _ := s.ask("lead", "/governance/"+l, nil); status != http.StatusOK || !strings.Contains(body, "<h1") {
			t.Errorf("%s, empty: %d", l, status)
		}
	}
	p, err := s.g.Strategy.Add(lead, "", strategy.Node{Kind: strategy.Promise, Title: approval.Text{VI: "Hứa", EN: "We respect your time"}, Owner: "cxc"})
	must(t, err)
	a, err := s.g.Strategy.Add(lead, p.ID, strategy.Node{Kind: strategy.Aim, Title: approval.Text{VI: "Nhanh", EN: "Fast"}, Owner: "cxc"})
	must(t, err)
	i, err := s.g.Initiatives.Open(lead, "/", a.ID, initiative.Initiative{Title: approval.Text{VI: "Việc", EN: "Mend the form"}, Why: "slow", Owner: "journey_owner", Days: 90, Units: 3,
		Currency: "VND", Source: initiative.Source{Kind: "idea"}})
	must(t, err)
	pages := map[string]string{"/governance/strategy": "We respect your time", "/governance/strategy/" + a.ID: "Fast", "/governance/strategy/new?parent=" + a.ID: "Measure",
		"/governance/initiatives/" + i.ID: "Mend the form", "/governance/initiatives/new": "Open the initiative", "/governance/letters/new": "Lend authority",
		"/governance/decisions/new": "Prepare a paper", "/governance/ledger/new": "Measure and enter"}
	for path, has := range pages {
		if status, body, _ := s.ask("lead", path, nil); status != http.StatusOK || !strings.Contains(body, has) {
			t.Errorf("%s: %d without %q", path, status, has)
		}
	}
	if status, _, _ := s.ask("auditor", "/governance/initiatives/"+i.ID, nil); status != http.StatusOK {
		t.Errorf("the auditor reads: %d", status)
	}
	if status, _, _ := s.ask("auditor", "/governance/initiatives/"+i.ID+"/stop", values("reason", "x")); status != http.StatusForbidden {
		t.Errorf("the auditor stops it: %d", status)
	}
	if status, _, _ := s.ask("agent", "/governance/ledger", nil); status != http.StatusForbidden {
		t.Errorf("an agent reads the ledger: %d", status)
	}
}
