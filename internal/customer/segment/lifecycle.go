package segment

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"omote/analytics/rule"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

// lifeStates are the ranked segments of the life group, in the order of their ranks.
func (s *Service) lifeStates(versions []versionRow) (ids []string) {
	type state struct {
		id   string
		rank int
	}
	var all []state
	for i := range versions {
		d, err := versions[i].definition()
		if err == nil && versions[i].Status == Live && d.Group == LifeGroup && d.Rank > 0 {
			all = append(all, state{d.ID, d.Rank})
		}
	}
	slices.SortFunc(all, func(a, b state) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id)) })
	for _, st := range all {
		ids = append(ids, st.id)
	}
	return ids
}

// Moves are looked at over this many weeks back, week by week, so that the time
// in a state can be told.
const lifeWeeks = 13

// moveWeeks is the period of the board's moves.
const moveWeeks = 4

// lifeFigures reads the states of life over the facts as of each past week: who
// moved, how long those who are in a state have been in it, and how many were.
func (s *Service) lifeFigures(ctx context.Context, life []string, programs map[string]*rule.Program, have map[string][]Size, now time.Time) (moved, ages []pairRow, sizes []sizeRow, err error) {
	if len(life) == 0 {
		return nil, nil, nil, nil
	}
	today, err := s.lifeAt(ctx, life, programs, now)
	if err != nil {
		return nil, nil, nil, err
	}
	weeks := make(map[string]int, len(today)) // how many past weeks the present state held, without a break
	open := make(map[string]bool, len(today))
	for c := range today {
		open[c] = true
	}
	moves := map[[2]string]int64{}
	for w := 1; w <= lifeWeeks; w++ {
		at := now.Add(-time.Duration(w) * 7 * 24 * time.Hour).Truncate(time.Hour)
		then, err := s.lifeAt(ctx, life, programs, at)
		if err != nil {
			return nil, nil, nil, err
		}
		counts := map[string]int64{}
		for _, state := range then {
			counts[state]++
		}
		for c, state := range today {
			if w == moveWeeks {
				moves[[2]string{then[c], state}]++
			}
			if open[c] && then[c] == state {
				weeks[c] = w
			} else {
				open[c] = false
			}
		}
		for _, id := range life {
			if len(have[id]) == 0 {
				sizes = append(sizes, sizeRow{SegmentID: id, At: store.At(at), Members: counts[id], Customers: int64(len(then))})
			}
		}
	}
	for pair, n := range moves {
		moved = append(moved, pairRow{First: pair[0], Second: pair[1], N: n})
	}
	in := map[string][]int{}
	for c, state := range today {
		in[state] = append(in[state], weeks[c])
	}
	for state, list := range in {
		slices.Sort(list)
		for _, q := range []int{25, 50, 75} {
			ages = append(ages, pairRow{First: state, Second: strconv.Itoa(q), N: int64(list[(len(list)-1)*q/100])})
		}
	}
	return moved, ages, sizes, nil
}

// lifeAt gives the state of each customer as of an instant: of the states, the
// first whose rule holds.
func (s *Service) lifeAt(ctx context.Context, life []string, programs map[string]*rule.Program, at time.Time) (map[string]string, error) {
	out := map[string]string{}
	for _, id := range life {
		said, err := answers(ctx, s.Facts, programs[id], at.UnixMicro())
		if err != nil {
			return nil, err
		}
		for c, a := range said {
			if a == rule.Yes && out[c] == "" {
				out[c] = id
			}
		}
	}
	return out, nil
}

// LifeState is a state of the board.
type LifeState struct {
	Definition Definition
	Members    int64
	// Weeks are the quartiles of how many weeks those in the state have been in
	// it; 13 is 13 or more.
	Weeks [3]int64
	Sizes []Size
}

// Move is how many customers went from one state to another in four weeks. From
// is "" for those who were not known then.
type Move struct {
	From, To string
	N        int64
}

// Life is the board of the relationship's life.
type Life struct {
	States []LifeState
	Moves  []Move
	At     time.Time // when moves and weeks were read; zero: not yet
}

// Life gives the board.
func (s *Service) Life(ctx context.Context) (l *Life, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		l = &Life{}
		versions, err := runningVersions(ctx, tx)
		if err != nil {
			return err
		}
		counts, err := memberCounts(ctx, tx)
		if err != nil {
			return err
		}
		ages, err := pairsOf(ctx, tx, pairAge, "")
		if err != nil {
			return err
		}
		sizes, err := sizesOf(ctx, tx, "")
		if err != nil {
			return err
		}
		byID := map[string]Definition{}
		for i := range versions {
			if d, err := versions[i].definition(); err == nil && versions[i].Status == Live {
				byID[d.ID] = d
			}
		}
		for _, id := range s.lifeStates(versions) {
			st := LifeState{Definition: byID[id], Members: counts[id], Sizes: sizes[id]}
			for _, a := range ages {
				if a.First == id {
					st.Weeks[map[string]int{"25": 0, "50": 1, "75": 2}[a.Second]] = a.N
				}
			}
			l.States = append(l.States, st)
		}
		moves, err := pairsOf(ctx, tx, pairMoved, "")
		if err != nil {
			return err
		}
		for _, m := range moves {
			l.At = m.At.Time()
			l.Moves = append(l.Moves, Move{m.First, m.Second, m.N})
		}
		return nil
	})
	return l, err
}
