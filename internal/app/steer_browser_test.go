package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"omote/analytics/rollout"
	"omote/bank"
	"omote/internal/demo"
	"omote/internal/governance/initiative"
	"omote/internal/governance/measure"
	"omote/internal/governance/role"
	"omote/internal/insight/signal"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
	"omote/internal/program/wave"
	"omote/internal/testkit/browser"
)

// What is planted in the bank: the queues of one region fail on a day, and a campaign,
// once there is one, makes the branches that it comes to kinder.
const (
	queuesDay    = 170
	queuesDays   = 120
	queuesRegion = "BTB"
	campaignCare = 1.2 // standard deviations of felt service
)

func queues() bank.Effect {
	return bank.Effect{ID: "queues", Kind: "incident", FromDay: queuesDay, Days: queuesDays, Regions: []string{queuesRegion}, Truth: "harms",
		Moves: []bank.Move{{Lever: bank.BranchWait, Size: 4}}}
}

// TestSteerBrowserJourney follows a fall in experience to a signed line of money, on
// the simulated bank, through every page of the management, by the people whose work
// it is. The test moves the clock and lets the bank live; what the product knows it
// learns from events. On the way each of the rules that keep the loop honest refuses
// what it must.
func TestSteerBrowserJourney(t *testing.T) {
	b := browser.Start(t)
	s := newStage(t, b, 7, 8000, time.Date(2025, 8, 4, 2, 0, 0, 0, time.UTC), queues())
	s.until(s.day(queuesDay - 8))
	s.strategy()
	s.rolesAndDuties()
	found := s.signal()
	change := s.toWork(found)
	s.council(change)
	campaign := s.campaign(change)
	s.followCampaign(campaign)
	s.scored()
	line := s.toMoney(campaign)
	s.maturity()
	s.homes()
	s.board(line)
	t.Logf("%d events", s.events)
}

// strategy hangs a chain from a promise to a KPI into the empty tree.
func (s *stage) strategy() {
	p := s.as("cxlead")
	promise := s.node(p, "", "title.vi", "Thời gian của anh/chị được tôn trọng.", "title.en", "We respect your time.", "owner", "cxc")
	aim := s.node(p, promise, "title.vi", "Đến chi nhánh không phải chờ lâu", "title.en", "A visit to the branch without a long wait", "owner", "journey_owner")
	pain := s.node(p, aim, "title.vi", "Hài lòng tại quầy", "title.en", "Satisfaction at the counter", "owner", "journey_owner", "metric", "csat_branch", "journey", "branch_visit", "target", "0.85")
	s.node(p, pain, "title.vi", "Thời gian chờ", "title.en", "Wait at the counter", "owner", "branch_manager", "metric", "branch_wait_p90")
	p.Goto("/governance/strategy")
	p.WaitText("Satisfaction at the counter")
	s.sound(p)
	s.guide(p, "01-strategy")
	s.refused("a champion edits the strategy", "champion", "/governance/strategy", url.Values{"title.en": {"x"}}, http.StatusForbidden, "")
}

// seats of the council and who sits on them.
var councilSeats = []struct{ person, role string }{{"hoidong", "ceo"}, {"cxlead", "cx_lead"}, {"taichinh", "finance_partner"}, {"ruiro", "risk_validator"},
	{"congnghe", "it_owner"}, {"nhansu", "hr_partner"}, {"tongdai", "contact_centre_head"}, {"hanhtrinh", "journey_owner"}}

