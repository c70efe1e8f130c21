// Package governance is how the bank steers: what it promised and what serves
// the promise, who answers for what, which changes run and at which gate they
// stand, what the council decided and how well it foresaw, and what money all of
// it really brought.
//
// # Files
//
//	web/        pages under /governance
//	api/        typed operations under /api/v1
//	locales/    texts in English and Vietnamese
//
// Maker and checker is package platform/approval; its page stands here.
package governance

import (
	"embed"

	"omote/internal/platform/i18n"
)

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of the module.
func Locales() i18n.Source { return i18n.Source{Name: "governance", FS: localeFiles, Dir: "locales"} }
