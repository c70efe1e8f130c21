// Package match brings together records that no exact identifier ties: by how
// likely they are of one person, as analytics/linkage weighs it.
//
// # Three ways
//
// A run (run.go) reads what all records state, learns how records of one person
// differ, and weighs everything at once. In the stream (stream.go) a record that
// stated something new is noted by the Handler, and a worker weighs it a moment
// later by the newest model against the few records that share a blind key with
// it. Pairs at or above Upper become one customer by identity.Join; pairs between
// Lower and Upper wait for a steward (service.go), whose answers go to
// identity.Merge and identity.Reject. A rejection is remembered: neither way
// proposes the two again.
//
// # What answers teach
//
// Each answer is a label. The model's probabilities are corrected by them
// (linkage.Calibrate) before they are held against Upper and Lower.
//
// # Bounds
//
// A key that more than maxHolders records share brings nobody together; a record
// is weighed against at most maxRivals customers of at most maxMembers records.
//
// # What is kept
//
// customer_match_model (sealed: it knows how frequent common names are),
// customer_match_key (blind keys), customer_match_due, customer_match_pair. No
// table holds what a person stated; that stays with identity.
package match

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/uptrace/bun"

	"omote/analytics/linkage"
	"omote/internal/customer/identity"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Reason is the reason of edges that likeness makes.
const Reason = "likeness"

// Bounds of what one record is compared with.
const (
	maxHolders = 50 // records of a key that are looked at
	maxRivals  = 20 // customers that a record is weighed against
	maxMembers = 20 // records of a customer that are looked at
)

// Limits say what probability does what.
type Limits struct {
	Upper float64 `json:"upper"` // from here on two customers become one without being asked about
	Lower float64 `json:"lower"` // from here on a steward is asked
}

// Default limits: of a hundred automatic merges at most one should be wrong.
var Default = Limits{Upper: 0.99, Lower: 0.5}

// Validate checks that the limits are in order.
func (l Limits) Validate() error {
	if !(l.Lower > 0 && l.Lower <= l.Upper && l.Upper < 1) {
		return errs.Invalid("customer.review.error.limits", "upper", "0 < lower %v ≤ upper %v < 1 must hold", l.Lower, l.Upper)
	}
	return nil
}

// State is what became of a pair.
type State string

// The states of a pair.
const (
	Waiting   State = "waiting"   // for a steward
	Same      State = "same"      // a steward said that they are one person
	Different State = "different" // a steward said that they are two
	Settled   State = "settled"   // they came together, or apart, by other evidence
)

// Pair is two records that may be of one person. RecordA is less than RecordB.
type Pair struct {
	bun.BaseModel `bun:"table:customer_match_pair"`
	Entity        string `bun:",pk"`
	RecordA       string `bun:"record_a,pk"`
	RecordB       string `bun:"record_b,pk"`
	ID            string // UUIDv7
	State         State
	Score         float64 // what the model said of their customers
	Probability   float64 // the same, corrected by answers
	Version       uint64  // of the model
	Origin        string  // "run" or "stream"
	FoundAt       store.Micros
	AnsweredAt    *store.Micros
	AnsweredBy    string
	Act           string // the decision of identity, for undoing it
}

// Model is one version of what was learnt.
type Model struct {
	bun.BaseModel `bun:"table:customer_match_model"`
	Entity        string `bun:",pk"`
	Version       uint64 `bun:",pk"`
	Model         sealed.Text
	Records       int64   // named records that were read
	People        int64   // customers they make
	Merged        int64   // customers that came together by it
	Waiting       int64   // pairs that a steward was asked about
	Coverage      float64 // estimated share of matching pairs that were compared
	Upper, Lower  float64
	At            store.Micros
	MadeBy        string
	Ready         bool // false while its run is under way
}

func (m *Model) limits() Limits { return Limits{m.Upper, m.Lower} }

type blindKey struct {
	bun.BaseModel `bun:"table:customer_match_key"`
	Entity        string `bun:",pk"`
	KeyIx         string `bun:",pk"`
	RecordID      string `bun:",pk"`
	Version       uint64 // of the model that made it
}

type due struct {
	bun.BaseModel `bun:"table:customer_match_due"`
	Entity        string `bun:",pk"`
	RecordID      string `bun:",pk"`
	At            store.Micros
}

var keyColumn = sealed.Column{Table: "customer_match_key", Name: "key_ix"}

// fields are what is compared: the traits that may hold each, the column and how
// it is compared.
var fields = []struct {
	name   string
	kind   linkage.Kind
	traits []string
}{
	{"name", linkage.Name, []string{"name", "full_name"}},
	{"birth_date", linkage.Date, []string{"birth_date", "birthday", "date_of_birth"}},
	{"gender", linkage.Category, []string{"gender", "sex"}},
	{"phone", linkage.Phone, []string{"phone", "phone_number", "mobile"}},
	{"email", linkage.Email, []string{"email", "email_address"}},
	{"citizen_id", linkage.Identifier, []string{"citizen_id", "national_id", "id_number"}},
	{"address", linkage.Address, []string{"address"}},
}

// newTable makes a table with the compared columns.
func newTable() *linkage.Table {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	t := linkage.NewTable(names...)
	for i, f := range fields {
		t.Columns[i].Kind = f.kind
	}
	return t
}

// rowOf gives the compared values of a JSON object of traits. It is no use, and
// ok is false, when fewer than two are stated.
func rowOf(traits string) (row []string, ok bool) {
	row = make([]string, len(fields))
	var members map[string]json.RawMessage
	if traits == "" || json.Unmarshal([]byte(traits), &members) != nil {
		return row, false
	}
	stated := 0
	for i, f := range fields {
		for _, t := range f.traits {
			if row[i] = identity.TraitText(members[t]); row[i] != "" {
				stated++
				break
			}
		}
	}
	return row, stated >= 2
}

// ordered gives two records with the lesser first.
func ordered(a, b string) (string, string) {
	if a > b {
		return b, a
	}
	return a, b
}

// Sealed is where the package keeps what is encrypted. Keys are made anew from
// what the record states.
func (s *Service) Sealed() sealed.Inventory {
	return sealed.Inventory{
		Fields: []sealed.Marked{{Column: sealed.Column{Table: "customer_match_model", Name: "model"}, PK: []string{"entity", "version"}}},
		Tokens: []sealed.Tokened{{Index: keyColumn, Owner: "record_id", Rebuild: s.rebuild}},
	}
}

// rebuild notes that a record's keys are to be made anew.
func (s *Service) rebuild(ctx context.Context, tx store.Tx, record string) error {
	rows, err := keysOf(ctx, tx, record)
	if err != nil || len(rows) == 0 {
		return err
	}
	if err := deleteKeys(ctx, tx, record); err != nil {
		return err
	}
	var entities []string
	for _, r := range rows {
		entities = append(entities, r.Entity)
	}
	slices.Sort(entities)
	for _, e := range slices.Compact(entities) {
		if err := noteDue(ctx, tx, []due{{Entity: e, RecordID: record, At: tx.Now()}}); err != nil {
			return err
		}
	}
	return nil
}
