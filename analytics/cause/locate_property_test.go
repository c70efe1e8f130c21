package cause

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// plain is a table that can be rebuilt in another form.
type plain struct {
	dims     []string
	values   [][]string
	actual   []float64
	expected []float64
}

func plainOf(t *Table) plain {
	p := plain{dims: t.dims, actual: t.actual, expected: t.expected}
	for i := range t.Len() {
		row := make([]string, len(t.dims))
		for d := range row {
			row[d] = t.names[d][t.codes[d][i]]
		}
		p.values = append(p.values, row)
	}
	return p
}

func (p plain) causes(order, dims []int, extra func(i int) []string, names []string, scale float64) []string {
	head := make([]string, 0, len(dims)+len(names))
	for _, d := range dims {
		head = append(head, p.dims[d])
	}
	t := NewTable(append(head, names...)...)
	for _, i := range order {
		row := make([]string, 0, len(dims)+len(names))
		for _, d := range dims {
			row = append(row, p.values[i][d])
		}
		t.Add(append(row, extra(i)...), scale*p.actual[i], scale*p.expected[i])
	}
	var out []string
	for _, c := range Locate(t, Options{}).Causes {
		var parts []string
		for _, w := range c.Where {
			parts = append(parts, w.String())
		}
		slices.Sort(parts)
		out = append(out, fmt.Sprint(parts))
	}
	slices.Sort(out)
	return out
}

// smallCase draws a generated table of moderate size.
func smallCase(t *rapid.T) plain {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
	w := worlds[rapid.IntRange(0, 3).Draw(t, "world")]
	return plainOf(w.generate(r, []int{6, 5, 4}).table)
}

func TestLocateInvariances(t *testing.T) {
	t.Parallel()
	none := func(int) []string { return nil }
	rapid.Check(t, func(t *rapid.T) {
		p := smallCase(t)
		rows, dims := indices(len(p.actual)), indices(len(p.dims))
		want := p.causes(rows, dims, none, nil, 1)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 3))
		if got := p.causes(r.Perm(len(rows)), dims, none, nil, 1); !slices.Equal(got, want) {
			t.Fatalf("other order of rows: %v, want %v", got, want)
		}
		if got := p.causes(rows, r.Perm(len(dims)), none, nil, 1); !slices.Equal(got, want) {
			t.Fatalf("other order of dimensions: %v, want %v", got, want)
		}
		if got := p.causes(rows, dims, none, nil, 1024); !slices.Equal(got, want) {
			t.Fatalf("other unit: %v, want %v", got, want)
		}
		one := func(int) []string { return []string{"VND"} }
		if got := p.causes(rows, dims, one, []string{"currency"}, 1); !slices.Equal(got, want) {
			t.Fatalf("with a dimension of one value: %v, want %v", got, want)
		}
	})
}

// A dimension that has nothing to do with the change is in no cause.
func TestIrrelevantDimension(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	tab := NewTable("a", "b", "c")
	for a := range 8 {
		for b := range 6 {
			for c := range 5 {
				f := 100 * r.ExpFloat64()
				v := multiplied(r, f, 0.05)
				if a == 2 || b == 4 && c == 1 {
					v *= 0.6
				}
				tab.Add([]string{fmt.Sprint(a), fmt.Sprint(b), fmt.Sprint(c)}, v, f)
			}
		}
	}
	p := plainOf(tab)
	want := []string{"[a=2]", "[b=4 c=1]"}
	rows, dims := indices(len(p.actual)), indices(3)
	if got := p.causes(rows, dims, func(int) []string { return nil }, nil, 1); !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
	label := make([]string, len(rows))
	for i := range label {
		label[i] = fmt.Sprint(r.IntN(4))
	}
	extra := func(i int) []string { return label[i : i+1] }
	if got := p.causes(rows, dims, extra, []string{"idle"}, 1); !slices.Equal(got, want) {
		t.Errorf("with an idle dimension: %v, want %v", got, want)
	}
}

// One cause is found first, with its factor, whatever the noise.
func TestOneCauseFirst(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 4))
		tab := NewTable("a", "b", "c")
		for a := range 5 {
			for b := range 4 {
				for c := range 4 {
					f := 20 + 50*r.ExpFloat64()
					v := multiplied(r, f, 0.03)
					if b == 1 {
						v *= 0.5
					}
					tab.Add([]string{fmt.Sprint(a), fmt.Sprint(b), fmt.Sprint(c)}, v, f)
				}
			}
		}
		got := Locate(tab, Options{}).Causes
		if len(got) == 0 || got[0].String() != "b=1" || math.Abs(got[0].Factor-0.5) > 0.05 {
			t.Fatalf("%v", got)
		}
	})
}

func TestNoLeavesNoCauses(t *testing.T) {
	t.Parallel()
	tab := NewTable("a")
	if got := Locate(tab, Options{}); len(got.Causes) != 0 {
		t.Error(got)
	}
	tab.Add([]string{"x"}, 0, 0)
	tab.Add([]string{"y"}, 3, 3)
	if got := Locate(tab, Options{}); len(got.Causes) != 0 {
		t.Error(got)
	}
}
