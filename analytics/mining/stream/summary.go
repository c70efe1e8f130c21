package stream

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"omote/analytics/mining"
)

// Settings of a summary: those of [mining.NewReport].
const (
	topVariants = 10
	topEdges    = 20
	cover       = 0.8
)

// Summary makes the report of [mining.NewReport] without holding the log: the same
// figures under the same keys. Only a duration that lies exactly half-way between two
// milliseconds may be rounded to the other one; see the note on floating-point seconds
// there. The name describes the log; funnel may be nil.
func (l *Log) Summary(name string, funnel *mining.Funnel) (*mining.Report, error) {
	r, err := l.Mine(Ask{Variants: topVariants, Funnel: funnel})
	if err != nil {
		return nil, err
	}
	label := l.activities.Name
	out := &mining.Report{
		Log: name, Order: l.o.Order.String(),
		Cases: r.Cases, Events: int(r.Events), Activities: len(r.Graph.Nodes), Variants: r.Ways,
		Edges: len(r.Graph.Edges), EdgeTotal: r.Graph.Transitions, CasesNotInOrder: r.OutOfOrder,
		CasesWithRework: r.Rework.Cases, SelfLoops: r.Rework.SelfLoops, Returns: r.Rework.Returns,
		EventsPerCase: mining.ReportLength{Min: r.Lengths.Min, Mean: rounded(r.Lengths.Mean, 4), Median: r.Lengths.Median, Max: r.Lengths.Max},
		CaseDuration: mining.ReportTimes{Mean: rounded(r.Durations.Mean, 3), Median: rounded(r.Durations.Median, 3), P90: rounded(r.Durations.P90, 3),
			P95: rounded(r.Durations.P95, 3), Max: rounded(r.Durations.Max, 3), Zero: r.Zero},
		TopVariants: []mining.ReportPath{}, AllEdges: []mining.ReportEdge{},
	}
	if r.Events > 0 {
		out.FirstEvent, out.LastEvent = instant(r.First), instant(r.Last)
	}
	covered, done := 0, false
	for _, n := range r.Counts {
		if n == 1 {
			out.VariantsSingleton++
		}
		if !done {
			covered += n
			out.VariantsToCover80++
			done = float64(covered) >= cover*float64(r.Cases)
		}
	}
	for i, v := range r.Variants {
		p := mining.ReportPath{Rank: i + 1, Count: v.Count, Share: rounded(float64(v.Count)/float64(r.Cases), 6), Length: len(v.Path)}
		for _, a := range v.Path {
			p.Path = append(p.Path, label(a))
		}
		out.TopVariants = append(out.TopVariants, p)
	}
	count := func(of func(mining.Node) int) mining.NamedCounts {
		c := mining.NamedCounts{}
		for _, n := range r.Graph.Nodes {
			if x := of(n); x > 0 {
				c = append(c, mining.NamedCount{Name: label(n.Activity), Count: x})
			}
		}
		slices.SortStableFunc(c, func(a, b mining.NamedCount) int { return cmp.Compare(b.Count, a.Count) })
		return c
	}
	out.StartActivities = count(func(n mining.Node) int { return n.Starts })
	out.EndActivities = count(func(n mining.Node) int { return n.Ends })
	out.ActivityEvents = count(func(n mining.Node) int { return n.Events })
	out.ActivityCases = count(func(n mining.Node) int { return n.Cases })
	for _, e := range r.Graph.Edges {
		out.AllEdges = append(out.AllEdges, mining.ReportEdge{Source: label(e.Source), Target: label(e.Target), Count: e.Count, Mean: rounded(e.Wait.Mean, 3), Median: rounded(e.Wait.Median, 3)})
	}
	out.TopEdges = slices.Clone(out.AllEdges[:min(topEdges, len(out.AllEdges))])
	slices.SortFunc(out.AllEdges, func(a, b mining.ReportEdge) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
	if funnel != nil {
		out.Funnel = make([]mining.ReportStep, len(funnel.Steps))
		for i, step := range funnel.Steps {
			out.Funnel[i].Step = label(step[0])
			if i < len(r.Funnel) {
				out.Funnel[i].Cases = r.Funnel[i].Cases
			}
		}
	}
	return out, nil
}

func instant(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000Z")
}

// rounded rounds to a number of decimal digits.
func rounded(x float64, digits int) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'f', digits, 64), 64)
	if err != nil {
		return x // not a number, or infinite
	}
	return y
}
