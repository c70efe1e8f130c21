package mining

import (
	"sort"
	"time"
)

// Outcome is how a case stands at the end of observation.
type Outcome uint8

// The outcomes.
const (
	Open      Outcome = iota // not over, and silent for no longer than the timeout
	Succeeded                // its last terminal event is a success
	Failed                   // its last terminal event is a failure
	Abandoned                // not over, and silent for longer than the timeout
)

// String returns the outcome in lower case.
func (o Outcome) String() string {
	return [...]string{"open", "succeeded", "failed", "abandoned"}[o]
}

// Ending says when a case is over.
type Ending struct {
	// Success and Failure are the terminal activities.
	Success, Failure []int32
	// Timeout is the silence after which a case without terminal event counts
	// as abandoned; zero means never.
	Timeout time.Duration
	// End is the end of observation in UTC microseconds; zero means the last
	// instant of the log.
	End int64
}

func (e Ending) end(l *Log) int64 {
	if e.End != 0 {
		return e.End
	}
	_, last, _ := l.TimeRange()
	return last
}

// terminals returns the outcome of each terminal activity, Open for others.
func (e Ending) terminals(l *Log) []Outcome {
	out := make([]Outcome, l.activities.Len())
	for a, is := range set(len(out), e.Failure) {
		if is {
			out[a] = Failed
		}
	}
	for a, is := range set(len(out), e.Success) {
		if is {
			out[a] = Succeeded
		}
	}
	return out
}

// Outcomes returns the outcome of each case and how many cases have each.
func Outcomes(l *Log, e Ending) (of []Outcome, counts [4]int) {
	terminal, end := e.terminals(l), e.end(l)
	of = make([]Outcome, l.Cases())
	for c := range of {
		path := l.Path(c)
		for i := len(path) - 1; i >= 0 && of[c] == Open; i-- {
			of[c] = terminal[path[i]]
		}
		if of[c] == Open && e.Timeout > 0 {
			if _, latest := l.extent(c); end-latest > e.Timeout.Microseconds() {
				of[c] = Abandoned
			}
		}
		counts[of[c]]++
	}
	return of, counts
}

// Snapshot tells where cases stood at an instant: for each activity the number
// of cases whose latest event up to then was of it, most cases first. Cases
// that were over by then, or silent for longer than the timeout, are left out.
// The log should be in [TimeOrder].
func Snapshot(l *Log, e Ending, at int64) []Count {
	terminal := e.terminals(l)
	counts := make([]int, l.activities.Len()+1)
	for c := range l.spans {
		path, times := l.Path(c), l.Times(c)
		n := sort.Search(len(times), func(i int) bool { return times[i] > at })
		if n == 0 || (e.Timeout > 0 && at-times[n-1] > e.Timeout.Microseconds()) {
			continue
		}
		over := false
		for _, a := range path[:n] {
			over = over || terminal[a] != Open
		}
		if !over {
			counts[path[n-1]]++
		}
	}
	return rankCounts(counts)
}
