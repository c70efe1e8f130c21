// Package dedupe groups near-copies of short texts: the same complaint pasted
// five times, a campaign's slogan with another name in it.
//
// # The method
//
// A text is reduced to letters without diacritics and marks, and cut into its
// overlapping pieces of four characters. Two texts are copies when their sets
// of pieces have a Jaccard similarity (shared over all) of at least a
// threshold. Comparing all pairs would take too long, so each set is summarised
// by the smallest values of many hash functions (MinHash): the share of equal
// values estimates the similarity, and texts that agree on one band of values
// become candidates (locality-sensitive hashing). Candidates are compared
// exactly; groups are the connected parts of the graph of copies.
//
// # Sources
//
// Broder, "On the resemblance and containment of documents" (1997); Leskovec,
// Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3.
package dedupe

import (
	"math"
	"slices"

	"omote/analytics/text/normalise"
)

const (
	pieceLength = 4
	bands       = 24
	rows        = 3 // values a band; 24 bands of 3 find pairs of similarity 0.5 with probability 0.96
	signature   = bands * rows
)

// DefaultThreshold is the similarity from which texts count as copies.
const DefaultThreshold = 0.7

// sketch is what is kept of one text.
type sketch struct {
	pieces []uint32 // sorted hashes of the distinct pieces
	values [signature]uint32
}

// Groups returns a group number for each text, numbered from 0 in the order of
// first appearance. Texts without letters or digits are compared as written.
// threshold lies in (0, 1]; values below 0.5 find only part of the pairs.
func Groups(texts []string, threshold float64) []int {
	sketches := make([]sketch, len(texts))
	for i, t := range texts {
		sketches[i] = sketchOf(t)
	}
	sets := newUnion(len(texts))
	buckets := make(map[[rows]uint32]int32)
	for band := range bands {
		clear(buckets)
		for i := range sketches {
			var key [rows]uint32
			copy(key[:], sketches[i].values[band*rows:(band+1)*rows])
			first, ok := buckets[key]
			if !ok {
				buckets[key] = int32(i)
				continue
			}
			if sets.find(i) != sets.find(int(first)) && similarity(sketches[i].pieces, sketches[first].pieces) >= threshold {
				sets.join(i, int(first))
			}
		}
	}
	return sets.numbers()
}

// Similarity returns the Jaccard similarity of two texts, in [0, 1].
func Similarity(a, b string) float64 {
	return similarity(sketchOf(a).pieces, sketchOf(b).pieces)
}

func similarity(a, b []uint32) float64 {
	shared := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			shared++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	all := len(a) + len(b) - shared
	if all == 0 {
		return 1
	}
	return float64(shared) / float64(all)
}

// sketchOf hashes a text.
func sketchOf(text string) sketch {
	letters := lettersOf(text)
	var s sketch
	if len(letters) <= pieceLength {
		s.pieces = append(s.pieces, hashPiece(letters))
	}
	for i := 0; i+pieceLength <= len(letters); i++ {
		s.pieces = append(s.pieces, hashPiece(letters[i:i+pieceLength]))
	}
	slices.Sort(s.pieces)
	s.pieces = slices.Compact(s.pieces)
	for v := range s.values {
		s.values[v] = math.MaxUint32
	}
	for _, p := range s.pieces {
		for v := range s.values {
			s.values[v] = min(s.values[v], uint32((uint64(p)*multipliers[v]+adders[v])>>32))
		}
	}
	return s
}

// lettersOf keeps letters, digits and single blanks, folded; a text without
// them is kept whole.
func lettersOf(text string) []rune {
	var out []rune
	for _, r := range normalise.Fold(text) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 0xC0:
			out = append(out, r)
		case len(out) > 0 && out[len(out)-1] != ' ':
			out = append(out, ' ')
		}
	}
	for len(out) > 0 && out[len(out)-1] == ' ' {
		out = out[:len(out)-1]
	}
	if len(out) == 0 {
		return []rune(text)
	}
	return out
}

func hashPiece(piece []rune) uint32 {
	h := uint64(0xCBF29CE484222325)
	for _, r := range piece {
		h = (h ^ uint64(r)) * 0x100000001B3
	}
	h ^= h >> 31
	return uint32((h * 0x9E3779B97F4A7C15) >> 32)
}

// multipliers and adders make the hash functions (multiply-add-shift,
// Dietzfelbinger); they are fixed, so that groups do not change between runs.
var multipliers, adders = hashFunctions()

func hashFunctions() (a, b [signature]uint64) {
	x := uint64(0x1234567)
	next := func() uint64 { // splitmix64
		x += 0x9E3779B97F4A7C15
		z := x
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		return z ^ z>>31
	}
	for i := range a {
		a[i], b[i] = next()|1, next()
	}
	return a, b
}

// union is a disjoint-set forest.
type union struct{ parent []int32 }

func newUnion(n int) *union {
	u := &union{parent: make([]int32, n)}
	for i := range u.parent {
		u.parent[i] = int32(i)
	}
	return u
}

func (u *union) find(i int) int {
	for int(u.parent[i]) != i {
		u.parent[i] = u.parent[u.parent[i]]
		i = int(u.parent[i])
	}
	return i
}

// join keeps the earlier root, so that a group's root is its first text.
func (u *union) join(a, b int) {
	ra, rb := u.find(a), u.find(b)
	if ra > rb {
		ra, rb = rb, ra
	}
	u.parent[rb] = int32(ra)
}

func (u *union) numbers() []int {
	number := make([]int, len(u.parent))
	seen := make(map[int]int)
	for i := range u.parent {
		root := u.find(i)
		n, ok := seen[root]
		if !ok {
			n = len(seen)
			seen[root] = n
		}
		number[i] = n
	}
	return number
}
