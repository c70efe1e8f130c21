package ui

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"omote/internal/platform/i18n"
)

// speak gives a context in a language.
func speak(t *testing.T, locale string) context.Context {
	t.Helper()
	b, err := i18n.New(Locales())
	if err != nil {
		t.Fatal(err)
	}
	return i18n.With(t.Context(), b.Localizer(locale))
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(Locales()); err != nil {
		t.Error(err)
	}
	uses, err := i18n.Uses(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if len(uses) < 40 {
		t.Errorf("found only %d uses of keys", len(uses))
	}
	b, _ := i18n.New(Locales())
	for _, u := range uses {
		if strings.HasPrefix(u.File, "styleguide/") || strings.HasSuffix(u.Key, ".") {
			continue
		}
		if !b.Localizer("en").Has(u.Key) {
			t.Errorf("%s:%d: no text for %q", u.File, u.Line, u.Key)
		}
	}
}

// TestGenerated fails when a *_templ.go file is not what its .templ file makes.
func TestGenerated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var sources []string
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".templ") {
			sources = append(sources, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(copied), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "tool", "templ", "generate", "-path", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("templ generate: %v\n%s", err, out)
	}
	for _, path := range sources {
		name := strings.TrimSuffix(path, ".templ") + "_templ.go"
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if withoutPaths(string(got)) != withoutPaths(string(want)) {
			t.Errorf("%s is older than %s: run go generate ./internal/ui", name, path)
		}
	}
}

var fileName = regexp.MustCompile("FileName: `[^`]*`")

// withoutPaths leaves out the file names that generated code records.
func withoutPaths(code string) string { return fileName.ReplaceAllString(code, "") }

func TestRich(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":               "plain",
		"**78** of a hundred": "<b>78</b> of a hundred",
		"a **b":               "a **b",
		"<i>**x**</i>":        "&lt;i&gt;<b>x</b>&lt;/i&gt;",
		"**a** & **b**":       "<b>a</b> &amp; <b>b</b>",
	} {
		if got := richHTML(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/metrics?sort=-n":     "/metrics?sort=-n",
		"":                     "/",
		"//evil.example":       "/",
		"/\\evil.example":      "/",
		"https://evil.example": "/",
		"javascript:alert(1)":  "/",
		"metrics":              "/",
		"/a\r\nSet-Cookie: x":  "/",
	} {
		if got := localPath(in); got != want {
			t.Errorf("%q leads to %q, want %q", in, got, want)
		}
	}
}

func TestLayoutRenders(t *testing.T) {
	t.Parallel()
	ctx := WithChrome(speak(t, "vi"), Chrome{Bank: "Bến Lành", Path: "/journeys/7", Nav: Nav{Items: []NavItem{{Key: NavJourneys, Href: "/journeys", Count: 22}, {Key: NavSignals, Href: "/signals", Count: 3, Care: true}}}})
	var b strings.Builder
	if err := Layout(Page{Title: "Mở tài khoản", Finding: "Chỉ **27%** khách"}).Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="vi">`, `<h1>Mở tài khoản</h1>`, `Chỉ <b>27%</b> khách`, `href="/journeys" aria-current="page"`, "Trải nghiệm"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if strings.Contains(b.String(), "style=") {
		t.Error("page has a style attribute, which the Content-Security-Policy forbids")
	}
}
