package erasure

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/platform/erasure"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
)

// Own is the module's own eraser, for tables that the sweep must not treat like
// others: decisions about records lose their words, and one that spoke of nobody
// else goes. Holds and the erasures themselves name pseudonyms alone and stay:
// they are the proof, and what restored back-ups are erased by.
func Own() erasure.Eraser {
	return erasure.Eraser{Name: "customer", Tables: []string{"customer_act", "customer_hold", "customer_erasure"}, InStore: func(ctx context.Context, tx store.Tx, s *erasure.Subject) ([]erasure.Line, error) {
		var deleted, cleared int64
		for chunk := range slices.Chunk(s.Records, 500) {
			of := "entity = ? AND id IN (SELECT act FROM customer_act_record WHERE entity = ? AND record_id IN (?))"
			others := " EXISTS (SELECT 1 FROM customer_act_record r WHERE r.entity = customer_act.entity AND r.act = customer_act.id AND r.record_id NOT IN (?))"
			res, err := tx.NewRaw("DELETE FROM customer_act WHERE "+of+" AND NOT"+others, s.Entity, s.Entity, bun.List(chunk), bun.List(s.Records)).Exec(ctx)
			if err != nil {
				return nil, fmt.Errorf("decisions about records: %w", err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return nil, err
			}
			deleted += n
			res, err = tx.NewRaw("UPDATE customer_act SET reason = '', undone_reason = '' WHERE "+of, s.Entity, s.Entity, bun.List(chunk)).Exec(ctx)
			if err != nil {
				return nil, fmt.Errorf("decisions about records: %w", err)
			}
			if n, err = res.RowsAffected(); err != nil {
				return nil, err
			}
			cleared += n
		}
		return []erasure.Line{{Place: "customer_act", Action: erasure.Deleted, Count: deleted + cleared}}, nil
	}}
}

// Warehouse makes facts statistics.
func Warehouse(w *warehouse.Warehouse) erasure.Eraser {
	return erasure.Eraser{Name: "warehouse", Outside: func(ctx context.Context, s *erasure.Subject) ([]erasure.Line, error) {
		ids := make([]uuid.UUID, 0, len(s.Records))
		for _, r := range s.Records {
			id, err := uuid.Parse(r)
			if err != nil {
				continue // no record: the warehouse knows uuids alone
			}
			ids = append(ids, id)
		}
		n, err := w.Erase(ctx, ids, s.At)
		if err != nil {
			return nil, err
		}
		return []erasure.Line{
			{Place: "warehouse.event", Action: erasure.Unlinked, Count: n.Events},
			{Place: "warehouse.identity_link", Action: erasure.Deleted, Count: n.Links},
			{Place: "warehouse.response", Action: erasure.Unlinked, Count: n.Responses},
		}, nil
	}}
}

// answersKept is how long the answers of idempotent calls are kept.
const answersKept = 24 * time.Hour

// ByTime states what cannot be cut into and goes by itself, and what stays.
func ByTime(retention time.Duration) erasure.Eraser {
	return erasure.Eraser{Name: "time", Tables: []string{"idempotency_request"}, Outside: func(_ context.Context, s *erasure.Subject) ([]erasure.Line, error) {
		return []erasure.Line{
			{Place: "log", Action: erasure.Expires, Until: s.At.Add(retention), Why: "customer.erasure.why.log"},
			{Place: "idempotency_request", Action: erasure.Expires, Until: s.At.Add(answersKept), Why: "customer.erasure.why.answers"},
			{Place: "backups", Action: erasure.Again, Why: "customer.erasure.why.backups"},
			{Place: "exports", Action: erasure.Kept, Why: "customer.erasure.why.exports"},
			{Place: "audit_entry", Action: erasure.Kept, Why: "customer.erasure.why.audit"},
		}, nil
	}}
}
