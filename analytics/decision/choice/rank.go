package choice

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Range is a value that lies between Low and High, most likely at Mid.
type Range struct{ Low, Mid, High float64 }

// Exactly is a value that is known.
func Exactly(x float64) Range { return Range{x, x, x} }

func (r Range) valid() bool {
	return r.Low <= r.Mid && r.Mid <= r.High && !math.IsInf(r.Low, 0) && !math.IsInf(r.High, 0)
}

// Criterion is one side of merit. Its weight lies anywhere in the range Low to
// High, all equally likely; only the ratios of weights count.
type Criterion struct {
	Name      string
	Low, High float64 // of the weight, not negative
}

// Alternative is something that may be chosen.
type Alternative struct {
	Name string
	// Merits has one value for each criterion, more being better, on a common
	// scale such as 0 to 1. Draws follow the triangular distribution.
	Merits []Range
}

// Options set how ranks are drawn; zero values take the defaults.
type Options struct {
	// Chosen is how many alternatives are chosen. Default 1.
	Chosen int
	// Draws is how often weights and merits are drawn. Default 10,000.
	Draws int
	Seed  uint64
}

// Standing is how one alternative ranks.
type Standing struct {
	Index int // of the alternative given
	// First and Chosen are the shares of draws in which it ranks first, and among
	// those chosen.
	First, Chosen float64
	// Mean rank, and the ranks that 90% of the draws lie between; 1 is best.
	MeanRank        float64
	LowRank, HiRank int
	// Score is the mean weighted merit with the range of 90% of the draws, the
	// weights summing to one.
	Score Range
	// Dominated counts alternatives that are at least as good whatever weights and
	// merits hold.
	Dominated int
}

// Ranking is the outcome.
type Ranking struct {
	// Standings are ordered by the share in which they are chosen, then by mean
	// rank.
	Standings []Standing
	// Set is the set of alternatives that is chosen most often, as indexes in
	// rising order, and SetShare how often.
	Set      []int
	SetShare float64
}

// ErrEmpty is returned when there is nothing to rank, or nothing to rank by.
var ErrEmpty = errors.New("choice: no alternatives, or no criteria")

// Rank ranks alternatives over the ranges of weights and merits.
func Rank(criteria []Criterion, alternatives []Alternative, o Options) (*Ranking, error) {
	if err := check(criteria, alternatives); err != nil {
		return nil, err
	}
	if o.Draws <= 0 {
		o.Draws = 10_000
	}
	o.Chosen = min(max(o.Chosen, 1), len(alternatives))
	n := len(alternatives)
	random := rand.New(rand.NewPCG(o.Seed, 0x5dec))
	first, chosen, rankSum := make([]int, n), make([]int, n), make([]float64, n)
	ranks, scores := make([][]int, n), make([][]float64, n)
	sets := map[string]int{}
	weights, score, order := make([]float64, len(criteria)), make([]float64, n), make([]int, n)
	for range o.Draws {
		drawWeights(random, criteria, weights)
		for i, a := range alternatives {
			score[i] = 0
			for k, w := range weights {
				score[i] += w * a.Merits[k].draw(random)
			}
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
		for r, i := range order {
			rankSum[i] += float64(r + 1)
			ranks[i], scores[i] = append(ranks[i], r+1), append(scores[i], score[i])
			if r < o.Chosen {
				chosen[i]++
			}
		}
		first[order[0]]++
		sets[setKey(order[:o.Chosen])]++
	}
	out := &Ranking{}
	for i := range alternatives {
		slices.Sort(ranks[i])
		slices.Sort(scores[i])
		s := Standing{Index: i, First: share(first[i], o.Draws), Chosen: share(chosen[i], o.Draws), MeanRank: rankSum[i] / float64(o.Draws),
			LowRank: ranks[i][o.Draws/20], HiRank: ranks[i][o.Draws-1-o.Draws/20], Score: Range{scores[i][o.Draws/20], mean(scores[i]), scores[i][o.Draws-1-o.Draws/20]}}
		for j := range alternatives {
			if j != i && Dominates(criteria, alternatives[j], alternatives[i]) {
				s.Dominated++
			}
		}
		out.Standings = append(out.Standings, s)
	}
	slices.SortStableFunc(out.Standings, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(b.Chosen, a.Chosen), cmp.Compare(a.MeanRank, b.MeanRank))
	})
	best := ""
	for key, k := range sets {
		if k > sets[best] || (k == sets[best] && key < best) {
			best = key
		}
	}
	for _, b := range []rune(best) {
		out.Set = append(out.Set, int(b))
	}
	out.SetShare = share(sets[best], o.Draws)
	return out, nil
}

func check(criteria []Criterion, alternatives []Alternative) error {
	if len(criteria) == 0 || len(alternatives) == 0 {
		return ErrEmpty
	}
	total := 0.0
	for _, c := range criteria {
		if !(c.Low >= 0 && c.Low <= c.High) || math.IsInf(c.High, 0) {
			return fmt.Errorf("choice: the weight of %s runs from %v to %v", c.Name, c.Low, c.High)
		}
		total += c.High
	}
	if total == 0 {
		return errors.New("choice: all weights are zero")
	}
	for _, a := range alternatives {
		if len(a.Merits) != len(criteria) {
			return fmt.Errorf("choice: %s has %d merits for %d criteria", a.Name, len(a.Merits), len(criteria))
		}
		for k, m := range a.Merits {
			if !m.valid() {
				return fmt.Errorf("choice: the merit of %s for %s runs from %v over %v to %v", a.Name, criteria[k].Name, m.Low, m.Mid, m.High)
			}
		}
	}
	return nil
}

// drawWeights draws weights that sum to one.
func drawWeights(random *rand.Rand, criteria []Criterion, weights []float64) {
	for {
		total := 0.0
		for k, c := range criteria {
			weights[k] = c.Low + random.Float64()*(c.High-c.Low)
			total += weights[k]
		}
		if total > 0 {
			for k := range weights {
				weights[k] /= total
			}
			return
		}
	}
}

// draw is a value of the triangular distribution.
func (r Range) draw(random *rand.Rand) float64 {
	if r.High == r.Low {
		return r.Low
	}
	u := random.Float64()
	if at := (r.Mid - r.Low) / (r.High - r.Low); u < at {
		return r.Low + math.Sqrt(u*(r.High-r.Low)*(r.Mid-r.Low))
	}
	return r.High - math.Sqrt((1-u)*(r.High-r.Low)*(r.High-r.Mid))
}

// Dominates tells whether a is at least as good as b, and better somewhere,
// whatever weights and merits within their ranges hold. It is exact: the smallest
// difference lies at a corner, each weight at the end that favours b.
func Dominates(criteria []Criterion, a, b Alternative) bool {
	worst, best := 0.0, 0.0
	for k, c := range criteria {
		low := a.Merits[k].Low - b.Merits[k].High
		worst += low * corner(c, low < 0)
		high := a.Merits[k].High - b.Merits[k].Low
		best += high * corner(c, high > 0)
	}
	return worst >= 0 && best > 0
}

// corner is the end of the weight that counts most, or least.
func corner(c Criterion, high bool) float64 {
	if high {
		return c.High
	}
	return c.Low
}

func setKey(order []int) string {
	set := slices.Clone(order)
	slices.Sort(set)
	key := make([]rune, len(set))
	for i, x := range set {
		key[i] = rune(x)
	}
	return string(key)
}

func share(n, all int) float64 { return float64(n) / float64(all) }

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
