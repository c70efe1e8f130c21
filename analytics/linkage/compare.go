package linkage

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// Common is what a field's model remembers of the values it was learnt on: how
// frequent the common ones are. Values are kept as hashes; what fewer than
// commonLeast people have is not kept, so that no single person can be read off.
type Common struct {
	Rarest float64            `json:"rarest"`           // share of a value that is not listed
	Usual  float64            `json:"usual,omitempty"`  // log2 of the mean share without marks
	Values map[string]float64 `json:"values,omitempty"` // share by hash
	Bare   map[string]float64 `json:"bare,omitempty"`   // the same without marks
	Words  map[string]int32   `json:"words,omitempty"`  // values with the word, by hash
	Texts  int32              `json:"texts,omitempty"`  // values of words
}

const (
	commonLeast = 3      // people
	commonMost  = 20_000 // values of a field
)

func hashText(s string) string { return strconv.FormatUint(hash(s), 36) }

// remember keeps the frequencies of common values, for Compare.
func (m *Model) remember(d *dataset) {
	for k, f := range d.fields {
		c := &Common{Rarest: float64(f.rarest), Usual: f.usual, Values: map[string]float64{}, Bare: map[string]float64{}, Texts: f.words.total}
		least := commonLeast * f.rarest
		keep := func(to map[string]float64, n int, share func(int) float32, text func(int) string) {
			var at []int
			for i := range n {
				if share(i) >= least {
					at = append(at, i)
				}
			}
			if len(at) > commonMost {
				slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(share(b), share(a)) })
				at = at[:commonMost]
			}
			for _, i := range at {
				to[hashText(text(i))] = float64(share(i))
			}
		}
		keep(c.Values, len(f.freq), func(i int) float32 { return f.freq[i] }, func(i int) string { return f.values[i].text })
		bare := make([]string, len(f.ffreq))
		for i := range f.values {
			bare[f.values[i].fold] = f.values[i].bare
		}
		if f.usual != 0 {
			keep(c.Bare, len(f.ffreq), func(i int) float32 { return f.ffreq[i] }, func(i int) string { return bare[i] })
		}
		if wordy(f.kind) {
			c.Words = map[string]int32{}
			ids := make([]int, 0, len(f.words.words))
			for i, n := range f.words.count {
				if n >= commonLeast {
					ids = append(ids, i)
				}
			}
			slices.SortStableFunc(ids, func(a, b int) int { return cmp.Compare(f.words.count[b], f.words.count[a]) })
			for _, i := range ids[:min(len(ids), commonMost)] {
				c.Words[hashText(f.words.words[i])] = f.words.count[i]
			}
		}
		m.Fields[k].Common = c
	}
}

// Comparison weighs a few records by a model, with the frequencies of the records
// that the model was learnt on: what a stream needs that has no table of everybody.
type Comparison struct {
	w     *weights
	g     *grouper
	atoms []atom
	rules []rule
}

// Compare prepares the records of a table for comparison.
func (m *Model) Compare(t *Table) (*Comparison, error) {
	d, err := m.dataset(t)
	if err != nil {
		return nil, err
	}
	for k, f := range d.fields {
		c := m.Fields[k].Common
		if c == nil {
			return nil, fmt.Errorf("linkage model: field %q does not know how frequent its values are", f.name)
		}
		f.rarest, f.usual = float32(c.Rarest), c.Usual
		f.freq = make([]float32, len(f.values))
		f.ffreq = make([]float32, len(f.folds))
		share := func(of map[string]float64, text string) float32 {
			if s, ok := of[hashText(text)]; ok {
				return float32(s)
			}
			return f.rarest
		}
		for i := range f.values {
			f.freq[i] = share(c.Values, f.values[i].text)
			f.ffreq[f.values[i].fold] = share(c.Bare, f.values[i].bare)
		}
		f.words.total = c.Texts
		for i, w := range f.words.words {
			f.words.count[i] = max(c.Words[hashText(w)], 1)
		}
	}
	c := &Comparison{w: m.weights(d)}
	c.g = newGrouper(c.w, 0, false)
	c.atoms, c.rules, err = m.rulesOf(d)
	return c, err
}

