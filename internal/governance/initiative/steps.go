package initiative

import (
	"context"
	"slices"
	"strings"
	"time"

	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Join notes that a role takes part from the present stage on.
func (s *Service) Join(ctx context.Context, id, role, person string) error {
	return s.change(ctx, id, Event{What: "join", Note: role}, false, func(_ context.Context, tx store.Tx, d *Doc) error {
		if s.pack.Role(role).ID == "" {
			return errs.Invalid("governance.error.role", "role", "there is no role %q", role).With("role", role)
		}
		if d.Body.has(role) {
			return errs.Conflict("governance.initiative.error.joined", "the role takes part already")
		}
		d.Body.People = append(d.Body.People, Participant{Role: role, Person: person, Since: d.Body.Stage, At: tx.Now().Time(), By: tx.Scope.Actor})
		return nil
	})
}

// Prove records evidence for a criterion of the present gate. A person's evidence
// is at most a record.
func (s *Service) Prove(ctx context.Context, id string, e Evidence) error {
	return s.change(ctx, id, Event{What: "evidence", Note: e.Criterion}, true, func(_ context.Context, tx store.Tx, d *Doc) error {
		g, _ := s.pack.Gate(string(d.Body.Stage))
		found := false
		for _, c := range g.Criteria {
			found = found || c.ID == e.Criterion
		}
		e.Note = strings.TrimSpace(e.Note)
		switch {
		case !found:
			return errs.Invalid("governance.initiative.error.criterion", "criterion", "the gate of %s has no criterion %q", d.Body.Stage, e.Criterion)
		case e.Grade < Assertion || e.Grade > Record:
			return errs.Invalid("governance.initiative.error.grade", "grade", "a person's evidence is an assertion, a document or a record")
		case badText(e.Note, 1000):
			return errs.Invalid("governance.initiative.error.note", "note", "say what the evidence is")
		case e.Href != "" && !strings.HasPrefix(e.Href, "/") && !strings.HasPrefix(e.Href, "https://"):
			return errs.Invalid("governance.initiative.error.link", "href", "a link begins with / or https://")
		case len(d.Body.Evidence) >= MaxEvidence:
			return errs.TooLarge("governance.initiative.error.evidence_many", "at most %d pieces of evidence", MaxEvidence)
		}
		e.At, e.By = tx.Now().Time(), tx.Scope.Actor
		d.Body.Evidence = append(d.Body.Evidence, e)
		return nil
	})
}

// Conclude writes down what is to become of the change and what was learned.
func (s *Service) Conclude(ctx context.Context, id, outcome, lesson string) error {
	return s.change(ctx, id, Event{What: "conclude", Note: outcome}, true, func(_ context.Context, _ store.Tx, d *Doc) error {
		lesson = strings.TrimSpace(lesson)
		if !slices.Contains(Outcomes, outcome) {
			return errs.Invalid("governance.initiative.error.outcome", "outcome", "the outcome is scale, keep, change or stop")
		}
		if badText(lesson, MaxWhy) {
			return errs.Invalid("governance.initiative.error.lesson", "lesson", "the lesson is said in at most %d characters", MaxWhy).With("max", MaxWhy)
		}
		d.Body.Outcome, d.Body.Lesson = outcome, lesson
		return nil
	})
}

// needsCouncil: the first and the last gate of a strategic initiative.
func needsCouncil(i Initiative) bool {
	return i.Lane == Strategic && (i.Stage == Strategise || i.Stage == Measure)
}

// gatePayload is what a checker approves: this gate of this initiative.
type gatePayload struct {
	Initiative string `json:"initiative"`
	Stage      Stage  `json:"stage"`
}

// ProposeGate asks a second person to open the gate of the present stage. It is
// refused while a criterion is not met or a role that must take part is absent.
func (s *Service) ProposeGate(ctx context.Context, id string) (q approval.Request, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return q, err
	}
	bound, err := s.bound(ctx)
	if err != nil {
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
		if d.State != Running {
			return errs.Conflict("governance.initiative.error.over", "the initiative is %s", d.State)
		}
		v, err := s.view(ctx, tx, d, bound)
		if err != nil {
			return err
		}
		if err := refuseGate(v.Gate); err != nil {
			return err
		}
		kind, i := kindGate, d.Body
		if needsCouncil(i) {
			kind = kindCouncil
		}
		p := approval.Proposal{Kind: kind, Object: "initiative/" + id, Version: slices.Index(Stages, i.Stage) + 1, Unit: d.Unit, Href: "/governance/initiatives/" + id,
			Title:   approval.Text{VI: "Mở cổng " + v.Gate.LabelVI + ": " + i.Title.VI, EN: "Open the gate of " + string(i.Stage) + ": " + i.Title.EN},
			Payload: gatePayload{id, i.Stage}}
		for _, m := range v.Gate.Criteria {
			line := approval.Text{VI: m.VI, EN: m.EN}
			if m.Evidence != nil {
				line.VI, line.EN = line.VI+": "+m.Evidence.Note, line.EN+": "+m.Evidence.Note
			}
			p.Details = append(p.Details, line)
		}
		if q, err = s.approvals.Propose(ctx, tx, p); err != nil {
			return err
		}
		d.Body.Pending = true
		return s.save(ctx, tx, &d, Event{What: "propose", Note: string(i.Stage)}, true)
	})
	return q, err
}

