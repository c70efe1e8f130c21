package mining_test

import (
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"omote/analytics/mining"
	"omote/bank"
)

// cardCases reads the card journeys of a simulated bank.
func cardCases(t *testing.T, seed uint64, customers int) *mining.Log {
	t.Helper()
	b, err := bank.New(bank.Config{Seed: seed, Customers: customers, Months: 14, Density: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	build := mining.NewBuilder()
	for e := range b.ByCustomer() {
		if e.Journey == "card_activation" && e.Case != "" && e.Name != "survey_eligible" && e.Name != "survey_invited" && e.Name != "survey_suppressed" && e.Name != "survey_answered" {
			build.Add(build.Case(e.Case), build.Activity(e.Name), e.At)
		}
	}
	l, err := build.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// At a day in the middle of the history, abandonment is told apart from what is
// still open, and the chances are calibrated: of the cases given a chance of so
// much, about so many never go on. The model sees nothing after that day.
func TestAbandonmentIsCalibratedOnTheBank(t *testing.T) {
	t.Parallel()
	seeds, customers := 2, 12_000
	if os.Getenv("OMOTE_VERIFY") == "1" {
		seeds, customers = 100, 20_000
	}
	type bin struct{ n, never, chance, variance float64 }
	var bins [5]bin
	var open, abandoned []float64 // chances of cases that went on, and that never did
	var brier float64             // sum of squared errors of the chances
	for seed := range seeds {
		whole := cardCases(t, uint64(seed+1), customers)
		first, last, _ := whole.TimeRange()
		cut := first + (last-first)*6/10
		past, _ := whole.Filter(mining.KeepPeriod(first, cut+1))
		id := func(name string) int32 { a, _ := whole.Activities().Lookup(name); return a }
		ending := mining.Ending{Success: []int32{id("card_first_purchase")}, Failure: []int32{id("card_returned_undelivered"), id("card_never_activated")}, End: cut}
		model := mining.FitSilence(past, ending)
		later := map[string]bool{}
		for c := range whole.Cases() {
			times := whole.Times(c)
			later[whole.CaseID(c)] = times[len(times)-1] > cut
		}
		of, _ := mining.Outcomes(past, ending)
		for c := range past.Cases() {
			if of[c] != mining.Open {
				continue
			}
			path, times := past.Path(c), past.Times(c)
			chance := model.Abandoned(path[len(path)-1], cut-times[len(times)-1])
			if math.IsNaN(chance.P) || cut-times[len(times)-1] > int64(120*24*time.Hour/time.Microsecond) {
				continue // beyond what was ever seen, or certain
			}
			never, truth := !later[past.CaseID(c)], 0.0
			if never {
				truth = 1
			}
			brier += (chance.P - truth) * (chance.P - truth)
			b := &bins[min(int(chance.P*5), 4)]
			b.n++
			b.chance += chance.P
			b.variance += chance.P * (1 - chance.P)
			if never {
				b.never++
				abandoned = append(abandoned, chance.P)
			} else {
				open = append(open, chance.P)
			}
		}
	}
	total := 0.0
	for i, b := range bins {
		total += b.n
		if b.n < 20 {
			continue
		}
		t.Logf("chance %.2f: %.0f of %.0f never went on (%.2f)", b.chance/b.n, b.never, b.n, b.never/b.n)
		if gap := math.Abs(b.never-b.chance) / b.n; gap > 0.05+3.5*math.Sqrt(b.variance)/b.n {
			t.Errorf("bin %d: %.3f said, %.3f true, of %.0f", i, b.chance/b.n, b.never/b.n, b.n)
		}
	}
	// Whoever knew the true share of all these cases, and nothing of any of them, would
	// err by its variance.
	share := float64(len(abandoned)) / max(total, 1)
	naive := share * (1 - share)
	t.Logf("Brier score %.4f, of the share alone %.4f", brier/total, naive)
	if brier/total > 0.5*naive {
		t.Errorf("the chances err by %.4f, the share alone by %.4f", brier/total, naive)
	}
	if total < 100 || len(open) < 30 || len(abandoned) < 30 {
		t.Fatalf("%d open and %d abandoned cases are too few", len(open), len(abandoned))
	}
	slices.Sort(open)
	slices.Sort(abandoned)
	wins := 0.0 // area under the curve: a random abandoned case has the higher chance
	for _, p := range abandoned {
		below := 0
		for _, q := range open {
			if q < p {
				below++
			}
		}
		wins += float64(below) / float64(len(open))
	}
	auc := wins / float64(len(abandoned))
	t.Logf("area under the curve %.3f over %d cases", auc, len(open)+len(abandoned))
	if auc < 0.85 {
		t.Errorf("abandoned and open are hardly told apart: %.3f", auc)
	}
}
