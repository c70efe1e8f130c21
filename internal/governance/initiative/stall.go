package initiative

import (
	"slices"
	"time"

	"omote/internal/governance/record"
)

// Doc is an initiative with its head.
type Doc = record.Doc[Initiative]

// Stalled reports whether nothing moved for at least the days.
func Stalled(d Doc, now time.Time, days int) bool {
	return d.State == Running && now.Sub(d.Body.Moved) >= time.Duration(days)*24*time.Hour
}

// StallCause says what an initiative that does not move waits for: approval,
// people, evidence, or its own owner.
func StallCause(d Doc, g Gate) string {
	switch {
	case d.Body.Pending:
		return "approval"
	case len(g.Absent) > 0:
		return "people"
	case g.Missing() > 0:
		return "evidence"
	}
	return "owner"
}

// StageFlow is what happened to initiatives in a stage.
type StageFlow struct {
	Stage   Stage
	Entered int
	Passed  int
	Stopped int
	Inside  int
	// Median is the median of the days that those who passed spent in it; −1 for none.
	Median float64
}

// Flow counts how initiatives went through the stages, from their own events.
func Flow(all []Doc, now time.Time) []StageFlow {
	out := make([]StageFlow, len(Stages)-1)
	days := make([][]float64, len(out))
	for k := range out {
		out[k] = StageFlow{Stage: Stages[k], Median: -1}
	}
	for _, d := range all {
		at, stage := d.Created, 0
		for _, e := range d.Body.Events {
			if e.What != "gate" || stage >= len(out) {
				continue
			}
			out[stage].Entered++
			out[stage].Passed++
			days[stage] = append(days[stage], e.At.Sub(at).Hours()/24)
			at = e.At
			stage++
		}
		if stage < len(out) {
			out[stage].Entered++
			if d.State == Running {
				out[stage].Inside++
			} else {
				out[stage].Stopped++
			}
		}
	}
	for k, list := range days {
		if len(list) > 0 {
			slices.Sort(list)
			out[k].Median = list[(len(list)-1)/2]
		}
	}
	return out
}

// Survival is the share of initiatives not yet done after some days.
type Survival struct {
	Days  float64
	Share float64 // not done
	At    int     // under observation just before
}

// Survive estimates how long initiatives take to be done (Kaplan and Meier, 1958):
// those that run still, or were stopped, count for as long as they were watched.
func Survive(all []Doc, now time.Time) (curve []Survival) {
	type life struct {
		days float64
		done bool
	}
	var lives []life
	for _, d := range all {
		end := now
		if !d.Body.Ended.IsZero() {
			end = d.Body.Ended
		}
		lives = append(lives, life{max(0, end.Sub(d.Created).Hours()/24), d.State == Finished})
	}
	slices.SortFunc(lives, func(a, b life) int {
		switch {
		case a.days < b.days:
			return -1
		case a.days > b.days:
			return 1
		case a.done == b.done:
			return 0
		case a.done:
			return -1
		}
		return 1
	})
	share := 1.0
	for k := 0; k < len(lives); {
		at, done, same := len(lives)-k, 0, 0
		for k+same < len(lives) && lives[k+same].days == lives[k].days {
			if lives[k+same].done {
				done++
			}
			same++
		}
		if done > 0 {
			share *= 1 - float64(done)/float64(at)
			curve = append(curve, Survival{Days: lives[k].days, Share: share, At: at})
		}
		k += same
	}
	return curve
}
