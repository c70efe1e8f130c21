// Package value turns a measured effect into money that may be booked.
//
// A Chain is the way from what changed to money: the effect as it was measured,
// and links that each say how much of the next thing one unit of the thing before
// makes ("0.3 points of yearly retention per point of satisfaction", "1.2 million
// dong of margin per customer kept"). Every quantity is an Estimate with its
// standard error. The value is
//
//	effect × link × link × … × volume × duration − cost
//
// where volume is how many customers (or contacts) a year are reached and duration
// is the horizon in years, fading and discounted.
//
// # What is booked
//
// The ledger books a bound that the true value falls short of in at most Alpha of
// cases. It is built from the one-sided bounds of the parts, each at Alpha divided
// by their number (Bonferroni), combined by interval arithmetic. That is more
// careful than a simulation of the product and needs no independence between the
// links, which share data more often than not. Where the bound is not positive,
// nothing is claimed: Booked is 0, or, where the upper bound lies below zero too,
// the loss at its worse bound.
package value

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Estimate is a measured or stated quantity.
type Estimate struct {
	Value float64 `json:"value"`
	// SE is the standard error; 0 for what is known.
	SE float64 `json:"se"`
	// DF are the degrees of freedom behind SE; 0 means many, and the normal
	// distribution.
	DF float64 `json:"df,omitempty"`
}

// Known is a quantity without doubt.
func Known(x float64) Estimate { return Estimate{Value: x} }

// FromInterval reads an estimate from a symmetric confidence interval at the
// level.
func FromInterval(value, low, high, level float64) Estimate {
	return Estimate{Value: value, SE: (high - low) / 2 / distuv.UnitNormal.Quantile(0.5+level/2)}
}

func (e Estimate) valid() bool {
	return !math.IsNaN(e.Value) && !math.IsInf(e.Value, 0) && e.SE >= 0 && !math.IsInf(e.SE, 0) && e.DF >= 0
}

// bounds are the one-sided bounds at alpha each.
func (e Estimate) bounds(alpha float64) (low, high float64) {
	if e.SE == 0 {
		return e.Value, e.Value
	}
	q := distuv.UnitNormal.Quantile(1 - alpha)
	if e.DF > 0 {
		q = distuv.StudentsT{Sigma: 1, Nu: e.DF}.Quantile(1 - alpha)
	}
	return e.Value - q*e.SE, e.Value + q*e.SE
}

// Chain is the way from an effect to money.
type Chain struct {
	// Effect is what changed, per customer or contact reached; positive is better.
	Effect Estimate `json:"effect"`
	// Links turn it into money, one after the other; at most MaxLinks.
	Links []Estimate `json:"links"`
	// Volume is how many are reached in a year, at least 0.
	Volume Estimate `json:"volume"`
	// Months is the horizon, 1 to MaxMonths.
	Months int `json:"months"`
	// Fade is the share of the effect lost in a year; Rate the discount of a year.
	Fade float64 `json:"fade"`
	Rate float64 `json:"rate"`
	// Cost is what the change cost over the horizon, in the same money.
	Cost Estimate `json:"cost"`
	// Overlap is the share of the value that another line has booked already.
	Overlap float64 `json:"overlap"`
}

// Limits of a chain.
const (
	MaxLinks  = 6
	MaxMonths = 60
)

// Alpha is in how many cases the true value may lie below what is booked.
const Alpha = 0.05

// Validate tells what is wrong with it.
func (c Chain) Validate() error {
	for i, e := range append([]Estimate{c.Effect, c.Volume, c.Cost}, c.Links...) {
		if !e.valid() {
			return fmt.Errorf("value: part %d is no estimate: %+v", i, e)
		}
	}
	switch {
	case len(c.Links) == 0 || len(c.Links) > MaxLinks:
		return fmt.Errorf("value: a chain has 1 to %d links", MaxLinks)
	case c.Months < 1 || c.Months > MaxMonths:
		return fmt.Errorf("value: the horizon is 1 to %d months", MaxMonths)
	case !(c.Fade >= 0 && c.Fade <= 1) || !(c.Overlap >= 0 && c.Overlap <= 1) || !(c.Rate >= 0 && c.Rate < 1):
		return errors.New("value: fading, overlap and discount are shares")
	case c.Volume.Value < 0 || c.Cost.Value < 0:
		return errors.New("value: volume and cost are not negative")
	}
	return nil
}

