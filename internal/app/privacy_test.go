package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"omote/internal/customer/consent"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
	"omote/internal/testkit/browser"
	"omote/internal/ui"
)

// addOfficer makes a data-protection officer and signs them in.
func addOfficer(t *testing.T, b *branch) (session string) {
	t.Helper()
	n := auth.NewAccount{Email: browserEmail, Name: "Trần Lan", Locale: "en", Grants: []auth.Grant{{Role: auth.DPO, Unit: "/"}, {Role: auth.CXLead, Unit: "/"}}}
	err := b.Store.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
		account, err := b.Auth().AddAccount(ctx, tx, n)
		if err != nil {
			return err
		}
		return b.Auth().SetPassword(ctx, tx, account.ID, browserPassword)
	})
	if err == nil {
		session, err = b.Auth().SignIn(b.ctx, auth.Credentials{Email: browserEmail, Password: browserPassword}, auth.Client{Agent: "test", Address: "127.0.0.1"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// TestPrivacyJourney follows a person's wish to be forgotten through the officer's
// pages, and the customer's own page on a phone. Every page of the way is looked at
// in both languages.
func TestPrivacyJourney(t *testing.T) {
	b := browser.Start(t)
	s := openBranch(t, crashConfig(t.TempDir()))
	s.fill()
	session := addOfficer(t, s)
	base := "http://" + s.WaitAddress(s.ctx)
	open := func(lang, theme string, view browser.Viewport) *browser.Page {
		p := b.Open(base, view)
		p.Goto("/sign-in")
		p.Cookie(i18n.CookieName, lang)
		p.Cookie(ui.ThemeCookie, theme)
		p.Cookie((&auth.Web{}).CookieName(), session)
		return p
	}
	p := open("en", "light", browser.Desk)
	p.Goto("/customer/requests")
	p.WaitText("Every request has been answered")
	p.Click(`main a[href="/customer/requests/new"]`)
	p.Type(`input[name=customer]`, s.record(personID))
	p.Click(`input[name=kind][value=erase]`)
	p.Type(`textarea[name=wish]`, "Xin xoá mọi dữ liệu của tôi.")
	p.Shot("request-new")
	p.Click(`main button[type=submit]`)
	p.WaitText("Make sure that the request is the person's own")
	request := p.Path()
	p.AssertSound()
	p.Shot("request-received")
	p.ClickText("The person was checked")
	p.WaitText("Tell the person how")
	p.ClickText("The person was told how")
	p.WaitText("Carry it out and answer by")
	p.ClickText("Put the erasure forward")
	p.WaitText("Somebody else decides")
	p.AssertSound()
	p.Shot("request-waits")
	secondPerson(t, b, s.App, s.ctx, base)
	p.Goto(request)
	p.WaitText("Certificate of erasure")
	p.ClickText("Certificate of erasure")
	certificate := p.Path()
	for range 50 {
		if !strings.Contains(p.Text("main"), "under way") {
			break
		}
		p.Goto(certificate)
	}
	p.WaitText("rows are gone")
	p.AssertSound()
	p.Shot("certificate")
	p.Goto(request)
	p.Type(`textarea[name=answer]`, "Mọi dữ liệu đã được xoá.")
	p.ClickText("Done: answer the person")
	p.WaitText("Nothing is left to do")
	p.Shot("request-done")

	// The customer's own page, on a phone, without signing in.
	token, err := s.Consents().Link(s.ctx, s.record(stranger))
	if err != nil {
		t.Fatal(err)
	}
	mine := b.Open(base, browser.Phone)
	mine.Goto("/sign-in")
	mine.Cookie(i18n.CookieName, "vi")
	mine.Goto("/preferences/" + token)
	mine.WaitText("Dừng tất cả")
	mine.AssertSound()
	mine.Shot("preferences-vi")
	mine.ClickText("Dừng tất cả")
	mine.WaitText("Đã dừng tất cả")
	mine.AssertSound()
	mine.Shot("preferences-stopped")
	var d consent.Decision
	err = s.Store.Read(s.ctx, func(ctx context.Context, tx store.Tx) error {
		d, err = s.Consents().Decide(ctx, tx, s.record(stranger), "marketing", "email")
		return err
	})
	if err != nil || d.Allowed || d.Reason != consent.Withdrawn {
		t.Errorf("%+v %v", d, err)
	}
	mine.Click(`input[name="yes.survey.app"]`)
	mine.ClickText("Lưu lựa chọn")
	mine.WaitText("Đã lưu lựa chọn")
	// Without script the same form works: a plain post.
	res, err := http.Post(base+"/preferences/"+token+"/stop", "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(text), "Everything is stopped") {
		t.Errorf("a plain post: %d %v", res.StatusCode, err)
	}
	for path, want := range map[string]int{"/preferences/" + token + "x": http.StatusNotFound, "/preferences/nonsense": http.StatusNotFound} {
		res, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}

	pages := map[string]string{"requests": "/customer/requests?show=all", "request": request, "certificate": certificate, "erasures": "/customer/erasures", "consent": "/customer/consent",
		"purpose": "/customer/consent/purposes/marketing", "standing": "/customer/customers/" + s.record(stranger) + "/consent", "contact": "/customer/contact", "contact-edit": "/customer/contact?edit=1",
		"why": "/customer/contact/why?customer=" + s.record(stranger) + "&kind=marketing&channel=sms", "retention": "/customer/retention"}
	for _, l := range looks() {
		p := open(l.lang, l.theme, l.view)
		for name, path := range pages {
			p.Goto(path)
			p.AssertSound()
			if n := p.Overflow(); n > 0 {
				t.Errorf("%s is %d px too wide (%s, %s)", name, n, l.lang, l.size)
			}
			p.Shot(strings.Join([]string{name, l.lang, l.theme, l.size}, "-"))
		}
	}
}

// call speaks to the API as the machine's operator and decodes the answer.
func (b *branch) call(method, path string, body any, want int) map[string]any {
	b.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.ctx, method, "http://omote/api/v1"+path, bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		b.t.Fatalf("%s %s: %d %s %v, want %d", method, path, res.StatusCode, text, err, want)
	}
	var out map[string]any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &out); err != nil {
			b.t.Fatal(err)
		}
	}
	return out
}

