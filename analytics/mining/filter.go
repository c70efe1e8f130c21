package mining

import (
	"math"
	"slices"
	"time"
)

// Filter keeps part of a log: some of its cases, or some of its events. Cases
// that lose all their events vanish.
type Filter struct {
	// Name says what the filter does, for the explanation of counts.
	Name string
	// Cases and Events return what decides on a case, or on the event at
	// position i of case c, of the given log. Exactly one of the two is set.
	// What they return is called from several goroutines.
	Cases  func(l *Log) func(c int) bool
	Events func(l *Log) func(c, i int) bool
}

// FilterStep tells what one filter left.
type FilterStep struct {
	Name          string
	Cases, Events int
}

// Filter applies the filters one after the other, each to what the one before
// has left, and explains how many cases and events remain after each. Filters
// of cases copy nothing.
func (l *Log) Filter(filters ...Filter) (*Log, []FilterStep) {
	steps := make([]FilterStep, len(filters))
	for i, f := range filters {
		if f.Cases != nil {
			l = l.filterCases(f.Cases(l))
		} else {
			l = l.filterEvents(f.Events(l))
		}
		steps[i] = FilterStep{Name: f.Name, Cases: l.Cases(), Events: l.Events()}
	}
	return l, steps
}

func (l *Log) filterCases(keep func(c int) bool) *Log {
	chunks := l.chunks()
	parts := make([]Log, len(chunks))
	inParallel(chunks, func(w int, c chunk) {
		p := &parts[w]
		for i := c.lo; i < c.hi; i++ {
			if keep(i) {
				p.spans = append(p.spans, l.spans[i])
				p.origin = append(p.origin, l.origin[i])
				p.events += l.spans[i].len()
			}
		}
	})
	out := *l
	out.spans, out.origin, out.events = nil, nil, 0
	for i := range parts {
		out.spans = append(out.spans, parts[i].spans...)
		out.origin = append(out.origin, parts[i].origin...)
		out.events += parts[i].events
	}
	return &out
}

func (l *Log) filterEvents(keep func(c, i int) bool) *Log {
	chunks := l.chunks()
	parts := make([]Log, len(chunks))
	kept := make([][]int32, len(chunks))
	inParallel(chunks, func(w int, c chunk) {
		p := &parts[w]
		for i := c.lo; i < c.hi; i++ {
			s, before := l.spans[i], len(kept[w])
			for at := s.lo; at < s.hi; at++ {
				if keep(i, int(at-s.lo)) {
					kept[w] = append(kept[w], at)
				}
			}
			if n := len(kept[w]); n > before {
				p.spans = append(p.spans, span{int32(before), int32(n)})
				p.origin = append(p.origin, l.origin[i])
			}
		}
	})
	out := *l
	out.spans, out.origin = nil, nil
	var from []int32
	for w := range parts {
		base := int32(len(from))
		for _, s := range parts[w].spans {
			out.spans = append(out.spans, span{s.lo + base, s.hi + base})
		}
		out.origin = append(out.origin, parts[w].origin...)
		from = append(from, kept[w]...)
	}
	out.events = len(from)
	out.gather(from)
	return &out
}

// set returns a table that tells which ids of a dictionary are wanted. Unknown
// ids are passed over.
func set(size int, ids []int32) []bool {
	out := make([]bool, size)
	for _, id := range ids {
		if id >= 0 && int(id) < size {
			out[id] = true
		}
	}
	return out
}

// KeepActivities keeps the events of the activities.
func KeepActivities(ids ...int32) Filter {
	return Filter{Name: "keep activities", Events: func(l *Log) func(c, i int) bool {
		wanted := set(l.activities.Len(), ids)
		return func(c, i int) bool { return wanted[l.activity[int(l.spans[c].lo)+i]] }
	}}
}

// DropActivities leaves the events of the activities out.
func DropActivities(ids ...int32) Filter {
	return Filter{Name: "drop activities", Events: func(l *Log) func(c, i int) bool {
		unwanted := set(l.activities.Len(), ids)
		return func(c, i int) bool { return !unwanted[l.activity[int(l.spans[c].lo)+i]] }
	}}
}

// KeepValues keeps the events that have one of the values in a column.
func KeepValues(column string, ids ...int32) Filter {
	return Filter{Name: "keep " + column, Events: func(l *Log) func(c, i int) bool {
		col, ok := l.columns[column]
		if !ok {
			return func(int, int) bool { return false }
		}
		wanted := set(col.Dict.Len(), ids)
		return func(c, i int) bool {
			v := col.Values[int(l.spans[c].lo)+i]
			return v >= 0 && wanted[v]
		}
	}}
}

// KeepPeriod keeps the events from the first instant, inclusive, to the last,
// exclusive, in UTC microseconds.
func KeepPeriod(first, last int64) Filter {
	return Filter{Name: "keep period", Events: func(l *Log) func(c, i int) bool {
		return func(c, i int) bool {
			t := l.time[int(l.spans[c].lo)+i]
			return t >= first && t < last
		}
	}}
}

