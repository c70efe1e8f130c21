package governance_test

import (
	"testing"

	"omote/analytics/decision"
	"omote/analytics/value"
	"omote/internal/governance"
	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/ledger"
	"omote/internal/governance/role"
	"omote/internal/governance/strategy"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/testkit"
)

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, audit.Migrations, governance.Migrations)
}

func TestTexts(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(governance.Locales()); err != nil {
		t.Error(err)
	}
}

func TestStrategy(t *testing.T) {
	each(t, func(r *rig) {
		lead := r.person("lead@example.com", "/", auth.CXLead)
		add := func(parent string, n strategy.Node) string {
			n.Owner = "cx_lead"
			d, err := r.Strategy.Add(lead, parent, n)
			must(r.t, err)
			return d.ID
		}
		promise := add("", strategy.Node{Kind: strategy.Promise, Title: words("An account in ten minutes")})
		aim := add(promise, strategy.Node{Kind: strategy.Aim, Title: words("More people finish")})
		idle := add(promise, strategy.Node{Kind: strategy.Aim, Title: words("Nobody serves it")})
		m := add(aim, strategy.Node{Kind: strategy.Measure, Title: words("Completion"), Metric: "onboarding_completion"})
		kpi := add(m, strategy.Node{Kind: strategy.KPI, Title: words("Lead's KPI"), KPI: "lead_quick_win_cycle"})
		_, err := r.Strategy.Add(lead, promise, strategy.Node{Kind: strategy.KPI, Title: words("x"), KPI: "lead_stalled", Owner: "cx_lead"})
		r.refused("a KPI under a promise", err, "governance.strategy.error.parent")
		_, err = r.Strategy.Add(lead, aim, strategy.Node{Kind: strategy.Measure, Title: words("x"), Metric: "nowhere", Owner: "cx_lead"})
		r.refused("a metric that nobody defined", err, "governance.error.metric")
		r.refused("a node with others under it", r.Strategy.Retire(lead, aim, ""), "governance.strategy.error.below")

		open := func(title, node string) initiative.Doc {
			d, err := r.Initiatives.Open(lead, "/", node, change(title))
			must(r.t, err)
			return d
		}
		open("serves a KPI", kpi)
		orphan := open("serves nothing", "")
		_, err = r.Initiatives.Open(lead, "/", promise, change("serves a promise"))
		r.refused("work under a promise", err, "governance.initiative.error.node")
		tree, err := r.Strategy.Tree(lead)
		must(r.t, err)
		if len(tree.Roots) != 1 || tree.Roots[0].Running != 1 || len(tree.Orphans) != 1 || tree.Orphans[0].ID != orphan.ID {
			r.t.Fatalf("%+v", tree)
		}
		if len(tree.Idle) != 1 || tree.Idle[0].ID != idle || len(tree.Loose) != 1 || tree.Loose[0].ID != idle {
			r.t.Errorf("idle %v, loose %v", tree.Idle, tree.Loose)
		}
		if len(tree.Collisions) != 1 || tree.Collisions[0].Step != "loan_decision_made" {
			r.t.Errorf("collisions %+v", tree.Collisions)
		}
		// A branch sees what the bank promised, but not the work of the whole bank.
		branch := r.person("branch@example.com", "/north/b1/", auth.Champion)
		tree, err = r.Strategy.Tree(branch)
		must(r.t, err)
		if len(tree.Roots) != 1 || tree.Running != 0 {
			r.t.Errorf("a branch sees %+v", tree)
		}
	})
}

// change is an initiative that is valid.
func change(title string) initiative.Initiative {
	return initiative.Initiative{Title: words(title), Why: "Customers wait", Owner: "journey_owner", Journey: "personal_loan", Steps: []string{"loan_decision_made"},
		Source: initiative.Source{Kind: "pain", Label: "Waiting for the decision"}, Days: 120, Units: 5, Budget: 4e9, Currency: "VND", Start: testkit.Epoch.AddDate(0, 1, 0)}
}

