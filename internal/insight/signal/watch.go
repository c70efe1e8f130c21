package signal

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"omote/analytics/calendar"
	"omote/analytics/spc"
	"omote/internal/insight/metric"
)

// Limits of watching.
const (
	// historyDays is how much of the past a run reads.
	historyDays = 400
	// leastFacts is the least number of facts of a series that is watched.
	leastFacts = 150
	// sameShare: a place that holds as much of the whole says nothing of its own.
	sameShare = 0.97
	// leastDaily is the mean number of facts a day from which a series is watched by
	// days; others are watched by weeks.
	leastDaily = 10
	// watchWorkers are the queries at the same time.
	watchWorkers = 2
	// pointsBefore is how many periods before a change its chart shows.
	pointsBefore = 90
)

// leaf is what the facts of one combination held on one day.
type leaf struct {
	region, unit, channel, product, step string
	day                                  time.Time
	n, sum, sumsq                        float64
}

func (l *leaf) value(d Dim) string {
	switch d {
	case Region:
		return l.region
	case Unit:
		return l.unit
	case Channel:
		return l.channel
	case Product:
		return l.product
	case Step:
		return l.step
	}
	return ""
}

// watched is one measure with its sums.
type watched struct {
	def     metric.Definition
	version int
	slow    float64
	leaves  []leaf
}

// series is one series of a measure, with where it belongs.
type series struct {
	of    *watched
	place Place
	step  string
	spc.Series
}

// units are the codes of units with their paths, and the regions they make up.
type units struct {
	path    map[string]string // by lower-case code
	regions map[string][]string
}

func (u *units) region(code string) string {
	first, _, _ := strings.Cut(strings.Trim(u.path[code], "/"), "/")
	return first
}

// place fills in the unit of a place.
func (u *units) place(d Dim, value string) Place {
	p := Place{Dim: d, Value: value, Unit: "/"}
	switch d {
	case Unit:
		if path := u.path[value]; path != "" {
			p.Unit = path
		}
	case Region:
		p.Unit, p.Codes = "/"+value+"/", u.regions[value]
	}
	return p
}

// readUnits reads the organisation as the warehouse has it.
func (s *Service) readUnits(ctx context.Context) (*units, error) {
	rows, err := s.facts.Query(ctx, `SELECT code, path FROM {unit} ORDER BY code`)
	if err != nil {
		return nil, fmt.Errorf("read units: %w", err)
	}
	defer rows.Close()
	u := &units{path: map[string]string{}, regions: map[string][]string{}}
	for rows.Next() {
		var code, path string
		if err := rows.Scan(&code, &path); err != nil {
			return nil, fmt.Errorf("read units: %w", err)
		}
		u.path[code] = path
		if r := u.region(code); r != "" {
			u.regions[r] = append(u.regions[r], code)
		}
	}
	return u, rows.Err()
}

