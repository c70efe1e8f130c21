package forecast

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// For equal spreads the closed form is that of Gneiting and Raftery (2007),
// equation 21: σ(z(2Φ(z)−1) + 2φ(z) − 1/√π).
func TestCRPSOfTheNormalDistribution(t *testing.T) {
	t.Parallel()
	for _, y := range []float64{-3, -0.4, 0, 1, 2.5} {
		z := (y - 1) / 2
		want := 2 * (z*(2*distuv.UnitNormal.CDF(z)-1) + 2*distuv.UnitNormal.Prob(z) - 1/math.Sqrt(math.Pi))
		near(t, "normal", TwoPiece{1, 2, 2}.CRPS(y), want, 1e-12)
	}
	// The standard normal at its mean: 2φ(0) − 1/√π = 0.2336949…
	near(t, "standard", TwoPiece{0, 1, 1}.CRPS(0), 0.23369497725510913, 1e-12)
}

// The closed form equals the integral of its definition.
func TestCRPSEqualsItsIntegral(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := TwoPiece{rapid.Float64Range(-5, 5).Draw(t, "mode"), rapid.Float64Range(0.2, 4).Draw(t, "below"), rapid.Float64Range(0.2, 4).Draw(t, "above")}
		y := rapid.Float64Range(-12, 12).Draw(t, "y")
		const from, to, n = -60.0, 60.0, 120_000
		h, sum := (to-from)/n, 0.0
		for i := range n {
			x := from + (float64(i)+0.5)*h
			q := d.CDF(x)
			if x >= y {
				q--
			}
			sum += q * q * h
		}
		if got := d.CRPS(y); math.Abs(got-sum) > 2e-3 {
			t.Fatalf("%+v at %g: closed form %g, integral %g", d, y, got, sum)
		}
	})
}

// The distribution of an interval has its mass where the interval says, and its
// quantiles invert its CDF.
func TestDistributionKeepsTheStatedChance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(-10, 10).Draw(t, "low")
		f := Interval{Low: low, Mid: low + rapid.Float64Range(0, 5).Draw(t, "left"), Level: rapid.Float64Range(0.3, 0.98).Draw(t, "level")}
		f.High = f.Mid + rapid.Float64Range(0.01, 5).Draw(t, "right")
		d := f.Distribution()
		if got := d.CDF(f.High) - d.CDF(math.Nextafter(f.Low, -100)); f.Low < f.Mid && math.Abs(got-f.Level) > 1e-9 {
			t.Fatalf("%+v holds %g", f, got)
		}
		p := rapid.Float64Range(0.01, 0.99).Draw(t, "p")
		if x := d.Quantile(p); math.Abs(d.CDF(x)-p) > 1e-9 && d.Below > 0 {
			t.Fatalf("%+v: quantile %g of %g gives back %g", d, x, p, d.CDF(x))
		}
	})
}

