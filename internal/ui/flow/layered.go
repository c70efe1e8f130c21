package flow

import (
	"cmp"
	"math"
	"slices"
)

// slot is a place in a layer: a node, or a bend of a move that passes through.
type slot struct {
	node  int // -1 for a bend
	layer int
	x     float64
	w     float64 // room it takes
}

// link is a piece of a move between slots of neighbouring layers.
type link struct {
	upper, lower int // slots
	weight       float64
}

// layout is a layered drawing: where each node stands, and through which slots
// each forward move runs.
type layout struct {
	slots  []slot
	layers [][]int // slots of each layer, left to right
	at     []int   // slot of each node
	routes [][]int // slots of each drawn move, top to bottom; nil runs beside
	links  []link
}

// place lays n nodes out on a width. Moves are m.drawn; nodeW is the width of a
// node, gap the room between neighbours, perLayer the most nodes in a row.
func (m *model) place(width, nodeW, gap float64) *layout {
	starts := make([]int64, len(m.Nodes))
	for i, n := range m.Nodes {
		starts[i] = n.Starts
	}
	order := timeOrder(len(m.Nodes), m.drawn, starts)
	rank := make([]int, len(order))
	for i, v := range order {
		rank[v] = i
	}
	layer := m.assignLayers(order, rank, max(1, int((width+gap)/(nodeW+gap))))
	l := &layout{at: make([]int, len(m.Nodes)), routes: make([][]int, len(m.drawn))}
	l.fill(m, order, layer, nodeW)
	l.reduceCrossings()
	l.position(width, gap)
	return l
}

// assignLayers puts every node below those it follows, looking only at moves
// that carry weight, so that rare moves do not stretch the map. Rows that are too
// full pass their lightest nodes on to the next.
func (m *model) assignLayers(order, rank []int, perLayer int) []int {
	layer := make([]int, len(order))
	strong := m.strong()
	for _, v := range order {
		for i, e := range m.drawn {
			if strong[i] && e.to == v && rank[e.from] < rank[v] {
				layer[v] = max(layer[v], layer[e.from]+1)
			}
		}
	}
	for at := 0; at < len(order)+slices.Max(layer); at++ {
		var row []int
		for _, v := range order {
			if layer[v] == at {
				row = append(row, v)
			}
		}
		if len(row) <= perLayer {
			continue
		}
		slices.SortStableFunc(row, func(a, b int) int { return cmp.Compare(m.Nodes[b].Cases, m.Nodes[a].Cases) })
		for _, v := range row[perLayer:] {
			m.push(v, at+1, layer, rank, strong)
		}
	}
	return compact(layer)
}

// strong tells which moves shape the layers: those that matter for either end.
func (m *model) strong() []bool {
	bestIn, bestOut := make([]int64, len(m.Nodes)), make([]int64, len(m.Nodes))
	for _, e := range m.drawn {
		bestIn[e.to] = max(bestIn[e.to], e.Count)
		bestOut[e.from] = max(bestOut[e.from], e.Count)
	}
	out := make([]bool, len(m.drawn))
	for i, e := range m.drawn {
		out[i] = 3*e.Count >= bestIn[e.to] || 2*e.Count >= bestOut[e.from]
	}
	return out
}

// push moves a node to a lower layer, and with it what must stay below it.
func (m *model) push(v, to int, layer, rank []int, strong []bool) {
	if layer[v] >= to {
		return
	}
	layer[v] = to
	for i, e := range m.drawn {
		if strong[i] && e.from == v && rank[e.to] > rank[v] {
			m.push(e.to, to+1, layer, rank, strong)
		}
	}
}

// compact numbers the layers without gaps.
func compact(layer []int) []int {
	used := slices.Compact(slices.Sorted(slices.Values(layer)))
	out := make([]int, len(layer))
	for i, at := range layer {
		out[i] = slices.Index(used, at)
	}
	return out
}

// fill makes the slots: one per node, and bends for moves over several layers.
func (l *layout) fill(m *model, order, layer []int, nodeW float64) {
	l.layers = make([][]int, slices.Max(layer)+1)
	add := func(s slot) int {
		l.slots = append(l.slots, s)
		l.layers[s.layer] = append(l.layers[s.layer], len(l.slots)-1)
		return len(l.slots) - 1
	}
	for _, v := range order {
		l.at[v] = add(slot{node: v, layer: layer[v], w: nodeW})
	}
	for i, e := range m.drawn {
		from, to := layer[e.from], layer[e.to]
		if to <= from {
			continue // runs beside
		}
		route := []int{l.at[e.from]}
		for at := from + 1; at < to; at++ {
			route = append(route, add(slot{node: -1, layer: at, w: 8 + m.ribbon(e.weight(), widest)}))
		}
		route = append(route, l.at[e.to])
		for j := 1; j < len(route); j++ {
			straight := 1.0 // long moves run straight rather than short ones
			if j > 1 && j < len(route)-1 {
				straight = 8
			} else if len(route) > 2 {
				straight = 2
			}
			l.links = append(l.links, link{route[j-1], route[j], straight * math.Sqrt(float64(e.Count))})
		}
		l.routes[i] = route
	}
	slices.SortStableFunc(l.links, func(a, b link) int { return cmp.Compare(l.slots[a.upper].layer, l.slots[b.upper].layer) })
}