// read gives the sums of every measure that can be watched, over the days before
// today. Measures without a better way, without facts, or older than they promise
// to be are left out: what is stale raises no signals.
func (s *Service) read(ctx context.Context, u *units, say func(done, total int)) ([]*watched, error) {
	var defs []*metric.Version
	for after := ""; ; {
		page, next, err := s.metrics.List(ctx, metric.Filter{After: after, Limit: 200})
		if err != nil {
			return nil, err
		}
		for _, v := range page {
			if d := v.Definition; d.Watchable() && (d.Direction == metric.Higher || d.Direction == metric.Lower) && len(dimsOf(&d)) > 0 {
				defs = append(defs, v)
			}
		}
		if after = next; after == "" {
			break
		}
	}
	today := metric.DateIn(s.db.Clock().Now(), s.zone)
	period := metric.Period{From: today.AddDays(-historyDays), To: today}
	found := make([]*watched, len(defs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(watchWorkers)
	done := make(chan struct{}, len(defs))
	for i, v := range defs {
		group.Go(func() error {
			dims := dimsOf(&v.Definition)
			by := make([]string, len(dims))
			for k, d := range dims {
				by[k] = string(d)
			}
			t, err := s.metrics.Tallies(ctx, v.Definition.ID, v.Version, period, by...)
			if err != nil {
				return err
			}
			done <- struct{}{}
			say(len(done), len(defs))
			if !t.Stale && len(t.Rows) > 0 {
				found[i] = &watched{def: v.Definition, version: v.Version, slow: t.Slow, leaves: leaves(t.Rows, dims, u)}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(w *watched) bool { return w == nil }), nil
}

// dimsOf are the watched dimensions that a definition may be split by.
func dimsOf(d *metric.Definition) (out []Dim) {
	for _, dim := range Dims {
		if slices.Contains(d.Dims, string(dim)) {
			out = append(out, dim)
		}
	}
	return out
}

func leaves(rows []metric.Tally, dims []Dim, u *units) []leaf {
	out := make([]leaf, 0, len(rows))
	for _, r := range rows {
		l := leaf{day: r.Day.Time(), n: r.N, sum: r.Sum, sumsq: r.SumSq}
		for k, d := range dims {
			switch d {
			case Unit:
				l.unit = r.Values[k]
				l.region = u.region(l.unit)
			case Channel:
				l.channel = r.Values[k]
			case Product:
				l.product = r.Values[k]
			case Step:
				l.step = r.Values[k]
			}
		}
		out = append(out, l)
	}
	return out
}

// split makes the series of a measure: the whole, and each place that has enough
// facts and is not nearly the whole. Days are those up to, not including, until.
func (w *watched) split(u *units, until time.Time) (out []series) {
	type key struct {
		dim   Dim
		value string
	}
	begin := until.AddDate(0, 0, -historyDays)
	all, first := map[key][]spc.Point{}, historyDays
	total := map[key]float64{}
	for i := range w.leaves {
		l := &w.leaves[i]
		at := int(l.day.Sub(begin).Hours() / 24)
		if at < 0 || at >= historyDays {
			continue
		}
		first = min(first, at)
		for _, k := range []key{{}, {Region, l.region}, {Unit, l.unit}, {Channel, l.channel}, {Product, l.product}, {Step, l.step}} {
			if k.dim != Whole && k.value == "" {
				continue
			}
			if all[k] == nil {
				all[k] = make([]spc.Point, historyDays)
			}
			p := &all[k][at]
			p.N, p.Sum, p.SumSq = p.N+l.n, p.Sum+l.sum, p.SumSq+l.sumsq
			total[k] += l.n
		}
	}
	span := float64(max(1, historyDays-first))
	for k, points := range all {
		if total[k] < leastFacts || k.dim != Whole && total[k] > sameShare*total[key{}] {
			continue
		}
		s := series{of: w, place: u.place(k.dim, k.value), step: "week"}
		if total[k]/span >= leastDaily {
			s.step = "day"
		}
		s.Name, s.Good, s.Kind = name(w.def.ID, k.dim, k.value), good(w.def.Direction), kindOf(&w.def)
		s.Parent = w.parent(k.dim, k.value, u, func(d Dim, v string) bool { return total[key{d, v}] >= leastFacts })
		s.Points = periods(points[first:], begin.AddDate(0, 0, first), s.step)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b series) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func name(metric string, d Dim, value string) string { return metric + "|" + string(d) + "|" + value }

// parent is the series that a place is part of.
func (w *watched) parent(d Dim, value string, u *units, watched func(Dim, string) bool) string {
	if d == Whole {
		return ""
	}
	if r := u.region(value); d == Unit && r != "" && watched(Region, r) {
		return name(w.def.ID, Region, r)
	}
	return name(w.def.ID, Whole, "")
}

// periods puts the days of a series from first on into periods. Days stand at noon
// and weeks at midnight of their Monday, by which the calendar tells them apart; a
// last week that is not over is left out.
func periods(daily []spc.Point, first time.Time, step string) (out []spc.Point) {
	if step == "day" {
		for i := range daily {
			daily[i].Time = first.AddDate(0, 0, i).Add(12 * time.Hour)
		}
		return daily
	}
	for at := -(int(first.Weekday()) + 6) % 7; at+7 <= len(daily); at += 7 {
		p := spc.Point{Time: first.AddDate(0, 0, at)}
		for _, q := range daily[max(0, at) : at+7] {
			p.N, p.Sum, p.SumSq = p.N+q.N, p.Sum+q.Sum, p.SumSq+q.SumSq
		}
		out = append(out, p)
	}
	return out
}

// kindOf says where the sampling error of a measure's sums comes from.
func kindOf(d *metric.Definition) spc.Kind {
	switch d.Kind {
	case metric.NPS:
		return spc.NPS
	case metric.CES, metric.Mean:
		return spc.Mean
	case metric.Rate:
		return spc.Count // what is counted need not be a part of its base on the same day
	}
	return spc.Proportion
}

func good(d metric.Direction) spc.Good {
	if d == metric.Higher {
		return spc.GoodUp
	}
	return spc.GoodDown
}

// days names special days: those of the Vietnamese calendar, and the weeks of Tết
// for series by weeks.
type days struct{ *calendar.Vietnam }

// Class implements spc.Calendar.
func (d days) Class(t time.Time) string {
	if t.Hour() != 0 {
		return d.Vietnam.Class(t)
	}
	for i := range 7 {
		if c := d.Vietnam.Class(t.AddDate(0, 0, i)); strings.HasPrefix(c, "tet") {
			return "week_of_tet"
		}
	}
	return ""
}

// judge monitors all series together and gives their changes.
func judge(all []series, rule Rule) (found []Finding, results []spc.Result) {
	in := make([]spc.Series, len(all))
	for i := range all {
		in[i] = all[i].Series
	}
	results = spc.Monitor(in, spc.Options{FDR: rule.Share, FalsePerThousand: rule.PerThousand, Calendar: days{&calendar.Vietnam{}}})
	for i, r := range results {
		for _, g := range r.Signals {
			found = append(found, finding(&all[i], &r, &g))
		}
	}
	return found, results
}

func finding(s *series, r *spc.Result, g *spc.Signal) Finding {
	f := Finding{Metric: s.of.def.ID, Version: s.of.version, Place: s.place, Step: s.step, Slow: s.of.slow, Onset: day(g.Onset), OnsetLow: day(g.OnsetLow),
		OnsetHigh: day(g.OnsetHigh), Detected: day(g.Detected), Shape: g.Rule.String(), State: g.State.String(), Outcome: g.Outcome.String(),
		level: g.Reason.Before, Before: s.figure(g.Reason.Before), After: g.Reason.After, Sigmas: g.Reason.Sigmas, FalseOnce: math.Min(g.Reason.FalseOnceIn, 1e12), Persisted: g.Persisted}
	end := min(g.EndIndex, len(s.Points))
	if g.EndIndex < len(s.Points) {
		f.Ended = day(s.Points[g.EndIndex].Time)
	}
	sum := 0.0
	for _, p := range s.Points[g.OnsetIndex:end] {
		f.N += p.N
		sum += p.Sum
	}
	if f.N > 0 {
		f.After = sum / f.N
	}
	if step := math.Abs(g.Reason.After - g.Reason.Before); step > 0 {
		f.Sigmas *= math.Abs(f.After-g.Reason.Before) / step // of the change as it is today
	}
	f.After = s.figure(f.After)
	return f
}

// figure turns the watched value into the measure's unit.
func (s *series) figure(x float64) float64 {
	if s.of.def.Kind == metric.Rate && s.of.def.Unit == metric.Per10k {
		return 10_000 * x
	}
	return x
}

func day(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }

// chart gives the periods of a change and those before it, with the band of the level
// before: what would have been noise. Periods are put together until they hold the
// measure's minimum, as the registry asks of every figure that is shown; the band of
// k periods is narrower by the root of k.
func (s *series) chart(r *spc.Result, f *Finding) []Point {
	from := 0
	for i, p := range s.Points {
		if day(p.Time).Equal(f.Onset) {
			from = max(0, i-pointsBefore)
		}
	}
	var out []Point
	var n, sum, centre, half, k float64
	state := spc.Noise
	for i := from; i < len(s.Points); i++ {
		p, q := s.Points[i], r.Points[i]
		changed := !day(p.Time).Before(f.Onset)
		n, sum = n+p.N, sum+p.Sum
		if w := q.High - q.Center; w > 0 {
			c := q.Center
			if changed {
				c = f.level
			}
			centre, half, k = centre+c, half+w, k+1
		}
		if changed && (q.State == spc.Worse || q.State == spc.Better) {
			state = q.State
		}
		if n < float64(s.of.def.MinN) {
			continue
		}
		point := Point{At: day(p.Time), N: n, State: state.String(), Value: s.known(sum / n)}
		if k > 0 {
			c, h := centre/k, half/k/math.Sqrt(k)
			low, high := c-h, c+h
			if s.Kind == spc.Proportion || s.Kind == spc.Count {
				low = max(0, low)
			}
			if s.Kind == spc.Proportion {
				high = min(1, high)
			}
			point.Low, point.High = s.known(low), s.known(high)
		}
		out = append(out, point)
		n, sum, centre, half, k, state = 0, 0, 0, 0, 0, spc.Noise
	}
	return out
}

// known is a figure in the measure's unit, nil for what is not known.
func (s *series) known(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	x = s.figure(x)
	return &x
}
