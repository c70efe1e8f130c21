package rollout

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Panel is what the units showed, week by week: sums of the outcome and how many
// answers, visits or observations they are of. Weeks before Before lie before the
// campaign; week Before is the first of its first cohort. A cell without n is empty.
type Panel struct {
	Units  []Unit
	Before int
	Sum, N [][]float64 // by unit, then week
}

// Options of a measurement.
type Options struct {
	// From and To bound the weeks since a unit began that count: From ≤ week < To;
	// To 0 counts all.
	From, To int
	Draws    int     // default 2000
	Level    float64 // of the interval, default 0.95
	Seed     uint64
}

// Effect is what the change did.
type Effect struct {
	Value, Low, High float64
	Level            float64
	// P is how often chance alone would give an effect as large, in either direction.
	P float64
	// N and Waiting are the answers of begun and waiting units that were compared,
	// Units how many units begun, Weeks in how many weeks both were there.
	N, Waiting float64
	Units      int
	Weeks      int
	// Baseline is the level of waiting units in those weeks.
	Baseline float64
	Draws    int
}

// Proven reports whether the interval lies on one side of nothing.
func (e Effect) Proven() bool { return e.Low > 0 || e.High < 0 }

// SE is the standard error that the interval stands for.
func (e Effect) SE() float64 { return (e.High - e.Low) / (2 * zOf(e.Level)) }

// GroupTime is the effect on one cohort in one week, without interval.
type GroupTime struct {
	Cohort, Week int // Week of the panel
	Value        float64
	N, Waiting   float64
}

const defaultDraws = 2000

// minUnits are needed on both sides before anything is said.
const minUnits = 4

// Measure gives the effect of a roll-out in which units[i] of the panel is in
// cohorts[i], as the design drew it.
func Measure(p Panel, d Design, cohorts []int, o Options) (Effect, error) {
	m, err := prepare(p, d, cohorts, o)
	if err != nil {
		return Effect{}, err
	}
	out := Effect{Level: o.Level, Draws: o.Draws}
	if out.Level == 0 {
		out.Level = 0.95
	}
	if out.Draws == 0 {
		out.Draws = defaultDraws
	}
	real := m.estimate(cohorts, &out)
	if out.Weeks == 0 || out.Units < minUnits {
		return out, fmt.Errorf("%w: %d units in %d weeks", ErrFew, out.Units, out.Weeks)
	}
	out.Value = real.a
	edges, same := make([]float64, 0, out.Draws), 0
	above, below := 1, 1 // the real draw is one of those that could have been
	other, r := make([]int, len(cohorts)), rand.NewPCG(o.Seed, 0x2545f4914f6cdd1d)
	for range out.Draws {
		m.order.deal(r.Uint64(), other)
		x := m.estimate(other, nil)
		if math.IsNaN(x.a) {
			continue
		}
		if x.a >= real.a {
			above++
		}
		if x.a <= real.a {
			below++
		}
		if x.b < 1-1e-12 {
			edges = append(edges, (real.a-x.a)/(1-x.b))
			continue
		}
		same++ // a draw that begins the units as they really began: it refutes nothing
	}
	slices.Sort(edges)
	// A hypothesis below the k-th smallest edge is refuted, as is one above the k-th
	// largest: fewer draws than half of what the level allows are as extreme.
	k := int((1-out.Level)/2*float64(len(edges)+same+1)) - same
	if k < 1 {
		return out, fmt.Errorf("%w: the design allows too few other orders", ErrFew)
	}
	out.Low, out.High = edges[k-1], edges[len(edges)-k]
	out.P = min(1, 2*float64(min(above, below))/float64(len(edges)+same+1))
	return out, nil
}

// GroupTimes are the effects by cohort and week that the whole is made of.
func GroupTimes(p Panel, d Design, cohorts []int) ([]GroupTime, error) {
	m, err := prepare(p, d, cohorts, Options{})
	if err != nil {
		return nil, err
	}
	var out []GroupTime
	for g := range d.Cohorts {
		for t := p.Before + d.Starts(g); t < m.weeks; t++ {
			var x, w side
			for i, c := range cohorts {
				switch {
				case c == g:
					x.add(m.n[i][t], m.rest[i][t])
				case p.Before+d.Starts(c) > t:
					w.add(m.n[i][t], m.rest[i][t])
				}
			}
			if x.n > 0 && w.n > 0 {
				out = append(out, GroupTime{Cohort: g, Week: t, Value: x.mean() - w.mean(), N: x.n, Waiting: w.n})
			}
		}
	}
	return out, nil
}

// side sums the begun or the waiting units of one week.
type side struct {
	n, sum float64
	units  int
}

func (s *side) add(n, rest float64) {
	if n > 0 {
		s.n += n
		s.sum += n * rest
		s.units++
	}
}

func (s side) mean() float64 { return s.sum / s.n }

// measured is a panel made ready to be compared under many draws.
type measured struct {
	order    *order
	d        Design
	before   int
	weeks    int
	from, to int
	n, rest  [][]float64 // answers, and their mean less the unit's level before
	level    []float64
	start    []int // week of the panel in which the unit really began
}

