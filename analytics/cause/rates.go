package cause

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// RateTable holds a ratio of two sums over time, such as failures per attempt,
// for each attribute combination: many combinations are small, and some come and
// go. [LocateRates] compares one period with those before.
type RateTable struct {
	keys   *Table
	rows   map[string]int32
	times  map[int64]int
	points []ratePoint
}

type ratePoint struct {
	row      int32
	time     int64
	num, den float64
}

// NewRateTable makes an empty table over named dimensions; see [NewTable].
func NewRateTable(dims ...string) *RateTable {
	return &RateTable{keys: NewTable(dims...), rows: map[string]int32{}, times: map[int64]int{}}
}

// Add appends what one attribute combination had in one period. Rows of the same
// combination and period add up. It panics on negative or infinite sums.
func (t *RateTable) Add(time int64, values []string, num, den float64) {
	if !(num >= 0 && den >= 0) || math.IsInf(num, 0) || math.IsInf(den, 0) {
		panic(fmt.Sprintf("cause: %v/%v is not a ratio of two sums", num, den))
	}
	key := make([]byte, 0, 64)
	for _, v := range values {
		key = append(append(key, v...), 0)
	}
	row, ok := t.rows[string(key)]
	if !ok {
		row = int32(t.keys.Len())
		t.keys.Add(values, 0, 0)
		t.rows[string(key)] = row
	}
	t.times[time]++
	t.points = append(t.points, ratePoint{row, time, num, den})
}

// Times are the periods there are, ascending.
func (t *RateTable) Times() []int64 {
	out := make([]int64, 0, len(t.times))
	for at := range t.times {
		out = append(out, at)
	}
	slices.Sort(out)
	return out
}

// LocateRates finds the attribute combinations whose ratio in the period at left
// what the periods before it led to expect. There must be at least two of those.
//
// Each combination's expected ratio is its own of earlier periods, shrunk to a
// product of an effect for each attribute value; periods whose overall ratio
// stands out are not learned from. A change common to most of the whole is taken
// out first. The evidence for a combination is the log likelihood of its sums
// (quasi-Poisson), divided by the over-dispersion that the same combination
// showed before. Options.MinShare is 0.1 unless given: below that a small error
// in the common change would pass for causes of its own.
func LocateRates(t *RateTable, at int64, opt Options) (Located, error) {
	opt.MinShare = cmp.Or(opt.MinShare, 0.1)
	opt = opt.filled(len(t.keys.dims))
	var before []int64
	for _, time := range t.Times() {
		if time < at {
			before = append(before, time)
		}
	}
	if t.times[at] == 0 {
		return Located{}, fmt.Errorf("cause: nothing in period %d", at)
	}
	if len(before) < 2 {
		return Located{}, fmt.Errorf("cause: %d periods before %d, want at least 2", len(before), at)
	}
	m := t.learn(before, at)
	now := *t.keys
	now.actual, now.expected = m.num, m.exp
	var order []int32
	for i := range m.num {
		if m.num[i] > 0 || m.exp[i] > 0 {
			order = append(order, int32(i))
		}
	}
	m.minEffect = opt.MinEffect
	s := newSearch(&now, order, m, opt)
	return Located{Causes: now.causes(s, opt), Noise: Noise{Spread: math.Sqrt(m.phi), Factor: 1}}, nil
}

// quasi weighs attribute combinations by their sums against expected ones.
type quasi struct {
	num, exp      []float64   // now
	past, pastExp [][]float64 // numerators of earlier periods and what was expected
	phi           float64     // typical over-dispersion of single combinations
	minEffect     float64
}

// priorPeriods is how many periods' worth the typical over-dispersion counts.
const priorPeriods = 3

func (t *RateTable) learn(before []int64, at int64) *quasi {
	n, periods := t.keys.Len(), len(before)
	num, den := grid(periods, n), grid(periods, n)
	m := &quasi{num: make([]float64, n), exp: make([]float64, n)}
	for _, p := range t.points {
		if p.time == at {
			m.num[p.row] += p.num
			m.exp[p.row] += p.den
		} else if k, ok := slices.BinarySearch(before, p.time); ok {
			num[k][p.row] += p.num
			den[k][p.row] += p.den
		}
	}
	num, den = ordinary(num, den)
	rate := t.rates(num, den)
	for i := range m.exp {
		m.exp[i] *= rate[i]
	}
	sq, sum, drift := 0.0, 0.0, 0.0
	for k := range num {
		exp := make([]float64, n)
		for i := range exp {
			exp[i] = den[k][i] * rate[i]
		}
		common := commonFactor(num[k], exp, 10)
		drift = max(drift, math.Abs(math.Log(common)))
		scaleBy(exp, common)
		for i, e := range exp {
			sq += (num[k][i] - e) * (num[k][i] - e)
			sum += e
		}
		m.past, m.pastExp = append(m.past, num[k]), append(m.pastExp, exp)
	}
	scaleBy(m.exp, commonFactor(m.num, m.exp, math.Exp(driftMargin*drift)))
	m.phi = 1
	if sum > 0 {
		m.phi = max(1e-6, sq/sum*float64(len(num))/float64(max(1, len(num)-1)))
	}
	return m
}

// driftMargin is how many times the largest common change of earlier periods is
// still taken for a common change now.
const driftMargin = 1.5

