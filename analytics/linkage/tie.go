package linkage

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// tie makes a field's evidence depend on whether other fields agree. A postcode
// lies in a town and an address is made of a name: among strangers of one town
// the postcode often agrees too, and then it tells little. Add is what is added
// to each level's bits when the parents disagree (0) or agree (1).
type tie struct {
	Parents []string     `json:"parents"`
	Add     [2][]float64 `json:"add"`
	parents []int
}

// state tells what the parents say: 0 when one is missing, else against or for.
func (t *tie) state(states *[64]uint8) uint8 {
	s := uint8(parentFor)
	for _, p := range t.parents {
		switch states[p] {
		case 0:
			return 0
		case parentAgainst:
			s = parentAgainst
		}
	}
	return s
}

// tieDraws is how many pairs that agree on the parents are looked at.
const tieDraws = 30_000

// learnTies finds, for each field, the fields whose agreement among strangers
// most often comes with its own. The ties make a tree, so that nothing is
// counted in a circle (Chow and Liu 1968). same holds the levels of pairs of one
// person, by pair and field; without it only strangers are looked at.
func (m *Model) learnTies(d *dataset, same []uint8, rng *rand.Rand) {
	n := len(d.fields)
	parents := make([][]int, 0, n+1)
	var names []int
	for k, f := range d.fields {
		parents = append(parents, []int{k})
		if f.kind == Given || f.kind == Family {
			names = append(names, k)
		}
	}
	if len(names) == 2 {
		parents = append(parents, names)
	}
	type link struct {
		child   int
		parents []int
		gain    float64
		add     [2][]float64
	}
	var links []link
	for _, ps := range parents {
		pairs := d.agreeing(ps, tieDraws, rng)
		if len(pairs) < 500 {
			continue
		}
		among, weight := m.strangers(d, pairs, ps)
		if weight < 300 {
			continue
		}
		for j := range n {
			if slices.Contains(ps, j) || among[j] == nil {
				continue
			}
			k := link{child: j, parents: ps}
			var ok bool
			if k.add, k.gain, ok = m.tieOf(j, ps, among[j], same, n); ok {
				links = append(links, k)
			}
		}
	}
	slices.SortStableFunc(links, func(a, b link) int { return cmp.Compare(b.gain, a.gain) })
	for k := range m.Fields {
		m.Fields[k].Tie = nil
	}
	for _, l := range links {
		if m.Fields[l.child].Tie != nil || slices.ContainsFunc(l.parents, func(p int) bool { return m.restsOn(p, l.child) }) {
			continue
		}
		t := &tie{Add: l.add, parents: l.parents}
		for _, p := range l.parents {
			t.Parents = append(t.Parents, d.fields[p].name)
		}
		m.Fields[l.child].Tie = t
	}
}

// restsOn tells whether field k is, or is tied to, field on.
func (m *Model) restsOn(k, on int) bool {
	if k == on {
		return true
	}
	t := m.Fields[k].Tie
	return t != nil && slices.ContainsFunc(t.parents, func(p int) bool { return m.restsOn(p, on) })
}

// tieOf measures what agreement on the parents does to a field's levels. among
// counts levels among strangers that agree on the parents.
func (m *Model) tieOf(j int, ps []int, among []float64, same []uint8, n int) (add [2][]float64, gain float64, ok bool) {
	levels := m.Fields[j].Levels
	m0, m1 := make([]float64, len(levels)), make([]float64, len(levels))
	var nu, nm0, nm1 float64
	for _, c := range among {
		nu += c
	}
	for p := 0; p < len(same); p += n {
		l := same[p+j]
		agree, absent := true, l == absentLevel
		for _, i := range ps {
			absent = absent || same[p+i] == absentLevel
			agree = agree && !absent && m.supports(i, same[p+i])
		}
		switch {
		case absent:
		case agree:
			m1[l]++
			nm1++
		default:
			m0[l]++
			nm0++
		}
	}
	if nu < 200 {
		return add, 0, false
	}
	add[0], add[1] = make([]float64, len(levels)), make([]float64, len(levels))
	var lift, base float64
	for l := range levels {
		const start = 5 // counts that hold a rarely seen level at no effect
		add[1][l] = math.Log2((m1[l]+start)/(nm1*levels[l].M+start)) - math.Log2((among[l]+start)/(nu*levels[l].U+start))
		add[0][l] = math.Log2((m0[l] + start) / (nm0*levels[l].M + start))
		if m.supports(j, uint8(l)) {
			lift += among[l] / nu
			base += levels[l].U
		}
	}
	if lift <= 1.2*base || base <= 0 || lift*nu < 10 {
		return add, 0, false
	}
	gain = lift*math.Log2(lift/base) + (1-lift)*math.Log2((1-lift+1e-9)/(1-base+1e-9))
	return add, gain, gain > 0.01
}

