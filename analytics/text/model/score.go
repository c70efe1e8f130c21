package model

import "math"

// Scoring is bound by memory, not by arithmetic: a text touches a few hundred
// features scattered over megabytes. What is known of a feature therefore lies
// in one slot of one table, and its weights side by side in one array, so that
// each feature costs two cache misses.

// slot is one place of the scoring table, 16 bytes. The block is in the key.
type slot struct {
	key   uint32  // 0 is empty
	start uint32  // first entry
	scale float32 // of the entries' weights
	idf   uint16  // in units of 1/idfUnits
	count uint16  // entries
}

// idfUnits is the precision of a stored inverse document frequency, which is at
// most about 16.
const idfUnits = 4095

func roundIDF(idf float32) uint16 {
	return uint16(math.Min(math.MaxUint16, math.Round(float64(idf)*idfUnits)))
}

// entry packs a label and its weight, the weight in the low byte. Models of up
// to 256 labels use the narrow form.
type entry interface{ uint16 | uint32 }

func pack[E entry](label int, weight int8) E { return E(label)<<8 | E(uint8(weight)) }

// table looks features up by open addressing.
type table struct {
	slots []slot
	mask  uint32
}

func newTable(n int) *table {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return &table{slots: make([]slot, size), mask: uint32(size - 1)}
}

func (t *table) put(s slot) {
	at := slotOf(s.key) & t.mask
	for t.slots[at].key != 0 {
		at = (at + 1) & t.mask
	}
	t.slots[at] = s
}

// find returns the slot of the key, or nil.
func (t *table) find(key uint32) *slot {
	at := slotOf(key) & t.mask
	for {
		s := &t.slots[at]
		if s.key == key {
			return s
		}
		if s.key == 0 {
			return nil
		}
		at = (at + 1) & t.mask
	}
}

// counter counts the distinct keys of one text in a table small enough for the
// nearest cache.
type counter struct {
	places []int32 // index in keys plus one
	keys   []uint32
	counts []int32
}

func (c *counter) count(features []feature) {
	size := 256
	for size < 2*len(features) {
		size *= 2
	}
	if len(c.places) != size {
		c.places = make([]int32, size)
	} else {
		clear(c.places)
	}
	c.keys, c.counts = c.keys[:0], c.counts[:0]
	mask := uint32(size - 1)
	for _, f := range features {
		key := f.key()
		at := slotOf(key) & mask
		for {
			n := c.places[at]
			if n == 0 {
				c.keys = append(c.keys, key)
				c.counts = append(c.counts, 1)
				c.places[at] = int32(len(c.keys))
				break
			}
			if c.keys[n-1] == key {
				c.counts[n-1]++
				break
			}
			at = (at + 1) & mask
		}
	}
}

// touched is a known feature of the text.
type touched struct {
	slot  *slot
	value float32
}

// score fills the margins of the features' text.
func (p *Predictor) score(features []feature) {
	m := p.model
	p.counter.count(features)
	p.touched = p.touched[:0]
	var norms [blocks]float32
	for n, key := range p.counter.keys {
		s := m.table.find(key)
		if s == nil {
			continue
		}
		value := damp(p.counter.counts[n]) * float32(s.idf) * (1.0 / idfUnits)
		norms[feature(key).block()] += value * value
		p.touched = append(p.touched, touched{s, value})
	}
	for b, n := range norms {
		if n > 0 {
			norms[b] = m.blockWeight[b] / float32(math.Sqrt(float64(n)))
		}
	}
	if m.narrow != nil {
		p.addNarrow(&norms)
	} else {
		p.addWide(&norms)
	}
	for k := range p.margins {
		p.margins[k] += m.bias[k] * biasValue
	}
}

// addNarrow sums in an array of 256 places, which a byte cannot leave, so that
// the inner loop needs no bounds check.
func (p *Predictor) addNarrow(norms *[blocks]float32) {
	entries, sums := p.model.narrow, &p.sums
	clear(sums[:len(p.margins)])
	for _, t := range p.touched {
		v := t.value * norms[feature(t.slot.key).block()] * t.slot.scale
		list := entries[t.slot.start : t.slot.start+uint32(t.slot.count)]
		for len(list) >= 4 {
			e0, e1, e2, e3 := list[0], list[1], list[2], list[3]
			sums[uint8(e0>>8)] += v * float32(int8(e0))
			sums[uint8(e1>>8)] += v * float32(int8(e1))
			sums[uint8(e2>>8)] += v * float32(int8(e2))
			sums[uint8(e3>>8)] += v * float32(int8(e3))
			list = list[4:]
		}
		for _, e := range list {
			sums[uint8(e>>8)] += v * float32(int8(e))
		}
	}
	copy(p.margins, sums[:])
}

func (p *Predictor) addWide(norms *[blocks]float32) {
	clear(p.margins)
	for _, t := range p.touched {
		v := t.value * norms[feature(t.slot.key).block()] * t.slot.scale
		for _, e := range p.model.wide[t.slot.start : t.slot.start+uint32(t.slot.count)] {
			p.margins[e>>8] += v * float32(int8(e))
		}
	}
}
