package forecast

import (
	"math"

	"omote/analytics/stats"
)

// Verdict says how a record of forecasts stands.
type Verdict string

// The verdicts.
const (
	// TooFew: fewer than MinRecord forecasts have been scored.
	TooFew Verdict = "few"
	// Fits: intervals hold about as often as was said.
	Fits Verdict = "fits"
	// TooNarrow: they hold less often than was said, beyond chance.
	TooNarrow Verdict = "narrow"
	// TooWide: they hold more often than was said, beyond chance.
	TooWide Verdict = "wide"
)

// MinRecord is how many scored forecasts are needed before a record is judged.
const MinRecord = 10

// alpha is how often a calibrated forecaster may be misjudged on either side.
const alpha = 0.05

// Record is how well a maker of interval forecasts has done.
type Record struct {
	N, Held int
	// Said is the mean of the stated probabilities; Hit the share that held with its
	// 90% interval.
	Said float64
	Hit  stats.Estimate
	// Narrow and Wide are the chances that a calibrated maker would hold at most, or
	// at least, as often.
	Narrow, Wide float64
	Verdict      Verdict
}

// Calibrate judges a record: held[i] tells whether the interval stated with
// levels[i] held. The number that hold under calibration is a sum of independent
// trials of different chances; its distribution is computed exactly.
func Calibrate(levels []float64, held []bool) Record {
	r := Record{N: len(held), Verdict: TooFew}
	p := []float64{1} // p[k]: chance that k of those seen so far hold
	for i, level := range levels {
		r.Said += level / float64(len(levels))
		if held[i] {
			r.Held++
		}
		next := make([]float64, len(p)+1)
		for k, q := range p {
			next[k] += q * (1 - level)
			next[k+1] += q * level
		}
		p = next
	}
	r.Hit = stats.Proportion(int64(r.Held), int64(r.N), 0.9)
	for k, q := range p {
		if k <= r.Held {
			r.Narrow += q
		}
		if k >= r.Held {
			r.Wide += q
		}
	}
	r.Narrow, r.Wide = math.Min(1, r.Narrow), math.Min(1, r.Wide)
	switch {
	case r.N < MinRecord:
	case r.Narrow <= alpha:
		r.Verdict = TooNarrow
	case r.Wide <= alpha:
		r.Verdict = TooWide
	default:
		r.Verdict = Fits
	}
	return r
}

// Skill is one minus the ratio of two losses: 0 when the forecasts were no better
// than the reference, 1 when they were perfect, negative when worse. NaN when the
// reference lost nothing.
func Skill(loss, reference float64) float64 {
	if reference <= 0 {
		return math.NaN()
	}
	return 1 - loss/reference
}
