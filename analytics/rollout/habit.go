package rollout

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"omote/analytics/stats"
)

func zOf(level float64) float64 {
	if level == 0 {
		level = 0.95
	}
	return distuv.UnitNormal.Quantile(1 - (1-level)/2)
}

// Seen counts observations of a behaviour and how many met its standard.
type Seen struct{ Met, N float64 }

func (s Seen) share() float64 { return s.Met / s.N }

// Kept is what one unit showed before it began, at the end of the campaign, and
// later.
type Kept struct{ Before, End, Later Seen }

// Retained is what remained of a gain.
type Retained struct {
	Before, End, Later float64 // shares over all units
	// Gain is End less Before, with its interval; Share is (Later − Before) ÷ Gain.
	Gain, Share stats.Estimate
	// Known is false while the gain is not told apart from nothing: a share of
	// nothing means nothing.
	Known bool
}

const resamples = 2000

// Retention tells what share of the gain at the end remained later. Intervals are
// those of the bootstrap over whole units, since observations of one unit go
// together. Units without observations in one of the three windows are left out.
func Retention(units []Kept, seed uint64) (Retained, error) {
	whole := slices.DeleteFunc(slices.Clone(units), func(k Kept) bool { return k.Before.N <= 0 || k.End.N <= 0 || k.Later.N <= 0 })
	if len(whole) < minUnits {
		return Retained{}, ErrFew
	}
	sums := func(pick func(int) int) (r Retained) {
		var b, e, l Seen
		for i := range whole {
			k := whole[pick(i)]
			b, e, l = b.plus(k.Before), e.plus(k.End), l.plus(k.Later)
		}
		r.Before, r.End, r.Later = b.share(), e.share(), l.share()
		return r
	}
	out := sums(func(i int) int { return i })
	r := source{rand.NewPCG(seed, 0x94d049bb133111eb)}
	gains, shares := make([]float64, 0, resamples), make([]float64, 0, resamples)
	for range resamples {
		x := sums(func(int) int { return r.below(len(whole)) })
		gain := x.End - x.Before
		gains = append(gains, gain)
		if gain > 0 {
			shares = append(shares, (x.Later-x.Before)/gain)
		}
	}
	n := int64(len(whole))
	out.Gain = stats.Estimate{Value: out.End - out.Before, N: n}
	out.Gain.Low, out.Gain.High = ends(gains)
	if out.Known = out.Gain.Low > 0 && len(shares) >= resamples*95/100; out.Known {
		out.Share = stats.Estimate{Value: (out.Later - out.Before) / out.Gain.Value, N: n}
		out.Share.Low, out.Share.High = ends(shares)
	}
	return out, nil
}

func (s Seen) plus(o Seen) Seen { return Seen{s.Met + o.Met, s.N + o.N} }

// ends are the middle 95 % of resampled values.
func ends(x []float64) (low, high float64) {
	if len(x) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(x)
	k := int(0.025 * float64(len(x)))
	return x[k], x[len(x)-1-k]
}

// A unit has taken a habit up on a day when it kept it on Need of the last Of days
// on duty.
const (
	Need = 3
	Of   = 5
)

// Adopted tells on which days on duty a habit was taken up, from whether it was
// kept on each. Days before the habit had Of chances judge those there were.
func Adopted(kept []bool) []bool {
	out := make([]bool, len(kept))
	count := 0
	for d, yes := range kept {
		if yes {
			count++
		}
		if d >= Of && kept[d-Of] {
			count--
		}
		out[d] = count >= Need
	}
	return out
}

// Adoption is the share of units that had taken a habit up on each day since they
// began, with its interval; units whose days are fewer leave the count.
func Adoption(units [][]bool) []stats.Estimate {
	var out []stats.Estimate
	for _, kept := range units {
		for d := len(out); d < len(kept); d++ {
			out = append(out, stats.Estimate{})
		}
	}
	yes := make([]int64, len(out))
	for _, kept := range units {
		for d, a := range Adopted(kept) {
			out[d].N++
			if a {
				yes[d]++
			}
		}
	}
	for d := range out {
		out[d] = stats.Proportion(yes[d], out[d].N, 0)
	}
	return out
}
