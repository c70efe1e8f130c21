package metric

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"omote/internal/platform/errs"
)

// Tally is what one local day held of a metric within one combination of values:
// sums that add up over days and combinations, unlike figures. N counts what the
// figure divides by; Sum and SumSq are of the watched value of each.
type Tally struct {
	Day    Date
	Values []string // of the dimensions asked for, "" where unknown
	N      float64
	Sum    float64
	SumSq  float64
}

// Tallies are the sums of a metric over a period, and what they are sums of.
type Tallies struct {
	Rows []Tally
	// Slow is, for durations, the time in the metric's unit beyond which a case
	// counts as slow: its usual quantile, rounded to two digits so that it does
	// not move with every case. 0 for other kinds.
	Slow float64
	// Stale tells that the promise of freshness is broken.
	Stale bool
}

// Watchable reports whether a metric can be followed by sums: its watched value
// is, by kind,
//
//	nps               100, 0 or −100 an answer
//	top_box           1 in the box, else 0
//	ces, mean         the value
//	rate              events of the numerator; N counts those of the denominator
//	conversion        1 for a success (a failure where failures are counted)
//	duration          1 for a case slower than its usual quantile
//
// Ratios of money and counts of subjects have no such sums.
func (d *Definition) Watchable() bool {
	switch d.Kind {
	case NPS, TopBox, CES, Mean, Rate, Conversion, Duration:
		return true
	}
	return false
}

// separator stands between the values of a combination.
const separator = "\x1f"

// Tallies gives the sums of a metric by day and by every combination of the
// dimensions (all of the definition's, at least one). They are for analyses that
// add days and combinations up until there are enough; whoever shows a figure made
// of them keeps to the definition's minimum.
func (s *Service) Tallies(ctx context.Context, id string, version int, period Period, by ...string) (*Tallies, error) {
	v, err := s.Get(ctx, id, version)
	if err != nil {
		return nil, err
	}
	d := &v.Definition
	if !d.Watchable() || len(by) == 0 {
		return nil, errs.Invalid("metric.error.kind", "id", "metric %s of kind %s has no sums by day", d.ID, d.Kind)
	}
	for _, dim := range by {
		if !d.splits(dim) {
			return nil, errs.Invalid("metric.error.by", "by", "metric %s is not split by %q", d.ID, dim)
		}
	}
	q, err := question(d, s.facts.Zone(scopeEntity(ctx)), Ask{Period: period, Granularity: Day, By: by[0]})
	if err != nil {
		return nil, err
	}
	q.also = by[1:]
	var fresh Result
	horizon, err := readFreshness(ctx, s.facts, d, &fresh)
	if err != nil {
		return nil, err
	}
	now := s.facts.Clock().Now()
	if q.AsOf = now; !horizon.IsZero() && horizon.Before(now) {
		q.AsOf = horizon
	}
	out := &Tallies{Stale: d.stale(now, fresh.Latest)}
	query := Compile(s.facts.Dialect(), d, q)
	rows, err := s.facts.Query(ctx, query.SQL, query.Args...)
	if err != nil {
		return nil, fmt.Errorf("sum metric %s: %w", d.ID, err)
	}
	cells, err := fold(ctx, rows, query.shape)
	if err != nil {
		return nil, fmt.Errorf("sum metric %s: %w", d.ID, err)
	}
	limit := 0.0
	if d.Kind == Duration {
		limit = usual(cells, d.Quantile, max(d.Unit.seconds(), 1))
		out.Slow = limit / max(d.Unit.seconds(), 1)
	}
	for k, c := range cells {
		t := d.tally(c, limit)
		if t.Day, t.Values = k.bucket, strings.Split(k.group, separator); len(t.Values) == len(by) && t.N > 0 {
			out.Rows = append(out.Rows, t)
		}
	}
	slices.SortFunc(out.Rows, func(a, b Tally) int {
		return cmp.Or(a.Day.t.Compare(b.Day.t), slices.Compare(a.Values, b.Values))
	})
	return out, nil
}

// tally sums a cell; limit is in seconds.
func (d *Definition) tally(c *cell, limit float64) (t Tally) {
	switch d.Kind {
	case NPS:
		n := c.nps()
		t.N = float64(n.Promoters + n.Passives + n.Detractors)
		t.Sum = 100 * float64(n.Promoters-n.Detractors)
		t.SumSq = 1e4 * float64(n.Promoters+n.Detractors)
	case TopBox:
		t.N, t.Sum = float64(c.n), float64(c.box(d.Answers))
		t.SumSq = t.Sum
	case CES, Mean:
		m := c.moments
		if d.Answers != nil {
			m = c.histogramMoments()
		}
		per := 1.0
		if u := d.Unit.seconds(); u != 0 && d.Answers == nil {
			per = u
		}
		t.N, t.Sum, t.SumSq = float64(m.N), m.Sum/per, m.SumSq/per/per
	case Rate, Conversion:
		t.N, t.Sum = float64(c.n), float64(c.hits)
		t.SumSq = t.Sum
	case Duration:
		for _, w := range c.waits {
			slow := w.seconds >= limit
			if !w.closed && !slow {
				continue // not over, and not yet slow: nothing is known of it
			}
			t.N += float64(w.n)
			if slow {
				t.Sum += float64(w.n)
			}
		}
		t.SumSq = t.Sum
	}
	return t
}

// usual is the quantile of the cases that are over, rounded to two digits of the
// unit; per is the unit's length in seconds.
func usual(cells map[key]*cell, quantile, per float64) float64 {
	var all []waiting
	total := int64(0)
	for _, c := range cells {
		for _, w := range c.waits {
			if w.closed {
				all = append(all, w)
				total += w.n
			}
		}
	}
	slices.SortFunc(all, func(a, b waiting) int { return cmp.Compare(a.seconds, b.seconds) })
	left := quantile * float64(total)
	for _, w := range all {
		if left -= float64(w.n); left <= 0 {
			return twoDigits(w.seconds/per) * per
		}
	}
	return 0
}

func twoDigits(x float64) float64 {
	if x <= 0 {
		return 0
	}
	scale := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Round(x/scale) * scale
}

// Scale gives the ends of the scale of a metric made of answers.
func (d *Definition) Scale() (low, high float64) {
	if d.Kind == CES && d.Answers.Min == d.Answers.Max {
		return 1, 7
	}
	return d.Answers.Min, d.Answers.Max
}
