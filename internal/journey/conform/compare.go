// Package conform sets designed against observed: how far the cases of a
// journey follow its map, step by step, where they drift away from it, and
// which steps the bank can see at all.
//
// [Compare] is exact: each case gets its cheapest explanation by the map
// (analytics/mining/align). Only cases that are over are compared; one that goes
// on cannot be blamed for steps that it may still make.
//
// Files: compare.go (conformance), drift.go (change of the paths, tasks),
// coverage.go (kinds of signal by step), service.go (reading, memory),
// refresh.go (nightly work, tasks), store.go (all SQL).
package conform

import (
	"cmp"
	"math"
	"slices"
	"time"

	"omote/analytics/mining"
	"omote/analytics/mining/align"
	"omote/analytics/stats"
	"omote/internal/journey/belong"
	"omote/internal/journey/blueprint"
)

// Level is the level of all intervals.
const Level = 0.95

// Report is how a journey's cases fit its map.
type Report struct {
	Journey string `json:"journey"`
	Version int    `json:"version"` // of the map
	// Cases are those compared; Open go on and are left out.
	Cases int `json:"cases"`
	Open  int `json:"open"`
	// Fitness is the mean over the cases, 0 to 1, with its interval.
	Fitness stats.Estimate `json:"fitness"`
	Perfect int            `json:"perfect"` // cases without any deviation
	Cost    int            `json:"cost"`    // deviations of all cases
	Steps   []StepReport   `json:"steps"`
	Extras  []Extra        `json:"extras"`
	// Groups are parts of the cases by channel, product, unit, outcome and segment.
	Groups map[string][]Group `json:"groups"`
	// Segments are those that were told apart; the parts of fewer than five cases
	// are left out of Groups.
	Segments []belong.Segment `json:"segments,omitempty"`
	// First and Last bound the events of the cases compared.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// ReadAt is when the events were read.
	ReadAt time.Time `json:"read_at"`
}

// StepReport is how one step fares over the cases.
type StepReport struct {
	Step     string         `json:"step"`
	Fitness  stats.Estimate `json:"fitness"` // share of cases that made it cleanly among those that should
	Done     int            `json:"done"`
	Skipped  int            `json:"skipped"`
	Late     int            `json:"late"`
	Repeated int            `json:"repeated"`
	Apart    int            `json:"out_of_order"`
	// Median and P90 are of the wait since the step before, in seconds; N waits.
	Median float64 `json:"median_s"`
	P90    float64 `json:"p90_s"`
	Waits  int     `json:"waits"`
}

// Extra is an activity that is no step, or not where the map wants it.
type Extra struct {
	Event  string `json:"event"`
	Kind   string `json:"kind"` // unknown, exception, repeated, out of order
	Events int    `json:"events"`
	Cases  int    `json:"cases"`
}

// Group is a part of the cases.
type Group struct {
	Name    string         `json:"name"`
	Fitness stats.Estimate `json:"fitness"`
	Perfect int            `json:"perfect"`
}

// maxExtras and maxGroups bound the lists of a report.
const (
	maxExtras = 30
	maxGroups = 200
)

// Part chooses cases by the value of a column of their first event, or by a
// segment of their customers ([BySegment]); an empty column takes all.
type Part struct {
	Column, Value string
}

// BySegment is the column of a part that stands for a segment.
const BySegment = "segment"

// Compare aligns the cases of a log that are over with a map. in tells the
// segments of cases; nil tells none apart.
func Compare(d *blueprint.Document, l *mining.Log, part Part, in *belong.Belonging) (*Report, error) {
	r := &Report{Journey: d.Journey, Groups: map[string][]Group{}, Fitness: stats.Mean(stats.Moments{}, Level)}
	l = partOf(l, part, in)
	def := d.Definition()
	ids := func(names []string) (out []int32) {
		for _, n := range names {
			if id, ok := l.Activities().Lookup(n); ok {
				out = append(out, id)
			}
		}
		return out
	}
	model, err := d.Compile(l.Activities())
	if err != nil {
		return nil, err
	}
	var outcome []mining.Outcome
	if l.Cases() > 0 {
		outcome, _ = mining.Outcomes(l, mining.Ending{Success: ids(def.Success), Failure: ids(def.Failure), Timeout: def.Timeout})
	}
	over, _ := l.Filter(mining.CasesWhere("over", func(c int) bool { return outcome[c] != mining.Open }))
	r.Cases, r.Open = over.Cases(), l.Cases()-over.Cases()
	outcome = slices.DeleteFunc(outcome, func(o mining.Outcome) bool { return o == mining.Open })
	if first, last, ok := over.TimeRange(); ok {
		r.First, r.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	}
	a := model.AlignLog(over)
	r.Perfect, r.Cost = a.Perfect, a.Cost
	r.Fitness = meanFitness(a.Of, nil)
	for _, s := range a.Steps {
		r.Steps = append(r.Steps, stepReport(model.Steps()[s.Step].ID, s))
	}
	for _, x := range a.Extras[:min(len(a.Extras), maxExtras)] {
		r.Extras = append(r.Extras, Extra{Event: over.Activities().Name(x.Activity), Kind: x.Kind.String(), Events: x.Events, Cases: x.Cases})
	}
	for _, column := range []string{"channel", "product", "unit"} {
		r.Groups[column] = byColumn(over, column, a.Of)
	}
	r.Groups["outcome"] = grouped(len(outcome), func(c int) []string { return []string{outcome[c].String()} }, a.Of)
	if in != nil && len(in.Segments) > 0 {
		r.Groups[BySegment] = grouped(over.Cases(), func(c int) (ids []string) {
			for _, i := range in.Of(over.CaseID(c)) {
				ids = append(ids, in.Segments[i].ID)
			}
			return ids
		}, a.Of)
		r.Groups[BySegment] = slices.DeleteFunc(r.Groups[BySegment], func(g Group) bool { return g.Fitness.N < belong.Few })
		r.Segments = in.Segments
	}
	return r, nil
}

