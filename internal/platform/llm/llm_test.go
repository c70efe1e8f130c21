package llm

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"omote/internal/platform/clock"
)

// server answers with the last message and counts its calls.
func server(t *testing.T, calls *atomic.Int64) Config {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		var q request
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/v1/chat/completions" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		last := q.Messages[len(q.Messages)-1].Content
		if strings.Contains(last, "fail") {
			http.Error(w, "overloaded", http.StatusServiceUnavailable)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{
			"choices": []any{map[string]any{"message": Message{"assistant", last}}},
			"usage":   map[string]int{"total_tokens": 10},
		})
	}))
	t.Cleanup(s.Close)
	return Config{BaseURL: s.URL + "/v1", Model: "m", Timeout: 5 * time.Second, DayRequests: 3, DayTokens: 1000, MaxTokens: 100, CacheSize: 2}
}

func ask(s string) []Message { return []Message{{"user", s}} }

func TestOffByDefault(t *testing.T) {
	t.Parallel()
	c, err := New(Config{}, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Complete(t.Context(), ask("a")); c.On() || !errors.Is(err, ErrOff) {
		t.Errorf("%v", err)
	}
}

func TestOnlyMaskedTextLeaves(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	c, err := New(server(t, &calls), clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Complete(t.Context(), ask("gọi 0912345678"))
	if err != nil || got != "gọi [phone]" {
		t.Errorf("%q %v", got, err)
	}
}

func TestBudgetAndCache(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	now := clock.NewManual(time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC))
	c, err := New(server(t, &calls), now)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"a", "a", "b", "c"} {
		if got, err := c.Complete(t.Context(), ask(s)); err != nil || got != s {
			t.Fatalf("%q %v", got, err)
		}
	}
	if calls.Load() != 3 {
		t.Errorf("%d calls, the repeat should come from the cache", calls.Load())
	}
	if _, err := c.Complete(t.Context(), ask("d")); !errors.Is(err, ErrBudget) {
		t.Errorf("%v", err)
	}
	if _, err := c.Complete(t.Context(), ask("c")); err != nil {
		t.Errorf("a cached answer needs no budget: %v", err)
	}
	now.Advance(24 * time.Hour)
	if _, err := c.Complete(t.Context(), ask("d")); err != nil {
		t.Errorf("a new day: %v", err)
	}
	if _, err := c.Complete(t.Context(), ask("please fail")); err == nil {
		t.Error("an error of the server must be passed on")
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := Config{BaseURL: "http://h/v1", Model: "m", Timeout: time.Second, DayRequests: 1, DayTokens: 1, MaxTokens: 1}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.BaseURL = "ftp://h" }, func(c *Config) { c.Model = "" }, func(c *Config) { c.Timeout = time.Hour },
		func(c *Config) { c.DayTokens = 0 }, func(c *Config) { c.MaxTokens = -1 },
	} {
		bad := good
		change(&bad)
		if bad.Validate() == nil {
			t.Errorf("%+v must be refused", bad)
		}
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	g := DefaultGate()
	for _, c := range []struct {
		agreed, cases int
		want          bool
	}{{99, 99, false}, {190, 200, true}, {183, 200, false}, {0, 0, false}} {
		if v := g.Judge(c.agreed, c.cases); v.MayAct != c.want || v.Reason == "" {
			t.Errorf("%d of %d: %+v", c.agreed, c.cases, v)
		}
	}
}
