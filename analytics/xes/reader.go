package xes

import (
	"bytes"
	"io"
)

// Limits bound what a reader accepts, so that a hostile file cannot exhaust
// memory. A zero field means its default.
type Limits struct {
	Depth       int // nesting of attributes; default 64
	MarkupBytes int // one tag with its values, or one comment; default 16 MiB
	TraceBytes  int // values and attributes of one trace, or of the header; default 512 MiB
}

const (
	defaultDepth       = 64
	defaultMarkupBytes = 16 << 20
	defaultTraceBytes  = 512 << 20
)

// Reader reads one XES log, trace by trace. It is not safe for concurrent use.
type Reader struct {
	src     io.Reader
	limits  Limits
	s       *scanner
	stop    func()
	header  Header
	trace   Trace
	keys    map[string]string // interned attribute keys
	arena   arena             // values of the current trace
	kept    arena             // values of the header
	state   state
	pending bool // s.tag is a trace or event not yet read
	err     error
}

type state uint8

const (
	atStart state = iota
	inLog
	afterLog
)

// NewReader returns a reader of src with the default limits. The caller closes
// it; src itself is not closed. When src is gzip data it is read from a
// goroutine that the reader owns.
func NewReader(src io.Reader) *Reader { return NewReaderLimits(src, Limits{}) }

// NewReaderLimits is NewReader with other limits.
func NewReaderLimits(src io.Reader, limits Limits) *Reader {
	orDefault := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orDefault(&limits.Depth, defaultDepth)
	orDefault(&limits.MarkupBytes, defaultMarkupBytes)
	orDefault(&limits.TraceBytes, defaultTraceBytes)
	return &Reader{src: src, limits: limits, stop: func() {}, keys: map[string]string{}}
}

// Close ends reading and frees what the reader holds. It waits for a pending
// read of src. Calling it again is allowed.
func (r *Reader) Close() error {
	r.stop()
	if r.err == nil {
		r.err = io.ErrClosedPipe
	}
	return nil
}

// Header returns what stands before the first trace, reading up to it. After
// [Reader.Next] returned io.EOF it also holds attributes that stand between or
// after traces. It stays valid when the reader moves on.
func (r *Reader) Header() (*Header, error) {
	if r.state == atStart && r.err == nil {
		if err := r.start(); err != nil {
			r.err = err
		} else if r.pending, err = r.toTrace(); err != nil {
			r.err = err
		}
	}
	if r.err != nil && r.err != io.EOF {
		return nil, r.err
	}
	return &r.header, nil
}

// Next returns the next trace, or io.EOF after the last one when the log was
// complete and well-formed to its end. The trace and all it holds are valid
// until the next call. Any other error is an [*Error] and final: Next returns
// it from then on.
func (r *Reader) Next() (*Trace, error) {
	if _, err := r.Header(); err != nil {
		return nil, err
	}
	if r.err != nil {
		return nil, r.err
	}
	if !r.pending {
		if r.pending, r.err = r.toTrace(); r.err != nil {
			return nil, r.err
		}
	}
	r.pending = false
	if r.err = r.readTrace(); r.err != nil {
		return nil, r.err
	}
	return &r.trace, nil
}

// Position returns the line and the byte offset that reading has reached.
func (r *Reader) Position() (line int, offset int64) {
	if r.s == nil {
		return 1, 0
	}
	here := r.s.fail("", "")
	return here.Line, here.Offset
}

// start opens the input and reads the root element.
func (r *Reader) start() error {
	text, stop, err := openInput(r.src)
	r.stop = stop
	if err != nil {
		return err
	}
	r.s = newScanner(text, r.limits.MarkupBytes)
	if err := r.s.next(); err == io.EOF {
		return r.s.fail(NotXES, "no XML element found")
	} else if err != nil {
		return err
	}
	t := &r.s.tag
	if t.close || string(t.name) != "log" {
		return r.s.fail(NotXES, "the root element is <%s>, not <log>", clip(t.full))
	}
	version, _ := t.get("xes.version")
	features, _ := t.get("xes.features")
	r.header.Version, r.header.Features = string(version), string(features)
	r.state = inLog
	if t.empty {
		r.state = afterLog
	}
	return nil
}

// toTrace reads the log up to the next trace or loose event, adding what it
// meets to the header. It returns io.EOF at the regular end.
func (r *Reader) toTrace() (bool, error) {
	for r.state == inLog {
		if err := r.nextIn("log"); err != nil {
			return false, err
		}
		switch t := &r.s.tag; {
		case t.close:
			if string(t.name) != "log" {
				return false, r.mismatch("log")
			}
			r.state = afterLog
		case string(t.name) == "trace" || string(t.name) == "event":
			return true, nil
		default:
			if err := r.headerElement(); err != nil {
				return false, err
			}
		}
	}
	return false, r.finish()
}

