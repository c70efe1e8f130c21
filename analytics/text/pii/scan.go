package pii

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"omote/analytics/text/normalise"
)

type class uint8

const (
	word   class = iota // letters
	digits              // ASCII or full-width digits
	mark                // any other visible character
	masked              // the word of a mask, such as "phone" in "[phone]"
)

// token is a piece of the text. Blanks are not tokens.
type token struct {
	start, end  int // bytes of the text
	fold, foldE int // bytes of scanner.folded
	class       class
	capital     bool // starts with an upper-case letter
	allCaps     bool // two or more letters, none lower case
	cue         cue
}

// scanner holds the buffers of one search.
type scanner struct {
	text    string
	tokens  []token
	folded  []byte
	found   []Span
	number  []byte
	digits  int // how many digits the text has
	at      bool
	address bool // some token may belong to an address
}

// read cuts the text into tokens.
func (sc *scanner) read(s string) {
	sc.text, sc.tokens, sc.folded, sc.found = s, sc.tokens[:0], sc.folded[:0], sc.found[:0]
	sc.digits, sc.at, sc.address = 0, false, false
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			i++
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			i = sc.readWord(i)
		case '0' <= c && c <= '9':
			i = sc.readDigits(i)
		case c < utf8.RuneSelf:
			sc.at = sc.at || c == '@'
			i = sc.add(token{start: i, end: i + 1, class: mark, fold: sc.put(c)})
			if c == ']' {
				sc.closeMask()
			}
		default:
			i = sc.readRune(i)
		}
	}
}

func (sc *scanner) put(c byte) int {
	sc.folded = append(sc.folded, c)
	return len(sc.folded) - 1
}

func (sc *scanner) add(t token) int {
	t.foldE = len(sc.folded)
	sc.tokens = append(sc.tokens, t)
	return t.end
}

// closeMask marks the word between "[" and the "]" just read as a mask, so that
// it announces nothing.
func (sc *scanner) closeMask() {
	i := len(sc.tokens) - 2
	if i < 1 || !sc.is(i-1, '[') || !sc.glued(i-1) || !sc.glued(i) || sc.tokens[i].class != word {
		return
	}
	if slices.Contains(kindNames[:], sc.text[sc.tokens[i].start:sc.tokens[i].end]) {
		sc.tokens[i].class, sc.tokens[i].cue = masked, 0
	}
}

func (sc *scanner) readRune(i int) int {
	r, size := utf8.DecodeRuneInString(sc.text[i:])
	switch {
	case unicode.IsLetter(r):
		return sc.readWord(i)
	case isWideDigit(r):
		return sc.readDigits(i)
	case unicode.IsSpace(r) || r == '\u200B' || r == '\uFEFF':
		return i + size
	}
	if r == '–' || r == '—' || r == '‑' {
		return sc.add(token{start: i, end: i + size, class: mark, fold: sc.put('-')})
	}
	return sc.add(token{start: i, end: i + size, class: mark, fold: sc.put(0)})
}

func (sc *scanner) readWord(i int) int {
	s := sc.text
	t := token{start: i, fold: len(sc.folded), class: word, allCaps: true}
	letters := 0
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case 'a' <= c && c <= 'z':
				t.allCaps = false
			case 'A' <= c && c <= 'Z':
				t.capital = t.capital || letters == 0
				c += 'a' - 'A'
			default:
				c = 0
			}
			if c == 0 {
				break
			}
			sc.folded = append(sc.folded, c)
			letters++
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if unicode.Is(unicode.Mn, r) {
			i += size
			continue
		}
		if !unicode.IsLetter(r) {
			break
		}
		if unicode.IsUpper(r) {
			t.capital = t.capital || letters == 0
		} else {
			t.allCaps = false
		}
		sc.folded = utf8.AppendRune(sc.folded, normalise.FoldRune(r))
		letters++
		i += size
	}
	t.end = i
	t.allCaps = t.allCaps && letters >= 2
	t.cue = cues[string(sc.folded[t.fold:])] | exact[s[t.start:i]]
	i = sc.add(t)
	sc.readPair()
	last := &sc.tokens[len(sc.tokens)-1]
	sc.address = sc.address || last.cue&(streetCue|streetEnd|unitCue|addressCue|laneCue|houseCue) != 0
	return i
}

func isWideDigit(r rune) bool { return '０' <= r && r <= '９' }

func (sc *scanner) readDigits(i int) int {
	s := sc.text
	t := token{start: i, fold: len(sc.folded), class: digits}
	for i < len(s) {
		if c := s[i]; '0' <= c && c <= '9' {
			sc.folded = append(sc.folded, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !isWideDigit(r) {
			break
		}
		sc.folded = append(sc.folded, byte(r-'０')+'0')
		i += size
	}
	t.end = i
	sc.digits += len(sc.folded) - t.fold
	return sc.add(t)
}

// form returns the token's folded text.
func (sc *scanner) form(i int) []byte { return sc.folded[sc.tokens[i].fold:sc.tokens[i].foldE] }

// is tells whether token i exists and is the given mark.
func (sc *scanner) is(i int, c byte) bool {
	if i < 0 || i >= len(sc.tokens) {
		return false
	}
	t := sc.tokens[i]
	return t.class == mark && t.foldE == t.fold+1 && sc.folded[t.fold] == c
}

// glued tells whether token i touches the next one.
func (sc *scanner) glued(i int) bool {
	return i >= 0 && i+1 < len(sc.tokens) && sc.tokens[i].end == sc.tokens[i+1].start
}

func (sc *scanner) report(from, to int, kind Kind) {
	sc.found = append(sc.found, Span{sc.tokens[from].start, sc.tokens[to].end, kind})
}
