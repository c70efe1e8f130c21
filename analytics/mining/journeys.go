package mining

import "time"

// Cut says how the events of a customer are cut into journeys.
type Cut struct {
	// Start are the activities that begin a journey. Without any, every event
	// outside a journey begins one, which cuts into sessions by silence.
	Start []int32
	// End are the activities that end a journey, by success or failure.
	End []int32
	// Timeout is the silence after which a journey is over without an end;
	// zero means none.
	Timeout time.Duration
	// After is how long after an end activity events still belong to the
	// journey, such as the first repayment after the pay-out of a loan. A new
	// start ends this time.
	After time.Duration
	// Before are activities that, when they lie at most Lookback before the
	// start and belong to no other journey, are part of it: a quote looked at
	// before the application.
	Before   []int32
	Lookback time.Duration
}

// Journeys cuts a log whose cases are customers into one whose cases are
// journeys, and returns for each new case the case it comes from. A journey
// keeps the name and the attributes of its customer. Events that belong to no
// journey are left out. The log should be in [TimeOrder].
func Journeys(l *Log, cut Cut) (journeys *Log, from []int32) {
	r := cutter{
		cut: cut, start: set(l.activities.Len(), cut.Start), end: set(l.activities.Len(), cut.End),
		before: set(l.activities.Len(), cut.Before),
	}
	for c, s := range l.spans {
		r.customer(int32(c), s.lo, l.Path(c), l.Times(c))
	}
	out := *l
	out.spans, out.origin, out.events = r.spans, make([]int32, len(r.spans)), len(r.events)
	for i, c := range r.from {
		out.origin[i] = l.origin[c]
	}
	out.gather(r.events)
	return &out, r.from
}

// cutter collects the events of journeys in order.
type cutter struct {
	cut                Cut
	start, end, before []bool
	events             []int32 // positions in the log
	spans              []span  // of journeys, in events
	from               []int32
}

func (r *cutter) customer(c, base int32, path []int32, times []int64) {
	timeout, after := r.cut.Timeout.Microseconds(), r.cut.After.Microseconds()
	free := int32(0) // first event that no journey has
	open, ended := false, false
	var endedAt, latest int64
	for i, a := range path {
		at := int32(i)
		if open && ((timeout > 0 && times[i]-latest > timeout) || (ended && times[i]-endedAt > after)) {
			open = false
		}
		begins := len(r.cut.Start) == 0 || r.start[a]
		if open && ended && r.start[a] {
			open = false
		}
		if !open && begins {
			r.begin(c, base, free, at, path, times)
			open, ended = true, false
		}
		if !open {
			continue
		}
		r.events = append(r.events, base+at)
		r.spans[len(r.spans)-1].hi = int32(len(r.events))
		free, latest = at+1, times[i]
		if r.end[a] && !ended {
			ended, endedAt = true, times[i]
		}
	}
}

// begin opens a journey at the event and takes in what came before it.
func (r *cutter) begin(c, base, free, at int32, path []int32, times []int64) {
	first := int32(len(r.events))
	for i := free; i < at; i++ {
		if r.before[path[i]] && times[at]-times[i] <= r.cut.Lookback.Microseconds() {
			r.events = append(r.events, base+i)
		}
	}
	r.spans = append(r.spans, span{first, first})
	r.from = append(r.from, c)
}
