// Package browser drives a real Chromium in tests, so that a browser journey can
// follow a person's task and assert what they would see.
//
//	b := browser.Start(t)
//	p := b.Open(server.URL, browser.Desk)
//	p.Goto("/import")
//	p.Attach("#file", "testdata/loans.xes")
//	p.Click("button[type=submit]")
//	p.WaitText("12,388 of 12,400 rows are in")
//	p.Shot("import-done")
//	p.AssertSound()
//
// A page records every console error, uncaught exception, refused policy and
// request to another host from its first moment; AssertSound fails on any of
// them, and on text whose contrast is below WCAG AA. Each page has its own
// cookies. Screenshots go to the folder named by OMOTE_SHOTS, or nowhere.
//
// Where no Chromium is installed the test is left out with a plain message,
// unless CI=true: there absence is a failure. OMOTE_CHROMIUM names a binary.
//
// Files: browser.go (start, open), page.go (what a person does and sees),
// contrast.go (WCAG contrast of all visible text), measure.go (slow phones, weight,
// first paint, what a screen reader has).
package browser

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Viewport is a window: its size and what the reader's system prefers.
type Viewport struct {
	Width, Height int64
	Dark          bool
	Phone         bool // touch, and a pixel ratio of 2
	Still         bool // reduced motion
	NoScript      bool // the page's scripts do not run
	Print         bool // style sheets for paper
}

// The windows that the design is made for.
var (
	Desk  = Viewport{Width: 1440, Height: 1000, Still: true}
	Phone = Viewport{Width: 390, Height: 844, Phone: true, Still: true}
)

// InDark is the same window on a dark system.
func (v Viewport) InDark() Viewport { v.Dark = true; return v }

// step is the longest that one action may take.
const step = 60 * time.Second

// Browser is one Chromium process, ended with the test.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Start begins a Chromium with a fresh profile.
func Start(t testing.TB) *Browser {
	t.Helper()
	path := find()
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("browser suite needs Chromium: apt-get install chromium")
		}
		t.Skip("browser suite left out: no Chromium found (apt-get install chromium)")
	}
	for try := 1; ; try++ {
		ctx, err := launch(t, path)
		if err == nil {
			return &Browser{t: t, ctx: ctx}
		}
		if try == startTries {
			t.Fatalf("start %s, %d times: %v", path, try, err)
		}
		t.Logf("start %s: %v", path, err)
	}
}

// startTries is how often a process is started that ends before it answers, as
// happens when many begin at once on a small machine.
const startTries = 3

// launch begins one process.
func launch(t testing.TB, path string) (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true), chromedp.Flag("no-pings", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("font-render-hinting", "none"),
		chromedp.Flag("lang", "en-US"),
	)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	end := func() {
		_ = chromedp.Cancel(ctx)
		cancel()
		stop()
	}
	if err := chromedp.Do(ctx); err != nil {
		end()
		return nil, err
	}
	t.Cleanup(end)
	return ctx, nil
}

func find() string {
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}
	if own := os.Getenv("OMOTE_CHROMIUM"); own != "" {
		names = []string{own}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Open makes a window with its own cookies for the site at base, such as the
// address of an httptest server. Every request to another host is a problem.
func (b *Browser) Open(base string, v Viewport) *Page {
	b.t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		b.t.Fatalf("base address %q: %v", base, err)
	}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.t.Cleanup(cancel)
	p := &Page{t: b.t, ctx: ctx, base: strings.TrimSuffix(base, "/"), host: u.Host}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		b.t.Fatalf("open window: %v", err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatalf("watch the network: %v", err)
	}
	p.Resize(v)
	return p
}

// listen records what should not happen. It runs on the goroutine that reads the
// browser's messages, so it only writes down.
func (p *Page) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "assert" {
			p.problem("console: " + arguments(e.Args))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		p.problem("exception: " + text)
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" {
			p.problem("browser: " + e.Entry.Text + " " + e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		p.request(e.Request.URL)
	}
}

func (p *Page) request(address string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "data" || u.Scheme == "blob" || u.Scheme == "about" {
		return
	}
	if u.Host != p.host {
		p.problem("request to another host: " + address)
	}
}

func arguments(args []*runtime.RemoteObject) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = strings.Trim(string(a.Value), `"`)
		if parts[i] == "" {
			parts[i] = a.Description
		}
	}
	return strings.Join(parts, " ")
}

// Page is one window.
type Page struct {
	t    testing.TB
	ctx  context.Context
	base string
	host string
	view Viewport

	mu       sync.Mutex
	problems []string
}

func (p *Page) problem(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, text)
}
