package metric

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// Compute gives a metric over a period; version 0 is the one in force.
func (s *Service) Compute(ctx context.Context, id string, version int, ask Ask) (*Result, error) {
	v, err := s.Get(ctx, id, version)
	if err != nil {
		return nil, err
	}
	return evaluate(ctx, s.facts, &v.Definition, v.Version, ask)
}

// Preview computes a definition that is not stored, as an editor needs.
func (s *Service) Preview(ctx context.Context, d Definition, ask Ask) (*Result, error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	return evaluate(ctx, s.facts, &d, 0, ask)
}

// FunnelPoint is one group of a funnel plot with the limits at its size.
type FunnelPoint struct {
	Point
	// Limits are nil where the figure has none.
	Limits *Limits `json:"limits"`
}

// Limits are where a group's figure would lie, at its n, 95 and 99.8 times in a
// hundred, if the group were like all others.
type Limits struct {
	Low95   float64 `json:"low_95"`
	High95  float64 `json:"high_95"`
	Low998  float64 `json:"low_998"`
	High998 float64 `json:"high_998"`
}

// Funnel is a metric by group, with limits that know each group's size
// (Spiegelhalter 2005, Statistics in Medicine 24:1185): a small branch may be
// far off by chance, a large one may not.
type Funnel struct {
	Result *Result `json:"result"`
	// All is the figure of all groups together, to which they are compared.
	All Point `json:"all"`
	// Points are the groups with a figure, largest first.
	Points []FunnelPoint `json:"points"`
}

// Funnel gives a metric over the whole period by a dimension. Quantiles have no
// limits.
func (s *Service) Funnel(ctx context.Context, id string, version int, period Period, by string, where *Expr) (*Funnel, error) {
	if by == "" {
		return nil, errs.Invalid("metric.error.by", "by", "a funnel plot needs a dimension")
	}
	v, err := s.Get(ctx, id, version)
	if err != nil {
		return nil, err
	}
	ask := Ask{Period: period, Granularity: Total, Where: where}
	all, err := evaluate(ctx, s.facts, &v.Definition, v.Version, ask)
	if err != nil {
		return nil, err
	}
	ask.By = by
	groups, err := evaluate(ctx, s.facts, &v.Definition, v.Version, ask)
	if err != nil {
		return nil, err
	}
	f := &Funnel{Result: groups, All: all.Points[0]}
	for _, p := range groups.Points {
		if p.State == OK {
			f.Points = append(f.Points, v.Definition.limits(p, f.All))
		}
	}
	slices.SortFunc(f.Points, func(a, b FunnelPoint) int {
		return cmp.Or(cmp.Compare(b.Est.N, a.Est.N), cmp.Compare(a.Group, b.Group))
	})
	return f, nil
}

// limits are normal limits around the figure of all, whose spread per unit of n
// comes from the half-width of its own interval, cut to the range of the unit.
func (d *Definition) limits(p, all Point) FunnelPoint {
	if all.State != OK || d.Kind == Duration || d.Kind == Count || !all.Est.Valid() {
		return FunnelPoint{p, nil}
	}
	// The interval of all has half-width z·σ/√N, nearly, for every kind.
	sigma := all.Est.HalfWidth() / normal(0.975) * math.Sqrt(float64(all.Est.N))
	low, high := d.bounds()
	at := func(q float64) (float64, float64) {
		h := normal(q) * sigma / math.Sqrt(float64(p.Est.N))
		return max(all.Est.Value-h, low), min(all.Est.Value+h, high)
	}
	l := &Limits{}
	l.Low95, l.High95 = at(0.975)
	l.Low998, l.High998 = at(0.999)
	return FunnelPoint{p, l}
}

func normal(q float64) float64 { return distuv.UnitNormal.Quantile(q) }

// bounds are the least and the greatest value that a figure can have.
func (d *Definition) bounds() (low, high float64) {
	switch {
	case d.Kind == NPS:
		return -100, 100
	case d.Kind == Rate && d.Unit == Share, d.Kind == TopBox, d.Kind == Conversion:
		return 0, 1
	case d.Kind == Rate:
		return 0, math.Inf(1)
	case d.Kind == CES && d.Answers.Min == d.Answers.Max:
		return 1, 7
	case d.Answers != nil && d.Answers.Min < d.Answers.Max:
		return d.Answers.Min, d.Answers.Max
	}
	return math.Inf(-1), math.Inf(1)
}

func object(id string, version int) string { return "metric/" + id + "/" + strconv.Itoa(version) }
