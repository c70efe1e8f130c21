package xes

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"
)

// Writer writes one XES log. Traces are written as they come; nothing but one
// buffer is held.
type Writer struct {
	w      *bufio.Writer
	closed bool
}

// NewWriter returns a writer to dst that has written the header. The caller
// closes it to end the log. Errors of dst are reported by the next call and by
// Close.
func NewWriter(dst io.Writer, h *Header) *Writer {
	w := &Writer{w: bufio.NewWriterSize(dst, 64<<10)}
	w.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<log")
	w.xmlAttr("xes.version", orElse(h.Version, "1849-2016"))
	w.xmlAttr("xes.features", orElse(h.Features, "nested-attributes"))
	w.xmlAttr("xmlns", "http://www.xes-standard.org/")
	w.raw(">\n")
	for _, e := range h.Extensions {
		w.raw("\t<extension")
		w.xmlAttr("name", e.Name)
		w.xmlAttr("prefix", e.Prefix)
		w.xmlAttr("uri", e.URI)
		w.raw("/>\n")
	}
	w.globals("trace", h.TraceGlobals)
	w.globals("event", h.EventGlobals)
	for _, c := range h.Classifiers {
		w.raw("\t<classifier")
		w.xmlAttr("name", c.Name)
		w.xmlAttr("scope", orElse(c.Scope, "event"))
		w.xmlAttr("keys", joinKeys(c.Keys))
		w.raw("/>\n")
	}
	w.attrs(h.Attrs, 1)
	return w
}

// Write writes one trace, or one event outside any trace when t is loose.
func (w *Writer) Write(t *Trace) error {
	if t.Loose {
		w.events(t.Events, 1)
	} else {
		w.raw("\t<trace>\n")
		w.attrs(t.Attrs, 2)
		w.events(t.Events, 2)
		w.raw("\t</trace>\n")
	}
	_, err := w.w.Write(nil) // reports the sticky error of the buffer
	return err
}

// Close ends the log and flushes it; it does not close the destination.
func (w *Writer) Close() error {
	if !w.closed {
		w.closed = true
		w.raw("</log>\n")
	}
	return w.w.Flush()
}

func (w *Writer) globals(scope string, attrs []Attr) {
	if len(attrs) == 0 {
		return
	}
	w.raw("\t<global")
	w.xmlAttr("scope", scope)
	w.raw(">\n")
	w.attrs(attrs, 2)
	w.raw("\t</global>\n")
}

func (w *Writer) events(events []Event, depth int) {
	for i := range events {
		w.indent(depth)
		w.raw("<event>\n")
		w.attrs(events[i].Attrs, depth+1)
		w.indent(depth)
		w.raw("</event>\n")
	}
}

func (w *Writer) attrs(attrs []Attr, depth int) {
	for i := range attrs {
		w.attr(&attrs[i], depth)
	}
}

func (w *Writer) attr(a *Attr, depth int) {
	name := a.Type.String()
	w.indent(depth)
	w.raw("<")
	w.raw(name)
	w.xmlAttr("key", a.Key)
	if a.Type != TypeList && a.Type != TypeContainer {
		w.raw(" value=\"")
		w.escaped(a.Value)
		w.raw("\"")
	}
	if len(a.Children) == 0 {
		w.raw("/>\n")
		return
	}
	w.raw(">\n")
	if a.Type == TypeList {
		w.indent(depth + 1)
		w.raw("<values>\n")
		w.attrs(a.Children, depth+2)
		w.indent(depth + 1)
		w.raw("</values>\n")
	} else {
		w.attrs(a.Children, depth+1)
	}
	w.indent(depth)
	w.raw("</")
	w.raw(name)
	w.raw(">\n")
}

func (w *Writer) indent(depth int) {
	for range depth {
		w.w.WriteByte('\t') // errors of the buffer are sticky
	}
}

func (w *Writer) raw(s string) { w.w.WriteString(s) }

func (w *Writer) xmlAttr(name, value string) {
	w.raw(" ")
	w.raw(name)
	w.raw("=\"")
	w.escaped([]byte(value))
	w.raw("\"")
}

// escaped writes an attribute value. What XML cannot carry (control characters,
// bytes that are not UTF-8) becomes U+FFFD.
func (w *Writer) escaped(v []byte) {
	for len(v) > 0 {
		r, size := utf8.DecodeRune(v)
		switch {
		case r == '&':
			w.raw("&amp;")
		case r == '<':
			w.raw("&lt;")
		case r == '>':
			w.raw("&gt;")
		case r == '"':
			w.raw("&quot;")
		case r == '\n':
			w.raw("&#10;")
		case r == '\t':
			w.raw("&#9;")
		case r == '\r':
			w.raw("&#13;")
		case !isXMLChar(r):
			w.raw("\uFFFD")
		default:
			w.w.WriteRune(r)
		}
		v = v[size:]
	}
}

func joinKeys(keys []string) string {
	quoted := make([]string, len(keys))
	for i, k := range keys {
		if strings.ContainsAny(k, " \t\r\n") {
			k = "'" + k + "'"
		}
		quoted[i] = k
	}
	return strings.Join(quoted, " ")
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
