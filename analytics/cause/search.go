package cause

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// model weighs whether leaves share a cause.
type model interface {
	weigh(leaves []int32) (float64, fit)
	gain(leaves []int32, f fit) float64
	// beside is the gain of a fit when it is compared with that of a more general
	// cause.
	beside(f found, general fit) float64
	factor(f fit) float64
}

// found is a cause in the making.
type found struct {
	at     element
	leaves []int32
	net    float64 // evidence less cost
	cost   float64
	fit    fit
}

// search looks for the set of attribute combinations that describes the leaves
// in the fewest nats.
type search struct {
	t       *Table
	model   model
	opt     Options
	cuboids []cuboid
	cost    []float64 // of naming an element of each cuboid
	explain []bool    // leaves that have a cause
	scratch []int32
}

func newSearch(t *Table, order []int32, m model, opt Options) *search {
	s := &search{t: t, model: m, opt: opt, cuboids: t.cuboids(order, opt.MaxLayer), explain: make([]bool, t.Len())}
	dims := 0
	for _, names := range t.names {
		if len(names) > 1 {
			dims++
		}
	}
	for _, c := range s.cuboids {
		s.cost = append(s.cost, opt.Evidence+math.Log(float64(dims))+logChoose(dims, len(c.dims))+math.Log(float64(c.groups())))
	}
	return s
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// run is greedy: the combination with the most evidence first, split when finer
// ones describe its leaves better, and so on in what is left; at the end causes
// that a more general one covers are dropped.
func (s *search) run() []found {
	return s.absorb(s.merge(s.reassign(s.greedy(nil, s.opt.MaxCauses))))
}

// reassign gives each leaf to the cause that describes it best of those it lies
// in, and weighs the causes again.
func (s *search) reassign(all []found) []found {
	kept := make([][]int32, len(all))
	one := make([]int32, 1)
	for k, f := range all {
		for _, i := range f.leaves {
			one[0] = i
			to, best := k, s.model.gain(one, f.fit)
			for j, g := range all {
				if j == k || s.cuboids[g.at.cuboid].of[i] != g.at.group {
					continue
				}
				if more := s.model.gain(one, g.fit); more > best {
					to, best = j, more
				}
			}
			kept[to] = append(kept[to], i)
		}
	}
	out := all[:0]
	for k, f := range all {
		s.mark(kept[k], false)
		if g, ok := s.weigh(f.at); ok {
			s.mark(g.leaves, true)
			out = append(out, g)
		}
	}
	return out
}

// merge puts a more general cause in the place of those within it where that is
// cheaper, now that leaves which other causes moved are out of the way.
func (s *search) merge(all []found) []found {
	for {
		best, gain := found{}, 1e-9
		var inside []int
		for _, e := range s.above(all) {
			within := s.inside(all, e)
			for _, k := range within {
				s.mark(all[k].leaves, false)
			}
			f, ok := s.weigh(e)
			more := f.net
			for _, k := range within {
				s.mark(all[k].leaves, true)
				more -= s.model.beside(all[k], f.fit) - all[k].cost
			}
			if ok && more > gain {
				best, gain, inside = f, more, within
			}
		}
		if inside == nil {
			return all
		}
		for i, k := range inside {
			s.mark(all[k-i].leaves, false)
			all = slices.Delete(all, k-i, k-i+1)
		}
		s.mark(best.leaves, true)
		all = append(all, best)
	}
}

// above lists the elements more general than a cause, each once.
func (s *search) above(all []found) []element {
	var out []element
	for _, f := range all {
		for c := range s.cuboids {
			if finer(s.cuboids[f.at.cuboid].dims, s.cuboids[c].dims) {
				out = append(out, element{int32(c), s.cuboids[c].of[f.leaves[0]]})
			}
		}
	}
	slices.SortFunc(out, func(a, b element) int { return cmp.Or(cmp.Compare(a.cuboid, b.cuboid), cmp.Compare(a.group, b.group)) })
	return slices.Compact(out)
}

// inside gives the causes that are finer than an element.
func (s *search) inside(all []found, e element) (within []int) {
	for k, f := range all {
		if finer(s.cuboids[f.at.cuboid].dims, s.cuboids[e.cuboid].dims) && s.cuboids[e.cuboid].of[f.leaves[0]] == e.group {
			within = append(within, k)
		}
	}
	return within
}

// greedy searches among the combinations within a parent (nil: all).
func (s *search) greedy(parent *found, most int) []found {
	var out []found
	q := s.queue(parent)
	for len(out) < most {
		best, ok := q.pop(s)
		if !ok {
			break
		}
		for _, f := range s.split(best) {
			s.mark(f.leaves, true)
			out = append(out, f)
		}
		q.touch(s, best.leaves)
	}
	return out
}

// split replaces a cause by finer ones where these explain more.
func (s *search) split(f found) []found {
	if len(f.leaves) < 2 || len(s.cuboids[f.at.cuboid].dims) == min(len(s.t.dims), s.opt.MaxLayer) {
		return []found{f}
	}
	finer := s.greedy(&f, s.opt.MaxCauses)
	sum := 0.0
	for _, g := range finer {
		s.mark(g.leaves, false)
		sum += s.model.beside(g, f.fit) - g.cost
	}
	if sum > f.net {
		return finer
	}
	return []found{f}
}

func (s *search) mark(leaves []int32, on bool) {
	for _, i := range leaves {
		s.explain[i] = on
	}
}

// weigh gives an element's worth in the leaves without a cause.
func (s *search) weigh(e element) (found, bool) {
	left := s.scratch[:0]
	for _, i := range s.cuboids[e.cuboid].members(e.group) {
		if !s.explain[i] {
			left = append(left, i)
		}
	}
	s.scratch = left
	g, fit := s.model.weigh(left)
	cost := s.cost[e.cuboid]
	if !(g > cost) {
		return found{}, false
	}
	return found{at: e, leaves: slices.Clone(left), net: g - cost, cost: cost, fit: fit}, true
}

// queue holds the elements worth something.
type queue struct {
	cuboids []int32
	best    map[element]found
}

func (s *search) queue(parent *found) *queue {
	q := &queue{best: map[element]found{}}
	for c := range s.cuboids {
		if parent == nil {
			q.cuboids = append(q.cuboids, int32(c))
			for g := range s.cuboids[c].groups() {
				q.weigh(s, element{int32(c), int32(g)})
			}
		} else if finer(s.cuboids[c].dims, s.cuboids[parent.at.cuboid].dims) {
			q.cuboids = append(q.cuboids, int32(c))
			q.touchIn(s, int32(c), parent.leaves)
		}
	}
	return q
}

// finer tells whether a has all of b and more.
func finer(a, b []int) bool {
	if len(a) <= len(b) {
		return false
	}
	for _, d := range b {
		if !slices.Contains(a, d) {
			return false
		}
	}
	return true
}

func (q *queue) weigh(s *search, e element) {
	if f, ok := s.weigh(e); ok {
		q.best[e] = f
	} else {
		delete(q.best, e)
	}
}

// touch weighs again the elements some of whose leaves have got a cause.
func (q *queue) touch(s *search, leaves []int32) {
	for _, c := range q.cuboids {
		q.touchIn(s, c, leaves)
	}
}

func (q *queue) touchIn(s *search, c int32, leaves []int32) {
	groups := make([]int32, 0, len(leaves))
	for _, i := range leaves {
		groups = append(groups, s.cuboids[c].of[i])
	}
	slices.Sort(groups)
	for _, g := range slices.Compact(groups) {
		q.weigh(s, element{c, g})
	}
}

// pop takes the best element; ties go to fewer attributes, then to the names.
func (q *queue) pop(s *search) (found, bool) {
	var best found
	ok := false
	for _, f := range q.best {
		if !ok || s.before(f, best) {
			best, ok = f, true
		}
	}
	delete(q.best, best.at)
	return best, ok
}

func (s *search) before(a, b found) bool {
	if a.net != b.net {
		return a.net > b.net
	}
	da, db := s.cuboids[a.at.cuboid].dims, s.cuboids[b.at.cuboid].dims
	return cmp.Or(cmp.Compare(len(da), len(db)), cmp.Compare(s.label(a), s.label(b))) < 0
}

func (s *search) label(f found) string {
	var parts []string
	for _, d := range s.cuboids[f.at.cuboid].dims {
		parts = append(parts, s.t.dims[d]+"="+s.t.names[d][s.t.codes[d][f.leaves[0]]])
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

// absorb drops a cause when a more general one describes its leaves as cheaply.
func (s *search) absorb(all []found) []found {
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Compare(len(s.cuboids[b.at.cuboid].dims), len(s.cuboids[a.at.cuboid].dims))
	})
	var out []found
	for k, f := range all {
		absorbed := false
		for j := k + 1; j < len(all) && !absorbed; j++ {
			g := &all[j]
			if finer(s.cuboids[f.at.cuboid].dims, s.cuboids[g.at.cuboid].dims) &&
				s.cuboids[g.at.cuboid].of[f.leaves[0]] == g.at.group {
				if more := s.model.gain(f.leaves, g.fit); more >= f.net {
					g.leaves = append(g.leaves, f.leaves...)
					g.net += more
					absorbed = true
				}
			}
		}
		if !absorbed {
			out = append(out, f)
		}
	}
	return out
}
