package stats

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Margin is a known distribution of a population, such as its age groups.
type Margin struct {
	Of     []int     // category of each respondent, from 0 to len(Target)−1
	Target []float64 // population size, or share, of each category
}

// RakeOptions bound the work of [Rake] and the size of weights. The zero value
// stops at a relative error of 1e-12 or after 1,000 rounds and trims nothing.
type RakeOptions struct {
	Tolerance float64 // largest relative error of a margin left
	Rounds    int
	// MaxRatio, when above 1, caps each weight at this multiple of the average
	// weight in every round. Margins may then not be met exactly.
	MaxRatio float64
}

// Raking is the result of [Rake].
type Raking struct {
	Weights []float64 // one per respondent, summing to the first margin's total
	Rounds  int
	Error   float64 // largest relative error of a margin left
	NEff    float64 // Kish's effective number of respondents
	margins []Margin
}

// ErrRake says that margins cannot be met; the wrapped text says which.
var ErrRake = errors.New("stats: margins cannot be raked")

// Rake finds weights that meet all margins at once by iterative proportional
// fitting (Deming and Stephan 1940), starting from base weights (nil for 1
// each). Margins are rescaled to the total of the first. It returns [ErrRake]
// when a wanted category has no respondent, and the best weights with
// [Raking.Error] above tolerance when the rounds run out.
func Rake(base []float64, margins []Margin, opt RakeOptions) (Raking, error) {
	if opt.Tolerance <= 0 {
		opt.Tolerance = 1e-12
	}
	if opt.Rounds <= 0 {
		opt.Rounds = 1000
	}
	w, margins, err := rakeStart(base, margins)
	if err != nil {
		return Raking{}, err
	}
	r := Raking{Weights: w, margins: margins, Error: math.Inf(1)}
	for r.Rounds < opt.Rounds && r.Error > opt.Tolerance {
		for _, m := range margins {
			scaleTo(w, m)
		}
		trim(w, opt.MaxRatio)
		r.Rounds++
		r.Error = marginError(w, margins)
	}
	r.NEff = Kish(w)
	return r, nil
}

func rakeStart(base []float64, margins []Margin) ([]float64, []Margin, error) {
	if len(margins) == 0 {
		return nil, nil, fmt.Errorf("%w: none given", ErrRake)
	}
	w := make([]float64, len(margins[0].Of))
	for i := range w {
		w[i] = 1
		if base != nil {
			w[i] = base[i]
		}
	}
	total := 0.0
	for _, t := range margins[0].Target {
		total += t
	}
	scaled := make([]Margin, len(margins))
	for k, m := range margins {
		if len(m.Of) != len(w) {
			return nil, nil, fmt.Errorf("%w: margin %d has %d respondents, margin 0 has %d", ErrRake, k, len(m.Of), len(w))
		}
		sums, own := marginSums(w, m), 0.0
		for c, t := range m.Target {
			if t > 0 && sums[c] <= 0 {
				return nil, nil, fmt.Errorf("%w: category %d of margin %d has no respondent", ErrRake, c, k)
			}
			own += t
		}
		scaled[k] = Margin{Of: m.Of, Target: make([]float64, len(m.Target))}
		for c, t := range m.Target {
			scaled[k].Target[c] = t * total / own
		}
	}
	return w, scaled, nil
}

func marginSums(w []float64, m Margin) []float64 {
	sums := make([]float64, len(m.Target))
	for i, c := range m.Of {
		sums[c] += w[i]
	}
	return sums
}

func scaleTo(w []float64, m Margin) {
	factor := marginSums(w, m)
	for c, s := range factor {
		if s > 0 {
			factor[c] = m.Target[c] / s
		}
	}
	for i, c := range m.Of {
		w[i] *= factor[c]
	}
}

func trim(w []float64, maxRatio float64) {
	if maxRatio <= 1 {
		return
	}
	limit := maxRatio * MomentsOf(w).Mean()
	for i := range w {
		w[i] = math.Min(w[i], limit)
	}
}

func marginError(w []float64, margins []Margin) float64 {
	worst := 0.0
	for _, m := range margins {
		for c, s := range marginSums(w, m) {
			if m.Target[c] > 0 {
				worst = math.Max(worst, math.Abs(s/m.Target[c]-1))
			}
		}
	}
	return worst
}

// RakeTable fits a table of counts to row and column totals.
func RakeTable(table [][]float64, rows, cols []float64) ([][]float64, error) {
	var base []float64
	r, c := Margin{Target: rows}, Margin{Target: cols}
	for i, line := range table {
		for j, v := range line {
			base = append(base, v)
			r.Of, c.Of = append(r.Of, i), append(c.Of, j)
		}
	}
	raked, err := Rake(base, []Margin{r, c}, RakeOptions{})
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(table))
	rest := raked.Weights
	for i, line := range table {
		out[i], rest = rest[:len(line)], rest[len(line):]
	}
	return out, nil
}

// Mean estimates the raked mean of a value per respondent. Its variance is that
// of the residuals from the raked margins (Deville, Särndal and Sautory 1993):
// what the margins explain no longer adds to the error.
func (r Raking) Mean(values []float64, level float64) Estimate {
	level = checkLevel(level)
	mean, variance := r.linear(values)
	e := Estimate{Value: mean, Low: math.NaN(), High: math.NaN(),
		N: int64(len(values)), NEff: r.NEff, Level: level, Method: "t-raked"}
	if r.NEff > 1 {
		h := tFor(level, r.NEff-1) * math.Sqrt(variance)
		e.Low, e.High = mean-h, mean+h
	}
	return e
}

