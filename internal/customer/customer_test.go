package customer_test

import (
	"testing"

	"omote/internal/customer"
	"omote/internal/platform/i18n"
)

func TestTextsExistInEveryLanguage(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(customer.Locales()); err != nil {
		t.Fatal(err)
	}
}
