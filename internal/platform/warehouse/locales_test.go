package warehouse_test

import (
	"testing"

	"omote/internal/platform/i18n"
	"omote/internal/platform/warehouse"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(warehouse.Locales()); err != nil {
		t.Error(err)
	}
}
