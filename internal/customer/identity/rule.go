package identity

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"omote/analytics/linkage"
	"omote/analytics/text/normalise"
)

// Rule says which traits, equal together, make two records one person. Phone
// numbers and mail addresses pass from one person to another and are shared in
// families, so they count with a name or a birth date only; and neither counts
// when more than Limit records state it.
type Rule struct {
	Name string
	// Of are the traits that must all be stated.
	Of []string
	// Base is the rule over the trait whose sharing spoils this one; empty for none.
	Base string
	// Limit is how many records may state the same before it stops linking.
	Limit int
	// Links is false for rules that only count, and find.
	Links bool
}

// Rules are the exact identifiers, those that others count on first.
var Rules = []Rule{
	{Name: "citizen_id", Of: []string{"citizen_id"}, Limit: 16, Links: true},
	{Name: "old_citizen_id", Of: []string{"old_citizen_id"}, Limit: 16, Links: true},
	{Name: "passport", Of: []string{"passport"}, Limit: 16, Links: true},
	{Name: "customer_number", Of: []string{"customer_number"}, Limit: 16, Links: true},
	{Name: "phone", Of: []string{"phone"}, Limit: 32},
	{Name: "email", Of: []string{"email"}, Limit: 32},
	{Name: "phone_birth", Of: []string{"phone", "birth_date"}, Base: "phone", Limit: 16, Links: true},
	{Name: "phone_name", Of: []string{"phone", "name"}, Base: "phone", Limit: 16, Links: true},
	{Name: "email_birth", Of: []string{"email", "birth_date"}, Base: "email", Limit: 16, Links: true},
	{Name: "email_name", Of: []string{"email", "name"}, Base: "email", Limit: 16, Links: true},
	{Name: "address", Of: []string{"address"}, Limit: 16},
}

// exclusive are the rules whose values a person has only one of: two records
// with different ones contradict.
var exclusive = []string{"citizen_id"}

func ruleOf(name string) *Rule {
	if i := slices.IndexFunc(Rules, func(r Rule) bool { return r.Name == name }); i >= 0 {
		return &Rules[i]
	}
	return nil
}

// IsRule reports whether a reason is the name of a rule.
func IsRule(name string) bool { return ruleOf(name) != nil }

// stated are the normalised identifiers in a record's traits, "" where a value
// is absent or identifies nobody.
type stated map[string]string

// parseStated reads what rules use from a JSON object of traits. Members that
// are no text or number are passed over.
func parseStated(traits string) stated {
	if traits == "" {
		return stated{}
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(traits), &members) != nil {
		return stated{}
	}
	text := func(names ...string) string {
		for _, n := range names {
			if v := TraitText(members[n]); v != "" {
				return v
			}
		}
		return ""
	}
	s := stated{
		"phone":           Phone(text("phone", "phone_number", "mobile")),
		"email":           Email(text("email", "email_address")),
		"name":            Name(text("name", "full_name")),
		"birth_date":      BirthDate(text("birth_date", "birthday", "date_of_birth")),
		"passport":        Code(text("passport", "passport_number")),
		"customer_number": Code(text("customer_number", "crm_number", "crm_id", "cif")),
		"address":         Address(text("address")),
	}
	s["citizen_id"], s["old_citizen_id"] = CitizenID(text("citizen_id", "national_id", "id_number"))
	return s
}

// value is what a rule compares: its traits joined, "" when one is missing.
func (s stated) value(r *Rule) string {
	parts := make([]string, len(r.Of))
	for i, trait := range r.Of {
		if parts[i] = s[trait]; parts[i] == "" {
			return ""
		}
	}
	return strings.Join(parts, "\x1f")
}

// TraitText is the text of a trait that is a string or a number.
func TraitText(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return strings.TrimSpace(visible(s))
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// visible takes out what nobody sees: zero-width characters, marks of direction,
// controls. They split words, hide a difference between two values, and turn the
// text behind them round on a page. The record keeps what it stated.
func visible(s string) string {
	hidden := func(r rune) bool {
		return unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && r != '\n' && r != '\t' || r == unicode.ReplacementChar
	}
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, s)
}

// Phone is a phone number as digits with the country first: "0903 000 001" and
// "+84903000001" are both "84903000001". Fewer than 9 digits, more than 15
// (E.164's limit), and one digit repeated identify nobody.
func Phone(text string) string {
	d := digits(text)
	switch {
	case strings.HasPrefix(d, "00"):
		d = d[2:]
	case strings.HasPrefix(d, "0"):
		d = "84" + d[1:]
	case !strings.HasPrefix(strings.TrimSpace(text), "+") && len(d) == 9 && strings.ContainsAny(d[:1], "35789"):
		d = "84" + d
	}
	if len(d) < 9 || len(d) > 15 || monotone(d[2:]) {
		return ""
	}
	return d
}

// Email is a mail address in lower case; what has no @ with something at both
// sides is none.
func Email(text string) string {
	e := strings.ToLower(strings.TrimSpace(text))
	at := strings.LastIndexByte(e, '@')
	if at < 1 || at == len(e)-1 || len(e) > 254 || strings.ContainsFunc(e, unicode.IsSpace) {
		return ""
	}
	return e
}

// Name is a full name for comparison: words without diacritics, lower case, in
// alphabetical order, so that "Hồng Nguyễn Thị" equals "nguyen thi hong". A
// single word names nobody, nor does what a child is called at home ("bé Na").
func Name(text string) string {
	words := NameWords(text)
	if len(words) < 2 || linkage.HouseholdName(text) {
		return ""
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// NameWords are the words of a name without diacritics, in lower case, at most 16.
func NameWords(text string) []string {
	const most = 16
	words := foldedWords(text, 400)
	return words[:min(len(words), most)]
}

// foldedWords are the words of the first most bytes without diacritics, in lower
// case. Invisible characters are taken out, so that they split no word.
func foldedWords(text string, most int) []string {
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text[:min(len(text), most)], ""))
	return strings.FieldsFunc(string(normalise.AppendFold(nil, []byte(text))), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// BirthDate is a date YYYY-MM-DD. The first of January is what systems write for
// "unknown" and identifies nobody.
func BirthDate(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > 10 {
		text = text[:10]
	}
	if len(text) != 10 || text[4] != '-' || text[7] != '-' || strings.HasSuffix(text, "-01-01") || text < "1905" || len(digits(text)) != 8 {
		return ""
	}
	return text
}

// CitizenID tells a Vietnamese citizen id of twelve digits from an identity card
// number of nine, which a person may have had before.
func CitizenID(text string) (citizen, old string) {
	switch d := digits(text); {
	case len(d) == 12 && !monotone(d):
		return d, ""
	case len(d) == 9 && !monotone(d):
		return "", d
	}
	return "", ""
}

// Code is a number that a system gives, in capitals without spaces and hyphens.
func Code(text string) string {
	c := strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text))
	if len(c) < 5 || len(c) > 64 || monotone(c) {
		return ""
	}
	return c
}

// Address is an address as folded words in their order; shorter than three words
// it is no place where a household lives.
func Address(text string) string {
	words := foldedWords(text, 600)
	if len(words) < 3 {
		return ""
	}
	return strings.Join(words, " ")
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// monotone reports a filler such as 000000000.
func monotone(s string) bool { return s == "" || strings.Count(s, s[:1]) == len(s) }