func partOf(l *mining.Log, p Part, in *belong.Belonging) *mining.Log {
	switch {
	case p.Column == "":
		return l
	case p.Column == BySegment && in == nil:
		in = &belong.Belonging{}
		fallthrough
	case p.Column == BySegment:
		member := in.In(p.Value)
		out, _ := l.Filter(mining.CasesWhere(BySegment, func(c int) bool { return member(l.CaseID(c)) }))
		return out
	}
	out, _ := l.Filter(mining.CasesWhere(p.Column, func(c int) bool { return firstValue(l, p.Column, c) == p.Value }))
	return out
}

// firstValue is the value of a column at the first event of a case that has one.
func firstValue(l *mining.Log, column string, c int) string {
	dict, ok := l.Column(column)
	if !ok {
		return ""
	}
	for _, v := range l.Values(column, c) {
		if v != mining.None {
			if name := dict.Name(v); name != "" {
				return name
			}
		}
	}
	return ""
}

func byColumn(l *mining.Log, column string, of []align.CaseFit) []Group {
	if _, ok := l.Column(column); !ok {
		return nil
	}
	return grouped(l.Cases(), func(c int) []string { return []string{firstValue(l, column, c)} }, of)
}

// grouped estimates the fitness of each group, largest first. A case may belong
// to several, as customers do to segments.
func grouped(n int, names func(c int) []string, of []align.CaseFit) []Group {
	moments, perfect := map[string]*stats.Moments{}, map[string]int{}
	for c := range n {
		for _, key := range names(c) {
			if key == "" {
				continue
			}
			m := moments[key]
			if m == nil {
				m = &stats.Moments{}
				moments[key] = m
			}
			m.Push(of[c].Fitness)
			if of[c].Cost == 0 {
				perfect[key]++
			}
		}
	}
	var out []Group
	for key, m := range moments {
		out = append(out, Group{Name: key, Fitness: bounded(stats.Mean(*m, Level)), Perfect: perfect[key]})
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Fitness.N, a.Fitness.N), cmp.Compare(a.Name, b.Name))
	})
	return out[:min(len(out), maxGroups)]
}

func meanFitness(of []align.CaseFit, keep func(c int) bool) stats.Estimate {
	var m stats.Moments
	for c, f := range of {
		if keep == nil || keep(c) {
			m.Push(f.Fitness)
		}
	}
	return bounded(stats.Mean(m, Level))
}

// bounded keeps the interval of a fitness between 0 and 1.
func bounded(e stats.Estimate) stats.Estimate {
	if !math.IsNaN(e.Low) {
		e.Low, e.High = max(0, e.Low), min(1, e.High)
	}
	return e
}

func stepReport(id string, s align.StepFit) StepReport {
	return StepReport{Step: id, Fitness: stats.Proportion(int64(s.Clean), int64(s.Done+s.Skipped), Level), Done: s.Done, Skipped: s.Skipped, Late: s.Late,
		Repeated: s.Repeated, Apart: s.Misplaced, Median: s.Wait.Median, P90: s.Wait.P90, Waits: s.Wait.N}
}

// Step finds the report of a step; nil where none was compared.
func (r *Report) Step(id string) *StepReport {
	for i := range r.Steps {
		if r.Steps[i].Step == id {
			return &r.Steps[i]
		}
	}
	return nil
}

// Worst lists the steps that fit least and that at least minN cases should have
// made, worst first.
func (r *Report) Worst(n, minN int) []StepReport {
	var out []StepReport
	for _, s := range r.Steps {
		if s.Done+s.Skipped >= minN && s.Fitness.Value < 1 {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b StepReport) int { return cmp.Compare(a.Fitness.Value, b.Fitness.Value) })
	return out[:min(n, len(out))]
}
