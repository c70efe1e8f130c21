package governance_test

import (
	"context"
	"testing"
	"time"

	"omote/analytics/assess"
	"omote/internal/governance/maturity"
	"omote/internal/governance/strategy"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/testkit"
)

// all answers every question with one level.
func (r *rig) all(level int) map[string]int {
	out := map[string]int{}
	for _, q := range r.Instrument.Questions {
		out[q.ID] = level
	}
	return out
}

func TestMaturityTheWholeWay(t *testing.T) {
	each(t, func(r *rig) {
		lead, council := r.person("lead@example.com", "/", auth.CXLead), r.person("council@example.com", "/", auth.Council)
		d, err := r.Maturity.Begin(lead, words("Year"), testkit.Epoch.AddDate(0, 0, 14), nil)
		must(r.t, err)
		_, err = r.Maturity.Begin(lead, words("Another"), testkit.Epoch.AddDate(0, 0, 14), nil)
		r.refused("two at once", err, "governance.maturity.error.open")
		_, err = r.Maturity.Close(lead, d.ID)
		r.refused("nobody rated", err, "governance.maturity.error.few")

		must(r.t, r.Maturity.Rate(council, d.ID, r.all(5)))
		must(r.t, r.Maturity.Rate(council, d.ID, r.all(5))) // the later word replaces the first
		must(r.t, r.Maturity.Rate(r.person("c2@example.com", "/", auth.Council), d.ID, r.all(5)))
		must(r.t, r.Maturity.Rate(r.person("agent@example.com", "/north/b1/", auth.Agent), d.ID, r.all(1)))
		r.refused("a level that is none", r.Maturity.Rate(council, d.ID, map[string]int{"str_1": 6}), "governance.maturity.error.answer")
		r.refused("a question that is none", r.Maturity.Rate(council, d.ID, map[string]int{"joy_1": 3}), "governance.maturity.error.answer")
		v, err := r.Maturity.Get(council, d.ID)
		must(r.t, err)
		if v.Progress[0].N != 2 || v.Body.Outcome != nil || v.Mine["str_1"] != 5 {
			r.t.Fatalf("progress %+v, outcome %v", v.Progress, v.Body.Outcome)
		}
		must(r.t, r.Maturity.Rate(r.person("c3@example.com", "/", auth.Council), d.ID, r.all(5)))
		if err := r.Maturity.EnterSheets(council, d.ID, "frontline", []map[string]int{r.all(2)}); errs.KindOf(err) != errs.KindDenied {
			r.t.Errorf("the council enters sheets: %v", err)
		}
		r.refused("sheets of no group", r.Maturity.EnterSheets(lead, d.ID, "guests", []map[string]int{r.all(2)}), "governance.maturity.error.sheets")
		must(r.t, r.Maturity.EnterSheets(lead, d.ID, "champion", []map[string]int{r.all(3), r.all(3), r.all(3)}))
		must(r.t, r.Maturity.Prove(lead, d.ID, "gov_1", 2, "Minutes of eleven meetings"))
		r.refused("evidence without a name", r.Maturity.Prove(lead, d.ID, "gov_2", 1, " "), "governance.maturity.error.proof")

		// A false claim is planted: everybody says 5 on the chain to money, and the only
		// initiative hangs in the air.
		_, err = r.Strategy.Add(lead, "", strategy.Node{Kind: strategy.Promise, Title: words("Time"), Owner: "cxc"})
		must(r.t, err)
		r.orphan(lead)

		q, err := r.Maturity.Close(lead, d.ID)
		must(r.t, err)
		r.refused("rating what is closed", r.Maturity.Rate(council, d.ID, r.all(1)), "governance.maturity.error.closed")
		if _, err = r.approvals.Decide(lead, q.ID, approval.Approve, ""); errs.KindOf(err) != errs.KindDenied {
			r.t.Errorf("the maker publishes: %v", err)
		}
		_, err = r.approvals.Decide(council, q.ID, approval.Approve, "")
		must(r.t, err)
		v, err = r.Maturity.Get(council, d.ID)
		must(r.t, err)
		o := v.Body.Outcome
		if v.State != maturity.Published || o == nil || o.Raters != 7 {
			r.t.Fatalf("%s, %+v", v.State, o)
		}
		res := map[string]assess.Result{}
		for _, x := range o.Indicators {
			res[x.Indicator] = x
		}
		// Champions are three of five needed, the agent one of eight: only the council counts.
		if g := res["gov_1"]; g.Claimed != 5 || g.Score != 5 || res["gov_5"].Score != 3 || !g.Groups[2].Hidden || !g.Groups[3].Hidden {
			r.t.Errorf("gov_1 %+v, gov_5 %+v", g, res["gov_5"])
		}
		if c := res["str_1"]; c.Auto != 1 || !c.Contradicted() || c.Score >= 2 {
			r.t.Errorf("the false claim stands: %+v", c)
		}
		if last, err := r.Maturity.Latest(council); err != nil || last == nil || last.ID != d.ID {
			r.t.Errorf("latest %v, %v", last, err)
		}

		r.advance(360)
		next, err := r.Maturity.Begin(lead, words("Next year"), testkit.Clock(r.db).Now().Add(14*24*time.Hour), nil)
		must(r.t, err)
		if v, err = r.Maturity.Get(lead, next.ID); err != nil || v.Before == nil || v.Before.ID != d.ID {
			r.t.Errorf("the round before: %+v, %v", v.Before, err)
		}
	})
}

// orphan opens an initiative that serves nothing.
func (r *rig) orphan(lead context.Context) {
	r.t.Helper()
	_, err := r.Initiatives.Open(lead, "/", "", change("Vouchers"))
	must(r.t, err)
}

func TestMaturitySentBackIsOpenAgain(t *testing.T) {
	each(t, func(r *rig) {
		lead, council := r.person("lead@example.com", "/", auth.CXLead), r.person("council@example.com", "/", auth.Council)
		d, err := r.Maturity.Begin(lead, words("Year"), testkit.Epoch.AddDate(0, 0, 14), nil)
		must(r.t, err)
		must(r.t, r.Maturity.Rate(lead, d.ID, r.all(3)))
		q, err := r.Maturity.Close(lead, d.ID)
		must(r.t, err)
		_, err = r.approvals.Decide(council, q.ID, approval.Refuse, "Ask the branches too")
		must(r.t, err)
		v, err := r.Maturity.Get(lead, d.ID)
		must(r.t, err)
		if v.State != maturity.Open || v.Body.Outcome != nil || v.Body.Reason == "" {
			r.t.Errorf("%s %+v", v.State, v.Body)
		}
	})
}
