// Package lexicon finds phrases of a word list in tokenised texts: concepts of
// banking, words of feeling, and cues that call for a person.
//
// A list is plain data: a name, a tab, and its phrases. A phrase matches the
// customer's words as written in the list or wholly without diacritics, never
// another word that only folds to the same letters: "phí" is found in "phí" and
// "phi", not in "phỉ". Where phrases overlap, the longest wins.
//
// The lists that ship with the package were written for it, but for one that was
// learned from reviews.
package lexicon

import (
	"bufio"
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"omote/analytics/text/normalise"
)

//go:embed data/*.tsv
var files embed.FS

// longest is the number of words of the longest phrase that is kept.
const longest = 6

// Lexicon is a set of named phrase lists. It is immutable and safe to share.
type Lexicon struct {
	names   []string
	phrases map[uint64]entry
	starts  map[uint64]int8 // longest phrase that starts with this word
}

type entry struct {
	list  int32
	words int8
}

// Match is one phrase found.
type Match struct {
	List       int // index in Names
	From, To   int // tokens [From, To) of the document
	Start, End int // bytes of the source
}

var normaliser = sync.OnceValue(normalise.Default)

// Read reads a lexicon: "name<TAB>phrase; phrase; …" a line; lines that start
// with '#' are comments. A name may come on several lines.
func Read(r io.Reader) (*Lexicon, error) {
	l := &Lexicon{phrases: make(map[uint64]entry), starts: make(map[uint64]int8)}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for line := 1; scanner.Scan(); line++ {
		text := strings.TrimSpace(scanner.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		name, phrases, ok := strings.Cut(text, "\t")
		if !ok {
			return nil, fmt.Errorf("line %d: want name, tab, phrases", line)
		}
		list := slices.Index(l.names, name)
		if list < 0 {
			list = len(l.names)
			l.names = append(l.names, name)
		}
		for phrase := range strings.SplitSeq(phrases, ";") {
			if err := l.add(list, strings.TrimSpace(phrase)); err != nil {
				return nil, fmt.Errorf("line %d: %w", line, err)
			}
		}
	}
	return l, scanner.Err()
}

// english holds frequent English words that a Vietnamese word folds to; such a
// word is found only with its diacritics ("thẻ", never "the").
var english = map[string]bool{
	"the": true, "no": true, "on": true, "hay": true, "to": true, "do": true, "an": true, "tin": true, "ban": true, "me": true,
	"so": true, "be": true, "long": true, "sang": true, "can": true, "may": true, "man": true, "ham": true, "dung": true, "bo": true,
}

// add stores a phrase as written and without diacritics. The first list that
// claims a phrase keeps it.
func (l *Lexicon) add(list int, phrase string) error {
	var d normalise.Document
	normaliser().Parse(&d, phrase)
	if len(d.Tokens) == 0 || len(d.Tokens) > longest {
		return fmt.Errorf("phrase %q must have 1 to %d words", phrase, longest)
	}
	for n, form := range []func(normalise.Token) []byte{d.Norm, d.Folded} {
		if n == 1 && len(d.Tokens) == 1 && english[string(d.Folded(d.Tokens[0]))] {
			continue
		}
		h := uint64(0)
		for i, t := range d.Tokens {
			h = extend(h, form(t))
			if i == 0 {
				l.starts[h] = max(l.starts[h], int8(len(d.Tokens)))
			}
		}
		if _, taken := l.phrases[h]; !taken {
			l.phrases[h] = entry{int32(list), int8(len(d.Tokens))}
		}
	}
	return nil
}

// extend adds a word to the hash of a phrase (FNV-1a with a final mix).
func extend(h uint64, word []byte) uint64 {
	h ^= 0xCBF29CE484222325
	for _, c := range word {
		h = (h ^ uint64(c)) * 0x100000001B3
	}
	h ^= h >> 32
	return h * 0x9E3779B97F4A7C15
}

// Names lists the phrase lists.
func (l *Lexicon) Names() []string { return slices.Clone(l.names) }

// Name returns the name of a list.
func (l *Lexicon) Name(list int) string { return l.names[list] }

// Find appends the phrases found in the document to dst.
func (l *Lexicon) Find(dst []Match, d *normalise.Document) []Match {
	for i := 0; i < len(d.Tokens); {
		m, ok := l.at(d, i)
		if !ok {
			i++
			continue
		}
		dst = append(dst, m)
		i = m.To
	}
	return dst
}

// at finds the longest phrase that starts at token i.
func (l *Lexicon) at(d *normalise.Document, i int) (m Match, ok bool) {
	h := extend(0, d.Norm(d.Tokens[i]))
	most := int(l.starts[h])
	for n := 1; n <= most; n++ {
		if e, found := l.phrases[h]; found && int(e.words) == n {
			last := d.Tokens[i+n-1]
			m = Match{List: int(e.list), From: i, To: i + n, Start: int(d.Tokens[i].Start), End: int(last.End)}
			ok = true
		}
		if i+n >= len(d.Tokens) {
			break
		}
		h = extend(h, d.Norm(d.Tokens[i+n]))
	}
	return m, ok
}

// Banking returns the built-in concepts of retail banking.
func Banking() *Lexicon { return banking() }

// Sentiment returns the built-in words of feeling: "positive" and "negative".
func Sentiment() *Lexicon { return sentiment() }

// Cues returns the built-in cues: "urgency", "effort", "churn",
// "vulnerability", "complaint".
func Cues() *Lexicon { return cues() }

// Learned returns words and word pairs that lean to good or bad reviews, in four
// lists, learned from star scores of Vietnamese bank applications' reviews (MIT
// licence, github.com/NDPhuu/banking-nlp-project) by "omote text
// train-shipped".
func Learned() *Lexicon { return learned() }

var (
	learned   = sync.OnceValue(func() *Lexicon { return mustRead("data/learned.tsv") })
	banking   = sync.OnceValue(func() *Lexicon { return mustRead("data/banking.tsv") })
	sentiment = sync.OnceValue(func() *Lexicon { return mustRead("data/sentiment.tsv") })
	cues      = sync.OnceValue(func() *Lexicon { return mustRead("data/cues.tsv") })
)

// mustRead reads an embedded list; the tests read each of them.
func mustRead(name string) *Lexicon {
	f, err := files.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	l, err := Read(f)
	if err != nil {
		panic(name + ": " + err.Error())
	}
	return l
}
