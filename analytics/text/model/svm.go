package model

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// problem is a set of one-against-rest support vector machines that share
// their examples.
type problem struct {
	design    *matrix
	target    [][]int32 // labels of each example, sorted
	labels    int
	cost      []float32 // of each example
	boost     []float32 // of each label, for its positive examples
	rows      int       // features
	epochs    int
	seed      uint64
	tolerance float32 // ends the descent; see the constant
}

// linear holds weights by feature: the weight of feature f for label k is
// w[f*labels+k].
type linear struct {
	labels int
	w      []float32
	bias   []float32
}

// biasValue is the value of the constant feature; a small one regularises the
// bias less than the weights are.
const biasValue = 1

// tolerance ends the descent when no projected gradient exceeds it; nearer to
// the optimum no accuracy is gained.
const tolerance = 0.05

// solverParts is how many parts of the labels are solved side by side. Each part
// stops on its own, so the number belongs to the result and must not follow the
// machine.
const solverParts = 2

// solve minimises, for each label, |w|²/2 + Σ cost·max(0, 1 − y·wx)² by dual
// coordinate descent. The labels are split into a fixed number of parts that
// are solved side by side, so that the result is the same on any machine with
// the same floating-point arithmetic.
func (p *problem) solve() *linear {
	m := &linear{labels: p.labels, w: make([]float32, p.rows*p.labels), bias: make([]float32, p.labels)}
	norms := make([]float32, p.design.len())
	for i := range norms {
		_, values := p.design.at(i)
		n := float32(biasValue * biasValue)
		for _, v := range values {
			n += v * v
		}
		norms[i] = n
	}
	parts := min(solverParts, (p.labels+7)/8)
	var wait sync.WaitGroup
	for part := range parts {
		from, to := part*p.labels/parts, (part+1)*p.labels/parts
		wait.Go(func() { p.descend(m, norms, from, to) })
	}
	wait.Wait()
	return m
}

// Between full passes over all labels, only the labels that are at work for an
// example are looked at: those with a dual variable above zero or a margin that
// is nearly at fault. Most labels of most examples never are.
const (
	fullEvery  = 5
	nearMargin = 0.1
)

// descent solves the labels [from, from+width) of a problem.
type descent struct {
	*problem
	machine     *linear
	norms       []float32
	from, width int
	alpha       []float32
	scores      []float32
	active      [][]uint16
	steps       []step
	worst       float32 // largest projected gradient of this pass
}

// step is a change of one label's weights along the present example.
type step struct {
	label int
	delta float32
}

func (p *problem) descend(m *linear, norms []float32, from, to int) {
	n, width := p.design.len(), to-from
	d := &descent{
		problem: p, machine: m, norms: norms, from: from, width: width,
		alpha: make([]float32, n*width), scores: make([]float32, width), active: make([][]uint16, n),
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	shuffle := rand.New(rand.NewPCG(p.seed, 0xD15C))
	for pass := range p.epochs {
		shuffle.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		full := pass%fullEvery == 0 || pass == p.epochs-1
		d.worst = 0
		for _, i := range order {
			if full {
				d.visitAll(i)
			} else {
				d.visitActive(i)
			}
		}
		if full && d.worst < p.tolerance {
			return
		}
	}
}

// visitAll updates every label of example i and renews its active labels.
func (d *descent) visitAll(i int) {
	rows, values := d.design.at(i)
	d.machine.scores(d.scores, rows, values, d.from, d.from+d.width)
	active := d.active[i][:0]
	for k, score := range d.scores {
		if d.update(i, k, score) {
			active = append(active, uint16(k))
		}
	}
	d.active[i] = active
	d.apply(rows, values)
}

// visitActive updates the active labels of example i.
func (d *descent) visitActive(i int) {
	active := d.active[i]
	if len(active) == 0 {
		return
	}
	rows, values := d.design.at(i)
	scores := d.scores[:len(active)]
	for n, k := range active {
		scores[n] = d.machine.bias[d.from+int(k)] * biasValue
	}
	for j, row := range rows {
		v := values[j]
		line := d.machine.w[int(row)*d.labels+d.from:]
		for n, k := range active {
			scores[n] += v * line[k]
		}
	}
	for n, k := range active {
		d.update(i, int(k), scores[n])
	}
	d.apply(rows, values)
}

// update takes the one-variable Newton step of label k for example i, given
// its score, and tells whether the label is at work.
func (d *descent) update(i, k int, score float32) bool {
	label := d.from + k
	y, cost := float32(-1), d.cost[i]
	if slices.Contains(d.target[i], int32(label)) {
		y, cost = 1, cost*d.boost[label]
	}
	a := d.alpha[i*d.width+k]
	gradient := y*score - 1 + a/(2*cost)
	if a == 0 && gradient >= 0 {
		return gradient < nearMargin
	}
	d.worst = max(d.worst, gradient, -gradient)
	next := max(0, a-gradient/(d.norms[i]+1/(2*cost)))
	d.alpha[i*d.width+k] = next
	if change := (next - a) * y; change != 0 {
		d.steps = append(d.steps, step{label, change})
	}
	return true
}

// apply adds the collected steps to the weights.
func (d *descent) apply(rows []int32, values []float32) {
	w, labels := d.machine.w, d.labels
	for _, s := range d.steps {
		d.machine.bias[s.label] += s.delta * biasValue
		for j, row := range rows {
			w[int(row)*labels+s.label] += s.delta * values[j]
		}
	}
	d.steps = d.steps[:0]
}

// scores computes the margins of the labels [from, to).
func (m *linear) scores(dst []float32, rows []int32, values []float32, from, to int) {
	for k := range dst {
		dst[k] = m.bias[from+k] * biasValue
	}
	for j, row := range rows {
		v := values[j]
		w := m.w[int(row)*m.labels+from : int(row)*m.labels+to]
		w = w[:len(dst)]
		for k := range dst {
			dst[k] += v * w[k]
		}
	}
}
