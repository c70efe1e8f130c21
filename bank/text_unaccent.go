package bank

import "strings"

// plainLetters maps each Vietnamese letter to the letter without its marks.
var plainLetters = buildPlain()

func buildPlain() map[rune]rune {
	groups := map[rune]string{
		'a': "àáảãạăằắẳẵặâầấẩẫậ", 'e': "èéẻẽẹêềếểễệ", 'i': "ìíỉĩị", 'o': "òóỏõọôồốổỗộơờớởỡợ",
		'u': "ùúủũụưừứửữự", 'y': "ỳýỷỹỵ", 'd': "đ",
	}
	m := make(map[rune]rune)
	for base, letters := range groups {
		for _, l := range letters {
			m[l] = base
			m[[]rune(strings.ToUpper(string(l)))[0]] = base - 'a' + 'A'
		}
	}
	return m
}

// unaccent writes Vietnamese without diacritics, as on an embossed card.
func unaccent(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 {
			return r
		}
		if p, ok := plainLetters[r]; ok {
			return p
		}
		return r
	}, s)
}
