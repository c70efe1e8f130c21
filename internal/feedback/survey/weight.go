package survey

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"omote/analytics/stats"
	"omote/internal/feedback/form"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Weighting says how answers of a questionnaire are weighted beyond the probability of
// being asked: raked to what is known of all who could have been asked.
type Weighting struct {
	// Dims are the dimensions whose shares the weighted answers meet. Where nothing is
	// typed, the shares are those of all events that could have led to an asking.
	Dims []string `json:"dims"`
	// Typed are shares that are known from elsewhere; they are rescaled to 1.
	Typed []TypedShare `json:"typed,omitempty"`
	// MaxRatio bounds a weight at a multiple of the average; 0 does not.
	MaxRatio float64 `json:"max_ratio,omitempty"`
}

// TypedShare is a known share of a value of a dimension.
type TypedShare struct {
	Dim   string  `json:"dim"`
	Value string  `json:"value"`
	Share float64 `json:"share"`
}

// Validate tells what is wrong with a weighting.
func (w Weighting) Validate() error {
	bad := func(text string) error { return errs.Invalid("feedback.survey.error.weighting", "dims", "%s", text) }
	if w.MaxRatio != 0 && (w.MaxRatio < 1.5 || w.MaxRatio > 100) {
		return bad("the bound of a weight is 1.5 to 100 times the average")
	}
	for i, d := range w.Dims {
		if !slices.Contains(form.Dimensions, d) || slices.Contains(w.Dims[:i], d) {
			return bad("a dimension is unit, via, journey or product, each once")
		}
	}
	for _, t := range w.Typed {
		if !slices.Contains(w.Dims, t.Dim) || t.Value == "" || !(t.Share > 0) || t.Share > 1e12 {
			return bad("a known share names a chosen dimension, a value and a number above 0")
		}
	}
	return nil
}

// Raked is the score of a period as raked weights give it, beside what it would be
// without them.
type Raked struct {
	Period   Period         `json:"period"`
	Estimate stats.Estimate `json:"estimate"` // inverse probability, raked
	Base     stats.Estimate `json:"base"`     // inverse probability alone
	Raw      stats.Estimate `json:"raw"`      // every answer alike
	N        int64          `json:"n"`
	NEff     float64        `json:"n_eff"` // Kish
	// Least and Most are the smallest and largest weight as multiples of the average.
	Least   float64   `json:"least"`
	Most    float64   `json:"most"`
	Rounds  int       `json:"rounds"`
	Error   float64   `json:"error"` // largest relative error of a margin left
	Margins []RakedTo `json:"margins"`
	// Unmet is the share of the population in values from which nobody answered: the
	// answers cannot stand for them.
	Unmet float64 `json:"unmet"`
}

// RakedTo is one value of a margin.
type RakedTo struct {
	Dim, Value string
	Known      float64 // share of all
	Answers    float64 // share of the answers as they came
	Weighted   float64 // after raking
	N          int64
	Typed      bool
}

// DesignEffect is how many times more answers an unweighted sample would need less: N
// over the effective number.
func (r *Raked) DesignEffect() float64 { return float64(r.N) / r.NEff }

// weighed is a group of answers that are alike in everything that weighting looks at.
type weighed struct {
	Values      []string // in the order of Weighting.Dims
	Score       int
	Probability float64
	N           int64
}

// frame counts, for each dimension of a weighting, all who could have been asked.
type frame []map[string]float64

// trims is how often large weights are cut and the margins met again; what is left of the
// margins after the last cut is told.
const trims = 5

// smallest is how many answers a value of a margin needs to be met by itself; smaller
// ones are joined into one.
const smallest = 5

// joined stands for values with few answers.
const joined = "\x00few"

