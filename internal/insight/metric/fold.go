package metric

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"omote/analytics/stats"
)

// State says whether a point's figure may be read.
type State string

// The states of a point.
const (
	OK   State = "ok"
	Few  State = "few"  // fewer than the definition's minimum: n is shown, the figure is not
	None State = "none" // nothing to count
)

// Point is the figure of one bucket and group.
type Point struct {
	Start Date `json:"start"`
	End   Date `json:"end"` // the day after
	// Group is the value split by, "" for unknown or when nothing was split.
	Group string         `json:"group"`
	State State          `json:"state"`
	Est   stats.Estimate `json:"estimate"`
}

// key is a bucket and a group.
type key struct {
	bucket Date
	group  string
}

// cell gathers the rows of one bucket and group.
type cell struct {
	scores  []float64
	counts  []int64
	moments stats.Moments
	ratio   stats.RatioMoments
	hits, n int64
	waits   []waiting
}

// fold reads the rows of a compiled query into cells.
func fold(ctx context.Context, rows *sql.Rows, s shape) (map[key]*cell, error) {
	defer rows.Close()
	cells := map[key]*cell{}
	for rows.Next() {
		if err := foldRow(rows, s, cells); err != nil {
			return nil, fmt.Errorf("read metric rows: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("read metric rows: %w", err)
	}
	return cells, nil
}

func foldRow(rows *sql.Rows, s shape, cells map[key]*cell) error {
	var bucket time.Time
	var group string
	var a, b int64
	var x [5]float64
	into := []any{&bucket, &group}
	switch s {
	case histogram:
		into = append(into, &x[0], &a)
	case moments:
		into = append(into, &a, &x[0], &x[1])
	case pairs:
		into = append(into, &a, &x[0], &x[1], &x[2], &x[3], &x[4])
	case shares:
		into = append(into, &a, &b)
	case tallies:
		into = append(into, &a)
	case durations:
		into = append(into, &x[0], &b, &a)
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	k := key{DateOf(bucket.Date()), group}
	c := cells[k]
	if c == nil {
		c = &cell{}
		cells[k] = c
	}
	switch s {
	case histogram:
		c.scores, c.counts, c.n = append(c.scores, x[0]), append(c.counts, a), c.n+a
	case moments:
		c.moments, c.n = stats.Moments{N: a, Sum: x[0], SumSq: x[1]}, a
	case pairs:
		c.ratio, c.n = stats.RatioMoments{N: a, Y: x[0], X: x[1], YY: x[2], XX: x[3], XY: x[4]}, a
	case shares:
		c.hits, c.n = a, b
	case tallies:
		c.n = a
	case durations:
		c.waits, c.n = append(c.waits, waiting{x[0], b == 1, a}), c.n+a
	}
	return nil
}

// estimate makes the figure of a cell, whatever its n.
func (d *Definition) estimate(c *cell, level float64) stats.Estimate {
	switch d.Kind {
	case NPS:
		return stats.NPS(c.nps(), level)
	case TopBox:
		return stats.Proportion(c.box(d.Answers), c.n, level)
	case CES, Mean:
		return d.mean(c, level)
	case Ratio:
		return d.inUnit(stats.Ratio(c.ratio, level))
	case Rate:
		return d.rate(c, level)
	case Conversion:
		return stats.Proportion(c.hits, c.n, level)
	case Duration:
		return d.inUnit(censoredQuantile(c.waits, d.Quantile, level))
	default:
		e := stats.Rate(c.n, 1, level)
		return e
	}
}

func (c *cell) nps() (out stats.NPSCounts) {
	for i, s := range c.scores {
		switch {
		case s >= 9:
			out.Promoters += c.counts[i]
		case s >= 7:
			out.Passives += c.counts[i]
		default:
			out.Detractors += c.counts[i]
		}
	}
	return out
}

// box counts the answers in the top or bottom box.
func (c *cell) box(a *Answers) (n int64) {
	for i, s := range c.scores {
		if a.AtLeast != nil && s >= *a.AtLeast || a.AtMost != nil && s <= *a.AtMost {
			n += c.counts[i]
		}
	}
	return n
}

// histogramMoments sums the answers of a histogram.
func (c *cell) histogramMoments() (m stats.Moments) {
	for i, s := range c.scores {
		n := float64(c.counts[i])
		m = m.Add(stats.Moments{N: c.counts[i], Sum: n * s, SumSq: n * s * s})
	}
	return m
}

// mean by the bounded scale where there is one, else by Student's t.
func (d *Definition) mean(c *cell, level float64) stats.Estimate {
	if d.Answers == nil {
		return d.inUnit(stats.Mean(c.moments, level))
	}
	low, high := d.Answers.Min, d.Answers.Max
	if d.Kind == CES && low == high {
		low, high = 1, 7
	}
	m := c.histogramMoments()
	if low < high {
		return stats.ScaleMean(m, low, high, level)
	}
	return stats.Mean(m, level)
}

// rate: a share by Wilson's interval while the first are a part of the second;
// else events per event by the exact Poisson interval.
func (d *Definition) rate(c *cell, level float64) stats.Estimate {
	if d.Unit == Share && c.hits <= c.n {
		return stats.Proportion(c.hits, c.n, level)
	}
	e := stats.Rate(c.hits, float64(c.n), level)
	e.N, e.NEff = c.n, float64(c.n)
	if d.Unit == Per10k {
		e = scaled(e, 10_000)
	}
	return e
}

// inUnit converts seconds into the definition's unit of time.
func (d *Definition) inUnit(e stats.Estimate) stats.Estimate {
	if s := d.Unit.seconds(); s != 0 {
		return scaled(e, 1/s)
	}
	return e
}

func scaled(e stats.Estimate, by float64) stats.Estimate {
	e.Value, e.Low, e.High = e.Value*by, e.Low*by, e.High*by
	return e
}

// point makes the published figure of a cell: hidden when n is too small.
func (d *Definition) point(q Question, k key, c *cell, level float64) Point {
	p := Point{Start: k.bucket, End: q.Period.end(q.Granularity, k.bucket), Group: k.group, State: OK}
	if p.Start.Before(q.Period.From) {
		p.Start = q.Period.From
	}
	if c == nil {
		c = &cell{}
	}
	p.Est = d.estimate(c, level)
	p.Est.N = c.n
	switch {
	case c.n == 0 && d.Kind == Count: // a count of none is a count
	case c.n == 0:
		p.State = None
	case c.n < d.MinN:
		p.State = Few
	}
	if p.State != OK {
		nan := math.NaN()
		p.Est.Value, p.Est.Low, p.Est.High = nan, nan, nan
	}
	return p
}

// points puts cells in order of groups and buckets. Every group has every
// bucket, so that gaps are seen.
func (d *Definition) points(q Question, cells map[key]*cell, level float64) []Point {
	groups := map[string]bool{}
	for k := range cells {
		groups[k.group] = true
	}
	if q.By == "" {
		groups[""] = true
	}
	var out []Point
	for _, b := range q.Period.buckets(q.Granularity) {
		for g := range groups {
			k := key{b, g}
			out = append(out, d.point(q, k, cells[k], level))
		}
	}
	slices.SortFunc(out, func(a, b Point) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), a.Start.t.Compare(b.Start.t))
	})
	return out
}
