package mining

import (
	"cmp"
	"slices"
)

// HandOff is the passing of cases from one value of a column to another: from
// one unit, channel or person to the next.
type HandOff struct {
	From, To int32 // ids of the column's dictionary
	Count    int   // times that it happened
	Cases    int   // in which it happened at least once
	Wait     Stats // from the last event before to the first event after
	// Lost counts the hand-offs after which the case ended without success:
	// To was the last to touch it.
	Lost int
	// Returned counts the hand-offs after which the case came straight back to
	// From: the work was not done or not understood.
	Returned int
}

// HandOffs tells how cases pass between the values of a column. Events without
// a value are passed over: they belong to whoever had the case. A case counts
// as lost when none of its events has one of the success activities; without
// any success activities nothing counts as lost. Most frequent hand-offs first;
// nil when the log lacks the column. With the column of channels this gives
// channel switches.
func HandOffs(l *Log, column string, success ...int32) []HandOff {
	col, ok := l.columns[column]
	if !ok {
		return nil
	}
	s := &handOffScan{table: newEdgeTable(col.Dict.Len())}
	wanted := set(l.activities.Len(), success)
	for c := range l.spans {
		succeeded := len(success) == 0 || slices.ContainsFunc(l.Path(c), func(a int32) bool { return wanted[a] })
		s.scan(int32(c), l.Values(column, c), l.Times(c), succeeded)
	}
	forEach(len(s.list), func(i int) { s.list[i].Wait = Describe(s.waits[i]) })
	slices.SortStableFunc(s.list, func(a, b HandOff) int { return cmp.Compare(b.Count, a.Count) })
	return s.list
}

type handOffScan struct {
	table    edgeTable
	list     []HandOff
	waits    [][]int64
	lastCase []int32
}

func (s *handOffScan) scan(c int32, values []int32, times []int64, succeeded bool) {
	holder, before, latest := None, None, None // who has the case, had it before; last hand-off
	var since int64
	for i, v := range values {
		if v == None {
			continue
		}
		if holder != None && v != holder {
			if v == before {
				s.list[latest].Returned++
			}
			before, latest = holder, s.index(holder, v)
			s.list[latest].Count++
			s.waits[latest] = append(s.waits[latest], times[i]-since)
			if s.lastCase[latest] != c+1 {
				s.lastCase[latest] = c + 1
				s.list[latest].Cases++
			}
		}
		holder, since = v, times[i]
	}
	if latest != None && !succeeded {
		s.list[latest].Lost++
	}
}

func (s *handOffScan) index(from, to int32) int32 {
	i := s.table.find(from, to)
	if i == None {
		i = int32(len(s.list))
		s.table.set(from, to, i)
		s.list = append(s.list, HandOff{From: from, To: to})
		s.waits = append(s.waits, nil)
		s.lastCase = append(s.lastCase, 0)
	}
	return i
}
