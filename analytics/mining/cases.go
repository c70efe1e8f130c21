package mining

import "slices"

// Lengths describes the number of events of each case.
type Lengths struct {
	Min, Max     int
	Mean, Median float64
}

// CaseLengths computes the number of events per case.
func CaseLengths(l *Log) Lengths {
	n := l.Cases()
	if n == 0 {
		return Lengths{}
	}
	lengths := make([]int64, n)
	for c := range lengths {
		lengths[c] = int64(l.spans[c].len())
	}
	return Lengths{
		Min:    int(slices.Min(lengths)),
		Max:    int(slices.Max(lengths)),
		Mean:   float64(l.Events()) / float64(n),
		Median: (&selector{micros: lengths}).at(0.5),
	}
}

// duration returns the time from the earliest to the latest event of case c in
// microseconds.
func (l *Log) duration(c int) int64 {
	first, last := l.extent(c)
	return last - first
}

// CaseDurations describes the time from the earliest to the latest event of
// each case. zero is the number of cases in which there is none between them.
func CaseDurations(l *Log) (durations Stats, zero int) {
	micros := make([]int64, l.Cases())
	inParallel(l.chunks(), func(_ int, c chunk) {
		for i := c.lo; i < c.hi; i++ {
			micros[i] = l.duration(i)
		}
	})
	for _, d := range micros {
		if d == 0 {
			zero++
		}
	}
	return Describe(micros), zero
}

// CasesOutOfTimeOrder counts the cases in which an event is earlier than the
// one before it. It is zero for logs in [TimeOrder].
func CasesOutOfTimeOrder(l *Log) int {
	n := 0
	for c := range l.spans {
		if !slices.IsSorted(l.Times(c)) {
			n++
		}
	}
	return n
}

// Rework counts repetition.
type Rework struct {
	Cases     int // with an activity that occurs more than once
	SelfLoops int // transitions from an activity to itself
	Returns   int // A, B, A side by side, with B not A
}

// FindRework counts repetition in the log.
func FindRework(l *Log) Rework {
	chunks := l.chunks()
	parts := make([]Rework, len(chunks))
	inParallel(chunks, func(w int, c chunk) {
		var sum Rework
		lastCase := make([]int32, l.activities.Len())
		for i := c.lo; i < c.hi; i++ {
			path, repeated := l.Path(i), false
			for j, a := range path {
				if lastCase[a] == int32(i)+1 {
					repeated = true
				}
				lastCase[a] = int32(i) + 1
				if j >= 1 && path[j-1] == a {
					sum.SelfLoops++
				} else if j >= 2 && path[j-2] == a {
					sum.Returns++
				}
			}
			if repeated {
				sum.Cases++
			}
		}
		parts[w] = sum
	})
	var sum Rework
	for _, p := range parts {
		sum.Cases += p.Cases
		sum.SelfLoops += p.SelfLoops
		sum.Returns += p.Returns
	}
	return sum
}
