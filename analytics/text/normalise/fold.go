package normalise

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The fold table covers Latin letters with marks, U+00C0 to U+1EFF.
const (
	foldFirst = 0x00C0
	foldLast  = 0x1EFF
)

var foldTable = buildFoldTable()

// buildFoldTable maps each letter of the range to its unmarked lower-case
// letter, or to its plain lower case when it has no Latin base.
func buildFoldTable() (table [foldLast - foldFirst + 1]rune) {
	special := map[rune]rune{'đ': 'd', 'Đ': 'd', 'ø': 'o', 'Ø': 'o', 'ł': 'l', 'Ł': 'l', 'ı': 'i', 'ð': 'd', 'Ð': 'd'}
	var buf [32]byte
	for i := range table {
		r := rune(i + foldFirst)
		if base, ok := special[r]; ok {
			table[i] = base
			continue
		}
		n := utf8.EncodeRune(buf[:], r)
		base, _ := utf8.DecodeRune(norm.NFD.Bytes(buf[:n]))
		if base < utf8.RuneSelf {
			r = base
		}
		table[i] = unicode.ToLower(r)
	}
	return table
}

// FoldRune returns the lower-case letter without its diacritical marks: 'Ế'
// gives 'e', 'Đ' gives 'd'. Runes outside the Latin blocks are only
// lower-cased.
func FoldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	case r >= foldFirst && r <= foldLast:
		return foldTable[r-foldFirst]
	}
	return unicode.ToLower(r)
}

// AppendFold appends the diacritic-free, lower-case form of text to dst.
// Combining marks are dropped.
func AppendFold(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			dst = append(dst, byte(FoldRune(rune(c))))
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		i += size
		if !isMark(r) {
			dst = utf8.AppendRune(dst, FoldRune(r))
		}
	}
	return dst
}

// Fold returns s in lower case without diacritics: "Chuyển khoản" gives
// "chuyen khoan". Folding a folded string changes nothing.
func Fold(s string) string {
	return string(AppendFold(make([]byte, 0, len(s)), []byte(s)))
}

// isMark tells whether r is a combining mark that a Latin letter may carry.
func isMark(r rune) bool {
	return r >= 0x0300 && r <= 0x036F
}

func lowerRune(r rune) rune {
	if r < utf8.RuneSelf {
		return FoldRune(r)
	}
	return unicode.ToLower(r)
}
