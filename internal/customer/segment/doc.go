// Package segment says which customers belong to which groups, while it happens:
// segments with versions, audiences, and the states of a relationship's life.
//
// A segment is a rule of package analytics/rule with an exit, a minimum stay and
// a group. Its membership follows the event stream within a second, follows the
// clock where a window runs out, and follows identity when customers are merged
// or parted.
//
// # How it stays right
//
// The handler of the state projector ([Handler]) keeps a small state for each
// source record (its row of package state): what the rules in use need to
// remember, and no more. A customer's state is the sum of their records', so a
// merge or its undoing recomputes nothing but the sum. In the transaction of the
// events it evaluates the rules that look at what changed and writes who entered
// and who left (customer_segment_member).
//
// Some answers change by time alone. The row of a customer says when at the
// earliest (customer_segment_customer.due, found by index); [Clock] evaluates
// whoever is due, and whoever was merged or parted outside the stream.
//
// A new version first goes through "filling": from its transaction on the
// handler keeps what it needs to remember, and [Filler] adds what the warehouse
// holds up to the log positions of that transaction. Both halves together are
// each fact once, because states add up in any order. Then every customer is
// evaluated and the version is live.
//
// # Files
//
//	segment.go     definitions, limits, Validate
//	attribute.go   the catalogue of attributes, packs
//	coarse.go      what of an identify call rules and the warehouse may see
//	running.go     the rules in use, compiled and cached
//	handler.go     the stream; evaluate.go who enters and leaves
//	clock.go       time and identity
//	fill.go        filling a new version from the warehouse
//	service.go     versions; figures.go size, overlap, stability; lifecycle.go
//	audience.go    audiences with hold-out
//	store.go       all SQL of the store; queries.go of the warehouse
//
// Tables: customer_segment_*. Events in: all. Permissions: customer.segment.read
// (definitions and figures), .edit, .member (who), .export.
package segment

import (
	"embed"

	"omote/internal/platform/i18n"
)

//go:embed locales
var locales embed.FS

//go:embed packs
var packs embed.FS

// Locales are the texts of the module.
func Locales() i18n.Source { return i18n.Source{Name: "segment", FS: locales, Dir: "locales"} }
