package stream

import (
	"slices"

	"omote/analytics/mining"
)

// The quantiles that [mining.Stats] has.
var wanted = []float64{0.5, 0.9, 0.95}

// bins is how many parts a pass divides an interval into.
const bins = 4096

// target is an interval of waits of one edge that holds order statistics.
type target struct {
	edge     int32
	low, end int64 // waits from low on and below end
	before   int   // waits of the edge below low
	count    int   // waits in the interval
	ranks    []int // order statistics of the edge that lie in it
	counts   []int // by bin, while dividing
	values   []int64
}

// width is that of a bin.
func (t *target) width() int64 { return max(1, (t.end-t.low+bins-1)/bins) }

// quantiles finds the statistics of every edge by narrowing.
func (m *miner) quantiles() ([]mining.Stats, error) {
	found := make([]map[int]int64, len(m.edges)) // order statistics by edge and rank
	var open []*target
	for e := range m.edges {
		found[e] = map[int]int64{}
		if n := m.edges[e].Wait.N; n > 0 {
			t := &target{edge: int32(e), low: m.edges[e].low, end: m.edges[e].high + 1, count: n}
			for _, p := range wanted {
				for _, k := range []int{int(p * float64(n-1)), int(p*float64(n-1)) + 1} {
					if k < n && !slices.Contains(t.ranks, k) {
						t.ranks = append(t.ranks, k)
					}
				}
			}
			open = append(open, t)
		}
	}
	// A quarter of the memory is for values and bins.
	budget := int(m.log.o.Memory / 4 / 8)
	for len(open) > 0 {
		// The smallest come first, as many as there is room for; a target never
		// takes more than a bin table.
		slices.SortStableFunc(open, func(a, b *target) int { return a.count - b.count })
		room, now := budget, 0
		for _, t := range open {
			need := bins
			if t.end-t.low > 1 && t.count <= max(bins, room/2) {
				need = t.count
			}
			if need > room && now > 0 {
				break
			}
			switch {
			case t.end-t.low == 1:
				need = 0 // every wait of it is the same
			case need == t.count:
				t.values = make([]int64, 0, t.count)
			default:
				t.counts = make([]int, bins)
			}
			room -= need
			now++
		}
		if err := m.narrow(open[:now]); err != nil {
			return nil, err
		}
		var next []*target
		for _, t := range open[:now] {
			next = append(next, t.settle(found[t.edge])...)
		}
		open = append(next, open[now:]...)
	}
	out := make([]mining.Stats, len(m.edges))
	for e := range m.edges {
		out[e] = m.edges[e].stats(found[e])
	}
	return out, nil
}

// narrow fills the values and bins of targets in one pass.
func (m *miner) narrow(targets []*target) error {
	byEdge := make([][]*target, len(m.edges))
	for _, t := range targets {
		if t.values != nil || t.counts != nil {
			byEdge[t.edge] = append(byEdge[t.edge], t)
		}
	}
	return m.eachWait(func(e int32, micros int64) {
		for _, t := range byEdge[e] {
			if micros < t.low || micros >= t.end {
				continue
			}
			if t.values != nil {
				t.values = append(t.values, micros)
			} else {
				t.counts[(micros-t.low)/t.width()]++
			}
		}
	})
}

// settle writes the order statistics that a pass found, and gives the smaller
// targets of those it did not.
func (t *target) settle(found map[int]int64) (next []*target) {
	switch {
	case t.end-t.low == 1:
		for _, k := range t.ranks {
			found[k] = t.low
		}
	case t.values != nil:
		slices.Sort(t.values)
		for _, k := range t.ranks {
			found[k] = t.values[k-t.before]
		}
		t.values = nil
	default:
		below, width := t.before, t.width()
		for i, n := range t.counts {
			sub := &target{edge: t.edge, low: t.low + int64(i)*width, end: min(t.low+int64(i+1)*width, t.end), before: below, count: n}
			below += n
			for _, k := range t.ranks {
				if k >= sub.before && k < below {
					sub.ranks = append(sub.ranks, k)
				}
			}
			if len(sub.ranks) > 0 {
				next = append(next, sub)
			}
		}
		t.counts = nil
	}
	return next
}

// stats puts the statistics together, interpolated as in package mining.
func (e *edge) stats(found map[int]int64) mining.Stats {
	n := e.Wait.N
	if n == 0 {
		return mining.Stats{}
	}
	const second = 1e6
	at := func(p float64) float64 {
		position := p * float64(n-1)
		k := int(position)
		fraction := position - float64(k)
		lower := found[k]
		if fraction == 0 || k+1 == n {
			return float64(lower) / second
		}
		return (float64(lower) + fraction*float64(found[k+1]-lower)) / second
	}
	return mining.Stats{N: n, Mean: e.mean() / second, Median: at(0.5), P90: at(0.9), P95: at(0.95), Min: float64(e.low) / second, Max: float64(e.high) / second}
}
