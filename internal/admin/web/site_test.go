package web_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"omote/internal/app"
	"omote/internal/platform/config"
)

// site is the whole program, serving on a port of its own with nobody in it.
type site struct {
	t     *testing.T
	base  string
	token string // of the first-run set-up
	data  string // the data folder
}

func newSite(t *testing.T, set ...func(*config.Config)) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "om") // short: the socket's path is bounded
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := config.Default()
	c.Data, c.Keys, c.Addr, c.Locale = filepath.Join(dir, "d"), filepath.Join(dir, "keys.json"), "127.0.0.1:0", "en"
	for _, f := range set {
		f(&c)
	}
	a, err := app.Open(t.Context(), app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	at := make(chan string, 1)
	a.OnSetup = func(address string) { at <- address }
	run, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(run, true) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	select {
	case address := <-at:
		u, err := url.Parse(address)
		must(t, err)
		return &site{t: t, base: "http://" + u.Host, token: u.Query().Get("token"), data: c.Data}
	case <-time.After(20 * time.Second):
		t.Fatal("the set-up was not announced")
	}
	return nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// visitor is one browser without script.
type visitor struct {
	*site
	http   *http.Client
	header http.Header
	page   string // the last answer
	at     string // where it leads, or where the visitor is
}

func (s *site) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	return &visitor{site: s, header: http.Header{"Accept-Language": {"en"}}, http: &http.Client{Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// operator is whoever can reach the socket in the data folder.
func (s *site) operator() *visitor {
	v := s.visitor()
	v.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(s.data, app.SocketName))
	}}
	return v
}

// step is one request and what must come of it. Values of form that begin with
// "$" are taken from the notes of the scenario, and so are parts of path.
type step struct {
	name   string
	method string // GET, unless form is set
	path   string
	form   string // "a=1&b=2"; values are taken as they stand
	header string // "Name: value"
	status int
	to     string   // a redirect must begin with it
	has    []string // texts that the answer must hold
	hasNot []string
	note   string // name under which the first group of find is noted
	find   string // regular expression
}

// play carries out a scenario.
func (v *visitor) play(notes map[string]string, steps ...step) {
	v.t.Helper()
	for _, st := range steps {
		fill := func(text string) string {
			for k, val := range notes {
				text = strings.ReplaceAll(text, "$"+k, val)
			}
			return text
		}
		status := v.send(st, fill)
		if status != st.status {
			v.t.Fatalf("%s: status %d, want %d; leads to %q\n%s", st.name, status, st.status, v.at, text(v.page))
		}
		if st.to != "" && !strings.HasPrefix(v.at, fill(st.to)) {
			v.t.Fatalf("%s: leads to %q, want %q", st.name, v.at, st.to)
		}
		for _, h := range st.has {
			if !strings.Contains(v.page, fill(h)) {
				v.t.Fatalf("%s: the page does not say %q:\n%s", st.name, fill(h), text(v.page))
			}
		}
		for _, h := range st.hasNot {
			if strings.Contains(v.page, fill(h)) {
				v.t.Fatalf("%s: the page says %q", st.name, fill(h))
			}
		}
		if st.find != "" {
			m := regexp.MustCompile(st.find).FindStringSubmatch(v.at + "\n" + v.page)
			if m == nil {
				v.t.Fatalf("%s: nothing fits %s in\n%s\n%s", st.name, st.find, v.at, text(v.page))
			}
			notes[st.note] = m[1]
		}
	}
}

func (v *visitor) send(st step, fill func(string) string) (status int) {
	v.t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if st.form != "" {
		method = http.MethodPost
		form := url.Values{}
		for pair := range strings.SplitSeq(fill(st.form), "&") {
			k, val, _ := strings.Cut(pair, "=")
			form.Add(k, val)
		}
		body = strings.NewReader(form.Encode())
	}
	if st.method != "" {
		method = st.method
	}
	req, err := http.NewRequest(method, v.base+fill(st.path), body)
	must(v.t, err)
	req.Header = v.header.Clone()
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if k, val, ok := strings.Cut(st.header, ": "); ok {
		req.Header.Set(k, val)
	}
	res, err := v.http.Do(req)
	must(v.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(v.t, err)
	v.page, v.at = string(raw), res.Header.Get("Location")
	return res.StatusCode
}

var tags = regexp.MustCompile(`(?s)<(script|style|svg|dialog).*?</(script|style|svg|dialog)>|<[^>]+>|\s+`)

// text is what a page says, for messages of failing tests.
func text(page string) string {
	return strings.TrimSpace(regexp.MustCompile(`\s+`).ReplaceAllString(tags.ReplaceAllString(page, " "), " "))
}
