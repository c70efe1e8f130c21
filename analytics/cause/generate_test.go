package cause

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// truth is a generated table with the causes put into it.
type truth struct {
	table  *Table
	causes []string
}

// world says how a table with known causes is generated.
type world struct {
	name     string
	sizes    func(r *rand.Rand) float64                        // expected value of a leaf
	noise    func(r *rand.Rand, f, level float64) float64      // value without a cause
	hit      func(r *rand.Rand, f, rho, level float64) float64 // value with factor rho
	level    [2]float64                                        // range of the noise level
	sets     [2]int                                            // range of the number of different factors
	each     [2]int                                            // range of causes with one factor
	bothWays bool
	zeros    float64
	maxLayer int
}

func between(r *rand.Rand, b [2]float64) float64 { return b[0] + (b[1]-b[0])*r.Float64() }
func among(r *rand.Rand, b [2]int) int           { return b[0] + r.IntN(b[1]-b[0]+1) }

func multiplied(r *rand.Rand, f, level float64) float64 { return max(0, f*(1+level*r.NormFloat64())) }

func poisson(r *rand.Rand, mean float64) float64 {
	if mean > 200 {
		return max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64()))
	}
	n, p := 0.0, r.Float64()
	for limit := math.Exp(-mean); p > limit; p *= r.Float64() {
		n++
	}
	return n
}

func weibull(r *rand.Rand, shape float64) float64 {
	return 100 * math.Pow(-math.Log(1-r.Float64()), 1/shape)
}

// worlds differ in sizes, noise and causes, so that settings chosen on all of
// them suit none of them in particular.
var worlds = []world{
	{name: "even noise, tight causes", sizes: func(r *rand.Rand) float64 { return weibull(r, 0.7) }, noise: multiplied,
		hit:   func(r *rand.Rand, f, rho, level float64) float64 { return f * max(0, rho+0.03*r.NormFloat64()) },
		level: [2]float64{0.02, 0.25}, sets: [2]int{1, 3}, each: [2]int{1, 3}, zeros: 0.1},
	{name: "even noise also in causes, both ways", sizes: func(r *rand.Rand) float64 { return 50 * math.Exp(r.NormFloat64()) }, noise: multiplied,
		hit:   func(r *rand.Rand, f, rho, level float64) float64 { return multiplied(r, f*rho, level) },
		level: [2]float64{0.02, 0.2}, sets: [2]int{1, 3}, each: [2]int{1, 2}, bothWays: true},
	{name: "small leaves noisier", sizes: func(r *rand.Rand) float64 { return 50 * math.Exp(1.3*r.NormFloat64()) },
		noise: func(r *rand.Rand, f, level float64) float64 { return multiplied(r, f, level*math.Sqrt(1+30/f)) },
		hit: func(r *rand.Rand, f, rho, level float64) float64 {
			return multiplied(r, f*rho, level*math.Sqrt(1+30/f))
		},
		level: [2]float64{0.02, 0.15}, sets: [2]int{1, 2}, each: [2]int{1, 3}},
	{name: "heavy tails", sizes: func(r *rand.Rand) float64 { return weibull(r, 1) },
		noise: heavy, hit: func(r *rand.Rand, f, rho, level float64) float64 { return heavy(r, f*rho, level) },
		level: [2]float64{0.02, 0.12}, sets: [2]int{1, 3}, each: [2]int{1, 2}, maxLayer: 3},
	{name: "counts", sizes: func(r *rand.Rand) float64 { return 20 * math.Exp(r.NormFloat64()) },
		noise: func(r *rand.Rand, f, _ float64) float64 { return poisson(r, f) },
		hit:   func(r *rand.Rand, f, rho, _ float64) float64 { return poisson(r, f*rho) },
		sets:  [2]int{1, 2}, each: [2]int{1, 2}, bothWays: true, maxLayer: 3},
	{name: "sparse counts", sizes: func(r *rand.Rand) float64 { return 1.5 * math.Exp(1.2*r.NormFloat64()) },
		noise: func(r *rand.Rand, f, _ float64) float64 { return poisson(r, f) },
		hit:   func(r *rand.Rand, f, rho, _ float64) float64 { return poisson(r, f*rho) },
		sets:  [2]int{1, 2}, each: [2]int{1, 2}, bothWays: true, maxLayer: 2},
	{name: "ratios of counts", sizes: func(r *rand.Rand) float64 { return 0.02 + 0.1*r.Float64() },
		noise: func(r *rand.Rand, f, _ float64) float64 { return ratioOf(r, f, 1) },
		hit:   func(r *rand.Rand, f, rho, _ float64) float64 { return ratioOf(r, f, rho) },
		sets:  [2]int{1, 2}, each: [2]int{1, 2}, bothWays: true, maxLayer: 3},
	{name: "nothing happened", sizes: func(r *rand.Rand) float64 { return weibull(r, 0.8) }, noise: heavy,
		level: [2]float64{0.02, 0.2}, zeros: 0.2},
}