// rolesAndDuties fills the council's seats, gives the branch visit its duties, and is
// refused where two would answer for one step.
func (s *stage) rolesAndDuties() {
	p := s.as("cxlead")
	lead, _ := s.actor("cxlead")
	for k, seat := range councilSeats {
		_, ref := s.actor(seat.person)
		if k == 0 { // one by hand, as everybody would be
			p.Goto("/governance/roles")
			p.Send("/governance/roles", "role", seat.role, "holder", ref, "unit", "/")
			continue
		}
		_, err := s.gov.Roles.Assign(lead, "/", role.Assignment{Role: seat.role, Holder: ref})
		s.must(err)
	}
	j, err := s.gov.Roles.Duties(lead, "branch_visit")
	s.must(err)
	cells := func(doer role.Duty) (out []string) {
		for _, step := range j.Steps {
			out = append(out, "cell."+step.ID+".journey_owner", string(role.Accountable), "cell."+step.ID+".teller", string(doer))
		}
		return out
	}
	p.Goto("/governance/raci/branch_visit?role=journey_owner&role=teller")
	p.Send("/raci/branch_visit", cells(role.Accountable)...)
	p.WaitText("Exactly one may")
	s.guide(p, "02-two-accountable")
	p.Send("/raci/branch_visit", cells(role.Responsible)...)
	p.Send("/raci/branch_visit/proposal")
	second := p.Path()
	s.refused("the maker of the duties approves them", "cxlead", second+"/decision", url.Values{"verdict": {"approve"}}, http.StatusForbidden, "You proposed this yourself")
	s.decide("hoidong", second)
	p.Goto("/governance/raci/branch_visit")
	s.sound(p)
	s.guide(p, "03-duties")
	p.Goto("/governance/roles")
	s.guide(p, "04-roles")
}

// decide has a person approve a proposal at its address.
func (s *stage) decide(name, path string) {
	s.t.Helper()
	p := s.as(name)
	p.Goto(path)
	p.Send("/decision", "verdict", "approve")
}

// signal lets the weeks go by until somebody would be told, and gives the signal.
func (s *stage) signal() *signal.Signal {
	s.until(s.day(queuesDay))
	p := s.as("cxlead")
	for week := 1; ; week++ {
		s.until(s.day(queuesDay + 7*week))
		run, err := s.Signals().Look(s.ctx, nil)
		s.must(err)
		all, err := s.Signals().List(s.ctx, signal.Open)
		s.must(err)
		for _, one := range all {
			if strings.HasPrefix(one.Body.Metric, "branch_wait") {
				s.t.Logf("%s at %v on day %d, %d days after the queues failed; %d series", one.Body.Metric, one.Body.Place, queuesDay+7*week, 7*week, run.Series)
				return s.read(p, one, week)
			}
		}
		if week == 8 {
			s.t.Fatal("the planted failure never became a signal")
		}
	}
}

// read opens the signal as the lead does, takes it up, and looks at who may see it.
func (s *stage) read(p *browser.Page, one *signal.Signal, week int) *signal.Signal {
	p = s.as("cxlead")
	p.Goto("/")
	s.guide(p, "05-home-lead")
	p.Goto("/insight/signals")
	s.sound(p)
	s.guide(p, "06-signals")
	p.Goto("/insight/signals/" + one.ID)
	s.sound(p)
	s.guide(p, "07-signal")
	causes := one.Body.Tree.Causes
	if len(causes) == 0 || causes[0].Where[0].String() != "region="+strings.ToLower(queuesRegion) {
		s.t.Errorf("the first cause is not where the queues failed: %+v", causes)
	}
	// A branch in another region does not learn of it; a colleague there does.
	s.hire("chinhanh", "Mạc Văn Thí Dụ", auth.Champion, strings.ToLower(branchIn(func(r string) bool { return r != queuesRegion }).Path))
	s.hire("chinhanhmien", "Tạ Thị Phỏng", auth.Champion, strings.ToLower(branchIn(func(r string) bool { return r == queuesRegion }).Path))
	if one.Unit != "/" {
		s.refused("a branch elsewhere looks at the region's signal", "chinhanh", "/insight/signals/"+one.ID, nil, http.StatusNotFound, "")
	}
	p.Send("/acknowledge", "note", "Calling the five largest branches today.")
	p.WaitText("Calling the five largest branches")
	return one
}

func branchIn(region func(string) bool) bank.Branch {
	all := bank.Branches()
	return all[slices.IndexFunc(all, func(b bank.Branch) bool { return region(b.Region) })]
}

