// Package jobs runs long work: imports, exports, rotations, nightly
// computations. A job shows progress, can be cancelled and resumed, survives the
// death of its process, and runs on any node.
//
// A job is a row. Submit adds it in the caller's transaction; a runner takes it
// under a lease that it renews while it works. When the runner dies the lease
// ends and another runner takes the job, which goes on from its last
// checkpoint. A checkpoint is written in the transaction of the work it stands
// for, under the fence of the lease, so work is counted once even when a runner
// that was believed dead comes back:
//
//	func importRows(ctx context.Context, run *jobs.Run, args Args) error {
//		var at Position
//		if err := run.Resume(&at); err != nil { … }
//		for each chunk {
//			err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
//				… write the chunk …
//				return run.Checkpoint(ctx, tx, at, jobs.Progress{Done: n, Total: total})
//			})
//		}
//	}
//
// Periodic work is a job submitted when a schedule says so, once for all nodes
// and never while the one before is still running. A Lease elects one owner
// among nodes, for work that must not run twice at once.
//
// Timers in large numbers (clocks, flows) are not jobs: they are rows of their
// own tables, found by a due index and taken in batches.
//
// Files: job.go (types), jobs.go (submit, cancel, resume, list), runner.go,
// run.go (what a job sees), periodic.go, lease.go, store.go (all SQL).
// Tables: jobs_job, jobs_periodic, jobs_lease.
package jobs
