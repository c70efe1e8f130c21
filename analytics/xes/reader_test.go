package xes

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

const sample = `<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment with <tags> and "quotes" -->
<!DOCTYPE log>
<x:log xes.version="2.0" xes.features="nested-attributes" xmlns:x="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="trace"><string key="concept:name" value="UNKNOWN"/></global>
  <global scope="event">
    <date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
  </global>
  <classifier name="Activity" keys="concept:name 'two words' lifecycle:transition"/>
  <classifier name="Case" scope="trace" keys="concept:name"/>
  <string key="source" value='a "quoted" name'/>
  <x:trace>
    <x:string key="concept:name" value="case &lt;1&gt; &amp; more"/>
    <event>
      <string key="concept:name" value="Nộp hồ sơ"/>
      <date key="time:timestamp" value="2024-02-10T08:00:00.250+07:00"/>
      <int key="n" value="-7"/><float key="x" value="2.5"/><boolean key="ok" value="true"/>
      <id key="id" value="5b6d"/>
      <list key="docs"><values><string key="doc" value="CCCD"/><string key="doc" value="sao kê"/></values></list>
      <container key="box"><int key="a" value="1"><string key="meta" value="m"/></int></container>
      <custom><deeper/></custom>
    </event>
    <![CDATA[ <event> not an event </event> ]]>
    <event/>
  </x:trace>
  <trace/>
  <event><string key="concept:name" value="loose&#10;one&#x20AC;"/></event>
  <string key="late" value="x"/>
</x:log>
`

// readAll returns clones of all traces up to the end or the first error.
func readAll(r *Reader) ([]Trace, error) {
	var out []Trace
	for {
		t, err := r.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		clone := Trace{Attrs: cloneAttrs(t.Attrs), Loose: t.Loose}
		for _, e := range t.Events {
			clone.Events = append(clone.Events, Event{Attrs: cloneAttrs(e.Attrs)})
		}
		out = append(out, clone)
	}
}

func sampleTraces() []Trace {
	micros, _ := ParseTime("2024-02-10T08:00:00.250+07:00")
	date := Date(KeyTime, micros)
	date.Value = []byte("2024-02-10T08:00:00.250+07:00")
	nested := Int("a", 1)
	nested.Children = []Attr{String("meta", "m")}
	return []Trace{
		{
			Attrs: []Attr{String(KeyName, "case <1> & more")},
			Events: []Event{
				{Attrs: []Attr{
					String(KeyName, "Nộp hồ sơ"), date,
					Int("n", -7), Float("x", 2.5), Bool("ok", true), ID("id", "5b6d"),
					List("docs", String("doc", "CCCD"), String("doc", "sao kê")),
					Container("box", nested),
				}},
				{},
			},
		},
		{},
		{Loose: true, Events: []Event{{Attrs: []Attr{String(KeyName, "loose\none€")}}}},
	}
}

func TestReadSample(t *testing.T) {
	t.Parallel()
	r := NewReader(strings.NewReader(sample))
	defer r.Close()
	got, err := readAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleTraces(), got); diff != "" {
		t.Errorf("traces (-want +got):\n%s", diff)
	}
	h, err := r.Header()
	if err != nil {
		t.Fatal(err)
	}
	want := &Header{
		Version: "2.0", Features: "nested-attributes",
		Extensions: []Extension{{"Concept", "concept", "http://www.xes-standard.org/concept.xesext"}},
		Classifiers: []Classifier{
			{"Activity", "event", []string{"concept:name", "two words", "lifecycle:transition"}},
			{"Case", "trace", []string{"concept:name"}},
		},
		Attrs:        []Attr{String("source", `a "quoted" name`), String("late", "x")},
		TraceGlobals: []Attr{String(KeyName, "UNKNOWN")},
		EventGlobals: []Attr{{Key: KeyTime, Type: TypeDate, Value: []byte("1970-01-01T00:00:00.000+00:00")}},
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
}

