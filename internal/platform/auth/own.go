package auth

import (
	"context"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Kinds of links that work once, and how long they do.
const (
	linkSetup  = "setup"
	linkInvite = "invite"

	SetupLife  = 24 * time.Hour
	InviteLife = 7 * 24 * time.Hour
)

// Invite makes a link for an account to choose its password with, for a new
// account or one whose password was forgotten. Older links stop working.
func (s *Service) Invite(ctx context.Context, tx store.Tx, account string) (token string, err error) {
	r, err := s.accountByID(ctx, tx, account)
	if err != nil {
		return "", err
	}
	if r.State == Disabled {
		return "", errs.Conflict("auth.account_disabled", "account %s is disabled", account)
	}
	if token, err = newToken(); err != nil {
		return "", err
	}
	if err := deleteLinks(ctx, tx, account); err != nil {
		return "", err
	}
	return token, insertLink(ctx, tx, hashToken(token), linkInvite, account, tx.Now().Add(InviteLife))
}

// SetupToken makes the token of the first-run set-up, or gives "" when there is
// an account already. The server prints it at start; whoever can read its
// console may set it up.
func (s *Service) SetupToken(ctx context.Context) (token string, err error) {
	err = s.db.Write(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		token = ""
		if n, err := countAccounts(ctx, tx); err != nil || n > 0 {
			return err
		}
		if token, err = newToken(); err != nil {
			return err
		}
		if err := deleteLinksOfKind(ctx, tx, linkSetup); err != nil {
			return err
		}
		return insertLink(ctx, tx, hashToken(token), linkSetup, "", tx.Now().Add(SetupLife))
	})
	return token, err
}

// NeedsSetup reports whether there is no account yet.
func (s *Service) NeedsSetup(ctx context.Context) (needed bool, err error) {
	err = s.db.Read(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		n, err := countAccounts(ctx, tx)
		needed = n == 0
		return err
	})
	return needed, err
}

var errLink = func() error { return errs.Denied("auth.link_invalid", "the link was used, is too old or is not valid") }

// SetUp makes the first account, an administrator and CX lead of the whole
// entity, and signs it in.
func (s *Service) SetUp(ctx context.Context, token string, n NewAccount, password string, client Client) (session string, err error) {
	n.Grants = []Grant{{Admin, "/"}, {CXLead, "/"}, {Analyst, "/"}}
	if err := n.Validate(); err != nil {
		return "", err
	}
	if err := CheckPassword(password, n.Name, n.Email); err != nil {
		return "", err
	}
	phc, err := s.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	err = s.db.Write(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		if _, ok, err := useLink(ctx, tx, hashToken(token), linkSetup); err != nil || !ok {
			return orLink(err)
		}
		if count, err := countAccounts(ctx, tx); err != nil || count > 0 {
			return orLink(err)
		}
		acc, err := s.AddAccount(ctx, tx, n)
		if err != nil {
			return err
		}
		r, err := s.accountByID(ctx, tx, acc.ID)
		if err != nil {
			return err
		}
		r.Password, r.State = phc, Active
		if err := audit.Record(ctx, as(tx, r.ID), audit.Entry{Action: "auth.account.setup", Object: "account/" + r.ID}); err != nil {
			return err
		}
		session, err = s.startSession(ctx, tx, &r, client, "setup")
		return err
	})
	return session, err
}

func orLink(err error) error {
	if err != nil {
		return err
	}
	return errLink()
}

// Redeem sets the password of an invited account and signs it in. With a
// one-time code set up, the session begins only by SignIn: token is then "".
func (s *Service) Redeem(ctx context.Context, link, password string, client Client) (token string, err error) {
	ctx = s.system(ctx)
	phc := ""
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		token = ""
		id, ok, err := useLink(ctx, tx, hashToken(link), linkInvite)
		if err != nil || !ok {
			return orLink(err)
		}
		r, err := s.accountByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := CheckPassword(password, r.Name.Plain, r.Email.Plain); err != nil {
			return err
		}
		if phc == "" {
			if phc, err = s.hasher.hash(ctx, password); err != nil {
				return err
			}
		}
		r.Password, r.State = phc, Active
		if err := deleteSessions(ctx, tx, id, ""); err != nil {
			return err
		}
		if err := audit.Record(ctx, as(tx, id), audit.Entry{Action: "auth.password.set", Object: "account/" + id, Reason: "invitation"}); err != nil {
			return err
		}
		if r.TOTPOn {
			return s.updateAccount(ctx, tx, &r)
		}
		token, err = s.startSession(ctx, tx, &r, client, "invitation")
		return err
	})
	return token, err
}

// SetPassword sets a password without a link, for package admin/account and the
// command line. Sessions end.
func (s *Service) SetPassword(ctx context.Context, tx store.Tx, account, password string) error {
	r, err := s.accountByID(ctx, tx, account)
	if err != nil {
		return err
	}
	if err := CheckPassword(password, r.Name.Plain, r.Email.Plain); err != nil {
		return err
	}
	if r.Password, err = s.hasher.hash(ctx, password); err != nil {
		return err
	}
	if r.State == Invited {
		r.State = Active
	}
	if err := s.updateAccount(ctx, tx, &r); err != nil {
		return err
	}
	return deleteSessions(ctx, tx, account, "")
}

