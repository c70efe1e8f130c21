package i18n

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"omote/internal/platform/errs"
	"omote/internal/platform/money"
)

func source(en, vi string) Source {
	return Source{Name: "test", Dir: "locales", FS: fstest.MapFS{
		"locales/en.json": {Data: []byte(en)},
		"locales/vi.json": {Data: []byte(vi)},
	}}
}

const (
	enGood = `{"import":{"title":"Import","done":{"one":"{count} row of {file} is in.","other":"{count} rows of {file} are in."}},
	 "brace":"{{x}}","metric.value":"{value} on {day}, {sum}","error.kind.internal":"Something failed here.","error.min":"At least {min}."}`
	viGood = `{"import":{"title":"Nhập dữ liệu","done":"Đã nhận {count} dòng của {file}."},
	 "brace":"{{x}}","metric.value":"{value} ngày {day}, {sum}","error.kind.internal":"Có lỗi ở đây.","error.min":"Ít nhất {min}."}`
)

func TestT(t *testing.T) {
	t.Parallel()
	b, err := New(source(enGood, viGood))
	if err != nil {
		t.Fatal(err)
	}
	en, vi := b.Localizer("en"), b.Localizer("vi")
	day := time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{en.T("import.done", "count", 1, "file", "a"), "1 row of a is in."},
		{en.T("import.done", "count", 12388, "file", "a"), "12,388 rows of a are in."},
		{vi.T("import.done", "count", 12388, "file", "a"), "Đã nhận 12.388 dòng của a."},
		{en.T("brace"), "{x}"},
		{vi.T("metric.value", "value", 0.5, "day", day, "sum", money.VND(1000)), "0,5 ngày 19.11.2026, 1.000\u00a0₫"},
		{en.T("import.done", "count", 2), "2 rows of {file} are in."},
		{en.T("no.such.key"), "no.such.key"},
		{b.Localizer("xx").T("import.title"), "Import"},
		{T(t.Context(), "import.title"), "import.title"},
		{T(With(t.Context(), vi), "import.title"), "Nhập dữ liệu"},
		{Error(With(t.Context(), en), fmt.Errorf("disk: %w", context.Canceled)), "Something failed here."},
		{Error(With(t.Context(), vi), fmt.Errorf("save: %w", errs.Invalid("error.min", "n", "low").With("min", 30))), "Ít nhất 30."},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ en, vi, want string }{
		"missing in vi":    {`{"a":"x","b":"y"}`, `{"a":"x"}`, `key "b": missing in vi`},
		"missing in en":    {`{"a":"x"}`, `{"a":"x","b":"y"}`, `key "b": missing in en`},
		"placeholders":     {`{"a":"{n} x"}`, `{"a":"{m} x"}`, "names [n], vi names [m]"},
		"placeholder lost": {`{"a":"plain"}`, `{"a":"{m} x"}`, "names [], vi names [m]"},
		"plural en":        {`{"a":{"few":"x","other":"y"}}`, `{"a":"x"}`, `needs the form "one"`},
		"plural vi":        {`{"a":{"one":"x","other":"y"}}`, `{"a":{"one":"x","other":"y"}}`, "Vietnamese has no plural"},
		"empty text":       {`{"a":" "}`, `{"a":"x"}`, "has no text"},
		"broken brace":     {`{"a":"{n"}`, `{"a":"x"}`, "{ without }"},
		"wrong type":       {`{"a":3}`, `{"a":"x"}`, "neither text nor object"},
		"no file":          {`{"a":"x"}`, `[]`, "vi.json"},
		"twice":            {`{"a":{"b":"x"},"a.b":"y"}`, `{"a.b":"x"}`, "defined twice"},
	} {
		err := Check(source(c.en, c.vi))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if err := Check(source(enGood, viGood)); err != nil {
		t.Errorf("good catalogue refused: %v", err)
	}
	if err := Check(source(enGood, viGood), source(enGood, viGood)); err == nil {
		t.Error("a key defined by two sources is accepted")
	}
}

