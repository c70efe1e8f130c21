package eventlog_test

import (
	"testing"

	"omote/internal/platform/eventlog"
	"omote/internal/platform/i18n"
)

func TestTextsExistInEveryLanguage(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(eventlog.Locales()); err != nil {
		t.Fatal(err)
	}
}
