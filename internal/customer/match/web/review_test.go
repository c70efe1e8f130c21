package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"omote/bank"
	"omote/internal/customer"
	"omote/internal/customer/identity"
	"omote/internal/customer/match"
	"omote/internal/customer/match/web"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/jobs"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
	"omote/internal/ui"
)

// site serves the review of a small bank.
type site struct {
	t       *testing.T
	router  *httpx.Router
	bundle  *i18n.Bundle
	service *match.Service
	started int
	system  context.Context
}

func newSite(t *testing.T) *site {
	t.Helper()
	db := testkit.SQLite(t, customer.Migrations, sealed.Migrations, audit.Migrations)
	ctx := scope.With(t.Context(), scope.Process(scope.DefaultEntity, "test"))
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	names, err := pseudonym.New(ctx, db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, system: ctx}
	s.service = match.NewService(db, box, func(context.Context, store.Tx, string, any, jobs.Submission) (string, error) {
		s.started++
		return "job", nil
	})
	b, err := bank.New(bank.Config{Customers: 120, Months: 1, Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	var all []eventlog.Record
	say := func(system, id string, traits map[string]string) {
		raw, _ := json.Marshal(traits)
		all = append(all, eventlog.Record{Event: event.Event{Kind: event.Identify, Entity: scope.DefaultEntity, Source: "app", System: system, UserID: id, Traits: raw, ReceivedAt: int64(len(all) + 1)}})
	}
	for _, r := range b.Records() {
		say(r.System, r.ID, map[string]string{"name": r.Name, "birth_date": r.Birth, "gender": r.Gender, "phone": r.Phone, "email": r.Email, "citizen_id": r.CitizenID, "address": r.Address})
	}
	say("core", "u1", map[string]string{"name": "Trần Quỳnh <Nhi>", "birth_date": "1984-03-02", "phone": "0951000010", "gender": "F"})
	say("call", "u2", map[string]string{"name": "Chị Trần <Nhi>", "phone": "0951000010"})
	handler := identity.NewHandler(names, box)
	for part := range slices.Chunk(all, 100) {
		if err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return handler.Handle(ctx, tx, part) }); err != nil {
			t.Fatal(err)
		}
	}
	if s.bundle, err = i18n.New(ui.Locales(), customer.Locales(), match.Locales()); err != nil {
		t.Fatal(err)
	}
	s.router = httpx.NewRouter(func(w http.ResponseWriter, _ *http.Request, err error) { http.Error(w, err.Error(), httpx.Status(err)) })
	web.Pages{Match: s.service, Clock: db.Clock(), Zone: time.UTC}.Routes(s.router)
	return s
}

func (s *site) send(role auth.Role, lang, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	ctx := auth.WithActor(r.Context(), auth.Actor{Kind: auth.Person, ID: string(role), Entity: scope.DefaultEntity, Grants: []auth.Grant{{Role: role, Unit: scope.Root}}})
	w := httptest.NewRecorder()
	s.router.ServeHTTP(w, r.WithContext(i18n.With(ctx, s.bundle.Localizer(lang))))
	return w
}

func TestReviewFromTheFirstRunToAnAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	expect := func(w *httptest.ResponseRecorder, status int, texts ...string) {
		t.Helper()
		if w.Code != status {
			t.Fatalf("status %d, want %d: %.300s", w.Code, status, w.Body)
		}
		for _, text := range texts {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("%q does not stand on the page", text)
			}
		}
	}
	expect(s.send(auth.Steward, "en", "GET", web.Path, nil), 200, "Nothing was compared yet", "Compare all records")
	expect(s.send(auth.Auditor, "en", "POST", web.Path+"/runs", nil), 403)
	expect(s.send(auth.Agent, "en", "GET", web.Path, nil), 403)
	expect(s.send(auth.Steward, "en", "POST", web.Path+"/runs", nil), 303)
	if s.started != 1 {
		t.Fatalf("%d jobs started", s.started)
	}
	if _, err := s.service.Run(s.system, match.Limits{}, nil); err != nil {
		t.Fatal(err)
	}
	q, err := s.service.Queue(s.system)
	if err != nil {
		t.Fatal(err)
	}
	pair := ""
	for _, p := range q.Pairs {
		if strings.Contains(q.Names[p.RecordA]+q.Names[p.RecordB], "<Nhi>") {
			pair = p.ID
		}
	}
	if pair == "" {
		t.Fatalf("the pair does not wait among %d", q.Waiting)
	}
	at := web.Path + "?pair=" + pair
	w := s.send(auth.Steward, "vi", "GET", at, nil)
	expect(w, 200, "Rà soát định danh", "Cùng một người", "•••010", "Trần Quỳnh &lt;Nhi&gt;", `data-key="S"`)
	if strings.Contains(w.Body.String(), "0951000010") {
		t.Error("a number stands whole without a purpose")
	}
	expect(s.send(auth.Auditor, "en", "GET", at, nil), 200, "Is this one person?")
	if strings.Contains(s.send(auth.Auditor, "en", "GET", at, nil).Body.String(), `data-key="S"`) {
		t.Error("who may not answer is asked")
	}
	one := web.Path + "/" + pair
	expect(s.send(auth.Steward, "en", "POST", one+"/reveal", url.Values{"purpose": {" "}}), 422, "Say what you need")
	expect(s.send(auth.Steward, "en", "POST", one+"/reveal", url.Values{"purpose": {"call back"}}), 200, "0951000010")
	expect(s.send(auth.Steward, "en", "POST", one+"/answer", url.Values{"answer": {"perhaps"}}), 422)
	w = s.send(auth.Steward, "en", "POST", one+"/answer", url.Values{"answer": {"same"}})
	expect(w, 303)
	expect(s.send(auth.Steward, "en", "GET", w.Header().Get("Location"), nil), 200, "Joined into one customer", one+"/undo")
	expect(s.send(auth.Steward, "en", "POST", one+"/answer", url.Values{"answer": {"different"}}), 409)
	expect(s.send(auth.Steward, "en", "POST", one+"/undo", nil), 303)
	expect(s.send(auth.Steward, "en", "GET", at, nil), 200, "Two people")
	expect(s.send(auth.Steward, "en", "GET", web.Path+"?pair=none", nil), 404)
}
