package maturity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"omote/analytics/assess"
	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Service looks after assessments. It is safe for concurrent use.
type Service struct {
	db        *store.DB
	pack      *packs.Maturity
	approvals *approval.Service
	sights    []Sights
}

// kindPublish is the proposal to publish an assessment.
const kindPublish = "governance.maturity"

// NewService makes the service and registers its kind of proposal.
func NewService(db *store.DB, pack *packs.Maturity, approvals *approval.Service, sights ...Sights) *Service {
	s := &Service{db, pack, approvals, sights}
	approvals.Register(approval.Kind{Name: kindPublish, Permission: PermApprove, Approved: s.published, Closed: s.sentBack})
	return s
}

var (
	table   = record.Table[Assessment]{Name: "assessment", Thing: "maturity", Sight: record.Along}
	ratings = record.Table[Rating]{Name: "rating", Thing: "maturity", Sight: record.Along}
)

// List gives all assessments, oldest first.
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

// Progress is how far rating is.
type Progress struct {
	Group string
	Min   int
	N     int
}

// View is an assessment with what the reader may know of it.
type View struct {
	Doc
	Progress []Progress     // none for who sees only a part of the bank
	Mine     map[string]int // the reader's own answers
	Before   *Doc           // the published one before it
}

// Get reads one assessment.
func (s *Service) Get(ctx context.Context, id string) (v View, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return v, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		v = View{}
		if v.Doc, err = table.Get(ctx, tx, id); err != nil {
			return err
		}
		given, err := ratings.List(ctx, tx, record.Filter{Ref: id})
		if err != nil {
			return err
		}
		for _, g := range s.pack.Score.Groups {
			if tx.Scope.Unit != "/" {
				break // answers from elsewhere are not seen, so they cannot be counted
			}
			p := Progress{Group: g.ID, Min: g.Min}
			for _, r := range given {
				if r.Body.Group == g.ID {
					p.N++
				}
			}
			v.Progress = append(v.Progress, p)
		}
		for _, r := range given {
			if !r.Body.Sheet && r.ID == ratingID(id, tx.Scope.Actor) {
				v.Mine = r.Body.Answers
			}
		}
		all, err := table.List(ctx, tx, record.Filter{State: Published})
		if err != nil {
			return err
		}
		for i := range all {
			if all[i].ID != id && (v.Body.Closed.IsZero() || all[i].Body.Closed.Before(v.Body.Closed)) {
				v.Before = &all[i]
			}
		}
		return nil
	})
	return v, err
}

// Begin opens a round.
func (s *Service) Begin(ctx context.Context, title approval.Text, until time.Time, targets map[string]float64) (d Doc, err error) {
	if err := auth.Require(ctx, PermEdit, "/"); err != nil {
		return d, err
	}
	if badText(title.VI, 200) || badText(title.EN, 200) {
		return d, errs.Invalid("governance.maturity.error.title", "title", "a title is needed in both languages")
	}
	for id, t := range targets {
		if _, ok := s.pack.Question(id); !ok || !(t >= 1 && t <= assess.Top) {
			return d, errs.Invalid("governance.maturity.error.target", "targets", "%g is no level to aim at", t)
		}
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if !until.After(tx.Now().Time()) {
			return errs.Invalid("governance.maturity.error.until", "until", "rating ends after it began")
		}
		open, err := table.List(ctx, tx, record.Filter{State: Open})
		if err != nil {
			return err
		}
		if len(open) > 0 {
			return errs.Conflict("governance.maturity.error.open", "an assessment is open already")
		}
		if d, err = table.Add(ctx, tx, record.Head{Unit: "/", State: Open}, Assessment{Title: title, Instrument: s.pack.Version, Until: until, Proofs: map[string]Proof{}, Targets: targets}); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.maturity.begin", Object: "assessment/" + d.ID, After: d})
	})
	return d, err
}

func (s *Service) open(ctx context.Context, tx store.Tx, id string) (Doc, error) {
	d, err := table.Get(ctx, tx, id)
	if err == nil && d.State != Open {
		err = errs.Conflict("governance.maturity.error.closed", "the assessment is %s", d.State)
	}
	return d, err
}

