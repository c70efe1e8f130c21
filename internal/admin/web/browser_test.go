package web_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"omote/internal/testkit/browser"
)

// town fills the bank with people, units and keys, and gives the scenario's notes.
func (v *visitor) town() map[string]string {
	v.t.Helper()
	v.setUp()
	notes := map[string]string{}
	v.play(notes, step{name: "rename the bank", path: "/admin/organisation", status: 200, note: "bank", find: `unit=([0-9a-f-]{36})"[^>]*>Example Bank`},
		step{name: "as the Vietnamese call it", path: "/admin/organisation/$bank/rename", form: "name=Ngân hàng Bến Lành", status: 303},
		step{name: "the first region", path: "/admin/organisation", status: 200, note: "north", find: `unit=([0-9a-f-]{36})"[^>]*>North`},
		step{name: "too", path: "/admin/organisation/$north/rename", form: "name=Miền Bắc", status: 303})
	for _, u := range [][4]string{{"/", "south", "region", "Miền Nam"}, {"/north/", "ba-dinh", "unit", "Chi nhánh Ba Đình"}, {"/north/", "hoan-kiem", "unit", "Chi nhánh Hoàn Kiếm"},
		{"/south/", "ben-thanh", "unit", "Chi nhánh Bến Thành"}, {"/south/", "call", "unit", "Trung tâm liên hệ"}, {"/south/", "old", "unit", "Phòng giao dịch cũ"}} {
		v.play(notes, step{name: "add " + u[1], path: "/admin/organisation/add", form: "above=" + u[0] + "&beside=$bank&code=" + u[1] + "&kind=" + u[2] + "&name=" + u[3], status: 303, note: u[1], find: `unit=([0-9a-f-]{36})`})
	}
	v.play(notes, step{name: "close one", path: "/admin/organisation/$old/close", form: "x=1", status: 303})
	for _, a := range [][3]string{{"Phan Thị Mẫu", "mau@example.org", "role=cx_lead&unit=/"}, {"Lê Hư Cấu", "cau@example.org", "role=champion&unit=/north/ba-dinh/&role=agent&unit=/north/hoan-kiem/"},
		{"Mai Thị Tưởng", "tuong@example.org", "role=auditor&unit=/&role=dpo&unit=/"}, {"Trần Văn Giả", "gia@example.org", "role=analyst&unit=/south/"}} {
		v.play(notes, step{name: "invite " + a[0], path: "/admin/people/new", form: "name=" + a[0] + "&email=" + a[1] + "&locale=vi&" + a[2], status: 303, note: strings.Split(a[1], "@")[0], find: `/admin/people/([0-9a-f-]{36})`},
			step{name: "the link", path: "/admin/people/$" + strings.Split(a[1], "@")[0], status: 200, note: "link", find: `(/invitation/[A-Za-z0-9_-]+)`})
	}
	v.play(notes, step{name: "disable one", path: "/admin/people/$gia/disable", form: "x=1", status: 303})
	for _, k := range []string{"Ứng dụng di động, bản chính", "Core banking", "Sổ tay phân tích"} {
		v.play(notes, step{name: "make a key", path: "/admin/keys/new", form: "name=" + k + "&unit=/&scope=key:ingest&scope=key:read&source=&expires=2030-12-31", status: 303, note: "key", find: `/admin/keys/([0-9a-f-]{36})`})
	}
	return notes
}

// look opens a window as the visitor's browser, in a language.
func (v *visitor) look(b *browser.Browser, view browser.Viewport, lang string) *browser.Page {
	u, err := url.Parse(v.base)
	must(v.t, err)
	p := b.Open(v.base, view)
	for _, c := range v.http.Jar.Cookies(u) {
		if c.Name == "omote" {
			p.Cookie(c.Name, c.Value)
		}
	}
	p.Cookie("omote_lang", lang)
	return p
}

