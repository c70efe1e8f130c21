package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"omote/internal/customer/identity"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/erasure"
	"omote/internal/platform/errs"
	"omote/internal/platform/jobs"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// JobKind is the kind of the job that carries an erasure out.
const JobKind = "customer.erasure"

// attempts of the job; it waits longer each time, so that leases end meanwhile.
const attempts = 12

// Restrictor holds back records that must be kept; consent.Service does.
type Restrictor interface {
	Restrict(ctx context.Context, tx store.Tx, records []string, reason string) error
	Lift(ctx context.Context, tx store.Tx, reason string) error
}

// Deps are what the service needs.
type Deps struct {
	DB         *store.DB
	Box        *sealed.Box
	Names      *pseudonym.Maker
	Registry   *erasure.Registry
	List       *List
	Restrictor Restrictor
	// Unsettled gives what must be settled before the records may be erased, such as
	// an open complaint: an order puts a hold on them for each. May be nil.
	Unsettled func(ctx context.Context, tx store.Tx, records []string) ([]HoldReason, error)
	// CaughtUp returns when the projectors have taken up what the log holds.
	CaughtUp func(ctx context.Context) error
	// Submit queues the job that carries an erasure out, in the transaction.
	Submit func(ctx context.Context, tx store.Tx, id string) error
	// Ordered hears which erasure carries a subject request out that a second
	// person has approved. May be nil.
	Ordered func(ctx context.Context, tx store.Tx, requestID, erasureID string) error
}

// Service erases. It is safe for concurrent use.
type Service struct {
	Deps
	marker    *erasure.Marker
	approvals *approval.Service // nil: whoever may order begins it
	one       sync.Mutex        // held by whoever erases: the counts of a certificate are of one run at a time
}

// NewService makes the service.
func NewService(ctx context.Context, d Deps) (*Service, error) {
	marker, err := erasure.NewMarker(ctx, d.DB.Keys())
	if err != nil {
		return nil, err
	}
	return &Service{Deps: d, marker: marker}, nil
}

// jobArgs name the erasure that a job carries out.
type jobArgs struct {
	ID string `json:"id"`
}

// Job is the kind of the job that carries erasures out. The service is asked for
// when a job runs.
func Job(service func() *Service) jobs.Kind {
	return jobs.Define(JobKind, attempts, func(ctx context.Context, run *jobs.Run, args jobArgs) error {
		c, err := service().carry(ctx, args.ID, func(done, total int) error {
			return run.Progress(ctx, jobs.Progress{Done: int64(done), Total: int64(total), Note: "customer.erasure.working"})
		})
		if err != nil {
			return err
		}
		return run.SetResult(map[string]string{"certificate": c.ID})
	})
}

// JobArgs are the arguments of the job for an erasure.
func JobArgs(id string) any { return jobArgs{id} }

// OrderIn orders that a customer is forgotten and gives the certificate as it
// begins. The job does the work; records under a hold are restricted at once. For
// callers that have authorised and had it checked; PutForward is for the others.
func (s *Service) OrderIn(ctx context.Context, tx store.Tx, customer, requestID, reason string) (c Certificate, err error) {
	if customer == "" {
		return c, errs.Invalid("customer.erasure.error.customer", "customer", "an erasure needs a customer")
	}
	person, err := identity.PersonOf(ctx, tx, customer)
	if err != nil {
		return c, err
	}
	if err := s.holdUnsettled(ctx, tx, person.Records); err != nil {
		return c, err
	}
	holds, err := standingHolds(ctx, tx, person.Records)
	if err != nil {
		return c, err
	}
	var held []HeldRecord
	free := slices.DeleteFunc(slices.Clone(person.Records), func(record string) bool {
		i := slices.IndexFunc(holds, func(h Hold) bool { return h.RecordID == record })
		if i >= 0 {
			h := holds[i]
			held = append(held, HeldRecord{Record: record, Hold: h.ID, Reason: h.Reason, Basis: h.Basis, Review: h.ReviewAt.Time()})
		}
		return i >= 0
	})
	return s.begin(ctx, tx, free, held, requestID, reason)
}

// reviewUnsettled is when somebody looks again at a hold that an order made.
const reviewUnsettled = 90 * 24 * time.Hour

// holdUnsettled puts a hold on the records for each thing that is not settled.
func (s *Service) holdUnsettled(ctx context.Context, tx store.Tx, records []string) error {
	if s.Unsettled == nil {
		return nil
	}
	reasons, err := s.Unsettled(ctx, tx, records)
	if err != nil {
		return err
	}
	for _, reason := range reasons {
		n := NewHold{Customer: records[0], Reason: reason, Basis: "open when the erasure was ordered", ReviewAt: tx.Now().Time().Add(reviewUnsettled)}
		if err := s.HoldIn(ctx, tx, uuid.Must(uuid.NewV7()).String(), n); err != nil {
			return err
		}
	}
	return nil
}

