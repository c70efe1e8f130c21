package wave

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"omote/analytics/rollout"
	"omote/analytics/stats"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Step is the effect some weeks after a branch began.
type Step struct {
	From  int     `json:"from"` // weeks since the beginning, From ≤ week < To
	To    int     `json:"to"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	N     float64 `json:"n"`
}

// Reading is what the campaign had done by a day.
type Reading struct {
	Day   time.Time `json:"day"` // midnight UTC of the local day
	Final bool      `json:"-"`

	Metric  string        `json:"metric"`
	Version int           `json:"version"`
	Name    approval.Text `json:"name"`
	Unit    string        `json:"unit"`
	Lower   bool          `json:"lower"`
	Latest  time.Time     `json:"latest,omitzero"`

	// Effect is what customers felt of it; nil while too few weeks can be compared.
	Effect *rollout.Effect `json:"effect,omitempty"`
	Steps  []Step          `json:"steps,omitempty"`
	// PerYear is how many of what the metric counts the branches have in a year.
	PerYear float64 `json:"per_year"`
	// Before is the same comparison among weeks in which nobody had begun: it should
	// find nothing.
	Before *rollout.Effect `json:"before,omitempty"`
	// Behaviour is the effect on what observers saw.
	Behaviour *rollout.Effect `json:"behaviour,omitempty"`
	// Retained is what remained of the behaviour; nil before the follow-up.
	Retained *rollout.Retained `json:"retained,omitempty"`
	// Agreement is that of blind second observers.
	Agreement    stats.Estimate `json:"agreement"`
	Observations int            `json:"observations"`
	// Adoption is, by cohort, the share of branches with the habit, by day on duty.
	Adoption [][]stats.Estimate `json:"adoption"`
	// CheckedIn of Asked days and behaviours were answered.
	CheckedIn int `json:"checked_in"`
	Asked     int `json:"asked"`
}

// Better is the effect, upwards when it is good.
func (r Reading) Better() (e rollout.Effect, ok bool) {
	if r.Effect == nil {
		return e, false
	}
	e = *r.Effect
	if r.Lower {
		e.Value, e.Low, e.High = -e.Value, -e.High, -e.Low
	}
	return e, true
}

// CostPerPoint is what one point better costs, in minor units: a point is a
// hundredth for shares, one unit else. Most is infinite where the effect may be
// nothing.
func (w Wave) CostPerPoint(r Reading) (mid, least, most float64, ok bool) {
	e, ok := r.Better()
	if !ok || e.Value <= 0 || w.Cost == 0 {
		return 0, 0, 0, false
	}
	scale := 1.0
	if r.Unit == "share" {
		scale = 100
	}
	cost := float64(w.Cost)
	mid, least, most = cost/(e.Value*scale), cost/(e.High*scale), math.Inf(1)
	if e.Low > 0 {
		most = cost / (e.Low * scale)
	}
	return mid, least, most, true
}

// Readings are those of a campaign, oldest first. They speak of all its branches, so
// they are for those who see the whole of it.
func (s *Service) Readings(ctx context.Context, id string) (out []Reading, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := get(ctx, tx, id)
		if err != nil || !tx.Scope.Sees(d.Unit) {
			return err
		}
		out, err = readings(ctx, tx, id)
		return err
	})
	return out, err
}

// ReadAll reads every campaign that has begun, or is not over: the nightly work.
func (s *Service) ReadAll(ctx context.Context) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	var all []Doc
	err := s.Store.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		all, err = list(ctx, tx, Drawn)
		return err
	})
	if err != nil {
		return err
	}
	var failed []error
	for _, d := range all {
		now := s.Store.Clock().Now()
		if now.Before(d.Start) || now.After(d.Over().AddDate(0, 0, 7)) {
			continue
		}
		if _, err := s.Read(ctx, d.ID); err != nil {
			failed = append(failed, fmt.Errorf("campaign %s: %w", d.ID, err))
		}
	}
	return errors.Join(failed...)
}

// Read computes what the campaign has done so far and keeps it. The first reading on
// or after the day of the design is final: from then on the effect is taken from it.
// A campaign whose order is not the drawn one is refused.
func (s *Service) Read(ctx context.Context, id string) (r Reading, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return r, err
	}
	var d Doc
	var said []CheckIn
	var seen []Observation
	var before []Reading
	err = s.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if d, err = s.editable(ctx, tx, id, Drawn); err != nil {
			return err
		}
		if said, err = checkIns(ctx, tx, id, ""); err != nil {
			return err
		}
		if seen, err = observations(ctx, tx, id, ""); err != nil {
			return err
		}
		before, err = readings(ctx, tx, id)
		return err
	})
	if err != nil {
		return r, err
	}
	if err := d.Verify(); err != nil {
		return r, errs.Conflict("program.wave.error.tampered", "the order of branches is not the one that was drawn").Because(err)
	}
	now := s.Store.Clock().Now()
	if now.Before(d.Start) {
		return r, errs.Conflict("program.wave.error.early", "the campaign has not begun")
	}
	r.Day = dayOf(now, d.Start.Location())
	if last := finalOf(before); last != nil {
		r = *last
		r.Day, r.Final, r.CheckedIn, r.Asked, r.Observations = dayOf(now, d.Start.Location()), false, 0, 0, 0
		if last.Day.Equal(dayOf(now, d.Start.Location())) {
			return *last, nil
		}
	} else if err := s.measure(ctx, d.Wave, seen, &r, now); err != nil {
		return r, err
	}
	r.Final = !now.Before(d.Look()) && finalOf(before) == nil
	d.habits(said, seen, &r)
	err = s.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := putReading(ctx, tx, id, r); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "program.wave.read", Object: "wave/" + id, After: r})
	})
	return r, err
}

func finalOf(all []Reading) *Reading {
	for i := range all {
		if all[i].Final {
			return &all[i]
		}
	}
	return nil
}

// measure compares begun and waiting branches over the whole weeks so far.
func (s *Service) measure(ctx context.Context, w Wave, seen []Observation, r *Reading, now time.Time) error {
	zone := w.Start.Location()
	to := w.Local(monday(dayOf(now, zone)))
	if look := w.Local(monday(dayOf(w.Look(), zone))); to.After(look) {
		to = look
	}
	from := w.Start.AddDate(0, 0, -7*Baseline)
	o, err := s.Outcomes.Outcome(ctx, w.Metric, from, to)
	if err != nil {
		return err
	}
	r.Metric, r.Version, r.Name, r.Unit, r.Lower, r.Latest = o.Metric, o.Version, o.Name, o.Unit, o.Lower, o.Latest
	panel := w.panel(Baseline, from, to)
	var n float64
	for _, c := range o.Cells {
		if panel.add(c.Code, w.Local(c.Week), c.Sum, float64(c.N)) {
			n += float64(c.N)
		}
	}
	weeks := len(panel.N[0])
	if weeks > 0 {
		r.PerYear = n * 52 / float64(weeks)
	}
	opt := rollout.Options{To: (w.Days + 6) / 7, Seed: w.Design.Seed}
	if r.Effect, err = measured(panel.Panel, w, opt); err != nil {
		return err
	}
	for k := 0; r.Effect != nil && k < opt.To; k += 2 {
		part := opt
		part.From, part.To, part.Draws = k, k+2, 500
		e, err := measured(panel.Panel, w, part)
		if err != nil {
			return err
		}
		if e != nil {
			r.Steps = append(r.Steps, Step{From: k, To: k + 2, Value: e.Value, Low: e.Low, High: e.High, N: e.N})
		}
	}
	if r.Before, err = measured(panel.early(Baseline), w, rollout.Options{Seed: w.Design.Seed, Draws: 500}); err != nil {
		return err
	}
	watched := w.panel(BeforeDays/7, w.Start.AddDate(0, 0, -BeforeDays), to)
	for _, x := range seen {
		if x.Seat == 1 && x.Known {
			watched.add(w.codeOf(x.Unit), w.Local(monday(x.Day)), one(x.Met), 1)
		}
	}
	r.Behaviour, err = measured(watched.Panel, w, opt)
	return err
}

// measured is nil where there is too little to say.
func measured(p rollout.Panel, w Wave, o rollout.Options) (*rollout.Effect, error) {
	e, err := rollout.Measure(p, w.Design, w.cohorts(), o)
	if errors.Is(err, rollout.ErrFew) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &e, nil
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (w Wave) codeOf(unit string) string {
	p, _ := w.Place(unit)
	return p.Code
}

// panel is an empty panel of whole weeks.
type panel struct {
	rollout.Panel
	from time.Time
	row  map[string]int
}

func (w Wave) panel(before int, from, to time.Time) panel {
	// Noon keeps a change of summer time from losing a week.
	weeks := max(before, int(to.Add(12*time.Hour).Sub(from).Hours()/24)/7)
	p := panel{Panel: rollout.Panel{Units: w.units(), Before: before}, from: from, row: map[string]int{}}
	for i, place := range w.Places {
		p.row[place.Code] = i
		p.Sum, p.N = append(p.Sum, make([]float64, weeks)), append(p.N, make([]float64, weeks))
	}
	return p
}

func (p panel) add(code string, week time.Time, sum, n float64) bool {
	i, ok := p.row[code]
	t := int(week.Add(12*time.Hour).Sub(p.from).Hours()/24) / 7
	if !ok || week.Before(p.from) || t >= len(p.N[i]) {
		return false
	}
	p.Sum[i][t] += sum
	p.N[i][t] += n
	return true
}

// early are the weeks before the campaign as if it had begun in their middle.
func (p panel) early(weeks int) rollout.Panel {
	out := rollout.Panel{Units: p.Units, Before: weeks / 2}
	for i := range p.N {
		out.N, out.Sum = append(out.N, p.N[i][:weeks]), append(out.Sum, p.Sum[i][:weeks])
	}
	return out
}

// habits are adoption, observers' agreement and what remained.
func (d Doc) habits(said []CheckIn, seen []Observation, r *Reading) {
	kept := d.keptDays(Place{}, said, r.Day)
	r.Adoption = make([][]stats.Estimate, d.Design.Cohorts)
	for c := range r.Adoption {
		var units [][]bool
		for _, p := range d.Places {
			if p.Cohort != c {
				continue
			}
			for _, b := range d.Behaviours {
				units = append(units, kept[p.Unit][b])
				r.Asked += len(kept[p.Unit][b])
			}
		}
		r.Adoption[c] = rollout.Adoption(units)
	}
	r.CheckedIn = len(said)
	first := map[string]bool{}
	for _, o := range seen {
		if o.Seat == 1 {
			r.Observations++
			if o.Known {
				first[o.Unit+o.Slot] = o.Met
			}
		}
	}
	var pairs [][2]bool
	for _, o := range seen {
		if met, ok := first[o.Unit+o.Slot]; o.Seat == 2 && o.Known && ok {
			pairs = append(pairs, [2]bool{met, o.Met})
		}
	}
	r.Agreement = stats.GwetAC1(pairs, 0)
	r.Retained = d.retained(seen, r.Day)
}

// retained compares, for cohorts whose follow-up is complete, what observers saw
// before, at the end, and at the follow-up.
func (d Doc) retained(seen []Observation, today time.Time) *rollout.Retained {
	zone := d.Start.Location()
	at := map[string]int{}
	var units []rollout.Kept
	for _, p := range d.Places {
		if p.Cohort >= 0 && !dayOf(d.Begins(p.Cohort), zone).AddDate(0, 0, d.Follow+Window/2).After(today) {
			at[p.Unit] = len(units)
			units = append(units, rollout.Kept{})
		}
	}
	if len(units) == 0 {
		return nil
	}
	for _, o := range seen {
		i, ok := at[o.Unit]
		if !ok || o.Seat != 1 || !o.Known {
			continue
		}
		p, _ := d.Place(o.Unit)
		begin := dayOf(d.Begins(p.Cohort), zone)
		since := int(o.Day.Sub(begin).Hours() / 24)
		part := (*rollout.Seen)(nil)
		switch {
		case since < 0:
			part = &units[i].Before
		case since >= d.Days-Window && since < d.Days:
			part = &units[i].End
		case since >= d.Follow-Window/2 && since < d.Follow+Window/2:
			part = &units[i].Later
		}
		if part != nil {
			part.N++
			part.Met += one(o.Met)
		}
	}
	r, err := rollout.Retention(units, d.Design.Seed)
	if err != nil {
		return nil
	}
	return &r
}
