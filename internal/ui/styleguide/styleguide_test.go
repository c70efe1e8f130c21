package styleguide

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"omote/internal/platform/i18n"
	"omote/internal/testkit/browser"
	"omote/internal/ui"
	"omote/internal/ui/assets"
)

func site(t *testing.T) string {
	t.Helper()
	b, err := i18n.New(ui.Locales())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+Path, Handler(b))
	mux.Handle(assets.Prefix, assets.Handler())
	mux.Handle("GET "+ui.PreferencesPath, ui.PreferencesHandler(b))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// TestLooks opens the page in both languages and schemes, at a desk and on a
// phone: no error, nothing foreign, AA contrast, nothing wider than the window.
func TestLooks(t *testing.T) {
	url := site(t)
	b := browser.Start(t)
	for _, locale := range []string{"en", "vi"} {
		for name, v := range map[string]browser.Viewport{"1440-light": browser.Desk, "1440-dark": browser.Desk.InDark(), "390-light": browser.Phone, "390-dark": browser.Phone.InDark()} {
			p := b.Open(url, v)
			p.Goto(ui.PreferencesPath + "?lang=" + locale + "&back=" + Path)
			p.Shot("styleguide-" + locale + "-" + name)
			p.AssertSound()
		}
	}
}

// TestWithoutStyle: the policy forbids inline styles and scripts, so the markup
// must not carry any.
func TestWithoutInline(t *testing.T) {
	url := site(t)
	r, err := http.Get(url + Path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{" style=", "<style", "javascript:", " onclick="} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("page contains %q", bad)
		}
	}
	if r.Header.Get("Content-Security-Policy") == "" {
		t.Error("no policy")
	}
	t.Logf("page of %d bytes", b.Len())
}