// rake weights groups of answers by the inverse of their probability and then to the
// frame's margins.
func rake(score *form.Item, w Weighting, all []weighed, known frame) (*Raked, error) {
	r := &Raked{}
	base := make([]float64, len(all))
	for i, g := range all {
		r.N += g.N
		base[i] = float64(g.N) / g.Probability
	}
	if r.N == 0 {
		return nil, errs.Conflict("feedback.survey.error.no_answers", "there are no answers to weight")
	}
	margins := r.margins(w, all, known)
	weights := slices.Clone(base)
	r.Rounds, r.Error = 0, 0
	if len(margins) > 0 {
		for range trims {
			raked, err := stats.Rake(weights, margins, stats.RakeOptions{Tolerance: 1e-9, Rounds: 500})
			if err != nil {
				return nil, fmt.Errorf("rake: %w", err)
			}
			weights, r.Error = raked.Weights, raked.Error
			r.Rounds += raked.Rounds
			if !bound(weights, all, w.MaxRatio) {
				break
			}
			r.Error = marginsLeft(weights, margins)
		}
	}
	mean := func(ws []float64) (sum float64) {
		for _, x := range ws {
			sum += x
		}
		return sum / float64(r.N)
	}(weights)
	var kish stats.WeightSum
	r.Least = math.Inf(1)
	for i, g := range all {
		one := weights[i] / float64(g.N)
		kish = kish.Add(stats.WeightSum{N: g.N, W: weights[i], WW: one * weights[i]})
		r.Least, r.Most = min(r.Least, one/mean), max(r.Most, one/mean)
	}
	r.NEff = kish.Kish()
	ones := make([]float64, len(all))
	for i, g := range all {
		ones[i] = float64(g.N)
	}
	r.Estimate, r.Base, r.Raw = score3(score, all, weights), score3(score, all, base), score3(score, all, ones)
	r.shares(w, all, weights)
	return r, nil
}

// margins makes the margins of the raking and what the page shows of them. Values from
// which nobody answered are left out, those with few answers are joined.
func (r *Raked) margins(w Weighting, all []weighed, known frame) (out []stats.Margin) {
	for k, dim := range w.Dims {
		target, typed := map[string]float64{}, false
		for _, t := range w.Typed {
			if t.Dim == dim {
				target[t.Value], typed = target[t.Value]+t.Share, true
			}
		}
		if !typed {
			target = known[k]
		}
		n := map[string]int64{}
		for _, g := range all {
			n[g.Values[k]] += g.N
		}
		total, met := 0.0, 0.0
		for v, t := range target {
			if total += t; n[v] > 0 {
				met += t
			}
		}
		if met == 0 {
			continue
		}
		r.Unmet = max(r.Unmet, 1-met/total)
		// A value of the answers that the population does not have cannot be met either.
		place, values := map[string]int{}, []string{}
		put := func(v string) int {
			if _, there := place[v]; !there {
				place[v], values = len(values), append(values, v)
			}
			return place[v]
		}
		m := stats.Margin{Of: make([]int, len(all))}
		sums := map[string]float64{}
		for i, g := range all {
			v := g.Values[k]
			if n[v] < smallest || target[v] == 0 {
				v = joined
			}
			m.Of[i] = put(v)
		}
		for v, t := range target {
			if n[v] == 0 {
				continue
			}
			if n[v] < smallest {
				v = joined
			}
			sums[v] += t
		}
		foreign := 0.0 // weight of answers whose value has no known share keeps its share
		for _, g := range all {
			if target[g.Values[k]] == 0 {
				foreign += float64(g.N)
			}
		}
		if foreign > 0 {
			sums[joined] += met * foreign / (float64(r.N) - min(foreign, float64(r.N)-1))
		}
		m.Target = make([]float64, len(values))
		for v, i := range place {
			m.Target[i] = sums[v]
		}
		out = append(out, m)
		for v, t := range target {
			r.Margins = append(r.Margins, RakedTo{Dim: dim, Value: v, Known: t / total, N: n[v], Typed: typed})
		}
	}
	slices.SortFunc(r.Margins, func(a, b RakedTo) int {
		return cmp.Or(cmp.Compare(slices.Index(w.Dims, a.Dim), slices.Index(w.Dims, b.Dim)), cmp.Compare(b.Known, a.Known), cmp.Compare(a.Value, b.Value))
	})
	return out
}

// shares fills in what share the values have among the answers and after weighting.
func (r *Raked) shares(w Weighting, all []weighed, weights []float64) {
	total := 0.0
	for _, x := range weights {
		total += x
	}
	for i := range r.Margins {
		m := &r.Margins[i]
		k := slices.Index(w.Dims, m.Dim)
		m.Answers = float64(m.N) / float64(r.N)
		for j, g := range all {
			if g.Values[k] == m.Value {
				m.Weighted += weights[j] / total
			}
		}
	}
}

// bound cuts weights at a multiple of the average weight of an answer, and tells whether
// it cut one.
func bound(weights []float64, all []weighed, most float64) (cut bool) {
	if most == 0 {
		return false
	}
	var n, sum float64
	for i, g := range all {
		n, sum = n+float64(g.N), sum+weights[i]
	}
	limit := most * sum / n
	for i, g := range all {
		if one := weights[i] / float64(g.N); one > limit*(1+1e-6) {
			weights[i], cut = limit*float64(g.N), true
		}
	}
	return cut
}

