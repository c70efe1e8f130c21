package account

import (
	"context"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// PermOwn allows people to look after their own account.
const PermOwn auth.Permission = "account.own"

// UpdateOwn changes name and language of the signed-in person.
func (s *Service) UpdateOwn(ctx context.Context, name, locale string) error {
	if err := auth.Require(ctx, PermOwn, ""); err != nil {
		return err
	}
	a, ok := auth.From(ctx)
	if !ok || a.Kind != auth.Person {
		return errs.Unauthenticated("auth.sign_in_first", "a signed-in person is needed")
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		before, err := s.auth.GetAccount(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if err := s.auth.UpdateAccount(ctx, tx, a.ID, name, locale); err != nil {
			return err
		}
		after, err := s.auth.GetAccount(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "admin.account.update", Object: "account/" + a.ID, Reason: "by its owner",
			Changed: []string{"name", "locale"}, Before: before, After: after})
	})
}