// finish makes sure that nothing follows the log, and reads the input to its
// end, so that a damaged checksum is found.
func (r *Reader) finish() error {
	err := r.s.next()
	if err == nil {
		return r.s.fail(Malformed, "<%s> after the end of the log", clip(r.s.tag.full))
	}
	return err
}

func (r *Reader) headerElement() error {
	t := &r.s.tag
	text := func(name string) string { v, _ := t.get(name); return string(v) }
	const overhead = 128 // of an extension or classifier
	if err := r.charge(&r.kept, overhead); err != nil {
		return err
	}
	switch string(t.name) {
	case "extension":
		r.header.Extensions = append(r.header.Extensions, Extension{text("name"), text("prefix"), text("uri")})
	case "classifier":
		r.header.Classifiers = append(r.header.Classifiers, newClassifier(text("name"), text("scope"), text("keys")))
	case "global":
		return r.global(text("scope"))
	default:
		if kind, ok := typeOf(t.name); ok {
			return r.headerAttr(&r.header.Attrs, kind)
		}
	}
	return r.skip()
}

func (r *Reader) global(scope string) error {
	if r.s.tag.empty {
		return nil
	}
	attrs := &r.header.EventGlobals
	if scope == "trace" {
		attrs = &r.header.TraceGlobals
	}
	for {
		if err := r.nextIn("global"); err != nil {
			return err
		}
		t := &r.s.tag
		if t.close {
			if string(t.name) != "global" {
				return r.mismatch("global")
			}
			return nil
		}
		kind, ok := typeOf(t.name)
		if !ok {
			return r.s.fail(Malformed, "<%s> in <global>", clip(t.full))
		}
		if err := r.headerAttr(attrs, kind); err != nil {
			return err
		}
	}
}

func (r *Reader) headerAttr(to *[]Attr, kind Type) error {
	attrs, err := r.attr(*to, kind, &r.kept, 1)
	*to = attrs
	return err
}

// readTrace reads the trace or loose event whose start tag was scanned.
func (r *Reader) readTrace() error {
	t := &r.trace
	t.Attrs, t.Events = t.Attrs[:0], t.Events[:0]
	r.arena.reset()
	t.Loose = string(r.s.tag.name) == "event"
	if t.Loose {
		return r.event()
	}
	if r.s.tag.empty {
		return nil
	}
	for {
		if err := r.nextIn("trace"); err != nil {
			return err
		}
		tag := &r.s.tag
		if tag.close {
			if string(tag.name) != "trace" {
				return r.mismatch("trace")
			}
			return nil
		}
		var err error
		if string(tag.name) == "event" {
			err = r.event()
		} else if kind, ok := typeOf(tag.name); ok {
			t.Attrs, err = r.attr(t.Attrs, kind, &r.arena, 1)
		} else {
			err = r.skip()
		}
		if err != nil {
			return err
		}
	}
}

// event reads the event whose start tag was scanned into the next place of the
// trace, reusing the memory of the event that was there before.
func (r *Reader) event() error {
	events := r.trace.Events
	if len(events) < cap(events) {
		events = events[:len(events)+1]
	} else {
		events = append(events, Event{})
	}
	r.trace.Events = events
	event := &events[len(events)-1]
	event.Attrs = event.Attrs[:0]
	const overhead = 24 // of an event without attributes
	if err := r.charge(&r.arena, overhead); err != nil {
		return err
	}
	if r.s.tag.empty {
		return nil
	}
	for {
		if err := r.nextIn("event"); err != nil {
			return err
		}
		t := &r.s.tag
		if t.close {
			if string(t.name) != "event" {
				return r.mismatch("event")
			}
			return nil
		}
		var err error
		if kind, ok := typeOf(t.name); ok {
			event.Attrs, err = r.attr(event.Attrs, kind, &r.arena, 1)
		} else {
			err = r.skip()
		}
		if err != nil {
			return err
		}
	}
}

// attr reads the attribute whose start tag was scanned and appends it.
func (r *Reader) attr(to []Attr, kind Type, mem *arena, depth int) ([]Attr, error) {
	t := &r.s.tag
	key, _ := t.get("key") // real logs have nested attributes without one
	value, _ := t.get("value")
	const overhead = 72 // size of an Attr
	if err := r.charge(mem, overhead+len(value)); err != nil {
		return to, err
	}
	a := Attr{Key: r.intern(key), Type: kind}
	if kind != TypeList && kind != TypeContainer {
		a.Value = mem.copy(value)
	}
	var err error
	if !t.empty {
		a.Children, err = r.children(t.name, kind == TypeList, mem, depth)
	}
	return append(to, a), err
}

