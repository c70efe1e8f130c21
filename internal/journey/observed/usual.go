package observed

import (
	"cmp"
	"slices"

	"omote/analytics/mining"
)

// Limits of the search for the usual way.
const (
	usualSteps  = 8    // of the funnel
	usualShare  = 0.10 // of the cases must get through a step
	usualCases  = 500  // are looked at
	usualLength = 100  // events of a case are looked at
	usualBeam   = 6    // chains are kept at a time
)

// chain is a beginning of the usual way: reached is, for each case looked at, the
// place after the event that made its last step, or -1.
type chain struct {
	steps   []int32
	reached []int
	last    int // cases that got through
	sum     int // of the cases of all steps
}

// usualWay finds the steps of a funnel for a journey that nobody has designed: of
// all chains of activities, the one that the most cases walk furthest (the
// largest sum of cases over its steps), by beam search over a sample of cases.
func usualWay(l *mining.Log, g *mining.Graph) []string {
	paths := samplePaths(l)
	candidates := make([]int32, 0, len(g.Nodes))
	for _, n := range g.Nodes {
		if float64(n.Cases) >= usualShare*float64(l.Cases()) {
			candidates = append(candidates, n.Activity)
		}
	}
	best := chain{reached: make([]int, len(paths)), last: len(paths)}
	beam := []chain{best}
	for range usualSteps {
		var next []chain
		for _, c := range beam {
			for _, a := range candidates {
				if slices.Contains(c.steps, a) {
					continue
				}
				longer := c.extend(paths, a)
				if float64(longer.last) >= usualShare*float64(len(paths)) {
					next = append(next, longer)
				}
			}
		}
		if len(next) == 0 {
			break
		}
		slices.SortStableFunc(next, func(a, b chain) int { return cmp.Compare(b.sum, a.sum) })
		beam = next[:min(len(next), usualBeam)]
		if beam[0].sum > best.sum {
			best = beam[0]
		}
	}
	names := make([]string, len(best.steps))
	for i, a := range best.steps {
		names[i] = l.Activities().Name(a)
	}
	return names
}

func samplePaths(l *mining.Log) [][]int32 {
	n := min(l.Cases(), usualCases)
	paths := make([][]int32, n)
	for i := range paths {
		p := l.Path(i * l.Cases() / n)
		paths[i] = p[:min(len(p), usualLength)]
	}
	return paths
}

// extend adds a step to the chain.
func (c chain) extend(paths [][]int32, a int32) chain {
	longer := chain{steps: append(slices.Clone(c.steps), a), reached: make([]int, len(paths)), sum: c.sum}
	for i, p := range paths {
		longer.reached[i] = -1
		if from := c.reached[i]; from >= 0 {
			if at := slices.Index(p[from:], a); at >= 0 {
				longer.reached[i] = from + at + 1
				longer.last++
			}
		}
	}
	longer.sum += longer.last
	return longer
}
