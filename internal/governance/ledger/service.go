package ledger

import (
	"context"
	"strings"
	"time"

	"omote/analytics/value"
	"omote/internal/governance/measure"
	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Service looks after the ledger. It is safe for concurrent use.
type Service struct {
	db        *store.DB
	registry  measure.Registry
	approvals *approval.Service
}

// Kinds of proposals.
const (
	kindBook    = "governance.ledger_book"
	kindReverse = "governance.ledger_reverse"
)

// NewService makes the service and registers its kinds of proposals.
func NewService(db *store.DB, registry measure.Registry, approvals *approval.Service) *Service {
	s := &Service{db, registry, approvals}
	approvals.Register(approval.Kind{Name: kindBook, Permission: PermSign, Approved: s.booked, Closed: s.notBooked})
	approvals.Register(approval.Kind{Name: kindReverse, Permission: PermSign, Approved: s.reversed})
	return s
}

var table = record.Table[Line]{Name: "line", Thing: "ledger"}

// List gives the lines of the reader's place and below, oldest first.
func (s *Service) List(ctx context.Context) (all []Doc, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err = table.List(ctx, tx, record.Filter{})
		return err
	})
	return all, err
}

// Get reads one line.
func (s *Service) Get(ctx context.Context, id string) (d Doc, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return d, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err = table.Get(ctx, tx, id)
		return err
	})
	return d, err
}

// Enter writes a line for an initiative, in its unit. What it is worth is computed
// here; nothing is booked yet.
func (s *Service) Enter(ctx context.Context, unit, initiative string, l Line) (d Doc, err error) {
	if err := auth.Require(ctx, PermEdit, unit); err != nil {
		return d, err
	}
	if err := l.Validate(); err != nil {
		return d, err
	}
	l.Booked, l.SignedBy, l.Reverses, l.ReversedBy = 0, "", "", ""
	if l.Valued, err = l.Chain.Value(1); err != nil {
		return d, errs.Invalid("governance.ledger.error.chain", "chain", "the chain does not hold: %v", err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if l.Review.IsZero() {
			l.Review = tx.Now().Time().AddDate(0, 6, 0)
		}
		if d, err = table.Add(ctx, tx, record.Head{Unit: unit, State: Open, Ref: initiative}, l); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.ledger.enter", Object: "line/" + d.ID, After: d})
	})
	return d, err
}

// OfInitiative tells what the ledger holds for an initiative.
func (s *Service) OfInitiative(ctx context.Context, tx store.Tx, id string) (effect, signed bool, booked int64, err error) {
	lines, err := table.List(ctx, tx, record.Filter{Ref: id})
	for _, d := range lines {
		effect = true
		signed = signed || d.State == Booked || d.State == Nothing
		booked += d.Body.Booked
	}
	return effect, signed, booked, err
}

// Spec says how an effect is measured from the registry: the units that changed
// against all others, before and after.
type Spec struct {
	Metric string
	Units  []string // codes of the units that changed
	// Before ends when the change began, After begins when it had its effect.
	BeforeFrom, BeforeTo time.Time
	AfterFrom, AfterTo   time.Time
}

// Measure computes the effect of a change as the difference of differences between
// the units that changed and the others. The effect counts upwards when it is good.
func (s *Service) Measure(ctx context.Context, sp Spec) (effect value.Estimate, figures []Figure, version int, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return effect, nil, 0, err
	}
	if len(sp.Units) == 0 || !sp.BeforeTo.After(sp.BeforeFrom) || !sp.AfterTo.After(sp.AfterFrom) || sp.AfterFrom.Before(sp.BeforeTo) {
		return effect, nil, 0, errs.Invalid("governance.ledger.error.spec", "units", "the units that changed, and two windows one after the other, are needed")
	}
	var e [4]value.Estimate
	down := false
	for k, w := range []struct {
		label    string
		from, to time.Time
		other    bool
	}{{"before", sp.BeforeFrom, sp.BeforeTo, false}, {"after", sp.AfterFrom, sp.AfterTo, false},
		{"other_before", sp.BeforeFrom, sp.BeforeTo, true}, {"other_after", sp.AfterFrom, sp.AfterTo, true}} {
		r, err := s.registry.Over(ctx, sp.Metric, measure.Window{From: w.from, To: w.to, Units: sp.Units, Except: w.other})
		if err != nil {
			return effect, nil, 0, err
		}
		if !r.Known {
			return effect, nil, 0, errs.Conflict("governance.ledger.error.few", "too few facts in the window %s", w.label).With("window", w.label)
		}
		e[k] = value.FromInterval(r.Value, r.Low, r.High, measure.Level)
		figures = append(figures, Figure{Label: w.label, From: w.from, To: w.to, Value: r.Value, Low: r.Low, High: r.High, N: r.N})
		down, version = r.Lower(), r.Version
	}
	if effect = value.DiffInDiff(e[0], e[1], e[2], e[3]); down {
		effect = effect.Negate()
	}
	return effect, figures, version, nil
}

