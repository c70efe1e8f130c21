package xes

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func writeAll(tb testing.TB, dst io.Writer, h *Header, traces []Trace) {
	tb.Helper()
	w := NewWriter(dst, h)
	for i := range traces {
		if err := w.Write(&traces[i]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
}

func drawAttrs(t *rapid.T, depth int) []Attr {
	n := rapid.IntRange(0, 4).Draw(t, "attributes")
	if n == 0 {
		return nil
	}
	out := make([]Attr, n)
	for i := range out {
		a := &out[i]
		a.Key = rapid.StringMatching(`[a-z:é"<&> ]{0,12}`).Draw(t, "key")
		a.Type = Type(rapid.IntRange(0, int(TypeContainer)).Draw(t, "type"))
		if a.Type < TypeList {
			text := rapid.StringOf(rapid.RuneFrom([]rune("ab<>&\"'\n\t\r ]€ữ𝄞"))).Draw(t, "value")
			if text != "" {
				a.Value = []byte(text)
			}
		}
		if depth > 0 && rapid.Bool().Draw(t, "nest") {
			a.Children = drawAttrs(t, depth-1)
		}
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := &Header{
			Version: "2.0", Features: "nested-attributes",
			Extensions:   []Extension{{"Concept", "concept", "http://example.org/a?b&c"}},
			Classifiers:  []Classifier{{"Activity", "event", []string{"concept:name", "two words"}}},
			Attrs:        drawAttrs(rt, 2),
			TraceGlobals: drawAttrs(rt, 0),
			EventGlobals: drawAttrs(rt, 0),
		}
		traces := make([]Trace, rapid.IntRange(0, 4).Draw(rt, "traces"))
		for i := range traces {
			t := &traces[i]
			if t.Loose = rapid.IntRange(0, 5).Draw(rt, "loose") == 0; t.Loose {
				t.Events = []Event{{Attrs: drawAttrs(rt, 1)}}
				continue
			}
			t.Attrs = drawAttrs(rt, 2)
			for range rapid.IntRange(0, 4).Draw(rt, "events") {
				t.Events = append(t.Events, Event{Attrs: drawAttrs(rt, 2)})
			}
		}
		var buf bytes.Buffer
		writeAll(t, &buf, h, traces)
		r := NewReader(&buf)
		got, err := readAll(r)
		if err != nil {
			rt.Fatal(err)
		}
		if len(got) == 0 {
			got = traces[:0]
		}
		if diff := cmp.Diff(traces, got); diff != "" {
			rt.Fatalf("traces (-want +got):\n%s", diff)
		}
		back, err := r.Header()
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(h, back); diff != "" {
			rt.Fatalf("header (-want +got):\n%s", diff)
		}
	})
}

func TestWriterReplacesWhatXMLCannotCarry(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	writeAll(t, &buf, &Header{}, []Trace{{Attrs: []Attr{String("k", "a\x00b\xffc\uFFFE")}}})
	got, err := readAll(NewReader(&buf))
	if err != nil || string(got[0].Attrs[0].Value) != "a\uFFFDb\uFFFDc\uFFFD" {
		t.Errorf("%+v, %v", got, err)
	}
}

type failing struct{ after int }

var errFull = errors.New("disk full")

func (f *failing) Write(p []byte) (int, error) {
	if f.after -= len(p); f.after < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriterReportsErrors(t *testing.T) {
	t.Parallel()
	w := NewWriter(&failing{after: 100_000}, &Header{})
	trace := &Trace{Events: make([]Event, 1000)}
	var err error
	for range 1000 {
		if err = w.Write(trace); err != nil {
			break
		}
	}
	if !errors.Is(err, errFull) || !errors.Is(w.Close(), errFull) {
		t.Errorf("Write: %v", err)
	}
}

func TestRealLogRoundTrip(t *testing.T) {
	t.Parallel()
	first := NewReader(bytes.NewReader(bpic2012(t)))
	defer first.Close()
	h, err := first.Header()
	if err != nil {
		t.Fatal(err)
	}
	var kept []Trace
	for range 500 {
		trace, err := first.Next()
		if err != nil {
			t.Fatal(err)
		}
		clone := Trace{Attrs: cloneAttrs(trace.Attrs)}
		for _, e := range trace.Events {
			clone.Events = append(clone.Events, Event{Attrs: cloneAttrs(e.Attrs)})
		}
		kept = append(kept, clone)
	}
	var buf bytes.Buffer
	writeAll(t, &buf, h, kept)
	got, err := readAll(NewReader(&buf))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(kept, got) {
		t.Error("traces changed on the way")
	}
}
