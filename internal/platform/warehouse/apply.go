package warehouse

import (
	"context"
	"fmt"
	"time"
)

// feedDelay is how long events may wait for company before they are appended.
const feedDelay = 500 * time.Millisecond

// append puts the facts of one partition that lie beyond its watermark inside
// and moves the watermark to last, in one transaction. Facts are whole log
// messages in order. A batch that is inside already changes nothing.
func (w *Warehouse) append(ctx context.Context, partition int, last uint64, facts []Fact) error {
	r := w.rowsOf(facts, 0) // before the lock, so that partitions do it side by side
	w.write.Lock()
	defer w.write.Unlock()
	applied := false
	err := w.engine.Write(ctx, func(tx writeTx) error {
		position, err := tx.Int(ctx, `SELECT position FROM warehouse.watermark WHERE log_partition = $1`, partition)
		if err != nil {
			return fmt.Errorf("read watermark: %w", err)
		}
		if last <= uint64(position) {
			return nil
		}
		if len(facts) > 0 && facts[0].Seq <= uint64(position) {
			r = w.rowsOf(facts, uint64(position))
		}
		applied = true
		if err := r.append(ctx, tx); err != nil {
			return err
		}
		return moveWatermark(ctx, tx, partition, last)
	})
	if err != nil {
		return fmt.Errorf("apply log partition %d up to %d: %w", partition, last, err)
	}
	if applied {
		w.folded.touch(&r.days)
	}
	if w.folded.due() {
		if err := w.fold(ctx); err != nil {
			// The facts are inside and sums are right without folding.
			w.opt.Logger.WarnContext(ctx, "warehouse aggregates were not folded", "error", err)
		}
	}
	return nil
}

// rowsOf turns the facts after a position into rows.
func (w *Warehouse) rowsOf(facts []Fact, after uint64) *rows {
	r := &rows{}
	for i := range facts {
		if facts[i].Seq > after {
			w.add(r, &facts[i])
		}
	}
	return r
}

func (r *rows) append(ctx context.Context, tx writeTx) error {
	if len(r.events) > 0 {
		if err := tx.Append(ctx, eventTable, r.events); err != nil {
			return err
		}
	}
	if len(r.responses) > 0 {
		if err := tx.Append(ctx, responseTable, r.responses); err != nil {
			return err
		}
	}
	return r.days.append(ctx, tx)
}

func moveWatermark(ctx context.Context, tx writeTx, partition int, position uint64) error {
	err := tx.Exec(ctx, `INSERT INTO warehouse.watermark (log_partition, position) VALUES ($1, $2)
ON CONFLICT (log_partition) DO UPDATE SET position = excluded.position`, partition, int64(position))
	if err != nil {
		return fmt.Errorf("move watermark: %w", err)
	}
	return nil
}

// day is the local day of an instant in the entity's zone, as midnight UTC.
func (w *Warehouse) day(entity string, at time.Time) time.Time {
	y, m, d := at.In(w.opt.Zone(entity)).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
