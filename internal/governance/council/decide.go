package council

import (
	"context"
	"strings"
	"unicode/utf8"

	"omote/internal/governance/measure"
	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Prepare writes a paper for the council.
func (s *Service) Prepare(ctx context.Context, d Decision) (out Doc, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return out, err
	}
	if err := s.checkPaper(ctx, d); err != nil {
		return out, err
	}
	d.Outcome, d.Overrode, d.Override, d.By = nil, false, "", nil
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if out, err = decisions.Add(ctx, tx, record.Head{State: Paper}, d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.council.prepare", Object: "decision/" + out.ID, After: out})
	})
	return out, err
}

func (s *Service) checkPaper(ctx context.Context, d Decision) error {
	if err := d.Validate(s.pack); err != nil {
		return err
	}
	if d.Forecast == nil {
		return nil
	}
	_, err := s.registry.Over(ctx, d.Forecast.Metric, s.lately(d.Forecast.Days))
	if errs.KindOf(err) == errs.KindNotFound {
		return errs.Invalid("governance.error.metric", "metric", "the registry has no metric %q", d.Forecast.Metric).With("metric", d.Forecast.Metric)
	}
	return err
}

// lately is the window of days that ends now.
func (s *Service) lately(days int) measure.Window {
	now := s.db.Now().Time()
	return measure.Window{From: now.AddDate(0, 0, -days), To: now}
}

// SetForecast puts a forecast into a paper.
func (s *Service) SetForecast(ctx context.Context, id string, f Forecast) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	d, err := s.Decision(ctx, id)
	if err != nil {
		return err
	}
	d.Body.Forecast = &f
	if err := s.checkPaper(ctx, d.Body); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := decisions.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if d.State != Paper {
			return errs.Conflict("governance.council.error.state", "the decision is %s", d.State).With("state", d.State)
		}
		d.Body.Forecast = &f
		if err := decisions.Save(ctx, tx, &d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.council.forecast", Object: "decision/" + id, Changed: []string{"forecast"}, After: f})
	})
}

// Ballot is what a meeting decided.
type Ballot struct {
	Meeting  string
	Chosen   int    // index of the alternative
	Override string // why, when it is not the first in the rank of the evidence
	Votes    Votes
}

// Propose puts what the meeting decided before a member of the council, whose
// approval brings it into force. It is refused
//
//   - outside of a meeting that sits with its quorum,
//   - without a forecast, for the kinds of decisions that need one,
//   - against the rank of the evidence without a reason,
//   - when the votes do not carry it, or are more than the members who may vote.
func (s *Service) Propose(ctx context.Context, id string, b Ballot) (q approval.Request, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return q, err
	}
	d, err := s.Decision(ctx, id)
	if err != nil {
		return q, err
	}
	t, _ := s.pack.Decision(d.Body.Type)
	if t.Forecast && d.Body.Forecast == nil {
		return q, errs.Conflict("governance.council.error.no_forecast", "a decision of this kind says what it will change, by how much, by when and how sure")
	}
	var base *Baseline
	if f := d.Body.Forecast; f != nil {
		r, err := s.registry.Over(ctx, f.Metric, s.lately(f.Days))
		if err != nil {
			return q, err
		}
		if r.Known {
			base = &Baseline{Value: r.Value, Low: r.Low, High: r.High, N: r.N, At: s.db.Now().Time()}
		}
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		q, err = s.propose(ctx, tx, id, b, t, base)
		return err
	})
	return q, err
}

func (s *Service) propose(ctx context.Context, tx store.Tx, id string, b Ballot, t packs.DecisionType, base *Baseline) (q approval.Request, err error) {
	d, err := decisions.Get(ctx, tx, id)
	if err != nil {
		return q, err
	}
	if d.State != Paper {
		return q, errs.Conflict("governance.council.error.state", "the decision is %s", d.State).With("state", d.State)
	}
	m, err := meetings.Get(ctx, tx, b.Meeting)
	if err != nil {
		return q, err
	}
	if m.State != Sitting {
		return q, errs.Conflict("governance.council.error.not_open", "the meeting has not begun, or is over")
	}
	if err := m.Body.Quorum(); err != nil {
		return q, err
	}
	if err := checkVotes(b.Votes, m.Body); err != nil {
		return q, err
	}
	body := &d.Body
	if body.Type != "dt_refuse" {
		if err := choose(body, b); err != nil {
			return q, err
		}
	}
	body.Votes, d.Ref, d.State = b.Votes, b.Meeting, Proposed
	body.Review = packs.After(tx.Now().Time(), t.Review)
	if body.Refusal != nil {
		r, _ := s.pack.Refusal(body.Refusal.Reason)
		body.Review = packs.After(tx.Now().Time(), r.Review)
	}
	if body.Forecast != nil {
		body.Forecast.Baseline = base
	}
	if err := decisions.Save(ctx, tx, &d); err != nil {
		return q, err
	}
	return s.approvals.Propose(ctx, tx, approval.Proposal{Kind: kindDecision, Object: "decision/" + id, Version: d.Version, Href: "/governance/decisions/" + id,
		Title:   approval.Text{VI: "Quyết định của Hội đồng: " + body.Title.VI, EN: "Decision of the council: " + body.Title.EN},
		Details: s.details(*body), Payload: decisionPayload{id, body.Chosen, body.Votes}})
}

