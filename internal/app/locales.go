package app

import (
	"embed"

	"omote/internal/platform/i18n"
)

//go:embed locales
var localeFiles embed.FS

// locales are the texts of failures and of what surrounds every page.
func locales() i18n.Source { return i18n.Source{Name: "app", FS: localeFiles, Dir: "locales"} }
