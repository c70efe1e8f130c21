package assets

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	h := Handler()
	for name, a := range table() {
		r := httptest.NewRequest("GET", URL(name), nil)
		r.Header.Set("Accept-Encoding", "br, gzip;q=0.8")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: status %d, cache %q", name, w.Code, w.Header().Get("Cache-Control"))
		}
		if w.Header().Get("Content-Encoding") == "gzip" {
			zr, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(zr)
			if err != nil || string(got) != string(a.body) {
				t.Errorf("%s: compressed body differs (%v)", name, err)
			}
		}
		plain := httptest.NewRecorder()
		r = httptest.NewRequest("GET", URL(name), nil)
		r.Header.Set("Accept-Encoding", "gzip;q=0")
		h.ServeHTTP(plain, r)
		if plain.Header().Get("Content-Encoding") != "" || plain.Body.String() != string(a.body) {
			t.Errorf("%s: plain body differs", name)
		}
	}
	for path, want := range map[string]int{"/assets/omote.000000000000.css": 404, "/assets/../go.mod": 404, "/assets/": 404} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", URL("omote.css"), nil))
	if w.Code != 405 {
		t.Errorf("POST: status %d", w.Code)
	}
}

// TestPageWeight holds the promise of at most 300 KB for a page without charts:
// style sheet and scripts together stay under a third of it.
func TestPageWeight(t *testing.T) {
	t.Parallel()
	var total int
	for _, name := range []string{"omote.css", "omote.js", "htmx.js", "icon.svg"} {
		total += Size(name)
	}
	if total > 100_000 {
		t.Errorf("frame of a page weighs %d bytes", total)
	}
	if charts := Size("charts.js") + Size("echarts.js"); charts > 250_000 {
		t.Errorf("chart scripts weigh %d bytes", charts)
	}
}

// TestNothingForeign: own files name no other host and need no inline code.
func TestNothingForeign(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"omote.css", "omote.js", "charts.js"} {
		body := strings.ReplaceAll(string(table()[name].body), "http://www.w3.org/", "")
		for _, bad := range []string{"http://", "https://", "@import", "eval(", "new Function", ".innerHTML", "setAttribute(\"style"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
	}
}
