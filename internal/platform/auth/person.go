package auth

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// personRow is the part of an account that says whose it is.
type personRow struct {
	bun.BaseModel `bun:"table:auth_account"`

	ID     string `bun:",pk"`
	Person string
}

// maxDelegation bounds how many keys may have made one another.
const maxDelegation = 16

// accountBehind gives the account that answers for an actor: the account itself,
// or the one that made the key, through keys that made keys. It is "" for the
// platform's own work, which no person answers for.
func (s *Service) accountBehind(ctx context.Context, tx store.Tx, ref string) (string, error) {
	for range maxDelegation {
		kind, id, _ := strings.Cut(ref, ":")
		switch Kind(kind) {
		case Person:
			return id, nil
		case Key:
			k, err := s.GetKey(ctx, tx, id)
			if err != nil {
				return "", err
			}
			ref = k.CreatedBy
		default:
			return "", nil
		}
	}
	return "", errs.Conflict("auth.delegation_deep", "the key %s was made through more than %d others", ref, maxDelegation)
}

// SamePerson reports whether one human being answers for both actors: they are
// the same account; a key that one of them made; accounts that an administrator
// declared to be one person's; or accounts whose addresses differ only in what
// stands after a plus sign. The platform's own work is nobody's.
func (s *Service) SamePerson(ctx context.Context, tx store.Tx, a, b string) (bool, error) {
	if a == b {
		return true, nil
	}
	x, err := s.accountBehind(ctx, tx, a)
	if err != nil {
		return false, err
	}
	y, err := s.accountBehind(ctx, tx, b)
	if err != nil || x == "" || y == "" {
		return false, err
	}
	if x == y {
		return true, nil
	}
	var rows []personRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ? AND id IN (?)", tx.Scope.Entity, bun.List([]string{x, y})).Scan(ctx); err != nil {
		return false, fmt.Errorf("auth: person: %w", err)
	}
	if len(rows) == 2 && rows[0].Person != "" && rows[0].Person == rows[1].Person {
		return true, nil
	}
	first, err := s.GetAccount(ctx, tx, x)
	if err != nil {
		return false, err
	}
	second, err := s.GetAccount(ctx, tx, y)
	if err != nil {
		return false, err
	}
	return mailbox(first.Email) == mailbox(second.Email), nil
}

// mailbox is the address without what stands after a plus sign: mail for both
// arrives at the same person.
func mailbox(email string) string {
	name, domain, _ := strings.Cut(NormaliseEmail(email), "@")
	name, _, _ = strings.Cut(name, "+")
	return name + "@" + domain
}

// JoinPersons declares that two accounts are one person's, so that neither can
// check what the other made. It checks no permission: package admin/account does.
func (s *Service) JoinPersons(ctx context.Context, tx store.Tx, id, other string) error {
	var rows []personRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ? AND id IN (?)", tx.Scope.Entity, bun.List([]string{id, other})).Scan(ctx); err != nil {
		return fmt.Errorf("auth: person: %w", err)
	}
	if len(rows) != 2 {
		return errs.NotFound("auth.account_not_found", "two accounts are needed")
	}
	person := rows[0].ID
	for _, r := range rows {
		if r.Person != "" {
			person = r.Person
		}
	}
	// Whoever was joined to either of them before is joined to both.
	q := tx.NewUpdate().Model((*personRow)(nil)).Set("person = ?", person).Where("entity = ?", tx.Scope.Entity)
	return do(q.WhereGroup(" AND ", func(q *bun.UpdateQuery) *bun.UpdateQuery {
		q = q.Where("id IN (?)", bun.List([]string{id, other}))
		for _, r := range rows {
			if r.Person != "" {
				q = q.WhereOr("person = ?", r.Person)
			}
		}
		return q
	}).Exec(ctx))
}
