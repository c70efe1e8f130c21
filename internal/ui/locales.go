package ui

import (
	"embed"

	"omote/internal/platform/i18n"
)

//go:embed locales/*.json
var localeFiles embed.FS

// Locales is the catalogue of the design system's own words, for i18n.New.
func Locales() i18n.Source { return i18n.Source{Name: "ui", FS: localeFiles, Dir: "locales"} }