// marginsLeft is the largest relative error of a margin.
func marginsLeft(weights []float64, margins []stats.Margin) (worst float64) {
	total := 0.0
	for _, x := range weights {
		total += x
	}
	for _, m := range margins {
		sums, own := make([]float64, len(m.Target)), 0.0
		for i, c := range m.Of {
			sums[c] += weights[i]
		}
		for _, t := range m.Target {
			own += t
		}
		for c, t := range m.Target {
			if t > 0 {
				worst = max(worst, math.Abs(sums[c]/total/(t/own)-1))
			}
		}
	}
	return worst
}

// score3 estimates the score from groups with the weight of each group.
func score3(score *form.Item, all []weighed, weights []float64) stats.Estimate {
	byPoint := map[int]*cell{}
	for i, g := range all {
		c := byPoint[g.Score]
		if c == nil {
			c = &cell{Answer: fmt.Sprint(g.Score)}
			byPoint[g.Score] = c
		}
		c.N += g.N
		c.W += weights[i]
		c.WW += weights[i] * weights[i] / float64(g.N)
	}
	var cells []cell
	for _, p := range score.Scale.Points() {
		if c := byPoint[p]; c != nil {
			cells = append(cells, *c)
		}
	}
	return estimate(score, score.Scale, cells)
}

// Weighting gives the settings of a questionnaire and the last result; nil before the
// first.
func (s *Service) Weighting(ctx context.Context, id string) (w Weighting, last *Raked, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return w, nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		w, last, _, err = getWeighting(ctx, tx, id)
		return err
	})
	return w, last, err
}

// SetWeighting keeps settings and weights the answers of a period by them.
func (s *Service) SetWeighting(ctx context.Context, id string, w Weighting, p Period) (r *Raked, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		before, _, _, err := getWeighting(ctx, tx, id)
		if err != nil {
			return err
		}
		r, err = s.weigh(ctx, tx, id, w, p)
		if err != nil && errs.KindOf(err) != errs.KindConflict {
			return err
		}
		if err := putWeighting(ctx, tx, id, w, r); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.survey.weighting", Object: "survey/" + id, Before: before, After: w})
	})
	return r, err
}

// Reweight weights the answers of the last days of every questionnaire with settings
// anew; a job runs it.
func (s *Service) Reweight(ctx context.Context, days int) error {
	var ids []string
	err := s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		ids, err = weightedSurveys(ctx, tx)
		return err
	})
	now := s.DB.Now().Time()
	for _, id := range ids {
		if err != nil {
			return err
		}
		err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			w, _, _, err := getWeighting(ctx, tx, id)
			if err != nil {
				return err
			}
			r, err := s.weigh(ctx, tx, id, w, Period{now.AddDate(0, 0, -days), now})
			if errs.KindOf(err) == errs.KindConflict || errs.KindOf(err) == errs.KindNotFound {
				return nil // no answers, or no score any more
			}
			if err != nil {
				return err
			}
			return putWeighting(ctx, tx, id, w, r)
		})
	}
	return err
}

func (s *Service) weigh(ctx context.Context, tx store.Tx, id string, w Weighting, p Period) (*Raked, error) {
	v, err := s.current(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	score := v.Document.Score()
	if score == nil {
		return nil, errs.Conflict("feedback.survey.error.no_answers", "the questionnaire has no score")
	}
	all, err := weighedAnswers(ctx, tx, id, w.Dims, p)
	if err != nil {
		return nil, err
	}
	known, err := frameOf(ctx, tx, id, w.Dims, p)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(g weighed) bool { return !score.Scale.Holds(g.Score) })
	r, err := rake(score, w, all, known)
	if err != nil {
		return nil, err
	}
	r.Period = p
	if v.Document.Anonymity == form.Anonymous {
		r.Margins = slices.DeleteFunc(r.Margins, func(m RakedTo) bool { return m.N < int64(v.Document.MinGroup) })
	}
	return r, nil
}

func encodeRaked(r *Raked) (string, error) {
	if r == nil {
		return "", nil
	}
	b, err := json.Marshal(r)
	return string(b), err
}

// Computed is when a raking was made, for its page.
func (s *Service) Computed(ctx context.Context, id string) (at time.Time, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		_, _, at, err = getWeighting(ctx, tx, id)
		return err
	})
	return at, err
}