// begin writes the erasure's row, restricts what is held and queues the work.
func (s *Service) begin(ctx context.Context, tx store.Tx, free []string, held []HeldRecord, requestID, reason string) (c Certificate, err error) {
	marks, err := s.marks(ctx, tx, free)
	if err != nil {
		return c, err
	}
	r := row{Entity: tx.Scope.Entity, ID: uuid.Must(uuid.NewV7()).String(), RequestID: requestID, Reason: reason, State: Running, Records: encode(free),
		Marks: encode(marks), Held: encode(held), Lines: encode([]erasure.Line(nil)), At: tx.Now(), MadeBy: tx.Scope.Actor}
	if len(held) > 0 && s.Restrictor != nil {
		for _, h := range held {
			if err := s.Restrictor.Restrict(ctx, tx, []string{h.Record}, "hold/"+h.Hold); err != nil {
				return c, err
			}
		}
	}
	if err := insert(ctx, tx, &r); err != nil {
		return c, err
	}
	if err := audit.Record(ctx, tx, audit.Entry{Action: "customer.erasure.order", Object: "erasure/" + r.ID, Reason: reason, After: r}); err != nil {
		return c, err
	}
	if s.Submit != nil {
		if err := s.Submit(ctx, tx, r.ID); err != nil {
			return c, err
		}
	}
	return r.certificate()
}

// marks are keyed hashes of what the records' persons can be reached and told by.
func (s *Service) marks(ctx context.Context, tx store.Tx, records []string) (marks []string, err error) {
	if len(records) == 0 {
		return nil, nil
	}
	traits, err := traitsOf(ctx, tx, s.Box, records)
	if err != nil {
		return nil, err
	}
	var walk func(v any)
	add := func(text string) {
		if mark, ok := s.marker.Mark(text); ok && !slices.Contains(marks, mark) {
			marks = append(marks, mark)
		}
	}
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			add(v)
		case json.Number:
			add(v.String())
		case []any:
			for _, each := range v {
				walk(each)
			}
		case map[string]any:
			for _, each := range v {
				walk(each)
			}
		}
	}
	for _, raw := range traits {
		var v any
		d := json.NewDecoder(strings.NewReader(raw))
		d.UseNumber()
		if d.Decode(&v) == nil {
			walk(v)
		}
	}
	slices.Sort(marks)
	return marks, nil
}

// Carry carries an ordered erasure out now, in the caller's time. The job does the
// same; whoever comes second finds nothing left.
func (s *Service) Carry(ctx context.Context, id string) (Certificate, error) {
	if err := auth.Require(ctx, PermRun, scope.Root); err != nil {
		return Certificate{}, err
	}
	return s.carry(ctx, id, nil)
}

func (s *Service) carry(ctx context.Context, id string, step func(done, total int) error) (c Certificate, err error) {
	s.one.Lock()
	defer s.one.Unlock()
	var r row
	var systems []string
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if r, err = get(ctx, tx, id); err != nil {
			return err
		}
		systems, err = allSystems(ctx, tx)
		return err
	})
	if err != nil {
		return c, err
	}
	if c, err = r.certificate(); err != nil || c.State != Running {
		return c, err
	}
	var marks []string
	if err := json.Unmarshal(r.Marks, &marks); err != nil {
		return c, fmt.Errorf("erasure %s: %w", id, err)
	}
	if len(c.Records) > 0 {
		err := s.List.Append(Order{ID: c.ID, Entity: r.Entity, At: c.At, RequestID: c.RequestID, Records: c.Records, Marks: marks})
		if err != nil {
			return c, err
		}
		if s.CaughtUp != nil {
			if err := s.CaughtUp(ctx); err != nil {
				return c, errs.Unavailable("customer.erasure.error.behind", "the projectors have not taken up the log").Because(err)
			}
		}
		lines, err := s.run(ctx, r.Entity, c, marks, systems, step)
		c.Lines = merge(c.Lines, lines)
		if err := errors.Join(err, s.note(ctx, r, c.Lines)); err != nil {
			return c, err
		}
	}
	if slices.ContainsFunc(c.Lines, func(l erasure.Line) bool { return l.Action == erasure.Pending }) {
		return c, errs.Unavailable("customer.erasure.error.pending", "something of the person is in use at the moment; the erasure is tried again")
	}
	for _, h := range c.Held {
		c.Lines = append(c.Lines, erasure.Line{Place: "record/" + h.Record, Action: erasure.Kept, Count: 1, Why: "customer.erasure.why.hold_" + string(h.Reason)})
	}
	return s.finish(ctx, r, c)
}

