package stats

import (
	"cmp"
	"math"
	"slices"
)

// order lists indices by ascending value.
func order(xs []float64) []int {
	idx := make([]int, len(xs))
	for i := range idx {
		idx[i] = i
	}
	slices.SortStableFunc(idx, func(a, b int) int { return cmp.Compare(xs[a], xs[b]) })
	return idx
}

// Holm returns p-values adjusted so that refusing those at or below α keeps the
// chance of any false refusal within α (Holm 1979), under any dependence.
func Holm(p []float64) []float64 {
	adj, run := make([]float64, len(p)), 0.0
	for rank, i := range order(p) {
		run = math.Max(run, math.Min(1, float64(len(p)-rank)*p[i]))
		adj[i] = run
	}
	return adj
}

// BenjaminiHochberg returns p-values adjusted so that refusing those at or
// below q keeps the expected share of false refusals within q (1995), for
// independent or positively dependent tests.
func BenjaminiHochberg(p []float64) []float64 { return stepUp(p, 1) }

// BenjaminiYekutieli is [BenjaminiHochberg] under any dependence (2001).
func BenjaminiYekutieli(p []float64) []float64 {
	harmonic := 0.0
	for i := range p {
		harmonic += 1 / float64(i+1)
	}
	return stepUp(p, harmonic)
}

func stepUp(p []float64, factor float64) []float64 {
	adj, run := make([]float64, len(p)), 1.0
	idx := order(p)
	for rank := len(p); rank >= 1; rank-- {
		i := idx[rank-1]
		run = math.Min(run, p[i]*factor*float64(len(p))/float64(rank))
		adj[i] = run
	}
	return adj
}

// EBH selects the hypotheses that e-values refuse at false-discovery rate q
// under any dependence (Wang and Ramdas 2022): the k largest, for the largest k
// whose k-th value is at least m/(k·q). The result is true where refused.
func EBH(e []float64, q float64) []bool {
	idx, out := order(e), make([]bool, len(e))
	m := float64(len(e))
	for k := len(e); k >= 1; k-- {
		if e[idx[len(e)-k]] >= m/(float64(k)*q) {
			for _, i := range idx[len(e)-k:] {
				out[i] = true
			}
			break
		}
	}
	return out
}

// OnlineFDR decides hypotheses that arrive one at a time and for ever, keeping
// the false-discovery rate within a bound at every moment.
type OnlineFDR interface {
	// Threshold is the level of the next test: a p-value is refused at or below
	// it, an e-value at or above its inverse.
	Threshold() float64
	// Decide records the next test by its p-value and reports whether it is refused.
	Decide(p float64) bool
}

// LORD is the rule LORD++ (Ramdas, Yang, Wainwright and Jordan 2017), for
// independent p-values: each discovery earns wealth for later tests.
type LORD struct {
	alpha, start float64
	tested       int
	found        []int
}

// NewLORD bounds the false-discovery rate by alpha.
func NewLORD(alpha float64) *LORD { return &LORD{alpha: alpha, start: alpha / 2} }

// Threshold implements [OnlineFDR].
func (l *LORD) Threshold() float64 {
	t := l.tested + 1
	level := l.start * onlineGamma(t)
	for k, at := range l.found {
		earned := l.alpha
		if k == 0 {
			earned = l.alpha - l.start
		}
		level += earned * onlineGamma(t-at)
	}
	return level
}

// Decide implements [OnlineFDR].
func (l *LORD) Decide(p float64) bool {
	refused := p <= l.Threshold()
	l.tested++
	if refused {
		l.found = append(l.found, l.tested)
	}
	return refused
}

// ELOND is e-LOND (Xu and Ramdas 2024), valid for e-values under any
// dependence: the t-th test is held at α·γ(t)·(discoveries so far + 1).
type ELOND struct {
	alpha         float64
	tested, found int
}

// NewELOND bounds the false-discovery rate by alpha.
func NewELOND(alpha float64) *ELOND { return &ELOND{alpha: alpha} }

// Threshold implements [OnlineFDR].
func (l *ELOND) Threshold() float64 {
	return l.alpha * onlineGamma(l.tested+1) * float64(l.found+1)
}

// DecideE records the next test by its e-value and reports whether it is refused.
func (l *ELOND) DecideE(e float64) bool { return l.Decide(1 / e) }

// Decide implements [OnlineFDR]. The p-value must be the inverse of an e-value.
func (l *ELOND) Decide(p float64) bool {
	refused := p <= l.Threshold()
	l.tested++
	if refused {
		l.found++
	}
	return refused
}

// onlineGamma is Javanmard and Montanari's (2018) sequence, which sums to at
// most one: 0.0772·log(max(j,2))/(j·e^√log j).
func onlineGamma(j int) float64 {
	if j < 1 {
		return 0
	}
	x := float64(j)
	return 0.07720838 * math.Log(math.Max(x, 2)) / (x * math.Exp(math.Sqrt(math.Log(x))))
}
