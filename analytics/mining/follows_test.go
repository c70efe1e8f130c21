package mining_test

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"omote/analytics/mining"
)

func TestEventuallyFollowsOracle(t *testing.T) {
	t.Parallel()
	orders(t, func(t *rapid.T, order mining.Order) {
		plain, l := drawLog(t, order)
		type pair [2]int32
		pairs, cases := map[pair]int64{}, map[pair]int{}
		for _, events := range plain {
			seen := map[pair]bool{}
			for i := range events {
				for j := i + 1; j < len(events); j++ {
					p := pair{events[i].activity, events[j].activity}
					pairs[p]++
					if !seen[p] {
						seen[p] = true
						cases[p]++
					}
				}
			}
		}
		got := mining.EventuallyFollows(l)
		if len(got) != len(pairs) {
			t.Fatalf("%d pairs, want %d", len(got), len(pairs))
		}
		for i, f := range got {
			p := pair{f.Source, f.Target}
			if f.Pairs != pairs[p] || f.Cases != cases[p] {
				t.Fatalf("%+v, want %d pairs in %d cases", f, pairs[p], cases[p])
			}
			if i > 0 && f.Cases > got[i-1].Cases {
				t.Fatal("not sorted")
			}
		}
	})
}

func TestManyActivities(t *testing.T) {
	t.Parallel()
	b := mining.NewBuilder()
	for i := range 6000 {
		b.Add(b.Case(fmt.Sprint(i%100)), b.Activity(fmt.Sprint(i%3000)), int64(i))
	}
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	g := mining.DirectlyFollows(l)
	if len(g.Nodes) != 3000 || g.Transitions != 5900 || len(g.Edges) != 3000 {
		t.Errorf("%d nodes, %d transitions, %d edges", len(g.Nodes), g.Transitions, len(g.Edges))
	}
	grouped, rare := mining.GroupRare(l, 20, "0")
	if rare != 2980 || len(mining.DirectlyFollows(grouped).Nodes) != 21 || grouped.Events() != 6000 {
		t.Errorf("%d rare, %d nodes", rare, len(mining.DirectlyFollows(grouped).Nodes))
	}
	if _, ok := grouped.Activities().Lookup("0*"); !ok {
		t.Errorf("names %q", grouped.Activities().Names())
	}
	if same, rare := mining.GroupRare(grouped, 20, "x"); same != grouped || rare != 0 {
		t.Error("grouped again")
	}
}

func TestHandOffsOracle(t *testing.T) {
	t.Parallel()
	orders(t, func(t *rapid.T, order mining.Order) {
		plain, l := drawLog(t, order)
		type pair [2]int32
		want := map[pair]*mining.HandOff{}
		waits := map[pair][]float64{}
		for _, all := range plain {
			var events []event
			succeeded := false
			for _, e := range all {
				succeeded = succeeded || e.activity == 1
				if e.channel != mining.None {
					events = append(events, e)
				}
			}
			var holders []int32
			seen := map[pair]bool{}
			for i, e := range events {
				if i > 0 && events[i-1].channel == e.channel {
					continue
				}
				holders = append(holders, e.channel)
				if i == 0 {
					continue
				}
				p := pair{events[i-1].channel, e.channel}
				if want[p] == nil {
					want[p] = &mining.HandOff{From: p[0], To: p[1]}
				}
				want[p].Count++
				waits[p] = append(waits[p], float64(e.micros-events[i-1].micros)/1e6)
				if !seen[p] {
					seen[p] = true
					want[p].Cases++
				}
			}
			for i := 2; i < len(holders); i++ {
				if holders[i] == holders[i-2] {
					want[pair{holders[i-2], holders[i-1]}].Returned++
				}
			}
			if n := len(holders); n > 1 && !succeeded {
				want[pair{holders[n-2], holders[n-1]}].Lost++
			}
		}
		got := mining.HandOffs(l, "channel", 1)
		if len(got) != len(want) {
			t.Fatalf("%d hand-offs, want %d", len(got), len(want))
		}
		for _, h := range got {
			w := want[pair{h.From, h.To}]
			if h.Count != w.Count || h.Cases != w.Cases || h.Lost != w.Lost || h.Returned != w.Returned {
				t.Fatalf("%+v, want %+v", h, *w)
			}
			if err := sameStats(h.Wait, waits[pair{h.From, h.To}]); err != nil {
				t.Fatal(err)
			}
		}
	})
	if got := mining.HandOffs(generated(t, 100, 1), "unit"); got != nil {
		t.Errorf("hand-offs without a column: %v", got)
	}
}

func TestSojournsOracle(t *testing.T) {
	t.Parallel()
	orders(t, func(t *rapid.T, order mining.Order) {
		plain, l := drawLog(t, order)
		before, after := map[int32][]float64{}, map[int32][]float64{}
		total := 0.0
		for _, events := range plain {
			for i := 1; i < len(events); i++ {
				wait := float64(events[i].micros-events[i-1].micros) / 1e6
				total += wait
				after[events[i-1].activity] = append(after[events[i-1].activity], wait)
				before[events[i].activity] = append(before[events[i].activity], wait)
			}
		}
		seen := map[int32]bool{}
		for _, s := range mining.Sojourns(l) {
			seen[s.Activity] = true
			sum := 0.0
			for _, wait := range after[s.Activity] {
				sum += wait
			}
			if total > 0 && !close(s.Share, sum/total) {
				t.Fatalf("share %v, want %v", s.Share, sum/total)
			}
			if err := sameStats(s.Before, before[s.Activity]); err != nil {
				t.Fatal(err)
			}
			if err := sameStats(s.After, after[s.Activity]); err != nil {
				t.Fatal(err)
			}
		}
		want := map[int32]bool{}
		for a := range before {
			want[a] = true
		}
		for a := range after {
			want[a] = true
		}
		if !maps.Equal(seen, want) {
			t.Fatalf("activities %v, want %v", seen, want)
		}
	})
}

func TestServices(t *testing.T) {
	t.Parallel()
	b := mining.NewBuilder("phase")
	add := func(activity, phase string, second int64) {
		b.Add(b.Case("x"), b.Activity(activity), second*1e6, b.Value(0, phase))
	}
	add("check", "schedule", 0)
	add("check", "start", 10)
	add("check", "start", 12)
	add("check", "complete", 15) // ends the start at 10
	add("check", "complete", 20) // ends the start at 12
	add("check", "complete", 21) // nothing to end
	add("call", "start", 30)
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	phases, _ := l.Column("phase")
	id := func(name string) int32 { v, _ := phases.Lookup(name); return v }
	got := mining.Services(l, mining.Lifecycle{Column: "phase", Schedule: id("schedule"), Start: id("start"), Complete: id("complete")})
	if len(got) != 2 || got[0].Work.N != 2 || got[0].Work.Mean != 6.5 || got[0].Queue.Max != 10 || got[0].Unmatched != 1 || got[1].Unmatched != 1 {
		t.Errorf("%+v", got)
	}
	if got := mining.Services(l, mining.Lifecycle{Column: "none"}); got != nil {
		t.Errorf("without a column: %v", got)
	}
}

func BenchmarkEventuallyFollowsBPIC2012(b *testing.B) {
	l := bpic2012(b, mining.XESOptions{})
	b.ReportAllocs()
	for b.Loop() {
		mining.EventuallyFollows(l)
	}
}
