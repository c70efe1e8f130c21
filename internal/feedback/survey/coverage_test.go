package survey

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"omote/bank"
	"omote/internal/feedback/form"
	"omote/internal/platform/store"
	"omote/internal/testkit"
	"omote/internal/testkit/shared"
)

// experiences of the simulated bank that the questionnaire about a transaction asks
// about, each with what the customer would answer and how likely they do.
func experiences(t testing.TB) (out []bank.Experience, truth float64) {
	t.Helper()
	b, err := bank.New(bank.Config{Seed: 5, Customers: 16_000, Months: 9, End: time.Date(2026, 10, 1, 0, 0, 0, 0, bank.Zone)})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range b.Experiences() {
		if e.Instrument == "tx_csat" {
			out = append(out, e)
			truth += float64(e.Score)
		}
	}
	return out, truth / float64(len(out))
}

// survey1 is one survey of the bank: a sample in which rare and troubled journeys have a
// larger share, as banks draw it, answers as
// the bank's people give them, and calls to a random share of the silent, up to six
// each. It gives the groups of answers as the store would, and the frame.
func survey1(r *rand.Rand, all []bank.Experience) ([]weighed, frame) {
	shares := map[string]float64{"payment_dispute": 0.9, "everyday_transfer": 0.06, "branch_visit": 0.12}
	const elsewhere, called, attempts = 0.12, 0.5, 6
	type key struct {
		journey     string
		score       int
		probability float64
	}
	groups := map[key]int64{}
	known := map[string]float64{}
	for _, e := range all {
		known[e.Journey]++
		p, ok := shares[e.Journey]
		if !ok {
			p = elsewhere
		}
		switch {
		case r.Float64() >= p:
		case r.Float64() < e.Chance:
			groups[key{e.Journey, e.Score, p}]++
		case r.Float64() < called && r.Float64() < 1-math.Pow(1-e.CallChance, attempts):
			groups[key{e.Journey, e.Score, p * called}]++
		}
	}
	var out []weighed
	for k, n := range groups {
		out = append(out, weighed{Values: []string{k.journey}, Score: k.score, Probability: k.probability, N: n})
	}
	slices.SortFunc(out, func(a, b weighed) int {
		switch {
		case a.Values[0] != b.Values[0]:
			return map[bool]int{true: -1, false: 1}[a.Values[0] < b.Values[0]]
		case a.Score != b.Score:
			return a.Score - b.Score
		}
		return map[bool]int{true: -1, false: 1}[a.Probability < b.Probability]
	})
	return out, frame{known}
}

var satisfaction = &form.Item{ID: "score", Type: form.Rating, Scale: &form.Scale{Min: 1, Max: 5}}

// TestCoverage asks the simulated bank again and again: the weighted interval holds the
// true satisfaction of all who could have been asked as often as it says, and the plain
// average of the answers does not.
func TestCoverage(t *testing.T) {
	t.Parallel()
	all, truth := experiences(t)
	runs, low, high := 120, 0.90, 0.99
	if shared.Verify() {
		runs, low, high = 500, 0.93, 0.97
	}
	w := Weighting{Dims: []string{"journey"}}
	weighted, base, raw := 0, 0, 0
	var bias, rawBias, width, answers float64
	for n := range runs {
		groups, known := survey1(rand.New(rand.NewPCG(uint64(n), 77)), all)
		r, err := rake(satisfaction, w, groups, known)
		if err != nil {
			t.Fatal(err)
		}
		if r.Estimate.Contains(truth) {
			weighted++
		}
		if r.Base.Contains(truth) {
			base++
		}
		if r.Raw.Contains(truth) {
			raw++
		}
		bias, rawBias, width, answers = bias+r.Estimate.Value-truth, rawBias+r.Raw.Value-truth, width+r.Estimate.HalfWidth(), answers+float64(r.N)
	}
	of := func(n int) float64 { return float64(n) / float64(runs) }
	f := float64(runs)
	t.Logf("%d surveys of %d experiences, %.0f answers each: true satisfaction %.3f; weighted covers %.3f (bias %+.3f, ± %.3f), inverse probability alone %.3f, raw %.3f (bias %+.3f)",
		runs, len(all), answers/f, truth, of(weighted), bias/f, width/f, of(base), of(raw), rawBias/f)
	if c := of(weighted); c < low || c > high {
		t.Errorf("the weighted interval covers %.3f, want %.2f to %.2f", c, low, high)
	}
	if c := of(raw); c > 0.8 {
		t.Errorf("the raw interval covers %.3f: nothing is shown", c)
	}
}

