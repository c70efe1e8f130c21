package wave

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"omote/analytics/rollout"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/program/packs"
)

// Deps are what the service needs of others.
type Deps struct {
	Store     *store.DB
	Approvals *approval.Service
	Pack      *packs.Behaviours
	Outcomes  Outcomes
	Places    Places
	Ledger    Ledger
	Draw      Draw
}

// Service looks after campaigns. It is safe for concurrent use.
type Service struct{ Deps }

// kindStart is the proposal to draw the order and begin.
const kindStart = "program.wave_start"

// NewService makes the service and registers its kind of proposal.
func NewService(d Deps) *Service {
	if d.Draw == nil {
		d.Draw = func() uint64 {
			var b [8]byte
			_, _ = rand.Read(b[:]) // never fails
			return binary.BigEndian.Uint64(b[:])
		}
	}
	s := &Service{d}
	d.Approvals.Register(approval.Kind{Name: kindStart, Permission: PermApprove, Approved: s.drawn, Closed: s.sentBack})
	return s
}

// List gives the campaigns that the reader sees, newest first.
func (s *Service) List(ctx context.Context) (out []Doc, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if out, err = list(ctx, tx); err != nil {
			return err
		}
		for i := range out {
			narrow(tx, &out[i])
		}
		return nil
	})
	return out, err
}

// Get reads one campaign. Who sees only a branch sees only it among the places.
func (s *Service) Get(ctx context.Context, id string) (d Doc, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return d, err
	}
	err = s.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if d, err = get(ctx, tx, id); err == nil {
			narrow(tx, &d)
		}
		return err
	})
	return d, err
}

func narrow(tx store.Tx, d *Doc) {
	if !tx.Scope.Sees(d.Unit) {
		d.Places = slices.DeleteFunc(slices.Clone(d.Places), func(p Place) bool { return !tx.Scope.Sees(p.Unit) })
	}
}

// Plan drafts a campaign for all branches below the unit, or for those that codes
// name. Nothing is drawn yet.
func (s *Service) Plan(ctx context.Context, unit string, codes []string, w Wave) (d Doc, err error) {
	if err := auth.Require(ctx, PermEdit, unit); err != nil {
		return d, err
	}
	all, err := s.Places.Branches(ctx)
	if err != nil {
		return d, fmt.Errorf("branches: %w", err)
	}
	w.Places, w.Drawn, w.Line, w.Reason, w.Design.Seed = nil, time.Time{}, "", "", 0
	for _, b := range all {
		if strings.HasPrefix(b.Unit, unit) && (len(codes) == 0 || slices.Contains(codes, b.Code)) {
			w.Places = append(w.Places, Place{Unit: b.Unit, Code: b.Code, Name: b.Name, Stratum: b.Region, Cohort: rollout.HeldOut})
		}
	}
	for _, c := range codes {
		if !slices.ContainsFunc(w.Places, func(p Place) bool { return p.Code == c }) {
			return d, errs.Invalid("program.wave.error.place", "places", "there is no open branch %q here", c).With("place", c)
		}
	}
	if err := w.Validate(s.Pack); err != nil {
		return d, err
	}
	if err := s.baseline(ctx, &w); err != nil {
		return d, err
	}
	err = s.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if d, err = add(ctx, tx, unit, w); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "program.wave.plan", Object: "wave/" + d.ID, After: d})
	})
	return d, err
}

// baseline looks at what each branch was before, which also proves that the measure
// can be read by branch.
func (s *Service) baseline(ctx context.Context, w *Wave) error {
	end := monday(s.Store.Clock().Now().In(w.Start.Location()))
	end = time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, w.Start.Location())
	if w.Start.Before(end) {
		end = w.Start
	}
	o, err := s.Outcomes.Outcome(ctx, w.Metric, end.AddDate(0, 0, -7*Baseline), end)
	if err != nil {
		return err
	}
	sum := map[string]float64{}
	for i := range w.Places {
		w.Places[i].N = 0
	}
	for _, c := range o.Cells {
		if i := slices.IndexFunc(w.Places, func(p Place) bool { return p.Code == c.Code }); i >= 0 {
			sum[c.Code] += c.Sum
			w.Places[i].N += c.N
		}
	}
	for i, p := range w.Places {
		if p.N > 0 {
			w.Places[i].Baseline = sum[p.Code] / float64(p.N)
		}
	}
	return nil
}

// startPayload is what the second person approves: this design, for these branches.
type startPayload struct {
	Wave    string         `json:"wave"`
	Version int            `json:"version"`
	Design  rollout.Design `json:"design"`
	Codes   []string       `json:"codes"`
}

// Propose asks a second person to have the order drawn.
func (s *Service) Propose(ctx context.Context, id string) (q approval.Request, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return q, err
	}
	err = s.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := s.editable(ctx, tx, id, Draft)
		if err != nil {
			return err
		}
		if d.Start.Before(tx.Now().Time()) {
			return errs.Conflict("program.wave.error.past", "the first Monday of the campaign is over")
		}
		d.State = Waiting
		if err := save(ctx, tx, &d); err != nil {
			return err
		}
		q, err = s.Approvals.Propose(ctx, tx, approval.Proposal{Kind: kindStart, Object: "wave/" + id, Version: d.Version, Unit: d.Unit, Href: "/program/waves/" + id,
			Title: approval.Text{VI: "Bắt đầu chiến dịch: " + d.Title.VI, EN: "Start the campaign: " + d.Title.EN}, Details: details(d),
			Payload: startPayload{id, d.Version, d.Design, codesOf(d.Wave)}})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "program.wave.propose", Object: "wave/" + id, After: d.State})
	})
	return q, err
}

