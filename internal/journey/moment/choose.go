package moment

import (
	"context"
	"math"

	"omote/analytics/decision/choice"
	"omote/internal/journey/definition"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"

	"omote/internal/platform/audit"
)

// Summary is what a test says of one journey as a whole: why one would begin with
// it, and whether one can.
type Summary struct {
	Journey   string  `json:"journey"`
	Customers int     `json:"customers"` // in the whole history
	Cases     int     `json:"cases"`
	Quarterly float64 `json:"quarterly"` // cases in a quarter of a year
	// Loss is what its pains cost in a quarter, in minor units.
	Loss Interval `json:"loss"`
	// Feeling is the mean score of its steps, 0 worst to 1 best.
	Feeling Interval `json:"feeling"`
	// Of the designed Steps, Seen happened and Asked were asked about.
	Steps int `json:"steps"`
	Seen  int `json:"seen"`
	Asked int `json:"asked"`
	// HandOffs is how often a case passes to another unit, at the mean.
	HandOffs float64 `json:"hand_offs"`
}

// Criterion is one reason to begin with a journey.
type Criterion string

// The criteria.
const (
	ByValue       Criterion = "value"       // money that its pains cost
	ByFeeling     Criterion = "feeling"     // how badly it feels
	ByReadiness   Criterion = "readiness"   // whether the data are there to see a change
	ByFeasibility Criterion = "feasibility" // whether it can be changed soon
)

// Criteria are all of them, in the order of the page.
var Criteria = []Criterion{ByValue, ByFeeling, ByReadiness, ByFeasibility}

// Choice is how one chooses.
type Choice struct {
	// Weights is the range of the weight of each criterion; only ratios count.
	Weights map[Criterion]WeightRange
	// Chosen is how many journeys one begins with.
	Chosen int
}

// WeightRange is a weight that lies anywhere between its ends.
type WeightRange struct{ Low, High float64 }

// UsualChoice lets every criterion weigh up to three times any other.
func UsualChoice() Choice {
	c := Choice{Weights: map[Criterion]WeightRange{}, Chosen: 3}
	for _, k := range Criteria {
		c.Weights[k] = WeightRange{1, 3}
	}
	return c
}

// maxWeight bounds a weight; only ratios count, so that nobody needs more.
const maxWeight = 100

// Validate checks the ranges.
func (c *Choice) Validate() error {
	total := 0.0
	for _, k := range Criteria {
		w := c.Weights[k]
		if !(w.Low >= 0 && w.Low <= w.High && w.High <= maxWeight) {
			return errs.Invalid("moment.error.weight", string(k), "a weight runs from low to high, between 0 and %d", maxWeight)
		}
		total += w.High
	}
	if total == 0 {
		return errs.Invalid("moment.error.weights", "value", "at least one criterion must weigh something")
	}
	return nil
}

// Ranked is one journey with how it ranks.
type Ranked struct {
	Summary
	Name   definition.Text     `json:"-"`
	Merits map[Criterion]Merit `json:"merits"`
	// Stated tells that people have stated the feasibility.
	Stated  bool    `json:"stated"`
	Chosen  float64 `json:"chosen"` // share of all weights and merits in which it is among those chosen
	First   float64 `json:"first"`
	LowRank int     `json:"low_rank"`
	HiRank  int     `json:"high_rank"`
	InSet   bool    `json:"in_set"`
}

// Merit is the merit of a journey by one criterion, 0 to 1.
type Merit struct {
	Low  float64 `json:"low"`
	Mid  float64 `json:"mid"`
	High float64 `json:"high"`
}

// Chosen is the outcome of a choice.
type Chosen struct {
	Run      Run      `json:"test"`
	Ready    bool     `json:"ready"`
	Journeys []Ranked `json:"journeys"`
	// SetShare is how often exactly this set of journeys is chosen.
	SetShare float64 `json:"set_share"`
}

// draws of weights and merits.
const chooseDraws = 8000

