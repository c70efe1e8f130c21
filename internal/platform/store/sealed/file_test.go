package sealed_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

// TestSealedFile writes contents of any length in pieces of any length and reads
// them back whole and from any place.
func TestSealedFile(t *testing.T) {
	t.Parallel()
	box := newBox(t, testkit.Keys(t))
	place := sealed.Place{Table: "t", Column: "c", Row: "r"}
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 300), rapid.SampledFrom([]int{1<<16 - 1, 1 << 16, 1<<16 + 1, 3 << 16}), rapid.IntRange(0, 300_000)).Draw(rt, "size")
		plain := make([]byte, size)
		r := rand.NewChaCha8([32]byte{byte(size)})
		_, _ = r.Read(plain)
		var file bytes.Buffer
		w := box.NewFileWriter(t.Context(), place, &file)
		if _, err := io.Copy(w, iotest.HalfReader(bytes.NewReader(plain))); err != nil {
			rt.Fatal(err)
		}
		if err := w.Close(); err != nil {
			rt.Fatal(err)
		}
		if size > 16 && bytes.Contains(file.Bytes(), plain[:16]) {
			rt.Fatal("the file holds the content in the clear")
		}
		back, err := box.OpenFile(t.Context(), place, bytes.NewReader(file.Bytes()), int64(size))
		if err != nil {
			rt.Fatal(err)
		}
		if err := iotest.TestReader(back, plain); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestAChangedSealedFileIsRefused changes, moves and cuts off what was written.
func TestAChangedSealedFileIsRefused(t *testing.T) {
	t.Parallel()
	box := newBox(t, testkit.Keys(t))
	place := sealed.Place{Table: "t", Column: "c", Row: "r"}
	const size = 200_000
	var file bytes.Buffer
	w := box.NewFileWriter(t.Context(), place, &file)
	_, err := w.Write(make([]byte, size))
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	full := 1<<16 + (len(whole)-size)/4
	swapped := bytes.Clone(whole)
	copy(swapped[:full], whole[full:2*full])
	copy(swapped[full:2*full], whole[:full])
	flipped := bytes.Clone(whole)
	flipped[len(whole)/2] ^= 1
	elsewhere := place
	elsewhere.Row = "r2"
	for name, c := range map[string]struct {
		place sealed.Place
		bytes []byte
		size  int64
	}{
		"two chunks changed places": {place, swapped, size},
		"a bit was changed":         {place, flipped, size},
		"the end was cut off":       {place, whole[:len(whole)-1], size},
		"a chunk was cut off":       {place, whole[:3*full], size},
		"another length is claimed": {place, whole, size - 1},
		"another file's name":       {elsewhere, whole, size},
		"not a sealed file":         {place, make([]byte, size), size},
	} {
		back, err := box.OpenFile(t.Context(), c.place, bytes.NewReader(c.bytes), c.size)
		if err == nil {
			_, err = io.Copy(io.Discard, back)
		}
		if !errors.Is(err, sealed.ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
