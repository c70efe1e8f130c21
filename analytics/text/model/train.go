package model

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"omote/analytics/text/normalise"
)

// training is what all folds share: examples, their labels as numbers, and the
// hashed features of each text and of its copy without diacritics.
type training struct {
	options  Options
	examples []Example
	labels   []string
	target   [][]int32
	parts    [][2]int32 // of each label, see partsOf
	columns  int        // labels and parts
	corpus   *corpus
	plain    []int // corpus index of the copy without diacritics, or -1
}

func newTraining(examples []Example, o Options) (*training, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("options: %w", err)
	}
	t := &training{options: o, examples: examples, plain: make([]int, len(examples))}
	index := make(map[string]int32)
	for _, e := range examples {
		for _, l := range e.Labels {
			index[l] = 0
			t.labels = append(t.labels, l)
		}
	}
	slices.Sort(t.labels)
	t.labels = slices.Compact(t.labels)
	if len(t.labels) < 2 {
		return nil, errors.New("training needs at least two labels")
	}
	for i, l := range t.labels {
		index[l] = int32(i)
	}
	t.parts, t.columns = partsOf(t.labels)
	texts := make([]string, 0, 2*len(examples))
	for i, e := range examples {
		if len(e.Labels) == 0 {
			return nil, fmt.Errorf("example %d has no label", i+1)
		}
		var target []int32
		for _, l := range e.Labels {
			target = append(target, index[l])
		}
		slices.Sort(target)
		t.target = append(t.target, target)
		texts = append(texts, e.Text)
	}
	for i, e := range examples {
		t.plain[i] = -1
		if plain := normalise.Fold(e.Text); o.PlainCost > 0 && len(plain) != len(e.Text) {
			t.plain[i] = len(texts)
			texts = append(texts, plain)
		}
	}
	t.corpus = newCorpus(texts)
	return t, nil
}

// fitted is a scoring machine before it is stored.
type fitted struct {
	vectors *vectoriser
	weights *linear
}

// fit trains on the chosen examples.
func (t *training) fit(index []int) *fitted {
	o := &t.options
	all := slices.Clone(index)
	cost := make([]float32, 0, 2*len(index))
	target := make([][]int32, 0, 2*len(index))
	for _, i := range index {
		cost = append(cost, float32(o.Cost))
		target = append(target, t.withParts(i))
	}
	for _, i := range index {
		if p := t.plain[i]; p >= 0 {
			all = append(all, p)
			cost = append(cost, float32(o.Cost*o.PlainCost))
			target = append(target, t.withParts(i))
		}
	}
	v := t.corpus.fit(all, o.minTexts(len(index)), o.weights)
	problem := &problem{
		design: t.corpus.design(v, all),
		target: target,
		labels: t.columns,
		cost:   cost,
		boost:  t.boost(target),
		rows:   len(v.idf),
		epochs: o.Epochs,
		seed:   o.Seed,

		tolerance: tolerance,
	}
	weights := problem.solve()
	if t.parts != nil {
		weights = weights.join(t.parts)
	}
	return &fitted{vectors: v, weights: weights}
}

// withParts lists the labels of an example and their parts.
func (t *training) withParts(i int) []int32 {
	if t.parts == nil {
		return t.target[i]
	}
	all := slices.Clone(t.target[i])
	for _, l := range t.target[i] {
		all = append(all, t.parts[l][0], t.parts[l][1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// boost weighs the positive examples of each label by (mean count / count) to
// the power Balance.
func (t *training) boost(target [][]int32) []float32 {
	counts := make([]float64, t.columns)
	total := 0.0
	for _, labels := range target {
		for _, l := range labels {
			counts[l]++
			total++
		}
	}
	boost := make([]float32, t.columns)
	for l, n := range counts {
		boost[l] = 1
		if n > 0 {
			boost[l] = float32(math.Pow(total/float64(len(counts))/n, t.options.Balance))
		}
	}
	return boost
}

// margins scores the chosen texts of the corpus.
func (f *fitted) margins(c *corpus, index []int) [][]float32 {
	design := c.design(f.vectors, index)
	out := make([][]float32, len(index))
	for i := range index {
		out[i] = make([]float32, f.weights.labels)
		rows, values := design.at(i)
		f.weights.scores(out[i], rows, values, 0, f.weights.labels)
	}
	return out
}

// crossFit scores every example by a machine that saw neither it nor a copy of
// it.
func (t *training) crossFit(folds int, seed uint64) [][]float32 {
	fold := groupFolds(t.examples, folds, seed)
	out := make([][]float32, len(t.examples))
	for f := range folds {
		var in, held []int
		for i := range fold {
			if fold[i] == f {
				held = append(held, i)
			} else {
				in = append(in, i)
			}
		}
		for n, m := range t.fit(in).margins(t.corpus, held) {
			out[held[n]] = m
		}
	}
	return out
}
