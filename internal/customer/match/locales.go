package match

import (
	"embed"

	"omote/internal/platform/i18n"
)

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of the review.
func Locales() i18n.Source {
	return i18n.Source{Name: "customer.review", FS: localeFiles, Dir: "locales"}
}
