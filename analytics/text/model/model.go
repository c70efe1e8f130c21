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
	vocab       *vocabulary
	keys        []uint32 // by row
	idf         []float32
	blockOf     []block
	weights     []int8    // row-major, stride labels per row
	scale       []float32 // by row
	stride      int       // labels rounded up to a multiple of 8
	bias        []float32
	blockWeight blockWeights
	calibration calibration
	drifted     bool
}

// Labels lists the labels in order; predictions are indexed by it.
func (m *Model) Labels() []string { return slices.Clone(m.labels) }

// Features returns the number of stored features.
func (m *Model) Features() int { return len(m.keys) }

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
		if shift := t.recentShift(m.calibration.Sharpness); shift != nil {
			m.drifted = true
			addShift(m.bias, shift)
			for _, row := range margins {
				addShift(row, shift)
			}
		}
		m.calibration.fitLeading(margins, t.target)
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

// store keeps the features that matter and rounds their weights.
func store(f *fitted, labels []string, o *Options) *Model {
	k := len(labels)
	m := &Model{labels: labels, stride: (k + 7) &^ 7, bias: f.weights.bias, blockWeight: o.weights}
	for _, row := range strongest(f, o.maxFeatures(k)) {
		w := f.weights.w[row*k : (row+1)*k]
		top := float32(0)
		for _, v := range w {
			top = max(top, v, -v)
		}
		scale := top / 127
		m.scale = append(m.scale, scale)
		m.idf = append(m.idf, f.vectors.idf[row])
		m.blockOf = append(m.blockOf, f.vectors.blockOf[row])
		m.keys = append(m.keys, f.vectors.keys[row])
		line := make([]int8, m.stride)
		for i, v := range w {
			line[i] = int8(math.RoundToEven(float64(v / scale)))
		}
		m.weights = append(m.weights, line...)
	}
	m.index()
	return m
}

// index builds the lookup table from the keys.
func (m *Model) index() {
	m.vocab = newVocabulary(len(m.keys))
	for row, key := range m.keys {
		m.vocab.put(key, int32(row))
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
	vectors       *vectoriser
	rows          []int32
	values        []float32
	sums          []float32
	margins       []float32
	probabilities []float32
}

// NewPredictor makes a predictor.
func (m *Model) NewPredictor() *Predictor {
	return &Predictor{
		model:         m,
		extractor:     extractor{normaliser: sharedNormaliser()},
		vectors:       newVectoriser(m.vocab, m.idf, m.blockOf, m.blockWeight),
		sums:          make([]float32, m.stride),
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

// score fills the margins.
func (p *Predictor) score(features []feature) {
	m := p.model
	p.rows, p.values = p.vectors.vector(features, p.rows[:0], p.values[:0])
	sums := p.sums
	clear(sums)
	for j, row := range p.rows {
		v := p.values[j] * m.scale[row]
		line := m.weights[int(row)*m.stride : (int(row)+1)*m.stride]
		addLine(sums, line, v)
	}
	for k := range p.margins {
		p.margins[k] = sums[k] + m.bias[k]*biasValue
	}
}

// addLine adds v times the line to the sums, eight at a time.
func addLine(sums []float32, line []int8, v float32) {
	for len(line) >= 8 && len(sums) >= 8 {
		s, w := sums[:8:8], line[:8:8]
		s[0] += v * float32(w[0])
		s[1] += v * float32(w[1])
		s[2] += v * float32(w[2])
		s[3] += v * float32(w[3])
		s[4] += v * float32(w[4])
		s[5] += v * float32(w[5])
		s[6] += v * float32(w[6])
		s[7] += v * float32(w[7])
		sums, line = sums[8:], line[8:]
	}
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
