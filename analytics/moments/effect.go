package moments

import (
	"errors"
	"fmt"
	"math"

	"omote/analytics/stats"
)

// Study is a comparison of exposed and not exposed runs.
type Study struct {
	// Exposed tells which runs had the experience in question.
	Exposed []bool
	// Outcome is what happened after each run; NaN where it is not known, which
	// leaves the run out.
	Outcome []float64
	// Covariates holds, for each run one after the other, Columns values that are
	// held equal: what was there before the run.
	Covariates []float64
	Columns    int
	// Customer numbers the customer of each run from 0: runs of one customer
	// count together.
	Customer []int32
}

// Options set how an effect is estimated; zero values take the defaults.
type Options struct {
	// Folds is the number of parts for cross-fitting. Default 4.
	Folds int
	// Level of the interval. Default 0.9.
	Level float64
	// Ridge of both models, in rows. Default 1.
	Ridge float64
	// Seed divides the customers into folds.
	Seed uint64
	// MaxRows bounds the work: above it a random part of the runs that are not
	// exposed is used. Default 60,000.
	MaxRows int
}

func (o Options) filled() Options {
	if o.Folds < 2 {
		o.Folds = 4
	}
	if o.Level == 0 {
		o.Level = 0.9
	}
	if o.Ridge == 0 {
		o.Ridge = 1
	}
	if o.MaxRows == 0 {
		o.MaxRows = 60_000
	}
	return o
}

// Overlap tells how far the exposed have counterparts among the others.
type Overlap struct {
	// Trimmed is the share of exposed runs that were left out because hardly
	// anybody like them was not exposed.
	Trimmed float64
	// Effective is the number of equally weighted runs that the weighted ones
	// are worth (Kish).
	Effective float64
	// Imbalance is the largest difference that is left between exposed and
	// weighted others in any covariate, in standard deviations; Before is the
	// largest before weighting.
	Imbalance, Before float64
}

// Sound reports whether the comparison is credible: at most a fifth trimmed, at
// least fifty others behind it, and no covariate more than a quarter of a
// standard deviation apart. (The usual bound for a matched design is 0.1 to
// 0.25; the model of the outcome adjusts for what is left.)
func (o Overlap) Sound() bool {
	return o.Trimmed <= 0.2 && o.Effective >= 50 && o.Imbalance <= 0.25
}

// Result is the effect of an exposure on those exposed.
type Result struct {
	// Effect is the difference in the mean outcome, exposed minus what was to be
	// expected for them otherwise. N of it counts exposed runs.
	Effect stats.Estimate
	P      float64 // two-sided
	// Observed is the mean outcome of the exposed, Expected what it would have
	// been; Raw the plain difference of means.
	Observed, Expected, Raw float64
	// Exposed and Others count runs; Customers counts exposed customers.
	Exposed, Others, Customers int
	// Cases counts the outcome in runs where it is not zero, among the exposed
	// and the others.
	CasesExposed, CasesOthers int
	Overlap                   Overlap
	// influence is the influence of each customer on the effect, so that effects
	// on the same customers can be added up with a right interval.
	influence influence
	level     float64
}

// ErrExposed is returned for a study in which nobody, or everybody, is exposed.
var ErrExposed = errors.New("moments: an effect needs runs that are exposed and runs that are not")

// Effect estimates what the exposure did to those exposed. See the package
// comment for the method.
func Effect(s Study, o Options) (*Result, error) {
	o = o.filled()
	if err := s.check(); err != nil {
		return nil, err
	}
	rows := s.rows(o)
	e, err := newEstimation(&s, rows, o)
	if err != nil {
		return nil, err
	}
	if err := e.crossFit(o); err != nil {
		return nil, err
	}
	return e.result(o), nil
}

func (s *Study) check() error {
	n := len(s.Exposed)
	if len(s.Outcome) != n || len(s.Customer) != n || len(s.Covariates) != n*s.Columns {
		return fmt.Errorf("moments: %d exposures, %d outcomes, %d customers and %d covariates of %d columns do not fit",
			n, len(s.Outcome), len(s.Customer), len(s.Covariates), s.Columns)
	}
	return nil
}

