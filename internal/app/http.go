package app

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	adminweb "omote/internal/admin/web"
	"omote/internal/app/apidoc"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/idempotency"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/ui"
	"omote/internal/ui/assets"
	"omote/internal/ui/styleguide"
)

// buildHTTP puts the routes of all modules behind the protections.
func (a *App) buildHTTP(context.Context) error {
	var err error
	if a.Bundle, err = i18n.New(a.Locales()...); err != nil {
		return err
	}
	if a.Config.Packs != "" {
		if err := a.Bundle.AddPacks(os.DirFS(a.Config.Packs)); err != nil {
			return err
		}
	}
	a.router = httpx.NewRouter(a.fail)
	a.addOperations()
	if a.Config.Has(config.Ingest) {
		a.router.Mount("/v1/", "write key", a.services.ingest.Door)
	}
	if a.Config.Has(config.Web) {
		a.addPages()
		a.addAPI()
	}
	a.metrics.watch(a)
	a.services.web = &auth.Web{Service: a.services.auth, Secure: strings.HasPrefix(a.Config.BaseURL, "https://"), Fail: a.fail}
	csrf := http.NewCrossOriginProtection()
	once := &idempotency.Guard{DB: a.Store, Box: a.Box, Fail: a.fail,
		Covers: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/v1/") && !isUpload(r) }}
	pages := httpx.Chain(a.router,
		httpx.WithRequestID,
		httpx.Observe(a.metrics.observe, a.tracing.Request),
		httpx.Compress,
		httpx.Secure(assets.ContentSecurityPolicy),
		a.surround,
		httpx.Recover(a.fail),
		csrf.Handler,
		httpx.LimitBody(isUpload),
		a.services.web.Identify,
		(&adminweb.SetupGuard{Auth: a.services.auth}).Lead,
		once.Handler,
		a.frame,
	)
	// The tracking door checks its own keys, takes no cookies and shows no pages.
	door := httpx.Chain(a.router, httpx.WithRequestID, httpx.Observe(a.metrics.observe, a.tracing.Request), httpx.Recover(a.fail))
	a.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			door.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
	return nil
}

// isUpload tells requests whose bodies may be large.
func isUpload(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/upload") || r.URL.Path == "/api/v1/imports"
}

// addOperations adds what machines ask a process about itself.
func (a *App) addOperations() {
	a.router.Public("GET /healthz", "liveness probe: says only that the process runs", func(w http.ResponseWriter, _ *http.Request) error {
		_, err := w.Write([]byte("ok\n"))
		return err
	})
	a.router.Public("GET /readyz", "readiness probe: names parts, no data", func(w http.ResponseWriter, r *http.Request) error {
		err := a.check(r.Context())
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return json.NewEncoder(w).Encode(map[string]any{"ready": err == nil, "problem": textOf(err)})
	})
	a.router.Mount("GET /metrics", "figures of the process for Prometheus: counts and times, no data", a.metrics.handler())
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// checkTimeout bounds how long a part may take to say that it works.
const checkTimeout = 2 * time.Second

// check tells what keeps this process from serving.
func (a *App) check(ctx context.Context) error {
	if !a.ready.Load() {
		return errs.Unavailable("app.error.starting", "starting or stopping")
	}
	ctx, cancel := context.WithTimeout(scope.With(ctx, scope.Process(a.Config.Entity, "check")), checkTimeout)
	defer cancel()
	if err := a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.ExecContext(ctx, "SELECT 1")
		return err
	}); err != nil {
		return errs.Unavailable("app.error.store", "the store does not answer").Because(err)
	}
	if _, _, err := a.Log.Bounds(ctx, 0); err != nil {
		return errs.Unavailable("app.error.log", "the event log does not answer").Because(err)
	}
	if _, err := a.Warehouse.Position(ctx, 0); err != nil {
		return errs.Unavailable("app.error.warehouse", "the warehouse does not answer").Because(err)
	}
	return nil
}

// projectorNames are the projectors that take up the log.
func (a *App) projectorNames() []string { return []string{a.State.Name(), a.Warehouse.Name()} }

func (a *App) addPages() {
	a.router.Mount("GET /assets/", "style sheets and scripts", assets.Handler())
	a.router.Mount("POST /preferences", "language and theme of the reader's own browser", ui.PreferencesHandler(a.Bundle))
	a.router.Mount("GET /preferences", "language and theme of the reader's own browser", ui.PreferencesHandler(a.Bundle))
	a.router.Mount("GET /styleguide", "shows the components with invented texts", styleguide.Handler(a.Bundle))
	for _, m := range a.modules {
		if m.Routes != nil {
			m.Routes(a.router)
		}
	}
}

// addAPI adds the operations of all modules under /api/v1 and their OpenAPI
// document at /api/openapi.json.
func (a *App) addAPI() {
	huma.NewError = httpx.ValidationProblem
	c := huma.DefaultConfig("Omote", Version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "/api/openapi", "", ""
	c.CreateHooks = nil
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaNames())
	c.Info.Description = "Everything a page shows can be read and done here. Lists are paged by cursor (after, limit); errors are problem documents (RFC 9457); " +
		"a POST with an Idempotency-Key is carried out once."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer", Description: "An API key: omote key create --scope read"}}
	mux := http.NewServeMux()
	api := humago.New(mux, c)
	for _, m := range a.modules {
		if m.API != nil {
			m.API(api)
		}
	}
	a.registerSystem(api)
	a.router.Public("GET /api/docs", "describes the operations, holds no data", apidoc.Page(api.OpenAPI()))
	a.router.Mount("/api/", "each operation names its permission; the document describes them", mux)
}

// surround puts the reader's language, theme and the bank's name into the
// context, so that failures have a page too.
func (a *App) surround(next http.Handler) http.Handler {
	return a.Bundle.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(ui.WithChrome(r.Context(), a.chrome(r))))
	}))
}

// frame adds what is known once the person is: their name and where they may go.
func (a *App) frame(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, signedIn := auth.From(r.Context()); signedIn && (!httpx.IsAPI(r) || r.URL.Path == "/api/docs") && !strings.HasPrefix(r.URL.Path, "/assets/") {
			r = r.WithContext(ui.WithChrome(r.Context(), a.chrome(r)))
		}
		next.ServeHTTP(w, r)
	})
}

// fail answers a request that failed: a problem document for machines, a page
// for people.
func (a *App) fail(w http.ResponseWriter, r *http.Request, err error) {
	if httpx.IsAPI(r) && r.URL.Path != "/api/docs" {
		httpx.WriteProblem(w, r, err)
		return
	}
	a.failPage(w, r, err)
}

// Routes is the route table.
func (a *App) Routes() []httpx.Route { return a.router.Routes() }

// Locales are the catalogues of all modules.
func (a *App) Locales() (sources []i18n.Source) {
	for _, m := range a.modules {
		sources = append(sources, m.Locales...)
	}
	return sources
}
