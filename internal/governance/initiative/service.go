package initiative

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"omote/analytics/decision"
	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/governance/role"
	"omote/internal/governance/strategy"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Money tells what the ledger holds for an initiative, in the transaction of a
// gate: whether an effect was entered, and whether finance has signed it.
type Money interface {
	OfInitiative(ctx context.Context, tx store.Tx, id string) (effect, signed bool, booked int64, err error)
}

// Service looks after initiatives. It is safe for concurrent use.
type Service struct {
	db        *store.DB
	pack      *packs.Governance
	journeys  role.Journeys
	metrics   strategy.Metrics
	approvals *approval.Service
	money     Money
}

// Kinds of proposals: a gate that the lead may open, and one that the council must.
const (
	kindGate    = "governance.gate"
	kindCouncil = "governance.council_gate"
)

// NewService makes the service and registers its kinds of proposals.
func NewService(db *store.DB, pack *packs.Governance, journeys role.Journeys, metrics strategy.Metrics, approvals *approval.Service, money Money) *Service {
	s := &Service{db, pack, journeys, metrics, approvals, money}
	approvals.Register(approval.Kind{Name: kindGate, Permission: PermApprove, Approved: s.gateApproved, Closed: s.gateClosed})
	approvals.Register(approval.Kind{Name: kindCouncil, Permission: PermCouncil, Approved: s.gateApproved, Closed: s.gateClosed})
	return s
}

var table = record.Table[Initiative]{Name: "initiative", Thing: "initiative"}

// List gives the initiatives of the reader's place and below, oldest first.
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

// Work gives the initiatives as the strategy sees them.
func (s *Service) Work(ctx context.Context) (out []strategy.Work, err error) {
	if !auth.Can(ctx, PermRead) {
		return nil, nil
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err := table.List(ctx, tx, record.Filter{})
		if err != nil {
			return err
		}
		out = nil
		for _, d := range all {
			i := d.Body
			w := strategy.Work{ID: d.ID, Title: i.Title, Node: d.Ref, State: d.State, Stage: string(i.Stage), Lane: string(i.Lane), Running: d.State == Running,
				Journey: i.Journey, Steps: i.Steps, From: i.Start, To: i.End()}
			if i.Judged != nil {
				w.HasCase, w.Low, w.High = true, i.Judged.Low, i.Judged.High
			}
			if _, _, w.Booked, err = s.money.OfInitiative(ctx, tx, d.ID); err != nil {
				return err
			}
			out = append(out, w)
		}
		return nil
	})
	return out, err
}

// View is an initiative with how its gate stands.
type View struct {
	Doc
	Gate    Gate
	Seen    Seen
	Booked  int64
	Stalled bool
	Cause   string
}

// Get reads one initiative.
func (s *Service) Get(ctx context.Context, id string) (v View, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return v, err
	}
	bound, err := s.bound(ctx)
	if err != nil {
		return v, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := table.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		v, err = s.view(ctx, tx, d, bound)
		return err
	})
	return v, err
}

// Board gives every initiative with how it stands.
func (s *Service) Board(ctx context.Context) (out []View, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	bound, err := s.bound(ctx)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err := table.List(ctx, tx, record.Filter{})
		if err != nil {
			return err
		}
		out = make([]View, len(all))
		for i, d := range all {
			if out[i], err = s.view(ctx, tx, d, bound); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func (s *Service) view(ctx context.Context, tx store.Tx, d Doc, bound map[string]float64) (View, error) {
	v := View{Doc: d}
	var err error
	if v.Seen, v.Booked, err = s.see(ctx, tx, d, bound); err != nil {
		return v, err
	}
	v.Gate = CheckGate(s.pack, d.Body, v.Seen)
	if v.Stalled = Stalled(d, tx.Now().Time(), s.pack.Stall.Days); v.Stalled {
		v.Cause = StallCause(d, v.Gate)
	}
	return v, nil
}

// bound gives the share of steps with live events by journey.
func (s *Service) bound(ctx context.Context) (map[string]float64, error) {
	list, err := s.journeys.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("journeys: %w", err)
	}
	out := map[string]float64{}
	for _, j := range list {
		n := 0
		for _, step := range j.Steps {
			if step.Bound {
				n++
			}
		}
		if len(j.Steps) > 0 {
			out[j.ID] = float64(n) / float64(len(j.Steps))
		}
	}
	return out, nil
}

func (s *Service) see(ctx context.Context, tx store.Tx, d Doc, bound map[string]float64) (seen Seen, booked int64, err error) {
	seen.Now = tx.Now().Time()
	if d.Ref != "" {
		switch _, err := strategy.LiveNode(ctx, tx, d.Ref); {
		case err == nil:
			seen.NodeLive = true
		case errs.KindOf(err) != errs.KindNotFound:
			return seen, 0, err
		}
	}
	if d.Body.Journey != "" {
		live, err := role.LiveDuties(ctx, tx, d.Body.Journey)
		if err != nil {
			return seen, 0, err
		}
		approved := live != nil // only a complete matrix can be put into force
		seen.RACI = &approved
		if share, ok := bound[d.Body.Journey]; ok {
			seen.BoundSteps = &share
		}
	}
	effect, signed, booked, err := s.money.OfInitiative(ctx, tx, d.ID)
	seen.Effect, seen.Signed = &effect, &signed
	return seen, booked, err
}

// Open begins an initiative in its unit, for a node of the strategy ("" while none
// is known, which the strategy shows as an orphan).
func (s *Service) Open(ctx context.Context, unit, node string, i Initiative) (d Doc, err error) {
	if err := auth.Require(ctx, PermEdit, unit); err != nil {
		return d, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err = s.OpenIn(ctx, tx, unit, node, i)
		return err
	})
	return d, err
}

