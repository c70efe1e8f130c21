package signal

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"omote/analytics/cause"
	"omote/internal/insight/metric"
)

// Tree says where a change sits: the whole, the combinations of values that explain
// it, and what stands out inside each.
type Tree struct {
	// Known is false where there was too little before the change to compare with.
	Known bool `json:"known"`
	// Before and After are the figures of the whole measure in the windows compared.
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Days   int     `json:"days"` // length of each window
	// Causes explain most of the change; none means that it is common to most of
	// what was measured.
	Causes []Branch `json:"causes,omitempty"`
}

// Branch is one combination with what it explains.
type Branch struct {
	Where  []cause.Pair `json:"where"`
	Before float64      `json:"before"`
	After  float64      `json:"after"`
	N      float64      `json:"n"` // facts since the onset
	// Share of the change of the whole that it explains, with a 90 % interval where
	// Sure; the change of the whole may be too unsure to have shares.
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Sure  bool    `json:"sure"`
	// Evidence is by how many nats the data favour it, after the cost of naming it.
	Evidence float64 `json:"evidence"`
	Parts    []Part  `json:"parts,omitempty"`
}

// Part is a value of a further dimension inside a branch, with its share of the
// branch's change.
type Part struct {
	Dim   string  `json:"dim"`
	Value string  `json:"value"`
	Share float64 `json:"share"`
	After float64 `json:"after"`
	N     float64 `json:"n"`
}

// Limits of a tree.
const (
	treeWindows = 8  // windows before the change that are compared with it
	leastWindow = 3  // days of the shortest window
	mostWindow  = 28 // days of the longest
	treeBranch  = 5
	treeParts   = 4
	treeDraws   = 400
)

// treeDims are the dimensions in which causes are looked for.
var treeDims = []Dim{Region, Unit, Channel, Product, Step}

// bad gives the part of a leaf's sum that counts as bad, between 0 and n for
// shares and scales, so that more of it is worse for every kind of measure.
func (w *watched) bad(l *leaf) float64 {
	d := &w.def
	x := l.sum
	switch {
	case d.Kind == metric.NPS:
		x = (100*l.n - l.sum) / 200
	case d.Answers != nil && d.Kind != metric.TopBox:
		low, high := d.Scale()
		if low >= high {
			break
		}
		if x = (l.sum - low*l.n) / (high - low); d.Direction == metric.Higher {
			x = l.n - x
		}
	case d.Direction == metric.Higher && d.Kind != metric.Mean:
		x = l.n - l.sum
	}
	return max(0, x)
}

// window gives the number of the window a day lies in: 0 for the change, negative
// before it.
func window(day, onset time.Time, days int) int {
	return int(math.Floor(day.Sub(onset).Hours() / 24 / float64(days)))
}

// cells are the sums of a combination in the windows.
type cell struct {
	leaf
	bad [treeWindows + 1]float64 // bad[0] is the change, bad[k] k windows before
	n   [treeWindows + 1]float64
	sum [treeWindows + 1]float64
}

// grow finds the causes of a finding within its whole measure: a fall of a region
// is looked for among all regions, so that it can be told apart from a fall of the
// bank.
func (w *watched) grow(f *Finding, now time.Time) Tree {
	span := int(math.Round(f.Last(now).Sub(f.Onset).Hours() / 24))
	days := min(mostWindow, max(leastWindow, span))
	cells, dims := w.cells(f.Onset, days)
	t := Tree{Days: days}
	before, any := w.windows(cells)
	if t.Before, t.After = w.rate(cells, before), w.rate(cells, nil); !any || len(before) < 2 {
		return t
	}
	if len(dims) == 0 {
		t.Known = true // it happens in one place alone
		return t
	}
	names := make([]string, len(dims))
	for i, d := range dims {
		names[i] = string(d)
	}
	table := cause.NewRateTable(names...)
	values := make([]string, len(dims))
	for _, c := range cells {
		for i, d := range dims {
			values[i] = c.value(d)
		}
		for _, k := range append([]int{0}, before...) {
			if c.n[k] > 0 || c.bad[k] > 0 {
				table.Add(int64(-k), values, c.bad[k], c.n[k])
			}
		}
	}
	located, err := cause.LocateRates(table, 0, cause.Options{MaxLayer: 3})
	if err != nil {
		return t // nothing in the window
	}
	t.Known = true
	for _, c := range located.Causes {
		b := Branch{Where: tidy(c.Where), Evidence: c.Evidence}
		if slices.ContainsFunc(t.Causes, func(o Branch) bool { return slices.Equal(o.Where, b.Where) }) {
			continue // parts of one place that fell unevenly
		}
		w.measure(&b, cells, before, dims)
		// Only what moved the same way explains the change.
		if b.Share > 0 {
			t.Causes = append(t.Causes, b)
		}
	}
	slices.SortStableFunc(t.Causes, func(a, b Branch) int { return cmp.Compare(b.Share, a.Share) })
	t.Causes = t.Causes[:min(len(t.Causes), treeBranch)]
	return t
}

// tidy leaves out the region where the unit says it already.
func tidy(where []cause.Pair) []cause.Pair {
	if slices.ContainsFunc(where, func(p cause.Pair) bool { return p.Dim == string(Unit) }) {
		return slices.DeleteFunc(slices.Clone(where), func(p cause.Pair) bool { return p.Dim == string(Region) })
	}
	return where
}

