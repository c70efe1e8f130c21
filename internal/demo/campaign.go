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
	"omote/internal/governance/ledger"
	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
	"omote/internal/program"
	"omote/internal/program/packs"
	"omote/internal/program/wave"
)

// campaign is a campaign of behaviour: the same draw decides which branches of the
// simulated bank get better, and which branches the product says begin.
type campaign struct {
	script
	start   time.Time // Monday, midnight of the bank's zone
	design  rollout.Design
	cohorts map[string]int // by the bank's code of the branch
}

// script is what a campaign of the demo is, and what it does in the simulated bank,
// which the product does not know.
type script struct {
	ago        int // days from its first Monday to the end of the history
	title      approval.Text
	change     approval.Text // the initiative behind it
	why        string
	behaviours []string
	metric     string
	node       string // of the strategy
	step       string
	cost       int64
	truth      bank.Effect
}

// campaignDays is how long a campaign lasts in a branch.
const campaignDays = 60

// scripts are one campaign that is over, whose effect went to the value ledger, and one
// in whose weeks the demo opens.
var scripts = []script{
	{ago: 185, title: bi("60 ngày: hỏi thăm khi khách chờ lâu", "60 days: a word when the wait grows"), change: bi("Hỏi thăm và chia luồng khi khách chờ lâu", "A word and another way when the wait grows"),
		why:        "Khách chờ quá mười phút mà không ai nói gì thì bỏ về; mời hẹn giờ hoặc làm trên điện thoại thì hàng chờ ngắn lại.",
		behaviours: []string{"b_wait_word", "b_greet"}, metric: "branch_walkout_rate", node: "walkout", step: "branch_ticket_issued", cost: 6_000_000,
		truth: bank.Effect{ID: "campaign_wait_word", En: "Campaign: a word when the wait grows, in three waves", Vi: "Chiến dịch: hỏi thăm khi khách chờ lâu, ba đợt", Moves: []bank.Move{{Lever: bank.BranchWait, Size: 0.5}}}},
	{ago: 56, title: bi("60 ngày: hỏi lại trước khi chào khách", "60 days: check before goodbye"), change: bi("Hỏi lại trước khi chào khách ở mọi chi nhánh", "Check before goodbye, in every branch"),
		why:        "Một câu hỏi lại trước khi chào giúp khách không phải quay lại. Cần biết điều đó có thật và có còn lại không.",
		behaviours: []string{"b_close_check", "b_restate"}, metric: "csat_branch", node: "branchcsat", step: "branch_service_completed", cost: 9_000_000,
		truth: bank.Effect{ID: "campaign_close_check", En: "Campaign: check before goodbye, in three waves", Vi: "Chiến dịch: hỏi lại trước khi chào, ba đợt", Moves: []bank.Move{{Lever: bank.StaffCare, Size: 0.4}}}},
}