// supports tells whether a level speaks for one person.
func (m *Model) supports(k int, l uint8) bool {
	lv := m.Fields[k].Levels[l]
	return l > 0 && lv.M > lv.U
}

// strangers tells apart, among pairs that agree on some fields, those of one
// person from strangers, by expectation and maximisation with M as it stands and
// U free: strangers who share a name need not differ as random ones do. It gives
// the levels of the strangers for each other field.
func (m *Model) strangers(d *dataset, pairs [][2]int32, ps []int) (among [][]float64, weight float64) {
	n := len(d.fields)
	ls := d.levelsOf(pairs)
	w := m.weights(d)
	// evidence of the fields with U as it stands; what U's change does is added
	base := make([]float64, len(pairs))
	for i, p := range pairs {
		for k, f := range d.fields {
			l := ls[i*n+k]
			if l == absentLevel || slices.Contains(ps, k) {
				continue
			}
			base[i] += w.value(k, l, f.codes[p[0]], f.codes[p[1]])
		}
	}
	shift := make([][]float64, n) // bits by which U of a level has grown
	for k := range shift {
		shift[k] = make([]float64, len(m.Fields[k].Levels))
	}
	share := 0.3
	for range 30 {
		among = make([][]float64, n)
		for k := range among {
			if !slices.Contains(ps, k) {
				among[k] = make([]float64, len(m.Fields[k].Levels))
			}
		}
		prior := bitsOf(share)
		var matches float64
		for i := range pairs {
			s := base[i] + prior
			row := ls[i*n : i*n+n]
			for k, l := range row {
				if l != absentLevel {
					s -= shift[k][l]
				}
			}
			q := chance(s)
			matches += q
			for k, l := range row {
				if l != absentLevel && among[k] != nil {
					among[k][l] += 1 - q
				}
			}
		}
		share = min(max(matches/float64(len(pairs)), 1e-4), 1-1e-4)
		for k := range among {
			var total float64
			for _, c := range among[k] {
				total += c
			}
			for l, c := range among[k] {
				const start = 20
				shift[k][l] = math.Log2((c + start) / (total*m.Fields[k].Levels[l].U + start))
			}
		}
	}
	return among, float64(len(pairs)) * (1 - share)
}

// agreeing draws pairs of records that have the same values in some fields.
func (d *dataset) agreeing(ps []int, want int, rng *rand.Rand) [][2]int32 {
	keys := make([]uint64, d.n)
	order := make([]int32, 0, d.n)
	for r := range int32(d.n) {
		h := uint64(1)
		for _, k := range ps {
			c := d.fields[k].codes[r]
			if c < 0 {
				h = noKey
				break
			}
			h = mix(h*0x9e3779b97f4a7c15^uint64(c)) | 1
		}
		if keys[r] = h; h != noKey {
			order = append(order, r)
		}
	}
	sortByKey(order, keys)
	start := make([]int32, len(order)) // of the group of each place in order
	end := make([]int32, len(order))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && keys[order[j]] == keys[order[i]] {
			j++
		}
		for x := i; x < j; x++ {
			start[x], end[x] = int32(i), int32(j)
		}
		i = j
	}
	var out [][2]int32
	for range want {
		if len(order) == 0 {
			break
		}
		i := rng.IntN(len(order))
		if n := int(end[i] - start[i]); n > 1 {
			if j := int(start[i]) + rng.IntN(n); j != i {
				out = append(out, [2]int32{order[i], order[j]})
			}
		}
	}
	return out
}
