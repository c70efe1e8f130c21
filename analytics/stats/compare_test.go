package stats_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"omote/analytics/stats"

	"pgregory.net/rapid"

	"omote/internal/testkit/shared"
)

func TestReferenceComparisons(t *testing.T) {
	t.Parallel()
	var ref struct {
		Diff []struct {
			A, B        [3]int64
			Diff, SE, Z float64
			P           float64    `json:"p"`
			CI          [2]float64 `json:"ci"`
		} `json:"nps_diff"`
		Newcombe []struct {
			X1, N1, X2, N2 int64
			CI             [2]float64 `json:"ci"`
		} `json:"newcombe_diff"`
	}
	shared.JSON(t, "stats/reference_cx_metrics.json", &ref)
	for _, r := range ref.Diff {
		a, b := stats.NPSCounts{Promoters: r.A[0], Passives: r.A[1], Detractors: r.A[2]}, stats.NPSCounts{Promoters: r.B[0], Passives: r.B[1], Detractors: r.B[2]}
		c := stats.DiffNPSWald(a, b, 0.95)
		near(t, "nps difference", c.Difference.Value, r.Diff, eps)
		near(t, "z", c.Statistic, r.Z, eps)
		near(t, "p", c.P, r.P, eps)
		nearPair(t, "ci", c.Difference.Low, c.Difference.High, r.CI, eps)
	}
	for _, r := range ref.Newcombe {
		c := stats.DiffProportions(r.X1, r.N1, r.X2, r.N2, 0.95)
		nearPair(t, "newcombe", c.Difference.Low, c.Difference.High, r.CI, eps)
	}
}

func TestReferenceSurvey(t *testing.T) {
	t.Parallel()
	var ref struct {
		Stratified struct {
			Strata []struct {
				N                               float64 `json:"N"`
				Promoters, Passives, Detractors int64
			} `json:"strata"`
			NPS, SE float64
			SEFPC   float64 `json:"se_fpc"`
			NEff    float64 `json:"n_eff"`
		} `json:"stratified_nps"`
		Raking struct {
			Table, Fitted [][]float64
			Row, Col      []float64
		} `json:"raking"`
	}
	shared.JSON(t, "stats/reference_cx_metrics.json", &ref)
	var strata []stats.Stratum
	for _, s := range ref.Stratified.Strata {
		strata = append(strata, stats.NPSStratum(s.N, stats.NPSCounts{Promoters: s.Promoters, Passives: s.Passives, Detractors: s.Detractors}))
	}
	const z = 1.959963984540054
	e, f := stats.Stratified(strata, false, 0.95), stats.Stratified(strata, true, 0.95)
	near(t, "stratified", e.Value, ref.Stratified.NPS, eps)
	near(t, "se", e.HalfWidth()/z, ref.Stratified.SE, eps)
	near(t, "se fpc", f.HalfWidth()/z, ref.Stratified.SEFPC, eps)
	near(t, "n_eff", e.NEff, ref.Stratified.NEff, 1e-6)
	got, err := stats.RakeTable(ref.Raking.Table, ref.Raking.Row, ref.Raking.Col)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range ref.Raking.Fitted {
		for j, want := range row {
			near(t, "raked", got[i][j], want, eps)
		}
	}
}

func TestReferenceMultiplicity(t *testing.T) {
	t.Parallel()
	var ref struct {
		FDR struct {
			P    []float64
			BH   []float64 `json:"bh_adj"`
			BY   []float64 `json:"by_adj"`
			Holm []float64 `json:"holm_adj"`
		} `json:"fdr"`
	}
	shared.JSON(t, "stats/reference_cx_metrics.json", &ref)
	for i := range ref.FDR.P {
		near(t, "bh", stats.BenjaminiHochberg(ref.FDR.P)[i], ref.FDR.BH[i], eps)
		near(t, "by", stats.BenjaminiYekutieli(ref.FDR.P)[i], ref.FDR.BY[i], eps)
		near(t, "holm", stats.Holm(ref.FDR.P)[i], ref.FDR.Holm[i], eps)
	}
}

