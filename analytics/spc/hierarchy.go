package spc

import "time"

// reconcile relates signals of series to those of the series they are part of.
// A change of a part that goes with the same change of its whole is the
// whole's (Under), unless the part alone makes up most of it: then the whole
// moved because of the part (Driver).
func reconcile(series []Series, results []Result) {
	index := make(map[string]int, len(series))
	for i := range series {
		index[series[i].Name] = i
	}
	for i := range series {
		for k := range results[i].Signals {
			s := &results[i].Signals[k]
			at, seen := i, 0
			for series[at].Parent != "" && seen < len(series) {
				up, ok := index[series[at].Parent]
				if !ok {
					break
				}
				if whole := sameChange(results[up].Signals, s); whole != nil {
					if s.contribution(whole) >= 0.5 {
						whole.Driver = s.Series
					} else {
						s.Under = whole.Series
					}
				}
				at = up
				seen++
			}
		}
	}
}

// sameChange finds a signal of the same direction whose onset interval meets
// that of s.
func sameChange(signals []Signal, s *Signal) *Signal {
	for k := range signals {
		w := &signals[k]
		if w.Direction == s.Direction && !w.OnsetLow.After(s.OnsetHigh) && !s.OnsetLow.After(w.OnsetHigh) {
			return w
		}
	}
	return nil
}

// contribution is the share of the whole's change that the part makes up by its
// volume; 0 when volumes are unknown.
func (s *Signal) contribution(whole *Signal) float64 {
	part, all := s.Reason, whole.Reason
	change := (all.After - all.Before) * all.Answers / float64(all.Periods)
	if part.Kind == Value || change == 0 {
		return 0
	}
	return (part.After - part.Before) * part.Answers / float64(part.Periods) / change
}

// unitOf names the usual interval between points.
func unitOf(step time.Duration) Unit {
	switch {
	case step == time.Hour:
		return Hour
	case step == day:
		return Day
	case step == 7*day:
		return Week
	case monthly(step):
		return Month
	}
	return Period
}
