package auth

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// AccountState is whether an account can be used.
type AccountState string

// The states of an account.
const (
	Invited  AccountState = "invited" // has not chosen a password yet
	Active   AccountState = "active"
	Disabled AccountState = "disabled"
)

// Account is a person who may sign in.
type Account struct {
	ID          string
	Email       string
	Name        string
	Locale      string // "vi" or "en"
	State       AccountState
	Grants      []Grant
	HasPassword bool
	TwoFactor   bool // a one-time code is asked for
	Created     time.Time
	SignedIn    time.Time // last
}

type accountRow struct {
	bun.BaseModel `bun:"table:auth_account"`

	ID         string `bun:",pk"`
	Entity     string
	Email      sealed.Text
	EmailIndex string
	Name       sealed.Text
	Locale     string
	State      AccountState
	Password   string
	TOTP       sealed.Text  `bun:"totp"`
	TOTPOn     bool         `bun:"totp_on"`
	TOTPStep   int64        `bun:"totp_step"`
	Created    store.Micros `bun:",skipupdate"`
	SignedIn   store.Micros `bun:",nullzero"`
}

type grantRow struct {
	bun.BaseModel `bun:"table:auth_grant"`

	AccountID string `bun:",pk"`
	Role      Role   `bun:",pk"`
	Unit      string `bun:",pk"`
}

func (r accountRow) account(grants []Grant) Account {
	return Account{ID: r.ID, Email: r.Email.Plain, Name: r.Name.Plain, Locale: r.Locale, State: r.State, Grants: grants,
		HasPassword: r.Password != "", TwoFactor: r.TOTPOn, Created: r.Created.Time(), SignedIn: r.SignedIn.Time()}
}

// emailColumn is the equality index of addresses.
var emailColumn = sealed.Column{Table: "auth_account", Name: "email_index"}

// NormaliseEmail gives the form in which addresses are compared.
func NormaliseEmail(email string) string {
	return strings.ToLower(norm.NFC.String(strings.TrimSpace(email)))
}

// NewAccount is what it takes to add an account.
type NewAccount struct {
	Email  string
	Name   string
	Locale string
	Grants []Grant
}

// Validate tells what is wrong with it.
func (n NewAccount) Validate() error {
	if a, err := mail.ParseAddress(n.Email); err != nil || a.Address != strings.TrimSpace(n.Email) || len(n.Email) > 254 {
		return errs.Invalid("auth.email_invalid", "email", "the e-mail address is not valid")
	}
	if name := strings.TrimSpace(n.Name); name == "" || len(name) > 200 {
		return errs.Invalid("auth.name_invalid", "name", "a name of 1 to 200 bytes is required")
	}
	if n.Locale != "vi" && n.Locale != "en" {
		return errs.Invalid("auth.locale_invalid", "locale", "the language is neither vi nor en")
	}
	return ValidateGrants(n.Grants)
}

// ValidateGrants tells what is wrong with the grants of a person.
func ValidateGrants(grants []Grant) error {
	for i, g := range grants {
		if !slices.Contains(PersonRoles, g.Role) {
			return errs.Invalid("auth.role_unknown", "role", "there is no role %q", g.Role)
		}
		if !ValidUnit(g.Unit) {
			return errs.Invalid("auth.unit_invalid", "unit", "%q is not the path of a unit", g.Unit)
		}
		if slices.Contains(grants[:i], g) {
			return errs.Invalid("auth.grant_twice", "role", "role %s in %s is given twice", g.Role, g.Unit)
		}
	}
	return nil
}

// ValidUnit reports whether p has the form of a unit's path: "/" or "/a/b/".
func ValidUnit(p string) bool {
	return strings.HasPrefix(p, "/") && strings.HasSuffix(p, "/") && !strings.Contains(p, "//") && len(p) <= 500
}

