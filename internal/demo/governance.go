package demo

import (
	"context"
	"fmt"
	"time"

	"omote/bank"
	"omote/internal/app"
	"omote/internal/governance"
	"omote/internal/governance/initiative"
	"omote/internal/governance/role"
	"omote/internal/governance/strategy"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// steerer plays the people of the demo who steer: through the services, on the days
// that the history has, with figures that the registry computes from the simulated
// events. Nothing is written past the services.
type steerer struct {
	*governance.Governance
	approvals *approval.Service
	clock     *clock.Manual
	ctx       context.Context
	bank      *bank.Bank
	people    map[string]context.Context // by the word before @
	entity    string
	nodes     map[string]string // ids in the strategy
	err       error             // the first failure
}

// seedGovernance gives the demo a strategy, roles and duties, changes at different
// gates, a year of the council's decisions, and a value ledger.
func seedGovernance(ctx context.Context, a *app.App, b *bank.Bank, o Options) error {
	begin := time.Now()
	c := clock.NewManual(b.Config().End.AddDate(0, -o.Months, 0))
	g, approvals, err := a.GovernanceAt(c)
	if err != nil {
		return err
	}
	s := &steerer{Governance: g, approvals: approvals, clock: c, ctx: ctx, bank: b, people: map[string]context.Context{}, nodes: map[string]string{}, entity: a.Config.Entity}
	if err := s.findPeople(ctx, a); err != nil {
		return err
	}
	for _, step := range []func(){s.seedStrategy, s.seedRoles, s.seedWork, s.seedCouncil, func() { s.seedCampaigns(a, o.Seed) }, func() { s.seedMaturity(o.Seed) }} {
		if step(); s.err != nil {
			return s.err
		}
	}
	o.Say("strategy, roles, initiatives, decisions, a campaign and value ledger are in, after %.0f s", time.Since(begin).Seconds())
	return nil
}

// findPeople makes the context in which each account of the demo acts.
func (s *steerer) findPeople(ctx context.Context, a *app.App) error {
	return a.Store.Read(a.System(ctx), func(_ context.Context, tx store.Tx) error {
		all, err := a.Auth().Accounts(a.System(ctx), tx)
		for _, one := range all {
			name, _, _ := cutAt(one.Email)
			s.people[name] = auth.WithActor(ctx, auth.Actor{Kind: auth.Person, ID: one.ID, Entity: s.entity, Grants: one.Grants})
		}
		return err
	})
}

func cutAt(email string) (name, domain string, ok bool) {
	for i := range email {
		if email[i] == '@' {
			return email[:i], email[i+1:], true
		}
	}
	return email, "", false
}

func (s *steerer) as(name string) context.Context { return s.people[name] }

func (s *steerer) ref(name string) string {
	a, _ := auth.From(s.people[name])
	return a.Ref()
}

// note keeps the first failure.
func (s *steerer) note(err error) bool {
	if err != nil && s.err == nil {
		s.err = err
	}
	return err == nil
}

// approve has a second person decide.
func (s *steerer) approve(by string, q approval.Request, err error) bool {
	if !s.note(err) {
		return false
	}
	_, err = s.approvals.Decide(s.as(by), q.ID, approval.Approve, "")
	return s.note(err)
}

// at moves the clock of the demo to a day counted back from the end of the history.
func (s *steerer) at(daysBefore int) time.Time {
	t := s.bank.Config().End.AddDate(0, 0, -daysBefore).Add(9 * time.Hour)
	s.clock.Set(t)
	return t
}

func bi(vi, en string) approval.Text { return approval.Text{VI: vi, EN: en} }

// node hangs a node into the strategy and remembers it by name.
func (s *steerer) node(name, parent string, n strategy.Node) {
	d, err := s.Strategy.Add(s.as("cxlead"), s.nodes[parent], n)
	if s.note(err) {
		s.nodes[name] = d.ID
	}
}

func target(x float64) *float64 { return &x }

func (s *steerer) seedStrategy() {
	s.at(330)
	promise := func(name, vi, en string) {
		s.node(name, "", strategy.Node{Kind: strategy.Promise, Title: bi(vi, en), Owner: "cxc"})
	}
	aim := func(name, parent, vi, en string) {
		s.node(name, parent, strategy.Node{Kind: strategy.Aim, Title: bi(vi, en), Owner: "journey_owner"})
	}
	measure := func(name, parent, vi, en, journey, metric string, t *float64) {
		s.node(name, parent, strategy.Node{Kind: strategy.Measure, Title: bi(vi, en), Owner: "journey_owner", Journey: journey, Metric: metric, Target: t})
	}
	kpi := func(name, parent, vi, en, owner, metric, id string) {
		s.node(name, parent, strategy.Node{Kind: strategy.KPI, Title: bi(vi, en), Owner: owner, Metric: metric, KPI: id})
	}
	promise("time", "Thời gian của anh/chị được tôn trọng.", "We respect your time.")
	aim("branch", "time", "Đến chi nhánh không phải chờ lâu", "A visit to the branch without a long wait")
	measure("wait", "branch", "Thời gian chờ tại quầy", "Wait at the counter", "branch_visit", "branch_wait_p90", target(20))
	kpi("walkout", "wait", "Khách bỏ về khi chưa được phục vụ", "People who leave unserved", "branch_manager", "branch_walkout_rate", "")
	measure("branchcsat", "branch", "Hài lòng tại quầy", "Satisfaction at the counter", "branch_visit", "csat_branch", target(0.8))
	kpi("behaviour", "branchcsat", "Hành vi chuẩn được quan sát", "Standard behaviour observed", "cx_champion", "", "champ_behaviour_met")
	promise("voice", "Khi có điều chưa đúng, có một người lo đến cùng cho anh/chị.", "When something goes wrong, one person sees it through for you.")
	aim("complaints", "voice", "Khiếu nại được giải quyết nhanh và một lần", "Complaints solved fast, and once")
	measure("close", "complaints", "Thời gian xử lý khiếu nại", "Time to close a complaint", "complaint", "complaint_time_to_close_p50", nil)
	kpi("loop", "close", "Đóng vòng phản hồi đúng hạn", "Feedback loop closed in time", "cx_champion", "", "champ_loop_closed")
	promise("plain", "Vay và mở tài khoản rõ ràng, biết mình đang ở đâu.", "Loans and accounts are plain: you always know where you stand.")
	aim("loans", "plain", "Hồ sơ vay không phải hỏi lại", "Nobody has to ask about their loan")
	measure("decision", "loans", "Thời gian ra quyết định vay", "Time to a loan decision", "personal_loan", "loan_time_to_decision_p50", nil)
	kpi("quick", "decision", "Thời gian hoàn tất quick win", "Time to finish a quick win", "cx_lead", "", "lead_quick_win_cycle")
	aim("open", "plain", "Mở tài khoản trọn vẹn trên điện thoại", "Open an account wholly on the phone")
	measure("complete", "open", "Hoàn tất eKYC", "eKYC completion", "onboarding_ekyc", "onboarding_completion", target(0.72))
	kpi("stp", "complete", "Mở tài khoản không cần can thiệp", "Accounts opened without a hand", "digital_squad", "onboarding_stp", "")
	aim("trust", "plain", "Khách hàng tin ngân hàng nói đúng", "Customers trust what the bank says")
	measure("trustindex", "trust", "Chỉ số tin cậy", "Trust index", "", "trust_index", nil)
}

// seats are who sits in the council; leads and champions hold roles beside them.
var seats = []struct{ person, role, journey string }{
	{"hoidong", "ceo", ""}, {"cxlead", "cx_lead", ""}, {"taichinh", "finance_partner", ""}, {"ruiro", "risk_validator", ""}, {"congnghe", "it_owner", ""},
	{"nhansu", "hr_partner", ""}, {"tongdai", "contact_centre_head", ""}, {"hanhtrinh", "journey_owner", ""},
}

func (s *steerer) seedRoles() {
	s.at(320)
	lead := s.as("cxlead")
	for _, x := range seats {
		_, err := s.Roles.Assign(lead, "/", role.Assignment{Role: x.role, Holder: s.ref(x.person), Journey: x.journey})
		s.note(err)
	}
	first := unitPath(bank.Branches()[0].Path)
	_, err := s.Roles.Assign(lead, first, role.Assignment{Role: "cx_champion", Holder: s.ref("champion")})
	s.note(err)
	list, err := s.Journeys.List(lead)
	if !s.note(err) {
		return
	}
	for _, j := range list {
		switch j.ID {
		case "branch_visit", "personal_loan", "complaint", "onboarding_ekyc":
			s.duties(j)
		case "card_activation": // begun, not finished
			cells := role.Cells{}
			for k, step := range j.Steps {
				if k < len(j.Steps)/2 {
					cells[step.ID] = map[string]role.Duty{"journey_owner": role.Accountable, "digital_squad": role.Responsible}
				}
			}
			s.note(s.Roles.SaveDuties(lead, j.ID, 0, cells))
		}
	}
	l := role.Letter{Holder: s.ref("hanhtrinh"), Role: "journey_owner", Journey: "personal_loan", Amount: 200_000_000, Total: 500_000_000, Currency: "VND",
		Kinds: []string{"dt_standard", "dt_launch"}, Until: s.bank.Config().End.AddDate(0, 4, 0),
		Duty: bi("Báo cáo Hội đồng mỗi tháng: đã quyết gì, kết quả ra sao, việc gì chuyển lại.", "Reports to the council each month: what was decided, what came of it, what was returned.")}
	d, err := s.Roles.Lend(lead, "/", l, func(id string) string { return "/governance/letters/" + id })
	if !s.note(err) || !s.approveObject("hoidong", "letter/"+d.ID) {
		return
	}
	owner := s.as("hanhtrinh")
	s.at(200)
	s.note(s.Roles.UseLetter(owner, d.ID, "dt_standard", "Trả lời kết quả vay trong 24 giờ cho hồ sơ dưới 50 triệu", 120_000_000))
	s.at(150)
	s.note(s.Roles.UseLetter(owner, d.ID, "dt_launch", "Thử tin nhắn báo tiến độ hồ sơ tại ba chi nhánh", 60_000_000))
	s.at(20)
	// Beyond what was lent: the letter refuses it and returns it to the council.
	if err := s.Roles.UseLetter(owner, d.ID, "dt_standard", "Bỏ chứng từ thu nhập cho khách nhận lương qua ngân hàng", 900_000_000); errs.KindOf(err) != errs.KindDenied {
		s.note(fmt.Errorf("a decision beyond the letter was not refused: %w", err))
	}
}

// approveObject has a person decide what waits for an object.
func (s *steerer) approveObject(by, object string) bool {
	l, err := s.approvals.List(s.as(by))
	if !s.note(err) {
		return false
	}
	for _, it := range l.Waiting {
		if it.Object == object {
			return s.approve(by, it.Request, nil)
		}
	}
	return s.note(fmt.Errorf("nothing waits for %s", object))
}

// duties fills the matrix of a journey in and has it put into force: the owner
// answers for each step, and somebody else does it.
func (s *steerer) duties(j role.Journey) {
	doer := map[string]string{"branch_visit": "teller", "personal_loan": "relationship_manager", "complaint": "complaint_officer", "onboarding_ekyc": "digital_squad"}[j.ID]
	cells := role.Cells{}
	for _, step := range j.Steps {
		cells[step.ID] = map[string]role.Duty{"journey_owner": role.Accountable, doer: role.Responsible, "it_owner": role.Consulted, "contact_centre_head": role.Informed}
	}
	if !s.note(s.Roles.SaveDuties(s.as("cxlead"), j.ID, 0, cells)) {
		return
	}
	q, err := s.Roles.ProposeDuties(s.as("cxlead"), j.ID)
	s.approve("hoidong", q, err)
}

// prove records evidence for whatever the present gate lacks.
func (s *steerer) prove(id, note string) {
	v, err := s.Initiatives.Get(s.as("cxlead"), id)
	if !s.note(err) {
		return
	}
	for _, r := range v.Gate.Absent {
		s.note(s.Initiatives.Join(s.as("cxlead"), id, r, ""))
	}
	for _, m := range v.Gate.Criteria {
		if !m.OK && m.By != "no" {
			s.note(s.Initiatives.Prove(s.as("cxlead"), id, initiative.Evidence{Criterion: m.ID, Grade: initiative.Record, Note: note}))
		}
	}
}

// pass proves the present gate and has it opened, by the council where it must be.
func (s *steerer) pass(id, note string) bool {
	s.prove(id, note)
	q, err := s.Initiatives.ProposeGate(s.as("cxlead"), id)
	return s.approve("hoidong", q, err)
}
