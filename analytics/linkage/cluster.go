package linkage

import (
	"cmp"
	"math"
	"slices"
	"sync"
)

// Clustering. Linked pairs alone are not people: A like B and B like C makes a
// chain that ends with strangers under one name. So clusters grow from the
// strongest pair down, and before two are joined the whole evidence of both is
// compared: for each field the mean Bayes factor over all pairs of their values,
// which is the chance of the one's value among the other's over the chance of
// meeting it anywhere. A record that disagrees with most of what a cluster
// knows does not get in by resembling one of its members.

// held is a value of a cluster with how many of its records have it.
type held struct {
	code, rep int32 // rep is a record that has it
	count     float32
}

// heldMost is the most distinct values of a field that a cluster is compared by.
const heldMost = 16

type cluster struct {
	members []int32
	fields  [][]held
	version int32
}

// grouper joins the records of one component.
type grouper struct {
	w      *weights
	cut    float64 // bits from which clusters are joined
	single bool    // at most one record of each source
	cache  []cached
	local  map[int32]int32
	cl     []cluster
	parent []int32
	now    int32
}

type cached struct {
	key  uint64
	fact float64
}

const cacheSize = 1 << 14

func newGrouper(w *weights, cut float64, single bool) *grouper {
	return &grouper{w: w, cut: cut, single: single, cache: make([]cached, cacheSize), local: map[int32]int32{}}
}

// forget empties the cache; codes may mean other values afterwards.
func (g *grouper) forget() { clear(g.cache) }

func (g *grouper) find(x int32) int32 {
	for g.parent[x] != x {
		g.parent[x] = g.parent[g.parent[x]]
		x = g.parent[x]
	}
	return x
}

// factor is the Bayes factor of two values of a field.
func (g *grouper) factor(k int, x, y held, state uint8) float64 {
	if x.code > y.code {
		x, y = y, x
	}
	f := g.w.d.fields[k]
	if f.other != nil && x.code != y.code { // depends on the records too
		l := g.w.d.compareCodes(k, x.code, y.code, x.rep, y.rep)
		return math.Exp2(g.w.value(k, l, x.code, y.code) + g.w.tied(k, l, state))
	}
	key := (uint64(x.code)<<32|uint64(uint32(y.code)))*256 + uint64(k)*4 + uint64(state) + 1
	at := mix(key) % cacheSize
	if g.cache[at].key == key {
		return g.cache[at].fact
	}
	l := f.level(x.code, y.code)
	v := math.Exp2(g.w.value(k, l, x.code, y.code) + g.w.tied(k, l, state))
	g.cache[at] = cached{key, v}
	return v
}

// mean is the mean Bayes factor over all pairs of two clusters' values.
func (g *grouper) mean(k int, x, y []held, state uint8) float64 {
	var sum, n float64
	for _, u := range x {
		for _, v := range y {
			c := float64(u.count * v.count)
			sum += c * g.factor(k, u, v, state)
			n += c
		}
	}
	return sum / n
}

// evidence in bits that two clusters are one person.
func (g *grouper) evidence(a, b *cluster) float64 {
	s := g.w.prior
	var states [64]uint8
	for _, k := range g.w.order {
		x, y := a.fields[k], b.fields[k]
		if len(x) == 0 || len(y) == 0 {
			continue
		}
		state := uint8(0)
		if t := g.w.ties[k]; t != nil {
			state = t.state(&states)
		}
		v := math.Log2(g.mean(k, x, y, state))
		states[k] = stateOf(v)
		if v < 0 {
			v = min(v, g.w.opposed(k, min(held_(x), held_(y))))
		}
		s += v
	}
	return s
}

// held_ is how many records have a value.
func held_(h []held) int {
	var n float32
	for _, v := range h {
		n += v.count
	}
	return int(n)
}

// run joins the records that the edges connect and gives the clusters of two or more.
func (g *grouper) run(edges []edge) [][]int32 {
	clear(g.local)
	g.cl, g.parent = g.cl[:0], g.parent[:0]
	id := func(r int32) int32 {
		if i, ok := g.local[r]; ok {
			return i
		}
		i := int32(len(g.cl))
		g.local[r] = i
		c := cluster{members: []int32{r}, fields: make([][]held, len(g.w.d.fields))}
		for k, f := range g.w.d.fields {
			if code := f.codes[r]; code >= 0 {
				c.fields[k] = []held{{code, r, 1}}
			}
		}
		g.cl = append(g.cl, c)
		g.parent = append(g.parent, i)
		return i
	}
	queue := make(queue, 0, len(edges))
	for _, e := range edges {
		queue = append(queue, waiting{bits: float64(e.bits), a: id(e.a), b: id(e.b)})
	}
	g.now = 0
	for {
		queue.init()
		var failed []waiting
		joined := false
		for len(queue) > 0 {
			e := queue.pop()
			a, b := g.find(e.a), g.find(e.b)
			if a == b {
				continue
			}
			ca, cb := &g.cl[a], &g.cl[b]
			if v := max(ca.version, cb.version); v > e.stamp {
				e.bits, e.stamp = g.evidence(ca, cb), g.now
				if len(queue) > 0 && e.bits < queue[0].bits {
					queue.push(e)
					continue
				}
			}
			if e.bits < g.cut || g.single && g.clash(ca, cb) {
				failed = append(failed, e)
				continue
			}
			g.join(a, b)
			joined = true
		}
		if !joined {
			break
		}
		queue = queue[:0]
		for _, e := range failed {
			a, b := g.find(e.a), g.find(e.b)
			if a != b && max(g.cl[a].version, g.cl[b].version) > e.stamp {
				e.bits, e.stamp = g.evidence(&g.cl[a], &g.cl[b]), g.now
				if e.bits >= g.cut {
					queue = append(queue, e)
				}
			}
		}
		if len(queue) == 0 {
			break
		}
	}
	var out [][]int32
	for i := range g.cl {
		if g.parent[i] == int32(i) && len(g.cl[i].members) > 1 {
			out = append(out, g.cl[i].members)
		}
	}
	return out
}

