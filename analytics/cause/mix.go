package cause

import (
	"math"

	"omote/analytics/stats"
)

// Segment is a part of the whole in two periods: how many there were and what
// each had, as moments.
type Segment struct {
	Name          string
	Before, After stats.Moments
}

// SegmentEffect is what one segment adds to the change of the whole.
type SegmentEffect struct {
	Name                    string
	ShareBefore, ShareAfter float64 // of the whole
	MeanBefore, MeanAfter   float64 // NaN in a period without anybody
	Rate                    float64 // because its mean changed
	Mix                     float64 // because its share changed
	RateLow, RateHigh       float64 // interval of Rate from sampling error; NaN with fewer than two in a period
}

// Total is the segment's whole part in the change.
func (e SegmentEffect) Total() float64 { return e.Rate + e.Mix }

// Mix splits the change of a mean over the whole into what happened within
// segments and what moved between them.
type Mix struct {
	Before, After float64 // means of the whole
	Within        float64 // sum of the segments' Rate
	Between       float64 // sum of the segments' Mix
	Segments      []SegmentEffect
	WithinLow     float64 // interval of Within from sampling error
	WithinHigh    float64
	Level         float64
	Opposite      bool // within and between pull in opposite directions
	Reversal      bool // every segment moved against the whole, or not at all (Simpson's paradox)
}

// Change of the mean of the whole.
func (m Mix) Change() float64 { return m.After - m.Before }

// Decompose splits the change of the mean between two periods by Kitagawa's
// symmetric formula (1955). With shares w, means r and the whole's mean R,
//
//	R₁ − R₀ = Σ (w₀+w₁)/2 · (r₁−r₀) + Σ (w₁−w₀) · ((r₀+r₁)/2 − (R₀+R₁)/2)
//
// exactly, without a rest, and it does not matter which period is called before.
// The constant (R₀+R₁)/2 changes no sum, since shares sum to one in both
// periods; it makes a growing segment count as good only when it is better than
// the whole. A segment that is empty in one period has no change of its own: all
// of it is mix. A level of zero selects [stats.DefaultLevel].
//
// Read [Mix.Opposite] first: when it is set, the change of the whole hides what
// happened within, and a target set on the whole can be met by choosing
// customers instead of serving them better.
func Decompose(segments []Segment, level float64) Mix {
	var before, after stats.Moments
	for _, s := range segments {
		before, after = before.Add(s.Before), after.Add(s.After)
	}
	m := Mix{Before: before.Mean(), After: after.Mean(), WithinLow: math.NaN(), WithinHigh: math.NaN()}
	middle := (m.Before + m.After) / 2
	z := 0.0
	m.Level, z = levelZ(level)
	variance := 0.0
	against, moved := true, false
	for _, s := range segments {
		e := effect(s, before.N, after.N, middle)
		w := (e.ShareBefore + e.ShareAfter) / 2
		both := s.Before.N > 0 && s.After.N > 0
		v := 0.0
		if both {
			v = w * w * (s.Before.Variance()/float64(s.Before.N) + s.After.Variance()/float64(s.After.N))
			step := e.MeanAfter - e.MeanBefore
			against = against && step*m.Change() <= 0
			moved = moved || step != 0
		}
		variance += v
		e.RateLow, e.RateHigh = e.Rate-z*math.Sqrt(v), e.Rate+z*math.Sqrt(v)
		m.Within += e.Rate
		m.Between += e.Mix
		m.Segments = append(m.Segments, e)
	}
	m.WithinLow, m.WithinHigh = m.Within-z*math.Sqrt(variance), m.Within+z*math.Sqrt(variance)
	m.Opposite = m.Within*m.Between < 0
	m.Reversal = moved && against && m.Change() != 0
	return m
}

func effect(s Segment, nBefore, nAfter int64, middle float64) SegmentEffect {
	e := SegmentEffect{Name: s.Name, MeanBefore: s.Before.Mean(), MeanAfter: s.After.Mean(),
		ShareBefore: float64(s.Before.N) / float64(nBefore), ShareAfter: float64(s.After.N) / float64(nAfter)}
	r0, r1 := e.MeanBefore, e.MeanAfter
	switch {
	case s.Before.N == 0 && s.After.N == 0:
		return e
	case s.Before.N == 0:
		r0 = r1
	case s.After.N == 0:
		r1 = r0
	}
	e.Rate = (e.ShareBefore + e.ShareAfter) / 2 * (r1 - r0)
	e.Mix = (e.ShareAfter - e.ShareBefore) * ((r0+r1)/2 - middle)
	return e
}

// levelZ checks a confidence level and gives the normal quantile of its ends.
func levelZ(level float64) (float64, float64) {
	if level == 0 {
		level = stats.DefaultLevel
	}
	if !(level > 0 && level < 1) {
		panic("cause: a confidence level lies between 0 and 1")
	}
	return level, math.Sqrt2 * math.Erfinv(level)
}
