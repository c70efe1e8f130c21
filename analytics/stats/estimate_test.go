package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"omote/analytics/stats"

	"pgregory.net/rapid"

	"omote/internal/testkit/shared"
)

const eps = 1e-9

type cxReference struct {
	NPS []struct {
		Promoters, Passives, Detractors int64
		NPS                             float64    `json:"nps"`
		Var                             float64    `json:"var"`
		SE                              float64    `json:"se_points"`
		Wald                            [2]float64 `json:"wald"`
		Adjusted                        [2]float64 `json:"adjusted_wald_sauro"`
		Fixed                           [2]float64 `json:"score_fixed_spread"`
	} `json:"nps"`
	Proportion []struct {
		X, N         int64
		Wilson       [2]float64 `json:"wilson"`
		Beta         [2]float64 `json:"beta"`
		AgrestiCoull [2]float64 `json:"agresti_coull"`
		Jeffreys     [2]float64 `json:"jeffreys"`
	} `json:"proportion_ci"`
}

func TestReferenceIntervals(t *testing.T) {
	t.Parallel()
	var ref cxReference
	shared.JSON(t, "stats/reference_cx_metrics.json", &ref)
	for _, r := range ref.NPS {
		c := stats.NPSCounts{Promoters: r.Promoters, Passives: r.Passives, Detractors: r.Detractors}
		name := fmt.Sprintf("nps %v", c)
		near(t, name, stats.NPS(c, 0.95).Value, r.NPS, eps)
		near(t, name+" var", c.Variance(), r.Var, eps)
		near(t, name+" se", c.StdErr(), r.SE, eps)
		w, a, f := stats.NPSWald(c, 0.95), stats.NPSAdjustedWald(c, 0.95), stats.NPSFixedSpread(c, 0.95)
		nearPair(t, name+" wald", w.Low, w.High, r.Wald, eps)
		nearPair(t, name+" adjusted", a.Low, a.High, r.Adjusted, eps)
		nearPair(t, name+" fixed", f.Low, f.High, r.Fixed, eps)
	}
	for _, r := range ref.Proportion {
		name := fmt.Sprintf("%d/%d", r.X, r.N)
		w, b := stats.Proportion(r.X, r.N, 0.95), stats.ProportionExact(r.X, r.N, 0.95)
		nearPair(t, name+" wilson", w.Low, w.High, r.Wilson, eps)
		nearPair(t, name+" exact", b.Low, b.High, r.Beta, eps)
		j := stats.ProportionJeffreys(r.X, r.N, 0.95)
		nearPair(t, name+" jeffreys", j.Low, j.High, r.Jeffreys, eps)
		ac := stats.ProportionAgrestiCoull(r.X, r.N, 0.95)
		nearPair(t, name+" agresti-coull", ac.Low, ac.High, r.AgrestiCoull, eps)
	}
}

// Tango's interval is defined by a test: at each end the restricted score
// statistic, with the variance maximised numerically, equals the quantile.
func TestNPSEndsSolveTheScoreTest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := stats.NPSCounts{
			Promoters:  rapid.Int64Range(0, 400).Draw(t, "promoters"),
			Passives:   rapid.Int64Range(0, 400).Draw(t, "passives"),
			Detractors: rapid.Int64Range(1, 400).Draw(t, "detractors"),
		}
		e := stats.NPS(c, 0.95)
		if !(e.Low >= -100 && e.Low <= e.Value && e.Value <= e.High && e.High <= 100) {
			t.Fatalf("disordered %v", e)
		}
		for _, end := range []float64{e.Low / 100, e.High / 100} {
			if math.Abs(end) > 0.999999 {
				continue
			}
			z := scoreStatistic(c, end)
			if math.Abs(z-1.959963984540054) > 1e-5 {
				t.Fatalf("%v: |z| at %v is %v", c, end, z)
			}
		}
		// Swapping sides mirrors the interval.
		m := stats.NPS(stats.NPSCounts{Promoters: c.Detractors, Passives: c.Passives, Detractors: c.Promoters}, 0.95)
		if math.Abs(m.Low+e.High) > 1e-9 || math.Abs(m.High+e.Low) > 1e-9 {
			t.Fatalf("not symmetric: %v and %v", e, m)
		}
	})
}

