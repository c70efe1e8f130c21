package approval

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Persons tells whether one human being answers for two actors. auth.Service
// does.
type Persons interface {
	SamePerson(ctx context.Context, tx store.Tx, a, b string) (bool, error)
}

// Service keeps proposals and has them decided. Kinds are registered while the
// program is put together; after that it is safe for concurrent use.
type Service struct {
	db      *store.DB
	persons Persons
	kinds   map[string]Kind
}

// New makes the service.
func New(db *store.DB, persons Persons) *Service {
	return &Service{db: db, persons: persons, kinds: map[string]Kind{}}
}

// Register adds a kind. A mistake in it is one of the program: it panics.
func (s *Service) Register(k Kind) {
	if _, twice := s.kinds[k.Name]; twice || k.Name == "" || k.Approved == nil || !auth.Known(k.Permission) {
		panic(fmt.Sprintf("approval: kind %q is registered twice or incomplete", k.Name))
	}
	if k.Life <= 0 {
		k.Life = DefaultLife
	}
	s.kinds[k.Name] = k
}

// Kinds lists the names of the registered kinds, sorted.
func (s *Service) Kinds() []string {
	var out []string
	for name := range s.kinds {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Propose puts a proposal forward in the caller's transaction, on behalf of the
// actor of its scope. The caller has authorised the maker. A proposal of the same
// kind for the same object that still waits is a conflict: it is withdrawn or
// decided first.
func (s *Service) Propose(ctx context.Context, tx store.Tx, p Proposal) (Request, error) {
	k, ok := s.kinds[p.Kind]
	if !ok {
		return Request{}, fmt.Errorf("approval: kind %q is not registered", p.Kind)
	}
	if err := p.Validate(); err != nil {
		return Request{}, err
	}
	payload, err := json.Marshal(p.Payload)
	if err != nil {
		return Request{}, fmt.Errorf("approval: encode the payload: %w", err)
	}
	if len(payload) > MaxPayload {
		return Request{}, errs.TooLarge("approval.error.payload", "a proposal carries at most %d bytes", MaxPayload).With("max", MaxPayload)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Request{}, fmt.Errorf("approval: %w", err)
	}
	r := Request{ID: id.String(), Kind: p.Kind, Object: p.Object, Version: p.Version, Unit: p.Unit, Title: p.Title, Details: p.Details, Href: p.Href,
		Payload: payload, Digest: digestOf(payload), Permission: p.Permission, Maker: tx.Scope.Actor, Proposed: tx.Now().Time(),
		Expires: tx.Now().Add(k.Life).Time(), State: Waiting}
	if r.Unit == "" {
		r.Unit = tx.Scope.Unit
	}
	if r.Permission == "" {
		r.Permission = k.Permission
	}
	if !tx.Scope.Sees(r.Unit) {
		return Request{}, errs.Denied("approval.error.unit", "the proposal reaches beyond the maker's place").With("unit", r.Unit)
	}
	// One that nobody decided in time stands in nobody's way.
	if err := s.expireObject(ctx, tx, r.Kind, r.Object); err != nil {
		return Request{}, err
	}
	added, err := insert(ctx, tx, r)
	if err != nil {
		return Request{}, err
	}
	if !added {
		return Request{}, errs.Conflict("approval.error.waits", "a proposal for %s waits for its checker already", r.Object)
	}
	return r, record(ctx, tx, "propose", r)
}

// Get reads a request: its maker, whoever may decide it, and auditors see it.
func (s *Service) Get(ctx context.Context, id string) (r Request, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return Request{}, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err = find(ctx, tx, id)
		if err == nil && !visible(ctx, tx, r) {
			return notFound(id)
		}
		return err
	})
	return r, err
}

func visible(ctx context.Context, tx store.Tx, r Request) bool {
	if r.Maker == tx.Scope.Actor {
		return true
	}
	a, ok := auth.From(ctx)
	return tx.Scope.Sees(r.Unit) && (!ok || a.Has(auth.Auditor) || auth.Require(ctx, r.Permission, r.Unit) == nil)
}

func notFound(id string) error {
	return errs.NotFound("approval.error.not_found", "no proposal %s", id)
}

// Item is a request with what its reader may do.
type Item struct {
	Request
	Mine bool // the reader, or the same person under another name, proposed it
	May  bool // the reader may decide it
}

