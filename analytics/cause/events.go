package cause

import (
	"cmp"
	"math"
	"slices"
)

// ChangePoint is a time at which a series changed, known up to an interval.
type ChangePoint struct {
	Name            string
	Time, Low, High float64 // in any unit, such as days; Low ≤ Time ≤ High
}

// Event is something that happened: a release, an incident, a campaign.
type Event struct {
	Name, Kind string
	Time       float64
}

// EventOptions of [MatchEvents].
type EventOptions struct {
	Before     float64 // farthest an event may lie before the change's interval
	After      float64 // farthest an event may lie behind it: clocks and days are not exact
	Start, End float64 // the span in which events are recorded and changes looked for
}

// EventMatch is an event near a change.
type EventMatch struct {
	Change   int // index of the change point
	Event    int // index of the event
	Gap      float64
	Chance   float64 // that an event of this kind is so near a change at any time
	Any      float64 // the same, for an event of any kind
	Adjusted float64 // Chance, corrected for all kinds looked at for this change
}

// EventReport is the answer of [MatchEvents].
type EventReport struct {
	Matches  []EventMatch // by change, nearest by chance first
	Matched  int          // changes with some event near
	Expected float64      // changes with some event near if changes came at random times
	PValue   float64      // of as many matched changes at random times
}

// MatchEvents finds the events near each change, and says how little that may
// mean. Where there is a release every week, each change has a release near. The
// chance given for a match is the share of the whole span at which an event of
// that kind would have been at least as near: exact for the events there were,
// bunched or regular, with no model of them. The report compares how many
// changes have an event near with what changes at random times would have
// (Poisson–binomial, one-sided).
//
// A small chance shows that the nearness is no accident; it does not show which
// of several events in one place it was, nor rule out a common cause.
func MatchEvents(changes []ChangePoint, events []Event, opt EventOptions) EventReport {
	var rep EventReport
	kinds := map[string][]float64{}
	var all []float64
	for _, e := range events {
		kinds[e.Kind] = append(kinds[e.Kind], e.Time)
		all = append(all, e.Time)
	}
	slices.Sort(all)
	for _, times := range kinds {
		slices.Sort(times)
	}
	var chances []float64
	for c, change := range changes {
		early, late := change.Time-change.Low, change.High-change.Time
		var found []EventMatch
		for e, event := range events {
			gap := change.Time - event.Time
			if gap > opt.Before+early || gap < -(opt.After+late) {
				continue
			}
			m := EventMatch{Change: c, Event: e, Gap: gap}
			before, after := max(gap, early), max(-gap, late)
			m.Chance = covered(kinds[event.Kind], before, after, opt.Start, opt.End)
			m.Any = covered(all, before, after, opt.Start, opt.End)
			m.Adjusted = 1 - math.Pow(1-m.Chance, float64(len(kinds)))
			found = append(found, m)
		}
		slices.SortStableFunc(found, func(a, b EventMatch) int {
			return cmp.Or(cmp.Compare(a.Chance, b.Chance), cmp.Compare(math.Abs(a.Gap), math.Abs(b.Gap)))
		})
		if len(found) > 0 {
			rep.Matched++
		}
		rep.Matches = append(rep.Matches, found...)
		chances = append(chances, covered(all, opt.Before+early, opt.After+late, opt.Start, opt.End))
	}
	for _, p := range chances {
		rep.Expected += p
	}
	rep.PValue = atLeast(chances, rep.Matched)
	return rep
}

// covered is the share of the span that lies from after ahead of an event to
// before behind one.
func covered(times []float64, before, after, start, end float64) float64 {
	if !(end > start) {
		return 1
	}
	length, reached := 0.0, start
	for _, t := range times {
		low, high := max(t-after, reached), min(t+before, end)
		if high > low {
			length += high - low
			reached = high
		}
	}
	return min(1, length/(end-start))
}

// atLeast is the probability of k or more successes in independent trials.
func atLeast(p []float64, k int) float64 {
	dist := make([]float64, len(p)+1)
	dist[0] = 1
	for n, q := range p {
		for j := n + 1; j > 0; j-- {
			dist[j] = dist[j]*(1-q) + dist[j-1]*q
		}
		dist[0] *= 1 - q
	}
	s := 0.0
	for _, d := range dist[k:] {
		s += d
	}
	return min(1, s)
}