func TestReadInAnyPieces(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "data with error": iotest.DataErrReader,
	} {
		got, err := readAll(NewReader(wrap(strings.NewReader(sample))))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(sampleTraces(), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func zipped(text []byte) []byte {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(text)
	w.Close()
	return buf.Bytes()
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	const body = `<log><trace><string key="concept:name" value="Müller café"/></trace></log>`
	declared := func(name string) string { return `<?xml version="1.0" encoding="` + name + `"?>` + body }
	encode := func(e interface {
		Bytes([]byte) ([]byte, error)
	}, text string) []byte {
		out, err := e.Bytes([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	inputs := map[string][]byte{
		"no declaration":   []byte(body),
		"utf-8":            []byte(declared("utf-8")),
		"utf-8 with mark":  append([]byte("\xEF\xBB\xBF"), declared("UTF-8")...),
		"utf-16le, mark":   encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder(), declared("UTF-16")),
		"utf-16be, mark":   encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder(), declared("UTF-16")),
		"utf-16le, none":   encode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder(), declared("UTF-16LE")),
		"utf-16be, none":   encode(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder(), declared("UTF-16BE")),
		"iso-8859-1":       encode(charmap.ISO8859_1.NewEncoder(), declared("ISO-8859-1")),
		"windows-1252":     encode(charmap.Windows1252.NewEncoder(), declared("windows-1252")),
		"zipped utf-8":     zipped([]byte(declared("utf-8"))),
		"zipped iso":       zipped(encode(charmap.ISO8859_1.NewEncoder(), declared("ISO-8859-1"))),
		"two gzip members": append(zipped([]byte(body[:20])), zipped([]byte(body[20:]))...),
	}
	for name, data := range inputs {
		got, err := readAll(NewReader(bytes.NewReader(data)))
		if err != nil || len(got) != 1 || string(got[0].Attrs[0].Value) != "Müller café" {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
	}
}

// trace returns n complete traces as XES text.
func tracesText(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<trace><string key=\"concept:name\" value=\"%d\"/>\n<event><string key=\"concept:name\" value=\"a\"/></event></trace>\n", i)
	}
	return b.String()
}

func TestErrors(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`<string key="k" value="v">`, 100_000)
	truncated := zipped([]byte("<log>" + tracesText(20_000) + "</log>"))
	damaged := bytes.Clone(truncated)
	damaged[len(damaged)-6] ^= 0xff // checksum
	cases := []struct {
		name   string
		input  string
		kind   Kind
		traces int
		line   int // 0: not checked
	}{
		{"empty", "", NotXES, 0, 1},
		{"no xml", "case,activity\n1,a", NotXES, 0, 2},
		{"html", "<html><body></body></html>", NotXES, 0, 1},
		{"only an end tag", "</log>", NotXES, 0, 1},
		{"ends after traces", "<log>\n" + tracesText(3), Truncated, 3, 8},
		{"ends in a trace", "<log>\n" + tracesText(3) + "<trace><event>", Truncated, 3, 8},
		{"ends in a tag", "<log>\n" + tracesText(3) + `<trace><event><string key="conc`, Truncated, 3, 8},
		{"ends in a comment", "<log>" + tracesText(1) + "<!-- ", Truncated, 1, 3},
		{"ends in cdata", "<log><![CDATA[ ]] >", Truncated, 0, 1},
		{"ends in a declaration", "<log><!DOC", Truncated, 0, 1},
		{"wrong end tag", "<log>" + tracesText(2) + "<trace></event></trace></log>", Malformed, 2, 5},
		{"log closed by trace", "<log></trace></log>", Malformed, 0, 1},
		{"event closed by trace", "<log><trace><event></trace></log>", Malformed, 0, 1},
		{"attribute closed wrongly", `<log><string key="a" value="b"></int></log>`, Malformed, 0, 1},
		{"global closed wrongly", `<log><global></log>`, Malformed, 0, 1},
		{"trace in global", `<log><global><trace/></global></log>`, Malformed, 0, 1},
		{"unknown closed wrongly", `<log><other><x></other></x></log>`, Malformed, 0, 1},
		{"second root", "<log/><log/>", Malformed, 0, 1},
		{"missing quote", "<log><trace>\n<string key=\"a value=\"b\"/>\n<string key=\"c\" value=\"d\"/></trace></log>", Malformed, 0, 2},
		{"no value", "<log a></log>", Malformed, 0, 1},
		{"no quote", "<log a=b></log>", Malformed, 0, 1},
		{"twice", `<log a="1" a="2"></log>`, Malformed, 0, 1},
		{"stray slash", "<log / ></log>", Malformed, 0, 1},
		{"no space", `<log a="1"b="2"></log>`, Malformed, 0, 1},
		{"bad name", "<log><></log>", Malformed, 0, 1},
		{"bad end tag", "<log></log x>", Malformed, 0, 1},
		{"unknown entity", `<log a="&nbsp;"></log>`, Malformed, 0, 1},
		{"bare ampersand", `<log a="a & b"></log>`, Malformed, 0, 1},
		{"forbidden reference", `<log a="&#0;"></log>`, Malformed, 0, 1},
		{"control character", "<log a=\"\x01\"></log>", Malformed, 0, 1},
		{"entity bomb", `<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><log a="&b;"/>`, Malformed, 0, 1},
		{"external entity", `<!DOCTYPE log [<!ENTITY x SYSTEM "file:///etc/passwd">]><log a="&x;"/>`, Malformed, 0, 1},
		{"deep attributes", "<log>" + tracesText(1) + "<trace>" + deep, TooLarge, 1, 3},
		{"deep unknown elements", "<log>" + strings.Repeat("<a>", 100_000), TooLarge, 0, 1},
		{"huge value", `<log><string key="a" value="` + strings.Repeat("x", 20<<20) + `"/></log>`, TooLarge, 0, 1},
		{"huge comment", `<log><!--` + strings.Repeat("x", 20<<20) + `--></log>`, TooLarge, 0, 1},
		{"wrong bytes", "<log><string key=\"a\" value=\"M\xFCller\"/></log>", Encoding, 0, 1},
		{"unknown encoding", `<?xml version="1.0" encoding="EBCDIC-US"?><log/>`, Encoding, 0, 1},
		{"cut gzip", string(truncated[:len(truncated)/2]), Truncated, -1, 0},
		{"damaged gzip", string(damaged), Source, 20_000, 0},
		{"gzip header only", "\x1f\x8b\x08", Source, 0, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := NewReader(strings.NewReader(c.input))
			defer r.Close()
			got, err := readAll(r)
			var e *Error
			if !errors.As(err, &e) || e.Kind != c.kind {
				t.Fatalf("error %v, want kind %s", err, c.kind)
			}
			if c.traces >= 0 && len(got) != c.traces || c.traces < 0 && len(got) == 0 {
				t.Errorf("%d traces before the error, want %d", len(got), c.traces)
			}
			if c.line > 0 && e.Line != c.line {
				t.Errorf("line %d, want %d (%v)", e.Line, c.line, err)
			}
			if e.Offset < 0 || len(err.Error()) > 300 {
				t.Errorf("offset %d, message of %d bytes", e.Offset, len(err.Error()))
			}
			if _, again := r.Next(); again != err {
				t.Errorf("the error is not final: %v", again)
			}
		})
	}
}

