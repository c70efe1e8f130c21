// Package prevalence estimates how many texts truly carry each label when a
// model, which errs, did the labelling.
//
// Counting a model's answers is biased: if it takes a tenth of the praise for
// complaints, a month of praise looks like a month of complaints. Two
// corrections are given, each with an interval that also carries the
// uncertainty of the correction.
//
// [Corrected] needs a confusion table: for texts whose truth is known, which
// answer the model gave for which true label. It assumes that the model errs on
// the new texts as on those (the texts of one label look alike, their mix may
// change), and finds the mix of true labels that most likely gave the model's
// answers: the maximum of the likelihood over all mixes, by expectation
// maximisation. The interval is a bootstrap over both the new answers and the
// table.
//
// [Powered] needs a random sample of the new texts labelled by people. It
// assumes nothing about the model: the model's count over all texts is
// corrected by its mean error on the sample. The better the model, the shorter
// the interval; a useless model costs nothing but brings nothing.
//
// # Sources
//
// Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a Classifier to
// New a Priori Probabilities" (2002); Forman, "Quantifying counts and costs via
// classification" (2008); Angelopoulos et al., "Prediction-powered inference"
// (Science, 2023) with the power tuning of Angelopoulos, Duchi and Zrnic,
// "PPI++" (2023).
package prevalence

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"omote/analytics/stats"
)

// Confusion counts answers on texts whose truth is known: Confusion[t][a] is
// how many texts of true label t got the answer a.
type Confusion [][]int64

// Options of Corrected. The zero value uses 1,000 resamples, the level
// stats.DefaultLevel and seed 0.
type Options struct {
	Resamples int
	Level     float64
	Seed      uint64
}

const defaultResamples = 1000

// Corrected estimates the share of each true label among texts of which
// answers[a] got the answer a. Labels without any known text cannot be
// estimated and get share 0.
func Corrected(answers []int64, table Confusion, o Options) ([]stats.Estimate, error) {
	k := len(answers)
	if k < 2 || len(table) != k {
		return nil, fmt.Errorf("prevalence: %d answers and %d rows of the table", k, len(table))
	}
	n := int64(0)
	for a, c := range answers {
		if c < 0 {
			return nil, fmt.Errorf("prevalence: %d answers of label %d", c, a)
		}
		n += c
	}
	known := int64(0)
	for t, row := range table {
		if len(row) != k {
			return nil, fmt.Errorf("prevalence: row %d of the table has %d columns, want %d", t, len(row), k)
		}
		for _, c := range row {
			if c < 0 {
				return nil, fmt.Errorf("prevalence: negative count in row %d", t)
			}
			known += c
		}
	}
	if n == 0 || known == 0 {
		return nil, errors.New("prevalence: no answers, or no texts of known truth")
	}
	if o.Resamples <= 0 {
		o.Resamples = defaultResamples
	}
	if o.Level <= 0 || o.Level >= 1 {
		o.Level = stats.DefaultLevel
	}
	shares := mix(toFloat(answers), rates(table))
	return interval(shares, resample(answers, table, o), n, o.Level), nil
}

func toFloat(counts []int64) []float64 {
	out := make([]float64, len(counts))
	for i, c := range counts {
		out[i] = float64(c)
	}
	return out
}

// rates turns a table into the answer probabilities of each true label; nil for
// labels never seen.
func rates(table Confusion) [][]float64 {
	out := make([][]float64, len(table))
	for t, row := range table {
		total := int64(0)
		for _, c := range row {
			total += c
		}
		if total == 0 {
			continue
		}
		out[t] = make([]float64, len(row))
		for a, c := range row {
			out[t][a] = float64(c) / float64(total)
		}
	}
	return out
}

const (
	mixRounds    = 2000
	mixTolerance = 1e-9
	// floor keeps an answer that no label is known to give from making the
	// likelihood zero.
	floor = 1e-6
)

// mix finds the shares of true labels under which the answers are most likely,
// by expectation maximisation from equal shares.
func mix(answers []float64, rate [][]float64) []float64 {
	k := len(answers)
	shares, next, expected := make([]float64, k), make([]float64, k), make([]float64, k)
	seen, total := 0, 0.0
	for t := range rate {
		if rate[t] != nil {
			seen++
		}
	}
	for t := range rate {
		if rate[t] != nil {
			shares[t] = 1 / float64(seen)
		}
	}
	for _, c := range answers {
		total += c
	}
	for range mixRounds {
		for a := range expected {
			expected[a] = floor
			for t, row := range rate {
				if row != nil {
					expected[a] += shares[t] * row[a]
				}
			}
		}
		change := 0.0
		sum := 0.0
		for t, row := range rate {
			next[t] = 0
			if row == nil {
				continue
			}
			for a, c := range answers {
				next[t] += c / total * shares[t] * row[a] / expected[a]
			}
			sum += next[t]
		}
		for t := range next {
			if sum > 0 {
				next[t] /= sum
			}
			change = math.Max(change, math.Abs(next[t]-shares[t]))
		}
		shares, next = next, shares
		if change < mixTolerance {
			break
		}
	}
	return slices.Clone(shares)
}

