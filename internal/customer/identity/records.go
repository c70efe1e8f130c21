package identity

import (
	"context"
	"fmt"
	"slices"

	"omote/internal/platform/store"
)

// Person is a customer with the records that belong to them now.
type Person struct {
	// CustomerID is the id that the records' links name; of a customer with only
	// one record, the record's own.
	CustomerID string
	// Records are pseudonyms, sorted; the customer's own id is among them.
	Records []string
}

// PersonOf finds the customer that id belongs to now, be id a customer's or that
// of a record which was merged into another's customer. It reads in the caller's
// transaction, so a merge or unmerge that committed before is seen.
func PersonOf(ctx context.Context, tx store.Tx, id string) (p Person, err error) {
	p.CustomerID = id
	err = tx.NewRaw("SELECT customer_id FROM customer_link WHERE entity = ? AND record_id = ? AND to_version IS NULL", tx.Scope.Entity, id).Scan(ctx, &p.CustomerID)
	if err != nil && !store.IsNoRows(err) {
		return p, fmt.Errorf("customer of a record: %w", err)
	}
	err = tx.NewRaw("SELECT record_id FROM customer_link WHERE entity = ? AND customer_id = ? AND to_version IS NULL", tx.Scope.Entity, p.CustomerID).Scan(ctx, &p.Records)
	if err != nil {
		return p, fmt.Errorf("records of a customer: %w", err)
	}
	if !slices.Contains(p.Records, p.CustomerID) {
		p.Records = append(p.Records, p.CustomerID)
	}
	slices.Sort(p.Records)
	return p, nil
}

// SomeOf gives up to limit records of a system, in the order of their
// pseudonyms, for parts that need some of them.
func SomeOf(ctx context.Context, tx store.Tx, system string, limit int) (records []string, err error) {
	err = tx.NewRaw("SELECT record_id FROM customer_record WHERE entity = ? AND system = ? ORDER BY record_id LIMIT ?", tx.Scope.Entity, system, limit).Scan(ctx, &records)
	if err != nil {
		return nil, fmt.Errorf("records of %s: %w", system, err)
	}
	return records, nil
}
