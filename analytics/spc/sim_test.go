package spc_test

import (
	"math"
	"math/rand/v2"
	"time"

	"omote/analytics/spc"
)

// simTruth is what was done to one simulated series.
type simTruth struct {
	kind  string // none, step, ramp, blip
	start int
	sigma float64 // size in within-series daily sigmas
}

// simulate draws n series of days days of NPS answers like monitoring_sim: a
// week's pattern in volume and score, over-dispersion between days, volumes from
// 25 to 1,500 a day. Of the share of series that change, 62.5 % step down, the
// others slide over 30 days or dip for three. Changes start between days 240 and
// 330; sizes are in standard deviations of a day of nominal volume.
func simulate(n, days int, seed uint64, changed float64) ([]spc.Series, []simTruth) {
	rng := rand.New(rand.NewPCG(seed, 2024))
	volume := [7]float64{1, 1, 1, 1, 0.95, 0.5, 0.4}
	score := [7]float64{0, 2, 3, 1, -1, -5, -6}
	sizes := []float64{0.5, 1, 1.5, 2, 3}
	series, truth := make([]spc.Series, n), make([]simTruth, n)
	for s := range n {
		mean := 25 * math.Exp(rng.Float64()*math.Log(60))
		over := []float64{0, 0.01, 0.02, 0.035}[rng.IntN(4)]
		p, d := 0.33+0.27*rng.Float64(), 0.13+0.17*rng.Float64()
		amp := 4 * rng.Float64() / 100
		truth[s] = simTruth{kind: "none", start: -1}
		if u := rng.Float64() * 0.4 / changed; u < 0.4 {
			kind := "step"
			if u < 0.075 {
				kind = "ramp"
			} else if u < 0.15 {
				kind = "blip"
			}
			truth[s] = simTruth{kind, 240 + rng.IntN(90), sizes[rng.IntN(len(sizes))]}
		}
		sd := math.Sqrt((p+d-(p-d)*(p-d))/mean + 4*over*over)
		pts := make([]spc.Point, days)
		for t := range days {
			move := amp*score[t%7]/6*1.5 + 2*over*rng.NormFloat64() - sd*truth[s].at(t)
			answers := poisson(rng, mean*volume[t%7])
			pts[t] = answersOf(rng, day(t), answers, p+move/2, d-move/2)
		}
		series[s] = spc.Series{Name: name(s), Kind: spc.NPS, Good: spc.GoodUp, Points: pts}
	}
	return series, truth
}

// at is the change on a day in sigmas.
func (tr simTruth) at(t int) float64 {
	switch {
	case tr.start < 0 || t < tr.start:
		return 0
	case tr.kind == "step":
		return tr.sigma
	case tr.kind == "ramp":
		return tr.sigma * math.Min(1, float64(t-tr.start+1)/30)
	case t < tr.start+3:
		return 2.5 * tr.sigma
	}
	return 0
}

func answersOf(rng *rand.Rand, t time.Time, n int, p, d float64) spc.Point {
	p, d = math.Max(p, 0.01), math.Max(d, 0.01)
	if p+d > 0.99 {
		p, d = p*0.99/(p+d), d*0.99/(p+d)
	}
	pro := binomial(rng, n, p)
	det := binomial(rng, n-pro, d/(1-p))
	return spc.NPSPoint(t, float64(pro), float64(n-pro-det), float64(det))
}

func day(t int) time.Time { return time.Unix(int64(t)*86400, 0).UTC() }

func name(i int) string {
	const digits = "0123456789"
	return string([]byte{'s', digits[i/100%10], digits[i/10%10], digits[i%10]})
}

func poisson(rng *rand.Rand, mean float64) int {
	if mean > 60 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	l, k, p := math.Exp(-mean), 0, 1.0
	for p > l {
		k++
		p *= rng.Float64()
	}
	return k - 1
}

func binomial(rng *rand.Rand, n int, p float64) int {
	if v := float64(n) * p * (1 - p); v > 25 {
		return min(n, max(0, int(math.Round(float64(n)*p+math.Sqrt(v)*rng.NormFloat64()))))
	}
	k := 0
	for range n {
		if rng.Float64() < p {
			k++
		}
	}
	return k
}
