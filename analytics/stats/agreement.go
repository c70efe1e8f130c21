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
	var values []float64 // the answers that occur, in order
	for _, t := range things {
		for _, x := range t {
			if k, has := slices.BinarySearch(values, x); !has && !math.IsNaN(x) {
				values = slices.Insert(values, k, x)
			}
		}
	}
	// Counts per thing and over all things with two answers or more.
	all := make([]float64, len(values))
	var total float64
	counts := make([][]float64, 0, len(things))
	for _, t := range things {
		one, n := make([]float64, len(values)), 0.0
		for _, x := range t {
			if !math.IsNaN(x) {
				k, _ := slices.BinarySearch(values, x)
				one[k]++
				n++
			}
		}
		if n < 2 {
			continue
		}
		counts = append(counts, one)
		total += n
		for k, c := range one {
			all[k] += c
		}
	}
	d := distances(values, all, scale)
	observed, expected := 0.0, 0.0
	for _, one := range counts {
		n, apart := 0.0, 0.0
		for i, a := range one {
			n += a
			for j, b := range one {
				apart += a * b * d[i][j]
			}
		}
		observed += apart / (n - 1)
	}
	for i, a := range all {
		for j, b := range all {
			expected += a * b * d[i][j]
		}
	}
	if expected == 0 {
		return math.NaN()
	}
	return 1 - (total-1)*observed/expected
}

// distances are how far apart the values are, squared, given how often each occurs.
func distances(values, count []float64, scale Scale) [][]float64 {
	d := make([][]float64, len(values))
	for i := range values {
		d[i] = make([]float64, len(values))
		for j := range values {
			switch {
			case i == j:
			case scale == NominalScale:
				d[i][j] = 1
			case scale == IntervalScale:
				d[i][j] = (values[i] - values[j]) * (values[i] - values[j])
			default:
				between := -(count[i] + count[j]) / 2
				for k := min(i, j); k <= max(i, j); k++ {
					between += count[k]
				}
				d[i][j] = between * between
			}
		}
	}
	return d
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
