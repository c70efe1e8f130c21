package linkage

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func row(t *Table, r int) []string {
	v := make([]string, len(t.Columns))
	for c := range v {
		v[c] = t.Value(r, c)
	}
	return v
}

// part gives some records of a table.
func part(t *Table, keep func(int) bool) *Table {
	names := make([]string, len(t.Columns))
	for i := range names {
		names[i] = t.Columns[i].Name
	}
	out := NewTable(names...)
	for r := range t.Len() {
		if keep(r) {
			out.Add(0, row(t, r)...)
		}
	}
	return out
}

func TestNewRecordsFindTheirPeople(t *testing.T) {
	t.Parallel()
	all, truth := people(1500, 11)
	known := part(all, func(r int) bool { return r%3 > 0 })
	var kt, nt []int32
	for r := range all.Len() {
		if r%3 > 0 {
			kt = append(kt, truth[r])
		} else {
			nt = append(nt, truth[r])
		}
	}
	res, err := Link(context.Background(), known, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	x, err := NewIndex(res.Model, known, res.Entity)
	if err != nil {
		t.Fatal(err)
	}
	entity := slices.Clone(res.Entity)
	for r := 0; r < all.Len(); r += 3 {
		_, e, _, err := x.Add(row(all, r))
		if err != nil {
			t.Fatal(err)
		}
		entity = append(entity, e)
	}
	s := ScoreClusters(append(kt, nt...), entity, nil)
	if s.Pairs.F1 < 0.95 {
		t.Errorf("%+v", s.Pairs)
	}
}

// Records of other people, ten times as many, change nobody's cluster, neither
// when they are added one by one nor what a look-up says.
func TestUnrelatedRecordsChangeNoCluster(t *testing.T) {
	t.Parallel()
	known, _ := people(300, 21)
	res, err := Link(context.Background(), known, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	x, err := NewIndex(res.Model, known, res.Entity)
	if err != nil {
		t.Fatal(err)
	}
	n := known.Len()
	before := make([][]Match, 50)
	for i := range before {
		if before[i], err = x.Match(row(known, i), 0.5); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 * n {
		if _, e, _, err := x.Add([]string{fmt.Sprintf("zq%dx", i), fmt.Sprintf("wv%dk", i), fmt.Sprintf("18%02d-%02d-%02d", i%100, 1+i%12, 1+i%28), fmt.Sprintf("+1 555 %07d", i), ""}); err != nil || int(e) < res.Clusters {
			t.Fatalf("unrelated record %d went to an old cluster, %v", i, err)
		}
	}
	for r := range n {
		if x.Entity(int32(r)) != res.Entity[r] {
			t.Fatalf("record %d changed its cluster", r)
		}
	}
	for i := range before {
		after, err := x.Match(row(known, i), 0.5)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(before[i], after, func(a, b Match) bool { return a.Entity == b.Entity && math.Abs(a.Bits-b.Bits) < 0.5 }) {
			t.Fatalf("record %d: %v before, %v after", i, before[i], after)
		}
	}
}

// A look-up leaves no trace, and the waterfall adds up to what the pair gives.
func TestLookUpsLeaveNoTrace(t *testing.T) {
	t.Parallel()
	known, _ := people(200, 31)
	res, err := Link(context.Background(), known, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	x, err := NewIndex(res.Model, known, res.Entity)
	if err != nil {
		t.Fatal(err)
	}
	size := func() (n int) {
		for _, f := range x.d.fields {
			n += len(f.values) + len(f.index) + len(f.folds) + len(f.words.ids) + len(f.freq) + len(f.ffreq) + len(f.codes)
		}
		for _, a := range x.atoms {
			n += len(a.key)
		}
		return n
	}
	before := size()
	rapid.Check(t, func(t *rapid.T) {
		v := make([]string, 5)
		for i := range v {
			v[i] = rapid.OneOf(rapid.Just(""), rapid.String(), rapid.Just(known.Value(rapid.IntRange(0, known.Len()-1).Draw(t, "r"), i))).Draw(t, "v")
		}
		if _, err := x.Match(v, 0); err != nil {
			t.Fatal(err)
		}
		w, err := x.Explain(v, 3)
		if err != nil {
			t.Fatal(err)
		}
		sum := w.Prior
		for _, s := range w.Steps {
			sum += s.Bits
		}
		if math.Abs(sum-w.Bits) > 1e-9 || math.IsNaN(sum) {
			t.Fatalf("steps give %v, the whole is %v", sum, w.Bits)
		}
		if size() != before {
			t.Fatalf("a look-up left %d behind", size()-before)
		}
	})
}

func BenchmarkIndexMatch(b *testing.B) {
	known, _ := people(20_000, 1)
	res, err := Link(context.Background(), known, Options{Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	x, err := NewIndex(res.Model, known, res.Entity)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := x.Match(row(known, i*7%known.Len()), 0.05); err != nil {
			b.Fatal(err)
		}
	}
}
