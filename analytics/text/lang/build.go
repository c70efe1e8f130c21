package lang

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"omote/analytics/text/normalise"
)

//go:embed data/words.tsv
var wordFile []byte

//go:embed data/seed.tsv
var seedFile []byte

// plainVietnamese is the inner name of Vietnamese without diacritics.
const plainVietnamese = "vi-plain"

const (
	order      = 4    // characters of the longest n-gram
	wordShare  = 0.5  // of the mixture that is the word's own frequency
	seedShare  = 0.35 // of the word counts that the seed words make up
	floorRate  = 1e-7 // probability of a character never seen
	loanShare  = 0.02 // probability that a word is borrowed from any language
	countPower = 0.75 // flattens counts of messages towards those of talk
)

// wordModel holds log-probabilities by language, languages side by side.
type wordModel struct {
	languages []string
	words     map[uint64]int32 // whole words, bordered
	grams     map[uint64]int32 // n-grams of 1 to order characters
	rows      []float32        // log-probabilities, len(languages) each
}

// lexicon is a language's words and weights.
type lexicon map[string]float64

// sorted lists the words in order, so that sums do not depend on map order.
func (l lexicon) sorted() []string { return slices.Sorted(maps.Keys(l)) }

func mustBuild() *wordModel {
	lexicons, err := readLexicons()
	if err != nil {
		panic("lang: " + err.Error()) // an embedded file is broken; a test reads it
	}
	return build(lexicons)
}

func readLexicons() (map[string]lexicon, error) {
	all := make(map[string]lexicon)
	at := func(language string) lexicon {
		if all[language] == nil {
			all[language] = make(lexicon)
		}
		return all[language]
	}
	scanner := bufio.NewScanner(bytes.NewReader(wordFile))
	for scanner.Scan() {
		fields := strings.Split(scanner.Text(), "\t")
		if len(fields) != 3 {
			return nil, fmt.Errorf("words: want three columns, have %q", scanner.Text())
		}
		count, err := strconv.Atoi(fields[2])
		if err != nil {
			return nil, fmt.Errorf("words: %w", err)
		}
		at(fields[0])[normalise.Tone(fields[1])] += math.Pow(float64(count), countPower)
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(seedFile)) {
		language, words, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			return nil, fmt.Errorf("seed: want two columns, have %q", line)
		}
		addSeed(at(language), strings.Fields(words))
	}
	addShortForms(at("vi"))
	plain := at(plainVietnamese)
	for _, w := range all["vi"].sorted() {
		plain[normalise.Fold(w)] += all["vi"][w]
	}
	return all, nil
}

// addSeed gives the seed words their share of the total.
func addSeed(l lexicon, words []string) {
	total := 0.0
	for _, w := range l.sorted() {
		total += l[w]
	}
	each := total * seedShare / (1 - seedShare) / float64(len(words))
	for _, w := range words {
		l[normalise.Tone(w)] += each
	}
}

// addShortForms adds teencode, each form as often as its expansion's rarest
// word is, halved.
func addShortForms(l lexicon) {
	type form struct {
		word   string
		weight float64
	}
	var forms []form
	for short, words := range normalise.Vietnamese() {
		if utf8.RuneCountInString(short) < 2 {
			continue
		}
		least := math.Inf(1)
		for _, w := range words {
			least = min(least, l[w])
		}
		if least > 0 {
			forms = append(forms, form{short, least / 2})
		}
	}
	for _, f := range forms {
		l[f.word] += f.weight
	}
}

// gramCounts are the counts of one language.
type gramCounts struct {
	count map[uint64]float64 // of n-grams
	total map[uint64]float64 // of their contexts
	kinds map[uint64]float64 // distinct characters after a context
}

const hashStart = 0xCBF29CE484222325

func step(h uint64, r rune) uint64 { return (h ^ uint64(r)) * 0x9E3779B97F4A7C15 }

func hashRunes(runes []rune) uint64 {
	h := uint64(hashStart)
	for _, r := range runes {
		h = step(h, r)
		h ^= h >> 29
	}
	return h
}

// bordered returns the word's characters between border marks.
func bordered(dst []rune, word []byte) []rune {
	dst = append(dst[:0], ' ')
	for len(word) > 0 {
		r, size := utf8.DecodeRune(word)
		dst = append(dst, r)
		word = word[size:]
	}
	return append(dst, ' ')
}

