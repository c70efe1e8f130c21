package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"omote/internal/customer/consent"
	"omote/internal/customer/identity"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Consents decides about consent; consent.Service does.
type Consents interface {
	DecideOf(ctx context.Context, tx store.Tx, person identity.Person, purpose, channel string) (consent.Decision, error)
}

// Attributes reads traits of a customer's records by name.
type Attributes interface {
	Attributes(ctx context.Context, tx store.Tx, records, names []string) (map[string]string, error)
}

// Circumstances are reported by other modules, beside those that Exclude keeps.
type Circumstances interface {
	// Of gives what holds for a customer with the records, such as CaseOpen.
	Of(ctx context.Context, tx store.Tx, records []string) ([]string, error)
}

// Service decides about contacts. It is safe for concurrent use.
type Service struct {
	db            *store.DB
	consents      Consents
	attributes    Attributes
	circumstances []Circumstances
	approvals     *approval.Service // nil: whoever may edit puts into force
	parsed        sync.Map          // policyKey → *Policy
}

type policyKey struct {
	entity  string
	version int
}

// NewService makes the service. attributes may be nil.
func NewService(db *store.DB, consents Consents, attributes Attributes) *Service {
	return &Service{db: db, consents: consents, attributes: attributes}
}

// Ask adds a module that knows circumstances; before the service is used.
func (s *Service) Ask(c Circumstances) { s.circumstances = append(s.circumstances, c) }

// Install saves the pack's policy where the entity has none.
func (s *Service) Install(ctx context.Context, pack *Policy) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		version, err := policyVersion(ctx, tx)
		if err != nil || version > 0 {
			return err
		}
		first := *pack
		first.Version = 1
		return insertPolicy(ctx, tx, &first)
	})
}

// Policy gives the policy in force.
func (s *Service) Policy(ctx context.Context) (p *Policy, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		p, err = s.policy(ctx, tx)
		return err
	})
	return p, err
}

// Policies gives the last fifty versions, newest first.
func (s *Service) Policies(ctx context.Context) (out []*Policy, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = policyVersions(ctx, tx)
		return err
	})
	return out, err
}

// policy is the version in force; parsed versions never change and are kept.
func (s *Service) policy(ctx context.Context, tx store.Tx) (*Policy, error) {
	version, err := policyVersion(ctx, tx)
	if err != nil {
		return nil, err
	}
	key := policyKey{tx.Scope.Entity, version}
	if p, ok := s.parsed.Load(key); ok {
		return p.(*Policy), nil
	}
	p, err := policyAt(ctx, tx, version)
	if err == nil {
		tx.AfterCommit(func() { s.parsed.Store(key, p) })
	}
	return p, err
}

// Decide judges the request and, when it is allowed, reserves its place in the
// transaction, which must be one of store.DB.Write. A refusal is kept too, with
// every rule's word; it is no error.
func (s *Service) Decide(ctx context.Context, tx store.Tx, r Request) (Decision, error) {
	d, person, r, err := s.judge(ctx, tx, r)
	if err != nil {
		return d, err
	}
	if r.Ref == "" {
		r.Ref = uuid.Must(uuid.NewV7()).String()
	}
	e := &Entry{Entity: tx.Scope.Entity, RecordID: r.Customer, Ref: r.Ref, Kind: r.Kind, Channel: r.Channel, Purpose: r.Purpose, Priority: r.Priority,
		At: store.At(r.At), State: Refused, PolicyVersion: d.Policy, DecidedAt: tx.Now(), MadeBy: tx.Scope.Actor}
	if d.Allowed {
		e.State, d.Reservation = Reserved, r.Ref
	}
	if e.Reasons, err = json.Marshal(d.Reasons); err != nil {
		return d, fmt.Errorf("reasons of a contact decision: %w", err)
	}
	// The same ref may stand under another record of the person, from before a merge.
	if err := release(ctx, tx, slices.DeleteFunc(slices.Clone(person.Records), func(rec string) bool { return rec == r.Customer }), "ref = ?", r.Ref); err != nil {
		return d, err
	}
	return d, keep(ctx, tx, e)
}

// Explain is Decide without effect: why a customer may or may not be contacted.
func (s *Service) Explain(ctx context.Context, r Request) (d Decision, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return d, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		d, _, _, err = s.judge(ctx, tx, r)
		return err
	})
	return d, err
}

// judge gathers the facts and evaluates; it also gives the request with its
// defaults filled in.
func (s *Service) judge(ctx context.Context, tx store.Tx, r Request) (d Decision, person identity.Person, out Request, err error) {
	if r.Customer == "" || !slices.Contains(consent.Channels, r.Channel) {
		return d, person, r, errs.Invalid("customer.contact.error.request", "channel", "a contact needs a customer and a channel; %q is no channel", r.Channel)
	}
	p, err := s.policy(ctx, tx)
	if err != nil {
		return d, person, r, err
	}
	r.At = r.At.UTC()
	if r.At.IsZero() || r.At.Year() < 1971 {
		r.At = tx.Now().Time()
	}
	if k := p.Kind(r.Kind); k != nil {
		if r.Purpose == "" {
			r.Purpose = k.Purpose
		}
		if r.Priority <= 0 || r.Priority > k.Priority {
			r.Priority = k.Priority
		}
	}
	if person, err = identity.PersonOf(ctx, tx, r.Customer); err != nil {
		return d, person, r, err
	}
	f, err := s.facts(ctx, tx, p, person, r)
	if err != nil {
		return d, person, r, err
	}
	return p.Evaluate(r, f), person, r, nil
}

