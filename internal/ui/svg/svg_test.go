package svg

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		low, high float64
		n         int
		want      []float64
	}{
		{0.71, 0.85, 4, []float64{0.7, 0.75, 0.8, 0.85}},
		{0, 1144, 5, []float64{0, 500, 1000, 1500}},
		{-3, 7, 4, []float64{-5, 0, 5, 10}},
		{5, 5, 2, nil},
		{math.NaN(), 1, 4, []float64{0, 1}},
	} {
		got := Ticks(c.low, c.high, c.n)
		if c.want == nil {
			if len(got) < 2 {
				t.Errorf("Ticks(%v, %v) = %v", c.low, c.high, got)
			}
			continue
		}
		if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Errorf("Ticks(%v, %v, %d) = %v, want %v", c.low, c.high, c.n, got, c.want)
		}
	}
}

// TestTicksEnclose: ticks enclose the data, are even, and are not too many.
func TestTicksEnclose(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(-1e9, 1e9).Draw(t, "low")
		high := low + rapid.Float64Range(1e-6, 1e9).Draw(t, "span")
		n := rapid.IntRange(2, 8).Draw(t, "n")
		ticks := Ticks(low, high, n)
		if len(ticks) < 2 || len(ticks) > n+1 {
			t.Fatalf("%d ticks for n=%d", len(ticks), n)
		}
		tolerance := 1e-6 * (math.Abs(low) + math.Abs(high) + 1)
		if ticks[0] > low+tolerance || ticks[len(ticks)-1] < high-tolerance {
			t.Fatalf("%v does not enclose %v to %v", ticks, low, high)
		}
	})
}

func TestCanvas(t *testing.T) {
	t.Parallel()
	c := New(100, 50)
	c.Text("lb", 1, 2.25, `<b> & "x"`)
	c.Rect("k", 0, 0, -1, 4)
	c.Diamond("k-worse", 10, 10, 3)
	got := c.String("", "a < b")
	want := `<svg width="100" height="50" viewBox="0 0 100 50" role="img" aria-label="a &lt; b"><text class="lb" x="1" y="2.2">&lt;b&gt; &amp; &#34;x&#34;</text><path class="k-worse" d="M10 7l3 3-3 3-3-3z"/></svg>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !strings.Contains(New(1, 1).String("x", ""), `aria-hidden="true"`) {
		t.Error("a drawing without label must be hidden from screen readers")
	}
}

func TestPolylineLiftsPen(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	if got := Polyline([]float64{0, 1, 2, 3, 4}, []float64{1, 1, nan, 2, 2}); got != "M0 1L1 1M3 2L4 2" {
		t.Error(got)
	}
	if got := Ribbon([]float64{0, 1, 2, 3, 4}, []float64{1, 1, nan, 2, 2}, []float64{0, 0, 0, 0, 0}); got != "M0 0L1 0L1 1L0 1ZM3 0L4 0L4 2L3 2Z" {
		t.Error(got)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	lines := Wrap("Ngân hàng xác minh hồ sơ của khách", 12, 80, false, 2)
	if len(lines) != 2 || !strings.HasSuffix(lines[1], "…") {
		t.Errorf("%q", lines)
	}
	if got := Wrap("W_Completeren aanvraag", 12, 100, false, 2); len(got) != 2 || strings.HasSuffix(got[1], "…") {
		t.Errorf("%q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-zA-Zàéộ_ ]{0,60}`).Draw(t, "text")
		width := rapid.Float64Range(20, 200).Draw(t, "width")
		for _, line := range Wrap(text, 12, width, false, 3) {
			if Width(line, 12, false) > width && !strings.Contains(line, "…") && strings.ContainsAny(line, " ") {
				t.Fatalf("line %q is wider than %v", line, width)
			}
		}
	})
}

func TestPlace(t *testing.T) {
	t.Parallel()
	f := Field{Bounds: Box{0, 0, 100, 100}}
	a := Box{10, 10, 20, 20}
	if _, ok := f.Place([]Box{a}); !ok {
		t.Fatal("first place refused")
	}
	b, ok := f.Place([]Box{{15, 15, 25, 25}, {-5, 0, 5, 5}, {30, 30, 40, 40}})
	if !ok || b.X0 != 30 {
		t.Errorf("placed at %v", b)
	}
	if _, ok := f.Place([]Box{a}); ok {
		t.Error("placed twice at one spot")
	}
}
