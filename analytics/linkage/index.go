package linkage

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Index finds the people that a new record may be of, among millions of known
// records, in about a millisecond. Its weights are those of a Model and do not
// move while records are added: what is known about others changes nobody's
// cluster. It is safe for use by several goroutines.
type Index struct {
	mu      sync.Mutex
	m       *Model
	d       *dataset
	w       *weights
	g       *grouper
	columns []string
	atoms   []atom
	rules   []rule
	bases   []base
	added   []map[uint64][]int32
	entity  []int32
	members [][]int32
	ids     []int32 // scratch
}

// base is one rule's records in order of their keys.
type base struct {
	keys  []uint64
	order []int32
}

// postings is the most records under one key that are looked at: what more
// share tells nobody apart.
const postings = largeBlock

// Match is a person that a record may be of.
type Match struct {
	Entity      int32   `json:"entity"`
	Record      int32   `json:"record"` // the entity's record that is most like it
	Bits        float64 `json:"bits"`
	Probability float64 `json:"probability"`
}

// NewIndex makes an index of a table whose clusters are known. The table has the
// columns the model was learnt on.
func NewIndex(m *Model, t *Table, entity []int32) (*Index, error) {
	if len(entity) != t.n {
		return nil, fmt.Errorf("%d clusters for %d records", len(entity), t.n)
	}
	d, err := m.dataset(t)
	if err != nil {
		return nil, err
	}
	x := &Index{m: m, d: d, entity: slices.Clone(entity)}
	for i := range t.Columns {
		x.columns = append(x.columns, t.Columns[i].Name)
	}
	d.count(entityWeights(entity))
	x.w = m.weights(d)
	x.g = newGrouper(x.w, 0, false)
	if x.atoms, x.rules, err = m.rulesOf(d); err != nil {
		return nil, err
	}
	for i := range x.rules {
		b := d.block(x.atoms, &x.rules[i], postings)
		x.bases = append(x.bases, base{b.keys, slices.DeleteFunc(b.order, func(r int32) bool { return b.keys[r] == noKey })})
		x.added = append(x.added, map[uint64][]int32{})
	}
	for _, rs := range membersOf(entity) {
		x.members = append(x.members, slices.Clip(rs))
	}
	return x, nil
}

// Len is the number of records.
func (x *Index) Len() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.d.n
}

// Entity gives the cluster of a record.
func (x *Index) Entity(record int32) int32 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.entity[record]
}

// Match gives the people that a record may be of, the likeliest first, down to a
// probability of least. Values stand in the order of the columns; "" is missing.
func (x *Index) Match(values []string, least float64) ([]Match, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r, undo, err := x.push(values)
	if err != nil {
		return nil, err
	}
	defer undo()
	return x.matches(r, least), nil
}

// Add takes a record in: to the likeliest person when that is at least as
// probable as the model's threshold, else as somebody new. It gives the number of
// the record, its entity, and whom it may also be of.
func (x *Index) Add(values []string) (record, entity int32, matches []Match, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r, _, err := x.push(values)
	if err != nil {
		return 0, 0, nil, err
	}
	matches = x.matches(r, min(x.m.Threshold, 0.05))
	entity = int32(len(x.members))
	if len(matches) > 0 && matches[0].Probability >= x.m.Threshold {
		entity = matches[0].Entity
		x.members[entity] = append(x.members[entity], r)
	} else {
		x.members = append(x.members, []int32{r})
	}
	x.entity = append(x.entity, entity)
	for i := range x.rules {
		if k := x.d.keyFor(x.atoms, &x.rules[i], r); k != noKey {
			x.added[i][k] = append(x.added[i][k], r)
		}
	}
	return r, entity, matches, nil
}

// Explain says why a record may or may not be of the same person as a known one.
func (x *Index) Explain(values []string, record int32) (Waterfall, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r, undo, err := x.push(values)
	if err != nil {
		return Waterfall{}, err
	}
	defer undo()
	if record < 0 || record >= r {
		return Waterfall{}, fmt.Errorf("record %d of %d", record, r)
	}
	return x.w.explain(r, record), nil
}

