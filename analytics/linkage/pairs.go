package linkage

import (
	"context"
	"math"
	"math/bits"
	"sync"
)

func ones(x uint64) int { return bits.OnesCount64(x) }

// edge is a pair of records with its evidence in bits, prior included.
type edge struct {
	a, b int32
	bits float32
}

// histogram holds how many pairs had which evidence, in quarter bits, without
// the prior.
type histogram struct {
	count [800]float64
	sum   float64
}

func (h *histogram) add(b float64) {
	at := min(max(int(math.Floor((b+100)*4)), 0), len(h.count)-1)
	h.count[at]++
	h.sum++
}

func (h *histogram) bits(i int) float64 { return (float64(i)+0.5)/4 - 100 }

// prior solves for the chance that two records are of one person: the expected
// matches among the compared pairs over all pairs there are.
func (h *histogram) prior(all float64, start float64) float64 {
	p := start
	for range 30 {
		o := bitsOf(p)
		var matches float64
		for i, c := range h.count {
			if c > 0 {
				matches += c * chance(h.bits(i)+o)
			}
		}
		next := min(max(matches/all, 0.2/all), 0.5)
		if math.Abs(next-p) < 1e-4*p {
			return next
		}
		p = next
	}
	return p
}

// RuleReport tells what one blocking rule brought together.
type RuleReport struct {
	Rule     string `json:"rule"`
	Pairs    int64  `json:"pairs"`     // pairs first found by this rule
	Matches  int64  `json:"matches"`   // of them likely matches
	Alone    int64  `json:"alone"`     // likely matches that no other rule finds
	TooLarge int    `json:"too_large"` // records in blocks too large to compare
}

// scan compares the pairs of all rules, each pair once, and keeps those with at
// least keep bits of evidence, prior included.
func (w *weights) scan(ctx context.Context, bs []*blocks, keep float64, workers int, reports []RuleReport) ([]edge, *histogram, error) {
	var edges []edge
	total := new(histogram)
	for r, b := range bs {
		type result struct {
			edges          []edge
			h              histogram
			matches, alone int64
		}
		const chunk = 4096
		chunks := (len(b.starts) + chunk - 1) / chunk
		results := make([]result, chunks)
		next := make(chan int, chunks)
		for i := range chunks {
			next <- i
		}
		close(next)
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for c := range next {
					if ctx.Err() != nil {
						return
					}
					out := &results[c]
					for i := c * chunk; i < min((c+1)*chunk, len(b.starts)); i++ {
						block := b.order[b.starts[i]:b.ends[i]]
						for j, y := range block {
							for _, x := range block[:j] {
								if seen(bs[:r], x, y) {
									continue
								}
								s := w.pair(x, y)
								out.h.add(s - w.prior)
								if s < keep {
									continue
								}
								out.edges = append(out.edges, edge{x, y, float32(s)})
								if s > 0 {
									out.matches++
									if !seen(bs[r+1:], x, y) {
										out.alone++
									}
								}
							}
						}
					}
				}
			})
		}
		wg.Wait()
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		for i := range results {
			edges = append(edges, results[i].edges...)
			for j, c := range results[i].h.count {
				total.count[j] += c
			}
			total.sum += results[i].h.sum
			reports[r].Pairs += int64(results[i].h.sum)
			reports[r].Matches += results[i].matches
			reports[r].Alone += results[i].alone
		}
		reports[r].TooLarge = b.large
	}
	return edges, total, nil
}

// seen tells whether one of the rules brings the two records together.
func seen(bs []*blocks, x, y int32) bool {
	for _, b := range bs {
		if k := b.keys[x]; k != noKey && k == b.keys[y] {
			return true
		}
	}
	return false
}

// rescore gives edges their evidence anew.
func (w *weights) rescore(edges []edge, workers int) {
	var wg sync.WaitGroup
	step := len(edges)/workers + 1
	for from := 0; from < len(edges); from += step {
		part := edges[from:min(from+step, len(edges))]
		wg.Go(func() {
			for i := range part {
				part[i].bits = float32(w.pair(part[i].a, part[i].b))
			}
		})
	}
	wg.Wait()
}

// coverage estimates the share of matching pairs that at least one rule finds,
// from how many were found once (a) and twice (b): those never found are about
// a²/2b (Chao 1987). It is an upper estimate where rules fail together.
func coverage(bs []*blocks, edges []edge) float64 {
	var found, once, twice float64
	for _, e := range edges {
		if e.bits < 3 {
			continue
		}
		n := 0
		for _, b := range bs {
			if k := b.keys[e.a]; k != noKey && k == b.keys[e.b] {
				n++
			}
		}
		found++
		switch n {
		case 1:
			once++
		case 2:
			twice++
		}
	}
	if found == 0 {
		return 1
	}
	return found / (found + once*once/(2*max(twice, 1)))
}
