package linkage

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
)

// Model is what was learnt: how often each level of agreement occurs among
// records of one person (M) and among records of two (U), what the chance is
// before anything is compared, and where the line is drawn.
type Model struct {
	Fields    []FieldModel `json:"fields"`
	Prior     float64      `json:"prior"`     // chance that two records drawn at random are of one person
	Threshold float64      `json:"threshold"` // probability from which on records are brought together
	Seed      uint64       `json:"seed"`
	Rules     [][]RulePart `json:"rules"` // records are compared when they agree on all parts of a rule
}

// RulePart is one part of a blocking rule, such as the year of a date.
type RulePart struct {
	Field string `json:"field"`
	Part  string `json:"part"`
}

// dataset encodes a table as the model's was. Columns are found by name.
func (m *Model) dataset(t *Table) (*dataset, error) {
	plans := make([]plan, len(m.Fields))
	find := func(name string) (int, error) {
		at := t.FindColumn(name)
		if at < 0 {
			return at, fmt.Errorf("linkage model: the table has no column %q", name)
		}
		return at, nil
	}
	for i := range m.Fields {
		p := m.Fields[i].plan
		var err error
		if p.column, err = find(p.Column); err != nil {
			return nil, err
		}
		p.second, p.without = -1, nil
		if p.Second != "" {
			if p.second, err = find(p.Second); err != nil {
				return nil, err
			}
		}
		for _, w := range p.Without {
			at, err := find(w)
			if err != nil {
				return nil, err
			}
			p.without = append(p.without, at)
		}
		plans[i] = p
	}
	return encode(t, plans), nil
}

// bind finds the fields that ties name.
func (m *Model) bind() error {
	byName := map[string]int{}
	for i, f := range m.Fields {
		byName[f.Field] = i
	}
	for i := range m.Fields {
		t := m.Fields[i].Tie
		if t == nil {
			continue
		}
		t.parents = nil
		for _, p := range t.Parents {
			at, ok := byName[p]
			if !ok || at == i {
				return fmt.Errorf("linkage model: field %q is tied to %q, which is not there", m.Fields[i].Field, p)
			}
			t.parents = append(t.parents, at)
		}
		for s := range t.Add {
			if len(t.Add[s]) != len(m.Fields[i].Levels) {
				return fmt.Errorf("linkage model: field %q: its tie has %d levels of %d", m.Fields[i].Field, len(t.Add[s]), len(m.Fields[i].Levels))
			}
		}
	}
	for i := range m.Fields { // a circle would never be resolved
		for at, steps := []int{i}, 0; len(at) > 0; steps++ {
			if steps > 64 {
				return fmt.Errorf("linkage model: ties make a circle at field %q", m.Fields[i].Field)
			}
			var up []int
			for _, k := range at {
				if t := m.Fields[k].Tie; t != nil {
					up = append(up, t.parents...)
				}
			}
			if len(up) > 64 {
				return fmt.Errorf("linkage model: ties make a circle at field %q", m.Fields[i].Field)
			}
			at = up
		}
	}
	return nil
}

// FieldModel is one comparison of a Model.
type FieldModel struct {
	plan
	Levels  []Level   `json:"levels"`
	Tie     *tie      `json:"tie,omitempty"`     // the field on whose agreement this one's evidence depends
	Against []float64 `json:"against,omitempty"` // bits when groups of 2, 3, 4 and 6 records disagree
	Common  *Common   `json:"common,omitempty"`
}

// Level is one level of agreement.
type Level struct {
	Name string  `json:"name"`
	M    float64 `json:"m"`
	U    float64 `json:"u"`
}

// Weight is the evidence of a level in bits: log2(M/U).
func (l Level) Weight() float64 { return math.Log2(l.M / l.U) }

// Write writes the model as JSON.
func (m *Model) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(m)
}

// ReadModel reads a model written by Write and checks it.
func ReadModel(r io.Reader) (*Model, error) {
	m := new(Model)
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("linkage model: %w", err)
	}
	if len(m.Fields) == 0 {
		return nil, fmt.Errorf("linkage model: no fields")
	}
	probability := func(p float64) bool { return p > 0 && p < 1 }
	if !probability(m.Prior) || !(m.Threshold >= 0 && m.Threshold <= 1) {
		return nil, fmt.Errorf("linkage model: prior %v or threshold %v is no probability", m.Prior, m.Threshold)
	}
	for _, f := range m.Fields {
		if err := f.Kind.Valid(); err != nil || f.Kind == Ignore {
			return nil, fmt.Errorf("linkage model: field %q: kind %q cannot be compared", f.Field, f.Kind)
		}
		if len(f.Levels) != len(levels[f.Kind]) {
			return nil, fmt.Errorf("linkage model: field %q has %d levels; kind %s has %d", f.Field, len(f.Levels), f.Kind, len(levels[f.Kind]))
		}
		for _, l := range f.Levels {
			if !probability(l.M) || !probability(l.U) {
				return nil, fmt.Errorf("linkage model: field %q: level %q: m %v and u %v must lie between 0 and 1", f.Field, l.Name, l.M, l.U)
			}
		}
	}
	if len(m.Fields) > 60 {
		return nil, fmt.Errorf("linkage model: %d fields; at most 60", len(m.Fields))
	}
	for _, f := range m.Fields {
		if len(f.Against) > len(halfSizes) {
			return nil, fmt.Errorf("linkage model: field %q: %d sizes of groups; at most %d", f.Field, len(f.Against), len(halfSizes))
		}
	}
	return m, m.bind()
}

