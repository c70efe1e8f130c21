// Package moment keeps what was found out about the moments of truth and the
// pains of the bank's journeys: which experiences change what customers do
// afterwards, how sure that is, and what it costs.
//
// A test reads all customers' histories from the warehouse, computes with
// analytics/moments, and stores what it said of every hypothesis. It runs as the
// job "journey.moment", at night or when somebody asks. Earlier verdicts are kept:
// a moment that was proven and no longer is, is demoted, and shows since when.
//
// Files: moment.go (findings), pain.go (pains, curve and worth), design.go (what
// is designed), history.go (customers' histories), queries.go (SQL over the
// warehouse), test.go (the test), choose.go (which journeys to begin with),
// service.go (reading), store.go (tables).
//
// Tables: moment_run, moment_finding, moment_pain,
// moment_curve, moment_worth, moment_feasibility. Permissions: journey.moment.read,
// journey.moment.edit. The words of customers stay in the warehouse: a pain holds
// the ids of answers only.
package moment

import (
	"embed"

	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of the package.
var Migrations = store.Migrations{Module: "moment", FS: migrations}

//go:embed locales
var localeFiles embed.FS

// Locales are its texts.
func Locales() i18n.Source { return i18n.Source{Name: "moment", FS: localeFiles, Dir: "locales"} }