func TestReferenceEValues(t *testing.T) {
	t.Parallel()
	var ref struct {
		MSPRT []struct{ N, Diff, Sigma2, Tau2, Lam float64 } `json:"msprt"`
		ACS   []struct {
			N, Sigma, Rho, Alpha, Halfwidth float64
		} `json:"asymptotic_confidence_sequence"`
	}
	shared.JSON(t, "stats/reference_causal_experiments.json", &ref)
	for _, r := range ref.MSPRT {
		near(t, fmt.Sprintf("msprt %+v", r), stats.NormalMixtureE(r.Diff*r.N, r.N, 2*r.Sigma2, r.Tau2), r.Lam, eps*r.Lam)
	}
	for _, r := range ref.ACS {
		near(t, "sequence", stats.SequenceHalfWidth(r.N, r.Sigma, r.Rho, 1-r.Alpha), r.Halfwidth, eps)
	}
}

// The definition of LORD++: spent levels never exceed alpha times discoveries.
func TestOnlineBudgets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lord, elond := stats.NewLORD(0.1), stats.NewELOND(0.1)
		spent, found, discoveries := 0.0, 0.0, 0.0
		for range rapid.IntRange(1, 300).Draw(t, "tests") {
			p := math.Pow(rapid.Float64Range(0, 1).Draw(t, "p"), 4)
			spent += lord.Threshold()
			if lord.Decide(p) {
				found++
			}
			if spent > 0.1*math.Max(found, 1)+1e-12 {
				t.Fatalf("LORD spent %v on %v discoveries", spent, found)
			}
			if th := elond.Threshold(); elond.DecideE(1/p) != (p <= th) {
				t.Fatal("e-LOND disagrees with its threshold")
			} else if p <= th {
				discoveries++
			}
		}
	})
}

// False discoveries of each rule over many synthetic families of tests.
func TestFalseDiscoveryRates(t *testing.T) {
	t.Parallel()
	rounds := 400
	if shared.Verify() {
		rounds = 5000
	}
	rng := rand.New(rand.NewPCG(3, 1))
	var bh, lord, ebh float64
	for range rounds {
		p, e, null := make([]float64, 100), make([]float64, 100), make([]bool, 100)
		online := stats.NewLORD(0.1)
		var falseOn, allOn float64
		for i := range p {
			null[i] = i%4 != 0
			z := rng.NormFloat64()
			if !null[i] {
				z += 3
			}
			p[i] = math.Erfc(z/math.Sqrt2) / 2
			e[i] = math.Exp(3*z - 4.5)
			if online.Decide(p[i]) {
				allOn++
				if null[i] {
					falseOn++
				}
			}
		}
		share := func(refused func(int) bool) float64 {
			var all, wrong float64
			for i := range p {
				if refused(i) {
					all++
					if null[i] {
						wrong++
					}
				}
			}
			return wrong / math.Max(all, 1)
		}
		adj, picked := stats.BenjaminiHochberg(p), stats.EBH(e, 0.1)
		bh += share(func(i int) bool { return adj[i] <= 0.1 })
		ebh += share(func(i int) bool { return picked[i] })
		lord += falseOn / math.Max(allOn, 1)
	}
	n := float64(rounds)
	for name, fdr := range map[string]float64{"bh": bh / n, "lord": lord / n, "e-bh": ebh / n} {
		if fdr > 0.1 {
			t.Errorf("%s has a false-discovery rate of %.4f", name, fdr)
		}
	}
}

// Ozone of New York, 1973, by month: R's datasets::airquality.
var ozone = [][]float64{
	{41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37},
	{29, 71, 39, 23, 21, 37, 20, 12, 13},
	{135, 49, 32, 64, 40, 77, 97, 97, 85, 10, 27, 7, 48, 35, 61, 79, 63, 16, 80, 108, 20, 52, 82, 50, 64, 59},
	{39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84, 85},
	{96, 78, 73, 91, 47, 32, 20, 23, 21, 24, 44, 21, 28, 9, 13, 46, 18, 13, 24, 16, 13, 23, 36, 7, 14, 30, 14, 18, 20},
}

