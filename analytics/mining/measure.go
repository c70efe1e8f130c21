package mining

import (
	"math"

	"omote/analytics/stats"
)

// Measures are the values of a numeric column, such as cost or feeling, on the
// map.
type Measures struct {
	// Nodes are in the order of the graph's nodes: values of the events of each
	// activity. Edges are in the order of its edges: values of the events in
	// which the transitions of each edge end. Missing values do not count.
	Nodes, Edges []stats.Moments
}

// Measure collects the values of a numeric column on the map of the same log.
// It returns nil when the log has no such column. [stats.Mean] gives means with
// intervals; mind that several values of one case resemble each other.
func Measure(l *Log, g *Graph, column string) *Measures {
	values, ok := l.numbers[column]
	if !ok {
		return nil
	}
	return MeasureBy(l, g, func(c, i int) float64 { return values[int(l.spans[c].lo)+i] })
}

// MeasureBy is Measure for values that are reckoned: value gives that of the i-th
// event of case c, NaN where it has none.
func MeasureBy(l *Log, g *Graph, value func(c, i int) float64) *Measures {
	m := &Measures{Nodes: make([]stats.Moments, len(g.Nodes)), Edges: make([]stats.Moments, len(g.Edges))}
	nodeOf := make([]int32, l.activities.Len())
	for i, n := range g.Nodes {
		nodeOf[n.Activity] = int32(i)
	}
	edges := newEdgeTable(l.activities.Len())
	for i, e := range g.Edges {
		edges.set(e.Source, e.Target, int32(i))
	}
	for c := range l.spans {
		path := l.Path(c)
		for i := range path {
			v := value(c, i)
			if math.IsNaN(v) {
				continue
			}
			m.Nodes[nodeOf[path[i]]].Push(v)
			if i > 0 {
				m.Edges[edges.find(path[i-1], path[i])].Push(v)
			}
		}
	}
	return m
}
