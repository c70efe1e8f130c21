package linkage

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
)

// learnU sets U of all levels from pairs drawn at random, which are hardly ever
// of one person. For full agreement the exact chance is used: the sum of the
// squared frequencies.
func (m *Model) learnU(d *dataset, draws int, seed uint64, entity []int32) {
	counts := make([][]float64, len(d.fields))
	for k := range d.fields {
		counts[k] = make([]float64, len(m.Fields[k].Levels))
	}
	// a fixed number of shards, each with its own stream, so that the result does
	// not depend on the cores
	const shards = 8
	parts := make([][][]float64, shards)
	var wg sync.WaitGroup
	for s := range shards {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 100+uint64(s)))
			mine := make([][]float64, len(d.fields))
			for k := range mine {
				mine[k] = make([]float64, len(counts[k]))
			}
			for range draws / shards {
				a, b := int32(rng.IntN(d.n)), int32(rng.IntN(d.n))
				if a == b || entity != nil && entity[a] == entity[b] {
					continue
				}
				for k := range mine {
					if l := d.compare(k, a, b); l != absentLevel {
						mine[k][l]++
					}
				}
			}
			parts[s] = mine
		})
	}
	wg.Wait()
	for _, p := range parts {
		for k := range counts {
			for l, c := range p[k] {
				counts[k][l] += c
			}
		}
	}
	for k, f := range d.fields {
		levels := m.Fields[k].Levels
		exact := -1.0
		if f.kind != Geo && f.kind != Numeric {
			exact = 0
			for _, p := range f.freq {
				exact += float64(p) * float64(p)
			}
		}
		setShares(levels, counts[k], 0.5, exact, func(l *Level) *float64 { return &l.U })
		if f.usual != 0 { // equal but for the marks: what is equal without them, less what is with them
			bare := &levels[len(levels)-2]
			bare.U = max(bare.U, math.Exp2(f.usual)-exact)
		}
	}
}

// setShares turns counts of levels into probabilities. Each level has some
// counts to begin with; the last level's probability may be given.
func setShares(levels []Level, counts []float64, start, last float64, of func(*Level) *float64) {
	n := len(levels)
	var total float64
	for l, c := range counts {
		if l < n-1 || last < 0 {
			total += c + start
		}
	}
	rest := 1.0
	if last >= 0 {
		last = min(max(last, 1e-12), 0.999)
		*of(&levels[n-1]) = last
		rest = 1 - last
	}
	for l := range levels {
		if l == n-1 && last >= 0 {
			continue
		}
		*of(&levels[l]) = min(max((counts[l]+start)/total*rest, 1e-12), 1-1e-12)
	}
}

// patterns are distinct vectors of agreement with how often each occurs. The
// frequency of the agreeing values is part of it, rounded to a bit, so that a
// pair that agrees on Nguyễn is not taken for one that agrees on a rare name.
type patterns struct {
	fields int
	levels []uint8 // patterns × fields
	rarity []int8  // patterns × fields: log2 of the agreeing value's frequency
	count  []float64
}

type patternCounter struct {
	p     patterns
	index map[string]int32
	key   []byte
}

func newPatternCounter(fields int) *patternCounter {
	return &patternCounter{p: patterns{fields: fields}, index: map[string]int32{}, key: make([]byte, 2*fields)}
}

func (c *patternCounter) add(d *dataset, a, b int32) {
	n := c.p.fields
	for k, f := range d.fields {
		l := d.compare(k, a, b)
		c.key[k], c.key[n+k] = l, 0
		if l != absentLevel && int(l) == len(levels[f.kind])-1 && f.kind != Geo && f.kind != Numeric {
			c.key[n+k] = byte(int8(math.Round(log2f(f.freq[f.codes[a]]))))
		}
	}
	at, ok := c.index[string(c.key)]
	if !ok {
		at = int32(len(c.p.count))
		c.index[string(c.key)] = at
		c.p.levels = append(c.p.levels, c.key[:n]...)
		for k := range n {
			c.p.rarity = append(c.p.rarity, int8(c.key[n+k]))
		}
		c.p.count = append(c.p.count, 0)
	}
	c.p.count[at]++
}

// em fits M by expectation and maximisation over patterns of pairs that agree
// on a rule. Fields that the rule is made of are left out: among its pairs they
// agree by choice. U may move from where random pairs put it, since strangers who
// share a name or a town need not differ as random ones do. It returns the expected matches of each level for
// each field that was fitted, and the share of matches.
func (m *Model) em(p *patterns, skip []bool, rounds int) (counts [][]float64, share float64) {
	n := p.fields
	fit := make([]FieldModel, n)
	for k := range fit {
		fit[k] = m.Fields[k]
		fit[k].Levels = slices.Clone(fit[k].Levels)
	}
	share = 0.2
	others, shift := make([][]float64, n), make([][]float64, n)
	for k := range shift {
		shift[k] = make([]float64, len(fit[k].Levels))
	}
	var total float64
	for _, c := range p.count {
		total += c
	}
	for round := range rounds {
		counts = make([][]float64, n)
		w := make([][]float64, n)
		for k := range n {
			counts[k] = make([]float64, len(fit[k].Levels))
			others[k] = make([]float64, len(fit[k].Levels))
			w[k] = make([]float64, len(fit[k].Levels))
			for l := range w[k] {
				w[k][l] = fit[k].Levels[l].Weight() - shift[k][l]
			}
		}
		var matches float64
		prior := bitsOf(share)
		for i, c := range p.count {
			s := prior
			row, rare := p.levels[i*n:i*n+n], p.rarity[i*n:i*n+n]
			for k, l := range row {
				if skip[k] || l == absentLevel {
					continue
				}
				if rare[k] != 0 {
					s += math.Log2(fit[k].Levels[l].M) - float64(rare[k]) - shift[k][l]
				} else {
					s += w[k][l]
				}
			}
			q := chance(s) * c
			matches += q
			for k, l := range row {
				if !skip[k] && l != absentLevel {
					counts[k][l] += q
					others[k][l] += c - q
				}
			}
		}
		before := share
		share = min(max(matches/total, 1e-6), 1-1e-6)
		for k := range n {
			if !skip[k] {
				smoothM(fit[k].Levels, counts[k])
				var total float64
				for _, c := range others[k] {
					total += c
				}
				for l, c := range others[k] {
					const start = 100
					shift[k][l] = math.Log2((c + start) / (total*fit[k].Levels[l].U + start))
				}
			}
		}
		if round > 5 && math.Abs(before-share) < 1e-5 {
			break
		}
	}
	return counts, share
}

// smoothM sets M from expected counts. The first counts of each level keep a
// level that was hardly seen from speaking loudly either way.
func smoothM(levels []Level, counts []float64) {
	var total float64
	for _, c := range counts {
		total += c
	}
	const start = 4.0
	for l := range levels {
		p := 0.1 / float64(len(levels)-1)
		if l == len(levels)-1 {
			p = 0.9
		}
		levels[l].M = min(max((counts[l]+start*p)/(total+start), 1e-9), 1-1e-9)
	}
}
