package mining

import (
	"cmp"
	"slices"
)

// Sojourn is how long cases stay at an activity.
type Sojourn struct {
	Activity int32
	// Before is the time since the event before, After the time to the next
	// event, each over the events that have one.
	Before, After Stats
	// Share is the part of the time of all cases that passes after this
	// activity and before the next event, 0 to 1: where time is spent. The
	// activity with the largest share is the bottleneck.
	Share float64
}

// Sojourns computes the time at each activity, largest share first.
func Sojourns(l *Log) []Sojourn {
	n := l.activities.Len()
	before, after := make([][]int64, n), make([][]int64, n)
	for c := range l.spans {
		path, times := l.Path(c), l.Times(c)
		for i := 1; i < len(path); i++ {
			wait := times[i] - times[i-1]
			after[path[i-1]] = append(after[path[i-1]], wait)
			before[path[i]] = append(before[path[i]], wait)
		}
	}
	out := make([]Sojourn, n)
	forEach(n, func(a int) {
		out[a] = Sojourn{Activity: int32(a), Before: Describe(before[a]), After: Describe(after[a])}
	})
	total := 0.0
	for _, s := range out {
		total += s.After.Mean * float64(s.After.N)
	}
	for i := range out {
		if total > 0 {
			out[i].Share = out[i].After.Mean * float64(out[i].After.N) / total
		}
	}
	out = slices.DeleteFunc(out, func(s Sojourn) bool { return s.Before.N == 0 && s.After.N == 0 })
	slices.SortStableFunc(out, func(a, b Sojourn) int { return cmp.Compare(b.Share, a.Share) })
	return out
}

// Service is how long work at an activity takes and how long it waits to be
// begun, for logs that record when work was scheduled, started and completed.
type Service struct {
	Activity int32
	Work     Stats // from start to completion
	Queue    Stats // from schedule to start
	// Unmatched counts starts without completion and completions without
	// start.
	Unmatched int
}

// Lifecycle names the values of a column that mark the phases of work.
type Lifecycle struct {
	Column                    string
	Schedule, Start, Complete int32 // ids of the column's dictionary, or None
}

// Services pairs the phases of work: within a case, each completion of an
// activity ends its earliest open start, and each start ends its earliest open
// schedule. It returns nil when the log lacks the column.
func Services(l *Log, phases Lifecycle) []Service {
	if _, ok := l.columns[phases.Column]; !ok {
		return nil
	}
	n := l.activities.Len()
	work, queue := make([][]int64, n), make([][]int64, n)
	scheduled, started := make([][]int64, n), make([][]int64, n) // open in the current case
	out := make([]Service, n)
	for c := range l.spans {
		path, times, phase := l.Path(c), l.Times(c), l.Values(phases.Column, c)
		for i, a := range path {
			switch phase[i] {
			case None:
			case phases.Schedule:
				scheduled[a] = append(scheduled[a], times[i])
			case phases.Start:
				if len(scheduled[a]) > 0 {
					queue[a] = append(queue[a], times[i]-scheduled[a][0])
					scheduled[a] = scheduled[a][1:]
				}
				started[a] = append(started[a], times[i])
			case phases.Complete:
				if len(started[a]) == 0 {
					out[a].Unmatched++
					continue
				}
				work[a] = append(work[a], times[i]-started[a][0])
				started[a] = started[a][1:]
			}
		}
		for _, a := range path {
			out[a].Unmatched += len(started[a])
			scheduled[a], started[a] = scheduled[a][:0], started[a][:0]
		}
	}
	forEach(n, func(a int) {
		out[a].Activity, out[a].Work, out[a].Queue = int32(a), Describe(work[a]), Describe(queue[a])
	})
	out = slices.DeleteFunc(out, func(s Service) bool { return s.Work.N == 0 && s.Queue.N == 0 && s.Unmatched == 0 })
	slices.SortStableFunc(out, func(a, b Service) int {
		return cmp.Compare(b.Work.Mean*float64(b.Work.N), a.Work.Mean*float64(a.Work.N))
	})
	return out
}
