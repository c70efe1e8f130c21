package demo

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"omote/analytics/rollout"
	"omote/bank"
	"omote/internal/app"
	"omote/internal/governance/initiative"
	"omote/internal/program"
	"omote/internal/program/packs"
	"omote/internal/program/wave"
)

// campaign is the demo's campaign of behaviour: the same draw decides which branches
// of the simulated bank get better, and which branches the product says begin.
type campaign struct {
	start   time.Time // Monday, midnight of the bank's zone
	design  rollout.Design
	cohorts map[string]int // by the bank's code of the branch
}

// What the campaign does in the simulated bank; the product does not know it.
const (
	campaignCare = 0.4 // standard deviations of felt service
	campaignDays = 60
	campaignAgo  = 56 // days from its first Monday to the end of the history
)

// campaignOf draws the campaign, or gives nil where the history is too short for one.
func campaignOf(seed uint64, start, end time.Time) *campaign {
	c := &campaign{start: end.AddDate(0, 0, -campaignAgo), design: rollout.Design{Cohorts: 3, Every: 3, HoldOut: 0.25, Seed: seed*0x9e3779b97f4a7c15 + 60}, cohorts: map[string]int{}}
	c.start = c.start.AddDate(0, 0, -(int(c.start.Weekday())+6)%7)
	if c.start.AddDate(0, 0, -7*wave.Baseline-21).Before(start) {
		return nil
	}
	branches := bank.Branches()
	units := make([]rollout.Unit, len(branches))
	regions := map[string]string{}
	for _, r := range bank.Regions {
		regions[r.Code] = r.Vi
	}
	for i, b := range branches {
		units[i] = rollout.Unit{ID: strings.ToLower(b.Code), Stratum: regions[b.Region], Baseline: math.NaN()}
	}
	var dealt []int
	for dealt == nil || dealt[0] == rollout.HeldOut { // the champion who can sign in has something to do
		c.design.Seed++
		var err error
		if dealt, err = rollout.Assign(units, c.design); err != nil {
			return nil // fewer branches than groups
		}
	}
	for i, k := range dealt {
		if k != rollout.HeldOut {
			c.cohorts[branches[i].Code] = k
		}
	}
	return c
}

// effect is what happens in the simulated bank.
func (c *campaign) effect(start time.Time) bank.Effect {
	return bank.Effect{ID: "campaign_wait_word", Kind: "training", En: "Campaign: a word when the wait grows, in three waves", Vi: "Chiến dịch: hỏi thăm khi khách chờ lâu, ba đợt",
		FromDay: int(c.start.Sub(start).Hours()/24 + 0.5), Waves: c.design.Cohorts, EveryDays: 7 * c.design.Every, Cohorts: c.cohorts, HalfLife: 400, Truth: "helps",
		Moves: []bank.Move{{Lever: bank.StaffCare, Size: campaignCare}}}
}

