package api

import (
	"context"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/analytics/mining"
	"omote/analytics/stats"
	"omote/internal/journey/definition"
	"omote/internal/journey/moment"
	"omote/internal/journey/observed"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
)

// Observed are the operations that tell what really happened in a journey: the
// same views as the pages, with the same filters. They give names of events, case
// ids and counts; customers are not among them.
type Observed struct {
	Service *observed.Service
	// Worth gives what handling costs; nil: unknown.
	Worth func(ctx context.Context) (moment.Worth, error)
	// Zone is where the days of a filter are cut.
	Zone *time.Location
}

// Register adds them.
func (o Observed) Register(api huma.API) {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: "/api/v1/journeys" + path, Tags: []string{"Observed journeys"}, Summary: summary, Errors: []int{http.StatusNotFound}}
	}
	httpx.Operation(api, op("list-journeys", "", "Journeys that events speak of, most cases first"), definition.PermRead, o.list)
	httpx.Operation(api, op("get-journey-map", "/{journey}/map", "Which step follows which, how often and after how long"), definition.PermRead, o.graph)
	httpx.Operation(api, op("list-journey-variants", "/{journey}/variants", "The ways that cases take, most frequent first"), definition.PermRead, o.variants)
	httpx.Operation(api, op("get-journey-funnel", "/{journey}/funnel", "Who gets through a number of steps, and where the others go"), definition.PermRead, o.funnel)
	httpx.Operation(api, op("list-journey-cases", "/{journey}/cases", "Cases, or those that stopped after a number of steps of a funnel; latest first"), definition.PermRead, o.cases)
	httpx.Operation(api, op("list-journey-handoffs", "/{journey}/handoffs", "Hand-offs between units or channels with their wait and loss"), definition.PermRead, o.handoffs)
	httpx.Operation(api, op("compare-journey", "/{journey}/compare", "Whether two parts of a journey differ beyond chance"), definition.PermRead, o.compare)
	httpx.Operation(api, op("get-journey-now", "/{journey}/now", "Cases that are not over, each with the chance that nothing will follow"), definition.PermRead, o.now)
}

// JourneyCases is a journey and the filters that choose its cases.
type JourneyCases struct {
	Journey  string   `path:"journey" maxLength:"200" doc:"id of the journey; all takes the events of all journeys"`
	From     string   `query:"from" format:"date" doc:"cases that started on or after this day"`
	To       string   `query:"to" format:"date" doc:"cases that started on or before this day"`
	Channel  string   `query:"channel" maxLength:"200"`
	Product  string   `query:"product" maxLength:"200"`
	Unit     string   `query:"unit" maxLength:"200" doc:"cases that a unit had a hand in"`
	Segment  string   `query:"segment" maxLength:"64" doc:"cases of customers who are members of the segment today"`
	With     string   `query:"with" maxLength:"200" doc:"cases that have the event"`
	Without  string   `query:"without" maxLength:"200" doc:"cases that lack the event"`
	Begins   string   `query:"begins" maxLength:"200" doc:"cases whose first event it is"`
	Ends     string   `query:"ends" maxLength:"200" doc:"cases whose last event it is"`
	Passing  string   `query:"passing" maxLength:"400" doc:"a>b: cases in which b follows a directly"`
	Longer   float64  `query:"longer" minimum:"0" maximum:"43920" doc:"cases that last at least so many hours"`
	Shorter  float64  `query:"shorter" minimum:"0" maximum:"43920" doc:"cases that last less than so many hours"`
	Outcome  string   `query:"outcome" enum:"succeeded,failed,abandoned,open"`
	Way      int      `query:"way" minimum:"1" doc:"cases of the n-th most frequent way"`
	Hide     []string `query:"hide,explode" maxItems:"50" doc:"events to leave out of every path"`
	Customer bool     `query:"by_customer" doc:"a case is all that a customer did in the journey"`
	Silence  float64  `query:"silence" minimum:"0" maximum:"43920" doc:"cut cases into sessions after so many hours without an event"`
}

func (o Observed) slice(ctx context.Context, in JourneyCases) (*observed.Slice, error) {
	hours := func(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }
	q := observed.Query{Journey: in.Journey, Channel: in.Channel, Product: in.Product, Unit: in.Unit, Segment: in.Segment, With: in.With, Without: in.Without, Begins: in.Begins,
		Ends: in.Ends, Passing: in.Passing, Longer: hours(in.Longer), Shorter: hours(in.Shorter), Outcome: in.Outcome, Way: in.Way, Hide: in.Hide, Silence: hours(in.Silence)}
	if in.Customer {
		q.By = observed.ByCustomer
	}
	for _, d := range []struct {
		field, text string
		to          *time.Time
		days        int
	}{{"from", in.From, &q.From, 0}, {"to", in.To, &q.To, 1}} { // the last day counts
		if d.text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, d.text, o.Zone)
		if err != nil {
			return nil, errs.Invalid("journey.error.date", d.field, "%q is no date such as 2026-11-19", d.text).With("value", d.text)
		}
		*d.to = day.AddDate(0, 0, d.days)
	}
	return o.Service.Slice(ctx, q)
}

