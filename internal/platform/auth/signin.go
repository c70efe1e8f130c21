package auth

import (
	"context"

	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Client is what is known of the browser that signs in.
type Client struct {
	Address string // network address without port
	Agent   string // User-Agent header
}

// Credentials are what a person signs in with. Code is a one-time code or a
// recovery code; it is empty in the first step.
type Credentials struct {
	Email    string
	Password string
	Code     string
}

var (
	errWrong      = func() error { return errs.Unauthenticated("auth.wrong", "wrong address, password or code") }
	errCodeNeeded = func() error { return errs.Unauthenticated("auth.code_needed", "a one-time code is needed") }
)

// NeedsCode reports whether err says that the password was right and a one-time
// code must be given too.
func NeedsCode(err error) bool {
	e, ok := err.(*errs.Error)
	return ok && e.Key == "auth.code_needed"
}

// SignIn checks credentials and begins a session; the token goes into the
// cookie. Whether an account exists, is disabled or has another password cannot
// be told apart, neither by the answer nor by its time.
func (s *Service) SignIn(ctx context.Context, c Credentials, client Client) (token string, err error) {
	ctx = s.system(ctx)
	email := NormaliseEmail(c.Email)
	byName, err := s.subject(ctx, "name", email)
	if err != nil {
		return "", err
	}
	byAddress, err := s.subject(ctx, "address", client.Address)
	if err != nil {
		return "", err
	}
	r, found, err := s.begin(ctx, email, byName, byAddress)
	if err != nil {
		return "", err
	}
	phc := s.dummy
	if found && r.State == Active && r.Password != "" {
		phc = r.Password
	}
	ok, stale, err := s.hasher.verify(ctx, c.Password, phc)
	if err != nil {
		return "", err
	}
	if !ok || phc == s.dummy {
		return "", s.refuse(ctx, r, found, "password")
	}
	if r.TOTPOn && c.Code == "" {
		return "", s.askCode(ctx, byName, byAddress)
	}
	rehashed := ""
	if stale {
		if rehashed, err = s.hasher.hash(ctx, c.Password); err != nil {
			return "", err
		}
	}
	return s.admit(ctx, r, c.Code, rehashed, byName, byAddress, client)
}

// begin counts the attempt and reads the account.
func (s *Service) begin(ctx context.Context, email, byName, byAddress string) (r accountRow, found bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := attempt(ctx, tx, byAddress, freeByAddress); err != nil {
			return err
		}
		if err := attempt(ctx, tx, byName, freeByAccount); err != nil {
			return err
		}
		var err error
		r, err = s.findByEmail(ctx, tx, email)
		found = err == nil
		if store.IsNoRows(err) {
			return nil
		}
		return err
	})
	return r, found, err
}

// askCode takes the attempt back: the password was right. The attempt with the
// code is counted anew, so codes cannot be guessed without delay.
func (s *Service) askCode(ctx context.Context, byName, byAddress string) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return do(tx.NewRaw("UPDATE auth_throttle SET failures = failures - 1 WHERE subject IN (?, ?) AND failures > 0", byName, byAddress).Exec(ctx))
	})
	if err != nil {
		return err
	}
	return errCodeNeeded()
}

// refuse notes a failed attempt on an account that exists.
func (s *Service) refuse(ctx context.Context, r accountRow, found bool, what string) error {
	if !found {
		return errWrong()
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return audit.Record(ctx, tx, audit.Entry{Action: "auth.session.refuse", Object: "account/" + r.ID, Reason: what})
	})
	if err != nil {
		return err
	}
	return errWrong()
}

// admit checks the code and begins the session, in one transaction.
func (s *Service) admit(ctx context.Context, r accountRow, code, rehashed, byName, byAddress string, client Client) (token string, err error) {
	wrongCode := false
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		wrongCode = false
		if r.TOTPOn {
			ok, err := s.useCode(ctx, tx, r, code)
			if err != nil {
				return err
			}
			if !ok {
				wrongCode = true
				return nil
			}
		}
		now, err := s.accountByID(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		if now.State != Active || now.Password != r.Password || now.TOTPOn != r.TOTPOn {
			return errWrong() // changed since it was read
		}
		if rehashed != "" {
			now.Password = rehashed
		}
		if err := forgive(ctx, tx, byName, byAddress); err != nil {
			return err
		}
		token, err = s.startSession(ctx, tx, &now, client, "password")
		return err
	})
	if err == nil && wrongCode {
		return "", s.refuse(ctx, r, true, "code")
	}
	return token, err
}

// useCode uses up a one-time code or a recovery code.
func (s *Service) useCode(ctx context.Context, tx store.Tx, r accountRow, code string) (bool, error) {
	if step, ok := checkTOTP(r.TOTP.Plain, code, tx.Now().Time(), r.TOTPStep); ok {
		return useStep(ctx, tx, r.ID, step)
	}
	used, err := useRecovery(ctx, tx, r.ID, recoveryHash(code))
	if err != nil || !used {
		return false, err
	}
	return true, audit.Record(ctx, tx, audit.Entry{Action: "auth.recovery.use", Object: "account/" + r.ID})
}

// as gives a transaction the scope of the account itself, for the audit trail.
func as(tx store.Tx, account string) store.Tx {
	tx.Scope = scope.Scope{Entity: tx.Scope.Entity, Unit: scope.Root, Actor: Actor{Kind: Person, ID: account}.Ref()}
	return tx
}
