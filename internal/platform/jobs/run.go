package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// progressEvery is how often progress reaches the table at most.
const progressEvery = 500 * time.Millisecond

// Run is what the code of a job sees of it. The context that comes with it
// carries the job's scope and ends, with its cause, when the job is cancelled,
// the lease is lost or the process stops; the code then returns soon.
type Run struct {
	jobs *Jobs
	row  row

	mu       sync.Mutex
	progress Progress
	written  time.Time
	result   json.RawMessage
}

// ID is the job's id.
func (r *Run) ID() string { return r.row.ID }

// Actor is who submitted the job.
func (r *Run) Actor() string { return r.row.Actor }

// Resume reads the last checkpoint into state, which stays as it is when there
// is none.
func (r *Run) Resume(state any) error {
	if len(r.row.Checkpoint) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.row.Checkpoint, state); err != nil {
		return fmt.Errorf("jobs: checkpoint of %s: %w", r.row.ID, err)
	}
	return nil
}

// Checkpoint writes, in the transaction of the work, from where to go on. It
// returns ErrLost when another runner has the job: the transaction must then
// not commit.
func (r *Run) Checkpoint(ctx context.Context, tx store.Tx, state any, p Progress) error {
	raw, err := marshal(state)
	if err != nil {
		return err
	}
	held, err := note(ctx, tx, &r.row, p, raw)
	if err != nil {
		return err
	}
	if !held {
		return ErrLost
	}
	tx.AfterCommit(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.row.Checkpoint, r.progress, r.written, r.row.Attempts = raw, p, time.Now(), 1
	})
	return nil
}

// Progress tells how far the job is. It is cheap to call often: few calls reach
// the table. Do not call it inside a transaction; use Checkpoint there.
func (r *Run) Progress(ctx context.Context, p Progress) error {
	r.mu.Lock()
	r.progress = p
	quiet := time.Since(r.written) < progressEvery && p.Done != p.Total
	if !quiet {
		r.written = time.Now()
	}
	r.mu.Unlock()
	if quiet {
		return ctx.Err()
	}
	return r.jobs.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		held, err := note(ctx, tx, &r.row, p, nil)
		if err == nil && !held {
			return ErrLost
		}
		return err
	})
}

// SetResult keeps what the job found, for whoever asked for it.
func (r *Run) SetResult(v any) error {
	raw, err := marshal(v)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result = raw
	return nil
}

// scoped gives the scope that the job's code runs under: the whole entity, in
// the name of the job's kind. What the submitter may see was decided before.
func (r *Run) scoped(ctx context.Context) context.Context {
	return scope.With(ctx, scope.Process(r.row.Entity, "job:"+r.row.Kind))
}
