package auth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

// site is a small server with the middleware as the program stacks it: sign-in,
// sign-out, a page that says who asks, and a door for other sites.
func site(t *testing.T, r rig) (*httptest.Server, *Web) {
	t.Helper()
	web := &Web{Service: r.Service, Cookieless: []string{"/v1/"}, Fail: func(w http.ResponseWriter, _ *http.Request, err error) {
		http.Error(w, errs.KindOf(err).String(), http.StatusUnauthorized)
	}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sign-in", func(w http.ResponseWriter, req *http.Request) {
		token, err := r.SignIn(req.Context(), Credentials{Email: req.FormValue("email"), Password: req.FormValue("password")}, web.Client(req))
		if err == nil {
			err = web.Begin(w, req, token)
		}
		if err != nil {
			web.Fail(w, req, err)
		}
	})
	mux.HandleFunc("POST /sign-out", func(w http.ResponseWriter, req *http.Request) {
		if err := web.End(w, req); err != nil {
			t.Error(err)
		}
	})
	who := func(w http.ResponseWriter, req *http.Request) {
		s, _ := scope.From(req.Context())
		fmt.Fprintf(w, "%s %s", s.Actor, s.Unit)
	}
	mux.HandleFunc("/who", who)
	mux.HandleFunc("/v1/track", who)
	guard := http.NewCrossOriginProtection()
	guard.AddInsecureBypassPattern("/v1/")
	server := httptest.NewServer(guard.Handler(web.Identify(mux)))
	t.Cleanup(server.Close)
	return server, web
}

type browser struct {
	t      *testing.T
	client *http.Client
	base   string
}

func newBrowser(t *testing.T, base string) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser{t, &http.Client{Jar: jar}, base}
}

// do sends a request with headers "Name: value" and gives status and body.
func (b browser) do(method, path string, form url.Values, headers ...string) (int, string, *http.Response) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(body)), res
}

func (b browser) signIn(headers ...string) (int, *http.Response) {
	b.t.Helper()
	status, _, res := b.do(http.MethodPost, "/sign-in", url.Values{"email": {"lan@bank.test"}, "password": {good}}, headers...)
	return status, res
}

func (b browser) who(path string, headers ...string) string {
	b.t.Helper()
	status, body, _ := b.do(http.MethodGet, path, nil, headers...)
	return fmt.Sprint(status, " ", body)
}

func webRig(t *testing.T) rig {
	t.Helper()
	return newRig(t, testkit.SQLite(t, sealed.Migrations, audit.Migrations, Migrations))
}

func TestCookieIsOnlyForThisServer(t *testing.T) {
	t.Parallel()
	r := webRig(t)
	r.add("lan@bank.test")
	server, web := site(t, r)
	for _, secure := range []bool{false, true} {
		web.Secure = secure
		status, res := newBrowser(t, server.URL).signIn()
		if status != http.StatusOK || len(res.Cookies()) != 1 {
			t.Fatal(status, res.Cookies())
		}
		c := res.Cookies()[0]
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != secure || !c.Expires.IsZero() {
			t.Errorf("secure=%v: %+v", secure, c)
		}
		if secure != strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("secure=%v: cookie %s", secure, c.Name)
		}
	}
}

func TestBrowserSignsInAndOut(t *testing.T) {
	t.Parallel()
	r := webRig(t)
	id := r.add("lan@bank.test", Grant{Champion, "/north/"})
	server, web := site(t, r)
	b := newBrowser(t, server.URL)
	if got := b.who("/who"); got != "200 " {
		t.Errorf("before: %s", got)
	}
	b.signIn()
	if got := b.who("/who"); got != "200 account:"+id+" /north/" {
		t.Errorf("signed in: %s", got)
	}
	if got := b.who("/v1/track"); got != "200 " {
		t.Errorf("a cookie counts at a door for other sites: %s", got)
	}
	token := b.client.Jar.Cookies(must1(url.Parse(server.URL)))[0].Value
	b.do(http.MethodPost, "/sign-out", nil)
	if got := b.who("/who", "Cookie: "+web.CookieName()+"="+token); got != "200 " {
		t.Errorf("the token works after signing out: %s", got)
	}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A session that an attacker planted, or that was there before, is worth nothing
// after signing in.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	r := webRig(t)
	r.add("lan@bank.test", Grant{Analyst, "/"})
	server, web := site(t, r)
	b := newBrowser(t, server.URL)
	u := must1(url.Parse(server.URL))
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: web.CookieName(), Value: "planted", Path: "/"}})
	b.signIn()
	first := b.client.Jar.Cookies(u)[0].Value
	if first == "planted" {
		t.Fatal("the planted token became the session's")
	}
	b.signIn()
	second := b.client.Jar.Cookies(u)[0].Value
	if second == first {
		t.Error("signing in again kept the token")
	}
	for _, old := range []string{"planted", first} {
		if got := newBrowser(t, server.URL).who("/who", "Cookie: "+web.CookieName()+"="+old); got != "200 " {
			t.Errorf("token %.7s…: %s", old, got)
		}
	}
}

