package warehouse

import (
	"embed"

	"omote/internal/platform/i18n"
)

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of this package's errors.
func Locales() i18n.Source {
	return i18n.Source{Name: "warehouse", FS: localeFiles, Dir: "locales"}
}
