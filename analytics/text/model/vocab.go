package model

import (
	"math"
	"slices"
)

// vocabulary maps features to rows of the weight matrix by open addressing.
// Keys keep the low 32 bits of the feature, block included; with a few hundred
// thousand features a false match is a one-in-ten-thousand event and harmless.
type vocabulary struct {
	keys []uint32 // 0 is empty
	rows []int32
	mask uint32
}

// key never is 0.
func (f feature) key() uint32 { return uint32(f) | 1<<31 }

func slotOf(key uint32) uint32 { return (key * 0x9E3779B1) >> 4 }

func newVocabulary(n int) *vocabulary {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return &vocabulary{keys: make([]uint32, size), rows: make([]int32, size), mask: uint32(size - 1)}
}

// put sets the row of a key that is not yet present.
func (v *vocabulary) put(key uint32, row int32) {
	s := slotOf(key) & v.mask
	for v.keys[s] != 0 {
		s = (s + 1) & v.mask
	}
	v.keys[s], v.rows[s] = key, row
}

// row returns the row of a key, or -1.
func (v *vocabulary) row(key uint32) int32 {
	s := slotOf(key) & v.mask
	for {
		switch v.keys[s] {
		case key:
			return v.rows[s]
		case 0:
			return -1
		}
		s = (s + 1) & v.mask
	}
}

// blockWeights says how much each block counts; they were chosen by
// cross-validation on the training parts of two corpora.
type blockWeights [blocks]float32

// vectoriser turns features into weighted sparse vectors over known rows.
type vectoriser struct {
	vocab   *vocabulary
	keys    []uint32 // by row; only while training
	idf     []float32
	blockOf []block
	weights blockWeights
	counts  []int32 // per row, zero between calls
	touched []int32
}

func newVectoriser(vocab *vocabulary, idf []float32, blockOf []block, w blockWeights) *vectoriser {
	return &vectoriser{vocab: vocab, idf: idf, blockOf: blockOf, weights: w, counts: make([]int32, len(idf))}
}

// vector appends the rows and values of a text to the slices.
func (v *vectoriser) vector(keys []uint32, rows []int32, values []float32) ([]int32, []float32) {
	v.touched = v.touched[:0]
	for _, key := range keys {
		row := v.vocab.row(key)
		if row < 0 {
			continue
		}
		if v.counts[row] == 0 {
			v.touched = append(v.touched, row)
		}
		v.counts[row]++
	}
	var norms [blocks]float32
	base := len(values)
	for _, row := range v.touched {
		value := damp(v.counts[row]) * v.idf[row]
		v.counts[row] = 0
		norms[v.blockOf[row]] += value * value
		rows = append(rows, row)
		values = append(values, value)
	}
	for b, n := range norms {
		if n > 0 {
			norms[b] = v.weights[b] / float32(math.Sqrt(float64(n)))
		}
	}
	for i, row := range v.touched {
		values[base+i] *= norms[v.blockOf[row]]
	}
	return rows, values
}

var dampTable = func() (table [16]float32) {
	for i := 1; i < len(table); i++ {
		table[i] = float32(1 + math.Log(float64(i)))
	}
	return table
}()

// damp returns 1 + log(count).
func damp(count int32) float32 {
	if count < int32(len(dampTable)) {
		return dampTable[count]
	}
	return float32(1 + math.Log(float64(count)))
}

// matrix is a sparse design matrix by rows.
type matrix struct {
	start  []int32 // len = texts + 1
	rows   []int32 // feature rows
	values []float32
}

func (m *matrix) len() int { return len(m.start) - 1 }

// at returns the sparse vector of text i.
func (m *matrix) at(i int) ([]int32, []float32) {
	from, to := m.start[i], m.start[i+1]
	return m.rows[from:to], m.values[from:to]
}

// corpus holds the hashed features of each text, extracted once and used by
// every fold.
type corpus struct {
	keys [][]uint32
}

func newCorpus(texts []string) *corpus {
	x := extractor{normaliser: sharedNormaliser()}
	c := &corpus{keys: make([][]uint32, len(texts))}
	for i, text := range texts {
		features := x.extract(text)
		c.keys[i] = make([]uint32, len(features))
		for n, f := range features {
			c.keys[i][n] = f.key()
		}
	}
	return c
}

// fit learns the vocabulary and the inverse document frequencies from the
// chosen texts. Features of fewer than minTexts texts are left out.
func (c *corpus) fit(index []int, minTexts int, w blockWeights) *vectoriser {
	type seen struct {
		texts int32
		last  int32
	}
	table := make(map[uint32]seen, 1<<16)
	for n, i := range index {
		for _, k := range c.keys[i] {
			if s := table[k]; s.last != int32(n+1) {
				table[k] = seen{s.texts + 1, int32(n + 1)}
			}
		}
	}
	keys := make([]uint32, 0, len(table))
	for k, s := range table {
		if int(s.texts) >= minTexts {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	vocab := newVocabulary(len(keys))
	idf := make([]float32, len(keys))
	blockOf := make([]block, len(keys))
	for row, k := range keys {
		s := table[k]
		vocab.put(k, int32(row))
		idf[row] = float32(1 + math.Log(float64(len(index)+1)/float64(s.texts+1)))
		blockOf[row] = feature(k).block()
	}
	v := newVectoriser(vocab, idf, blockOf, w)
	v.keys = keys
	return v
}

// design makes the matrix of the chosen texts.
func (c *corpus) design(v *vectoriser, index []int) *matrix {
	m := &matrix{start: make([]int32, 1, len(index)+1)}
	for _, i := range index {
		m.rows, m.values = v.vector(c.keys[i], m.rows, m.values)
		m.start = append(m.start, int32(len(m.rows)))
	}
	return m
}
