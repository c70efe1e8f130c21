package linkage

import "math"

// Waterfall says how the probability that two records are of one person comes
// about: from the odds of two records drawn at random, field by field.
type Waterfall struct {
	Prior       float64 `json:"prior"` // bits before anything is compared
	Steps       []Step  `json:"steps"`
	Bits        float64 `json:"bits"` // prior and all steps
	Probability float64 `json:"probability"`
}

// Step is what one field says.
type Step struct {
	Field string  `json:"field"`
	Kind  Kind    `json:"kind"`
	Left  string  `json:"left"`
	Right string  `json:"right"`
	Level string  `json:"level"` // one of Kind.Levels, or "missing"
	Bits  float64 `json:"bits"`  // above 0 for one person, below 0 against
	// Rare is how much of Bits is there because the agreeing value is rarer than
	// most (below 0: more common).
	Rare float64 `json:"rare,omitempty"`
	// Tied is how much of Bits is there because the fields it is tied to say
	// partly the same.
	Tied float64 `json:"tied,omitempty"`
}

// Missing is the level of a field that one of the records does not have.
const Missing = "missing"

// explain compares two records of a dataset step by step. It adds up to what
// pair gives.
func (w *weights) explain(a, b int32) Waterfall {
	out := Waterfall{Prior: w.prior, Bits: w.prior, Steps: make([]Step, len(w.d.fields))}
	var states [64]uint8
	for _, k := range w.order {
		f := w.d.fields[k]
		x, y := f.codes[a], f.codes[b]
		s := Step{Field: f.name, Kind: f.kind, Level: Missing, Left: f.shown(x), Right: f.shown(y)}
		if x >= 0 && y >= 0 {
			l := w.d.compareCodes(k, x, y, a, b)
			plain := w.level[k][l]
			s.Level = levels[f.kind][l]
			s.Bits = w.value(k, l, x, y)
			s.Rare = s.Bits - plain
			if t := w.ties[k]; t != nil {
				s.Tied = w.tied(k, l, t.state(&states))
				s.Bits += s.Tied
			}
			if math.Abs(s.Rare) < 1e-9 {
				s.Rare = 0
			}
			states[k] = stateOf(s.Bits)
			out.Bits += s.Bits
		}
		out.Steps[k] = s
	}
	out.Probability = chance(out.Bits)
	return out
}

func (f *field) shown(c int32) string {
	if c < 0 {
		return ""
	}
	return f.values[c].text
}
