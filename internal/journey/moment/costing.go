package moment

import (
	"math"

	"omote/analytics/mining"
	"omote/analytics/stats"
)

// costColumn is the numeric column of a log with what each event cost.
const costColumn = "cost"

// Costing reckons what the events of a journey cost the bank, in minor units: what
// their own property says, where the design of the journey names one, else what
// handling costs in their channel.
type Costing struct {
	Worth    Worth
	Property string
}

// Basis is what the costs rest on: "property", "stated" or "assumed".
func (c *Costing) Basis() string {
	switch {
	case c.Property != "":
		return "property"
	case c.Worth.Assumed:
		return "assumed"
	}
	return "stated"
}

// Of gives the expected cost of an event, NaN where it is not known.
func (c *Costing) Of(l *mining.Log) func(caseAt, event int) float64 {
	if c.Property != "" {
		return func(caseAt, event int) float64 {
			if x := l.Numbers(costColumn, caseAt); x != nil {
				return x[event]
			}
			return math.NaN()
		}
	}
	return c.at(l, func(r Range) int64 { return r.Mid })
}

// units are the costs by id of the channel.
func (c *Costing) units(l *mining.Log, end func(Range) int64) []float64 {
	dict, ok := l.Column("channel")
	if !ok {
		return nil
	}
	out := make([]float64, dict.Len())
	for id, name := range dict.Names() {
		out[id] = math.NaN()
		if r, known := c.Worth.Handling[name]; known {
			out[id] = float64(end(r))
		}
	}
	return out
}

// Spent is the sum of costs.
func Spent(m stats.Moments) float64 {
	if m.N == 0 {
		return 0
	}
	return stats.Mean(m, 0).Value * float64(m.N)
}

// Totals are the costs of all events of an activity: at the low end, as expected
// and at the high end of the ranges stated. What events say themselves has no range.
func (c *Costing) Totals(l *mining.Log, activity int32) (low, mid, high float64) {
	ends := []func(caseAt, event int) float64{c.Of(l), c.Of(l), c.Of(l)}
	if c.Property == "" {
		ends[0], ends[2] = c.at(l, func(r Range) int64 { return r.Low }), c.at(l, func(r Range) int64 { return r.High })
	}
	var sums [3]float64
	for at := range l.Cases() {
		for i, a := range l.Path(at) {
			if a != activity {
				continue
			}
			for k, cost := range ends {
				if x := cost(at, i); !math.IsNaN(x) {
					sums[k] += x
				}
			}
		}
	}
	return sums[0], sums[1], sums[2]
}

func (c *Costing) at(l *mining.Log, end func(Range) int64) func(caseAt, event int) float64 {
	unit := c.units(l, end)
	return func(caseAt, event int) float64 {
		if x := l.Values("channel", caseAt); x != nil && x[event] != mining.None {
			return unit[x[event]]
		}
		return math.NaN()
	}
}