func TestRanksAgainstR(t *testing.T) {
	t.Parallel()
	r := stats.MannWhitney(ozone[0], ozone[3], 0.95)
	near(t, "W", r.U, 127.5, 0)
	near(t, "p", r.P, 0.0001208, 5e-8)
	near(t, "superiority", r.Superiority.Value, 127.5/(26*26), 1e-12)
	k := stats.KruskalWallis(ozone...)
	near(t, "H", k.Statistic, 29.267, 5e-4)
	near(t, "p", k.P, 6.901e-06, 5e-10)
	// Hollander and Wolfe (1973), p. 69: permeability, exact one-sided 0.2544.
	x := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	y := []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	h := stats.MannWhitney(x, y, 0.95)
	near(t, "U", h.U, 35, 0)
	near(t, "exact p", h.P, 2*0.1272, 1e-4)
}

func TestOrdinalAgainstReference(t *testing.T) {
	t.Parallel()
	var ref struct {
		Housing struct {
			Data []struct {
				Sat, Infl, Type, Cont string
				Freq                  float64
			}
			Coef, Zeta, SE map[string]float64
			Deviance       float64
		} `json:"polr_housing"`
		Wine struct {
			Data   []struct{ Rating, Temp, Contact string }
			Coef   map[string]float64
			LogLik float64 `json:"logLik"`
		} `json:"clm_wine"`
	}
	shared.JSON(t, "stats/reference_drivers_survival.json", &ref)
	is := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	var x [][]float64
	var y []int
	var w []float64
	for _, d := range ref.Housing.Data {
		x = append(x, []float64{is(d.Infl == "Medium"), is(d.Infl == "High"), is(d.Type == "Apartment"), is(d.Type == "Atrium"), is(d.Type == "Terrace"), is(d.Cont == "High")})
		y = append(y, slices.Index([]string{"Low", "Medium", "High"}, d.Sat))
		w = append(w, d.Freq)
	}
	m, err := stats.FitOrdinal(x, y, w, 3)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "deviance", -2*m.LogLik, ref.Housing.Deviance, 1e-6)
	for i, name := range []string{"InflMedium", "InflHigh", "TypeApartment", "TypeAtrium", "TypeTerrace", "ContHigh"} {
		near(t, name, m.Coef[i], ref.Housing.Coef[name], 1e-3*math.Abs(ref.Housing.Coef[name]))
		near(t, name+" se", m.CoefErr[i], ref.Housing.SE[name], 1e-3*ref.Housing.SE[name])
	}
	for i, name := range []string{"Low|Medium", "Medium|High"} {
		near(t, name, m.Thresholds[i], ref.Housing.Zeta[name], 1e-3)
		near(t, name+" se", m.ThresholdErr[i], ref.Housing.SE[name], 1e-3*ref.Housing.SE[name])
	}
	x, y = nil, nil
	for _, d := range ref.Wine.Data {
		x = append(x, []float64{is(d.Temp == "warm"), is(d.Contact == "yes")})
		k, err := strconv.Atoi(d.Rating)
		if err != nil {
			t.Fatal(err)
		}
		y = append(y, k-1)
	}
	m, err = stats.FitOrdinal(x, y, nil, 5)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "wine logLik", m.LogLik, ref.Wine.LogLik, 1e-8)
	near(t, "tempwarm", m.Coef[0], ref.Wine.Coef["tempwarm"], 1e-6)
	near(t, "4|5", m.Thresholds[3], ref.Wine.Coef["4|5"], 1e-6)
}

func TestOrdinalRefuses(t *testing.T) {
	t.Parallel()
	x := [][]float64{{1}, {2}, {3}, {10}, {11}, {12}}
	if _, err := stats.FitOrdinal(x, []int{0, 0, 0, 1, 1, 1}, nil, 2); err == nil {
		t.Error("separated answers were fitted")
	}
	if _, err := stats.FitOrdinal(x, []int{0, 0, 0, 1, 1, 1}, nil, 3); err == nil {
		t.Error("an answer that never occurs was fitted")
	}
}

func TestRobust(t *testing.T) {
	t.Parallel()
	// Rosner/Venables–Ripley's chem data (MASS): median 3.385, MAD 0.526323,
	// Huber's proposal with k=1.5 and MAD scale 3.206724.
	chem := []float64{2.90, 3.10, 3.40, 3.40, 3.70, 3.70, 2.80, 2.50, 2.40, 2.40, 2.70, 2.20, 5.28, 3.37, 3.03, 3.03, 28.95, 3.77, 3.40, 2.20, 3.50, 3.60, 3.70, 3.70}
	near(t, "median", stats.Median(chem, 0).Value, 3.385, 1e-9)
	near(t, "mad", stats.MAD(chem), 0.526323, 1e-6)
	near(t, "huber", stats.Huber(chem, 1.5, 0.95).Value, 3.206724, 1e-6)
	near(t, "trimmed", stats.TrimmedMean(chem, 0.1, 0.95).Value, 3.205, 1e-9)
}

func TestHodgesLehmannAgainstBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.SliceOfN(rapid.Float64Range(-50, 50), 1, 25)
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		var walsh, diff []float64
		for i, x := range a {
			for _, y := range a[i:] {
				walsh = append(walsh, (x+y)/2)
			}
			for _, y := range b {
				diff = append(diff, x-y)
			}
		}
		if got, want := stats.HodgesLehmann(a, 0.95).Value, stats.Median(walsh, 0).Value; math.Abs(got-want) > 1e-9 {
			t.Fatalf("one sample %v, want %v", got, want)
		}
		if got, want := stats.HodgesLehmannShift(a, b, 0.95).Value, stats.Median(diff, 0).Value; math.Abs(got-want) > 1e-9 {
			t.Fatalf("shift %v, want %v", got, want)
		}
	})
}

// The 13 BCG vaccine trials (Colditz et al. 1994) as in the R package metafor:
// Paule–Mandel tau² 0.3181, centre −0.7150.
func TestShrinkNormalAgainstMetafor(t *testing.T) {
	t.Parallel()
	trials := [][4]float64{{4, 119, 11, 128}, {6, 300, 29, 274}, {3, 228, 11, 209}, {62, 13536, 248, 12619}, {33, 5036, 47, 5761}, {180, 1361, 372, 1079}, {8, 2537, 10, 619}, {505, 87886, 499, 87892}, {29, 7470, 45, 7232}, {17, 1699, 65, 1600}, {186, 50448, 141, 27197}, {5, 2493, 3, 2338}, {27, 16886, 29, 17825}}
	var units []stats.Unit
	for _, c := range trials {
		n1, n2 := c[0]+c[1], c[2]+c[3]
		units = append(units, stats.Unit{Value: math.Log(c[0] / n1 / (c[2] / n2)), StdErr: math.Sqrt(1/c[0] - 1/n1 + 1/c[2] - 1/n2)})
	}
	s := stats.ShrinkNormal(units, 0.95)
	near(t, "tau²", s.SD*s.SD, 0.3181, 5e-5)
	near(t, "centre", s.Mean, -0.7150, 5e-4)
}

func TestShrinkageCoversAndBeatsRaw(t *testing.T) {
	t.Parallel()
	rounds, low := 60, 0.905
	if shared.Verify() {
		rounds, low = 1500, 0.925
	}
	rng := rand.New(rand.NewPCG(11, 4))
	var covN, covB, nested, all, raw, shrunk float64
	for range rounds {
		units, tallies, truth, share := make([]stats.Unit, 40), make([]stats.Tally, 40), make([]float64, 40), make([]float64, 40)
		region, mixed, own := make([]int, 40), make([]stats.Unit, 40), make([]float64, 40)
		var regional [5]float64
		for r := range regional {
			regional[r] = rng.NormFloat64() * 5
		}
		for i := range units {
			se, expected := 2+6*rng.Float64(), 10*rng.Float64()
			truth[i] = expected + 30 + 5*rng.NormFloat64()
			units[i] = stats.Unit{Value: truth[i] + se*rng.NormFloat64(), StdErr: se, Expected: expected}
			region[i] = i % 5
			own[i] = regional[i%5] + 3*rng.NormFloat64()
			mixed[i] = stats.Unit{Value: own[i] + se*rng.NormFloat64(), StdErr: se}
			share[i] = 0.7 + 0.05*rng.NormFloat64()
			n := 20 + rng.Int64N(200)
			var hits int64
			for range n {
				if rng.Float64() < share[i] {
					hits++
				}
			}
			tallies[i] = stats.Tally{Hits: hits, N: n}
		}
		sn, sb := stats.ShrinkNormal(units, 0.95), stats.ShrinkBinomial(tallies, 0.95)
		two, _ := stats.ShrinkNested(mixed, region, 0.95)
		for i := range units {
			all++
			hit := func(e stats.Estimate, x float64, sum *float64) {
				if e.Contains(x) {
					*sum++
				}
			}
			hit(sn.Units[i].Estimate, truth[i], &covN)
			hit(sb.Units[i].Estimate, share[i], &covB)
			hit(two.Units[i].Estimate, own[i], &nested)
			raw += math.Pow(units[i].Value-truth[i], 2)
			shrunk += math.Pow(sn.Units[i].Estimate.Value-truth[i], 2)
		}
	}
	for name, c := range map[string]float64{"normal": covN / all, "binomial": covB / all, "nested": nested / all} {
		if c < low || c > 0.975 {
			t.Errorf("%s shrinkage covers %.4f", name, c)
		}
	}
	if shrunk > 0.75*raw {
		t.Errorf("shrinkage error %.3g against raw %.3g", shrunk, raw)
	}
}

