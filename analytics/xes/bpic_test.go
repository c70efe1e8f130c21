package xes

import (
	"bytes"
	"io"
	"testing"

	"omote/internal/testkit/shared"
)

// bpic2012 returns the real loan log of the shared data, or skips the test.
func bpic2012(tb testing.TB) []byte {
	tb.Helper()
	return shared.Read(tb, "eventlogs/bpic2012/BPI_Challenge_2012.xes.gz")
}

func TestBPIC2012Counts(t *testing.T) {
	t.Parallel()
	r := NewReader(bytes.NewReader(bpic2012(t)))
	defer r.Close()
	h, err := r.Header()
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Extensions) != 11 || len(h.Classifiers) != 2 || len(h.TraceGlobals) != 3 || len(h.EventGlobals) != 3 {
		t.Errorf("header: %d extensions, %d classifiers, %d trace globals, %d event globals",
			len(h.Extensions), len(h.Classifiers), len(h.TraceGlobals), len(h.EventGlobals))
	}
	var traces, events int
	for {
		trace, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		traces++
		events += len(trace.Events)
		for i := range trace.Events {
			a, ok := trace.Events[i].Get(KeyTime)
			if !ok {
				t.Fatal("event without time")
			}
			if _, err := a.Micros(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if traces != 13_087 || events != 262_200 {
		t.Errorf("got %d traces and %d events, want 13087 and 262200", traces, events)
	}
}

func BenchmarkReadBPIC2012(b *testing.B) {
	data := bpic2012(b)
	b.SetBytes(74_100_050)
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(data))
		for {
			if _, err := r.Next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		r.Close()
	}
}