// seedCampaign plays the campaign from its plan to today, week by week.
func (s *steerer) seedCampaign(a *app.App, seed uint64) {
	end := s.bank.Config().End
	c := campaignOf(seed, s.bank.Config().Start, end)
	if c == nil {
		return
	}
	p, approvals, err := a.ProgramAt(s.clock, func() uint64 { return c.design.Seed })
	if !s.note(err) {
		return
	}
	s.at(s.days(c.start) + 30)
	id := s.open("cxlead", "/", "branchcsat", initiative.Initiative{Title: bi("Hỏi thăm khi khách chờ lâu ở mọi chi nhánh", "A word when the wait grows, in every branch"), Owner: "journey_owner", Journey: "branch_visit",
		Why: "Khách chờ quá mười phút mà không ai nói gì; đào tạo một lần thì phai.", Days: 120, Units: len(c.cohorts), Budget: 240_000_000, Steps: []string{"branch_called_to_counter"}, Start: c.start,
		Source: initiative.Source{Kind: "pain", Label: "Chờ lâu tại quầy"}, Method: "staggered"})
	design := c.design
	design.Seed = 0
	s.at(s.days(c.start) + 14)
	d, err := p.Waves.Plan(s.as("cxlead"), "/", nil, wave.Wave{Title: bi("60 ngày: hỏi thăm khi khách chờ lâu", "60 days: a word when the wait grows"),
		Why: "Một câu hỏi thăm đúng lúc đổi được cảm nhận của cả lượt chờ. Cần biết điều đó có thật và có còn lại không.", Behaviours: []string{"b_wait_word", "b_close_check"},
		Metric: "csat_branch", Initiative: id, Start: c.start, Design: design, Days: campaignDays, Follow: 120, PerWeek: 2, Cost: 240_000_000, Currency: "VND"})
	if !s.note(err) {
		return
	}
	s.at(s.days(c.start) + 9)
	q, err := p.Waves.Propose(s.as("cxlead"), d.ID)
	s.note(err)
	if s.err != nil {
		return
	}
	_, err = approvals.Decide(s.as("hoidong"), q.ID, true, "")
	s.note(err)
	if d, err = p.Waves.Get(s.as("cxlead"), d.ID); !s.note(err) {
		return
	}
	for _, pl := range d.Places {
		if want, ok := c.cohorts[strings.ToUpper(pl.Code)]; ok != (pl.Cohort != rollout.HeldOut) || ok && want != pl.Cohort {
			s.note(fmt.Errorf("the campaign of the demo was dealt in another order than that of the bank: %s", pl.Code))
			return
		}
	}
	s.weeks(a.System(s.ctx), p, d, end)
	if s.err != nil {
		return
	}
	s.at(0)
	read, err := p.Waves.Read(s.as("cxlead"), d.ID)
	if s.note(err) && read.Final && read.Effect != nil {
		_, err = p.Waves.EnterValue(s.as("analyst"), d.ID, wave.Money{Kept: wave.Range{Low: 0.025, Mid: 0.035, High: 0.045}, Margin: wave.Range{Low: 1_100_000, Mid: 1_200_000, High: 1_300_000},
			Months: 12, Rate: 0.11, Fade: 0.4, Method: "Khối Tài chính, bản 7; hồi quy có hiệu chỉnh trên lịch sử rời bỏ"})
		s.note(err)
	}
}

// weeks plays the champions and the observers, one week at a time, and has the
// effect read now and then.
func (s *steerer) weeks(system context.Context, p *program.Program, d wave.Doc, end time.Time) {
	first := time.Date(d.Start.Year(), d.Start.Month(), d.Start.Day(), 0, 0, 0, 0, time.UTC)
	dropped := false
	for week, k := first.AddDate(0, 0, -wave.BeforeDays), -2; d.Local(week).Before(end) && s.err == nil; week, k = week.AddDate(0, 0, 7), k+1 {
		until := week.AddDate(0, 0, 7)
		if at := d.Local(until); at.After(end) {
			until = time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, time.UTC)
		}
		s.clock.Set(d.Local(until).Add(-time.Hour))
		s.note(PlayWeek(system, p, d, week, until))
		if k == 6 && !dropped {
			dropped = true
			for _, pl := range d.Places {
				if pl.Cohort == 1 {
					s.note(p.Waves.DropOut(s.as("cxlead"), d.ID, pl.Unit, "Chi nhánh chuyển trụ sở, không đủ người trong hai tháng"))
					break
				}
			}
			var err error
			d, err = p.Waves.Get(s.as("cxlead"), d.ID)
			s.note(err)
			_, err = p.Waves.Read(s.as("cxlead"), d.ID)
			s.note(err)
		}
	}
}

