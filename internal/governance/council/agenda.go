package council

import (
	"math"
	"slices"
	"strings"

	"omote/internal/governance/packs"
)

// Score ranks an item: what is at stake × how strong the evidence is × whether it
// can be decided × how urgent it is.
//
//   - at stake: log10 of the middle of the range in whole money, cut to 6…12, as 0 to 1
//   - decidable: 1 with at least two options and a grade, 0.3 otherwise
//   - urgent: 1, half more with an open clock, a quarter more per earlier deferral, at
//     most 2
func (i Item) score() float64 {
	stake := 0.0
	if mid := math.Abs(float64(i.Low)+float64(i.High)) / 2; mid >= 1 {
		stake = (min(12, max(6, math.Log10(mid))) - 6) / 6
	}
	decidable := 1.0
	if i.Decides && (i.Options < 2 || i.Grade == 0) {
		decidable = 0.3
	}
	urgent := 1 + 0.25*float64(i.Deferred)
	if i.Clock {
		urgent += 0.5
	}
	return stake * i.Strength * decidable * min(2, urgent)
}

// Minutes of an item, and how many that only inform a meeting holds.
const (
	decisionMinutes = 10
	informMinutes   = 5
	maxInform       = 2
)

// Agenda chooses what a meeting speaks about: the highest score first until the
// minutes run out. What cannot be decided yet is sent back with the reason.
func Agenda(pack *packs.Governance, items []Item) (chosen, left []Item) {
	room := pack.Agenda.Capacity
	for _, f := range pack.Agenda.Fixed {
		room -= f.Minutes
	}
	items = slices.Clone(items)
	for k := range items {
		i := &items[k]
		i.Score, i.Minutes, i.Why = i.score(), informMinutes, ""
		if i.Decides {
			i.Minutes = decisionMinutes
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return strings.Compare(a.Ref, b.Ref)
	})
	informs := 0
	for _, i := range items {
		switch {
		case i.Decides && i.Options < 2:
			i.Why = "no_option"
		case i.Decides && i.Grade == 0:
			i.Why = "no_grade"
		case i.Minutes > room:
			i.Why = "no_room"
		case !i.Decides && informs == maxInform:
			i.Why = "information"
		}
		if i.Why != "" {
			left = append(left, i)
			continue
		}
		if !i.Decides {
			informs++
		}
		room -= i.Minutes
		chosen = append(chosen, i)
	}
	return chosen, left
}
