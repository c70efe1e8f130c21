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
	"omote/internal/journey/belong"
	"omote/internal/journey/definition"
	"omote/internal/platform/clock"
	"omote/internal/platform/money"
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
	// Unit keeps cases that a unit had a hand in; Begins and Ends those whose first
	// or last event is of the activity; Passing ("a>b") those in which b follows a
	// directly; Outcome those that succeeded, failed, are abandoned or open.
	Unit, Begins, Ends, Passing, Outcome string
	// Segment keeps the cases of customers who are members of it today.
	Segment string
	// Way keeps the cases of the n-th most frequent way, from 1; 0 keeps all.
	Way int
	// Longer and Shorter keep cases that last at least, and less than.
	Longer, Shorter time.Duration
	// By is what a case is: ByCase (default) or ByCustomer. Silence cuts the
	// histories of customers into sessions after so long without an event.
	By      string
	Silence time.Duration
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
	// Filters says how many cases each filter left.
	Filters []mining.FilterStep
	Slice   *Slice
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
	// Source gives the segments of customers; nil where there are none. It is set
	// before the service is used.
	Source belong.Source
	// Currency is the bank's.
	Currency string

	mu      sync.Mutex
	cache   map[string]*entry
	lists   map[string]listed
	members map[string]membership
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
	return &Service{w: w, definitions: definitions, clock: c, cache: map[string]*entry{}, lists: map[string]listed{}, members: map[string]membership{}}
}

// Limits of what is kept in memory.
const (
	maxCached = 8
	maxEvents = 40_000_000
)

// Read gives the picture of a journey.
func (s *Service) Read(ctx context.Context, q Query) (*Picture, error) {
	slice, err := s.Slice(ctx, q)
	if err != nil {
		return nil, err
	}
	p := &Picture{Definition: slice.Definition, Query: q, Log: slice.Log, Filters: slice.Filters, Slice: slice, ReadAt: slice.ReadAt}
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
	p.Outcomes = outcomes(p.Log, slice.Definition, slice.End)
	p.Steps = slice.Steps(p.Graph)
	p.Funnel, err = slice.Funnel(FunnelSpec{Steps: p.Steps})
	return p, err
}

// filters turns a query into filters of the log, each named for its explanation.
func filters(l *mining.Log, q Query, d definition.Definition, end int64) (out []mining.Filter) {
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
	out = append(out, moreFilters(l, q, d, end)...)
	if len(q.Hide) > 0 {
		ids := make([]int32, len(q.Hide))
		for i, name := range q.Hide {
			ids[i] = activityID(l, name)
		}
		out = append(out, named("hide", mining.DropActivities(ids...)))
	}
	if q.Way > 0 { // after all others: ways are counted in what they leave
		out = append(out, named("way", mining.CasesOfVariants(q.Way-1)))
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
	d, err := s.definitions.Get(ctx, q.Journey)
	if err != nil {
		return nil, time.Time{}, err
	}
	sc, _ := scope.From(ctx)
	order := mining.TimeOrder
	if q.FileOrder {
		order = mining.FileOrder
	}
	key := strings.Join([]string{sc.Entity, sc.Unit, q.Journey, q.Import, order.String(), q.By, q.Silence.String(), d.Cost}, "\x00")
	now := s.clock.Now()
	s.mu.Lock()
	if e := s.cache[key]; e != nil && now.Sub(e.readAt) < e.keep {
		e.used = now
		s.mu.Unlock()
		return e.log, e.readAt, nil
	}
	s.mu.Unlock()
	started := time.Now() // how long it takes decides how long it is kept
	journey := q.Journey
	if journey == AllJourneys {
		journey = ""
	}
	columns, err := s.w.CaseColumns(ctx, warehouse.CaseFilter{Key: q.keyOf(), Journey: journey, Import: q.Import, With: []string{"channel", "product", "unit"}, Number: d.Cost})
	if err != nil {
		return nil, now, fmt.Errorf("read the journey %q: %w", q.Journey, err)
	}
	in := toColumns(columns)
	if columns.Numbers != nil {
		in.Numbers = map[string][]float64{columnCost: s.minor(d.Cost, columns.Numbers)}
	}
	if err := s.feel(ctx, journey, q.keyOf(), &in); err != nil {
		return nil, now, err
	}
	log, err := mining.FromColumns(in, order)
	if err != nil {
		return nil, now, err
	}
	log = q.cut(log)
	took := time.Since(started)
	e := &entry{log: log, readAt: now, used: now, keep: min(max(2*time.Second, 20*took), 5*time.Minute)}
	s.mu.Lock()
	s.cache[key] = e
	s.evict()
	s.mu.Unlock()
	return log, now, nil
}

// minor turns costs into minor units of the bank's currency; amounts are so already.
func (s *Service) minor(property string, values []float64) []float64 {
	if scale := math.Pow10(money.Exponent(s.Currency)); property != "amount" && scale != 1 {
		for i := range values {
			values[i] *= scale
		}
	}
	return values
}

func toColumns(c *warehouse.CaseColumns) mining.Columns {
	columns := mining.Columns{Case: c.Case, Activity: c.Activity, Time: c.Time, Activities: mining.NewDict(c.Activities...), CaseIDs: c.Cases,
		Events: map[string]*mining.Column{}}
	for _, x := range c.Extra {
		for k, v := range x.Values { // a missing value is none, not one with an empty name
			if x.Names[v] == "" {
				x.Values[k] = mining.None
			}
		}
		columns.Events[x.Name] = &mining.Column{Dict: mining.NewDict(x.Names...), Values: x.Values}
	}
	return columns
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

// outcomes counts how cases stand at the end of observation.
func outcomes(l *mining.Log, d definition.Definition, end int64) Outcomes {
	o := Outcomes{Known: len(d.Success)+len(d.Failure) > 0}
	for _, x := range standing(l, d, end) {
		switch x {
		case mining.Succeeded:
			o.Succeeded++
		case mining.Failed:
			o.Failed++
		case mining.Open:
			o.Open++
		default:
			o.Abandoned++
		}
	}
	return o
}

// standing tells how each case stands at the end of observation. A success counts
// also when something that means failure came after or before it.
func standing(l *mining.Log, d definition.Definition, end int64) []mining.Outcome {
	role := make([]mining.Outcome, l.Activities().Len())
	mark := func(names []string, r mining.Outcome) {
		for _, n := range names {
			if id, ok := l.Activities().Lookup(n); ok {
				role[id] = r
			}
		}
	}
	mark(d.Failure, mining.Failed)
	mark(d.Success, mining.Succeeded)
	timeout := cmp.Or(d.Timeout, definition.DefaultTimeout).Microseconds()
	out := make([]mining.Outcome, l.Cases())
	for c := range out {
		for _, a := range l.Path(c) {
			if r := role[a]; r == mining.Succeeded || (r == mining.Failed && out[c] == mining.Open) {
				out[c] = r
			}
		}
		if out[c] == mining.Open && end-slices.Max(l.Times(c)) >= timeout {
			out[c] = mining.Abandoned
		}
	}
	return out
}
