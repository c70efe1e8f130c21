package assess

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"omote/analytics/stats"
)

// Levels are from 1 to Top.
const Top = 5

// Answers of a rater that are no level.
const (
	None     = 0  // not answered
	DontKnow = -1 // asked, and does not know
	NotHere  = -2 // does not apply here
)

// Group is a group of raters.
type Group struct {
	ID     string
	Weight float64
	Min    int // fewer have no result
}

// Evidence is what a grade of evidence allows.
type Evidence struct {
	Grade  int     // 0 assertion, 1 document, 2 record, 3 computed
	Factor float64 // of the confidence
	Cap    float64 // of the score
}

// Indicator is one question.
type Indicator struct {
	ID         string
	Pillar     string
	Weight     float64
	Needs      []string  // indicators that come first
	Thresholds []float64 // of the platform's measure, for levels 2 to 5; none where it cannot see
	Below      bool      // less is better: thresholds are reached from above
}

// Instrument is what is rated.
type Instrument struct {
	Pillars    []Pillar
	Indicators []Indicator
	Groups     []Group
	Evidence   []Evidence
}

// Pillar is a part of the instrument.
type Pillar struct {
	ID     string
	Weight float64
}

// Validate tells what is wrong with it.
func (in Instrument) Validate() error {
	if len(in.Pillars) == 0 || len(in.Indicators) == 0 || len(in.Groups) == 0 || len(in.Evidence) == 0 {
		return errors.New("assess: pillars, indicators, groups and grades of evidence are needed")
	}
	seen := map[string]bool{}
	for _, p := range in.Pillars {
		if p.ID == "" || !(p.Weight > 0) || seen["p"+p.ID] {
			return fmt.Errorf("assess: pillar %q has no name or weight of its own", p.ID)
		}
		seen["p"+p.ID] = true
	}
	for _, g := range in.Groups {
		if g.ID == "" || !(g.Weight > 0) || g.Min < 1 || seen["g"+g.ID] {
			return fmt.Errorf("assess: group %q has no name, weight or minimum of its own", g.ID)
		}
		seen["g"+g.ID] = true
	}
	for _, i := range in.Indicators {
		switch {
		case i.ID == "" || seen["i"+i.ID] || !seen["p"+i.Pillar] || !(i.Weight > 0):
			return fmt.Errorf("assess: indicator %q has no name, pillar or weight of its own", i.ID)
		case len(i.Thresholds) != 0 && len(i.Thresholds) != Top-1:
			return fmt.Errorf("assess: indicator %s has %d thresholds, not %d", i.ID, len(i.Thresholds), Top-1)
		}
		seen["i"+i.ID] = true
	}
	for _, i := range in.Indicators {
		for _, n := range i.Needs {
			if !seen["i"+n] {
				return fmt.Errorf("assess: indicator %s needs %q, which is none", i.ID, n)
			}
		}
	}
	return nil
}

func (in Instrument) group(id string) (Group, bool) {
	i := slices.IndexFunc(in.Groups, func(g Group) bool { return g.ID == id })
	if i < 0 {
		return Group{}, false
	}
	return in.Groups[i], true
}

func (in Instrument) evidence(grade int) Evidence {
	best := in.Evidence[0]
	for _, e := range in.Evidence {
		if e.Grade <= grade && e.Grade >= best.Grade {
			best = e
		}
	}
	return best
}

// Rater is one person's answers, by indicator: 1 to 5, DontKnow or NotHere.
type Rater struct {
	Group   string
	Answers map[string]int
}

// Check is what the platform itself measured for an indicator.
type Check struct {
	Value float64
	N     int64 // of what
}

// Input is an assessment as it was answered.
type Input struct {
	Raters   []Rater
	Evidence map[string]int     // grade by indicator
	Checks   map[string]Check   // by indicator, where the platform could see
	Targets  map[string]float64 // level aimed at, by indicator; default 4
	Seed     uint64
}

// Agreements.
const (
	Strong    = "strong"
	Moderate  = "moderate"
	Contested = "contested"
)

// GroupMean is what a group says of an indicator.
type GroupMean struct {
	Group  string
	Mean   float64
	N      int
	Hidden bool // too few: neither shown nor used
}

