package telemetry

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A request's span reaches the collector, and a collector that is down disturbs
// nothing.
func TestSpansReachTheCollector(t *testing.T) {
	t.Parallel()
	got := make(chan []byte, 4)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- body
	}))
	defer collector.Close()
	tracing, err := Open(t.Context(), collector.URL+"/v1/traces", "test")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/insight/metrics/nps", nil)
	r.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	_, end := tracing.Request(r)
	end("GET /insight/metrics/{id}", http.StatusOK)
	if err := tracing.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	select {
	case body := <-got:
		if len(body) == 0 {
			t.Error("an empty body reached the collector")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no span reached the collector")
	}
}

func TestOffWithoutAnEndpoint(t *testing.T) {
	t.Parallel()
	tracing, err := Open(t.Context(), "", "test")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := tracing.Request(httptest.NewRequest(http.MethodGet, "/", nil))
	end("GET /", http.StatusInternalServerError)
	if _, span := tracing.Start(ctx, "work"); span.IsRecording() {
		t.Error("a span is recorded though tracing is off")
	}
	if err := tracing.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}
