package observed

import (
	"embed"

	"omote/internal/platform/i18n"
)

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of the pages about what happened.
func Locales() i18n.Source { return i18n.Source{Name: "observed", FS: localeFiles, Dir: "locales"} }
