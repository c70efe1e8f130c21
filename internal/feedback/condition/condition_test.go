package condition

import (
	"slices"
	"testing"
)

func TestHolds(t *testing.T) {
	t.Parallel()
	facts := Facts{"score": 4.0, "kind": "psd", "new": true, "words": "Chờ quá LÂU", "none": ""}
	for text, want := range map[string]bool{
		"":                       true,
		"score <= 6":             true,
		"score > 4 or new":       true,
		"score > 4 or not new":   false,
		"kind in ['psd', 'emd']": true,
		"kind not in ['psd']":    false,
		"words ~ 'quá lâu'":      true,
		"missing != 'x'":         true,
		"missing == 'x'":         false,
		"missing < 3":            false,
		"none set":               false,
		"kind set and (score == 4 and not false)": true,
		"kind == 'psd' and score != 5":            true,
		"new == true":                             true,
	} {
		p, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := p.Holds(facts); got != want {
			t.Errorf("%q holds: %v", text, got)
		}
	}
	null, err := ParseNull("missing != x or kind != emd")
	if err != nil || !null.Holds(facts) {
		t.Errorf("another's difference: %v", err)
	}
	if null, _ = ParseNull("missing != 'x'"); null.Holds(facts) {
		t.Error("an unanswered question differs from something")
	}
	p, _ := ParseNull("a == 1 and (b or not c in [d, 'e']) and a < 3")
	if got := p.Names(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("names %v", got)
	}
	if got := p.Values("c"); !slices.Equal(got, []string{"d", "e"}) {
		t.Errorf("values %v", got)
	}
}

func TestMistakesAreTold(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"a ==", "== 1", "(a", "a in b", "a == 'x", "a b", "a & b", "not", "a in [1 2]", "a == x"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("taken: %q", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a <= 3 and b in ['x', 2] or not (c set)")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err == nil {
			p.Holds(Facts{"a": 1.0})
			p.Names()
		}
	})
}
