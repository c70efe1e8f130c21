package metric

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"omote/analytics/stats"
)

// span of waiting: how long, whether it ended, and how many took as long.
type waiting struct {
	seconds float64
	closed  bool
	n       int64
}

// censoredQuantile estimates the q-quantile of how long something takes when
// some have not ended yet: the smallest time at which the Kaplan–Meier (1958)
// curve of those still waiting falls to 1−q or below. The interval holds the
// times that a test at the level would not refuse (Brookmeyer and Crowley 1982)
// with Greenwood's variance on the log(−log) scale, which keeps the curve
// between 0 and 1. Ends that the data do not reach are +Inf; the value is NaN
// when so many are open that the curve never falls that far. When all are closed
// it is the plain quantile with its order statistics.
func censoredQuantile(ws []waiting, q, level float64) stats.Estimate {
	if level == 0 {
		level = stats.DefaultLevel
	}
	ws = slices.Clone(ws)
	// Those that end at a time were still waiting at it, and so were those that
	// are open since.
	slices.SortFunc(ws, func(a, b waiting) int {
		switch {
		case a.seconds < b.seconds:
			return -1
		case a.seconds > b.seconds:
			return 1
		}
		return 0
	})
	var n, open int64
	for _, w := range ws {
		n += w.n
		if !w.closed {
			open += w.n
		}
	}
	if open == 0 {
		values, counts := make([]float64, len(ws)), make([]int64, len(ws))
		for i, w := range ws {
			values[i], counts[i] = w.seconds, w.n
		}
		return stats.QuantileCounts(values, counts, q, level)
	}
	e := stats.Estimate{Value: math.NaN(), Low: math.Inf(1), High: math.Inf(1), N: n, NEff: float64(n), Level: level, Method: "kaplan-meier"}
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	atRisk, survival, greenwood := float64(n), 1.0, 0.0
	for i := 0; i < len(ws); {
		at := ws[i].seconds
		var died, left float64
		for ; i < len(ws) && ws[i].seconds == at; i++ {
			if ws[i].closed {
				died += float64(ws[i].n)
			} else {
				left += float64(ws[i].n)
			}
		}
		if died > 0 {
			survival *= 1 - died/atRisk
			greenwood += died / (atRisk * (atRisk - died))
			low, high := logLog(survival, greenwood, z)
			// Comparisons with a little room, as the curve is a product of roundings.
			const room = 1e-12
			if math.IsNaN(e.Value) && survival <= 1-q+room {
				e.Value = at
			}
			if math.IsInf(e.Low, 1) && low <= 1-q+room {
				e.Low = at
			}
			if math.IsInf(e.High, 1) && high <= 1-q+room {
				e.High = at
			}
		}
		atRisk -= died + left
	}
	return e
}

// logLog is the pointwise interval of a survival probability with Greenwood's
// sum, on the log(−log) scale.
func logLog(s, greenwood, z float64) (low, high float64) {
	if s <= 0 {
		return 0, 0
	}
	if s >= 1 {
		return 1, 1
	}
	h := z * math.Sqrt(greenwood) / math.Abs(math.Log(s))
	return math.Pow(s, math.Exp(h)), math.Pow(s, math.Exp(-h))
}
