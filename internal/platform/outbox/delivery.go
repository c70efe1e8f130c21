package outbox

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Delivery is what a channel reports of a message after it took it.
type Delivery string

// What may be reported, in the order in which one follows another: a later word stands,
// an earlier one that comes late or again changes nothing.
const (
	DeliveryFailed Delivery = "failed"
	Delivered      Delivery = "delivered"
	DeliveryRead   Delivery = "read"
)

var deliveries = []Delivery{"", DeliveryFailed, Delivered, DeliveryRead}

// Report takes a channel's report on a message, found by the channel's own name for it
// or by the message's key. The same report again changes nothing. A report settles a
// message whose outcome was unknown. changed tells whether anything was new.
func (o *Outbox) Report(ctx context.Context, tx store.Tx, channel, name string, d Delivery) (m Message, changed bool, err error) {
	rank := slices.Index(deliveries, d)
	if rank < 1 || name == "" {
		return m, false, errs.Invalid("outbox.delivery_invalid", "status", "%q is no report on a delivery", d)
	}
	r, err := reported(ctx, tx, channel, name)
	if store.IsNoRows(err) {
		return m, false, errs.NotFound("outbox.not_found", "no message %s of channel %s", name, channel)
	}
	if err != nil {
		return m, false, fmt.Errorf("outbox: report: %w", err)
	}
	if slices.Index(deliveries, r.Delivery) >= rank {
		return r.message(), false, nil
	}
	r.Delivery, r.DeliveryAt = d, tx.Now()
	if r.State == Unknown || r.State == Claimed {
		r.State, r.Reason, r.Settled = Sent, "", tx.Now()
		if d == DeliveryFailed {
			r.State, r.Reason = Failed, WasRejected
		}
	}
	return r.message(), true, saveReport(ctx, tx, &r)
}

func reported(ctx context.Context, tx store.Tx, channel, name string) (r row, err error) {
	err = tx.NewSelect().Model(&r).ExcludeColumn("payload").Where("channel = ? AND entity = ? AND state IN (?)", channel, tx.Scope.Entity, bun.List([]State{Sent, Unknown, Claimed, Failed})).
		Where("(receipt = ? OR idempotency_key = ?)", name, name).Order("created DESC").Limit(1).Scan(ctx)
	return r, err
}

// saveReport also raises the fence: a result of the send that comes later is dropped.
func saveReport(ctx context.Context, tx store.Tx, r *row) error {
	r.Fence++
	_, err := affected(tx.NewUpdate().Model(r).Column("state", "reason", "settled", "delivery", "delivery_at", "fence").WherePK().Exec(ctx))
	return err
}
