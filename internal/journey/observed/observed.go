// Package observed reads what really happened in a journey from the facts: the
// directly-follows map, the variants, the funnel of the designed steps,
// durations, and which cases are open, finished or abandoned.
//
// The computations are those of analytics/mining over integer columns; the
// columns of a journey are kept in memory for as long as they are worth their
// loading, so that changing a filter does not read the warehouse again.
package observed

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/definition"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/warehouse"
)

// Query chooses the cases of a journey. Empty fields do not filter.
type Query struct {
	Journey string
	From    time.Time // cases that started at or after
	To      time.Time // and before
	Channel string
	Product string
	Import  string
	// With keeps cases that have the activity, Without those that lack it.
	With, Without string
	// Hide leaves activities out of every path.
	Hide []string
	// Steps are the funnel's; empty takes the definition's, or the journey's
	// usual way where it has none.
	Steps []string
	// FileOrder keeps events as the feed gave them instead of sorting by time.
	FileOrder bool
}

// Picture is what happened.
type Picture struct {
	Definition definition.Definition
	Query      Query
	Log        *mining.Log
	Graph      *mining.Graph
	Variants   *mining.Variants
	Durations  mining.Stats
	Lengths    mining.Lengths
	Rework     mining.Rework
	Funnel     *mining.FunnelResult
	Steps      []string
	// Outcomes counts the cases by how they stand.
	Outcomes Outcomes
	// Filters says how many cases each filter left, the whole journey first.
	Filters []mining.FilterStep
	// First and Last are the earliest and latest event of the cases shown.
	First, Last time.Time
	// ReadAt is when the facts were read; they may be that old.
	ReadAt time.Time
}

// Outcomes counts cases by how they stand. Abandoned cases have been silent for
// longer than the journey's timeout without an end; open ones may go on.
type Outcomes struct {
	Succeeded, Failed, Abandoned, Open int
	// Known is false where the definition names no end: then Succeeded and Failed
	// are not told apart from Abandoned.
	Known bool
}

// Service reads journeys.
type Service struct {
	w           *warehouse.Warehouse
	definitions *definition.Service
	clock       clock.Clock

	mu    sync.Mutex
	cache map[string]*entry
	lists map[string]listed
}

// entry is a journey's log in memory.
type entry struct {
	log    *mining.Log
	readAt time.Time
	keep   time.Duration
	used   time.Time
}

// NewService makes the service.
func NewService(w *warehouse.Warehouse, definitions *definition.Service, c clock.Clock) *Service {
	return &Service{w: w, definitions: definitions, clock: c, cache: map[string]*entry{}, lists: map[string]listed{}}
}

// Limits of what is kept in memory.
const (
	maxCached = 8
	maxEvents = 40_000_000
)

// Read gives the picture of a journey.
func (s *Service) Read(ctx context.Context, q Query) (*Picture, error) {
	if err := auth.Require(ctx, definition.PermRead, ""); err != nil {
		return nil, err
	}
	d, err := s.definitions.Get(ctx, q.Journey)
	if err != nil {
		return nil, err
	}
	whole, readAt, err := s.load(ctx, q)
	if err != nil {
		return nil, err
	}
	if whole.Events() == 0 {
		return nil, errs.NotFound("journey.error.empty", "no event of the journey %q is in yet", q.Journey)
	}
	p := &Picture{Definition: d, Query: q, ReadAt: readAt}
	p.Log, p.Filters = whole.Filter(filters(whole, q)...)
	if p.Log.Cases() == 0 {
		return p, nil
	}
	first, last, _ := p.Log.TimeRange()
	p.First, p.Last = time.UnixMicro(first).UTC(), time.UnixMicro(last).UTC()
	p.Graph = mining.DirectlyFollows(p.Log)
	p.Variants = mining.FindVariants(p.Log)
	p.Durations, _ = mining.CaseDurations(p.Log)
	p.Lengths = mining.CaseLengths(p.Log)
	p.Rework = mining.FindRework(p.Log)
	_, end, _ := whole.TimeRange()
	p.Outcomes = outcomes(p.Log, d, end)
	return p, p.funnel(end)
}

// filters turns a query into filters of the log, each named for its explanation.
func filters(l *mining.Log, q Query) (out []mining.Filter) {
	if !q.From.IsZero() || !q.To.IsZero() {
		from, to := int64(0), int64(1)<<62
		if !q.From.IsZero() {
			from = q.From.UnixMicro()
		}
		if !q.To.IsZero() {
			to = q.To.UnixMicro()
		}
		out = append(out, named("period", mining.CasesStarted(from, to)))
	}
	for _, c := range []struct{ column, value string }{{"channel", q.Channel}, {"product", q.Product}} {
		if c.value != "" {
			out = append(out, named(c.column, mining.CasesWithValue(c.column, valueID(l, c.column, c.value))))
		}
	}
	if q.With != "" {
		out = append(out, named("with", mining.CasesWith(activityID(l, q.With))))
	}
	if q.Without != "" {
		out = append(out, named("without", mining.CasesWithout(activityID(l, q.Without))))
	}
	if len(q.Hide) > 0 {
		ids := make([]int32, len(q.Hide))
		for i, name := range q.Hide {
			ids[i] = activityID(l, name)
		}
		out = append(out, named("hide", mining.DropActivities(ids...)))
	}
	return out
}

