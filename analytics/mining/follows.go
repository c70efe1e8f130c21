package mining

import (
	"cmp"
	"slices"
)

// Follow is a pair of activities of which the second comes at some time after
// the first.
type Follow struct {
	Source, Target int32
	// Pairs counts each event of Target once for every event of Source before
	// it in the same case.
	Pairs int64
	// Cases counts the cases in which it happens at least once.
	Cases int
}

// EventuallyFollows computes all pairs of activities of which the second comes
// after the first in some case, most cases first. It walks each case once and
// keeps, for the case, how often each activity has occurred so far; the cost is
// the number of events times the number of distinct activities of their case.
func EventuallyFollows(l *Log) []Follow {
	chunks := l.chunks()
	scans := make([]*followScan, len(chunks))
	inParallel(chunks, func(w int, c chunk) {
		s := &followScan{table: newEdgeTable(l.activities.Len()), soFar: make([]int64, l.activities.Len())}
		for i := c.lo; i < c.hi; i++ {
			s.scan(int32(i), l.Path(i))
		}
		scans[w] = s
	})
	merged := scans[0]
	for _, s := range scans[1:] {
		for _, f := range s.follows {
			to := merged.at(f.Source, f.Target)
			to.Pairs += f.Pairs
			to.Cases += f.Cases
		}
	}
	slices.SortFunc(merged.follows, func(a, b Follow) int {
		return cmp.Or(cmp.Compare(b.Cases, a.Cases), cmp.Compare(b.Pairs, a.Pairs),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
	return merged.follows
}

type followScan struct {
	table    edgeTable
	follows  []Follow
	lastCase []int32 // last case, plus one, that was counted for each follow
	soFar    []int64 // events of each activity in the current case
	distinct []int32 // the activities with any
}

func (s *followScan) scan(c int32, path []int32) {
	for _, b := range path {
		for _, a := range s.distinct {
			f := s.index(a, b)
			s.follows[f].Pairs += s.soFar[a]
			if s.lastCase[f] != c+1 {
				s.lastCase[f] = c + 1
				s.follows[f].Cases++
			}
		}
		if s.soFar[b]++; s.soFar[b] == 1 {
			s.distinct = append(s.distinct, b)
		}
	}
	for _, a := range s.distinct {
		s.soFar[a] = 0
	}
	s.distinct = s.distinct[:0]
}

func (s *followScan) index(a, b int32) int32 {
	f := s.table.find(a, b)
	if f == None {
		f = int32(len(s.follows))
		s.table.set(a, b, f)
		s.follows = append(s.follows, Follow{Source: a, Target: b})
		s.lastCase = append(s.lastCase, 0)
	}
	return f
}

func (s *followScan) at(a, b int32) *Follow { return &s.follows[s.index(a, b)] }
