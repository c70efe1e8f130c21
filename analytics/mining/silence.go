package mining

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// Silence estimates how likely it is that a case which has been silent for
// some time is abandoned: that nothing will ever follow. A fixed timeout cannot
// tell that, because a day of silence means one thing after a first click and
// another after papers went to the back office.
//
// Each event that does not end its case begins a silence. Most silences end
// with the next event; the last one of an unfinished case is censored at the
// end of observation. The Kaplan–Meier estimate of the length of silences after
// an activity levels off at the share of cases that never go on (a cure model;
// Maller and Zhou 1996), and the chance that a case is abandoned after a
// silence u is S(∞)/S(u). That is one conditional survival, so Greenwood's
// variance applies to it directly.
//
// The level is credible when observation lasts much longer than the silences
// that still end; within a log too short for that, abandonment is overstated.
type Silence struct {
	pooled     silenceCurve
	byActivity []silenceCurve
}

// Chance is a probability with its interval.
type Chance struct {
	P, Low, High float64
	// AtRisk is the number of silences at least as long that it rests on. With
	// none, nothing is known: P is NaN, Low 0 and High 1.
	AtRisk int
}

// silenceCurve is the Kaplan–Meier curve as sums from the longest silence
// backwards, so that the part beyond a silence can be read off.
type silenceCurve struct {
	lengths []int64   // distinct lengths at which silences ended
	logS    []float64 // sum of log(1 - d/n) from here on
	green   []float64 // Greenwood's sum of d/(n(n-d)) from here on
	all     []int64   // all lengths, sorted, for the number at risk
}

// enough is the number of silences from which an activity's own curve is used.
const enough = 50

// FitSilence learns from the cases of a log. Events after the last terminal
// event of a case are passed over.
func FitSilence(l *Log, e Ending) *Silence {
	terminal, end := e.terminals(l), e.end(l)
	byActivity := make([][]silence, l.activities.Len())
	for c := range l.spans {
		path, times := l.Path(c), l.Times(c)
		last := len(path) // of the events to look at; those before it end in an event
		for i, a := range path {
			if terminal[a] != Open {
				last = i
			}
		}
		for i, a := range path[:last] {
			s := silence{length: max(0, end-times[i])}
			if i+1 < len(path) {
				s = silence{length: max(0, times[i+1]-times[i]), ended: true}
			}
			byActivity[a] = append(byActivity[a], s)
		}
	}
	m := &Silence{byActivity: make([]silenceCurve, len(byActivity))}
	m.pooled = fitCurve(slices.Concat(byActivity...))
	forEach(len(byActivity), func(a int) {
		if len(byActivity[a]) >= enough {
			m.byActivity[a] = fitCurve(byActivity[a])
		}
	})
	return m
}

// silence is one observation.
type silence struct {
	length int64
	ended  bool
}

func fitCurve(observed []silence) silenceCurve {
	slices.SortFunc(observed, func(a, b silence) int { return cmp.Compare(a.length, b.length) })
	var c silenceCurve
	var ends []float64 // silences that ended at each length
	var atRisk []float64
	for i, s := range observed {
		c.all = append(c.all, s.length)
		if !s.ended {
			continue
		}
		if k := len(c.lengths); k > 0 && c.lengths[k-1] == s.length {
			ends[k-1]++
			continue
		}
		first := i
		for first > 0 && observed[first-1].length == s.length {
			first--
		}
		c.lengths = append(c.lengths, s.length)
		ends = append(ends, 1)
		atRisk = append(atRisk, float64(len(observed)-first))
	}
	c.logS, c.green = make([]float64, len(ends)+1), make([]float64, len(ends)+1)
	for k := len(ends) - 1; k >= 0; k-- {
		n, d := atRisk[k], ends[k]
		c.logS[k] = c.logS[k+1] + math.Log1p(-d/n)
		c.green[k] = c.green[k+1] + d/(n*(n-d))
	}
	return c
}

// Abandoned returns the chance that a case whose last event was of the activity
// is abandoned after a silence in microseconds, with a confidence interval of
// 95 %. Activities with few silences share the curve of all.
func (m *Silence) Abandoned(activity int32, silence int64) Chance {
	c := &m.pooled
	if int(activity) < len(m.byActivity) && activity >= 0 && len(m.byActivity[activity].all) > 0 {
		c = &m.byActivity[activity]
	}
	return c.beyond(silence)
}

// beyond returns the chance that a silence that has reached the length never
// ends.
func (c *silenceCurve) beyond(length int64) Chance {
	const z, alpha = 1.959963984540054, 0.05
	n := len(c.all) - sort.Search(len(c.all), func(i int) bool { return c.all[i] > length })
	if n == 0 {
		return Chance{P: math.NaN(), High: 1}
	}
	k := sort.Search(len(c.lengths), func(i int) bool { return c.lengths[i] > length })
	logS := c.logS[k]
	edge := math.Pow(alpha/2, 1/float64(n)) // bound when all or none of n went on
	switch {
	case logS == 0:
		return Chance{P: 1, Low: edge, High: 1, AtRisk: n}
	case math.IsInf(logS, -1):
		return Chance{P: 0, Low: 0, High: 1 - edge, AtRisk: n}
	}
	factor := math.Exp(z * math.Sqrt(c.green[k]) / -logS)
	return Chance{
		P: math.Exp(logS), Low: math.Exp(logS * factor), High: math.Exp(logS / factor), AtRisk: n,
	}
}
