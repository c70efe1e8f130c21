package stats

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// OrdinalModel is a fitted proportional-odds model (McCullagh 1980):
// logit P(answer ≤ k) = Thresholds[k] − x·Coef. A coefficient above zero moves
// answers up; e^coefficient is the odds ratio of a higher answer per unit of x.
type OrdinalModel struct {
	Coef         []float64
	CoefErr      []float64 // standard errors from the observed information
	Thresholds   []float64 // ascending, one fewer than the categories
	ThresholdErr []float64
	LogLik       float64
	Rounds       int
}

// ErrOrdinal says that a proportional-odds model cannot be fitted.
var ErrOrdinal = errors.New("stats: cannot fit the ordinal model")

// FitOrdinal fits ordered answers y (0 to categories−1, each occurring at least
// once) to predictors x, one row per answer, without intercept. Weights may be
// nil; they act as frequencies. It uses Newton's method with step halving.
// Perfectly separating predictors give [ErrOrdinal].
func FitOrdinal(x [][]float64, y []int, weights []float64, categories int) (OrdinalModel, error) {
	f, err := newOrdinalFit(x, y, weights, categories)
	if err != nil {
		return OrdinalModel{}, err
	}
	theta := f.start()
	ll, grad, info := f.derive(theta)
	for round := 1; round <= 100; round++ {
		var chol mat.Cholesky
		if !chol.Factorize(info) {
			return OrdinalModel{}, fmt.Errorf("%w: predictors are collinear or separate the answers", ErrOrdinal)
		}
		step := mat.NewVecDense(len(theta), nil)
		if err := chol.SolveVecTo(step, grad); err != nil {
			return OrdinalModel{}, fmt.Errorf("%w: %w", ErrOrdinal, err)
		}
		next, nll, ngrad, ninfo := f.halve(theta, step, ll)
		done := math.Abs(nll-ll) < 1e-12*(math.Abs(ll)+1) && mat.Norm(step, math.Inf(1)) < 1e-8
		theta, ll, grad, info = next, nll, ngrad, ninfo
		if done {
			return f.model(theta, ll, info, round)
		}
	}
	return OrdinalModel{}, fmt.Errorf("%w: no convergence in 100 rounds", ErrOrdinal)
}

type ordinalFit struct {
	x      [][]float64
	y      []int
	w      []float64
	cuts   int // thresholds come first in the parameter vector
	slopes int
}

func newOrdinalFit(x [][]float64, y []int, weights []float64, categories int) (*ordinalFit, error) {
	if categories < 2 || len(y) == 0 || len(x) != len(y) || (weights != nil && len(weights) != len(y)) {
		return nil, fmt.Errorf("%w: need two categories and as many rows as answers", ErrOrdinal)
	}
	f := &ordinalFit{x: x, y: y, w: weights, cuts: categories - 1, slopes: len(x[0])}
	if f.w == nil {
		f.w = make([]float64, len(y))
		for i := range f.w {
			f.w[i] = 1
		}
	}
	seen := make([]float64, categories)
	for i, k := range y {
		if k < 0 || k >= categories || len(x[i]) != f.slopes {
			return nil, fmt.Errorf("%w: row %d has answer %d and %d predictors", ErrOrdinal, i, k, len(x[i]))
		}
		seen[k] += f.w[i]
	}
	for k, s := range seen {
		if s <= 0 {
			return nil, fmt.Errorf("%w: answer %d never occurs", ErrOrdinal, k)
		}
	}
	return f, nil
}

// start puts the thresholds at the observed cumulative logits.
func (f *ordinalFit) start() []float64 {
	share, total := make([]float64, f.cuts+1), 0.0
	for i, k := range f.y {
		share[k] += f.w[i]
		total += f.w[i]
	}
	theta, cum := make([]float64, f.cuts+f.slopes), 0.0
	for k := range f.cuts {
		cum += share[k] / total
		theta[k] = math.Log(cum / (1 - cum))
	}
	return theta
}