// children reads nested attributes up to the end tag of their parent. The
// <values> element that holds the members of a list is passed through.
func (r *Reader) children(parent []byte, list bool, mem *arena, depth int) ([]Attr, error) {
	if depth >= r.limits.Depth {
		return nil, r.s.fail(TooLarge, "attributes are nested deeper than %d", r.limits.Depth)
	}
	name := string(parent) // the tag's memory is about to be reused
	var out []Attr
	for {
		if err := r.nextIn(name); err != nil {
			return nil, err
		}
		t := &r.s.tag
		if t.close {
			if string(t.name) != name {
				return nil, r.mismatch(name)
			}
			return out, nil
		}
		var err error
		if kind, ok := typeOf(t.name); ok {
			out, err = r.attr(out, kind, mem, depth+1)
		} else if list && string(t.name) == "values" && !t.empty {
			var members []Attr
			members, err = r.children(t.name, false, mem, depth+1)
			out = append(out, members...)
		} else {
			err = r.skip()
		}
		if err != nil {
			return nil, err
		}
	}
}

// skip passes over the element whose start tag was scanned, with all it holds.
func (r *Reader) skip() error {
	if r.s.tag.empty {
		return nil
	}
	open := []string{string(r.s.tag.name)}
	for len(open) > 0 {
		inner := open[len(open)-1]
		if err := r.nextIn(inner); err != nil {
			return err
		}
		switch t := &r.s.tag; {
		case t.close && string(t.name) != inner:
			return r.mismatch(inner)
		case t.close:
			open = open[:len(open)-1]
		case !t.empty:
			if len(open) >= r.limits.Depth {
				return r.s.fail(TooLarge, "elements are nested deeper than %d", r.limits.Depth)
			}
			open = append(open, string(t.name))
		}
	}
	return nil
}

// nextIn scans the next tag; the end of the input is an error inside element.
func (r *Reader) nextIn(element string) error {
	err := r.s.next()
	if err == io.EOF {
		return r.s.fail(Truncated, "the input ends inside <%s>", element)
	}
	return err
}

func (r *Reader) mismatch(open string) error {
	return r.s.fail(Malformed, "</%s> closes <%s>", clip(r.s.tag.full), open)
}

// charge counts n bytes against the limit of a trace or the header.
func (r *Reader) charge(mem *arena, n int) error {
	if mem.used += n; mem.used > r.limits.TraceBytes {
		return r.s.fail(TooLarge, "one trace, or the header, is larger than %d bytes", r.limits.TraceBytes)
	}
	return nil
}

// intern returns the key as a string, one for all its occurrences as long as
// there are not absurdly many different keys.
func (r *Reader) intern(key []byte) string {
	if known, ok := r.keys[string(key)]; ok {
		return known
	}
	const limit = 1 << 14
	text := string(key)
	if len(r.keys) < limit {
		r.keys[text] = text
	}
	return text
}

func newClassifier(name, scope, keys string) Classifier {
	if scope == "" {
		scope = "event"
	}
	return Classifier{Name: name, Scope: scope, Keys: splitKeys(keys)}
}

// splitKeys splits a classifier's key list at white space; a key with spaces
// stands in single quotes.
func splitKeys(keys string) []string {
	var out []string
	for rest := bytes.TrimSpace([]byte(keys)); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		var key []byte
		if rest[0] == '\'' {
			key, rest, _ = bytes.Cut(rest[1:], []byte("'"))
		} else if at := bytes.IndexAny(rest, " \t\r\n"); at >= 0 {
			key, rest = rest[:at], rest[at:]
		} else {
			key, rest = rest, nil
		}
		out = append(out, string(key))
	}
	return out
}

// arena hands out copies of byte slices from large blocks that are reused
// after a reset.
type arena struct {
	blocks [][]byte
	at     int // current block
	used   int // bytes charged since the last reset
}

const arenaBlock = 64 << 10

func (a *arena) copy(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	if len(b) > arenaBlock {
		return bytes.Clone(b)
	}
	for {
		if a.at == len(a.blocks) {
			a.blocks = append(a.blocks, make([]byte, 0, arenaBlock))
		}
		block := a.blocks[a.at]
		if n := len(block); n+len(b) <= cap(block) {
			block = append(block, b...)
			a.blocks[a.at] = block
			return block[n:len(block):len(block)]
		}
		a.at++
	}
}

// reset makes the blocks free again. Beyond a few they are given up, so that
// one huge trace does not hold memory for the rest of the file.
func (a *arena) reset() {
	const keep = 64
	if len(a.blocks) > keep {
		clear(a.blocks[keep:])
		a.blocks = a.blocks[:keep]
	}
	for i := range min(a.at+1, len(a.blocks)) {
		a.blocks[i] = a.blocks[i][:0]
	}
	a.at, a.used = 0, 0
}
