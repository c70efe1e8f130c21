package app_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/testkit/browser"
)

// TestTablet lets two people answer one after another on a tablet: the page begins anew
// by itself, and nothing of the first is there for the second.
func TestTablet(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	address, err := s.Surveys().OpenLink(s.ctx, s.Config.Entity, "rel_nps", "B1", "kiosk", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	page := "http://" + s.address + address[strings.Index(address, "/s/"):]
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	tablet := &http.Client{Jar: jar}
	body := func(r *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %v", r.Request.URL, r.Status, err)
		}
		return string(b)
	}
	if first := body(tablet.Get(page)); strings.Contains(first, "http-equiv") || !strings.Contains(first, `name="rn_score"`) {
		t.Error("the first page does not wait for a person")
	}
	second := body(tablet.PostForm(page, url.Values{"q": {"rn_score"}, "rn_score": {"3"}}))
	if !strings.Contains(second, `http-equiv="refresh"`) || !strings.Contains(second, "/next") || !strings.Contains(second, `name="rn_reason"`) {
		t.Errorf("after an answer: %.400s", second)
	}
	if anew := body(tablet.Get(page + "/next")); !strings.Contains(anew, `name="rn_score"`) || strings.Contains(anew, `aria-pressed="true"`) {
		t.Error("the next person sees the one before")
	}
	u, err := url.Parse(page)
	if err != nil || len(jar.Cookies(u)) != 1 {
		t.Errorf("cookies %v, %v", jar.Cookies(u), err)
	}
	big, err := tablet.Post(page, "application/x-www-form-urlencoded", strings.NewReader("q=rn_fix&rn_fix="+strings.Repeat("a", 10<<20)))
	if err != nil {
		t.Fatal(err)
	}
	big.Body.Close()
	if big.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("10 MB of words: %s", big.Status)
	}
	forged, err := tablet.Get(page[:len(page)-2] + "AA")
	if err != nil {
		t.Fatal(err)
	}
	forged.Body.Close()
	if forged.StatusCode != http.StatusNotFound {
		t.Errorf("a forged link: %s", forged.Status)
	}
}

// TestSurveyPages brings a questionnaire of another program in through the page and looks
// at every page of surveys.
func TestSurveyPages(t *testing.T) {
	b := browser.Start(t)
	s := start(t, t.TempDir())
	session := addPerson(t, s)
	for _, l := range looks() {
		p := b.Open("http://"+s.address, l.view)
		p.Goto("/sign-in")
		p.Cookie((&auth.Web{}).CookieName(), session)
		p.Cookie(i18n.CookieName, l.lang)
		p.Cookie("omote_theme", l.theme)
		look := strings.Join([]string{l.size, l.lang, l.theme}, "-")
		p.Goto("/feedback/surveys/import")
		p.AssertSound()
		p.Shot("survey-import-" + look)
		p.Attach(`input[name=file]`, "../feedback/form/testdata/visit.lss")
		p.Click(`button[value=check]`)
		p.AssertSound()
		p.Shot("survey-import-done-" + look)
		for name, path := range map[string]string{"list": "", "show": "/tx_csat", "asking": "/tx_csat/asking", "weights": "/tx_csat/weights", "share": "/tx_csat/share", "edit": "/tx_csat/edit",
			"calls": "/tx_csat/calls", "answers": "/tx_csat/answers"} {
			p.Goto("/feedback/surveys" + path)
			p.AssertSound()
			p.Shot("survey-" + name + "-" + look)
		}
	}
}
