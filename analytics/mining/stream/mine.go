package stream

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/bits"
	"slices"

	"omote/analytics/mining"
)

// Report is what happens in a log of parts.
type Report struct {
	Cases  int
	Events int64
	// Graph is the directly-follows map, with exact quantiles of the waits.
	Graph *mining.Graph
	// Durations are of the cases, in seconds.
	Durations mining.Stats
	// Variants are the most frequent ways, at most as many as were asked for, and
	// Ways is how many there are.
	Variants []Variant
	Ways     int
	// Counts are the cases of each way, most frequent first.
	Counts []int
	// First and Last are the earliest and the latest instant.
	First, Last int64
	Lengths     mining.Lengths
	Rework      mining.Rework
	// OutOfOrder counts cases whose events do not stand in the order of time, Zero
	// those that take no time.
	OutOfOrder, Zero int
	// Funnel is what the funnel asked for counts: cases, open, lost and where they
	// went, without waits; nil when none was asked for.
	Funnel []mining.FunnelStep
}

// Variant is one way with the cases that took it.
type Variant struct {
	Path  []int32
	Count int
}

// Ask says what a report should hold.
type Ask struct {
	// Variants is how many ways to list.
	Variants int
	// Funnel is counted when it is not nil.
	Funnel *mining.Funnel
}

// Mine makes a report: one pass over the events, then as many over the waits as
// the quantiles take.
func (l *Log) Mine(ask Ask) (r *Report, err error) {
	m := &miner{log: l, ask: ask, index: map[[2]int32]int32{}, ways: map[[2]uint64]*way{}, activity: make([]mining.Node, l.activities.Len()), met: make([]place, l.activities.Len()), long: map[int]int{}}
	defer func() { err = errors.Join(err, m.clean()) }()
	if err := l.each(m.part); err != nil {
		return nil, err
	}
	r = &Report{Cases: m.cases, Events: l.Events, Ways: len(m.ways), Funnel: m.funnel, First: m.first, Last: l.last, Lengths: m.lengths(),
		Rework: m.rework, OutOfOrder: m.outOfOrder, Zero: m.zero}
	sortNext(r.Funnel)
	stats, err := m.quantiles()
	if err != nil {
		return nil, err
	}
	r.Durations = stats[0]
	r.Graph = m.graph(stats)
	r.Variants, r.Counts, err = m.variants()
	return r, err
}

// edge is a series of waits: edge 0 is the durations of cases, the others are
// pairs of activities in the order in which they were met.
type edge struct {
	mining.Edge
	met             place
	low, high       int64
	sumHigh, sumLow int64 // of the waits, in two parts, so that it cannot overflow
}

func (e *edge) add(micros int64) {
	if e.Wait.N == 0 {
		e.low, e.high = micros, micros
	}
	e.low, e.high = min(e.low, micros), max(e.high, micros)
	e.sumHigh += micros >> 20
	e.sumLow += micros & (1<<20 - 1)
	e.Wait.N++
}

func (e *edge) mean() float64 {
	n := int64(e.Wait.N)
	rest := float64(e.sumHigh%n)*(1<<20) + float64(e.sumLow)
	return float64(e.sumHigh/n)*(1<<20) + rest/float64(n)
}

// way is a variant: where its path can be read again, and how many took it.
type way struct {
	count       int
	part, first int
	id          uint64 // of the first case that took it
}

// place is an event: the case, by the number it was added under, and how many come
// before it there. What is equally frequent stands in the order of places, as it does
// in memory when cases are numbered as they come.
type place struct {
	id uint64
	at int
}

func (p place) compare(q place) int { return cmp.Or(cmp.Compare(p.id, q.id), cmp.Compare(p.at, q.at)) }

type miner struct {
	log      *Log
	ask      Ask
	cases    int
	edges    []edge
	index    map[[2]int32]int32
	activity []mining.Node
	met      []place     // of each activity
	long     map[int]int // cases by their number of events
	rework   mining.Rework
	first    int64
	ways     map[[2]uint64]*way
	funnel   []mining.FunnelStep
	files    []string // of waits

	outOfOrder, zero int
}

func waitsName(i int) string { return fmt.Sprintf("waits-%03d", i) }

