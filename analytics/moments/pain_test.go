package moments_test

import (
	"math"
	"os"
	"testing"
	"time"

	"omote/analytics/moments"
	"omote/bank"
)

// worth are invented values in VND of one complaint, one departure, one contact.
var worth = []moments.Range{{Low: 200e3, Mid: 400e3, High: 800e3}, {Low: 1e6, Mid: 3e6, High: 6e6}, {Low: 20e3, Mid: 35e3, High: 60e3}}

func (h *bankHistory) losses() []moments.Outcome {
	return []moments.Outcome{
		{ID: "complaint", Events: h.Complaint, Within: 30 * 24 * time.Hour},
		{ID: "left", Events: h.Left, Within: 180 * 24 * time.Hour},
		{ID: "contact", Events: h.Contact, Within: 7 * 24 * time.Hour},
	}
}

// planting makes two troubles frequent. The bank draws both by chance alone, given
// that a transfer was submitted or an application complete.
var planting = &bank.Plan{Effects: []bank.Effect{
	{ID: "hanging", Kind: "incident", Truth: "harms", Moves: []bank.Move{{Lever: bank.TransferPending, Size: 6}}},
	{ID: "papers", Kind: "policy", Truth: "harms", Moves: []bank.Move{{Lever: bank.LoanPapersAgain, Size: 3.5}}},
}}

// plantedPains are what it makes of them.
var plantedPains = []struct{ journey, step, trouble string }{
	{"everyday_transfer", "transfer_credited", "transfer_pending"},
	{"personal_loan", "loan_decision_made", "loan_document_requested_again"},
}

// trueHarm is what a planted trouble does to complaints: the plain difference in
// another, larger bank among the runs in which chance alone decides.
func trueHarm(h *bankHistory, journey, step, trouble string) (effect, se float64) {
	j := h.journeys[journey]
	complaints := map[int32][]int64{}
	var with, without, y1, y0 float64
	for c := range h.Log.Cases() {
		for i, a := range h.Log.Path(c) {
			if a == h.Complaint[0] {
				complaints[int32(c)] = append(complaints[int32(c)], h.Log.Times(c)[i])
			}
		}
	}
	_, end, _ := h.Log.TimeRange()
	window := int64(30 * 24 * time.Hour / time.Microsecond)
	for _, r := range moments.Runs(h.History, j) {
		if h.names.Name(j.Steps[r.Step].Event) != step || r.At+window > end || (r.Reached && r.Wait < 0) {
			continue // a merchant's receipt begins with the credit
		}
		y := 0.0
		for _, at := range complaints[r.Customer] {
			if at > r.At && at <= r.At+window {
				y = 1
			}
		}
		met := false
		for k, a := range j.Trouble {
			met = met || (h.names.Name(a) == trouble && r.Trouble&(1<<k) != 0)
		}
		if met {
			with, y1 = with+1, y1+y
		} else {
			without, y0 = without+1, y0+y
		}
	}
	p1, p0 := y1/with, y0/without
	return p1 - p0, math.Sqrt(p1*(1-p1)/with + p0*(1-p0)/without)
}

// Pains that were planted come first, and the interval of their effect holds the
// true one.
func TestPlantedPainsComeFirst(t *testing.T) {
	t.Parallel()
	seeds, large, customers, rows := 1, 14_000, 14_000, 8_000
	if os.Getenv("OMOTE_VERIFY") == "1" {
		seeds, large, customers, rows = 60, 250_000, 20_000, 20_000
	}
	type truth struct{ effect, se float64 }
	var truths []truth
	big := readBank(t, bank.Config{Seed: 7, Customers: large, Months: 12, Density: 0.3, Plan: planting})
	for _, p := range plantedPains {
		e, se := trueHarm(big, p.journey, p.step, p.trouble)
		truths = append(truths, truth{e, se})
	}
	big = nil
	inside, first := 0, 0
	for seed := range seeds {
		h := readBank(t, bank.Config{Seed: uint64(100 + seed), Customers: customers, Months: 12, Density: 0.3, Plan: planting})
		var all []*moments.Pain
		of := map[*moments.Pain]string{}
		for _, id := range []string{"everyday_transfer", "personal_loan", "card_activation"} {
			pains, err := moments.FindPains(h.History, h.journeys[id], h.losses(), worth, moments.Options{Seed: 1, MaxRows: rows})
			if err != nil {
				t.Fatal(err)
			}
			for i := range pains {
				all = append(all, &pains[i])
				of[&pains[i]] = id
			}
		}
		moments.Rank(all, worth)
		for k, want := range plantedPains {
			for _, p := range all {
				if of[p] != want.journey || p.Kind != moments.Failed {
					continue
				}
				if h.names.Name(p.Event) == want.trouble { // the first trouble of its journey
					first++
				} else {
					t.Logf("seed %d: %s comes before %s", seed, h.names.Name(p.Event), want.trouble)
				}
				break
			}
			for _, p := range all {
				if of[p] != want.journey || h.names.Name(p.Event) != want.trouble || h.names.Name(h.journeys[of[p]].Steps[p.Step].Event) != want.step {
					continue
				}
				e := p.Harm[0].Effect
				slack := 1.645 * truths[k].se
				if e.Low-slack <= truths[k].effect && truths[k].effect <= e.High+slack {
					inside++
				}
				t.Logf("seed %d: %s: complaints %+.4f [%+.4f, %+.4f], true %+.4f ± %.4f; felt %+.2f; %d quotes", seed, want.trouble, e.Value, e.Low, e.High, truths[k].effect, truths[k].se, p.Felt.Value, len(p.Quotes))
				if k == 0 && p.Expected.Low <= 0 { // the second meets few of the small bank's customers
					t.Errorf("seed %d: %s: expected to cost %v", seed, want.trouble, p.Expected)
				}
			}
		}
		if top := all[0]; h.names.Name(top.Event) != "transfer_pending" {
			t.Errorf("seed %d: %s/%s is first", seed, of[top], h.names.Name(top.Event))
		}
	}
	n := len(plantedPains) * seeds
	if float64(inside) < 0.8*float64(n)-1 {
		t.Errorf("%d of %d intervals hold the true effect", inside, n)
	}
	if float64(first) < 0.9*float64(n) {
		t.Errorf("%d of %d planted pains come first in their journey", first, n)
	}
}
