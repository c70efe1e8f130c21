// Package search finds customers by what people remember of them: words of a
// name in any order and with or without diacritics, the end of a phone or id
// number, a whole number, a mail address.
//
// Names and numbers are encrypted, so what is searched are keyed hashes of their
// parts (tokens): a dictionary of tokens with how many records have each, and
// postings (token, record). A query looks its tokens up, walks the records of the
// rarest and keeps those that have all the others; what was found is decrypted
// and compared once more, so that a collision of hashes shows nobody. Records
// carry the tokens, not customers: a merge or an unmerge changes no index.
package search

import (
	"encoding/json"
	"strings"

	"omote/internal/customer/identity"
)

// Limits of a query.
const (
	MaxQuery = 200 // characters
	maxTerms = 8
	// MaxResults is how many customers a query gives at most.
	MaxResults = 100
	// walk is how many records are looked at to find and order these.
	walk = 200
)

// Shapes of tokens. A token is text that only its hash leaves memory of.
const (
	wordToken   = "w:" // a word of a name
	nameToken   = "n:" // a whole name, words in alphabetical order
	endingToken = "…"  // the last four or six digits of a number
	codeToken   = "#"  // a whole number
	mailToken   = "@"  // a whole mail address
)

// numbers are the traits whose digits are asked for.
var numbers = [][]string{{"phone", "phone_number", "mobile"}, {"citizen_id", "national_id", "id_number"}, {"passport", "passport_number"},
	{"customer_number", "crm_number", "crm_id", "cif"}}

// Tokens are what a record with the traits is found by.
func Tokens(traits string) []string {
	if traits == "" {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(traits), &members) != nil {
		return nil
	}
	seen := map[string]bool{}
	var out []string
	add := func(shape, text string) {
		if text != "" && !seen[shape+text] {
			seen[shape+text] = true
			out = append(out, shape+text)
		}
	}
	for _, name := range []string{"name", "full_name"} {
		text := identity.TraitText(members[name])
		for _, w := range identity.NameWords(text) {
			add(wordToken, w)
		}
		add(nameToken, identity.Name(text))
	}
	for _, group := range numbers {
		for _, name := range group {
			text := identity.TraitText(members[name])
			for _, code := range codes(text) {
				add(codeToken, code)
			}
			for _, end := range endings(text) {
				add(endingToken, end)
			}
		}
	}
	for _, name := range []string{"email", "email_address"} {
		add(mailToken, identity.Email(identity.TraitText(members[name])))
	}
	return out
}

// codes are the forms of a whole number: as a phone with its country, and plain.
func codes(text string) []string {
	var out []string
	if p := identity.Phone(text); p != "" {
		out = append(out, p)
	}
	if c := identity.Code(text); c != "" && (len(out) == 0 || out[0] != c) {
		out = append(out, c)
	}
	return out
}

// endings are the last four and six digits of a number of seven or more.
func endings(text string) []string {
	d := digits(text)
	if len(d) < 7 {
		return nil
	}
	return []string{d[len(d)-4:], d[len(d)-6:]}
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// term is one thing asked for: any of its tokens satisfies it.
type term struct {
	any []string
	ids []int64 // the numbers of these tokens
	n   int64   // how many records have one, at most
}

// parse reads a query: words are name words, numbers of four or six digits are
// endings, longer ones whole numbers. Digits written apart are one number.
func parse(query string) []term {
	var terms []term
	var words []string
	for _, field := range joinDigits(strings.Fields(query)) {
		d := digits(field)
		switch {
		case strings.Contains(field, "@"):
			if mail := identity.Email(field); mail != "" {
				terms = append(terms, term{any: []string{mailToken + mail}})
			}
		case d == "":
			words = append(words, identity.NameWords(field)...)
		case len(d) == len(plain(field)) && len(d) < 4:
			words = append(words, d)
		case len(d) == len(plain(field)) && len(d) < 8:
			end := d[len(d)-4:]
			if len(d) >= 6 {
				end = d[len(d)-6:]
			}
			terms = append(terms, term{any: append([]string{endingToken + end}, prefixed(codeToken, codes(field))...)})
		default:
			if found := codes(field); len(found) > 0 {
				terms = append(terms, term{any: prefixed(codeToken, found)})
			} else {
				words = append(words, identity.NameWords(field)...)
			}
		}
	}
	for _, w := range words {
		terms = append(terms, term{any: []string{wordToken + w}})
	}
	return terms[:min(len(terms), maxTerms)]
}

// plain is a field without the signs that numbers are written with.
func plain(field string) string {
	return strings.Trim(strings.NewReplacer(".", "", "-", "", "…", "", "*", "", "+", "").Replace(field), " ")
}

// joinDigits puts groups of digits that were written apart together, when they
// make a number of eight digits or more.
func joinDigits(fields []string) []string {
	var out []string
	for i := 0; i < len(fields); {
		j, n := i, 0
		for j < len(fields) && digits(fields[j]) != "" && len(digits(fields[j])) == len(plain(fields[j])) {
			n += len(digits(fields[j]))
			j++
		}
		switch {
		case j-i > 1 && n >= 8 && n <= 15:
			out = append(out, strings.Join(fields[i:j], ""))
			i = j
		default:
			out = append(out, fields[i])
			i++
		}
	}
	return out
}

func prefixed(shape string, texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = shape + t
	}
	return out
}