func (s *Service) facts(ctx context.Context, tx store.Tx, p *Policy, person identity.Person, r Request) (f Facts, err error) {
	if f.Consent, err = s.consents.DecideOf(ctx, tx, person, r.Purpose, r.Channel); err != nil {
		return f, err
	}
	if f.Contacts, err = reservedAround(ctx, tx, person.Records, r.At, p.reach()); err != nil {
		return f, err
	}
	if f.Circumstances, err = circumstances(ctx, tx, person.Records, r.At); err != nil {
		return f, err
	}
	for _, c := range s.circumstances {
		more, err := c.Of(ctx, tx, person.Records)
		if err != nil {
			return f, err
		}
		f.Circumstances = append(f.Circumstances, more...)
	}
	names := p.attributes(r)
	if len(names) == 0 || s.attributes == nil {
		return f, nil
	}
	if f.Attributes, err = s.attributes.Attributes(ctx, tx, person.Records, names); err != nil {
		return f, err
	}
	if name := f.Attributes[p.ZoneTrait]; p.ZoneTrait != "" && name != "" {
		// A zone that nobody knows leaves the policy's own.
		if zone, err := time.LoadLocation(name); err == nil {
			f.Zone = zone
		}
	}
	return f, nil
}

// attributes names the traits that the rules for the request look at.
func (p *Policy) attributes(r Request) (names []string) {
	if p.ZoneTrait != "" && slices.ContainsFunc(p.Quiet, func(q Quiet) bool { return q.to(r.Kind, r.Channel) }) {
		names = append(names, p.ZoneTrait)
	}
	for _, e := range p.Exclusions {
		if e.Attribute != "" && e.to(r.Kind, r.Channel) && !slices.Contains(names, e.Attribute) {
			names = append(names, e.Attribute)
		}
	}
	return names
}

// Release gives the place of a contact back that did not happen.
func (s *Service) Release(ctx context.Context, tx store.Tx, customer, ref string) error {
	person, err := identity.PersonOf(ctx, tx, customer)
	if err != nil {
		return err
	}
	return release(ctx, tx, person.Records, "ref = ?", ref)
}

// Withdrawn implements consent.Follower: places that waited on the consent are
// given back.
func (s *Service) Withdrawn(ctx context.Context, tx store.Tx, w consent.Withdrawal) error {
	for _, p := range w.Purposes {
		where, args := "purpose = ? AND at > ?", []any{p, tx.Now()}
		if w.Channel != consent.AnyChannel {
			where, args = where+" AND channel = ?", append(args, w.Channel)
		}
		if err := release(ctx, tx, w.Records, where, args...); err != nil {
			return err
		}
	}
	return nil
}

// Exclude keeps that a circumstance holds for a customer until it is ended
// (Include) or until passes (zero: until it is ended). ref names its cause, such
// as "case/…". For modules, in the transaction of the cause.
func (s *Service) Exclude(ctx context.Context, tx store.Tx, customer, circumstance, ref string, until time.Time) error {
	if !idForm.MatchString(circumstance) || customer == "" || ref == "" {
		return errs.Invalid("customer.contact.error.circumstance", "circumstance", "%q is not 1 to 40 lower-case letters, digits and _", circumstance)
	}
	r := &exclusionRow{Entity: tx.Scope.Entity, RecordID: customer, Kind: circumstance, Ref: ref, Since: tx.Now(), MadeBy: tx.Scope.Actor}
	if !until.IsZero() {
		r.Until = store.At(until)
	}
	return exclude(ctx, tx, r)
}

// Include ends a circumstance.
func (s *Service) Include(ctx context.Context, tx store.Tx, customer, circumstance, ref string) error {
	_, err := tx.NewUpdate().Model((*exclusionRow)(nil)).Set("until = ?", tx.Now()).
		Where("entity = ? AND record_id = ? AND kind = ? AND ref = ? AND (until IS NULL OR until > ?)", tx.Scope.Entity, customer, circumstance, ref, tx.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end an exclusion: %w", err)
	}
	return nil
}

// History gives the last decisions about a customer, newest first.
func (s *Service) History(ctx context.Context, customer string, limit int) (out []Entry, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		person, err := identity.PersonOf(ctx, tx, customer)
		if err != nil {
			return err
		}
		out, err = entries(ctx, tx, person.Records, max(1, min(limit, 500)))
		return err
	})
	return out, err
}

// Tallies counts the decisions since t by kind and state.
func (s *Service) Tallies(ctx context.Context, since time.Time) (out []Tally, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = tallies(ctx, tx, store.At(since))
		return err
	})
	return out, err
}