// cells sums the leaves into windows, and gives the dimensions that tell them
// apart.
func (w *watched) cells(onset time.Time, days int) (out []*cell, dims []Dim) {
	type key struct{ region, unit, channel, product, step string }
	at := map[key]*cell{}
	values := map[Dim]map[string]bool{}
	for i := range w.leaves {
		l := &w.leaves[i]
		k := -window(l.day, onset, days)
		if k < 0 || k > treeWindows {
			continue
		}
		id := key{l.region, l.unit, l.channel, l.product, l.step}
		c := at[id]
		if c == nil {
			c = &cell{leaf: *l}
			at[id] = c
			out = append(out, c)
		}
		c.bad[k] += w.bad(l)
		c.n[k] += l.n
		c.sum[k] += l.sum
		for _, d := range treeDims {
			if v := l.value(d); v != "" {
				if values[d] == nil {
					values[d] = map[string]bool{}
				}
				values[d][v] = true
			}
		}
	}
	for _, d := range treeDims {
		if len(values[d]) > 1 {
			dims = append(dims, d)
		}
	}
	return out, dims
}

// windows are those before the change that hold facts; any tells whether the
// change's own does.
func (w *watched) windows(cells []*cell) (before []int, any bool) {
	for k := range treeWindows + 1 {
		n := 0.0
		for _, c := range cells {
			n += c.n[k]
		}
		switch {
		case n <= 0:
		case k == 0:
			any = true
		default:
			before = append(before, k)
		}
	}
	return before, any
}

// rate is the figure of cells in the windows, nil for the change's own.
func (w *watched) rate(cells []*cell, windows []int) float64 {
	if windows == nil {
		windows = []int{0}
	}
	n, sum := 0.0, 0.0
	for _, c := range cells {
		for _, k := range windows {
			n, sum = n+c.n[k], sum+c.sum[k]
		}
	}
	if n == 0 {
		return 0
	}
	s := series{of: w}
	return s.figure(sum / n)
}

// excess is how much more bad there was than the windows before led to expect, with
// the sums behind it.
type excess struct{ now, n, past, pastN float64 }

func (e excess) value() float64 { return e.now - e.expected() }

func (e excess) expected() float64 {
	if e.pastN == 0 {
		return e.now
	}
	return e.n * e.past / e.pastN
}

func sums(cells []*cell, before []int) (e excess) {
	for _, c := range cells {
		e.now += c.bad[0]
		e.n += c.n[0]
		for _, k := range before {
			e.past += c.bad[k]
			e.pastN += c.n[k]
		}
	}
	return e
}

// measure fills in what a branch explains, and the parts inside it.
func (w *watched) measure(b *Branch, cells []*cell, before []int, dims []Dim) {
	var in, rest []*cell
	for _, c := range cells {
		if slices.ContainsFunc(b.Where, func(p cause.Pair) bool { return c.value(Dim(p.Dim)) != p.Value }) {
			rest = append(rest, c)
		} else {
			in = append(in, c)
		}
	}
	b.Before, b.After = w.rate(in, before), w.rate(in, nil)
	inside, outside := sums(in, before), sums(rest, before)
	b.N = inside.n
	b.Share, b.Low, b.High, b.Sure = shareOf(inside, outside)
	for _, d := range dims {
		if slices.ContainsFunc(b.Where, func(p cause.Pair) bool { return p.Dim == string(d) }) || d == Region {
			continue
		}
		b.Parts = append(b.Parts, w.parts(d, in, before, inside.value())...)
	}
	slices.SortStableFunc(b.Parts, func(x, y Part) int { return cmp.Compare(y.Share, x.Share) })
	b.Parts = b.Parts[:min(len(b.Parts), treeParts)]
}

// parts splits a branch by one more dimension; a value that holds nearly all of it
// says nothing.
func (w *watched) parts(d Dim, in []*cell, before []int, change float64) (out []Part) {
	by := map[string][]*cell{}
	total := 0.0
	for _, c := range in {
		if v := c.value(d); v != "" {
			by[v] = append(by[v], c)
			total += c.n[0]
		}
	}
	for v, list := range by {
		e := sums(list, before)
		if share := e.value() / change; e.n < sameShare*total && share > 0.05 && e.n >= float64(w.def.MinN) {
			out = append(out, Part{Dim: string(d), Value: v, Share: share, After: w.rate(list, nil), N: e.n})
		}
	}
	slices.SortFunc(out, func(a, b Part) int { return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Value, b.Value)) })
	return out
}

// shareOf is the share of the whole excess that lies inside, with a 90 % interval:
// the sums are drawn anew as often as it takes, each with the variance of a count,
// from a fixed seed.
func shareOf(inside, outside excess) (share, low, high float64, sure bool) {
	total := inside.value() + outside.value()
	if total == 0 {
		return 0, 0, 0, false
	}
	share = inside.value() / total
	random := rand.New(rand.NewPCG(1, 2))
	draw := func(e excess) float64 {
		x := e
		x.now += random.NormFloat64() * math.Sqrt(max(e.now, 1))
		x.past += random.NormFloat64() * math.Sqrt(max(e.past, 1))
		return x.value()
	}
	var draws []float64
	for range treeDraws {
		a, b := draw(inside), draw(outside)
		if (a+b)*total > 0 { // a whole that did not change has no shares
			draws = append(draws, a/(a+b))
		}
	}
	if len(draws) < treeDraws/2 {
		return share, 0, 0, false
	}
	slices.Sort(draws)
	return share, draws[len(draws)/20], draws[len(draws)-1-len(draws)/20], true
}
