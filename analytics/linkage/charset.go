package linkage

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// decoded turns UTF-16 with a byte order mark into UTF-8.
func decoded(r io.Reader) io.Reader {
	in := bufio.NewReader(r)
	bom, _ := in.Peek(2)
	if len(bom) < 2 || !(bom[0] == 0xff && bom[1] == 0xfe || bom[0] == 0xfe && bom[1] == 0xff) {
		return in
	}
	little := bom[0] == 0xff
	raw, err := io.ReadAll(in)
	if err != nil {
		return io.MultiReader(bytes.NewReader(nil), errReader{err})
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		a, b := uint16(raw[2*i]), uint16(raw[2*i+1])
		if little {
			units[i] = b<<8 | a
		} else {
			units[i] = a<<8 | b
		}
	}
	return strings.NewReader(string(utf16.Decode(units)))
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// legacy finds out in which eight-bit code a file was written whose text is no
// UTF-8: Windows-1258, in which Vietnamese tones follow their vowels as bytes of
// their own, or Windows-1252. In the latter the bytes of the tones are Ì, Ò, Þ, ì
// and ò, which hardly ever stand behind a vowel.
func legacy(head []byte) *charmap.Charmap {
	behind, elsewhere := 0, 0
	for line := range bytes.Lines(head) {
		if utf8.Valid(line) {
			continue
		}
		for i, c := range line {
			if strings.IndexByte(tones1258, c) < 0 {
				continue
			}
			if i > 0 && strings.IndexByte(vowels1258, line[i-1]) >= 0 {
				behind++
			} else {
				elsewhere++
			}
		}
	}
	if behind >= 2 && behind > 4*elsewhere {
		return charmap.Windows1258
	}
	return charmap.Windows1252
}

const (
	tones1258  = "\xcc\xd2\xde\xec\xf2"                                         // grave, hook above, tilde, acute, dot below
	vowels1258 = "aeiouyAEIOUY\xc2\xca\xd4\xe2\xea\xf4\xc3\xe3\xd5\xf5\xdd\xfd" // with circumflex, breve and horn
)

// text reads bytes that are no UTF-8 in the code of the file.
func text(code *charmap.Charmap, s string) string {
	if utf8.ValidString(s) {
		return s
	}
	out, err := code.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "")
	}
	return norm.NFC.String(out)
}