// Result is an indicator's level.
type Result struct {
	Indicator string
	Known     bool // any group large enough answered
	Groups    []GroupMean
	Claimed   float64
	Grade     int
	Score     float64 // what evidence allows of the claim
	Low, High float64 // 90 % interval of the score; smallest and largest answer below five raters
	Range     bool    // Low and High are smallest and largest
	// Auto is the level that the platform sees, 0 where it cannot; Gap is claim less Auto.
	Auto  int
	Check Check
	Gap   float64
	// Perception is council less frontline, nil where one of them is hidden.
	Perception *float64
	Agreement  float64 // 0 to 1
	Word       string  // Strong, Moderate, Contested
	Polarised  bool
	Coverage   float64
	Confidence float64 // 0 to 1
	Target     float64
	Priority   float64
	VerifyDo   bool // verify first: confidence is too low to act on
	N          int  // raters who gave a level
}

// Cut is what was claimed beyond the evidence.
func (r Result) Cut() float64 { return r.Claimed - r.Score }

// Contradicted reports whether the platform sees at least a level less than was
// claimed.
func (r Result) Contradicted() bool { return r.Known && r.Auto > 0 && r.Gap >= 1 }

// PillarResult is a pillar's level.
type PillarResult struct {
	Pillar     string
	Known      bool
	Claimed    float64
	Score      float64
	Low, High  float64
	Auto       float64 // mean of the levels that the platform sees, 0 for none
	Stage      int
	Weakest    string // indicator that holds the stage down
	Confidence float64
}

// Outcome is the whole.
type Outcome struct {
	Indicators []Result
	Pillars    []PillarResult
	Claimed    float64
	Overall    float64
	Low, High  float64
	Stage      int
	Weakest    string // pillar
	Alpha      stats.Estimate
	Raters     int
	// Few are groups in which fewer than the minimum answered anything.
	Few []string
}

const draws = 2000

// Score computes an assessment.
func Score(in Instrument, x Input) (Outcome, error) {
	if err := in.Validate(); err != nil {
		return Outcome{}, err
	}
	for k, r := range x.Raters {
		if _, ok := in.group(r.Group); !ok {
			return Outcome{}, fmt.Errorf("assess: rater %d is of the group %q, which is none", k, r.Group)
		}
		for id, a := range r.Answers {
			if a < NotHere || a > Top {
				return Outcome{}, fmt.Errorf("assess: rater %d answers %d on %s", k, a, id)
			}
		}
	}
	out := Outcome{Raters: len(x.Raters)}
	needed := map[string]int{}
	for _, i := range in.Indicators {
		for _, n := range i.Needs {
			needed[n]++
		}
	}
	for _, i := range in.Indicators {
		out.Indicators = append(out.Indicators, in.indicator(i, x, needed[i.ID]))
	}
	out.Pillars, out.Claimed, out.Overall, out.Stage, out.Weakest = in.sum(out.Indicators)
	in.intervals(x, &out)
	for _, g := range in.Groups {
		n := 0
		for _, r := range x.Raters {
			if r.Group == g.ID {
				n++
			}
		}
		if n < g.Min {
			out.Few = append(out.Few, g.ID)
		}
	}
	things := make([][]float64, len(in.Indicators))
	for k, i := range in.Indicators {
		for _, r := range x.Raters {
			a := math.NaN()
			if v := r.Answers[i.ID]; v > 0 {
				a = float64(v)
			}
			things[k] = append(things[k], a)
		}
	}
	out.Alpha = stats.AlphaInterval(things, stats.OrdinalScale, 0.9, 200, x.Seed)
	return out, nil
}

// claim is the weighted mean of groups large enough; n counts their answers.
func (in Instrument) claim(id string, raters []Rater) (groups []GroupMean, claimed float64, ok bool) {
	sum, weight := 0.0, 0.0
	for _, g := range in.Groups {
		m := GroupMean{Group: g.ID}
		total := 0
		for _, r := range raters {
			if a := r.Answers[id]; r.Group == g.ID && a > 0 {
				m.N++
				total += a
			}
		}
		if m.N > 0 {
			m.Mean = float64(total) / float64(m.N)
		}
		if m.Hidden = m.N < g.Min; m.Hidden {
			m.Mean = 0
		} else {
			sum += g.Weight * m.Mean
			weight += g.Weight
		}
		groups = append(groups, m)
	}
	if weight == 0 {
		return groups, 0, false
	}
	return groups, sum / weight, true
}

