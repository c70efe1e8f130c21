package normalise

import "unicode/utf8"

// appendCollapsed appends a lower-case, composed word without the letters that
// were repeated for stress, and reports whether any were dropped.
//
// A run of three or more equal letters becomes one ("đẹppppp", "sooo"), or two
// where English spells a double o or e before a consonant ("goood"). After a
// Vietnamese vowel with a mark, repeats of its bare letter go too ("quáaaa"),
// and at the end of a word with marks even a double letter is one ("lắmm").
func appendCollapsed(dst, word []byte) ([]byte, bool) {
	if !hasRepeat(word) {
		return append(dst, word...), false
	}
	var letters [64]rune
	n := 0
	marked := false
	for i := 0; i < len(word); {
		if n == len(letters) {
			return append(dst, word...), false
		}
		r, size := utf8.DecodeRune(word[i:])
		i += size
		marked = marked || r >= utf8.RuneSelf
		letters[n] = r
		n++
	}
	changed := false
	for i := 0; i < n; {
		r := letters[i]
		j := i + 1
		for j < n && (letters[j] == r || r >= utf8.RuneSelf && letters[j] == FoldRune(r)) {
			j++
		}
		keep, tail := runKept(letters[:n], i, j, marked)
		for range keep {
			dst = utf8.AppendRune(dst, r)
		}
		if tail {
			dst = append(dst, 'u')
			keep++
		}
		changed = changed || keep < j-i
		i = j
	}
	return dst, changed
}

// runKept says how many letters of the run [i,j) stay, and whether a bare u
// after ư stays too: "lưu" is a word, only "lưuuu" is stressed.
func runKept(letters []rune, i, j int, marked bool) (keep int, bareU bool) {
	r, length := letters[i], j-i
	switch {
	case length == 1:
		return 1, false
	case r >= '0' && r <= '9':
		return length, false
	case r >= utf8.RuneSelf:
		return 1, FoldRune(r) == 'u' && toneLetter[toneOf[r].row][0] == 'ư' && letters[j-1] == 'u'
	case length == 2:
		if marked && j == len(letters) && r != 'o' {
			return 1, false
		}
		return 2, false
	case (r == 'o' || r == 'e') && j < len(letters) && i > 0:
		return 2, false
	}
	return 1, false
}

// hasRepeat is a cheap filter: does any letter follow itself, or follow its
// own marked form?
func hasRepeat(word []byte) bool {
	var previous rune
	for i := 0; i < len(word); {
		r, size := rune(word[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(word[i:])
		}
		if r == previous || previous >= utf8.RuneSelf && r == FoldRune(previous) {
			return true
		}
		previous = r
		i += size
	}
	return false
}
