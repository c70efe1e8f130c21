package metric

import (
	"context"

	"omote/internal/platform/errs"
)

// Cell is what a figure of one bucket and group adds up from: a sum of N.
type Cell struct {
	Start Date
	Group string
	Sum   float64
	N     int64
}

// Adds reports whether figures of groups add up to the figure of all: means and
// shares do, quantiles, counts and ratios of sums do not.
func (d *Definition) Adds() bool {
	switch d.Kind {
	case NPS, TopBox, CES, Mean, Conversion:
		return true
	case Rate:
		return d.Unit == Share
	}
	return false
}

// Cells gives the parts of a metric by bucket and group, small ones too, for a
// program that compares many of them at once. What it makes of them may be shown; a
// single cell below the definition's minimum may not.
func (s *Service) Cells(ctx context.Context, id string, ask Ask) (res *Result, cells []Cell, err error) {
	v, err := s.Get(ctx, id, 0)
	if err != nil {
		return nil, nil, err
	}
	if !v.Definition.Adds() {
		return nil, nil, errs.Invalid("metric.error.adds", "metric", "figures of %s do not add up over groups", id).With("metric", id)
	}
	d := v.Definition
	d.MinN = 1
	if res, err = evaluate(ctx, s.facts, &d, v.Version, ask); err != nil {
		return nil, nil, err
	}
	for _, p := range res.Points {
		if p.State == OK {
			cells = append(cells, Cell{Start: p.Start, Group: p.Group, Sum: p.Est.Value * float64(p.Est.N), N: p.Est.N})
		}
	}
	return res, cells, nil
}