func TestRACI(t *testing.T) {
	each(t, func(r *rig) {
		lead, boss := r.person("lead@example.com", "/", auth.CXLead), r.person("boss@example.com", "/", auth.Council)
		err := r.Roles.SaveDuties(lead, "personal_loan", 0, role.Cells{"loan_decision_made": {"journey_owner": role.Accountable, "risk_validator": role.Accountable}})
		r.refused("two accountables", err, "governance.raci.error.two_accountable")
		_, err = r.Roles.ProposeDuties(lead, "personal_loan")
		r.refused("an empty matrix", err, "governance.raci.error.empty")
		half := role.Cells{"loan_application_submitted": {"journey_owner": role.Both}}
		must(r.t, r.Roles.SaveDuties(lead, "personal_loan", 0, half))
		_, err = r.Roles.ProposeDuties(lead, "personal_loan")
		r.refused("a step without an accountable", err, "governance.raci.error.incomplete")
		half["loan_decision_made"] = map[string]role.Duty{"journey_owner": role.Both}
		must(r.t, r.Roles.SaveDuties(lead, "personal_loan", 0, half))
		_, err = r.Roles.ProposeDuties(lead, "personal_loan")
		r.refused("who decides on money answers for it", err, "governance.raci.error.incomplete")
		full := role.Cells{"loan_application_submitted": {"journey_owner": role.Both, "it_owner": role.Consulted},
			"loan_decision_made": {"journey_owner": role.Accountable, "risk_validator": role.Responsible}}
		must(r.t, r.Roles.SaveDuties(lead, "personal_loan", 0, full))
		q, err := r.Roles.ProposeDuties(lead, "personal_loan")
		must(r.t, err)
		_, err = r.approvals.Decide(lead, q.ID, approval.Approve, "")
		r.refused("the maker", err, "approval.error.own")
		r.approve(boss, q, nil)
		j, err := r.Roles.Duties(lead, "personal_loan")
		must(r.t, err)
		if !j.Complete() || j.Matrix.Body.Published != 1 || j.Matrix.Body.Live.Accountable("loan_decision_made") != "journey_owner" {
			r.t.Errorf("%+v", j)
		}
		if len(j.Problems) != 2 || j.Problems[0].Kind != "no_holder" {
			r.t.Errorf("nobody holds the accountable role: %+v", j.Problems)
		}
		r.refused("an old version", r.Roles.SaveDuties(lead, "personal_loan", 1, full), "governance.error.changed")
	})
}

func TestRolesAndLetters(t *testing.T) {
	each(t, func(r *rig) {
		lead, boss := r.person("lead@example.com", "/", auth.CXLead), r.person("boss@example.com", "/", auth.Council)
		owner := r.person("owner@example.com", "/", auth.CXLead)
		_, err := r.Roles.Assign(lead, "/", role.Assignment{Role: "journey_owner", Holder: ref(owner), Journey: "personal_loan"})
		must(r.t, err)
		_, err = r.Roles.Assign(lead, "/north/", role.Assignment{Role: "finance_partner", Holder: ref(owner)})
		r.refused("a conflict of duty", err, "governance.role.error.conflict")
		_, err = r.Roles.Assign(r.person("n@example.com", "/north/", auth.CXLead), "/south/", role.Assignment{Role: "cx_champion", Holder: ref(owner)})
		if errs.KindOf(err) != errs.KindDenied {
			r.t.Errorf("a lead of the north gave a role in the south: %v", err)
		}
		l := role.Letter{Holder: ref(owner), Role: "journey_owner", Journey: "personal_loan", Amount: 50e6, Total: 80e6, Currency: "VND", Kinds: []string{"dt_standard"},
			Until: testkit.Epoch.AddDate(0, 6, 0), Duty: words("Report each month")}
		href := func(id string) string { return "/governance/letters/" + id }
		d, err := r.Roles.Lend(lead, "/", l, href)
		must(r.t, err)
		r.refused("before it is granted", r.Roles.UseLetter(owner, d.ID, "dt_standard", "x", 1), "governance.role.error.lapsed")
		waiting, err := r.approvals.List(boss)
		must(r.t, err)
		r.approve(boss, waiting.Waiting[0].Request, nil)
		must(r.t, r.Roles.UseLetter(owner, d.ID, "dt_standard", "One more reminder", 45e6))
		r.refused("more than lent in all", r.Roles.UseLetter(owner, d.ID, "dt_standard", "A second one", 40e6), "governance.role.error.over_limit")
		r.refused("another kind", r.Roles.UseLetter(owner, d.ID, "dt_fund", "x", 1), "governance.role.error.not_covered")
		r.refused("another person", r.Roles.UseLetter(lead, d.ID, "dt_standard", "x", 1), "governance.role.error.not_holder")
		r.advance(400)
		r.refused("after its day", r.Roles.UseLetter(owner, d.ID, "dt_standard", "x", 1), "governance.role.error.lapsed")
		got, err := r.Roles.Letter(lead, d.ID)
		must(r.t, err)
		if used, returned := got.Body.Counts(); used != 1 || returned != 3 || got.Body.Spent() != 45e6 || got.Body.Grantor != ref(boss) {
			r.t.Errorf("%d used, %d returned, %d spent", used, returned, got.Body.Spent())
		}
	})
}

