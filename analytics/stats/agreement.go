package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// GwetAC1 is how far two raters agree beyond chance on yes or no, from the pairs of
// their judgements: Gwet's AC1 (2008), which, unlike Cohen's kappa, does not fall
// to nothing when nearly all are yes. The interval is that of Gwet's variance over
// the pairs, cut at 1. Fewer than two pairs have none.
func GwetAC1(pairs [][2]bool, level float64) Estimate {
	n := float64(len(pairs))
	e := Estimate{Value: math.NaN(), Low: math.NaN(), High: math.NaN(), N: int64(len(pairs)), NEff: n, Level: checkLevel(level), Method: "gwet-ac1"}
	if n < 2 {
		return e
	}
	agree, yes := 0.0, 0.0
	for _, p := range pairs {
		if p[0] == p[1] {
			agree++
		}
		yes += half(p)
	}
	agree, yes = agree/n, yes/n
	chance := 2 * yes * (1 - yes)
	e.Value = (agree - chance) / (1 - chance)
	// Each pair's part, with the chance it adds linearised (Gwet 2008, equation 21).
	sum := 0.0
	for _, p := range pairs {
		a, h := 0.0, half(p)
		if p[0] == p[1] {
			a = 1
		}
		ci := yes*(1-h) + h*(1-yes) // the pair's part of the chance
		x := (a-chance)/(1-chance) - 2*(1-e.Value)*(ci-chance)/(1-chance)
		sum += (x - e.Value) * (x - e.Value)
	}
	se := math.Sqrt(sum / n / (n - 1))
	z := zFor(e.Level)
	e.Low, e.High = max(-1, e.Value-z*se), min(1, e.Value+z*se)
	return e
}

func half(p [2]bool) (x float64) {
	for _, yes := range p {
		if yes {
			x += 0.5
		}
	}
	return x
}

// Scale is how far apart two answers are, for [KrippendorffAlpha].
type Scale uint8

// The scales.
const (
	NominalScale  Scale = iota // equal or not
	OrdinalScale               // by the answers that lie between
	IntervalScale              // by the square of the difference
)

// KrippendorffAlpha is the agreement of any number of raters on many things, with
// gaps: 1 is full agreement, 0 what chance gives (Krippendorff 2011). things holds
// the answers per thing, NaN for none; answers of fewer than two raters say
// nothing. It is not a number where nothing was rated twice, or nothing differs.
func KrippendorffAlpha(things [][]float64, scale Scale) float64 {
	var all []float64
	var pairable [][]float64
	for _, t := range things {
		kept := slices.DeleteFunc(slices.Clone(t), math.IsNaN)
		if len(kept) > 1 {
			pairable = append(pairable, kept)
			all = append(all, kept...)
		}
	}
	if len(all) < 2 {
		return math.NaN()
	}
	d := distance(all, scale)
	observed, expected := 0.0, 0.0
	for _, t := range pairable {
		for i, a := range t {
			for j, b := range t {
				if i != j {
					observed += d(a, b) / float64(len(t)-1)
				}
			}
		}
	}
	for i, a := range all {
		for j, b := range all {
			if i != j {
				expected += d(a, b)
			}
		}
	}
	if expected == 0 {
		return math.NaN()
	}
	return 1 - float64(len(all)-1)*observed/expected
}

func distance(all []float64, scale Scale) func(a, b float64) float64 {
	switch scale {
	case NominalScale:
		return func(a, b float64) float64 {
			if a == b {
				return 0
			}
			return 1
		}
	case IntervalScale:
		return func(a, b float64) float64 { return (a - b) * (a - b) }
	}
	count := map[float64]float64{}
	for _, x := range all {
		count[x]++
	}
	return func(a, b float64) float64 {
		low, high := min(a, b), max(a, b)
		sum := -(count[a] + count[b]) / 2
		for x, n := range count {
			if x >= low && x <= high {
				sum += n
			}
		}
		if a == b {
			return 0
		}
		return sum * sum
	}
}

// AlphaInterval is Krippendorff's alpha with the percentile bootstrap over things.
// Its ends are NaN where fewer than five things were rated twice.
func AlphaInterval(things [][]float64, scale Scale, level float64, draws int, seed uint64) Estimate {
	level = checkLevel(level)
	e := Estimate{Value: KrippendorffAlpha(things, scale), Low: math.NaN(), High: math.NaN(), Level: level, Method: "krippendorff-bootstrap"}
	twice := slices.DeleteFunc(slices.Clone(things), func(t []float64) bool {
		return len(slices.DeleteFunc(slices.Clone(t), math.IsNaN)) < 2
	})
	e.N, e.NEff = int64(len(twice)), float64(len(twice))
	if len(twice) < 5 || math.IsNaN(e.Value) {
		return e
	}
	r := rand.New(rand.NewPCG(seed, 0x5851f42d4c957f2d))
	values, pick := make([]float64, 0, draws), make([][]float64, len(twice))
	for range draws {
		for i := range pick {
			pick[i] = twice[r.IntN(len(twice))]
		}
		if a := KrippendorffAlpha(pick, scale); !math.IsNaN(a) {
			values = append(values, a)
		}
	}
	if len(values) < draws/2 {
		return e
	}
	slices.Sort(values)
	k := int((1 - level) / 2 * float64(len(values)))
	e.Low, e.High = values[k], values[len(values)-1-k]
	return e
}
