package flow

import (
	"cmp"
	"math"
	"slices"
)

// timeOrder puts the nodes into a line by how deep in the process they lie: the
// mean number of moves since the start. A node's depth is one more than the mean
// depth of where it is reached from, weighted by how often; nodes at which cases
// begin are also reached from depth zero. The equations are solved by repeated
// substitution, which converges because every turn passes weight from the starts.
// Then single nodes are moved to where less weight runs backward. Ties keep the
// given order, so the result is stable.
func timeOrder(n int, edges []move, starts []int64) []int {
	depth, next := make([]float64, n), make([]float64, n)
	for range 200 {
		into := make([]float64, n)
		clear(next)
		for _, e := range edges {
			w := float64(e.Count)
			next[e.to] += w * (depth[e.from] + 1)
			into[e.to] += w
		}
		change := 0.0
		for v := range n {
			// A start counts double: a case that comes back to it must not make
			// the beginning look late.
			into[v] += 2 * float64(starts[v])
			if into[v] > 0 {
				next[v] /= into[v]
			}
			next[v] = min(next[v], float64(4*n))
			change = max(change, math.Abs(next[v]-depth[v]))
		}
		depth, next = next, depth
		if change < 1e-6 {
			break
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(depth[a], depth[b]) })
	return improve(order, edges)
}

// improve moves single nodes to where less weight runs backward, until no move is
// worth it. A move must save a tenth of the node's own weight, so that small
// differences do not pull a late activity to the front.
func improve(order []int, edges []move) []int {
	n := len(order)
	between := make([][]int64, n) // weight from one node to another
	total := make([]int64, n)
	for i := range between {
		between[i] = make([]int64, n)
	}
	for _, e := range edges {
		between[e.from][e.to] += e.Count
		total[e.from] += e.Count
		total[e.to] += e.Count
	}
	for range 4 * n {
		bestGain, from, to := int64(0), -1, -1
		for i, v := range order {
			gain := int64(0)
			for j := i + 1; j < n; j++ { // v passes order[j], going later
				gain += between[order[j]][v] - between[v][order[j]]
				if gain > bestGain && 10*gain > total[v] {
					bestGain, from, to = gain, i, j
				}
			}
			gain = 0
			for j := i - 1; j >= 0; j-- { // or earlier
				gain += between[v][order[j]] - between[order[j]][v]
				if gain > bestGain && 10*gain > total[v] {
					bestGain, from, to = gain, i, j
				}
			}
		}
		if from < 0 {
			break
		}
		v := order[from]
		order = slices.Insert(slices.Delete(order, from, from+1), to, v)
	}
	return order
}