// Nobody scores better, in expectation, than by saying what they believe: honest
// deciders beat boastful ones (too narrow), timid ones (too wide) and optimists
// (shifted), under each score.
func TestHonestBeatsBoastful(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 2))
	const n = 40_000
	type maker struct {
		name         string
		scale, shift float64
	}
	makers := []maker{{"honest", 1, 0}, {"boastful", 0.35, 0}, {"timid", 3, 0}, {"optimist", 1, 1.2}, {"boastful optimist", 0.35, 1.2}}
	interval, crps, held := make([]float64, len(makers)), make([]float64, len(makers)), make([][]bool, len(makers))
	z := distuv.UnitNormal.Quantile(0.9) // of an 80% interval
	for range n {
		mean, spread := r.NormFloat64()*2, 0.5+r.Float64()
		y := mean + spread*r.NormFloat64() // what the honest maker believes is true
		for i, m := range makers {
			mid := mean + m.shift*spread
			f := Interval{Low: mid - z*m.scale*spread, Mid: mid, High: mid + z*m.scale*spread, Level: 0.8}
			interval[i] += f.Score(y) / n
			crps[i] += f.CRPS(y) / n
			held[i] = append(held[i], f.Holds(y))
		}
	}
	for i, m := range makers[1:] {
		if interval[i+1] <= interval[0]*1.02 || crps[i+1] <= crps[0]*1.02 {
			t.Errorf("%s scores %.3f and %.3f, honest %.3f and %.3f", m.name, interval[i+1], crps[i+1], interval[0], crps[0])
		}
	}
	levels := make([]float64, 60)
	for i := range levels {
		levels[i] = 0.8
	}
	for i, want := range map[int]Verdict{0: Fits, 1: TooNarrow, 2: TooWide, 3: TooNarrow} {
		if got := Calibrate(levels, held[i][:60]); got.Verdict != want {
			t.Errorf("%s after 60 forecasts: %+v", makers[i].name, got)
		}
	}
	// Events: honest chances against chances pushed to the ends.
	honest, bold, vague := 0.0, 0.0, 0.0
	for range n {
		p := r.Float64()
		happened := r.Float64() < p
		honest += Brier(p, happened) / n
		bold += Brier(math.Round(p), happened) / n
		vague += Brier(0.5, happened) / n
	}
	if honest >= bold || honest >= vague || math.Abs(vague-0.25) > 1e-9 || math.Abs(honest-1.0/6) > 0.005 {
		t.Errorf("Brier: honest %.3f, bold %.3f, vague %.3f", honest, bold, vague)
	}
}

// A calibrated maker is called too narrow, and too wide, in at most 5% of records.
func TestCalibratedMakersAreRarelyMisjudged(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 1))
	const records = 4000
	narrow, wide, boastful := 0, 0, 0
	for range records {
		n := 10 + r.IntN(25)
		levels, held, short := make([]float64, n), make([]bool, n), make([]bool, n)
		for i := range levels {
			levels[i] = []float64{0.5, 0.8, 0.9}[r.IntN(3)]
			held[i] = r.Float64() < levels[i]
			short[i] = r.Float64() < levels[i]-0.4
		}
		switch Calibrate(levels, held).Verdict {
		case TooNarrow:
			narrow++
		case TooWide:
			wide++
		}
		if Calibrate(levels, short).Verdict == TooNarrow {
			boastful++
		}
	}
	if narrow > records*55/1000 || wide > records*55/1000 {
		t.Errorf("of %d calibrated records %d were called narrow, %d wide", records, narrow, wide)
	}
	if boastful < records*7/10 {
		t.Errorf("only %d of %d boastful records were found", boastful, records)
	}
}

func TestCalibrateByHand(t *testing.T) {
	t.Parallel()
	// Two of ten hold at 80%: sum of C(10,k)·0.8^k·0.2^(10−k) for k ≤ 2 = 0.0000779264
	r := Calibrate([]float64{.8, .8, .8, .8, .8, .8, .8, .8, .8, .8}, []bool{true, true, false, false, false, false, false, false, false, false})
	near(t, "narrow", r.Narrow, 0.0000779264, 1e-12)
	if r.Verdict != TooNarrow || r.Held != 2 || math.Abs(r.Said-0.8) > 1e-12 {
		t.Errorf("%+v", r)
	}
	if r := Calibrate([]float64{0.9}, []bool{false}); r.Verdict != TooFew {
		t.Errorf("%+v", r)
	}
}

// Winkler's score by hand: width 4, missed by 1 at 80%: 4 + 2/0.2·1 = 14.
func TestIntervalScoreByHand(t *testing.T) {
	t.Parallel()
	f := Interval{Low: 2, Mid: 4, High: 6, Level: 0.8}
	near(t, "inside", f.Score(3), 4, 1e-12)
	near(t, "above", f.Score(7), 14, 1e-9)
	near(t, "below", f.Score(1), 14, 1e-9)
	for _, bad := range []Interval{{2, 1, 3, .8}, {1, 1, 1, .8}, {1, 2, 3, 1}, {1, 2, math.NaN(), .8}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}
