package wave

import (
	"context"
	"slices"
	"strings"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// CheckIn is what a branch says of a behaviour on a day.
type CheckIn struct {
	Unit      string
	Day       time.Time // midnight UTC of the local day
	Behaviour string
	Kept      bool
	Reason    string // of the bank's list, where it was not kept
	By        string
	At        time.Time
}

// Reasons why a behaviour was not kept; texts program.checkin.reason.<word>.
var Reasons = []string{"", "no_occasion", "too_busy", "short_staffed", "forgot"}

// LateDays is for how many days after the day a check-in is taken.
const LateDays = 2

// MaxCheckIns bounds what is written at once.
const MaxCheckIns = 20_000

// dayOf is the local day of an instant, as check-ins keep it.
func dayOf(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Local is the midnight of a kept day in the zone of the wave.
func (w Wave) Local(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, w.Start.Location())
}

// CheckIn takes the words of branches. Each replaces an earlier one of the same
// branch, day and behaviour, so that sending twice does what sending once does. All
// are taken or none.
func (s *Service) CheckIn(ctx context.Context, id string, all ...CheckIn) (changed int, err error) {
	if err := auth.Require(ctx, PermCheckIn, ""); err != nil {
		return 0, err
	}
	if len(all) == 0 || len(all) > MaxCheckIns {
		return 0, errs.Invalid("program.checkin.error.count", "", "1 to %d check-ins at once", MaxCheckIns).With("max", MaxCheckIns)
	}
	err = s.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		if d.State != Drawn {
			return errs.Conflict("program.wave.error.state", "the campaign is %s", d.State).With("state", string(d.State))
		}
		today := dayOf(tx.Now().Time(), d.Start.Location())
		allowed := map[string]bool{}
		for _, c := range all {
			if err := s.checkOne(ctx, tx, d.Wave, c, today, allowed); err != nil {
				return err
			}
		}
		if changed, err = putCheckIns(ctx, tx, id, all); err != nil || changed == 0 {
			return err
		}
		entry := audit.Entry{Action: "program.wave.checkin", Object: "wave/" + id}
		if len(all) == 1 {
			entry.After = all[0]
		} else {
			entry.After = map[string]int{"check_ins": changed}
		}
		return audit.Record(ctx, tx, entry)
	})
	return changed, err
}

func (s *Service) checkOne(ctx context.Context, tx store.Tx, w Wave, c CheckIn, today time.Time, allowed map[string]bool) error {
	if !allowed[c.Unit] {
		if !tx.Scope.Sees(c.Unit) {
			return errs.Denied("program.error.unit", "%s lies beyond the actor's place", c.Unit).With("unit", c.Unit)
		}
		if err := auth.Require(ctx, PermCheckIn, c.Unit); err != nil {
			return err
		}
		allowed[c.Unit] = true
	}
	p, ok := w.Place(c.Unit)
	switch {
	case !ok:
		return errs.Invalid("program.wave.error.place", "unit", "%s takes no part", c.Unit).With("place", c.Unit)
	case !slices.Contains(w.Behaviours, c.Behaviour):
		return errs.Invalid("program.checkin.error.behaviour", "behaviour", "the campaign has no behaviour %q", c.Behaviour)
	case !slices.Contains(Reasons, c.Reason) || c.Kept && c.Reason != "":
		return errs.Invalid("program.checkin.error.reason", "reason", "%q is no reason", c.Reason)
	case c.Day.After(today) || c.Day.Before(today.AddDate(0, 0, -LateDays)) && !tx.Scope.System:
		return errs.Invalid("program.checkin.error.day", "day", "a check-in is for today or the %d days before", LateDays).With("days", LateDays)
	case !w.Active(p, w.Local(c.Day)):
		return errs.Conflict("program.checkin.error.not_yet", "the campaign is not on in this branch on that day")
	}
	return nil
}

// Task is what a branch is asked on a day.
type Task struct {
	Wave  Doc
	Place Place
	Day   time.Time
	Of    int // day of the campaign in the branch, from 1
	// Answers are what was said of the day, by behaviour.
	Answers map[string]CheckIn
	// Kept are the days on duty since the beginning, and whether each behaviour was kept.
	Kept map[string][]bool
}

