package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/store"
)

// Failures delay the next attempt, per account name and per network address:
// the first few are free, then the wait doubles from a second to a quarter of an
// hour. An address may stand for a whole branch, so it has more free ones. What
// is remembered is forgotten after a day without failures.
const (
	freeByAccount = 5
	freeByAddress = 30
	firstDelay    = time.Second
	lastDelay     = 15 * time.Minute
)

// delay is the wait after n failures.
func delay(n, free int64) time.Duration {
	if n < free {
		return 0
	}
	return min(firstDelay<<min(n-free, 20), lastDelay)
}

// subject is under what failures of an account name or an address are counted:
// a keyed hash, so that the table names nobody. Names without an account are
// counted alike, so that the delay does not tell whether there is one.
func (s *Service) subject(ctx context.Context, kind, value string) (string, error) {
	key, err := s.db.Keys().Current(ctx, keyring.Session)
	if err != nil {
		return "", fmt.Errorf("auth: %w", err)
	}
	h := hmac.New(sha256.New, key.Secret[:])
	fmt.Fprintf(h, "throttle/%s/%d:%s/%s", kind, len(s.o.Entity), s.o.Entity, value)
	return kind + ":" + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16]), nil
}

// attempt counts an attempt as failed before it is made, so that attempts at the
// same time count too; forgive takes it back when it succeeds.
func attempt(ctx context.Context, tx store.Tx, subject string, free int64) error {
	var failures int64
	var until, last store.Micros
	now := tx.Now()
	err := tx.NewRaw("SELECT failures, until, last FROM auth_throttle WHERE subject = ?"+tx.Engine.ForUpdate(), subject).Scan(ctx, &failures, &until, &last)
	if err != nil && !store.IsNoRows(err) {
		return fmt.Errorf("auth: throttle: %w", err)
	}
	if until > now {
		return tooMany(until.Sub(now))
	}
	if now.Sub(last) > 24*time.Hour {
		failures = 0
	}
	failures++
	return do(tx.NewRaw(`INSERT INTO auth_throttle (subject, failures, until, last) VALUES (?, ?, ?, ?)
		ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, until = excluded.until, last = excluded.last`,
		subject, failures, now.Add(delay(failures, free)), now).Exec(ctx))
}

func tooMany(wait time.Duration) error {
	seconds := int64((wait + time.Second - 1) / time.Second)
	return errs.Denied("auth.too_many_attempts", "too many attempts: wait %d s", seconds).With("seconds", seconds)
}

// forgive takes attempts back: all of a name, one of an address.
func forgive(ctx context.Context, tx store.Tx, account, address string) error {
	if err := do(tx.NewRaw("DELETE FROM auth_throttle WHERE subject = ?", account).Exec(ctx)); err != nil {
		return err
	}
	return do(tx.NewRaw("UPDATE auth_throttle SET failures = failures - 1, until = 0 WHERE subject = ? AND failures > 0", address).Exec(ctx))
}
