package linkage

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Values printed in Winkler (1990) and reproduced in Christen, Data Matching
// (2012), to three digits.
func TestJaroWinklerAgreesWithPublishedValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"martha", "marhta", 0.961}, {"dixon", "dicksonx", 0.813}, {"dwayne", "duane", 0.840}, {"jones", "johnson", 0.832},
		{"shackleford", "shackelford", 0.982}, {"abroms", "abrams", 0.922}, {"lampley", "campley", 0.905}, {"same", "same", 1}, {"", "x", 0},
	} {
		if got := JaroWinkler(c.a, c.b); math.Abs(got-c.want) > 0.0006 {
			t.Errorf("JaroWinkler(%q, %q) = %.4f, published %.3f", c.a, c.b, got, c.want)
		}
	}
}

// slowEdits is the definition of optimal string alignment, without any shortcut.
func slowEdits(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range len(b) + 1 {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestEditsAgreesWithItsDefinition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[abc]{0,9}`)
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		want := min(slowEdits(a, b), limit+1)
		if got := Edits(a, b, limit); got != want {
			t.Fatalf("Edits(%q, %q, %d) = %d, want %d", a, b, limit, got, want)
		}
		if apart(mask(a), mask(b)) > slowEdits(a, b) {
			t.Fatalf("apart(%q, %q) is no lower bound", a, b)
		}
	})
}
