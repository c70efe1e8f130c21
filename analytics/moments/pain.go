package moments

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"omote/analytics/mining"
	"omote/analytics/stats"
)

// Range is a value that is not known exactly, such as what a lost customer costs.
type Range struct{ Low, Mid, High float64 }

// Pain is one trouble at one step and what it costs.
type Pain struct {
	Step int
	// Kind is Failed, Repeated or Waited; Event the trouble when it is Failed.
	Kind  Cause
	Event int32
	// Runs and Customers met it during the whole history.
	Runs, Customers int
	// Reach is how many runs meet it in a quarter of a year.
	Reach stats.Estimate
	// Harm is the effect on each outcome, in their order; nil where it cannot be
	// told.
	Harm []*Result
	// Cost is what one run with the trouble costs more than one without, Money
	// what a quarter of a year costs, both in the unit of the values. Their
	// intervals hold the sampling error of reach and harm, and their outer ends
	// the range of the values.
	Cost, Money stats.Estimate
	// Expected is Money after borrowing strength from the other pains: what
	// [Rank] goes by.
	Expected stats.Estimate
	// Felt is the score of those who met it minus that of the others at the same
	// step, 0 to 1: what they said about the step or, where it was not asked about,
	// what they said next about the same case. N counts those who met it.
	Felt stats.Estimate
	// Quotes are places in History.Answers: what those who met it said, worst
	// first.
	Quotes []int
	// scored tells that Felt rests on enough answers to count in the ranking.
	scored bool
	// Sound is false when the comparison behind every harm is not credible.
	Sound bool
}

// quarter is a quarter of a year in days.
const quarter = 365.25 / 4

// FindPains looks at every trouble, wait above standard and repetition in a
// journey. values say what one unit of each outcome is worth. Troubles that fewer
// than Least customers met are left out: nothing could be said about them.
func FindPains(h *History, j Journey, outcomes []Outcome, values []Range, o Options) ([]Pain, error) {
	all := Runs(h, j)
	var pains []Pain
	for step := range j.Steps {
		runs := ofStep(all, step)
		if len(runs) == 0 {
			continue
		}
		var b *Background
		var before *precedence
		var losses [][]float64
		for _, p := range candidates(runs, j, step) {
			if b == nil {
				b, before = NewBackground(h, runs), newPrecedence(runs)
				for _, out := range outcomes {
					losses = append(losses, h.outcome(runs, out))
				}
			}
			if err := p.measure(h, runs, j, b, before.of(p.mishap(j)), losses, values, o); err != nil {
				return nil, err
			}
			pains = append(pains, p)
		}
	}
	return pains, nil
}

// candidates are the troubles of a step that enough customers met.
func candidates(runs []Run, j Journey, step int) (out []Pain) {
	try := func(p Pain) {
		customers := map[int32]bool{}
		for i := range runs {
			if p.met(&runs[i], j) {
				customers[runs[i].Customer] = true
				p.Runs++
			}
		}
		if p.Customers = len(customers); p.Customers >= Least {
			out = append(out, p)
		}
	}
	for _, event := range j.Trouble {
		try(Pain{Step: step, Kind: Failed, Event: event})
	}
	try(Pain{Step: step, Kind: Waited, Event: mining.None})
	try(Pain{Step: step, Kind: Repeated, Event: mining.None})
	return out
}

// met tells whether a run met the pain.
func (p *Pain) met(r *Run, j Journey) bool {
	if p.Kind != Failed {
		return r.Cause&p.Kind != 0
	}
	i := slices.Index(j.Trouble, p.Event)
	return i >= 0 && i < 64 && r.Trouble&(1<<i) != 0
}

// mishap is the pain as the runs note it.
func (p *Pain) mishap(j Journey) uint8 {
	switch p.Kind {
	case Waited:
		return tooLong
	case Repeated:
		return again
	}
	return uint8(slices.Index(j.Trouble, p.Event))
}

// precedence counts, for each two things that go wrong in the same run, how often
// the one came before the other. One trouble brings the next: a paper asked for
// again lets the customer wait, who then asks where the file is. What usually came
// before a pain is held equal when its harm is measured, so that the harm is not
// counted again at each link of the chain; what came after it is its consequence
// and is not.
type precedence struct{ first, both [mishaps][mishaps]int32 }

func newPrecedence(runs []Run) *precedence {
	p := &precedence{}
	for i := range runs {
		for _, a := range runs[i].met {
			for _, b := range runs[i].met {
				if a.what != b.what {
					p.both[a.what][b.what]++
					if a.at < b.at {
						p.first[a.what][b.what]++
					}
				}
			}
		}
	}
	return p
}

