// Package insight is where the bank understands what its signals say: metrics
// first; signals, causes and drivers build on them.
//
// # Files
//
//	metric/      the registry: definitions, their SQL, their figures
//	packs/       built-in definitions
//	api/         typed operations under /api/v1/metrics
//	migrations/  the tables, per engine
//	locales/     texts in English and Vietnamese
//
// Tables: insight_metric. Permissions: insight.metric.read (definitions and
// figures), insight.metric.edit (propose a version), insight.metric.approve
// (decide on somebody else's proposal). Reads the warehouse; no events in or
// out.
package insight

import (
	"embed"

	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

//go:embed locales
var locales embed.FS

// Migrations are the tables of the module.
var Migrations = store.Migrations{Module: "insight", FS: migrations}

// Locales are the texts of the module.
func Locales() i18n.Source { return i18n.Source{Name: "insight", FS: locales, Dir: "locales"} }
