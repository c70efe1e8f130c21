package cause

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"omote/analytics/stats"
)

// MaxShapley is the most predictors the Shapley split is computed for: it looks
// at every subset.
const MaxShapley = 15

// HighVIF is the variance inflation from which a predictor counts as collinear:
// its own coefficient can then not be told from those of others.
const HighVIF = 5

// DriverOptions set the intervals of [Drivers] and [OrdinalDrivers].
type DriverOptions struct {
	Resamples int     // bootstrap resamples, 0 for none
	Level     float64 // of the intervals, default [stats.DefaultLevel]
	Seed      uint64
}

// Driver is one predictor's part in the explained variance.
type Driver struct {
	Name           string
	Shapley        float64 // LMG; NaN beyond [MaxShapley] predictors
	ShapleyLow     float64 // percentile bootstrap; NaN without resamples
	ShapleyHigh    float64
	RelativeWeight float64 // Johnson's; NaN for ordered answers
	RelativeLow    float64
	RelativeHigh   float64
	StandardCoef   float64 // standardised coefficient with all others held
	VIF            float64 // variance inflation; +Inf when others determine it
	Collinear      bool    // VIF at least [HighVIF]
}

// DriverReport is the answer of [Drivers] and [OrdinalDrivers].
type DriverReport struct {
	R2        float64 // explained by all; the drivers' parts sum to it
	N         int
	Drivers   []Driver
	Collinear bool // some driver is: trust the parts, not the single coefficients
	Level     float64
	Resamples int // that could be computed
}

// ErrDrivers says that drivers cannot be computed.
var ErrDrivers = errors.New("cause: cannot compute drivers")

// Drivers splits the explained variance R² of y among the columns of x (one row
// per answer) in the two ways that share it fairly when columns are correlated:
//
//   - Shapley, also LMG (Lindeman, Merenda and Gold 1980; Grömping 2006): the
//     R² a predictor adds, averaged over all orders of entering;
//   - relative weights (Johnson 2000): the R² of the nearest uncorrelated
//     predictors, carried back by their squared correlations.
//
// Both are never below zero and sum to R². They describe association, not what
// would happen if the predictor were changed. Predictors and y must vary.
func Drivers(names []string, x [][]float64, y []float64, opt DriverOptions) (DriverReport, error) {
	if err := checkDrivers(names, x, len(y)); err != nil {
		return DriverReport{}, err
	}
	rows := indices(len(y))
	r, err := correlations(x, y, rows)
	if err != nil {
		return DriverReport{}, err
	}
	rep := newReport(names, len(y), opt)
	p := len(names)
	rep.R2, _ = sweptR2(r, p)
	shapley, relative := splitR2(r, p)
	coef, vif := coefficients(r, p)
	for j := range rep.Drivers {
		d := &rep.Drivers[j]
		d.Shapley, d.RelativeWeight, d.StandardCoef = shapley[j], relative[j], coef[j]
		rep.inflation(j, vif[j])
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 0))
	var boots, weights [][]float64
	for range opt.Resamples {
		resample(rng, rows)
		b, err := correlations(x, y, rows)
		if err != nil {
			continue
		}
		s, w := splitR2(b, p)
		boots, weights = append(boots, s), append(weights, w)
	}
	rep.intervals(boots, func(d *Driver) (*float64, *float64) { return &d.ShapleyLow, &d.ShapleyHigh })
	rep.intervals(weights, func(d *Driver) (*float64, *float64) { return &d.RelativeLow, &d.RelativeHigh })
	return rep, nil
}

// OrdinalDrivers is [Drivers] for ordered answers y (0 to categories−1), such as
// a satisfaction from 1 to 5: the Shapley split of McFadden's R² of the
// proportional-odds model (dominance analysis; Azen and Traxel 2009). It fits
// 2^p models and takes at most 10 predictors. StandardCoef is the change in log
// odds per standard deviation.
func OrdinalDrivers(names []string, x [][]float64, y []int, categories int, opt DriverOptions) (DriverReport, error) {
	if err := checkDrivers(names, x, len(y)); err != nil {
		return DriverReport{}, err
	}
	p := len(names)
	if p > 10 {
		return DriverReport{}, fmt.Errorf("%w: %d predictors for ordered answers, at most 10", ErrDrivers, p)
	}
	rows := indices(len(y))
	flat := make([]float64, len(y))
	for i, v := range y {
		flat[i] = float64(v)
	}
	r, err := correlations(x, flat, rows)
	if err != nil {
		return DriverReport{}, err
	}
	rep := newReport(names, len(y), opt)
	r2, full, err := ordinalR2(x, y, rows, categories, p)
	if err != nil {
		return DriverReport{}, err
	}
	rep.R2 = r2[len(r2)-1]
	shapley := shapleyOf(r2, p)
	_, vif := coefficients(r, p)
	for j := range rep.Drivers {
		d := &rep.Drivers[j]
		d.Shapley, d.RelativeWeight = shapley[j], math.NaN()
		d.StandardCoef = full.Coef[j] * deviationOf(x, j)
		rep.inflation(j, vif[j])
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 0))
	var boots [][]float64
	for range opt.Resamples {
		resample(rng, rows)
		if b, _, err := ordinalR2(x, y, rows, categories, p); err == nil {
			boots = append(boots, shapleyOf(b, p))
		}
	}
	rep.intervals(boots, func(d *Driver) (*float64, *float64) { return &d.ShapleyLow, &d.ShapleyHigh })
	return rep, nil
}

