package lang

import (
	"math"
	"sync"
	"unicode"

	"omote/analytics/text/normalise"
)

// Undetermined is the answer for texts without words (ISO 639-2).
const Undetermined = "und"

// Guess is an answer.
type Guess struct {
	// Language is the ISO 639-1 code, or Undetermined.
	Language string
	// Plain is set for Vietnamese without diacritics.
	Plain bool
	// Probability is the posterior probability of the answer among the
	// languages known, in [0, 1].
	Probability float64
	// Words is the number of words read; below four the answer is less sure
	// than most uses need.
	Words int
}

// Languages lists the codes that Detect can answer, Undetermined aside.
func Languages() []string {
	list := []string{"ar", "el", "he", "hi", "ja", "km", "ko", "lo", "my", "ru", "th", "zh"}
	for _, l := range theModel().languages {
		if l != plainVietnamese {
			list = append(list, l)
		}
	}
	return list
}

var theModel = sync.OnceValue(mustBuild)

// state is what one detection needs; it is pooled.
type state struct {
	doc    normalise.Document
	scores []float64
	word   []float64
}

var states = sync.Pool{New: func() any { return new(state) }}

var cutter = sync.OnceValue(func() *normalise.Normaliser { return normalise.New() })

// temper flattens the posterior: words of one text are not independent, and the
// training words are not a customer's.
const temper = 0.7

// maxWords bounds the words read; more do not change the answer.
const maxWords = 200

// Detect tells the language of s. It is safe for concurrent use.
func Detect(s string) Guess {
	st := states.Get().(*state)
	defer states.Put(st)
	if g, ok := byScript(s); ok {
		return g
	}
	m := theModel()
	st.scores = append(st.scores[:0], make([]float64, len(m.languages))...)
	st.word = append(st.word[:0], st.scores...)
	cutter().Parse(&st.doc, s)
	words := 0
	for _, t := range st.doc.Tokens {
		if t.Kind != normalise.Word {
			continue
		}
		if words++; words > maxWords {
			break
		}
		m.addWord(st.scores, st.word, st.doc.Norm(t))
	}
	if words == 0 {
		return Guess{Language: Undetermined}
	}
	return m.answer(st.scores, words)
}

// answer applies Bayes' rule to the log-likelihoods.
func (m *wordModel) answer(scores []float64, words int) Guess {
	top := 0
	for l := range scores {
		if scores[l] > scores[top] {
			top = l
		}
	}
	sum, same := 0.0, 0.0
	for l := range scores {
		p := math.Exp(temper * (scores[l] - scores[top]))
		sum += p
		if code(m.languages[l]) == code(m.languages[top]) {
			same += p
		}
	}
	return Guess{
		Language:    code(m.languages[top]),
		Plain:       m.languages[top] == plainVietnamese,
		Probability: same / sum,
		Words:       words,
	}
}

func code(language string) string {
	if language == plainVietnamese {
		return "vi"
	}
	return language
}

// script pairs a writing system with the language it stands for.
var scripts = []struct {
	table    *unicode.RangeTable
	language string
}{
	{unicode.Han, "zh"}, {unicode.Hiragana, "ja"}, {unicode.Katakana, "ja"}, {unicode.Hangul, "ko"},
	{unicode.Thai, "th"}, {unicode.Lao, "lo"}, {unicode.Khmer, "km"}, {unicode.Myanmar, "my"},
	{unicode.Cyrillic, "ru"}, {unicode.Arabic, "ar"}, {unicode.Devanagari, "hi"}, {unicode.Greek, "el"}, {unicode.Hebrew, "he"},
}

// byScript decides texts whose letters are mostly outside the Latin script.
func byScript(s string) (Guess, bool) {
	var counts [16]int
	latin, other, words := 0, 0, 0
	inWord := false
	for _, r := range s {
		switch {
		case r < 0x250 || r >= 0x1E00 && r < 0x1F00:
			if letter := unicode.IsLetter(r); letter {
				latin++
			}
			inWord = false
		case unicode.IsLetter(r):
			for i := range scripts {
				if unicode.Is(scripts[i].table, r) {
					counts[i]++
					other++
					break
				}
			}
			if !inWord || unicode.Is(unicode.Han, r) {
				words++
			}
			inWord = true
		case !unicode.IsMark(r):
			inWord = false
		}
	}
	// A Han or kana character carries about as much as two Latin letters.
	if other == 0 || 2*other < latin {
		return Guess{}, false
	}
	kana := counts[1] + counts[2]
	top := 0
	for i := range scripts {
		if counts[i] > counts[top] {
			top = i
		}
	}
	language := scripts[top].language
	if language == "zh" && kana > 0 {
		language = "ja"
	}
	return Guess{Language: language, Probability: 1, Words: words}, true
}
