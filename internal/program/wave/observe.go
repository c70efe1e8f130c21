package wave

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/program/packs"
)

// Slot is an interaction to be watched: a time drawn at random, so that nobody can
// show only the good hours.
type Slot struct {
	ID        string // "20260105-1": the Monday of its week and a number
	Unit      string
	Behaviour string
	Day       time.Time // midnight UTC of the local day
	Hour      int       // local; the half hour when Half
	Half      bool
	// Blind asks for a second observer who does not see what the first one saw.
	Blind bool
}

// blindEvery is how many observations there are to one with a second observer.
const blindEvery = 5

// GraceDays is for how many days after its day an observation is taken.
const GraceDays = 6

// Observation is what an observer saw.
type Observation struct {
	Unit      string
	Slot      string
	Seat      int // 1, or 2 for the blind second observer
	Day       time.Time
	Behaviour string
	Answers   string // an Answer per item of the checklist
	Met       bool
	Known     bool // enough was seen to tell
	By        string
	At        time.Time
}

// SlotsOf are the observations of a branch in the week of a Monday. They follow from
// the seed that was drawn, so they are the same whenever they are asked for.
func (w Wave) SlotsOf(p Place, week time.Time) []Slot {
	if week.Before(dayOf(w.Start, w.Start.Location()).AddDate(0, 0, -BeforeDays)) || !week.Before(dayOf(w.Over(), w.Start.Location())) || !p.Out.IsZero() && week.After(p.Out) {
		return nil
	}
	h := fnv.New64a()
	fmt.Fprint(h, p.Code, " ", week.Format(time.DateOnly))
	r := rand.NewPCG(w.Design.Seed, h.Sum64())
	below := func(n int) int { return int(r.Uint64() % uint64(n)) }
	out := make([]Slot, w.PerWeek)
	for i := range out {
		half := below(14) // half hours from 8:00 to 11:00 and from 13:30 to 16:30
		minutes := 8*60 + 30*half
		if half > 6 {
			minutes = 13*60 + 30*(half-6)
		}
		out[i] = Slot{ID: fmt.Sprintf("%s-%d", week.Format("20060102"), i+1), Unit: p.Unit, Behaviour: w.Behaviours[below(len(w.Behaviours))], Day: week.AddDate(0, 0, below(5)),
			Hour: minutes / 60, Half: minutes%60 != 0, Blind: below(blindEvery) == 0}
	}
	return out
}

// Slot finds a slot of a branch by its id.
func (w Wave) Slot(unit, id string) (Slot, bool) {
	p, ok := w.Place(unit)
	day, _, cut := strings.Cut(id, "-")
	week, err := time.Parse("20060102", day)
	if !ok || !cut || err != nil || week.Weekday() != time.Monday {
		return Slot{}, false
	}
	for _, s := range w.SlotsOf(p, week) {
		if s.ID == id {
			return s, true
		}
	}
	return Slot{}, false
}

// Due is an observation that is asked for.
type Due struct {
	Wave Doc
	Slot
	Place Place
	Seats []int // those that nobody has taken
}

// Due gives the observations of a wave that can be made now, at most max, the
// oldest first. An actor sees no seat beside their own.
func (s *Service) Due(ctx context.Context, id string, max int) (out []Due, err error) {
	if err := auth.Require(ctx, PermCheckIn, ""); err != nil {
		return nil, err
	}
	err = s.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		done, err := observations(ctx, tx, id, "")
		if err != nil {
			return err
		}
		out = d.due(tx, done, max)
		return nil
	})
	return out, err
}