// OpenIn is Open in the caller's transaction.
func (s *Service) OpenIn(ctx context.Context, tx store.Tx, unit, node string, i Initiative) (d Doc, err error) {
	if err := auth.Require(ctx, PermEdit, unit); err != nil {
		return d, err
	}
	i.Title.EN, i.Title.VI = strings.TrimSpace(i.Title.EN), strings.TrimSpace(i.Title.VI)
	if err := i.Validate(s.pack); err != nil {
		return d, err
	}
	if err := s.checkNode(ctx, tx, node); err != nil {
		return d, err
	}
	now := tx.Now().Time()
	next := i
	next.Stage, next.Lane, next.Moved, next.Pending = Strategise, LaneOf(i.facts()), now, false
	next.Case, next.Judged, next.People, next.Evidence, next.Outcome, next.Lesson, next.Ended = nil, nil, nil, nil, "", "", time.Time{}
	if next.Start.IsZero() {
		next.Start = now
	}
	if next.Method != "" {
		next.Registered = now
	}
	next.Events = []Event{{At: now, By: tx.Scope.Actor, What: "open", Note: string(next.Lane)}}
	if next.Lane == QuickWin {
		if err := s.roomFor(ctx, tx, unit); err != nil {
			return d, err
		}
	}
	if d, err = table.Add(ctx, tx, record.Head{Unit: unit, State: Running, Ref: node}, next); err != nil {
		return d, err
	}
	return d, audit.Record(ctx, tx, audit.Entry{Action: "governance.initiative.open", Object: "initiative/" + d.ID, After: d})
}

func (s *Service) checkNode(ctx context.Context, tx store.Tx, node string) error {
	if node == "" {
		return nil
	}
	n, err := strategy.LiveNode(ctx, tx, node)
	if err == nil && n.Body.Kind == strategy.Promise {
		return errs.Invalid("governance.initiative.error.node", "node", "an initiative serves an aim, a measure or a KPI")
	}
	return err
}

// roomFor refuses a quick win in a unit that runs as many as it may.
func (s *Service) roomFor(ctx context.Context, tx store.Tx, unit string) error {
	all, err := table.List(ctx, tx, record.Filter{State: Running})
	n := 0
	for _, d := range all {
		if d.Unit == unit && d.Body.Lane == QuickWin {
			n++
		}
	}
	if err == nil && n >= QuickPerUnit {
		return errs.Conflict("governance.initiative.error.full", "the unit runs %d quick wins already", n).With("count", n)
	}
	return err
}

// change reads an initiative that runs, asks for the permission at its unit, lets
// fn change it and writes it with an event.
func (s *Service) change(ctx context.Context, id string, e Event, moves bool, fn func(ctx context.Context, tx store.Tx, d *Doc) error) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := table.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := auth.Require(ctx, PermEdit, d.Unit); err != nil {
			return err
		}
		if d.State != Running {
			return errs.Conflict("governance.initiative.error.over", "the initiative is %s", d.State)
		}
		if err := fn(ctx, tx, &d); err != nil {
			return err
		}
		return s.save(ctx, tx, &d, e, moves)
	})
}