func newModel(d *dataset, seed uint64) *Model {
	m := &Model{Seed: seed}
	for i, f := range d.fields {
		fm := FieldModel{plan: d.plan[i], Levels: make([]Level, len(levels[f.kind]))}
		top := len(fm.Levels) - 1
		for l := range fm.Levels {
			fm.Levels[l] = Level{Name: levels[f.kind][l], M: 0.12 / float64(top), U: 0.5}
		}
		fm.Levels[top].M = 0.8
		fm.Levels[0].M = 0.08
		m.Fields = append(m.Fields, fm)
	}
	return m
}

// weights are the model's log2 Bayes factors made ready for a dataset.
type weights struct {
	d       *dataset
	level   [][]float64 // by field and level, without frequencies
	m       [][]float64 // log2 of M
	prior   float64     // log2 odds
	ties    []*tie
	order   []int // fields with parents before children
	against [][]float64
}

func (m *Model) weights(d *dataset) *weights {
	w := &weights{d: d, prior: math.Log2(m.Prior / (1 - m.Prior))}
	for _, f := range m.Fields {
		lw, lm := make([]float64, len(f.Levels)), make([]float64, len(f.Levels))
		for l := range f.Levels {
			lw[l], lm[l] = f.Levels[l].Weight(), math.Log2(f.Levels[l].M)
		}
		w.level, w.m = append(w.level, lw), append(w.m, lm)
		w.ties = append(w.ties, f.Tie)
		w.against = append(w.against, f.Against)
	}
	done := make([]bool, len(m.Fields))
	for len(w.order) < len(done) {
		for k, t := range w.ties {
			if !done[k] && (t == nil || !slices.ContainsFunc(t.parents, func(p int) bool { return !done[p] })) {
				done[k] = true
				w.order = append(w.order, k)
			}
		}
	}
	return w
}

// States of the parent of a field.
const (
	parentAgainst = 1 + iota
	parentFor
)

// tied gives the bits to add to a level in a state of the parent.
func (w *weights) tied(k int, level uint8, state uint8) float64 {
	if state == 0 || w.ties[k] == nil {
		return 0
	}
	return w.ties[k].Add[state-1][level]
}

// value gives the evidence in bits of a level between two values of a field.
// Agreement on a rare value tells more: for equal values the chance of meeting
// the value takes the place of U.
func (w *weights) value(k int, level uint8, x, y int32) float64 {
	f := w.d.fields[k]
	top := uint8(len(w.level[k]) - 1)
	if level == top && f.kind != Geo && f.kind != Numeric {
		return w.m[k][level] - log2f(f.freq[x])
	}
	if level == top-1 && f.usual != 0 && f.values[x].fold == f.values[y].fold { // equal without marks
		return w.level[k][level] + f.usual - log2f(f.ffreq[f.values[x].fold])
	}
	return w.level[k][level]
}

// pair gives the evidence of two records in bits, prior odds included.
func (w *weights) pair(a, b int32) float64 {
	s := w.prior
	var states [64]uint8
	for _, k := range w.order {
		f := w.d.fields[k]
		x, y := f.codes[a], f.codes[b]
		if x < 0 || y < 0 {
			continue
		}
		l := w.d.compareCodes(k, x, y, a, b)
		v := w.value(k, l, x, y)
		if t := w.ties[k]; t != nil {
			v += w.tied(k, l, t.state(&states))
		}
		states[k] = stateOf(v)
		s += v
	}
	return s
}

func stateOf(bits float64) uint8 {
	if bits > 0 {
		return parentFor
	}
	return parentAgainst
}

func log2f(x float32) float64 { return math.Log2(float64(x)) }

// chance turns bits of evidence, prior included, into a probability.
func chance(bits float64) float64 { return 1 / (1 + math.Exp2(-bits)) }

// bitsOf is the inverse of chance.
func bitsOf(p float64) float64 {
	p = min(max(p, 1e-15), 1-1e-15)
	return math.Log2(p / (1 - p))
}

// opposed gives the bits when groups of at least n records disagree in a field.
func (w *weights) opposed(k, n int) float64 {
	v := 0.0
	for i, b := range w.against[k] {
		if n >= halfSizes[i] {
			v = min(v, b)
		}
	}
	return v
}
