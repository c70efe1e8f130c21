package xes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// scanner cuts XML text into tags. It keeps a window of the input in buf; the
// slices of the current tag point into it and are valid until the next call of
// next. Text between tags, comments, CDATA sections and processing
// instructions carry nothing in XES and are passed over.
type scanner struct {
	src   io.Reader
	buf   []byte
	pos   int   // of the next byte to scan
	end   int   // of the bytes read
	base  int64 // offset of buf[0] in the text
	lines int   // newlines before buf[0]
	err   error // why src gave no more; io.EOF at a regular end
	limit int   // largest tag, comment, ... in bytes

	tag     tag
	scratch []byte // decoded values of the current tag
}

// tag is one start, end or empty-element tag.
type tag struct {
	name  []byte // without namespace prefix
	full  []byte // as written
	close bool   // </name>
	empty bool   // <name/>
	attrs []rawAttr
}

// rawAttr is an XML attribute with its decoded value.
type rawAttr struct{ name, value []byte }

// get returns the value of an XML attribute, found by its name without prefix.
func (t *tag) get(name string) ([]byte, bool) {
	for i := range t.attrs {
		if string(t.attrs[i].name) == name {
			return t.attrs[i].value, true
		}
	}
	return nil, false
}

// errShort means that the window ends inside the markup being scanned.
var errShort = errors.New("window too short")

const windowSize = 256 << 10

func newScanner(src io.Reader, limit int) *scanner {
	return &scanner{src: src, buf: make([]byte, min(windowSize, max(limit, 4096))), limit: limit}
}

// next scans the next tag into s.tag. It returns io.EOF when the input ended.
func (s *scanner) next() error {
	for {
		at := bytes.IndexByte(s.buf[s.pos:s.end], '<')
		if at < 0 {
			s.pos = s.end
			if err := s.more(); err != nil {
				return err
			}
			continue
		}
		s.pos += at
		isTag, err := s.markup()
		if err != nil || isTag {
			return err
		}
	}
}

// markup scans the markup that begins at s.pos, reading on as it must, and
// tells whether it is a tag.
func (s *scanner) markup() (bool, error) {
	for {
		isTag, length, err := s.tryMarkup(s.buf[s.pos:s.end])
		if err == nil {
			s.pos += length
			return isTag, nil
		}
		if err != errShort {
			return false, err
		}
		if err := s.more(); err != nil {
			if err == io.EOF {
				return false, s.fail(Truncated, "the input ends inside %q", clip(s.buf[s.pos:s.end]))
			}
			return false, err
		}
	}
}

// more drops what was scanned, so that the window begins at s.pos, and fills
// it. It returns io.EOF when there is no more.
func (s *scanner) more() error {
	if s.pos > 0 {
		s.lines += bytes.Count(s.buf[:s.pos], []byte{'\n'})
		s.base += int64(s.pos)
		s.end = copy(s.buf, s.buf[s.pos:s.end])
		s.pos = 0
	}
	if s.end == len(s.buf) {
		if s.end >= s.limit {
			return s.fail(TooLarge, "one piece of markup is larger than %d bytes", s.limit)
		}
		s.buf = append(s.buf, make([]byte, min(len(s.buf), s.limit-len(s.buf)))...)
	}
	before := s.end
	for idle := 0; s.end < len(s.buf) && s.err == nil; {
		var n int
		n, s.err = s.src.Read(s.buf[s.end:])
		s.end += n
		if idle++; n > 0 {
			idle = 0
		} else if idle == 100 {
			s.err = io.ErrNoProgress
		}
	}
	if s.end > before {
		return nil
	}
	var own *Error
	switch {
	case s.err == io.EOF:
		return io.EOF
	case errors.Is(s.err, io.ErrUnexpectedEOF):
		return s.failBy(Truncated, s.err, "the input is cut off")
	case errors.As(s.err, &own):
		return s.failBy(own.Kind, own.Err, "%s", own.Msg)
	}
	return s.failBy(Source, s.err, "cannot read on")
}

// tryMarkup scans markup at the beginning of w and returns its length.
func (s *scanner) tryMarkup(w []byte) (isTag bool, length int, err error) {
	if len(w) < 2 {
		return false, 0, errShort
	}
	switch w[1] {
	case '!':
		length, err = s.declaration(w)
		return false, length, err
	case '?':
		length, err = through(w, 2, "?>")
		return false, length, err
	case '/':
		length, err = s.endTag(w)
		return true, length, err
	}
	length, err = s.startTag(w)
	return true, length, err
}