// JourneyPart says what part of a journey an answer is about.
type JourneyPart struct {
	Journey string        `json:"journey"`
	Cases   int           `json:"cases"`
	Events  int           `json:"events"`
	Whole   int           `json:"all_cases" doc:"before the filters"`
	First   time.Time     `json:"first,omitzero" doc:"earliest event of the cases"`
	Last    time.Time     `json:"last,omitzero"`
	ReadAt  time.Time     `json:"read_at" doc:"when the events were read; they may be minutes old"`
	Filters []JourneyLeft `json:"filters" doc:"what each filter left, in order"`
}

// JourneyLeft is what a filter left.
type JourneyLeft struct {
	Filter string `json:"filter"`
	Cases  int    `json:"cases"`
}

func partOf(s *observed.Slice) JourneyPart {
	p := JourneyPart{Journey: s.Query.Journey, Cases: s.Log.Cases(), Events: s.Log.Events(), Whole: s.Whole.Cases(), ReadAt: s.ReadAt, Filters: []JourneyLeft{}}
	if first, last, ok := s.Log.TimeRange(); ok {
		p.First, p.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	}
	for _, f := range s.Filters {
		p.Filters = append(p.Filters, JourneyLeft{f.Name, f.Cases})
	}
	return p
}

// JourneyWait describes durations in seconds.
type JourneyWait struct {
	N      int     `json:"n"`
	Mean   float64 `json:"mean_s"`
	Median float64 `json:"median_s"`
	P90    float64 `json:"p90_s"`
}

func waitOf(s mining.Stats) JourneyWait {
	return JourneyWait{N: s.N, Mean: s.Mean, Median: s.Median, P90: s.P90}
}

// JourneyShare is an estimate of a share with its 95% interval.
type JourneyShare struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	N     int64   `json:"n"`
}

func shareOf(n, all int) JourneyShare {
	e := stats.Proportion(int64(n), int64(all), 0)
	return JourneyShare{Value: finite(e.Value), Low: finite(e.Low), High: finite(e.High), N: int64(all)}
}

