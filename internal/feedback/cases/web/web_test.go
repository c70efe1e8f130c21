package web_test

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"omote/internal/admin/org"
	"omote/internal/app"
	"omote/internal/feedback/cases"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/store"
	"omote/internal/testkit/browser"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const password = "bốn mùa hoa nở trên đồi"

// bank is the whole program with one branch and one person of each kind.
type bank struct {
	*app.App
	t    *testing.T
	ctx  context.Context
	base string
	mail string // folder of letters
}

func newBank(t *testing.T) *bank {
	t.Helper()
	dir, err := os.MkdirTemp("", "om") // short: the socket's path is bounded
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := config.Default()
	c.Data, c.Keys, c.Addr, c.Locale, c.Bank = filepath.Join(dir, "d"), filepath.Join(dir, "keys.json"), "127.0.0.1:0", "en", "Example Bank"
	c.Mail, c.MailFrom = "folder:"+filepath.Join(dir, "mail"), "Example Bank <no-reply@bank.example>"
	ctx, cancel := context.WithCancel(context.Background())
	a, err := app.Open(ctx, app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, true) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	b := &bank{App: a, t: t, ctx: a.System(ctx), base: "http://" + a.WaitAddress(ctx), mail: filepath.Join(dir, "mail")}
	_, err = a.Admin().Org.Add(b.ctx, org.New{Parent: "/", Code: "ba-dinh", Kind: org.Single, Name: "Ba Đình"})
	must(t, err)
	for email, grant := range map[string]auth.Grant{"lead@example.com": {Role: auth.CXLead, Unit: "/"}, "champion@example.com": {Role: auth.Champion, Unit: "/ba-dinh/"}, "analyst@example.com": {Role: auth.Analyst, Unit: "/"}} {
		must(t, a.Store.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
			account, err := a.Auth().AddAccount(ctx, tx, auth.NewAccount{Email: email, Name: "Hồ Ví Dụ " + email, Locale: "en", Grants: []auth.Grant{grant}})
			if err != nil {
				return err
			}
			return a.Auth().SetPassword(ctx, tx, account.ID, password)
		}))
	}
	return b
}

// visitor is a browser without script.
type visitor struct {
	*bank
	http *http.Client
}

func (b *bank) visitor(email string) *visitor {
	jar, err := cookiejar.New(nil)
	must(b.t, err)
	v := &visitor{b, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if email != "" {
		if status, _, to := v.send("/sign-in", url.Values{"email": {email}, "password": {password}}); status != http.StatusSeeOther {
			b.t.Fatalf("sign in: %d %s", status, to)
		}
	}
	return v
}

// send gets a page, or posts a form; it gives status, page and where it leads.
func (v *visitor) send(path string, form url.Values) (int, string, string) {
	v.t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, body)
	must(v.t, err)
	r.Header.Set("Accept-Language", "en")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := v.http.Do(r)
	must(v.t, err)
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	must(v.t, err)
	return res.StatusCode, string(page), res.Header.Get("Location")
}

func (v *visitor) want(status int, path string, form url.Values, has ...string) (string, string) {
	v.t.Helper()
	got, page, to := v.send(path, form)
	if got != status {
		v.t.Fatalf("%s: status %d, want %d\n%.2000s", path, got, status, page)
	}
	for _, h := range has {
		if !strings.Contains(page, h) {
			v.t.Fatalf("%s does not say %q:\n%.3000s", path, h, page)
		}
	}
	return page, to
}

func find(t *testing.T, expr, in string) string {
	t.Helper()
	m := regexp.MustCompile(expr).FindStringSubmatch(in)
	if m == nil {
		t.Fatalf("nothing fits %s", expr)
	}
	return m[1]
}

