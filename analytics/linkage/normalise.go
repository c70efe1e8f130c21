package linkage

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxValue is how many letters of a value are looked at: longer ones are cut,
// so that an absurd value costs no more than a long one.
const maxValue = 120

// clean lowers the case, composes marks, drops what cannot be seen (control,
// zero-width and direction characters) and puts one space between words.
func clean(s string) string {
	if plain(s) {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	space, n := false, 0
	for _, r := range norm.NFC.String(s) {
		switch {
		case unicode.IsSpace(r):
			space = true
			continue
		case unicode.Is(unicode.Cf, r), unicode.IsControl(r), r == unicode.ReplacementChar:
			continue
		}
		if n++; n > maxValue {
			break
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// plain tells that a value is short, lower-case ASCII with single spaces.
func plain(s string) bool {
	if len(s) > maxValue {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c >= 'A' && c <= 'Z' || c == ' ' && i > 0 && s[i-1] == ' ' {
			return false
		}
	}
	return true
}

// fold takes the marks off a cleaned value: "nguyễn đức" becomes "nguyen duc".
func fold(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			b.WriteByte('d')
		case r == 'ß':
			b.WriteString("ss")
		case r == 'ø':
			b.WriteByte('o')
		case r == 'ł':
			b.WriteByte('l')
		case r == 'æ':
			b.WriteString("ae")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// words cuts a folded value into its runs of letters and digits.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' })
}

// compact keeps letters and digits alone.
func compact(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// absent are the ways in which people write that they do not know.
var absent = map[string]bool{"": true, "-": true, "--": true, ".": true, "?": true, "null": true, "none": true, "nan": true, "n/a": true, "na": true, "#n/a": true,
	"unknown": true, "nil": true, "missing": true, "undefined": true, "không rõ": true, "không có": true, "\\n": true, "<na>": true, "not available": true}

// phoneOf gives the national significant digits of a telephone number:
// "+84 912.345.678", "0084912345678" and "0912345678" are one number, and
// Vietnamese numbers from before September 2018 are the ones that replaced them.
func phoneOf(s string) string {
	d := digits(s)
	switch {
	case strings.HasPrefix(d, "0084"):
		d = d[4:]
	case strings.HasPrefix(d, "84") && len(d) >= 11:
		d = d[2:]
	case strings.HasPrefix(d, "00"):
		d = d[2:]
	}
	d = strings.TrimLeft(d, "0")
	if len(d) == 10 && d[0] == '1' {
		if to, ok := oldPrefixes[d[:3]]; ok {
			d = to + d[3:]
		}
	}
	if len(d) < 5 {
		return ""
	}
	return d
}

// oldPrefixes maps the Vietnamese mobile prefixes of 11-digit numbers to those
// of 2018 (decision of the Ministry of Information and Communications, 2018).
var oldPrefixes = map[string]string{"160": "30", "161": "31", "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
	"120": "70", "121": "79", "122": "77", "126": "76", "128": "78", "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
	"186": "56", "188": "58", "199": "59"}

// emailOf lowers an address and forgets what providers ignore: a +tag.
func emailOf(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 {
		return ""
	}
	local, domain := s[:at], strings.Trim(s[at+1:], " .")
	if plus := strings.IndexByte(local, '+'); plus > 0 {
		local = local[:plus]
	}
	if domain == "" {
		return ""
	}
	return strings.ReplaceAll(local, " ", "") + "@" + domain
}
