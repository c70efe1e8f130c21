package mining

import "slices"

// The other tools that people will compare a report with compute durations as
// differences of floating-point seconds since 1970. Such a second is exact to
// about a quarter of a microsecond. After rounding to milliseconds nothing of
// that remains, except where the exact value lies half-way between two
// milliseconds: there the error decides which one is printed. So that a report
// agrees to the last digit, it computes its rounded durations from the same
// floating-point seconds. Everything else in this package uses the exact
// microseconds.

// secondsBetween subtracts instants the way described above.
func secondsBetween(from, to int64) float64 {
	return float64(to)/microsPerSecond - float64(from)/microsPerSecond
}

// reportDurations describes the durations of cases.
func reportDurations(l *Log) ReportTimes {
	_, zero := CaseDurations(l)
	seconds := make([]float64, l.Cases())
	inParallel(l.chunks(), func(_ int, c chunk) {
		for i := c.lo; i < c.hi; i++ {
			seconds[i] = secondsBetween(l.extent(i))
		}
	})
	slices.Sort(seconds)
	t := ReportTimes{
		Mean:   rounded(meanSeconds(seconds), 3),
		Median: rounded(quantileSorted(seconds, 0.5), 3),
		P90:    rounded(quantileSorted(seconds, 0.9), 3),
		P95:    rounded(quantileSorted(seconds, 0.95), 3),
		Zero:   zero,
	}
	if len(seconds) > 0 {
		t.Max = rounded(seconds[len(seconds)-1], 3)
	}
	return t
}

// reportEdges describes the waits of each edge, in the order of the graph.
func reportEdges(l *Log, g *Graph) []ReportEdge {
	index := newEdgeTable(l.activities.Len())
	starts := make([]int, len(g.Edges)+1)
	for i, e := range g.Edges {
		index.set(e.Source, e.Target, int32(i))
		starts[i+1] = starts[i] + e.Count
	}
	next := slices.Clone(starts)
	seconds := make([]float64, g.Transitions)
	for c := range l.Cases() {
		path, times := l.Path(c), l.Times(c)
		for j := 1; j < len(path); j++ {
			e := index.find(path[j-1], path[j])
			seconds[next[e]] = secondsBetween(times[j-1], times[j])
			next[e]++
		}
	}
	out := make([]ReportEdge, len(g.Edges))
	for i, e := range g.Edges {
		waits := seconds[starts[i]:starts[i+1]]
		mean := meanSeconds(waits)
		slices.Sort(waits)
		out[i] = ReportEdge{
			Source: l.activities.Name(e.Source), Target: l.activities.Name(e.Target), Count: e.Count,
			Mean: rounded(mean, 3), Median: rounded(quantileSorted(waits, 0.5), 3),
		}
	}
	return out
}

func meanSeconds(seconds []float64) float64 {
	if len(seconds) == 0 {
		return 0
	}
	sum := 0.0
	for _, s := range seconds {
		sum += s
	}
	return sum / float64(len(seconds))
}

// quantileSorted interpolates linearly between order statistics.
func quantileSorted(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	position := p * float64(len(sorted)-1)
	k := int(position)
	if k+1 == len(sorted) {
		return sorted[k]
	}
	return sorted[k] + (position-float64(k))*(sorted[k+1]-sorted[k])
}
