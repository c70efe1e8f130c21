package auth

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// touchEvery is how often the last use of a session or key is written down.
const touchEvery = time.Minute

// Session is one signed-in browser, as its owner sees it.
type Session struct {
	ID      string
	Agent   string // browser and system, such as "Firefox, Linux"
	Address string
	Created time.Time
	Seen    time.Time
	Current bool
}

type sessionRow struct {
	bun.BaseModel `bun:"table:auth_session"`

	ID        string `bun:",pk"`
	Hash      string
	AccountID string
	Place     string
	Agent     string
	Address   sealed.Text
	Created   store.Micros
	Seen      store.Micros
	Expires   store.Micros
}

// startSession begins a session of an account that has proven itself. Every
// session has a new token: one that was known before is worth nothing after.
func (s *Service) startSession(ctx context.Context, tx store.Tx, r *accountRow, client Client, how string) (token string, err error) {
	if token, err = newToken(); err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("auth: %w", err)
	}
	now := tx.Now()
	row := sessionRow{ID: id.String(), Hash: hashToken(token), AccountID: r.ID, Agent: agentWords(client.Agent), Address: sealed.New(client.Address),
		Created: now, Seen: now, Expires: now.Add(s.o.Absolute)}
	if err := s.box.Seal(ctx, tx, &row); err != nil {
		return "", err
	}
	if err := insertSession(ctx, tx, &row); err != nil {
		return "", err
	}
	r.SignedIn = now
	if err := s.updateAccount(ctx, tx, r); err != nil {
		return "", err
	}
	return token, audit.Record(ctx, as(tx, r.ID), audit.Entry{Action: "auth.session.begin", Object: "account/" + r.ID, Reason: how})
}

var errNoSession = func() error { return errs.Unauthenticated("auth.session_ended", "the session has ended") }

// Session finds the actor of a session's token and notes its use.
func (s *Service) Session(ctx context.Context, token string) (Actor, error) {
	ctx = s.system(ctx)
	var a Actor
	var touch bool
	var row sessionRow
	err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if row, err = sessionByHash(ctx, tx, hashToken(token)); err != nil {
			return err
		}
		now := tx.Now()
		if row.Expires <= now || now.Sub(row.Seen) >= s.o.Idle {
			return errNoSession()
		}
		touch = now.Sub(row.Seen) >= touchEvery
		a, err = s.actorOf(ctx, tx, row)
		return err
	})
	if store.IsNoRows(err) {
		return Actor{}, errNoSession()
	}
	if err != nil || !touch {
		return a, err
	}
	return a, s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return touchSession(ctx, tx, row.ID, tx.Now()) })
}

func (s *Service) actorOf(ctx context.Context, tx store.Tx, row sessionRow) (Actor, error) {
	var state AccountState
	if err := tx.NewSelect().Model((*accountRow)(nil)).Column("state").Where("id = ? AND entity = ?", row.AccountID, tx.Scope.Entity).Scan(ctx, &state); err != nil {
		return Actor{}, err
	}
	if state != Active {
		return Actor{}, errNoSession()
	}
	grants, err := grantsOf(ctx, tx, row.AccountID)
	if err != nil {
		return Actor{}, err
	}
	return Actor{Kind: Person, ID: row.AccountID, Entity: tx.Scope.Entity, Grants: grants, Session: row.ID}.settle(row.Place), nil
}

// self gives the signed-in person of the context.
func self(ctx context.Context) (Actor, error) {
	a, ok := From(ctx)
	if !ok || a.Kind != Person {
		return Actor{}, errs.Unauthenticated("auth.sign_in_first", "a signed-in person is needed")
	}
	return a, nil
}

// Me reads the account of the signed-in person.
func (s *Service) Me(ctx context.Context) (acc Account, err error) {
	a, err := self(ctx)
	if err != nil {
		return Account{}, err
	}
	err = s.db.Read(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		acc, err = s.GetAccount(ctx, tx, a.ID)
		return err
	})
	return acc, err
}

// Sessions lists the sessions of the signed-in person, last used first.
func (s *Service) Sessions(ctx context.Context) ([]Session, error) {
	a, err := self(ctx)
	if err != nil {
		return nil, err
	}
	var out []Session
	err = s.db.Read(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		rows, err := sessionsOf(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if err := s.box.Open(ctx, tx, &rows); err != nil {
			return err
		}
		for _, r := range rows {
			if tx.Now().Sub(r.Seen) < s.o.Idle {
				out = append(out, Session{ID: r.ID, Agent: r.Agent, Address: r.Address.Plain, Created: r.Created.Time(), Seen: r.Seen.Time(), Current: r.ID == a.Session})
			}
		}
		return nil
	})
	return out, err
}

// Revoke ends one session of the signed-in person.
func (s *Service) Revoke(ctx context.Context, id string) error {
	a, err := self(ctx)
	if err != nil {
		return err
	}
	return s.db.Write(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		n, err := deleteSession(ctx, tx, a.ID, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return errs.NotFound("auth.session_not_found", "no session %s", id)
		}
		return audit.Record(ctx, as(tx, a.ID), audit.Entry{Action: "auth.session.end", Object: "account/" + a.ID})
	})
}

// RevokeOthers ends all sessions of the signed-in person but the present one.
func (s *Service) RevokeOthers(ctx context.Context) error {
	a, err := self(ctx)
	if err != nil {
		return err
	}
	return s.db.Write(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		if err := deleteSessions(ctx, tx, a.ID, a.Session); err != nil {
			return err
		}
		return audit.Record(ctx, as(tx, a.ID), audit.Entry{Action: "auth.session.end", Object: "account/" + a.ID, Reason: "all others"})
	})
}

// RevokeAll ends all sessions of an account, for package admin/account.
func (s *Service) RevokeAll(ctx context.Context, tx store.Tx, account string) error {
	return deleteSessions(ctx, tx, account, "")
}

// SetPlace changes the unit that the signed-in person acts in.
func (s *Service) SetPlace(ctx context.Context, unit string) error {
	a, err := self(ctx)
	if err != nil {
		return err
	}
	if !ValidUnit(unit) || a.settle(unit).Place != unit {
		return errs.Denied("auth.place_denied", "no grant covers %s", unit)
	}
	return s.db.Write(s.system(ctx), func(ctx context.Context, tx store.Tx) error { return setPlace(ctx, tx, a.Session, unit) })
}

// agentWords shortens a User-Agent header to what tells a person's devices apart.
func agentWords(agent string) string {
	var words []string
	for _, w := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(agent, w[0]) {
			words = append(words, w[1])
			break
		}
	}
	for _, w := range [][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, w[0]) {
			words = append(words, w[1])
			break
		}
	}
	return strings.Join(words, ", ")
}