// scoreStatistic is an oracle: golden-section search for the restricted maximum.
func scoreStatistic(c stats.NPSCounts, theta float64) float64 {
	p, q, d := float64(c.Promoters), float64(c.Passives), float64(c.Detractors)
	xlog := func(k, v float64) float64 {
		if k == 0 {
			return 0
		}
		return k * math.Log(math.Max(v, 0))
	}
	lik := func(s float64) float64 {
		return xlog(p, (s+theta)/2) + xlog(d, (s-theta)/2) + xlog(q, 1-s)
	}
	lo, hi := math.Abs(theta), 1.0
	const g = 0.6180339887498949
	for range 200 {
		a, b := hi-g*(hi-lo), lo+g*(hi-lo)
		if lik(a) > lik(b) {
			hi = b
		} else {
			lo = a
		}
	}
	s, n := (lo+hi)/2, p+q+d
	return math.Abs((p-d)/n-theta) / math.Sqrt((s-theta*theta)/n)
}

// TestNPSCoverage enumerates every possible sample, so coverage is exact.
func TestNPSCoverage(t *testing.T) {
	t.Parallel()
	truths := [][3]float64{{.5, .3, .2}, {.7, .2, .1}, {.4, .3, .3}, {.8, .15, .05}, {.3, .3, .4}, {.6, .25, .15}, {.2, .3, .5}, {.34, .33, .33}}
	sizes := []int{10, 30, 50}
	if shared.Verify() {
		sizes = append(sizes, 20, 100, 200)
	}
	for _, n := range sizes {
		low, high := 0.94, 0.966
		if n < 30 {
			low, high = 0.93, 0.975
		}
		if n >= 50 {
			high = 0.96
		}
		for i, cov := range enumerateNPS(n, truths) {
			if cov < low || cov > high {
				t.Errorf("n=%d truth %v covers %.4f", n, truths[i], cov)
			}
		}
	}
}

func enumerateNPS(n int, truths [][3]float64) []float64 {
	cov := make([]float64, len(truths))
	fact := make([]float64, n+1)
	for i := range fact {
		fact[i], _ = math.Lgamma(float64(i + 1))
	}
	for a := 0; a <= n; a++ {
		for b := 0; a+b <= n; b++ {
			c := n - a - b
			e := stats.NPS(stats.NPSCounts{Promoters: int64(a), Passives: int64(c), Detractors: int64(b)}, 0.95)
			for i, p := range truths {
				if !e.Contains(100 * (p[0] - p[2])) {
					continue
				}
				cov[i] += math.Exp(fact[n] - fact[a] - fact[b] - fact[c] +
					float64(a)*math.Log(p[0]) + float64(c)*math.Log(p[1]) + float64(b)*math.Log(p[2]))
			}
		}
	}
	return cov
}

func TestMeanAgainstPublished(t *testing.T) {
	t.Parallel()
	// Student's sleep data (1908), extra hours, drug 2: mean 2.33, 95 % CI as
	// printed by R's t.test.
	sleep := []float64{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4}
	e := stats.Mean(stats.MomentsOf(sleep), 0.95)
	near(t, "mean", e.Value, 2.33, 1e-12)
	nearPair(t, "sleep", e.Low, e.High, [2]float64{0.8976775, 3.7623225}, 1e-7)
	if one := stats.Mean(stats.MomentsOf([]float64{3}), 0); !math.IsNaN(one.Low) || one.Value != 3 {
		t.Errorf("one value gave %v", one)
	}
}

func TestRateAgainstPublished(t *testing.T) {
	t.Parallel()
	// Garwood limits for a count of 10: 4.795, 18.390; of 0: 0, 3.689 (Breslow
	// and Day 1987, Table 2.10).
	e := stats.Rate(10, 1, 0.95)
	nearPair(t, "10", e.Low, e.High, [2]float64{4.795389, 18.390356}, 1e-6)
	nearPair(t, "0", stats.Rate(0, 1, 0.95).Low, stats.Rate(0, 1, 0.95).High, [2]float64{0, 3.688879454113936}, 1e-9)
	for _, x := range []int64{5, 10, 50, 400} {
		exact, byar := stats.Rate(x, 2, 0.95), stats.RateByar(x, 2, 0.95)
		near(t, "byar low", byar.Low, exact.Low, 0.01*exact.Low)
		near(t, "byar high", byar.High, exact.High, 0.005*exact.High)
	}
}

func TestQuantileByCountsEqualsRaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.IntRange(0, 12), 1, 80).Draw(t, "xs")
		q := rapid.Float64Range(0.02, 0.98).Draw(t, "q")
		raw := make([]float64, len(xs))
		hist := make([]int64, 13)
		for i, x := range xs {
			raw[i] = float64(x)
			hist[x]++
		}
		var values []float64
		var counts []int64
		for v, c := range hist {
			values, counts = append(values, float64(v)), append(counts, c)
		}
		a, b := stats.Quantile(raw, q, 0.9), stats.QuantileCounts(values, counts, q, 0.9)
		if a != b {
			t.Fatalf("raw %v, counts %v", a, b)
		}
	})
}

func TestQuantileInterval(t *testing.T) {
	t.Parallel()
	// n=20, median, 95 %: order statistics 6 and 15 (Conover 1999, Table A3).
	xs := make([]float64, 20)
	for i := range xs {
		xs[i] = float64(i + 1)
	}
	e := stats.Median(xs, 0.95)
	if e.Value != 10.5 || e.Low != 6 || e.High != 15 {
		t.Errorf("median of 1..20 = %v", e)
	}
	if e := stats.Quantile(xs[:5], 0.5, 0.95); !math.IsInf(e.Low, -1) || !math.IsInf(e.High, 1) {
		t.Errorf("five values bound a median: %v", e)
	}
}

func TestWeightedReducesToUnweighted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := stats.NPSCounts{
			Promoters:  rapid.Int64Range(1, 99).Draw(t, "p"),
			Passives:   rapid.Int64Range(1, 99).Draw(t, "q"),
			Detractors: rapid.Int64Range(1, 99).Draw(t, "d"),
		}
		w := rapid.Float64Range(0.1, 9).Draw(t, "w")
		same := func(n int64) stats.WeightSum {
			return stats.WeightSum{N: n, W: w * float64(n), WW: w * w * float64(n)}
		}
		a, b := stats.NPS(c, 0.95), stats.WeightedNPS(same(c.Promoters), same(c.Passives), same(c.Detractors), 0.95)
		if math.Abs(a.Low-b.Low) > 1e-6 || math.Abs(a.High-b.High) > 1e-6 {
			t.Fatalf("weights of %v changed %v to %v", w, a, b)
		}
		p, q := stats.Proportion(c.Promoters, c.N(), 0.95), stats.WeightedProportion(same(c.Promoters), same(c.Passives+c.Detractors), 0.95)
		if math.Abs(p.Low-q.Low) > 1e-9 || math.Abs(p.High-q.High) > 1e-9 {
			t.Fatalf("weights of %v changed %v to %v", w, p, q)
		}
	})
}

// coverage runs draw, which returns an interval and the truth, many times.
func coverage(rounds int, seed uint64, draw func(*rand.Rand) (stats.Estimate, float64)) float64 {
	rng := rand.New(rand.NewPCG(seed, 7))
	hit := 0
	for range rounds {
		if e, truth := draw(rng); e.Contains(truth) {
			hit++
		}
	}
	return float64(hit) / float64(rounds)
}

