package mining

import (
	"math"
	"slices"
)

// Stats describes a set of durations. All but N are in seconds; they are zero
// when N is zero.
type Stats struct {
	N                                int
	Mean, Median, P90, P95, Min, Max float64
}

const microsPerSecond = 1e6

// Describe computes statistics of durations in microseconds. It reorders them.
func Describe(micros []int64) Stats {
	n := len(micros)
	if n == 0 {
		return Stats{}
	}
	lowest, highest, mean := micros[0], micros[0], meanOf(micros)
	for _, v := range micros {
		lowest, highest = min(lowest, v), max(highest, v)
	}
	q := selector{micros: micros}
	return Stats{
		N:      n,
		Mean:   mean / microsPerSecond,
		Median: q.at(0.5) / microsPerSecond,
		P90:    q.at(0.9) / microsPerSecond,
		P95:    q.at(0.95) / microsPerSecond,
		Min:    float64(lowest) / microsPerSecond,
		Max:    float64(highest) / microsPerSecond,
	}
}

// meanOf returns the mean. The sum is kept in two parts, because ten million
// waits of ten days already overflow one 64-bit sum of microseconds.
func meanOf(micros []int64) float64 {
	const shift = 20
	var high, low int64
	for _, v := range micros {
		high += v >> shift
		low += v & (1<<shift - 1)
	}
	n := int64(len(micros))
	rest := float64(high%n)*(1<<shift) + float64(low)
	return float64(high/n)*(1<<shift) + rest/float64(n)
}

// selector finds quantiles in rising order by partial sorting.
type selector struct {
	micros []int64
	done   int // everything before is in place and not above the rest
}

// at returns the quantile p in microseconds, interpolated linearly between
// order statistics. Calls must not fall in p.
func (q *selector) at(p float64) float64 {
	position := p * float64(len(q.micros)-1)
	k := int(position)
	fraction := position - float64(k)
	lower := q.nth(k)
	if fraction == 0 || k+1 == len(q.micros) {
		return float64(lower)
	}
	upper := slices.Min(q.micros[k+1:])
	return float64(lower) + fraction*float64(upper-lower)
}

// nth puts the k-th smallest value in place and returns it.
func (q *selector) nth(k int) int64 {
	if k >= q.done {
		selectNth(q.micros[q.done:], k-q.done)
		q.done = k
	}
	return q.micros[k]
}

// selectNth reorders v so that v[k] is its k-th smallest value, with nothing
// larger before it and nothing smaller behind. It is the algorithm of Floyd
// and Rivest (Expected time bounds for selection, 1975), which looks at about
// 1.5 n values, with a turn to sorting should it not get ahead.
func selectNth(v []int64, k int) {
	const small, tries = 600, 64
	lo, hi := 0, len(v)-1
	for range tries {
		if hi-lo < 24 {
			break
		}
		if hi-lo > small {
			// Select in a sample first, so that the pivot falls close to k.
			n, i := float64(hi-lo+1), float64(k-lo+1)
			z := math.Log(n)
			size := 0.5 * math.Exp(2*z/3)
			spread := 0.5 * math.Sqrt(z*size*(n-size)/n)
			if i < n/2 {
				spread = -spread
			}
			from := max(lo, int(float64(k)-i*size/n+spread))
			to := min(hi, int(float64(k)+(n-i)*size/n+spread))
			selectNth(v[from:to+1], k-from)
		}
		lo, hi = partition(v, lo, hi, k)
	}
	slices.Sort(v[lo : hi+1])
}

// partition splits v[lo:hi+1] at the value v[k] and returns the part that k
// falls in.
func partition(v []int64, lo, hi, k int) (int, int) {
	pivot := v[k]
	i, j := lo, hi
	for i <= j {
		for v[i] < pivot {
			i++
		}
		for v[j] > pivot {
			j--
		}
		if i <= j {
			v[i], v[j] = v[j], v[i]
			i++
			j--
		}
	}
	if j < k {
		lo = i
	}
	if k < i {
		hi = j
	}
	if j < k && k < i {
		return k, k
	}
	return lo, hi
}
