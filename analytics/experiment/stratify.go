package experiment

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Pair is the two arms of one stratum.
type Pair struct{ Control, Treated Arm }

// ErrStrata says that a stratum cannot be computed.
var ErrStrata = errors.New("experiment: a stratum is singular")

// Stratify is [Measure] after post-stratification: the effect is estimated in
// each stratum and averaged by stratum size, its variance counting that the
// sizes are themselves a sample (Miratrix, Sekhon and Yu 2013). Strata that are too small join the largest.
func Stratify(strata []Pair, scale Scale) (Effect, error) {
	whole, err := together(strata)
	if err != nil {
		return Effect{}, err
	}
	strata = withoutDeadCovariates(strata, whole)
	whole, err = together(strata)
	if err != nil {
		return Effect{}, err
	}
	if whole.Control.degenerate() || whole.Treated.degenerate() {
		return Effect{}, ErrVariance
	}
	if whole.Control.plain() == 0 {
		return Effect{}, ErrBaseline
	}
	cells, err := viable(strata)
	if err != nil {
		return Effect{}, err
	}
	if len(cells) == 1 {
		return Measure(cells[0].Control, cells[0].Treated, scale)
	}
	e, err := combine(cells, scale)
	if err != nil {
		return Effect{}, err
	}
	a, b := adjust(whole.Control, whole.Treated)
	e.DF, e.Baseline = welch(a, b), a.plain()
	return e, nil
}

func together(strata []Pair) (Pair, error) {
	if len(strata) == 0 {
		return Pair{}, ErrStrata
	}
	out := strata[0]
	for _, s := range strata[1:] {
		var err error
		if out, err = out.add(s); err != nil {
			return Pair{}, err
		}
	}
	return out, nil
}

func (p Pair) add(o Pair) (Pair, error) {
	a, err := p.Control.Add(o.Control)
	if err != nil {
		return Pair{}, err
	}
	b, err := p.Treated.Add(o.Treated)
	return Pair{a, b}, err
}

func (p Pair) n() float64 { return p.Control.n + p.Treated.n }

// withoutDeadCovariates drops measures from before that do not vary.
func withoutDeadCovariates(strata []Pair, whole Pair) []Pair {
	dead := false
	for _, a := range []Arm{whole.Control, whole.Treated} {
		for _, i := range a.before() {
			dead = dead || a.cov(i, i) <= 0
		}
	}
	if !dead {
		return strata
	}
	out := make([]Pair, len(strata))
	for i, s := range strata {
		out[i] = Pair{s.Control.unadjusted(), s.Treated.unadjusted()}
	}
	return out
}

// outcomes and before are the indices of the measures after and before.
func (a Arm) outcomes() []int {
	if a.kind == ratioKind || a.kind == adjustedRatioKind {
		return []int{0, 1}
	}
	return []int{0}
}

func (a Arm) before() []int {
	switch a.kind {
	case adjustedKind:
		return []int{1}
	case adjustedRatioKind:
		return []int{2, 3}
	}
	return nil
}

// viable joins strata that cannot stand alone with the largest.
func viable(strata []Pair) ([]Pair, error) {
	sorted := slices.Clone(strata)
	slices.SortStableFunc(sorted, func(a, b Pair) int { return cmp.Compare(b.n(), a.n()) })
	cells := sorted[:1:1]
	for _, s := range sorted[1:] {
		alone := !s.Control.degenerate() && !s.Treated.degenerate()
		if s.Control.kind == adjustedRatioKind && s.n() <= 6 {
			alone = false
		}
		if alone {
			cells = append(cells, s)
			continue
		}
		joined, err := cells[0].add(s)
		if err != nil {
			return nil, err
		}
		cells[0] = joined
	}
	return cells, nil
}

// cell is what a stratum says: for each outcome the control's mean and the
// effect, and n times their covariance.
type cell struct {
	n     float64
	alpha []float64
	cov   *mat.SymDense
}

func combine(pairs []Pair, scale Scale) (Effect, error) {
	cells := make([]cell, len(pairs))
	total := 0.0
	for i, p := range pairs {
		var err error
		if cells[i], err = p.cell(); err != nil {
			return Effect{}, err
		}
		total += cells[i].n
	}
	dim := len(cells[0].alpha)
	mean := make([]float64, dim)
	for _, c := range cells {
		for i, a := range c.alpha {
			mean[i] += c.n / total * a
		}
	}
	cov := mat.NewSymDense(dim, nil)
	for i := range dim {
		for j := i; j < dim; j++ {
			v := -mean[i] * mean[j]
			for _, c := range cells {
				share := c.n / total
				v += share*c.alpha[i]*c.alpha[j] + share*c.cov.At(i, j)
			}
			cov.SetSym(i, j, v/total)
		}
	}
	value, gradient, baseline := contrast(mean, scale)
	if baseline == 0 {
		return Effect{}, ErrBaseline
	}
	variance := 0.0
	for i, g := range gradient {
		for j, h := range gradient {
			variance += g * h * cov.At(i, j)
		}
	}
	if !(variance > 0) {
		return Effect{}, ErrVariance
	}
	return Effect{Value: value, StdErr: math.Sqrt(variance), N: int64(total)}, nil
}

