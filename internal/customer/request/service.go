package request

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"omote/internal/customer/consent"
	"omote/internal/customer/erasure"
	"omote/internal/customer/identity"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/warehouse"
)

// Consents is what a request changes; consent.Service does it.
type Consents interface {
	RecordIn(ctx context.Context, tx store.Tx, said ...consent.Said) error
	Restrict(ctx context.Context, tx store.Tx, records []string, reason string) error
	Lift(ctx context.Context, tx store.Tx, reason string) error
}

// Erasures carries out that a person is forgotten; erasure.Service does.
type Erasures interface {
	PutForward(ctx context.Context, tx store.Tx, customer, requestID, reason string) (erasure.Certificate, error)
	// Checked reports whether an order of the actor waits for a second person.
	Checked(ctx context.Context) bool
	Get(ctx context.Context, id string) (erasure.Certificate, error)
}

// Deps are what the service needs.
type Deps struct {
	DB        *store.DB
	Box       *sealed.Box
	Rules     *Rules
	Consents  Consents
	Erasures  Erasures
	Warehouse *warehouse.Warehouse
	Bank      string // name of the bank in letters
}

// Service handles subject requests. It is safe for concurrent use.
type Service struct{ Deps }

// NewService makes the service.
func NewService(d Deps) *Service { return &Service{d} }

// Open takes a request in and starts its clocks. A withdrawal or an objection is
// in force when this returns.
func (s *Service) Open(ctx context.Context, n New) (out Request, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return out, err
	}
	now := s.DB.Now().Time()
	if n.Received.IsZero() {
		n.Received = now
	}
	if err := n.Validate(now); err != nil {
		return out, err
	}
	pack, err := s.Rules.pack(n.Jurisdiction, n.Received)
	if err != nil {
		return out, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r := row{Entity: tx.Scope.Entity, ID: uuid.Must(uuid.NewV7()).String(), RecordID: strings.TrimSpace(n.Customer), Kind: n.Kind, State: Received,
			Jurisdiction: n.Jurisdiction, Intake: n.Intake, Locale: n.Locale, ThirdParty: n.ThirdParty, ReceivedAt: store.At(n.Received),
			Wish: sealed.New(strings.TrimSpace(n.Wish)), MadeBy: tx.Scope.Actor}
		u := under{Pack: pack.ID, Version: pack.Version}
		if rule := pack.rule(n.Kind, StopReplied, n.ThirdParty); rule != nil {
			u.Reply, r.ReplyDue = rule.ID, store.At(s.Rules.due(pack, rule, n.Received, rule.Amount))
		}
		if rule := pack.rule(n.Kind, StopDone, n.ThirdParty); rule != nil {
			u.Done, r.DoneDue = rule.ID, store.At(s.Rules.due(pack, rule, n.Received, rule.Amount))
		}
		raw, err := json.Marshal(u)
		if err != nil {
			return err
		}
		r.Rules = string(raw)
		if err := s.insert(ctx, tx, &r); err != nil {
			return err
		}
		if err := s.step(ctx, tx, r.ID, "received", ""); err != nil {
			return err
		}
		if err := s.obey(ctx, tx, &r); err != nil {
			return err
		}
		out = s.view(r)
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.request.open", Object: "request/" + r.ID, Reason: string(n.Kind), After: r})
	})
	return out, err
}

// obey does at once what harms nobody if the person turns out to be another: what
// is refused can be granted again.
func (s *Service) obey(ctx context.Context, tx store.Tx, r *row) error {
	if r.Kind != Withdraw && r.Kind != Object {
		return nil
	}
	err := s.Consents.RecordIn(ctx, tx, consent.Said{CustomerID: r.RecordID, Purpose: consent.AllPurposes, Channel: consent.AnyChannel, Whole: true,
		At: r.ReceivedAt, Source: consent.FromRequest, Locale: r.Locale, Evidence: "subject request " + r.ID})
	if err != nil {
		return err
	}
	return s.step(ctx, tx, r.ID, "obeyed", "")
}

// view adds what follows from the rules.
func (s *Service) view(r row) Request {
	out := r.request()
	u := r.under()
	if p := s.Rules.version(u.Pack, u.Version); p != nil {
		if rule := p.rule(r.Kind, StopDone, r.ThirdParty); rule != nil && rule.Plan > 0 && r.ExtendedFrom == 0 {
			out.Plan = s.Rules.due(p, rule, out.Received, rule.Plan)
		}
	}
	return out
}

// Rule gives the rule by which a request must be done; nil where there is none.
func (s *Service) Rule(r Request) *Rule {
	p, err := s.Rules.pack(r.Jurisdiction, r.Received)
	if err != nil {
		return nil
	}
	return p.rule(r.Kind, StopDone, r.ThirdParty)
}

