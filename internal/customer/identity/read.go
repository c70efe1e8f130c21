package identity

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"omote/internal/platform/auth"
	"omote/internal/platform/event"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// CustomerOf gives the customer that a record belongs to now. A customer's id is
// the id of one of its records, so it also finds where a former customer went.
func (s *Service) CustomerOf(ctx context.Context, record string) (customer string, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return "", err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		customer, err = Owner(ctx, tx, record)
		return err
	})
	return customer, err
}

// Records gives the records of the customer that an id belongs to, the anchor first.
func (s *Service) Records(ctx context.Context, customer string) (records []string, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		_, records, err = Members(ctx, tx, customer)
		return err
	})
	return records, err
}

// Owner gives the customer of a record within the caller's transaction. A record
// that was never heard of is its own customer.
func Owner(ctx context.Context, tx store.Tx, record string) (string, error) {
	owners, err := Owners(ctx, tx, []string{record})
	return owners[record], err
}

// Owners gives the customer of each record.
func Owners(ctx context.Context, tx store.Tx, records []string) (map[string]string, error) {
	return ownersOf(ctx, tx, tx.Scope.Entity, records)
}

// Members gives the customer that an id belongs to and its records, the anchor
// first, within the caller's transaction.
func Members(ctx context.Context, tx store.Tx, id string) (customer string, records []string, err error) {
	if customer, err = Owner(ctx, tx, id); err != nil {
		return "", nil, err
	}
	linked, err := membersOf(ctx, tx, tx.Scope.Entity, []string{customer})
	if err != nil {
		return "", nil, err
	}
	records = []string{customer}
	for r := range linked {
		records = append(records, r)
	}
	slices.Sort(records[1:])
	return customer, records, nil
}

// CustomerAt gives the customer that a record belonged to at a version of the graph.
func CustomerAt(ctx context.Context, tx store.Tx, record string, version uint64) (string, error) {
	var l Link
	err := tx.NewSelect().Model(&l).Where("entity = ? AND record_id = ? AND from_version <= ? AND (to_version IS NULL OR to_version > ?)",
		tx.Scope.Entity, record, version, version).Scan(ctx)
	if store.IsNoRows(err) {
		return record, nil
	}
	if err != nil {
		return "", fmt.Errorf("read identity links: %w", err)
	}
	return l.CustomerID, nil
}

// History is all that was decided and found out about a customer's records.
type History struct {
	Customer string
	Records  []string
	// Edges hold and held the records together, newest first.
	Edges []Edge
	// Acts are the decisions of people, newest first.
	Acts []Act
	// ActRecords are the records of each act by its id; side 0 first.
	ActRecords map[string][2][]string
	// Refused are pairs that were proposed and not merged.
	Refused []Refused
	// Shared are the identifiers of the records that do not link.
	Shared []SharedIdentifier
}

// SharedIdentifier is an identifier of a customer that does not link.
type SharedIdentifier struct {
	Rule    string
	Why     string // SharedMany or SharedContradiction
	Holders int64
	Records []string // of this customer
}

// History explains a customer: why its records are one, what people decided, and
// what was not merged.
func (s *Service) History(ctx context.Context, id string) (h History, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return h, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		h, err = HistoryIn(ctx, tx, id)
		return err
	})
	return h, err
}

// HistoryIn is History within the caller's transaction. The caller has authorised.
func HistoryIn(ctx context.Context, tx store.Tx, id string) (h History, err error) {
	entity := tx.Scope.Entity
	if err := mustKnow(ctx, tx, id); err != nil {
		return h, err
	}
	if h.Customer, h.Records, err = Members(ctx, tx, id); err != nil {
		return h, err
	}
	for _, column := range []string{"record_a", "record_b"} {
		edges, err := each(h.Records, func(ids []string) (edges []Edge, err error) {
			err = tx.NewSelect().Model(&edges).Where("entity = ? AND ? IN (?)", entity, bun.Ident(column), bun.List(ids)).Scan(ctx)
			return edges, err
		})
		if err != nil {
			return h, fmt.Errorf("read identity edges: %w", err)
		}
		h.Edges = append(h.Edges, edges...)
	}
	slices.SortFunc(h.Edges, func(a, b Edge) int {
		if a.FromVersion != b.FromVersion {
			return int(int64(b.FromVersion) - int64(a.FromVersion))
		}
		return compareEdges(a, b)
	})
	h.Edges = slices.CompactFunc(h.Edges, func(a, b Edge) bool { return a.FromVersion == b.FromVersion && compareEdges(a, b) == 0 })
	if h.Acts, err = actsOn(ctx, tx, entity, h.Records); err != nil {
		return h, err
	}
	slices.Reverse(h.Acts)
	h.ActRecords = map[string][2][]string{}
	for _, a := range h.Acts {
		rows, err := recordsOfAct(ctx, tx, entity, a.ID)
		if err != nil {
			return h, err
		}
		var sides [2][]string
		for _, r := range rows {
			sides[r.Side&1] = append(sides[r.Side&1], r.RecordID)
		}
		h.ActRecords[a.ID] = sides
	}
	if h.Refused, err = refusedOf(ctx, tx, entity, h.Records); err != nil {
		return h, err
	}
	h.Shared, err = sharedOf(ctx, tx, entity, h.Records)
	return h, err
}

