package mining

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// Report is a summary of a log for people and programs: the figures that
// process-mining tools print, under fixed JSON keys. Durations are in seconds,
// rounded to milliseconds; shares to six digits.
type Report struct {
	Log               string       `json:"log"`
	Order             string       `json:"order"`
	Cases             int          `json:"cases"`
	Events            int          `json:"events"`
	Activities        int          `json:"activities"`
	Variants          int          `json:"variants"`
	VariantsSingleton int          `json:"variants_singleton"`
	VariantsToCover80 int          `json:"variants_to_cover_80pct"`
	Edges             int          `json:"dfg_edges"`
	EdgeTotal         int          `json:"dfg_edge_total"`
	CasesNotInOrder   int          `json:"cases_not_in_time_order"`
	FirstEvent        string       `json:"first_event_utc"`
	LastEvent         string       `json:"last_event_utc"`
	EventsPerCase     ReportLength `json:"events_per_case"`
	CaseDuration      ReportTimes  `json:"case_duration_seconds"`
	CasesWithRework   int          `json:"cases_with_rework"`
	SelfLoops         int          `json:"self_loop_transitions"`
	Returns           int          `json:"length2_return_transitions"`
	StartActivities   NamedCounts  `json:"start_activities"`
	EndActivities     NamedCounts  `json:"end_activities"`
	ActivityEvents    NamedCounts  `json:"activity_events"`
	ActivityCases     NamedCounts  `json:"activity_cases"`
	TopVariants       []ReportPath `json:"top_variants"`
	TopEdges          []ReportEdge `json:"dfg_top20"`
	AllEdges          []ReportEdge `json:"dfg_all"`
	Funnel            []ReportStep `json:"funnel,omitempty"`
}

// ReportLength describes events per case; the mean has four digits.
type ReportLength struct {
	Min    int     `json:"min"`
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	Max    int     `json:"max"`
}

// ReportTimes describes durations in seconds.
type ReportTimes struct {
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	P95    float64 `json:"p95"`
	Max    float64 `json:"max"`
	Zero   int     `json:"zero"`
}

// ReportPath is a variant.
type ReportPath struct {
	Rank   int      `json:"rank"`
	Count  int      `json:"count"`
	Share  float64  `json:"share"`
	Length int      `json:"length"`
	Path   []string `json:"path"`
}

// ReportEdge is an edge of the directly-follows map.
type ReportEdge struct {
	Source string  `json:"source"`
	Target string  `json:"target"`
	Count  int     `json:"count"`
	Mean   float64 `json:"mean_seconds"`
	Median float64 `json:"median_seconds"`
}

// ReportStep is a step of a funnel.
type ReportStep struct {
	Step  string `json:"step"`
	Cases int    `json:"cases"`
}

// NamedCount is a name with a number.
type NamedCount struct {
	Name  string
	Count int
}

// NamedCounts is marshalled to a JSON object that keeps its order.
type NamedCounts []NamedCount

// MarshalJSON implements [json.Marshaler].
func (c NamedCounts) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteByte('{')
	for i, n := range c {
		if i > 0 {
			buf.WriteByte(',')
		}
		name, err := json.Marshal(n.Name)
		if err != nil {
			return nil, err
		}
		buf.Write(name)
		buf.WriteByte(':')
		buf.WriteString(strconv.Itoa(n.Count))
	}
	buf.WriteByte('}')
	return buf.Bytes(), nil
}

// NewReport computes a report. The name describes the log.
func NewReport(l *Log, name string) *Report {
	const topVariants, topEdges, cover = 10, 20, 0.8
	g, v := DirectlyFollows(l), FindVariants(l)
	rework := FindRework(l)
	r := &Report{
		Log: name, Order: l.Order().String(),
		Cases: l.Cases(), Events: l.Events(), Activities: len(g.Nodes),
		Variants: len(v.List), VariantsSingleton: v.Singletons(), VariantsToCover80: v.ToCover(cover),
		Edges: len(g.Edges), EdgeTotal: g.Transitions,
		CasesNotInOrder: CasesOutOfTimeOrder(l),
		CasesWithRework: rework.Cases, SelfLoops: rework.SelfLoops, Returns: rework.Returns,
		StartActivities: namedCounts(l, g.Nodes, func(n Node) int { return n.Starts }),
		EndActivities:   namedCounts(l, g.Nodes, func(n Node) int { return n.Ends }),
		ActivityEvents:  namedCounts(l, g.Nodes, func(n Node) int { return n.Events }),
		ActivityCases:   namedCounts(l, g.Nodes, func(n Node) int { return n.Cases }),
		EventsPerCase:   reportLengths(CaseLengths(l)),
		CaseDuration:    reportDurations(l),
		TopVariants:     reportVariants(l, v, topVariants),
		AllEdges:        reportEdges(l, g),
	}
	r.TopEdges = slices.Clone(r.AllEdges[:min(topEdges, len(r.AllEdges))])
	slices.SortFunc(r.AllEdges, func(a, b ReportEdge) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
	if first, last, ok := l.TimeRange(); ok {
		r.FirstEvent, r.LastEvent = instant(first), instant(last)
	}
	return r
}

// AddFunnel runs a funnel of single activities and adds its counts.
func (r *Report) AddFunnel(l *Log, f *Funnel) error {
	result, err := f.Run(l)
	if err != nil {
		return err
	}
	r.Funnel = make([]ReportStep, len(f.Steps))
	for i, step := range result.Steps {
		r.Funnel[i] = ReportStep{Step: l.activities.Name(f.Steps[i][0]), Cases: step.Cases}
	}
	return nil
}

func instant(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000Z")
}

// namedCounts lists the counts above zero, largest first.
func namedCounts(l *Log, nodes []Node, count func(Node) int) NamedCounts {
	out := NamedCounts{}
	for _, n := range nodes {
		if c := count(n); c > 0 {
			out = append(out, NamedCount{l.activities.Name(n.Activity), c})
		}
	}
	slices.SortStableFunc(out, func(a, b NamedCount) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

func reportLengths(n Lengths) ReportLength {
	return ReportLength{Min: n.Min, Mean: rounded(n.Mean, 4), Median: n.Median, Max: n.Max}
}

func reportVariants(l *Log, v *Variants, top int) []ReportPath {
	out := []ReportPath{}
	for i, variant := range v.List[:min(top, len(v.List))] {
		path := make([]string, len(variant.Path))
		for j, a := range variant.Path {
			path[j] = l.activities.Name(a)
		}
		out = append(out, ReportPath{
			Rank: i + 1, Count: variant.Count, Share: rounded(v.Share(i), 6),
			Length: len(path), Path: path,
		})
	}
	return out
}

// rounded rounds to a number of decimal digits: to the nearest decimal of the
// exact binary value, as printing does.
func rounded(x float64, digits int) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'f', digits, 64), 64)
	if err != nil {
		return x // not a number, or infinite
	}
	return y
}
