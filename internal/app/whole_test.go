package app_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"omote/internal/app"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"

	"omote/internal/testkit/shared"
)

// tiers orders the parts of the product: a package may import only packages of
// its own part or a lower tier. analytics and bank stand apart: they import
// nothing of internal.
var tiers = []struct {
	prefix string
	tier   int
}{
	{"omote/internal/platform", 0}, {"omote/internal/ui", 1}, {"omote/internal/module", 2}, {"omote/internal/testkit", 2},
	{"omote/internal/admin", 3}, {"omote/internal/customer", 3}, {"omote/internal/ingest", 3},
	{"omote/internal/feedback", 4}, {"omote/internal/journey", 4}, {"omote/internal/experiment", 4},
	{"omote/internal/insight", 5}, {"omote/internal/predict", 5},
	{"omote/internal/governance", 6}, {"omote/internal/program", 6},
	{"omote/internal/report", 7},
	{"omote/internal/app", 8}, {"omote/internal/demo", 9}, {"omote/internal/bench", 9}, {"omote/internal/cli", 10}, {"omote/cmd", 11},
}

// part is the folder below internal/ that a package belongs to.
func part(pkg string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(pkg, "omote/internal/"), "/")
	return name
}

func tierOf(pkg string) int {
	for _, t := range tiers {
		if pkg == t.prefix || strings.HasPrefix(pkg, t.prefix+"/") {
			return t.tier
		}
	}
	return -1
}

func TestImportsOnlyGoDown(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Doc,GoFiles", "./...")
	cmd.Dir = shared.Root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p struct {
			ImportPath, Doc  string
			Imports, GoFiles []string
		}
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen++
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no doc comment", p.ImportPath)
		}
		pure := strings.HasPrefix(p.ImportPath, "omote/analytics") || p.ImportPath == "omote/bank"
		for _, i := range p.Imports {
			switch {
			case !strings.HasPrefix(i, "omote/"):
			case pure && strings.HasPrefix(i, "omote/internal"):
				t.Errorf("%s is public and pure, and imports %s", p.ImportPath, i)
			case strings.HasPrefix(p.ImportPath, "omote/internal") && tierOf(p.ImportPath) < 0:
				t.Errorf("%s has no tier", p.ImportPath)
			case strings.HasPrefix(i, "omote/internal") && strings.HasPrefix(p.ImportPath, "omote/internal") && tierOf(i) > tierOf(p.ImportPath):
				t.Errorf("%s imports %s, which stands above it", p.ImportPath, i)
			case strings.HasPrefix(i, "omote/internal") && strings.HasPrefix(p.ImportPath, "omote/internal") && tierOf(i) == tierOf(p.ImportPath) && part(i) != part(p.ImportPath):
				t.Errorf("%s imports %s, which stands beside it: let it declare what it needs and app fill it", p.ImportPath, i)
			case strings.HasPrefix(i, "omote/internal/testkit") && !strings.HasPrefix(p.ImportPath, "omote/internal/testkit"):
				t.Errorf("%s imports %s outside its tests", p.ImportPath, i)
			}
		}
	}
	if seen < 20 {
		t.Fatalf("only %d packages were seen", seen)
	}
}

func openApp(t *testing.T) *app.App {
	t.Helper()
	a, err := app.Open(t.Context(), app.Options{Config: crashConfig(t.TempDir()), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestEveryRouteHasAPermissionOrAReason(t *testing.T) {
	t.Parallel()
	routes := openApp(t).Routes()
	if len(routes) < 20 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, r := range routes {
		switch {
		case r.Permission == "" && r.Open == "":
			t.Errorf("%s needs neither a permission nor says why not", r.Pattern)
		case r.Permission != "" && !auth.Known(r.Permission):
			t.Errorf("%s needs %s, which no role can hold", r.Pattern, r.Permission)
		}
	}
}

var errorKey = regexp.MustCompile(`errs\.(?:Invalid|NotFound|Denied|Unauthenticated|Conflict|Unavailable|TooLarge)\("([a-z0-9_.]+)"`)

// Every text that a person can see exists in both languages, and every key that
// the code asks for exists.
func TestEveryTextExistsInBothLanguages(t *testing.T) {
	t.Parallel()
	a := openApp(t)
	if err := i18n.Check(a.Locales()...); err != nil {
		t.Error(err)
	}
	code := os.DirFS(shared.Root(t) + "/internal")
	uses, err := i18n.Uses(code)
	if err != nil {
		t.Fatal(err)
	}
	if len(uses) < 200 {
		t.Fatalf("only %d uses of texts were found", len(uses))
	}
	kept := uses[:0]
	for _, u := range uses {
		if !strings.Contains(u.File, "/_") {
			kept = append(kept, u)
		}
	}
	if err := i18n.CheckUses(a.Bundle, kept); err != nil {
		t.Error(err)
	}
	english := a.Bundle.Localizer("en")
	err = fs.WalkDir(code, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") {
			return err
		}
		raw, err := fs.ReadFile(code, name)
		if err != nil {
			return err
		}
		for _, m := range errorKey.FindAllStringSubmatch(string(raw), -1) {
			if key := m[1]; !strings.HasSuffix(key, ".") && !english.Has(key) {
				t.Errorf("%s: no text for the error %s", name, key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
