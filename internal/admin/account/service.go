// Package account looks after the people who may sign in, and their roles.
//
// An administrator of a subtree looks after the people whose grants all lie in
// it, and grants roles in it. Nobody changes their own grants, and the last
// administrator of the whole entity cannot be disabled or stripped: somebody
// must be able to help.
//
// How people sign in, and the tables, are in package auth.
package account

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"omote/analytics/text/normalise"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Permissions of accounts.
const (
	PermRead auth.Permission = "admin.account.read"
	PermEdit auth.Permission = "admin.account.edit"
)

// Units checks that a path is an open unit.
type Units interface {
	CheckOpen(ctx context.Context, tx store.Tx, path string) error
}

// Service looks after accounts. It is safe for concurrent use.
type Service struct {
	db    *store.DB
	auth  *auth.Service
	units Units
}

// NewService makes the service.
func NewService(db *store.DB, signIn *auth.Service, units Units) *Service {
	return &Service{db: db, auth: signIn, units: units}
}

// Sort is an order of a list.
type Sort string

// The orders of the list of accounts.
const (
	ByName     Sort = "name"
	ByEmail    Sort = "email"
	BySignedIn Sort = "signed_in"
	ByCreated  Sort = "created"
)

// Query picks accounts for List. Empty fields pick all.
type Query struct {
	Search string // part of a name or address, without regard to case and marks
	Role   auth.Role
	State  auth.AccountState
	Unit   string // with a grant at this path or below
	Sort   Sort   // default ByName
	Desc   bool
	// After is the id of the last account of the page before.
	After string
	Limit int // default 50
}

// Page is a part of a list. Next is empty on the last one.
type Page struct {
	Items []auth.Account
	Next  string
	Total int // of all pages
}

// List gives the accounts that have a grant in the place or below; in the whole
// entity also those without any grant.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return Page{}, err
	}
	var all []auth.Account
	err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		all, err = s.auth.Accounts(ctx, tx)
		all = slices.DeleteFunc(all, func(a auth.Account) bool { return !visible(tx.Scope, a) || !q.matches(a) })
		return err
	})
	if err != nil {
		return Page{}, err
	}
	slices.SortFunc(all, q.compare)
	page := Page{Total: len(all)}
	from := 1 + slices.IndexFunc(all, func(a auth.Account) bool { return a.ID == q.After })
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

// visible tells whether an account has to do with the scope's subtree.
func visible(sc scope.Scope, a auth.Account) bool {
	return sc.Unit == scope.Root || slices.ContainsFunc(a.Grants, func(g auth.Grant) bool { return sc.Sees(g.Unit) })
}

func fold(s string) string { return string(normalise.AppendFold(nil, []byte(s))) }

func (q Query) matches(a auth.Account) bool {
	if q.State != "" && q.State != a.State {
		return false
	}
	if search := fold(strings.TrimSpace(q.Search)); search != "" && !strings.Contains(fold(a.Name), search) && !strings.Contains(a.Email, search) {
		return false
	}
	if q.Role == "" && q.Unit == "" {
		return true
	}
	return slices.ContainsFunc(a.Grants, func(g auth.Grant) bool {
		return (q.Role == "" || g.Role == q.Role) && strings.HasPrefix(g.Unit, q.Unit)
	})
}

func (q Query) compare(a, b auth.Account) int {
	var d int
	switch q.Sort {
	case ByEmail:
		d = strings.Compare(a.Email, b.Email)
	case BySignedIn:
		d = a.SignedIn.Compare(b.SignedIn)
	case ByCreated:
		d = a.Created.Compare(b.Created)
	default:
		d = strings.Compare(fold(a.Name), fold(b.Name))
	}
	if q.Desc {
		d = -d
	}
	return cmp.Or(d, strings.Compare(a.ID, b.ID))
}

// Get reads one account.
func (s *Service) Get(ctx context.Context, id string) (a auth.Account, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return a, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		a, err = s.get(ctx, tx, id)
		return err
	})
	return a, err
}

func (s *Service) get(ctx context.Context, tx store.Tx, id string) (auth.Account, error) {
	a, err := s.auth.GetAccount(ctx, tx, id)
	if err == nil && !visible(tx.Scope, a) {
		return auth.Account{}, errs.NotFound("auth.account_not_found", "no account %s", id)
	}
	return a, err
}

// Create adds an account and gives the link's token with which its owner chooses
// a password.
func (s *Service) Create(ctx context.Context, n auth.NewAccount) (a auth.Account, invitation string, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return a, "", err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := s.checkGrants(ctx, tx, n.Grants, nil); err != nil {
			return err
		}
		if len(n.Grants) == 0 && tx.Scope.Unit != scope.Root {
			return errs.Invalid("admin.account.error.grant_missing", "grants", "an account of a unit needs a grant in it")
		}
		if a, err = s.auth.AddAccount(ctx, tx, n); err != nil {
			return err
		}
		if invitation, err = s.auth.Invite(ctx, tx, a.ID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "admin.account.create", Object: "account/" + a.ID, Reason: words(n.Grants), After: n})
	})
	return a, invitation, err
}

// words spells grants for the audit trail: "champion /north/, analyst /".
func words(grants []auth.Grant) string {
	out := make([]string, len(grants))
	for i, g := range grants {
		out[i] = string(g.Role) + " " + g.Unit
	}
	return strings.Join(out, ", ")
}