func (d Doc) due(tx store.Tx, done []Observation, max int) (out []Due) {
	if d.State != Drawn {
		return nil
	}
	type seat struct {
		unit, slot string
		n          int
	}
	taken, mine := map[seat]bool{}, map[seat]bool{}
	for _, o := range done {
		taken[seat{o.Unit, o.Slot, o.Seat}] = true
		if o.By == tx.Scope.Actor {
			mine[seat{o.Unit, o.Slot, 0}] = true
		}
	}
	today := dayOf(tx.Now().Time(), d.Start.Location())
	for week := monday(today.AddDate(0, 0, -GraceDays)); !week.After(today); week = week.AddDate(0, 0, 7) {
		for _, p := range d.Places {
			if !tx.Scope.Sees(p.Unit) {
				continue
			}
			for _, sl := range d.SlotsOf(p, week) {
				if sl.Day.After(today) || sl.Day.AddDate(0, 0, GraceDays).Before(today) || mine[seat{p.Unit, sl.ID, 0}] {
					continue
				}
				one := Due{Wave: d, Slot: sl, Place: p}
				for n := 1; n <= 2; n++ {
					if (n == 1 || sl.Blind) && !taken[seat{p.Unit, sl.ID, n}] {
						one.Seats = append(one.Seats, n)
					}
				}
				if len(one.Seats) > 0 {
					out = append(out, one)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Due) int { return a.Day.Compare(b.Day) })
	return out[:min(len(out), max)]
}

// Observe takes what was seen. Each must be a slot that was drawn, and each seat of
// it is filled once: sending twice does what sending once does. One person takes one
// seat only.
func (s *Service) Observe(ctx context.Context, id string, all ...Observation) (added int, err error) {
	if err := auth.Require(ctx, PermCheckIn, ""); err != nil {
		return 0, err
	}
	if len(all) == 0 || len(all) > MaxCheckIns {
		return 0, errs.Invalid("program.checkin.error.count", "", "1 to %d observations at once", MaxCheckIns).With("max", MaxCheckIns)
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
		var done []Observation
		if len(all) == 1 { // a person at the phone: who took the other seat?
			if done, err = observations(ctx, tx, id, all[0].Unit); err != nil {
				return err
			}
		}
		seen := slices.Clone(all)
		for i := range seen {
			if err := s.seen(ctx, tx, d.Wave, &seen[i], today, done); err != nil {
				return err
			}
		}
		if added, err = putObservations(ctx, tx, id, seen); err != nil || added == 0 {
			return err
		}
		entry := audit.Entry{Action: "program.wave.observe", Object: "wave/" + id, After: map[string]int{"observations": added}}
		if len(seen) == 1 {
			entry.After = seen[0]
		}
		return audit.Record(ctx, tx, entry)
	})
	return added, err
}

// seen checks one observation and judges it by the standard.
func (s *Service) seen(ctx context.Context, tx store.Tx, w Wave, o *Observation, today time.Time, done []Observation) error {
	if !tx.Scope.Sees(o.Unit) {
		return errs.Denied("program.error.unit", "%s lies beyond the actor's place", o.Unit).With("unit", o.Unit)
	}
	if err := auth.Require(ctx, PermCheckIn, o.Unit); err != nil {
		return err
	}
	sl, ok := w.Slot(o.Unit, o.Slot)
	if !ok || o.Seat != 1 && !(o.Seat == 2 && sl.Blind) {
		return errs.Invalid("program.observe.error.slot", "slot", "no observation %s was drawn for %s", o.Slot, o.Unit).With("slot", o.Slot)
	}
	if sl.Day.After(today) || sl.Day.AddDate(0, 0, GraceDays).Before(today) && !tx.Scope.System {
		return errs.Conflict("program.observe.error.day", "the observation is for %s", sl.Day.Format(time.DateOnly)).With("days", GraceDays)
	}
	for _, other := range done {
		if other.Slot == o.Slot && other.Seat != o.Seat && other.By == tx.Scope.Actor {
			return errs.Conflict("program.observe.error.same", "the second observer is another person")
		}
	}
	b, _ := s.Pack.Get(sl.Behaviour)
	if len(o.Answers) != len(b.Items) || strings.Trim(o.Answers, "yn-") != "" {
		return errs.Invalid("program.observe.error.answers", "answers", "each of the %d items is seen, not seen or missing", len(b.Items)).With("count", len(b.Items))
	}
	o.Day, o.Behaviour = sl.Day, sl.Behaviour
	o.Met, o.Known = b.Met([]packs.Answer(o.Answers))
	return nil
}

// Seen counts first observations since an instant, over all campaigns that the
// reader sees, and how many of them met the standard.
func (s *Service) Seen(ctx context.Context, since time.Time) (met, n int, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return 0, 0, err
	}
	err = s.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		met, n = 0, 0
		all, err := list(ctx, tx, Drawn)
		if err != nil {
			return err
		}
		for _, d := range all {
			seen, err := observations(ctx, tx, d.ID, "")
			if err != nil {
				return err
			}
			for _, o := range seen {
				if p, _ := d.Place(o.Unit); o.Seat == 1 && o.Known && o.At.After(since) && p.Cohort >= 0 && !o.Day.Before(dayOf(d.Begins(p.Cohort), d.Start.Location())) {
					n++
					if o.Met {
						met++
					}
				}
			}
		}
		return nil
	})
	return met, n, err
}
