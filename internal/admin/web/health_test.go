package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"omote/internal/admin"
	"omote/internal/admin/web"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
	"omote/internal/ui"
)

// ill is a process in which much is wrong.
type ill struct {
	calls []string
}

func (*ill) Try(context.Context) []web.Part {
	return []web.Part{{Key: "store", Kind: "SQLite", Took: 40 * time.Microsecond}, {Key: "warehouse", Kind: "DuckDB", Err: errs.Unavailable("admin.web.health.error.keys", "down")}}
}
func (*ill) Place() web.Place {
	return web.Place{Version: "1.2", DiskFree: 1 << 20, DiskTotal: 1 << 40}
}
func (*ill) Flow(context.Context) (web.Flow, error) {
	return web.Flow{Projectors: []web.Projector{{Name: "state", Events: 5, Behind: 90 * time.Second, Position: 7, Last: 9}, {Name: "state", Partition: 1, Failure: "disk full"}}}, nil
}
func (*ill) Letters(context.Context, int) (web.Letters, error) {
	return web.Letters{Failed: 1, Waiting: 3, Items: []web.Letter{{Handler: "identity", Subject: "subject-of-a-refused-event", Partition: 1, Seq: 42, Reason: "no such field"}}}, nil
}
func (*ill) Outbox(context.Context) ([]web.StateCount, error) {
	return nil, errs.Unavailable("error.store_busy", "busy")
}
func (*ill) Jobs(context.Context, int) ([]web.Job, error) {
	return []web.Job{{ID: "j1", Kind: "import", State: "running", Done: 3, Total: 4}, {ID: "j2", Kind: "import", State: "failed", Error: "jobs.args_invalid"}}, nil
}
func (h *ill) Replay(_ context.Context, handler, subject string) (int, error) {
	h.calls = append(h.calls, "replay "+handler+" "+subject)
	return 4, nil
}
func (h *ill) Discard(_ context.Context, handler, subject string) error {
	h.calls = append(h.calls, "discard "+handler+" "+subject)
	return nil
}
func (h *ill) CancelJob(_ context.Context, id string) error {
	h.calls = append(h.calls, "cancel "+id)
	return nil
}
func (h *ill) RestartJob(_ context.Context, id string) error {
	h.calls = append(h.calls, "restart "+id)
	return nil
}

// ward serves the pages over a process that is ill, for somebody of the roles.
func ward(t *testing.T, h *ill, roles ...auth.Role) http.Handler {
	t.Helper()
	db := testkit.SQLite(t, sealed.Migrations, audit.Migrations, auth.Migrations, admin.Migrations)
	box, err := sealed.NewBox(db.Keys())
	must(t, err)
	signIn, err := auth.New(t.Context(), db, box, auth.Options{Password: auth.Params{Memory: 8, Time: 1, Threads: 1}})
	must(t, err)
	bundle, err := i18n.New(ui.Locales(), admin.Locales())
	must(t, err)
	router := httpx.NewRouter(func(w http.ResponseWriter, r *http.Request, err error) {
		http.Error(w, i18n.Error(r.Context(), err), httpx.Status(err))
	})
	web.Pages{Auth: signIn, Web: &auth.Web{Service: signIn}, Admin: admin.New(db, signIn), Health: h, Keys: db.Keys(), Clock: db.Clock()}.Routes(router)
	actor := auth.Actor{Kind: auth.Person, ID: "a", Entity: "bank"}
	for _, r := range roles {
		actor.Grants = append(actor.Grants, auth.Grant{Role: r, Unit: "/"})
	}
	return bundle.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := ui.WithChrome(auth.WithActor(r.Context(), actor), ui.Chrome{Now: db.Clock().Now()})
		router.ServeHTTP(w, r.WithContext(ctx))
	}))
}

func ask(h http.Handler, path, form string) (status int, page string) {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	if form != "" {
		req = httptest.NewRequest(http.MethodPost, path, strings.NewReader(form))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec.Code, rec.Body.String()
}

func TestHealthOfAnIllSystem(t *testing.T) {
	t.Parallel()
	h := &ill{}
	chief, auditor, lead := ward(t, h, auth.Admin), ward(t, h, auth.Auditor), ward(t, h, auth.CXLead)
	subject := url.Values{"handler": {"identity"}, "subject": {"subject-of-a-refused-event"}}.Encode()
	for _, c := range []struct {
		name        string
		who         http.Handler
		path, form  string
		status      int
		has, hasNot []string
	}{
		{name: "what is wrong stands first; a part that fails leaves the rest", who: chief, path: "/admin/health", status: 200, has: []string{
			"<b>Warehouse</b> does not answer", "key ring does not give", "40\u00a0µs", "disk full", "stands at 7 of 9", "no such field", "1 refused", "3 wait behind", "could not be asked", "75%", "Cancel", "Go on"}},
		{name: "an auditor sees and cannot act, and sees no jobs", who: auditor, path: "/admin/health", status: 200, has: []string{"no such field"}, hasNot: []string{"letters/replay", "Give up", "Cancel", "75%"}},
		{name: "nor past the page", who: auditor, path: "/admin/health/letters/replay", form: subject, status: 403},
		{name: "who runs no system sees none", who: lead, path: "/admin/health", status: 403},
		{name: "giving up asks first", who: chief, path: "/admin/health/letter?" + subject, status: 200, has: []string{"1/42", "cannot be undone", "type “identity”"}},
		{name: "by naming the thing", who: chief, path: "/admin/health/letters/discard", form: subject + "&confirm=yes", status: 422, has: []string{"is not “identity”", `value="yes"`}},
		{name: "one that is gone", who: chief, path: "/admin/health/letter?handler=identity&subject=other", status: 404},
		{name: "replay", who: chief, path: "/admin/health/letters/replay", form: subject, status: 303},
		{name: "give up", who: chief, path: "/admin/health/letters/discard", form: subject + "&confirm=identity", status: 303},
		{name: "cancel", who: chief, path: "/admin/health/jobs/j1/cancel", form: "x=1", status: 303},
		{name: "restart", who: lead, path: "/admin/health/jobs/j2/restart", form: "x=1", status: 303},
		{name: "no other act", who: chief, path: "/admin/health/jobs/j2/delete", form: "x=1", status: 404},
	} {
		status, page := ask(c.who, c.path, c.form)
		if status != c.status {
			t.Errorf("%s: status %d, want %d: %s", c.name, status, c.status, text(page))
		}
		for _, s := range c.has {
			if !strings.Contains(page, s) {
				t.Errorf("%s: the page does not say %q: %s", c.name, s, text(page))
			}
		}
		for _, s := range c.hasNot {
			if strings.Contains(page, s) {
				t.Errorf("%s: the page says %q", c.name, s)
			}
		}
	}
	want := "replay identity subject-of-a-refused-event; discard identity subject-of-a-refused-event; cancel j1; restart j2"
	if got := strings.Join(h.calls, "; "); got != want {
		t.Errorf("acts: %s\nwant: %s", got, want)
	}
}