func heavy(r *rand.Rand, f, level float64) float64 {
	if r.Float64() < 0.05 {
		level *= 4
	}
	return multiplied(r, f, level)
}

func ratioOf(r *rand.Rand, f, rho float64) float64 {
	n := 2000.0
	return poisson(r, n*f*rho) / n
}

// generate makes a table; dims are the numbers of values of each dimension.
func (w world) generate(r *rand.Rand, dims []int) truth {
	names := make([]string, len(dims))
	for d := range dims {
		names[d] = string(rune('a' + d))
	}
	t := NewTable(names...)
	level := between(r, w.level)
	type effect struct {
		where map[int]int
		rho   float64
	}
	var effects []effect
	var labels []string
	var sets int
	if w.hit != nil {
		sets = among(r, w.sets)
	}
	used := map[string]bool{}
	for range sets {
		severity := 0.2 + 0.8*r.Float64() + level
		rho := max(0, 1-severity)
		if w.bothWays && r.IntN(2) == 0 {
			rho = 1 + 1.5*severity
		}
		layer := 1 + r.IntN(len(dims))
		if w.maxLayer > 0 {
			layer = min(layer, w.maxLayer)
		}
		on := r.Perm(len(dims))[:layer]
		slices.Sort(on)
		if key := fmt.Sprint(on); used[key] && layer < len(dims) {
			continue
		} else {
			used[key] = true
		}
		for range among(r, w.each) {
			e := effect{map[int]int{}, rho}
			var parts []string
			clash := false
			for _, d := range on {
				v := r.IntN(dims[d])
				e.where[d] = v
				parts = append(parts, fmt.Sprintf("%s=%s%d", names[d], names[d], v+1))
			}
			for _, o := range effects { // neither within the other
				clash = clash || within(e.where, o.where) || within(o.where, e.where)
			}
			if clash {
				continue
			}
			effects = append(effects, e)
			labels = append(labels, strings.Join(parts, "&"))
		}
	}
	at := make([]int, len(dims))
	values := make([]string, len(dims))
	for {
		f := w.sizes(r)
		if r.Float64() < w.zeros {
			f = 0
		}
		v := 0.0
		if f > 0 {
			v = w.noise(r, f, level)
		}
		for _, e := range effects {
			if f > 0 && holds(e.where, at) {
				v = w.hit(r, f, e.rho, level)
			}
		}
		for d := range dims {
			values[d] = fmt.Sprintf("%s%d", names[d], at[d]+1)
		}
		t.Add(values, v, f)
		d := len(dims) - 1
		for ; d >= 0; d-- {
			if at[d]++; at[d] < dims[d] {
				break
			}
			at[d] = 0
		}
		if d < 0 {
			return truth{t, labels}
		}
	}
}

func within(a, b map[int]int) bool {
	for d, v := range b {
		if x, ok := a[d]; !ok || x != v {
			return false
		}
	}
	return true
}

func holds(where map[int]int, at []int) bool {
	for d, v := range where {
		if at[d] != v {
			return false
		}
	}
	return true
}

// score counts exact agreement.
type score struct{ tp, fp, fn int }

func (s *score) add(got []Cause, want []string) {
	seen := map[string]bool{}
	for _, c := range got {
		seen[c.String()] = true
	}
	hits := 0
	for _, w := range want {
		if seen[w] {
			hits++
		}
	}
	s.tp += hits
	s.fp += len(got) - hits
	s.fn += len(want) - hits
}

func (s score) f1() float64 { return float64(2*s.tp) / float64(2*s.tp+s.fp+s.fn) }
func (s score) String() string {
	return fmt.Sprintf("found %d, false %d, missed %d, F1 %.3f", s.tp, s.fp, s.fn, s.f1())
}