func roi() decision.Case {
	return decision.Case{Customers: decision.Range{Low: 3e5, Mid: 4e5, High: 4.6e5}, ChurnDrop: decision.Range{Low: 0.003, Mid: 0.005, High: 0.008},
		Margin: decision.Fixed(1.2e6), ContactsAvoided: decision.Fixed(0.1), ContactCost: decision.Fixed(2e4), OneOff: decision.Fixed(2e9), Running: decision.Fixed(3e8),
		Fade: decision.Fixed(0.1), Rate: 0.11, Years: 3, Seed: 3}
}

func TestGates(t *testing.T) {
	each(t, func(r *rig) {
		lead, boss := r.person("lead@example.com", "/", auth.CXLead), r.person("boss@example.com", "/", auth.Council)
		second := r.person("second@example.com", "/", auth.CXLead)
		promise, err := r.Strategy.Add(lead, "", strategy.Node{Kind: strategy.Promise, Title: words("p"), Owner: "cxc"})
		must(r.t, err)
		aim, err := r.Strategy.Add(lead, promise.ID, strategy.Node{Kind: strategy.Aim, Title: words("a"), Owner: "cxc"})
		must(r.t, err)
		d, err := r.Initiatives.Open(lead, "/", aim.ID, change("Decide loans in a day"))
		must(r.t, err)
		if d.Body.Lane != initiative.Strategic {
			r.t.Fatalf("lane %s", d.Body.Lane)
		}
		_, err = r.Initiatives.ProposeGate(lead, d.ID)
		r.refused("without the owner and system experts", err, "governance.initiative.error.absent")
		for _, p := range []string{"journey_owner", "it_owner"} {
			must(r.t, r.Initiatives.Join(lead, d.ID, p, ""))
		}
		_, err = r.Initiatives.ProposeGate(lead, d.ID)
		r.refused("without a case", err, "governance.initiative.error.unproven")
		stop := initiative.StopRule{Metric: "ces_mean", Value: 5.2, Day: testkit.Epoch.AddDate(0, 4, 0)}
		must(r.t, r.Initiatives.SetCase(lead, d.ID, roi(), stop))
		_, err = r.Initiatives.ProposeGate(lead, d.ID)
		r.refused("without customer evidence", err, "governance.initiative.error.unproven")
		r.refused("evidence computed by hand", r.Initiatives.Prove(lead, d.ID, initiative.Evidence{Criterion: "g1_evidence", Grade: initiative.Computed, Note: "x"}), "governance.initiative.error.grade")
		must(r.t, r.Initiatives.Prove(lead, d.ID, initiative.Evidence{Criterion: "g1_evidence", Grade: initiative.Record, Note: "210 comments name the wait"}))
		q, err := r.Initiatives.ProposeGate(lead, d.ID)
		must(r.t, err)
		if _, err := r.approvals.Decide(second, q.ID, approval.Approve, ""); errs.KindOf(err) != errs.KindDenied {
			r.t.Errorf("a lead opened the council's gate: %v", err)
		}
		r.approve(boss, q, nil)
		v, err := r.Initiatives.Get(lead, d.ID)
		must(r.t, err)
		if v.Body.Stage != initiative.Design || v.Body.Pending {
			r.t.Fatalf("stage %s", v.Body.Stage)
		}
		changed := stop
		changed.Value = 4
		r.refused("the stop rule afterwards", r.Initiatives.SetCase(lead, d.ID, roi(), changed), "governance.initiative.error.stop_fixed")
		// The platform says that the duties are not approved: no document talks it away.
		must(r.t, r.Initiatives.Join(lead, d.ID, "digital_squad", ""))
		must(r.t, r.Initiatives.Join(lead, d.ID, "compliance", ""))
		for _, m := range v.Gate.Criteria {
			must(r.t, r.Initiatives.Prove(lead, d.ID, initiative.Evidence{Criterion: m.ID, Grade: initiative.Record, Note: "on file"}))
		}
		_, err = r.Initiatives.ProposeGate(lead, d.ID)
		r.refused("duties not approved", err, "governance.initiative.error.unproven")
		r.advance(22)
		v, err = r.Initiatives.Get(lead, d.ID)
		must(r.t, err)
		if !v.Stalled || v.Cause != "evidence" {
			r.t.Errorf("stalled %v for %q", v.Stalled, v.Cause)
		}
		must(r.t, r.Initiatives.StopIt(lead, d.ID, "The vendor withdrew"))
		r.refused("after the end", r.Initiatives.Join(lead, d.ID, "analyst", ""), "governance.initiative.error.over")
	})
}

