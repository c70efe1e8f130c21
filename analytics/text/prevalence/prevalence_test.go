package prevalence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"omote/internal/testkit/shared"
)

// draw counts n draws by the shares.
func draw(r *rand.Rand, n int, shares []float64) []int64 {
	out := make([]int64, len(shares))
	for range n {
		u := r.Float64()
		for i, s := range shares {
			if u -= s; u < 0 || i == len(shares)-1 {
				out[i]++
				break
			}
		}
	}
	return out
}

func TestCorrectedByHand(t *testing.T) {
	t.Parallel()
	// Nine in ten of a and eight in ten of b are recognised. 620 answers of a
	// in 1,000 then mean 0.9p + 0.2(1-p) = 0.62, p = 0.6.
	got, err := Corrected([]int64{620, 380}, Confusion{{90, 10}, {20, 80}}, Options{Resamples: 200})
	if err != nil || math.Abs(got[0].Value-0.6) > 1e-3 {
		t.Errorf("%v %v", got, err)
	}
	if !got[0].Contains(0.6) || got[0].Low < 0.4 || got[0].High > 0.8 {
		t.Errorf("interval %v", got[0])
	}
}

// TestCorrectedCoverage simulates a month whose mix differs from that of the
// known texts, and counts how often the interval holds the truth.
func TestCorrectedCoverage(t *testing.T) {
	t.Parallel()
	replications := 150
	if shared.Verify() {
		replications = 3000
	}
	r := rand.New(rand.NewPCG(11, 5))
	rate := [][]float64{{0.85, 0.1, 0.05}, {0.1, 0.8, 0.1}, {0.05, 0.15, 0.8}}
	truth := []float64{0.2, 0.5, 0.3}
	held, naive := 0, 0.0
	for rep := range replications {
		var table Confusion
		for _, row := range rate {
			table = append(table, draw(r, 150, row))
		}
		answers := make([]int64, 3)
		for label, n := range draw(r, 1000, truth) {
			for a, c := range draw(r, int(n), rate[label]) {
				answers[a] += c
			}
		}
		got, err := Corrected(answers, table, Options{Resamples: 200, Seed: uint64(rep)})
		if err != nil {
			t.Fatal(err)
		}
		for label, e := range got {
			if e.Contains(truth[label]) {
				held++
			}
			naive += math.Abs(float64(answers[label])/1000-truth[label]) / float64(3*replications)
		}
	}
	coverage := float64(held) / float64(3*replications)
	t.Logf("coverage %.4f; the plain count errs by %.4f", coverage, naive)
	if coverage < 0.92 || coverage > 0.98 {
		t.Errorf("coverage %.4f of a 95 %% interval", coverage)
	}
}

func TestPoweredCoverage(t *testing.T) {
	t.Parallel()
	replications := 400
	if shared.Verify() {
		replications = 10000
	}
	r := rand.New(rand.NewPCG(3, 9))
	const truth = 0.3
	held, width, plain := 0, 0.0, 0.0
	for range replications {
		text := func() (score float64, label bool) {
			label = r.Float64() < truth
			score = 0.25 + 0.15*r.NormFloat64() // biased on purpose
			if label {
				score += 0.45
			}
			return score, label
		}
		var scores []float64
		var sample []Judged
		for range 4000 {
			s, _ := text()
			scores = append(scores, s)
		}
		for range 200 {
			s, l := text()
			sample = append(sample, Judged{s, l})
		}
		e, err := Powered(scores, sample, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if e.Contains(truth) {
			held++
		}
		width += e.HalfWidth() / float64(replications)
		plain += 1.96 * math.Sqrt(truth*(1-truth)/200) / float64(replications)
	}
	coverage := float64(held) / float64(replications)
	t.Logf("coverage %.4f, half width %.4f against %.4f of the sample alone", coverage, width, plain)
	if coverage < 0.925 || coverage > 0.975 || width > 0.8*plain {
		t.Errorf("coverage %.4f, half width %.4f of %.4f", coverage, width, plain)
	}
}

func TestCorrectedProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(2, 5).Draw(t, "labels")
		counts := rapid.SliceOfN(rapid.Int64Range(0, 50), k, k)
		answers := counts.Draw(t, "answers")
		var table Confusion
		for range k {
			table = append(table, counts.Draw(t, "row"))
		}
		got, err := Corrected(answers, table, Options{Resamples: 10})
		if err != nil {
			return
		}
		sum := 0.0
		for _, e := range got {
			sum += e.Value
			if e.Low > e.Value || e.High < e.Value || e.Low < 0 || e.High > 1+1e-9 {
				t.Fatalf("%v", e)
			}
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Fatalf("shares sum to %v", sum)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		answers []int64
		table   Confusion
	}{{[]int64{1}, Confusion{{1}}}, {[]int64{1, 2}, Confusion{{1, 1}}}, {[]int64{0, 0}, Confusion{{1, 1}, {1, 1}}}, {[]int64{1, -1}, Confusion{{1, 1}, {1, 1}}}} {
		if _, err := Corrected(c.answers, c.table, Options{}); err == nil {
			t.Errorf("%v must be refused", c)
		}
	}
	if _, err := Powered(nil, nil, 0.95); err == nil {
		t.Error("no texts must be refused")
	}
}

func BenchmarkCorrected(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Corrected([]int64{620, 380}, Confusion{{90, 10}, {20, 80}}, Options{Resamples: 100}); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleCorrected() {
	// The model finds 90 % of complaints and wrongly calls 20 % of the rest so.
	// It calls 620 of 1,000 texts complaints.
	e, _ := Corrected([]int64{620, 380}, Confusion{{90, 10}, {20, 80}}, Options{})
	fmt.Printf("%.2f\n", e[0].Value)
	// Output: 0.60
}