// ProposeBooking asks the finance partner to sign a line.
func (s *Service) ProposeBooking(ctx context.Context, id string) (q approval.Request, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return q, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := table.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := auth.Require(ctx, PermEdit, d.Unit); err != nil {
			return err
		}
		if d.State != Open {
			return errs.Conflict("governance.ledger.error.state", "the line is %s", d.State)
		}
		l := d.Body
		q, err = s.approvals.Propose(ctx, tx, approval.Proposal{Kind: kindBook, Object: "line/" + id, Version: d.Version, Unit: d.Unit, Href: "/governance/ledger/" + id,
			Title:   approval.Text{VI: "Ghi sổ giá trị: " + l.Title.VI, EN: "Book in the value ledger: " + l.Title.EN},
			Details: bookingDetails(l), Payload: bookPayload{id, l.Bookable()}})
		if err != nil {
			return err
		}
		d.State = Waiting
		return table.Save(ctx, tx, &d)
	})
	return q, err
}

// bookPayload is what the finance partner signs: this amount for this line.
type bookPayload struct {
	Line   string `json:"line"`
	Amount int64  `json:"amount"`
}

func (s *Service) booked(ctx context.Context, tx store.Tx, q approval.Request) error {
	var p bookPayload
	if err := q.Decode(&p); err != nil {
		return err
	}
	d, err := table.Get(ctx, tx, p.Line)
	if err != nil {
		return err
	}
	if d.State != Waiting || p.Amount != d.Body.Bookable() {
		return errs.Conflict("governance.ledger.error.moved", "the line is not what was proposed")
	}
	d.State, d.Body.Booked, d.Body.SignedBy, d.Body.Signed = Booked, p.Amount, tx.Scope.Actor, tx.Now().Time()
	if p.Amount == 0 {
		d.State = Nothing
	}
	if err := table.Save(ctx, tx, &d); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "governance.ledger.book", Object: "line/" + d.ID, After: d})
}

func (s *Service) notBooked(ctx context.Context, tx store.Tx, q approval.Request) error {
	var p bookPayload
	if err := q.Decode(&p); err != nil {
		return err
	}
	d, err := table.Get(ctx, tx, p.Line)
	if err != nil {
		return err
	}
	d.State, d.Body.Reason = Open, q.Reason
	return table.Save(ctx, tx, &d)
}

// ProposeReversal asks the finance partner to take a booked line back.
func (s *Service) ProposeReversal(ctx context.Context, id, reason string) (q approval.Request, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return q, err
	}
	if reason = strings.TrimSpace(reason); badText(reason) {
		return q, errs.Invalid("governance.ledger.error.reason", "reason", "say why the line is reversed, in at most 300 characters")
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := table.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := auth.Require(ctx, PermEdit, d.Unit); err != nil {
			return err
		}
		if d.State != Booked {
			return errs.Conflict("governance.ledger.error.state", "the line is %s", d.State)
		}
		q, err = s.approvals.Propose(ctx, tx, approval.Proposal{Kind: kindReverse, Object: "line/" + id, Version: d.Version, Unit: d.Unit, Href: "/governance/ledger/" + id,
			Title:   approval.Text{VI: "Đảo dòng sổ giá trị: " + d.Body.Title.VI, EN: "Reverse in the value ledger: " + d.Body.Title.EN},
			Details: []approval.Text{{VI: reason, EN: reason}}, Payload: reversePayload{id, reason}})
		return err
	})
	return q, err
}

type reversePayload struct {
	Line   string `json:"line"`
	Reason string `json:"reason"`
}

func (s *Service) reversed(ctx context.Context, tx store.Tx, q approval.Request) error {
	var p reversePayload
	if err := q.Decode(&p); err != nil {
		return err
	}
	d, err := table.Get(ctx, tx, p.Line)
	if err != nil {
		return err
	}
	if d.State != Booked {
		return errs.Conflict("governance.ledger.error.state", "the line is %s", d.State)
	}
	back := d.Body
	back.Booked, back.Reverses, back.Reason, back.SignedBy, back.Signed = -d.Body.Booked, d.ID, p.Reason, tx.Scope.Actor, tx.Now().Time()
	r, err := table.Add(ctx, tx, record.Head{Unit: d.Unit, State: Reversal, Ref: d.Ref}, back)
	if err != nil {
		return err
	}
	d.State, d.Body.ReversedBy, d.Body.Reason = Reversed, r.ID, p.Reason
	if err := table.Save(ctx, tx, &d); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "governance.ledger.reverse", Object: "line/" + d.ID, Reason: p.Reason, After: r})
}