// rows are the runs that take part: those with an outcome, and of the others no
// more than the limit, drawn by customer.
func (s *Study) rows(o Options) []int32 {
	known, exposed := 0, 0
	for i, y := range s.Outcome {
		if !math.IsNaN(y) {
			known++
			if s.Exposed[i] {
				exposed++
			}
		}
	}
	keep := 1.0
	if others := known - exposed; known > o.MaxRows && others > 0 {
		keep = max(0, float64(max(o.MaxRows-exposed, o.MaxRows/2))/float64(others))
	}
	out := make([]int32, 0, min(known, o.MaxRows))
	for i, y := range s.Outcome {
		if math.IsNaN(y) {
			continue
		}
		if s.Exposed[i] || keep >= 1 || unit(o.Seed^0x9e3779b97f4a7c15, uint64(i)) < keep {
			out = append(out, int32(i))
		}
	}
	return out
}

// unit is a number in [0, 1) that seed and key decide.
func unit(seed, key uint64) float64 {
	return float64(mix(seed^mix(key))>>11) / (1 << 53)
}

// mix scatters the bits of x (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// estimation holds the rows in use.
type estimation struct {
	d        []bool
	y        []float64
	x        *matrix   // scaled
	spread   []float64 // of its columns
	customer []int32
	binary   bool
	score    []float64 // chance of exposure, from a model that has not seen the customer
	mu       []float64 // outcome expected without exposure, likewise
}

func newEstimation(s *Study, rows []int32, _ Options) (*estimation, error) {
	n := len(rows)
	e := &estimation{d: make([]bool, n), y: make([]float64, n), customer: make([]int32, n), binary: true,
		x: &matrix{cols: s.Columns, values: make([]float64, 0, n*s.Columns)}, score: make([]float64, n), mu: make([]float64, n)}
	exposed := 0
	for i, at := range rows {
		e.d[i], e.y[i], e.customer[i] = s.Exposed[at], s.Outcome[at], s.Customer[at]
		if e.d[i] {
			exposed++
		}
		e.binary = e.binary && (e.y[i] == 0 || e.y[i] == 1)
		e.x.values = append(e.x.values, s.Covariates[int(at)*s.Columns:(int(at)+1)*s.Columns]...)
	}
	if exposed == 0 || exposed == n {
		return nil, ErrExposed
	}
	e.x, e.spread = e.x.scaled(n)
	return e, nil
}

// crossFit predicts chance of exposure and outcome of each row by models of the
// customers in other folds.
func (e *estimation) crossFit(o Options) error {
	n := len(e.d)
	fold := make([]int, n)
	for i, c := range e.customer {
		fold[i] = int(unit(o.Seed, uint64(c)) * float64(o.Folds))
	}
	d := make([]float64, n)
	for i, in := range e.d {
		if in {
			d[i] = 1
		}
	}
	use, controls := make([]bool, n), make([]bool, n)
	var exposure, outcome *model
	var err error
	for k := range o.Folds {
		for i := range use {
			use[i] = fold[i] != k
			controls[i] = use[i] && !e.d[i]
		}
		if exposure, err = refit(exposure, e.x, d, use, true, o.Ridge); err != nil {
			return err
		}
		if outcome, err = refit(outcome, e.x, e.y, controls, e.binary, o.Ridge); err != nil {
			return err
		}
		for i := range n {
			if fold[i] == k {
				e.score[i], e.mu[i] = exposure.at(e.x.row(i)), outcome.at(e.x.row(i))
			}
		}
	}
	return nil
}

// highest is the chance of exposure above which an exposed run has hardly any
// counterpart.
const highest = 0.95