// TestPages plays what people send, good and bad.
func TestPages(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	lead, analyst, customer := b.visitor("lead@example.com"), b.visitor("analyst@example.com"), b.visitor("")

	// The customer's form: what is missing, script in text, sent twice, by a program.
	page, _ := customer.want(200, "/complain", nil, "Tell us what went wrong")
	token := find(t, `name="token" value="([0-9a-f]{32})"`, page)
	form := url.Values{"token": {token}, "title": {"<script>alert(1)</script>"}, "words": {"I was charged twice"}, "reason": {"charged_twice"}, "product": {"debit_card"}, "locale": {"en"}}
	customer.want(422, "/complain", form, "Leave a phone number", "&lt;script&gt;alert(1)")
	form.Set("phone", "0900 000 002")
	_, to := customer.want(303, "/complain", form)
	if to != "/complain?sent" {
		t.Errorf("leads to %s", to)
	}
	customer.want(200, to, nil, "CV-00001", "A named person will write or call by")
	customer.want(303, "/complain", form) // the same form again: one case
	robot := url.Values{"token": {token}, "title": {"buy"}, "website": {"http://spam.example"}, "phone": {"1"}}
	customer.want(303, "/complain", robot)
	huge := url.Values{"token": {strings.Repeat("a", 32)}, "title": {"x"}, "phone": {"0900000003"}, "words": {strings.Repeat("x", cases.MaxWords+1)}}
	customer.want(422, "/complain", huge, "longer than")
	lead.want(200, "/feedback/cases", nil, "CV-00001", "&lt;script&gt;alert(1)")
	if page, _ := lead.want(200, "/feedback/cases?show=all", nil); strings.Contains(page, "CV-00002") {
		t.Error("a form sent twice made two cases")
	}
	analyst.want(403, "/feedback/cases", nil)
	if status, _, to := customer.send("/feedback/cases", nil); status != 303 || !strings.HasPrefix(to, "/sign-in") {
		t.Errorf("a stranger gets %d %s", status, to)
	}

	// Forged and malformed links tell nothing.
	for _, forged := range []string{"x", strings.Repeat("A", 43), strings.Repeat("A", 500), "..%2f..%2fetc"} {
		customer.want(404, "/feedback/solved/"+forged, nil)
		customer.want(404, "/feedback/solved/"+forged, url.Values{"solved": {"yes"}})
	}

	// Every page of the lead, a filter, the CSV, a letter with a gap, a refused close.
	id := find(t, `/feedback/cases/([0-9a-f-]{36})`, first(lead.send("/feedback/cases", nil)))
	lead.want(200, "/feedback/cases/"+id, nil, "Acknowledge a complaint", "I was charged twice", "0900 000 002")
	lead.want(200, "/feedback/cases/CV-00001", nil)
	for _, path := range []string{"/feedback/cases/register", "/feedback/cases/clusters", "/feedback/cases/wallet", "/feedback/rules", "/feedback/rules/pack/uk_disp", "/feedback/rules/calendar/vn_banking",
		"/feedback/rules/ladder/ladder_internal", "/feedback/rules/rules/rules", "/feedback/rules/wallet/wallet", "/feedback/rules/routing/routing", "/feedback/today", "/feedback/today/" + id, "/feedback/cases/new",
		"/feedback/cases?who=me&show=late", "/feedback/cases?q=CV-00001", "/feedback/cases?format=csv", "/feedback/cases/register?format=csv", "/feedback/cases/" + id + "/letter/final"} {
		lead.want(200, path, nil)
	}
	lead.want(404, "/feedback/cases/no-such-case", nil)
	lead.want(422, "/feedback/cases/register?from=yesterday", nil)
	lead.want(422, "/feedback/cases/"+id+"/letter/final", url.Values{"subject": {"x"}, "body": {"Dear …"}}, "still has a gap")
	lead.want(303, "/feedback/cases/"+id+"/act/close", url.Values{"cause": {"system_fault"}, "actions": {"explained"}})
	lead.want(200, "/feedback/cases/"+id, nil, "A statutory duty is still open")
	lead.want(303, "/feedback/cases/"+id+"/act/contact", url.Values{"reached": {"1"}, "channel": {"phone"}, "words": {"<b>sorry</b>"}})
	lead.want(200, "/feedback/cases/"+id, nil, "&lt;b&gt;sorry&lt;/b&gt;", "reached the customer")
	lead.want(422, "/feedback/rules/ladder/ladder_internal", url.Values{"body": {"id: ladder_internal"}}, "cannot be put in force")
	lead.want(303, "/feedback/cases/"+id+"/act/gesture", url.Values{"kind": {"fee_refund"}, "amount": {"99.000.000"}, "reason": {"too much"}})
	lead.want(200, "/feedback/cases/"+id, nil, "asks for a recorded cause first")

	// A form of another site is refused.
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.base+"/complain", strings.NewReader(form.Encode()))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := customer.http.Do(r)
	must(t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site gets %d", res.StatusCode)
	}
}

func first(_ int, page, _ string) string { return page }

