// Package aspect finds what a text speaks of, with which feeling, and where: for
// "app dễ dùng nhưng phí cao" that the digital bank is praised and the rate
// blamed, with the words that say so.
//
// # The method
//
// The text is cut into clauses at marks, commas and words of contrast ("nhưng",
// "but"). In each clause, phrases of the banking lexicon name the aspects, and
// words of feeling, emoji and emoticons give the mood: each adds its sign, one
// and a half times after an intensifier ("rất", "very"), turned round after a
// negation ("không", "not") within three words. All aspects of a clause share
// its mood; a clause without mood is neutral, and a clause of mood alone speaks
// for the aspects of the clause before it.
//
// The lexicon is transparent and needs no training. It knows only its phrases;
// the trained models of package model cover what it misses, and package text
// joins both.
package aspect

import (
	"strings"
	"sync"

	"omote/analytics/text/lexicon"
	"omote/analytics/text/normalise"
)

// Polarity is the feeling of an opinion.
type Polarity int8

// The polarities.
const (
	Negative Polarity = iota - 1
	Neutral
	Positive
)

// String returns "negative", "neutral" or "positive".
func (p Polarity) String() string {
	switch {
	case p < 0:
		return "negative"
	case p > 0:
		return "positive"
	}
	return "neutral"
}

// Opinion is one aspect with its feeling. Offsets are bytes of the text in its
// composed form (Unicode NFC), as Source returns it.
type Opinion struct {
	Aspect     string   // name of the lexicon's list, such as "card"
	Polarity   Polarity // sign of Score
	Score      float64  // sum of the words of feeling; 0 when there are none
	Start, End int      // the words that name the aspect
	From, To   int      // the clause
}

// Finder finds opinions. It holds buffers for one goroutine.
type Finder struct {
	doc     normalise.Document
	matches []lexicon.Match
	moods   []lexicon.Match
	out     []Opinion
}

var normaliser = sync.OnceValue(normalise.Default)

var negations = words("không chưa chẳng chả đâu đừng khong chua chang kém not no never don't doesn't didn't isn't aren't wasn't weren't won't can't couldn't wouldn't hardly without")
var intensifiers = words("rất quá lắm cực siêu vô cùng hết sức rat qua very really so too extremely absolutely super")
var contrasts = words("nhưng song tuy nhung but however although though yet whereas")

func words(list string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(list) {
		m[normalise.Tone(w)] = true
	}
	return m
}

// Find returns the opinions of the text, valid until the next call.
func (f *Finder) Find(text string) []Opinion {
	normaliser().Parse(&f.doc, text)
	return f.find()
}

// Source returns the text of the last Find in its composed form.
func (f *Finder) Source() string { return f.doc.Source }

func (f *Finder) find() []Opinion {
	f.out = f.out[:0]
	f.matches = lexicon.Banking().Find(f.matches[:0], &f.doc)
	f.moods = lexicon.Sentiment().Find(f.moods[:0], &f.doc)
	previous := 0 // first opinion of the clause before
	for from := 0; from < len(f.doc.Tokens); {
		to := f.clauseEnd(from)
		first := len(f.out)
		score, felt := f.mood(from, to)
		f.name(from, to, score)
		switch {
		case len(f.out) > first:
			previous = first
		case felt:
			f.lend(previous, score)
		}
		from = to
	}
	return f.out
}

// lend gives a clause of mood alone to the neutral aspects before it.
func (f *Finder) lend(from int, score float64) {
	for i := from; i < len(f.out); i++ {
		if f.out[i].Polarity == Neutral {
			f.out[i].Score = score
			f.out[i].Polarity = sign(score)
		}
	}
}

func sign(score float64) Polarity {
	switch {
	case score < 0:
		return Negative
	case score > 0:
		return Positive
	}
	return Neutral
}

// clauseEnd returns the token after the clause that starts at from.
func (f *Finder) clauseEnd(from int) int {
	tokens := f.doc.Tokens
	for i := from; i < len(tokens); i++ {
		if tokens[i].Kind == normalise.Mark {
			return i + 1
		}
		if i > from && contrasts[string(f.doc.Norm(tokens[i]))] {
			return i
		}
		if i+1 < len(tokens) && tokens[i].End <= tokens[i+1].Start && strings.ContainsAny(f.doc.Source[tokens[i].End:tokens[i+1].Start], ",;\n") {
			return i + 1
		}
	}
	return len(tokens)
}

// mood sums the feeling of tokens [from, to).
func (f *Finder) mood(from, to int) (score float64, felt bool) {
	for _, m := range f.moods {
		if m.From < from || m.To > to {
			continue
		}
		felt = true
		value := 1.0
		if lexicon.Sentiment().Name(m.List) == "negative" {
			value = -1
		}
		near := f.near(m, from, to)
		if near&intensified != 0 {
			value *= 1.5
		}
		if near&negated != 0 {
			value *= -1
		}
		score += value
	}
	for _, t := range f.doc.Tokens[from:to] {
		switch {
		case t.Has(normalise.Positive):
			score, felt = score+1, true
		case t.Has(normalise.Negative):
			score, felt = score-1, true
		}
	}
	return score, felt
}

const (
	negated = 1 << iota
	intensified
)

// near looks for a negation up to three words before the match, and an
// intensifier beside it.
func (f *Finder) near(m lexicon.Match, from, to int) (flags int) {
	const reach = 3
	for i := max(from, m.From-reach); i < m.From; i++ {
		w := string(f.doc.Norm(f.doc.Tokens[i]))
		if negations[w] {
			flags ^= negated
		}
		if intensifiers[w] && i == m.From-1 {
			flags |= intensified
		}
	}
	if m.To < to && intensifiers[string(f.doc.Norm(f.doc.Tokens[m.To]))] {
		flags |= intensified
	}
	return flags
}

// name adds the aspects of tokens [from, to), each once.
func (f *Finder) name(from, to int, score float64) {
	first := len(f.out)
	for _, m := range f.matches {
		if m.From < from || m.To > to {
			continue
		}
		aspect := lexicon.Banking().Name(m.List)
		known := false
		for _, o := range f.out[first:] {
			known = known || o.Aspect == aspect
		}
		if known {
			continue
		}
		f.out = append(f.out, Opinion{
			Aspect: aspect, Score: score, Polarity: sign(score), Start: m.Start, End: m.End,
			From: int(f.doc.Tokens[from].Start), To: int(f.doc.Tokens[to-1].End),
		})
	}
}