func (e *estimation) result(o Options) *Result {
	r := &Result{influence: make(influence, 0), level: o.Level}
	for _, c := range e.customer {
		r.influence = r.influence.upTo(c)
	}
	var sum, weight, squares, rawExposed, rawOthers, mu, residual float64
	trimmed, kept := 0, 0
	exposedCustomers := map[int32]bool{}
	for i, in := range e.d {
		switch {
		case in:
			r.Exposed++
			rawExposed += e.y[i]
			if e.y[i] != 0 {
				r.CasesExposed++
			}
			exposedCustomers[e.customer[i]] = true
			if e.score[i] > highest {
				trimmed++
				continue
			}
			kept++
			sum += e.y[i]
			mu += e.mu[i]
		default:
			r.Others++
			rawOthers += e.y[i]
			if e.y[i] != 0 {
				r.CasesOthers++
			}
			w := e.odds(i)
			weight += w
			squares += w * w
			residual += w * (e.y[i] - e.mu[i])
		}
	}
	r.Customers = len(exposedCustomers)
	r.Raw = rawExposed/float64(r.Exposed) - rawOthers/float64(r.Others)
	r.Overlap = Overlap{Trimmed: float64(trimmed) / float64(r.Exposed), Effective: weight * weight / squares}
	r.Overlap.Imbalance, r.Overlap.Before = e.imbalance()
	if kept == 0 || weight == 0 {
		r.Effect = stats.Estimate{Value: math.NaN(), Low: math.NaN(), High: math.NaN(), N: int64(r.Exposed), Level: o.Level, Method: "aipw"}
		r.P = 1
		return r
	}
	n1 := float64(kept)
	r.Observed = sum / n1
	r.Expected = mu/n1 + residual/weight
	value := r.Observed - r.Expected
	a, b := (sum-mu)/n1, residual/weight
	for i, in := range e.d {
		res := e.y[i] - e.mu[i]
		switch {
		case in && e.score[i] <= highest:
			r.influence[e.customer[i]] += (res - a) / n1
		case !in:
			r.influence[e.customer[i]] -= e.odds(i) * (res - b) / weight
		}
	}
	r.Effect, r.P = interval(value, r.influence, o.Level, int64(r.Exposed))
	return r
}

// odds is the weight of a run that was not exposed: it makes the others look
// like the exposed.
func (e *estimation) odds(i int) float64 {
	s := min(e.score[i], highest)
	return s / (1 - s)
}

// influence is how much each customer, by number, moved an estimate.
type influence []float64

// upTo makes room for a customer.
func (v influence) upTo(customer int32) influence {
	if n := int(customer) + 1 - len(v); n > 0 {
		v = append(v, make(influence, n)...)
	}
	return v
}

// interval makes an estimate of a value and the influence of each customer.
func interval(value float64, moved influence, level float64, n int64) (stats.Estimate, float64) {
	squares, c := 0.0, 0.0
	for _, v := range moved {
		if v != 0 {
			squares += v * v
			c++
		}
	}
	se := math.Sqrt(squares * c / max(c-1, 1))
	z := quantileNormal(0.5 + level/2)
	p := 1.0
	if se > 0 {
		p = math.Erfc(math.Abs(value) / se / math.Sqrt2)
	}
	return stats.Estimate{Value: value, Low: value - z*se, High: value + z*se, N: n, NEff: c, Level: level, Method: "aipw"}, p
}

// imbalance is the largest difference in any covariate between the exposed and
// the others, with and without weights, in standard deviations.
func (e *estimation) imbalance() (weighted, raw float64) {
	p := e.x.cols
	exposed, others, plain := make([]float64, p), make([]float64, p), make([]float64, p)
	var n1, n0, w0 float64
	for i, in := range e.d {
		row := e.x.row(i)
		if in {
			if e.score[i] > highest {
				continue
			}
			n1++
			for j, v := range row {
				exposed[j] += v
			}
			continue
		}
		w := e.odds(i)
		n0++
		w0 += w
		for j, v := range row {
			others[j] += w * v
			plain[j] += v
		}
	}
	if n1 == 0 || w0 == 0 || n0 == 0 {
		return math.Inf(1), math.Inf(1)
	}
	for j := range p {
		if e.spread[j] > 0 {
			weighted = max(weighted, math.Abs(exposed[j]/n1-others[j]/w0)/e.spread[j])
			raw = max(raw, math.Abs(exposed[j]/n1-plain[j]/n0)/e.spread[j])
		}
	}
	return weighted, raw
}

// Combine adds up effects on the same customers, each times a factor such as a
// value in money. The interval counts that they hang together.
func Combine(results []*Result, factors []float64) stats.Estimate {
	var moved influence
	value, level, n := 0.0, 0.9, int64(0)
	for i, r := range results {
		if r == nil || math.IsNaN(r.Effect.Value) {
			continue
		}
		value += factors[i] * r.Effect.Value
		level, n = r.level, max(n, int64(r.Exposed))
		moved = moved.upTo(int32(len(r.influence) - 1))
		for c, v := range r.influence {
			moved[c] += factors[i] * v
		}
	}
	e, _ := interval(value, moved, level, n)
	return e
}

// quantileNormal is the quantile of the standard normal distribution.
func quantileNormal(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
