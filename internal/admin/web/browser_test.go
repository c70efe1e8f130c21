package web_test

import (
	"net/url"
	"os"
	"strings"
	"testing"

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