func TestLanesOfUnits(t *testing.T) {
	each(t, func(r *rig) {
		champion, lead := r.person("champ@example.com", "/north/b1/", auth.Champion), r.person("lead@example.com", "/", auth.CXLead)
		other := r.person("other@example.com", "/south/", auth.Champion)
		small := change("A second queue")
		small.Days, small.Units, small.Budget, small.Owner = 20, 1, 50e6, "unit_head"
		var first initiative.Doc
		for range initiative.QuickPerUnit {
			d, err := r.Initiatives.Open(champion, "/north/b1/", "", small)
			must(r.t, err)
			if d.Body.Lane != initiative.QuickWin {
				r.t.Fatalf("lane %s", d.Body.Lane)
			}
			first = d
		}
		_, err := r.Initiatives.Open(champion, "/north/b1/", "", small)
		r.refused("a fourth quick win", err, "governance.initiative.error.full")
		_, err = r.Initiatives.Open(champion, "/south/", "", small)
		if errs.KindOf(err) != errs.KindDenied {
			r.t.Errorf("a unit opened work in another: %v", err)
		}
		_, err = r.Initiatives.Get(other, first.ID)
		r.refused("a head of another unit", err, "governance.initiative.error.not_found")
		all, err := r.Initiatives.List(other)
		must(r.t, err)
		if len(all) != 0 {
			r.t.Errorf("another unit sees %d initiatives", len(all))
		}
		must(r.t, r.Initiatives.SetFacts(champion, first.ID, initiative.Facts{Days: 20, Units: 1, CoreChange: true, Budget: 50e6}))
		v, err := r.Initiatives.Get(lead, first.ID)
		must(r.t, err)
		if v.Body.Lane != initiative.Strategic || len(v.Gate.Criteria) != 5 {
			r.t.Errorf("with a change of core systems: %s with %d criteria", v.Body.Lane, len(v.Gate.Criteria))
		}
		r.advance(90)
		n, err := r.Initiatives.Promote(testkit.Context(r.t))
		must(r.t, err)
		if n != initiative.QuickPerUnit-1 {
			r.t.Errorf("%d quick wins promoted", n)
		}
	})
}