func prepare(p Panel, d Design, cohorts []int, o Options) (*measured, error) {
	ord, err := d.order(p.Units)
	if err != nil {
		return nil, err
	}
	if len(cohorts) != len(p.Units) || len(p.Sum) != len(p.Units) || len(p.N) != len(p.Units) || p.Before < 0 || o.From < 0 || o.To < 0 || o.Level < 0 || o.Level >= 1 {
		return nil, ErrPanel
	}
	m := &measured{order: ord, d: d, before: p.Before, from: o.From, to: o.To, n: p.N, rest: make([][]float64, len(p.Units)), start: make([]int, len(p.Units))}
	if m.to == 0 {
		m.to = math.MaxInt32
	}
	for i := range p.Units {
		if i == 0 {
			m.weeks = len(p.N[0])
		}
		if len(p.N[i]) != m.weeks || len(p.Sum[i]) != m.weeks || cohorts[i] < HeldOut || cohorts[i] >= d.Cohorts {
			return nil, ErrPanel
		}
		m.rest[i] = make([]float64, m.weeks)
		for t := range m.weeks {
			if n, s := p.N[i][t], p.Sum[i][t]; n < 0 || math.IsNaN(n) || math.IsInf(n, 0) || n > 0 && (math.IsNaN(s) || math.IsInf(s, 0)) {
				return nil, fmt.Errorf("%w: unit %s, week %d", ErrPanel, p.Units[i].ID, t)
			}
		}
		m.start[i] = p.Before + d.Starts(cohorts[i])
	}
	if p.Before > m.weeks {
		return nil, ErrPanel
	}
	m.level = levels(p)
	for i := range p.Units {
		for t := range m.weeks {
			if p.N[i][t] > 0 {
				m.rest[i][t] = p.Sum[i][t]/p.N[i][t] - m.level[i]
			}
		}
	}
	return m, nil
}

// levels are what the units were before the campaign, shrunk towards the mean of
// all by the share of their differences that is noise. They are fixed before
// anybody begins, so no draw and no effect can move them.
func levels(p Panel) []float64 {
	var all, allN, squares, within, free float64
	n, mean := make([]float64, len(p.Units)), make([]float64, len(p.Units))
	for i := range p.Units {
		var s float64
		weeks := 0
		for t := range p.Before {
			if p.N[i][t] > 0 {
				s += p.Sum[i][t]
				n[i] += p.N[i][t]
				weeks++
			}
		}
		if n[i] == 0 {
			continue
		}
		mean[i] = s / n[i]
		for t := range p.Before {
			if k := p.N[i][t]; k > 0 {
				gap := p.Sum[i][t]/k - mean[i]
				within += k * gap * gap
			}
		}
		free += float64(weeks - 1)
		all += s
		allN += n[i]
		squares += n[i] * n[i]
	}
	out := make([]float64, len(p.Units))
	if allN == 0 {
		return out
	}
	grand := all / allN
	noise, between, units := 0.0, 0.0, 0
	if free > 0 {
		noise = within / free
	}
	for i := range n {
		if n[i] > 0 {
			units++
			between += n[i] * (mean[i] - grand) * (mean[i] - grand)
		}
	}
	real := 0.0
	if c := allN - squares/allN; c > 0 {
		real = max(0, (between-float64(units-1)*noise)/c)
	}
	for i := range out {
		out[i] = grand
		if n[i] > 0 && real > 0 {
			out[i] += real / (real + noise/n[i]) * (mean[i] - grand)
		}
	}
	return out
}

// pair is an estimate under a draw, and how much of the real pattern of beginnings
// that draw would have picked up: 1 for the real draw itself.
type pair struct{ a, b float64 }

// estimate compares begun and waiting units as if the cohorts had been dealt so.
func (m *measured) estimate(cohorts []int, tell *Effect) pair {
	var out pair
	var weight, base float64
	for t := m.before; t < m.weeks; t++ {
		var x, w side
		var xb, wb, level float64
		for i, c := range cohorts {
			n := m.n[i][t]
			if n <= 0 {
				continue
			}
			begun := 0.0
			if t >= m.start[i] {
				begun = n
			}
			switch since := t - m.before - m.d.Starts(c); {
			case since < 0:
				w.add(n, m.rest[i][t])
				wb += begun
				level += n * (m.rest[i][t] + m.level[i])
			case since >= m.from && since < m.to:
				x.add(n, m.rest[i][t])
				xb += begun
			}
		}
		if x.n == 0 || w.n == 0 {
			continue
		}
		k := x.n * w.n / (x.n + w.n)
		weight += k
		out.a += k * (x.mean() - w.mean())
		out.b += k * (xb/x.n - wb/w.n)
		base += k * level / w.n
		if tell != nil {
			tell.N += x.n
			tell.Waiting += w.n
			tell.Weeks++
			tell.Units = max(tell.Units, min(x.units, w.units))
		}
	}
	if weight == 0 {
		return pair{math.NaN(), 0}
	}
	if tell != nil {
		tell.Baseline = base / weight
	}
	return pair{out.a / weight, out.b / weight}
}
