// Package journey shows how customers really go through what the bank designed.
//
// Sub-packages: blueprint (the designed journey, its editor and operations),
// definition (what follows from it for others), exchange (forms of other tools),
// observed (what happened), conform (designed against observed), moment (moments
// of truth and pains), web (pages), api (operations).
//
// Tables: journey_blueprint and its versions, operations, comments and presence;
// journey_conformance; journey_refresh. Events in: none of its own; it reads the
// facts of the warehouse.
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
