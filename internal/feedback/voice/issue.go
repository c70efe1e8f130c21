package voice

import (
	"cmp"
	"context"
	"slices"
	"time"

	"omote/analytics/stats"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Issue is what many voices speak of unhappily: a theme, at a step of a journey, in a
// unit. Empty fields stand for all.
type Issue struct {
	Theme   string
	Journey string
	Step    string
	Unit    string // path
}

// Validate tells what is wrong with it.
func (i Issue) Validate() error {
	switch {
	case !slices.Contains(Themes, i.Theme):
		return errs.NotFound("feedback.voice.error.theme", "there is no theme %q", i.Theme)
	case i.Step != "" && i.Journey == "":
		return errs.Invalid("feedback.voice.error.step", "step", "a step belongs to a journey")
	}
	return nil
}

// The present of an issue, and how many such windows before are its past.
const (
	issueWindow = 30 * 24 * time.Hour
	issuePast   = 3
	issueWeeks  = 13
)

// Standing is an issue with how many customers speak of it.
type Standing struct {
	Issue
	Now    int64 // customers within the last 30 days
	Before int64 // within the 90 days before
	Kinds  int   // ways in which it was said, of len(Kinds)
	// Change is the share of all unhappy customers who speak of it, now less before.
	Change stats.Comparison
	Moved  int // 1 more than chance explains, -1 less, 0 neither; 5 % false findings over the list
}

// IssueRow is an issue in one source of voices.
type IssueRow struct {
	Kind   Kind
	Now    stats.Estimate // share of that source's customers who speak of it unhappily
	Before stats.Estimate
	Change stats.Comparison
	Hits   int64
	Weeks  []float64 // customers a week, the oldest first
}

// Deed is what customers did in the journey, whatever they said.
type Deed struct {
	Now, Before stats.Estimate // share of customers whose errand failed or was given up
	Change      stats.Comparison
}

// IssueView is one issue in every source side by side: what customers say when asked,
// when they complain, call, write publicly, what staff saw, what customers did, and how
// the staff of the place are.
type IssueView struct {
	Issue
	Customers int64 // unhappy within the window, each counted once
	Rows      []IssueRow
	// All is how much more often the sources together speak of it than before: each
	// is compared with itself, so one that only complainers use weighs no more.
	All    stats.Estimate
	Agree  int // sources that speak of it more often than before
	Deeds  *Deed
	Staff  *UnitScore
	Units  []Standing // the same issue unit by unit
	Voices []Item     // the newest words
	Reply  stats.Estimate
	Told   []NoticeView
}

// Events counts what customers did in a journey.
type Events interface {
	// Failed gives the customers who had an errand in the journey from from to to, and
	// those of them with one that failed or was given up.
	Failed(ctx context.Context, journey, unit string, from, to time.Time) (failed, all int64, err error)
}

// Issues lists what customers speak of unhappily, the most customers first.
func (s *Service) Issues(ctx context.Context, unit string) (out []Standing, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		w := windowsAt(tx.Now())
		if out, err = standings(ctx, tx, Issue{Unit: unit}, "theme, journey, step", w); err != nil {
			return err
		}
		all, err := unhappy(ctx, tx, unit, w)
		if err != nil {
			return err
		}
		judge(out, all)
		return nil
	})
	return out, err
}

// judge says which issues moved, with false findings held over the whole list.
func judge(list []Standing, all [2]int64) {
	if all[0] == 0 || all[1] == 0 {
		return
	}
	p := make([]float64, len(list))
	for i := range list {
		list[i].Change = stats.DiffProportions(list[i].Now, all[0], list[i].Before, all[1], stats.DefaultLevel)
		p[i] = list[i].Change.P
	}
	for i, q := range stats.BenjaminiHochberg(p) {
		if q <= 0.05 {
			list[i].Moved = cmp.Compare(list[i].Change.Difference.Value, 0)
		}
	}
}

// Issue lays one issue side by side.
func (s *Service) Issue(ctx context.Context, i Issue) (v IssueView, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return v, err
	}
	if err := i.Validate(); err != nil {
		return v, err
	}
	var now time.Time
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		v = IssueView{Issue: i}
		now = tx.Now().Time()
		w := windowsAt(tx.Now())
		if v.Customers, err = speakers(ctx, tx, i, w); err != nil {
			return err
		}
		rows, err := bySource(ctx, tx, i, w)
		if err != nil {
			return err
		}
		v.lay(rows)
		if v.Units, err = standings(ctx, tx, i, "unit", w); err != nil {
			return err
		}
		if v.Voices, err = newest(ctx, tx, i, w.now, 5); err != nil {
			return err
		}
		replied, said, err := replies(ctx, tx, i, w.before)
		if err != nil {
			return err
		}
		v.Reply = stats.Proportion(replied, said, stats.DefaultLevel)
		if v.Told, err = noticesOf(ctx, tx, i); err != nil {
			return err
		}
		return s.Box.Open(ctx, tx, &v.Voices)
	})
	if err != nil {
		return v, err
	}
	return v, s.around(ctx, &v, now)
}

// lay compares each source with its own past, and all of them together.
func (v *IssueView) lay(rows []sourceCount) {
	var strata []stats.Fourfold
	for _, r := range rows {
		row := IssueRow{Kind: r.kind, Hits: r.hits[0], Weeks: r.weeks, Now: stats.Proportion(r.hits[0], r.all[0], stats.DefaultLevel), Before: stats.Proportion(r.hits[1], r.all[1], stats.DefaultLevel)}
		if r.all[0] > 0 && r.all[1] > 0 {
			row.Change = stats.DiffProportions(r.hits[0], r.all[0], r.hits[1], r.all[1], stats.DefaultLevel)
			strata = append(strata, stats.Fourfold{X1: r.hits[0], N1: r.all[0], X2: r.hits[1], N2: r.all[1]})
			if row.Change.Difference.Low > 0 {
				v.Agree++
			}
		}
		v.Rows = append(v.Rows, row)
	}
	v.All = stats.MantelHaenszel(strata, stats.DefaultLevel)
}

// around adds what lies outside the inbox: deeds of customers, and their staff.
func (s *Service) around(ctx context.Context, v *IssueView, now time.Time) error {
	if s.Events != nil && v.Journey != "" {
		from := now.Add(-issueWindow)
		failed, all, err := s.Events.Failed(ctx, v.Journey, v.Unit, from, now)
		if err != nil {
			return err
		}
		failedBefore, allBefore, err := s.Events.Failed(ctx, v.Journey, v.Unit, from.Add(-issuePast*issueWindow), from)
		if err != nil {
			return err
		}
		if all > 0 && allBefore > 0 {
			v.Deeds = &Deed{Now: stats.Proportion(failed, all, stats.DefaultLevel), Before: stats.Proportion(failedBefore, allBefore, stats.DefaultLevel),
				Change: stats.DiffProportions(failed, all, failedBefore, allBefore, stats.DefaultLevel)}
		}
	}
	if s.Scores == nil || v.Unit == "" || v.Unit == scope.Root {
		return nil
	}
	list, err := s.Scores.ByUnit(ctx, staffSurvey)
	for _, u := range list {
		if u.Path == v.Unit {
			v.Staff = &u
		}
	}
	return err
}

// windows are the instants that part the past from the present.
type windows struct{ before, now, end store.Micros }

func windowsAt(t store.Micros) windows {
	return windows{t.Add(-(issuePast + 1) * issueWindow), t.Add(-issueWindow), t}
}
