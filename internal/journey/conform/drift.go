package conform

import (
	"time"

	"omote/analytics/mining"
	"omote/analytics/stats"
	"omote/internal/journey/blueprint"
)

// Drift is how far the paths have moved from one period to the next.
type Drift struct {
	// Recent and Before bound the two periods by the start of cases.
	From, Middle, To time.Time
	RecentCases      int
	BeforeCases      int
	// Divergence is that of Jensen and Shannon over transitions, in bits, 0 to 1;
	// Noise is what chance alone exceeds once in twenty times, P the share of
	// random divisions that reach the divergence found.
	Divergence, Noise, P float64
	// Edges are the transitions that contribute most.
	Edges []DriftEdge
	// Recent and Before are the fitness of either period.
	Recent, Before stats.Estimate
}

// DriftEdge is the share of a transition in either period; an empty name stands
// for the beginning or the end of a case.
type DriftEdge struct {
	Source, Target string
	Before, Recent float64
	Part           float64 // of the divergence
}

// Limits of the search for drift.
const (
	// Window is the length of the two periods compared.
	Window = 90 * 24 * time.Hour
	// MinCases is how many cases either period needs.
	MinCases = 100
	// driftP and driftSize are what a drift must reach to be told: beyond chance,
	// and large enough to matter.
	driftP    = 0.01
	driftSize = 0.02
	// permutations of the test, and cases of either period that it takes.
	permutations = 199
	sampleCases  = 4_000
	edgesShown   = 8
)

// Told says whether the drift asks for a look at the map.
func (d *Drift) Told() bool { return d != nil && d.P <= driftP && d.Divergence >= driftSize }

// FindDrift compares the cases of the last Window before end with those of the
// Window before it. It gives nil where either has too few.
func FindDrift(d *blueprint.Document, l *mining.Log, seed uint64) (*Drift, error) {
	_, last, ok := l.TimeRange()
	if !ok {
		return nil, nil
	}
	to := time.UnixMicro(last).UTC()
	out := &Drift{From: to.Add(-2 * Window), Middle: to.Add(-Window), To: to}
	recent, _ := l.Filter(mining.CasesStarted(out.Middle.UnixMicro(), last+1))
	before, _ := l.Filter(mining.CasesStarted(out.From.UnixMicro(), out.Middle.UnixMicro()))
	out.RecentCases, out.BeforeCases = recent.Cases(), before.Cases()
	if out.RecentCases < MinCases || out.BeforeCases < MinCases {
		return nil, nil
	}
	// Cases that still go on would make the recent paths look cut short.
	r, err := Compare(d, recent, Part{}, nil)
	if err != nil {
		return nil, err
	}
	b, err := Compare(d, before, Part{}, nil)
	if err != nil {
		return nil, err
	}
	out.Recent, out.Before = r.Fitness, b.Fitness
	found := mining.FindDrift(sample(over(d, before, last)), sample(over(d, recent, last)), permutations, seed)
	out.Divergence, out.Noise, out.P = found.Divergence, found.Noise, found.P
	name := func(id int32) string {
		if id == mining.None {
			return ""
		}
		return l.Activities().Name(id)
	}
	for _, e := range found.Edges[:min(len(found.Edges), edgesShown)] {
		out.Edges = append(out.Edges, DriftEdge{Source: name(e.Source), Target: name(e.Target), Before: e.ShareA, Recent: e.ShareB, Part: e.Part})
	}
	return out, nil
}

// over keeps the cases that are over at an instant.
func over(d *blueprint.Document, l *mining.Log, end int64) *mining.Log {
	def := d.Definition()
	e := mining.Ending{Timeout: def.Timeout, End: end}
	for _, n := range def.Success {
		if id, ok := l.Activities().Lookup(n); ok {
			e.Success = append(e.Success, id)
		}
	}
	for _, n := range def.Failure {
		if id, ok := l.Activities().Lookup(n); ok {
			e.Failure = append(e.Failure, id)
		}
	}
	outcome, _ := mining.Outcomes(l, e)
	out, _ := l.Filter(mining.CasesWhere("over", func(c int) bool { return outcome[c] != mining.Open }))
	return out
}

// sample takes evenly spread cases where there are very many.
func sample(l *mining.Log) *mining.Log {
	n := l.Cases()
	if n <= sampleCases {
		return l
	}
	out, _ := l.Filter(mining.CasesWhere("sample", func(c int) bool { return c*sampleCases/n != (c+1)*sampleCases/n }))
	return out
}
