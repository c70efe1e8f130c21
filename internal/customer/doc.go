// Package customer knows the bank's customers: which records of which systems
// are one person (identity), and what is known of them.
//
// Tables: customer_record, customer_trait, customer_link, customer_graph.
// Events in: every event (records), identify (traits), alias (links).
package customer

import (
	"embed"

	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of the module.
var Migrations = store.Migrations{Module: "customer", FS: migrations}
