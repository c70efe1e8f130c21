package timer

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"time"

	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations make the table of timers.
var Migrations = store.Migrations{Module: "timer", FS: migrations}

// Timer is one thing that is to happen at a time. Within an entity there is one
// timer for a kind and id; setting it again moves it.
type Timer struct {
	Kind    string
	ID      string // whose: a clock, a step
	Due     time.Time
	Payload string // what Fire needs to know; at most MaxPayload bytes
	// Entity is set by the timers: that of the scope in which it was set.
	Entity string
	// Attempts counts failures so far.
	Attempts int
}

// Limits of a timer.
const (
	MaxID      = 200
	MaxPayload = 4 << 10
)

// Kind is what happens when timers of a name are due.
type Kind struct {
	Name string
	// Fire does what is to be done for the timers, in the transaction that takes
	// them away. Each is due. The scope is that of the process in the timers'
	// entity. Setting a timer of the batch again is allowed.
	Fire func(ctx context.Context, tx store.Tx, due []Timer) error
}

// Options set the workers up; zero values take the defaults.
type Options struct {
	Batch    int           // timers of a transaction; default 4,000
	Workers  int           // at the same time; default 1 (SQLite writes one at a time anyway)
	Poll     time.Duration // longest wait before looking again; default 500 ms
	Attempts int           // failures before a timer is given up; default 12
}

// Timers sets and fires timers. It is safe for concurrent use.
type Timers struct {
	db    *store.DB
	kinds map[string]Kind
	o     Options
	log   *slog.Logger
	wake  chan struct{}
}

// New makes the timers of a store.
func New(db *store.DB, o Options, kinds ...Kind) *Timers {
	if o.Batch <= 0 {
		o.Batch = 4_000
	}
	if o.Workers <= 0 {
		o.Workers = 1
	}
	if o.Poll <= 0 {
		o.Poll = 500 * time.Millisecond
	}
	if o.Attempts <= 0 {
		o.Attempts = 12
	}
	t := &Timers{db: db, kinds: map[string]Kind{}, o: o, log: db.Logger().With("part", "timers"), wake: make(chan struct{}, 1)}
	for _, k := range kinds {
		t.kinds[k.Name] = k
	}
	return t
}

// Add adds kinds; only before Run.
func (t *Timers) Add(kinds ...Kind) {
	for _, k := range kinds {
		t.kinds[k.Name] = k
	}
}

// Set sets timers, or moves those that are set, in the caller's transaction.
func (t *Timers) Set(ctx context.Context, tx store.Tx, timers ...Timer) error {
	soon, now := false, tx.Now()
	for _, each := range timers {
		if _, known := t.kinds[each.Kind]; !known {
			return fmt.Errorf("timer: there is no kind %q", each.Kind)
		}
		if each.ID == "" || len(each.ID) > MaxID || len(each.Payload) > MaxPayload || each.Due.IsZero() {
			return fmt.Errorf("timer: %s/%s needs an id, a time and a small payload", each.Kind, each.ID)
		}
		soon = soon || store.At(each.Due) <= now.Add(t.o.Poll)
	}
	if err := upsert(ctx, tx, timers); err != nil {
		return err
	}
	if soon {
		tx.AfterCommit(t.nudge)
	}
	return nil
}

// Cancel takes timers away; those that are not set are passed over.
func (t *Timers) Cancel(ctx context.Context, tx store.Tx, kind string, ids ...string) error {
	return remove(ctx, tx, tx.Scope.Entity, kind, ids)
}

func (t *Timers) nudge() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Stats says how the timers stand.
type Stats struct {
	Waiting int64
	Overdue int64 // due, and not yet fired
	GivenUp int64
	Oldest  time.Time // the time of the most overdue one; zero for none
}

// Stats counts the timers of the scope's entity.
func (t *Timers) Stats(ctx context.Context, tx store.Tx) (Stats, error) { return stats(ctx, tx) }

// Failed is a timer that was given up.
type Failed struct {
	Timer
	Error string
}

// GivenUp lists timers that were given up, at most limit.
func (t *Timers) GivenUp(ctx context.Context, tx store.Tx, limit int) ([]Failed, error) {
	return givenUp(ctx, tx, limit)
}
