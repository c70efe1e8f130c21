package jobs

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations make the tables of jobs, schedules and leases.
var Migrations = store.Migrations{Module: "jobs", FS: migrations}

// Options set how jobs run here; zero values take the defaults.
type Options struct {
	Kinds    []Kind
	Periodic []Periodic
	Workers  int           // jobs at a time; default 2
	Lease    time.Duration // how long a silent runner keeps a job; default 30 s
	Poll     time.Duration // wait when nothing is due and nobody calls; default 1 s
	Node     string        // name of this process, for people; default a random one
}

// Jobs submits and runs jobs. It is safe for concurrent use.
type Jobs struct {
	db    *store.DB
	o     Options
	kinds map[string]Kind
	log   *slog.Logger
	wake  chan struct{}

	mu      sync.Mutex
	running map[string]context.CancelCauseFunc // by job id
}

// New makes the jobs of one process. A process that only submits does not Run.
func New(db *store.DB, o Options) *Jobs {
	if o.Workers <= 0 {
		o.Workers = 2
	}
	if o.Lease <= 0 {
		o.Lease = 30 * time.Second
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.Node == "" {
		o.Node = uuid.NewString()[:8]
	}
	j := &Jobs{db: db, o: o, kinds: map[string]Kind{}, log: db.Logger().With("part", "jobs"), wake: make(chan struct{}, 1),
		running: map[string]context.CancelCauseFunc{}}
	for _, k := range o.Kinds {
		j.kinds[k.Name] = k
	}
	return j
}

// Submission says when and how often a job may be there.
type Submission struct {
	Due time.Time // not before; zero means at once
	// Unique, when set, allows one job with this key at a time: a second one is a
	// conflict until the first has ended.
	Unique string
}

// Submit adds a job in the caller's transaction and gives its id.
func (j *Jobs) Submit(ctx context.Context, tx store.Tx, kind string, args any, s Submission) (string, error) {
	if _, ok := j.kinds[kind]; !ok {
		return "", errs.Invalid("jobs.kind_unknown", "kind", "no job of kind %q", kind)
	}
	raw, err := marshal(args)
	if err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("jobs: %w", err)
	}
	now := tx.Now()
	r := row{ID: id.String(), Entity: tx.Scope.Entity, Kind: kind, Args: raw, State: Queued, Due: max(now, store.At(s.Due)),
		UniqueKey: s.Unique, Actor: tx.Scope.Actor, Created: now}
	added, err := insert(ctx, tx, &r)
	if err != nil {
		return "", err
	}
	if !added {
		return "", errs.Conflict("jobs.already_there", "a job with the key %q has not ended yet", s.Unique)
	}
	tx.AfterCommit(j.Wake)
	return r.ID, nil
}

// Wake tells the runner that there may be something due.
func (j *Jobs) Wake() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Get reads one job.
func (j *Jobs) Get(ctx context.Context, tx store.Tx, id string) (Job, error) {
	r, err := get(ctx, tx, id)
	if store.IsNoRows(err) {
		return Job{}, errs.NotFound("jobs.not_found", "no job %s", id)
	}
	return r.job(), err
}

// Filter picks jobs. Empty fields pick all.
type Filter struct {
	Kind  string
	State State
	// After is the id of the last job of the page before.
	After string
	Limit int // default 50
}

// List gives jobs of the entity, newest first.
func (j *Jobs) List(ctx context.Context, tx store.Tx, f Filter) ([]Job, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	rows, err := list(ctx, tx, f)
	if err != nil {
		return nil, err
	}
	out := make([]Job, len(rows))
	for i, r := range rows {
		out[i] = r.job()
	}
	return out, nil
}

// Cancel stops a job: one that waits at once, one that runs as soon as its
// runner hears of it. What it has done stays; Restart goes on from there.
func (j *Jobs) Cancel(ctx context.Context, tx store.Tx, id string) error {
	n, err := cancelQueued(ctx, tx, id)
	if err != nil || n > 0 {
		return err
	}
	if n, err = cancelRunning(ctx, tx, id); err != nil {
		return err
	}
	if n == 0 {
		return errs.Conflict("jobs.not_running", "job %s is neither waiting nor running", id)
	}
	tx.AfterCommit(func() { j.interrupt(id, ErrCancelled) })
	return nil
}

// Restart puts a cancelled or failed job back into the queue; it goes on from
// its last checkpoint.
func (j *Jobs) Restart(ctx context.Context, tx store.Tx, id string) error {
	n, err := restart(ctx, tx, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return errs.Conflict("jobs.not_stopped", "job %s was neither cancelled nor has it failed", id)
	}
	tx.AfterCommit(j.Wake)
	return nil
}

// Purge deletes jobs that ended before t and gives their number.
func (j *Jobs) Purge(ctx context.Context, tx store.Tx, t time.Time) (int64, error) {
	return purge(ctx, tx, store.At(t))
}

func (j *Jobs) interrupt(id string, cause error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if cancel, ok := j.running[id]; ok {
		cancel(cause)
	}
}
