package normalise

import "fmt"

// Kind says what a token is.
type Kind uint8

// The kinds of token.
const (
	Word     Kind = iota // letters, possibly with inner apostrophe or hyphen-free digits
	Number               // digits with inner separators: "1.250.000", "24/7"
	Emoji                // one pictograph, with its modifiers
	Emoticon             // a face made of punctuation: ":)"
	Mark                 // one of . ! ? … that ends or stresses a sentence
	Link                 // a web address
	Email                // an e-mail address
	Hashtag              // #word
	Mention              // @word
)

var kindNames = [...]string{"word", "number", "emoji", "emoticon", "mark", "link", "email", "hashtag", "mention"}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Flag is a set of remarks about how a token was written.
type Flag uint8

// The remarks.
const (
	Elongated Flag = 1 << iota // letters or marks were repeated for stress
	Upper                      // two or more letters, all capitals
	Expanded                   // came from a data pack's expansion
	Positive                   // an emoji or emoticon of good mood
	Negative                   // an emoji or emoticon of bad mood
)

// Token is one unit of a text.
type Token struct {
	Start, End      int32 // byte offsets in Document.Source, the composed text
	norm, normEnd   int32 // in Document.buf
	folded, foldEnd int32 // in Document.buf
	Kind            Kind
	Flags           Flag
}

// Has tells whether the flag is set.
func (t Token) Has(f Flag) bool { return t.Flags&f != 0 }

// Document is a text and its tokens. The zero value is ready; it is meant to
// be reused for the next text. It must not be shared between goroutines.
type Document struct {
	Source string  // the text, composed (NFC)
	Tokens []Token // in order; an expansion may put several at one place
	buf    []byte
	word   []byte
	word2  []byte
}

// Norm returns the token's normalised form (lower case, NFC, canonical tone).
// It is valid until the next Parse.
func (d *Document) Norm(t Token) []byte { return d.buf[t.norm:t.normEnd] }

// Folded returns the token's diacritic-free form. It is valid until the next
// Parse.
func (d *Document) Folded(t Token) []byte { return d.buf[t.folded:t.foldEnd] }

// Raw returns the token as the customer wrote it.
func (d *Document) Raw(t Token) string { return d.Source[t.Start:t.End] }

// Shape returns the outline of a number: digits become '0', runs longer than
// three are cut to three. "1.250.000" gives "0.000.000", "12345678" gives "000".
func (d *Document) Shape(dst []byte, t Token) []byte {
	run := 0
	for _, c := range d.Norm(t) {
		if c < '0' || c > '9' {
			run = 0
			dst = append(dst, c)
			continue
		}
		if run++; run <= 3 {
			dst = append(dst, '0')
		}
	}
	return dst
}

// appendText appends the normalised text, tokens parted by one space.
func (d *Document) appendText(dst []byte) []byte {
	for i, t := range d.Tokens {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, d.Norm(t)...)
	}
	return dst
}