func TestPacks(t *testing.T) {
	t.Parallel()
	b, err := New(source(enGood, viGood))
	if err != nil {
		t.Fatal(err)
	}
	err = b.AddPacks(fstest.MapFS{
		"fr.json": {Data: []byte(`{"import.title":"Importer"}`)},
		"vi.json": {Data: []byte(`{"import.title":"Đưa dữ liệu vào"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Localizer("fr").T("import.title"); got != "Importer" {
		t.Errorf("pack locale says %q", got)
	}
	if got := b.Localizer("fr").T("error.min", "min", 3); got != "At least 3." {
		t.Errorf("missing key falls back to %q", got)
	}
	if got := b.Localizer("vi").T("import.title"); got != "Đưa dữ liệu vào" {
		t.Errorf("term pack says %q", got)
	}
	if got := strings.Join(b.Locales(), " "); got != "en vi fr" {
		t.Errorf("locales %q", got)
	}
	for file, want := range map[string]string{
		`{"nope":"x"}`:      "unknown key",
		`{"error.min":"x"}`: "names [], English names [min]",
	} {
		if err := b.AddPacks(fstest.MapFS{"de.json": {Data: []byte(file)}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("pack %s: got %v, want %q", file, err, want)
		}
	}
	if err := b.AddPacks(fstest.MapFS{"not a locale.json": {Data: []byte(`{}`)}}); err == nil {
		t.Error("a file that names no locale is accepted")
	}
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	b, err := New(source(enGood, viGood))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ cookie, accept, want string }{
		{"", "", "en"},
		{"", "vi-VN,vi;q=0.9,en;q=0.8", "vi"},
		{"", "en-GB", "en"},
		{"", "zu", "en"},
		{"", ";;;;q=", "en"},
		{"vi", "en", "vi"},
		{"xx", "vi", "vi"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: CookieName, Value: c.cookie})
		}
		w := httptest.NewRecorder()
		var got string
		b.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = Locale(r.Context()) })).ServeHTTP(w, r)
		if got != c.want || w.Header().Get("Content-Language") != c.want {
			t.Errorf("cookie %q accept %q: got %q, want %q", c.cookie, c.accept, got, c.want)
		}
	}
}

func TestUses(t *testing.T) {
	t.Parallel()
	uses, err := Uses(fstest.MapFS{
		"a/a.templ":      {Data: []byte("<p>{ i18n.T(ctx, \"import.title\") }</p>\n<b>{ i18n.T(ctx, \"gone\") }</b>")},
		"a/b.go":         {Data: []byte(`x := l.T("import.done", "count", n); y := i18n.T(r.Context(), "also.gone")`)},
		"a/a_templ.go":   {Data: []byte(`i18n.T(ctx, "generated")`)},
		".git/config.go": {Data: []byte(`i18n.T(ctx, "hidden")`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(uses) != 4 {
		t.Fatalf("found %v", uses)
	}
	b, _ := New(source(enGood, viGood))
	err = CheckUses(b, uses)
	if err == nil || !strings.Contains(err.Error(), `a/a.templ:2 asks for key "gone"`) || !strings.Contains(err.Error(), "also.gone") {
		t.Errorf("got %v", err)
	}
}

// TestLiteralText: text without braces comes back as it was written.
func TestLiteralText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[\p{L} .,%₫]{1,40}x`).Draw(t, "text")
		m, err := newMessage(map[string]any{"other": text})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.text(empty, nil); got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func FuzzParseCatalogue(f *testing.F) {
	f.Add([]byte(enGood))
	f.Add([]byte(`{"a":{"one":"x","other":"{count}"}}`))
	f.Add([]byte(`{"a":"{"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		messages, err := parseCatalogue(data)
		if err != nil {
			return
		}
		for _, m := range messages {
			_ = m.text(empty, []any{"count", 1})
		}
	})
}

func BenchmarkT(b *testing.B) {
	bundle, err := New(source(enGood, viGood))
	if err != nil {
		b.Fatal(err)
	}
	l := bundle.Localizer("vi")
	b.ReportAllocs()
	for b.Loop() {
		_ = l.T("import.done", "count", 12388, "file", "loans.xes")
	}
}
