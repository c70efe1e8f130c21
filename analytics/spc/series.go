package spc

import (
	"time"
)

// Kind says what a series measures and so where its sampling error comes from.
type Kind uint8

const (
	// Value is a single reading without known sampling error, as on an XmR chart.
	Value Kind = iota
	// NPS is a net promoter score in points from counts of answers.
	NPS
	// Proportion is a share of yes among n, in 0..1.
	Proportion
	// Mean is an average of n readings.
	Mean
	// Count is events per exposure, such as complaints per 1,000 customers.
	Count
)

var kindNames = [...]string{"xmr", "nps", "proportion", "mean", "count"}

// String is the name used in files and on the command line.
func (k Kind) String() string { return kindNames[k] }

// ParseKind reads the name of a kind.
func ParseKind(s string) (Kind, bool) {
	for k, name := range kindNames {
		if name == s {
			return Kind(k), true
		}
	}
	return 0, false
}

// Point is one period of a series, as sums a warehouse can return: N answers
// (or exposure, for a count), the sum of their values and the sum of squares.
// N = 0 marks a period without data. Use the constructors.
type Point struct {
	Time  time.Time
	N     float64
	Sum   float64
	SumSq float64
}

// NPSPoint is a period's promoters, passives and detractors.
func NPSPoint(t time.Time, promoters, passives, detractors float64) Point {
	return Point{Time: t, N: promoters + passives + detractors,
		Sum: 100 * (promoters - detractors), SumSq: 1e4 * (promoters + detractors)}
}

// ProportionPoint is a period's hits among n.
func ProportionPoint(t time.Time, hits, n float64) Point {
	return Point{Time: t, N: n, Sum: hits, SumSq: hits}
}

// MeanPoint is a period's mean of n readings with their standard deviation;
// NaN or a negative sd when it is not known.
func MeanPoint(t time.Time, n, mean, sd float64) Point {
	p := Point{Time: t, N: n, Sum: n * mean, SumSq: -1}
	if sd >= 0 {
		p.SumSq = (n-1)*sd*sd + n*mean*mean
	}
	return p
}

// CountPoint is a period's events and its exposure, 1 when all periods are alike.
func CountPoint(t time.Time, events, exposure float64) Point {
	return Point{Time: t, N: exposure, Sum: events}
}

// ValuePoint is one reading.
func ValuePoint(t time.Time, x float64) Point {
	return Point{Time: t, N: 1, Sum: x}
}

// Value is the measured value of the period; NaN when there is no data.
func (p Point) Value() float64 { return p.Sum / p.N }

// Good says which way is better.
type Good int8

const (
	GoodUp   Good = 1
	GoodNone Good = 0
	GoodDown Good = -1
)

// Series is a measure of one unit over time, in ascending order of time.
type Series struct {
	Name   string
	Parent string // name of the series this one is part of, "" at the top
	Kind   Kind
	Good   Good
	Points []Point
}

// State is what one point, or the series today, tells.
type State uint8

const (
	Noise  State = iota // within what chance explains
	Better              // changed beyond noise, for the better
	Worse               // changed beyond noise, for the worse
	Moved               // changed beyond noise, where neither way is better
	Few                 // too few answers to say
	Stale               // no recent data
)

var stateNames = [...]string{"noise", "better", "worse", "moved", "few", "stale"}

// String is the name used in JSON.
func (s State) String() string { return stateNames[s] }

// MarshalText writes the name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Options set the rules of [Monitor]. The zero value is the recommended default.
type Options struct {
	// BaselineFrom and BaselineTo bound phase I, both included. When zero the
	// series starts itself: a short warm-up, then every point is judged by those
	// before it.
	BaselineFrom, BaselineTo time.Time
	// Period is the number of points in a season; 0 finds out whether daily data
	// have a week, monthly a year or hourly a day; −1 is none.
	Period int
	// Calendar names special days; nil for none.
	Calendar Calendar
	// FalsePerThousand is the highest rate of false signals per 1,000 points of
	// a series in control; 0.5 when zero.
	FalsePerThousand float64
	// FDR is the share of false signals aimed at among all signals over the series
	// monitored together; 0.1 when zero. In simulation of 500 series it came out
	// at 0.08 when two series in five changed and 0.13 when one in ten did.
	FDR float64
	// MinN is the smallest number of answers judged on its own; smaller periods
	// are put together until they reach it. 10 when zero.
	MinN float64
	// StaleAfter is how many usual intervals without data make a series stale;
	// 3 when zero.
	StaleAfter float64
}

// Calendar names the kind of a special day, such as "tet" or "salary"; "" for an
// ordinary one. Days of one name are expected to differ from others alike.
type Calendar interface {
	Class(day time.Time) string
}

func (o Options) withDefaults() Options {
	if o.FalsePerThousand <= 0 {
		o.FalsePerThousand = 0.5
	}
	if o.FDR <= 0 {
		o.FDR = 0.1
	}
	if o.MinN <= 0 {
		o.MinN = 10
	}
	if o.StaleAfter <= 0 {
		o.StaleAfter = 3
	}
	return o
}
