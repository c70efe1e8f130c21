package signal

import (
	"cmp"
	"slices"
	"time"
)

// Episode is a change that was seen in one or several places at once. Its first
// finding moved by the most standard errors and leads: a fall of a region weighs more
// there than in one of its branches, and more than in the whole that it is part of.
type Episode struct {
	Lead Finding
	Also []Finding
}

// episodes puts findings that are the same change together: the same measure, the
// same way, onsets that may be one, and places of which one may hold the other. Two
// branches that fall at once are two episodes, a region and its branch are one. A
// finding that continues a known episode leads before others, so that an episode
// keeps its place from run to run.
func episodes(found []Finding, known func(*Finding) bool) (out []Episode) {
	order := make([]int, len(found))
	old := make([]bool, len(found))
	for i := range found {
		order[i], old[i] = i, known(&found[i])
	}
	slices.SortStableFunc(order, func(i, j int) int {
		if old[i] != old[j] {
			if old[i] {
				return -1
			}
			return 1
		}
		a, b := &found[i], &found[j]
		return cmp.Or(cmp.Compare(b.Weight(), a.Weight()), cmp.Compare(b.N, a.N), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Place.Dim, b.Place.Dim),
			cmp.Compare(a.Place.Value, b.Place.Value), a.Detected.Compare(b.Detected))
	})
	for _, i := range order {
		f := found[i]
		at := slices.IndexFunc(out, func(e Episode) bool { return e.Lead.holds(&f) })
		if at < 0 {
			out = append(out, Episode{Lead: f})
			continue
		}
		out[at].Also = append(out[at].Also, f)
	}
	return out
}

// holds reports whether another finding is the same change.
func (f *Finding) holds(o *Finding) bool {
	return f.Metric == o.Metric && f.State == o.State && f.meets(o) && f.Place.mayHold(o.Place)
}

// meets reports whether two changes may have begun together: their intervals of
// onset touch, with an allowance of two days, or of a week where one is followed by
// weeks.
func (f *Finding) meets(o *Finding) bool {
	slack := 2 * 24 * time.Hour
	if f.Step != o.Step || f.Step == "week" {
		slack = 7 * 24 * time.Hour
	}
	return !f.OnsetLow.After(o.OnsetHigh.Add(slack)) && !o.OnsetLow.After(f.OnsetHigh.Add(slack))
}

// mayHold reports whether the facts of two places can be the same: not two values
// of one dimension, nor a branch of another region.
func (p Place) mayHold(o Place) bool {
	if p.Dim == o.Dim {
		return p.Value == o.Value
	}
	region, unit := p, o
	if o.Dim == Region {
		region, unit = o, p
	}
	if region.Dim == Region && unit.Dim == Unit {
		return slices.Contains(region.Codes, unit.Value)
	}
	return true
}

// sameEpisode reports whether a finding continues a signal's episode: the same
// series, the same way, and spans that overlap.
func (b *Body) sameEpisode(f *Finding, now time.Time) bool {
	return b.Metric == f.Metric && b.State == f.State && b.Place.Same(f.Place) &&
		!f.OnsetLow.After(b.Last(now)) && !b.OnsetLow.After(f.Last(now))
}
