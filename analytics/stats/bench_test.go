package stats_test

import (
	"math/rand/v2"
	"testing"

	"omote/analytics/stats"
)

func draws(n int) []float64 {
	rng := rand.New(rand.NewPCG(1, 1))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = rng.NormFloat64()
	}
	return xs
}

func BenchmarkBootstrapMean1000(b *testing.B) {
	b.ReportAllocs()
	xs := draws(1000)
	mean := func(s []float64) float64 { return stats.MomentsOf(s).Mean() }
	for b.Loop() {
		stats.Bootstrap(xs, mean, 0.95, stats.BootstrapOptions{Seed: 1})
	}
}

func BenchmarkRake1000By2(b *testing.B) {
	b.ReportAllocs()
	age, region := make([]int, 1000), make([]int, 1000)
	for i := range age {
		age[i], region[i] = i%5, i*7%11%3
	}
	margins := []stats.Margin{{Of: age, Target: []float64{1, 2, 3, 2, 1}}, {Of: region, Target: []float64{5, 3, 1}}}
	for b.Loop() {
		if _, err := stats.Rake(nil, margins, stats.RakeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkShrinkBinomial200(b *testing.B) {
	b.ReportAllocs()
	rng := rand.New(rand.NewPCG(1, 1))
	units := make([]stats.Tally, 200)
	for i := range units {
		n := 20 + rng.Int64N(300)
		units[i] = stats.Tally{N: n, Hits: n * (60 + rng.Int64N(30)) / 100}
	}
	for b.Loop() {
		stats.ShrinkBinomial(units, 0.95)
	}
}

func BenchmarkHodgesLehmann10000(b *testing.B) {
	b.ReportAllocs()
	xs := draws(10000)
	for b.Loop() {
		stats.HodgesLehmann(xs, 0.95)
	}
}

func BenchmarkBenjaminiHochberg1000(b *testing.B) {
	b.ReportAllocs()
	p := draws(1000)
	for i := range p {
		p[i] = p[i] * p[i] / 20
	}
	for b.Loop() {
		stats.BenjaminiHochberg(p)
	}
}
