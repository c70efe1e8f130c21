package model

import (
	"math"
	"slices"
	"sync"

	"omote/analytics/text/normalise"
)

// Model is a trained classifier. It is immutable and safe to share.
type Model struct {
	labels      []string
	bias        []float32
	rows        []slot   // in order of their keys
	narrow      []uint16 // entries when there are at most 256 labels
	wide        []uint32 // entries otherwise
	table       *table   // of the rows
	blockWeight blockWeights
	calibration calibration
	drifted     bool
}

// Labels lists the labels in order; predictions are indexed by it.
func (m *Model) Labels() []string { return slices.Clone(m.labels) }

// Features returns the number of stored features.
func (m *Model) Features() int { return len(m.rows) }

var sharedNormaliser = sync.OnceValue(normalise.Default)

// Train learns a classifier from examples.
func Train(examples []Example, o Options) (*Model, error) {
	t, err := newTraining(examples, o)
	if err != nil {
		return nil, err
	}
	index := make([]int, len(examples))
	for i := range index {
		index[i] = i
	}
	m := store(t.fit(index), t.labels, &t.options)
	m.calibration = uncalibrated
	if folds := min(o.Folds, len(examples)/2); folds >= 2 {
		margins := t.crossFit(folds, o.Seed)
		m.calibration.Sharpness = fitSharpness(margins, t.target)
		shift, half := t.recentShift(m.calibration.Sharpness)
		if shift != nil {
			m.drifted = true
			addShift(m.bias, shift)
			for _, row := range margins {
				addShift(row, shift)
			}
		}
		m.calibration.fitLeading(margins, t.target, ageWeights(len(margins), half))
		m.calibration.Second = secondMargin(margins, t.target)
	}
	return m, nil
}

func addShift(margins, shift []float32) {
	for k, s := range shift {
		margins[k] += s
	}
}

// Drifted tells whether training found that the label mix of the later
// examples foretells the next texts better than the mix of all, and follows it.
// It is not stored.
func (m *Model) Drifted() bool { return m.drifted }

// weakest is the smallest rounded weight, of 127, that is stored; smaller ones
// change no answer and cost time.
const weakest = 10

// store keeps the features that matter and rounds their weights.
func store(f *fitted, labels []string, o *Options) *Model {
	k := len(labels)
	m := &Model{labels: labels, bias: f.weights.bias, blockWeight: o.weights}
	for _, row := range strongest(f, o.maxFeatures()) {
		w := f.weights.w[row*k : (row+1)*k]
		top := float32(0)
		for _, v := range w {
			top = max(top, v, -v)
		}
		s := slot{key: f.vectors.keys[row], start: uint32(m.entries()), scale: top / 127, idf: roundIDF(f.vectors.idf[row])}
		for label, v := range w {
			if q := math.RoundToEven(float64(v / s.scale)); q >= weakest || q <= -weakest {
				m.addEntry(label, int8(q))
				s.count++
			}
		}
		m.rows = append(m.rows, s)
	}
	m.index()
	return m
}

// isNarrow tells whether a label's number fits in a byte.
func (m *Model) isNarrow() bool { return len(m.labels) <= 256 }

func (m *Model) entries() int { return len(m.narrow) + len(m.wide) }

func (m *Model) addEntry(label int, weight int8) {
	if m.isNarrow() {
		m.narrow = append(m.narrow, pack[uint16](label, weight))
	} else {
		m.wide = append(m.wide, pack[uint32](label, weight))
	}
}

// index builds the lookup table from the rows.
func (m *Model) index() {
	m.table = newTable(len(m.rows))
	for _, s := range m.rows {
		m.table.put(s)
	}
}

// strongest lists, in order, the rows whose weights can move a margin most.
func strongest(f *fitted, most int) []int {
	k := f.weights.labels
	n := len(f.vectors.idf)
	strength := make([]float32, n)
	rows := make([]int, 0, n)
	for row := range n {
		sum := float32(0)
		for _, v := range f.weights.w[row*k : (row+1)*k] {
			sum += v * v
		}
		if sum > 0 {
			strength[row] = sum * f.vectors.idf[row] * f.vectors.idf[row]
			rows = append(rows, row)
		}
	}
	if len(rows) > most {
		slices.SortStableFunc(rows, func(a, b int) int {
			switch {
			case strength[a] > strength[b]:
				return -1
			case strength[a] < strength[b]:
				return 1
			}
			return 0
		})
		rows = rows[:most]
		slices.Sort(rows)
	}
	return rows
}

// Predictor runs a model for one goroutine; its buffers are reused.
type Predictor struct {
	model         *Model
	extractor     extractor
	counter       counter
	touched       []touched
	sums          [256]float32
	margins       []float32
	probabilities []float32
}

// NewPredictor makes a predictor.
func (m *Model) NewPredictor() *Predictor {
	return &Predictor{
		model:         m,
		extractor:     extractor{normaliser: sharedNormaliser()},
		margins:       make([]float32, len(m.labels)),
		probabilities: make([]float32, len(m.labels)),
	}
}

// Prediction is what a model says of one text. It is valid until the
// predictor's next text.
type Prediction struct {
	model *Model
	top   int
	// Margins and Probabilities are indexed like Model.Labels. Probabilities
	// sum to 1.
	Margins       []float32
	Probabilities []float32
}

// Classify reads one text.
func (p *Predictor) Classify(text string) Prediction {
	return p.classify(p.extractor.extract(text))
}

// ClassifySame answers for the text that q read last, without reading it again.
// Several models over one text cost little more than one.
func (p *Predictor) ClassifySame(q *Predictor) Prediction {
	return p.classify(q.extractor.features)
}

func (p *Predictor) classify(features []feature) Prediction {
	p.score(features)
	top := p.model.calibration.probabilities(p.probabilities, p.margins)
	return Prediction{model: p.model, top: top, Margins: p.margins, Probabilities: p.probabilities}
}

// Top returns the leading label and its probability.
func (p Prediction) Top() (label string, probability float64) {
	return p.model.labels[p.top], float64(p.Probabilities[p.top])
}

// Labels returns the leading label and, when the model was trained on texts
// with several labels, those others whose margin stands out.
func (p Prediction) Labels() []string {
	labels := []string{p.model.labels[p.top]}
	for k, m := range p.Margins {
		if k != p.top && m > p.model.calibration.Second {
			labels = append(labels, p.model.labels[k])
		}
	}
	return labels
}
