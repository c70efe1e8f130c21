package role

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Service looks after roles, duties and letters. It is safe for concurrent use.
type Service struct {
	db        *store.DB
	pack      *packs.Governance
	journeys  Journeys
	approvals *approval.Service
}

// Kinds of proposals.
const (
	kindMatrix = "governance.raci"
	kindLetter = "governance.letter"
)

// NewService makes the service and registers its kinds of proposals.
func NewService(db *store.DB, pack *packs.Governance, journeys Journeys, approvals *approval.Service) *Service {
	s := &Service{db, pack, journeys, approvals}
	approvals.Register(approval.Kind{Name: kindMatrix, Permission: PermApprove, Approved: s.matrixApproved})
	approvals.Register(approval.Kind{Name: kindLetter, Permission: PermLend, Approved: s.letterApproved, Closed: s.letterClosed})
	return s
}

// Everybody in a unit sees who answers for it, up to the bank.
var assignments = record.Table[Assignment]{Name: "assignment", Thing: "role", Sight: record.Along}

// Assignments gives the roles that are held now.
func (s *Service) Assignments(ctx context.Context) (out []record.Doc[Assignment], err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = held(ctx, tx)
		return err
	})
	return out, err
}

func held(ctx context.Context, tx store.Tx) ([]record.Doc[Assignment], error) {
	all, err := assignments.List(ctx, tx, record.Filter{State: Live})
	return slices.DeleteFunc(all, func(a record.Doc[Assignment]) bool { return !a.Body.At(tx.Now().Time()) }), err
}

// Assign gives a person a role over a unit. It is refused where they hold a role
// that it conflicts with.
func (s *Service) Assign(ctx context.Context, unit string, a Assignment) (d record.Doc[Assignment], err error) {
	if err := auth.Require(ctx, PermEdit, unit); err != nil {
		return d, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if a.From.IsZero() {
			a.From = tx.Now().Time()
		}
		if err := a.Validate(s.pack); err != nil {
			return err
		}
		all, err := assignments.List(ctx, tx, record.Filter{State: Live})
		if err != nil {
			return err
		}
		next := record.Doc[Assignment]{Head: record.Head{Unit: unit}, Body: a}
		for _, other := range all {
			if !other.Body.Until.IsZero() && !other.Body.Until.After(a.From) {
				continue
			}
			if other.Body.Holder == a.Holder && other.Body.Role == a.Role && other.Unit == unit && other.Body.Journey == a.Journey {
				return errs.Conflict("governance.role.error.held", "the person holds this role here already")
			}
			if clash := Clashes(s.pack.Conflicts, []record.Doc[Assignment]{other, next}); len(clash) > 0 {
				c := clash[0].Rule
				return errs.Conflict("governance.role.error.conflict", "%s and %s conflict: %s", c.A, c.B, c.EN).With("a", c.A).With("b", c.B)
			}
		}
		if d, err = assignments.Add(ctx, tx, record.Head{Unit: unit, State: Live, Ref: a.Role}, a); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.role.assign", Object: "assignment/" + d.ID, After: d})
	})
	return d, err
}

// End takes a role back from now on.
func (s *Service) End(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := assignments.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := auth.Require(ctx, PermEdit, d.Unit); err != nil {
			return err
		}
		if d.State != Live {
			return errs.Conflict("governance.role.error.ended", "the role has ended")
		}
		d.State, d.Body.Until = Ended, tx.Now().Time()
		if err := assignments.Save(ctx, tx, &d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.role.end", Object: "assignment/" + id, Reason: reason, Changed: []string{"until"}, After: d})
	})
}

// Holds reports whether the person holds one of the roles at the unit, or above it,
// now. It asks for no permission: other parts of the module use it.
func Holds(ctx context.Context, tx store.Tx, holder, unit string, roles ...string) (bool, error) {
	all, err := held(ctx, tx)
	return slices.ContainsFunc(all, func(a record.Doc[Assignment]) bool {
		return a.Body.Holder == holder && slices.Contains(roles, a.Body.Role) && strings.HasPrefix(unit, a.Unit)
	}), err
}

// HoldersOf gives the people who hold a role now, in the transaction of another
// part.
func HoldersOf(ctx context.Context, tx store.Tx, role string) (out []record.Doc[Assignment], err error) {
	all, err := held(ctx, tx)
	for _, a := range all {
		if a.Body.Role == role {
			out = append(out, a)
		}
	}
	return out, err
}

// Overview is who answers for what over all journeys.
type Overview struct {
	Held     []record.Doc[Assignment]
	Loads    []Load
	Clashes  []Clash
	Journeys []JourneyDuties
}

// JourneyDuties is a journey with the state of its matrix.
type JourneyDuties struct {
	Journey
	Matrix   *record.Doc[Matrix] // nil where nobody began one
	Problems []Problem           // of the draft, or of nothing
}

// Complete reports whether every step has what it needs, and it was approved.
func (j JourneyDuties) Complete() bool {
	return j.Matrix != nil && j.Matrix.Body.Live != nil && !slices.ContainsFunc(j.Problems, func(p Problem) bool { return p.Blocks })
}

// Overview reads all of it.
func (s *Service) Overview(ctx context.Context) (o Overview, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return o, err
	}
	list, err := s.journeys.List(ctx)
	if err != nil {
		return o, fmt.Errorf("journeys: %w", err)
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if o.Held, err = held(ctx, tx); err != nil {
			return err
		}
		all, err := matrices.List(ctx, tx, record.Filter{})
		if err != nil {
			return err
		}
		byID, live := map[string]*record.Doc[Matrix]{}, map[string]Cells{}
		for _, m := range all {
			byID[m.ID] = &m
			if m.Body.Live != nil {
				live[m.ID] = m.Body.Live
			}
		}
		o.Loads, o.Clashes, o.Journeys = Loads(s.pack, live, o.Held), Clashes(s.pack.Conflicts, o.Held), nil
		for _, j := range list {
			d := JourneyDuties{Journey: j, Matrix: byID[j.ID]}
			cells := Cells{}
			if d.Matrix != nil {
				cells = d.Matrix.Body.Draft
			}
			d.Problems = Check(s.pack, j, cells, o.Held)
			o.Journeys = append(o.Journeys, d)
		}
		return nil
	})
	return o, err
}
