package observed

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/definition"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/warehouse"
)

// AllJourneys is the id under which the events of all journeys are one.
const AllJourneys = "all"

// The keys that a case may be.
const (
	ByCase     = "case"     // one run, as the events name it
	ByCustomer = "customer" // everything one customer did in the journey
)

// Slice is the part of a journey that a query chose, ready to be looked at in many
// ways.
type Slice struct {
	Definition definition.Definition
	Query      Query
	Whole      *mining.Log // before the filters
	Log        *mining.Log
	// Filters says how many cases each filter left, the whole journey first;
	// Alone how many there would be without just this filter.
	Filters []mining.FilterStep
	Alone   []int
	ReadAt  time.Time
	// End is the end of observation: the latest event of the journey.
	End int64
}

// Slice reads the part of a journey that a query chooses.
func (s *Service) Slice(ctx context.Context, q Query) (*Slice, error) {
	if err := auth.Require(ctx, definition.PermRead, ""); err != nil {
		return nil, err
	}
	d, err := s.definitions.Get(ctx, q.Journey)
	if err != nil {
		return nil, err
	}
	whole, readAt, err := s.load(ctx, q)
	if err != nil {
		return nil, err
	}
	if whole.Events() == 0 {
		return nil, errs.NotFound("journey.error.empty", "no event of the journey %q is in yet", q.Journey)
	}
	p := &Slice{Definition: d, Query: q, Whole: whole, ReadAt: readAt}
	_, p.End, _ = whole.TimeRange()
	chosen := filters(whole, q, d, p.End)
	if q.Segment != "" {
		f, err := s.segmentFilter(ctx, q)
		if err != nil {
			return nil, err
		}
		chosen = append([]mining.Filter{f}, chosen...)
	}
	p.Log, p.Filters = whole.Filter(chosen...)
	if err := guardFew(ctx, q, p.Log); err != nil {
		return nil, err
	}
	if len(chosen) > 1 {
		for i := range chosen {
			rest, _ := whole.Filter(slices.Delete(slices.Clone(chosen), i, i+1)...)
			p.Alone = append(p.Alone, rest.Cases())
		}
	} else if len(chosen) == 1 {
		p.Alone = []int{whole.Cases()}
	}
	return p, nil
}

// Ending says when a case of the journey is over.
func (p *Slice) Ending() mining.Ending { return ending(p.Whole, p.Definition, p.End) }

func ending(l *mining.Log, d definition.Definition, end int64) mining.Ending {
	e := mining.Ending{Timeout: cmp.Or(d.Timeout, definition.DefaultTimeout), End: end}
	for _, list := range []struct {
		names []string
		to    *[]int32
	}{{d.Success, &e.Success}, {d.Failure, &e.Failure}} {
		for _, name := range list.names {
			if id, ok := l.Activities().Lookup(name); ok {
				*list.to = append(*list.to, id)
			}
		}
	}
	return e
}

// moreFilters are those beyond period, channel, product and steps.
func moreFilters(l *mining.Log, q Query, d definition.Definition, end int64) (out []mining.Filter) {
	if q.Unit != "" {
		out = append(out, named("unit", mining.CasesWithValue("unit", valueID(l, "unit", q.Unit))))
	}
	if q.Begins != "" {
		out = append(out, named("begins", mining.CasesFrom(activityID(l, q.Begins))))
	}
	if q.Ends != "" {
		out = append(out, named("ends", mining.CasesTo(activityID(l, q.Ends))))
	}
	if a, b, ok := strings.Cut(q.Passing, ">"); ok {
		out = append(out, named("passing", mining.CasesPassing(activityID(l, a), activityID(l, b), true)))
	}
	if q.Longer > 0 || q.Shorter > 0 {
		out = append(out, named("lasting", mining.CasesLasting(q.Longer, q.Shorter)))
	}
	if q.Outcome != "" {
		out = append(out, mining.Filter{Name: "outcome", Cases: func(l *mining.Log) func(c int) bool {
			of := standing(l, d, end)
			return func(c int) bool { return of[c].String() == q.Outcome }
		}})
	}
	return out
}

// keyOf is the case key of a query.
func (q Query) keyOf() warehouse.CaseKey {
	if q.By == ByCustomer {
		return warehouse.ByCustomer
	}
	return warehouse.ByCase
}

// cut cuts the histories of customers into sessions by silence, when asked.
func (q Query) cut(l *mining.Log) *mining.Log {
	if q.Silence <= 0 {
		return l
	}
	out, _ := mining.Journeys(l, mining.Cut{Timeout: q.Silence})
	return out
}

// Steps are the steps of the funnel: those asked for, those designed, or the usual
// way.
func (p *Slice) Steps(g *mining.Graph) []string {
	if len(p.Query.Steps) > 0 {
		return p.Query.Steps
	}
	steps := slices.DeleteFunc(slices.Clone(p.Definition.Steps), func(s string) bool { return activityID(p.Log, s) == unknownID })
	if len(steps) < 2 {
		if g == nil {
			g = mining.DirectlyFollows(p.Log)
		}
		steps = usualWay(p.Log, g)
	}
	return steps
}

// FunnelSpec is a funnel as people build it.
type FunnelSpec struct {
	// Steps are names of events; several of one step are joined by "|".
	Steps       []string
	Mode        mining.FunnelMode
	Within, Gap time.Duration
}

// Funnel counts who got through the steps.
func (p *Slice) Funnel(spec FunnelSpec) (*mining.FunnelResult, error) {
	f := mining.Funnel{Mode: spec.Mode, Within: spec.Within, Gap: spec.Gap, Timeout: cmp.Or(p.Definition.Timeout, definition.DefaultTimeout), End: p.End}
	for _, step := range spec.Steps {
		var any []int32
		for name := range strings.SplitSeq(step, "|") {
			any = append(any, activityID(p.Log, strings.TrimSpace(name)))
		}
		f.Steps = append(f.Steps, any)
	}
	result, err := f.Run(p.Log)
	if err != nil {
		return nil, errs.Invalid("journey.error.funnel", "steps", "these steps make no funnel: %v", err).Because(err)
	}
	return result, nil
}

// Begin names the event that most cases begin with.
func (p *Slice) Begin() string {
	counts := make([]int, p.Log.Activities().Len())
	best := int32(0)
	for c := range p.Log.Cases() {
		a := p.Log.Path(c)[0]
		if counts[a]++; counts[a] > counts[best] {
			best = a
		}
	}
	return p.Log.Activities().Name(best)
}

// Standing tells how each case of the slice stands at the end of observation.
func (p *Slice) Standing() []mining.Outcome { return standing(p.Log, p.Definition, p.End) }

// WithOutcome keeps the cases that stand so.
func (p *Slice) WithOutcome(outcome string) *mining.Log {
	of := p.Standing()
	l, _ := p.Log.Filter(mining.CasesWhere("outcome", func(c int) bool { return of[c].String() == outcome }))
	return l
}

// Customers gives the pseudonym of the customer behind each of some cases of a
// journey.
func (s *Service) Customers(ctx context.Context, q Query, cases []string) (map[string]string, error) {
	if err := auth.Require(ctx, definition.PermRead, ""); err != nil {
		return nil, err
	}
	if q.By == ByCustomer { // the case is the customer
		out := map[string]string{}
		for _, c := range cases {
			out[c] = c
		}
		return out, nil
	}
	return s.customersOf(ctx, q.Journey, cases)
}

// Month is the beginning of the month of an instant, in its zone.
func Month(t time.Time) time.Time { return month(t) }