// Get reads a request with its steps.
func (s *Service) Get(ctx context.Context, id string) (out Request, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := s.get(ctx, tx, id)
		if err != nil {
			return err
		}
		out = s.view(r)
		out.Steps, err = s.steps(ctx, tx, id)
		return err
	})
	return out, err
}

// List gives requests without their words: open ones by the deadline that comes
// first, else the newest first.
func (s *Service) List(ctx context.Context, f Filter, limit int) (out []Request, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if f.Customer != "" {
			person, err := identity.PersonOf(ctx, tx, f.Customer)
			if err != nil {
				return err
			}
			f.records = person.Records
		}
		rows, err := list(ctx, tx, f, max(1, min(limit, 1000)))
		for _, r := range rows {
			out = append(out, s.view(r))
		}
		return err
	})
	return out, err
}

// change reads an open request, lets fn change it, and writes it with a step and an
// audit entry.
func (s *Service) change(ctx context.Context, id, act, note string, fn func(ctx context.Context, tx store.Tx, r *row) error) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := s.get(ctx, tx, id)
		if err != nil {
			return err
		}
		if !r.State.Open() {
			return errs.Conflict("customer.request.error.over", "the request is over")
		}
		before := r
		if err := fn(ctx, tx, &r); err != nil {
			return err
		}
		if err := s.update(ctx, tx, &r); err != nil {
			return err
		}
		if err := s.step(ctx, tx, id, act, note); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.request." + act, Object: "request/" + id, Before: before, After: r})
	})
}