// Years is the duration: the discounted, fading length of the horizon, month by
// month, each counted at its middle.
func (c Chain) Years() float64 {
	sum := 0.0
	for m := range c.Months {
		t := (float64(m) + 0.5) / 12
		sum += math.Pow(1-c.Fade, t) / math.Pow(1+c.Rate, t) / 12
	}
	return sum
}

// span is an interval.
type span struct{ low, high float64 }

func (a span) times(b span) span {
	p := [4]float64{a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high}
	out := span{p[0], p[0]}
	for _, x := range p[1:] {
		out.low, out.high = math.Min(out.low, x), math.Max(out.high, x)
	}
	return out
}

// Valuation is what a chain is worth, in minor units of its money.
type Valuation struct {
	// Mid is the value at the estimates; Low and High bound the true value, each
	// wrong in at most Alpha of cases.
	Low, Mid, High int64
	// Booked is what the ledger may hold: Low where it is positive, 0 where the
	// interval holds zero, Low where High is negative.
	Booked int64
}

// Value computes the chain. unit is how many minor units one unit of the chain's
// money has: 1 for dong. Amounts are rounded towards less.
func (c Chain) Value(unit float64) (Valuation, error) {
	if err := c.Validate(); err != nil {
		return Valuation{}, err
	}
	uncertain := 0
	parts := append([]Estimate{c.Effect, c.Volume}, c.Links...)
	for _, e := range append(parts, c.Cost) {
		if e.SE > 0 {
			uncertain++
		}
	}
	alpha := Alpha / float64(max(1, uncertain))
	mid, s := 1.0, span{1, 1}
	for i, e := range parts {
		mid *= e.Value
		low, high := e.bounds(alpha)
		if i == 1 {
			low = math.Max(0, low) // nobody is reached less than never
		}
		s = s.times(span{low, high})
	}
	scale := c.Years() * (1 - c.Overlap)
	costLow, costHigh := c.Cost.bounds(alpha)
	costLow = math.Max(0, costLow)
	v := Valuation{}
	var err error
	for _, p := range []struct {
		to *int64
		x  float64
	}{{&v.Low, s.low*scale - costHigh}, {&v.Mid, mid*scale - c.Cost.Value}, {&v.High, s.high*scale - costLow}} {
		if *p.to, err = minor(p.x * unit); err != nil {
			return Valuation{}, err
		}
	}
	switch {
	case v.Low > 0, v.High < 0:
		v.Booked = v.Low
	}
	return v, nil
}

// minor rounds towards less.
func minor(x float64) (int64, error) {
	if math.IsNaN(x) || math.Abs(x) > 1<<53 {
		return 0, errors.New("value: the amount is too large")
	}
	return int64(math.Floor(x)), nil
}

// DiffInDiff is the effect of a change on the changed group beyond what the
// others went through: (after − before) of the changed less that of the others.
// The standard error takes the four figures as independent.
func DiffInDiff(before, after, otherBefore, otherAfter Estimate) Estimate {
	return Estimate{Value: after.Value - before.Value - (otherAfter.Value - otherBefore.Value),
		SE: math.Sqrt(before.SE*before.SE + after.SE*after.SE + otherBefore.SE*otherBefore.SE + otherAfter.SE*otherAfter.SE)}
}

// Negate turns an effect around, for measures of which less is better.
func (e Estimate) Negate() Estimate { e.Value = -e.Value; return e }