// toWork turns the signal into an initiative, and takes it through its first gates:
// refused without evidence, passed with it.
func (s *stage) toWork(one *signal.Signal) (id_ string) {
	p := s.as("hanhtrinh")
	p.Goto("/insight/signals/" + one.ID)
	p.Send("/work", "title", "A word when the wait grows, in every branch", "why", "Nobody speaks to people who wait; satisfaction falls with the queues.", "days", "120", "units", "58")
	id_ = id(p)
	at := "/governance/initiatives/" + id_
	p.Send(id_ + "/gate")
	s.guide(p, "08-gate-without-evidence")
	s.sound(p)
	start := s.monday(21)
	p.Goto(at)
	p.Send("/case", "customers.low", "2400", "customers.mid", "3000", "customers.high", "3300", "churn_drop.low", "0.004", "churn_drop.mid", "0.01", "churn_drop.high", "0.016",
		"margin.low", "1100000", "margin.mid", "1200000", "margin.high", "1300000", "contacts_avoided.low", "0.02", "contacts_avoided.mid", "0.05", "contacts_avoided.high", "0.08",
		"contact_cost.low", "20000", "contact_cost.mid", "25000", "contact_cost.high", "30000", "one_off.low", "9000000", "one_off.mid", "10000000", "one_off.high", "12000000",
		"running.low", "900000", "running.mid", "1000000", "running.high", "1200000", "fade.low", "0.05", "fade.mid", "0.15", "fade.high", "0.35",
		"rate", "0.11", "years", "3", "stop.metric", "csat_branch", "stop.value", "0.5", "stop.day", start.AddDate(0, 0, 120).Format(time.DateOnly))
	p.Send("/schedule", "start", start.Format(time.DateOnly))
	s.prove(p, id_, "Twenty customers of five branches were interviewed; the waits were counted.")
	p.Goto(at)
	s.guide(p, "09-initiative")
	p.Send(id_ + "/gate")
	second := p.Path()
	s.refused("the owner of the change opens its gate", "hanhtrinh", second+"/decision", url.Values{"verdict": {"approve"}}, http.StatusForbidden, "")
	s.decide("hoidong", second)
	return id_
}

