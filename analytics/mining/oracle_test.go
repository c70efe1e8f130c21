package mining_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"omote/analytics/mining"
)

// event and its list of cases are the plain form of a log, for slow and obvious
// computations to compare with.
type event struct {
	activity int32
	micros   int64
	channel  int32
}

type plainLog [][]event

// drawLog draws a small log, adds its events to a builder in a random
// interleaving and returns both forms. Instants are few, so that many are equal.
func drawLog(t *rapid.T, order mining.Order) (plainLog, *mining.Log) {
	cases := rapid.IntRange(1, 8).Draw(t, "cases")
	activities := rapid.IntRange(1, 5).Draw(t, "activities")
	plain := make(plainLog, cases)
	b := mining.NewBuilder("channel")
	for a := range activities {
		b.Activity(fmt.Sprintf("a%d", a))
	}
	for c := range cases {
		b.Case(fmt.Sprintf("case %d", c))
		b.SetCase(int32(c), "segment", fmt.Sprintf("s%d", c%2))
	}
	for v := range 3 {
		b.Value(0, fmt.Sprintf("v%d", v))
	}
	for range rapid.IntRange(1, 40).Draw(t, "events") {
		c := rapid.IntRange(0, cases-1).Draw(t, "case")
		e := event{
			activity: int32(rapid.IntRange(0, activities-1).Draw(t, "activity")),
			micros:   int64(rapid.IntRange(0, 12).Draw(t, "time")) * 1e6,
			channel:  int32(rapid.IntRange(-1, 2).Draw(t, "channel")),
		}
		plain[c] = append(plain[c], e)
		b.Add(int32(c), e.activity, e.micros, e.channel)
	}
	l, err := b.Build(order)
	if err != nil {
		t.Fatal(err)
	}
	mining.SetGrain(l, rapid.SampledFrom([]int{0, 1, 5}).Draw(t, "grain"))
	plain = slices.DeleteFunc(plain, func(c []event) bool { return len(c) == 0 })
	if order == mining.TimeOrder {
		for _, c := range plain {
			slices.SortStableFunc(c, func(a, b event) int { return cmp.Compare(a.micros, b.micros) })
		}
	}
	return plain, l
}

func orders(t *testing.T, check func(t *rapid.T, order mining.Order)) {
	for _, order := range []mining.Order{mining.FileOrder, mining.TimeOrder} {
		t.Run(order.String(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { check(t, order) })
		})
	}
}

func (p plainLog) events() int {
	n := 0
	for _, c := range p {
		n += len(c)
	}
	return n
}

// sameLog tells how the log differs from its plain form.
func sameLog(p plainLog, l *mining.Log) error {
	if l.Cases() != len(p) || l.Events() != p.events() {
		return fmt.Errorf("%d cases and %d events, want %d and %d", l.Cases(), l.Events(), len(p), p.events())
	}
	for c := range p {
		var path, channel []int32
		var times []int64
		for _, e := range p[c] {
			path, times, channel = append(path, e.activity), append(times, e.micros), append(channel, e.channel)
		}
		if !slices.Equal(l.Path(c), path) || !slices.Equal(l.Times(c), times) || !slices.Equal(l.Values("channel", c), channel) {
			return fmt.Errorf("case %d: %v %v %v, want %v %v %v", c, l.Path(c), l.Times(c), l.Values("channel", c), path, times, channel)
		}
	}
	return nil
}

func TestBuild(t *testing.T) {
	t.Parallel()
	orders(t, func(t *rapid.T, order mining.Order) {
		plain, l := drawLog(t, order)
		if err := sameLog(plain, l); err != nil {
			t.Fatal(err)
		}
		unordered := 0
		for c := range plain {
			if !slices.IsSortedFunc(plain[c], func(a, b event) int { return cmp.Compare(a.micros, b.micros) }) {
				unordered++
			}
			var n int
			if _, err := fmt.Sscanf(l.CaseID(c), "case %d", &n); err != nil {
				t.Fatal(err)
			}
			segments, _ := l.CaseColumn("segment")
			if got := segments.Name(l.CaseValue("segment", c)); got != fmt.Sprintf("s%d", n%2) {
				t.Fatalf("segment of %s is %s", l.CaseID(c), got)
			}
		}
		if got := mining.CasesOutOfTimeOrder(l); got != unordered {
			t.Fatalf("%d cases out of order, want %d", got, unordered)
		}
	})
}

