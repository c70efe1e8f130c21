package rollout_test

import (
	"math"
	"os"
	"testing"
	"time"

	"omote/analytics/rollout"
	"omote/bank"
)

// A roll-out is planted in the simulated bank, where it moves people, queues and
// feelings, not a formula: the time to the counter is multiplied in branches that
// have begun. Its logarithm is read from the events, as the product would.
func bankPanel(t *testing.T, seed uint64, size float64) (rollout.Panel, rollout.Design, []int) {
	t.Helper()
	const before, weeks = 10, 24
	d := rollout.Design{Cohorts: 3, Every: 3, HoldOut: 0.25, Seed: seed*977 + 5}
	branches := bank.Branches()
	p := rollout.Panel{Before: before}
	row := map[string]int{}
	for i, b := range branches {
		p.Units = append(p.Units, rollout.Unit{ID: b.Code, Stratum: b.Region, Baseline: math.NaN()})
		p.Sum, p.N = append(p.Sum, make([]float64, weeks)), append(p.N, make([]float64, weeks))
		row[b.Path] = i
	}
	cohorts, err := rollout.Assign(p.Units, d)
	if err != nil {
		t.Fatal(err)
	}
	e := bank.Effect{ID: "wave", Kind: "initiative", FromDay: 7 * before, Waves: 3, EveryDays: 7 * d.Every, Cohorts: map[string]int{}, Moves: []bank.Move{{Lever: bank.BranchWait, Size: size}}}
	for i, c := range cohorts {
		if c != rollout.HeldOut {
			e.Cohorts[branches[i].Code] = c
		}
	}
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, bank.Zone)
	b, err := bank.New(bank.Config{Seed: seed, Customers: 3000, Months: 6, Start: start, Plan: &bank.Plan{Effects: []bank.Effect{e}}})
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]int64{}
	for e := range b.ByCustomer() {
		switch e.Name {
		case "branch_ticket_issued":
			taken[e.Case] = e.At
		case "branch_called_to_counter":
			from, ok := taken[e.Case]
			i, known := row[e.Unit]
			week := int((from - start.UnixMicro()) / (7 * 24 * time.Hour).Microseconds())
			if minutes := float64(e.At-from) / 60e6; ok && known && minutes > 0 && week >= 0 && week < weeks {
				p.Sum[i][week] += math.Log(minutes)
				p.N[i][week]++
			}
		}
	}
	return p, d, cohorts
}

func TestPlantedInTheBank(t *testing.T) {
	t.Parallel()
	seeds := 2
	if os.Getenv("OMOTE_VERIFY") == "1" {
		seeds = 100
	}
	const size = 0.6
	covered, proven, falsely := 0, 0, 0
	for s := range uint64(seeds) {
		for _, planted := range []float64{size, 1} {
			p, d, cohorts := bankPanel(t, s+1, planted)
			e, err := rollout.Measure(p, d, cohorts, rollout.Options{Draws: 500, Seed: s})
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case planted == 1 && e.Proven():
				falsely++
			case planted == size:
				if e.Low <= math.Log(size) && math.Log(size) <= e.High {
					covered++
				}
				if e.High < 0 {
					proven++
				}
			}
		}
	}
	t.Logf("%d banks: covered %d, proven %d, proven where nothing was planted %d", seeds, covered, proven, falsely)
	slack := 3 * math.Sqrt(0.05*0.95*float64(seeds)) // of the simulation itself
	if float64(covered) < 0.95*float64(seeds)-slack-1 {
		t.Errorf("covered in %d of %d", covered, seeds)
	}
	if float64(falsely) > 0.05*float64(seeds)+slack {
		t.Errorf("nothing was called an effect in %d of %d", falsely, seeds)
	}
	if 2*proven < seeds {
		t.Errorf("a large effect was seen in only %d of %d", proven, seeds)
	}
}