// checkGrants allows only grants in open units within the actor's place. Grants
// that the account has already may name units that were closed since.
func (s *Service) checkGrants(ctx context.Context, tx store.Tx, grants, present []auth.Grant) error {
	for _, g := range grants {
		if err := auth.Require(ctx, PermEdit, g.Unit); err != nil {
			return err
		}
		if slices.Contains(present, g) {
			continue
		}
		if err := s.units.CheckOpen(ctx, tx, g.Unit); err != nil {
			return err
		}
	}
	return nil
}

// change reads an account that the actor may look after, lets fn change it, and
// writes an audit entry.
func (s *Service) change(ctx context.Context, id string, e audit.Entry, fn func(ctx context.Context, tx store.Tx, a auth.Account) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		a, err := s.get(ctx, tx, id)
		if err != nil {
			return err
		}
		// Who reaches beyond the place is looked after from above.
		for _, g := range a.Grants {
			if err := auth.Require(ctx, PermEdit, g.Unit); err != nil {
				return err
			}
		}
		if err := fn(ctx, tx, a); err != nil {
			return err
		}
		after, err := s.auth.GetAccount(ctx, tx, id)
		if err != nil {
			return err
		}
		if isChief(a) && !isChief(after) {
			if err := s.keepOneChief(ctx, tx); err != nil {
				return err
			}
		}
		e.Object, e.Before, e.After = "account/"+id, a, after
		return audit.Record(ctx, tx, e)
	})
}

// isChief tells whether an account is an active administrator of the entity.
func isChief(a auth.Account) bool {
	return a.State == auth.Active && slices.Contains(a.Grants, auth.Grant{Role: auth.Admin, Unit: scope.Root})
}

func (s *Service) keepOneChief(ctx context.Context, tx store.Tx) error {
	all, err := s.auth.Accounts(ctx, tx)
	if err == nil && !slices.ContainsFunc(all, isChief) {
		return errs.Conflict("admin.account.error.last_admin", "this is the last administrator of the whole entity")
	}
	return err
}

// Update changes name and language.
func (s *Service) Update(ctx context.Context, id, name, locale string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	e := audit.Entry{Action: "admin.account.update", Changed: []string{"name", "locale"}}
	return s.change(ctx, id, e, func(ctx context.Context, tx store.Tx, _ auth.Account) error {
		return s.auth.UpdateAccount(ctx, tx, id, name, locale)
	})
}

// SetGrants replaces the roles of an account.
func (s *Service) SetGrants(ctx context.Context, id string, grants []auth.Grant) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if isSelf(ctx, id) {
		return errs.Denied("admin.account.error.own_grants", "nobody changes their own roles")
	}
	e := audit.Entry{Action: "admin.account.grant", Changed: []string{"grants"}, Reason: words(grants)}
	return s.change(ctx, id, e, func(ctx context.Context, tx store.Tx, a auth.Account) error {
		if err := s.checkGrants(ctx, tx, grants, a.Grants); err != nil {
			return err
		}
		return s.auth.SetGrants(ctx, tx, id, grants)
	})
}

func isSelf(ctx context.Context, id string) bool {
	a, ok := auth.From(ctx)
	return ok && a.Kind == auth.Person && a.ID == id
}

// Disable locks an account and ends its sessions.
func (s *Service) Disable(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if isSelf(ctx, id) {
		return errs.Denied("admin.account.error.own_account", "nobody disables their own account")
	}
	return s.change(ctx, id, audit.Entry{Action: "admin.account.disable", Reason: reason}, func(ctx context.Context, tx store.Tx, _ auth.Account) error {
		return s.auth.Disable(ctx, tx, id)
	})
}

// Enable lets a disabled account sign in again.
func (s *Service) Enable(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.change(ctx, id, audit.Entry{Action: "admin.account.enable", Reason: reason}, func(ctx context.Context, tx store.Tx, _ auth.Account) error {
		return s.auth.Enable(ctx, tx, id)
	})
}

// Invite makes a new link for choosing a password; older ones stop working.
func (s *Service) Invite(ctx context.Context, id string) (token string, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return "", err
	}
	err = s.change(ctx, id, audit.Entry{Action: "admin.account.invite"}, func(ctx context.Context, tx store.Tx, _ auth.Account) (err error) {
		token, err = s.auth.Invite(ctx, tx, id)
		return err
	})
	return token, err
}

// SetPassword sets a password outright and ends sessions: for demonstrations and
// for the operator at the command line. People are invited instead.
func (s *Service) SetPassword(ctx context.Context, id, password string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.change(ctx, id, audit.Entry{Action: "admin.account.password", Changed: []string{"password"}}, func(ctx context.Context, tx store.Tx, _ auth.Account) error {
		return s.auth.SetPassword(ctx, tx, id, password)
	})
}

// ClearTwoFactor removes the one-time code of somebody who lost the device and
// the recovery codes.
func (s *Service) ClearTwoFactor(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	e := audit.Entry{Action: "admin.account.clear_two_factor", Reason: reason}
	return s.change(ctx, id, e, func(ctx context.Context, tx store.Tx, _ auth.Account) error {
		return s.auth.ClearTwoFactor(ctx, tx, id)
	})
}

// EndSessions signs an account out everywhere.
func (s *Service) EndSessions(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	e := audit.Entry{Action: "admin.account.end_sessions", Reason: reason}
	return s.change(ctx, id, e, func(ctx context.Context, tx store.Tx, _ auth.Account) error {
		return s.auth.RevokeAll(ctx, tx, id)
	})
}
