package mining

import (
	"cmp"
	"slices"
)

// Graph is the directly-follows map of a log.
type Graph struct {
	// Nodes are the activities that occur, most events first.
	Nodes []Node
	// Edges are the pairs of activities that follow each other directly, most
	// transitions first; among equals the one whose first transition comes
	// first.
	Edges []Edge
	// Transitions is the number of transitions of all edges.
	Transitions int
	// Cases is the number of cases of the log.
	Cases int
}

// Node is an activity of the map.
type Node struct {
	Activity int32
	Events   int
	Cases    int // that have it at least once
	Starts   int // cases that begin with it
	Ends     int // cases that end with it
	first    int32
}

// Edge is a pair of activities with all transitions between them.
type Edge struct {
	Source, Target int32
	Count          int   // transitions
	Cases          int   // that have it at least once
	Wait           Stats // between the two events
}

// DirectlyFollows computes the map. Two passes: the first numbers the edge of
// each transition, the second puts the waits of each edge side by side, where
// exact quantiles are found by selection.
func DirectlyFollows(l *Log) *Graph {
	g := &Graph{Nodes: nodes(l), Cases: l.Cases(), Transitions: l.Events() - l.Cases()}
	chunks := l.chunks()
	scans := make([]*edgeScan, len(chunks))
	edgeOf := make([]int32, g.Transitions)
	inParallel(chunks, func(w int, c chunk) {
		scans[w] = scanEdges(l, c, edgeOf[l.transitionsBefore(c.lo):])
	})
	edges, starts := mergeScans(scans)
	waits := make([]int64, g.Transitions)
	inParallel(chunks, func(w int, c chunk) {
		scans[w].place(l, c, edgeOf[l.transitionsBefore(c.lo):], waits)
	})
	forEach(len(edges), func(i int) {
		edges[i].Wait = Describe(waits[starts[i]:starts[i+1]])
	})
	slices.SortStableFunc(edges, func(a, b Edge) int { return cmp.Compare(b.Count, a.Count) })
	g.Edges = edges
	return g
}

// transitionsBefore counts the transitions of the cases before case c. Spans
// of one log may lie apart, so that positions alone do not tell.
func (l *Log) transitionsBefore(c int) int {
	n := 0
	for _, s := range l.spans[:c] {
		n += s.len() - 1
	}
	return n
}

// nodes counts events, cases, starts and ends of each activity.
func nodes(l *Log) []Node {
	chunks := l.chunks()
	parts := make([][]Node, len(chunks))
	inParallel(chunks, func(w int, c chunk) {
		part := make([]Node, l.activities.Len())
		lastCase := make([]int32, len(part))
		for i := c.lo; i < c.hi; i++ {
			path := l.Path(i)
			for at, a := range path {
				n := &part[a]
				if n.Events == 0 {
					n.first = l.spans[i].lo + int32(at)
				}
				n.Events++
				if lastCase[a] != int32(i)+1 {
					lastCase[a] = int32(i) + 1
					n.Cases++
				}
			}
			part[path[0]].Starts++
			part[path[len(path)-1]].Ends++
		}
		parts[w] = part
	})
	var out []Node
	for a := range l.activities.Len() {
		sum := Node{Activity: int32(a)}
		for w := range parts {
			p := &parts[w][a]
			if sum.Events == 0 {
				sum.first = p.first
			}
			sum.Events += p.Events
			sum.Cases += p.Cases
			sum.Starts += p.Starts
			sum.Ends += p.Ends
		}
		if sum.Events > 0 {
			out = append(out, sum)
		}
	}
	slices.SortFunc(out, func(a, b Node) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.first, b.first))
	})
	return out
}

// edgeScan is what one goroutine finds in its cases: the edges in the order of
// their first transition.
type edgeScan struct {
	table    edgeTable
	edges    []Edge
	lastCase []int32
	offset   []int // where the waits of each edge go
}

// scanEdges numbers the edge of each transition of the cases in c.
func scanEdges(l *Log, c chunk, edgeOf []int32) *edgeScan {
	s := &edgeScan{table: newEdgeTable(l.activities.Len())}
	at := 0
	for i := c.lo; i < c.hi; i++ {
		path := l.Path(i)
		for j := 1; j < len(path); j++ {
			e := s.table.find(path[j-1], path[j])
			if e < 0 {
				e = int32(len(s.edges))
				s.table.set(path[j-1], path[j], e)
				s.edges = append(s.edges, Edge{Source: path[j-1], Target: path[j]})
				s.lastCase = append(s.lastCase, None)
			}
			s.edges[e].Count++
			if s.lastCase[e] != int32(i) {
				s.lastCase[e] = int32(i)
				s.edges[e].Cases++
			}
			edgeOf[at] = e
			at++
		}
	}
	return s
}

// mergeScans joins the edges that the goroutines found and tells each where in
// the common array its waits go. starts has one more entry than edges.
func mergeScans(scans []*edgeScan) (edges []Edge, starts []int) {
	index := map[[2]int32]int{}
	for _, s := range scans {
		for _, e := range s.edges {
			key := [2]int32{e.Source, e.Target}
			at, ok := index[key]
			if !ok {
				at = len(edges)
				index[key] = at
				edges = append(edges, Edge{Source: e.Source, Target: e.Target})
			}
			edges[at].Count += e.Count
			edges[at].Cases += e.Cases
		}
	}
	starts = make([]int, len(edges)+1)
	for i, e := range edges {
		starts[i+1] = starts[i] + e.Count
	}
	next := slices.Clone(starts)
	for _, s := range scans {
		s.offset = make([]int, len(s.edges))
		for i, e := range s.edges {
			at := index[[2]int32{e.Source, e.Target}]
			s.offset[i] = next[at]
			next[at] += e.Count
		}
	}
	return edges, starts
}

// place writes the wait of each transition to the part of waits that belongs
// to its edge.
func (s *edgeScan) place(l *Log, c chunk, edgeOf []int32, waits []int64) {
	at := 0
	for i := c.lo; i < c.hi; i++ {
		times := l.Times(i)
		for j := 1; j < len(times); j++ {
			to := &s.offset[edgeOf[at]]
			waits[*to] = times[j] - times[j-1]
			*to++
			at++
		}
	}
}

// edgeTable finds the number of an edge by its activities: by a square matrix
// for up to a thousand activities, by hashing for more.
type edgeTable struct {
	width  int
	matrix []int32
	sparse map[uint64]int32
}

func newEdgeTable(activities int) edgeTable {
	const widest = 1024
	if activities > widest {
		return edgeTable{sparse: map[uint64]int32{}}
	}
	t := edgeTable{width: activities, matrix: make([]int32, activities*activities)}
	for i := range t.matrix {
		t.matrix[i] = None
	}
	return t
}

func (t *edgeTable) find(a, b int32) int32 {
	if t.matrix != nil {
		return t.matrix[int(a)*t.width+int(b)]
	}
	return t.findSparse(a, b)
}

func (t *edgeTable) findSparse(a, b int32) int32 {
	if e, ok := t.sparse[uint64(a)<<32|uint64(b)]; ok {
		return e
	}
	return None
}

func (t *edgeTable) set(a, b, e int32) {
	if t.matrix != nil {
		t.matrix[int(a)*t.width+int(b)] = e
		return
	}
	t.sparse[uint64(a)<<32|uint64(b)] = e
}