func compareEdges(a, b Edge) int {
	ka, kb := a.key(), b.key()
	switch {
	case ka == kb:
		return 0
	case ka.A+ka.B+ka.reason+ka.evidence < kb.A+kb.B+kb.reason+kb.evidence:
		return -1
	}
	return 1
}

func sharedOf(ctx context.Context, tx store.Tx, entity string, records []string) (out []SharedIdentifier, err error) {
	rows, err := each(records, func(ids []string) (rows []key, err error) {
		err = tx.NewSelect().Model(&rows).Where("entity = ? AND record_id IN (?)", entity, bun.List(ids)).Order("rule", "key_ix", "record_id").Scan(ctx)
		return rows, err
	})
	if err != nil {
		return nil, fmt.Errorf("read identifiers: %w", err)
	}
	var ix []string
	for _, r := range rows {
		ix = append(ix, r.KeyIx)
	}
	marks, err := each(unique(ix), func(ix []string) (marks []shared, err error) {
		err = tx.NewSelect().Model(&marks).Where("entity = ? AND key_ix IN (?)", entity, bun.List(ix)).Order("rule").Scan(ctx)
		return marks, err
	})
	if err != nil {
		return nil, fmt.Errorf("read shared identifiers: %w", err)
	}
	for _, m := range marks {
		s := SharedIdentifier{Rule: m.Rule, Why: m.Why, Holders: m.Holders}
		for _, r := range rows {
			if r.KeyIx == m.KeyIx && r.Rule == m.Rule {
				s.Records = append(s.Records, r.RecordID)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// Undoable tells whether an act can be taken back now: whether it stands and no
// later decision about the same records does.
func (h *History) Undoable(act string) bool {
	for _, a := range h.Acts {
		if a.ID == act {
			return a.UndoneVersion == nil
		}
		if a.UndoneVersion == nil && h.overlap(a.ID, act) {
			return false
		}
	}
	return false
}

func (h *History) overlap(a, b string) bool {
	for _, x := range h.ActRecords[a] {
		for _, id := range x {
			for _, y := range h.ActRecords[b] {
				if slices.Contains(y, id) {
					return true
				}
			}
		}
	}
	return false
}

// MembersOf gives the records of every customer that one of the records belongs
// to, by customer.
func MembersOf(ctx context.Context, tx store.Tx, records []string) (map[string][]string, error) {
	owners, err := Owners(ctx, tx, records)
	if err != nil {
		return nil, err
	}
	var customers []string
	for _, c := range owners {
		customers = append(customers, c)
	}
	customers = unique(customers)
	linked, err := membersOf(ctx, tx, tx.Scope.Entity, customers)
	if err != nil {
		return nil, err
	}
	out := make(map[string][]string, len(customers))
	for _, c := range customers {
		out[c] = []string{c}
	}
	for id, c := range linked {
		out[c] = append(out[c], id)
	}
	for _, ids := range out {
		slices.Sort(ids[1:])
	}
	return out, nil
}

// TraitsOf gives what the records state, opened; records that state nothing are
// absent.
func TraitsOf(ctx context.Context, tx store.Tx, box *sealed.Box, records []string) (map[string]*Traits, error) {
	rows, err := each(records, func(ids []string) (rows []Traits, err error) {
		err = tx.NewSelect().Model(&rows).Where("entity = ? AND record_id IN (?)", tx.Scope.Entity, bun.List(ids)).Scan(ctx)
		return rows, err
	})
	if err != nil {
		return nil, fmt.Errorf("read traits: %w", err)
	}
	if err := box.Open(ctx, tx, &rows); err != nil {
		return nil, err
	}
	out := make(map[string]*Traits, len(rows))
	for i := range rows {
		out[rows[i].RecordID] = &rows[i]
	}
	return out, nil
}

// RecordsOf reads records, with the names that their systems have for them.
func RecordsOf(ctx context.Context, tx store.Tx, box *sealed.Box, records []string) ([]Record, error) {
	rows, err := each(records, func(ids []string) (rows []Record, err error) {
		err = tx.NewSelect().Model(&rows).Where("entity = ? AND record_id IN (?)", tx.Scope.Entity, bun.List(ids)).Scan(ctx)
		return rows, err
	})
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	did, err := DidOf(ctx, tx, records)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		r := &rows[i]
		r.FirstSeen = r.Since
		if d := did[r.RecordID]; d != nil {
			r.Seen = Seen{d.First, d.Last, d.Events, d.Event, d.Channel, d.Journey, d.Unit}
		}
	}
	Order(rows)
	return rows, box.Open(ctx, tx, &rows)
}

// Order sorts records by rank: the one that lends a customer its id comes first.
func Order(records []Record) {
	slices.SortFunc(records, func(a, b Record) int {
		return rank{a.Anonymous, a.Since, a.RecordID}.compare(rank{b.Anonymous, b.Since, b.RecordID})
	})
}

// LastSeen gives when each record last did something; one that did nothing is absent.
func LastSeen(ctx context.Context, tx store.Tx, records []string) (map[string]store.Micros, error) {
	did, err := DidOf(ctx, tx, records)
	out := make(map[string]store.Micros, len(did))
	for id, d := range did {
		out[id] = d.Last
	}
	return out, err
}

// ByExternal gives the records that any system calls by the id.
func ByExternal(ctx context.Context, tx store.Tx, box *sealed.Box, id string) (records []string, err error) {
	var systems []string
	err = tx.NewRaw("SELECT system FROM customer_system WHERE entity = ?", tx.Scope.Entity).Scan(ctx, &systems)
	if err != nil {
		return nil, fmt.Errorf("read systems: %w", err)
	}
	var entries []string
	for _, s := range systems {
		some, err := box.BlindSearch(ctx, tx, externalColumn, event.UserRecord(s, id))
		if err != nil {
			return nil, err
		}
		entries = append(entries, some...)
	}
	if len(entries) == 0 {
		return nil, nil
	}
	err = tx.NewSelect().Model((*Record)(nil)).Column("record_id").Where("entity = ? AND external_ix IN (?)", tx.Scope.Entity, bun.List(entries)).Scan(ctx, &records)
	if err != nil {
		return nil, fmt.Errorf("look for a record by its name: %w", err)
	}
	return records, nil
}

// Sharing gives the records of others that state the same value of a rule as one
// of the records, at most limit; none for a value that is marked as shared by many.
func Sharing(ctx context.Context, tx store.Tx, records []string, rule string, limit int) (out []string, err error) {
	err = tx.NewRaw(`SELECT DISTINCT o.record_id FROM customer_key k JOIN customer_key o ON o.entity = k.entity AND o.rule = k.rule AND o.key_ix = k.key_ix
WHERE k.entity = ? AND k.record_id IN (?) AND k.rule = ? AND o.record_id NOT IN (?)
	AND NOT EXISTS (SELECT 1 FROM customer_shared s WHERE s.entity = k.entity AND s.rule = k.rule AND s.key_ix = k.key_ix) LIMIT ?`,
		tx.Scope.Entity, bun.List(records), rule, bun.List(records), limit).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("read who shares an identifier: %w", err)
	}
	return out, nil
}

// PastOf gives the former values of the records' traits, opened, newest first.
func PastOf(ctx context.Context, tx store.Tx, box *sealed.Box, records []string) ([]Past, error) {
	rows, err := each(records, func(ids []string) (rows []Past, err error) {
		err = tx.NewSelect().Model(&rows).Where("entity = ? AND record_id IN (?)", tx.Scope.Entity, bun.List(ids)).Order("from_at DESC", "record_id", "trait").Limit(500).Scan(ctx)
		return rows, err
	})
	if err != nil {
		return nil, fmt.Errorf("read past traits: %w", err)
	}
	return rows, box.Open(ctx, tx, &rows)
}