// quantile is the textbook form of type 7.
func quantile(values []float64, p float64) float64 {
	slices.Sort(values)
	h := p * float64(len(values)-1)
	low, high := math.Floor(h), math.Ceil(h)
	return values[int(low)] + (h-low)*(values[int(high)]-values[int(low)])
}

func close(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

func sameStats(got mining.Stats, seconds []float64) error {
	if got.N != len(seconds) {
		return fmt.Errorf("n %d, want %d", got.N, len(seconds))
	}
	if got.N == 0 {
		return nil
	}
	sum := 0.0
	for _, s := range seconds {
		sum += s
	}
	for name, pair := range map[string][2]float64{
		"mean":   {got.Mean, sum / float64(len(seconds))},
		"median": {got.Median, quantile(seconds, 0.5)},
		"p90":    {got.P90, quantile(seconds, 0.9)},
		"p95":    {got.P95, quantile(seconds, 0.95)},
		"min":    {got.Min, slices.Min(seconds)},
		"max":    {got.Max, slices.Max(seconds)},
	} {
		if !close(pair[0], pair[1]) {
			return fmt.Errorf("%s is %v, want %v", name, pair[0], pair[1])
		}
	}
	return nil
}

func TestDirectlyFollowsOracle(t *testing.T) {
	t.Parallel()
	orders(t, func(t *rapid.T, order mining.Order) {
		plain, l := drawLog(t, order)
		g := mining.DirectlyFollows(l)
		type pair struct{ a, b int32 }
		waits, inCases := map[pair][]float64{}, map[pair]map[int]bool{}
		var seen []pair
		nodes := map[int32]*mining.Node{}
		node := func(a int32) *mining.Node {
			if nodes[a] == nil {
				nodes[a] = &mining.Node{Activity: a}
			}
			return nodes[a]
		}
		for c, events := range plain {
			has := map[int32]bool{}
			for i, e := range events {
				node(e.activity).Events++
				if !has[e.activity] {
					has[e.activity] = true
					node(e.activity).Cases++
				}
				if i == 0 {
					continue
				}
				p := pair{events[i-1].activity, e.activity}
				if inCases[p] == nil {
					inCases[p] = map[int]bool{}
					seen = append(seen, p)
				}
				inCases[p][c] = true
				waits[p] = append(waits[p], float64(e.micros-events[i-1].micros)/1e6)
			}
			node(events[0].activity).Starts++
			node(events[len(events)-1].activity).Ends++
		}
		slices.SortStableFunc(seen, func(a, b pair) int { return cmp.Compare(len(waits[b]), len(waits[a])) })
		if len(g.Edges) != len(seen) || g.Transitions != plain.events()-len(plain) || g.Cases != len(plain) || len(g.Nodes) != len(nodes) {
			t.Fatalf("%d edges, %d transitions, %d nodes; want %d, %d, %d", len(g.Edges), g.Transitions, len(g.Nodes), len(seen), plain.events()-len(plain), len(nodes))
		}
		for i, e := range g.Edges {
			p := pair{e.Source, e.Target}
			if p != seen[i] || e.Count != len(waits[p]) || e.Cases != len(inCases[p]) {
				t.Fatalf("edge %d is %+v, want %v with %d transitions in %d cases", i, e, seen[i], len(waits[seen[i]]), len(inCases[seen[i]]))
			}
			if err := sameStats(e.Wait, waits[p]); err != nil {
				t.Fatalf("edge %v: %v", p, err)
			}
		}
		for i, n := range g.Nodes {
			w := nodes[n.Activity]
			if n.Events != w.Events || n.Cases != w.Cases || n.Starts != w.Starts || n.Ends != w.Ends {
				t.Fatalf("node %+v, want %+v", n, *w)
			}
			if i > 0 && n.Events > g.Nodes[i-1].Events {
				t.Fatal("nodes are not sorted")
			}
		}
	})
}

func TestVariantsOracle(t *testing.T) {
	t.Parallel()
	orders(t, func(t *rapid.T, order mining.Order) {
		plain, l := drawLog(t, order)
		v := mining.FindVariants(l)
		counts, first := map[string]int{}, map[string]int{}
		text := func(c int) string { return fmt.Sprint(l.Path(c)) }
		for c := range plain {
			if counts[text(c)]++; counts[text(c)] == 1 {
				first[text(c)] = c
			}
		}
		if len(v.List) != len(counts) {
			t.Fatalf("%d variants, want %d", len(v.List), len(counts))
		}
		for i, variant := range v.List {
			key := fmt.Sprint(variant.Path)
			if variant.Count != counts[key] || variant.First != first[key] {
				t.Fatalf("variant %+v, want %d cases from %d", variant, counts[key], first[key])
			}
			if i > 0 {
				before := v.List[i-1]
				if before.Count < variant.Count || (before.Count == variant.Count && before.First > variant.First) {
					t.Fatal("variants are not sorted")
				}
			}
		}
		for c := range plain {
			if !slices.Equal(v.List[v.Of[c]].Path, l.Path(c)) {
				t.Fatalf("case %d is in the wrong variant", c)
			}
		}
		covered := 0
		for i := range v.ToCover(0.8) {
			if float64(covered) >= 0.8*float64(len(plain)) {
				t.Fatal("fewer variants would do")
			}
			covered += v.List[i].Count
		}
		if float64(covered) < 0.8*float64(len(plain)) {
			t.Fatal("too few variants")
		}
	})
}

func TestCasesOracle(t *testing.T) {
	t.Parallel()
	orders(t, func(t *rapid.T, order mining.Order) {
		plain, l := drawLog(t, order)
		var durations, lengths []float64
		var want mining.Rework
		first, last := int64(math.MaxInt64), int64(math.MinInt64)
		zeros := 0
		for _, events := range plain {
			low, high := int64(math.MaxInt64), int64(math.MinInt64)
			count, repeated := map[int32]int{}, false
			for i, e := range events {
				low, high = min(low, e.micros), max(high, e.micros)
				if count[e.activity]++; count[e.activity] > 1 {
					repeated = true
				}
				if i > 0 && events[i-1].activity == e.activity {
					want.SelfLoops++
				}
				if i > 1 && events[i-2].activity == e.activity && events[i-1].activity != e.activity {
					want.Returns++
				}
			}
			if repeated {
				want.Cases++
			}
			if low == high {
				zeros++
			}
			first, last = min(first, low), max(last, high)
			durations = append(durations, float64(high-low)/1e6)
			lengths = append(lengths, float64(len(events)))
		}
		got, zero := mining.CaseDurations(l)
		if err := sameStats(got, durations); err != nil || zero != zeros {
			t.Fatalf("durations: %v; %d are zero, want %d", err, zero, zeros)
		}
		n := mining.CaseLengths(l)
		if n.Median != quantile(lengths, 0.5) || float64(n.Min) != slices.Min(lengths) || float64(n.Max) != slices.Max(lengths) ||
			!close(n.Mean, float64(plain.events())/float64(len(plain))) {
			t.Fatalf("lengths %+v", n)
		}
		if rework := mining.FindRework(l); rework != want {
			t.Fatalf("rework %+v, want %+v", rework, want)
		}
		if f, u, ok := l.TimeRange(); !ok || f != first || u != last {
			t.Fatalf("time range %d to %d", f, u)
		}
	})
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 3000).Draw(t, "n")
		spread := rapid.SampledFrom([]int64{1, 3, 1000, math.MaxInt64 / 4}).Draw(t, "spread")
		seed := rapid.Uint64().Draw(t, "seed")
		values, floats := make([]int64, n), make([]float64, n)
		for i := range values {
			seed = seed*6364136223846793005 + 1442695040888963407
			values[i] = int64(seed>>1) % spread
			if i > 0 && seed%7 == 0 {
				values[i] = values[i-1]
			}
			floats[i] = float64(values[i])
		}
		for i, got := range mining.Quantile(values, 0, 0.25, 0.5, 0.9, 0.95, 1) {
			if want := quantile(floats, []float64{0, 0.25, 0.5, 0.9, 0.95, 1}[i]); !close(got, want) {
				t.Fatalf("quantile %d of %d values: %v, want %v", i, n, got, want)
			}
		}
	})
}

func TestMeanDoesNotOverflow(t *testing.T) {
	t.Parallel()
	values := make([]int64, 1000)
	for i := range values {
		values[i] = math.MaxInt64/2 - int64(i%2)
	}
	want := (float64(math.MaxInt64/2) - 0.5) / 1e6
	if got := mining.Describe(values).Mean; math.Abs(got-want) > 1e-9*want {
		t.Errorf("mean %v, want %v", got, want)
	}
	for i := range values {
		values[i] = -values[i]
	}
	if got := mining.Describe(values).Mean; math.Abs(got+want) > 1e-9*want {
		t.Errorf("mean %v, want %v", got, -want)
	}
	if got := mining.Describe(nil); got != (mining.Stats{}) {
		t.Errorf("statistics of nothing: %+v", got)
	}
}