func paper() council.Decision {
	return council.Decision{Type: "dt_prioritise", Title: words("Which pain first"), Question: "Which pain is removed first?", Owner: "journey_owner", Grade: 3, Currency: "VND",
		Alternatives: []council.Alternative{{Name: words("Decide in a day"), Low: 2e9, Mid: 3e9, High: 5e9, Grade: 3}, {Name: words("New brochure"), Low: 1e8, Mid: 9e9, High: 2e10, Grade: 1},
			{Name: words("Nothing"), Nothing: true, Grade: 3}}}
}

func TestCouncil(t *testing.T) {
	each(t, func(r *rig) {
		lead, chair := r.person("lead@example.com", "/", auth.CXLead), r.person("chair@example.com", "/", auth.Council)
		people := []string{ref(chair)}
		_, err := r.Roles.Assign(lead, "/", role.Assignment{Role: "ceo", Holder: ref(chair)})
		must(r.t, err)
		for i, seat := range []string{"finance_partner", "risk_validator", "it_owner", "hr_partner", "contact_centre_head"} {
			p := r.person(string(rune('a'+i))+"@example.com", "/", auth.Council)
			people = append(people, ref(p))
			_, err := r.Roles.Assign(lead, "/", role.Assignment{Role: seat, Holder: ref(p)})
			must(r.t, err)
		}
		bad := paper()
		bad.Alternatives = bad.Alternatives[:2]
		_, err = r.Council.Prepare(lead, bad)
		r.refused("without doing nothing", err, "governance.council.error.alternatives")
		bad = paper()
		bad.Grade = 2
		_, err = r.Council.Prepare(lead, bad)
		r.refused("below its grade", err, "governance.council.error.below_grade")
		d, err := r.Council.Prepare(lead, paper())
		must(r.t, err)
		m, err := r.Council.Plan(lead, r.db.Now().Time(), "ordinary")
		must(r.t, err)
		if len(m.Body.Seats) != 6 || len(m.Body.Agenda) != 1 || m.Body.Agenda[0].Score <= 0 {
			r.t.Fatalf("%+v", m.Body)
		}
		r.refused("nobody there", r.Council.OpenMeeting(lead, m.ID), "governance.council.error.votes")
		must(r.t, r.Council.Attend(lead, m.ID, people[1:]))
		r.refused("without the chair", r.Council.OpenMeeting(lead, m.ID), "governance.council.error.chair")
		ballot := council.Ballot{Meeting: m.ID, Chosen: 0, Votes: council.Votes{For: 5, Against: 1}}
		must(r.t, r.Council.Attend(lead, m.ID, people))
		_, err = r.Council.Propose(lead, d.ID, ballot)
		r.refused("without a forecast", err, "governance.council.error.no_forecast")
		must(r.t, r.Council.SetForecast(lead, d.ID, council.Forecast{Metric: "ces_mean", Days: 28, Low: 5.3, Mid: 5.4, High: 5.6, Level: 0.8}))
		_, err = r.Council.Propose(lead, d.ID, ballot)
		r.refused("before the meeting", err, "governance.council.error.not_open")
		must(r.t, r.Council.OpenMeeting(lead, m.ID))
		over := ballot
		over.Chosen = 1
		_, err = r.Council.Propose(lead, d.ID, over)
		r.refused("against the rank, without a reason", err, "governance.council.error.override")
		lost := ballot
		lost.Votes = council.Votes{For: 2, Against: 4}
		_, err = r.Council.Propose(lead, d.ID, lost)
		r.refused("not carried", err, "governance.council.error.not_carried")
		lost.Votes = council.Votes{For: 6, Against: 1}
		_, err = r.Council.Propose(lead, d.ID, lost)
		r.refused("more votes than members", err, "governance.council.error.ballot")
		lost.Votes = council.Votes{For: 6, Conflicts: people[1:2]}
		_, err = r.Council.Propose(lead, d.ID, lost)
		r.refused("a member in conflict voted", err, "governance.council.error.ballot")
		over.Override = "The brochure is what the chairman promised on television"
		q, err := r.Council.Propose(lead, d.ID, over)
		r.approve(chair, q, err)
		got, err := r.Council.Decision(lead, d.ID)
		must(r.t, err)
		if got.State != council.Decided || !got.Body.Overrode || got.Body.Forecast.Baseline == nil || len(got.Body.By) != 2 {
			r.t.Fatalf("%+v", got)
		}
		if n, err := r.Council.Score(testkit.Context(r.t)); n != 0 || err != nil {
			r.t.Errorf("scored before its day: %d, %v", n, err)
		}
		r.advance(91)
		r.values["ces_mean"] = 5.9
		n, err := r.Council.Score(testkit.Context(r.t))
		must(r.t, err)
		got, err = r.Council.Decision(lead, d.ID)
		must(r.t, err)
		// Width 0.3, missed by 0.3 at 80%: 0.3 + 10·0.3 = 3.3.
		if o := got.Body.Outcome; n != 1 || got.State != council.Scored || o.Held || o.Interval < 3.29 || o.Interval > 3.31 || o.CRPS <= 0 || o.Reference <= 0 {
			r.t.Errorf("%d scored, %+v", n, o)
		}
		all, err := r.Council.Decisions(lead)
		must(r.t, err)
		if mirror := council.MirrorOf(all); mirror.Overrides != 1 || mirror.ScoredOver != 1 || mirror.HeldOver != 0 {
			r.t.Errorf("%+v", mirror)
		}
		if rec := council.Calibration(all); rec.N != 1 || rec.Held != 0 || rec.Skill <= 0 {
			r.t.Errorf("%+v", rec)
		}
	})
}