func named(name string, f mining.Filter) mining.Filter {
	f.Name = name
	return f
}

// unknownID stands for a name that no event has: nothing matches it.
const unknownID int32 = math.MaxInt32

func activityID(l *mining.Log, name string) int32 {
	if id, ok := l.Activities().Lookup(name); ok {
		return id
	}
	return unknownID
}

func valueID(l *mining.Log, column, value string) int32 {
	if dict, ok := l.Column(column); ok {
		if id, ok := dict.Lookup(value); ok {
			return id
		}
	}
	return unknownID
}

// load gives the journey's log, from memory where it is fresh enough.
func (s *Service) load(ctx context.Context, q Query) (*mining.Log, time.Time, error) {
	sc, _ := scope.From(ctx)
	order := mining.TimeOrder
	if q.FileOrder {
		order = mining.FileOrder
	}
	key := strings.Join([]string{sc.Entity, sc.Unit, q.Journey, q.Import, order.String()}, "\x00")
	now := s.clock.Now()
	s.mu.Lock()
	if e := s.cache[key]; e != nil && now.Sub(e.readAt) < e.keep {
		e.used = now
		s.mu.Unlock()
		return e.log, e.readAt, nil
	}
	s.mu.Unlock()
	started := time.Now() // how long it takes decides how long it is kept
	columns, err := s.w.CaseColumns(ctx, warehouse.CaseFilter{Key: warehouse.ByCase, Journey: q.Journey, Import: q.Import, With: []string{"channel", "product", "unit"}})
	if err != nil {
		return nil, now, fmt.Errorf("read the journey %q: %w", q.Journey, err)
	}
	log, err := toLog(columns, order)
	if err != nil {
		return nil, now, err
	}
	took := time.Since(started)
	e := &entry{log: log, readAt: now, used: now, keep: min(max(2*time.Second, 20*took), 5*time.Minute)}
	s.mu.Lock()
	s.cache[key] = e
	s.evict()
	s.mu.Unlock()
	return log, now, nil
}

func toLog(c *warehouse.CaseColumns, order mining.Order) (*mining.Log, error) {
	columns := mining.Columns{Case: c.Case, Activity: c.Activity, Time: c.Time, Activities: mining.NewDict(c.Activities...), CaseIDs: c.Cases,
		Events: map[string]*mining.Column{}}
	for _, x := range c.Extra {
		columns.Events[x.Name] = &mining.Column{Dict: mining.NewDict(x.Names...), Values: x.Values}
	}
	return mining.FromColumns(columns, order)
}

// evict drops the journeys longest unused until the rest fits.
func (s *Service) evict() {
	for {
		events, oldest := 0, ""
		for key, e := range s.cache {
			events += e.log.Events()
			if oldest == "" || e.used.Before(s.cache[oldest].used) {
				oldest = key
			}
		}
		if len(s.cache) <= 1 || (len(s.cache) <= maxCached && events <= maxEvents) {
			return
		}
		delete(s.cache, oldest)
	}
}

// outcomes tells how each case stands at the end of observation.
func outcomes(l *mining.Log, d definition.Definition, end int64) Outcomes {
	o := Outcomes{Known: len(d.Success)+len(d.Failure) > 0}
	role := make([]int8, l.Activities().Len())
	mark := func(names []string, r int8) {
		for _, n := range names {
			if id, ok := l.Activities().Lookup(n); ok {
				role[id] = r
			}
		}
	}
	mark(d.Failure, 2)
	mark(d.Success, 1)
	timeout := cmp.Or(d.Timeout, definition.DefaultTimeout).Microseconds()
	for c := range l.Cases() {
		var best int8
		for _, a := range l.Path(c) {
			if r := role[a]; r != 0 && (best == 0 || r < best) {
				best = r
			}
		}
		switch {
		case best == 1:
			o.Succeeded++
		case best == 2:
			o.Failed++
		case end-slices.Max(l.Times(c)) < timeout:
			o.Open++
		default:
			o.Abandoned++
		}
	}
	return o
}

// funnel counts the steps.
func (p *Picture) funnel(end int64) error {
	p.Steps = p.Query.Steps
	if len(p.Steps) == 0 {
		p.Steps = slices.DeleteFunc(slices.Clone(p.Definition.Steps), func(s string) bool { return activityID(p.Log, s) == unknownID })
	}
	if len(p.Steps) < 2 {
		p.Steps = usualWay(p.Log, p.Graph)
	}
	f := mining.Funnel{Timeout: cmp.Or(p.Definition.Timeout, definition.DefaultTimeout), End: end}
	for _, step := range p.Steps {
		f.Steps = append(f.Steps, []int32{activityID(p.Log, step)})
	}
	result, err := f.Run(p.Log)
	if err != nil {
		return errs.Invalid("journey.error.funnel", "steps", "these steps make no funnel: %v", err).Because(err)
	}
	p.Funnel = result
	return nil
}