func (in Instrument) indicator(i Indicator, x Input, needed int) Result {
	r := Result{Indicator: i.ID, Grade: x.Evidence[i.ID], Target: 4}
	if t, ok := x.Targets[i.ID]; ok {
		r.Target = t
	}
	if c, ok := x.Checks[i.ID]; ok && len(i.Thresholds) > 0 {
		r.Check, r.Auto = c, 1
		for _, t := range i.Thresholds {
			if !i.Below && c.Value >= t || i.Below && c.Value <= t {
				r.Auto++
			}
		}
		r.Grade = max(r.Grade, 3) // the platform computed it
	}
	if r.Groups, r.Claimed, r.Known = in.claim(i.ID, x.Raters); !r.Known {
		return r
	}
	evidence := in.evidence(r.Grade)
	r.Score = in.allowed(r, r.Claimed)
	if r.Auto > 0 {
		r.Gap = r.Claimed - float64(r.Auto)
	}
	r.spread(in, x, evidence)
	if c, f := r.mean("council"), r.mean("frontline"); !math.IsNaN(c) && !math.IsNaN(f) {
		gap := c - f
		r.Perception = &gap
	}
	r.Priority = max(0, r.Target-r.Score) * i.Weight * (1 + 0.15*float64(needed))
	r.VerifyDo = r.Confidence < 0.5
	return r
}

// allowed is what evidence allows of a claim. Where the platform computed the level
// itself, that is the evidence: a claim stays below the next level.
func (in Instrument) allowed(r Result, claimed float64) float64 {
	score := min(claimed, in.evidence(r.Grade).Cap)
	if r.Auto > 0 {
		score = min(score, float64(r.Auto)+0.99)
	}
	return score
}

func (r Result) mean(group string) float64 {
	for _, g := range r.Groups {
		if g.Group == group && !g.Hidden {
			return g.Mean
		}
	}
	return math.NaN()
}

// spread computes agreement, coverage and confidence over the groups that count.
func (r *Result) spread(in Instrument, x Input, evidence Evidence) {
	var values, weights []float64
	usable, asked, dontKnow := 0, 0, 0
	low, high := 0.0, 0.0
	for k, m := range r.Groups {
		if m.Hidden {
			continue
		}
		usable++
		r.N += m.N
		for _, p := range x.Raters {
			if p.Group != m.Group {
				continue
			}
			switch a := p.Answers[r.Indicator]; {
			case a > 0:
				asked++
				w := in.Groups[k].Weight / float64(m.N)
				values, weights = append(values, float64(a)), append(weights, w)
				if a <= 2 {
					low += w
				}
				if a >= 4 {
					high += w
				}
			case a == DontKnow:
				asked++
				dontKnow++
			}
		}
	}
	var sum, total, squares float64
	for k, v := range values {
		sum += weights[k] * v
		total += weights[k]
		squares += weights[k] * weights[k]
	}
	mean, variance := sum/total, 0.0
	for k, v := range values {
		variance += weights[k] / total * (v - mean) * (v - mean)
	}
	r.Agreement = 1 - variance/4
	switch {
	case r.Agreement >= 0.8:
		r.Word = Strong
	case r.Agreement >= 0.65:
		r.Word = Moderate
	default:
		r.Word = Contested
	}
	r.Polarised = low/total >= 0.25 && high/total >= 0.25
	effective := total * total / squares
	r.Coverage = float64(usable) / float64(len(in.Groups)) * min(1, effective/12)
	if asked > 0 {
		r.Coverage *= 1 - float64(dontKnow)/float64(asked)
	}
	r.Confidence = math.Sqrt(r.Agreement*r.Coverage) * evidence.Factor
}

// sum adds indicators up to pillars and the whole.
func (in Instrument) sum(list []Result) (pillars []PillarResult, claimed, overall float64, stage int, weakest string) {
	var weight, lowest = 0.0, math.Inf(1)
	for _, p := range in.Pillars {
		one := PillarResult{Pillar: p.ID}
		var w, least, autos = 0.0, math.Inf(1), 0
		var confidence []float64
		for k, i := range in.Indicators {
			r := list[k]
			if i.Pillar != p.ID || !r.Known {
				continue
			}
			w += i.Weight
			one.Claimed += i.Weight * r.Claimed
			one.Score += i.Weight * r.Score
			if r.Score < least {
				least, one.Weakest = r.Score, i.ID
			}
			if r.Auto > 0 {
				one.Auto += float64(r.Auto)
				autos++
			}
			confidence = append(confidence, r.Confidence)
		}
		if one.Known = w > 0; one.Known {
			one.Claimed /= w
			one.Score /= w
			one.Stage = int(math.Floor(min(one.Score, least+1)))
			if autos > 0 {
				one.Auto /= float64(autos)
			}
			slices.Sort(confidence)
			one.Confidence = confidence[(len(confidence)-1)/2]
			weight += p.Weight
			claimed += p.Weight * one.Claimed
			overall += p.Weight * one.Score
			if one.Score < lowest {
				lowest, weakest = one.Score, p.ID
			}
		}
		pillars = append(pillars, one)
	}
	if weight > 0 {
		claimed /= weight
		overall /= weight
		stage = int(math.Floor(min(overall, lowest+1)))
	}
	return pillars, claimed, overall, stage, weakest
}

