// Package retention says how long each kind of data is kept, as data that the
// data-protection officer edits, and takes away at night what is older.
//
// A [Kind] is registered by the part that holds the data; the rule for it is a
// row, versioned, with the basis in law. The nightly job goes through the kinds
// in batches, shows its progress, and writes down what it took away.
//
// Tables: customer_retention, customer_retention_run.
package retention

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/jobs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Permissions of retention rules.
const (
	PermRead auth.Permission = "customer.retention.read"
	PermEdit auth.Permission = "customer.retention.edit"
	// PermApprove lets a rule into force that somebody else put forward.
	PermApprove auth.Permission = "customer.retention.approve"
)

// JobKind is the nightly job.
const JobKind = "customer.retention"

// MaxDays is the longest rule: fifty years.
const MaxDays = 18_262

const maxBasis = 500 // characters

// Kind is a kind of data that grows old.
type Kind struct {
	// ID names it; the texts have the keys customer.retention.kind.ID and .note.
	ID string
	// Days and Basis are the rule that a new installation starts with.
	Days  int
	Basis string
	// MinDays is the least that other parts need; a rule may not go below.
	MinDays int
	// Due counts what is older than before; -1 where that is not counted.
	Due func(ctx context.Context, before time.Time) (int64, error)
	// Purge takes away up to one batch of what is older than before and tells how
	// many; it is called until it takes away nothing.
	Purge func(ctx context.Context, before time.Time) (int64, error)
}

// Rule is how long a kind is kept now.
type Rule struct {
	Kind    Kind
	Version int // 0: the rule that came with the program
	Days    int
	Basis   string
	// Due is what the next run takes away; -1 when unknown.
	Due     int64
	LastRun time.Time
	Taken   int64 // by the last run
	// Waits is the rule that waits for a second person; nil for none.
	Waits *Proposed
}

// Proposed is a rule that was put forward.
type Proposed struct {
	Kind  string `json:"kind"`
	Base  int    `json:"base"` // the version it was made from
	Days  int    `json:"days"`
	Basis string `json:"basis"`
}

type row struct {
	bun.BaseModel `bun:"table:customer_retention"`

	Entity    string `bun:",pk"`
	Kind      string `bun:",pk"`
	Version   int    `bun:",pk"`
	Days      int
	Basis     string
	CreatedAt store.Micros
	CreatedBy string
}

type runRow struct {
	bun.BaseModel `bun:"table:customer_retention_run"`

	Entity string       `bun:",pk"`
	Kind   string       `bun:",pk"`
	At     store.Micros `bun:",pk"`
	Before store.Micros
	N      int64
}

// Service keeps the rules and carries them out. It is safe for concurrent use.
type Service struct {
	db        *store.DB
	kinds     []Kind
	approvals *approval.Service // nil: whoever may edit puts into force
}

// NewService makes the service for the kinds, in the order of the page.
func NewService(db *store.DB, kinds ...Kind) *Service { return &Service{db: db, kinds: kinds} }

// Rules gives the rule of every kind with what is due.
func (s *Service) Rules(ctx context.Context) (out []Rule, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	if out, err = s.rules(ctx); err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Due = -1
		if out[i].Kind.Due == nil {
			continue
		}
		if out[i].Due, err = out[i].Kind.Due(ctx, s.before(out[i])); err != nil {
			return nil, fmt.Errorf("what is old of %s: %w", out[i].Kind.ID, err)
		}
	}
	return out, nil
}

func (s *Service) before(r Rule) time.Time { return s.db.Now().Time().AddDate(0, 0, -r.Days) }

func (s *Service) rules(ctx context.Context) (out []Rule, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		var rows []row
		if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("version DESC").Scan(ctx); err != nil {
			return fmt.Errorf("retention rules: %w", err)
		}
		var runs []runRow
		if err := tx.NewSelect().Model(&runs).Where("entity = ?", tx.Scope.Entity).Order("at DESC").Limit(1000).Scan(ctx); err != nil {
			return fmt.Errorf("retention runs: %w", err)
		}
		out = nil
		for _, k := range s.kinds {
			r := Rule{Kind: k, Days: k.Days, Basis: k.Basis}
			if i := slices.IndexFunc(rows, func(w row) bool { return w.Kind == k.ID }); i >= 0 {
				r.Version, r.Days, r.Basis = rows[i].Version, rows[i].Days, rows[i].Basis
			}
			if i := slices.IndexFunc(runs, func(w runRow) bool { return w.Kind == k.ID }); i >= 0 {
				r.LastRun, r.Taken = runs[i].At.Time(), runs[i].N
			}
			if r.Waits, err = s.waiting(ctx, tx, k.ID); err != nil {
				return err
			}
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

// Run takes away what is old, kind by kind. step, when set, is told how many kinds
// are done.
func (s *Service) Run(ctx context.Context, step func(done, total int) error) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	rules, err := s.rules(ctx)
	if err != nil {
		return err
	}
	for i, r := range rules {
		if step != nil {
			if err := step(i, len(rules)); err != nil {
				return err
			}
		}
		before := s.before(r)
		var taken int64
		for {
			n, err := r.Kind.Purge(ctx, before)
			if err != nil {
				return fmt.Errorf("take away old %s: %w", r.Kind.ID, err)
			}
			taken += n
			if n == 0 {
				break
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			run := runRow{Entity: tx.Scope.Entity, Kind: r.Kind.ID, At: tx.Now(), Before: store.At(before), N: taken}
			_, err := tx.NewInsert().Model(&run).On("CONFLICT (entity, kind, at) DO NOTHING").Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("note a retention run: %w", err)
		}
	}
	if step == nil {
		return nil
	}
	return step(len(rules), len(rules))
}

// Job is the nightly job; the service is asked for when it runs.
func Job(service func() *Service) jobs.Kind {
	return jobs.Define(JobKind, 3, func(ctx context.Context, run *jobs.Run, _ struct{}) error {
		return service().Run(ctx, func(done, total int) error {
			return run.Progress(ctx, jobs.Progress{Done: int64(done), Total: int64(total), Note: "customer.retention.working"})
		})
	})
}

// batch is how many rows one transaction takes away.
const batch = 2_000

// Table is a kind whose rows lie in one table of the store and are deleted by a
// column of microseconds. keys are the columns that name a row; where, when set, is
// a further condition. All are names of the program.
func Table(db *store.DB, id string, days, minDays int, basis, table, column, where string, keys ...string) Kind {
	condition := "entity = ? AND " + column + " < ?"
	if where != "" {
		condition += " AND " + where
	}
	key := strings.Join(keys, ", ")
	return Kind{ID: id, Days: days, MinDays: minDays, Basis: basis,
		Due: func(ctx context.Context, before time.Time) (n int64, err error) {
			err = db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
				return tx.NewRaw("SELECT COUNT(*) FROM "+table+" WHERE "+condition, tx.Scope.Entity, store.At(before)).Scan(ctx, &n)
			})
			return n, err
		},
		Purge: func(ctx context.Context, before time.Time) (n int64, err error) {
			err = db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
				res, err := tx.NewRaw(fmt.Sprintf("DELETE FROM %[1]s WHERE (%[2]s) IN (SELECT %[2]s FROM %[1]s WHERE %[3]s LIMIT %[4]d)", table, key, condition, batch),
					tx.Scope.Entity, store.At(before)).Exec(ctx)
				if err != nil {
					return err
				}
				n, err = res.RowsAffected()
				return err
			})
			return n, err
		}}
}