// NPS estimates the raked net promoter score from one value per respondent: 1
// promoter, 0 passive, −1 detractor.
func (r Raking) NPS(answers []float64, level float64) Estimate {
	mean, variance := r.linear(answers)
	var p, d, total float64
	for i, a := range answers {
		total += r.Weights[i]
		if a > 0 {
			p += r.Weights[i]
		} else if a < 0 {
			d += r.Weights[i]
		}
	}
	p, d = p/total, d/total
	n := r.NEff
	if s := p + d - mean*mean; s > 0 && variance > 0 {
		n = s / variance
	}
	if r.NEff > 1 { // Korn and Graubard (1998): charge the estimated variance
		ratio := zFor(checkLevel(level)) / tFor(checkLevel(level), r.NEff-1)
		n *= ratio * ratio
	}
	e := npsScore(p*n, (1-p-d)*n, d*n, int64(len(answers)), level)
	e.Method = "nps-score-raked"
	return e
}

// linear is the weighted mean and its variance from the squared errors of
// residuals.
func (r Raking) linear(values []float64) (mean, variance float64) {
	var w, wx float64
	for i, v := range values {
		w += r.Weights[i]
		wx += r.Weights[i] * v
	}
	for i, e2 := range r.residuals(values) {
		variance += r.Weights[i] * r.Weights[i] * e2
	}
	return wx / w, variance / (w * w)
}

// residuals regresses the values on the margins' categories, weighted, and
// returns squared residuals as they would be had the respondent not been used
// (divided by one less the leverage, the jackknife of MacKinnon and White).
// The more a respondent alone carries a category, the less its own residual
// says, so it is mixed with the common residual variance by leverage.
func (r Raking) residuals(values []float64) []float64 {
	inverse, beta := r.regress(values)
	square, leverage := make([]float64, len(values)), make([]float64, len(values))
	var at []int
	var sum, free float64
	for i, v := range values {
		at = r.design(at[:0], i)
		for _, a := range at {
			v -= beta[a]
			for _, b := range at {
				leverage[i] += r.Weights[i] * inverse.At(a, b)
			}
		}
		square[i] = v * v
		sum += r.Weights[i] * square[i]
		free += r.Weights[i] * (1 - leverage[i])
	}
	common := sum / math.Max(free, 1e-300)
	for i, h := range leverage {
		own := 0.0
		if h < 1-1e-6 {
			own = square[i] / ((1 - h) * (1 - h))
		}
		square[i] = (1-h)*own + h*common
	}
	return square
}

func (r Raking) regress(values []float64) (inverse *mat.SymDense, beta []float64) {
	cols := 1
	for _, m := range r.margins {
		cols += len(m.Target) - 1
	}
	xtx, xty, at := mat.NewSymDense(cols, nil), make([]float64, cols), []int(nil)
	for i, v := range values {
		at = r.design(at[:0], i)
		for k, a := range at {
			xty[a] += r.Weights[i] * v
			for _, b := range at[k:] {
				xtx.SetSym(a, b, xtx.At(a, b)+r.Weights[i])
			}
		}
	}
	ridge := 1e-10 * xtx.At(0, 0) // keeps empty and redundant categories solvable
	for c := range cols {
		xtx.SetSym(c, c, xtx.At(c, c)+ridge)
	}
	inverse, beta = mat.NewSymDense(cols, nil), make([]float64, cols)
	var chol mat.Cholesky
	if chol.Factorize(xtx) && chol.InverseTo(inverse) == nil {
		mat.NewVecDense(cols, beta).MulVec(inverse, mat.NewVecDense(cols, xty))
	}
	return inverse, beta
}

// design lists the columns that are 1 for a respondent: the intercept and each
// margin's category beyond its first.
func (r Raking) design(at []int, i int) []int {
	at = append(at, 0)
	next := 1
	for _, m := range r.margins {
		if c := m.Of[i]; c > 0 {
			at = append(at, next+c-1)
		}
		next += len(m.Target) - 1
	}
	return at
}

// Stratum is one stratum of a population with its sample summary.
type Stratum struct {
	Population float64 // size of the stratum in the population
	N          int64   // answers in the sample
	Mean       float64
	Variance   float64 // of one answer
}

// NPSStratum summarises answers of one stratum for [Stratified], in points. It
// scales the variance p + d − (p − d)² by n/(n−1), as survey formulas do.
func NPSStratum(population float64, c NPSCounts) Stratum {
	n := float64(c.N())
	return Stratum{Population: population, N: c.N(), Mean: c.Score(), Variance: 1e4 * c.Variance() * n / (n - 1)}
}

// MeanStratum summarises values of one stratum for [Stratified].
func MeanStratum(population float64, m Moments) Stratum {
	return Stratum{Population: population, N: m.N, Mean: m.Mean(), Variance: m.Variance()}
}

// Stratified combines strata by population size, var = Σ W²·s²/n. With finite
// true, each stratum is multiplied by 1 − n/N: a census has no sampling error.
// Strata without answers make the estimate unknown, strata with one its interval;
// merge such strata first. The interval is normal.
func Stratified(strata []Stratum, finite bool, level float64) Estimate {
	level = checkLevel(level)
	var population, ws, ww float64
	var n int64
	for _, s := range strata {
		population += s.Population
		n += s.N
	}
	var mean, variance float64
	for _, s := range strata {
		if s.N == 0 {
			return unknown(n, 0, level, "stratified")
		}
		share := s.Population / population
		v := share * share * s.Variance / float64(s.N)
		if finite {
			v *= math.Max(0, 1-float64(s.N)/s.Population)
		}
		mean += share * s.Mean
		variance += v
		ws += share
		ww += share * share / float64(s.N)
	}
	h := zFor(level) * math.Sqrt(variance)
	return Estimate{Value: mean, Low: mean - h, High: mean + h, N: n, NEff: ws * ws / ww, Level: level, Method: "stratified"}
}