func TestOtherSitesCannotAct(t *testing.T) {
	t.Parallel()
	r := webRig(t)
	r.add("lan@bank.test")
	server, _ := site(t, r)
	b := newBrowser(t, server.URL)
	b.signIn()
	for name, headers := range map[string][]string{
		"cross-site":       {"Sec-Fetch-Site: cross-site"},
		"same-site":        {"Sec-Fetch-Site: same-site"}, // another subdomain
		"old browser":      {"Origin: https://evil.test"},
		"opaque origin":    {"Origin: null"},
		"wrong port":       {"Origin: http://127.0.0.1:1"},
		"signing in there": {"Sec-Fetch-Site: cross-site", "Origin: https://evil.test"},
	} {
		if status, _, _ := b.do(http.MethodPost, "/sign-out", nil, headers...); status != http.StatusForbidden {
			t.Errorf("%s: POST gave %d", name, status)
		}
		if status, _ := b.signIn(headers...); status != http.StatusForbidden {
			t.Errorf("%s: sign-in gave %d", name, status)
		}
	}
	if status, _, _ := b.do(http.MethodPost, "/v1/track", nil, "Sec-Fetch-Site: cross-site"); status != http.StatusOK {
		t.Errorf("the door for other sites: %d", status)
	}
	if status, _, _ := b.do(http.MethodPost, "/sign-out", nil, "Sec-Fetch-Site: same-origin"); status != http.StatusOK {
		t.Errorf("the site itself: %d", status)
	}
}

func TestKeysInRequests(t *testing.T) {
	t.Parallel()
	r := webRig(t)
	var raw, id string
	r.write(func(ctx context.Context, tx store.Tx) error {
		k, secret, err := r.AddKey(ctx, tx, NewKey{Name: "app", Roles: []Role{KeyIngest}})
		raw, id = secret, k.ID
		return err
	})
	server, _ := site(t, r)
	b := newBrowser(t, server.URL)
	basic := func(user string) string {
		req := must1(http.NewRequest(http.MethodGet, "/", nil))
		req.SetBasicAuth(user, "")
		return "Authorization: " + req.Header.Get("Authorization")
	}
	for name, c := range map[string][2]string{
		"bearer":            {"Authorization: Bearer " + raw, "200 key:" + id + " /"},
		"bearer, any case":  {"Authorization: bearer " + raw, "200 key:" + id + " /"},
		"write key":         {basic(raw), "200 key:" + id + " /"},
		"wrong bearer":      {"Authorization: Bearer omote_x", "401 unauthenticated"},
		"wrong write key":   {basic(raw + "x"), "401 unauthenticated"},
		"another basic":     {basic("someone"), "200 "},
		"empty bearer":      {"Authorization: Bearer ", "200 "},
		"some other scheme": {"Authorization: Negotiate abc", "200 "},
	} {
		for _, path := range []string{"/who", "/v1/track"} {
			if got := b.who(path, c[0]); got != c[1] {
				t.Errorf("%s at %s: %s, want %s", name, path, got, c[1])
			}
		}
	}
}

func TestAddressBehindProxies(t *testing.T) {
	t.Parallel()
	web := &Web{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"203.0.113.5:1234", "", "203.0.113.5"},
		{"203.0.113.5:1234", "198.51.100.7", "203.0.113.5"}, // not through a proxy of ours: not believed
		{"10.0.0.1:1234", "198.51.100.7", "198.51.100.7"},
		{"10.0.0.1:1234", "1.2.3.4, 198.51.100.7", "198.51.100.7"}, // the sender wrote the first one
		{"10.0.0.1:1234", "1.2.3.4, 198.51.100.7, 10.0.0.9", "198.51.100.7"},
		{"10.0.0.1:1234", "nonsense", "10.0.0.1"},
		{"10.0.0.1:1234", "", "10.0.0.1"},
		{"[::1]:1234", "2001:db8::1", "2001:db8::1"},
	} {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.RemoteAddr = c.remote
		if c.forwarded != "" {
			req.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := web.Client(req).Address; got != c.want {
			t.Errorf("%s, %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "/", "/a?b=c": "/a?b=c", "//evil.test": "/", "https://evil.test": "/", "/\\evil.test": "/", "/a\r\nb": "/"} {
		if got := localPath(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