type object = map[string]any

func TestPrivacyAPI(t *testing.T) {
	t.Parallel()
	b := openBranch(t, crashConfig(t.TempDir()))
	b.fill()
	me := "/customers/" + b.record(stranger)
	decide := func() any {
		return b.call("GET", me+"/consent/decision?purpose=marketing&channel=email", nil, 200)["reason"]
	}
	if got := decide(); got != "granted" {
		t.Errorf("%v", got)
	}
	b.call("POST", me+"/consent", object{"statements": []object{{"purpose": "marketing", "channel": "email", "granted": false, "whole": true, "evidence": "call 7"}}}, 200)
	if got := decide(); got != "withdrawn" {
		t.Errorf("%v", got)
	}
	b.call("POST", me+"/consent", object{"statements": []object{{"purpose": "*", "granted": true}}}, 422)
	why := b.call("GET", me+"/contact-decision?kind=marketing&channel=email", nil, 200)
	if why["allowed"] != false || why["why"] != "consent_withdrawn" || len(why["reasons"].([]any)) < 5 {
		t.Errorf("%v", why)
	}
	// In the small hours of the following day a service message passes and is counted.
	if got := b.call("POST", me+"/contacts", object{"kind": "service", "channel": "sms", "ref": "m1"}, 200); got["allowed"] != true || got["reservation"] != "m1" {
		t.Errorf("%v", got)
	}
	b.call("DELETE", me+"/contacts/m1", nil, 204)
	if got := b.call("GET", me+"/contacts", nil, 200)["items"].([]any); len(got) != 1 || got[0].(object)["state"] != "released" {
		t.Errorf("%v", got)
	}
	policy := b.call("GET", "/contact-policy", nil, 200)
	policy["note"] = "no change"
	delete(policy, "$schema")
	if got := b.call("PUT", "/contact-policy", policy, 200); got["version"] != float64(2) || got["waits"] == nil {
		t.Errorf("version %v waits for %v", got["version"], got["waits"])
	}
	b.call("PUT", "/contact-policy", policy, 409)
	link := b.call("POST", me+"/consent/link", object{}, 200)["url"].(string)
	if !strings.Contains(link, "/preferences/") {
		t.Error(link)
	}
	request := b.call("POST", "/subject-requests", object{"customer": b.record(stranger), "kind": "erase"}, 200)
	id := "/subject-requests/" + request["id"].(string)
	b.call("POST", id+"/complete", object{"answer": "x"}, 409)
	b.call("POST", id+"/check", object{"method": "app_session"}, 200)
	b.call("POST", id+"/reply", object{}, 200)
	b.call("POST", id+"/extend", object{"amount": 16, "reason": "x"}, 422)
	if got := b.call("POST", id+"/extend", object{"amount": 15, "reason": "many systems"}, 200); len(got["steps"].([]any)) < 4 {
		t.Errorf("%v", got)
	}
	if got := b.call("GET", "/subject-requests", nil, 200)["items"].([]any); len(got) != 1 {
		t.Errorf("%v", got)
	}
	cert := b.call("POST", "/customers/"+b.record(personID)+"/erasure", object{"reason": "asked at the branch"}, 200)
	if cert["state"] != "waiting" || len(cert["places"].([]any)) > 0 {
		t.Errorf("%v", cert)
	}
	checker, _ := colleague(t, b.App, b.ctx, "minh.vu@example.com", "Vũ Minh", auth.DPO)
	if _, err := b.Approvals().Decide(checker, cert["proposal"].(string), approval.Approve, ""); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		cert = b.call("GET", "/erasures", nil, 200)["items"].([]any)[0].(object)
		if cert["state"] == "done" {
			break
		}
		if err := clock.Sleep(b.ctx, 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if cert["state"] != "done" || len(cert["places"].([]any)) < 15 {
		t.Errorf("%v", cert)
	}
	if got := b.call("GET", "/erasures", nil, 200)["items"].([]any); len(got) != 1 {
		t.Errorf("%v", got)
	}
}