// CasesWith keeps the cases that have an event of at least one of the
// activities.
func CasesWith(activities ...int32) Filter {
	return Filter{Name: "cases with activity", Cases: func(l *Log) func(c int) bool {
		wanted := set(l.activities.Len(), activities)
		return func(c int) bool { return slices.ContainsFunc(l.Path(c), func(a int32) bool { return wanted[a] }) }
	}}
}

// CasesWithout keeps the cases that have no event of any of the activities.
func CasesWithout(activities ...int32) Filter {
	return not("cases without activity", CasesWith(activities...))
}

func not(name string, f Filter) Filter {
	return Filter{Name: name, Cases: func(l *Log) func(c int) bool {
		inner := f.Cases(l)
		return func(c int) bool { return !inner(c) }
	}}
}

// CasesFrom keeps the cases that begin with one of the activities.
func CasesFrom(activities ...int32) Filter {
	return Filter{Name: "cases beginning with activity", Cases: func(l *Log) func(c int) bool {
		wanted := set(l.activities.Len(), activities)
		return func(c int) bool { return wanted[l.Path(c)[0]] }
	}}
}

// CasesTo keeps the cases that end with one of the activities.
func CasesTo(activities ...int32) Filter {
	return Filter{Name: "cases ending with activity", Cases: func(l *Log) func(c int) bool {
		wanted := set(l.activities.Len(), activities)
		return func(c int) bool { path := l.Path(c); return wanted[path[len(path)-1]] }
	}}
}

// CasesPassing keeps the cases in which target follows source, directly or
// with anything between them.
func CasesPassing(source, target int32, directly bool) Filter {
	return Filter{Name: "cases passing an edge", Cases: func(l *Log) func(c int) bool {
		return func(c int) bool {
			seen := false
			for _, a := range l.Path(c) {
				if a == target && seen {
					return true
				}
				if directly {
					seen = a == source
				} else {
					seen = seen || a == source
				}
			}
			return false
		}
	}}
}

// CasesWithValue keeps the cases that have an event with one of the values in
// a column.
func CasesWithValue(column string, ids ...int32) Filter {
	return Filter{Name: "cases with " + column, Cases: func(l *Log) func(c int) bool {
		col, ok := l.columns[column]
		if !ok {
			return func(int) bool { return false }
		}
		wanted := set(col.Dict.Len(), ids)
		return func(c int) bool {
			return slices.ContainsFunc(l.Values(column, c), func(v int32) bool { return v >= 0 && wanted[v] })
		}
	}}
}

// CasesWithAttribute keeps the cases that have one of the values in a case
// column.
func CasesWithAttribute(column string, ids ...int32) Filter {
	return Filter{Name: "cases of " + column, Cases: func(l *Log) func(c int) bool {
		return func(c int) bool {
			v := l.CaseValue(column, c)
			return v != None && slices.Contains(ids, v)
		}
	}}
}

// CasesStarted keeps the cases whose first event lies in the period, first
// instant inclusive, last exclusive, in UTC microseconds.
func CasesStarted(first, last int64) Filter {
	return Filter{Name: "cases started in period", Cases: func(l *Log) func(c int) bool {
		return func(c int) bool { t, _ := l.extent(c); return t >= first && t < last }
	}}
}

// CasesDuring keeps the cases that have at least one event in the period.
func CasesDuring(first, last int64) Filter {
	return Filter{Name: "cases active in period", Cases: func(l *Log) func(c int) bool {
		return func(c int) bool {
			return slices.ContainsFunc(l.Times(c), func(t int64) bool { return t >= first && t < last })
		}
	}}
}

// CasesLasting keeps the cases whose duration is at least shortest and less
// than longest; longest zero means any.
func CasesLasting(shortest, longest time.Duration) Filter {
	low, high := shortest.Microseconds(), longest.Microseconds()
	if high == 0 {
		high = math.MaxInt64
	}
	return Filter{Name: "cases lasting", Cases: func(l *Log) func(c int) bool {
		return func(c int) bool { d := l.duration(c); return d >= low && d < high }
	}}
}

// CasesOfVariants keeps the cases of the variants with the given indexes in
// [Variants.List] of the log that is filtered.
func CasesOfVariants(indexes ...int) Filter {
	return Filter{Name: "cases of variants", Cases: func(l *Log) func(c int) bool {
		v := FindVariants(l)
		wanted := make([]bool, len(v.List))
		for _, i := range indexes {
			if i >= 0 && i < len(wanted) {
				wanted[i] = true
			}
		}
		return func(c int) bool { return wanted[v.Of[c]] }
	}}
}

// CasesWhere keeps the cases for which keep returns true; it may be called from
// several goroutines. The cases that stopped at the second step of a funnel:
//
//	mining.CasesWhere("stopped", func(c int) bool { return result.Reached[c] == 2 })
func CasesWhere(name string, keep func(c int) bool) Filter {
	return Filter{Name: name, Cases: func(*Log) func(c int) bool { return keep }}
}