func checkDrivers(names []string, x [][]float64, n int) error {
	p := len(names)
	if p == 0 || len(x) != n || n < p+2 {
		return fmt.Errorf("%w: %d rows and %d answers for %d predictors", ErrDrivers, len(x), n, p)
	}
	if p > 62 {
		return fmt.Errorf("%w: %d predictors, at most 62", ErrDrivers, p)
	}
	for i, row := range x {
		if len(row) != p {
			return fmt.Errorf("%w: row %d has %d values for %d predictors", ErrDrivers, i, len(row), p)
		}
	}
	return nil
}

func newReport(names []string, n int, opt DriverOptions) DriverReport {
	rep := DriverReport{N: n, Drivers: make([]Driver, len(names))}
	rep.Level, _ = levelZ(opt.Level)
	nan := math.NaN()
	for j, name := range names {
		rep.Drivers[j] = Driver{Name: name, ShapleyLow: nan, ShapleyHigh: nan, RelativeLow: nan, RelativeHigh: nan}
	}
	return rep
}

func (rep *DriverReport) inflation(j int, vif float64) {
	rep.Drivers[j].VIF = vif
	rep.Drivers[j].Collinear = vif >= HighVIF
	rep.Collinear = rep.Collinear || vif >= HighVIF
}

// intervals are percentiles of the resamples.
func (rep *DriverReport) intervals(boots [][]float64, ends func(*Driver) (low, high *float64)) {
	rep.Resamples = len(boots)
	if len(boots) < 20 {
		return
	}
	column := make([]float64, len(boots))
	for j := range rep.Drivers {
		for b := range boots {
			column[b] = boots[b][j]
		}
		slices.Sort(column)
		low, high := ends(&rep.Drivers[j])
		*low, *high = percentile(column, (1-rep.Level)/2), percentile(column, (1+rep.Level)/2)
	}
}

// percentile of ascending values, interpolated.
func percentile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	k := int(at)
	if k+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[k] + (at-float64(k))*(sorted[k+1]-sorted[k])
}

func indices(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

func resample(rng *rand.Rand, rows []int) {
	for i := range rows {
		rows[i] = rng.IntN(len(rows))
	}
}

// correlations of the columns of x, with those of y last.
func correlations(x [][]float64, y []float64, rows []int) (*mat.SymDense, error) {
	p := len(x[0])
	n := float64(len(rows))
	mean := make([]float64, p+1)
	at := func(i, j int) float64 {
		if j == p {
			return y[i]
		}
		return x[i][j]
	}
	for _, i := range rows {
		for j := range mean {
			mean[j] += at(i, j) / n
		}
	}
	r := mat.NewSymDense(p+1, nil)
	dev := make([]float64, p+1)
	sums := make([]float64, (p+1)*(p+1))
	for _, i := range rows {
		for j := range dev {
			dev[j] = at(i, j) - mean[j]
			for k := range j + 1 {
				sums[j*(p+1)+k] += dev[j] * dev[k]
			}
		}
	}
	for j := range p + 1 {
		v := sums[j*(p+1)+j]
		if !(v > 1e-24*n*(1+mean[j]*mean[j])) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%w: column %d does not vary or is not finite", ErrDrivers, j)
		}
		for k := range j + 1 {
			r.SetSym(j, k, sums[j*(p+1)+k]/math.Sqrt(v*sums[k*(p+1)+k]))
		}
	}
	return r, nil
}

// leastPivot is the share of a predictor's variance that others must leave.
const leastPivot = 1e-10

// sweep takes predictor j into the regression held in the square matrix a.
func sweep(a []float64, m, j int) bool {
	d := a[j*m+j]
	if d < leastPivot {
		return false
	}
	for i := range m {
		if i == j {
			continue
		}
		b := a[i*m+j] / d
		for k := range m {
			if k != j {
				a[i*m+k] -= b * a[j*m+k]
			}
		}
		a[i*m+j] = -b
	}
	for k := range m {
		if k != j {
			a[j*m+k] /= d
		}
	}
	a[j*m+j] = 1 / d
	return true
}

func dense(r *mat.SymDense) []float64 {
	m := r.SymmetricDim()
	a := make([]float64, m*m)
	for i := range m {
		for j := range m {
			a[i*m+j] = r.At(i, j)
		}
	}
	return a
}

// sweptR2 is the R² of all predictors, with the swept matrix.
func sweptR2(r *mat.SymDense, p int) (float64, []float64) {
	a := dense(r)
	for j := range p {
		sweep(a, p+1, j)
	}
	return 1 - a[p*(p+1)+p], a
}