func TestExpectedByCaseMix(t *testing.T) {
	t.Parallel()
	got := stats.ExpectedByCaseMix([][]float64{{10, 90}, {90, 10}}, [][]float64{{5, 81}, {45, 9}})
	near(t, "unit 0", got[0], 0.1*0.5+0.9*0.9, 1e-12)
	near(t, "unit 1", got[1], 0.9*0.5+0.1*0.9, 1e-12)
}

// An attacker who knows the published cells, totals and that counts are whole
// and not negative must be able to believe each primary count to be large.
func TestSuppressAgainstAttacker(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const least = 3
		rows, cols := rapid.IntRange(1, 3).Draw(t, "rows"), rapid.IntRange(2, 3).Draw(t, "cols")
		counts := make([][]int64, rows)
		for i := range counts {
			counts[i] = rapid.SliceOfN(rapid.Int64Range(0, 6), cols, cols).Draw(t, "row")
		}
		s := stats.Suppress(counts, least)
		best := attack(counts, s)
		for i := range counts {
			for j, c := range counts[i] {
				if small := c > 0 && c < least; small != (s.Cells[i][j] == stats.Primary) {
					t.Fatalf("cell %d,%d of %v marked %v", i, j, counts, s.Cells[i][j])
				} else if small && best[i][j] < least {
					t.Fatalf("%v with %+v: cell %d,%d is at most %d", counts, s, i, j, best[i][j])
				}
			}
		}
	})
}

// attack lists all tables that agree with what is published and returns the
// largest value of each cell among them.
func attack(counts [][]int64, s stats.Suppression) [][]int64 {
	rows, cols := len(counts), len(counts[0])
	best := make([][]int64, rows)
	guess := make([][]int64, rows)
	var total int64
	for i := range counts {
		best[i], guess[i] = make([]int64, cols), make([]int64, cols)
		for _, c := range counts[i] {
			total += c
		}
	}
	rowOK := func(i int) bool {
		var a, b int64
		for j := range cols {
			a, b = a+guess[i][j], b+counts[i][j]
		}
		return s.Rows[i] != stats.Shown || a == b
	}
	var try func(k int)
	try = func(k int) {
		if k > 0 && k%cols == 0 && !rowOK(k/cols-1) {
			return
		}
		if k == rows*cols {
			var all int64
			for j := range cols {
				var a, b int64
				for i := range rows {
					a, b = a+guess[i][j], b+counts[i][j]
				}
				all += a
				if s.Cols[j] == stats.Shown && a != b {
					return
				}
			}
			if s.Total == stats.Shown && all != total {
				return
			}
			for i := range guess {
				for j, g := range guess[i] {
					best[i][j] = max(best[i][j], g)
				}
			}
			return
		}
		i, j := k/cols, k%cols
		if s.Cells[i][j] == stats.Shown {
			guess[i][j] = counts[i][j]
			try(k + 1)
			return
		}
		for g := range int64(16) {
			guess[i][j] = g
			try(k + 1)
		}
	}
	try(0)
	return best
}

