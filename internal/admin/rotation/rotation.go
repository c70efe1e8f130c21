// Package rotation brings encrypted columns and blind indexes to the newest keys
// of the ring, as a job: with progress, in batches, and to be stopped and started
// again at will. Adding a key to the ring is the key provider's affair; from then
// on new values use it, and this job moves the old ones, after which the old key
// may be taken out of the ring.
package rotation

import (
	"context"

	"omote/internal/platform/audit"
	"omote/internal/platform/jobs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// JobKind is the name of the job; it takes no arguments.
const JobKind = "admin.rotate"

// attempts is how often a rotation that failed is tried again.
const attempts = 5

// Job makes the kind of job that rotates the inventories of all modules. Its
// result is the number of rows changed, by column.
func Job(db *store.DB, box *sealed.Box, inventories ...sealed.Inventory) jobs.Kind {
	return jobs.Define(JobKind, attempts, func(ctx context.Context, run *jobs.Run, _ struct{}) error {
		var total int64
		r := sealed.Rotation{Box: box, Progress: func(n int64) error {
			total += n
			return run.Progress(ctx, jobs.Progress{Done: total, Note: "rotating"})
		}}
		done, err := r.All(ctx, db, inventories...)
		if err != nil {
			return err
		}
		if err := run.SetResult(done); err != nil {
			return err
		}
		return db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			return audit.Record(ctx, tx, audit.Entry{Action: "admin.key_ring.rotate", Object: "job/" + run.ID(), After: done})
		})
	})
}