// ratingID is the id of a person's answers: one set for each.
func ratingID(assessment, actor string) string {
	sum := sha256.Sum256([]byte(assessment + "\n" + actor))
	return hex.EncodeToString(sum[:16])
}

// Rate takes the answers of the person who is signed in, in the group that their
// role puts them in. Answering again replaces what they said.
func (s *Service) Rate(ctx context.Context, id string, answers map[string]int) error {
	if err := auth.Require(ctx, PermRate, ""); err != nil {
		return err
	}
	actor, _ := auth.From(ctx)
	group := GroupOf(actor)
	if group == "" {
		return errs.Denied("governance.maturity.error.group", "people rate, by their role")
	}
	if err := checkAnswers(s.pack, answers); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := s.open(ctx, tx, id); err != nil {
			return err
		}
		// The answer belongs to the assessment, wherever its author sits; the audit
		// trail says that somebody answered, not what.
		key := ratingID(id, tx.Scope.Actor)
		old, err := ratings.Get(ctx, tx, key)
		switch {
		case errs.KindOf(err) == errs.KindNotFound:
			_, err = ratings.Add(ctx, tx, record.Head{ID: key, Ref: id, State: group}, Rating{Group: group, Answers: answers})
		case err == nil:
			old.State, old.Body = group, Rating{Group: group, Answers: answers}
			err = ratings.Save(ctx, tx, &old)
		}
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.maturity.rate", Object: "assessment/" + id, After: map[string]string{"group": group}})
	})
}

// EnterSheets takes paper sheets of people without an account.
func (s *Service) EnterSheets(ctx context.Context, id, group string, sheets []map[string]int) error {
	if err := auth.Require(ctx, PermEdit, "/"); err != nil {
		return err
	}
	if !slices.ContainsFunc(s.pack.Score.Groups, func(g assess.Group) bool { return g.ID == group }) || len(sheets) == 0 || len(sheets) > MaxSheets {
		return errs.Invalid("governance.maturity.error.sheets", "sheets", "1 to %d sheets of a group", MaxSheets).With("max", MaxSheets)
	}
	for _, a := range sheets {
		if err := checkAnswers(s.pack, a); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := s.open(ctx, tx, id); err != nil {
			return err
		}
		for _, a := range sheets {
			if _, err := ratings.Add(ctx, tx, record.Head{Unit: "/", Ref: id, State: group}, Rating{Group: group, Answers: a, Sheet: true}); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.maturity.sheets", Object: "assessment/" + id, After: map[string]any{"group": group, "sheets": len(sheets)}})
	})
}

// Prove hands in evidence for an indicator; the latest counts.
func (s *Service) Prove(ctx context.Context, id, indicator string, grade int, note string) error {
	if err := auth.Require(ctx, PermEdit, "/"); err != nil {
		return err
	}
	if _, ok := s.pack.Question(indicator); !ok {
		return errs.Invalid("governance.maturity.error.indicator", "indicator", "there is no indicator %q", indicator)
	}
	if grade < 0 || grade > 2 || grade > 0 && badText(note, MaxNote) {
		return errs.Invalid("governance.maturity.error.proof", "note", "a document or a record is named, in at most %d characters", MaxNote).With("max", MaxNote)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := s.open(ctx, tx, id)
		if err != nil {
			return err
		}
		p := Proof{Grade: grade, Note: note, By: tx.Scope.Actor}
		d.Body.Proofs[indicator] = p
		if err := table.Save(ctx, tx, &d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.maturity.prove", Object: "assessment/" + id, Changed: []string{indicator}, After: p})
	})
}