// run runs every eraser until a second pass finds nothing that the first left.
func (s *Service) run(ctx context.Context, entity string, c Certificate, marks, systems []string, step func(done, total int) error) ([]erasure.Line, error) {
	// Facts that arrive after the order are a new acquaintance; those that arrived
	// before have been taken up by now.
	subject := erasure.NewSubject(entity, c.At, c.Records, marks, systems, s.Names, s.marker)
	return s.Registry.Run(ctx, s.DB, subject, step)
}

// note keeps what a pass did, so that a later one adds to it.
func (s *Service) note(ctx context.Context, r row, lines []erasure.Line) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r.Lines = encode(lines)
		return update(ctx, tx, &r, "lines")
	})
}

// merge adds the counts of a later pass. What waited in the earlier one counts no
// more.
func merge(before, now []erasure.Line) []erasure.Line {
	out := slices.Clone(now)
	for _, b := range before {
		if b.Action == erasure.Pending {
			continue
		}
		same := func(l erasure.Line) bool { return l.Place == b.Place && l.Action == b.Action }
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].Count += b.Count
		} else {
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b erasure.Line) int { return strings.Compare(a.Place, b.Place) })
	return out
}

func (s *Service) finish(ctx context.Context, r row, c Certificate) (Certificate, error) {
	err := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		// A hold may have ended meanwhile.
		now, err := get(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		r = now
		r.State, r.FinishedAt, r.Lines = Done, tx.Now(), encode(c.Lines)
		if string(r.Held) != "[]" {
			r.State = Held
		}
		if err := update(ctx, tx, &r, "state", "finished_at", "lines"); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.erasure.finish", Object: "erasure/" + r.ID, After: c.Lines})
	})
	if err != nil {
		return c, err
	}
	return r.certificate()
}

// Get reads a certificate.
func (s *Service) Get(ctx context.Context, id string) (c Certificate, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return c, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		c, err = r.certificate()
		return err
	})
	return c, err
}

// All gives the erasures, newest first.
func (s *Service) All(ctx context.Context, after string, limit int) (out []Certificate, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		rows, err := list(ctx, tx, after, limit)
		if err != nil {
			return err
		}
		for _, r := range rows {
			c, err := r.certificate()
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// Hold puts a hold on every record of a customer and gives its id.
func (s *Service) Hold(ctx context.Context, n NewHold) (id string, err error) {
	if err := auth.Require(ctx, PermRun, scope.Root); err != nil {
		return "", err
	}
	if err := n.Validate(s.DB.Now().Time()); err != nil {
		return "", err
	}
	id = uuid.Must(uuid.NewV7()).String()
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error { return s.HoldIn(ctx, tx, id, n) })
	return id, err
}

// HoldIn is Hold in a running transaction, for modules whose own rows make a
// record untouchable, such as an open complaint. id is theirs; the same id again
// changes nothing.
func (s *Service) HoldIn(ctx context.Context, tx store.Tx, id string, n NewHold) error {
	person, err := identity.PersonOf(ctx, tx, n.Customer)
	if err != nil {
		return err
	}
	for _, record := range person.Records {
		h := Hold{Entity: tx.Scope.Entity, RecordID: record, ID: id, Reason: n.Reason, Basis: strings.TrimSpace(n.Basis), Since: tx.Now(),
			ReviewAt: store.At(n.ReviewAt), MadeBy: tx.Scope.Actor}
		if err := insertHold(ctx, tx, &h); err != nil {
			return err
		}
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "customer.erasure.hold", Object: "hold/" + id, Reason: string(n.Reason)})
}

// EndHold ends a hold. Erasures that waited for it go on with the records that no
// other hold keeps; it gives the erasures that this began.
func (s *Service) EndHold(ctx context.Context, id string) (begun []Certificate, err error) {
	if err := auth.Require(ctx, PermRun, scope.Root); err != nil {
		return nil, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		begun, err = s.EndHoldIn(ctx, tx, id)
		return err
	})
	return begun, err
}

// EndHoldIn is EndHold in a running transaction.
func (s *Service) EndHoldIn(ctx context.Context, tx store.Tx, id string) (begun []Certificate, err error) {
	n, err := endHold(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, errs.NotFound("customer.erasure.error.no_hold", "no hold %s stands", id)
	}
	if err := audit.Record(ctx, tx, audit.Entry{Action: "customer.erasure.end_hold", Object: "hold/" + id}); err != nil {
		return nil, err
	}
	waiting, err := heldErasures(ctx, tx)
	if err != nil {
		return nil, err
	}
	for i := range waiting {
		c, err := waiting[i].certificate()
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(c.Held, func(h HeldRecord) bool { return h.Hold == id }) {
			continue
		}
		next, err := s.goOn(ctx, tx, &waiting[i], c)
		if err != nil {
			return nil, err
		}
		begun = append(begun, next...)
	}
	if s.Restrictor != nil {
		if err := s.Restrictor.Lift(ctx, tx, "hold/"+id); err != nil {
			return nil, err
		}
	}
	return begun, nil
}

