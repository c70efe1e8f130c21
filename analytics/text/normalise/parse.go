package normalise

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Normaliser cuts and normalises texts. It is immutable after [New] and safe
// for concurrent use.
type Normaliser struct {
	short map[string][]string
	emoji moods
	faces [128][]face
}

// New makes a Normaliser that expands the short forms of the given packs; a
// later pack wins. Without packs nothing is expanded.
func New(packs ...Pack) *Normaliser {
	n := &Normaliser{
		short: make(map[string][]string),
		emoji: mustMoods("data/emoji.tsv"),
		faces: faceIndex(mustMoods("data/emoticons.tsv")),
	}
	for _, pack := range packs {
		for form, words := range pack {
			n.short[form] = words
		}
	}
	return n
}

// Default makes a Normaliser with the English and Vietnamese packs.
func Default() *Normaliser { return New(English(), Vietnamese()) }

// String returns the normalised text: tokens parted by single spaces.
func (n *Normaliser) String(s string) string {
	var d Document
	n.Parse(&d, s)
	return string(d.appendText(nil))
}

// Parse cuts s into d, whose former content is lost. Bytes that are not UTF-8
// are skipped. Texts beyond 2 GiB are cut there.
func (n *Normaliser) Parse(d *Document, s string) {
	const most = 1<<31 - 1
	if len(s) > most {
		s = s[:most]
	}
	// Composed first: a letter and its mark in two pieces must not look like the
	// end of a face, a link or an address with a mark behind it.
	if norm.NFC.QuickSpanString(s) < len(s) && !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	d.Source, d.Tokens, d.buf = s, d.Tokens[:0], d.buf[:0]
	for i := 0; i < len(s); {
		i = n.next(d, i)
	}
}