// through returns the length of w up to and with the terminator.
func through(w []byte, from int, terminator string) (int, error) {
	at := bytes.Index(w[from:], []byte(terminator))
	if at < 0 {
		return 0, errShort
	}
	return from + at + len(terminator), nil
}

// declaration passes over a comment, a CDATA section or a document type
// declaration without an internal subset.
func (s *scanner) declaration(w []byte) (int, error) {
	const comment, cdata = "<!--", "<![CDATA["
	if len(w) < len(cdata) && !bytes.HasPrefix(w, []byte(comment)) {
		return 0, errShort
	}
	switch {
	case bytes.HasPrefix(w, []byte(comment)):
		return through(w, len(comment), "-->")
	case bytes.HasPrefix(w, []byte(cdata)):
		return through(w, len(cdata), "]]>")
	}
	at := bytes.IndexAny(w, ">[")
	if at < 0 {
		return 0, errShort
	}
	if w[at] == '[' {
		return 0, s.fail(Malformed, "document type declarations with an internal subset are not accepted")
	}
	return at + 1, nil
}

func (s *scanner) endTag(w []byte) (int, error) {
	s.tag = tag{close: true, attrs: s.tag.attrs[:0]}
	i, err := s.tagName(w, 2)
	if err != nil {
		return 0, err
	}
	if i = skipSpace(w, i); i == len(w) {
		return 0, errShort
	}
	if w[i] != '>' {
		return 0, s.fail(Malformed, "unexpected %q in the end tag </%s", w[i], clip(s.tag.full))
	}
	return i + 1, nil
}

func (s *scanner) startTag(w []byte) (int, error) {
	s.tag = tag{attrs: s.tag.attrs[:0]}
	s.scratch = s.scratch[:0]
	i, err := s.tagName(w, 1)
	if err != nil {
		return 0, err
	}
	for {
		before := i
		if i = skipSpace(w, i); i == len(w) {
			return 0, errShort
		}
		switch {
		case w[i] == '>':
			return i + 1, nil
		case w[i] == '/':
			if i+1 == len(w) {
				return 0, errShort
			}
			if w[i+1] != '>' {
				return 0, s.fail(Malformed, "unexpected '/' in <%s>", clip(s.tag.full))
			}
			s.tag.empty = true
			return i + 2, nil
		case i == before:
			return 0, s.fail(Malformed, "unexpected %q in <%s>", w[i], clip(s.tag.full))
		}
		if i, err = s.attribute(w, i); err != nil {
			return 0, err
		}
	}
}

// tagName reads the element name at i and returns the position after it.
func (s *scanner) tagName(w []byte, i int) (int, error) {
	name, next, err := s.nameAt(w, i)
	if err != nil {
		return 0, err
	}
	s.tag.full, s.tag.name = name, local(name)
	return next, nil
}

func local(name []byte) []byte {
	if at := bytes.IndexByte(name, ':'); at >= 0 {
		return name[at+1:]
	}
	return name
}

// nameAt reads an XML name. It is lenient about which characters may stand in
// one: all but those that end it.
func (s *scanner) nameAt(w []byte, i int) ([]byte, int, error) {
	start := i
	for ; i < len(w); i++ {
		if class[w[i]]&endsName != 0 {
			if i == start {
				return nil, 0, s.fail(Malformed, "unexpected %q where a name should begin", w[i])
			}
			return w[start:i], i, nil
		}
	}
	return nil, 0, errShort
}

// attribute reads name="value" at i and returns the position after it.
func (s *scanner) attribute(w []byte, i int) (int, error) {
	name, i, err := s.nameAt(w, i)
	if err != nil {
		return 0, err
	}
	if i = skipSpace(w, i); i == len(w) {
		return 0, errShort
	}
	if w[i] != '=' {
		return 0, s.fail(Malformed, "attribute %q of <%s> has no value", clip(name), clip(s.tag.full))
	}
	if i = skipSpace(w, i+1); i == len(w) {
		return 0, errShort
	}
	quote := w[i]
	if quote != '"' && quote != '\'' {
		return 0, s.fail(Malformed, "the value of %q of <%s> is not quoted", clip(name), clip(s.tag.full))
	}
	start := i + 1
	length := bytes.IndexByte(w[start:], quote)
	value := w[start:]
	if length >= 0 {
		value = value[:length]
	}
	if bytes.IndexByte(value, '<') >= 0 {
		return 0, s.fail(Malformed, "'<' in the value of %q of <%s>: is a quote missing?", clip(name), clip(s.tag.full))
	}
	if length < 0 {
		return 0, errShort
	}
	if value, err = s.decode(value); err != nil {
		return 0, err
	}
	for _, other := range s.tag.attrs {
		if bytes.Equal(other.name, name) {
			return 0, s.fail(Malformed, "attribute %q is given twice in <%s>", clip(name), clip(s.tag.full))
		}
	}
	s.tag.attrs = append(s.tag.attrs, rawAttr{name, value})
	return start + length + 1, nil
}