// goOn begins an erasure of the records of c that no hold keeps any more.
func (s *Service) goOn(ctx context.Context, tx store.Tx, r *row, c Certificate) ([]Certificate, error) {
	var free []string
	var still []HeldRecord
	for _, h := range c.Held {
		holds, err := standingHolds(ctx, tx, []string{h.Record})
		if err != nil {
			return nil, err
		}
		if len(holds) == 0 {
			free = append(free, h.Record)
			continue
		}
		first := holds[0]
		still = append(still, HeldRecord{Record: h.Record, Hold: first.ID, Reason: first.Reason, Basis: first.Basis, Review: first.ReviewAt.Time()})
		if s.Restrictor != nil {
			if err := s.Restrictor.Restrict(ctx, tx, []string{h.Record}, "hold/"+first.ID); err != nil {
				return nil, err
			}
		}
	}
	r.Held = encode(still)
	if len(still) == 0 {
		r.State = Done
	}
	if err := update(ctx, tx, r, "held", "state"); err != nil {
		return nil, err
	}
	if len(free) == 0 {
		return nil, nil
	}
	next, err := s.begin(ctx, tx, free, nil, c.RequestID, "hold ended; goes on from erasure "+c.ID)
	return []Certificate{next}, err
}

// Holds gives the standing holds, those to be looked at first.
func (s *Service) Holds(ctx context.Context, limit int) (out []Hold, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = allHolds(ctx, tx, limit)
		return err
	})
	return out, err
}

// Again applies the list of erasures, that of the store and that of the file, to
// what stands here now: after a back-up was restored. It waits for the projectors
// first and gives the number of erasures applied.
func (s *Service) Again(ctx context.Context) (applied int, err error) {
	if err := auth.Require(ctx, PermRun, scope.Root); err != nil {
		return 0, err
	}
	orders, err := s.List.Orders()
	if err != nil {
		return 0, err
	}
	have := map[string]row{}
	var systems []string
	entity := ""
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		entity = tx.Scope.Entity
		rows, err := list(ctx, tx, "", 1_000_000)
		for _, r := range rows {
			have[r.ID] = r
		}
		if err != nil {
			return err
		}
		systems, err = allSystems(ctx, tx)
		return err
	})
	if err != nil {
		return 0, err
	}
	for id, r := range have {
		c, err := r.certificate()
		if err != nil {
			return 0, err
		}
		if len(c.Records) > 0 && !slices.ContainsFunc(orders, func(o Order) bool { return o.ID == id }) {
			o := Order{ID: id, Entity: entity, At: c.At, RequestID: c.RequestID, Records: c.Records}
			if err := json.Unmarshal(r.Marks, &o.Marks); err != nil {
				return 0, fmt.Errorf("erasure %s: %w", id, err)
			}
			orders = append(orders, o)
			if err := s.List.Append(o); err != nil {
				return 0, err
			}
		}
	}
	if s.CaughtUp != nil && len(orders) > 0 {
		if err := s.CaughtUp(ctx); err != nil {
			return 0, err
		}
	}
	for _, o := range orders {
		if o.Entity != entity {
			continue
		}
		if err := s.again(ctx, o, have, systems); err != nil {
			return applied, fmt.Errorf("apply erasure %s again: %w", o.ID, err)
		}
		applied++
	}
	return applied, nil
}

func (s *Service) again(ctx context.Context, o Order, have map[string]row, systems []string) error {
	c := Certificate{ID: o.ID, At: o.At, Records: o.Records}
	lines, err := s.run(ctx, o.Entity, c, o.Marks, systems, nil)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, known := have[o.ID]
		if !known {
			r = row{Entity: o.Entity, ID: o.ID, RequestID: o.RequestID, Records: encode(o.Records), Marks: encode(o.Marks), Held: encode(nil),
				At: store.At(o.At), MadeBy: tx.Scope.Actor, State: Done}
		}
		if r.FinishedAt == 0 {
			r.FinishedAt, r.State = tx.Now(), Done
		}
		var held []HeldRecord
		if err := json.Unmarshal(r.Held, &held); err != nil {
			return err
		}
		if len(held) > 0 {
			r.State = Held
		}
		r.AgainAt, r.Lines = tx.Now(), encode(lines)
		var err error
		if known {
			err = update(ctx, tx, &r, "state", "finished_at", "again_at", "lines")
		} else {
			err = insert(ctx, tx, &r)
		}
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.erasure.again", Object: "erasure/" + o.ID})
	})
}
