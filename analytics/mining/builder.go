package mining

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrTooLarge is returned for logs of 2^31 events or more.
var ErrTooLarge = errors.New("mining: a log holds at most 2147483647 events")

// Builder collects events, in any order, and makes a [Log] of them.
//
//	b := mining.NewBuilder("resource")
//	b.Add(b.Case("loan 17"), b.Activity("Submitted"), micros, b.Value(0, "anna"))
//	log, err := b.Build(mining.TimeOrder)
type Builder struct {
	cases      Dict
	activities *Dict
	events     Columns
	columns    []*Column // of events, by index
	caseCols   map[string]*Column
}

// Columns are the events of a log as parallel slices, in any order. Case
// numbers run from 0; activities are ids of Activities.
type Columns struct {
	Case       []int32
	Activity   []int32
	Time       []int64 // UTC microseconds
	Activities *Dict
	// CaseIDs are the names of the cases by number, or nil.
	CaseIDs []string
	// Events and Cases are further columns, one value for each event or each
	// case number.
	Events map[string]*Column
	Cases  map[string]*Column
	// Numbers are numeric columns of events, such as cost or a score of feeling;
	// NaN is a missing value.
	Numbers map[string][]float64
}

// NewBuilder returns a builder of logs with the named event columns beside
// case, activity and time.
func NewBuilder(columns ...string) *Builder {
	b := &Builder{activities: &Dict{}, caseCols: map[string]*Column{}}
	b.events.Events = map[string]*Column{}
	for _, name := range columns {
		col := &Column{Dict: &Dict{}}
		b.columns = append(b.columns, col)
		b.events.Events[name] = col
	}
	return b
}

// Case returns the number of the case with the id, a new one if there is none.
func (b *Builder) Case(id string) int32 { return b.cases.ID(id) }

// NewCase returns the number of a new case that stays apart from any other
// with the same id; [Builder.Case] will not find it.
func (b *Builder) NewCase(id string) int32 {
	b.cases.names = append(b.cases.names, id)
	return int32(len(b.cases.names) - 1)
}

// CaseBytes is Case for an id in bytes.
func (b *Builder) CaseBytes(id []byte) int32 { return b.cases.IDBytes(id) }

// Activity returns the id of the activity.
func (b *Builder) Activity(name string) int32 { return b.activities.ID(name) }

// ActivityBytes is Activity for a name in bytes.
func (b *Builder) ActivityBytes(name []byte) int32 { return b.activities.IDBytes(name) }

// Value returns the id of a value in the event column with the index that its
// name had in [NewBuilder].
func (b *Builder) Value(column int, value string) int32 {
	return b.columns[column].Dict.ID(value)
}

// ValueBytes is Value for a value in bytes.
func (b *Builder) ValueBytes(column int, value []byte) int32 {
	return b.columns[column].Dict.IDBytes(value)
}

// Add adds an event: case number, activity id, instant in UTC microseconds and
// a value id, or None, for each event column. Values left out are None.
func (b *Builder) Add(caseNumber, activity int32, micros int64, values ...int32) {
	e := &b.events
	e.Case = append(e.Case, caseNumber)
	e.Activity = append(e.Activity, activity)
	e.Time = append(e.Time, micros)
	for i, col := range b.columns {
		value := None
		if i < len(values) {
			value = values[i]
		}
		col.Values = append(col.Values, value)
	}
}

// SetNumber gives the event added last a value in a numeric column.
func (b *Builder) SetNumber(column string, value float64) {
	if b.events.Numbers == nil {
		b.events.Numbers = map[string][]float64{}
	}
	b.events.Numbers[column] = append(padded(b.events.Numbers[column], b.Len()-1), value)
}

// padded fills a numeric column up to n values; it cuts off what is beyond.
func padded(values []float64, n int) []float64 {
	for len(values) < n {
		values = append(values, math.NaN())
	}
	return values[:n]
}

// SetCase gives a case an attribute.
func (b *Builder) SetCase(caseNumber int32, column, value string) {
	col, ok := b.caseCols[column]
	if !ok {
		col = &Column{Dict: &Dict{}}
		b.caseCols[column] = col
	}
	col.grow(int(caseNumber) + 1)
	col.Values[caseNumber] = col.Dict.ID(value)
}

func (c *Column) grow(n int) {
	for len(c.Values) < n {
		c.Values = append(c.Values, None)
	}
}

// Len returns the number of events added.
func (b *Builder) Len() int { return len(b.events.Time) }

// Build makes the log. Cases are numbered in the order in which they were
// first named; those without events are left out. The builder must not be used
// afterwards.
func (b *Builder) Build(order Order) (*Log, error) {
	e := b.events
	e.Activities = b.activities
	e.CaseIDs = b.cases.names
	e.Cases = b.caseCols
	for _, col := range b.caseCols {
		col.grow(len(e.CaseIDs))
	}
	for name, values := range e.Numbers {
		e.Numbers[name] = padded(values, b.Len())
	}
	return FromColumns(e, order)
}

