package projector_test

import (
	"testing"

	"omote/internal/platform/i18n"
	"omote/internal/platform/projector"
)

func TestTextsExistInEveryLanguage(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(projector.Locales()); err != nil {
		t.Fatal(err)
	}
}
