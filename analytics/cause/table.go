package cause

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Table holds the leaves of a measure: one row for each combination of attribute
// values, with what was expected there and what came. Values are held as small
// numbers, a column for each dimension.
type Table struct {
	dims     []string
	names    [][]string         // names[d][code]
	codes    [][]int32          // codes[d][row]
	lookup   []map[string]int32 // of names
	actual   []float64
	expected []float64
}

// MaxDims is the most dimensions a table may have; the search looks at every
// combination of dimensions.
const MaxDims = 12

// NewTable makes an empty table over named dimensions. It panics when there are
// none, more than [MaxDims], or two of one name.
func NewTable(dims ...string) *Table {
	if len(dims) == 0 || len(dims) > MaxDims {
		panic(fmt.Sprintf("cause: %d dimensions, want 1 to %d", len(dims), MaxDims))
	}
	t := &Table{dims: slices.Clone(dims), names: make([][]string, len(dims)), codes: make([][]int32, len(dims)),
		lookup: make([]map[string]int32, len(dims))}
	for d := range dims {
		if slices.Index(dims, dims[d]) != d {
			panic("cause: two dimensions are named " + dims[d])
		}
		t.lookup[d] = map[string]int32{}
	}
	return t
}

// Add appends a leaf: its values in the order of the dimensions, the value that
// came and the one expected, both finite. For a derived measure give the ratios.
// It panics on a wrong number of values or a number that is not finite.
func (t *Table) Add(values []string, actual, expected float64) {
	if len(values) != len(t.dims) {
		panic(fmt.Sprintf("cause: %d values for %d dimensions", len(values), len(t.dims)))
	}
	if !finite(actual) || !finite(expected) {
		panic("cause: actual and expected must be finite")
	}
	for d, v := range values {
		code, ok := t.lookup[d][v]
		if !ok {
			code = int32(len(t.names[d]))
			v = strings.Clone(v)
			t.lookup[d][v] = code
			t.names[d] = append(t.names[d], v)
		}
		t.codes[d] = append(t.codes[d], code)
	}
	t.actual = append(t.actual, actual)
	t.expected = append(t.expected, expected)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// Len is the number of leaves.
func (t *Table) Len() int { return len(t.actual) }

// Dims are the names of the dimensions.
func (t *Table) Dims() []string { return slices.Clone(t.dims) }

// Pair is an attribute and its value.
type Pair struct {
	Dim   string `json:"dim"`
	Value string `json:"value"`
}

// String writes the pair as dim=value.
func (p Pair) String() string { return p.Dim + "=" + p.Value }

// element is an attribute combination: the group number within its cuboid.
type element struct{ cuboid, group int32 }

// cuboid is a set of dimensions with the leaves grouped by their values in it.
type cuboid struct {
	dims   []int
	of     []int32 // group of each leaf, −1 where the leaf is left out
	starts []int32 // leaves of group g are leaves[starts[g]:starts[g+1]]
	leaves []int32
}

func (c *cuboid) groups() int             { return len(c.starts) - 1 }
func (c *cuboid) members(g int32) []int32 { return c.leaves[c.starts[g]:c.starts[g+1]] }

// cuboids groups the leaves named by order, kept in that order, for every
// combination of up to layers dimensions, fewer dimensions first. Dimensions of
// one value are left out.
func (t *Table) cuboids(order []int32, layers int) []cuboid {
	var out []cuboid
	var free []int // dimensions that tell leaves apart
	for d, names := range t.names {
		if len(names) > 1 {
			free = append(free, d)
		}
	}
	for layer := 1; layer <= affordable(len(order), len(free), min(layers, len(free))); layer++ {
		combinations(len(free), layer, func(pick []int) {
			dims := make([]int, layer)
			for k, p := range pick {
				dims[k] = free[p]
			}
			out = append(out, t.cuboid(order, dims))
		})
	}
	return out
}

// mostCells bounds the cuboids held in memory times the leaves in each.
const mostCells = 40_000_000

// affordable is the most attributes of combinations that stay within mostCells,
// at least one.
func affordable(leaves, dims, layers int) int {
	cells := 0.0
	for layer := 1; layer <= layers; layer++ {
		cells += math.Exp(logChoose(dims, layer)) * float64(leaves)
		if cells > mostCells {
			return max(1, layer-1)
		}
	}
	return layers
}

func (t *Table) cuboid(order []int32, dims []int) cuboid {
	of, n := t.grouping(order, dims)
	c := cuboid{dims: dims, of: of, starts: make([]int32, n+1), leaves: make([]int32, len(order))}
	for _, i := range order {
		c.starts[of[i]+1]++
	}
	for g := range n {
		c.starts[g+1] += c.starts[g]
	}
	next := slices.Clone(c.starts[:n])
	for _, i := range order {
		g := of[i]
		c.leaves[next[g]] = i
		next[g]++
	}
	return c
}

// grouping numbers the groups in the order of their codes.
func (t *Table) grouping(order []int32, dims []int) (of []int32, n int) {
	of = make([]int32, t.Len())
	for i := range of {
		of[i] = -1
	}
	for k, d := range dims {
		width := int64(len(t.names[d]))
		cells := int64(max(n, 1)) * width
		if k == 0 {
			for _, i := range order {
				of[i] = 0
			}
		}
		n = regroup(order, of, t.codes[d], width, cells)
	}
	return of, n
}

// regroup splits the groups by one more column and numbers those that occur.
func regroup(order, of, codes []int32, width, cells int64) int {
	number := int32(0)
	if cells <= int64(8*len(order)+1024) {
		seen := make([]int32, cells)
		for _, i := range order {
			seen[int64(of[i])*width+int64(codes[i])] = 1
		}
		for k, s := range seen {
			if s == 1 {
				number++
				seen[k] = number
			}
		}
		for _, i := range order {
			of[i] = seen[int64(of[i])*width+int64(codes[i])] - 1
		}
		return int(number)
	}
	keys := make([]int64, 0, len(order))
	for _, i := range order {
		keys = append(keys, int64(of[i])*width+int64(codes[i]))
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	for _, i := range order {
		k, _ := slices.BinarySearch(keys, int64(of[i])*width+int64(codes[i]))
		of[i] = int32(k)
	}
	return len(keys)
}

// combinations calls f with each ascending choice of k out of n.
func combinations(n, k int, f func([]int)) {
	pick := make([]int, k)
	var rec func(from, at int)
	rec = func(from, at int) {
		if at == k {
			f(pick)
			return
		}
		for i := from; i <= n-(k-at); i++ {
			pick[at] = i
			rec(i+1, at+1)
		}
	}
	rec(0, 0)
}
