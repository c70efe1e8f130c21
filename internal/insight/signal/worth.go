package signal

import (
	"fmt"
	"math"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/analytics/value"
	"omote/internal/insight/metric"
)

// Chain is the way from one case of a measure to money.
type Chain struct {
	ID      string        `yaml:"id"`
	Metrics []string      `yaml:"metrics"`
	Kinds   []metric.Kind `yaml:"kinds"`
	Steps   []Link        `yaml:"steps"`
}

// Link is one step of a chain, with where it comes from.
type Link struct {
	EN    string  `yaml:"en" json:"en"`
	VI    string  `yaml:"vi" json:"vi"`
	Value float64 `yaml:"value" json:"value"`
	SE    float64 `yaml:"se" json:"se"`
	Basis string  `yaml:"basis" json:"basis"` // assumption or measured
}

// Text is the step in both languages.
func (l Link) Text() metric.Text { return metric.Text{En: l.EN, Vi: l.VI} }

// ParseChains reads a pack of chains.
func ParseChains(raw []byte) ([]Chain, error) {
	var pack struct {
		Chains []Chain `yaml:"chains"`
	}
	if err := yaml.Unmarshal(raw, &pack); err != nil {
		return nil, fmt.Errorf("chains to money: %w", err)
	}
	for _, c := range pack.Chains {
		if c.ID == "" || len(c.Steps) == 0 || len(c.Steps) > value.MaxLinks || len(c.Metrics)+len(c.Kinds) == 0 {
			return nil, fmt.Errorf("chain to money %q is incomplete", c.ID)
		}
		for _, l := range c.Steps {
			if l.EN == "" || l.VI == "" || l.SE < 0 || l.Basis == "" {
				return nil, fmt.Errorf("chain to money %q: the step %q is incomplete", c.ID, l.EN)
			}
		}
	}
	return pack.Chains, nil
}

// Worth is what a change comes to in a year if it stays or, where it is over, what it
// came to while it lasted, in minor units: a loss is positive, also in the name of the
// bounds.
type Worth struct {
	Over  bool   `json:"over,omitempty"`
	Chain string `json:"chain"`
	Steps []Link `json:"steps"`
	// Low, Mid and High bound the loss; each bound is wrong in at most one case of
	// twenty (package value).
	Low  int64 `json:"low"`
	Mid  int64 `json:"mid"`
	High int64 `json:"high"`
	// Effect is the change of the watched value for one case, with its standard
	// error, worse being positive; Volume how many cases there are in a year, or were.
	Effect value.Estimate `json:"effect"`
	Volume value.Estimate `json:"volume"`
}

// chainOf finds the chain of a measure, nil when none is stated.
func chainOf(chains []Chain, d *metric.Definition) *Chain {
	for i := range chains {
		if slices.Contains(chains[i].Metrics, d.ID) {
			return &chains[i]
		}
	}
	for i := range chains {
		if slices.Contains(chains[i].Kinds, d.Kind) {
			return &chains[i]
		}
	}
	return nil
}

// baseline is how many periods of the level before its error is taken from.
const baseline = 60

// worthOf values a finding by a chain: the change for one case, the cases of a year
// at the pace since the onset, a year long, not discounted; of one that is over, the
// cases there were.
func worthOf(c *Chain, d *metric.Definition, f *Finding, now time.Time) *Worth {
	if c == nil || f.N <= 0 || f.Sigmas <= 0 || f.Persisted < 1 {
		return nil
	}
	change := f.Change()
	if d.Kind == metric.Rate && d.Unit == metric.Per10k {
		change /= 10_000
	}
	worse := change
	if d.Direction == metric.Higher {
		worse = -change
	}
	sd := math.Abs(change) / f.Sigmas
	days := max(1, f.Last(now).Sub(f.Onset).Hours()/24)
	year := 365 / days
	over := !f.Ended.IsZero()
	if over {
		year = 1 // the cases there were
	}
	w := &Worth{Over: over, Chain: c.ID, Steps: c.Steps, Effect: value.Estimate{Value: worse, SE: sd * math.Sqrt(1/float64(f.Persisted)+1.0/baseline)},
		Volume: value.Estimate{Value: f.N * year, SE: math.Sqrt(f.N) * year}}
	chain := value.Chain{Effect: w.Effect, Volume: w.Volume, Months: 12}
	for _, l := range c.Steps {
		chain.Links = append(chain.Links, value.Estimate{Value: l.Value, SE: l.SE})
	}
	v, err := chain.Value(1)
	if err != nil {
		return nil // too large to be money
	}
	w.Low, w.Mid, w.High = v.Low, v.Mid, v.High
	return w
}