// Choose ranks the journeys over the ranges of weights.
func (s *Service) Choose(ctx context.Context, c Choice) (*Chosen, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	designs, err := s.designs.Designs(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]definition.Text{}
	for _, d := range designs {
		names[d.Journey] = d.Name
	}
	out := &Chosen{}
	var stated map[string]Merit
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if out.Run, out.Ready, err = newestRun(ctx, tx); err != nil {
			return err
		}
		stated, err = readFeasibility(ctx, tx)
		return err
	})
	if err != nil || !out.Ready || len(out.Run.Journeys) == 0 {
		return out, err
	}
	criteria := make([]choice.Criterion, len(Criteria))
	for i, k := range Criteria {
		criteria[i] = choice.Criterion{Name: string(k), Low: c.Weights[k].Low, High: c.Weights[k].High}
	}
	most := 0.0
	for _, j := range out.Run.Journeys {
		most = max(most, j.Loss.Value)
	}
	var alternatives []choice.Alternative
	all := make([]Ranked, len(out.Run.Journeys))
	for i, j := range out.Run.Journeys {
		feasible, own := stated[j.Journey]
		all[i] = Ranked{Summary: j, Name: names[j.Journey], Merits: merits(j, most), Stated: own}
		if own {
			all[i].Merits[ByFeasibility] = feasible
		}
		a := choice.Alternative{Name: j.Journey}
		for _, k := range Criteria {
			m := all[i].Merits[k]
			a.Merits = append(a.Merits, choice.Range{Low: m.Low, Mid: m.Mid, High: m.High})
		}
		alternatives = append(alternatives, a)
	}
	r, err := choice.Rank(criteria, alternatives, choice.Options{Chosen: c.Chosen, Draws: chooseDraws, Seed: testSeed})
	if err != nil {
		return nil, errs.Invalid("moment.error.weights", "value", "these weights rank nothing").Because(err)
	}
	out.SetShare = r.SetShare
	in := map[int]bool{}
	for _, i := range r.Set {
		in[i] = true
	}
	for _, x := range r.Standings {
		j := all[x.Index]
		j.Chosen, j.First, j.LowRank, j.HiRank, j.InSet = x.Chosen, x.First, x.LowRank, x.HiRank, in[x.Index]
		out.Journeys = append(out.Journeys, j)
	}
	return out, nil
}

// merits turns what is known of a journey into merits from 0 to 1. What is not
// known may be anything.
func merits(j Summary, most float64) map[Criterion]Merit {
	m := map[Criterion]Merit{}
	any := Merit{0, 0.5, 1}
	m[ByValue] = Merit{}
	if j.Loss.Known && most > 0 {
		m[ByValue] = ordered(j.Loss.Low/most, j.Loss.Value/most, j.Loss.High/most)
	}
	m[ByFeeling] = any
	if j.Feeling.Known {
		m[ByFeeling] = ordered(1-j.Feeling.High, 1-j.Feeling.Value, 1-j.Feeling.Low)
	}
	m[ByReadiness] = Merit{}
	if j.Steps > 0 {
		seen, asked := float64(j.Seen)/float64(j.Steps), float64(j.Asked)/float64(j.Steps)
		m[ByReadiness] = ordered(min(seen, asked), (seen+asked)/2, max(seen, asked))
	}
	// The more units share a case, the more must agree to a change. That is a hint
	// only, until somebody who knows states it.
	hint := 1 / (1 + j.HandOffs)
	m[ByFeasibility] = ordered(hint-0.3, hint, hint+0.3)
	return m
}

func ordered(low, mid, high float64) Merit {
	inside := func(x float64) float64 { return math.Min(math.Max(x, 0), 1) }
	return Merit{inside(math.Min(low, mid)), inside(mid), inside(math.Max(mid, high))}
}

// SetFeasibility states how feasible a change of a journey is, 0 to 1.
func (s *Service) SetFeasibility(ctx context.Context, journey string, m Merit) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if !(m.Low >= 0 && m.Low <= m.Mid && m.Mid <= m.High && m.High <= 1) {
		return errs.Invalid("moment.error.feasibility", "feasibility", "feasibility rises from low over expected to high, between 0 and 10")
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := saveFeasibility(ctx, tx, journey, m); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.moment.feasibility", Object: "journey/" + journey, After: m})
	})
}
