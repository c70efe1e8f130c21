package normalise

import (
	"strings"
	"unicode/utf8"
)

// Vowels in each tone: level, falling, rising, hook, tilde, dot.
var toneRows = [...]string{
	"aàáảãạ", "ăằắẳẵặ", "âầấẩẫậ",
	"eèéẻẽẹ", "êềếểễệ",
	"iìíỉĩị",
	"oòóỏõọ", "ôồốổỗộ", "ơờớởỡợ",
	"uùúủũụ", "ưừứửữự",
	"yỳýỷỹỵ",
}

type toned struct {
	row  int8 // index in toneRows, or -1
	tone int8 // 0 is the level tone
}

var (
	toneOf     = buildToneOf()
	toneLetter = buildToneLetters()
)

func buildToneOf() map[rune]toned {
	m := make(map[rune]toned)
	for row, letters := range toneRows {
		tone := int8(0)
		for _, r := range letters {
			m[r] = toned{int8(row), tone}
			tone++
		}
	}
	return m
}

func buildToneLetters() (table [len(toneRows)][6]rune) {
	for row, letters := range toneRows {
		copy(table[row][:], []rune(letters))
	}
	return table
}

// maxSyllable is longer than any Vietnamese syllable ("nghiêng" has 7 letters).
const maxSyllable = 8

// syllable is a lower-case word taken apart.
type syllable struct {
	letters    [maxSyllable]rune
	vowels     [maxSyllable]toned
	n          int
	start, end int // nucleus: letters[start:end]
	tone       int8
	toneAt     int
}

// parseSyllable takes a word apart. It reports false when the word cannot be
// one Vietnamese syllable with exactly one tone mark.
func parseSyllable(word []byte) (s syllable, ok bool) {
	for i := 0; i < len(word); {
		if s.n == maxSyllable {
			return s, false
		}
		r, size := utf8.DecodeRune(word[i:])
		i += size
		s.letters[s.n] = r
		v, isVowel := toneOf[r]
		if !isVowel {
			if r != 'đ' && (r < 'a' || r > 'z') {
				return s, false
			}
			v.row = -1
		}
		s.vowels[s.n] = v
		if v.tone != 0 {
			if s.tone != 0 {
				return s, false
			}
			s.tone, s.toneAt = v.tone, s.n
		}
		s.n++
	}
	return s, s.tone != 0 && s.findNucleus()
}

func (s *syllable) findNucleus() bool {
	i := 0
	for i < s.n && s.vowels[i].row < 0 {
		i++
	}
	// The u of "qu" and the i of "gi" belong to the onset.
	if i == 1 && i+1 < s.n && s.vowels[i+1].row >= 0 {
		base := toneLetter[s.vowels[i].row][0]
		if s.letters[0] == 'q' && base == 'u' || s.letters[0] == 'g' && base == 'i' {
			i++
		}
	}
	s.start = i
	for i < s.n && s.vowels[i].row >= 0 {
		i++
	}
	s.end = i
	for ; i < s.n; i++ {
		if s.vowels[i].row >= 0 {
			return false
		}
	}
	return s.end > s.start && s.end-s.start <= 3
}

// toneVowel gives the position that carries the tone in the new style.
func (s *syllable) toneVowel() int {
	for i := s.end - 1; i >= s.start; i-- {
		switch toneLetter[s.vowels[i].row][0] {
		case 'ă', 'â', 'ê', 'ô', 'ơ', 'ư':
			return i
		}
	}
	switch s.end - s.start {
	case 1:
		return s.start
	case 3:
		return s.start + 1
	}
	if s.end < s.n { // closed by a consonant
		return s.start + 1
	}
	first := toneLetter[s.vowels[s.start].row][0]
	second := toneLetter[s.vowels[s.start+1].row][0]
	if first == 'o' && (second == 'a' || second == 'e') || first == 'u' && second == 'y' {
		return s.start + 1
	}
	return s.start
}

// appendTone appends the word with its tone mark on the canonical vowel.
// The word must be lower case and composed.
func appendTone(dst, word []byte) []byte {
	s, ok := parseSyllable(word)
	if !ok {
		return append(dst, word...)
	}
	want := s.toneVowel()
	if want == s.toneAt {
		return append(dst, word...)
	}
	s.letters[s.toneAt] = toneLetter[s.vowels[s.toneAt].row][0]
	s.letters[want] = toneLetter[s.vowels[want].row][s.tone]
	for _, r := range s.letters[:s.n] {
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// Tone returns the lower-case, composed Vietnamese word with its tone mark on
// one canonical vowel: "hòa" and "hoà" both give "hoà", the slip "tóan" gives
// "toán". A word that is not a Vietnamese syllable comes back unchanged.
func Tone(word string) string {
	if isASCII(word) {
		return word
	}
	return string(appendTone(nil, []byte(word)))
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
