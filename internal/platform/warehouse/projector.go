package warehouse

import (
	"context"

	"omote/internal/platform/eventlog"
)

var _ eventlog.Projector = (*Warehouse)(nil)

// Apply implements [eventlog.Projector]: it puts the batch's events inside and
// moves the partition's watermark to its end, in one transaction. Events marked
// as duplicates are left out; messages at or before the watermark are inside
// already. Feed it with batches of up to 10,000 events or half a second,
// whichever comes first: fewer rows cost more each.
func (w *Warehouse) Apply(ctx context.Context, b eventlog.Batch) error {
	facts := make([]Fact, 0, len(b.Records))
	for i := range b.Records {
		r := &b.Records[i]
		if !r.Duplicate {
			facts = append(facts, Fact{Event: r.Event, Partition: b.Partition, Seq: r.Seq, Index: r.Index})
		}
	}
	return w.append(ctx, b.Partition, b.Last, facts)
}

// Feed is how the log should feed the warehouse.
func Feed() eventlog.RunOptions {
	return eventlog.RunOptions{MaxEvents: 10_000, MaxDelay: feedDelay}
}
