package consent

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"omote/internal/customer/identity"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Withdrawal is a no that has just been written, in the same transaction.
type Withdrawal struct {
	// Records are the customer's, the customer's own id among them.
	Records []string
	// Purposes that no longer hold; none of them rests on contract or law.
	Purposes []string
	Channel  string // AnyChannel for all
}

// Follower undoes what waits on a consent that was withdrawn: queued messages,
// reserved contacts. It runs in the transaction of the withdrawal.
type Follower interface {
	Withdrawn(ctx context.Context, tx store.Tx, w Withdrawal) error
}

// Service keeps purposes and statements and decides. It is safe for concurrent use.
type Service struct {
	db        *store.DB
	box       *sealed.Box
	keys      keyring.Provider
	followers []Follower
}

// NewService makes the service. The followers are told of every withdrawal.
func NewService(db *store.DB, box *sealed.Box, followers ...Follower) *Service {
	return &Service{db: db, box: box, keys: db.Keys(), followers: followers}
}

// Follow adds a follower; before the service is used.
func (s *Service) Follow(f Follower) { s.followers = append(s.followers, f) }

// Install brings the pack's purposes in where the entity has none of that id.
func (s *Service) Install(ctx context.Context, pack []Purpose) (added int, err error) {
	if err := auth.Require(ctx, PermPurpose, scope.Root); err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		added = 0
		have, err := purposes(ctx, tx, false)
		if err != nil {
			return err
		}
		for _, p := range pack {
			if slices.ContainsFunc(have, func(h Purpose) bool { return h.ID == p.ID }) {
				continue
			}
			p.Version, p.Since = 1, 1
			if err := insertPurpose(ctx, tx, p); err != nil {
				return err
			}
			added++
		}
		return nil
	})
	return added, err
}

// Purposes gives the purposes in their newest version.
func (s *Service) Purposes(ctx context.Context) (out []Purpose, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = purposes(ctx, tx, false)
		return err
	})
	return out, err
}

// Versions gives every version of a purpose, newest first.
func (s *Service) Versions(ctx context.Context, id string) (out []Purpose, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err := purposes(ctx, tx, true)
		out = slices.DeleteFunc(all, func(p Purpose) bool { return p.ID != id })
		return err
	})
	if err == nil && len(out) == 0 {
		err = errs.NotFound("customer.consent.error.no_purpose", "there is no purpose %s", id).With("purpose", id)
	}
	return out, err
}

// SavePurpose saves a new version of a purpose, or a new purpose. Its Version is
// the one that the caller saw, 0 for a new one.
func (s *Service) SavePurpose(ctx context.Context, p Purpose) (saved Purpose, err error) {
	if err := auth.Require(ctx, PermPurpose, scope.Root); err != nil {
		return p, err
	}
	if err := p.Validate(); err != nil {
		return p, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		saved = p
		before, err := purposeNow(ctx, tx, p.ID)
		if err != nil {
			return err
		}
		saved.Version, saved.Since = 1, 1
		if before != nil {
			if before.Version != p.Version {
				return errs.Conflict("customer.consent.error.version", "somebody saved another version of %s meanwhile", p.ID)
			}
			saved.Version, saved.Since = before.Version+1, before.Since
			if p.Renew {
				saved.Since = saved.Version
			}
		}
		if err := insertPurpose(ctx, tx, saved); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.purpose.save", Object: "purpose/" + p.ID, Before: before, After: saved})
	})
	return saved, err
}

// Said is what it takes to keep a statement of a customer.
type Said struct {
	// CustomerID is the customer, or one of their records.
	CustomerID string
	Purpose    string
	Channel    string
	Granted    bool
	// Whole: the person spoke for all their records; else the statement is of the
	// record CustomerID alone.
	Whole       bool
	At          store.Micros // 0 means now; the future is cut to now
	Source      Source
	TextVersion int
	Locale      string
	Evidence    string
}

// Record keeps what a customer said, in a transaction of its own. When it
// returns, every later decision obeys it, and what was queued on a consent that
// was withdrawn is void.
func (s *Service) Record(ctx context.Context, said ...Said) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if len(said) == 0 || len(said) > maxPurposesInOneCall {
		return errs.Invalid("customer.consent.error.many", "", "a call records 1 to %d statements", maxPurposesInOneCall)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := s.RecordIn(ctx, tx, said...); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.consent.record", Object: "customer/" + said[0].CustomerID, After: said})
	})
}

