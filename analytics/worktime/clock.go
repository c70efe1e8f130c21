package worktime

import (
	"fmt"
	"slices"
	"time"
)

// Pause is a time in which a clock stands still. A zero To means that it lasts.
type Pause struct {
	From, To time.Time
	Reason   string
}

// Extension lengthens a term. A unit other than the term's counts from the former
// deadline; an empty one is the term's.
type Extension struct {
	At     time.Time
	Amount int
	Unit   Unit
	Reason string
}

func (e Extension) term(t Term) Term {
	if e.Unit != "" {
		t.Unit = e.Unit
	}
	t.Amount = e.Amount
	return t
}

// after lengthens a deadline of a term of running time.
func (e Extension) after(c *Calendar, t Term, due time.Time, pauses []Span) time.Time {
	x := e.term(t)
	if x.Days() {
		return x.add(c, c.Date(due), e.Amount).At(wall(due, c.zone), c.zone)
	}
	rest := slices.DeleteFunc(slices.Clone(pauses), func(p Span) bool { return !p.To.After(due) })
	return x.run(c, due, x.length(), rest)
}

// Policy is a term with the calendar that it is counted in, and the version of the
// rule that it comes from.
type Policy struct {
	Term     Term
	Calendar *Calendar
	Version  string
}

// Swap puts another policy in a clock's place.
type Swap struct {
	At     time.Time
	Policy Policy
	// Anew counts the new term from the swap; otherwise it is counted from the
	// clock's start, as if the new policy had always held.
	Anew   bool
	Reason string
}

// Clock is a term that runs in one case. Pauses, Extensions and Swaps are in the
// order of time.
type Clock struct {
	Start      time.Time
	Policy     Policy
	Pauses     []Pause
	Extensions []Extension
	Swaps      []Swap
	Met        time.Time // zero: not met
	Cancelled  time.Time // zero: not cancelled
}

// State is how a clock stands.
type State string

// The states of a clock.
const (
	Running   State = "running"
	Paused    State = "paused"
	Met       State = "met"
	Late      State = "late" // met, but after the deadline
	Breached  State = "breached"
	Cancelled State = "cancelled"
)

// Reading is how a clock stands at an instant.
type Reading struct {
	State State
	// Due is the deadline; while a pause lasts it is what it would be if the pause
	// ended now.
	Due time.Time
	// Remaining is the time to the deadline, negative after it. While a pause
	// lasts it stands still for terms of running time.
	Remaining time.Duration
	// Working is the part of Remaining that is working time of the calendar.
	Working time.Duration
	// Days are the working days after today, up to and with the last one.
	Days int
	// Used is the share of the time from start to deadline that is over, 0 to 1
	// and more after a breach.
	Used float64
}

// Validate tells what is wrong with the clock.
func (c Clock) Validate() error {
	if c.Start.IsZero() {
		return fmt.Errorf("worktime: a clock needs a start")
	}
	policies := []Policy{c.Policy}
	for i, s := range c.Swaps {
		policies = append(policies, s.Policy)
		if s.At.Before(c.Start) || i > 0 && s.At.Before(c.Swaps[i-1].At) {
			return fmt.Errorf("worktime: swaps are not in order")
		}
	}
	for _, p := range policies {
		if p.Calendar == nil {
			return fmt.Errorf("worktime: a policy needs a calendar")
		}
		if err := p.Term.Validate(); err != nil {
			return err
		}
	}
	for i, p := range c.Pauses {
		if p.To.IsZero() && i < len(c.Pauses)-1 || !p.To.IsZero() && p.To.Before(p.From) ||
			i > 0 && p.From.Before(c.Pauses[i-1].To) {
			return fmt.Errorf("worktime: pauses are not in order")
		}
	}
	return nil
}

// current is the policy in force at now, and the instant it is counted from.
func (c Clock) current(now time.Time) (Policy, time.Time) {
	policy, start := c.Policy, c.Start
	for _, s := range c.Swaps {
		if s.At.After(now) {
			break
		}
		policy = s.Policy
		if s.Anew {
			start = s.At
		}
	}
	return policy, start
}

// Due is the deadline as it is known at now. While a pause lasts it is what it
// would be if the pause ended now.
func (c Clock) Due(now time.Time) time.Time {
	policy, start := c.current(now)
	var pauses []Span
	for _, p := range c.Pauses {
		if p.From.After(now) {
			break
		}
		to := p.To
		if to.IsZero() || to.After(now) {
			to = now
		}
		if from := later(p.From, start); from.Before(to) {
			pauses = append(pauses, Span{from, to})
		}
	}
	more := slices.DeleteFunc(slices.Clone(c.Extensions), func(e Extension) bool { return e.At.After(now) || e.At.Before(start) })
	return policy.Term.due(policy.Calendar, start, pauses, more)
}

// Paused reports whether the clock stands still at now.
func (c Clock) Paused(now time.Time) bool {
	return slices.ContainsFunc(c.Pauses, func(p Pause) bool {
		return !p.From.After(now) && (p.To.IsZero() || p.To.After(now))
	})
}

// At reads the clock.
func (c Clock) At(now time.Time) Reading {
	over := now
	for _, end := range []time.Time{c.Met, c.Cancelled} {
		if !end.IsZero() && end.Before(over) {
			over = end
		}
	}
	policy, start := c.current(over)
	r := Reading{Due: c.Due(over)}
	r.Remaining = r.Due.Sub(over)
	r.Working = policy.Calendar.Between(over, r.Due)
	r.Days = policy.Calendar.WorkingDays(policy.Calendar.Date(over), policy.Calendar.Date(r.Due.Add(-time.Nanosecond)))
	if whole := r.Due.Sub(start); whole > 0 {
		r.Used = float64(over.Sub(start)) / float64(whole)
	} else {
		r.Used = 1
	}
	switch {
	case !c.Met.IsZero() && c.Met.Before(r.Due):
		r.State = Met
	case !c.Met.IsZero():
		r.State = Late
	case !c.Cancelled.IsZero():
		r.State = Cancelled
	case c.Paused(now) && r.Due.After(now):
		r.State = Paused
	case !r.Due.After(now):
		r.State = Breached
	default:
		r.State = Running
	}
	return r
}

// Share is the instant at which a share (0 to 1) of the time from start to deadline
// is over, as it is known at now: the moment for a warning.
func (c Clock) Share(now time.Time, share float64) time.Time {
	policy, start := c.current(now)
	due := c.Due(now)
	if policy.Term.Unit == WorkingHour && len(c.Pauses) == 0 {
		return policy.Calendar.Add(start, time.Duration(share*float64(policy.Calendar.Between(start, due))))
	}
	return start.Add(time.Duration(share * float64(due.Sub(start))))
}