func TestRefusalIsLookedAtAgain(t *testing.T) {
	each(t, func(r *rig) {
		lead, chair := r.person("lead@example.com", "/", auth.CXLead), r.person("chair@example.com", "/", auth.Council)
		var people []string
		for _, seat := range []string{"ceo", "finance_partner", "risk_validator", "it_owner", "hr_partner"} {
			p := r.person(seat+"@example.com", "/", auth.Council)
			people = append(people, ref(p))
			_, err := r.Roles.Assign(lead, "/", role.Assignment{Role: seat, Holder: ref(p)})
			must(r.t, err)
		}
		no := council.Decision{Type: "dt_refuse", Title: words("Dark blue cards"), Question: "Customers ask for cards in dark blue", Owner: "journey_owner", Grade: 2, Currency: "VND",
			Refusal: &council.Refusal{Request: "Cards in dark blue", Reason: "rf_taste", Value: 1e8, Cost: 9e8}}
		_, err := r.Council.Prepare(lead, no)
		r.refused("a reason that nobody knows", err, "governance.council.error.refusal_reason")
		no.Refusal.Reason = "rf_capacity"
		d, err := r.Council.Prepare(lead, no)
		must(r.t, err)
		m, err := r.Council.Plan(lead, r.db.Now().Time(), "ordinary")
		must(r.t, err)
		must(r.t, r.Council.Attend(lead, m.ID, people))
		must(r.t, r.Council.OpenMeeting(lead, m.ID))
		q, err := r.Council.Propose(lead, d.ID, council.Ballot{Meeting: m.ID, Votes: council.Votes{For: 5}})
		r.approve(chair, q, err)
		got, err := r.Council.Decision(lead, d.ID)
		must(r.t, err)
		if got.State != council.Refused || got.Body.Review.Sub(r.db.Now().Time()).Hours() != 90*24 {
			r.t.Fatalf("%s, review %s", got.State, got.Body.Review)
		}
		items, err := r.Council.Candidates(lead)
		must(r.t, err)
		r.advance(90)
		later, err := r.Council.Candidates(lead)
		must(r.t, err)
		if len(items) != 0 || len(later) != 1 || later[0].Kind != "refusal" {
			r.t.Errorf("before %v, after %v", items, later)
		}
	})
}

