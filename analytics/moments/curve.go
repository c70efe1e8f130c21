package moments

import (
	"math"

	"omote/analytics/stats"
)

// Feeling is how one step feels, as far as customers said so.
type Feeling struct {
	Step int
	// Score is the mean of the answers about the step, 0 (worst) to 1 (best); N
	// of it counts answers, and its ends are NaN below two customers.
	Score stats.Estimate
	// Change is the score minus the mean of the step before that has one: where
	// the curve falls or rises. NaN for the first.
	Change stats.Estimate
	// Negative is the share of comments about the step with a bad tone.
	Negative stats.Estimate
	// Runs is how many went through the step: what share of them spoke.
	Runs int
}

// Curve computes the emotion curve of a journey: a point only where customers
// were asked, with its interval; nothing is drawn between. The answers are those
// that came in: who answers is not corrected for.
func Curve(h *History, j Journey, level float64) []Feeling {
	steps := make([]Feeling, len(j.Steps))
	scores := make([]clusters, len(steps))
	for _, r := range Runs(h, j) {
		if r.Reached {
			steps[r.Step].Runs++
		}
		if !math.IsNaN(r.Score) {
			scores[r.Step].add(r.Customer, r.Score)
		}
	}
	said, bad := tones(h, j)
	before := -1
	for i := range steps {
		f := &steps[i]
		f.Step, f.Score = i, scores[i].mean(level)
		f.Negative = stats.Proportion(bad[i], said[i], level)
		f.Change = stats.Estimate{Value: nan, Low: nan, High: nan, Level: level}
		if f.Score.N == 0 {
			continue
		}
		if before >= 0 {
			f.Change = stats.DiffEstimates(f.Score, steps[before].Score)
		}
		before = i
	}
	return steps
}

// tones counts the comments about each step, and those with a bad tone.
func tones(h *History, j Journey) (said, bad []int64) {
	step := map[int32]int{}
	for i, s := range j.Steps {
		step[s.Event] = i
		for _, a := range s.Also {
			step[a] = i
		}
	}
	said, bad = make([]int64, len(j.Steps)), make([]int64, len(j.Steps))
	for i := range h.Answers {
		a := &h.Answers[i]
		if k, ok := step[a.Trigger]; ok && a.Comment != "" {
			said[k]++
			if a.Polarity < 0 {
				bad[k]++
			}
		}
	}
	return said, bad
}

// clusters sums values by customer; customers come side by side.
type clusters struct {
	customer int32
	sums     []float64
	counts   []float64
}

func (c *clusters) add(customer int32, v float64) {
	if n := len(c.sums); n == 0 || c.customer != customer {
		c.customer = customer
		c.sums, c.counts = append(c.sums, 0), append(c.counts, 0)
	}
	c.sums[len(c.sums)-1] += v
	c.counts[len(c.counts)-1]++
}

// mean is the mean over all values, with an interval that knows that the values
// of one customer hang together (linearised ratio of sums).
func (c *clusters) mean(level float64) stats.Estimate {
	if len(c.sums) == 0 {
		return stats.Estimate{Value: nan, Low: nan, High: nan, Level: level}
	}
	e := stats.Ratio(stats.RatioMomentsOf(c.sums, c.counts), level)
	n := 0.0
	for _, k := range c.counts {
		n += k
	}
	e.N = int64(n)
	e.Low, e.High = max(e.Low, 0), min(e.High, 1)
	return e
}
