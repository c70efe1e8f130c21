package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// State is where a job is in its life.
type State string

// The states of a job.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Why a job's context ended, as context.Cause tells.
var (
	// ErrCancelled means that somebody cancelled the job.
	ErrCancelled = errors.New("jobs: cancelled")
	// ErrLost means that the lease was lost: another runner may have the job.
	ErrLost = errors.New("jobs: the lease was lost")
	// ErrShutdown means that this process stops; the job goes back to the queue.
	ErrShutdown = errors.New("jobs: the process stops")
)

// Progress is how far a job is. Total is 0 while it is unknown.
type Progress struct {
	Done, Total int64
	Note        string // key of a text that says what is being done
}

// Fraction is how much is done, from 0 to 1; 0 while the total is unknown.
func (p Progress) Fraction() float64 {
	if p.Total <= 0 {
		return 0
	}
	return min(1, float64(p.Done)/float64(p.Total))
}

// Job is one piece of work as people see it.
type Job struct {
	ID        string
	Kind      string
	Args      json.RawMessage
	State     State
	Stopping  bool // cancellation was asked for and has not happened yet
	Progress  Progress
	Result    json.RawMessage
	ErrorKey  string // translation key of why it failed
	ErrorText string // the same for engineers
	Actor     string // who submitted it
	Attempts  int    // since the last checkpoint
	Due       time.Time
	Created   time.Time
	Started   time.Time
	Ended     time.Time
}

// Kind is a kind of job with the code that does it.
type Kind struct {
	Name     string
	attempts int
	run      func(ctx context.Context, run *Run) error
}

// Define makes a kind whose arguments are of type A. attempts is how often the
// work is tried before the job fails, counted from its last checkpoint; errors
// that trying again cannot mend (invalid, not found, denied) fail it at once.
func Define[A any](name string, attempts int, work func(ctx context.Context, run *Run, args A) error) Kind {
	return Kind{Name: name, attempts: max(1, attempts), run: func(ctx context.Context, run *Run) error {
		var args A
		if err := json.Unmarshal(run.row.Args, &args); err != nil {
			return errs.Invalid("jobs.args_invalid", "", "arguments of %s", name).Because(err)
		}
		return work(ctx, run, args)
	}}
}

// row is a job as the table holds it.
type row struct {
	bun.BaseModel `bun:"table:jobs_job"`

	ID         string `bun:",pk"`
	Entity     string
	Kind       string
	Args       json.RawMessage `bun:"type:jsonb,nullzero"`
	State      State
	Due        store.Micros
	Attempts   int
	Fence      int64
	Node       string
	Stop       bool
	UniqueKey  string `bun:",nullzero"`
	Done       int64
	Total      int64
	Note       string
	Checkpoint json.RawMessage `bun:"type:jsonb,nullzero"`
	Result     json.RawMessage `bun:"type:jsonb,nullzero"`
	ErrorKey   string
	ErrorText  string
	Actor      string
	Created    store.Micros
	Started    store.Micros `bun:",nullzero"`
	Ended      store.Micros `bun:",nullzero"`
}

func (r row) job() Job {
	return Job{
		ID: r.ID, Kind: r.Kind, Args: r.Args, State: r.State, Stopping: r.Stop && r.State == Running,
		Progress: Progress{r.Done, r.Total, r.Note}, Result: r.Result, ErrorKey: r.ErrorKey, ErrorText: r.ErrorText, Actor: r.Actor,
		Attempts: r.Attempts, Due: r.Due.Time(), Created: r.Created.Time(), Started: r.Started.Time(), Ended: r.Ended.Time(),
	}
}

// end sets the fields of a job that has ended in the given state.
func (r *row) end(s State, now store.Micros) {
	r.State, r.Ended, r.UniqueKey = s, now, ""
}

func (r *row) fail(err error, now store.Micros) {
	r.ErrorKey, r.ErrorText = "error.internal", err.Error()
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Key != "" {
		r.ErrorKey = e.Key
	}
	r.end(Failed, now)
}

// hopeless tells whether trying again cannot help.
func hopeless(err error) bool {
	switch errs.KindOf(err) {
	case errs.KindInvalid, errs.KindNotFound, errs.KindDenied, errs.KindTooLarge:
		return true
	}
	return false
}

func marshal(v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return raw, nil
}
