package xes

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// bpic2012 returns the real loan log of the shared data, or skips the test.
func bpic2012(tb testing.TB) []byte {
	tb.Helper()
	root := os.Getenv("OMOTE_SHARED_DATA")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			tb.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				tb.Fatal("no go.mod above the test")
			}
			dir = parent
		}
		root = filepath.Join(dir, "..", "shared", "data")
	}
	data, err := os.ReadFile(filepath.Join(root, "eventlogs", "bpic2012", "BPI_Challenge_2012.xes.gz"))
	if err != nil {
		tb.Skipf("shared data absent: %v", err)
	}
	return data
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