// resample draws new answers and new tables and solves each.
func resample(answers []int64, table Confusion, o Options) [][]float64 {
	r := rand.New(rand.NewPCG(o.Seed, 0x9E3779B97F4A7C15))
	draws := make([][]float64, o.Resamples)
	for b := range draws {
		t := make(Confusion, len(table))
		for row := range table {
			t[row] = multinomial(r, table[row])
		}
		draws[b] = mix(toFloat(multinomial(r, answers)), rates(t))
	}
	return draws
}

// multinomial draws as many as counts hold, with their shares.
func multinomial(r *rand.Rand, counts []int64) []int64 {
	n := int64(0)
	for _, c := range counts {
		n += c
	}
	out := make([]int64, len(counts))
	if n == 0 {
		return out
	}
	left, weight := n, float64(n)
	for i, c := range counts {
		if left == 0 || i == len(counts)-1 {
			out[i] = left
			break
		}
		p := float64(c) / weight
		out[i] = binomial(r, left, math.Min(1, p))
		left -= out[i]
		weight -= float64(c)
		if weight <= 0 {
			break
		}
	}
	return out
}

// binomial draws by counting for small n and by the normal approximation with
// rounding for large n·p·(1−p).
func binomial(r *rand.Rand, n int64, p float64) int64 {
	if p <= 0 {
		return 0
	}
	if p >= 1 {
		return n
	}
	if v := float64(n) * p * (1 - p); v > 200 {
		x := math.Round(float64(n)*p + math.Sqrt(v)*r.NormFloat64())
		return int64(math.Max(0, math.Min(float64(n), x)))
	}
	if p > 0.5 {
		return n - binomial(r, n, 1-p)
	}
	// Waiting times between successes are geometric.
	x, at := int64(0), 0.0
	for {
		at += math.Floor(math.Log(1-r.Float64())/math.Log1p(-p)) + 1
		if at > float64(n) {
			return x
		}
		x++
	}
}

// interval takes percentiles of the draws and widens them to hold the estimate.
func interval(shares []float64, draws [][]float64, n int64, level float64) []stats.Estimate {
	out := make([]stats.Estimate, len(shares))
	column := make([]float64, len(draws))
	for t := range shares {
		for b, d := range draws {
			column[b] = d[t]
		}
		slices.Sort(column)
		out[t] = stats.Estimate{
			Value: shares[t], N: n, NEff: float64(n), Level: level, Method: "corrected-count",
			Low:  math.Min(shares[t], percentile(column, (1-level)/2)),
			High: math.Max(shares[t], percentile(column, (1+level)/2)),
		}
	}
	return out
}

func percentile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Judged is a text of the random sample: what the model scored and whether
// people say it carries the label.
type Judged struct {
	Score float64 // the model's probability, or 0 and 1
	Truth bool
}

// Powered estimates the share of texts that carry one label from the model's
// scores of all texts that nobody judged and a random sample that people judged.
// The weight given to the model is the one of least variance.
func Powered(scores []float64, sample []Judged, level float64) (stats.Estimate, error) {
	n, m := float64(len(sample)), float64(len(scores))
	if n < 2 || m < 2 {
		return stats.Estimate{}, errors.New("prevalence: at least two judged and two scored texts are needed")
	}
	if level <= 0 || level >= 1 {
		level = stats.DefaultLevel
	}
	meanAll, varAll := moments(len(scores), func(i int) float64 { return scores[i] })
	meanSample, varSample := moments(len(sample), func(i int) float64 { return sample[i].Score })
	truth := func(i int) float64 {
		if sample[i].Truth {
			return 1
		}
		return 0
	}
	meanTruth, varTruth := moments(len(sample), truth)
	covariance := 0.0
	for i, s := range sample {
		covariance += (s.Score - meanSample) * (truth(i) - meanTruth) / (n - 1)
	}
	weight := 0.0
	if spread := varSample/n + varAll/m; spread > 0 {
		weight = math.Max(0, math.Min(1, covariance/n/spread))
	}
	value := weight*meanAll + meanTruth - weight*meanSample
	variance := weight*weight*varAll/m + (varTruth+weight*weight*varSample-2*weight*covariance)/n
	half := normalQuantile((1+level)/2) * math.Sqrt(math.Max(0, variance))
	value = math.Max(0, math.Min(1, value))
	return stats.Estimate{
		Value: value, Low: math.Max(0, value-half), High: math.Min(1, value+half),
		N: int64(m + n), NEff: n, Level: level, Method: "prediction-powered",
	}, nil
}

func moments(n int, at func(int) float64) (mean, variance float64) {
	for i := range n {
		mean += at(i) / float64(n)
	}
	for i := range n {
		d := at(i) - mean
		variance += d * d / float64(n-1)
	}
	return mean, variance
}

func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
