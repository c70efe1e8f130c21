package mining_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/analytics/mining"
)

// bestChain tries every choice of events for the steps of the funnel and
// returns the largest number of steps that one of them makes.
func bestChain(f *mining.Funnel, events []event) int {
	within, gap := f.Within.Microseconds(), f.Gap.Microseconds()
	best := 0
	var extend func(chain []int)
	extend = func(chain []int) {
		n := len(chain)
		best = max(best, n)
		if n == len(f.Steps) {
			return
		}
		for i, e := range events {
			if !slices.Contains(f.Steps[n], e.activity) || slices.Contains(chain, i) {
				continue
			}
			if f.Mode != mining.AnyOrder && n > 0 && i <= chain[n-1] {
				continue
			}
			if f.Mode == mining.Direct && n > 0 && i != chain[n-1]+1 {
				continue
			}
			if n > 0 && gap > 0 && e.micros-events[chain[n-1]].micros > gap {
				continue
			}
			next := append(slices.Clone(chain), i)
			first, last := e.micros, e.micros
			for _, at := range next {
				first, last = min(first, events[at].micros), max(last, events[at].micros)
			}
			if within > 0 && last-first > within {
				continue
			}
			extend(next)
		}
	}
	extend(nil)
	return best
}

func drawFunnel(t *rapid.T, activities int) *mining.Funnel {
	f := &mining.Funnel{Mode: mining.FunnelMode(rapid.IntRange(0, 2).Draw(t, "mode"))}
	seconds := func(name string) time.Duration {
		return time.Duration(rapid.SampledFrom([]int{0, 0, 1, 3, 6}).Draw(t, name)) * time.Second
	}
	f.Within = seconds("within")
	if f.Mode == mining.AnyOrder {
		n := rapid.IntRange(1, activities).Draw(t, "steps")
		seed := rapid.Uint64().Draw(t, "permutation")
		for _, a := range rand.New(rand.NewPCG(seed, 0)).Perm(activities)[:n] {
			f.Steps = append(f.Steps, []int32{int32(a)})
		}
		return f
	}
	f.Gap = seconds("gap")
	for range rapid.IntRange(1, 4).Draw(t, "steps") {
		var step []int32
		for range rapid.IntRange(1, 2).Draw(t, "alternatives") {
			step = append(step, int32(rapid.IntRange(0, activities-1).Draw(t, "step")))
		}
		f.Steps = append(f.Steps, step)
	}
	return f
}

func TestFunnelOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain, l := drawLog(t, mining.TimeOrder)
		f := drawFunnel(t, l.Activities().Len())
		f.Timeout = time.Duration(rapid.SampledFrom([]int{0, 2, 5}).Draw(t, "timeout")) * time.Second
		r, err := f.Run(l)
		if err != nil {
			t.Fatal(err)
		}
		_, end, _ := l.TimeRange()
		cases := make([]int, len(f.Steps))
		stopped := make([]int, len(f.Steps))
		next := make([]map[int32]int, len(f.Steps))
		for c, events := range plain {
			want := bestChain(f, events)
			if int(r.Reached[c]) != want {
				t.Fatalf("case %v: reached %d steps of %+v, want %d", events, r.Reached[c], *f, want)
			}
			for s := range want {
				cases[s]++
			}
			if want == 0 {
				if r.At[c] != mining.None {
					t.Fatal("a position without a step")
				}
				continue
			}
			at := int(r.At[c])
			if f.Mode != mining.AnyOrder && !slices.Contains(f.Steps[want-1], events[at].activity) {
				t.Fatalf("event %d of %v does not make step %d of %v", at, events, want, f.Steps)
			}
			if want == len(f.Steps) {
				continue
			}
			stopped[want-1]++
			if next[want-1] == nil {
				next[want-1] = map[int32]int{}
			}
			if at+1 < len(events) {
				next[want-1][events[at+1].activity]++
			} else {
				next[want-1][mining.None]++
			}
		}
		for s, step := range r.Steps {
			if step.Cases != cases[s] || step.Open+step.Lost != stopped[s] {
				t.Fatalf("step %d: %+v, want %d cases of which %d stop", s, step, cases[s], stopped[s])
			}
			if f.Within == 0 && f.Gap == 0 && f.Timeout == 0 && step.Open != 0 {
				t.Fatal("open cases without any limit")
			}
			got := map[int32]int{}
			for _, n := range step.Next {
				got[n.ID] = n.N
			}
			if len(got)+len(next[s]) > 0 && !maps.Equal(got, next[s]) {
				t.Fatalf("step %d: next %v, want %v", s, got, next[s])
			}
			if s > 0 && step.Wait.N != step.Cases {
				t.Fatalf("step %d: waits of %d cases, want %d", s, step.Wait.N, step.Cases)
			}
		}
		if f.Timeout > 0 && f.Within == 0 && f.Gap == 0 {
			open := 0
			for c, events := range plain {
				silence := end - events[len(events)-1].micros
				if r.Reached[c] > 0 && int(r.Reached[c]) < len(f.Steps) && silence <= f.Timeout.Microseconds() {
					open++
				}
			}
			sum := 0
			for _, step := range r.Steps {
				sum += step.Open
			}
			if open != sum {
				t.Fatalf("%d open cases, want %d", sum, open)
			}
		}
	})
}

func TestFunnelRefuses(t *testing.T) {
	t.Parallel()
	l := generated(t, 100, 1)
	for name, f := range map[string]mining.Funnel{
		"no steps":       {},
		"empty step":     {Steps: [][]int32{{0}, {}}},
		"unknown":        {Steps: [][]int32{{0}, {99}}},
		"negative":       {Steps: [][]int32{{0}}, Within: -1},
		"mode":           {Steps: [][]int32{{0}}, Mode: 9},
		"gap, any order": {Steps: [][]int32{{0}}, Mode: mining.AnyOrder, Gap: time.Hour},
		"twice":          {Steps: [][]int32{{0}, {0}}, Mode: mining.AnyOrder},
	} {
		if _, err := f.Run(l); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFunnelManySteps(t *testing.T) {
	t.Parallel()
	b := mining.NewBuilder()
	f := &mining.Funnel{Within: time.Hour}
	for i := range 300 {
		a := b.Activity(fmt.Sprint(i))
		b.Add(b.Case("x"), a, int64(i))
		f.Steps = append(f.Steps, []int32{a})
	}
	l, err := b.Build(mining.FileOrder)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Run(l)
	if err != nil || r.Reached[0] != 300 {
		t.Errorf("reached %v, %v", r.Reached, err)
	}
}
