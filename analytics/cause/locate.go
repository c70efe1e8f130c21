package cause

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Options of [Locate]. The zero value is good for most tables.
type Options struct {
	MinEffect float64 // least relative change that is a cause, default 0.05
	MinShare  float64 // least share of the change all causes explain, default 0
	Evidence  float64 // nats beyond the cost of naming a cause, default 3
	MaxCauses int     // default 50
	MaxLayer  int     // most attributes in a cause, default all; fewer where memory would pass about 300 MB
}

func (o Options) filled(dims int) Options {
	o.MinEffect = cmp.Or(o.MinEffect, 0.05)
	o.Evidence = cmp.Or(o.Evidence, 3)
	o.MaxCauses = cmp.Or(o.MaxCauses, 50)
	o.MaxLayer = cmp.Or(o.MaxLayer, dims)
	return o
}

// Cause is an attribute combination whose leaves changed together.
type Cause struct {
	Where    []Pair  // ascending in the table's order of dimensions
	Leaves   int     // leaves it explains
	Actual   float64 // sum over these leaves (for ratios: not weighted)
	Expected float64
	Factor   float64 // actual over expected that is common to its leaves
	Evidence float64 // nats by which the data favour it, after the cost of naming it
	Share    float64 // of the change that all causes explain together
}

// String writes the combination as a=1&b=2.
func (c Cause) String() string {
	parts := make([]string, len(c.Where))
	for i, p := range c.Where {
		parts[i] = p.String()
	}
	return strings.Join(parts, "&")
}

// Located is the answer of [Locate].
type Located struct {
	Causes []Cause // strongest evidence first
	Noise  Noise
}

// Locate finds the attribute combinations that explain how actual differs from
// expected; see the package's documentation for the method. The answer does not
// depend on the order of rows or of dimensions.
func Locate(t *Table, opt Options) Located {
	opt = opt.filled(len(t.dims))
	dev := make([]float64, t.Len())
	var order []int32
	for i := range dev {
		if t.actual[i] != 0 || t.expected[i] != 0 {
			dev[i] = Deviation(t.actual[i], t.expected[i])
			order = append(order, int32(i))
		}
	}
	if len(order) == 0 {
		return Located{}
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(dev[a], dev[b]), cmp.Compare(t.expected[a], t.expected[b]), cmp.Compare(a, b))
	})
	noise, sigma, logp := t.noise(order, dev)
	if noise.Spread > sparseSpread && t.sums(order) {
		s := newSearch(t, order, t.sparse(order, opt.MinEffect), opt)
		return Located{Causes: t.causes(s, opt), Noise: noise}
	}
	m := &ripple{noise: noise, dev: dev, sigma: sigma, log0: logp, minEffect: opt.MinEffect, p0: make([]float64, len(dev))}
	for _, i := range order {
		m.p0[i] = math.Exp(logp[i])
	}
	s := newSearch(t, order, m, opt)
	return Located{Causes: t.causes(s, opt), Noise: noise}
}

// sparseSpread is the spread of scores beyond which single leaves say so little
// that only their sums are looked at.
const sparseSpread = 0.4

// sums tells whether no value is below zero.
func (t *Table) sums(order []int32) bool {
	for _, i := range order {
		if t.actual[i] < 0 || t.expected[i] < 0 {
			return false
		}
	}
	return true
}

// sparse is the model for small counts: variance in proportion to what is
// expected. The proportion is that of all but the most deviant twentieth of
// leaves, and at least one for whole numbers.
func (t *Table) sparse(order []int32, minEffect float64) *quasi {
	type part struct{ square, expected float64 }
	parts := make([]part, 0, len(order))
	whole := true
	for _, i := range order {
		d := t.actual[i] - t.expected[i]
		parts = append(parts, part{d * d, t.expected[i]})
		whole = whole && t.actual[i] == math.Trunc(t.actual[i])
	}
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.square*b.expected, b.square*a.expected), cmp.Compare(a.square, b.square))
	})
	square, expected := 0.0, 0.0
	for _, p := range parts[:len(parts)-len(parts)/20] {
		square += p.square
		expected += p.expected
	}
	m := &quasi{num: t.actual, exp: t.expected, phi: 1, minEffect: minEffect}
	if expected > 0 {
		m.phi = max(square/expected, 1e-6)
	}
	if whole {
		m.phi = max(m.phi, 1)
	}
	return m
}

// causes describes what the search found.
func (t *Table) causes(s *search, opt Options) []Cause {
	var out []Cause
	total := 0.0
	for _, f := range s.run() {
		c := Cause{Leaves: len(f.leaves), Evidence: f.net, Factor: s.model.factor(f.fit)}
		dims := s.cuboids[f.at.cuboid].dims
		for _, d := range dims {
			c.Where = append(c.Where, Pair{t.dims[d], t.names[d][t.codes[d][f.leaves[0]]]})
		}
		for _, i := range f.leaves {
			c.Actual += t.actual[i]
			c.Expected += t.expected[i]
		}
		c.Share = math.Abs(c.Actual - c.Expected)
		total += c.Share
		out = append(out, c)
	}
	for i := range out {
		if total > 0 {
			out[i].Share /= total
		}
	}
	out = slices.DeleteFunc(out, func(c Cause) bool { return c.Share < opt.MinShare })
	slices.SortStableFunc(out, func(a, b Cause) int { return cmp.Compare(b.Evidence, a.Evidence) })
	return out
}
