package outbox

import (
	"context"
	"testing"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

// TestReport settles a message that a gateway took but did not answer for, moves forward
// alone, and lets nothing be sent twice.
func TestReport(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		id := r.enqueue("plain", "k1")
		r.write(func(ctx context.Context, tx store.Tx) error { // it timed out after sending
			_, err := tx.NewRaw("UPDATE outbox_message SET state = 'unknown', reason = 'no_answer', settled = ? WHERE id = ?", tx.Now(), id).Exec(ctx)
			return err
		})
		for _, step := range []struct {
			d       Delivery
			changed bool
			want    Delivery
		}{{Delivered, true, Delivered}, {Delivered, false, Delivered}, {DeliveryFailed, false, Delivered}, {DeliveryRead, true, DeliveryRead}, {Delivered, false, DeliveryRead}} {
			r.write(func(ctx context.Context, tx store.Tx) error {
				m, changed, err := r.Report(ctx, tx, "plain", "k1", step.d)
				if err == nil && (changed != step.changed || m.Delivery != step.want || m.State != Sent) {
					t.Errorf("after %s: %s, %s, changed %v", step.d, m.State, m.Delivery, changed)
				}
				return err
			})
		}
		r.write(func(ctx context.Context, tx store.Tx) error {
			if _, _, err := r.Report(ctx, tx, "plain", "nobody", Delivered); errs.KindOf(err) != errs.KindNotFound {
				t.Errorf("a message that is not there: %v", err)
			}
			if _, _, err := r.Report(ctx, tx, "other", "k1", Delivered); errs.KindOf(err) != errs.KindNotFound {
				t.Errorf("another channel: %v", err)
			}
			return nil
		})
		if n, err := r.RunOnce(t.Context()); err != nil || n != 0 {
			t.Errorf("%d messages moved, %v", n, err)
		}
	}, sealed.Migrations, Migrations)
}