func grid(a, b int) [][]float64 {
	out := make([][]float64, a)
	for k := range out {
		out[k] = make([]float64, b)
	}
	return out
}

func scaleBy(xs []float64, f float64) {
	for i := range xs {
		xs[i] *= f
	}
}

// ordinary keeps the periods whose overall ratio is within three robust standard
// deviations of the median, where there are at least five.
func ordinary(num, den [][]float64) (n, d [][]float64) {
	if len(num) < 5 {
		return num, den
	}
	ratio := make([]float64, len(num))
	for k := range num {
		ratio[k] = total(num[k]) / max(total(den[k]), 1e-300)
	}
	centre := median(slices.Clone(ratio))
	away := make([]float64, len(ratio))
	for k, r := range ratio {
		away[k] = math.Abs(r - centre)
	}
	limit := 3*madScale*median(slices.Clone(away)) + 1e-12
	for k := range num {
		if away[k] <= limit {
			n, d = append(n, num[k]), append(d, den[k])
		}
	}
	return n, d
}

func total(xs []float64) float64 {
	s := 0.0
	for _, x := range xs {
		s += x
	}
	return s
}

// ownWeight is how many expected events' worth the product of attribute effects
// counts against a combination's own past.
const ownWeight = 4

// rates fits the expected ratio of every combination.
func (t *RateTable) rates(num, den [][]float64) []float64 {
	n := t.keys.Len()
	x, d := make([]float64, n), make([]float64, n)
	for k := range num {
		for i := range n {
			x[i] += num[k][i]
			d[i] += den[k][i]
		}
	}
	rate := make([]float64, n)
	overall := (total(x) + 0.5) / (total(d) + 0.5)
	for i := range rate {
		rate[i] = overall
	}
	for range 20 {
		for dim, names := range t.keys.names {
			got, want := make([]float64, len(names)), make([]float64, len(names))
			for i, code := range t.keys.codes[dim] {
				got[code] += x[i]
				want[code] += d[i] * rate[i]
			}
			for i, code := range t.keys.codes[dim] {
				rate[i] *= (got[code] + 0.5) / (want[code] + 0.5)
			}
		}
	}
	for i := range rate {
		rate[i] *= (x[i] + ownWeight) / (d[i]*rate[i] + ownWeight)
	}
	return rate
}

// commonFactor is by how much most of the whole changed: the median of the
// factors of single combinations, weighted by the root of the expected sums. It
// stays between 1/most and most.
func commonFactor(num, exp []float64, most float64) float64 {
	type part struct{ factor, weight float64 }
	var parts []part
	half := 0.0
	for i, e := range exp {
		if e >= leastExpected {
			parts = append(parts, part{num[i] / e, math.Sqrt(e)})
			half += math.Sqrt(e) / 2
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.factor, b.factor) })
	for _, p := range parts {
		if half -= p.weight; half <= 0 {
			return min(most, max(1/most, p.factor))
		}
	}
	return 1
}

// leastExpected is the smallest expected sum whose factor says something.
const leastExpected = 4

func (m *quasi) weigh(leaves []int32) (float64, fit) {
	x, e := m.sums(m.num, m.exp, leaves)
	rho := (x + 0.5) / (e + 0.5)
	f := fit{centre: math.Log(rho), spread: math.Sqrt(max(m.dispersion(leaves), m.unevenness(leaves, rho)))}
	if math.Abs(rho-1) < m.minEffect {
		return math.Inf(-1), f
	}
	occam := min(0, halfLn2Pi+math.Log(f.spread)-0.5*math.Log(max(x, 0.5))-math.Log(scoreRange))
	return m.gain(leaves, f) + occam, f
}

func (m *quasi) gain(leaves []int32, f fit) float64 {
	x, e := m.sums(m.num, m.exp, leaves)
	return (x*f.centre - e*math.Expm1(f.centre)) / (f.spread * f.spread)
}

// beside takes the dispersion of the more general cause: parts of it must not
// look surer only for being smaller.
func (m *quasi) beside(f found, general fit) float64 {
	return m.gain(f.leaves, fit{f.fit.centre, max(f.fit.spread, general.spread)})
}

// unevenness is the dispersion of single combinations around one common factor.
func (m *quasi) unevenness(leaves []int32, rho float64) float64 {
	sq, sum := 0.0, 0.0
	for _, i := range leaves {
		e := rho * m.exp[i]
		sq += (m.num[i] - e) * (m.num[i] - e)
		sum += e
	}
	return sq / max(sum, 1e-300) * float64(len(leaves)) / float64(max(1, len(leaves)-1))
}

func (m *quasi) factor(f fit) float64 { return math.Exp(f.centre) }

func (m *quasi) sums(num, exp []float64, leaves []int32) (x, e float64) {
	for _, i := range leaves {
		x += num[i]
		e += exp[i]
	}
	return x, e
}

// dispersion of the leaves' sum over its expected value, by earlier periods.
func (m *quasi) dispersion(leaves []int32) float64 {
	r := 0.0
	for k := range m.past {
		if x, e := m.sums(m.past[k], m.pastExp[k], leaves); e > 0 {
			r += (x - e) * (x - e) / e
		}
	}
	return (priorPeriods*m.phi + r) / float64(priorPeriods+max(0, len(m.past)-1))
}
