package sealed

import (
	"strings"
	"unicode"

	"omote/analytics/text/normalise"
)

// maxTokens bounds the tokens of one value.
const maxTokens = 16

// NameTokens gives the words of a name in lower case without diacritics:
// "Nguyễn Văn Đức" → nguyen, van, duc. A search for any of its words, typed with
// or without diacritics, makes the same tokens.
func NameTokens(name string) []string {
	folded := string(normalise.AppendFold(nil, []byte(name)))
	words := strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return distinct(words[:min(len(words), maxTokens)])
}

// NumberEndings gives the last 4 and the last 6 digits of a number, such as a
// phone, card or account number, as a clerk asks for them: "…4321". Other
// characters are passed over. A number of fewer digits has fewer endings.
func NumberEndings(number string) []string {
	digits := Digits(number)
	var out []string
	for _, n := range []int{4, 6} {
		if len(digits) >= n {
			out = append(out, "…"+digits[len(digits)-n:])
		}
	}
	return out
}

// Digits gives the decimal digits of s, in order.
func Digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
