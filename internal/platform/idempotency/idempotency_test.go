package idempotency

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

func TestMigrationsOfBothDialectsAreEqual(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, Migrations)
}

// TestOnce sends requests again in every way a client may.
func TestOnce(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		box, err := sealed.NewBox(db.Keys())
		if err != nil {
			t.Fatal(err)
		}
		var done atomic.Int64
		status := http.StatusCreated
		inside := func() {}
		g := &Guard{DB: db, Box: box, Covers: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") },
			Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
				w.WriteHeader(map[errs.Kind]int{errs.KindInvalid: 422, errs.KindConflict: 409}[errs.KindOf(err)])
			}}
		h := g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n := done.Add(1)
			inside()
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"n":%d}`, n)
		}))
		post := func(actor, path, key, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(testkit.Context(t), http.MethodPost, path, strings.NewReader(body))
			r.Header.Set(Header, key)
			r = r.WithContext(auth.WithActor(r.Context(), auth.Actor{Kind: "key", ID: actor, Entity: "bank", Place: scope.Root}))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		expect := func(what string, w *httptest.ResponseRecorder, status int, body string, times int64) {
			t.Helper()
			if w.Code != status || w.Body.String() != body || done.Load() != times {
				t.Errorf("%s: %d %s, carried out %d times; want %d %s, %d", what, w.Code, w.Body, done.Load(), status, body, times)
			}
		}
		expect("first", post("a", "/api/x", "k", "1"), 201, `{"n":1}`, 1)
		again := post("a", "/api/x", "k", "1")
		expect("again", again, 201, `{"n":1}`, 1)
		if again.Header().Get(Replayed) != "true" || again.Header().Get("Content-Type") != "application/json" {
			t.Errorf("headers %v", again.Header())
		}
		expect("another body", post("a", "/api/x", "k", "2"), 422, "", 1)
		expect("another address", post("a", "/api/y", "k", "1"), 422, "", 1)
		expect("another actor", post("b", "/api/x", "k", "1"), 201, `{"n":2}`, 2)
		expect("no key", post("a", "/api/x", "", "1"), 201, `{"n":3}`, 3)
		expect("not covered", post("a", "/page", "k", "1"), 201, `{"n":4}`, 4)
		inside = func() {
			inside = func() {}
			expect("while under way", post("a", "/api/x", "slow", "1"), 409, "", 5)
		}
		expect("slow", post("a", "/api/x", "slow", "1"), 201, `{"n":5}`, 5)
		status = http.StatusInternalServerError
		expect("a fault", post("a", "/api/x", "fault", "1"), 500, `{"n":6}`, 6)
		status = http.StatusCreated
		expect("after the fault", post("a", "/api/x", "fault", "1"), 201, `{"n":7}`, 7)
		expect("a key too long", post("a", "/api/x", strings.Repeat("k", maxKey+1), "1"), 422, "", 7)
		testkit.Clock(db).Advance(keepFor + time.Minute)
		expect("a day later", post("a", "/api/x", "k", "1"), 201, `{"n":8}`, 8)
	}, sealed.Migrations, Migrations)
}
