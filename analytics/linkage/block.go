package linkage

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// atom is one part of one field on which records can be brought together, such
// as the year of a date or the sound of a family name.
type atom struct {
	field int
	part  string
	key   []uint64 // by code of the field
}

// rule brings together the records that agree on all its atoms.
type rule struct {
	atoms []int
	cost  float64 // pairs a record, estimated
}

const noKey uint64 = 0

func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h) | 1
}

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// parts are the atoms that each kind offers.
var parts = map[Kind][]string{
	Given:      {"whole", "sound", "start"},
	Family:     {"whole", "sound", "start"},
	Name:       {"whole", "words", "rarest word", "last word", "first word"},
	Date:       {"whole", "year", "day and month", "year and month", "year and day"},
	Phone:      {"whole", "end"},
	Email:      {"whole", "before the @"},
	Identifier: {"whole", "first half", "second half"},
	Postcode:   {"whole", "district"},
	Place:      {"whole", "start", "rarest word"},
	Address:    {"whole", "rarest word", "second word", "start"},
	Words:      {"whole", "rarest word", "second word", "start"},
	Number:     {"whole"},
	Category:   {"whole"},
	Text:       {"whole", "rarest word"},
}

// keyOf is the key of a value for one part, noKey when it has none.
func (f *field) keyOf(v *value, part string) uint64 {
	s := ""
	switch part {
	case "whole":
		s = v.bare
	case "sound":
		if s = sound(v.bare); len(s) < 2 {
			s = v.bare
		}
	case "start":
		if len(v.bare) < 4 {
			return noKey
		}
		s = v.bare[:4]
		if f.kind == Given || f.kind == Family {
			s = v.bare[:3]
		}
	case "words":
		ws := strings.Fields(fold(v.text))
		slices.Sort(ws)
		s = strings.Join(ws, " ")
	case "rarest word", "second word":
		s = f.rare(v.toks, part == "second word")
	case "last word":
		if n := len(v.toks); n > 1 {
			s = f.words.words[v.toks[n-1]]
		}
	case "first word":
		if len(v.toks) > 1 {
			s = f.words.words[v.toks[0]]
		}
	case "year":
		s = v.bare[:4]
	case "day and month":
		if vague(v.day) {
			return noKey
		}
		lo, hi := min(v.day.m, v.day.d), max(v.day.m, v.day.d)
		return mix(uint64(lo)<<20|uint64(hi)<<4|1) | 1
	case "year and month":
		if vague(v.day) {
			return noKey
		}
		s = v.bare[:6]
	case "year and day":
		if vague(v.day) {
			return noKey
		}
		s = v.bare[:4] + v.bare[6:]
	case "end":
		if len(v.bare) < 7 {
			return noKey
		}
		s = v.bare[len(v.bare)-6:]
	case "before the @":
		s, _, _ = strings.Cut(v.text, "@")
	case "first half":
		if len(v.bare) >= 6 {
			s = v.bare[:len(v.bare)/2]
		}
	case "second half":
		if len(v.bare) >= 6 {
			s = v.bare[len(v.bare)/2:]
		}
	case "district":
		s = outward(v)
	}
	if s == "" {
		return noKey
	}
	return hash(s)
}

// rare gives the rarest word of a value, or the second rarest.
func (f *field) rare(toks []int32, second bool) string {
	best, next := int32(-1), int32(-1)
	rarer := func(a, b int32) bool {
		if b < 0 || f.words.count[a] != f.words.count[b] {
			return b < 0 || f.words.count[a] < f.words.count[b]
		}
		return f.words.words[a] < f.words.words[b]
	}
	for _, t := range toks {
		if w := f.words.words[t]; len(w) < 3 {
			continue
		}
		switch {
		case t == best:
		case rarer(t, best):
			best, next = t, best
		case t != next && rarer(t, next):
			next = t
		}
	}
	if second {
		best = next
	}
	if best < 0 {
		return ""
	}
	return f.words.words[best]
}

// atoms lists what a dataset can be blocked on.
func (d *dataset) atoms() []atom {
	var out []atom
	for i, f := range d.fields {
		for _, p := range parts[f.kind] {
			a := atom{field: i, part: p, key: make([]uint64, len(f.values))}
			for c := range f.values {
				a.key[c] = f.keyOf(&f.values[c], p)
			}
			out = append(out, a)
		}
	}
	return out
}

// keyFor is the key of a record under a rule, noKey when a part is missing.
func (d *dataset) keyFor(atoms []atom, r *rule, record int32) uint64 {
	var h uint64 = 1
	for _, a := range r.atoms {
		at := &atoms[a]
		c := d.fields[at.field].codes[record]
		if c < 0 {
			return noKey
		}
		k := at.key[c]
		if k == noKey {
			return noKey
		}
		if len(r.atoms) == 1 {
			return k
		}
		h = mix(h*0x9e3779b97f4a7c15 ^ k)
	}
	return h | 1
}

