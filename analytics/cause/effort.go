package cause

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// EffortOptions of [EffortCurve].
type EffortOptions struct {
	Falling   bool // the outcome falls with effort, as satisfaction with waiting
	Resamples int  // bootstrap resamples, default 200
	Level     float64
	Seed      uint64
}

// CurvePoint is the curve at one effort.
type CurvePoint struct {
	Effort           float64
	Value, Low, High float64 // pointwise percentile bootstrap
	N                int
}

// Curve is a monotone relation of effort and outcome.
type Curve struct {
	Points                  []CurvePoint
	Knee                    float64 // effort at which the slope changes most
	KneeLow, KneeHigh       float64
	SlopeBefore, SlopeAfter float64 // per unit of effort
	Sharp                   float64 // share of a straight line's error that the knee removes, 0 to 1
	Clear                   bool    // both slopes differ in at least 95 % of resamples by the same sign, and the interval is narrower than half the range
	Level                   float64
}

// ErrEffort says that a curve cannot be drawn.
var ErrEffort = errors.New("cause: cannot draw the effort curve")

// EffortCurve fits how an outcome goes with effort (minutes waited, contacts
// needed) by isotonic regression, which assumes the direction and nothing else,
// and finds the knee: the break of the continuous two-piece line nearest to the
// data (segmented regression). A service level belongs where the curve bends.
// Intervals are percentiles over resampled customers. Read [Curve.Clear] before
// quoting the knee: a straight relation has none.
func EffortCurve(effort, outcome []float64, opt EffortOptions) (Curve, error) {
	if len(effort) != len(outcome) || len(effort) < 10 {
		return Curve{}, fmt.Errorf("%w: %d efforts and %d outcomes, want at least 10 of each", ErrEffort, len(effort), len(outcome))
	}
	for i := range effort {
		if !finite(effort[i]) || !finite(outcome[i]) {
			return Curve{}, fmt.Errorf("%w: row %d is not finite", ErrEffort, i)
		}
	}
	g := groupEffort(effort, outcome)
	if len(g.x) < 4 {
		return Curve{}, fmt.Errorf("%w: %d different efforts, want at least 4", ErrEffort, len(g.x))
	}
	opt.Resamples = cmp.Or(opt.Resamples, 200)
	level, _ := levelZ(opt.Level)
	fitted := g.monotone(opt.Falling)
	k := g.knee()
	c := Curve{Knee: k.at, SlopeBefore: k.before, SlopeAfter: k.after, Sharp: k.sharp, Level: level}
	at, curves, bends := g.bootstrap(opt)
	slices.Sort(at)
	c.KneeLow, c.KneeHigh = percentile(at, (1-level)/2), percentile(at, (1+level)/2)
	for i, x := range g.x {
		column := make([]float64, len(curves))
		for b := range curves {
			column[b] = curves[b][i]
		}
		slices.Sort(column)
		c.Points = append(c.Points, CurvePoint{Effort: x, Value: fitted[i], N: int(g.n[i]),
			Low: percentile(column, (1-level)/2), High: percentile(column, (1+level)/2)})
	}
	same := 0
	for _, b := range bends {
		if b*(k.after-k.before) > 0 {
			same++
		}
	}
	c.Clear = float64(same) >= 0.95*float64(len(bends)) && c.KneeHigh-c.KneeLow < (g.x[len(g.x)-1]-g.x[0])/2
	return c, nil
}

// effortGroups are the outcomes by effort, ascending.
type effortGroups struct {
	x, n, mean []float64
	effort     []int // group of each row
	outcome    []float64
}

func groupEffort(effort, outcome []float64) effortGroups {
	x := slices.Clone(effort)
	slices.Sort(x)
	g := effortGroups{x: slices.Compact(x), outcome: outcome}
	for _, e := range effort {
		k, _ := slices.BinarySearch(g.x, e)
		g.effort = append(g.effort, k)
	}
	g.average(indices(len(effort)))
	return g
}

func (g *effortGroups) average(rows []int) {
	g.n, g.mean = make([]float64, len(g.x)), make([]float64, len(g.x))
	for _, i := range rows {
		g.n[g.effort[i]]++
		g.mean[g.effort[i]] += g.outcome[i]
	}
	for k := range g.mean {
		if g.n[k] > 0 {
			g.mean[k] /= g.n[k]
		}
	}
}

// monotone is the isotonic fit at every effort; efforts without rows take the
// value of the one before.
func (g effortGroups) monotone(falling bool) []float64 {
	sign := 1.0
	if falling {
		sign = -1
	}
	var y, w []float64
	for k := range g.x {
		if g.n[k] > 0 {
			y, w = append(y, sign*g.mean[k]), append(w, g.n[k])
		}
	}
	fit := Isotonic(y, w)
	out := make([]float64, len(g.x))
	at := -1
	for k := range g.x {
		if g.n[k] > 0 {
			at++
		}
		out[k] = sign * fit[max(at, 0)]
	}
	return out
}

type bend struct{ at, before, after, sharp float64 }

// knee tries a break between any two efforts on a grid of at most 100.
func (g effortGroups) knee() bend {
	line := g.broken(math.Inf(1))
	best, bestError := bend{at: g.x[len(g.x)/2], before: line.before, after: line.before}, line.sharp
	step := max(1, len(g.x)/100)
	for k := 1; k < len(g.x)-1; k += step {
		if b := g.broken(g.x[k]); b.sharp < bestError {
			best, bestError = b, b.sharp
		}
	}
	best.sharp = 0
	if line.sharp > 0 {
		best.sharp = max(0, 1-bestError/line.sharp)
	}
	return best
}

// broken fits a + b·x + c·max(0, x−at) by weighted least squares; sharp holds the
// squared error.
func (g effortGroups) broken(at float64) bend {
	var a [4][4]float64
	for k, x := range g.x {
		r := [4]float64{1, x - g.x[0], max(0, x-at), g.mean[k]}
		for i := range 4 {
			for j := range 4 {
				a[i][j] += g.n[k] * r[i] * r[j]
			}
		}
	}
	flat := make([]float64, 0, 16)
	for i := range 4 {
		flat = append(flat, a[i][:]...)
	}
	scale := [3]float64{flat[0], flat[5], flat[10]}
	used := [3]bool{}
	for j := range 3 {
		if scale[j] > 0 && flat[j*4+j] > 1e-10*scale[j] {
			used[j] = sweep(flat, 4, j)
		}
	}
	b := bend{at: at, sharp: max(0, flat[15])}
	if used[1] {
		b.before = flat[1*4+3]
	}
	b.after = b.before
	if used[2] {
		b.after += flat[2*4+3]
	}
	return b
}

func (g effortGroups) bootstrap(opt EffortOptions) (at []float64, curves [][]float64, bends []float64) {
	rng := rand.New(rand.NewPCG(opt.Seed, 0))
	rows := indices(len(g.outcome))
	for range opt.Resamples {
		resample(rng, rows)
		g.average(rows)
		k := g.knee()
		at = append(at, k.at)
		bends = append(bends, k.after-k.before)
		curves = append(curves, g.monotone(opt.Falling))
	}
	return at, curves, bends
}
