package projector

import (
	"context"

	"omote/internal/platform/eventlog"
	"omote/internal/platform/store"
)

// ImportCount is what an import has brought so far: events that took effect and
// events that were in the log before (from an earlier try of the same file, or
// from another feed).
type ImportCount struct {
	Accepted   int64
	Duplicates int64
}

type importKey struct{ entity, id string }

// countImports adds the events of a batch to the counters of their imports. The
// counters have one row a partition, so that partitions do not wait for each
// other.
func (s *State) countImports(ctx context.Context, tx store.Tx, b eventlog.Batch) error {
	var counts map[importKey]ImportCount
	for i := range b.Records {
		r := &b.Records[i]
		if r.Import == "" {
			continue
		}
		if counts == nil {
			counts = map[importKey]ImportCount{}
		}
		key := importKey{r.Entity, r.Import}
		c := counts[key]
		if r.Duplicate {
			c.Duplicates++
		} else {
			c.Accepted++
		}
		counts[key] = c
	}
	if len(counts) == 0 {
		return nil
	}
	return s.addImports(ctx, tx, b.Partition, counts)
}

// Import tells what an import has brought within the scope's entity, exact as of
// the positions that are applied: wait for them with [eventlog.Log.WaitFor]
// before reporting a result.
func (s *State) Import(ctx context.Context, id string) (c ImportCount, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err = s.sumImport(ctx, tx, id)
		return err
	})
	return c, err
}