// part counts a part and lays its waits aside.
func (m *miner) part(i int, l *mining.Log, ids []uint64) (err error) {
	if len(m.edges) == 0 {
		m.edges = append(m.edges, edge{})
	}
	name := waitsName(i)
	f, err := m.log.store.Create(name)
	if err != nil {
		return err
	}
	m.files = append(m.files, name)
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriterSize(f, 1<<18)
	width := l.Activities().Len()
	local := map[int]int32{} // by source and target; a matrix where that is small
	var matrix []int32
	if width <= 1024 {
		matrix = make([]int32, width*width)
	}
	seenEdge, seenActivity := make([]int32, len(m.edges)), make([]int32, width)
	var b [waitSize]byte
	put := func(e int32, micros int64) error {
		m.edges[e].add(micros)
		binary.LittleEndian.PutUint32(b[:], uint32(e))
		binary.LittleEndian.PutUint64(b[4:], uint64(micros))
		_, err := out.Write(b[:])
		return err
	}
	rework := mining.FindRework(l)
	m.rework.Cases += rework.Cases
	m.rework.SelfLoops += rework.SelfLoops
	m.rework.Returns += rework.Returns
	m.outOfOrder += mining.CasesOutOfTimeOrder(l)
	for c := range l.Cases() {
		path, times := l.Path(c), l.Times(c)
		m.long[len(path)]++
		stamp := int32(c) + 1
		first, last := times[0], times[0]
		for k, a := range path {
			first, last = min(first, times[k]), max(last, times[k])
			n := &m.activity[a]
			if here := (place{ids[c], k}); n.Events == 0 || here.compare(m.met[a]) < 0 {
				m.met[a] = here
			}
			n.Events++
			if seenActivity[a] != stamp {
				seenActivity[a] = stamp
				n.Cases++
			}
			if k == 0 {
				n.Starts++
				continue
			}
			at := int(path[k-1])*width + int(a)
			var e int32
			if matrix != nil {
				e = matrix[at]
			} else {
				e = local[at]
			}
			if e == 0 {
				e = m.edgeOf(path[k-1], a)
				if matrix != nil {
					matrix[at] = e
				} else {
					local[at] = e
				}
				for len(seenEdge) < len(m.edges) {
					seenEdge = append(seenEdge, 0)
				}
			}
			if here := (place{ids[c], k}); m.edges[e].Count == 0 || here.compare(m.edges[e].met) < 0 {
				m.edges[e].met = here
			}
			m.edges[e].Count++
			if seenEdge[e] != stamp {
				seenEdge[e] = stamp
				m.edges[e].Cases++
			}
			if err := put(e, times[k]-times[k-1]); err != nil {
				return err
			}
		}
		m.activity[path[len(path)-1]].Ends++
		if err := put(0, last-first); err != nil {
			return err
		}
		if last == first {
			m.zero++
		}
		if m.edges[0].Wait.N == 1 || first < m.first {
			m.first = first
		}
		key := hash128(path)
		if w := m.ways[key]; w != nil {
			w.count++
			w.id = min(w.id, ids[c])
		} else {
			m.ways[key] = &way{1, i, c, ids[c]}
		}
	}
	m.cases += l.Cases()
	if m.ask.Funnel != nil {
		if err := m.count(l); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (m *miner) edgeOf(a, b int32) int32 {
	key := [2]int32{a, b}
	e, ok := m.index[key]
	if !ok {
		e = int32(len(m.edges))
		m.index[key] = e
		m.edges = append(m.edges, edge{Edge: mining.Edge{Source: a, Target: b}})
	}
	return e
}

// count adds the funnel of a part.
func (m *miner) count(l *mining.Log) error {
	f := *m.ask.Funnel
	if f.End == 0 { // that of the whole log, which no part knows
		f.End = m.log.last
	}
	found, err := f.Run(l)
	if err != nil {
		return err
	}
	if m.funnel == nil {
		m.funnel = make([]mining.FunnelStep, len(found.Steps))
	}
	for i, s := range found.Steps {
		to := &m.funnel[i]
		to.Cases += s.Cases
		to.Open += s.Open
		to.Lost += s.Lost
		for _, n := range s.Next {
			at := slices.IndexFunc(to.Next, func(x mining.Count) bool { return x.ID == n.ID })
			if at < 0 {
				at = len(to.Next)
				to.Next = append(to.Next, mining.Count{ID: n.ID})
			}
			to.Next[at].N += n.N
		}
	}
	return nil
}

func sortNext(steps []mining.FunnelStep) {
	for _, s := range steps {
		slices.SortStableFunc(s.Next, func(a, b mining.Count) int { return cmp.Compare(b.N, a.N) })
	}
}

// lengths describes the number of events per case.
func (m *miner) lengths() mining.Lengths {
	if m.cases == 0 {
		return mining.Lengths{}
	}
	sizes := slices.Sorted(maps.Keys(m.long))
	out := mining.Lengths{Min: sizes[0], Max: sizes[len(sizes)-1], Mean: float64(m.log.Events) / float64(m.cases)}
	at := func(rank int) float64 { // the value of an order statistic
		for _, n := range sizes {
			if rank -= m.long[n]; rank < 0 {
				return float64(n)
			}
		}
		return float64(out.Max)
	}
	out.Median = (at((m.cases-1)/2) + at(m.cases/2)) / 2
	return out
}

// graph puts the map together, in the order of [mining.DirectlyFollows].
func (m *miner) graph(stats []mining.Stats) *mining.Graph {
	g := &mining.Graph{Cases: m.cases, Transitions: int(m.log.Events) - m.cases}
	for a, n := range m.activity {
		if n.Events > 0 {
			n.Activity = int32(a)
			g.Nodes = append(g.Nodes, n)
		}
	}
	slices.SortFunc(g.Nodes, func(a, b mining.Node) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), m.met[a.Activity].compare(m.met[b.Activity]))
	})
	for i := 1; i < len(m.edges); i++ {
		e := m.edges[i].Edge
		e.Wait = stats[i]
		g.Edges = append(g.Edges, e)
	}
	slices.SortFunc(g.Edges, func(a, b mining.Edge) int {
		met := func(e mining.Edge) place { return m.edges[m.index[[2]int32{e.Source, e.Target}]].met }
		return cmp.Or(cmp.Compare(b.Count, a.Count), met(a).compare(met(b)))
	})
	return g
}