// Close ends the rating, computes the result with what the platform sees now, and
// asks a second person to publish it.
func (s *Service) Close(ctx context.Context, id string) (q approval.Request, err error) {
	if err := auth.Require(ctx, PermEdit, "/"); err != nil {
		return q, err
	}
	seen := map[string]assess.Check{}
	for _, sight := range s.sights {
		more, err := sight.See(ctx)
		if err != nil {
			return q, fmt.Errorf("maturity: what the platform sees: %w", err)
		}
		for k, v := range more {
			seen[k] = v
		}
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := s.open(ctx, tx, id)
		if err != nil {
			return err
		}
		given, err := ratings.List(ctx, tx, record.Filter{Ref: id})
		if err != nil {
			return err
		}
		d.Body.Checks = map[string]assess.Check{}
		for _, one := range s.pack.Questions {
			if c, ok := seen[one.Measure]; ok && one.Measure != "" && c.N > 0 {
				d.Body.Checks[one.ID] = c
			}
		}
		out, err := assess.Score(s.pack.Score, input(d, given))
		if err != nil {
			return fmt.Errorf("maturity: %w", err)
		}
		if !slices.ContainsFunc(out.Indicators, func(r assess.Result) bool { return r.Known }) {
			return errs.Conflict("governance.maturity.error.few", "no group has enough raters for a result")
		}
		d.State, d.Body.Closed, d.Body.Outcome, d.Body.Reason = Waiting, tx.Now().Time(), &out, ""
		if err := table.Save(ctx, tx, &d); err != nil {
			return err
		}
		level := fmt.Sprintf("%d", out.Stage)
		q, err = s.approvals.Propose(ctx, tx, approval.Proposal{Kind: kindPublish, Object: "assessment/" + id, Version: d.Version, Unit: d.Unit, Href: "/governance/maturity/" + id,
			Title:   approval.Text{VI: "Công bố đánh giá độ chín: " + d.Body.Title.VI, EN: "Publish the maturity assessment: " + d.Body.Title.EN},
			Details: []approval.Text{{VI: fmt.Sprintf("Bậc **%s**, %d người chấm", level, out.Raters), EN: fmt.Sprintf("Level **%s**, %d raters", level, out.Raters)}},
			Payload: publishPayload{id, d.Version}})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "governance.maturity.close", Object: "assessment/" + id, After: map[string]any{"stage": out.Stage, "raters": out.Raters}})
	})
	return q, err
}

// input are the answers without the names behind them.
func input(d Doc, given []record.Doc[Rating]) assess.Input {
	x := assess.Input{Evidence: map[string]int{}, Checks: d.Body.Checks, Targets: d.Body.Targets, Seed: 1}
	for _, r := range given {
		x.Raters = append(x.Raters, assess.Rater{Group: r.Body.Group, Answers: r.Body.Answers})
	}
	for id, p := range d.Body.Proofs {
		x.Evidence[id] = p.Grade
	}
	return x
}

type publishPayload struct {
	Assessment string `json:"assessment"`
	Version    int    `json:"version"`
}

func (s *Service) published(ctx context.Context, tx store.Tx, q approval.Request) error {
	return s.settle(ctx, tx, q, func(d *Doc) { d.State = Published })
}

func (s *Service) sentBack(ctx context.Context, tx store.Tx, q approval.Request) error {
	return s.settle(ctx, tx, q, func(d *Doc) {
		d.State, d.Body.Reason, d.Body.Closed, d.Body.Outcome, d.Body.Checks = Open, q.Reason, time.Time{}, nil, nil
	})
}

func (s *Service) settle(ctx context.Context, tx store.Tx, q approval.Request, change func(*Doc)) error {
	var p publishPayload
	if err := q.Decode(&p); err != nil {
		return err
	}
	d, err := table.Get(ctx, tx, p.Assessment)
	if err != nil {
		return err
	}
	if d.State != Waiting || d.Version != p.Version {
		return errs.Conflict("governance.maturity.error.moved", "the assessment is not what was proposed")
	}
	change(&d)
	if err := table.Save(ctx, tx, &d); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "governance.maturity." + d.State, Object: "assessment/" + d.ID, After: d.State})
}

// Latest is the last published assessment, nil while there is none.
func (s *Service) Latest(ctx context.Context) (*Doc, error) {
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	var last *Doc
	for i := range all {
		if all[i].State == Published && (last == nil || all[i].Body.Closed.After(last.Body.Closed)) {
			last = &all[i]
		}
	}
	return last, nil
}