func TestSimulatedCoverage(t *testing.T) {
	t.Parallel()
	rounds, slack := 2000, 0.012
	if shared.Verify() {
		rounds, slack = 40000, 0.003
	}
	scale := []float64{.05, .08, .17, .4, .3} // satisfaction 1..5, mean 3.82
	scaleMean := 0.0
	for i, p := range scale {
		scaleMean += p * float64(i+1)
	}
	answer := func(rng *rand.Rand) float64 {
		u := rng.Float64()
		for i, p := range scale {
			if u -= p; u < 0 {
				return float64(i + 1)
			}
		}
		return 5
	}
	for _, n := range []int{10, 30, 100} {
		low := 0.94
		if n < 30 {
			low = 0.93
		}
		high := 0.965
		check := func(name string, cov float64) {
			if cov < low-slack || cov > high+slack {
				t.Errorf("%s at n=%d covers %.4f", name, n, cov)
			}
		}
		sample := func(rng *rand.Rand) stats.Moments {
			var m stats.Moments
			for range n {
				m.Push(answer(rng))
			}
			return m
		}
		check("mean", coverage(rounds, 1, func(rng *rand.Rand) (stats.Estimate, float64) {
			return stats.Mean(sample(rng), 0.95), scaleMean
		}))
		check("scale mean", coverage(rounds, 2, func(rng *rand.Rand) (stats.Estimate, float64) {
			return stats.ScaleMean(sample(rng), 1, 5, 0.95), scaleMean
		}))
		check("weighted nps", coverage(rounds, 3, func(rng *rand.Rand) (stats.Estimate, float64) {
			var g [3]stats.WeightSum
			for range n {
				w := 0.5 + rng.Float64()*1.5
				switch u := rng.Float64(); {
				case u < .5:
					g[0].Push(w)
				case u < .8:
					g[1].Push(w)
				default:
					g[2].Push(w)
				}
			}
			return stats.WeightedNPS(g[0], g[1], g[2], 0.95), 30
		}))
		weighted := func(rng *rand.Rand) stats.WeightedMoments {
			var m stats.WeightedMoments
			for range n {
				m.Push(answer(rng), 0.5+rng.Float64()*1.5)
			}
			return m
		}
		check("weighted scale mean", coverage(rounds, 5, func(rng *rand.Rand) (stats.Estimate, float64) {
			return stats.WeightedScaleMean(weighted(rng), 1, 5, 0.95), scaleMean
		}))
		if n < 30 {
			low = 0.92 // skewed answers, few and weighted: use WeightedScaleMean there
		}
		check("weighted mean", coverage(rounds, 4, func(rng *rand.Rand) (stats.Estimate, float64) {
			return stats.WeightedMean(weighted(rng), 0.95), scaleMean
		}))
	}
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	xs := make([]float64, 400)
	for i := range xs {
		xs[i] = rng.NormFloat64()*2 + 5
	}
	mean := func(s []float64) float64 { return stats.MomentsOf(s).Mean() }
	b, m := stats.Bootstrap(xs, mean, 0.95, stats.BootstrapOptions{Seed: 1}), stats.Mean(stats.MomentsOf(xs), 0.95)
	near(t, "low", b.Low, m.Low, 0.03)
	near(t, "high", b.High, m.High, 0.03)
	if again := stats.Bootstrap(xs, mean, 0.95, stats.BootstrapOptions{Seed: 1}); again != b {
		t.Error("the same seed gave another interval")
	}
	ones := make([]float64, 400)
	for i := range ones {
		ones[i] = 1
	}
	r, d := stats.RatioBootstrap(xs, ones, 0.95, stats.BootstrapOptions{Seed: 1}), stats.Ratio(stats.RatioMomentsOf(xs, ones), 0.95)
	if r.Low != b.Low || math.Abs(d.Low-m.Low) > 1e-9 {
		t.Error("a ratio to one differs from the mean")
	}
}

func TestEstimateJSON(t *testing.T) {
	t.Parallel()
	e := stats.NPS(stats.NPSCounts{}, 0)
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back stats.Estimate
	if err := json.Unmarshal(b, &back); err != nil || !math.IsNaN(back.Value) || back.Method != e.Method {
		t.Errorf("%s read back as %v (%v)", b, back, err)
	}
}

func ExampleNPS() {
	e := stats.NPS(stats.NPSCounts{Promoters: 50, Passives: 30, Detractors: 20}, 0.95)
	fmt.Println(e)
	// Output: 30 [13.96, 44.34] n=100
}

func ExampleProportion() {
	fmt.Println(stats.Proportion(81, 263, 0.95))
	// Output: 0.308 [0.2553, 0.3662] n=263
}

func BenchmarkNPS(b *testing.B) {
	b.ReportAllocs()
	c := stats.NPSCounts{Promoters: 520, Passives: 300, Detractors: 180}
	for b.Loop() {
		stats.NPS(c, 0.95)
	}
}
