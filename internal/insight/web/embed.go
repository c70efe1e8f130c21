package web

import (
	"context"
	"time"

	"omote/internal/insight/metric"
	"omote/internal/platform/scope"
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

// Own gives the rows of the measures that keep picks and that have figures, those
// that need care first, at most n, for the first page.
func (b *Board) Own(ctx context.Context, keep func(metric.Definition) bool, n int) (rows []ui.MetricRowProps, working bool, err error) {
	all, _, working, err := b.Read(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, figures := range []bool{true, false} { // what may not be shown yet stands last
		for _, r := range order(all) {
			if keep(r.Definition) && r.Last.Est.N > 0 && len(r.judged.points) > 0 && (r.Last.State == metric.OK) == figures && len(rows) < n {
				row := measureRow(ctx, r)
				if !figures {
					row.Spark = nil // nothing of it may be shown
				}
				rows = append(rows, row)
			}
		}
	}
	return rows, working, nil
}

// At is when the figures of the reader's place were computed, zero before that.
func (b *Board) At(ctx context.Context) time.Time {
	s, _ := scope.From(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if one := b.boards[s.Entity+"\x00"+s.Unit]; one != nil {
		return one.at
	}
	return time.Time{}
}
