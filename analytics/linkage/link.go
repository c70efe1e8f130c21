package linkage

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
)

// Options say how a table is linked. The zero value is a good start.
type Options struct {
	Seed      uint64
	Workers   int     // goroutines; 0 is one for each core
	Budget    float64 // most pairs compared; 0 is decided by the number of records
	Threshold float64 // probability from which on records are brought together; 0 is decided from the data
	Between   bool    // link records of different sources only
	Near      float64 // least probability of clusters that stay apart to be told of; 0 tells none
	Model     *Model  // what was learnt before, on a table with these columns; nil learns anew
}

// Result is who is who.
type Result struct {
	Entity    []int32 // by record: the number of its cluster
	Clusters  int
	Threshold float64
	Model     *Model
	Rules     []RuleReport
	Compared  int64    // pairs
	Joins     []Linked // pairs of records that hold the clusters together
	Near      []Linked // clusters that stayed apart, see Options.Near
	Coverage  float64  // estimated share of all matching pairs that the rules bring together
}

// Link brings together the records of a table that are of one person or thing.
func Link(ctx context.Context, t *Table, o Options) (*Result, error) {
	if t.n == 0 {
		return &Result{Entity: []int32{}, Model: &Model{}}, nil
	}
	var d *dataset
	if o.Model != nil {
		var err error
		if d, err = o.Model.dataset(t); err != nil {
			return nil, err
		}
	} else {
		d = prepare(t)
	}
	if len(d.fields) == 0 {
		return nil, errors.New("no column can be compared: all are empty or ignored")
	}
	if len(d.fields) > 60 {
		return nil, errors.New("more than 60 columns: name those to compare in the settings")
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	budget := o.Budget
	if budget == 0 {
		budget = max(20e6, 20*float64(d.n))
	}
	l := &linker{d: d, o: o, workers: workers, budget: budget, blocks: map[int]*blocks{}}
	return l.run(ctx)
}

type linker struct {
	d       *dataset
	o       Options
	workers int
	budget  float64
	atoms   []atom
	rules   []rule
	blocks  map[int]*blocks
	m       *Model
}

func (l *linker) blocksOf(i int) *blocks {
	if l.blocks[i] == nil {
		l.blocks[i] = l.d.block(l.atoms, &l.rules[i], largeBlock)
	}
	return l.blocks[i]
}

func (l *linker) run(ctx context.Context) (*Result, error) {
	d := l.d
	d.count(nil)
	chosen, err := l.learn()
	if err != nil {
		return nil, err
	}
	var bs []*blocks
	var reports []RuleReport
	for _, i := range chosen {
		bs = append(bs, l.blocksOf(i))
		reports = append(reports, RuleReport{Rule: l.name(i)})
	}
	l.blocks = nil
	w := l.m.weights(d)
	edges, h, err := w.scan(ctx, bs, keptBits, l.workers, reports)
	if err != nil {
		return nil, err
	}
	if l.o.Model == nil {
		prior := h.prior(float64(d.n)*float64(d.n-1)/2, l.m.Prior)
		shift := bitsOf(prior) - w.prior
		l.m.Prior = prior
		for i := range edges {
			edges[i].bits += float32(shift)
		}
		w = l.m.weights(d)
	}
	single := l.o.Between && oneEach(d.source, edges)
	entity := w.group(keepEdges(edges, -4), 0, single, l.workers)
	if l.o.Model == nil {
		l.m.relearn(d, entity, l.o.Seed)
	} else {
		d.count(entityWeights(entity))
	}
	w = l.m.weights(d)
	w.rescore(edges, l.workers)
	switch {
	case l.o.Threshold > 0:
		l.m.Threshold = l.o.Threshold
	case l.o.Model == nil:
		l.m.Threshold, _ = bestThreshold(edges)
	}
	cut := bitsOf(l.m.Threshold)
	entity = w.group(keepEdges(edges, float32(min(cut, 0)-4)), cut, single, l.workers)
	res := &Result{Entity: entity, Model: l.m, Rules: reports, Compared: int64(h.sum), Threshold: l.m.Threshold, Coverage: coverage(bs, edges), Joins: joins(edges, entity)}
	if l.o.Near > 0 {
		res.Near = w.near(edges, entity, l.o.Near)
	}
	if l.o.Model == nil {
		l.m.remember(d)
	}
	for _, e := range entity {
		res.Clusters = max(res.Clusters, int(e)+1)
	}
	return res, ctx.Err()
}

// drawsFor is how many random pairs U is measured on.
func drawsFor(records int) int { return min(1_000_000, 20_000+100*records) }

// keptBits is the least evidence with which a compared pair is remembered: it
// may become a match when more is known.
const keptBits = -8

// learn fills the model before anything is grouped, or takes the one given, and
// gives the rules to compare by.
func (l *linker) learn() ([]int, error) {
	d := l.d
	if l.o.Model != nil {
		m := *l.o.Model
		l.m = &m
		var err error
		if l.atoms, l.rules, err = m.rulesOf(d); err != nil {
			return nil, err
		}
		all := make([]int, len(l.rules))
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	l.m = newModel(d, l.o.Seed)
	l.m.learnU(d, drawsFor(d.n), l.o.Seed, nil)
	l.m.Prior = 1 / float64(d.n+1)
	l.atoms = d.atoms()
	limit := min(30, max(l.budget/float64(d.n)/8, 1))
	l.rules = d.candidates(l.atoms, limit, l.o.Seed)
	picked := pilot(d, l.atoms, l.rules, 14)
	l.m.train(d, l.atoms, l.rules, picked, l.blocksOf)
	l.m.learnTies(d, nil, rand.New(rand.NewPCG(l.o.Seed, 3)))
	w := l.m.weights(d)
	var matches [][2]int32
	for _, i := range picked {
		samplePairs(l.blocksOf(i), 2*pilotPairs, l.o.Seed, func(x, y int32) {
			if w.pair(x, y) > 3 {
				matches = append(matches, [2]int32{x, y})
			}
		})
	}
	chosen := choose(d, l.atoms, l.rules, matches, l.budget)
	if len(chosen) == 0 {
		chosen = picked
	}
	for _, i := range chosen {
		var parts []RulePart
		for _, a := range l.rules[i].atoms {
			parts = append(parts, RulePart{d.fields[l.atoms[a].field].name, l.atoms[a].part})
		}
		l.m.Rules = append(l.m.Rules, parts)
	}
	return chosen, nil
}

// oneEach tells whether the sources hold no person twice: then the best partner
// of a record excludes the others.
func oneEach(source []uint8, edges []edge) bool {
	within, between := 0, 0
	for _, e := range edges {
		if e.bits < 4 {
			continue
		}
		if source[e.a] == source[e.b] {
			within++
		} else {
			between++
		}
	}
	return float64(within) < 0.02*float64(between)
}

func keepEdges(edges []edge, least float32) []edge {
	out := make([]edge, 0, len(edges))
	for _, e := range edges {
		if e.bits >= least {
			out = append(out, e)
		}
	}
	return out
}

func (l *linker) name(i int) string {
	var s []string
	for _, a := range l.rules[i].atoms {
		s = append(s, l.d.fields[l.atoms[a].field].name+" ("+l.atoms[a].part+")")
	}
	return strings.Join(s, " + ")
}