// contrast turns averaged means into the effect with its gradient.
func contrast(m []float64, scale Scale) (value float64, gradient []float64, baseline float64) {
	if len(m) == 2 {
		if scale == Absolute {
			return m[1], []float64{0, 1}, m[0]
		}
		size := math.Abs(m[0])
		return m[1] / size, []float64{-m[1] / (m[0] * size), 1 / size}, m[0]
	}
	num, den := m[0]+m[1], m[2]+m[3]
	if m[2] == 0 || den == 0 {
		return 0, make([]float64, 4), 0
	}
	base := m[0] / m[2]
	g := []float64{1/den - 1/m[2], 1 / den, -num/(den*den) + m[0]/(m[2]*m[2]), -num / (den * den)}
	if scale == Absolute {
		return num/den - base, g, base
	}
	size, ratio := math.Abs(base), num/den/base
	for i := range g {
		g[i] /= size
	}
	// The baseline itself moves with the control's two means.
	g[0] -= (ratio - 1) / (m[2] * size)
	g[2] += (ratio - 1) * base / (m[2] * size)
	return (num/den - base) / size, g, base
}

func (p Pair) cell() (cell, error) {
	if p.Control.degenerate() || p.Treated.degenerate() {
		return cell{}, ErrVariance
	}
	for _, i := range p.Control.before() {
		if p.Control.cov(i, i) <= 0 || p.Treated.cov(i, i) <= 0 {
			return Pair{p.Control.unadjusted(), p.Treated.unadjusted()}.cell()
		}
	}
	if len(p.Control.before()) == 0 {
		return p.plainCell(), nil
	}
	return p.regressedCell()
}

func (p Pair) plainCell() cell {
	out, n := p.Control.outcomes(), p.n()
	c := cell{n: n, alpha: make([]float64, 2*len(out)), cov: mat.NewSymDense(2*len(out), nil)}
	for i := range out {
		a := p.Control.mean(i)
		c.alpha[2*i], c.alpha[2*i+1] = a, p.Treated.mean(i)-a
		for j := range out {
			va, vb := p.Control.cov(i, j)*n/p.Control.n, p.Treated.cov(i, j)*n/p.Treated.n
			c.cov.SetSym(2*i, 2*j, va)
			c.cov.SetSym(2*i+1, 2*j+1, va+vb)
			c.cov.SetSym(2*i, 2*j+1, -va)
		}
	}
	return c
}

// regressedCell takes the means from a regression on arm and measures before.
func (p Pair) regressedCell() (cell, error) {
	both, err := p.Control.Add(p.Treated)
	if err != nil {
		return cell{}, err
	}
	out, pre, n := p.Control.outcomes(), p.Control.before(), p.n()
	xtx, xty := p.normalEquations(both, out, pre)
	k, q := len(pre)+2, len(out)
	var chol mat.Cholesky
	inverse, gamma := mat.NewSymDense(k, nil), mat.NewDense(k, q, nil)
	if !chol.Factorize(xtx) || chol.InverseTo(inverse) != nil {
		return cell{}, ErrStrata
	}
	gamma.Mul(inverse, xty)
	free := n - 3*float64(q)
	sigma := func(i, j int) float64 {
		s := both.product[i][j]
		for r := range k {
			s -= xty.At(r, i) * gamma.At(r, j)
		}
		return s / free
	}
	// The control's mean is the prediction at the average measures before, which
	// are themselves estimated.
	point := make([]float64, k)
	point[0] = 1
	for r, i := range pre {
		point[r+2] = both.mean(i)
	}
	c := cell{n: n, alpha: make([]float64, 2*q), cov: mat.NewSymDense(2*q, nil)}
	for i := range out {
		c.alpha[2*i+1] = gamma.At(1, i)
		for r, x := range point {
			c.alpha[2*i] += x * gamma.At(r, i)
		}
		for j := range out {
			s := sigma(i, j)
			at, cross, spread := 0.0, 0.0, 0.0
			for r, x := range point {
				cross += x * inverse.At(r, 1)
				for t, y := range point {
					at += x * y * inverse.At(r, t)
				}
			}
			for r, a := range pre {
				for t, b := range pre {
					spread += both.cov(a, b) / n * (s*inverse.At(r+2, t+2) + gamma.At(r+2, i)*gamma.At(t+2, j))
				}
			}
			c.cov.SetSym(2*i, 2*j, n*(s*at+spread))
			c.cov.SetSym(2*i+1, 2*j+1, n*s*inverse.At(1, 1))
			c.cov.SetSym(2*i, 2*j+1, n*s*cross)
		}
	}
	return c, nil
}

func (p Pair) normalEquations(both Arm, out, pre []int) (*mat.SymDense, *mat.Dense) {
	k := len(pre) + 2
	xtx, xty := mat.NewSymDense(k, nil), mat.NewDense(k, len(out), nil)
	xtx.SetSym(0, 0, both.n)
	xtx.SetSym(0, 1, p.Treated.n)
	xtx.SetSym(1, 1, p.Treated.n)
	for r, i := range pre {
		xtx.SetSym(0, r+2, both.sum[i])
		xtx.SetSym(1, r+2, p.Treated.sum[i])
		for t, j := range pre {
			xtx.SetSym(r+2, t+2, both.product[i][j])
		}
	}
	for c, o := range out {
		xty.Set(0, c, both.sum[o])
		xty.Set(1, c, p.Treated.sum[o])
		for r, i := range pre {
			xty.Set(r+2, c, both.product[i][o])
		}
	}
	return xtx, xty
}
