package web

import (
	"context"

	"omote/internal/insight/metric"
	"omote/internal/ui"
)

// Measures gives the measures that keep picks, as rows for the page of another
// module: last value, interval, and how it stands to its band. Those that are
// still being computed are left out; working tells that there may be more.
func (b *Board) Measures(ctx context.Context, keep func(metric.Definition) bool) (rows []ui.MetricRowProps, working bool, err error) {
	all, _, working, err := b.Read(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, r := range all {
		if keep(r.Definition) {
			rows = append(rows, measureRow(ctx, r))
		}
	}
	return rows, working, nil
}
