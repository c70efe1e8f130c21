// Package privacy is the front of what a customer allows and may ask for: the
// pages and operations of consent, contact policy, subject requests, erasure and
// retention, and the preference centre that customers themselves open.
//
// Packages: web (pages; preference.go is the customers' own), api (operations),
// locales (texts). The rules are in consent, contact, request and retention.
package privacy

import (
	"embed"

	"omote/internal/platform/i18n"
)

//go:embed locales
var localeFiles embed.FS

// Locales are the texts.
func Locales() i18n.Source { return i18n.Source{Name: "privacy", FS: localeFiles, Dir: "locales"} }
