// Package httpx is how requests reach the modules: one router whose table names
// a permission for every route, one mapping of errors to answers, and the
// protections that every answer carries.
//
// A handler returns an error instead of writing one:
//
//	r.Handle("GET /insight/metrics/{id}", metric.PermRead, func(w http.ResponseWriter, r *http.Request) error {
//		m, err := svc.Get(r.Context(), r.PathValue("id"))
//		if err != nil {
//			return err
//		}
//		return ui.Render(w, r, page(m))
//	})
//
// A route that needs no permission says so with Public and its reason; a test
// over Routes refuses any other route without a permission.
package httpx

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// Handler serves a request or says why it cannot.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Route is one line of the route table.
type Route struct {
	Pattern    string // "GET /insight/metrics/{id}"
	Permission auth.Permission
	// Open says why a route needs no permission; empty for all others.
	Open string
}

// Router collects routes. It is filled at start and then only read.
type Router struct {
	mux    *http.ServeMux
	routes []Route
	// Fail answers a request that failed.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
}

// NewRouter makes an empty router that answers failures with fail.
func NewRouter(fail func(w http.ResponseWriter, r *http.Request, err error)) *Router {
	return &Router{mux: http.NewServeMux(), Fail: fail}
}

// Handle adds a route that needs a permission.
func (rt *Router) Handle(pattern string, perm auth.Permission, h Handler) {
	rt.add(Route{Pattern: pattern, Permission: perm}, func(w http.ResponseWriter, r *http.Request) error {
		if err := auth.Require(r.Context(), perm, ""); err != nil {
			return err
		}
		return h(w, r)
	})
}

// Public adds a route for everybody; why says why it may be.
func (rt *Router) Public(pattern, why string, h Handler) {
	rt.add(Route{Pattern: pattern, Open: why}, h)
}

// Mount adds a handler of another package that guards itself; how says by what.
func (rt *Router) Mount(pattern, how string, h http.Handler) {
	rt.routes = append(rt.routes, Route{Pattern: pattern, Open: how})
	rt.mux.Handle(pattern, h)
}

func (rt *Router) add(route Route, h Handler) {
	rt.routes = append(rt.routes, route)
	rt.mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			rt.Fail(w, r, err)
		}
	})
}

// Routes is the route table.
func (rt *Router) Routes() []Route { return rt.routes }

// ServeHTTP implements http.Handler. An address without a route fails like any
// other request, so that it gets a page.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, pattern := rt.mux.Handler(r)
	noteRoute(r.Context(), pattern)
	if pattern == "" {
		rt.Fail(w, r, errs.NotFound("http.error.not_found", "there is nothing at %s", r.URL.Path))
		return
	}
	rt.mux.ServeHTTP(w, r)
}

// Status is the HTTP status of an error.
func Status(err error) int {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return http.StatusRequestEntityTooLarge
	}
	switch errs.KindOf(err) {
	case errs.KindInvalid:
		return http.StatusUnprocessableEntity
	case errs.KindNotFound:
		return http.StatusNotFound
	case errs.KindDenied:
		return http.StatusForbidden
	case errs.KindUnauthenticated:
		return http.StatusUnauthorized
	case errs.KindConflict:
		return http.StatusConflict
	case errs.KindUnavailable:
		return http.StatusServiceUnavailable
	case errs.KindTooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusInternalServerError
}

// IsAPI tells whether a request wants a machine's answer.
func IsAPI(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/v1/")
}

// PathEscape makes text fit for one step of an address.
func PathEscape(text string) string { return url.PathEscape(text) }
