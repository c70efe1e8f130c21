package linkage

import (
	"cmp"
	"maps"
	"slices"
)

// Scores compares clusters with the truth.
type Scores struct {
	Pairs Score `json:"pairs"` // of pairs of records brought together
	B3    Score `json:"b3"`    // B-cubed: the mean over records
}

// Score is precision, recall and their harmonic mean, each between 0 and 1.
type Score struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

func scoreOf(hit, found, true float64) Score {
	var s Score
	if found > 0 {
		s.Precision = hit / found
	}
	if true > 0 {
		s.Recall = hit / true
	}
	if s.Precision+s.Recall > 0 {
		s.F1 = 2 * s.Precision * s.Recall / (s.Precision + s.Recall)
	}
	return s
}

// ScoreClusters scores clusters against the truth. Records whose truth is
// negative take no part. With source given, only pairs of records of different
// sources count among the pairs.
func ScoreClusters(truth, found []int32, source []uint8) Scores {
	type key struct{ t, f int32 }
	both, ts, fs := map[key]*[2]float64{}, map[int32]float64{}, map[int32]float64{}
	for r := range truth {
		if truth[r] < 0 {
			continue
		}
		k := key{truth[r], found[r]}
		if both[k] == nil {
			both[k] = new([2]float64)
		}
		both[k][0]++
		ts[truth[r]]++
		fs[found[r]]++
	}
	var s Scores
	var n, p, q float64
	keys := slices.Collect(maps.Keys(both)) // sums in one order, for equal results each time
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.t, b.t), cmp.Compare(a.f, b.f)) })
	for _, k := range keys {
		c := both[k]
		n += c[0]
		p += c[0] * c[0] / fs[k.f]
		q += c[0] * c[0] / ts[k.t]
	}
	if n > 0 {
		s.B3 = Score{Precision: p / n, Recall: q / n}
		s.B3.F1 = 2 * s.B3.Precision * s.B3.Recall / (s.B3.Precision + s.B3.Recall)
	}
	var hit, foundN, trueN float64
	add := func(group func(r int) (key, bool), sum *float64) {
		total, within := map[key]float64{}, map[key]map[uint8]float64{}
		for r := range truth {
			k, ok := group(r)
			if !ok {
				continue
			}
			total[k]++
			if source != nil {
				if within[k] == nil {
					within[k] = map[uint8]float64{}
				}
				within[k][source[r]]++
			}
		}
		for k, c := range total {
			*sum += c * (c - 1) / 2
			for _, w := range within[k] {
				*sum -= w * (w - 1) / 2
			}
		}
	}
	add(func(r int) (key, bool) { return key{truth[r], found[r]}, truth[r] >= 0 }, &hit)
	add(func(r int) (key, bool) { return key{0, found[r]}, truth[r] >= 0 }, &foundN)
	add(func(r int) (key, bool) { return key{truth[r], 0}, truth[r] >= 0 }, &trueN)
	s.Pairs = scoreOf(hit, foundN, trueN)
	return s
}