// List is what stands on a person's table.
type List struct {
	Waiting []Item // for the reader's decision, the first to expire first
	Mine    []Item // proposed by the reader, newest first
	Past    []Item // decided within the reader's sight, newest first
}

// pastShown bounds the list of what was decided.
const pastShown = 50

// List gives what waits for the reader, what they proposed, and what was decided.
func (s *Service) List(ctx context.Context) (l List, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return List{}, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		waiting, err := inState(ctx, tx, Waiting)
		if err != nil {
			return err
		}
		for _, r := range waiting {
			if r.Expires.After(tx.Now().Time()) && s.mayDecide(ctx, tx, r) == nil {
				l.Waiting = append(l.Waiting, Item{Request: r, May: true})
			}
		}
		mine, err := madeBy(ctx, tx, tx.Scope.Actor, pastShown)
		if err != nil {
			return err
		}
		for _, r := range mine {
			l.Mine = append(l.Mine, Item{Request: r, Mine: true})
		}
		past, err := closed(ctx, tx, pastShown)
		if err != nil {
			return err
		}
		for _, r := range past {
			if visible(ctx, tx, r) {
				l.Past = append(l.Past, Item{Request: r, Mine: r.Maker == tx.Scope.Actor})
			}
		}
		return nil
	})
	return l, err
}

// WaitingFor counts what waits for the reader's decision.
func (s *Service) WaitingFor(ctx context.Context) (int, error) {
	l, err := s.List(ctx)
	return len(l.Waiting), err
}

// May tells why the reader may not decide a request; nil when they may.
func (s *Service) May(ctx context.Context, r Request) error {
	return s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error { return s.mayDecide(ctx, tx, r) })
}

// mayDecide says why the actor of the context may not be the checker.
func (s *Service) mayDecide(ctx context.Context, tx store.Tx, r Request) error {
	if err := auth.Require(ctx, PermDecide, ""); err != nil {
		return err
	}
	a, ok := auth.From(ctx)
	if !ok || a.Kind != auth.Person {
		return errs.Denied("approval.error.no_person", "a signed-in person decides, no key and no process")
	}
	if !tx.Scope.Sees(r.Unit) {
		return notFound(r.ID)
	}
	if err := auth.Require(ctx, r.Permission, r.Unit); err != nil {
		return err
	}
	same, err := s.persons.SamePerson(ctx, tx, r.Maker, a.Ref())
	if err != nil {
		return err
	}
	if same {
		return errs.Denied("approval.error.own", "whoever proposes something does not decide on it")
	}
	return nil
}

// Decide decides a request, on behalf of the signed-in person. An approval is
// carried out by its kind in the same transaction; a refusal needs a reason.
func (s *Service) Decide(ctx context.Context, id string, verdict Verdict, reason string) (r Request, err error) {
	if err := auth.Require(ctx, PermDecide, ""); err != nil {
		return Request{}, err
	}
	reason = strings.TrimSpace(reason)
	if utf8.RuneCountInString(reason) > MaxReason || !utf8.ValidString(reason) || strings.ContainsRune(reason, 0) {
		return Request{}, errs.Invalid("approval.error.reason_long", "reason", "a reason has at most %d characters", MaxReason).With("max", MaxReason)
	}
	if verdict == Refuse && reason == "" {
		return Request{}, errs.Invalid("approval.error.reason", "reason", "a refusal needs a reason")
	}
	late := false
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		late = false
		if r, err = find(ctx, tx, id); err != nil {
			return err
		}
		if err := s.mayDecide(ctx, tx, r); err != nil {
			return err
		}
		if r.State != Waiting {
			return errs.Conflict("approval.error.decided", "the proposal is %s", r.State).With("state", string(r.State))
		}
		if late = !r.Expires.After(tx.Now().Time()); late {
			return s.close(ctx, tx, &r, Expired, "", "")
		}
		if digestOf(r.Payload) != r.Digest {
			return errs.Conflict("approval.error.changed", "the payload of %s is not the one that was proposed", id)
		}
		if verdict == Refuse {
			return s.close(ctx, tx, &r, Refused, tx.Scope.Actor, reason)
		}
		if err := s.settle(ctx, tx, &r, Approved, tx.Scope.Actor, reason); err != nil {
			return err
		}
		k, ok := s.kinds[r.Kind]
		if !ok {
			return errs.Conflict("approval.error.kind", "nothing here carries out a %s", r.Kind).With("kind", r.Kind)
		}
		return k.Approved(ctx, tx, r)
	})
	if err == nil && late {
		err = errs.Conflict("approval.error.expired", "the proposal waited too long and has expired")
	}
	return r, err
}

