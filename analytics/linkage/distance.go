package linkage

import "math/bits"

// JaroWinkler is the similarity of two strings between 0 and 1 (Winkler 1990,
// prefix scale 0.1 over at most four letters), computed over bytes.
func JaroWinkler(a, b string) float64 {
	if a == b {
		return 1
	}
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	if len(a) > 64 {
		a = a[:64]
	}
	if len(b) > 64 {
		b = b[:64]
	}
	window := max(len(a), len(b))/2 - 1
	if window < 0 {
		window = 0
	}
	var hitA, hitB uint64
	matches := 0
	for i := range len(a) {
		for j := max(0, i-window); j < min(len(b), i+window+1); j++ {
			if hitB&(1<<j) == 0 && a[i] == b[j] {
				hitA |= 1 << i
				hitB |= 1 << j
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	moved := 0
	for x, y := hitA, hitB; x != 0; x, y = x&(x-1), y&(y-1) {
		if a[bits.TrailingZeros64(x)] != b[bits.TrailingZeros64(y)] {
			moved++
		}
	}
	m := float64(matches)
	jaro := (m/float64(len(a)) + m/float64(len(b)) + (m-float64(moved/2))/m) / 3
	prefix := 0
	for prefix < min(4, len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	return jaro + float64(prefix)*0.1*(1-jaro)
}

// Edits is the number of insertions, deletions, replacements and exchanges of
// neighbours that turn a into b (optimal string alignment), or limit+1 when it
// is more than limit. It is computed over bytes.
func Edits(a, b string, limit int) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > limit {
		return limit + 1
	}
	if len(a) == 0 {
		return len(b)
	}
	if len(b) == 1 || len(b) == 2 && len(a) == 2 && a[0] == b[1] && a[1] == b[0] {
		return 1
	}
	if limit <= 1 {
		return limit + 1
	}
	var space [3][maxValue*4 + 1]uint16
	if len(b) > maxValue*4 {
		return limit + 1
	}
	before, last, row := space[0][:], space[1][:], space[2][:]
	for j := range len(b) + 1 {
		last[j] = uint16(j)
	}
	far := uint16(limit + 1)
	for i := 1; i <= len(a); i++ {
		from, to := max(1, i-limit), min(len(b), i+limit)
		row[from-1] = far
		if from == 1 {
			row[0] = uint16(i)
		}
		best := far
		for j := from; j <= to; j++ {
			cost := uint16(1)
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(last[j-1]+cost, row[j-1]+1)
			if j < i+limit { // the cell above lies in the band
				d = min(d, last[j]+1)
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] && (j > from || from > 1) {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			best = min(best, d)
		}
		if to < len(b) {
			row[to+1] = far
		}
		if best > uint16(limit) {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return min(int(last[len(b)]), limit+1)
}

// mask has a bit for each letter and digit that occurs, so that two values with
// many different bits are known to be far apart without comparing them.
func mask(s string) uint64 {
	var m uint64
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z':
			m |= 1 << (c - 'a')
		case c >= '0' && c <= '9':
			m |= 1 << (26 + c - '0')
		default:
			m |= 1 << (36 + c%28)
		}
	}
	return m
}

// apart is a lower bound on the edits between two values with these masks.
func apart(a, b uint64) int {
	return max(bits.OnesCount64(a&^b), bits.OnesCount64(b&^a))
}

// sound is a short code of how a Latin word sounds, coarser than Soundex's in
// that vowels are dropped everywhere but at the start and in that the first
// letter is coded too: kathryn and catherine get one code.
func sound(s string) string {
	var out [5]byte
	n := 0
	var last byte
	for i := range len(s) {
		c := s[i]
		var k byte
		switch c {
		case 'b', 'p', 'f', 'v':
			k = 'b'
		case 'c', 'k', 'q', 'g', 'j', 's', 'x', 'z':
			k = 'c'
			if c == 'c' && i+1 < len(s) && s[i+1] == 'h' {
				k = 'c'
			}
		case 'd', 't':
			k = 'd'
		case 'l':
			k = 'l'
		case 'm', 'n':
			k = 'm'
		case 'r':
			k = 'r'
		case 'a', 'e', 'i', 'o', 'u', 'y':
			if i == 0 {
				k = 'a'
			} else {
				last = 0
				continue
			}
		default:
			continue
		}
		if k == last {
			continue
		}
		last = k
		if out[n] = k; n == 4 {
			break
		}
		n++
	}
	return string(out[:n])
}
