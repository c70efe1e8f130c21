package spc

import (
	"math"
	"time"
)

// Direction is the way a series moved.
type Direction int8

const (
	Down Direction = -1
	Up   Direction = 1
)

// String is "up" or "down".
func (d Direction) String() string {
	if d > 0 {
		return "up"
	}
	return "down"
}

// MarshalText writes the name.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Rule says what kind of change raised a signal.
type Rule uint8

const (
	Spike Rule = iota // one or two periods far outside the band
	Shift             // a lasting change of level
	Drift             // a change that grows
)

var ruleNames = [...]string{"spike", "shift", "drift"}

// String is the name used in JSON.
func (r Rule) String() string { return ruleNames[r] }

// MarshalText writes the name.
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Outcome is what became of a signal.
type Outcome uint8

const (
	Open       Outcome = iota // still at the new level
	Returned                  // back at the old level
	Settled                   // the new level has become the normal one
	Superseded                // followed by another change
)

var outcomeNames = [...]string{"open", "returned", "settled", "superseded"}

// String is the name used in JSON.
func (o Outcome) String() string { return outcomeNames[o] }

// MarshalText writes the name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Signal is a change beyond noise. Indices count points of the series.
type Signal struct {
	Series              string
	Detected            time.Time
	Index               int // point at which it was detected
	Onset               time.Time
	OnsetLow, OnsetHigh time.Time // 95 % interval of the onset
	OnsetIndex          int
	Direction           Direction
	State               State // Better, Worse or Moved
	Rule                Rule
	Reason              Reason
	Evidence            float64 // how much likelier a change than none, mixed over onsets and sizes
	Outcome             Outcome
	EndIndex            int // first point after it when Returned or Superseded, else the number of points
	Persisted           int // points with data from onset to end
	// Under is the name of an ancestor that changed the same way at the same
	// time, "" when the change is the series' own.
	Under string
	// Driver is the name of the part that makes up most of this change, "" when
	// no single one does.
	Driver string
}

// Reason is what a signal's words are made of.
type Reason struct {
	Kind          Kind
	Unit          Unit
	Rule          Rule
	Direction     Direction
	Before, After float64 // level before and after, season and calendar taken out
	Sigmas        float64 // size in standard deviations of one period
	Periods       int     // periods with data from onset to detection
	Answers       float64 // answers (or exposure) in them
	FalseOnceIn   float64 // periods in which noise alone would raise such evidence once
}

// onset is a located change, in units.
type onset struct {
	at, low, high             int
	before, after             float64
	beforeWeight, afterWeight float64
}

// locate finds when the present change began: the posterior over onsets with a
// flat prior over the last observations of the regime, the level before and
// after unknown, the shift drawn from N(0, (1.5σ)²). When what follows that
// onset holds a clear change of its own, which came too slowly to be signalled
// before, the later one is the news.
func (w *watch) locate(i int) onset {
	first := i
	for k := i; k >= 0; k-- {
		if w.regimeOf[k] == w.regime {
			first = k
		}
	}
	on, _ := w.onsetIn(first, i)
	for i-on.at >= 2*settleAfter {
		later, odds := w.onsetIn(on.at, i)
		if odds < clearOdds || later.at >= i {
			break
		}
		on = later
	}
	return on
}

