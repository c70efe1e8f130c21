package org

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Service looks after the organisation. It is safe for concurrent use.
type Service struct {
	db        *store.DB
	followers []Follower
}

// NewService makes the service.
func NewService(db *store.DB, followers ...Follower) *Service {
	return &Service{db: db, followers: followers}
}

// EnsureEntity makes the entity's own row, named name, when there is none. The
// program calls it at start.
func (s *Service) EnsureEntity(ctx context.Context, name string) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	if err := validateName(name); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return insertEntity(ctx, tx, newID(), strings.TrimSpace(name))
	})
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// Query picks units for List. Empty fields pick all.
type Query struct {
	Search string // part of a name or code, without regard to case and marks
	Kind   Kind
	Closed bool // closed units too
	// After is the path of the last unit of the page before.
	After string
	Limit int // default 100
}

// Page is a part of a list. Next is empty on the last one.
type Page struct {
	Items []Unit
	Next  string
	Total int // of all pages
}

// List gives the units of the place and below, in the order of the tree.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return Page{}, err
	}
	all, err := s.tree(ctx)
	if err != nil {
		return Page{}, err
	}
	all = slices.DeleteFunc(all, func(u Unit) bool { return !q.matches(u) })
	page := Page{Total: len(all)}
	from, found := slices.BinarySearchFunc(all, q.After, func(u Unit, path string) int { return strings.Compare(u.Path, path) })
	if found {
		from++
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	page.Items = all[from:min(from+limit, len(all))]
	if from+limit < len(all) {
		page.Next = page.Items[limit-1].Path
	}
	return page, nil
}

// Tree gives all units of the place and below, closed ones too.
func (s *Service) Tree(ctx context.Context) ([]Unit, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	return s.tree(ctx)
}

func (s *Service) tree(ctx context.Context) (units []Unit, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		units, err = subtree(ctx, tx, tx.Scope.Unit)
		return err
	})
	return units, err
}

// Get reads one unit of the place or below.
func (s *Service) Get(ctx context.Context, id string) (u Unit, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return Unit{}, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		u, err = get(ctx, tx, id)
		return err
	})
	return u, err
}

// Add adds a unit.
func (s *Service) Add(ctx context.Context, n New) (u Unit, err error) {
	if err := auth.Require(ctx, PermEdit, n.Parent); err != nil {
		return Unit{}, err
	}
	if err := n.Validate(); err != nil {
		return Unit{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		parent, err := s.openParent(ctx, tx, n.Parent, n.Kind)
		if err != nil {
			return err
		}
		r := row{ID: newID(), Entity: tx.Scope.Entity, Code: n.Code, Path: parent.Path + n.Code + "/", Kind: n.Kind,
			Name: strings.TrimSpace(n.Name), Created: tx.Now()}
		u = r.unit()
		if u.Depth() > MaxDepth {
			return errs.Invalid("admin.org.error.depth", "parent", "the tree has at most %d levels", MaxDepth).With("max", MaxDepth)
		}
		added, err := insert(ctx, tx, &r)
		if err != nil {
			return err
		}
		if !added {
			return errs.Conflict("admin.org.error.code_taken", "the code %s is taken", n.Code).With("code", n.Code)
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "admin.org.add", Object: "unit/" + r.ID, After: r})
	})
	return u, err
}

// openParent checks that a unit of the kind may be put under the path.
func (s *Service) openParent(ctx context.Context, tx store.Tx, path string, kind Kind) (Unit, error) {
	parent, err := byPath(ctx, tx, path)
	if err != nil {
		return parent, err
	}
	if !parent.Open() {
		return parent, errs.Conflict("admin.org.error.parent_closed", "the unit %s is closed", path)
	}
	if parent.Kind == Single && kind == Region {
		return parent, errs.Invalid("admin.org.error.region_in_unit", "parent", "a region cannot lie in a unit")
	}
	return parent, nil
}