// seenTogether is how many runs must have met both before an order is believed.
const seenTogether = 10

// of gives what usually came before a pain.
func (p *precedence) of(pain uint8) (earlier []uint8) {
	for a := range mishaps {
		if both := p.both[a][pain]; both >= seenTogether && 2*p.first[a][pain] > both {
			earlier = append(earlier, a)
		}
	}
	return earlier
}

func (p *Pain) measure(h *History, runs []Run, j Journey, b *Background, earlier []uint8, losses [][]float64, values []Range, o Options) error {
	met := func(r *Run) bool { return p.met(r, j) }
	for _, y := range losses {
		r, err := Effect(b.study(runs, y, met, func(*Run) bool { return true }, earlier...), o)
		if errors.Is(err, ErrExposed) || errors.Is(err, errModel) {
			r, err = nil, nil
		}
		if err != nil {
			return err
		}
		p.Harm = append(p.Harm, r)
		p.Sound = p.Sound || (r != nil && r.Overlap.Sound())
	}
	level := o.filled().Level
	first, _, _ := h.Log.TimeRange()
	quarters := float64(h.end()-first) / float64(day) / quarter
	p.Reach = stats.Rate(int64(p.Runs), max(quarters, 1e-6), level)
	p.Cost = cost(p.Harm, values)
	p.Money = product(p.Reach, p.Cost)
	p.feel(runs, j, level)
	p.quote(h, runs, j)
	return nil
}

// cost adds the harms up in money. The ends of its interval use the end of each
// range of values that makes it wider.
func cost(harm []*Result, values []Range) stats.Estimate {
	mid, low, high := make([]float64, len(harm)), make([]float64, len(harm)), make([]float64, len(harm))
	for i, r := range harm {
		if r == nil {
			continue
		}
		mid[i], low[i], high[i] = values[i].Mid, values[i].Low, values[i].High
		if r.Effect.Value < 0 { // a gain is worth most at the high value
			low[i], high[i] = high[i], low[i]
		}
	}
	e := Combine(harm, mid)
	e.Low = min(e.Low, Combine(harm, low).Low)
	e.High = max(e.High, Combine(harm, high).High)
	return e
}

// product multiplies two independent estimates (first-order propagation of both
// half-widths).
func product(a, b stats.Estimate) stats.Estimate {
	v := a.Value * b.Value
	low := math.Hypot(a.Value*(b.Value-b.Low), b.Value*(a.Value-a.Low))
	high := math.Hypot(a.Value*(b.High-b.Value), b.Value*(a.High-a.Value))
	return stats.Estimate{Value: v, Low: v - low, High: v + high, N: b.N, Level: b.Level, Method: "product"}
}

// feel compares the scores of those who met it with those of the others.
func (p *Pain) feel(runs []Run, j Journey, level float64) {
	var with, without clusters
	for i := range runs {
		r := &runs[i]
		score := r.Score
		if math.IsNaN(score) {
			score = r.After
		}
		switch {
		case math.IsNaN(score):
		case p.met(r, j):
			with.add(r.Customer, score)
		default:
			without.add(r.Customer, score)
		}
	}
	p.Felt = stats.Estimate{Value: nan, Low: nan, High: nan, Level: level}
	if len(with.sums) > 1 && len(without.sums) > 1 {
		p.Felt = stats.DiffEstimates(with.mean(level), without.mean(level))
		p.Felt.N = int64(len(with.sums))
		p.scored = min(len(with.sums), len(without.sums)) >= fewestScores
	}
}

// quotes is how many of the customers' own words stand with a pain.
const quotes = 5

// quote finds what those who met it said about this run, worst first.
func (p *Pain) quote(h *History, runs []Run, j Journey) {
	type key struct{ customer, id int32 }
	met := map[key]int64{}
	for i := range runs {
		if r := &runs[i]; p.met(r, j) {
			met[key{r.Customer, r.Case}] = r.Began
		}
	}
	var found []int
	for i := range h.Answers {
		a := &h.Answers[i]
		if from, ok := met[key{a.Customer, a.Case}]; ok && a.Comment != "" && a.At > from && a.Polarity <= 0 {
			found = append(found, i)
		}
	}
	worth := func(i int) float64 {
		a := &h.Answers[i]
		w := float64(a.Polarity)
		if !math.IsNaN(a.Score) {
			w += a.Score
		}
		return w - 0.001*float64(min(len(a.Comment), 200))
	}
	slices.SortStableFunc(found, func(a, b int) int { return cmp.Compare(worth(a), worth(b)) })
	p.Quotes = found[:min(quotes, len(found))]
}
