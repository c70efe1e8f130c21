package warehouse

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/event"
	"omote/internal/platform/pseudonym"
)

// Options say where the warehouse lies and what may enter it.
type Options struct {
	// URL is "" for a DuckDB file in Dir, or a PostgreSQL address
	// ("postgres://user@host/db").
	URL string
	// Dir is the folder of the DuckDB file; unused with PostgreSQL.
	Dir string
	// Threads that one query may use; 0 means 2. DuckDB only.
	Threads int
	// MemoryLimit of the engine, such as "4GB"; "" means that. DuckDB only.
	MemoryLimit string
	// Pseudonyms makes the ids of records. Required.
	Pseudonyms *pseudonym.Maker
	// Mask takes personal data out of a comment. Without it no comment is kept.
	Mask func(string) string
	// Profile gives what analysis may hold of an identify call, as a JSON object:
	// coarse, coded parts of what a system says about a person, no identifier and
	// no free text. Without it nothing is kept.
	Profile func(e *event.Event) json.RawMessage
	// Zone gives the zone in which an entity's days are cut; nil means UTC.
	Zone func(entity string) *time.Location
	// Clock defaults to the system's.
	Clock clock.Clock
	// Logger defaults to slog.Default.
	Logger *slog.Logger
}

// Warehouse holds the facts. It is safe for concurrent use; writes are made one
// at a time.
type Warehouse struct {
	opt    Options
	engine engine
	write  sync.Mutex // held by whoever writes
	folded foldState
}

// Open opens the warehouse and brings its tables to the present form.
//
// A DuckDB file belongs to one process at a time: Open answers errs.Conflict
// when another holds it.
func Open(ctx context.Context, opt Options) (*Warehouse, error) {
	if opt.Pseudonyms == nil {
		return nil, errors.New("warehouse: options name no pseudonym maker")
	}
	if opt.Clock == nil {
		opt.Clock = clock.System{}
	}
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	if opt.Zone == nil {
		opt.Zone = func(string) *time.Location { return time.UTC }
	}
	e, err := openEngine(ctx, opt)
	if err != nil {
		return nil, fmt.Errorf("open warehouse: %w", err)
	}
	w := &Warehouse{opt: opt, engine: e}
	if err := w.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare warehouse tables: %w", err), e.Close())
	}
	return w, nil
}

// Close ends the warehouse's use of its engine. What was applied is kept.
func (w *Warehouse) Close() error {
	w.write.Lock()
	defer w.write.Unlock()
	return w.engine.Close()
}

// Name is the name of the projector.
func (w *Warehouse) Name() string { return "warehouse" }

// Position is the last log sequence of the partition that is inside, 0 for none.
func (w *Warehouse) Position(ctx context.Context, partition int) (uint64, error) {
	var pos uint64
	err := w.engine.Reader().QueryRowContext(ctx,
		`SELECT position FROM warehouse.watermark WHERE log_partition = $1`, partition).Scan(&pos)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read warehouse position of partition %d: %w", partition, err)
	}
	return pos, nil
}

// Dialect gives what a compiler of SQL must know about the engine.
func (w *Warehouse) Dialect() Dialect { return w.engine.Dialect() }

// Clock is the clock the warehouse was opened with.
func (w *Warehouse) Clock() clock.Clock { return w.opt.Clock }

// Zone is the zone in which the entity's days are cut.
func (w *Warehouse) Zone(entity string) *time.Location { return w.opt.Zone(entity) }

// inTx runs f in the one writing transaction; an error of f undoes everything.
func (w *Warehouse) inTx(ctx context.Context, f func(tx writeTx) error) error {
	w.write.Lock()
	defer w.write.Unlock()
	return w.engine.Write(ctx, f)
}