// save writes an initiative with an event, and with the lane that its facts give.
func (s *Service) save(ctx context.Context, tx store.Tx, d *Doc, e Event, moves bool) error {
	now := tx.Now().Time()
	e.At, e.By = now, tx.Scope.Actor
	d.Body.Events = append(d.Body.Events, e)
	if lane := LaneOf(d.Body.facts()); lane != d.Body.Lane {
		d.Body.Events = append(d.Body.Events, Event{At: now, By: tx.Scope.Actor, What: "lane", Note: string(d.Body.Lane) + " → " + string(lane)})
		d.Body.Lane = lane
	}
	if moves {
		d.Body.Moved = now
	}
	if err := table.Save(ctx, tx, d); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "governance.initiative." + e.What, Object: "initiative/" + d.ID, Reason: e.Note, After: d.Body})
}

// SetFacts changes what decides the lane; a quick win that outgrows its bounds is
// promoted, and its gates ask for more from then on.
func (s *Service) SetFacts(ctx context.Context, id string, f Facts) error {
	return s.change(ctx, id, Event{What: "facts"}, false, func(_ context.Context, _ store.Tx, d *Doc) error {
		d.Body.Days, d.Body.Units, d.Body.CoreChange, d.Body.Budget = f.Days, f.Units, f.CoreChange, f.Budget
		return d.Body.Validate(s.pack)
	})
}

// Schedule moves the day on which the units begin, while they have not: before the gate
// of execution, to a day that is still to come.
func (s *Service) Schedule(ctx context.Context, id string, start time.Time) error {
	return s.change(ctx, id, Event{What: "schedule"}, false, func(_ context.Context, tx store.Tx, d *Doc) error {
		if d.Body.Stage != Strategise && d.Body.Stage != Design {
			return errs.Conflict("governance.initiative.error.begun", "the units have begun; the start stands")
		}
		if !start.After(tx.Now().Time()) {
			return errs.Invalid("governance.initiative.error.start", "start", "the start lies ahead")
		}
		d.Body.Start = start
		return d.Body.Validate(s.pack)
	})
}

// Serve links the initiative to a node of the strategy.
func (s *Service) Serve(ctx context.Context, id, node string) error {
	return s.change(ctx, id, Event{What: "link", Note: node}, false, func(ctx context.Context, tx store.Tx, d *Doc) error {
		if err := s.checkNode(ctx, tx, node); err != nil {
			return err
		}
		d.Ref = node
		return nil
	})
}

// SetCase keeps the business case and what it comes to, and the stop rule. Both are
// agreed before the start: once the first gate is passed the stop rule stands.
func (s *Service) SetCase(ctx context.Context, id string, c decision.Case, stop StopRule) error {
	judged, err := c.Judge()
	if err != nil {
		return errs.Invalid("governance.initiative.error.case", "case", "the case does not hold: %v", err)
	}
	if stop.Metric != "" {
		known, err := s.metrics.Has(ctx, stop.Metric)
		if err != nil {
			return err
		}
		if !known {
			return errs.Invalid("governance.error.metric", "stop", "the registry has no metric %q", stop.Metric).With("metric", stop.Metric)
		}
	}
	return s.change(ctx, id, Event{What: "case"}, true, func(_ context.Context, tx store.Tx, d *Doc) error {
		if d.Body.Stage != Strategise && d.Body.Stop.Set() && stop != d.Body.Stop {
			return errs.Conflict("governance.initiative.error.stop_fixed", "the stop rule was agreed at the first gate and stands")
		}
		d.Body.Case, d.Body.Stop = &c, stop
		d.Body.Judged = &Judged{Low: whole(judged.Low), Mid: whole(judged.Mid), High: whole(judged.High), AtMid: whole(judged.AtMid), Positive: judged.Positive, Tornado: judged.Tornado, At: tx.Now().Time()}
		for k, y := range judged.Payback {
			if math.IsInf(y, 0) {
				y = -1
			}
			d.Body.Judged.Payback[k] = y
		}
		return nil
	})
}

func whole(x float64) int64 { return int64(math.Floor(max(-1<<53, min(1<<53, x)))) }

// Register writes the method down by which the effect will be told apart.
func (s *Service) Register(ctx context.Context, id, method string) error {
	return s.change(ctx, id, Event{What: "register", Note: method}, true, func(_ context.Context, tx store.Tx, d *Doc) error {
		if !slices.Contains(Methods, method) {
			return errs.Invalid("governance.initiative.error.method", "method", "%q is no method", method)
		}
		d.Body.Method, d.Body.Registered = method, tx.Now().Time()
		return nil
	})
}