// RecordIn is Record in a running transaction, for callers that have authorised.
func (s *Service) RecordIn(ctx context.Context, tx store.Tx, said ...Said) error {
	rows := make([]Statement, 0, len(said))
	for _, each := range said {
		row := Statement{Entity: tx.Scope.Entity, RecordID: each.CustomerID, ID: uuid.Must(uuid.NewV7()).String(), Purpose: each.Purpose,
			Channel: each.Channel, Granted: each.Granted, Whole: each.Whole, At: each.At, Received: tx.Now(), Source: each.Source,
			TextVersion: each.TextVersion, Locale: each.Locale, Evidence: sealed.New(each.Evidence), MadeBy: tx.Scope.Actor}
		if row.At <= 0 || row.At > row.Received {
			row.At = row.Received
		}
		if err := row.validate(); err != nil {
			return err
		}
		rows = append(rows, row)
	}
	return s.keep(ctx, tx, rows)
}

// keep writes statements and undoes what waits on those that say no.
func (s *Service) keep(ctx context.Context, tx store.Tx, rows []Statement) error {
	if err := s.box.Seal(ctx, tx, &rows); err != nil {
		return err
	}
	if err := insertStatements(ctx, tx, rows); err != nil {
		return err
	}
	var now []Purpose
	for i := range rows {
		if rows[i].Granted {
			continue
		}
		if now == nil {
			var err error
			if now, err = purposes(ctx, tx, false); err != nil {
				return err
			}
		}
		if err := s.withdraw(ctx, tx, &rows[i], now); err != nil {
			return err
		}
	}
	return nil
}

// withdraw tells the followers which purposes fell with a statement. A no that is
// older than a later yes takes nothing back.
func (s *Service) withdraw(ctx context.Context, tx store.Tx, no *Statement, all []Purpose) error {
	person, err := identity.PersonOf(ctx, tx, no.RecordID)
	if err != nil {
		return err
	}
	said, err := statementsOf(ctx, tx, person.Records, "")
	if err != nil {
		return err
	}
	if no.Channel != AnyChannel {
		return s.tell(ctx, tx, Withdrawal{Records: person.Records, Channel: no.Channel, Purposes: fallen(all, no, no.Channel, person.Records, said)})
	}
	for _, channel := range Channels {
		w := Withdrawal{Records: person.Records, Channel: channel, Purposes: fallen(all, no, channel, person.Records, said)}
		if err := s.tell(ctx, tx, w); err != nil {
			return err
		}
	}
	return nil
}

// fallen gives the purposes that the statement speaks of and that are not allowed
// on the channel any more.
func fallen(all []Purpose, no *Statement, channel string, records []string, said []Statement) (out []string) {
	for i := range all {
		p := &all[i]
		if p.Asks() && no.covers(p.ID, channel) && slices.Contains(p.Channels, channel) && !decide(p, channel, records, said, false).Allowed {
			out = append(out, p.ID)
		}
	}
	return out
}

// tell passes a withdrawal to the followers.
func (s *Service) tell(ctx context.Context, tx store.Tx, w Withdrawal) error {
	if len(w.Purposes) == 0 {
		return nil
	}
	for _, f := range s.followers {
		if err := f.Withdrawn(ctx, tx, w); err != nil {
			return fmt.Errorf("undo what waits on a withdrawn consent: %w", err)
		}
	}
	return nil
}

// Decide says whether the customer's data may be used for the purpose over the
// channel, as things stand in the transaction. Whoever sends asks in the
// transaction that claims the send.
func (s *Service) Decide(ctx context.Context, tx store.Tx, customerID, purpose, channel string) (Decision, error) {
	person, err := identity.PersonOf(ctx, tx, customerID)
	if err != nil {
		return Decision{}, err
	}
	return s.DecideOf(ctx, tx, person, purpose, channel)
}

// DecideOf is Decide for a person that was looked up in the same transaction.
func (s *Service) DecideOf(ctx context.Context, tx store.Tx, person identity.Person, purpose, channel string) (Decision, error) {
	p, err := purposeNow(ctx, tx, purpose)
	if err != nil || p == nil || !p.Asks() {
		d := decide(p, channel, person.Records, nil, false)
		if p == nil {
			d.Purpose = purpose
		}
		return d, err
	}
	restricted, err := restrictedNow(ctx, tx, person.Records)
	if err != nil {
		return Decision{}, err
	}
	said, err := statementsOf(ctx, tx, person.Records, purpose)
	if err != nil {
		return Decision{}, err
	}
	return decide(p, channel, person.Records, said, restricted), nil
}

