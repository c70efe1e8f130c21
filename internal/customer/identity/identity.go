// Package identity says which customer a record belongs to. A record is what one
// source system knows under one id; its pseudonym is the id of a customer with
// only that record. Where records are known to be one person, a link says so,
// from one version of the graph until another: links are added and ended, never
// rewritten, so every merge can be explained and undone.
//
// This first form knows exact identifiers alone: an anonymous record becomes its
// user's when a call names both ids, and an alias joins two user ids of a system.
package identity

import (
	"github.com/uptrace/bun"

	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Record is what one source system's id did.
type Record struct {
	bun.BaseModel `bun:"table:customer_record"`
	Entity        string `bun:",pk"`
	RecordID      string `bun:",pk"` // pseudonym
	System        string
	Anonymous     bool
	External      sealed.Text // its name: "system:id"
	ExternalIx    string      // blind index of External
	FirstSeen     store.Micros
	LastSeen      store.Micros
	Events        int64
	LastEvent     string
	LastChannel   string
	LastJourney   string
}

// Traits is what a record says of its person, as a JSON object.
type Traits struct {
	bun.BaseModel `bun:"table:customer_trait"`
	Entity        string `bun:",pk"`
	RecordID      string `bun:",pk"`
	Traits        sealed.Text
	StatedAt      store.Micros
}

// Link says that a record belonged to a customer between two versions.
type Link struct {
	bun.BaseModel `bun:"table:customer_link"`
	Entity        string  `bun:",pk"`
	RecordID      string  `bun:",pk"`
	CustomerID    string  `bun:",pk"`
	FromVersion   uint64  `bun:",pk"`
	ToVersion     *uint64 // nil while it stands
	Reason        string
	MadeBy        string
	At            store.Micros
}

// Reasons of links.
const (
	// SameCall: one call named the anonymous and the user's id.
	SameCall = "same_call"
	// Aliased: an alias call said that two ids are one person.
	Aliased = "alias"
)

// Sealed is where the module keeps what is encrypted.
func Sealed() sealed.Inventory {
	return sealed.Inventory{
		Fields: []sealed.Marked{
			{Column: sealed.Column{Table: "customer_record", Name: "external"}, PK: []string{"entity", "record_id"}},
			{Column: sealed.Column{Table: "customer_trait", Name: "traits"}, PK: []string{"entity", "record_id"}},
		},
		Blind: []sealed.Indexed{{Index: externalColumn, Source: sealed.Column{Table: "customer_record", Name: "external"},
			PK: []string{"entity", "record_id"}, Normalise: func(name string) string { return name }}},
	}
}
