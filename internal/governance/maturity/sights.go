package maturity

import (
	"context"
	"time"

	"omote/analytics/assess"
	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/ledger"
	"omote/internal/governance/measure"
	"omote/internal/governance/role"
	"omote/internal/governance/strategy"
)

// Own is what governance sees by itself.
type Own struct {
	Strategy    *strategy.Service
	Roles       *role.Service
	Initiatives *initiative.Service
	Council     *council.Service
	Ledger      *ledger.Service
	Registry    measure.Registry
	Now         func() time.Time
}

// share counts yes among all.
type share struct{ yes, all int64 }

func (s *share) count(yes bool) {
	s.all++
	if yes {
		s.yes++
	}
}

func (s share) check() assess.Check {
	if s.all == 0 {
		return assess.Check{}
	}
	return assess.Check{Value: float64(s.yes) / float64(s.all), N: s.all}
}

// See implements Sights.
func (o Own) See(ctx context.Context) (map[string]assess.Check, error) {
	tree, err := o.Strategy.Tree(ctx)
	if err != nil {
		return nil, err
	}
	all, err := o.Initiatives.List(ctx)
	if err != nil {
		return nil, err
	}
	duties, err := o.Roles.Overview(ctx)
	if err != nil {
		return nil, err
	}
	now, err := o.Registry.Now(ctx)
	if err != nil {
		return nil, err
	}
	lines, err := o.Ledger.List(ctx)
	if err != nil {
		return nil, err
	}
	decisions, err := o.Council.Decisions(ctx)
	if err != nil {
		return nil, err
	}
	var chain, cases, quick, compared, proven, owned, bands, scored share
	orphans := map[string]bool{}
	for _, w := range tree.Orphans {
		orphans[w.ID] = true
	}
	graded := map[string]int{}
	for _, l := range lines {
		graded[l.Ref] = max(graded[l.Ref], l.Body.Grade)
	}
	for _, d := range all {
		i := d.Body
		over := i.Stage == initiative.Done || d.State != initiative.Running
		if d.State == initiative.Running {
			chain.count(!orphans[d.ID])
			cases.count(i.Case != nil)
		}
		if i.Lane == initiative.QuickWin && over {
			quick.count(i.Days <= 30)
		}
		if i.Lane != initiative.QuickWin && d.State == initiative.Running {
			compared.count(i.Method == "rct" || i.Method == "staggered" || i.Method == "did" || i.Method == "matched")
		}
		if over && i.Stage != initiative.Strategise {
			proven.count(graded[d.ID] >= ledger.Adjusted)
		}
	}
	for _, j := range duties.Journeys {
		if j.Matrix != nil {
			owned.count(j.Complete())
		}
	}
	for _, r := range now {
		bands.count(r.State != "few" && r.State != "stale")
	}
	for _, d := range decisions {
		if f := d.Body.Forecast; f != nil && (d.State == council.Decided || d.State == council.Scored) && d.Body.Review.Before(o.Now()) {
			scored.count(d.Body.Outcome != nil)
		}
	}
	return map[string]assess.Check{
		"initiatives_with_kpi_chain_share":                  chain.check(),
		"initiatives_with_case_and_stop_rule_share":         cases.check(),
		"priority_journeys_with_single_accountable_share":   owned.check(),
		"quick_wins_done_within_30d_share":                  quick.check(),
		"redesigns_with_comparison_test_share":              compared.check(),
		"finished_initiatives_with_controlled_effect_share": proven.check(),
		"kpis_with_tolerance_band_share":                    bands.check(),
		"council_decisions_done_on_time_share":              scored.check(),
	}, nil
}