// FromColumns makes a log of columns. When the events of each case already
// stand side by side and in order, the log uses the given slices; otherwise it
// copies them. Either way they must not be changed afterwards.
func FromColumns(e Columns, order Order) (*Log, error) {
	cases, err := e.check()
	if err != nil {
		return nil, err
	}
	l := &Log{
		order: order, activities: e.Activities, activity: e.Activity, time: e.Time,
		ids: e.CaseIDs, columns: e.Events, numbers: e.Numbers, caseCols: e.Cases, events: len(e.Time),
	}
	counts := make([]int32, cases)
	grouped, previous := true, int32(-1)
	for _, c := range e.Case {
		grouped = grouped && c >= previous
		previous = c
		counts[c]++
	}
	at := int32(0)
	for c, n := range counts {
		if n > 0 {
			l.spans = append(l.spans, span{at, at + n})
			l.origin = append(l.origin, int32(c))
		}
		counts[c] = at // from here on: where the next event of c goes
		at += n
	}
	var from []int32 // position in e of each event of the log; nil: the same
	if !grouped {
		from = make([]int32, len(e.Case))
		for i, c := range e.Case {
			from[counts[c]] = int32(i)
			counts[c]++
		}
	}
	if order == TimeOrder {
		from = l.sortByTime(from)
	}
	if from != nil {
		l.gather(from)
	}
	return l, nil
}

// check validates the columns and returns the number of cases.
func (e *Columns) check() (int, error) {
	n := len(e.Time)
	if n > math.MaxInt32 {
		return 0, ErrTooLarge
	}
	if len(e.Case) != n || len(e.Activity) != n {
		return 0, fmt.Errorf("mining: %d cases and %d activities for %d instants", len(e.Case), len(e.Activity), n)
	}
	for name, col := range e.Events {
		if len(col.Values) != n {
			return 0, fmt.Errorf("mining: column %q has %d values for %d events", name, len(col.Values), n)
		}
	}
	for name, values := range e.Numbers {
		if len(values) != n {
			return 0, fmt.Errorf("mining: column %q has %d values for %d events", name, len(values), n)
		}
	}
	if e.Activities == nil {
		return 0, errors.New("mining: no dictionary of activities")
	}
	cases, known := len(e.CaseIDs), int32(e.Activities.Len())
	for i, c := range e.Case {
		if c < 0 || e.Activity[i] < 0 || e.Activity[i] >= known {
			return 0, fmt.Errorf("mining: event %d has case %d and activity %d of %d", i, c, e.Activity[i], known)
		}
		cases = max(cases, int(c)+1)
	}
	if e.CaseIDs != nil && cases > len(e.CaseIDs) {
		return 0, fmt.Errorf("mining: case %d has no id", cases-1)
	}
	for name, col := range e.Cases {
		if len(col.Values) < cases {
			return 0, fmt.Errorf("mining: case column %q has %d values for %d cases", name, len(col.Values), cases)
		}
	}
	return cases, nil
}

// sortByTime brings the events of each case into the order of their instants
// and returns the positions they come from. It returns from as it was when all
// are in order already, so that the common case costs one look at each event.
func (l *Log) sortByTime(from []int32) []int32 {
	source := func(i int32) int32 { return i }
	if given := from; given != nil {
		source = func(i int32) int32 { return given[i] }
	}
	chunks := l.chunks()
	late := make([][]span, len(chunks)) // cases that are not in order
	inParallel(chunks, func(w int, c chunk) {
		for _, s := range l.spans[c.lo:c.hi] {
			for i := s.lo + 1; i < s.hi; i++ {
				if l.time[source(i)] < l.time[source(i-1)] {
					late[w] = append(late[w], s)
					break
				}
			}
		}
	})
	if from == nil && slices.IndexFunc(late, func(s []span) bool { return len(s) > 0 }) >= 0 {
		from = make([]int32, l.events)
		for i := range from {
			from[i] = int32(i)
		}
	}
	inParallel(chunks, func(w int, _ chunk) {
		for _, s := range late[w] {
			slices.SortFunc(from[s.lo:s.hi], func(a, b int32) int {
				if order := cmp.Compare(l.time[a], l.time[b]); order != 0 {
					return order
				}
				return cmp.Compare(a, b)
			})
		}
	})
	return from
}

// gather copies every column in the order of the positions.
func (l *Log) gather(from []int32) {
	activity, time := l.activity, l.time
	l.activity, l.time = make([]int32, len(from)), make([]int64, len(from))
	columns := make(map[string]*Column, len(l.columns))
	for name, col := range l.columns {
		columns[name] = &Column{Dict: col.Dict, Values: make([]int32, len(from))}
	}
	numbers := make(map[string][]float64, len(l.numbers))
	for name := range l.numbers {
		numbers[name] = make([]float64, len(from))
	}
	inParallel(l.chunks(), func(_ int, c chunk) {
		if c.lo == c.hi {
			return
		}
		lo, hi := l.spans[c.lo].lo, l.spans[c.hi-1].hi
		for i := lo; i < hi; i++ {
			l.activity[i], l.time[i] = activity[from[i]], time[from[i]]
		}
		for name, col := range columns {
			values := l.columns[name].Values
			for i := lo; i < hi; i++ {
				col.Values[i] = values[from[i]]
			}
		}
		for name, to := range numbers {
			values := l.numbers[name]
			for i := lo; i < hi; i++ {
				to[i] = values[from[i]]
			}
		}
	})
	l.columns, l.numbers = columns, numbers
}
