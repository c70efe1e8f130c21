package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

func processScope(ctx context.Context) context.Context {
	return scope.With(ctx, scope.Process(scope.DefaultEntity, "jobs"))
}

// Run takes and runs jobs until ctx ends; running jobs are then told to stop,
// go back to the queue, and Run returns when all have.
func (j *Jobs) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	free := make(chan struct{}, j.o.Workers)
	for range j.o.Workers {
		free <- struct{}{}
	}
	for {
		if err := j.submitPeriodic(ctx); err != nil && ctx.Err() == nil {
			j.log.Error("periodic jobs", "error", err)
		}
		claims, err := j.claim(ctx, len(free))
		if err != nil && ctx.Err() == nil {
			j.log.Error("take jobs", "error", err)
		}
		for _, r := range claims {
			<-free
			wg.Go(func() {
				j.execute(ctx, r)
				free <- struct{}{}
				j.Wake()
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-j.wake:
		case <-time.After(j.o.Poll):
		}
	}
}

// RunOnce submits periodic jobs that are due, takes at most Workers jobs, runs
// them to their end and gives their number.
func (j *Jobs) RunOnce(ctx context.Context) (int, error) {
	if err := j.submitPeriodic(ctx); err != nil {
		return 0, err
	}
	claims, err := j.claim(ctx, j.o.Workers)
	var wg sync.WaitGroup
	for _, r := range claims {
		wg.Go(func() { j.execute(ctx, r) })
	}
	wg.Wait()
	return len(claims), err
}

func (j *Jobs) claim(ctx context.Context, n int) (claims []row, err error) {
	if n == 0 || len(j.kinds) == 0 {
		return nil, nil
	}
	kinds := slices.Sorted(maps.Keys(j.kinds))
	err = j.db.Write(processScope(ctx), func(ctx context.Context, tx store.Tx) error {
		rows, err := due(ctx, tx, kinds, n)
		if err != nil {
			return err
		}
		claims = nil
		for _, r := range rows {
			fence, now := r.Fence, tx.Now()
			if r.Stop {
				r.end(Cancelled, now)
			} else if r.State == Running && r.Attempts >= j.kinds[r.Kind].attempts {
				r.fail(errors.New("the process that ran it died"), now)
			} else {
				j.take(&r, now)
				claims = append(claims, r)
			}
			if _, err := save(ctx, tx, &r, fence); err != nil {
				return err
			}
		}
		return nil
	})
	return claims, err
}

func (j *Jobs) take(r *row, now store.Micros) {
	r.State, r.Node, r.Due = Running, j.o.Node, now.Add(j.o.Lease)
	r.Attempts++
	r.Fence++
	if r.Started == 0 {
		r.Started = now
	}
}

// execute runs one job that was taken, and writes how it ended.
func (j *Jobs) execute(ctx context.Context, r row) {
	run := &Run{jobs: j, row: r, progress: Progress{r.Done, r.Total, r.Note}}
	work, cancel := context.WithCancelCause(context.WithoutCancel(run.scoped(ctx)))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() { cancel(ErrShutdown) })
	defer stop()
	j.register(r.ID, cancel)
	defer j.register(r.ID, nil)

	beat, endBeat := context.WithCancel(context.WithoutCancel(processScope(ctx)))
	var wg sync.WaitGroup
	wg.Go(func() { j.heartbeat(beat, r, cancel) })
	err := j.protect(work, run)
	endBeat()
	wg.Wait()

	final, done := context.WithTimeout(context.WithoutCancel(processScope(ctx)), j.o.Lease)
	defer done()
	if err := j.finish(final, run, err, context.Cause(work)); err != nil {
		j.log.Error("end of job", "job", r.ID, "kind", r.Kind, "error", err)
	}
}

// protect turns a panic of a job into its failure.
func (j *Jobs) protect(ctx context.Context, run *Run) (err error) {
	defer func() {
		if p := recover(); p != nil {
			j.log.Error("job panicked", "job", run.row.ID, "kind", run.row.Kind, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return j.kinds[run.row.Kind].run(ctx, run)
}

func (j *Jobs) register(id string, cancel context.CancelCauseFunc) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if cancel == nil {
		delete(j.running, id)
	} else {
		j.running[id] = cancel
	}
}

// heartbeat keeps the lease until ctx ends, and stops the work when the job was
// cancelled elsewhere or the lease is gone.
func (j *Jobs) heartbeat(ctx context.Context, r row, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(j.o.Lease / 3)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held, stop := true, false
		err := j.db.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
			held, stop, err = renew(ctx, tx, &r, tx.Now().Add(j.o.Lease))
			return err
		})
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && !held, err != nil && time.Since(last) > j.o.Lease:
			cancel(ErrLost)
			return
		case err != nil:
			j.log.Warn("renew lease", "job", r.ID, "error", err)
			continue
		case stop:
			cancel(ErrCancelled)
		}
		last = time.Now()
	}
}

// finish writes the outcome. cause is why the job's context ended, if it did.
func (j *Jobs) finish(ctx context.Context, run *Run, err, cause error) error {
	return j.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		run.mu.Lock()
		defer run.mu.Unlock()
		r, now := run.row, tx.Now()
		r.Done, r.Total, r.Note, r.Result = run.progress.Done, run.progress.Total, run.progress.Note, run.result
		switch {
		case err == nil:
			r.end(Done, now)
		case errors.Is(cause, ErrLost), errors.Is(err, ErrLost):
			j.log.Warn("job was lost to another runner", "job", r.ID, "kind", r.Kind)
			return nil
		case errors.Is(cause, ErrCancelled):
			r.end(Cancelled, now)
		case errors.Is(cause, ErrShutdown):
			r.State, r.Due, r.Node = Queued, now, ""
			r.Attempts--
		case hopeless(err) || r.Attempts >= j.kinds[r.Kind].attempts:
			j.log.Error("job failed", "job", r.ID, "kind", r.Kind, "attempts", r.Attempts, "error", err)
			r.fail(err, now)
		default:
			j.log.Warn("job will be tried again", "job", r.ID, "kind", r.Kind, "attempts", r.Attempts, "error", err)
			r.State, r.Due, r.ErrorText = Queued, now.Add(backoff(r.Attempts)), err.Error()
		}
		held, err := save(ctx, tx, &r, r.Fence)
		if err == nil && !held {
			j.log.Warn("job was lost to another runner", "job", r.ID, "kind", r.Kind)
		}
		return err
	})
}

// backoff is the wait after the n-th attempt: 5 s doubled each time, at most
// 10 min, with jitter.
func backoff(n int) time.Duration {
	d := min(5*time.Second<<min(n-1, 20), 10*time.Minute)
	return d/2 + rand.N(d/2)
}