// TestJourney follows an unhappy answer in a real browser: the case on the champion's
// phone, the call with cause and gesture, the letter with the one tap, a no that
// reopens, and a yes that verifies.
func TestJourney(t *testing.T) {
	window := browser.Start(t)
	b := newBank(t)
	must(t, b.Store.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := b.Cases().Take(ctx, tx, cases.Intake{Unit: "/ba-dinh/", Channel: "survey", Journey: "cards", Words: "Một tuần rồi không ai gọi lại cho tôi.", Name: "Nguyễn Văn Mẫu", Phone: "0900 000 001",
			Email: "mau@example.com", Locale: "vi", Signal: cases.Signal{Source: "survey", Ref: "a1", Kind: "answer"}}, cases.Facts{"signal": "answer", "scale": 10.0, "score": 2.0, "journey": "cards"})
		return err
	}))
	p := window.Open(b.base, browser.Phone)
	p.Goto("/sign-in")
	p.Cookie("omote_lang", "vi")
	p.Goto("/sign-in")
	p.Type("input[name=email]", "champion@example.com")
	p.Type("input[name=password]", password)
	p.Press("Enter")
	for range 200 {
		if p.Settle(); p.Path() != "/sign-in" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	call := func(shot string) {
		t.Helper()
		p.Goto("/feedback/today")
		p.WaitText("Một tuần rồi không ai gọi lại cho tôi.")
		p.Shot(shot + "-today")
		p.AssertSound()
		p.ClickText("Gọi ngay")
		p.WaitText("0900 000 001")
		p.Type("textarea[name=words]", "Đã xin lỗi, hoàn phí.")
		p.Click("select[name=cause]")
		browser.Eval[bool](p, `(document.querySelector("select[name=cause]").value = "delay", true)`)
		p.Click("input[name=actions][value=apologised]")
	}
	call("first")
	p.ClickText("Khắc phục")
	p.Type("input[name=amount]", "100.000")
	p.Type("input[name=reason]", "phí thu nhầm")
	p.Shot("call")
	p.Click("button[value=done]")
	p.WaitText("Hiện không có việc nào")
	p.AssertSound()

	// The customer's tap comes from the letter; opening the link answers nothing.
	customer := window.Open(b.base, browser.Phone)
	link := b.link(1)
	customer.Goto(link)
	customer.WaitText("đã được giải quyết chưa")
	customer.Shot("solved-ask")
	customer.AssertSound()
	if c := b.only(); c.State != cases.Asked {
		t.Fatalf("opening the link made it %s", c.State)
	}
	customer.Click("button[value=no]")
	customer.WaitText("đã mở lại")
	if c := b.only(); c.State != cases.Working || c.Reopened != 1 {
		t.Fatalf("a no made it %s", c.State)
	}
	call("again")
	p.Click("button[value=done]")
	p.WaitText("Hiện không có việc nào")
	customer.Goto(b.link(2))
	customer.Click("button[value=yes]")
	customer.WaitText("Cảm ơn Quý khách")
	customer.Shot("solved-thanks")
	if c := b.only(); c.State != cases.Solved || c.Outcome != "solved" || c.Cause != "delay" {
		t.Fatalf("a yes made it %+v", c)
	}
}

// only is the one case of the bank.
func (b *bank) only() cases.Case {
	b.t.Helper()
	page, err := b.Cases().List(b.ctx, cases.Query{Closed: true})
	must(b.t, err)
	if len(page.Items) != 1 {
		b.t.Fatalf("%d cases", len(page.Items))
	}
	return page.Items[0]
}

// link waits for the n-th letter in the mail folder and gives the path of its link.
func (b *bank) link(n int) string {
	b.t.Helper()
	for range 300 {
		files, _ := filepath.Glob(filepath.Join(b.mail, "*.eml"))
		var links []string
		for _, f := range files {
			raw, err := os.ReadFile(f)
			must(b.t, err)
			if m := regexp.MustCompile(`/feedback/solved/[A-Za-z0-9_-]+`).FindString(plain(string(raw))); m != "" {
				info, err := os.Stat(f)
				must(b.t, err)
				links = append(links, info.ModTime().Format("20060102150405.000000000")+m)
			}
		}
		if len(links) >= n {
			slices.Sort(links)
			return links[n-1][len("20060102150405.000000000"):]
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("letter %d did not come", n)
	return ""
}

// plain undoes quoted-printable and base64 bodies, as far as a link needs.
func plain(raw string) string {
	text := strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(raw)
	for _, block := range regexp.MustCompile(`(?m)(?:^[A-Za-z0-9+/=]{40,}\r?\n)+`).FindAllString(raw+"\n", -1) {
		if out, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(block)); err == nil {
			text += string(out)
		}
	}
	return text
}