// intervals resamples raters within their groups: 90 % of the middle.
func (in Instrument) intervals(x Input, out *Outcome) {
	rnd := rand.New(rand.NewPCG(x.Seed, 0xa0761d6478bd642f))
	answers := make([][][]int, len(in.Groups)) // by group, rater, indicator
	for _, r := range x.Raters {
		row := make([]int, len(in.Indicators))
		for k, i := range in.Indicators {
			row[k] = max(0, r.Answers[i.ID])
		}
		g := slices.IndexFunc(in.Groups, func(g Group) bool { return g.ID == r.Group })
		answers[g] = append(answers[g], row)
	}
	scores := make([][]float64, len(out.Indicators))
	pillars := make([][]float64, len(out.Pillars))
	var whole []float64
	again := slices.Clone(out.Indicators)
	claimed, weight := make([]float64, len(again)), make([]float64, len(again))
	total, count := make([]int, len(again)), make([]int, len(again))
	for range draws {
		clear(claimed)
		clear(weight)
		for g, rows := range answers {
			clear(total)
			clear(count)
			for range rows {
				for k, a := range rows[rnd.IntN(len(rows))] {
					if a > 0 {
						total[k] += a
						count[k]++
					}
				}
			}
			for k, n := range count {
				if n >= in.Groups[g].Min {
					claimed[k] += in.Groups[g].Weight * float64(total[k]) / float64(n)
					weight[k] += in.Groups[g].Weight
				}
			}
		}
		for k := range again {
			if !out.Indicators[k].Known || weight[k] == 0 {
				continue
			}
			again[k].Score = in.allowed(again[k], claimed[k]/weight[k])
			scores[k] = append(scores[k], again[k].Score)
		}
		ps, _, overall, _, _ := in.sum(again)
		for k, p := range ps {
			pillars[k] = append(pillars[k], p.Score)
		}
		whole = append(whole, overall)
	}
	for k := range out.Indicators {
		r := &out.Indicators[k]
		if !r.Known {
			continue
		}
		if r.Range = r.N < 5; r.Range {
			r.Low, r.High = extremes(x.Raters, r.Indicator)
			continue
		}
		r.Low, r.High = middle(scores[k])
	}
	for k := range out.Pillars {
		if out.Pillars[k].Known {
			out.Pillars[k].Low, out.Pillars[k].High = middle(pillars[k])
		}
	}
	out.Low, out.High = middle(whole)
}

func extremes(raters []Rater, id string) (low, high float64) {
	low, high = Top, 1
	for _, r := range raters {
		if a := float64(r.Answers[id]); a > 0 {
			low, high = min(low, a), max(high, a)
		}
	}
	return low, high
}

func middle(x []float64) (low, high float64) {
	if len(x) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(x)
	k := int(0.05 * float64(len(x)))
	return x[k], x[len(x)-1-k]
}

// Change says how a score moved since the last time: known only when the intervals
// do not overlap.
func Change(before, now Result) (diff float64, known bool) {
	if !before.Known || !now.Known {
		return 0, false
	}
	return now.Score - before.Score, now.Low > before.High || now.High < before.Low
}

// Roadmap orders what to do by what must come first, then by priority. Indicators
// that reached their target are left out.
func Roadmap(in Instrument, list []Result) []Result {
	byID := map[string]Result{}
	for _, r := range list {
		byID[r.Indicator] = r
	}
	open := func(id string) bool { r := byID[id]; return r.Known && r.Score < r.Target }
	var out []Result
	done := map[string]bool{}
	rest := slices.DeleteFunc(slices.Clone(in.Indicators), func(i Indicator) bool { return !open(i.ID) })
	slices.SortStableFunc(rest, func(a, b Indicator) int { return cmp.Compare(byID[b.ID].Priority, byID[a.ID].Priority) })
	for len(rest) > 0 {
		k := slices.IndexFunc(rest, func(i Indicator) bool {
			return !slices.ContainsFunc(i.Needs, func(n string) bool { return open(n) && !done[n] })
		})
		k = max(k, 0) // a ring of needs is cut at its first
		out = append(out, byID[rest[k].ID])
		done[rest[k].ID] = true
		rest = slices.Delete(rest, k, k+1)
	}
	return out
}
