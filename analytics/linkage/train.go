package linkage

import (
	"cmp"
	"slices"
)

// largeBlock is the most records that one block may hold to be compared.
const largeBlock = 400

// pilotPairs is how many pairs of a rule are looked at to learn from.
const pilotPairs = 40_000

// samplePairs gives pairs of a rule: whole blocks, drawn by their key.
func samplePairs(b *blocks, want int, seed uint64, visit func(x, y int32)) {
	var total float64
	for i := range b.starts {
		n := float64(b.ends[i] - b.starts[i])
		total += n * (n - 1) / 2
	}
	every := max(uint64(total/float64(want)), 1)
	for i := range b.starts {
		block := b.order[b.starts[i]:b.ends[i]]
		if every > 1 && mix(b.keys[block[0]]^seed)%every != 0 {
			continue
		}
		for j, x := range block {
			for _, y := range block[:j] {
				visit(y, x)
			}
		}
	}
}

// pilot picks rules to learn from: each looks at other fields, the widest first,
// so that every field is free in several of them.
func pilot(d *dataset, atoms []atom, rules []rule, most int) []int {
	order := make([]int, len(rules))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rules[b].cost, rules[a].cost) })
	seen := map[uint64]bool{}
	used := make([]int, len(d.fields))
	var picked []int
	for limit := 1; limit <= 6 && len(picked) < most; limit++ {
		for _, i := range order {
			var fields uint64
			tired := false
			for _, a := range rules[i].atoms {
				fields |= 1 << atoms[a].field
				tired = tired || used[atoms[a].field] >= limit
			}
			if seen[fields] || tired || len(picked) >= most || rules[i].cost == 0 {
				continue
			}
			seen[fields] = true
			for _, a := range rules[i].atoms {
				used[atoms[a].field]++
			}
			picked = append(picked, i)
		}
	}
	return picked
}

// train learns M from the pairs of several rules: each fits the fields it is not
// made of, and the median of what they find is taken.
func (m *Model) train(d *dataset, atoms []atom, rules []rule, picked []int, blocksOf func(int) *blocks) {
	type part struct {
		p    *patterns
		skip []bool
	}
	var partsOf []part
	for _, i := range picked {
		c := newPatternCounter(len(d.fields))
		samplePairs(blocksOf(i), pilotPairs, m.Seed, func(x, y int32) { c.add(d, x, y) })
		skip := make([]bool, len(d.fields))
		for _, a := range rules[i].atoms {
			skip[atoms[a].field] = true
		}
		if len(c.p.count) > 0 {
			partsOf = append(partsOf, part{&c.p, skip})
		}
	}
	for range 2 { // the second time from what the first learnt of all fields
		found := make([][][]Level, len(d.fields)) // M by field and rule
		for _, p := range partsOf {
			counts, _ := m.em(p.p, p.skip, 40)
			for k := range counts {
				var total float64
				for _, c := range counts[k] {
					total += c
				}
				if p.skip[k] || total < 5 {
					continue
				}
				levels := slices.Clone(m.Fields[k].Levels)
				smoothM(levels, counts[k])
				found[k] = append(found[k], levels)
			}
		}
		for k := range found {
			middle(m.Fields[k].Levels, found[k])
		}
	}
}

// middle sets M to the median of what the rules found. A rule's matches may be
// something else than persons, such as all who share a name or a household; the
// median is that of most rules.
func middle(levels []Level, found [][]Level) {
	if len(found) == 0 {
		return
	}
	var total float64
	for l := range levels {
		ms := make([]float64, len(found))
		for i := range found {
			ms[i] = found[i][l].M
		}
		slices.Sort(ms)
		n := len(ms)
		levels[l].M = (ms[n/2] + ms[(n-1)/2]) / 2
		total += levels[l].M
	}
	for l := range levels {
		levels[l].M = min(max(levels[l].M/total, 1e-9), 1-1e-9)
	}
}

// choose picks the rules that find most of the pilot's likely matches for the
// fewest comparisons, until what a further rule would find alone is not worth it.
func choose(d *dataset, atoms []atom, rules []rule, matches [][2]int32, budget float64) []int {
	covers := make([][]uint64, len(rules))
	wordsN := (len(matches) + 63) / 64
	agree := make([][]uint64, len(atoms))
	for a := range atoms {
		agree[a] = make([]uint64, wordsN)
		f := d.fields[atoms[a].field]
		for i, m := range matches {
			x, y := f.codes[m[0]], f.codes[m[1]]
			if x >= 0 && y >= 0 && atoms[a].key[x] != noKey && atoms[a].key[x] == atoms[a].key[y] {
				agree[a][i/64] |= 1 << (i % 64)
			}
		}
	}
	for i, r := range rules {
		covers[i] = slices.Clone(agree[r.atoms[0]])
		for _, a := range r.atoms[1:] {
			for w := range covers[i] {
				covers[i][w] &= agree[a][w]
			}
		}
	}
	// a pair should be found twice: then a slip in one rule's field does not lose it
	once, twice := make([]uint64, wordsN), make([]uint64, wordsN)
	var picked []int
	used := make([]bool, len(rules))
	spent := 0.0
	for len(picked) < 20 {
		best, bestWorth := -1, 0.0
		for i, r := range rules {
			if used[i] || spent+r.cost*float64(d.n) > budget && len(picked) > 2 {
				continue
			}
			gain := 0.0
			for w, c := range covers[i] {
				gain += float64(ones(c&^once[w])) + 0.3*float64(ones(c&once[w]&^twice[w]))
			}
			if gain < 0.0005*float64(len(matches)) || gain < 2 {
				continue
			}
			if worth := gain / (r.cost + 0.5); worth > bestWorth {
				best, bestWorth = i, worth
			}
		}
		if best < 0 {
			break
		}
		used[best] = true
		picked = append(picked, best)
		spent += rules[best].cost * float64(d.n)
		for w, c := range covers[best] {
			twice[w] |= once[w] & c
			once[w] |= c
		}
	}
	return picked
}
