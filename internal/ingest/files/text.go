package files

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"omote/internal/platform/errs"
)

// openText unpacks a text file where it is gzip and turns it into UTF-8. A
// damaged or foreign file is an error; single bytes that are no UTF-8 in a file
// that is otherwise UTF-8 stay, so that only their rows are set aside.
func openText(src io.Reader, encodingName string) (*bufio.Reader, *counter, error) {
	count := &counter{src: src}
	r := bufio.NewReaderSize(count, 64<<10)
	if head, _ := r.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		zr, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, errs.Invalid("files.error.gzip", "file", "the gzip header is damaged").Because(err)
		}
		r = bufio.NewReaderSize(zr, 64<<10)
	}
	head, err := r.Peek(32 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read the file's beginning: %w", err)
	}
	enc, err := encodingOf(head, encodingName)
	if err != nil || enc == nil {
		if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
			_, _ = r.Discard(3)
		}
		return r, count, err
	}
	// Windows-1258 writes Vietnamese tones as marks of their own: compose them.
	decoded := transform.NewReader(r, transform.Chain(enc.NewDecoder(), norm.NFC))
	return bufio.NewReaderSize(decoded, 64<<10), count, nil
}

// encodingOf gives the decoder a file needs, nil for UTF-8.
func encodingOf(head []byte, name string) (encoding.Encoding, error) {
	if name != "" {
		enc, err := htmlindex.Get(name)
		if err != nil {
			return nil, errs.Invalid("files.error.encoding", "encoding", "unknown encoding %q; try utf-8, utf-16le, windows-1258 or windows-1252", name).With("name", name)
		}
		if n, _ := htmlindex.Name(enc); n == "utf-8" {
			return nil, nil
		}
		return enc, nil
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), nil
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	case zeros(head, 1) > len(head)/4:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	case zeros(head, 0) > len(head)/4:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	case mostlyUTF8(head):
		return nil, nil
	}
	return htmlindex.Get("windows-1258")
}

// zeros counts zero bytes at even (from 0) or odd (from 1) places.
func zeros(b []byte, from int) (n int) {
	for i := from; i < len(b); i += 2 {
		if b[i] == 0 {
			n++
		}
	}
	return n
}

// mostlyUTF8 tells a UTF-8 file with a few damaged bytes from one in another
// encoding: in UTF-8 most bytes above 127 belong to valid sequences.
func mostlyUTF8(b []byte) bool {
	valid, invalid := 0, 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1 && len(b) < utf8.UTFMax && !utf8.FullRune(b):
			return invalid <= valid // cut at the end of the sample
		case r == utf8.RuneError && size == 1:
			invalid++
		case size > 1:
			valid++
		}
		b = b[size:]
	}
	return invalid <= valid
}

// lines gives the lines of a text without their ends, in bounded memory: a
// longer line than MaxRecord is cut and reported as too long.
type lines struct {
	r   *bufio.Reader
	buf []byte
}

func (l *lines) next() (line []byte, tooLong bool, err error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if room := MaxRecord + 2 - len(l.buf); len(part) > room {
			tooLong = true
			part = part[:max(room, 0)]
		}
		l.buf = append(l.buf, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !(errors.Is(err, io.EOF) && len(l.buf) > 0) {
			return nil, tooLong, err
		}
		return bytes.TrimRight(l.buf, "\r\n"), tooLong, nil
	}
}