// TestRakeMeetsMargins wants the known shares met exactly, unmet and rare values told,
// and weights within their bound.
func TestRakeMeetsMargins(t *testing.T) {
	t.Parallel()
	group := func(unit, via string, score int, p float64, n int64) weighed {
		return weighed{Values: []string{unit, via}, Score: score, Probability: p, N: n}
	}
	all := []weighed{group("A", "app", 5, 0.5, 40), group("A", "branch", 2, 0.5, 10), group("B", "app", 4, 0.1, 30), group("B", "branch", 1, 0.1, 20), group("C", "app", 3, 1, 2)}
	known := frame{{"A": 100, "B": 800, "C": 50, "D": 50}, {"app": 300, "branch": 700}}
	r, err := rake(satisfaction, Weighting{Dims: []string{"unit", "via"}}, all, known)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.Margins {
		if m.Dim == "via" && math.Abs(m.Weighted-m.Known) > 1e-6 {
			t.Errorf("%+v", m)
		}
		if m.Dim == "unit" && m.N >= smallest && math.Abs(m.Weighted-m.Known/0.95) > 1e-6 {
			t.Errorf("%+v: of those who can be met", m)
		}
	}
	if math.Abs(r.Unmet-0.05) > 1e-9 || r.N != 102 || r.NEff >= 102 || r.Error > 1e-6 {
		t.Errorf("%+v", r)
	}
	most := r.Most * 0.95
	tight, err := rake(satisfaction, Weighting{Dims: []string{"unit", "via"}, MaxRatio: most}, all, known)
	if err != nil {
		t.Fatal(err)
	}
	if tight.Most > most*1.05 || tight.NEff <= r.NEff || tight.Error <= r.Error {
		t.Errorf("bound %.2f: %+v", most, tight)
	}
	typed, err := rake(satisfaction, Weighting{Dims: []string{"via"}, Typed: []TypedShare{{"via", "app", 1}, {"via", "branch", 3}}},
		[]weighed{{Values: []string{"app"}, Score: 5, Probability: 1, N: 50}, {Values: []string{"branch"}, Score: 1, Probability: 1, N: 50}}, frame{{}})
	if err != nil || math.Abs(typed.Estimate.Value-2) > 1e-6 || math.Abs(typed.Raw.Value-3) > 1e-9 {
		t.Errorf("typed %+v, %v", typed, err)
	}
}

// TestWeightingInStore weights adopted responses as the same groups by hand.
func TestWeightingInStore(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		d := b.publish("tx_csat", nil)
		r := rand.New(rand.NewPCG(3, 4))
		at := db.Now().Time().Add(-24 * time.Hour)
		var past []Past
		byHand := map[[2]int]int64{}
		events := [2]float64{}
		for n := range 240 {
			unit := n % 3 / 2 // B1 twice as often as B2
			events[unit]++
			in := &Invitation{CustomerID: string(rune('a'+n%26)) + string(rune('a'+n/26)), Cause: string(rune(n)) + "c", State: NotAsked, Reason: NotSampled, Probability: []float64{0.2, 0.6}[unit],
				Unit: []string{"B1", "B2"}[unit], Created: at, Due: at, Expires: at.Add(time.Hour)}
			one := Past{Invitation: in}
			if r.Float64() < in.Probability {
				point := 1 + r.IntN(3) + 2*unit
				in.State, in.Reason = Answered, ""
				byHand[[2]int{unit, point}]++
				one.Response = &Response{Channel: "email", Locale: "vi", Probability: in.Probability, Unit: in.Unit, Started: at, Completed: at.Add(time.Minute), Answers: form.Answers{d.Score().ID: {Number: &point}}}
			}
			past = append(past, one)
		}
		_, err := b.Adopt(b.ctx, "tx_csat", past)
		must(t, err)
		w := Weighting{Dims: []string{"unit"}}
		p := Period{at.Add(-time.Hour), db.Now().Time()}
		got, err := b.SetWeighting(b.ctx, "tx_csat", w, p)
		must(t, err)
		var groups []weighed
		for unit := range 2 {
			for point := 1; point <= 5; point++ {
				if n := byHand[[2]int{unit, point}]; n > 0 {
					groups = append(groups, weighed{Values: []string{[]string{"B1", "B2"}[unit]}, Score: point, Probability: []float64{0.2, 0.6}[unit], N: n})
				}
			}
		}
		want, err := rake(d.Score(), w, groups, frame{{"B1": events[0], "B2": events[1]}})
		must(t, err)
		if math.Abs(got.Estimate.Value-want.Estimate.Value) > 1e-9 || got.N != want.N || math.Abs(got.NEff-want.NEff) > 1e-6 {
			t.Errorf("got %+v, want %+v", got, want)
		}
		must(t, b.Reweight(b.ctx, 30))
		kept, last, err := b.Weighting(b.ctx, "tx_csat")
		if err != nil || last == nil || last.N != want.N || len(kept.Dims) != 1 {
			t.Errorf("%+v %+v %v", kept, last, err)
		}
		if _, err := b.SetWeighting(b.ctx, "tx_csat", Weighting{Dims: []string{"channel; DROP TABLE"}}, p); err == nil {
			t.Error("a dimension that is none was taken")
		}
	}, tables...)
}
