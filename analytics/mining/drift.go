package mining

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Drift is how far the paths of two logs are from each other.
type Drift struct {
	// Divergence is that of Jensen and Shannon between the two distributions of
	// transitions over edges, beginnings and ends of cases counting as edges
	// too: 0 when they are the same, 1 when no edge is common.
	Divergence float64
	// Noise is the divergence that chance alone exceeds in 5 % of random
	// divisions of the same cases, and P the share of these that reach the
	// divergence found. A drift below Noise is no news.
	Noise, P float64
	// Edges are the edges that contribute, largest first; None stands for the
	// beginning (Source) or the end (Target) of a case.
	Edges []DriftEdge
}

// DriftEdge is the contribution of one edge to a drift.
type DriftEdge struct {
	Source, Target int32
	ShareA, ShareB float64 // of the transitions of either log
	Part           float64 // of the divergence; all parts add up to it
}

// FindDrift compares the paths of two logs that share a dictionary of
// activities, such as this quarter and the one before. The test divides the
// cases of both logs at random as often as asked (such as 200), drawn by seed.
func FindDrift(a, b *Log, permutations int, seed uint64) *Drift {
	f := &driftFinder{index: newEdgeTable(a.activities.Len() + 1)}
	f.addCases(a)
	f.addCases(b)
	inA := make([]bool, len(f.cases))
	for c := range a.spans {
		inA[c] = true
	}
	d := &Drift{Divergence: f.divergence(inA), P: 1}
	d.Edges = f.parts(inA)
	if permutations <= 0 || a.Cases() == 0 || b.Cases() == 0 {
		return d
	}
	random := rand.New(rand.NewPCG(seed, 0))
	by := make([]float64, permutations)
	reached := 1 // the division found is one of the possible ones
	for i := range by {
		random.Shuffle(len(inA), func(i, j int) { inA[i], inA[j] = inA[j], inA[i] })
		if by[i] = f.divergence(inA); by[i] >= d.Divergence-1e-12 {
			reached++
		}
	}
	slices.Sort(by)
	d.Noise = quantileSorted(by, 0.95)
	d.P = float64(reached) / float64(permutations+1)
	return d
}

// driftFinder holds the edges of each case, so that cases can be divided anew.
type driftFinder struct {
	index edgeTable
	edges [][2]int32
	cases [][]int32 // edges of each case, repeated as often as they occur
	a, b  []float64
}

func (f *driftFinder) addCases(l *Log) {
	outside := int32(l.activities.Len())
	for c := range l.spans {
		path := l.Path(c)
		edges := make([]int32, 0, len(path)+1)
		before := outside
		for _, activity := range path {
			edges = append(edges, f.edge(before, activity, outside))
			before = activity
		}
		f.cases = append(f.cases, append(edges, f.edge(before, outside, outside)))
	}
}

func (f *driftFinder) edge(a, b, outside int32) int32 {
	e := f.index.find(a, b)
	if e == None {
		e = int32(len(f.edges))
		f.index.set(a, b, e)
		name := func(id int32) int32 {
			if id == outside {
				return None
			}
			return id
		}
		f.edges = append(f.edges, [2]int32{name(a), name(b)})
	}
	return e
}

// shares computes the distribution over edges on either side of a division.
func (f *driftFinder) shares(inA []bool) {
	f.a, f.b = make([]float64, len(f.edges)), make([]float64, len(f.edges))
	totalA, totalB := 0, 0
	for c, edges := range f.cases {
		side, total := f.b, &totalB
		if inA[c] {
			side, total = f.a, &totalA
		}
		*total += len(edges)
		for _, e := range edges {
			side[e]++
		}
	}
	for e := range f.edges {
		f.a[e] /= float64(max(1, totalA))
		f.b[e] /= float64(max(1, totalB))
	}
}

// part is the contribution of one edge to the divergence, in bits.
func part(a, b float64) float64 {
	mean, sum := (a+b)/2, 0.0
	for _, p := range [2]float64{a, b} {
		if p > 0 {
			sum += p * math.Log2(p/mean) / 2
		}
	}
	return sum
}

func (f *driftFinder) divergence(inA []bool) float64 {
	f.shares(inA)
	sum := 0.0
	for e := range f.edges {
		sum += part(f.a[e], f.b[e])
	}
	return sum
}

func (f *driftFinder) parts(inA []bool) []DriftEdge {
	f.shares(inA)
	out := make([]DriftEdge, len(f.edges))
	for e, ends := range f.edges {
		out[e] = DriftEdge{ends[0], ends[1], f.a[e], f.b[e], part(f.a[e], f.b[e])}
	}
	slices.SortStableFunc(out, func(a, b DriftEdge) int { return cmp.Compare(b.Part, a.Part) })
	return out
}