// PlayWeek plays the champions and the observers of a campaign's branches on the days
// from a Monday up to, not including, until.
func PlayWeek(ctx context.Context, p *program.Program, d wave.Doc, week, until time.Time) error {
	var said []wave.CheckIn
	var seen []wave.Observation
	for _, pl := range d.Places {
		if !pl.Out.IsZero() {
			continue
		}
		team := newTeam(d, pl)
		said = append(said, team.checkIns(d, pl, week, until)...)
		seen = append(seen, team.observations(p.Pack, d, pl, week, until)...)
	}
	if len(said) > 0 {
		if _, err := p.Waves.CheckIn(ctx, d.ID, said...); err != nil {
			return err
		}
	}
	if len(seen) == 0 {
		return nil
	}
	_, err := p.Waves.Observe(ctx, d.ID, seen...)
	return err
}

// team plays the people of a branch: some take a habit up soon, some late.
type team struct {
	rnd  *rand.Rand
	zeal float64 // of the branch, about −1 to 1
}

func newTeam(d wave.Doc, pl wave.Place) team {
	h := fnv.New64a()
	fmt.Fprint(h, pl.Code)
	r := rand.New(rand.NewPCG(d.Design.Seed, h.Sum64()))
	return team{rnd: r, zeal: r.NormFloat64() * 0.5}
}

// keeps is how likely the team keeps the behaviour some days after it began.
func (t team) keeps(since float64) float64 {
	switch {
	case since < 0:
		return 0.30 + 0.05*t.zeal
	case since >= campaignDays: // no reminders any more: some of it goes
		return min(0.95, 0.66+0.1*t.zeal)
	}
	return min(0.97, 0.35+0.5*(1-math.Exp(-since/14))+0.1*t.zeal)
}

func (t team) checkIns(d wave.Doc, pl wave.Place, from, until time.Time) (out []wave.CheckIn) {
	r := rand.New(rand.NewPCG(t.rnd.Uint64(), uint64(from.Unix())))
	for day := from; day.Before(until); day = day.AddDate(0, 0, 1) {
		at := d.Local(day)
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday || !d.Active(pl, at) || r.Float64() < 0.06 {
			continue
		}
		for _, b := range d.Behaviours {
			c := wave.CheckIn{Unit: pl.Unit, Day: day, Behaviour: b, Kept: r.Float64() < t.keeps(at.Sub(d.Begins(pl.Cohort)).Hours()/24)}
			if !c.Kept && r.Float64() < 0.6 {
				c.Reason = wave.Reasons[1+r.IntN(len(wave.Reasons)-1)]
			}
			out = append(out, c)
		}
	}
	return out
}

func (t team) observations(pack *packs.Behaviours, d wave.Doc, pl wave.Place, from, until time.Time) (out []wave.Observation) {
	r := rand.New(rand.NewPCG(t.rnd.Uint64(), uint64(from.Unix())+1))
	for _, sl := range d.SlotsOf(pl, from) {
		if !sl.Day.Before(until) || r.Float64() < 0.15 { // some are missed
			continue
		}
		since := -1.0
		if pl.Cohort != rollout.HeldOut {
			since = d.Local(sl.Day).Sub(d.Begins(pl.Cohort)).Hours() / 24
		}
		b, _ := pack.Get(sl.Behaviour)
		good := r.Float64() < 0.9*t.keeps(since) // a visitor sees a little less than champions say
		for seat := 1; seat <= 2; seat++ {
			if seat == 2 && !sl.Blind {
				break
			}
			likely := 0.25
			if good {
				likely = 0.93
			}
			var answers strings.Builder
			for range b.Items {
				switch {
				case r.Float64() < 0.05:
					answers.WriteByte(byte(packs.NotSeen))
				case r.Float64() < likely:
					answers.WriteByte(byte(packs.Yes))
				default:
					answers.WriteByte(byte(packs.No))
				}
			}
			out = append(out, wave.Observation{Unit: pl.Unit, Slot: sl.ID, Seat: seat, Answers: answers.String()})
		}
	}
	return out
}
