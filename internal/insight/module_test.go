package insight

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"omote/internal/platform/i18n"
	"omote/internal/testkit"
)

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, Migrations)
}

func TestTexts(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(Locales()); err != nil {
		t.Error(err)
	}
	raw, err := locales.ReadFile("locales/en.json")
	if err != nil {
		t.Fatal(err)
	}
	var catalogue struct {
		Metric struct {
			Error map[string]string `json:"error"`
		} `json:"metric"`
	}
	if err := json.Unmarshal(raw, &catalogue); err != nil {
		t.Fatal(err)
	}
	for key := range errorKeys(t) {
		if catalogue.Metric.Error[key] == "" {
			t.Errorf("metric.error.%s has no text", key)
		}
	}
}

// errorKeys finds the keys of all errors in the sources.
func errorKeys(t *testing.T) map[string]bool {
	t.Helper()
	literal := regexp.MustCompile(`"metric\.error\.([a-z_]+)"`)
	field := regexp.MustCompile(`\bbad\((?:"([a-z_.]+)"|(p\.name|field|part)(\+"\.([a-z]+)")?)`)
	found := map[string]bool{}
	err := filepath.WalkDir("metric", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range literal.FindAllStringSubmatch(string(raw), -1) {
			found[m[1]] = true
		}
		for _, m := range field.FindAllStringSubmatch(string(raw), -1) {
			if m[1] != "" {
				found[strings.ReplaceAll(m[1], ".", "_")] = true
				continue
			}
			for _, part := range []string{"events", "num", "den", "from", "to"} {
				key := part
				if m[4] != "" {
					key += "_" + m[4]
				}
				found[key] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
