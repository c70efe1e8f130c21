// Package decision judges a change before money is spent on it: what it may bring
// and cost as ranges, how likely it pays, when, and which of the guesses decides.
//
// A Case holds the inputs of a return-on-investment card. Every input is a Range,
// as somebody judged it: the value lies between Low and High nine times in ten,
// and Mid is the most likely. Judge draws all inputs many times, independently,
// and gives the range of the results. The seed is part of the case, so the same
// case always gives the same figures.
//
// The value of a year, in money of today:
//
//	customers × fall in loss × margin + customers × contacts avoided × cost of a contact
//
// fading by Fade a year, less the running cost, discounted at Rate for Years, less
// the one-off cost.
package decision

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"omote/analytics/forecast"
)

// Range is a judged quantity.
type Range struct {
	Low  float64 `json:"low"`
	Mid  float64 `json:"mid"`
	High float64 `json:"high"`
}

// Fixed is a quantity that is known.
func Fixed(x float64) Range { return Range{x, x, x} }

// level is how often a judged value lies between Low and High.
const level = 0.9

// Validate tells what is wrong with it.
func (r Range) Validate() error {
	for _, x := range []float64{r.Low, r.Mid, r.High} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("decision: %v is no number", x)
		}
	}
	if !(r.Low <= r.Mid && r.Mid <= r.High) {
		return fmt.Errorf("decision: low, expected and high are not in order: %g, %g, %g", r.Low, r.Mid, r.High)
	}
	return nil
}

// at is the value that a share u of the draws lies below.
func (r Range) at(u float64) float64 {
	if r.Low == r.High {
		return r.Mid
	}
	return forecast.Interval{Low: r.Low, Mid: r.Mid, High: r.High, Level: level}.Distribution().Quantile(u)
}

// Case is what a change may bring and cost. Money is in one currency, whole units.
type Case struct {
	Customers       Range   `json:"customers"`        // reached in a year
	ChurnDrop       Range   `json:"churn_drop"`       // fall in the yearly loss of customers, a share
	Margin          Range   `json:"margin"`           // money a customer leaves in a year
	ContactsAvoided Range   `json:"contacts_avoided"` // per customer and year
	ContactCost     Range   `json:"contact_cost"`     // money saved per contact
	OneOff          Range   `json:"one_off"`          // money spent once, at the start
	Running         Range   `json:"running"`          // money spent each year
	Fade            Range   `json:"fade"`             // share of the effect lost each year
	Rate            float64 `json:"rate"`             // discount rate of a year, a share
	Years           int     `json:"years"`            // counted, 1 to MaxYears
	Seed            uint64  `json:"seed"`
}

// MaxYears bounds the horizon.
const MaxYears = 10

// Input names the parts of a case, in the order of Case.
type Input string

// The inputs.
const (
	Customers       Input = "customers"
	ChurnDrop       Input = "churn_drop"
	Margin          Input = "margin"
	ContactsAvoided Input = "contacts_avoided"
	ContactCost     Input = "contact_cost"
	OneOff          Input = "one_off"
	Running         Input = "running"
	Fade            Input = "fade"
)

// Inputs lists the ranges of a case by name, in order.
var Inputs = []Input{Customers, ChurnDrop, Margin, ContactsAvoided, ContactCost, OneOff, Running, Fade}

func (c Case) ranges() []Range {
	return []Range{c.Customers, c.ChurnDrop, c.Margin, c.ContactsAvoided, c.ContactCost, c.OneOff, c.Running, c.Fade}
}

// Validate tells what is wrong with it.
func (c Case) Validate() error {
	for i, r := range c.ranges() {
		if err := r.Validate(); err != nil {
			return fmt.Errorf("%s: %w", Inputs[i], err)
		}
		// An effect may be harm; amounts and costs are not negative.
		if r.Low < 0 && Inputs[i] != ChurnDrop && Inputs[i] != ContactsAvoided {
			return fmt.Errorf("decision: %s is negative", Inputs[i])
		}
	}
	switch {
	case c.Fade.High > 1 || c.ChurnDrop.High > 1:
		return errors.New("decision: a share is at most 1")
	case c.Years < 1 || c.Years > MaxYears:
		return fmt.Errorf("decision: the horizon is 1 to %d years", MaxYears)
	case !(c.Rate >= 0 && c.Rate < 1):
		return errors.New("decision: the discount rate is a share below 1")
	}
	return nil
}

