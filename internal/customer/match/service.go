package match

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"omote/analytics/linkage"
	"omote/internal/customer/identity"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/jobs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

type calibrated = linkage.Calibration

// Submit queues a job in a transaction; jobs.Jobs does.
type Submit func(ctx context.Context, tx store.Tx, kind string, args any, s jobs.Submission) (string, error)

// Service is how stewards answer and how runs are started. It is safe for
// concurrent use.
type Service struct {
	db     *store.DB
	box    *sealed.Box
	submit Submit

	mu     sync.Mutex
	models map[string]*known // newest model by entity
}

// NewService makes the service.
func NewService(db *store.DB, box *sealed.Box, submit Submit) *Service {
	return &Service{db: db, box: box, submit: submit, models: map[string]*known{}}
}

// Queue is what waits for a steward.
type Queue struct {
	Waiting int64             // pairs in all
	Pairs   []Pair            // the likeliest
	Last    *Model            // the newest run; nil before the first
	Running bool              // a run is under way
	Names   map[string]string // what the listed pairs' records state as the name
	Answers int               // the last 2,000 at most
	Right   int               // answers that agree with the model: same from 0.5 on
}

// queueLength is how many pairs a page lists.
const queueLength = 50

// Queue gives what waits.
func (s *Service) Queue(ctx context.Context) (q Queue, err error) {
	if err := auth.Require(ctx, identity.PermRead, scope.Root); err != nil {
		return q, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if q.Waiting, err = waitingCount(ctx, tx); err != nil {
			return err
		}
		if q.Pairs, err = waitingPairs(ctx, tx, queueLength); err != nil {
			return err
		}
		if q.Last, err = newestModel(ctx, tx, tx.Scope.Entity); err != nil {
			return err
		}
		if q.Running, err = running(ctx, tx, tx.Scope.Entity, tx.Now()-store.Micros(longestRun.Microseconds())); err != nil {
			return err
		}
		if q.Names, err = s.names(ctx, tx, q.Pairs); err != nil {
			return err
		}
		given, err := answers(ctx, tx, tx.Scope.Entity, 2000)
		for _, a := range given {
			if (a.Score >= 0.5) == (a.State == Same) {
				q.Right++
			}
		}
		q.Answers = len(given)
		return err
	})
	return q, err
}

// names gives what the records of pairs state as the name.
func (s *Service) names(ctx context.Context, tx store.Tx, pairs []Pair) (map[string]string, error) {
	var records []string
	for _, p := range pairs {
		records = append(records, p.RecordA, p.RecordB)
	}
	out := map[string]string{}
	if len(records) == 0 {
		return out, nil
	}
	traits, err := identity.TraitsOf(ctx, tx, s.box, records)
	if err != nil {
		return nil, err
	}
	for id, t := range traits {
		row, _ := rowOf(t.Traits.Plain)
		out[id] = row[0]
	}
	return out, nil
}

// Detail is a pair with all that a steward must see.
type Detail struct {
	Pair
	CustomerA, CustomerB string
	RecordsA, RecordsB   int // of the customers
	Why                  linkage.Waterfall
	Model                *Model
	Revealed             bool // values are whole
}

// Get shows a pair. Identifiers are masked unless a purpose is stated, which goes
// into the audit trail.
func (s *Service) Get(ctx context.Context, id, purpose string) (d Detail, err error) {
	if err := auth.Require(ctx, identity.PermRead, scope.Root); err != nil {
		return d, err
	}
	read := func(ctx context.Context, tx store.Tx) error {
		d, err = s.detail(ctx, tx, id)
		if err != nil || purpose == "" {
			return err
		}
		d.Revealed = true
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.review.reveal", Object: "review/" + id, Reason: purpose})
	}
	if purpose == "" {
		err = s.db.Read(ctx, read)
	} else {
		err = s.db.Write(ctx, read)
	}
	if err == nil && !d.Revealed {
		for i := range d.Why.Steps {
			st := &d.Why.Steps[i]
			st.Left, st.Right = masked(st.Kind, st.Left), masked(st.Kind, st.Right)
		}
	}
	return d, err
}

