package i18n

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
)

// Check verifies the catalogues of all modules: each key exists in every
// required locale, with the same placeholders, and with the plural forms its
// language needs. The error lists every problem. A repository-wide test calls it
// with the sources of all modules.
func Check(sources ...Source) error {
	_, err := New(sources...)
	problems := []error{err}
	for _, src := range sources {
		catalogues := map[string]map[string]message{}
		keys := map[string]bool{}
		for _, locale := range Required {
			messages, err := readLocale(src, locale)
			if err != nil {
				continue // reported by New
			}
			catalogues[locale] = messages
			for key := range messages {
				keys[key] = true
			}
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			problems = append(problems, checkKey(src.Name, key, catalogues))
		}
	}
	return errors.Join(problems...)
}

func checkKey(source, key string, catalogues map[string]map[string]message) error {
	var problems []error
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("i18n: %s: key %q: %s", source, key, fmt.Sprintf(format, args...)))
	}
	var names []string
	for i, locale := range Required {
		m, ok := catalogues[locale][key]
		if !ok {
			report("missing in %s", locale)
			continue
		}
		if i > 0 && names != nil && !slices.Equal(names, m.names()) {
			report("%s names %v, %s names %v", Required[0], names, locale, m.names())
		}
		names = m.names()
		if names == nil {
			names = []string{}
		}
		if _, one := m.forms[plural.One]; locale == "en" && len(m.forms) > 1 && !one {
			report("plural in English needs the form \"one\"")
		}
		if locale == "vi" && len(m.forms) > 1 {
			report("Vietnamese has no plural; write one text")
		}
	}
	return errors.Join(problems...)
}

// Use is a place in the source code that asks for a literal key.
type Use struct {
	File string
	Line int
	Key  string
}

var usePattern = regexp.MustCompile(`\b(?:i18n\.T\(ctx,|i18n\.T\([a-zA-Z.()]+,|\.T\()\s*"([a-z0-9_.]+)"`)

// Uses finds the literal keys asked for in .go and .templ files (comments,
// generated and test files left out), so that a test can compare them with a Bundle.
func Uses(code fs.FS) ([]Use, error) {
	var uses []Use
	err := fs.WalkDir(code, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); n != "." && (strings.HasPrefix(n, ".") || n == "node_modules" || n == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		isCode := strings.HasSuffix(name, ".templ") || strings.HasSuffix(name, ".go")
		if !isCode || strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		data, err := fs.ReadFile(code, name)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(data), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "//") {
				continue
			}
			for _, m := range usePattern.FindAllStringSubmatch(line, -1) {
				uses = append(uses, Use{File: name, Line: i + 1, Key: m[1]})
			}
		}
		return nil
	})
	return uses, err
}

// CheckUses reports each used key that the bundle lacks in English. Keys that
// end with a dot are prefixes completed at run time and are not judged.
func CheckUses(b *Bundle, uses []Use) error {
	var problems []error
	for _, u := range uses {
		if !strings.HasSuffix(u.Key, ".") && !b.Localizer("en").Has(u.Key) {
			problems = append(problems, fmt.Errorf("i18n: %s:%d asks for key %q, which no catalogue defines", u.File, u.Line, u.Key))
		}
	}
	return errors.Join(problems...)
}
