package mining

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// Variants are the distinct paths of a log.
type Variants struct {
	// List holds the variants, most cases first; among equals the one that
	// occurs first.
	List []Variant
	// Of is the index in List of each case's variant.
	Of []int32
	// Cases is the number of cases.
	Cases int
}

// Variant is one path with the cases that took it.
type Variant struct {
	Path  []int32 // activities; must not be changed
	Count int     // cases
	First int     // the first case that took it
}

// Share returns the share of cases that took the i-th variant, 0 to 1.
func (v *Variants) Share(i int) float64 {
	return float64(v.List[i].Count) / float64(v.Cases)
}

// Singletons returns the number of variants that only one case took.
func (v *Variants) Singletons() int {
	n := 0
	for _, variant := range v.List {
		if variant.Count == 1 {
			n++
		}
	}
	return n
}

// ToCover returns how many variants, largest first, it takes to cover at least
// the share (0 to 1) of all cases.
func (v *Variants) ToCover(share float64) int {
	covered := 0
	for i, variant := range v.List {
		if covered += variant.Count; float64(covered) >= share*float64(v.Cases) {
			return i + 1
		}
	}
	return len(v.List)
}

// FindVariants groups the cases by their exact path. Paths are found by hash
// and then compared, so that no collision can merge two of them. Each
// goroutine takes the paths whose hashes fall into its part.
func FindVariants(l *Log) *Variants {
	hashes := hashPaths(l)
	parts := uint64(len(l.chunks()))
	groups := make([]*grouping, parts)
	workers := make([]chunk, parts)
	of := make([]int32, l.Cases())
	inParallel(workers, func(w int, _ chunk) {
		groups[w] = newGrouping()
		for c, h := range hashes {
			if part, _ := bits.Mul64(h, parts); part == uint64(w) {
				of[c] = groups[w].add(l, c, h)
			}
		}
	})
	// Rank the groups by a key that sorts like count falling, first rising. The
	// low half of a key leads back to its group.
	base := make([]int32, parts+1)
	var keys []uint64
	for w, g := range groups {
		base[w+1] = base[w] + int32(len(g.list))
		for _, f := range g.list {
			keys = append(keys, uint64(math.MaxUint32-uint32(f.count))<<32|uint64(f.first))
		}
	}
	slices.Sort(keys)
	groupOf := func(c int) int32 {
		part, _ := bits.Mul64(hashes[c], parts)
		return base[part] + of[c]
	}
	v := &Variants{Of: of, Cases: l.Cases(), List: make([]Variant, len(keys))}
	rank := make([]int32, len(keys))
	for i, key := range keys {
		first, count := int(uint32(key)), int(math.MaxUint32-uint32(key>>32))
		v.List[i] = Variant{Path: l.Path(first), Count: count, First: first}
		rank[groupOf(first)] = int32(i)
	}
	inParallel(l.chunks(), func(_ int, c chunk) {
		for i := c.lo; i < c.hi; i++ {
			of[i] = rank[groupOf(i)]
		}
	})
	return v
}

// hashPaths returns a hash of the path of each case. The keys are new each
// time, so that no input can be made to collide; results do not depend on them.
func hashPaths(l *Log) []uint64 {
	seed, key := rand.Uint64(), rand.Uint64()|1
	hashes := make([]uint64, l.Cases())
	inParallel(l.chunks(), func(_ int, c chunk) {
		for i := c.lo; i < c.hi; i++ {
			hashes[i] = hashPath(l.Path(i), seed, key)
		}
	})
	return hashes
}

// hashPath folds the activities by 128-bit multiplication, as wyhash does.
func hashPath(path []int32, seed, key uint64) uint64 {
	h := seed ^ uint64(len(path))
	for _, a := range path {
		high, low := bits.Mul64(h^uint64(a), key)
		h = (high ^ low) + 0x9E3779B97F4A7C15
	}
	return h
}

// found is a group of cases with the same path.
type found struct {
	hash         uint64
	first, count int32
}

// grouping is a hash table of groups with open addressing.
type grouping struct {
	slots []int32 // index in list, or None
	list  []found
}

func newGrouping() *grouping {
	g := &grouping{}
	g.resize(1 << 10)
	return g
}

func (g *grouping) resize(size int) {
	g.slots = make([]int32, size)
	for i := range g.slots {
		g.slots[i] = None
	}
	for i, f := range g.list {
		at := f.hash & uint64(size-1)
		for g.slots[at] != None {
			at = (at + 1) & uint64(size-1)
		}
		g.slots[at] = int32(i)
	}
}

// add counts a case and returns its group. Cases must come in rising order.
func (g *grouping) add(l *Log, c int, hash uint64) int32 {
	mask := uint64(len(g.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		i := g.slots[at]
		if i == None {
			i = int32(len(g.list))
			g.slots[at] = i
			g.list = append(g.list, found{hash, int32(c), 1})
			if len(g.list)*2 > len(g.slots) {
				g.resize(len(g.slots) * 2)
			}
			return i
		}
		f := &g.list[i]
		if f.hash == hash && slices.Equal(l.Path(int(f.first)), l.Path(c)) {
			f.count++
			return i
		}
	}
}