// Withdraw takes a proposal back, by its maker or by the same person under
// another name.
func (s *Service) Withdraw(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		same, err := s.persons.SamePerson(ctx, tx, r.Maker, tx.Scope.Actor)
		if err != nil {
			return err
		}
		if !same {
			return errs.Denied("approval.error.not_own", "only the maker withdraws a proposal")
		}
		if r.State != Waiting {
			return errs.Conflict("approval.error.decided", "the proposal is %s", r.State).With("state", string(r.State))
		}
		return s.close(ctx, tx, &r, Withdrawn, tx.Scope.Actor, strings.TrimSpace(reason))
	})
}

// WithdrawObject takes back what waits for an object, in the transaction of its
// module: the thing was changed or is gone. Nothing waiting is no error.
func (s *Service) WithdrawObject(ctx context.Context, tx store.Tx, kind, object, reason string) error {
	rows, err := waitingFor(ctx, tx, kind, object)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := s.close(ctx, tx, &r, Withdrawn, tx.Scope.Actor, reason); err != nil {
			return err
		}
	}
	return nil
}

// WaitsFor gives what waits for an object, nil for nothing: for the page of the
// thing, whose reader its module has authorised.
func (s *Service) WaitsFor(ctx context.Context, tx store.Tx, kind, object string) (*Request, error) {
	rows, err := waitingFor(ctx, tx, kind, object)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if rows[i].Expires.After(tx.Now().Time()) {
			return &rows[i], nil
		}
	}
	return nil, nil
}

// OwnWork reports whether the platform itself acts, such as an installation from
// a pack: no person proposes that, and nobody checks it.
func OwnWork(ctx context.Context) bool {
	sc, ok := scope.From(ctx)
	_, somebody := auth.From(ctx)
	return ok && sc.System && !somebody
}

// Expire closes what nobody decided in time. Run it every hour.
func (s *Service) Expire(ctx context.Context) (n int, err error) {
	if err := auth.Require(ctx, PermDecide, ""); err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		rows, err := overdue(ctx, tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := s.close(ctx, tx, &r, Expired, "", ""); err != nil {
				return err
			}
		}
		n = len(rows)
		return nil
	})
	return n, err
}

func (s *Service) expireObject(ctx context.Context, tx store.Tx, kind, object string) error {
	rows, err := waitingFor(ctx, tx, kind, object)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if !r.Expires.After(tx.Now().Time()) {
			if err := s.close(ctx, tx, &r, Expired, "", ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// close ends a request without carrying it out.
func (s *Service) close(ctx context.Context, tx store.Tx, r *Request, state State, by, reason string) error {
	if err := s.settle(ctx, tx, r, state, by, reason); err != nil {
		return err
	}
	if k, ok := s.kinds[r.Kind]; ok && k.Closed != nil {
		return k.Closed(ctx, tx, *r)
	}
	return nil
}

// settle writes what became of a request.
func (s *Service) settle(ctx context.Context, tx store.Tx, r *Request, state State, by, reason string) error {
	r.State, r.Checker, r.Decided, r.Reason = state, by, tx.Now().Time(), reason
	if err := update(ctx, tx, *r); err != nil {
		return err
	}
	return record(ctx, tx, map[State]string{Approved: "approve", Refused: "refuse", Withdrawn: "withdraw", Expired: "expire"}[state], *r)
}

func record(ctx context.Context, tx store.Tx, verb string, r Request) error {
	return audit.Record(ctx, tx, audit.Entry{Action: "governance.approval." + verb, Object: "approval/" + r.ID, Reason: r.Reason,
		Changed: []string{"state"}, After: r})
}

// IsMine reports whether the reader, or the same person under another name,
// proposed a request.
func (s *Service) IsMine(ctx context.Context, r Request) (mine bool, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return false, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		mine, err = s.persons.SamePerson(ctx, tx, r.Maker, tx.Scope.Actor)
		return err
	})
	return mine, err
}
