// Package activation writes what is known here back into the bank's own systems:
// whether a customer belongs to a segment, and chosen attributes, row by row for
// the records that the other system has.
//
// An activation goes through the records of its system in rounds. For each it
// works out what the system should hold now: membership and attributes where the
// customer consents to the purpose, otherwise neither. Where that differs from
// what was delivered last, one message goes into the outbox; the row waits for its
// result before the next. So a round that is broken off goes on where it was, a
// row that did not change costs nothing, and two versions of a row never overtake
// each other.
//
//	scan     what should it hold?          transaction, page of records
//	enqueue  one message a changed row     same transaction, paced (PerMinute)
//	claim    consent asked again           the outbox, through Gate
//	send     webhook, or SQL upsert        the outbox; both may be repeated
//	settle   result beside the row         next scan of the row
//
// Only attributes that the tracking plan declares and does not mark as personal
// leave. A withdrawal voids what waits and looks at the person's rows at once;
// what the system was told before is then taken back.
//
// Files: activation.go (types), service.go, round.go (scan and settle), gate.go,
// sql.go (the outbox's sender for databases), store.go.
// Tables: customer_activation, customer_activation_row.
package activation

import (
	"embed"

	"omote/internal/platform/i18n"
)

//go:embed locales
var localeFiles embed.FS

// Locales are the module's texts.
func Locales() i18n.Source { return i18n.Source{Name: "activation", FS: localeFiles, Dir: "locales"} }
