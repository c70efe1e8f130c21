package api

import (
	"context"
	"encoding/json"

	"omote/internal/insight/metric"
)

// FunnelPoint is a group with the limits at its size.
type FunnelPoint struct {
	Point
	Limits *metric.Limits `json:"limits" doc:"where the group would lie 95 and 99.8 times in a hundred if it were like all; null where the figure has none"`
}

type funnelOutput struct {
	Body struct {
		Metric  string        `json:"metric"`
		Version int           `json:"version"`
		By      string        `json:"by"`
		All     Point         `json:"all" doc:"all groups together"`
		Points  []FunnelPoint `json:"points" doc:"groups with a figure, largest first"`
	}
}

func (a operations) funnel(ctx context.Context, in *struct {
	MetricPath
	PeriodQuery
	By string `query:"by" required:"true" doc:"dimension"`
}) (*funnelOutput, error) {
	period, where, err := in.read()
	if err != nil {
		return nil, err
	}
	f, err := a.svc.Funnel(ctx, in.ID, in.Version, period, in.By, where)
	if err != nil {
		return nil, err
	}
	out := &funnelOutput{}
	out.Body.Metric, out.Body.Version, out.Body.By = f.Result.Metric, f.Result.Version, in.By
	if out.Body.All, err = point(f.All); err != nil {
		return nil, err
	}
	out.Body.Points = []FunnelPoint{}
	for _, p := range f.Points {
		x, err := point(p.Point)
		if err != nil {
			return nil, err
		}
		out.Body.Points = append(out.Body.Points, FunnelPoint{x, p.Limits})
	}
	return out, nil
}

type rowsOutput struct {
	Body struct {
		Items []metric.Row `json:"items"`
		Next  string       `json:"next,omitempty"`
	}
}

func (a operations) rows(ctx context.Context, in *struct {
	MetricPath
	PeriodQuery
	By    string `query:"by" doc:"dimension; then group is read"`
	Group string `query:"group"`
	After string `query:"after" doc:"cursor: next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}) (*rowsOutput, error) {
	period, where, err := in.read()
	if err != nil {
		return nil, err
	}
	page, next, err := a.svc.Rows(ctx, in.ID, in.Version, metric.RowsAsk{Period: period, By: in.By, Group: in.Group, Where: where, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &rowsOutput{}
	out.Body.Items, out.Body.Next = append([]metric.Row{}, page...), next
	return out, nil
}

type compareOutput struct {
	Body struct {
		Changes []metric.Change `json:"changes"`
		Before  Series          `json:"before"`
		After   Series          `json:"after"`
	}
}

func (a operations) compare(ctx context.Context, in *struct {
	SeriesInput
	Before int `query:"before" required:"true" minimum:"1"`
	After  int `query:"after" required:"true" minimum:"1"`
}) (*compareOutput, error) {
	ask, err := in.ask()
	if err != nil {
		return nil, err
	}
	c, err := a.svc.Compare(ctx, in.ID, in.Before, in.After, ask)
	if err != nil {
		return nil, err
	}
	out := &compareOutput{}
	out.Body.Changes = append([]metric.Change{}, c.Changes...)
	if out.Body.Before, err = series(c.BeforeResult); err != nil {
		return nil, err
	}
	out.Body.After, err = series(c.AfterResult)
	return out, err
}

type proposeInput struct {
	Body struct {
		Definition json.RawMessage `json:"definition" doc:"the whole definition; see the reference of metrics"`
		Reason     string          `json:"reason" doc:"why, for whoever decides"`
	}
}

func (a operations) propose(ctx context.Context, in *proposeInput) (*oneOutput, error) {
	d, err := metric.ParseDefinition(in.Body.Definition)
	if err != nil {
		return nil, err
	}
	return oneMetric(a.svc.Propose(ctx, *d, in.Body.Reason))
}

func (a operations) preview(ctx context.Context, in *struct {
	Body struct {
		Definition  json.RawMessage `json:"definition"`
		From        string          `json:"from" format:"date"`
		To          string          `json:"to" format:"date"`
		Granularity string          `json:"granularity" enum:"day,week,month,total"`
		By          string          `json:"by,omitempty"`
	}
}) (*seriesOutput, error) {
	d, err := metric.ParseDefinition(in.Body.Definition)
	if err != nil {
		return nil, err
	}
	period, _, err := PeriodQuery{From: in.Body.From, To: in.Body.To}.read()
	if err != nil {
		return nil, err
	}
	return seriesOf(a.svc.Preview(ctx, *d, metric.Ask{Period: period, Granularity: metric.Granularity(in.Body.Granularity), By: in.Body.By}))
}

// decideInput names a proposal and says why.
type decideInput struct {
	ID      string `path:"id" maxLength:"64"`
	Version int    `path:"version" minimum:"1"`
	Body    struct {
		Reason string `json:"reason,omitempty" doc:"why; required to refuse"`
	}
}

func (a operations) approve(ctx context.Context, in *decideInput) (*oneOutput, error) {
	return oneMetric(a.svc.Approve(ctx, in.ID, in.Version, in.Body.Reason))
}

func (a operations) reject(ctx context.Context, in *decideInput) (*oneOutput, error) {
	return oneMetric(a.svc.Reject(ctx, in.ID, in.Version, in.Body.Reason))
}

func (a operations) withdraw(ctx context.Context, in *struct {
	ID      string `path:"id" maxLength:"64"`
	Version int    `path:"version" minimum:"1"`
}) (*oneOutput, error) {
	return oneMetric(a.svc.Withdraw(ctx, in.ID, in.Version))
}
