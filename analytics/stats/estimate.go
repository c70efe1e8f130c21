package stats

import (
	"encoding/json"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// DefaultLevel is the confidence level used when a caller passes zero.
const DefaultLevel = 0.95

// Estimate is a figure with its uncertainty. Low and High are the ends of a
// two-sided interval at confidence Level; they are NaN when N is too small to
// give one.
type Estimate struct {
	Value float64 // in the unit of the measure (NPS in points, proportions in 0..1)
	Low   float64
	High  float64
	N     int64   // answers behind the figure
	NEff  float64 // effective number after weighting and design, N when unweighted
	Level float64 // confidence level in (0, 1)
	// Method names the interval, such as "wilson" or "t".
	Method string
}

// HalfWidth is half the length of the interval, the "plus or minus".
func (e Estimate) HalfWidth() float64 { return (e.High - e.Low) / 2 }

// Contains reports whether x lies in the closed interval.
func (e Estimate) Contains(x float64) bool { return x >= e.Low && x <= e.High }

// Valid reports whether both the value and its interval are known.
func (e Estimate) Valid() bool {
	return !math.IsNaN(e.Value) && !math.IsNaN(e.Low) && !math.IsNaN(e.High)
}

// String renders the estimate for logs, such as "31.2 [25.0, 37.1] n=812".
func (e Estimate) String() string {
	return fmt.Sprintf("%.4g [%.4g, %.4g] n=%d", e.Value, e.Low, e.High, e.N)
}

type estimateJSON struct {
	Value  *float64 `json:"value"`
	Low    *float64 `json:"low"`
	High   *float64 `json:"high"`
	N      int64    `json:"n"`
	NEff   *float64 `json:"n_eff"`
	Level  float64  `json:"level"`
	Method string   `json:"method"`
}

// MarshalJSON writes unknown or infinite ends as null, since JSON has no NaN.
func (e Estimate) MarshalJSON() ([]byte, error) {
	return json.Marshal(estimateJSON{
		Value: finite(e.Value), Low: finite(e.Low), High: finite(e.High),
		N: e.N, NEff: finite(e.NEff), Level: e.Level, Method: e.Method,
	})
}

// UnmarshalJSON reads what [Estimate.MarshalJSON] wrote; null becomes NaN.
func (e *Estimate) UnmarshalJSON(b []byte) error {
	var j estimateJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("stats: read estimate: %w", err)
	}
	*e = Estimate{
		Value: orNaN(j.Value), Low: orNaN(j.Low), High: orNaN(j.High),
		N: j.N, NEff: orNaN(j.NEff), Level: j.Level, Method: j.Method,
	}
	return nil
}

func finite(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func orNaN(p *float64) float64 {
	if p == nil {
		return math.NaN()
	}
	return *p
}

// checkLevel resolves the zero level and refuses impossible ones.
func checkLevel(level float64) float64 {
	if level == 0 {
		return DefaultLevel
	}
	if !(level > 0 && level < 1) {
		panic(fmt.Sprintf("stats: confidence level %v is not in (0, 1)", level))
	}
	return level
}

// zFor is the two-sided standard normal quantile of a confidence level.
func zFor(level float64) float64 { return distuv.UnitNormal.Quantile(0.5 + level/2) }

// tFor is the two-sided Student quantile of a confidence level.
func tFor(level, df float64) float64 {
	if df > 1e7 {
		return zFor(level)
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(0.5 + level/2)
}

// twoSidedP is the two-sided normal tail probability of z.
func twoSidedP(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

func unknown(n int64, nEff, level float64, method string) Estimate {
	nan := math.NaN()
	return Estimate{Value: nan, Low: nan, High: nan, N: n, NEff: nEff, Level: level, Method: method}
}