// finite is x, or 0 where it is not a number: JSON has none such.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// known is a pointer to x, or nil where it is not known.
func known(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// ObservedJourney is a line of the list.
type ObservedJourney struct {
	Journey string          `json:"journey"`
	Name    definition.Text `json:"name"`
	Cases   int64           `json:"cases"`
	Events  int64           `json:"events"`
	First   time.Time       `json:"first"`
	Last    time.Time       `json:"last"`
}

func (o Observed) list(ctx context.Context, _ *struct{}) (*journeyListOutput[ObservedJourney], error) {
	all, err := o.Service.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &journeyListOutput[ObservedJourney]{}
	out.Body.Items = []ObservedJourney{}
	for _, j := range all {
		out.Body.Items = append(out.Body.Items, ObservedJourney{j.Definition.Journey, j.Definition.Name, j.Cases, j.Events, j.First, j.Last})
	}
	return out, nil
}

type journeyListOutput[T any] struct {
	Body struct {
		Items []T `json:"items"`
	}
}

// JourneyMapNode is an activity of the map.
type JourneyMapNode struct {
	Event   string   `json:"event"`
	Events  int      `json:"events"`
	Cases   int      `json:"cases"`
	Starts  int      `json:"starts" doc:"cases that begin with it"`
	Ends    int      `json:"ends" doc:"cases that end with it"`
	Feeling *float64 `json:"feeling,omitempty" doc:"mean score about it, 0 worst to 1 best"`
	Scores  int      `json:"scores"`
	// Cost is nil where nobody may know, or nothing is said of it.
	Cost *JourneyCost `json:"cost,omitempty"`
}

// JourneyCost is what events cost the bank, in minor units of its currency.
type JourneyCost struct {
	Total float64 `json:"total" doc:"minor units"`
	Mean  float64 `json:"mean" doc:"of an event whose cost is known"`
	N     int     `json:"n" doc:"events whose cost is known"`
}

func costOf(m *mining.Measures, of func(m *mining.Measures) stats.Moments) *JourneyCost {
	if m == nil {
		return nil
	}
	x := of(m)
	if x.N == 0 {
		return nil
	}
	return &JourneyCost{Total: moment.Spent(x), Mean: stats.Mean(x, 0).Value, N: int(x.N)}
}

// JourneyMapEdge is a move of the map.
type JourneyMapEdge struct {
	From  string      `json:"from"`
	To    string      `json:"to"`
	Count int         `json:"count"`
	Cases int         `json:"cases"`
	Wait  JourneyWait `json:"wait"`
	// Feeling and Cost are those of the events in which the move ends.
	Feeling *float64     `json:"feeling,omitempty" doc:"mean score about the event in which it ends, 0 worst to 1 best"`
	Scores  int          `json:"scores"`
	Cost    *JourneyCost `json:"cost,omitempty"`
}

type journeyMapOutput struct {
	Body struct {
		Part  JourneyPart      `json:"part"`
		Costs string           `json:"costs,omitempty" enum:"property,stated,assumed" doc:"what costs rest on: a property of events, what the bank states of its channels, or assumptions"`
		Nodes []JourneyMapNode `json:"nodes"`
		Edges []JourneyMapEdge `json:"edges" doc:"most frequent first"`
	}
}

func (o Observed) graph(ctx context.Context, in *JourneyCases) (*journeyMapOutput, error) {
	s, err := o.slice(ctx, *in)
	if err != nil {
		return nil, err
	}
	out := &journeyMapOutput{}
	out.Body.Part, out.Body.Nodes, out.Body.Edges = partOf(s), []JourneyMapNode{}, []JourneyMapEdge{}
	if s.Log.Cases() == 0 {
		return out, nil
	}
	g, name := mining.DirectlyFollows(s.Log), s.Log.Activities().Name
	felt := mining.Measure(s.Log, g, "feeling")
	var spent *mining.Measures
	costing, err := o.costing(ctx, s.Definition)
	if err != nil {
		return nil, err
	}
	if costing != nil {
		spent = mining.MeasureBy(s.Log, g, costing.Of(s.Log))
		out.Body.Costs = costing.Basis()
	}
	for i, n := range g.Nodes {
		node := JourneyMapNode{Event: name(n.Activity), Events: n.Events, Cases: n.Cases, Starts: n.Starts, Ends: n.Ends}
		if felt != nil && felt.Nodes[i].N > 0 {
			node.Feeling, node.Scores = known(stats.Mean(felt.Nodes[i], 0).Value), int(felt.Nodes[i].N)
		}
		node.Cost = costOf(spent, func(m *mining.Measures) stats.Moments { return m.Nodes[i] })
		out.Body.Nodes = append(out.Body.Nodes, node)
	}
	for i, e := range g.Edges {
		edge := JourneyMapEdge{From: name(e.Source), To: name(e.Target), Count: e.Count, Cases: e.Cases, Wait: waitOf(e.Wait)}
		if felt != nil && felt.Edges[i].N > 0 {
			edge.Feeling, edge.Scores = known(stats.Mean(felt.Edges[i], 0).Value), int(felt.Edges[i].N)
		}
		edge.Cost = costOf(spent, func(m *mining.Measures) stats.Moments { return m.Edges[i] })
		out.Body.Edges = append(out.Body.Edges, edge)
	}
	slices.SortStableFunc(out.Body.Edges, func(a, b JourneyMapEdge) int { return b.Count - a.Count })
	return out, nil
}

// costing is what costs are reckoned by; nil where nothing is known of them or the
// reader may not know.
func (o Observed) costing(ctx context.Context, d definition.Definition) (*moment.Costing, error) {
	if d.Cost != "" {
		return &moment.Costing{Property: d.Cost}, nil
	}
	if o.Worth == nil {
		return nil, nil
	}
	w, err := o.Worth(ctx)
	if errs.KindOf(err) == errs.KindDenied {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &moment.Costing{Worth: w}, nil
}

// JourneyWayTaken is one way with the cases that took it.
type JourneyWayTaken struct {
	Path   []string `json:"path"`
	Cases  int      `json:"cases"`
	Share  float64  `json:"share"`
	Median float64  `json:"median_s" doc:"of the cases' durations"`
}

type journeyVariantsOutput struct {
	Body struct {
		Part     JourneyPart       `json:"part"`
		Variants int               `json:"variants" doc:"all ways, also those beyond the limit"`
		Items    []JourneyWayTaken `json:"items"`
	}
}

func (o Observed) variants(ctx context.Context, in *struct {
	JourneyCases
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"50"`
}) (*journeyVariantsOutput, error) {
	s, err := o.slice(ctx, in.JourneyCases)
	if err != nil {
		return nil, err
	}
	out := &journeyVariantsOutput{}
	out.Body.Part, out.Body.Items = partOf(s), []JourneyWayTaken{}
	if s.Log.Cases() == 0 {
		return out, nil
	}
	v := mining.FindVariants(s.Log)
	out.Body.Variants = len(v.List)
	shown := min(in.Limit, len(v.List))
	lasting := make([][]int64, shown)
	for c, of := range v.Of {
		if int(of) < shown {
			t := s.Log.Times(c)
			lasting[of] = append(lasting[of], slices.Max(t)-slices.Min(t))
		}
	}
	for i, x := range v.List[:shown] {
		w := JourneyWayTaken{Path: make([]string, len(x.Path)), Cases: x.Count, Share: v.Share(i), Median: mining.Describe(lasting[i]).Median}
		for k, a := range x.Path {
			w.Path[k] = s.Log.Activities().Name(a)
		}
		out.Body.Items = append(out.Body.Items, w)
	}
	return out, nil
}