func TestSuppressList(t *testing.T) {
	t.Parallel()
	got := stats.SuppressList([]int64{40, 2, 12, 0, 9}, 5)
	want := []stats.Cell{stats.Shown, stats.Primary, stats.Shown, stats.Shown, stats.Complementary}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestRakedCoverage(t *testing.T) {
	t.Parallel()
	rounds, slack := 1500, 0.012
	if shared.Verify() {
		rounds, slack = 20000, 0.003
	}
	// Age (3) by region (2); the young answer less and recommend less.
	pop := []float64{.35, .4, .25}
	reg := []float64{.6, .4}
	answer := []float64{.2, .5, .8}
	shares := [][3]float64{{.35, .3, .35}, {.5, .3, .2}, {.7, .2, .1}}
	truth := 0.0
	for a, p := range pop {
		truth += 100 * p * (shares[a][0] - shares[a][2])
	}
	for _, n := range []int{30, 100, 400} {
		draw := func(rng *rand.Rand) (stats.Estimate, float64) {
			for {
				age, region, y := make([]int, n), make([]int, n), make([]float64, n)
				for i := range n {
					for {
						age[i] = pick(rng, pop)
						if rng.Float64() < answer[age[i]] {
							break
						}
					}
					region[i] = pick(rng, reg)
					switch pick(rng, shares[age[i]][:]) {
					case 0:
						y[i] = 1
					case 2:
						y[i] = -1
					}
				}
				r, err := stats.Rake(nil, []stats.Margin{{Of: age, Target: pop}, {Of: region, Target: reg}}, stats.RakeOptions{})
				if err == nil {
					return r.NPS(y, 0.95), truth
				}
			}
		}
		if c := coverage(rounds, 9, draw); c < 0.94-slack || c > 0.965+slack {
			t.Errorf("raked NPS at n=%d covers %.4f", n, c)
		}
	}
}

func pick(rng *rand.Rand, p []float64) int {
	u := rng.Float64()
	for i, v := range p {
		if u -= v; u < 0 {
			return i
		}
	}
	return len(p) - 1
}

func TestRakeRefusesEmptyCategory(t *testing.T) {
	t.Parallel()
	if _, err := stats.Rake(nil, []stats.Margin{{Of: []int{0, 0}, Target: []float64{1, 1}}}, stats.RakeOptions{}); err == nil {
		t.Error("a category without respondents was raked")
	}
}

// Hillstrom's e-mail trial is not in the shared data as rows; its moments are.
func TestWelchAgainstHillstrom(t *testing.T) {
	t.Parallel()
	a := stats.Moments{N: 21307, Sum: 21307 * 0.18275684047496127}
	b := stats.Moments{N: 21306, Sum: 21306 * 0.10616727682343002}
	a.SumSq, b.SumSq = a.Sum, b.Sum // a visit is 0 or 1
	c := stats.DiffMeans(a, b, 0.95)
	near(t, "t", c.Statistic, 22.620230766723257, 1e-7)
}

func TestTelcoChurnByContract(t *testing.T) {
	t.Parallel()
	f, err := os.Open(shared.Path(t, "stats/telco/Telco-Customer-Churn.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	contract, churn := slices.Index(rows[0], "Contract"), slices.Index(rows[0], "Churn")
	count := map[string][2]int64{}
	for _, r := range rows[1:] {
		c := count[r[contract]]
		c[1]++
		if r[churn] == "Yes" {
			c[0]++
		}
		count[r[contract]] = c
	}
	m, y := count["Month-to-month"], count["Two year"]
	c := stats.DiffProportions(m[0], m[1], y[0], y[1], 0.95)
	if !(c.Difference.Low > 0.35 && c.Difference.High < 0.45 && c.P < 1e-12) {
		t.Errorf("%v of %v against %v of %v: %+v", m[0], m[1], y[0], y[1], c)
	}
}

func ExampleDiffProportions() {
	c := stats.DiffProportions(56, 70, 48, 80, 0.95)
	fmt.Println(c.Difference)
	// Output: 0.2 [0.05243, 0.3339] n=150
}

func ExampleShrinkBinomial() {
	s := stats.ShrinkBinomial([]stats.Tally{{Hits: 1, N: 2}, {Hits: 180, N: 200}, {Hits: 75, N: 90}, {Hits: 170, N: 200}, {Hits: 60, N: 75}}, 0.95)
	fmt.Printf("a branch with 1 of 2 is put at %.2f\n", s.Units[0].Estimate.Value)
	// Output: a branch with 1 of 2 is put at 0.84
}