// confirm checks the present password of the signed-in person, throttled like a
// sign-in.
func (s *Service) confirm(ctx context.Context, account, password string) (accountRow, error) {
	byName, err := s.subject(ctx, "confirm", account)
	if err != nil {
		return accountRow{}, err
	}
	var r accountRow
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if err := attempt(ctx, tx, byName, freeByAccount); err != nil {
			return err
		}
		r, err = s.accountByID(ctx, tx, account)
		return err
	})
	if err != nil {
		return r, err
	}
	ok := false
	if r.Password != "" {
		if ok, _, err = s.hasher.verify(ctx, password, r.Password); err != nil {
			return r, err
		}
	}
	if !ok {
		return r, errs.Invalid("auth.password_wrong", "password", "the present password is wrong")
	}
	return r, s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return forgive(ctx, tx, byName, "") })
}

// ChangePassword replaces the password of the signed-in person. Other sessions end.
func (s *Service) ChangePassword(ctx context.Context, present, next string) error {
	a, err := self(ctx)
	if err != nil {
		return err
	}
	ctx = s.system(ctx)
	r, err := s.confirm(ctx, a.ID, present)
	if err != nil {
		return err
	}
	if err := CheckPassword(next, r.Name.Plain, r.Email.Plain); err != nil {
		return err
	}
	phc, err := s.hasher.hash(ctx, next)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		now, err := s.accountByID(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if now.Password != r.Password {
			return errs.Conflict("auth.changed_meanwhile", "the password was changed meanwhile")
		}
		now.Password = phc
		if err := s.updateAccount(ctx, tx, &now); err != nil {
			return err
		}
		if err := deleteSessions(ctx, tx, a.ID, a.Session); err != nil {
			return err
		}
		return audit.Record(ctx, as(tx, a.ID), audit.Entry{Action: "auth.password.set", Object: "account/" + a.ID, Reason: "by its owner"})
	})
}

// TwoFactor is what a person needs to set up an authenticator app.
type TwoFactor struct {
	Secret string
	URL    string // for a picture code
}

// BeginTwoFactor makes a secret for the signed-in person, who proves with
// ConfirmTwoFactor that the app has it. Until then sign-in stays as it was.
func (s *Service) BeginTwoFactor(ctx context.Context, password string) (TwoFactor, error) {
	a, err := self(ctx)
	if err != nil {
		return TwoFactor{}, err
	}
	ctx = s.system(ctx)
	r, err := s.confirm(ctx, a.ID, password)
	if err != nil {
		return TwoFactor{}, err
	}
	secret, err := newTOTPSecret()
	if err != nil {
		return TwoFactor{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := s.accountByID(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if r.TOTPOn {
			return errs.Conflict("auth.two_factor_on", "a one-time code is set up already")
		}
		r.TOTP, r.TOTPStep = sealed.New(secret), 0
		return s.updateAccount(ctx, tx, &r)
	})
	return TwoFactor{Secret: secret, URL: totpURL(secret, s.o.Issuer, r.Email.Plain)}, err
}

// ConfirmTwoFactor turns the one-time code on and gives the recovery codes,
// which are shown once.
func (s *Service) ConfirmTwoFactor(ctx context.Context, code string) (recovery []string, err error) {
	a, err := self(ctx)
	if err != nil {
		return nil, err
	}
	if recovery, err = newRecoveryCodes(); err != nil {
		return nil, err
	}
	hashes := make([]string, len(recovery))
	for i, c := range recovery {
		hashes[i] = recoveryHash(c)
	}
	err = s.db.Write(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		r, err := s.accountByID(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		step, ok := checkTOTP(r.TOTP.Plain, code, tx.Now().Time(), r.TOTPStep)
		if r.TOTPOn || r.TOTP.Plain == "" || !ok {
			return errs.Invalid("auth.code_wrong", "code", "the code is not the app's present one")
		}
		r.TOTPOn, r.TOTPStep = true, step
		if err := s.updateAccount(ctx, tx, &r); err != nil {
			return err
		}
		if err := replaceRecovery(ctx, tx, a.ID, hashes); err != nil {
			return err
		}
		return audit.Record(ctx, as(tx, a.ID), audit.Entry{Action: "auth.two_factor.on", Object: "account/" + a.ID})
	})
	if err != nil {
		return nil, err
	}
	return recovery, nil
}

// EndTwoFactor turns the one-time code of the signed-in person off.
func (s *Service) EndTwoFactor(ctx context.Context, password string) error {
	a, err := self(ctx)
	if err != nil {
		return err
	}
	ctx = s.system(ctx)
	if _, err := s.confirm(ctx, a.ID, password); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := s.accountByID(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		r.TOTP, r.TOTPOn = sealed.Text{}, false
		if err := s.updateAccount(ctx, tx, &r); err != nil {
			return err
		}
		if err := replaceRecovery(ctx, tx, a.ID, nil); err != nil {
			return err
		}
		return audit.Record(ctx, as(tx, a.ID), audit.Entry{Action: "auth.two_factor.off", Object: "account/" + a.ID})
	})
}

// RecoveryLeft gives how many recovery codes the signed-in person has left.
func (s *Service) RecoveryLeft(ctx context.Context) (n int, err error) {
	a, err := self(ctx)
	if err != nil {
		return 0, err
	}
	err = s.db.Read(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		n, err = countRecovery(ctx, tx, a.ID)
		return err
	})
	return n, err
}
