package projector

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

//go:embed migrations
var migrations embed.FS

// Migrations make the projector's tables.
var Migrations = store.Migrations{Module: "projector", FS: migrations}

// Handler changes state by events. See the package comment for what it gets
// and what it must keep to.
type Handler interface {
	// Name identifies the handler among those of a State and names its dead
	// letters: 1–64 lower-case letters, digits, '_', '.' or '-'. It must not
	// change.
	Name() string
	// Handle applies records in order. An error of kind Unavailable, a conflict
	// in the store or an ended context aborts the batch; any other error, or a
	// panic, is a permanent failure of one of the records.
	Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error
}

// Options set a State up; zero values take the defaults.
type Options struct {
	Name string // among the projectors of the log; default "state"
	// MaxEvents bounds the events of a transaction (default 2,000).
	MaxEvents int
	// MaxHistory bounds the events of a transaction that takes up nothing but
	// history (default MaxEvents).
	MaxHistory int
}

// State is the projector of the store. It is safe for concurrent use.
type State struct {
	db       *store.DB
	box      *sealed.Box
	subjects *pseudonym.Maker
	handlers []Handler
	opts     Options
	log      *slog.Logger
}

var _ eventlog.Projector = (*State)(nil)

var validHandler = regexp.MustCompile(`^[a-z0-9_.-]{1,64}$`)

// New makes a State whose handlers run in the given order. The box encrypts the
// events of dead letters; the store needs a key ring.
func New(db *store.DB, box *sealed.Box, o Options, handlers ...Handler) (*State, error) {
	if o.Name == "" {
		o.Name = "state"
	}
	if o.MaxEvents <= 0 {
		o.MaxEvents = 2000
	}
	for i, h := range handlers {
		if !validHandler.MatchString(h.Name()) {
			return nil, fmt.Errorf("projector: the handler name %q is not 1–64 lower-case letters, digits, '_', '.' or '-'", h.Name())
		}
		if slices.ContainsFunc(handlers[:i], func(other Handler) bool { return other.Name() == h.Name() }) {
			return nil, fmt.Errorf("projector: two handlers are called %q", h.Name())
		}
	}
	if db.Keys() == nil {
		return nil, fmt.Errorf("projector: the store was opened without a key ring")
	}
	subjects, err := pseudonym.New(context.Background(), db.Keys())
	if err != nil {
		return nil, fmt.Errorf("projector: %w", err)
	}
	return &State{db: db, box: box, subjects: subjects, handlers: handlers, opts: o, log: db.Logger().With("part", "projector")}, nil
}

// Name implements [eventlog.Projector].
func (s *State) Name() string { return s.opts.Name }

// Feed is how the log should feed the projector: what is there at once, at most
// MaxEvents in a transaction.
func (s *State) Feed() eventlog.RunOptions {
	return eventlog.RunOptions{MaxEvents: s.opts.MaxEvents, MaxHistory: s.opts.MaxHistory, Grace: 20 * time.Second}
}

// as gives the context the scope of this projector's own work in an entity.
func (s *State) as(ctx context.Context, entity string) context.Context {
	return scope.With(ctx, scope.Process(entity, s.opts.Name))
}

// Position implements [eventlog.Projector].
func (s *State) Position(ctx context.Context, partition int) (position uint64, err error) {
	err = s.db.Read(s.as(ctx, scope.DefaultEntity), func(ctx context.Context, tx store.Tx) error {
		position, err = s.position(ctx, tx, partition)
		return err
	})
	return position, err
}

// Positions gives where the projector stands in each partition, as the
// transaction sees it: what commits with it is right for exactly these events.
func (s *State) Positions(ctx context.Context, tx store.Tx) (map[int]uint64, error) {
	return s.positions(ctx, tx)
}

// Apply implements [eventlog.Projector]: the handlers' changes, the import
// counters, the dead letters and the position are one transaction.
func (s *State) Apply(ctx context.Context, b eventlog.Batch) error {
	byEntity := split(b.Records)
	return s.db.Write(s.as(ctx, scope.DefaultEntity), func(ctx context.Context, tx store.Tx) error {
		moved, err := s.move(ctx, tx, b.Partition, b.After, b.Last)
		if err != nil {
			return err
		}
		if !moved {
			return errs.Conflict("projector.error.moved", "%s does not stand at %d in partition %d", s.opts.Name, b.After, b.Partition)
		}
		for _, g := range byEntity {
			ctx, tx := s.as(ctx, g.entity), tx
			tx.Scope = scope.Process(g.entity, s.opts.Name)
			for _, h := range s.handlers {
				if err := s.handle(ctx, tx, h, g.records); err != nil {
					return fmt.Errorf("handler %s, partition %d, messages %d to %d: %w", h.Name(), b.Partition, b.First, b.Last, err)
				}
			}
		}
		return s.countImports(ctx, tx, b)
	})
}

// group is the events of one bank entity in a batch.
type group struct {
	entity  string
	records []eventlog.Record
}

// split sorts events by entity and drops duplicates; within an entity the order
// stays. A batch of one entity without duplicates is not copied.
func split(records []eventlog.Record) []group {
	plain := true
	for i := range records {
		plain = plain && !records[i].Duplicate && records[i].Entity == records[0].Entity
	}
	if plain && len(records) > 0 {
		return []group{{records[0].Entity, records}}
	}
	var groups []group
	for i := range records {
		if records[i].Duplicate {
			continue
		}
		at := slices.IndexFunc(groups, func(g group) bool { return g.entity == records[i].Entity })
		if at < 0 {
			groups = append(groups, group{entity: records[i].Entity})
			at = len(groups) - 1
		}
		groups[at].records = append(groups[at].records, records[i])
	}
	return groups
}
