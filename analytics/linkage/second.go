package linkage

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The second look. Once records are grouped, what the first look had to assume
// can be measured: how common a value is among people instead of records, how
// records of one person differ, which fields agree together among strangers
// (a postcode lies in a town), and how two halves of one person's records differ.

// entityWeights lets each entity count once, however many records it has.
func entityWeights(entity []int32) []float32 {
	size := make([]int32, len(entity))
	for _, e := range entity {
		size[e]++
	}
	w := make([]float32, len(entity))
	for r, e := range entity {
		w[r] = 1 / float32(size[e])
	}
	return w
}

// membersOf lists the records of each entity.
func membersOf(entity []int32) [][]int32 {
	n := int32(0)
	for _, e := range entity {
		n = max(n, e+1)
	}
	size := make([]int32, n)
	for _, e := range entity {
		size[e]++
	}
	all := make([]int32, len(entity))
	out := make([][]int32, n)
	at := 0
	for e, s := range size {
		out[e] = all[at : at : at+int(s)]
		at += int(s)
	}
	for r, e := range entity {
		out[e] = append(out[e], int32(r))
	}
	return out
}

// relearn measures M, U, prior and ties from a grouping.
func (m *Model) relearn(d *dataset, entity []int32, seed uint64) {
	d.count(entityWeights(entity))
	m.learnU(d, drawsFor(d.n), seed+1, entity)
	members := membersOf(entity)
	rng := rand.New(rand.NewPCG(seed, 2))

	// pairs of one person: a few of each, so that no large one speaks for all
	var same [][2]int32
	var within float64
	for _, rs := range members {
		n := len(rs)
		if n < 2 {
			continue
		}
		within += float64(n) * float64(n-1) / 2
		if n <= 5 {
			for i := range rs {
				for j := range i {
					same = append(same, [2]int32{rs[j], rs[i]})
				}
			}
			continue
		}
		for range 2 * n {
			if i, j := rng.IntN(n), rng.IntN(n); i != j {
				same = append(same, [2]int32{rs[i], rs[j]})
			}
		}
	}
	if len(same) < 20 {
		return
	}
	if most := 300_000; len(same) > most {
		for i := range most {
			j := i + rng.IntN(len(same)-i)
			same[i], same[j] = same[j], same[i]
		}
		same = same[:most]
	}
	m.Prior = within / (float64(d.n) * float64(d.n-1) / 2)
	ls := d.levelsOf(same)
	for k := range d.fields {
		counts := make([]float64, len(m.Fields[k].Levels))
		for i := k; i < len(ls); i += len(d.fields) {
			if ls[i] != absentLevel {
				counts[ls[i]]++
			}
		}
		smoothM(m.Fields[k].Levels, counts)
	}
	m.learnTies(d, ls, rng)
	m.learnHalves(d, members, rng)
}

// levelsOf compares pairs in all fields: pairs × fields.
func (d *dataset) levelsOf(pairs [][2]int32) []uint8 {
	out := make([]uint8, 0, len(pairs)*len(d.fields))
	for _, p := range pairs {
		for k := range d.fields {
			out = append(out, d.compare(k, p[0], p[1]))
		}
	}
	return out
}

// learnHalves measures how often two groups of n records of one person speak
// against each other in a field, for n of 2, 3 and 4. One slip of two records
// is common; two groups that each agree within and differ between are not,
// unless the field is one in which a person has several values.
func (m *Model) learnHalves(d *dataset, members [][]int32, rng *rand.Rand) {
	w := m.weights(d)
	g := newGrouper(w, 0, false)
	for k := range d.fields {
		f := d.fields[k]
		var against, tried [len(halfSizes)]float64
		for range 20_000 {
			rs := members[rng.IntN(len(members))]
			if len(rs) < 4 {
				continue
			}
			var have []int32
			for _, r := range rs {
				if f.codes[r] >= 0 {
					have = append(have, r)
				}
			}
			rng.Shuffle(len(have), func(i, j int) { have[i], have[j] = have[j], have[i] })
			for i, n := range halfSizes {
				if len(have) < 2*n {
					break
				}
				tried[i]++
				if g.mean(k, valuesOf(f, have[:n]), valuesOf(f, have[n:2*n]), 0) < 1 {
					against[i]++
				}
			}
		}
		m.Fields[k].Against = nil
		for i := range halfSizes {
			if tried[i] < 200 {
				break
			}
			m.Fields[k].Against = append(m.Fields[k].Against, math.Log2((against[i]+1)/(tried[i]+2)))
		}
	}
}

var halfSizes = [...]int{2, 3, 4, 6}

func valuesOf(f *field, rs []int32) []held {
	var out []held
	for _, r := range rs {
		c := f.codes[r]
		if at := slices.IndexFunc(out, func(h held) bool { return h.code == c }); at >= 0 {
			out[at].count++
		} else {
			out = append(out, held{c, r, 1})
		}
	}
	return out
}
