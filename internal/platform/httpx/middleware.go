package httpx

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
)

// Chain wraps h in the middleware, the first outermost.
func Chain(h http.Handler, middleware ...func(http.Handler) http.Handler) http.Handler {
	for i := len(middleware) - 1; i >= 0; i-- {
		h = middleware[i](h)
	}
	return h
}

type requestKey struct{}

// RequestID is the id of the request in the context, "" outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// WithRequestID gives every request an id, which the answer carries too.
func WithRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := uuid.Must(uuid.NewV7()).String()
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
	})
}

// Recover turns a panic into a failure of its request alone.
func Recover(fail func(http.ResponseWriter, *http.Request, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				if p == http.ErrAbortHandler {
					panic(p)
				}
				slog.ErrorContext(r.Context(), "panic", "path", r.URL.Path, "request", RequestID(r.Context()), "panic", p, "stack", string(debug.Stack()))
				fail(w, r, fmt.Errorf("panic: %v", p))
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// Secure sets the headers that every answer carries. csp is the
// Content-Security-Policy of pages.
func Secure(csp string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", csp)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("X-Frame-Options", "DENY")
			h.Set("Referrer-Policy", "same-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
			if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
				h.Set("Strict-Transport-Security", "max-age=31536000")
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Observer is told about every answer.
type Observer func(method, route string, status int, took time.Duration)

type routeKey struct{}

// noteRoute tells Observe which route a request took.
func noteRoute(ctx context.Context, pattern string) {
	if route, ok := ctx.Value(routeKey{}).(*string); ok {
		*route = pattern
	}
}

// Begin starts the span of a request; the function it gives ends it.
type Begin func(r *http.Request) (ctx context.Context, end func(route string, status int))

// Observe reports requests by route pattern, never by address: to the observer
// for figures, to begin for traces.
func Observe(observe Observer, begin Begin) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			started := time.Now() // a duration for metrics, not a time of the domain
			rec := &recorder{ResponseWriter: w, status: http.StatusOK}
			var route string
			ctx, end := begin(r)
			next.ServeHTTP(rec, r.WithContext(context.WithValue(ctx, routeKey{}, &route)))
			end(route, rec.status)
			observe(r.Method, route, rec.status, time.Since(started))
		})
	}
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the real writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// MaxForm bounds the body of pages and API calls that are no uploads.
const MaxForm = 4 << 20

// LimitBody bounds request bodies except where skip says so.
func LimitBody(skip func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !skip(r) {
				r.Body = http.MaxBytesReader(w, r.Body, MaxForm)
			}
			next.ServeHTTP(w, r)
		})
	}
}
