package stats

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// BootstrapOptions say how to resample. The zero value is 2,000 resamples,
// seed 0, BCa ends.
type BootstrapOptions struct {
	Resamples  int    // 2,000 when zero
	Seed       uint64 // the same seed gives the same interval
	Percentile bool   // plain percentile ends instead of BCa
}

// Bootstrap estimates any statistic of a sample by resampling it with
// replacement. The default ends are bias-corrected and accelerated (Efron
// 1987), second-order accurate; acceleration comes from the jackknife. The
// statistic must not keep or change its argument.
func Bootstrap(xs []float64, statistic func([]float64) float64, level float64, opt BootstrapOptions) Estimate {
	buf := make([]float64, len(xs))
	return bootstrap(len(xs), func(pick []int) float64 {
		s := buf[:len(pick)]
		for k, i := range pick {
			s[k] = xs[i]
		}
		return statistic(s)
	}, level, opt)
}

// bootstrap resamples indices 0..n−1.
func bootstrap(n int, statistic func(pick []int) float64, level float64, opt BootstrapOptions) Estimate {
	level = checkLevel(level)
	method := "bca"
	if opt.Percentile {
		method = "percentile"
	}
	if n == 0 {
		return unknown(0, 0, level, method)
	}
	pick := make([]int, n)
	for i := range pick {
		pick[i] = i
	}
	e := Estimate{Value: statistic(pick), Low: math.NaN(), High: math.NaN(),
		N: int64(n), NEff: float64(n), Level: level, Method: method}
	if n < 2 {
		return e
	}
	lowQ, highQ := (1-level)/2, (1+level)/2
	accel := 0.0
	if !opt.Percentile {
		accel = jackknifeAcceleration(n, statistic)
	}
	draws := resample(pick, statistic, opt)
	if !opt.Percentile {
		bias := biasCorrection(draws, e.Value)
		lowQ, highQ = bcaPoint(lowQ, bias, accel), bcaPoint(highQ, bias, accel)
	}
	e.Low, e.High = sortedQuantile(draws, lowQ), sortedQuantile(draws, highQ)
	return e
}

func resample(pick []int, statistic func([]int) float64, opt BootstrapOptions) []float64 {
	rounds := opt.Resamples
	if rounds <= 0 {
		rounds = 2000
	}
	rng := rand.New(rand.NewPCG(opt.Seed, 0x9e3779b97f4a7c15))
	draws := make([]float64, rounds)
	for r := range draws {
		for k := range pick {
			pick[k] = rng.IntN(len(pick))
		}
		draws[r] = statistic(pick)
	}
	slices.Sort(draws)
	return draws
}

// biasCorrection is the normal score of the share of draws below the value;
// ties count half.
func biasCorrection(sorted []float64, value float64) float64 {
	below, _ := slices.BinarySearch(sorted, value)
	upto, _ := slices.BinarySearch(sorted, math.Nextafter(value, math.Inf(1)))
	b := float64(len(sorted))
	share := (float64(below) + float64(upto-below)/2) / b
	share = math.Min(math.Max(share, 0.5/b), 1-0.5/b)
	return distuv.UnitNormal.Quantile(share)
}

func bcaPoint(q, bias, accel float64) float64 {
	z := bias + distuv.UnitNormal.Quantile(q)
	return distuv.UnitNormal.CDF(bias + z/(1-accel*z))
}

func jackknifeAcceleration(n int, statistic func([]int) float64) float64 {
	vals := make([]float64, n)
	rest := make([]int, 0, n)
	for out := range n {
		rest = rest[:0]
		for i := range n {
			if i != out {
				rest = append(rest, i)
			}
		}
		vals[out] = statistic(rest)
	}
	mean := MomentsOf(vals).Mean()
	var s2, s3 float64
	for _, v := range vals {
		d := mean - v
		s2 += d * d
		s3 += d * d * d
	}
	if s2 == 0 {
		return 0
	}
	return s3 / (6 * math.Pow(s2, 1.5))
}
