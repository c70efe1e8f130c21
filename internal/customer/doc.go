// Package customer knows the bank's customers: which records of which systems
// are one person (identity), what is known of them (profile), what they did
// (state), and where they are found (search). Pages are in web, operations in api.
//
// Tables: customer_record, customer_trait, customer_trait_past, customer_key,
// customer_shared, customer_edge, customer_reject, customer_refused,
// customer_act, customer_act_record, customer_link, customer_graph,
// customer_state.
// Events in: every event (records), identify (traits, identifiers), alias and
// calls with two ids (links).
package customer

import (
	"embed"

	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of the module.
var Migrations = store.Migrations{Module: "customer", FS: migrations}

//go:embed locales
var localeFiles embed.FS

// Locales are the module's texts.
func Locales() i18n.Source { return i18n.Source{Name: "customer", FS: localeFiles, Dir: "locales"} }