// campaignsOf draws the campaigns for which the history is long enough.
func campaignsOf(seed uint64, start, end time.Time) (out []*campaign) {
	for i, x := range scripts {
		if c := campaignOf(x, seed*0x9e3779b97f4a7c15+60+uint64(i)*1000, start, end); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// campaignOf draws a campaign, or gives nil where the history is too short for it.
func campaignOf(x script, seed uint64, start, end time.Time) *campaign {
	c := &campaign{script: x, start: end.AddDate(0, 0, -x.ago), design: rollout.Design{Cohorts: 3, Every: 3, HoldOut: 0.25, Seed: seed}, cohorts: map[string]int{}}
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
	e := c.truth
	e.Kind, e.Truth, e.HalfLife = "training", "helps", 400
	e.FromDay, e.Waves, e.EveryDays, e.Cohorts = int(c.start.Sub(start).Hours()/24+0.5), c.design.Cohorts, 7*c.design.Every, c.cohorts
	return e
}

// seedCampaigns plays each campaign from its plan to today, week by week.
func (s *steerer) seedCampaigns(a *app.App, seed uint64) {
	for _, c := range campaignsOf(seed, s.bank.Config().Start, s.bank.Config().End) {
		p, approvals, err := a.ProgramAt(s.clock, func() uint64 { return c.design.Seed })
		if s.note(err) {
			s.seedCampaign(a.System(s.ctx), p, approvals, c)
		}
	}
}

func (s *steerer) seedCampaign(system context.Context, p *program.Program, approvals *approval.Service, c *campaign) {
	end := s.bank.Config().End
	s.at(s.days(c.start) + 30)
	id := s.open("cxlead", "/", c.node, initiative.Initiative{Title: c.change, Owner: "journey_owner", Journey: "branch_visit", Why: c.why, Days: 120, Units: len(c.cohorts), Budget: c.cost,
		Steps: []string{c.step}, Start: c.start, Source: initiative.Source{Kind: "pain", Label: "Chờ lâu tại quầy"}})
	s.note(s.Initiatives.SetCase(s.as("cxlead"), id, caseOf(7_000, 0.004, 0.02, float64(c.cost), float64(c.cost)/10),
		initiative.StopRule{Metric: c.metric, Value: 0.5, Day: c.start.AddDate(0, 0, 120)}))
	s.note(s.Initiatives.Register(s.as("analyst"), id, "staggered"))
	s.at(s.days(c.start) + 25)
	s.pass(id, "Góp ý của khách trong sáu tháng; hai buổi quan sát tại quầy")
	design := c.design
	design.Seed = 0
	s.at(s.days(c.start) + 14)
	d, err := p.Waves.Plan(s.as("cxlead"), "/", nil, wave.Wave{Title: c.title, Why: c.why, Behaviours: c.behaviours, Metric: c.metric, Initiative: id, Start: c.start, Design: design,
		Days: campaignDays, Follow: 120, PerWeek: 2, Cost: c.cost, Currency: "VND"})
	if !s.note(err) {
		return
	}
	s.pass(id, "Thử tại hai chi nhánh; vai trò từng bước đã ban hành")
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
	s.at(s.days(c.start) + 2)
	s.pass(id, "Người dạy, lịch và danh sách đã chốt")
	s.weeks(system, p, d, end)
	if s.err != nil {
		return
	}
	s.at(0)
	_, err = p.Waves.Read(s.as("cxlead"), d.ID)
	s.note(err)
	if d.Look().Before(end) {
		s.campaignMoney(p, d, id)
	}
}

// campaignMoney enters the final effect in the ledger on the days after it was read, and
// has finance sign what may be booked. The measure counts every visit, so no other
// reach is given.
func (s *steerer) campaignMoney(p *program.Program, d wave.Doc, initiativeID string) {
	s.at(s.days(d.Look()) - 12)
	line, err := p.Waves.EnterValue(s.as("analyst"), d.ID, wave.Money{Kept: wave.Range{Low: 0.025, Mid: 0.035, High: 0.045}, Margin: wave.Range{Low: 1_100_000, Mid: 1_200_000, High: 1_300_000},
		Months: 12, Rate: 0.11, Fade: 0.4, Method: "Khối Tài chính, bản 7; hồi quy có hiệu chỉnh trên lịch sử rời bỏ"})
	if errs.KindOf(err) == errs.KindConflict || !s.note(err) { // too few visits in a small demo
		return
	}
	q, err := s.Ledger.ProposeBooking(s.as("analyst"), line)
	s.approve("taichinh", q, err)
	booked, err := s.Ledger.Get(s.as("analyst"), line)
	if !s.note(err) || booked.State != ledger.Booked { // what is not proven to pay is not taken further
		return
	}
	s.note(s.Initiatives.Conclude(s.as("cxlead"), initiativeID, "scale", "Khách bỏ về ít hơn rõ ở giờ đông; chi nhánh nào bỏ nhắc việc thì phai sau ba tháng."))
	s.pass(initiativeID, "Chỉ số đối trọng không xấu đi trong kỳ đo")
}

// weeks plays the champions and the observers, one week at a time, and has the
// effect read now and then.
func (s *steerer) weeks(system context.Context, p *program.Program, d wave.Doc, end time.Time) {
	first := time.Date(d.Start.Year(), d.Start.Month(), d.Start.Day(), 0, 0, 0, 0, time.UTC)
	final := false
	for week, k := first.AddDate(0, 0, -wave.BeforeDays), -2; d.Local(week).Before(end) && s.err == nil; week, k = week.AddDate(0, 0, 7), k+1 {
		until := week.AddDate(0, 0, 7)
		if at := d.Local(until); at.After(end) {
			until = time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, time.UTC)
		}
		s.clock.Set(d.Local(until).Add(-time.Hour))
		s.note(PlayWeek(system, p, d, week, until))
		if k == 6 {
			for _, pl := range d.Places {
				if pl.Cohort == 1 {
					s.note(p.Waves.DropOut(s.as("cxlead"), d.ID, pl.Unit, "Chi nhánh chuyển trụ sở, không đủ người trong hai tháng"))
					break
				}
			}
			var err error
			d, err = p.Waves.Get(s.as("cxlead"), d.ID)
			s.note(err)
		}
		over := !s.clock.Now().Before(d.Look().AddDate(0, 0, 7)) // the last whole week is in
		if k == 6 || over && !final {
			final = over
			_, err := p.Waves.Read(s.as("cxlead"), d.ID)
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