// Check is Decide for readers: it stands in the audit trail with its reason.
func (s *Service) Check(ctx context.Context, customerID, purpose, channel string) (d Decision, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return d, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if d, err = s.Decide(ctx, tx, customerID, purpose, channel); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.consent.check", Object: "customer/" + customerID,
			Reason: purpose + " " + channel + ": " + string(d.Reason)})
	})
	return d, err
}

// Standing is where a customer stands: the decision for every purpose and channel.
type Standing struct {
	CustomerID string
	Records    int
	Restricted bool
	Purposes   []PurposeStanding
	// Said is the history, newest first, at most 200.
	Said []Statement
}

// PurposeStanding is one purpose with a decision for each of its channels.
type PurposeStanding struct {
	Purpose   Purpose
	Decisions []Decision
}

// Allowed reports whether any channel is allowed.
func (p PurposeStanding) Allowed() bool {
	return slices.ContainsFunc(p.Decisions, func(d Decision) bool { return d.Allowed })
}

// Standing reads where the customer stands.
func (s *Service) Standing(ctx context.Context, customerID string) (out Standing, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return out, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = s.standing(ctx, tx, customerID)
		return err
	})
	return out, err
}

func (s *Service) standing(ctx context.Context, tx store.Tx, customerID string) (out Standing, err error) {
	person, err := identity.PersonOf(ctx, tx, customerID)
	if err != nil {
		return out, err
	}
	out = Standing{CustomerID: person.CustomerID, Records: len(person.Records)}
	if out.Restricted, err = restrictedNow(ctx, tx, person.Records); err != nil {
		return out, err
	}
	all, err := purposes(ctx, tx, false)
	if err != nil {
		return out, err
	}
	said, err := statementsOf(ctx, tx, person.Records, "")
	if err != nil {
		return out, err
	}
	for i := range all {
		ps := PurposeStanding{Purpose: all[i]}
		for _, c := range all[i].Channels {
			ps.Decisions = append(ps.Decisions, decide(&all[i], c, person.Records, said, out.Restricted))
		}
		out.Purposes = append(out.Purposes, ps)
	}
	// What the person can change comes first.
	slices.SortStableFunc(out.Purposes, func(a, b PurposeStanding) int {
		rank := func(p PurposeStanding) int {
			return slices.Index([]Basis{ByConsent, LegitimateInterest, Contract, LegalObligation}, p.Purpose.Basis)
		}
		return rank(a) - rank(b)
	})
	if out.Said, err = history(ctx, tx, person.Records, 200); err != nil {
		return out, err
	}
	return out, s.box.Open(ctx, tx, &out.Said)
}

// Restrict holds back a customer's records until Lift with the same reason.
func (s *Service) Restrict(ctx context.Context, tx store.Tx, records []string, reason string) error {
	for _, r := range records {
		row := Restriction{Entity: tx.Scope.Entity, RecordID: r, ID: reason, Reason: reason, Since: tx.Now()}
		_, err := tx.NewInsert().Model(&row).On("CONFLICT (entity, record_id, id) DO UPDATE").Set("until = NULL").Exec(ctx)
		if err != nil {
			return fmt.Errorf("restrict: %w", err)
		}
	}
	all, err := purposes(ctx, tx, false)
	if err != nil {
		return err
	}
	w := Withdrawal{Records: records, Channel: AnyChannel}
	for _, p := range all {
		if p.Asks() {
			w.Purposes = append(w.Purposes, p.ID)
		}
	}
	return s.tell(ctx, tx, w)
}

// Lift ends the restrictions with the reason.
func (s *Service) Lift(ctx context.Context, tx store.Tx, reason string) error {
	_, err := tx.NewUpdate().Model((*Restriction)(nil)).Set("until = ?", tx.Now()).Where("entity = ? AND id = ? AND until IS NULL", tx.Scope.Entity, reason).Exec(ctx)
	if err != nil {
		return fmt.Errorf("lift a restriction: %w", err)
	}
	return nil
}