// halve shortens the step until the likelihood does not fall.
func (f *ordinalFit) halve(theta []float64, step *mat.VecDense, ll float64) ([]float64, float64, *mat.VecDense, *mat.SymDense) {
	size := 1.0
	next := make([]float64, len(theta))
	for {
		for i := range next {
			next[i] = theta[i] + size*step.AtVec(i)
		}
		nll, grad, info := f.derive(next)
		if nll >= ll-1e-12*math.Abs(ll) || size < 1e-8 {
			return next, nll, grad, info
		}
		size /= 2
	}
}

// derive returns the log-likelihood, its gradient and the observed information.
func (f *ordinalFit) derive(theta []float64) (float64, *mat.VecDense, *mat.SymDense) {
	dim := f.cuts + f.slopes
	grad, info := mat.NewVecDense(dim, nil), mat.NewSymDense(dim, nil)
	ll := 0.0
	du, dl := make([]float64, dim), make([]float64, dim)
	for i, k := range f.y {
		eta := 0.0
		for j, v := range f.x[i] {
			eta += v * theta[f.cuts+j]
		}
		upper, lower := 1.0, 0.0
		if k < f.cuts {
			upper = logistic(theta[k] - eta)
		}
		if k > 0 {
			lower = logistic(theta[k-1] - eta)
		}
		p := upper - lower
		if !(p > 0) {
			return math.Inf(-1), grad, info
		}
		ll += f.w[i] * math.Log(p)
		f.directions(i, k, du, dl)
		fu, fl := upper*(1-upper), lower*(1-lower)
		gu, gl := fu*(1-2*upper), fl*(1-2*lower)
		for a := range dim {
			ga := (fu*du[a] - fl*dl[a]) / p
			if du[a] == 0 && dl[a] == 0 {
				continue
			}
			grad.SetVec(a, grad.AtVec(a)+f.w[i]*ga)
			for b := a; b < dim; b++ {
				gb := (fu*du[b] - fl*dl[b]) / p
				second := (gu*du[a]*du[b] - gl*dl[a]*dl[b]) / p
				info.SetSym(a, b, info.At(a, b)+f.w[i]*(ga*gb-second))
			}
		}
	}
	return ll, grad, info
}

// directions are the derivatives of the two cumulative predictors.
func (f *ordinalFit) directions(i, k int, du, dl []float64) {
	clear(du)
	clear(dl)
	if k < f.cuts {
		du[k] = 1
	}
	if k > 0 {
		dl[k-1] = 1
	}
	for j, v := range f.x[i] {
		if k < f.cuts {
			du[f.cuts+j] = -v
		}
		if k > 0 {
			dl[f.cuts+j] = -v
		}
	}
}

func (f *ordinalFit) model(theta []float64, ll float64, info *mat.SymDense, rounds int) (OrdinalModel, error) {
	var chol mat.Cholesky
	cov := mat.NewSymDense(len(theta), nil)
	if !chol.Factorize(info) {
		return OrdinalModel{}, fmt.Errorf("%w: no information at the maximum", ErrOrdinal)
	}
	if err := chol.InverseTo(cov); err != nil {
		return OrdinalModel{}, fmt.Errorf("%w: %w", ErrOrdinal, err)
	}
	se := make([]float64, len(theta))
	for i := range se {
		se[i] = math.Sqrt(cov.At(i, i))
		if se[i] > 1e3 || math.Abs(theta[i]) > 1e3 {
			return OrdinalModel{}, fmt.Errorf("%w: predictors separate the answers", ErrOrdinal)
		}
	}
	return OrdinalModel{Coef: theta[f.cuts:], CoefErr: se[f.cuts:], Thresholds: theta[:f.cuts],
		ThresholdErr: se[:f.cuts], LogLik: ll, Rounds: rounds}, nil
}

// Predict returns the probability of each category for one row of predictors.
func (m OrdinalModel) Predict(x []float64) []float64 {
	eta := 0.0
	for j, v := range x {
		eta += v * m.Coef[j]
	}
	p, last := make([]float64, len(m.Thresholds)+1), 0.0
	for k, cut := range m.Thresholds {
		c := logistic(cut - eta)
		p[k], last = c-last, c
	}
	p[len(p)-1] = 1 - last
	return p
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