// coefficients are standardised ones with the variance inflation of each.
func coefficients(r *mat.SymDense, p int) (coef, vif []float64) {
	coef, vif = make([]float64, p), make([]float64, p)
	m := p + 1
	for j := range p {
		a := dense(r)
		for k := range p {
			if k != j {
				sweep(a, m, k)
			}
		}
		vif[j] = math.Inf(1)
		if d := a[j*m+j]; d >= leastPivot {
			vif[j] = 1 / d
			coef[j] = a[j*m+p] / d
		}
	}
	return coef, vif
}

// splitR2 gives both splits of R².
func splitR2(r *mat.SymDense, p int) (shapley, relative []float64) {
	relative = relativeWeights(r, p)
	if p <= MaxShapley {
		return shapleyOf(subsetR2(r, p), p), relative
	}
	shapley = make([]float64, p)
	for j := range shapley {
		shapley[j] = math.NaN()
	}
	return shapley, relative
}

// subsetR2 is the R² of every subset of predictors, by the bits of its number.
func subsetR2(r *mat.SymDense, p int) []float64 {
	m := p + 1
	out := make([]float64, 1<<p)
	work := make([][]float64, p+1)
	for k := range work {
		work[k] = make([]float64, m*m)
	}
	copy(work[0], dense(r))
	var add func(depth, set, from int)
	add = func(depth, set, from int) {
		for j := from; j < p; j++ {
			a := work[depth+1]
			copy(a, work[depth])
			sweep(a, m, j)
			out[set|1<<j] = 1 - a[p*m+p]
			add(depth+1, set|1<<j, j+1)
		}
	}
	add(0, 0, 0)
	return out
}

// shapleyOf averages what each member adds to the worth of subsets over all
// orders.
func shapleyOf(worth []float64, p int) []float64 {
	weight := make([]float64, p) // of a subset of that size
	for s := range weight {
		weight[s] = math.Exp(-logChoose(p-1, s)) / float64(p)
	}
	out := make([]float64, p)
	for set := range worth {
		w := 0.0
		if size := bits.OnesCount(uint(set)); size < p {
			w = weight[size]
		}
		for j := range p {
			if set&(1<<j) == 0 {
				out[j] += w * (worth[set|1<<j] - worth[set])
			}
		}
	}
	return out
}

// relativeWeights is Johnson's split: with R = VD²Vᵗ and Λ = VDVᵗ, the nearest
// orthogonal predictors have coefficients Λ⁻¹r, and give back Λ².
func relativeWeights(r *mat.SymDense, p int) []float64 {
	out := make([]float64, p)
	rxx := mat.NewSymDense(p, nil)
	for i := range p {
		for j := range i + 1 {
			rxx.SetSym(i, j, r.At(i, j))
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(rxx, true) {
		for j := range out {
			out[j] = math.NaN()
		}
		return out
	}
	values := eigen.Values(nil)
	var v mat.Dense
	eigen.VectorsTo(&v)
	lambda, beta := make([]float64, p*p), make([]float64, p)
	for k, value := range values {
		if value < leastPivot {
			continue
		}
		root, dot := math.Sqrt(value), 0.0
		for i := range p {
			dot += v.At(i, k) * r.At(i, p)
			for j := range p {
				lambda[i*p+j] += root * v.At(i, k) * v.At(j, k)
			}
		}
		for i := range p {
			beta[i] += v.At(i, k) * dot / root
		}
	}
	for i := range p {
		for j := range p {
			out[i] += lambda[i*p+j] * lambda[i*p+j] * beta[j] * beta[j]
		}
	}
	return out
}

// ordinalR2 is McFadden's R² of every subset, and the full model.
func ordinalR2(x [][]float64, y []int, rows []int, categories, p int) ([]float64, stats.OrdinalModel, error) {
	out := make([]float64, 1<<p)
	n := make([]float64, categories)
	ys := make([]int, len(rows))
	for k, i := range rows {
		if y[i] < 0 || y[i] >= categories {
			return nil, stats.OrdinalModel{}, fmt.Errorf("%w: answer %d is not from 0 to %d", ErrDrivers, y[i], categories-1)
		}
		ys[k] = y[i]
		n[y[i]]++
	}
	null := 0.0
	for _, c := range n {
		if c > 0 {
			null += c * math.Log(c/float64(len(rows)))
		}
	}
	var full stats.OrdinalModel
	xs := make([][]float64, len(rows))
	for set := 1; set < 1<<p; set++ {
		for k, i := range rows {
			xs[k] = xs[k][:0]
			for j := range p {
				if set&(1<<j) != 0 {
					xs[k] = append(xs[k], x[i][j])
				}
			}
		}
		m, err := stats.FitOrdinal(xs, ys, nil, categories)
		if err != nil {
			return nil, full, fmt.Errorf("%w: %w", ErrDrivers, err)
		}
		out[set] = 1 - m.LogLik/null
		full = m
	}
	return out, full, nil
}

func deviationOf(x [][]float64, j int) float64 {
	var m stats.Moments
	for _, row := range x {
		m.Push(row[j])
	}
	return math.Sqrt(m.Variance())
}