// candidates lists all rules of one to three atoms that bring together at most
// limit pairs a record. A rule that only narrows a rule already cheap enough is
// left out: the wider one finds all its pairs.
func (d *dataset) candidates(atoms []atom, limit float64, seed uint64) []rule {
	n := min(d.n, 60_000)
	ids := make([]int32, d.n)
	for i := range ids {
		ids[i] = int32(i)
	}
	if n < d.n {
		rng := rand.New(rand.NewPCG(seed, 11))
		for i := range n {
			j := i + rng.IntN(d.n-i)
			ids[i], ids[j] = ids[j], ids[i]
		}
		ids = ids[:n]
	}
	scale := float64(d.n) / float64(n) * float64(d.n) / float64(n) / float64(d.n)
	count := newCounter(n)
	// keys of each atom over the sample
	keys := make([][]uint64, len(atoms))
	single := make([]float64, len(atoms))
	for i := range atoms {
		keys[i] = make([]uint64, n)
		f := d.fields[atoms[i].field]
		for j, r := range ids {
			if c := f.codes[r]; c >= 0 {
				keys[i][j] = atoms[i].key[c]
			}
		}
		single[i] = count.pairs(func(j int) uint64 { return keys[i][j] }, n) * scale
	}
	var out, wide []rule
	for i := range atoms {
		if single[i] <= limit {
			out = append(out, rule{[]int{i}, single[i]})
		}
	}
	cheap := func(as ...int) bool {
		for _, r := range out {
			if !slices.ContainsFunc(r.atoms, func(a int) bool { return !slices.Contains(as, a) }) {
				return true
			}
		}
		return false
	}
	two := make([]uint64, n)
	for i := range atoms {
		if single[i] <= limit {
			continue
		}
		for j := i + 1; j < len(atoms); j++ {
			if single[j] <= limit || atoms[i].field == atoms[j].field {
				continue
			}
			for r := range n {
				two[r] = noKey
				if a, b := keys[i][r], keys[j][r]; a != noKey && b != noKey {
					two[r] = mix(a*0x9e3779b97f4a7c15^b) | 1
				}
			}
			c := count.pairs(func(r int) uint64 { return two[r] }, n) * scale
			if c <= limit {
				out = append(out, rule{[]int{i, j}, c})
			} else if c < 60*limit {
				wide = append(wide, rule{[]int{i, j}, c})
			}
		}
	}
	// three atoms, only from pairs that are nearly narrow enough
	slices.SortStableFunc(wide, func(a, b rule) int { return cmp.Compare(a.cost, b.cost) })
	tried := 0
	for _, w := range wide {
		for k := range atoms {
			a, b := w.atoms[0], w.atoms[1]
			if k <= b || atoms[k].field == atoms[a].field || atoms[k].field == atoms[b].field || single[k] <= limit || cheap(a, b, k) {
				continue
			}
			if tried++; tried > 150 {
				return out
			}
			c := count.pairs(func(r int) uint64 {
				x, y, z := keys[a][r], keys[b][r], keys[k][r]
				if x == noKey || y == noKey || z == noKey {
					return noKey
				}
				return mix(mix(x*0x9e3779b97f4a7c15^y)*0x9e3779b97f4a7c15^z) | 1
			}, n) * scale
			if c <= limit {
				out = append(out, rule{[]int{a, b, k}, c})
			}
		}
	}
	return out
}

// counter counts how many pairs have one key, in an open hash table.
type counter struct {
	keys  []uint64
	count []uint32
	stamp []uint32
	now   uint32
}

func newCounter(n int) *counter {
	size := 1 << uint(math.Ceil(math.Log2(float64(2*max(n, 4)))))
	return &counter{keys: make([]uint64, size), count: make([]uint32, size), stamp: make([]uint32, size)}
}

func (c *counter) pairs(key func(int) uint64, n int) float64 {
	c.now++
	m := uint64(len(c.keys) - 1)
	var sum float64
	for i := range n {
		k := key(i)
		if k == noKey {
			continue
		}
		at := mix(k) & m
		for c.stamp[at] == c.now && c.keys[at] != k {
			at = (at + 1) & m
		}
		if c.stamp[at] != c.now {
			c.stamp[at], c.keys[at], c.count[at] = c.now, k, 0
		}
		sum += float64(c.count[at])
		c.count[at]++
	}
	return sum
}

// blocks are the records of one rule, ordered so that a block lies together.
type blocks struct {
	keys   []uint64 // by record
	order  []int32
	starts []int32 // of blocks of two to maxBlock records, with the end at starts[i+1]
	ends   []int32
	large  int // records in blocks too large to be compared
}

// block groups the records of a rule. Blocks above limit are passed over: what
// so many share tells nobody apart, and narrower rules look into them.
func (d *dataset) block(atoms []atom, r *rule, limit int) *blocks {
	b := &blocks{keys: make([]uint64, d.n), order: make([]int32, 0, d.n)}
	for i := range int32(d.n) {
		if b.keys[i] = d.keyFor(atoms, r, i); b.keys[i] != noKey {
			b.order = append(b.order, i)
		}
	}
	sortByKey(b.order, b.keys)
	for i := 0; i < len(b.order); {
		j := i + 1
		for j < len(b.order) && b.keys[b.order[j]] == b.keys[b.order[i]] {
			j++
		}
		switch n := j - i; {
		case n > limit:
			b.large += n
			for _, x := range b.order[i:j] {
				b.keys[x] = noKey
			}
		case n > 1:
			b.starts = append(b.starts, int32(i))
			b.ends = append(b.ends, int32(j))
		}
		i = j
	}
	return b
}

// sortByKey sorts records by key, and by number within a key: a radix sort over
// the keys' upper bits, then a comparison sort of what is left together.
func sortByKey(order []int32, keys []uint64) {
	if len(order) < 2 {
		return
	}
	const bits = 12
	var count [1<<bits + 1]int32
	for _, r := range order {
		count[keys[r]>>(64-bits)+1]++
	}
	for i := range 1 << bits {
		count[i+1] += count[i]
	}
	out := make([]int32, len(order))
	at := count
	for _, r := range order {
		k := keys[r] >> (64 - bits)
		out[at[k]] = r
		at[k]++
	}
	for i := range 1 << bits {
		slices.SortFunc(out[count[i]:count[i+1]], func(a, b int32) int {
			if keys[a] != keys[b] {
				return cmp.Compare(keys[a], keys[b])
			}
			return cmp.Compare(a, b)
		})
	}
	copy(order, out)
}