func TestErrorPlaceInLongFile(t *testing.T) {
	t.Parallel()
	good := "<log>\n" + tracesText(50_000)
	bad := good + "<trace><string key='x' value='<'/></trace></log>"
	r := NewReader(strings.NewReader(bad))
	got, err := readAll(r)
	var e *Error
	if !errors.As(err, &e) || len(got) != 50_000 {
		t.Fatalf("%d traces, %v", len(got), err)
	}
	if e.Line != 100_002 || e.Offset != int64(len(good)+len("<trace>")) {
		t.Errorf("place %d:%d, want 100002:%d", e.Line, e.Offset, len(good)+len("<trace>"))
	}
}

func TestTraceLimit(t *testing.T) {
	t.Parallel()
	limits := Limits{TraceBytes: 10_000}
	small := "<log>" + tracesText(1000) + "</log>"
	if got, err := readAll(NewReaderLimits(strings.NewReader(small), limits)); err != nil || len(got) != 1000 {
		t.Errorf("many small traces: %d, %v", len(got), err)
	}
	for name, input := range map[string]string{
		"empty events": "<log><trace>" + strings.Repeat("<event/>", 10_000),
		"header":       "<log>" + strings.Repeat(`<int key="a" value="1"/><trace/>`, 1000),
		"classifiers":  "<log>" + strings.Repeat(`<classifier name="a" keys="1"/>`, 1000),
	} {
		_, err := readAll(NewReaderLimits(strings.NewReader(input), limits))
		var e *Error
		if !errors.As(err, &e) || e.Kind != TooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// endless gives the head, then the body over and over.
type endless struct {
	head, body string
	at         int
	read       int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read < len(e.head) {
		n := copy(p, e.head[e.read:])
		e.read += n
		return n, nil
	}
	n := copy(p, e.body[e.at:])
	e.at = (e.at + n) % len(e.body)
	e.read += n
	return n, nil
}

func TestBoundedMemory(t *testing.T) {
	t.Parallel()
	limits := Limits{TraceBytes: 8 << 20, MarkupBytes: 1 << 20}
	for name, src := range map[string]*endless{
		"text":      {head: "<log>", body: "text without any markup "},
		"value":     {head: `<log><string key="`, body: "x"},
		"events":    {head: "<log><trace>", body: `<event><string key="a" value="b"/></event>`},
		"keys":      {head: "<log><trace><event>", body: `<string key="abc" value="b"/>`},
		"reference": {head: `<log a="`, body: "&amp;"},
	} {
		r := NewReaderLimits(io.LimitReader(src, 64<<20), limits)
		if _, err := r.Next(); err == nil || err == io.EOF {
			t.Errorf("%s: %v", name, err)
		}
		if name != "text" && src.read > 32<<20 {
			t.Errorf("%s: read %d bytes before stopping", name, src.read)
		}
		if len(r.s.buf) > 2<<20 {
			t.Errorf("%s: window of %d bytes", name, len(r.s.buf))
		}
	}
}

func TestSourceFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	r := NewReader(io.MultiReader(strings.NewReader("<log>"+tracesText(5)), iotest.ErrReader(broken)))
	got, err := readAll(r)
	if len(got) != 5 || !errors.Is(err, broken) {
		t.Errorf("%d traces, %v", len(got), err)
	}
	var e *Error
	if !errors.As(err, &e) || e.Kind != Source {
		t.Errorf("kind of %v", err)
	}
}

func TestCloseEarly(t *testing.T) {
	t.Parallel()
	r := NewReader(bytes.NewReader(zipped([]byte("<log>" + tracesText(100_000) + "</log>"))))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if line, offset := r.Position(); line < 1 || offset == 0 {
		t.Errorf("position %d:%d", line, offset)
	}
	r.Close()
	r.Close()
	if _, err := r.Next(); err == nil {
		t.Error("no error after Close")
	}
}

func TestAccessors(t *testing.T) {
	t.Parallel()
	n, f, b, s := Int("n", -7), Float("f", 2.5), Bool("b", true), String("s", "text")
	if v, err := n.Int(); v != -7 || err != nil {
		t.Error(v, err)
	}
	if v, err := f.Float(); v != 2.5 || err != nil {
		t.Error(v, err)
	}
	if v, err := b.Bool(); !v || err != nil {
		t.Error(v, err)
	}
	if s.Text() != "text" {
		t.Error(s.Text())
	}
	_, e1 := s.Int()
	_, e2 := s.Float()
	_, e3 := s.Bool()
	for _, err := range []error{e1, e2, e3} {
		if !errors.Is(err, ErrType) {
			t.Error(err)
		}
	}
	if TypeList.String() != "list" || Type(99).String() != "type(99)" {
		t.Error("names of types")
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(sample))
	f.Add(zipped([]byte(sample)))
	f.Add([]byte("<log>" + tracesText(2) + "<trace><event>"))
	f.Add([]byte("\xFF\xFE<\x00l\x00o\x00g\x00/\x00>\x00"))
	f.Add([]byte(`<?xml version="1.0" encoding="iso-8859-1"?><log a='&#xe9;'/>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := Limits{Depth: 8, MarkupBytes: 1 << 16, TraceBytes: 1 << 18}
		r := NewReaderLimits(bytes.NewReader(data), limits)
		defer r.Close()
		first, err := readAll(r)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Offset < 0 {
				t.Fatalf("error without place: %v", err)
			}
			return
		}
		h, err := r.Header()
		if err != nil {
			t.Fatal(err)
		}
		var buf bytes.Buffer
		writeAll(t, &buf, h, first)
		again := NewReader(&buf)
		defer again.Close()
		second, err := readAll(again)
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("round trip:\n%s", diff)
		}
	})
}