// Every page is sound at a desk and on a phone, light and dark, in both languages:
// no error, no foreign request, enough contrast, nothing wider than its window.
// The short form looks at two of the eight combinations.
func TestPagesAreSound(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	s := newSite(t)
	fresh := s.visitor()
	views := []struct {
		name, lang string
		view       browser.Viewport
	}{{"1440-light-vi", "vi", browser.Desk}, {"390-dark-en", "en", browser.Phone.InDark()}}
	if os.Getenv("OMOTE_VERIFY") != "" || os.Getenv("OMOTE_SHOTS") != "" {
		views = append(views, []struct {
			name, lang string
			view       browser.Viewport
		}{{"1440-light-en", "en", browser.Desk}, {"1440-dark-vi", "vi", browser.Desk.InDark()}, {"1440-dark-en", "en", browser.Desk.InDark()},
			{"390-light-vi", "vi", browser.Phone}, {"390-light-en", "en", browser.Phone}, {"390-dark-vi", "vi", browser.Phone.InDark()}}...)
	}
	for _, v := range views {
		p := fresh.look(b, v.view, v.lang)
		for name, path := range map[string]string{"setup-token": "/setup", "setup": "/setup?token=" + s.token} {
			p.Goto(path)
			p.Shot(name + "-" + v.name)
		}
		p.AssertSound()
	}
	chief := s.visitor()
	notes := chief.town()
	for _, v := range views {
		p := fresh.look(b, v.view, v.lang)
		for name, path := range map[string]string{"signin": "/sign-in", "invitation": notes["link"]} {
			p.Goto(path)
			p.Shot(name + "-" + v.name)
		}
		p.AssertSound()
		p = chief.look(b, v.view, v.lang)
		for name, path := range map[string]string{"account": "/account", "people": "/admin/people", "people-none": "/admin/people?q=zzz", "person": "/admin/people/" + notes["cau"], "person-new": "/admin/people/new",
			"organisation": "/admin/organisation", "organisation-unit": "/admin/organisation?unit=" + notes["ba-dinh"], "organisation-region": "/admin/organisation?unit=" + notes["south"], "organisation-closed": "/admin/organisation?closed=1&unit=" + notes["old"],
			"keys": "/admin/keys", "key": "/admin/keys/" + notes["key"], "key-new": "/admin/keys/new", "audit": "/admin/audit", "health": "/admin/health"} {
			p.Goto(path)
			p.AssertSound()
			p.Shot(name + "-" + v.name)
		}
	}
}

// A first day: whoever runs the server sets the bank up, guards the account with a
// one-time code, adds a branch, invites a colleague, makes a key, verifies the
// trail, and comes in again with the code.
func TestFirstDay(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	s := newSite(t)
	p := b.Open(s.base, browser.Desk)
	p.Cookie("omote_lang", "en")
	p.Goto("/setup?token=" + s.token)
	p.Press("Control+Enter")
	p.WaitText("things to correct")
	p.Shot("first-setup-wrong")
	for id, text := range map[string]string{"bank": "Example Bank", "unit": "Ba Đình branch", "code": "ba-dinh", "name": "Chief Example", "email": "chief@example.org", "password": password} {
		p.Type("#"+id, text)
	}
	p.Press("Control+Enter")
	p.WaitText("Example Bank is set up")
	p.Shot("first-organisation")

	p.Goto("/account")
	p.Type("#begin-password", password)
	p.ClickText("Set it up")
	p.WaitFor(".qr")
	p.Shot("first-code-qr")
	secret := compact(p.Text(".secret"))
	code := func(ahead time.Duration) string {
		c, err := totp.GenerateCode(secret, time.Now().Add(ahead))
		must(t, err)
		return c
	}
	p.Type("#code-now", code(0))
	p.Press("Enter")
	p.WaitText("Keep these recovery codes now")
	p.Shot("first-recovery")

	p.Goto("/admin/organisation")
	p.ClickText("Ba Đình branch")
	p.WaitFor("#side")
	p.Type("#new-name", "Desk 1")
	p.Type("#side #code", "ba dinh 1")
	p.ClickText("Add")
	p.WaitText("A code has 1 to 40")
	p.Shot("first-unit-wrong")

	p.Goto("/admin/people")
	p.Press("N")
	p.WaitText("You get a link to pass on")
	p.Type("#name", "Lan Example")
	p.Type("#email", "lan@example.org")
	p.ClickText("Invite")
	p.WaitText("Pass this link on now")
	p.Shot("first-invited")

	p.Goto("/admin/keys/new")
	p.Type("#name", "Mobile app")
	p.Press("Control+Enter")
	p.WaitText("Copy the key now")
	p.Shot("first-key")

	p.Goto("/admin/audit")
	p.ClickText("Verify now")
	p.WaitText("The trail is sound.")
	p.Shot("first-verified")

	p.Goto("/account")
	p.ClickText("Sign out of this browser")
	p.WaitText("You are signed out.")
	p.Type("#email", "chief@example.org")
	p.Type("#password", "wrong")
	p.Press("Enter")
	p.WaitText("do not match")
	p.Shot("first-wrong")
	p.Type("#password", password)
	p.Press("Enter")
	p.WaitText("Now the code of your authenticator app")
	p.Shot("first-code")
	p.Type("#code", code(30*time.Second))
	p.Press("Enter")
	p.WaitText("Chief Example")
	p.AssertNoProblemsBut("422", "401")
}
