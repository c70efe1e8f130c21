// Package journey shows how customers really go through what the bank designed.
//
// Sub-packages: definition (what a journey is), observed (what happened), web
// (pages), api (operations).
//
// Tables: journey_definition. Events in: none of its own; it reads the facts of
// the warehouse.
package journey

import (
	"embed"

	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of the module.
var Migrations = store.Migrations{Module: "journey", FS: migrations}

//go:embed locales
var localeFiles embed.FS

// Locales are the module's texts.
func Locales() i18n.Source { return i18n.Source{Name: "journey", FS: localeFiles, Dir: "locales"} }
