package linkage

import "fmt"

// Kind says what a column holds and so how two of its values are compared.
type Kind string

// Kinds of column.
const (
	Ignore     Kind = "ignore"     // takes no part: row numbers, internal ids, time stamps of a load
	Given      Kind = "given"      // first name
	Family     Kind = "family"     // last name
	Name       Kind = "name"       // a whole name in one column, in whatever order
	Date       Kind = "date"       // a day, mostly of birth
	Phone      Kind = "phone"      // telephone number
	Email      Kind = "email"      // e-mail address
	Identifier Kind = "identifier" // number or code meant to be one person's: citizen id, tax number
	Postcode   Kind = "postcode"   // hierarchical: the beginning is the wider area
	Place      Kind = "place"      // town, suburb, province, country
	Address    Kind = "address"    // street, or a whole postal address
	Number     Kind = "number"     // house number and the like: a short code
	Category   Kind = "category"   // one of few values: sex, state, language
	Text       Kind = "text"       // words: occupation, employer, remainder of a name
	Words      Kind = "words"      // many words: a title, a description, a list of authors
	Numeric    Kind = "numeric"    // a quantity, compared by ratio
	Geo        Kind = "geo"        // "latitude,longitude" in degrees
)

// levels names the agreement levels of each kind, from disagreement (0) to
// equality (last). They are also what a waterfall says in words.
var levels = map[Kind][]string{
	Given:      {"different", "somewhat similar", "similar", "initial or part", "nickname", "one edit", "in the other name field", "equal without marks", "equal"},
	Family:     {"different", "somewhat similar", "similar", "initial or part", "nickname", "one edit", "in the other name field", "equal without marks", "equal"},
	Name:       {"different", "one distinctive word", "similar", "all words similar", "first and last word", "same words in other order", "equal without marks", "equal"},
	Date:       {"different", "years close", "same year", "same year, rest a default", "two parts agree", "one edit", "day and month exchanged", "equal"},
	Phone:      {"different", "two edits", "one edit", "equal"},
	Email:      {"different", "similar name before the @", "same name before the @", "one edit", "equal"},
	Identifier: {"different", "two edits", "one edit", "equal"},
	Postcode:   {"different", "same area", "same district", "same sector", "one edit", "equal"},
	Place:      {"different", "a word shared", "one within the other", "similar", "one edit", "equal without marks", "equal"},
	Address:    {"different", "little shared", "half shared", "most shared", "spelt alike", "in the other address field", "equal without marks", "equal"},
	Number:     {"different", "one edit", "equal"},
	Category:   {"different", "one edit", "equal"},
	Text:       {"different", "a word shared", "one within the other", "similar", "one edit", "equal without marks", "equal"},
	Words:      {"different", "little shared", "half shared", "most shared", "spelt alike", "equal without marks", "equal"},
	Numeric:    {"different", "within a fifth", "within a twentieth", "within a hundredth", "equal"},
	Geo:        {"far", "within 50 km", "within 5 km", "within 500 m", "within 50 m"},
}

// Valid tells whether k is a kind.
func (k Kind) Valid() error {
	if _, ok := levels[k]; !ok && k != Ignore {
		return fmt.Errorf("kind %q is not known", string(k))
	}
	return nil
}

// Levels gives the names of the agreement levels of a kind, disagreement first.
func (k Kind) Levels() []string { return levels[k] }
