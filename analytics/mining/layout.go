package mining

import (
	"cmp"
	"slices"
)

// Place is where an activity is drawn: in which layer along the direction of
// flow, and at which position within the layer, both from 0.
type Place struct {
	Activity     int32
	Layer, Order int
}

// Layout orders the activities of a map for drawing, given the edges that are
// drawn. It returns a place for each node of the graph and tells for each edge
// whether it runs backwards, against the flow; a loop to itself does not.
//
// It is the method of Sugiyama et al. (1981): make the edges acyclic by
// turning few of them, put each activity one layer behind its last
// predecessor, and order each layer by the mean position of its neighbours.
// Which edges are turned is found by the heuristic of Eades, Lin and Smyth
// (1993) with transitions as weights, so that the main path runs forward.
func Layout(g *Graph, edges []Edge) (places []Place, backwards []bool) {
	index := map[int32]int{}
	for i, n := range g.Nodes {
		index[n.Activity] = i
	}
	links := make([]link, 0, len(edges))
	for i, e := range edges {
		if e.Source != e.Target {
			links = append(links, link{index[e.Source], index[e.Target], e.Count, i})
		}
	}
	position := flowOrder(g, links)
	backwards = make([]bool, len(edges))
	for i := range links {
		k := &links[i]
		if position[k.from] > position[k.to] {
			backwards[k.edge] = true
			k.from, k.to = k.to, k.from
		}
	}
	layers := layer(len(g.Nodes), links, position)
	places = make([]Place, len(g.Nodes))
	for at, members := range orderLayers(layers, links, len(g.Nodes)) {
		for order, node := range members {
			places[node] = Place{Activity: g.Nodes[node].Activity, Layer: at, Order: order}
		}
	}
	return places, backwards
}

// link is an edge between node indexes.
type link struct{ from, to, weight, edge int }

// flowOrder returns the position of each node in a sequence with little weight
// on links that run against it: sources first, sinks last, and otherwise the
// node with the largest surplus of what leaves over what enters.
func flowOrder(g *Graph, links []link) []int {
	n := len(g.Nodes)
	in, out, surplus := make([]int, n), make([]int, n), make([]int, n)
	leaving, entering := make([][]link, n), make([][]link, n)
	for i, node := range g.Nodes {
		surplus[i] = node.Starts - node.Ends
	}
	for _, k := range links {
		out[k.from]++
		in[k.to]++
		surplus[k.from] += k.weight
		surplus[k.to] -= k.weight
		leaving[k.from] = append(leaving[k.from], k)
		entering[k.to] = append(entering[k.to], k)
	}
	position := make([]int, n)
	gone := make([]bool, n)
	remove := func(node, at int) {
		position[node], gone[node] = at, true
		for _, k := range leaving[node] {
			in[k.to]--
			surplus[k.to] += k.weight
		}
		for _, k := range entering[node] {
			out[k.from]--
			surplus[k.from] -= k.weight
		}
	}
	for front, back := 0, n-1; front <= back; {
		node, last := nextNode(gone, in, out, surplus)
		if last {
			remove(node, back)
			back--
		} else {
			remove(node, front)
			front++
		}
	}
	return position
}

// nextNode chooses the node to place next; last tells whether it goes to the
// end of the sequence. A node without links left goes to the side its surplus
// speaks for.
func nextNode(gone []bool, in, out, surplus []int) (node int, last bool) {
	best := -1
	for i := range gone {
		if gone[i] {
			continue
		}
		if in[i] == 0 && (out[i] > 0 || surplus[i] >= 0) {
			return i, false
		}
		if out[i] == 0 {
			return i, true
		}
		if best < 0 || surplus[i] > surplus[best] {
			best = i
		}
	}
	return best, false
}

// layer puts each node one layer behind its last predecessor.
func layer(n int, links []link, position []int) [][]int {
	sequence := make([]int, n)
	for node, at := range position {
		sequence[at] = node
	}
	entering := make([][]int, n)
	for _, k := range links {
		entering[k.to] = append(entering[k.to], k.from)
	}
	depth := make([]int, n)
	var layers [][]int
	for _, node := range sequence {
		for _, from := range entering[node] {
			depth[node] = max(depth[node], depth[from]+1)
		}
		for len(layers) <= depth[node] {
			layers = append(layers, nil)
		}
		layers[depth[node]] = append(layers[depth[node]], node)
	}
	return layers
}

// orderLayers sorts each layer by the weighted mean position of the neighbours
// of its nodes, forth and back a few times. Frequent activities, which have
// low indexes, come first to begin with.
func orderLayers(layers [][]int, links []link, n int) [][]int {
	const sweeps = 4
	place := make([]float64, n)
	settle := func(members []int) {
		for i, node := range members {
			place[node] = float64(i) - float64(len(members)-1)/2
		}
	}
	for _, members := range layers {
		slices.Sort(members)
		settle(members)
	}
	neighbours := make([][]link, n)
	for _, k := range links {
		neighbours[k.from] = append(neighbours[k.from], link{to: k.to, weight: k.weight})
		neighbours[k.to] = append(neighbours[k.to], link{to: k.from, weight: k.weight})
	}
	for sweep := range sweeps {
		for i := range layers {
			if sweep%2 == 1 {
				i = len(layers) - 1 - i
			}
			members := layers[i]
			mean := map[int]float64{}
			for _, node := range members {
				sum, weight := place[node]*1e-9, 1e-9 // stay where nothing pulls
				for _, k := range neighbours[node] {
					sum += place[k.to] * float64(k.weight)
					weight += float64(k.weight)
				}
				mean[node] = sum / weight
			}
			slices.SortStableFunc(members, func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
			settle(members)
		}
	}
	return layers
}