// monday is a Monday at least some days from now.
func (s *stage) monday(days int) time.Time {
	t := s.clock.Now().In(bank.Zone).AddDate(0, 0, days)
	t = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, bank.Zone)
	for t.Weekday() != time.Monday {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

// prove brings in the people whom the present gate asks for, and evidence for what it lacks.
func (s *stage) prove(p *browser.Page, initiative, note string) {
	s.t.Helper()
	lead, _ := s.actor("hanhtrinh")
	v, err := s.gov.Initiatives.Get(lead, initiative)
	s.must(err)
	at := "/governance/initiatives/" + initiative
	for _, r := range v.Gate.Absent {
		p.Goto(at)
		p.Send("/join", "role", r)
	}
	for _, m := range v.Gate.Criteria {
		if !m.OK && m.By != "no" {
			p.Goto(at)
			p.Send("/evidence", "criterion", m.ID, "grade", "2", "note", note)
		}
	}
}

// council meets: an agenda from the data, a paper, no decision without a forecast,
// and a second signature that is not the secretary's.
func (s *stage) council(change string) {
	p := s.as("cxlead")
	p.Goto("/governance/decisions/new")
	p.Send("/governance/decisions", "type", "dt_prioritise", "title.vi", "Hỏi thăm khi khách chờ lâu", "title.en", "A word when the wait grows", "question", "Bring the behaviour to all branches, in random order?",
		"owner", "journey_owner", "grade", "3", "a0.vi", "Ba đợt, chọn ngẫu nhiên", "a0.en", "Three waves, drawn at random", "a0.low", "2000000", "a0.mid", "15000000", "a0.high", "40000000", "a0.grade", "3",
		"a1.vi", "Phát tờ rơi", "a1.en", "A leaflet", "a1.low", "-5000000", "a1.mid", "1000000", "a1.high", "8000000", "a1.grade", "2")
	paper := p.Path()
	p.Goto("/governance/council")
	s.sound(p)
	s.guide(p, "10-council")
	p.Send("/governance/council", "day", s.clock.Now().In(bank.Zone).Format(time.DateOnly), "kind", "ordinary")
	meeting := id(p)
	p.Send("/open")
	p.WaitText("members with a vote are present")
	present := []string{}
	for _, seat := range councilSeats {
		_, ref := s.actor(seat.person)
		present = append(present, "present", ref)
	}
	p.Goto("/governance/council/" + meeting)
	p.Send("/attendance", present...)
	p.Send("/open")
	s.guide(p, "11-meeting")
	p.Goto(paper)
	ballot := []string{"meeting", meeting, "chosen", "0", "for", "6", "against", "0", "abstain", "0"}
	p.Send("/proposal", ballot...)
	p.WaitText("This decision needs a forecast")
	s.guide(p, "12-no-forecast")
	now := s.figure("csat_branch", 28)
	p.Goto(paper)
	p.Send("/forecast", "metric", "csat_branch", "forecast.low", number(now.Value-0.04), "forecast.mid", number(now.Value+0.06), "forecast.high", number(min(0.99, now.Value+0.16)), "level", "80", "days", "28")
	p.Send("/proposal", ballot...)
	second := p.Path()
	s.refused("the secretary signs the council's decision", "cxlead", second+"/decision", url.Values{"verdict": {"approve"}}, http.StatusForbidden, "")
	s.decide("hoidong", second)
	p.Goto(paper)
	p.WaitText("Three waves, drawn at random")
	s.guide(p, "13-decision")
	p.Goto("/governance/council/" + meeting)
	p.Send("/close")
}

func number(x float64) string { return fmt.Sprintf("%.3f", x) }

// figure is a measure over the last days, as the registry has it.
func (s *stage) figure(metric string, days int) measure.Reading {
	s.t.Helper()
	analyst, _ := s.actor("analyst")
	now := s.clock.Now()
	r, err := s.gov.Registry.Over(analyst, metric, measure.Window{From: now.AddDate(0, 0, -days), To: now})
	s.must(err)
	if !r.Known {
		s.t.Fatalf("%s is not known: n = %d", metric, r.N)
	}
	return r
}

// campaign plans the roll-out, has it drawn by the approval of another, and lets the
// bank behave as the draw says.
func (s *stage) campaign(change string) wave.Doc {
	lead := s.as("cxlead")
	start := s.monday(14)
	lead.Goto("/program/waves/new")
	lead.Send("/program/waves", "title.vi", "60 ngày: hỏi thăm khi khách chờ lâu", "title.en", "60 days: a word when the wait grows", "why", "Nobody speaks to people who wait.",
		"behaviours", "b_wait_word", "behaviours", "b_close_check", "metric", "csat_branch", "initiative", change, "unit", "/", "start", start.Format(time.DateOnly), "cohorts", "3", "every", "3",
		"hold_out", "25%", "days", "60", "follow", "120", "per_week", "2", "cost", "3000000")
	campaign := id(lead)
	lead.Send(campaign + "/proposal")
	s.approve("hoidong", "60 days: a word when the wait grows")
	ctx, _ := s.actor("cxlead")
	d, err := s.program.Waves.Get(ctx, campaign)
	s.must(err)
	if d.State != wave.Drawn {
		s.t.Fatalf("the campaign is %s", d.State)
	}
	// The rest of the change's way to its branches, while the teams prepare.
	owner := s.as("hanhtrinh")
	owner.Goto("/governance/initiatives/" + change)
	owner.Send("/register", "method", "staggered")
	s.prove(owner, change, "Tried with eight customers in two branches; roles are named.")
	owner.Goto("/governance/initiatives/" + change)
	owner.Send(change + "/gate")
	s.decide("hoidong", owner.Path())
	cohorts := map[string]int{}
	for _, pl := range d.Places {
		if pl.Cohort != rollout.HeldOut {
			cohorts[strings.ToUpper(pl.Code)] = pl.Cohort
		}
	}
	s.plan(s.clock.Now(), queues(), bank.Effect{ID: "campaign", Kind: "training", FromDay: int(start.Sub(s.begin()).Hours()/24 + 0.5), Waves: 3, EveryDays: 21, Cohorts: cohorts, Truth: "helps",
		Moves: []bank.Move{{Lever: bank.StaffCare, Size: campaignCare}}})
	return d
}

func (s *stage) who(name string) context.Context { ctx, _ := s.actor(name); return ctx }

// followCampaign plays the weeks: the champion taps on the phone, observers look, the
// effect is read, an order that somebody bent is not read at all.
func (s *stage) followCampaign(d wave.Doc) {
	t := s.t
	begun := d.Places[slices.IndexFunc(d.Places, func(p wave.Place) bool { return p.Cohort == 0 })]
	s.hire("hatgiong", "Hồ Thị Ví Von", auth.Champion, begun.Unit)
	monday := time.Date(d.Start.Year(), d.Start.Month(), d.Start.Day(), 0, 0, 0, 0, time.UTC)
	play := func(from, to time.Time) { // Mondays
		for week := from; week.Before(to); week = week.AddDate(0, 0, 7) {
			s.clock.set(d.Local(week.AddDate(0, 0, 7)).Add(-time.Hour))
			s.must(demo.PlayWeek(s.ctx, s.program, d, week, week.AddDate(0, 0, 7)))
		}
	}
	play(monday.AddDate(0, 0, -wave.BeforeDays), monday.AddDate(0, 0, 7))
	s.until(d.Local(monday.AddDate(0, 0, 8)).Add(10 * time.Hour))
	phone := s.as("hatgiong")
	phone.Resize(browser.Phone)
	phone.Goto("/program/checkin")
	s.sound(phone)
	s.guide(phone, "14-checkin")
	phone.Send("/program/checkin", "said", "kept")
	phone.WaitText("✓")
	s.guide(phone, "15-checked-in")
	phone.Goto("/")
	s.sound(phone)
	s.guide(phone, "16-home-champion")
	s.ownUnitOnly(d, begun)
	s.refused("a branch reads the whole campaign's effect", "hatgiong", "/program/waves/"+d.ID+"/reading", url.Values{}, http.StatusForbidden, "")
	look := d.Look()
	for day := monday.AddDate(0, 0, 7); d.Local(day).Before(look.AddDate(0, 0, 7)); day = day.AddDate(0, 0, 28) {
		to := day.AddDate(0, 0, 28)
		if d.Local(to).After(look.AddDate(0, 0, 7)) {
			to = day.AddDate(0, 0, 7*((int(look.AddDate(0, 0, 7).Sub(d.Local(day)).Hours()/24)+6)/7))
		}
		play(day, to)
		s.until(d.Local(to).Add(9 * time.Hour))
	}
	lead := s.as("cxlead")
	at := "/program/waves/" + d.ID
	s.bend(d.ID, func() {
		lead.Goto(at)
		lead.Send("/reading")
		lead.WaitText("not the one that was drawn")
		s.guide(lead, "17-tampered")
	})
	lead.Goto(at)
	lead.Send("/reading")
	lead.Goto(at)
	s.guide(lead, "18-campaign")
	all, err := s.program.Waves.Readings(s.who("cxlead"), d.ID)
	s.must(err)
	last := all[len(all)-1]
	if last.Effect == nil || !slices.ContainsFunc(all, func(r wave.Reading) bool { return r.Final }) {
		t.Fatalf("no final effect: %+v", last)
	}
	t.Logf("effect %+.3f, %.3f to %.3f; behaviour %+v", last.Effect.Value, last.Effect.Low, last.Effect.High, last.Behaviour)
	lead.Goto(at + "/plan")
	s.sound(lead)
}

// ownUnitOnly is the head of a branch looking at another branch: its work, its plan,
// its check-ins.
func (s *stage) ownUnitOnly(d wave.Doc, begun wave.Place) {
	s.t.Helper()
	status, body := s.status("hatgiong", "/governance/initiatives", url.Values{"title.vi": {"Bảng số to hơn"}, "title.en": {"A larger board"}, "why": {"Elderly people cannot read it."}, "owner": {"unit_head"},
		"unit": {begun.Unit}, "source": {"idea"}, "journey": {"branch_visit"}, "days": {"21"}, "units": {"1"}, "budget": {"8000000"}, "start": {s.monday(3).Format(time.DateOnly)}})
	if status != http.StatusSeeOther {
		s.t.Fatalf("a branch opens a quick win: %d %s", status, body)
	}
	all, err := s.gov.Initiatives.List(s.who("hatgiong"))
	s.must(err)
	quick := all[slices.IndexFunc(all, func(i initiative.Doc) bool { return i.Unit == begun.Unit })].ID
	s.refused("the head of another branch reads it", "chinhanh", "/governance/initiatives/"+quick, nil, http.StatusNotFound, "")
	elsewhere := d.Places[slices.IndexFunc(d.Places, func(p wave.Place) bool { return p.Cohort == 0 && p.Unit != begun.Unit })]
	s.refused("a champion checks in for another branch", "hatgiong", "/program/checkin", url.Values{"wave": {d.ID}, "unit": {elsewhere.Unit}, "day": {s.clock.Now().In(bank.Zone).Format(time.DateOnly)},
		"behaviour": {"b_wait_word"}, "said": {"kept"}}, http.StatusForbidden, "")
	seen, err := s.program.Waves.Get(s.who("hatgiong"), d.ID)
	s.must(err)
	if len(seen.Places) != 1 || seen.Places[0].Unit != begun.Unit {
		s.t.Errorf("a branch sees %d branches of the campaign", len(seen.Places))
	}
}

// bend swaps two branches of a campaign past the service, and puts them back.
func (s *stage) bend(campaign string, while func()) {
	s.t.Helper()
	var kept []byte
	write := func(raw []byte) {
		s.must(s.Store.Write(s.ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewRaw("UPDATE program_wave SET body = ? WHERE id = ?", raw, campaign).Exec(ctx)
			return err
		}))
	}
	s.must(s.Store.Read(s.ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewRaw("SELECT body FROM program_wave WHERE id = ?", campaign).Scan(ctx, &kept)
	}))
	var w wave.Wave
	s.must(json.Unmarshal(kept, &w))
	a := slices.IndexFunc(w.Places, func(p wave.Place) bool { return p.Cohort == rollout.HeldOut })
	b := slices.IndexFunc(w.Places, func(p wave.Place) bool { return p.Cohort == 0 })
	w.Places[a].Cohort, w.Places[b].Cohort = w.Places[b].Cohort, w.Places[a].Cohort
	raw, err := json.Marshal(w)
	s.must(err)
	write(raw)
	while()
	write(kept)
}

