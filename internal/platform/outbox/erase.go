package outbox

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"omote/internal/platform/erasure"
	"omote/internal/platform/store"
)

// Eraser deletes a person's messages. One that a process is sending at the moment
// has at most its lease to live; the erasure comes back for it.
func (o *Outbox) Eraser() erasure.Eraser {
	return erasure.Eraser{Name: "outbox", Tables: []string{"outbox_message"}, InStore: o.erase}
}

func (o *Outbox) erase(ctx context.Context, tx store.Tx, s *erasure.Subject) ([]erasure.Line, error) {
	n, err := o.eraseNamed(ctx, tx, s)
	if err != nil {
		return nil, err
	}
	lines := []erasure.Line{{Place: "outbox_message", Action: erasure.Deleted, Count: n}}
	left, err := tx.NewSelect().Model((*row)(nil)).Where("entity = ? AND customer_id IN (?)", s.Entity, bun.List(s.Records)).Count(ctx)
	if err != nil {
		return nil, fmt.Errorf("messages in flight: %w", err)
	}
	if left > 0 {
		lines = append(lines, erasure.Line{Place: "outbox_message", Action: erasure.Pending, Count: int64(left), Why: "customer.erasure.why.in_flight"})
	}
	return lines, nil
}

// eraseNamed deletes messages to the person, and messages to nobody that name the
// person in their payload, such as a task for staff.
func (o *Outbox) eraseNamed(ctx context.Context, tx store.Tx, s *erasure.Subject) (int64, error) {
	var all []row
	err := tx.NewSelect().Model(&all).Where("entity = ? AND customer_id = '' AND state <> ?", s.Entity, Claimed).Scan(ctx)
	if err != nil {
		return 0, fmt.Errorf("messages to nobody: %w", err)
	}
	var hit []string
	for i := range all {
		if err := o.box.Open(ctx, tx, &all[i]); err != nil {
			return 0, err
		}
		if s.InJSON(all[i].Payload.Plain) {
			hit = append(hit, all[i].ID)
		}
	}
	q := tx.NewDelete().Model((*row)(nil)).Where("entity = ? AND state <> ?", s.Entity, Claimed)
	if len(hit) > 0 {
		q = q.Where("(customer_id IN (?) OR customer_id = '' AND id IN (?))", bun.List(s.Records), bun.List(hit))
	} else {
		q = q.Where("customer_id IN (?)", bun.List(s.Records))
	}
	res, err := q.Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("erase messages: %w", err)
	}
	return res.RowsAffected()
}