// checkVotes refuses votes that do not carry, or more than may vote.
func checkVotes(v Votes, m Meeting) error {
	may := m.Votes()
	for _, s := range m.Seats {
		for _, c := range v.Conflicts {
			if s.Present && s.Vote && s.Person == c {
				may--
			}
		}
	}
	switch {
	case v.For < 0 || v.Against < 0 || v.Abstain < 0 || v.For+v.Against+v.Abstain > may:
		return errs.Invalid("governance.council.error.ballot", "votes", "%d members may vote", may).With("count", may)
	case !v.Carried():
		return errs.Conflict("governance.council.error.not_carried", "the votes do not carry it: %d for, %d against", v.For, v.Against)
	}
	return nil
}

// choose notes the alternative, and the reason where it is not the first in rank.
func choose(d *Decision, b Ballot) error {
	if b.Chosen < 0 || b.Chosen >= len(d.Alternatives) {
		return errs.Invalid("governance.council.error.chosen", "chosen", "one of the alternatives is chosen")
	}
	d.Chosen, d.Overrode, d.Override = b.Chosen, b.Chosen != d.Rank()[0], strings.TrimSpace(b.Override)
	if d.Overrode && (utf8.RuneCountInString(d.Override) < MinOverride || badText(d.Override, MaxText)) {
		return errs.Invalid("governance.council.error.override", "override", "to decide against the rank of the evidence, say why, in at least %d characters", MinOverride).With("min", MinOverride)
	}
	if !d.Overrode {
		d.Override = ""
	}
	return nil
}

// decisionPayload is what the second member signs.
type decisionPayload struct {
	Decision string `json:"decision"`
	Chosen   int    `json:"chosen"`
	Votes    Votes  `json:"votes"`
}

func (s *Service) details(d Decision) (out []approval.Text) {
	if len(d.Alternatives) > 0 {
		out = append(out, d.Alternatives[d.Chosen].Name)
	}
	if d.Overrode {
		out = append(out, approval.Text{VI: "Trái thứ tự bằng chứng: " + d.Override, EN: "Against the rank of the evidence: " + d.Override})
	}
	if d.Refusal != nil {
		r, _ := s.pack.Refusal(d.Refusal.Reason)
		out = append(out, r.Text())
	}
	return out
}

func (s *Service) decided(ctx context.Context, tx store.Tx, q approval.Request) error {
	var p decisionPayload
	if err := q.Decode(&p); err != nil {
		return err
	}
	d, err := decisions.Get(ctx, tx, p.Decision)
	if err != nil {
		return err
	}
	if d.State != Proposed || d.Body.Chosen != p.Chosen {
		return errs.Conflict("governance.council.error.state", "the decision is %s", d.State).With("state", d.State)
	}
	d.State, d.Body.Decided, d.Body.By = Decided, tx.Now().Time(), []string{q.Maker, tx.Scope.Actor}
	if d.Body.Type == "dt_refuse" {
		d.State = Refused
	}
	if err := decisions.Save(ctx, tx, &d); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "governance.council.decide", Object: "decision/" + d.ID, Reason: d.Body.Override, After: d})
}

// notDecided puts a decision back on the pile of papers, one deferral older.
func (s *Service) notDecided(ctx context.Context, tx store.Tx, q approval.Request) error {
	var p decisionPayload
	if err := q.Decode(&p); err != nil {
		return err
	}
	d, err := decisions.Get(ctx, tx, p.Decision)
	if err != nil {
		return err
	}
	d.State, d.Body.Overrode, d.Body.Override, d.Body.Votes = Paper, false, "", Votes{}
	d.Body.Deferred++
	return decisions.Save(ctx, tx, &d)
}