func TestLedger(t *testing.T) {
	each(t, func(r *rig) {
		analyst, finance := r.person("an@example.com", "/", auth.Analyst), r.person("fin@example.com", "/", auth.FinancePart)
		e := testkit.Epoch
		effect, figures, version, err := r.Ledger.Measure(analyst, ledger.Spec{Metric: "onboarding_completion", Units: []string{"b1"}, BeforeFrom: e.AddDate(0, 0, -80), BeforeTo: e.AddDate(0, 0, -40),
			AfterFrom: e.AddDate(0, 0, -19), AfterTo: e})
		must(r.t, err)
		if effect.Value < 0.0599 || effect.Value > 0.0601 || len(figures) != 4 || version != 1 || effect.SE <= 0 {
			r.t.Fatalf("%+v, %v", effect, figures)
		}
		_, _, _, err = r.Ledger.Measure(analyst, ledger.Spec{Metric: "hidden", Units: []string{"b1"}, BeforeFrom: e.AddDate(0, 0, -80), BeforeTo: e.AddDate(0, 0, -40),
			AfterFrom: e.AddDate(0, 0, -19), AfterTo: e})
		r.refused("too few facts", err, "governance.ledger.error.few")
		line := ledger.Line{Title: words("More accounts"), Metric: "onboarding_completion", MetricVersion: version, Method: "did", Grade: ledger.Adjusted, Figures: figures, Currency: "VND",
			Chain: value.Chain{Effect: effect, Links: []value.Estimate{{Value: 6e5, SE: 5e4}}, Volume: value.Known(40_000), Months: 12, Rate: 0.11, Cost: value.Known(1e8)},
			Links: []ledger.Link{{Name: words("margin of an account"), Unit: words("dong a year"), Method: words("Finance, version 7"), AsOf: e}}}
		pattern := line
		pattern.Method, pattern.Grade = "before_after", ledger.Adjusted
		_, err = r.Ledger.Enter(analyst, "/", "i1", pattern)
		r.refused("a grade that the method does not earn", err, "governance.ledger.error.grade")
		pattern.Grade = ledger.Pattern
		p, err := r.Ledger.Enter(analyst, "/", "i1", pattern)
		must(r.t, err)
		d, err := r.Ledger.Enter(analyst, "/", "i1", line)
		must(r.t, err)
		q, err := r.Ledger.ProposeBooking(analyst, d.ID)
		must(r.t, err)
		if _, err := r.approvals.Decide(r.person("lead@example.com", "/", auth.CXLead), q.ID, approval.Approve, ""); errs.KindOf(err) != errs.KindDenied {
			r.t.Errorf("a lead signed money: %v", err)
		}
		r.approve(finance, q, nil)
		q, err = r.Ledger.ProposeBooking(analyst, p.ID)
		r.approve(finance, q, err)
		d, err = r.Ledger.Get(analyst, d.ID)
		must(r.t, err)
		p, err = r.Ledger.Get(analyst, p.ID)
		must(r.t, err)
		if d.State != ledger.Booked || d.Body.Booked <= 0 || d.Body.Booked != d.Body.Valued.Low || d.Body.SignedBy != ref(finance) || p.State != ledger.Nothing || p.Body.Booked != 0 {
			r.t.Fatalf("%s %+v, %s %+v", d.State, d.Body.Valued, p.State, p.Body)
		}
		q, err = r.Ledger.ProposeReversal(analyst, d.ID, "The effect faded")
		r.approve(finance, q, err)
		all, err := r.Ledger.List(analyst)
		must(r.t, err)
		if s := ledger.Sum(all); len(all) != 3 || s.Booked != 0 || s.Lines != 1 {
			r.t.Errorf("after the reversal: %d lines, %+v", len(all), s)
		}
		_, err = r.Ledger.ProposeReversal(analyst, d.ID, "again")
		r.refused("twice", err, "governance.ledger.error.state")
	})
}