// AddAccount adds an invited account. It checks no permission: package
// admin/account does.
func (s *Service) AddAccount(ctx context.Context, tx store.Tx, n NewAccount) (Account, error) {
	if err := n.Validate(); err != nil {
		return Account{}, err
	}
	email := NormaliseEmail(n.Email)
	if _, err := s.findByEmail(ctx, tx, email); err == nil {
		return Account{}, errs.Conflict("auth.email_taken", "there is an account with this e-mail address")
	} else if !store.IsNoRows(err) {
		return Account{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Account{}, err
	}
	r := accountRow{ID: id.String(), Entity: tx.Scope.Entity, Email: sealed.New(email), Name: sealed.New(strings.TrimSpace(n.Name)),
		Locale: n.Locale, State: Invited, Created: tx.Now()}
	if r.EmailIndex, err = s.box.Blind(ctx, tx, emailColumn, email); err != nil {
		return Account{}, err
	}
	if err := s.insertAccount(ctx, tx, &r); err != nil {
		return Account{}, err
	}
	if err := setGrants(ctx, tx, r.ID, n.Grants); err != nil {
		return Account{}, err
	}
	return r.account(n.Grants), nil
}

// GetAccount reads an account.
func (s *Service) GetAccount(ctx context.Context, tx store.Tx, id string) (Account, error) {
	r, err := s.accountByID(ctx, tx, id)
	if err != nil {
		return Account{}, err
	}
	grants, err := grantsOf(ctx, tx, id)
	return r.account(grants), err
}

// Accounts reads all accounts of the entity. A bank has thousands, so callers
// search and sort in memory: names are encrypted in the table.
func (s *Service) Accounts(ctx context.Context, tx store.Tx) ([]Account, error) {
	rows, grants, err := s.allAccounts(ctx, tx)
	if err != nil {
		return nil, err
	}
	out := make([]Account, len(rows))
	for i, r := range rows {
		out[i] = r.account(grants[r.ID])
	}
	return out, nil
}

// UpdateAccount changes name and language.
func (s *Service) UpdateAccount(ctx context.Context, tx store.Tx, id, name, locale string) error {
	r, err := s.accountByID(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := (NewAccount{Email: r.Email.Plain, Name: name, Locale: locale}).Validate(); err != nil {
		return err
	}
	r.Name, r.Locale = sealed.New(strings.TrimSpace(name)), locale
	return s.updateAccount(ctx, tx, &r)
}

// SetGrants replaces the grants of an account.
func (s *Service) SetGrants(ctx context.Context, tx store.Tx, id string, grants []Grant) error {
	if err := ValidateGrants(grants); err != nil {
		return err
	}
	if _, err := s.accountByID(ctx, tx, id); err != nil {
		return err
	}
	return setGrants(ctx, tx, id, grants)
}

// MoveGrants rewrites the grants and keys of a subtree that moved.
func (s *Service) MoveGrants(ctx context.Context, tx store.Tx, from, to string) error {
	return moveGrants(ctx, tx, from, to)
}

// Disable locks an account and ends its sessions.
func (s *Service) Disable(ctx context.Context, tx store.Tx, id string) error {
	r, err := s.accountByID(ctx, tx, id)
	if err != nil {
		return err
	}
	r.State = Disabled
	if err := s.updateAccount(ctx, tx, &r); err != nil {
		return err
	}
	if err := deleteLinks(ctx, tx, id); err != nil {
		return err
	}
	return deleteSessions(ctx, tx, id, "")
}

// Enable lets a disabled account sign in again.
func (s *Service) Enable(ctx context.Context, tx store.Tx, id string) error {
	r, err := s.accountByID(ctx, tx, id)
	if err != nil {
		return err
	}
	r.State = Active
	if r.Password == "" {
		r.State = Invited
	}
	return s.updateAccount(ctx, tx, &r)
}

// ClearTwoFactor removes the one-time code and recovery codes of somebody who
// lost both, and ends their sessions.
func (s *Service) ClearTwoFactor(ctx context.Context, tx store.Tx, id string) error {
	r, err := s.accountByID(ctx, tx, id)
	if err != nil {
		return err
	}
	r.TOTP, r.TOTPOn, r.TOTPStep = sealed.Text{}, false, 0
	if err := s.updateAccount(ctx, tx, &r); err != nil {
		return err
	}
	if err := replaceRecovery(ctx, tx, id, nil); err != nil {
		return err
	}
	return deleteSessions(ctx, tx, id, "")
}