// decode resolves character references and turns white space into spaces, as
// XML asks for in attribute values. Most values need neither.
func (s *scanner) decode(value []byte) ([]byte, error) {
	plain := true
	for _, b := range value {
		if class[b]&needsDecoding != 0 {
			plain = false
			break
		}
	}
	if plain {
		return value, nil
	}
	if !utf8.Valid(value) {
		return nil, s.fail(Encoding, "%q is not valid UTF-8; if the file has another encoding, its first line must say so", clip(value))
	}
	start := len(s.scratch)
	for i := 0; i < len(value); {
		switch b := value[i]; {
		case b == '&':
			r, length := reference(value[i:])
			if length == 0 {
				return nil, s.fail(Malformed, "%q is no character reference", clip(value[i:]))
			}
			s.scratch = utf8.AppendRune(s.scratch, r)
			i += length
			continue
		case b == '\r' && i+1 < len(value) && value[i+1] == '\n':
			i++
			s.scratch = append(s.scratch, ' ')
		case b == '\n' || b == '\t' || b == '\r':
			s.scratch = append(s.scratch, ' ')
		case b < ' ':
			return nil, s.fail(Malformed, "control character %#x in a value", b)
		default:
			s.scratch = append(s.scratch, b)
		}
		i++
	}
	return s.scratch[start:len(s.scratch):len(s.scratch)], nil
}

// reference reads a character reference at the beginning of v. The five named
// ones are all that XML has without declarations. Length 0 means none.
func reference(v []byte) (r rune, length int) {
	const longest = len("&#x10FFFF;") + 6 // some leading zeros
	end := bytes.IndexByte(v[:min(len(v), longest)], ';')
	if end < 2 {
		return 0, 0
	}
	switch name := string(v[1:end]); name {
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "amp":
		return '&', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	default:
		if name[0] != '#' {
			return 0, 0
		}
		r, ok := codePoint(name[1:])
		if !ok || !isXMLChar(r) {
			return 0, 0
		}
		return r, end + 1
	}
}

func codePoint(digits string) (rune, bool) {
	base := rune(10)
	if len(digits) > 0 && digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	var r rune
	for _, c := range []byte(digits) {
		var d rune
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case base == 16 && c|0x20 >= 'a' && c|0x20 <= 'f':
			d = rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, false
		}
	}
	return r, digits != ""
}

// isXMLChar tells whether XML 1.0 can carry the character.
func isXMLChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		(r >= ' ' && r <= 0xD7FF) || (r >= 0xE000 && r <= 0xFFFD) || (r >= 0x10000 && r <= utf8.MaxRune)
}

func skipSpace(w []byte, i int) int {
	for i < len(w) && class[w[i]]&isSpace != 0 {
		i++
	}
	return i
}

const (
	isSpace = 1 << iota
	endsName
	needsDecoding
)

// class says what each byte means to the scanner.
var class = func() (c [256]uint8) {
	for _, b := range " \t\r\n" {
		c[b] |= isSpace | endsName
	}
	for _, b := range "/>=<\"'?!&" {
		c[b] |= endsName
	}
	for b := range c {
		if b < ' ' || b == '&' || b >= utf8.RuneSelf {
			c[b] |= needsDecoding
		}
	}
	return c
}()

// fail makes an error at the current position.
func (s *scanner) fail(kind Kind, format string, args ...any) *Error {
	return s.failBy(kind, nil, format, args...)
}

func (s *scanner) failBy(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{
		Kind:   kind,
		Line:   s.lines + bytes.Count(s.buf[:s.pos], []byte{'\n'}) + 1,
		Offset: s.base + int64(s.pos),
		Msg:    fmt.Sprintf(format, args...),
		Err:    cause,
	}
}