// scored looks at what became of the council's forecast.
func (s *stage) scored() {
	n, err := s.gov.Council.Score(s.who("cxlead"))
	s.must(err)
	p := s.as("hoidong")
	p.Goto("/governance/council")
	s.sound(p)
	s.guide(p, "19-forecast-scored")
	all, err := s.gov.Council.Decisions(s.who("hoidong"))
	s.must(err)
	if len(all) != 1 || all[0].Body.Outcome == nil || !all[0].Body.Outcome.Known {
		s.t.Fatalf("the forecast was not scored (%d): %+v", n, all)
	}
	s.t.Logf("forecast %+v, outcome %+v", all[0].Body.Forecast, all[0].Body.Outcome)
}

// toMoney enters the effect in the ledger; only its lower bound is booked, and only
// finance signs.
func (s *stage) toMoney(d wave.Doc) (line string) {
	p := s.as("analyst")
	visits := s.figure("branch_wait_p90", 365).N
	p.Goto("/program/waves/" + d.ID)
	p.Send("/value", "kept.low", "0.025", "kept.mid", "0.035", "kept.high", "0.045", "margin.low", "1100000", "margin.mid", "1200000", "margin.high", "1300000",
		"reach.low", fmt.Sprint(visits*9/10), "reach.mid", fmt.Sprint(visits), "reach.high", fmt.Sprint(visits*11/10),
		"months", "12", "rate", "0.11", "fade", "0.4", "method", "Finance, version 7; adjusted regression on past leaving")
	line = id(p)
	s.guide(p, "20-line")
	p.Send("/booking")
	second := p.Path()
	s.refused("the analyst signs what the analyst measured", "analyst", second+"/decision", url.Values{"verdict": {"approve"}}, http.StatusForbidden, "")
	finance := s.as("taichinh")
	finance.Goto("/")
	s.sound(finance)
	s.guide(finance, "21-home-finance")
	s.decide("taichinh", second)
	finance.Goto("/governance/ledger")
	s.sound(finance)
	s.guide(finance, "22-ledger")
	doc, err := s.gov.Ledger.Get(s.who("taichinh"), line)
	s.must(err)
	v := doc.Body
	if doc.State != "booked" || v.Booked <= 0 || v.Booked != v.Valued.Low || v.Booked >= v.Valued.Mid {
		s.t.Errorf("the line is %s, booked %d of %+v", doc.State, v.Booked, v.Valued)
	}
	s.t.Logf("booked %d of %+v", v.Booked, v.Valued)
	return line
}