// change reads a unit, asks for the permission at its path, lets fn change it,
// and writes it with an audit entry.
func (s *Service) change(ctx context.Context, id, action, field string, fn func(ctx context.Context, tx store.Tx, u *Unit) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		u, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := auth.Require(ctx, PermEdit, u.Path); err != nil {
			return err
		}
		before := u
		if err := fn(ctx, tx, &u); err != nil {
			return err
		}
		if err := update(ctx, tx, u); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "admin.org." + action, Object: "unit/" + id, Changed: []string{field}, Before: before, After: u})
	})
}

// Rename changes a unit's name.
func (s *Service) Rename(ctx context.Context, id, name string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if err := validateName(name); err != nil {
		return err
	}
	return s.change(ctx, id, "rename", "name", func(_ context.Context, _ store.Tx, u *Unit) error {
		u.Name = strings.TrimSpace(name)
		return nil
	})
}

// Close ends a unit whose own units are all closed. Grants in it stay, so its
// history stays readable.
func (s *Service) Close(ctx context.Context, id string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.change(ctx, id, "close", "closed", func(ctx context.Context, tx store.Tx, u *Unit) error {
		if u.Kind == Entity {
			return errs.Conflict("admin.org.error.entity", "the entity itself cannot be closed or moved")
		}
		below, err := subtree(ctx, tx, u.Path)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(below, func(b Unit) bool { return b.ID != u.ID && b.Open() }) {
			return errs.Conflict("admin.org.error.open_below", "units below are still open")
		}
		u.Closed = tx.Now().Time()
		return nil
	})
}

// Reopen opens a closed unit under an open one.
func (s *Service) Reopen(ctx context.Context, id string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.change(ctx, id, "reopen", "closed", func(ctx context.Context, tx store.Tx, u *Unit) error {
		if _, err := s.openParent(ctx, tx, u.Parent(), u.Kind); err != nil {
			return err
		}
		u.Closed = store.Micros(0).Time()
		return nil
	})
}

// Move puts a unit with all below it under another parent. The actor needs the
// permission at both places.
func (s *Service) Move(ctx context.Context, id, parent string) error {
	if err := auth.Require(ctx, PermEdit, parent); err != nil {
		return err
	}
	return s.change(ctx, id, "move", "path", func(ctx context.Context, tx store.Tx, u *Unit) error {
		if u.Kind == Entity {
			return errs.Conflict("admin.org.error.entity", "the entity itself cannot be closed or moved")
		}
		if strings.HasPrefix(parent, u.Path) {
			return errs.Conflict("admin.org.error.into_itself", "a unit cannot be moved into itself")
		}
		to, err := s.openParent(ctx, tx, parent, u.Kind)
		if err != nil {
			return err
		}
		from, next := u.Path, to.Path+u.Code+"/"
		if from == next {
			return nil
		}
		below, err := subtree(ctx, tx, from)
		if err != nil {
			return err
		}
		for _, b := range below {
			b.Path = next + strings.TrimPrefix(b.Path, from)
			if b.Depth() > MaxDepth {
				return errs.Invalid("admin.org.error.depth", "parent", "the tree has at most %d levels", MaxDepth).With("max", MaxDepth)
			}
			if err := update(ctx, tx, b); err != nil {
				return err
			}
		}
		u.Path = next
		for _, f := range s.followers {
			if err := f.UnitMoved(ctx, tx, from, next); err != nil {
				return err
			}
		}
		return nil
	})
}

// CheckOpen gives nil when path is an open unit: for whoever is about to write
// the path down. It asks for no permission.
func (s *Service) CheckOpen(ctx context.Context, tx store.Tx, path string) error {
	u, err := byPath(ctx, tx, path)
	if err == nil && !u.Open() {
		return errs.Conflict("admin.org.error.closed", "the unit %s is closed", path).With("path", path)
	}
	return err
}

// PathOf gives the path of the open unit with a code, whatever the place; "" for
// none. It asks for no permission: feeds name units by their codes.
func (s *Service) PathOf(ctx context.Context, tx store.Tx, code string) (string, error) {
	return pathOf(ctx, tx, code)
}
