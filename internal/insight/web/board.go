package web

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"omote/internal/insight/metric"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

// Board keeps the figures of the list of measures: each is computed when first
// asked for and again when it has grown old, in the background, so that the list
// is there at once and says how old it is.
type Board struct {
	metrics *metric.Service
	clock   clock.Clock
	zone    *time.Location

	mu     sync.Mutex
	boards map[string]*board
}

// board is the figures of one place in the organisation.
type board struct {
	rows    map[string]Row
	at      time.Time
	took    time.Duration // how long the last computation took
	working bool
}

// Row is one measure with its last figure and weekly series.
type Row struct {
	Definition metric.Definition
	Version    int
	Last       metric.Point
	Latest     time.Time
	judged     judged
}

// State is what the measure's series says today.
func (r Row) State() ui.MetricState {
	if len(r.judged.points) == 0 {
		return ui.Few
	}
	return r.judged.state
}

// Weekly are the values of the series, NaN where one may not be shown.
func (r Row) Weekly() []float64 {
	out := make([]float64, len(r.judged.points))
	for i, p := range r.judged.points {
		out[i] = p.Value
	}
	return out
}

// Limits of the board.
const (
	boardWeeks = 26
	lastDays   = 28
	// A board is computed again after boardAge at the latest, and earlier the
	// less it costs: after computeShare times what the last one took, but not
	// before boardRest. So a file that was just brought in shows at once on a
	// small installation, and a large one is not kept busy.
	boardAge     = 5 * time.Minute
	boardRest    = 2 * time.Second
	computeShare = 20
	maxBoards    = 32
	// boardWorkers compute at the same time.
	boardWorkers = 2
)

// NewBoard makes an empty board.
func NewBoard(m *metric.Service, c clock.Clock, zone *time.Location) *Board {
	return &Board{metrics: m, clock: c, zone: zone, boards: map[string]*board{}}
}

// Read gives what is known now, in the order of the registry, and whether more is
// being computed.
func (b *Board) Read(ctx context.Context) (rows []Row, at time.Time, working bool, err error) {
	if err := auth.Require(ctx, metric.PermRead, ""); err != nil {
		return nil, at, false, err
	}
	s, _ := scope.From(ctx)
	key := s.Entity + "\x00" + s.Unit
	b.mu.Lock()
	defer b.mu.Unlock()
	one := b.boards[key]
	if one == nil {
		if len(b.boards) >= maxBoards {
			clear(b.boards)
		}
		one = &board{rows: map[string]Row{}}
		b.boards[key] = one
	}
	if !one.working && b.clock.Now().Sub(one.at) > one.life() {
		one.working = true
		go b.compute(context.WithoutCancel(ctx), one)
	}
	for _, r := range one.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(x, y Row) int { return compareIDs(x.Definition.ID, y.Definition.ID) })
	return rows, one.at, one.working, nil
}

// life is how long the figures may stand before they are computed again; a board
// without any figure costs little and is looked at again soon.
func (o *board) life() time.Duration {
	for _, r := range o.rows {
		if r.Last.Est.N > 0 {
			return min(boardAge, max(boardRest, computeShare*o.took))
		}
	}
	return boardRest
}

func compareIDs(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// compute refreshes every measure of a board.
func (b *Board) compute(ctx context.Context, one *board) {
	started := b.clock.Now()
	defer func() {
		b.mu.Lock()
		one.working, one.at = false, b.clock.Now()
		one.took = one.at.Sub(started)
		b.mu.Unlock()
	}()
	var group errgroup.Group
	group.SetLimit(boardWorkers)
	for after := ""; ; {
		page, next, err := b.metrics.List(ctx, metric.Filter{After: after, Limit: 200})
		if err != nil {
			slog.WarnContext(ctx, "measures were not listed", "error", err)
			break
		}
		for _, v := range page {
			group.Go(func() error {
				if row, ok := b.row(ctx, v); ok {
					b.mu.Lock()
					one.rows[v.Definition.ID] = row
					b.mu.Unlock()
				}
				return nil
			})
		}
		if next == "" {
			break
		}
		after = next
	}
	_ = group.Wait() // rows that fail are logged and left out
}

func (b *Board) row(ctx context.Context, v *metric.Version) (Row, bool) {
	today := metric.DateIn(b.clock.Now(), b.zone)
	d := v.Definition
	last, err := b.metrics.Compute(ctx, d.ID, v.Version, metric.Ask{Period: daysBack(today, lastDays), Granularity: metric.Total})
	if err != nil {
		slog.WarnContext(ctx, "a measure was not computed", "metric", d.ID, "error", err)
		return Row{}, false
	}
	row := Row{Definition: d, Version: v.Version, Latest: last.Latest}
	if len(last.Points) > 0 {
		row.Last = last.Points[0]
	}
	if row.Last.Est.N == 0 {
		return row, true
	}
	recent, _, err := series(ctx, b.metrics, &d, v.Version, today, boardWeeks)
	if err != nil {
		slog.WarnContext(ctx, "a series was not computed", "metric", d.ID, "error", err)
		return row, true
	}
	row.judged = judge(&d, recent)
	return row, true
}

// series gives a measure week by week or, where most weeks have too few facts,
// month by month.
func series(ctx context.Context, m *metric.Service, d *metric.Definition, version int, today metric.Date, weeks int) (*metric.Result, metric.Granularity, error) {
	weekly, err := m.Compute(ctx, d.ID, version, metric.Ask{Period: weeksBack(today, weeks), Granularity: metric.Week})
	if err != nil {
		return nil, metric.Week, err
	}
	few := 0
	for _, p := range weekly.Points {
		if p.State != metric.OK {
			few++
		}
	}
	if 3*few <= len(weekly.Points) {
		return weekly, metric.Week, nil
	}
	monthly, err := m.Compute(ctx, d.ID, version, metric.Ask{Period: monthsBack(today, max(13, weeks/4)), Granularity: metric.Month})
	return monthly, metric.Month, err
}