// clash tells whether two clusters have records of one source.
func (g *grouper) clash(a, b *cluster) bool {
	for _, x := range a.members {
		for _, y := range b.members {
			if g.w.d.source[x] == g.w.d.source[y] {
				return true
			}
		}
	}
	return false
}

func (g *grouper) join(a, b int32) {
	if len(g.cl[a].members) < len(g.cl[b].members) {
		a, b = b, a
	}
	ca, cb := &g.cl[a], &g.cl[b]
	g.parent[b] = a
	ca.members = append(ca.members, cb.members...)
	for k := range ca.fields {
		for _, h := range cb.fields[k] {
			if at := slices.IndexFunc(ca.fields[k], func(o held) bool { return o.code == h.code }); at >= 0 {
				ca.fields[k][at].count += h.count
			} else {
				ca.fields[k] = append(ca.fields[k], h)
			}
		}
		if len(ca.fields[k]) > heldMost {
			slices.SortStableFunc(ca.fields[k], func(x, y held) int { return cmp.Or(cmp.Compare(y.count, x.count), cmp.Compare(x.code, y.code)) })
			ca.fields[k] = ca.fields[k][:heldMost]
		}
	}
	cb.members, cb.fields = nil, nil
	g.now++
	ca.version = g.now
}

// waiting is a pair of clusters that may be joined; stamp is when its evidence
// was computed.
type waiting struct {
	bits  float64
	a, b  int32
	stamp int32
}

// queue is a heap with the strongest evidence first; ties by record, so that
// the same data give the same clusters.
type queue []waiting

func (q queue) less(i, j int) bool {
	if q[i].bits != q[j].bits {
		return q[i].bits > q[j].bits
	}
	if q[i].a != q[j].a {
		return q[i].a < q[j].a
	}
	return q[i].b < q[j].b
}

func (q queue) init() {
	for i := len(q)/2 - 1; i >= 0; i-- {
		q.down(i)
	}
}

func (q queue) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(q) {
			return
		}
		if c+1 < len(q) && q.less(c+1, c) {
			c++
		}
		if !q.less(c, i) {
			return
		}
		q[i], q[c] = q[c], q[i]
		i = c
	}
}

func (q *queue) pop() waiting {
	old := *q
	top := old[0]
	old[0] = old[len(old)-1]
	*q = old[:len(old)-1]
	q.down(0)
	return top
}

func (q *queue) push(e waiting) {
	*q = append(*q, e)
	for i := len(*q) - 1; i > 0; {
		p := (i - 1) / 2
		if !q.less(i, p) {
			return
		}
		(*q)[i], (*q)[p] = (*q)[p], (*q)[i]
		i = p
	}
}

// components groups edges by connected component, in order of their first record.
func components(n int, edges []edge) [][]edge {
	parent := make([]int32, n)
	for i := range parent {
		parent[i] = int32(i)
	}
	find := func(x int32) int32 {
		for parent[x] != x {
			parent[x] = parent[parent[x]]
			x = parent[x]
		}
		return x
	}
	for _, e := range edges {
		a, b := find(e.a), find(e.b)
		if a < b {
			parent[b] = a
		} else {
			parent[a] = b
		}
	}
	slices.SortFunc(edges, func(x, y edge) int {
		return cmp.Or(cmp.Compare(find(x.a), find(y.a)), cmp.Compare(y.bits, x.bits), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	var out [][]edge
	for i := 0; i < len(edges); {
		j := i + 1
		for j < len(edges) && find(edges[j].a) == find(edges[i].a) {
			j++
		}
		out = append(out, edges[i:j])
		i = j
	}
	return out
}

// group clusters all records: entity[r] is the number of r's cluster, counted
// from 0 in order of first records.
func (w *weights) group(edges []edge, cut float64, single bool, workers int) []int32 {
	comps := components(w.d.n, edges)
	found := make([][][]int32, len(comps))
	next := make(chan int, len(comps))
	for i := range comps {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			g := newGrouper(w, cut, single)
			for i := range next {
				found[i] = g.run(comps[i])
			}
		})
	}
	wg.Wait()
	entity := make([]int32, w.d.n)
	for i := range entity {
		entity[i] = -1
	}
	next32 := int32(0)
	first := make([]int32, w.d.n)
	for i := range first {
		first[i] = int32(i)
	}
	for _, cs := range found {
		for _, c := range cs {
			lead := slices.Min(c)
			for _, r := range c {
				first[r] = lead
			}
		}
	}
	for r := range entity {
		if lead := first[r]; lead == int32(r) {
			entity[r] = next32
			next32++
		} else {
			entity[r] = entity[lead]
		}
	}
	return entity
}
