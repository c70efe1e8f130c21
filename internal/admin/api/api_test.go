package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"omote/internal/admin"
	"omote/internal/admin/api"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/httpx"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

func TestMain(m *testing.M) {
	huma.NewError = httpx.ValidationProblem // as the program sets it
	os.Exit(m.Run())
}

// server is the API as a root administrator reaches it.
type server struct {
	t *testing.T
	http.Handler
}

func newServer(t *testing.T) server {
	t.Helper()
	db := testkit.SQLite(t, sealed.Migrations, audit.Migrations, auth.Migrations, admin.Migrations)
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	signIn, err := auth.New(t.Context(), db, box, auth.Options{Password: auth.Params{Memory: 8, Time: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	services := admin.New(db, signIn)
	if err := services.Org.EnsureEntity(testkit.Context(t), "Example Bank"); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	c := huma.DefaultConfig("test", "1")
	c.CreateHooks = nil
	a := api.API{Admin: services}
	a.Register(humago.New(mux, c))
	router := httpx.NewRouter(httpx.WriteProblem)
	a.Routes(router)
	router.Mount("/", "test", mux)
	actor := auth.Actor{Kind: auth.Person, ID: "chief", Entity: "bank", Grants: []auth.Grant{{Role: auth.Admin, Unit: "/"}, {Role: auth.Auditor, Unit: "/"}}}
	return server{t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		router.ServeHTTP(w, r.WithContext(auth.WithActor(r.Context(), actor)))
	})}
}

// call sends a request, wants the status and reads the answer.
func (s server) call(method, path, body string, status int, out any) {
	s.t.Helper()
	req := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	raw, err := io.ReadAll(rec.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if rec.Code != status {
		s.t.Fatalf("%s %s: %d, want %d: %s", method, path, rec.Code, status, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
}

func TestAccountsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.call(http.MethodPost, "/units", `{"parent":"/","code":"north","kind":"region","name":"Miền Bắc"}`, 200, nil)
	var made api.Invited
	s.call(http.MethodPost, "/accounts", `{"email":"lan@bank.test","name":"Lan Example","locale":"vi","grants":[{"role":"champion","unit":"/north/"}]}`, 200, &made)
	if made.Invitation == "" || made.State != "invited" || made.Grants[0] != (api.Grant{Role: "champion", Unit: "/north/"}) {
		t.Errorf("%+v", made)
	}
	s.call(http.MethodPost, "/accounts", `{"email":"lan@bank.test","name":"x","locale":"vi"}`, 409, nil)
	s.call(http.MethodPut, "/accounts/"+made.ID+"/password", `{"password":"short"}`, 422, nil)
	s.call(http.MethodPut, "/accounts/"+made.ID+"/password", `{"password":"con trâu gặm cỏ ngoài đồng"}`, 204, nil)
	s.call(http.MethodPut, "/accounts/"+made.ID+"/grants", `{"grants":[{"role":"analyst"}]}`, 200, nil)
	s.call(http.MethodPatch, "/accounts/"+made.ID, `{"name":"Lan Mẫu","locale":"en"}`, 200, nil)
	var got api.Account
	s.call(http.MethodPost, "/accounts/"+made.ID+"/disable", `{"reason":"left"}`, 200, &got)
	if got.State != "disabled" || got.Name != "Lan Mẫu" || got.Grants[0] != (api.Grant{Role: "analyst", Unit: "/"}) {
		t.Errorf("%+v", got)
	}
	s.call(http.MethodPost, "/accounts/"+made.ID+"/invitation", "", 409, nil)
	s.call(http.MethodPost, "/accounts/"+made.ID+"/enable", `{}`, 200, nil)
	s.call(http.MethodPost, "/accounts/"+made.ID+"/sign-out", `{}`, 200, nil)
	s.call(http.MethodPost, "/accounts/"+made.ID+"/explode", `{}`, 422, nil)
	var page struct {
		Items []api.Account
		Total int
	}
	s.call(http.MethodGet, "/accounts?search=mau&role=analyst&sort=email", "", 200, &page)
	if len(page.Items) != 1 || page.Total != 1 {
		t.Errorf("%+v", page)
	}
	s.call(http.MethodGet, "/accounts/none", "", 404, nil)
}

func TestUnitsOverHTTP(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var north, b1 api.OrgUnit
	s.call(http.MethodPost, "/units", `{"parent":"/","code":"north","kind":"region","name":"Miền Bắc"}`, 200, &north)
	s.call(http.MethodPost, "/units", `{"parent":"/","code":"south","kind":"region","name":"Miền Nam"}`, 200, nil)
	s.call(http.MethodPost, "/units", `{"parent":"/north/","code":"b1","kind":"unit","name":"Một"}`, 200, &b1)
	s.call(http.MethodPatch, "/units/"+b1.ID, `{"name":"Chi nhánh Một"}`, 200, nil)
	s.call(http.MethodPost, "/units/"+b1.ID+"/move", `{"parent":"/south/"}`, 200, &b1)
	if b1.Path != "/south/b1/" || b1.Name != "Chi nhánh Một" {
		t.Errorf("%+v", b1)
	}
	s.call(http.MethodPost, "/units/"+north.ID+"/close", "", 200, &north)
	if north.ClosedAt == nil {
		t.Errorf("%+v", north)
	}
	var page struct {
		Items []api.OrgUnit
		Next  string
	}
	s.call(http.MethodGet, "/units?limit=2", "", 200, &page)
	if len(page.Items) != 2 || page.Next != "/south/" {
		t.Errorf("%+v", page)
	}
	s.call(http.MethodPost, "/units/"+north.ID+"/reopen", "", 200, nil)
}

func TestKeysAndTrailOverHTTP(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var k api.NewAPIKey
	s.call(http.MethodPost, "/keys", `{"name":"app","scopes":["ingest"],"system":"core"}`, 200, &k)
	if !strings.HasPrefix(k.Secret, k.Prefix) || k.Source != "app" || k.Scopes[0] != "ingest" || k.ExpiresAt != nil {
		t.Errorf("%+v", k)
	}
	s.call(http.MethodPost, "/keys", `{"name":"app","scopes":["everything"]}`, 422, nil)
	s.call(http.MethodPost, "/keys", `{"name":"app","scopes":["read"],"expires_at":"2020-01-01T00:00:00Z"}`, 422, nil)
	s.call(http.MethodPost, "/keys/"+k.ID+"/revoke", `{"reason":"leaked"}`, 204, nil)
	var keys struct{ Items []api.APIKey }
	s.call(http.MethodGet, "/keys?scope=ingest", "", 200, &keys)
	if len(keys.Items) != 1 || keys.Items[0].RevokedAt == nil {
		t.Errorf("%+v", keys)
	}
	var lines struct{ Items []api.AuditLine }
	s.call(http.MethodGet, "/audit?object=key/&limit=1", "", 200, &lines)
	if len(lines.Items) != 1 || lines.Items[0].Action != "admin.key.revoke" || lines.Items[0].Reason != "leaked" || lines.Items[0].Actor != "account:chief" {
		t.Errorf("%+v", lines)
	}
	var report api.AuditReport
	s.call(http.MethodPost, "/audit/verify", `{"heads":[]}`, 200, &report)
	if !report.Sound || report.Unsealed != 2 {
		t.Errorf("%+v", report)
	}
	s.call(http.MethodGet, "/audit/heads?after=x", "", 422, nil)
	s.call(http.MethodGet, "/audit/heads?after=0", "", 200, nil)
}
