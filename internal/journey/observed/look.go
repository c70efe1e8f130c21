package observed

import (
	"context"
	"math"
	"slices"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/belong"
)

// Waiting is a case that is not over.
type Waiting struct {
	Case   int   // of the slice's log
	Last   int32 // activity
	Silent int64 // microseconds since the last event
	// Chance is that nothing will follow, learned from all cases of the journey.
	Chance mining.Chance
}

// Waiting lists the cases without an end that have not been silent for longer
// than the timeout: the customers who are in the journey now.
func (p *Slice) Waiting() (out []Waiting) {
	model := mining.FitSilence(p.Whole, p.Ending())
	of := p.Standing()
	for c := range p.Log.Cases() {
		if of[c] != mining.Open {
			continue
		}
		path, times := p.Log.Path(c), p.Log.Times(c)
		w := Waiting{Case: c, Last: path[len(path)-1], Silent: p.End - slices.Max(times)}
		w.Chance = model.Abandoned(w.Last, w.Silent)
		out = append(out, w)
	}
	return out
}

// Stopped lists the cases that got through so many steps of a funnel and no
// further, and that are over; the latest first. Zero steps asks for all cases.
func (p *Slice) Stopped(spec FunnelSpec, steps int) (cases []int, err error) {
	if steps < 1 {
		for c := range p.Log.Cases() {
			cases = append(cases, c)
		}
		return p.latestFirst(cases), nil
	}
	result, err := p.Funnel(spec)
	if err != nil {
		return nil, err
	}
	of := p.Standing()
	for c, reached := range result.Reached {
		if int(reached) == steps && of[c] != mining.Open {
			cases = append(cases, c)
		}
	}
	return p.latestFirst(cases), nil
}

func (p *Slice) latestFirst(cases []int) []int {
	latest := make(map[int]int64, len(cases))
	for _, c := range cases {
		latest[c] = slices.Max(p.Log.Times(c))
	}
	slices.SortStableFunc(cases, func(a, b int) int { return int(max(-1, min(1, latest[b]-latest[a]))) })
	return cases
}

// Division says how the cases of a slice are divided into two sides.
type Division struct {
	// By is a column (channel, unit, product), "period", "with", "outcome" or
	// "segment".
	By string
	// A and B are two values of a column or two outcomes. "with" takes an activity,
	// "segment" a segment: A has it, the other side lacks it.
	A, B string
	// Cut parts two periods: A are the cases that started before it.
	Cut time.Time
}

// Sides are the ways to divide.
var Sides = []string{"period", "channel", "unit", "product", "with", "outcome", "segment"}

// Divide gives both sides; they have no case in common. Both are nil where the
// slice cannot be divided so.
func (s *Service) Divide(ctx context.Context, p *Slice, d Division) (a, b *mining.Log, err error) {
	keep := func(in func(c int) bool) *mining.Log {
		l, _ := p.Log.Filter(mining.CasesWhere(d.By, in))
		return l
	}
	switch d.By {
	case "period":
		cut := d.Cut.UnixMicro()
		a, _ = p.Log.Filter(mining.CasesStarted(math.MinInt64, cut))
		b, _ = p.Log.Filter(mining.CasesStarted(cut, math.MaxInt64))
		return a, b, nil
	case "with":
		id, ok := p.Log.Activities().Lookup(d.A)
		if !ok {
			return nil, nil, nil
		}
		a, _ = p.Log.Filter(mining.CasesWith(id))
		b, _ = p.Log.Filter(mining.CasesWithout(id))
		return a, b, nil
	case "outcome":
		return p.WithOutcome(d.A), p.WithOutcome(d.B), nil
	case "segment":
		in, err := s.InSegment(ctx, p.Query, d.A)
		if err != nil {
			return nil, nil, err
		}
		a = keep(func(c int) bool { return in(p.Log.CaseID(c)) })
		b = keep(func(c int) bool { return !in(p.Log.CaseID(c)) })
		if a.Cases() < belong.Few || b.Cases() < belong.Few {
			return nil, nil, nil
		}
		return a, b, nil
	}
	dict, ok := p.Log.Column(d.By)
	if !ok {
		return nil, nil, nil
	}
	idA, okA := dict.Lookup(d.A)
	idB, okB := dict.Lookup(d.B)
	if !okA || !okB || idA == idB {
		return nil, nil, nil
	}
	// A case that has both belongs to neither, so that no case is compared with itself.
	has := func(c int, id int32) bool { return slices.Contains(p.Log.Values(d.By, c), id) }
	return keep(func(c int) bool { return has(c, idA) && !has(c, idB) }), keep(func(c int) bool { return has(c, idB) && !has(c, idA) }), nil
}

// Halfway is the day that halves the cases by when they started, in a zone.
func (p *Slice) Halfway(zone *time.Location) time.Time {
	starts := make([]int64, p.Log.Cases())
	for c := range starts {
		starts[c] = slices.Min(p.Log.Times(c))
	}
	slices.Sort(starts)
	t := time.UnixMicro(starts[len(starts)/2]).In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}