// maturity is rated by several groups; what the platform sees contradicts a claim, and
// a group with too few raters has no result.
func (s *stage) maturity() {
	p := s.as("cxlead")
	p.Goto("/governance/maturity")
	p.Send("/governance/maturity", "title.vi", "Độ chín CX", "title.en", "Maturity", "until", s.clock.Now().AddDate(0, 0, 14).Format(time.DateOnly))
	all, err := s.gov.Maturity.List(s.who("cxlead"))
	s.must(err)
	assessment := all[len(all)-1].ID
	claims := map[string]int{}
	var fields []string
	for _, q := range s.gov.Instrument.Questions {
		claims[q.ID] = 5
		fields = append(fields, q.ID, "5")
	}
	for _, who := range []string{"hoidong", "congnghe", "nhansu", "tongdai", "taichinh", "ruiro", "steward", "auditor", "champion"} {
		s.must(s.gov.Maturity.Rate(s.who(who), assessment, claims))
	}
	p.Goto("/governance/maturity/" + assessment + "/rate")
	p.Send("/rate", fields...)
	p.Goto("/governance/maturity/" + assessment)
	p.Send("/close")
	p.WaitText("Waits for a second person")
	s.approve("hoidong", "Maturity")
	p = s.as("hoidong")
	p.Goto("/governance/maturity/" + assessment)
	p.WaitText("too few of the group answered")
	p.WaitText("the system sees level")
	s.sound(p)
	s.guide(p, "23-maturity")
}

