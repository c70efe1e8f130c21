// Package scorecard computes the KPIs of roles, of the pack, that the bank's own
// records of governance can answer, each with its n, its interval and its target.
// What has too few cases is shown with its n and without a figure; what lies within
// its interval of the target counts neither as met nor as missed.
package scorecard

import (
	"math"
	"slices"
	"time"

	"omote/analytics/stats"
	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/packs"
)

// Facts are what the KPIs are computed from.
type Facts struct {
	Now         time.Time
	Initiatives []initiative.View
	Decisions   []council.Doc
	Signals     Signals
}

// Signals is what became of signals, counted by the module that keeps them.
type Signals struct {
	Judged int64     // decided on by people: work or noise
	Noise  int64     // of them, explained as noise
	Days   []float64 // from being found to being taken up
}

// Line is one KPI with its figure.
type Line struct {
	packs.KPI
	Est stats.Estimate
	// Known is false below the KPI's least n.
	Known bool
	// State says how the figure stands to its target: met, missed, or unsure where the
	// interval holds the target; few where it is not known.
	State string
}

// Level of the intervals.
const Level = 0.9

// kpis are the KPIs that can be computed, by id.
var kpis = map[string]func(f *Facts) stats.Estimate{
	"lead_stalled": func(f *Facts) stats.Estimate {
		return share(f.Initiatives, func(v initiative.View) (bool, bool) { return v.Stalled, v.State == initiative.Running })
	},
	"lead_effect_proven": func(f *Facts) stats.Estimate {
		return share(f.Initiatives, func(v initiative.View) (bool, bool) {
			return slices.Contains([]string{"rct", "staggered", "did", "matched"}, v.Body.Method), v.State == initiative.Finished
		})
	},
	"lead_quick_win_cycle": func(f *Facts) stats.Estimate {
		var days []float64
		for _, v := range f.Initiatives {
			if v.Body.Lane == initiative.QuickWin && v.State == initiative.Finished && v.Body.Ended.After(v.Body.Start) {
				days = append(days, v.Body.Ended.Sub(v.Body.Start).Hours()/24)
			}
		}
		return median(days)
	},
	"lead_signal_to_review": func(f *Facts) stats.Estimate { return median(f.Signals.Days) },
	"lead_false_review": func(f *Facts) stats.Estimate {
		return stats.Proportion(f.Signals.Noise, f.Signals.Judged, Level)
	},
	"cxc_decision_effect_hit": func(f *Facts) stats.Estimate {
		return share(f.Decisions, func(d council.Doc) (bool, bool) {
			return hit(d.Body), d.State == council.Scored && d.Body.Outcome != nil && d.Body.Outcome.Known && d.Body.Forecast != nil && d.Body.Forecast.Baseline != nil
		})
	},
	"cxc_stop_rate": func(f *Facts) stats.Estimate {
		return share(f.Initiatives, func(v initiative.View) (bool, bool) {
			due := v.Body.Stop.Set() && !f.Now.Before(v.Body.Stop.Day) && v.State != initiative.Finished
			return v.State == initiative.Stopped, due
		})
	},
}

// Of gives the KPIs of a role that can be computed, in the order of the pack.
func Of(role string, all []packs.KPI, f *Facts) (out []Line) {
	for _, k := range all {
		compute := kpis[k.ID]
		if k.Role != role || compute == nil {
			continue
		}
		l := Line{KPI: k, Est: compute(f)}
		l.Known = l.Est.N >= max(1, k.MinN) && l.Est.Valid()
		l.State = l.judge()
		out = append(out, l)
	}
	return out
}

func (l Line) judge() string {
	better, worse := l.Est.Low >= l.Target, l.Est.High < l.Target
	if l.Direction == "lower" {
		better, worse = l.Est.High <= l.Target, l.Est.Low > l.Target
	}
	switch {
	case !l.Known:
		return "few"
	case better:
		return "met"
	case worse:
		return "missed"
	}
	return "unsure"
}

// hit reports whether a decision moved its measure the way it foresaw, by half as
// much at least.
func hit(d council.Decision) bool {
	f := d.Forecast
	if d.Outcome == nil || f == nil || f.Baseline == nil {
		return false
	}
	foreseen, seen := f.Mid-f.Baseline.Value, d.Outcome.Value-f.Baseline.Value
	return foreseen*seen > 0 && math.Abs(seen) >= math.Abs(foreseen)/2
}

// share counts those that hit among those that count.
func share[T any](all []T, judge func(T) (hit, counts bool)) stats.Estimate {
	var x, n int64
	for _, one := range all {
		hit, counts := judge(one)
		if !counts {
			continue
		}
		n++
		if hit {
			x++
		}
	}
	return stats.Proportion(x, n, Level)
}

func median(days []float64) stats.Estimate { return stats.Quantile(days, 0.5, Level) }