func codesOf(w Wave) []string {
	out := make([]string, len(w.Places))
	for i, p := range w.Places {
		out[i] = p.Code
	}
	return out
}

// details are what the checker must know.
func details(d Doc) []approval.Text {
	day := d.Start.Format("02/01/2006")
	say := func(vi, en string, args ...any) approval.Text {
		return approval.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)}
	}
	return []approval.Text{
		say("**%d chi nhánh**, %d đợt cách nhau %d tuần, %.0f%% chi nhánh chờ đến cuối", "**%d branches**, %d cohorts %d weeks apart, %.0f%% wait until the end",
			len(d.Places), d.Design.Cohorts, d.Design.Every, 100*d.Design.HoldOut),
		say("Đợt đầu bắt đầu %s, mỗi chi nhánh %d ngày; đọc kết quả ngày %s", "The first cohort begins on %s, %d days in each branch; the final reading is on %s",
			day, d.Days, d.Look().Format("02/01/2006")),
		say("Khi duyệt, hệ thống rút thăm thứ tự; không ai chọn được chi nhánh nào bắt đầu trước", "On approval the order is drawn at random; nobody chooses which branch begins first"),
	}
}

// editable reads a wave in the state within the actor's place.
func (s *Service) editable(ctx context.Context, tx store.Tx, id string, states ...State) (Doc, error) {
	d, err := get(ctx, tx, id)
	if err != nil {
		return d, err
	}
	if !tx.Scope.Sees(d.Unit) {
		return d, errs.Denied("program.error.unit", "the campaign belongs to %s", d.Unit).With("unit", d.Unit)
	}
	if err := auth.Require(ctx, PermEdit, d.Unit); err != nil {
		return d, err
	}
	if !slices.Contains(states, d.State) {
		return d, errs.Conflict("program.wave.error.state", "the campaign is %s", d.State).With("state", string(d.State))
	}
	return d, nil
}

// drawn draws the order, in the transaction of the approval: before it there is no
// order, after it nobody can change it.
func (s *Service) drawn(ctx context.Context, tx store.Tx, q approval.Request) error {
	var p startPayload
	if err := q.Decode(&p); err != nil {
		return err
	}
	d, err := get(ctx, tx, p.Wave)
	if err != nil {
		return err
	}
	if d.State != Waiting || d.Version != p.Version || d.Design != p.Design || !slices.Equal(codesOf(d.Wave), p.Codes) {
		return errs.Conflict("program.wave.error.moved", "the campaign is not what was proposed")
	}
	if d.Start.Before(tx.Now().Time()) {
		return errs.Conflict("program.wave.error.past", "the first Monday of the campaign is over")
	}
	d.Design.Seed = s.Draw()
	cohorts, err := rollout.Assign(d.units(), d.Design)
	if err != nil {
		return fmt.Errorf("draw the order: %w", err)
	}
	for i := range d.Places {
		d.Places[i].Cohort = cohorts[i]
	}
	d.State, d.Drawn, d.Reason = Drawn, tx.Now().Time(), ""
	if err := save(ctx, tx, &d); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "program.wave.draw", Object: "wave/" + d.ID, After: d})
}

func (s *Service) sentBack(ctx context.Context, tx store.Tx, q approval.Request) error {
	var p startPayload
	if err := q.Decode(&p); err != nil {
		return err
	}
	d, err := get(ctx, tx, p.Wave)
	if err != nil {
		return err
	}
	d.State, d.Reason = Draft, q.Reason
	return save(ctx, tx, &d)
}

// reasoned trims a reason and refuses one that says nothing.
func reasoned(text string) (string, error) {
	if text = strings.TrimSpace(text); badText(text, MaxWhy) || len(text) < 5 {
		return "", errs.Invalid("program.wave.error.reason", "reason", "say why, in 5 to %d characters", MaxWhy).With("max", MaxWhy)
	}
	return text, nil
}

// DropOut takes note that a branch cannot go on. It stays in its cohort when the
// effect is read.
func (s *Service) DropOut(ctx context.Context, id, unit, reason string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	reason, err := reasoned(reason)
	if err != nil {
		return err
	}
	return s.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := s.editable(ctx, tx, id, Drawn)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(d.Places, func(p Place) bool { return p.Unit == unit })
		if i < 0 {
			return errs.Invalid("program.wave.error.place", "unit", "%s takes no part", unit).With("place", unit)
		}
		if !d.Places[i].Out.IsZero() {
			return errs.Conflict("program.wave.error.out", "the branch has dropped out already")
		}
		d.Places = slices.Clone(d.Places)
		d.Places[i].Out, d.Places[i].Why = tx.Now().Time(), reason
		if err := save(ctx, tx, &d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "program.wave.drop_out", Object: "wave/" + id, Reason: reason, Changed: []string{"places"}, After: d.Places[i]})
	})
}

// Stop ends a campaign before its time.
func (s *Service) Stop(ctx context.Context, id, reason string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	reason, err := reasoned(reason)
	if err != nil {
		return err
	}
	return s.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := s.editable(ctx, tx, id, Draft, Drawn)
		if err != nil {
			return err
		}
		d.State, d.Reason = Stopped, reason
		if err := save(ctx, tx, &d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "program.wave.stop", Object: "wave/" + id, Reason: reason, Changed: []string{"state"}})
	})
}