// variants reads the paths of the most frequent ways again.
func (m *miner) variants() ([]Variant, []int, error) {
	all := make([]*way, 0, len(m.ways))
	for _, w := range m.ways {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b *way) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.id, b.id))
	})
	counts := make([]int, len(all))
	for i, w := range all {
		counts[i] = w.count
	}
	all = all[:min(m.ask.Variants, len(all))]
	out := make([]Variant, len(all))
	want := map[int][]int{} // places in out by part
	for i, w := range all {
		out[i].Count = w.count
		want[w.part] = append(want[w.part], i)
	}
	for part, places := range want {
		l, _, err := m.log.part(part, m.log.sizes[part])
		if err != nil {
			return nil, nil, err
		}
		for _, i := range places {
			out[i].Path = slices.Clone(l.Path(all[i].first))
		}
	}
	return out, counts, nil
}

// hash128 folds a path by two independent multiplications.
func hash128(path []int32) [2]uint64 {
	a, b := uint64(len(path))+0x243F6A8885A308D3, uint64(len(path))+0x13198A2E03707344
	for _, x := range path {
		high, low := bits.Mul64(a^uint64(x), 0xD6E8FEB86659FD93)
		a = (high ^ low) + 0x9E3779B97F4A7C15
		high, low = bits.Mul64(b^uint64(x), 0xA0761D6478BD642F)
		b = (high ^ low) + 0xE7037ED1A0B428DB
	}
	return [2]uint64{a, b}
}

// clean takes the waits away.
func (m *miner) clean() (err error) {
	for _, name := range m.files {
		err = errors.Join(err, m.log.store.Remove(name))
	}
	return err
}

// eachWait reads all waits.
func (m *miner) eachWait(fn func(e int32, micros int64)) error {
	for _, name := range m.files {
		f, err := m.log.store.Open(name)
		if err != nil {
			return err
		}
		in := bufio.NewReaderSize(f, 1<<20)
		var b [waitSize]byte
		for {
			if _, err = io.ReadFull(in, b[:]); err != nil {
				break
			}
			fn(int32(binary.LittleEndian.Uint32(b[:])), int64(binary.LittleEndian.Uint64(b[4:])))
		}
		if err := errors.Join(ignoreEOF(err), f.Close()); err != nil {
			return fmt.Errorf("stream: read %s: %w", name, err)
		}
	}
	return nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
