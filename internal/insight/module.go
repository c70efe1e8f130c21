// Package insight is where the bank understands what is said to it: metrics first;
// signals with their causes build on them.
//
// # Files
//
//	metric/      the registry: definitions, their SQL, their figures
//	signal/      changes beyond noise, their rule, causes, money and trail
//	packs/       built-in definitions, and chains from a measure to money
//	web/         pages under /insight
//	api/         typed operations under /api/v1/metrics and /api/v1/signals
//	migrations/  the tables, per engine
//	locales/     texts in English and Vietnamese
//
// Tables: insight_metric, insight_signal, insight_signal_event,
// insight_signal_rule, insight_signal_run. Permissions: insight.metric.read
// (definitions and figures), .edit (propose a version), .approve (decide on
// somebody else's proposal); insight.signal.read, .edit (take up, explain, turn
// into work, run), .approve (rules). Reads the warehouse; no events in or out.
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