// next reads what starts at byte i and returns where to go on.
func (n *Normaliser) next(d *Document, i int) int {
	s := d.Source
	c := s[i]
	if c == ' ' || c == '\n' || c == '\t' || c == '\r' {
		return i + 1
	}
	if c < utf8.RuneSelf {
		if len(n.faces[c]) > 0 {
			if end, mood := n.face(s, i); end > 0 {
				return n.addFace(d, i, end, mood)
			}
		}
		switch {
		case isLetter(c):
			return n.word(d, i)
		case isDigit(c):
			return n.number(d, i)
		case c == '.' || c == '!' || c == '?':
			return addMark(d, i)
		case (c == '#' || c == '@') && i+1 < len(s):
			if r, _ := utf8.DecodeRuneInString(s[i+1:]); unicode.IsLetter(r) {
				return addTag(d, i)
			}
		}
		return i + 1
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	switch {
	case r == utf8.RuneError && size <= 1:
		return i + 1
	case unicode.IsLetter(r):
		return n.word(d, i)
	case r == '…':
		return addMark(d, i)
	case isPictograph(r):
		return n.addEmoji(d, i, size)
	case unicode.IsDigit(r):
		return n.number(d, i)
	}
	return i + size
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// letterAt tells whether a letter starts at byte i.
func letterAt(s string, i int) bool {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return unicode.IsLetter(r)
}

// wordEnd returns where the word that starts at i ends: letters, digits,
// combining marks, underscores, and an apostrophe between letters.
func wordEnd(s string, i int) int {
	for i < len(s) {
		c := s[i]
		if isLetter(c) || isDigit(c) || c == '_' {
			i++
			continue
		}
		if c == '\'' && letterAt(s, i+1) {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			return i
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == '’' && letterAt(s, i+size) {
			i += size
			continue
		}
		if !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) || r == '\uFE0F' {
			return i
		}
		i += size
	}
	return i
}

// word reads a word, or a link or e-mail address that starts like one.
func (n *Normaliser) word(d *Document, i int) int {
	s := d.Source
	end := wordEnd(s, i)
	if i > 0 && isDigit(s[i-1]) { // "12h30" is 12, h, 30
		if digit := strings.IndexAny(s[i:end], "0123456789"); digit > 0 {
			end = i + digit
		}
	}
	if end < len(s) {
		if linkEnd := linkFrom(s, i, end); linkEnd > 0 {
			return addPlain(d, i, linkEnd, Link, "<link>")
		}
		if mailEnd := mailFrom(s, i, end); mailEnd > 0 {
			return addPlain(d, i, mailEnd, Email, "<email>")
		}
	}
	flags := Flag(0)
	if isUpper(s[i:end]) {
		flags = Upper
	}
	word := d.lower(i, end)
	var stressed bool
	d.word2, stressed = appendCollapsed(d.word2[:0], word)
	if stressed {
		flags |= Elongated
	}
	if words, ok := n.short[string(d.word2)]; ok {
		for _, w := range words {
			addWord(d, i, end, append(d.word[:0], w...), flags|Expanded)
		}
		return end
	}
	addWord(d, i, end, d.word2, flags)
	return end
}

// lower returns the source range in lower case and NFC, valid until its next
// use.
func (d *Document) lower(start, end int) []byte {
	d.word = appendLower(d.word[:0], d.Source[start:end])
	if !norm.NFC.IsNormal(d.word) {
		d.word = norm.NFC.Bytes(d.word)
	}
	return d.word
}

// addWord stores a word's normalised and folded forms.
func addWord(d *Document, start, end int, word []byte, flags Flag) {
	t := Token{Start: int32(start), End: int32(end), Kind: Word, Flags: flags, norm: int32(len(d.buf))}
	plain := true
	for _, c := range word {
		if c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		d.buf = append(d.buf, word...)
		t.normEnd = int32(len(d.buf))
		t.folded, t.foldEnd = t.norm, t.normEnd
	} else {
		d.buf = appendTone(d.buf, word)
		t.normEnd = int32(len(d.buf))
		t.folded = t.normEnd
		d.buf = AppendFold(d.buf, d.buf[t.norm:t.normEnd])
		t.foldEnd = int32(len(d.buf))
	}
	d.Tokens = append(d.Tokens, t)
}

// addPlain stores a token whose two forms are the same text.
func addPlain(d *Document, start, end int, kind Kind, form string) int {
	t := Token{Start: int32(start), End: int32(end), Kind: kind, norm: int32(len(d.buf))}
	d.buf = append(d.buf, form...)
	t.normEnd = int32(len(d.buf))
	t.folded, t.foldEnd = t.norm, t.normEnd
	d.Tokens = append(d.Tokens, t)
	return end
}

// number reads digits with inner separators. Letters glued to it become the
// next word ("10tr" is "10" and "triệu").
func (n *Normaliser) number(d *Document, i int) int {
	s := d.Source
	end := i
	for end < len(s) {
		c := s[end]
		if isDigit(c) {
			end++
			continue
		}
		if (c == '.' || c == ',' || c == '/' || c == ':' || c == '-') && end+1 < len(s) && isDigit(s[end+1]) {
			end += 2
			continue
		}
		break
	}
	if end == i { // a digit of another script
		_, size := utf8.DecodeRuneInString(s[i:])
		end = i + size
	}
	return addPlain(d, i, end, Number, s[i:end])
}

// addMark reads a run of sentence marks; "!!!" is one elongated "!".
func addMark(d *Document, i int) int {
	s := d.Source
	r, size := utf8.DecodeRuneInString(s[i:])
	end, count := i+size, 1
	for end < len(s) && strings.HasPrefix(s[end:], string(r)) {
		end += size
		count++
	}
	form := s[i : i+size]
	if r == '.' && count > 1 || r == '…' {
		form = "…"
	}
	addPlain(d, i, end, Mark, form)
	if count > 1 && r != '.' {
		d.Tokens[len(d.Tokens)-1].Flags |= Elongated
	}
	return end
}

// addTag reads #word or @word; its form keeps the sign.
func addTag(d *Document, i int) int {
	kind := Hashtag
	if d.Source[i] == '@' {
		kind = Mention
	}
	end := wordEnd(d.Source, i+1)
	if kind == Mention {
		return addPlain(d, i, end, kind, "<mention>")
	}
	addWord(d, i, end, d.lower(i, end), 0)
	d.Tokens[len(d.Tokens)-1].Kind = kind
	return end
}

// face matches the longest emoticon at i. A face must not be glued to a letter
// or digit before it, nor, when it ends in a letter, to one after it; repeats
// of its last character belong to it.
func (n *Normaliser) face(s string, i int) (end int, mood Flag) {
	if i > 0 && (isDigit(s[i-1]) || isLetter(s[i-1]) && s[i] != ':' && s[i] != '=' && s[i] != '(') {
		return 0, 0
	}
	for _, f := range n.faces[s[i]] {
		if !strings.HasPrefix(s[i:], f.form) {
			continue
		}
		end = i + len(f.form)
		last := f.form[len(f.form)-1]
		for end < len(s) && s[end] == last {
			end++
		}
		if end < len(s) && (isLetter(last) || isDigit(last) || last == '/') && (isLetter(s[end]) || isDigit(s[end]) || s[end] == '/') {
			continue
		}
		return end, f.mood
	}
	return 0, 0
}

func (n *Normaliser) addFace(d *Document, i, end int, mood Flag) int {
	form := "<face>"
	switch mood {
	case Positive:
		form = "<face+>"
	case Negative:
		form = "<face->"
	}
	addPlain(d, i, end, Emoticon, form)
	d.Tokens[len(d.Tokens)-1].Flags |= mood
	return end
}

// addEmoji reads one pictograph with its modifiers and equal repeats.
func (n *Normaliser) addEmoji(d *Document, i, size int) int {
	s := d.Source
	form := s[i : i+size]
	end := i + size
	stressed := false
	for end < len(s) {
		r, width := utf8.DecodeRuneInString(s[end:])
		if r == '\uFE0F' || r == '\u200D' || r >= 0x1F3FB && r <= 0x1F3FF {
			end += width
			continue
		}
		if s[end:end+width] != form {
			break
		}
		stressed = true
		end += width
	}
	addPlain(d, i, end, Emoji, form)
	t := &d.Tokens[len(d.Tokens)-1]
	t.Flags |= n.emoji[form]
	if stressed {
		t.Flags |= Elongated
	}
	return end
}

// isPictograph covers the blocks in which emoji live.
func isPictograph(r rune) bool {
	return r >= 0x1F300 && r <= 0x1FAFF || r >= 0x2600 && r <= 0x27BF || r >= 0x2B00 && r <= 0x2BFF || r >= 0x1F1E6 && r <= 0x1F1FF
}

// linkFrom recognises "http://…", "https://…" and "www.…".
func linkFrom(s string, i, end int) int {
	rest := s[end:]
	word := s[i:end]
	isScheme := (strings.EqualFold(word, "http") || strings.EqualFold(word, "https")) && strings.HasPrefix(rest, "://")
	isWWW := strings.EqualFold(word, "www") && strings.HasPrefix(rest, ".")
	if !isScheme && !isWWW {
		return 0
	}
	if stop := strings.IndexFunc(rest, unicode.IsSpace); stop >= 0 {
		return end + stop
	}
	return len(s)
}

// Longest parts of an e-mail address (RFC 5321); they also bound the scan.
const (
	maxLocalPart = 64
	maxDomain    = 255
)

// mailFrom recognises name@host.domain, the name having started at i.
func mailFrom(s string, i, end int) int {
	at := end
	for at < len(s) && at-i < maxLocalPart && (isLetter(s[at]) || isDigit(s[at]) || strings.IndexByte("._+-", s[at]) >= 0) {
		at++
	}
	if at >= len(s) || s[at] != '@' {
		return 0
	}
	stop, dot := at+1, false
	for stop < len(s) && stop-at < maxDomain && (isLetter(s[stop]) || isDigit(s[stop]) || s[stop] == '-' || s[stop] == '.') {
		if s[stop] == '.' && stop+1 < len(s) && isLetter(s[stop+1]) && stop > at+1 {
			dot = true
		}
		stop++
	}
	for stop > at && s[stop-1] == '.' {
		stop--
	}
	if !dot {
		return 0
	}
	return stop
}

// isUpper reports two or more letters, none lower case.
func isUpper(word string) bool {
	if len(word) < 2 || word[0] >= 'a' && word[0] <= 'z' {
		return false
	}
	letters := 0
	for _, r := range word {
		if unicode.IsLower(r) {
			return false
		}
		if unicode.IsUpper(r) {
			letters++
		}
	}
	return letters >= 2
}

func appendLower(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			dst = append(dst, byte(FoldRune(rune(c))))
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if r == '’' {
			r = '\''
		}
		dst = utf8.AppendRune(dst, lowerRune(r))
	}
	return bytes.TrimRight(dst, "_")
}
