package mining

import (
	"cmp"
	"slices"
)

// GroupRare returns a log in which all activities but the most frequent keep
// ones are one activity with the given name, so that the map of a log with
// thousands of activities can be drawn. It also returns how many activities are
// in the group. Frequency is by cases, then by events. A log with at most
// keep+1 activities is returned as it is.
func GroupRare(l *Log, keep int, name string) (grouped *Log, rare int) {
	all := nodes(l)
	if len(all) <= keep+1 {
		return l, 0
	}
	slices.SortStableFunc(all, func(a, b Node) int { return cmp.Compare(b.Cases, a.Cases) })
	d := &Dict{}
	label := make([]int32, l.activities.Len())
	for i, n := range all {
		if i < keep {
			label[n.Activity] = d.ID(l.activities.Name(n.Activity))
		}
	}
	for name := name; ; name += "*" { // until it is no name of an activity
		if _, taken := d.Lookup(name); !taken {
			other := d.ID(name)
			for _, n := range all[keep:] {
				label[n.Activity] = other
			}
			break
		}
	}
	return relabelled(l, d, label), len(all) - keep
}

// Sketch is the part of a map that is drawn, and what was left out of it.
type Sketch struct {
	Edges []Edge // shown, most transitions first
	// Hidden counts what is not shown.
	HiddenEdges, HiddenTransitions int
	// Rest tells for each activity what leaves and enters it without being
	// shown, in the order of the graph's nodes; activities without any are
	// left out.
	Rest []Rest
}

// Rest is what a sketch does not show of one activity.
type Rest struct {
	Activity                 int32
	OutEdges, OutTransitions int
	InEdges, InTransitions   int
	SelfTransitions          int // of a hidden loop to itself
}

// SketchOptions say how much of a map is drawn.
type SketchOptions struct {
	// Edges is the number of edges to show beyond those that keep the map in
	// one piece; Coverage the share of transitions (0 to 1) from which on no
	// more are added.
	Edges    int
	Coverage float64
}

// Simplify chooses the edges that are drawn. Each activity keeps the edge by
// which most cases can come to it from the beginnings and the edge by which
// most can go on from it to the ends (the widest paths), so that nothing hangs
// in the air; then come the most frequent edges until there are enough of them
// or they cover enough. The idea of keeping widest paths is that of the Split
// Miner (Augusto et al., Knowledge and Information Systems 2019).
func Simplify(g *Graph, o SketchOptions) *Sketch {
	shown := make([]bool, len(g.Edges))
	for _, backwards := range []bool{false, true} {
		for _, e := range widestTree(g, backwards) {
			shown[e] = true
		}
	}
	covered := 0
	for i, e := range g.Edges {
		if shown[i] {
			covered += e.Count
		}
	}
	added := 0
	for i, e := range g.Edges {
		if added >= o.Edges || float64(covered) >= o.Coverage*float64(g.Transitions) {
			break
		}
		if !shown[i] {
			shown[i] = true
			covered += e.Count
			added++
		}
	}
	return sketch(g, shown)
}

func sketch(g *Graph, shown []bool) *Sketch {
	s := &Sketch{}
	rest := map[int32]*Rest{}
	at := func(a int32) *Rest {
		if rest[a] == nil {
			rest[a] = &Rest{Activity: a}
		}
		return rest[a]
	}
	for i, e := range g.Edges {
		if shown[i] {
			s.Edges = append(s.Edges, e)
			continue
		}
		s.HiddenEdges++
		s.HiddenTransitions += e.Count
		if e.Source == e.Target {
			at(e.Source).SelfTransitions += e.Count
			continue
		}
		from, to := at(e.Source), at(e.Target)
		from.OutEdges++
		from.OutTransitions += e.Count
		to.InEdges++
		to.InTransitions += e.Count
	}
	for _, n := range g.Nodes {
		if r, ok := rest[n.Activity]; ok {
			s.Rest = append(s.Rest, *r)
		}
	}
	return s
}

// widestTree returns, for each activity that can be reached, the edge that is
// last on the widest path to it from the beginnings of cases (backwards: first
// on the widest path from it to their ends). The width of a path is that of
// its narrowest edge; a beginning is as wide as the cases that have it.
func widestTree(g *Graph, backwards bool) []int {
	index := map[int32]int{}
	for i, n := range g.Nodes {
		index[n.Activity] = i
	}
	leaving := make([][]int, len(g.Nodes)) // edges by the node they are taken from
	for i, e := range g.Edges {
		from := e.Source
		if backwards {
			from = e.Target
		}
		leaving[index[from]] = append(leaving[index[from]], i)
	}
	width, by, done := make([]int, len(g.Nodes)), make([]int, len(g.Nodes)), make([]bool, len(g.Nodes))
	for i, n := range g.Nodes {
		by[i] = -1
		if width[i] = n.Starts; backwards {
			width[i] = n.Ends
		}
	}
	var tree []int
	for range g.Nodes {
		best := -1
		for i := range g.Nodes {
			if !done[i] && width[i] > 0 && (best < 0 || width[i] > width[best]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		done[best] = true
		if by[best] >= 0 {
			tree = append(tree, by[best])
		}
		for _, i := range leaving[best] {
			to := g.Edges[i].Target
			if backwards {
				to = g.Edges[i].Source
			}
			if k := index[to]; !done[k] {
				if w := min(width[best], g.Edges[i].Count); w > width[k] {
					width[k], by[k] = w, i
				}
			}
		}
	}
	return tree
}
