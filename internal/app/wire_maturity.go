package app

import (
	"context"
	"time"

	"omote/analytics/assess"
	"omote/internal/customer/request"
	"omote/internal/platform/clock"
)

// sights are what modules outside governance see for the maturity assessment, with
// the process's own rights: whoever closes an assessment is shown shares, no rows.
type sights struct {
	a     *App
	clock clock.Clock
}

// See implements maturity.Sights.
func (s sights) See(ctx context.Context) (map[string]assess.Check, error) {
	own, out := s.a.system(context.Background()), map[string]assess.Check{}
	now := s.clock.Now()
	share := func(measure string, yes, all int) {
		if all > 0 {
			out[measure] = assess.Check{Value: float64(yes) / float64(all), N: int64(all)}
		}
	}
	list, err := journeyList{s.a}.List(own)
	if err != nil {
		return nil, err
	}
	bound, steps := 0, 0
	for _, j := range list {
		for _, step := range j.Steps {
			steps++
			if step.Bound {
				bound++
			}
		}
	}
	share("map_steps_bound_to_live_event_share", bound, steps)

	all, err := s.a.services.requests.List(own, request.Filter{}, 5000)
	if err != nil {
		return nil, err
	}
	kept, ended := 0, 0
	for _, r := range all {
		switch {
		case r.Due.IsZero():
		case !r.Ended.IsZero():
			ended++
			if !r.Ended.After(r.Due) {
				kept++
			}
		case now.After(r.Due):
			ended++
		}
	}
	share("data_subject_requests_in_legal_limit_share", kept, ended)

	_, tallies, err := s.a.services.cases.Register(own, now.AddDate(-1, 0, 0), now)
	if err != nil {
		return nil, err
	}
	met, over := 0, 0
	for _, t := range tallies {
		met += t.Met
		over += t.Met + t.Late + t.Breach
	}
	share("low_score_cases_closed_in_sla_share", met, over)
	if s.a.services.program == nil { // while the program is being wired
		return out, nil
	}
	seen, n, err := s.a.services.program.Waves.Seen(own, now.Add(-90*24*time.Hour))
	if err != nil {
		return nil, err
	}
	share("target_behaviours_meeting_standard_share", seen, n)
	return out, nil
}