// refuseGate says what keeps a gate shut.
func refuseGate(g Gate) error {
	if len(g.Absent) > 0 {
		return errs.Conflict("governance.initiative.error.absent", "roles that must take part do not: %s", strings.Join(g.Absent, ", ")).With("roles", strings.Join(g.Absent, ", "))
	}
	if n := g.Missing(); n > 0 {
		var ids []string
		for _, m := range g.Criteria {
			if !m.OK {
				ids = append(ids, m.ID)
			}
		}
		return errs.Conflict("governance.initiative.error.unproven", "the gate lacks evidence for %d criteria: %s", n, strings.Join(ids, ", ")).With("count", n)
	}
	return nil
}

// gateApproved moves the initiative on. The gate is checked again: what was shown
// to the checker must still hold.
func (s *Service) gateApproved(ctx context.Context, tx store.Tx, q approval.Request) error {
	var p gatePayload
	if err := q.Decode(&p); err != nil {
		return err
	}
	d, err := table.Get(ctx, tx, p.Initiative)
	if err != nil {
		return err
	}
	if d.State != Running || d.Body.Stage != p.Stage {
		return errs.Conflict("governance.initiative.error.moved", "the initiative stands at another gate by now")
	}
	seen, _, err := s.see(ctx, tx, d, nil)
	if err != nil {
		return err
	}
	// How many steps are bound was checked when the gate was proposed.
	all := 1.0
	seen.BoundSteps = &all
	if err := refuseGate(CheckGate(s.pack, d.Body, seen)); err != nil {
		return err
	}
	d.Body.Pending = false
	d.Body.Stage = p.Stage.Next()
	what := Event{What: "gate", Note: string(p.Stage)}
	if d.Body.Stage == Done {
		d.State, d.Body.Ended = Finished, tx.Now().Time()
	}
	return s.save(ctx, tx, &d, what, true)
}

func (s *Service) gateClosed(ctx context.Context, tx store.Tx, q approval.Request) error {
	var p gatePayload
	if err := q.Decode(&p); err != nil {
		return err
	}
	d, err := table.Get(ctx, tx, p.Initiative)
	if err != nil {
		return err
	}
	d.Body.Pending = false
	return s.save(ctx, tx, &d, Event{What: "shut", Note: string(q.State)}, q.State == approval.Refused)
}

// StopIt ends an initiative before its time, with the reason and what was learned.
func (s *Service) StopIt(ctx context.Context, id, reason string) error {
	reason = strings.TrimSpace(reason)
	if badText(reason, MaxWhy) {
		return errs.Invalid("governance.initiative.error.reason", "reason", "say why it stops")
	}
	return s.change(ctx, id, Event{What: "stop", Note: reason}, true, func(ctx context.Context, tx store.Tx, d *Doc) error {
		for _, k := range []string{kindGate, kindCouncil} {
			if err := s.approvals.WithdrawObject(ctx, tx, k, "initiative/"+id, "the initiative was stopped"); err != nil {
				return err
			}
		}
		fresh, err := table.Get(ctx, tx, id) // closing the proposal changed it
		if err != nil {
			return err
		}
		*d = fresh
		d.State, d.Body.Outcome, d.Body.Lesson, d.Body.Ended = Stopped, "stop", reason, tx.Now().Time()
		return nil
	})
}

// Outgrown gives the quick wins that run longer than they may: they are to be
// stopped or promoted.
func Outgrown(all []Doc, now time.Time) (out []Doc) {
	for _, d := range all {
		if d.State == Running && d.Body.Lane == QuickWin && now.After(d.Body.Start.AddDate(0, 0, QuickDays+quickGrace)) {
			out = append(out, d)
		}
	}
	return out
}

// Promote moves quick wins that outgrew their days into the strategic lane. Run it
// daily.
func (s *Service) Promote(ctx context.Context) (n int, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err := table.List(ctx, tx, record.Filter{State: Running})
		if err != nil {
			return err
		}
		now := tx.Now().Time()
		n = 0
		for _, d := range Outgrown(all, now) {
			d.Body.Days = int(now.Sub(d.Body.Start).Hours()/24) + 1
			if err := s.save(ctx, tx, &d, Event{What: "promote"}, false); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}
