package mining

import (
	"cmp"
	"slices"

	"omote/analytics/stats"
)

// VariantDifference is how the share of one way differs between two logs.
type VariantDifference struct {
	Path           []int32 // activities; must not be changed
	CasesA, CasesB int
	Share          stats.Comparison // of cases, A minus B
	// Q is the p-value after control of the false discovery rate over all ways
	// compared.
	Q float64
}

// CompareVariants compares how often each way is taken in two logs that share a
// dictionary of activities and no case. Ways that fewer than least cases of both
// together took are left out. Most significant first.
func CompareVariants(a, b *Log, least int, level float64) []VariantDifference {
	if a.Cases() == 0 || b.Cases() == 0 {
		return nil
	}
	index := map[string]int{}
	var out []VariantDifference
	var key []byte
	add := func(l *Log, side func(d *VariantDifference) *int) {
		for _, v := range FindVariants(l).List {
			key = key[:0]
			for _, x := range v.Path {
				key = append(key, byte(x), byte(x>>8), byte(x>>16), byte(x>>24))
			}
			i, ok := index[string(key)]
			if !ok {
				i = len(out)
				index[string(key)] = i
				out = append(out, VariantDifference{Path: v.Path})
			}
			*side(&out[i]) += v.Count
		}
	}
	add(a, func(d *VariantDifference) *int { return &d.CasesA })
	add(b, func(d *VariantDifference) *int { return &d.CasesB })
	out = slices.DeleteFunc(out, func(d VariantDifference) bool { return d.CasesA+d.CasesB < least })
	p := make([]float64, len(out))
	for i := range out {
		d := &out[i]
		d.Share = stats.DiffProportions(int64(d.CasesA), int64(a.Cases()), int64(d.CasesB), int64(b.Cases()), level)
		p[i] = d.Share.P
	}
	for i, q := range stats.BenjaminiHochberg(p) {
		out[i].Q = q
	}
	slices.SortStableFunc(out, func(a, b VariantDifference) int {
		return cmp.Or(cmp.Compare(a.Share.P, b.Share.P), cmp.Compare(b.CasesA+b.CasesB, a.CasesA+a.CasesB))
	})
	return out
}