// reduceCrossings sorts each layer by the weighted mean place of its neighbours,
// downward and upward in turn, and keeps the order with the fewest crossings.
func (l *layout) reduceCrossings() {
	best, fewest := clone(l.layers), l.crossings()
	for sweep := range 12 {
		for step := 1; step < len(l.layers); step++ {
			at := step
			if sweep%2 == 1 {
				at = len(l.layers) - 1 - step
			}
			l.sortLayer(at, sweep%2 == 0)
		}
		if c := l.crossings(); c < fewest {
			best, fewest = clone(l.layers), c
		}
	}
	l.layers = best
}

func clone(layers [][]int) [][]int {
	out := make([][]int, len(layers))
	for i, row := range layers {
		out[i] = slices.Clone(row)
	}
	return out
}

// places gives each slot's index within its layer.
func (l *layout) places() []float64 {
	out := make([]float64, len(l.slots))
	for _, row := range l.layers {
		for i, s := range row {
			out[s] = (float64(i) + 0.5) / float64(len(row))
		}
	}
	return out
}

func (l *layout) sortLayer(at int, above bool) {
	place := l.places()
	sum, weight := make([]float64, len(l.slots)), make([]float64, len(l.slots))
	for _, k := range l.links {
		if above {
			sum[k.lower] += place[k.upper] * k.weight
			weight[k.lower] += k.weight
		} else {
			sum[k.upper] += place[k.lower] * k.weight
			weight[k.upper] += k.weight
		}
	}
	mean := func(s int) float64 {
		if weight[s] == 0 {
			return place[s]
		}
		return sum[s] / weight[s]
	}
	slices.SortStableFunc(l.layers[at], func(a, b int) int { return cmp.Compare(mean(a), mean(b)) })
}

// crossings counts pairs of links that cross, by the product of their weights.
func (l *layout) crossings() float64 {
	place := make([]int, len(l.slots))
	for _, row := range l.layers {
		for i, s := range row {
			place[s] = i
		}
	}
	total := 0.0
	for i, a := range l.links { // links are sorted by layer
		for _, b := range l.links[i+1:] {
			if l.slots[a.upper].layer != l.slots[b.upper].layer {
				break
			}
			if (place[a.upper]-place[b.upper])*(place[a.lower]-place[b.lower]) < 0 {
				total += min(a.weight, b.weight)
			}
		}
	}
	return total
}

// position gives every slot its x: near the weighted mean of its neighbours,
// with room between neighbours, found by turns of exact one-layer fits.
func (l *layout) position(width, gap float64) {
	for _, row := range l.layers {
		for i, s := range row {
			l.slots[s].x = width * (float64(i) + 0.5) / float64(len(row))
		}
	}
	for sweep := range 24 {
		for step := range l.layers {
			at := step
			if sweep%2 == 1 {
				at = len(l.layers) - 1 - step
			}
			l.fitLayer(l.layers[at], width, gap)
		}
	}
	l.centre(width)
}

// centre moves the whole drawing to the middle of its width.
func (l *layout) centre(width float64) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range l.slots {
		low, high = min(low, s.x-s.w/2), max(high, s.x+s.w/2)
	}
	for i := range l.slots {
		l.slots[i].x += (width - low - high) / 2
	}
}

// fitLayer moves the slots of a row as near as possible to where their neighbours
// want them, in the sense of least squares, without overlap.
func (l *layout) fitLayer(row []int, width, gap float64) {
	sum, weight := make([]float64, len(l.slots)), make([]float64, len(l.slots))
	for _, k := range l.links {
		sum[k.upper] += l.slots[k.lower].x * k.weight
		weight[k.upper] += k.weight
		sum[k.lower] += l.slots[k.upper].x * k.weight
		weight[k.lower] += k.weight
	}
	wants, rooms := make([]float64, len(row)), make([]float64, len(row))
	for i, s := range row {
		wants[i] = l.slots[s].x
		if weight[s] > 0 {
			wants[i] = sum[s] / weight[s]
		}
		rooms[i] = l.slots[s].w
	}
	for i, x := range spread(wants, rooms, gap, width) {
		l.slots[row[i]].x = x
	}
}

// spread solves: positions in the given order, at least half their rooms and a
// gap apart, within 0 and width, with the least sum of squared distances to what
// each wants. Shifting by the needed distances turns it into isotonic regression,
// which pooling adjacent violators solves exactly; the ends are then held. When
// the row does not fit, its gaps shrink.
func spread(wants, rooms []float64, gap, width float64) []float64 {
	n := len(wants)
	need := 0.0
	for _, r := range rooms {
		need += r
	}
	if n > 1 && need+gap*float64(n-1) > width {
		gap = max(0, (width-need)/float64(n-1))
	}
	offset := make([]float64, n)
	for i := 1; i < n; i++ {
		offset[i] = offset[i-1] + rooms[i-1]/2 + gap + rooms[i]/2
	}
	type block struct {
		sum float64
		n   int
	}
	var blocks []block
	for i := range n {
		blocks = append(blocks, block{wants[i] - offset[i], 1})
		for len(blocks) > 1 {
			a, b := blocks[len(blocks)-2], blocks[len(blocks)-1]
			if a.sum/float64(a.n) <= b.sum/float64(b.n) {
				break
			}
			blocks = append(blocks[:len(blocks)-2], block{a.sum + b.sum, a.n + b.n})
		}
	}
	out := make([]float64, 0, n)
	low, high := rooms[0]/2, width-rooms[n-1]/2-offset[n-1]
	for _, b := range blocks {
		for range b.n {
			x := min(max(b.sum/float64(b.n), low), max(high, low))
			out = append(out, x+offset[len(out)])
		}
	}
	return out
}