// value is the net present value of one draw, and how many years it takes to earn
// the one-off cost back (infinite where it never does within the horizon's pace).
func (c Case) value(x []float64) (npv, payback float64) {
	for i, in := range Inputs {
		if in != ChurnDrop && in != ContactsAvoided {
			x[i] = math.Max(0, x[i]) // the tail of a judged range may leave what can be
		}
	}
	fade := math.Min(1, x[7])
	gain := x[0]*x[1]*x[2] + x[0]*x[3]*x[4]
	npv = -x[5]
	for t := 1; t <= c.Years; t++ {
		npv += (gain*math.Pow(1-fade, float64(t-1)) - x[6]) / math.Pow(1+c.Rate, float64(t))
	}
	switch net := gain - x[6]; {
	case x[5] == 0 && net >= 0:
		payback = 0
	case net > 0:
		payback = x[5] / net
	default:
		payback = math.Inf(1)
	}
	return npv, payback
}

// Bar is what the value would be at either end of one input, all others at their
// middle: a tornado's bar.
type Bar struct {
	Input     Input
	Low, High float64 // value at the input's low and high end
}

// Judgement is what a case comes to.
type Judgement struct {
	// Low, Mid and High are the 5th, 50th and 95th percentile of the value.
	Low, Mid, High float64
	// AtMid is the value with every input at its middle.
	AtMid float64
	// Positive is the share of draws that pay.
	Positive float64
	// Payback are the 5th, 50th and 95th percentile of the years to earn the
	// one-off cost back; infinite where it is never earned.
	Payback [3]float64
	// Tornado holds the inputs that matter, the widest first.
	Tornado []Bar
	Draws   int
}

// Draws is how many times the inputs are drawn.
const Draws = 10_000

// Judge draws the case. The error is that of Validate.
func (c Case) Judge() (Judgement, error) { return c.judge(Draws) }

func (c Case) judge(draws int) (Judgement, error) {
	if err := c.Validate(); err != nil {
		return Judgement{}, err
	}
	r := rand.New(rand.NewPCG(c.Seed, 0x6f6d6f7465))
	ranges := c.ranges()
	values, paybacks, x := make([]float64, draws), make([]float64, draws), make([]float64, len(ranges))
	j := Judgement{Draws: draws}
	for i := range draws {
		for k, q := range ranges {
			x[k] = q.at((float64(r.Uint64()>>11) + 0.5) / (1 << 53))
		}
		values[i], paybacks[i] = c.value(x)
		if values[i] > 0 {
			j.Positive += 1 / float64(draws)
		}
	}
	slices.Sort(values)
	slices.Sort(paybacks)
	j.Low, j.Mid, j.High = percentile(values, 0.05), percentile(values, 0.5), percentile(values, 0.95)
	j.Payback = [3]float64{percentile(paybacks, 0.05), percentile(paybacks, 0.5), percentile(paybacks, 0.95)}
	mids := func() []float64 {
		out := make([]float64, len(ranges))
		for k, q := range ranges {
			out[k] = q.Mid
		}
		return out
	}
	j.AtMid, _ = c.value(mids())
	for k, q := range ranges {
		if q.Low == q.High {
			continue
		}
		low, high := mids(), mids()
		low[k], high[k] = q.Low, q.High
		b := Bar{Input: Inputs[k]}
		b.Low, _ = c.value(low)
		b.High, _ = c.value(high)
		j.Tornado = append(j.Tornado, b)
	}
	slices.SortStableFunc(j.Tornado, func(a, b Bar) int {
		return -cmp(math.Abs(a.High-a.Low), math.Abs(b.High-b.Low))
	})
	return j, nil
}

func cmp(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// percentile is the smallest value that at least a share p of the sorted values
// does not exceed.
func percentile(sorted []float64, p float64) float64 {
	return sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]
}