// Explain says why two records may or may not be of one person.
func (c *Comparison) Explain(a, b int) Waterfall { return c.w.explain(int32(a), int32(b)) }

// Probability is the chance that two groups of records are of one person, from
// all that both hold.
func (c *Comparison) Probability(a, b []int) float64 {
	x, y := c.cluster(a), c.cluster(b)
	return chance(c.g.evidence(&x, &y))
}

func (c *Comparison) cluster(records []int) cluster {
	out := cluster{fields: make([][]held, len(c.w.d.fields))}
	for k, f := range c.w.d.fields {
		var have []int32
		for _, r := range records[:min(len(records), 100)] {
			if f.codes[r] >= 0 {
				have = append(have, int32(r))
			}
		}
		out.fields[k] = valuesOf(f, have)
		if len(out.fields[k]) > heldMost {
			out.fields[k] = out.fields[k][:heldMost]
		}
	}
	return out
}

// Keys are the blocking keys of a record: two records that have one in common are
// worth comparing. A key tells nothing that its holder could not also compute.
func (c *Comparison) Keys(record int) []string {
	var out []string
	for i := range c.rules {
		if k := c.w.d.keyFor(c.atoms, &c.rules[i], int32(record)); k != noKey {
			out = append(out, strconv.Itoa(i)+"."+strconv.FormatUint(k, 36))
		}
	}
	return out
}

// Linked is a pair of records and the chance that they are of one person.
type Linked struct {
	A, B        int32
	Probability float64
}

// joins gives for each cluster the strongest pairs that hold it together: one
// fewer than it has records, where compared pairs suffice.
func joins(edges []edge, entity []int32) []Linked {
	var within []edge
	for _, e := range edges {
		if entity[e.a] == entity[e.b] {
			within = append(within, e)
		}
	}
	sortEdges(within)
	parent := map[int32]int32{}
	var find func(x int32) int32
	find = func(x int32) int32 {
		p, ok := parent[x]
		if !ok || p == x {
			return x
		}
		root := find(p)
		parent[x] = root
		return root
	}
	var out []Linked
	for _, e := range within {
		if a, b := find(e.a), find(e.b); a != b {
			parent[a] = b
			out = append(out, Linked{e.a, e.b, chance(float64(e.bits))})
		}
	}
	return out
}

func sortEdges(edges []edge) {
	slices.SortFunc(edges, func(x, y edge) int {
		return cmp.Or(cmp.Compare(y.bits, x.bits), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
}

// near gives the pairs of clusters that stayed apart with a chance of at least
// least, each by its strongest pair of records.
func (w *weights) near(edges []edge, entity []int32, least float64) []Linked {
	var between []edge
	for _, e := range edges {
		if entity[e.a] != entity[e.b] && float64(e.bits) > bitsOf(least)-4 {
			between = append(between, e)
		}
	}
	sortEdges(between)
	members := membersOf(entity)
	g := newGrouper(w, 0, false)
	c := Comparison{w: w, g: g}
	held := func(e int32) cluster {
		rs := members[e]
		ints := make([]int, len(rs))
		for i, r := range rs {
			ints[i] = int(r)
		}
		return c.cluster(ints)
	}
	seen := map[[2]int32]bool{}
	var out []Linked
	for _, e := range between {
		k := [2]int32{min(entity[e.a], entity[e.b]), max(entity[e.a], entity[e.b])}
		if seen[k] {
			continue
		}
		seen[k] = true
		x, y := held(k[0]), held(k[1])
		if p := chance(g.evidence(&x, &y)); p >= least {
			out = append(out, Linked{e.a, e.b, p})
		}
	}
	slices.SortFunc(out, func(a, b Linked) int {
		return cmp.Or(cmp.Compare(b.Probability, a.Probability), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
	return out
}
