package text

import (
	"sync"

	"golang.org/x/text/unicode/norm"

	"omote/analytics/text/aspect"
	"omote/analytics/text/lang"
	"omote/analytics/text/lexicon"
	"omote/analytics/text/model"
	"omote/analytics/text/normalise"
	"omote/analytics/text/pii"
)

// Head is a trained model with the name under which its answer is given.
type Head struct {
	Name  string
	Model *model.Model
}

// Answer is what one head says.
type Answer struct {
	Head        string
	Label       string
	Labels      []string // the leading label first, then others that stand out
	Probability float64  // of the leading label
}

// Cue is a phrase that calls for a person's attention.
type Cue struct {
	Name       string // "urgency", "effort", "churn", "vulnerability" or "complaint"
	Start, End int    // bytes of the masked text
}

// Reading is what was read from one text. All offsets are bytes of Masked,
// which is composed (Unicode NFC), except those of Personal, which are bytes of
// the text given.
type Reading struct {
	Language lang.Guess
	Masked   string
	Personal []pii.Span
	Answers  []Answer
	Opinions []aspect.Opinion
	Cues     []Cue
}

// Reader reads texts with a set of heads. It holds buffers for one goroutine;
// make one for each, the models are shared.
type Reader struct {
	heads   []Head
	runners []*model.Predictor
	finder  aspect.Finder
	doc     normalise.Document
	matches []lexicon.Match
}

// NewReader makes a reader. Without heads only the rules are applied.
func NewReader(heads ...Head) *Reader {
	r := &Reader{heads: heads}
	for _, h := range heads {
		r.runners = append(r.runners, h.Model.NewPredictor())
	}
	return r
}

var normaliser = sync.OnceValue(normalise.Default)

// Read reads one text. Personal data is masked before anything else looks at
// it. The result does not share memory with the reader.
func (r *Reader) Read(s string) Reading {
	out := Reading{Language: lang.Detect(s)}
	out.Masked, out.Personal = pii.Mask(s)
	out.Masked = norm.NFC.String(out.Masked)
	r.answer(&out)
	out.Opinions = append(out.Opinions, r.finder.Find(out.Masked)...)
	r.cues(&out)
	return out
}

func (r *Reader) answer(out *Reading) {
	for i, p := range r.runners {
		var prediction model.Prediction
		if i == 0 {
			prediction = p.Classify(out.Masked)
		} else {
			prediction = p.ClassifySame(r.runners[0])
		}
		label, probability := prediction.Top()
		out.Answers = append(out.Answers, Answer{Head: r.heads[i].Name, Label: label, Labels: prediction.Labels(), Probability: probability})
	}
}

func (r *Reader) cues(out *Reading) {
	normaliser().Parse(&r.doc, out.Masked)
	r.matches = lexicon.Cues().Find(r.matches[:0], &r.doc)
	for _, m := range r.matches {
		out.Cues = append(out.Cues, Cue{lexicon.Cues().Name(m.List), m.Start, m.End})
	}
}
