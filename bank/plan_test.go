package bank

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestDefaultPlanStaysInPlaceAndTime(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 4, Customers: 10})
	plan := b.PlanTruth()
	if len(plan) < 15 {
		t.Fatalf("only %d effects are planted", len(plan))
	}
	truths := map[string]int{}
	for i := range plan {
		e := &plan[i]
		truths[e.Truth]++
		if e.En == "" || e.Vi == "" {
			t.Errorf("%s has no name in both languages", e.ID)
		}
		if e.Start.Before(b.cfg.Start) || !e.Start.Before(b.cfg.End) {
			t.Errorf("%s starts on %s, outside the history", e.ID, e.Start)
		}
		for _, m := range e.Moves {
			b.wantInPlace(t, i, e, m)
		}
	}
	for _, want := range []string{"helps", "harms", "none"} {
		if truths[want] < 2 {
			t.Errorf("only %d effects have the truth %q", truths[want], want)
		}
	}
}

// wantInPlace compares a lever with an effect alone, inside and outside.
func (b *Bank) wantInPlace(t *testing.T, i int, e *PlantedEffect, m Move) {
	t.Helper()
	alone, err := New(Config{Seed: b.cfg.Seed, Customers: 10, Plan: &Plan{Effects: []Effect{e.Effect}}})
	if err != nil {
		t.Fatal(err)
	}
	l := leverIndex(m.Lever)
	full := m.Size
	if !additive[m.Lever] {
		full = math.Log(m.Size)
	}
	for u, br := range b.packs.branches {
		for idx := range uint64(40) {
			c := customer{idx: idx << 3, region: uint8(br.region), branch: uint16(u), carrier: "ABC"[idx%3]}
			for _, days := range []int{-1, 0, 3, 20, 100} {
				when := e.Start.UnixMicro() + int64(days)*day + hour
				want := full
				begun := e.Start.UnixMicro()
				if wave := alone.WaveOf(0, u); e.Waves > 0 {
					begun += int64(wave*e.EveryDays) * day
					if wave < 0 {
						want = 0
					}
				}
				inRegion := len(e.Regions) == 0 || slices.Contains(e.Regions, br.Region)
				inCarrier := e.Carrier == "" || e.Carrier[0] == c.carrier
				inApp := e.App == "" || appVersion(alone.release(&c, when)) == e.App
				inShare := e.Share == 0 || hash01(b.cfg.Seed, stringHash(e.ID), c.idx) < e.Share
				if when < begun || (e.End != nil && when >= e.End.UnixMicro()) || !inRegion || !inCarrier || !inApp || !inShare {
					want = 0
				}
				if e.HalfLife > 0 && want != 0 {
					want *= math.Exp2(-float64(when-begun) / (e.HalfLife * float64(day)))
				}
				if got := alone.lever(l, when, &c, uint16(u+1)); math.Abs(got-want) > 1e-9 {
					t.Fatalf("%s at %s on day %d: %s moves by %g, not %g", e.ID, br.Code, days, m.Lever, got, want)
				}
			}
		}
	}
}

func TestWavesAreBalanced(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 9, Customers: 10})
	for i, e := range b.cfg.Plan.Effects {
		if e.Waves == 0 {
			continue
		}
		counts := map[int]int{}
		for u := range b.packs.branches {
			counts[b.WaveOf(i, u)]++
		}
		for w := range e.Waves {
			if counts[w] < len(b.packs.branches)/(2*e.Waves) {
				t.Errorf("%s: wave %d has %d of %d branches", e.ID, w, counts[w], len(b.packs.branches))
			}
		}
		if counts[-1] == 0 {
			t.Errorf("%s holds no branch out", e.ID)
		}
	}
}

func TestPlanErrors(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"effects: [{id: ''}]",
		"effects: [{id: a}, {id: a}]",
		"effects: [{id: a, regions: [XX]}]",
		"effects: [{id: a, app: nine}]",
		"effects: [{id: a, moves: [{lever: gravity, size: 2}]}]",
		"effects: [{id: a, moves: [{lever: branch_wait, size: -2}]}]",
		"effects: [{id: a, share: 2}]",
		"effects: {",
	} {
		if _, err := ParsePlan([]byte(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	data, err := PackFile("plan.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("effects: [{id: a, moves: [{lever: branch_wait, size: 2}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePlan(data)
		if err != nil {
			return
		}
		for i := range p.Effects {
			p.Effects[i].FromDay %= 300
		}
		if _, err := New(Config{Customers: 1, Plan: p}); err != nil {
			t.Fatalf("a valid plan makes no bank: %v", err)
		}
	})
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{Customers: -1}, {Customers: MaxCustomers + 1}, {Months: -1}, {Months: MaxMonths + 1}, {Density: -1},
		{Start: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)}, {Start: lastDay}, {Start: firstDay.AddDate(1, 0, 0), End: firstDay.AddDate(0, 6, 0)}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	end := time.Date(2026, 11, 24, 15, 0, 0, 0, Zone)
	b := testBank(t, Config{Customers: 1, Months: 3, End: end})
	if got := b.Config().Start.Format(time.DateTime); got != "2026-08-24 00:00:00" {
		t.Errorf("three months before the end begin on %s", got)
	}
}
