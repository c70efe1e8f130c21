package mining

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Order says how the events of a case are ordered.
type Order uint8

const (
	// FileOrder keeps events as they were added.
	FileOrder Order = iota
	// TimeOrder sorts events by instant; equal instants keep the file order.
	TimeOrder
)

// String returns "file order" or "time order".
func (o Order) String() string {
	if o == TimeOrder {
		return "time order"
	}
	return "file order"
}

// Column is one attribute of events or cases as ids of a dictionary; None
// where the attribute is missing.
type Column struct {
	Dict   *Dict
	Values []int32
}

// Log is an event log in columns, with the events of each case side by side in
// order. Logs are immutable and safe for concurrent use; logs that filters
// made share columns with their origin.
type Log struct {
	order      Order
	activities *Dict
	activity   []int32
	time       []int64
	spans      []span  // of the events of each case, none empty
	origin     []int32 // case of the origin log, which case columns refer to
	ids        []string
	columns    map[string]*Column // of events
	numbers    map[string][]float64
	caseCols   map[string]*Column // of cases, by origin
	events     int
	grain      int // events that are worth a goroutine; 0: the default
}

// span is a range of event positions.
type span struct{ lo, hi int32 }

func (s span) len() int { return int(s.hi - s.lo) }

// Cases returns the number of cases. Every case has at least one event.
func (l *Log) Cases() int { return len(l.spans) }

// Events returns the number of events.
func (l *Log) Events() int { return l.events }

// Order returns how events are ordered within cases.
func (l *Log) Order() Order { return l.order }

// Activities returns the names of activities by id. Activities that no event
// of this log has may be among them.
func (l *Log) Activities() *Dict { return l.activities }

// CaseID returns the name of case c, in the range [0, Cases()).
func (l *Log) CaseID(c int) string {
	if l.ids == nil {
		return ""
	}
	return l.ids[l.origin[c]]
}

// Path returns the activities of the events of case c. The slice must not be
// changed.
func (l *Log) Path(c int) []int32 {
	s := l.spans[c]
	return l.activity[s.lo:s.hi:s.hi]
}

// Times returns the instants of the events of case c in UTC microseconds. The
// slice must not be changed.
func (l *Log) Times(c int) []int64 {
	s := l.spans[c]
	return l.time[s.lo:s.hi:s.hi]
}

// Values returns an event column for the events of case c, or nil when the log
// has no such column. The slice must not be changed.
func (l *Log) Values(column string, c int) []int32 {
	col, ok := l.columns[column]
	if !ok {
		return nil
	}
	s := l.spans[c]
	return col.Values[s.lo:s.hi:s.hi]
}

// Numbers returns a numeric column for the events of case c, NaN where a value
// is missing, or nil when the log has no such column. The slice must not be
// changed.
func (l *Log) Numbers(column string, c int) []float64 {
	values, ok := l.numbers[column]
	if !ok {
		return nil
	}
	s := l.spans[c]
	return values[s.lo:s.hi:s.hi]
}

// Column returns the dictionary of an event column, or nil and false.
func (l *Log) Column(name string) (*Dict, bool) {
	if col, ok := l.columns[name]; ok {
		return col.Dict, true
	}
	return nil, false
}

// CaseValue returns the id of a case attribute of case c in the dictionary of
// [Log.CaseColumn], or None.
func (l *Log) CaseValue(column string, c int) int32 {
	if col, ok := l.caseCols[column]; ok {
		return col.Values[l.origin[c]]
	}
	return None
}

// CaseColumn returns the dictionary of a case attribute, or nil and false.
func (l *Log) CaseColumn(name string) (*Dict, bool) {
	if col, ok := l.caseCols[name]; ok {
		return col.Dict, true
	}
	return nil, false
}

// TimeRange returns the earliest and the latest instant in UTC microseconds,
// and false when the log has no events.
func (l *Log) TimeRange() (first, last int64, ok bool) {
	if l.events == 0 {
		return 0, 0, false
	}
	chunks := l.chunks()
	firsts, lasts := make([]int64, len(chunks)), make([]int64, len(chunks))
	inParallel(chunks, func(w int, c chunk) {
		low, high := l.extent(c.lo)
		for i := c.lo + 1; i < c.hi; i++ {
			from, to := l.extent(i)
			low, high = min(low, from), max(high, to)
		}
		firsts[w], lasts[w] = low, high
	})
	return slices.Min(firsts), slices.Max(lasts), true
}

// extent returns the earliest and the latest instant of case c.
func (l *Log) extent(c int) (first, last int64) {
	times := l.Times(c)
	first, last = times[0], times[len(times)-1]
	if l.order != TimeOrder {
		for _, t := range times {
			first, last = min(first, t), max(last, t)
		}
	}
	return first, last
}

// chunk is a range of cases that one goroutine works on.
type chunk struct{ lo, hi int }

// chunks splits the cases into ranges of about equally many events, one for
// each core, or only one when the log is too small for that to pay.
func (l *Log) chunks() []chunk {
	grain := l.grain
	if grain == 0 {
		grain = 1 << 15
	}
	n := max(1, min(runtime.GOMAXPROCS(0), l.events/grain, len(l.spans)))
	out := make([]chunk, 0, n)
	lo, seen := 0, 0
	for c := range l.spans {
		seen += l.spans[c].len()
		if seen*n >= l.events*(len(out)+1) && c+1 < len(l.spans) {
			out = append(out, chunk{lo, c + 1})
			lo = c + 1
		}
	}
	return append(out, chunk{lo, len(l.spans)})
}

// inParallel calls f for each chunk in a goroutine of its own and waits.
func inParallel(chunks []chunk, f func(worker int, c chunk)) {
	if len(chunks) == 1 {
		f(0, chunks[0])
		return
	}
	var wg sync.WaitGroup
	for w, c := range chunks {
		wg.Go(func() { f(w, c) })
	}
	wg.Wait()
}

// forEach calls f with 0 to n-1; goroutines take the next one until none is
// left. It suits parts of unequal size.
func forEach(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
