package segment

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"omote/internal/platform/i18n"
)

func TestTextsExistInEveryLanguage(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(Locales()); err != nil {
		t.Fatal(err)
	}
}

// TestEveryMistakeOfARuleHasAText reads the codes out of the language's source.
func TestEveryMistakeOfARuleHasAText(t *testing.T) {
	t.Parallel()
	texts, err := locales.ReadFile("locales/vi.json")
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir("../../../analytics/rule")
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		source, err := os.ReadFile("../../../analytics/rule/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`fail\("([a-z_]+)"`).FindAllStringSubmatch(string(source), -1) {
			codes++
			if !strings.Contains(string(texts), `"`+m[1]+`": "Dòng {line}`) {
				t.Errorf("the mistake %q has no text", m[1])
			}
		}
	}
	if codes < 40 {
		t.Errorf("found %d mistakes; the test reads the source wrongly", codes)
	}
}

func TestShippedContent(t *testing.T) {
	t.Parallel()
	attributes, err := shippedAttributes()
	if err != nil {
		t.Fatal(err)
	}
	segments, err := shippedSegments()
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]Definition{}
	for _, d := range segments {
		byID[d.ID] = d
	}
	s := &Service{Attributes: attributes}
	for _, d := range segments {
		if _, err := s.among(&d, byID); err != nil {
			t.Errorf("%s: %v", d.ID, err)
		}
	}
}
