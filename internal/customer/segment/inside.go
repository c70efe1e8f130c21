package segment

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

// Inside gives those of the customers who belong to a segment now, in the caller's
// transaction, for parts that act on membership and have authorised that.
func (s *Service) Inside(ctx context.Context, tx store.Tx, id string, customers []string) (map[string]bool, error) {
	out := map[string]bool{}
	for part := range slices.Chunk(customers, 500) {
		var found []string
		err := tx.NewRaw("SELECT customer_id FROM customer_segment_member WHERE entity = ? AND segment_id = ? AND departed IS NULL AND customer_id IN (?)",
			tx.Scope.Entity, id, bun.List(part)).Scan(ctx, &found)
		if err != nil {
			return nil, fmt.Errorf("who belongs to %s: %w", id, err)
		}
		for _, c := range found {
			out[c] = true
		}
	}
	return out, nil
}

// Live reports whether a version of the segment is in use, in the caller's
// transaction.
func (s *Service) Live(ctx context.Context, tx store.Tx, id string) (bool, error) {
	running, err := runningVersions(ctx, tx)
	return slices.ContainsFunc(running, func(v versionRow) bool { return v.SegmentID == id && v.Status == Live }), err
}
