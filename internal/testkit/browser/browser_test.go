package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// page is a small site with one of each fault.
const page = `<!doctype html><title>t</title><meta name="viewport" content="width=device-width">
<style>body{background:#fff;color:#000}.pale{color:#aaa}.big{font-size:30px;color:#888}.off{color:#ccc}</style>
<h1>Xin chào</h1><p class="pale">too pale</p><p class="big">large enough</p><button class="off" disabled>cannot</button>
<svg width="200" height="40"><rect width="200" height="40" fill="#222"/><text x="10" y="20" fill="#333">dark on dark</text><text x="10" y="36" fill="#fff">light on dark</text></svg>
<input id="name"><a href="/next">Next page</a><p id="seen"></p>
<script>
document.querySelector("#name").addEventListener("keydown", (e) => { if (e.key === "Enter") document.querySelector("#seen").textContent = "entered " + e.target.value; });
addEventListener("keydown", (e) => { if (e.key === "j") document.body.dataset.j = "1"; });
</script>`

func serve(t *testing.T, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestPage(t *testing.T) {
	b := Start(t)
	p := b.Open(serve(t, page), Desk)
	p.Goto("/start?x=1")
	if p.Path() != "/start?x=1" {
		t.Errorf("path %q", p.Path())
	}
	if got := p.Text("h1"); got != "Xin chào" {
		t.Errorf("heading %q", got)
	}
	p.Press("j")
	p.Type("#name", "Mẫu")
	p.Press("Enter")
	if got := p.Text("#seen"); got != "entered Mẫu" {
		t.Errorf("typed text came as %q", got)
	}
	p.WaitText("entered Mẫu")
	if !p.Has("body[data-j='1']") {
		t.Error("the key j was not seen")
	}
	faults := fmt.Sprint(p.Contrast())
	for _, want := range []string{"too pale", "dark on dark"} {
		if !strings.Contains(faults, want) {
			t.Errorf("low contrast of %q is not found in %s", want, faults)
		}
	}
	for _, fine := range []string{"large enough", "cannot", "light on dark", "Xin chào"} {
		if strings.Contains(faults, fine) {
			t.Errorf("contrast of %q is reported in %s", fine, faults)
		}
	}
	p.ClickText("Next")
	if p.Path() != "/next" {
		t.Errorf("path %q after the link", p.Path())
	}
	if len(p.Problems()) > 0 {
		t.Errorf("problems of a sound page: %v", p.Problems())
	}
	p.Resize(Phone.InDark())
	if got := Eval[bool](p, `matchMedia("(prefers-color-scheme: dark)").matches && innerWidth === 390`); !got {
		t.Error("the window is not a dark phone")
	}
}

func TestProblemsAreSeen(t *testing.T) {
	b := Start(t)
	p := b.Open(serve(t, `<!doctype html><title>t</title><img src="http://other.example.invalid/x.png"><div style="width:3000px">w</div>
		<script>console.error("wrong", 7); setTimeout(() => { throw new Error("thrown") });</script>`), Desk)
	p.Goto("/")
	Eval[bool](p, `new Promise((r) => setTimeout(() => r(true), 100)), true`)
	all := strings.Join(p.Problems(), "\n")
	for _, want := range []string{"console: wrong 7", "thrown", "request to another host: http://other.example.invalid/x.png"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in\n%s", want, all)
		}
	}
	if p.Overflow() < 1000 {
		t.Errorf("overflow of %d", p.Overflow())
	}
}
