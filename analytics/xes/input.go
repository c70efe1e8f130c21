package xes

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// openInput returns the text of src as UTF-8 without byte order mark. It
// unpacks gzip, found by its magic bytes, in a goroutine of its own that
// stop ends.
func openInput(src io.Reader) (text io.Reader, stop func(), err error) {
	stop = func() {}
	buffered := bufio.NewReaderSize(src, 64<<10)
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, stop, &Error{Kind: Source, Line: 1, Msg: "damaged gzip header", Err: err}
		}
		ahead := newReadAhead(unpacked)
		stop = ahead.close
		buffered = bufio.NewReaderSize(ahead, 64<<10)
	}
	text, err = toUTF8(buffered)
	return text, stop, err
}

// toUTF8 finds the encoding by byte order mark, by the pattern of the first
// characters, or by the XML declaration.
func toUTF8(r *bufio.Reader) (io.Reader, error) {
	head, _ := r.Peek(1024)
	utf16 := func(order unicode.Endianness) io.Reader {
		return unicode.UTF16(order, unicode.UseBOM).NewDecoder().Reader(r)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		_, err := r.Discard(3)
		return r, err
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}), bytes.HasPrefix(head, []byte{0, '<'}):
		return utf16(unicode.BigEndian), nil
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}), bytes.HasPrefix(head, []byte{'<', 0}):
		return utf16(unicode.LittleEndian), nil
	}
	name := declaredEncoding(head)
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return r, nil
	}
	table, ok := singleByte[strings.ToLower(name)]
	if !ok {
		return nil, &Error{Kind: Encoding, Line: 1, Msg: fmt.Sprintf(
			"encoding %q is not supported; convert the file to UTF-8", name)}
	}
	return table.NewDecoder().Reader(r), nil
}

var singleByte = map[string]encoding.Encoding{
	"iso-8859-1":   charmap.ISO8859_1,
	"latin1":       charmap.ISO8859_1,
	"iso-8859-15":  charmap.ISO8859_15,
	"windows-1252": charmap.Windows1252,
	"cp1252":       charmap.Windows1252,
	"windows-1258": charmap.Windows1258,
	"cp1258":       charmap.Windows1258,
}

// declaredEncoding returns the encoding named in <?xml ... encoding="..."?>.
func declaredEncoding(head []byte) string {
	if !bytes.HasPrefix(head, []byte("<?xml")) {
		return ""
	}
	declaration, _, _ := bytes.Cut(head, []byte("?>"))
	_, after, found := bytes.Cut(declaration, []byte("encoding"))
	if !found {
		return ""
	}
	after = bytes.TrimLeft(after, " \t\r\n=")
	if len(after) < 2 || (after[0] != '"' && after[0] != '\'') {
		return ""
	}
	name, _, _ := bytes.Cut(after[1:], after[:1])
	return string(name)
}

// readAhead reads from src in a goroutine, so that unpacking and scanning use
// two cores.
type readAhead struct {
	full    chan chunk
	free    chan []byte
	done    chan struct{}
	stopped chan struct{}
	once    sync.Once
	current chunk
	rest    []byte
}

type chunk struct {
	data []byte
	err  error
}

func newReadAhead(src io.Reader) *readAhead {
	const chunks, size = 4, 128 << 10
	r := &readAhead{
		full:    make(chan chunk, chunks),
		free:    make(chan []byte, chunks),
		done:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	for range chunks {
		r.free <- make([]byte, size)
	}
	go r.run(src)
	return r
}

func (r *readAhead) run(src io.Reader) {
	defer close(r.stopped)
	for {
		select {
		case <-r.done:
			return
		case data := <-r.free:
			n, err := fill(src, data)
			r.full <- chunk{data[:n], err} // never blocks: as many places as buffers
			if err != nil {
				return
			}
		}
	}
}

// fill reads until data is full or src reports an error.
func fill(src io.Reader, data []byte) (n int, err error) {
	for n < len(data) && err == nil {
		var k int
		k, err = src.Read(data[n:])
		n += k
	}
	return n, err
}

func (r *readAhead) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.current.err != nil {
			return 0, r.current.err
		}
		if r.current.data != nil {
			r.free <- r.current.data[:cap(r.current.data)]
		}
		r.current = <-r.full
		r.rest = r.current.data
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// close ends the goroutine and waits for it.
func (r *readAhead) close() {
	r.once.Do(func() { close(r.done) })
	<-r.stopped
}