// Check notes that the person is who they say, and by which method it was found.
// A restriction is in force from here on.
func (s *Service) Check(ctx context.Context, id, method, note string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if err := validText("note", note, false); err != nil {
		return err
	}
	if !contains(Methods, method) {
		return errs.Invalid("customer.request.error.method", "method", "%q is none of %v", method, Methods)
	}
	return s.change(ctx, id, "check", note, func(ctx context.Context, tx store.Tx, r *row) error {
		if r.CheckedAt != 0 {
			return errs.Conflict("customer.request.error.checked", "the person was checked already")
		}
		r.CheckedAt, r.CheckMethod, r.CheckedBy = tx.Now(), method, tx.Scope.Actor
		if r.State == Received {
			r.State = Checked
		}
		if r.Kind != Restrict {
			return nil
		}
		person, err := identity.PersonOf(ctx, tx, r.RecordID)
		if err != nil {
			return err
		}
		return s.Consents.Restrict(ctx, tx, person.Records, "request/"+r.ID)
	})
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

// Reply notes that the person was told how the request will be carried out, which
// stops the first clock.
func (s *Service) Reply(ctx context.Context, id, note string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if err := validText("note", note, false); err != nil {
		return err
	}
	return s.change(ctx, id, "reply", note, func(_ context.Context, tx store.Tx, r *row) error {
		if r.RepliedAt != 0 {
			return errs.Conflict("customer.request.error.replied", "the person was told already")
		}
		r.RepliedAt, r.State = tx.Now(), Replied
		return nil
	})
}

// Extend moves the deadline once, by at most what the rule allows, with the reason
// that the person is told. It is refused once the deadline has passed.
func (s *Service) Extend(ctx context.Context, id string, amount int, reason string) error {
	if err := auth.Require(ctx, PermDecide, ""); err != nil {
		return err
	}
	if err := validText("reason", reason, true); err != nil {
		return err
	}
	return s.change(ctx, id, "extend", reason, func(_ context.Context, tx store.Tx, r *row) error {
		u := r.under()
		p := s.Rules.version(u.Pack, u.Version)
		var rule *Rule
		if p != nil {
			rule = p.rule(r.Kind, StopDone, r.ThirdParty)
		}
		switch {
		case rule == nil || rule.maxExtension() == 0:
			return errs.Invalid("customer.request.error.no_extension", "amount", "the rule allows no extension")
		case r.ExtendedFrom != 0:
			return errs.Conflict("customer.request.error.extended", "the deadline was extended once already")
		case amount < 1 || amount > rule.maxExtension():
			return errs.Invalid("customer.request.error.extension", "amount", "an extension is 1 to %d", rule.maxExtension()).With("max", rule.maxExtension())
		case tx.Now() >= r.DoneDue:
			return errs.Conflict("customer.request.error.late", "the deadline has passed: it cannot be extended any more")
		}
		r.ExtendedFrom = r.DoneDue
		r.DoneDue = store.At(s.Rules.extended(p, rule, r.DoneDue.Time(), amount))
		return nil
	})
}

// Note writes something down.
func (s *Service) Note(ctx context.Context, id, note string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if err := validText("note", note, true); err != nil {
		return err
	}
	return s.change(ctx, id, "note", note, func(context.Context, store.Tx, *row) error { return nil })
}

// OrderErasure has the person forgotten; it goes on in the background and ends
// with a certificate. A person's order begins when somebody else has approved it.
func (s *Service) OrderErasure(ctx context.Context, id string) error {
	if err := auth.Require(ctx, PermDecide, ""); err != nil {
		return err
	}
	act := "erase"
	if s.Erasures.Checked(ctx) {
		act = "propose"
	}
	return s.change(ctx, id, act, "", func(ctx context.Context, tx store.Tx, r *row) error {
		switch {
		case r.Kind != Erase:
			return errs.Invalid("customer.request.error.kind", "kind", "only a request to be forgotten erases")
		case r.CheckedAt == 0:
			return errs.Conflict("customer.request.error.unchecked", "the person's identity was not checked yet")
		case r.ErasureID != "":
			return errs.Conflict("customer.request.error.erasing", "the erasure was ordered already")
		}
		c, err := s.Erasures.PutForward(ctx, tx, r.RecordID, r.ID, "subject request")
		r.ErasureID = c.ID
		return err
	})
}

// ErasureOrdered notes which erasure carries a request out, in the transaction in
// which a second person approved it.
func (s *Service) ErasureOrdered(ctx context.Context, tx store.Tx, id, erasureID string) error {
	r, err := s.get(ctx, tx, id)
	if err != nil {
		return err
	}
	if !r.State.Open() || r.ErasureID != "" {
		return errs.Conflict("customer.request.error.over", "the request is over")
	}
	r.ErasureID = erasureID
	if err := s.update(ctx, tx, &r); err != nil {
		return err
	}
	return s.step(ctx, tx, id, "erase", "")
}

// Complete ends a request that was carried out. answer is what the person is told.
// What gives data out, changes or erases it needs the identity check first; a
// request to be forgotten also its certificate.
func (s *Service) Complete(ctx context.Context, id, answer string) error {
	if err := auth.Require(ctx, PermDecide, ""); err != nil {
		return err
	}
	if err := validText("answer", answer, true); err != nil {
		return err
	}
	now, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	if now.Kind == Erase {
		if now.Erasure == "" {
			return errs.Conflict("customer.request.error.not_erased", "the erasure has not been ordered")
		}
		if c, err := s.Erasures.Get(ctx, now.Erasure); err != nil || c.State == erasure.Running {
			if err != nil {
				return err
			}
			return errs.Conflict("customer.request.error.running", "the erasure has not ended yet")
		}
	}
	return s.change(ctx, id, "complete", answer, func(_ context.Context, tx store.Tx, r *row) error {
		if r.CheckedAt == 0 && r.Kind != Withdraw && r.Kind != Object {
			return errs.Conflict("customer.request.error.unchecked", "the person's identity was not checked yet")
		}
		r.State, r.DoneAt, r.Answer = Done, tx.Now(), sealed.New(answer)
		if r.RepliedAt == 0 {
			r.RepliedAt = tx.Now()
		}
		return nil
	})
}

// Refuse ends a request that is not carried out, with the ground in law.
func (s *Service) Refuse(ctx context.Context, id, ground, answer string) error {
	if err := auth.Require(ctx, PermDecide, ""); err != nil {
		return err
	}
	if err := validText("ground", ground, true); err != nil {
		return err
	}
	if err := validText("answer", answer, true); err != nil {
		return err
	}
	return s.change(ctx, id, "refuse", ground, func(_ context.Context, tx store.Tx, r *row) error {
		r.State, r.DoneAt, r.Outcome, r.Answer = Refused, tx.Now(), ground, sealed.New(answer)
		if r.RepliedAt == 0 {
			r.RepliedAt = tx.Now()
		}
		return nil
	})
}

// Lift ends the restriction that a request put in force.
func (s *Service) Lift(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermDecide, ""); err != nil {
		return err
	}
	if err := validText("reason", reason, true); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := s.get(ctx, tx, id); err != nil {
			return err
		}
		if err := s.Consents.Lift(ctx, tx, "request/"+id); err != nil {
			return err
		}
		if err := s.step(ctx, tx, id, "lift", reason); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.request.lift", Object: "request/" + id, Reason: reason})
	})
}

// Summary counts the open requests.
type Summary struct {
	Open, Late, Soon int // soon: the next deadline is within two days
}

// Summary reads the counts.
func (s *Service) Summary(ctx context.Context) (out Summary, err error) {
	open, err := s.List(ctx, Filter{Open: true}, 1000)
	if err != nil {
		return out, fmt.Errorf("summary of requests: %w", err)
	}
	now := s.DB.Now().Time()
	for _, r := range open {
		out.Open++
		switch next := r.Next(); {
		case r.Late(now):
			out.Late++
		case !next.IsZero() && next.Before(now.AddDate(0, 0, 2)):
			out.Soon++
		}
	}
	return out, nil
}

// MaxExtension is the longest extension that the request's rule allows, in days or
// months as the rule counts; 0 for none.
func (s *Service) MaxExtension(r Request) int {
	if rule := s.Rule(r); rule != nil {
		return rule.maxExtension()
	}
	return 0
}
