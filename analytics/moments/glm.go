package moments

import (
	"errors"
	"math"
)

// model is a ridge regression with an intercept: linear, or logistic for
// outcomes 0 and 1.
type model struct {
	logistic bool
	beta     []float64 // intercept first, then one for each covariate
}

// errModel is returned where no model can be fitted.
var errModel = errors.New("moments: the model of these covariates has no solution")

// fit estimates a model on the rows that use marks. The covariates should have
// spread about 1; ridge is the weight of the squared coefficients, in rows, and
// keeps them finite where a covariate separates the outcomes.
func fit(x *matrix, y []float64, use []bool, logistic bool, ridge float64) (*model, error) {
	return refit(nil, x, y, use, logistic, ridge)
}

// refit is fit that begins at the coefficients of a model of similar rows, which
// saves rounds.
func refit(like *model, x *matrix, y []float64, use []bool, logistic bool, ridge float64) (*model, error) {
	p := x.cols + 1
	m := &model{logistic: logistic, beta: make([]float64, p)}
	n, sum := 0, 0.0
	for i, in := range use {
		if in {
			n++
			sum += y[i]
		}
	}
	if n == 0 {
		return nil, errModel
	}
	mean := sum / float64(n)
	switch {
	case like != nil:
		copy(m.beta, like.beta)
	case !logistic:
		m.beta[0] = mean
	default:
		mean = min(max(mean, 0.5/float64(n)), 1-0.5/float64(n))
		m.beta[0] = math.Log(mean / (1 - mean))
	}
	h, g := make([]float64, p*p), make([]float64, p)
	rounds := 1
	if logistic {
		rounds = 25
	}
	for range rounds {
		m.normal(x, y, use, ridge, h, g)
		if !solve(h, g, p) {
			return nil, errModel
		}
		largest := 0.0
		for _, d := range g {
			largest = max(largest, math.Abs(d))
		}
		scale := 1.0
		if logistic && largest > 4 {
			scale = 4 / largest // a step of Newton's that leaps is shortened
		}
		for j, d := range g {
			m.beta[j] += scale * d
		}
		if largest < 1e-5 {
			break
		}
	}
	return m, nil
}

// normal fills the lower half of the matrix h and the gradient g of one step of
// Newton's method.
func (m *model) normal(x *matrix, y []float64, use []bool, ridge float64, h, g []float64) {
	p := len(m.beta)
	clear(h)
	clear(g)
	for i, in := range use {
		if !in {
			continue
		}
		row := x.row(i)
		mu := m.at(row)
		w := 1.0
		if m.logistic {
			w = max(mu*(1-mu), 1e-9)
		}
		r := y[i] - mu
		h[0] += w
		g[0] += r
		for j, v := range row {
			if v == 0 {
				continue
			}
			g[j+1] += r * v
			wv := w * v
			line := h[(j+1)*p:]
			line[0] += wv
			for k, u := range row[:j+1] {
				line[k+1] += wv * u
			}
		}
	}
	for j := 1; j < p; j++ {
		h[j*p+j] += ridge
		g[j] -= ridge * m.beta[j]
	}
	h[0] += 1e-9
}

// at predicts the outcome of a row of covariates.
func (m *model) at(row []float64) float64 {
	s := m.beta[0]
	for j, v := range row {
		s += m.beta[j+1] * v
	}
	if m.logistic {
		return 1 / (1 + math.Exp(-s))
	}
	return s
}

// solve replaces b by the solution of a·x = b for a symmetric positive definite
// matrix whose lower half is given, by Cholesky's decomposition. It returns false
// when the matrix is not positive definite.
func solve(a, b []float64, p int) bool {
	for j := range p {
		d := a[j*p+j]
		for k := range j {
			d -= a[j*p+k] * a[j*p+k]
		}
		if !(d > 1e-12) {
			return false
		}
		d = math.Sqrt(d)
		a[j*p+j] = d
		for i := j + 1; i < p; i++ {
			s := a[i*p+j]
			for k := range j {
				s -= a[i*p+k] * a[j*p+k]
			}
			a[i*p+j] = s / d
		}
	}
	for i := range p {
		for k := range i {
			b[i] -= a[i*p+k] * b[k]
		}
		b[i] /= a[i*p+i]
	}
	for i := p - 1; i >= 0; i-- {
		for k := i + 1; k < p; k++ {
			b[i] -= a[k*p+i] * b[k]
		}
		b[i] /= a[i*p+i]
	}
	return true
}

// matrix holds rows of covariates.
type matrix struct {
	cols   int
	values []float64
}

func (x *matrix) row(i int) []float64 { return x.values[i*x.cols : (i+1)*x.cols] }

// narrowest is the least spread by which a column is divided: that of a flag that
// half of the rows have. Dividing what is nearly always zero by its tiny spread
// would make the few other values so large that the ridge no longer holds their
// coefficient, and the weight of a single row could outweigh all others.
const narrowest = 0.5

// scaled returns the matrix with each column divided by its spread, and the
// spreads in the units of the result. Columns of zeros and ones stay as they are,
// because work passes over zeros; columns without spread become zero.
func (x *matrix) scaled(n int) (out *matrix, spread []float64) {
	out = &matrix{cols: x.cols, values: make([]float64, len(x.values))}
	spread = make([]float64, x.cols)
	for j := range x.cols {
		mean, square, flags := 0.0, 0.0, true
		for i := range n {
			v := x.values[i*x.cols+j]
			mean += v
			flags = flags && (v == 0 || v == 1)
		}
		mean /= float64(n)
		for i := range n {
			d := x.values[i*x.cols+j] - mean
			square += d * d
		}
		sd := math.Sqrt(square / float64(n))
		if sd < 1e-9 {
			continue
		}
		by := max(sd, narrowest)
		if flags {
			by = 1
		}
		spread[j] = sd / by
		for i := range n {
			out.values[i*x.cols+j] = x.values[i*x.cols+j] / by
		}
	}
	return out, spread
}