// Today gives what the branches of the actor's place are asked to check in today, at
// most max branches.
func (s *Service) Today(ctx context.Context, max int) (out []Task, err error) {
	if err := auth.Require(ctx, PermCheckIn, ""); err != nil {
		return nil, err
	}
	err = s.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		waves, err := list(ctx, tx, Drawn)
		if err != nil {
			return err
		}
		out = nil
		for _, d := range waves {
			today := dayOf(tx.Now().Time(), d.Start.Location())
			for _, p := range d.Places {
				if len(out) == max {
					return nil
				}
				if !tx.Scope.Sees(p.Unit) || !d.Active(p, d.Local(today)) {
					continue
				}
				said, err := checkIns(ctx, tx, d.ID, p.Unit)
				if err != nil {
					return err
				}
				t := Task{Wave: d, Place: p, Day: today, Of: 1 + int(today.Sub(dayOf(d.Begins(p.Cohort), d.Start.Location())).Hours()/24), Answers: map[string]CheckIn{}}
				for _, c := range said {
					if c.Day.Equal(today) {
						t.Answers[c.Behaviour] = c
					}
				}
				t.Kept = d.keptDays(p, said, today)[p.Unit]
				out = append(out, t)
			}
		}
		return nil
	})
	return out, err
}

// keptDays are, by unit and behaviour, the days on duty from the beginning up to and
// with the last: Monday to Friday, and whether the behaviour was kept. A day without
// a word counts as not kept; the last counts only once something was said.
func (w Wave) keptDays(one Place, said []CheckIn, last time.Time) map[string]map[string][]bool {
	word := make(map[string]CheckIn, len(said))
	for _, c := range said {
		word[c.Unit+c.Day.Format(time.DateOnly)+c.Behaviour] = c
	}
	out := map[string]map[string][]bool{}
	for _, p := range w.Places {
		if one.Unit != "" && p.Unit != one.Unit || p.Cohort < 0 {
			continue
		}
		begin, end := dayOf(w.Begins(p.Cohort), w.Start.Location()), dayOf(w.Ends(p.Cohort), w.Start.Location())
		if !p.Out.IsZero() && dayOf(p.Out, w.Start.Location()).Before(end) {
			end = dayOf(p.Out, w.Start.Location())
		}
		out[p.Unit] = map[string][]bool{}
		for _, b := range w.Behaviours {
			var kept []bool
			for d := begin; d.Before(end) && !d.After(last); d = d.AddDate(0, 0, 1) {
				c, has := word[p.Unit+d.Format(time.DateOnly)+b]
				weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
				if !has && (weekend || d.Equal(last)) || has && c.Reason == "no_occasion" {
					continue // nobody was on duty, the day is not over, or there was no occasion
				}
				kept = append(kept, has && c.Kept)
			}
			out[p.Unit][b] = kept
		}
	}
	return out
}

// BehaviourNames gives the names of a wave's behaviours, for lists.
func (s *Service) BehaviourNames(w Wave, locale string) string {
	var out []string
	for _, id := range w.Behaviours {
		if b, ok := s.Pack.Get(id); ok {
			out = append(out, b.Name().In(locale))
		}
	}
	return strings.Join(out, " · ")
}

// CheckIns are the words of the branches that the reader sees.
func (s *Service) CheckIns(ctx context.Context, id string) (out []CheckIn, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := get(ctx, tx, id); err != nil {
			return err
		}
		out, err = checkIns(ctx, tx, id, "")
		return err
	})
	return out, err
}

// Shares are, by week of the campaign, how often the places that pick names kept
// their behaviours on days on duty.
func (w Wave) Shares(said []CheckIn, now time.Time, pick func(Place) bool) map[int]float64 {
	zone := w.Start.Location()
	word := make(map[string]CheckIn, len(said))
	for _, c := range said {
		word[c.Unit+c.Day.Format(time.DateOnly)+c.Behaviour] = c
	}
	kept, asked := map[int]int{}, map[int]int{}
	first, today := dayOf(w.Start, zone), dayOf(now, zone)
	for _, p := range w.Places {
		if !pick(p) || p.Cohort < 0 {
			continue
		}
		for d := dayOf(w.Begins(p.Cohort), zone); d.Before(dayOf(w.Ends(p.Cohort), zone)) && d.Before(today); d = d.AddDate(0, 0, 1) {
			week := int(d.Sub(first).Hours()/24) / 7
			for _, b := range w.Behaviours {
				c, has := word[p.Unit+d.Format(time.DateOnly)+b]
				if !has && (d.Weekday() == time.Saturday || d.Weekday() == time.Sunday) || has && c.Reason == "no_occasion" {
					continue
				}
				asked[week]++
				if has && c.Kept {
					kept[week]++
				}
			}
		}
	}
	out := map[int]float64{}
	for week, n := range asked {
		out[week] = float64(kept[week]) / float64(n)
	}
	return out
}
