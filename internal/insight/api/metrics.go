// Package api offers the insight module's operations under /api/v1.
package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/insight/metric"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
)

// Metric is a version of a metric.
type Metric struct {
	ID         string          `json:"id"`
	Version    int             `json:"version"`
	Status     string          `json:"status" enum:"proposed,live,retired,rejected,withdrawn"`
	Kind       string          `json:"kind" enum:"nps,top_box,ces,mean,ratio,rate,conversion,duration,count"`
	Name       metric.Text     `json:"name"`
	Note       metric.Text     `json:"note"`
	Unit       string          `json:"unit" doc:"shares are fractions from 0 to 1"`
	Direction  string          `json:"direction" enum:"higher,lower,target,context"`
	MinN       int64           `json:"min_n" doc:"fewer than this many, and the figure is not shown"`
	Owner      string          `json:"owner" doc:"role that answers for the metric"`
	Dims       []string        `json:"dims" doc:"fields by which it may be split"`
	Definition json.RawMessage `json:"definition" doc:"the whole definition; see the reference of metrics"`
	Origin     string          `json:"origin" doc:"person, or the pack that brought it"`
	Reason     string          `json:"reason,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
	CreatedBy  string          `json:"created_by"`
	DecidedAt  *time.Time      `json:"decided_at,omitempty"`
	DecidedBy  string          `json:"decided_by,omitempty"`
	Decision   string          `json:"decision,omitempty"`
}

func view(v *metric.Version) (Metric, error) {
	raw, err := json.Marshal(v.Definition)
	if err != nil {
		return Metric{}, err
	}
	d := v.Definition
	m := Metric{ID: d.ID, Version: v.Version, Status: string(v.Status), Kind: string(d.Kind), Name: d.Name, Note: d.Note, Unit: string(d.Unit),
		Direction: string(d.Direction), MinN: d.MinN, Owner: d.Owner, Dims: append([]string{}, d.Dims...), Definition: raw, Origin: v.Origin,
		Reason: v.Reason, CreatedAt: v.CreatedAt, CreatedBy: v.CreatedBy, DecidedBy: v.DecidedBy, Decision: v.Decision}
	if !v.DecidedAt.IsZero() {
		m.DecidedAt = &v.DecidedAt
	}
	return m, nil
}

func views(vs []*metric.Version) ([]Metric, error) {
	out := make([]Metric, 0, len(vs))
	for _, v := range vs {
		m, err := view(v)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Point is a figure of one bucket and group. A figure that may not be read is
// null; its n is not.
type Point struct {
	Start  string   `json:"start" format:"date"`
	End    string   `json:"end" format:"date" doc:"the day after the last"`
	Group  string   `json:"group,omitempty"`
	State  string   `json:"state" enum:"ok,few,none" doc:"few: fewer than min_n; none: nothing to count"`
	Value  *float64 `json:"value"`
	Low    *float64 `json:"low" doc:"lower end of the interval"`
	High   *float64 `json:"high" doc:"upper end of the interval"`
	N      int64    `json:"n" doc:"size of the denominator"`
	Method string   `json:"method" doc:"how the interval was made"`
}

// Series is a metric over a period.
type Series struct {
	Metric      string     `json:"metric"`
	Version     int        `json:"version"`
	Unit        string     `json:"unit"`
	Direction   string     `json:"direction"`
	From        string     `json:"from" format:"date"`
	To          string     `json:"to" format:"date" doc:"the day after the last"`
	Granularity string     `json:"granularity" enum:"day,week,month,total"`
	By          string     `json:"by,omitempty"`
	Zone        string     `json:"zone" doc:"IANA zone in which days are cut"`
	Level       float64    `json:"level" doc:"level of the intervals"`
	AsOf        time.Time  `json:"as_of" doc:"conversions and durations are judged at this moment"`
	Latest      *time.Time `json:"latest" doc:"when the feeds of the metric last delivered; null when never"`
	Stale       bool       `json:"stale" doc:"the promise of freshness is broken"`
	Source      string     `json:"source" enum:"aggregates,facts"`
	Points      []Point    `json:"points"`
}

func point(p metric.Point) (Point, error) {
	out := Point{Start: p.Start.String(), End: p.End.String(), Group: p.Group, State: string(p.State), N: p.Est.N, Method: p.Est.Method}
	raw, err := json.Marshal(p.Est) // writes what is not a number as null
	if err != nil {
		return out, err
	}
	var e struct{ Value, Low, High *float64 }
	err = json.Unmarshal(raw, &e)
	out.Value, out.Low, out.High = e.Value, e.Low, e.High
	return out, err
}

func series(r *metric.Result) (Series, error) {
	s := Series{Metric: r.Metric, Version: r.Version, Unit: string(r.Unit), Direction: string(r.Direction), From: r.Period.From.String(), To: r.Period.To.String(),
		Granularity: string(r.Granularity), By: r.By, Zone: r.Zone, Level: r.Level, AsOf: r.AsOf, Stale: r.Stale, Source: r.Source,
		Points: make([]Point, 0, len(r.Points))}
	if !r.Latest.IsZero() {
		s.Latest = &r.Latest
	}
	for _, p := range r.Points {
		x, err := point(p)
		if err != nil {
			return s, err
		}
		s.Points = append(s.Points, x)
	}
	return s, nil
}

// MetricPath names a metric in an address.
type MetricPath struct {
	ID      string `path:"id" doc:"id of the metric" maxLength:"64"`
	Version int    `query:"version" minimum:"0" doc:"0 is the version in force"`
}

// PeriodQuery asks for a period.
type PeriodQuery struct {
	From  string `query:"from" required:"true" format:"date" doc:"first local day"`
	To    string `query:"to" required:"true" format:"date" doc:"the day after the last"`
	Where string `query:"where" doc:"further filter as JSON, such as {\"field\":\"channel\",\"eq\":\"app\"}"`
}

func (q PeriodQuery) read() (p metric.Period, where *metric.Expr, err error) {
	if p.From, err = metric.ParseDate(q.From); err != nil {
		return p, nil, err
	}
	if p.To, err = metric.ParseDate(q.To); err != nil {
		return p, nil, err
	}
	if q.Where != "" {
		dec := json.NewDecoder(strings.NewReader(q.Where))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&where); err != nil {
			return p, nil, errs.Invalid("metric.error.where", "where", "the filter is no valid JSON: %v", err)
		}
	}
	return p, where, nil
}

type SeriesInput struct {
	MetricPath
	PeriodQuery
	Granularity string  `query:"granularity" enum:"day,week,month,total" default:"month"`
	By          string  `query:"by" doc:"dimension to split by"`
	Level       float64 `query:"level" default:"0.95" minimum:"0.5" maximum:"0.999"`
}

func (in *SeriesInput) ask() (metric.Ask, error) {
	period, where, err := in.read()
	return metric.Ask{Period: period, Granularity: metric.Granularity(in.Granularity), By: in.By, Where: where, Level: in.Level}, err
}

// Register adds the typed operations of metrics.
func Register(api huma.API, svc *metric.Service) {
	a := operations{svc}
	op := func(id, method, path, summary string, codes ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/metrics" + path, Tags: []string{"Metrics"}, Summary: summary, Errors: codes}
	}
	httpx.Operation(api, op("list-metrics", http.MethodGet, "", "List the metrics in force"), metric.PermRead, a.list)
	httpx.Operation(api, op("list-metric-proposals", http.MethodGet, "/proposals", "Versions that wait for a decision"), metric.PermRead, a.proposals)
	httpx.Operation(api, op("get-metric", http.MethodGet, "/{id}", "One metric with its definition", 404), metric.PermRead, a.get)
	httpx.Operation(api, op("list-metric-versions", http.MethodGet, "/{id}/versions", "The history of a metric", 404), metric.PermRead, a.versions)
	httpx.Operation(api, op("get-metric-series", http.MethodGet, "/{id}/series", "A metric over time, with intervals", 404), metric.PermRead, a.series)
	httpx.Operation(api, op("get-metric-funnel", http.MethodGet, "/{id}/funnel", "A metric by group, with limits that know each group's size", 404), metric.PermRead, a.funnel)
	httpx.Operation(api, op("list-metric-rows", http.MethodGet, "/{id}/rows", "The facts behind a figure, without names", 404), metric.PermRead, a.rows)
	httpx.Operation(api, op("compare-metric-versions", http.MethodGet, "/{id}/compare", "Two versions side by side, over the same period", 404), metric.PermRead, a.compare)
	httpx.Operation(api, op("propose-metric", http.MethodPost, "", "Propose a metric, or a new version of one", 409), metric.PermEdit, a.propose)
	httpx.Operation(api, op("preview-metric", http.MethodPost, "/preview", "Figures of a definition that is not stored"), metric.PermEdit, a.preview)
	httpx.Operation(api, op("withdraw-metric", http.MethodPost, "/{id}/versions/{version}/withdraw", "Take back one's own proposal", 404, 409), metric.PermEdit, a.withdraw)
	httpx.Operation(api, op("approve-metric", http.MethodPost, "/{id}/versions/{version}/approve", "Put a proposed version into force", 404, 409), metric.PermApprove, a.approve)
	httpx.Operation(api, op("reject-metric", http.MethodPost, "/{id}/versions/{version}/reject", "Refuse a proposed version", 404, 409), metric.PermApprove, a.reject)
}

type operations struct{ svc *metric.Service }

type listInput struct {
	Query   string `query:"q" maxLength:"200" doc:"searched in ids, names and notes, with or without diacritics"`
	Kind    string `query:"kind" enum:"nps,top_box,ces,mean,ratio,rate,conversion,duration,count"`
	Owner   string `query:"owner"`
	Journey string `query:"journey"`
	After   string `query:"after" doc:"cursor: next of the page before"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type listOutput struct {
	Body struct {
		Items []Metric `json:"items"`
		Next  string   `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (a operations) list(ctx context.Context, in *listInput) (*listOutput, error) {
	page, next, err := a.svc.List(ctx, metric.Filter{Query: in.Query, Kind: metric.Kind(in.Kind), Owner: in.Owner, Journey: in.Journey, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return listed(page, next)
}

func listed(page []*metric.Version, next string) (*listOutput, error) {
	items, err := views(page)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Items, out.Body.Next = items, next
	return out, nil
}

func (a operations) proposals(ctx context.Context, _ *struct{}) (*listOutput, error) {
	vs, err := a.svc.Proposals(ctx)
	if err != nil {
		return nil, err
	}
	return listed(vs, "")
}

type oneOutput struct{ Body Metric }

func oneMetric(v *metric.Version, err error) (*oneOutput, error) {
	if err != nil {
		return nil, err
	}
	m, err := view(v)
	return &oneOutput{m}, err
}

func (a operations) get(ctx context.Context, in *MetricPath) (*oneOutput, error) {
	return oneMetric(a.svc.Get(ctx, in.ID, in.Version))
}

func (a operations) versions(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*listOutput, error) {
	vs, err := a.svc.Versions(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return listed(vs, "")
}

type seriesOutput struct{ Body Series }

func (a operations) series(ctx context.Context, in *SeriesInput) (*seriesOutput, error) {
	ask, err := in.ask()
	if err != nil {
		return nil, err
	}
	return seriesOf(a.svc.Compute(ctx, in.ID, in.Version, ask))
}

func seriesOf(r *metric.Result, err error) (*seriesOutput, error) {
	if err != nil {
		return nil, err
	}
	s, err := series(r)
	return &seriesOutput{s}, err
}
