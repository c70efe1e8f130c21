// Package identity says which records are one customer. A record is what one
// source system knows under one id; its pseudonym is the id of a customer with
// only that record.
//
// # What is kept
//
// An Edge says why two records are one person: a call named both ids, both
// stated the same citizen id, a steward decided it. The customers are the
// connected groups of standing edges, and nothing else: so a merge explains
// itself, and taking an edge back gives exactly the customers that there would
// be without it. A group is called by its oldest record (see anchor), so a
// customer keeps its id while records join it.
//
// A Link is what the edges come to: which customer a record belongs to, from one
// version of the graph until another. Only records that are not their customer's
// name-giver have one. Links are what the warehouse and other modules read.
//
// A Rejection says that two records are two people. It is remembered: no later
// evidence merges customers that hold a rejected pair, until a person takes the
// rejection back or merges them in spite of it.
//
// # Who decides
//
// The stream (Handler) makes edges from exact identifiers (Rules) and from calls
// that name two ids. Other parts propose pairs with Join. People Merge, Unmerge
// and Reject; each such Act can be taken back with Undo, the latest first.
// Facts never change: they hold record ids.
package identity

import (
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Permissions of the identity graph.
const (
	PermRead auth.Permission = "customer.identity.read"
	PermEdit auth.Permission = "customer.identity.edit"
)

// Limits of a customer.
const (
	// MaxAutomatic is how many records evidence alone puts into one customer.
	MaxAutomatic = 200
	// MaxRecords is how many a person may put into one.
	MaxRecords = 400
	// MaxReason bounds the words of a decision, in bytes.
	MaxReason = 500
)

// Record is what one source system's id did.
type Record struct {
	bun.BaseModel `bun:"table:customer_record"`
	Entity        string `bun:",pk"`
	RecordID      string `bun:",pk"` // pseudonym
	System        string
	Anonymous     bool
	External      sealed.Text  // its name: "system:id"; empty until it sent an event
	ExternalIx    string       // blind index of External
	Since         store.Micros // when it was first heard of; never changes
	Seen          `bun:"-"`    // read by RecordsOf
}

// Traits is what a record says of its person, as a JSON object.
type Traits struct {
	bun.BaseModel `bun:"table:customer_trait"`
	Entity        string `bun:",pk"`
	RecordID      string `bun:",pk"`
	Traits        sealed.Text
	StatedAt      store.Micros
	Times         string // {"phone": [since, confirmed]}
}

// Past is what a trait said from a moment on, before another value took its place.
type Past struct {
	bun.BaseModel `bun:"table:customer_trait_past"`
	Entity        string       `bun:",pk"`
	RecordID      string       `bun:",pk"`
	Trait         string       `bun:",pk"`
	FromAt        store.Micros `bun:",pk"`
	Value         sealed.Text  // JSON
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

// Edge says why two records are one person. RecordA is less than RecordB.
type Edge struct {
	bun.BaseModel `bun:"table:customer_edge"`
	Entity        string `bun:",pk"`
	RecordA       string `bun:"record_a,pk"`
	RecordB       string `bun:"record_b,pk"`
	Reason        string `bun:",pk"` // SameCall, Aliased, a Rule's name, or another part's word
	Evidence      string `bun:",pk"` // what makes it one of several of its reason, such as a key's hash
	FromVersion   uint64 `bun:",pk"`
	ToVersion     *uint64
	Detail        string // an explanation by whoever proposed it, free of personal data
	Act           string // the decision that made it, "" for evidence
	EndedAct      string
	MadeBy        string
	At            store.Micros
	EndedAt       *store.Micros
}

// Rejection says that two records are two people. RecordA is less than RecordB.
type Rejection struct {
	bun.BaseModel `bun:"table:customer_reject"`
	Entity        string `bun:",pk"`
	RecordA       string `bun:"record_a,pk"`
	RecordB       string `bun:"record_b,pk"`
	FromVersion   uint64 `bun:",pk"`
	ToVersion     *uint64
	Act, EndedAct string
}

// Refused is a pair that evidence proposed and that was not merged.
type Refused struct {
	bun.BaseModel `bun:"table:customer_refused"`
	Entity        string `bun:",pk"`
	RecordA       string `bun:"record_a,pk"`
	RecordB       string `bun:"record_b,pk"`
	Reason        string `bun:",pk"`
	Evidence      string `bun:",pk"`
	Detail        string
	Why           Refusal
	MadeBy        string
	At            store.Micros
}

// Refusal is why a proposed pair was not merged.
type Refusal string

// The refusals.
const (
	RefusedRejected Refusal = "rejected"      // a person said that they are two people
	RefusedConflict Refusal = "contradiction" // they state different citizen ids
	RefusedSize     Refusal = "too_many"      // the customer would have more than MaxAutomatic records
	RefusedDevice   Refusal = "shared_device" // the device belongs to another customer already
)

// Reasons of edges beside the names of Rules.
const (
	SameCall = "same_call" // one call named the anonymous and the user's id
	Aliased  = "alias"     // an alias call said that two ids are one person
	Decided  = "decided"   // a person merged them
	Kept     = "kept"      // they stayed together when a person took others away
)

// Kind is what a person decided.
type Kind string

// The kinds of Act.
const (
	KindMerge   Kind = "merge"
	KindUnmerge Kind = "unmerge"
	KindReject  Kind = "reject"
)

// Act is a decision of a person (or of a part that acts in their place).
type Act struct {
	bun.BaseModel `bun:"table:customer_act"`
	Entity        string `bun:",pk"`
	ID            string `bun:",pk"` // UUIDv7
	Kind          Kind
	Version       uint64 // of the graph after it
	Reason        string // their words
	MadeBy        string
	At            store.Micros
	UndoneVersion *uint64
	UndoneReason  string
	UndoneBy      string
	UndoneAt      *store.Micros
}

// Pair is two records, or two customers by any of their records.
type Pair struct{ A, B string }

// Validate checks that there are two.
func (p Pair) Validate() error {
	if p.A == "" || p.B == "" || p.A == p.B {
		return errs.Invalid("customer.identity.error.pair", "other", "two different records are needed")
	}
	return nil
}

// ordered puts the lesser record first.
func (p Pair) ordered() Pair {
	if p.A > p.B {
		return Pair{p.B, p.A}
	}
	return p
}

// validReason checks the words of a decision.
func validReason(reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return errs.Invalid("customer.identity.error.reason", "reason", "say why")
	case len(reason) > MaxReason:
		return errs.TooLarge("customer.identity.error.reason_length", "the reason is longer than %d bytes", MaxReason).With("max", MaxReason)
	}
	return nil
}

// Sealed is where the module keeps what is encrypted.
func Sealed(box *sealed.Box) sealed.Inventory {
	return sealed.Inventory{
		Fields: []sealed.Marked{
			{Column: sealed.Column{Table: "customer_record", Name: "external"}, PK: []string{"entity", "record_id"}},
			{Column: sealed.Column{Table: "customer_trait", Name: "traits"}, PK: []string{"entity", "record_id"}},
			{Column: sealed.Column{Table: "customer_trait_past", Name: "value"}, PK: []string{"entity", "record_id", "trait", "from_at"}},
		},
		Blind: []sealed.Indexed{{Index: externalColumn, Source: sealed.Column{Table: "customer_record", Name: "external"},
			PK: []string{"entity", "record_id"}, Normalise: func(name string) string { return name }}},
		Tokens: []sealed.Tokened{{Index: keyColumn, Owner: "record_id", Rebuild: keys{box}.rebuild}},
	}
}
