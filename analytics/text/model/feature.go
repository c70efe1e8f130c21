package model

import (
	"math/bits"
	"unicode/utf8"

	"omote/analytics/text/lexicon"
	"omote/analytics/text/normalise"
)

// block is a family of features that is scaled to unit length on its own.
type block uint8

const (
	wordBlock    block = iota // single words, numbers, emoji, marks
	skipBlock                 // ordered pairs within skipReach words
	pairBlock                 // unordered pairs within pairReach words
	charBlock                 // character n-grams of the folded text
	conceptBlock              // lexicon concepts, alone and in pairs with feeling
	blocks
)

const (
	skipReach = 3
	pairReach = 16
	pairWords = 64 // leading words of a text that are paired without order
	minGram   = 3
	maxGram   = 6
	maxTokens = 400 // words of a text that are read; longer texts are cut
)

// feature is one hashed feature with its block in the low bits.
type feature uint64

const blockBits = 3

func (f feature) block() block { return block(f & (1<<blockBits - 1)) }

func makeFeature(h uint64, b block) feature {
	return feature(h<<blockBits | uint64(b))
}

// mix joins two hashes into one (the multiply-fold of wyhash).
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9E3779B97F4A7C15, b^0xD6E8FEB86659FD93)
	return hi ^ lo
}

func hashBytes(p []byte, seed uint64) uint64 {
	h := seed
	for len(p) >= 8 {
		v := uint64(p[0]) | uint64(p[1])<<8 | uint64(p[2])<<16 | uint64(p[3])<<24 | uint64(p[4])<<32 | uint64(p[5])<<40 | uint64(p[6])<<48 | uint64(p[7])<<56
		h = mix(h, v)
		p = p[8:]
	}
	var v uint64
	for i, c := range p {
		v |= uint64(c) << (8 * i)
	}
	return mix(h^uint64(len(p))<<59, v)
}

// Salts keep the kinds of features apart.
const (
	saltWord   = 0x51
	saltMarked = 0x52
	saltShape  = 0x53
	saltFlag   = 0x54
	saltPair   = 0x55
	saltSkip   = 0x56
	saltChar   = 0x57
	saltList   = 0x58
)

// extractor turns texts into features. It holds the buffers of one goroutine.
type extractor struct {
	normaliser *normalise.Normaliser
	doc        normalise.Document
	words      []uint64 // hash of each token's folded form
	chars      []byte   // folded text with blanks between tokens
	features   []feature
	shape      []byte
	matches    []lexicon.Match
}

// extract returns the features of the text, with repeats. The slice is valid
// until the next call.
func (x *extractor) extract(text string) []feature {
	x.normaliser.Parse(&x.doc, text)
	x.features, x.words, x.chars = x.features[:0], x.words[:0], append(x.chars[:0], ' ')
	tokens := x.doc.Tokens
	if len(tokens) > maxTokens {
		tokens = tokens[:maxTokens]
	}
	for _, t := range tokens {
		x.token(t)
	}
	x.pairs()
	x.grams()
	x.concepts()
	return x.features
}

func (x *extractor) add(h uint64, b block) { x.features = append(x.features, makeFeature(h, b)) }

// token adds the features of one token alone.
func (x *extractor) token(t normalise.Token) {
	folded := x.doc.Folded(t)
	if t.Kind == normalise.Number && len(folded) > 4 {
		x.shape = x.doc.Shape(x.shape[:0], t)
		folded = x.shape
	}
	h := hashBytes(folded, saltWord)
	x.add(h, wordBlock)
	if marked := x.doc.Norm(t); t.Kind == normalise.Word && len(marked) != len(folded) {
		x.add(hashBytes(marked, saltMarked), wordBlock)
	}
	if t.Flags&(normalise.Elongated|normalise.Positive|normalise.Negative) != 0 {
		x.add(mix(uint64(t.Flags), saltFlag), wordBlock)
	}
	x.words = append(x.words, h)
	if t.Kind != normalise.Link && t.Kind != normalise.Email && t.Kind != normalise.Mention {
		x.chars = append(x.chars, folded...)
		x.chars = append(x.chars, ' ')
	}
}

// concepts adds the lexicon lists that the text touches: what it speaks of and
// with which feeling. They let rare labels learn from few examples.
func (x *extractor) concepts() {
	x.matches = lexicon.Banking().Find(x.matches[:0], &x.doc)
	for _, m := range x.matches {
		x.add(mix(uint64(m.List), saltList), conceptBlock)
	}
	x.matches = lexicon.Sentiment().Find(x.matches[:0], &x.doc)
	for _, m := range x.matches {
		h := mix(uint64(m.List), saltList<<8)
		x.add(h, conceptBlock)
		if m.From > 0 {
			x.add(mix(h, x.words[min(m.From, len(x.words))-1]), skipBlock)
		}
	}
	x.matches = lexicon.Learned().Find(x.matches[:0], &x.doc)
	for _, m := range x.matches {
		x.add(mix(uint64(m.List), saltList<<16), conceptBlock)
	}
}

// pairs adds ordered pairs of near words and unordered pairs of farther ones.
func (x *extractor) pairs() {
	for i, a := range x.words {
		last := min(len(x.words), i+pairReach+1)
		for j := i + 1; j < last; j++ {
			b := x.words[j]
			if j-i <= skipReach {
				x.add(mix(mix(a, saltSkip), b), skipBlock)
			}
			if a != b && j < pairWords {
				x.add(mix(min(a, b)^saltPair, max(a, b)), pairBlock)
			}
		}
	}
}

// grams adds the character n-grams, over word borders, starting at each letter.
func (x *extractor) grams() {
	p := x.chars
	for i := range p {
		if !utf8.RuneStart(p[i]) {
			continue
		}
		h, runes := uint64(saltChar), 0
		for j := i; ; j++ {
			if j == len(p) || utf8.RuneStart(p[j]) {
				if runes >= minGram {
					x.add(mix(h, uint64(runes)), charBlock)
				}
				if runes == maxGram || j == len(p) {
					break
				}
				runes++
			}
			h = (h ^ uint64(p[j])) * 0x100000001B3
		}
	}
}