// homes are the first pages of the roles, each with its own scope.
func (s *stage) homes() {
	for _, who := range []string{"hoidong", "cxlead", "analyst"} {
		p := s.as(who)
		p.Goto("/")
		s.sound(p)
		s.guide(p, "24-home-"+who)
	}
	s.refused("a champion opens the ledger", "hatgiong", "/governance/ledger", nil, http.StatusForbidden, "")
	s.refused("a champion opens the board pack", "hatgiong", "/report/board", nil, http.StatusForbidden, "")
}

// board is the pack for the board of directors, in both languages.
func (s *stage) board(line string) {
	p := s.as("hoidong")
	p.Goto("/report/board")
	s.sound(p)
	p.WaitText("We respect your time.")
	s.guide(p, "25-board")
	doc, err := s.gov.Ledger.Get(s.who("taichinh"), line)
	s.must(err)
	for _, lang := range []string{"en", "vi"} {
		status, raw := s.status("hoidong", "/report/board/download?format=pdf&lang="+lang, nil)
		if status != http.StatusOK || !strings.HasPrefix(raw, "%PDF-") || len(raw) < 10_000 {
			s.t.Errorf("the pack as PDF in %s: status %d, %d bytes", lang, status, len(raw))
		}
		_, raw = s.status("hoidong", "/report/board/download?lang="+lang, nil)
		if promise := map[string]string{"en": "We respect your time.", "vi": "Thời gian của anh/chị được tôn trọng."}[lang]; !strings.Contains(raw, promise) {
			s.t.Errorf("the pack in %s does not hold the promise", lang)
		}
		if dir := os.Getenv("OMOTE_SHOTS"); dir != "" {
			_, pdf := s.status("hoidong", "/report/board/download?format=pdf&lang="+lang, nil)
			s.must(os.WriteFile(filepath.Join(dir, "board-"+lang+".pdf"), []byte(pdf), 0o644))
		}
	}
	if doc.Body.SignedBy == "" {
		s.t.Error("the line is not signed")
	}
}
