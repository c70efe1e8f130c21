package auth

import (
	"context"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/store"
)

// ResetLife is how long the link of somebody who forgot the password works.
const ResetLife = time.Hour

// Reset is a letter to somebody who forgot the password.
type Reset struct {
	Account     string
	Email, Name string
	Locale      string
	Token       string
	ID          string // of this letter, to send it once
	Life        time.Duration
}

// CanForget reports whether links can be sent by e-mail.
func (s *Service) CanForget() bool { return s.o.SendReset != nil }

// Forgot sends a link to choose another password to the account's own address,
// where there is such an account with a password or an open invitation. Whoever
// asks learns nothing of that, and asks only so often. The present password works
// until the link is used.
func (s *Service) Forgot(ctx context.Context, email string, client Client) error {
	if s.o.SendReset == nil {
		return nil
	}
	ctx = s.system(ctx)
	email = NormaliseEmail(email)
	byName, err := s.subject(ctx, "forgot", email)
	if err != nil {
		return err
	}
	byAddress, err := s.subject(ctx, "forgot_address", client.Address)
	if err != nil {
		return err
	}
	r, found, err := s.begin(ctx, email, byName, byAddress)
	if err != nil || !found {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := s.accountByID(ctx, tx, r.ID)
		if err != nil || r.State == Disabled || r.State == Active && r.Password == "" { // the latter come in by the bank's own sign-in
			return err
		}
		token, err := newToken()
		if err != nil {
			return err
		}
		if err := deleteLinks(ctx, tx, r.ID); err != nil {
			return err
		}
		hash := hashToken(token)
		if err := insertLink(ctx, tx, hash, linkInvite, r.ID, tx.Now().Add(ResetLife)); err != nil {
			return err
		}
		if err := audit.Record(ctx, as(tx, r.ID), audit.Entry{Action: "auth.password.forgotten", Object: "account/" + r.ID}); err != nil {
			return err
		}
		return s.o.SendReset(ctx, tx, Reset{Account: r.ID, Email: r.Email.Plain, Name: r.Name.Plain, Locale: r.Locale, Token: token, ID: hash, Life: ResetLife})
	})
}
