package linkage

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"
)

// A model that was written and read weighs a few records as it weighed all.
func TestComparisonAgreesWithTheWholeTable(t *testing.T) {
	t.Parallel()
	all, truth := people(800, 41)
	res, err := Link(context.Background(), all, Options{Seed: 1, Threshold: 0.999, Near: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := res.Model.Write(&file); err != nil {
		t.Fatal(err)
	}
	m, err := ReadModel(&file)
	if err != nil {
		t.Fatal(err)
	}
	x, err := NewIndex(m, all, res.Entity)
	if err != nil {
		t.Fatal(err)
	}
	few := part(all, func(r int) bool { return r < 40 })
	c, err := m.Compare(few)
	if err != nil {
		t.Fatal(err)
	}
	for a := range 40 {
		for b := range a {
			whole, part := x.w.explain(int32(a), int32(b)), c.Explain(a, b)
			// values of fewer than three people are taken as equally rare
			if math.Abs(whole.Bits-part.Bits) > 5 {
				t.Fatalf("records %d and %d: %.2f bits among all, %.2f among few", a, b, whole.Bits, part.Bits)
			}
			if truth[a] == truth[b] && part.Probability > 0.9 && !slices.ContainsFunc(c.Keys(a), func(k string) bool { return slices.Contains(c.Keys(b), k) }) {
				t.Errorf("records %d and %d are alike and share no key", a, b)
			}
		}
	}
	if p := c.Probability([]int{0}, []int{0}); p < 0.99 {
		t.Errorf("a record is itself with %v", p)
	}
	if len(res.Joins) != all.Len()-res.Clusters {
		t.Errorf("%d pairs hold %d clusters of %d records together", len(res.Joins), res.Clusters, all.Len())
	}
	for _, n := range res.Near {
		if res.Entity[n.A] == res.Entity[n.B] || n.Probability < 0.05 {
			t.Fatalf("%+v is no pair that stayed apart", n)
		}
	}
	if len(res.Near) == 0 {
		t.Error("no pair is near")
	}
}
