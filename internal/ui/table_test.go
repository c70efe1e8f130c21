package ui

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
)

// hashes are the content hashes in asset addresses, which golden files leave out.
var hashes = regexp.MustCompile(`\.[0-9a-f]{12}\.`)

var someColumns = []Column{{Key: "name", Sortable: true}, {Key: "n", Numeric: true, Sortable: true}, {Key: "secret"}, {Key: "note", Optional: true, Off: true}, {Key: "unit", Optional: true}}

func query(raw, id string) TableQuery {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return ParseTableQuery(u, id, someColumns, "-n")
}

func TestTableQuery(t *testing.T) {
	t.Parallel()
	q := query("/m?sort=name&q=+vay+&after=c1&unit=hn&format=csv&cols=note,nosuch", "")
	if q.Sort != "name" || q.Desc || q.Filter != "vay" || q.After != "c1" || !q.CSV || !slices.Equal(q.Columns, []string{"note"}) {
		t.Errorf("got %+v", q)
	}
	if q := query("/m?sort=secret", ""); q.Sort != "n" || !q.Desc {
		t.Errorf("a column that is not sortable sorts: %+v", q)
	}
	for _, c := range []struct{ got, want string }{
		{query("/m", "").sortHref(someColumns[0]), "/m?sort=name"},
		{query("/m", "").sortHref(someColumns[1]), "/m?sort=n"},
		{query("/m?sort=name", "").sortHref(someColumns[1]), "/m?sort=-n"},
		{query("/m?sort=name&after=c&unit=hn", "").sortHref(someColumns[0]), "/m?sort=-name&unit=hn"},
		{query("/m?after=c", "").with("after", ""), "/m"},
		{query("/m?b.sort=name&sort=x", "b").sortHref(someColumns[0]), "/m?b.sort=-name&sort=x"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	tp := TableProps{Columns: someColumns, Query: query("/m", "")}
	if got := tp.visible(); !slices.Equal(got, []int{0, 1, 2, 4}) {
		t.Errorf("visible %v", got)
	}
	tp.Query = query("/m?cols=note", "")
	if got := tp.visible(); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("chosen %v", got)
	}
}

// TestTableKeepsFilters: whatever the address says beside the table's own
// parameters is still there after sorting.
func TestTableKeepsFilters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[a-p]{3,8}`).Draw(t, "key")
		value := rapid.String().Draw(t, "value")
		u := &url.URL{Path: "/m", RawQuery: url.Values{key: {value}, "after": {"c"}}.Encode()}
		next, err := url.Parse(ParseTableQuery(u, "", someColumns, "n").sortHref(someColumns[0]))
		if err != nil {
			t.Fatal(err)
		}
		if key != "after" && (next.Query().Get(key) != value || next.Query().Has("after")) {
			t.Fatalf("%q=%q became %q", key, value, next)
		}
	})
}

func TestWriteCSV(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	rows := [][]string{{"Nguyễn, Văn", "-12.5"}, {"=HYPERLINK(\"x\")", "+3"}, {"-cmd", "@x"}}
	if err := WriteCSV(w, "m.csv", []Column{{Label: "Tên"}, {Label: "n"}}, slices.Values(rows)); err != nil {
		t.Fatal(err)
	}
	body, ok := strings.CutPrefix(w.Body.String(), "\ufeff")
	if !ok {
		t.Error("no byte order mark")
	}
	got, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"Tên", "n"}, {"Nguyễn, Văn", "-12.5"}, {"'=HYPERLINK(\"x\")", "+3"}, {"'-cmd", "'@x"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q", got)
	}
}

func TestErrorsFrom(t *testing.T) {
	t.Parallel()
	ctx := speak(t, "vi")
	err := errors.Join(
		fmt.Errorf("save: %w", errs.Invalid("error.kind.invalid", "owner", "no owner")),
		errs.Conflict("error.kind.conflict", "changed"),
		errors.New("disk full"),
	)
	got := ErrorsFrom(ctx, err)
	if len(got) != 3 || got[0].Field != "owner" || got.For("owner") == "" || strings.Contains(fmt.Sprint(got), "disk") {
		t.Errorf("got %+v", got)
	}
	if ErrorsFrom(ctx, nil) != nil {
		t.Error("no error gives errors")
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	b, err := i18n.New(Locales())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	PreferencesHandler(b).ServeHTTP(w, httptest.NewRequest("GET", preferenceURL("lang", "vi", "/cases?q=a&b=c"), nil))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/cases?q=a&b=c" || !strings.HasPrefix(w.Header().Get("Set-Cookie"), "omote_lang=vi;") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	PreferencesHandler(b).ServeHTTP(w, httptest.NewRequest("GET", PreferencesPath+"?lang=xx&theme=neon&back=//evil.example", nil))
	if w.Header().Get("Set-Cookie") != "" || w.Header().Get("Location") != "/" {
		t.Errorf("%v", w.Header())
	}
}

func TestNavOrder(t *testing.T) {
	t.Parallel()
	ctx := speak(t, "en")
	n := Nav{Items: []NavItem{{Key: NavData, Href: "/data"}, {Key: NavCases, Href: "/cases"}, {Key: NavMeasures, Href: "/metrics"}, {Key: "imports", Label: "Imports", Layer: LayerPlatform, Href: "/data/imports"}}}
	var got []string
	for _, l := range n.layers(ctx) {
		got = append(got, l.Name+":")
		for _, it := range l.Items {
			got = append(got, it.Label)
		}
	}
	if s := strings.Join(got, " "); s != "Experience: Measures Cases Platform: Data Imports" {
		t.Errorf("rail %q", s)
	}
	for path, want := range map[string]string{"/data/imports/7?x=1": "imports", "/data": NavData, "/datax": "", "/cases/1": NavCases} {
		if got := n.current("", path); got != want {
			t.Errorf("%s is at %q, want %q", path, got, want)
		}
	}
}

func FuzzTableQuery(f *testing.F) {
	f.Add("sort=-n&q=a&cols=note&cols=unit,x&after=%00")
	f.Add("b.sort=name&b.q=;&&=&%zz")
	f.Fuzz(func(t *testing.T, raw string) {
		u := &url.URL{Path: "/m", RawQuery: raw}
		for _, id := range []string{"", "b"} {
			q := ParseTableQuery(u, id, someColumns, "-n")
			if q.Sort != "n" && q.Sort != "name" {
				t.Fatalf("sorted by %q", q.Sort)
			}
			if _, err := url.Parse(q.with("sort", "name")); err != nil {
				t.Fatal(err)
			}
		}
	})
}
