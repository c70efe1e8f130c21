package belong

import (
	"context"
	"slices"
	"testing"
)

type source map[string][]string

func (s source) Segments(context.Context) ([]Segment, error) { return nil, nil }
func (s source) Members(_ context.Context, id string, yield func(string)) error {
	for _, c := range s[id] {
		yield(c)
	}
	return nil
}

// Every case of a member belongs, also the second one; cases of others do not.
func TestBelonging(t *testing.T) {
	t.Parallel()
	segments := []Segment{{ID: "young"}, {ID: "rich"}}
	b, err := New(t.Context(), source{"young": {"ann", "nobody"}, "rich": {"ann", "bob"}}, segments, map[string]string{"1": "ann", "2": "ann", "3": "bob", "4": "eve"})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]int{"1": {0, 1}, "2": {0, 1}, "3": {1}, "4": nil, "5": nil} {
		if got := b.Of(id); !slices.Equal(got, want) {
			t.Errorf("case %s: %v, want %v", id, got, want)
		}
		for i, s := range segments {
			if b.In(s.ID)(id) != slices.Contains(want, i) {
				t.Errorf("case %s in %s", id, s.ID)
			}
		}
	}
	if b.In("unknown")("1") {
		t.Error("a case belongs to an unknown segment")
	}
}
