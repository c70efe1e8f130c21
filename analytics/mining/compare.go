package mining

import (
	"cmp"
	"math"
	"slices"

	"omote/analytics/stats"
)

// Difference is how one thing differs between two logs.
type Difference struct {
	// Source and Target are an edge; Target is None for an activity.
	Source, Target int32
	// CasesA and CasesB are the cases that have it; Share is the difference of
	// their shares, A minus B, with its interval and test.
	CasesA, CasesB int
	Share          stats.Comparison
	// Wait compares, for edges, the waits by ranks: each case with the edge
	// counts once, with its mean wait, because waits of one case resemble each
	// other. MedianA and MedianB are medians of these in seconds.
	Wait             stats.RankTest
	MedianA, MedianB float64
	// ShareQ and WaitQ are the p-values after control of the false discovery
	// rate over all differences of the comparison (Benjamini and Hochberg
	// 1995): refuse those at or below the rate that is wanted.
	ShareQ, WaitQ float64
}

// Differences compares two logs: two periods, segments or units.
type Differences struct {
	CasesA, CasesB int
	// Duration compares case durations by ranks; the medians are in seconds.
	Duration         stats.RankTest
	MedianA, MedianB float64
	// Activities and Edges are sorted by significance of their share.
	Activities, Edges []Difference
}

// Compare finds the differences between two logs that share a dictionary of
// activities, such as two filtered parts of one log that have no case in
// common. Activities and edges that fewer than least cases of both logs
// together have are left out: nothing could be said about them. level is the
// confidence level of intervals, such as 0.95.
func Compare(a, b *Log, least int, level float64) *Differences {
	d := &Differences{CasesA: a.Cases(), CasesB: b.Cases()}
	var durationsA, durationsB []float64
	durationsA, d.MedianA = durationsOf(a)
	durationsB, d.MedianB = durationsOf(b)
	d.Duration = stats.MannWhitney(durationsA, durationsB, level)
	edgesA, edgesB := caseWaits(a), caseWaits(b)
	d.Edges = compareAll(edgesA, edgesB, a.Cases(), b.Cases(), least, level)
	d.Activities = compareAll(caseActivities(a), caseActivities(b), a.Cases(), b.Cases(), least, level)
	return d
}

func durationsOf(l *Log) (seconds []float64, median float64) {
	for c := range l.spans {
		seconds = append(seconds, float64(l.duration(c))/microsPerSecond)
	}
	return seconds, medianOf(seconds)
}

func medianOf(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return quantileSorted(sorted, 0.5)
}

// caseWaits returns for each edge the mean wait of each case that has it.
func caseWaits(l *Log) map[[2]int32][]float64 {
	out := map[[2]int32][]float64{}
	sums := map[[2]int32]struct {
		total int64
		n     int
	}{}
	for c := range l.spans {
		path, times := l.Path(c), l.Times(c)
		for i := 1; i < len(path); i++ {
			key := [2]int32{path[i-1], path[i]}
			s := sums[key]
			s.total += times[i] - times[i-1]
			s.n++
			sums[key] = s
		}
		for key, s := range sums {
			out[key] = append(out[key], float64(s.total)/float64(s.n)/microsPerSecond)
		}
		clear(sums)
	}
	return out
}

// caseActivities returns for each activity an entry, without a wait, for each
// case that has it.
func caseActivities(l *Log) map[[2]int32][]float64 {
	out := map[[2]int32][]float64{}
	for _, n := range nodes(l) {
		out[[2]int32{n.Activity, None}] = make([]float64, n.Cases)
	}
	return out
}

func compareAll(a, b map[[2]int32][]float64, casesA, casesB, least int, level float64) []Difference {
	if casesA == 0 || casesB == 0 {
		return nil
	}
	keys := map[[2]int32]bool{}
	for key := range a {
		keys[key] = true
	}
	for key := range b {
		keys[key] = true
	}
	var out []Difference
	for key := range keys {
		if len(a[key])+len(b[key]) >= least {
			out = append(out, Difference{Source: key[0], Target: key[1], CasesA: len(a[key]), CasesB: len(b[key])})
		}
	}
	forEach(len(out), func(i int) {
		d := &out[i]
		key := [2]int32{d.Source, d.Target}
		d.Share = stats.DiffProportions(int64(d.CasesA), int64(casesA), int64(d.CasesB), int64(casesB), level)
		d.Wait = stats.RankTest{P: math.NaN()}
		if d.Target != None {
			d.Wait = stats.MannWhitney(a[key], b[key], level)
			d.MedianA, d.MedianB = medianOf(a[key]), medianOf(b[key])
		}
	})
	adjust(out, func(d *Difference) float64 { return d.Share.P }, func(d *Difference, q float64) { d.ShareQ = q })
	adjust(out, func(d *Difference) float64 { return d.Wait.P }, func(d *Difference, q float64) { d.WaitQ = q })
	slices.SortFunc(out, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Share.P, b.Share.P), cmp.Compare(b.CasesA+b.CasesB, a.CasesA+a.CasesB),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
	return out
}

// adjust controls the false discovery rate over the p-values that are known;
// the others stay unknown.
func adjust(all []Difference, p func(*Difference) float64, set func(*Difference, float64)) {
	var known []*Difference
	var values []float64
	for i := range all {
		if v := p(&all[i]); math.IsNaN(v) {
			set(&all[i], v)
		} else {
			known, values = append(known, &all[i]), append(values, v)
		}
	}
	for i, q := range stats.BenjaminiHochberg(values) {
		set(known[i], q)
	}
}
