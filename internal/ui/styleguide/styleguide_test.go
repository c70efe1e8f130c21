package styleguide

import (
	"net/http"
	"net/http/httptest"
	"os"
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
	look := func(locale, name string, v browser.Viewport) {
		p := b.Open(url, v)
		p.Goto(ui.PreferencesPath + "?lang=" + locale + "&back=" + Path)
		p.Shot("styleguide-" + locale + "-" + name)
		p.AssertSound()
	}
	look("en", "1440-light", browser.Desk)
	look("vi", "390-light", browser.Phone)
	look("vi", "1440-dark", browser.Desk.InDark())
	if os.Getenv("OMOTE_VERIFY") == "1" {
		look("en", "1440-dark", browser.Desk.InDark())
		look("en", "390-light", browser.Phone)
		look("en", "390-dark", browser.Phone.InDark())
		look("vi", "1440-light", browser.Desk)
		look("vi", "390-dark", browser.Phone.InDark())
	}
}

// TestKeyboard walks through the page with keys alone.
func TestKeyboard(t *testing.T) {
	url := site(t)
	p := browser.Start(t).Open(url, browser.Desk)
	p.Goto(ui.PreferencesPath + "?lang=vi&back=" + Path)

	p.Press("?")
	if !p.Has("#keys[open]") {
		t.Error("? does not open the list of keys")
	}
	p.Press("Escape")

	p.Press("/")
	p.Type("#palette input", "khoanh khac")
	if got := browser.Eval[string](p, `document.querySelector("#palette [aria-selected=true] span").textContent`); got != "Khoảnh khắc quyết định" {
		t.Errorf("the palette finds %q", got)
	}
	p.Press("Escape")
	if p.Has("#palette[open]") {
		t.Error("Escape does not close the palette")
	}

	p.Press("j", "j", "k", "x")
	if got := browser.Eval[string](p, `document.querySelector("tr[data-at]").dataset.row`); got != "CV-20402" {
		t.Errorf("J J K stands on %q", got)
	}
	if got := browser.Eval[string](p, `document.querySelector("[data-bulk-count]").textContent`); got != "1 đã chọn" {
		t.Errorf("X selects %q", got)
	}
	p.Press("j", "j", "Shift+X")
	if got := browser.Eval[int](p, `document.querySelectorAll("input[name=id]:checked").length`); got != 3 {
		t.Errorf("Shift X selects %d rows", got)
	}
	browser.Eval[any](p, `document.activeElement.blur()`)
	p.Type("textarea", "jjj/?")
	if p.Has("#palette[open]") || p.Has("#keys[open]") {
		t.Error("keys act while a field has the focus")
	}
	if got := p.Path(); got != Path {
		t.Errorf("the keys led to %s", got)
	}
	for _, problem := range p.Problems() {
		t.Error(problem)
	}
}

// TestCharts steps through charts, opens their tables, and changes the scheme.
func TestCharts(t *testing.T) {
	p := browser.Start(t).Open(site(t), browser.Desk)
	p.Goto(ui.PreferencesPath + "?lang=en&back=" + Path)
	browser.Eval[any](p, `document.querySelector("#weeks .plot").focus()`)
	p.WaitFor("#weeks .live canvas")
	p.Press("End")
	last := p.Text("#weeks [data-read]")
	if !strings.Contains(last, "16\u00a0Nov · 64.5%") || !strings.Contains(last, "Worse") {
		t.Errorf("the last point says %q", last)
	}
	p.Press("ArrowLeft")
	if got := p.Text("#weeks [data-read]"); got == last || !strings.Contains(got, "9\u00a0Nov") {
		t.Errorf("the point before says %q", got)
	}
	p.Press("+", "+")
	p.Press("t")
	if !p.Has("#table-weeks td") {
		t.Error("T does not open the table behind the chart")
	}
	p.Click(".to-dark")
	if got := browser.Eval[string](p, `document.documentElement.dataset.theme + getComputedStyle(document.querySelector(".main")).backgroundColor`); got != "darkrgb(19, 30, 35)" {
		t.Errorf("the scheme is %s", got)
	}
	p.Shot("charts-dark-zoomed")

	browser.Eval[any](p, `document.querySelector("#loans .plot").focus()`)
	p.Press("ArrowRight")
	if got := p.Text("#loans [data-read]"); !strings.Contains(got, "Application") {
		t.Errorf("the first step of the map says %q", got)
	}
	if !p.Has("#loans .f-map[data-lit] .f-move[data-lit]") {
		t.Error("the moves of the step are not lit")
	}
	p.AssertSound()
}

// TestDialog asks for the name of what cannot be undone.
func TestDialog(t *testing.T) {
	p := browser.Start(t).Open(site(t), browser.Desk)
	p.Goto(Path)
	p.Click("[data-dialog=delete]")
	p.WaitFor("#delete[open]")
	p.AssertSound()
	p.Shot("dialog")
	p.Click("#delete [data-dialog-close]")
	if p.Has("#delete[open]") {
		t.Error("the dialog stays open")
	}
}

// TestWithoutScript: the menu of a phone, sorting, and the drawings work alone.
func TestWithoutScript(t *testing.T) {
	v := browser.Phone
	v.NoScript = true
	p := browser.Start(t).Open(site(t), v)
	p.Goto(Path)
	if p.Has(".strata") {
		t.Error("the menu is open before it is asked for")
	}
	p.Click(".menu-open")
	if !p.Has(".strata a") {
		t.Error("the menu link does not open the menu")
	}
	p.Shot("menu-390")
	p.Goto(Path + "?sort=-owner")
	if !p.Has("th[aria-sort=descending], td") || !p.Has("#weeks .at-phone svg") {
		t.Error("the table or the drawing is missing")
	}
	if len(p.Problems()) > 0 {
		t.Error(p.Problems())
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