func build(lexicons map[string]lexicon) *wordModel {
	m := &wordModel{words: make(map[uint64]int32), grams: make(map[uint64]int32)}
	for l := range lexicons {
		m.languages = append(m.languages, l)
	}
	slices.Sort(m.languages)
	counts := make([]*gramCounts, len(m.languages))
	union := make(map[uint64][]rune)
	for l, language := range m.languages {
		counts[l] = countGrams(lexicons[language], union)
	}
	for h, gram := range union {
		m.grams[h] = m.addRow(func(l int) float64 { return counts[l].probability(gram) })
	}
	m.addWords(lexicons)
	return m
}

func (m *wordModel) addRow(probability func(l int) float64) int32 {
	row := int32(len(m.rows) / len(m.languages))
	for l := range m.languages {
		m.rows = append(m.rows, float32(math.Log(probability(l))))
	}
	return row
}

// addWords gives each known word its mixture in every language.
func (m *wordModel) addWords(lexicons map[string]lexicon) {
	totals := make([]float64, len(m.languages))
	words := make(map[string]bool)
	for l, language := range m.languages {
		for _, w := range lexicons[language].sorted() {
			totals[l] += lexicons[language][w]
			words[w] = true
		}
	}
	letters := make([]float64, len(m.languages))
	var runes []rune
	for w := range words {
		runes = bordered(runes, []byte(w))
		clear(letters)
		m.addLetters(letters, runes)
		m.words[hashRunes(runes)] = m.addRow(func(l int) float64 {
			own := lexicons[m.languages[l]][w] / totals[l]
			return wordShare*own + (1-wordShare)*math.Exp(letters[l])
		})
	}
}

func countGrams(words lexicon, union map[uint64][]rune) *gramCounts {
	c := &gramCounts{count: make(map[uint64]float64), total: make(map[uint64]float64), kinds: make(map[uint64]float64)}
	var runes []rune
	for _, w := range words.sorted() {
		n := words[w]
		runes = bordered(runes, []byte(w))
		for end := 1; end < len(runes); end++ {
			for length := 1; length <= order && length <= end+1; length++ {
				gram := runes[end+1-length : end+1]
				h, context := hashRunes(gram), hashRunes(gram[:length-1])
				if c.count[h] == 0 {
					c.kinds[context]++
					if union[h] == nil {
						union[h] = slices.Clone(gram)
					}
				}
				c.count[h] += n
				c.total[context] += n
			}
		}
	}
	return c
}

// probability of the last character after the others, by Witten–Bell
// interpolation down to a floor.
func (c *gramCounts) probability(gram []rune) float64 {
	p := floorRate
	for length := 1; length <= len(gram); length++ {
		part := gram[len(gram)-length:]
		context := hashRunes(part[:length-1])
		kinds, total := c.kinds[context], c.total[context]
		if total == 0 {
			return p
		}
		p = (c.count[hashRunes(part)] + kinds*p) / (total + kinds)
	}
	return p
}

// addWord adds the word's log-probability in each language. Since any language
// borrows words, a share of the mean over all languages bounds what one word
// can say against a language.
func (m *wordModel) addWord(scores, own []float64, word []byte) {
	var buffer [64]rune
	runes := bordered(buffer[:0], word)
	clear(own)
	if row, ok := m.words[hashRunes(runes)]; ok {
		m.add(own, row)
	} else {
		m.addLetters(own, runes)
	}
	top := slices.Max(own)
	mean := 0.0
	for _, v := range own {
		mean += math.Exp(v-top) / float64(len(own))
	}
	for l, v := range own {
		scores[l] += top + math.Log((1-loanShare)*math.Exp(v-top)+loanShare*mean)
	}
}

// addLetters adds the log-probability by characters, each after the longest
// context in which any language knows it.
func (m *wordModel) addLetters(scores []float64, runes []rune) {
	for end := 1; end < len(runes); end++ {
		row, ok := int32(0), false
		for length := min(order, end+1); length >= 1 && !ok; length-- {
			row, ok = m.grams[hashRunes(runes[end+1-length:end+1])]
		}
		if ok {
			m.add(scores, row)
		}
	}
}

func (m *wordModel) add(scores []float64, row int32) {
	n := len(m.languages)
	for l, v := range m.rows[int(row)*n : (int(row)+1)*n] {
		scores[l] += float64(v)
	}
}