// onsetIn locates one change among the observations first to i of the regime
// and returns the log odds of a change there against none.
func (w *watch) onsetIn(first, i int) (onset, float64) {
	var tw, twr float64
	for k := first; k <= i; k++ {
		if w.regimeOf[k] == w.regime {
			tw += w.ws[k]
			twr += w.wrs[k]
		}
	}
	first = min(i, max(first+1, i-lookBack+1))
	logs, best := make([]float64, i-first+1), onset{at: i}
	top := math.Inf(-1)
	var sw, swr float64
	for k := i; k >= first; k-- {
		logs[k-first] = math.Inf(-1)
		if w.regimeOf[k] != w.regime {
			continue
		}
		sw += w.ws[k]
		swr += w.wrs[k]
		rw := max(tw-sw, 1e-300)
		after, before := swr/sw, (twr-swr)/rw
		v := w.m.memory * (1/sw + 1/rw)
		tau2 := 2.25 / w.ws[k]
		d := after - before
		l := -0.5*math.Log1p(tau2/v) + 0.5*d*d/v*tau2/(tau2+v)
		logs[k-first] = l
		if l > top {
			top = l
			best = onset{at: k, before: before, after: after, beforeWeight: rw, afterWeight: sw}
		}
	}
	lo, hi := credible(logs, best.at-first, 0.95)
	best.low, best.high = lo+first, hi+first
	mass := 0.0
	for _, l := range logs {
		mass += math.Exp(l - top)
	}
	return best, top + math.Log(mass/float64(len(logs)))
}

// credible widens from the mode towards the likelier neighbour until the range
// holds the given share of the posterior.
func credible(logs []float64, mode int, share float64) (lo, hi int) {
	top, total := logs[mode], 0.0
	p := make([]float64, len(logs))
	for i, l := range logs {
		p[i] = math.Exp(l - top)
		total += p[i]
	}
	lo, hi = mode, mode
	for held := p[mode]; held < share*total; {
		if hi == len(p)-1 || (lo > 0 && p[lo-1] >= p[hi+1]) {
			lo--
			held += p[lo]
		} else {
			hi++
			held += p[hi]
		}
	}
	return lo, hi
}

func (w *watch) signal(i int, on onset) Signal {
	pts := w.s.Points
	s := Signal{
		Series: w.s.Name, Index: w.us[i].last, Detected: pts[w.us[i].last].Time,
		OnsetIndex: w.us[on.at].first, Onset: pts[w.us[on.at].first].Time,
		OnsetLow: pts[w.us[on.low].first].Time, OnsetHigh: pts[w.us[on.high].first].Time,
		Direction: Down, Evidence: w.evidence, EndIndex: len(pts),
	}
	if on.after > on.before {
		s.Direction = Up
	}
	s.State = stateOf(s.Direction, w.s.Good)
	s.Rule = w.rule(i, on)
	s.Reason = w.reason(i, on, &s)
	return s
}

func stateOf(d Direction, g Good) State {
	switch int8(d) * int8(g) {
	case 1:
		return Better
	case -1:
		return Worse
	}
	return Moved
}

func (w *watch) reason(i int, on onset, s *Signal) Reason {
	var answers float64
	for k := on.at; k <= i; k++ {
		answers += w.us[k].n
	}
	sd := math.Sqrt(float64(i-on.at+1) / on.afterWeight)
	return Reason{Kind: w.s.Kind, Unit: unitOf(usualStep(w.s)), Rule: s.Rule, Direction: s.Direction, Before: on.before, After: on.after,
		Sigmas: math.Abs(on.after-on.before) / sd, Periods: i - on.at + 1, Answers: answers,
		FalseOnceIn: arlFactor * w.evidence}
}

// rule tells a spike from a shift from a drift by what is known at detection.
func (w *watch) rule(i int, on onset) Rule {
	n := i - on.at + 1
	if n <= 2 {
		return Spike
	}
	if n < 6 {
		return Shift
	}
	// Compare one step with a straight line from the level before, weighted.
	var t2, ty, step float64
	for k := on.at; k <= i; k++ {
		t, y := float64(k-on.at+1), w.wrs[k]/w.ws[k]-on.before
		t2 += w.ws[k] * t * t
		ty += w.ws[k] * t * y
		step += w.ws[k] * y
	}
	if ty*ty/t2-step*step/on.afterWeight > 4*w.m.memory {
		return Drift
	}
	return Shift
}

// persist counts the points with data for which the change lasted.
func (s *Signal) persist(w *watch) {
	for k := s.OnsetIndex; k < min(s.EndIndex, len(w.s.Points)); k++ {
		if w.s.Points[k].N > 0 {
			s.Persisted++
		}
	}
}