func (s *Service) detail(ctx context.Context, tx store.Tx, id string) (d Detail, err error) {
	if d.Pair, err = pairByID(ctx, tx, id); err != nil {
		return d, err
	}
	k, err := s.model(ctx, tx, tx.Scope.Entity)
	if err != nil {
		return d, err
	}
	if k == nil {
		return d, errs.NotFound("customer.review.error.not_found", "no model")
	}
	d.Model = k.Model
	members, err := identity.MembersOf(ctx, tx, []string{d.RecordA, d.RecordB})
	if err != nil {
		return d, err
	}
	for c, ids := range members {
		if slices.Contains(ids, d.RecordA) {
			d.CustomerA, d.RecordsA = c, len(ids)
		}
		if slices.Contains(ids, d.RecordB) {
			d.CustomerB, d.RecordsB = c, len(ids)
		}
	}
	traits, err := identity.TraitsOf(ctx, tx, s.box, []string{d.RecordA, d.RecordB})
	if err != nil {
		return d, err
	}
	t := newTable()
	for _, r := range []string{d.RecordA, d.RecordB} {
		plain := ""
		if traits[r] != nil {
			plain = traits[r].Traits.Plain
		}
		row, _ := rowOf(plain)
		if err := t.Add(0, row...); err != nil {
			return d, err
		}
	}
	c, err := k.linkage.Compare(t)
	if err != nil {
		return d, err
	}
	d.Why = c.Explain(0, 1)
	for i := range d.Why.Steps { // as the records state it, not as it is compared
		for k, f := range fields {
			if f.name == d.Why.Steps[i].Field {
				d.Why.Steps[i].Left, d.Why.Steps[i].Right = t.Value(0, k), t.Value(1, k)
			}
		}
	}
	return d, nil
}

// masked shows the end of an identifier alone.
func masked(kind linkage.Kind, v string) string {
	r := []rune(v)
	switch kind {
	case linkage.Phone, linkage.Identifier:
		if len(r) > 3 {
			return "•••" + string(r[len(r)-3:])
		}
	case linkage.Email:
		if at := slices.Index(r, '@'); at > 0 {
			return string(r[0]) + "•••" + string(r[at:])
		}
	case linkage.Address:
		if len(r) > 12 {
			return "•••" + string(r[len(r)-12:])
		}
	}
	return v
}

// Answer is what a steward says about a pair.
type Answer struct {
	Same   bool
	Reason string // free words; the likeness itself when empty
}

// Answer decides about a pair that waits: the two customers are merged, or
// remembered as two people.
func (s *Service) Answer(ctx context.Context, id string, a Answer) (p Pair, err error) {
	if err := auth.Require(ctx, identity.PermEdit, scope.Root); err != nil {
		return p, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if p, err = pairByID(ctx, tx, id); err != nil {
			return err
		}
		if p.State != Waiting {
			return errs.Conflict("customer.review.error.answered", "the pair was answered already")
		}
		reason := a.Reason
		if reason == "" {
			reason = "reviewed likeness " + percent(p.Probability)
		}
		owners, err := identity.Owners(ctx, tx, []string{p.RecordA, p.RecordB})
		if err != nil {
			return err
		}
		if owners[p.RecordA] == owners[p.RecordB] { // other evidence was faster
			p.State = Settled
			return savePair(ctx, tx, &p)
		}
		if a.Same {
			// The answer is about two records. It must not take back what was said of
			// others of the same two customers; that needs a merge on their page.
			apart, err := identity.Apart(ctx, tx, identity.Pair{A: p.RecordA, B: p.RecordB})
			if err != nil {
				return err
			}
			if apart {
				return errs.Conflict("customer.review.error.apart", "the two customers were told apart by another answer")
			}
		}
		var act identity.Act
		if a.Same {
			p.State = Same
			act, err = identity.MergeIn(ctx, tx, identity.Pair{A: p.RecordA, B: p.RecordB}, reason)
		} else {
			p.State = Different
			act, err = identity.RejectIn(ctx, tx, identity.Pair{A: p.RecordA, B: p.RecordB}, reason)
		}
		if err != nil {
			return err
		}
		now := tx.Now()
		p.AnsweredAt, p.AnsweredBy, p.Act = &now, tx.Scope.Actor, act.ID
		return savePair(ctx, tx, &p)
	})
	return p, err
}

// Undo takes an answer back: the pair waits again.
func (s *Service) Undo(ctx context.Context, id string) (p Pair, err error) {
	if err := auth.Require(ctx, identity.PermEdit, scope.Root); err != nil {
		return p, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if p, err = pairByID(ctx, tx, id); err != nil {
			return err
		}
		if p.Act == "" || p.State != Same && p.State != Different {
			return errs.Conflict("customer.review.error.not_answered", "the pair was not answered")
		}
		if _, err := identity.UndoIn(ctx, tx, p.Act, "answer taken back"); err != nil {
			return err
		}
		p.State, p.AnsweredAt, p.AnsweredBy, p.Act = Waiting, nil, "", ""
		return savePair(ctx, tx, &p)
	})
	return p, err
}

func percent(p float64) string { return strconv.FormatFloat(100*p, 'f', 1, 64) + "%" }

// detail says in an edge how likely it was, and by which model.
func detail(p float64, version uint64) string {
	return fmt.Sprintf("%s, model %d", percent(p), version)
}

func formatVersion(v uint64) string { return strconv.FormatUint(v, 10) }

func sealedText(s string) sealed.Text { return sealed.New(s) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
