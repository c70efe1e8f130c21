// Package key looks after API keys: which programs may send events, read
// figures, take out rows or administer. How a key is checked, and the table, are
// in package auth. A key lies in a unit and counts there and below; whoever makes
// one makes it in their own place.
package key

import (
	"context"
	"slices"
	"strings"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Permissions of keys.
const (
	PermRead auth.Permission = "admin.key.read"
	PermEdit auth.Permission = "admin.key.edit"
)

// Units checks that a path is an open unit.
type Units interface {
	CheckOpen(ctx context.Context, tx store.Tx, path string) error
}

// Service looks after keys. It is safe for concurrent use.
type Service struct {
	db    *store.DB
	auth  *auth.Service
	units Units
}

// NewService makes the service.
func NewService(db *store.DB, signIn *auth.Service, units Units) *Service {
	return &Service{db: db, auth: signIn, units: units}
}

// Query picks keys for List. Empty fields pick all.
type Query struct {
	Search string // part of a name, source or prefix
	Role   auth.Role
	Active bool // neither revoked nor expired
	// After is the id of the last key of the page before.
	After string
	Limit int // default 50
}

// Page is a part of a list, newest first. Next is empty on the last one.
type Page struct {
	Items []auth.APIKey
	Next  string
	Total int // of all pages
}

// List gives the keys of the place and below.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return Page{}, err
	}
	var all []auth.APIKey
	err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		all, err = s.auth.Keys(ctx, tx)
		all = slices.DeleteFunc(all, func(k auth.APIKey) bool { return !tx.Scope.Sees(k.Unit) || !q.matches(k, tx.Now()) })
		return err
	})
	if err != nil {
		return Page{}, err
	}
	page := Page{Total: len(all)}
	from := 1 + slices.IndexFunc(all, func(k auth.APIKey) bool { return k.ID == q.After })
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	page.Items = all[from:min(from+limit, len(all))]
	if from+limit < len(all) {
		page.Next = page.Items[limit-1].ID
	}
	return page, nil
}

func (q Query) matches(k auth.APIKey, now store.Micros) bool {
	if q.Active && (!k.Revoked.IsZero() || !k.Expires.IsZero() && store.At(k.Expires) <= now) {
		return false
	}
	if q.Role != "" && !slices.Contains(k.Roles, q.Role) {
		return false
	}
	search := strings.ToLower(strings.TrimSpace(q.Search))
	return search == "" || strings.Contains(strings.ToLower(k.Name+" "+k.Source+" "+k.Prefix), search)
}

// Get reads one key of the place or below.
func (s *Service) Get(ctx context.Context, id string) (k auth.APIKey, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return k, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		k, err = s.get(ctx, tx, id)
		return err
	})
	return k, err
}

func (s *Service) get(ctx context.Context, tx store.Tx, id string) (auth.APIKey, error) {
	k, err := s.auth.GetKey(ctx, tx, id)
	if err == nil && !tx.Scope.Sees(k.Unit) {
		return auth.APIKey{}, errs.NotFound("auth.key_not_found", "no key %s", id)
	}
	return k, err
}

// Create makes a key and gives its secret, which is shown this once.
func (s *Service) Create(ctx context.Context, n auth.NewKey) (k auth.APIKey, secret string, err error) {
	if n.Unit == "" {
		n.Unit = "/"
	}
	if err := auth.Require(ctx, PermEdit, n.Unit); err != nil {
		return k, "", err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if n.Unit != "/" {
			if err := s.units.CheckOpen(ctx, tx, n.Unit); err != nil {
				return err
			}
		}
		if k, secret, err = s.auth.AddKey(ctx, tx, n); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "admin.key.create", Object: "key/" + k.ID, Reason: scopes(k.Roles) + " " + k.Unit, After: k})
	})
	return k, secret, err
}

// scopes spells roles as the command line does: "ingest, read".
func scopes(roles []auth.Role) string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = strings.TrimPrefix(string(r), "key:")
	}
	return strings.Join(out, ", ")
}

// Revoke ends a key: on this node at once, on others within seconds.
func (s *Service) Revoke(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := s.get(ctx, tx, id); err != nil {
			return err
		}
		if err := s.auth.RevokeKey(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "admin.key.revoke", Object: "key/" + id, Reason: reason, Changed: []string{"revoked"}})
	})
}