// push appends a record to the dataset; undo takes it away with all that it
// brought into the dictionaries.
func (x *Index) push(values []string) (r int32, undo func(), err error) {
	if len(values) != len(x.columns) {
		return 0, nil, fmt.Errorf("%d values for %d columns", len(values), len(x.columns))
	}
	r = int32(x.d.n)
	marks := make([]mark, len(x.d.fields))
	for k, f := range x.d.fields {
		marks[k] = f.mark()
	}
	for k := range x.d.fields {
		f := x.d.fields[k]
		f.codes = append(f.codes, f.code(x.d.plan[k].raw(values)))
	}
	for _, f := range x.d.fields { // a value never seen is as rare as the rarest
		for len(f.freq) < len(f.values) {
			f.freq = append(f.freq, f.rarest)
		}
		for len(f.ffreq) < len(f.folds) {
			f.ffreq = append(f.ffreq, f.rarest)
		}
	}
	for a := range x.atoms {
		at := &x.atoms[a]
		f := x.d.fields[at.field]
		for c := len(at.key); c < len(f.values); c++ {
			at.key = append(at.key, f.keyOf(&f.values[c], at.part))
		}
	}
	x.d.n++
	return r, func() {
		x.d.n--
		for k := len(x.d.fields) - 1; k >= 0; k-- {
			f := x.d.fields[k]
			f.codes = f.codes[:r]
			f.undo(marks[k])
		}
		for _, f := range x.d.fields {
			f.freq = f.freq[:min(len(f.freq), len(f.values))]
			f.ffreq = f.ffreq[:min(len(f.ffreq), len(f.folds))]
		}
		for a := range x.atoms {
			at := &x.atoms[a]
			at.key = at.key[:min(len(at.key), len(x.d.fields[at.field].values))]
		}
	}, nil
}

// matches compares a pushed record with those it shares a rule with.
func (x *Index) matches(r int32, least float64) []Match {
	x.ids = x.ids[:0]
	for i := range x.rules {
		k := x.d.keyFor(x.atoms, &x.rules[i], r)
		if k == noKey {
			continue
		}
		b := &x.bases[i]
		at, _ := slices.BinarySearchFunc(b.order, k, func(o int32, k uint64) int { return cmp.Compare(b.keys[o], k) })
		for n := 0; at < len(b.order) && n < postings && b.keys[b.order[at]] == k; at, n = at+1, n+1 {
			x.ids = append(x.ids, b.order[at])
		}
		more := x.added[i][k]
		x.ids = append(x.ids, more[max(0, len(more)-postings):]...)
	}
	slices.Sort(x.ids)
	x.ids = slices.Compact(x.ids)
	// the best record of each entity, then the whole evidence of the best entities
	type best struct {
		entity, record int32
		bits           float64
	}
	var found []best
	for _, id := range x.ids {
		bits := x.w.pair(r, id)
		if bits < -8 {
			continue
		}
		e := x.entity[id]
		if at := slices.IndexFunc(found, func(b best) bool { return b.entity == e }); at >= 0 {
			if bits > found[at].bits {
				found[at].record, found[at].bits = id, bits
			}
			continue
		}
		found = append(found, best{e, id, bits})
	}
	slices.SortFunc(found, func(a, b best) int { return cmp.Or(cmp.Compare(b.bits, a.bits), cmp.Compare(a.entity, b.entity)) })
	found = found[:min(len(found), 20)]
	x.g.forget()
	one := x.clusterOf([]int32{r})
	var out []Match
	for _, f := range found {
		bits := x.g.evidence(&one, x.ptr(x.clusterOf(x.members[f.entity])))
		if p := chance(bits); p >= least {
			out = append(out, Match{f.entity, f.record, bits, p})
		}
	}
	slices.SortFunc(out, func(a, b Match) int { return cmp.Or(cmp.Compare(b.Bits, a.Bits), cmp.Compare(a.Entity, b.Entity)) })
	return out
}

func (x *Index) ptr(c cluster) *cluster { return &c }

// clusterOf is what an entity's records hold; of a very large one the last are taken.
func (x *Index) clusterOf(members []int32) cluster {
	members = members[max(0, len(members)-100):]
	c := cluster{fields: make([][]held, len(x.d.fields))}
	for k, f := range x.d.fields {
		for _, r := range members {
			code := f.codes[r]
			if code < 0 {
				continue
			}
			if at := slices.IndexFunc(c.fields[k], func(h held) bool { return h.code == code }); at >= 0 {
				c.fields[k][at].count++
			} else if len(c.fields[k]) < heldMost {
				c.fields[k] = append(c.fields[k], held{code, r, 1})
			}
		}
	}
	return c
}

// rulesOf finds the model's blocking rules again in a dataset.
func (m *Model) rulesOf(d *dataset) ([]atom, []rule, error) {
	atoms := d.atoms()
	var rules []rule
	for _, parts := range m.Rules {
		var r rule
		for _, p := range parts {
			at := slices.IndexFunc(atoms, func(a atom) bool { return d.fields[a.field].name == p.Field && a.part == p.Part })
			if at < 0 {
				return nil, nil, fmt.Errorf("linkage model: rule on %q (%s), which is not there", p.Field, p.Part)
			}
			r.atoms = append(r.atoms, at)
		}
		if len(r.atoms) == 0 {
			return nil, nil, errors.New("linkage model: a rule without parts")
		}
		rules = append(rules, r)
	}
	return atoms, rules, nil
}
