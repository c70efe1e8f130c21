package blueprint

import (
	"cmp"
	"slices"
	"time"
)

// Severity says how much a finding matters.
type Severity string

// The severities.
const (
	// Wrong must be put right before the map can be published.
	Wrong Severity = "wrong"
	// Open should be looked at; it does not hold the map up.
	Open Severity = "open"
	// Fine is a check that the map passed.
	Fine Severity = "fine"
)

// Finding is the result of one check at one place.
type Finding struct {
	Severity Severity `json:"severity"`
	// Code names the check; the texts are under blueprint.check.CODE.
	Code string `json:"code"`
	// Step and Layer are the place; empty where the whole map is meant.
	Step  string `json:"step,omitempty"`
	Layer Layer  `json:"layer,omitempty"`
	// Name is an event, group or role that the finding is about.
	Name string `json:"name,omitempty"`
	// Count and All are numbers of the text: 3 of 7.
	Count int `json:"count,omitempty"`
	All   int `json:"all,omitempty"`
	// Time and Limit are durations of the text.
	Time  Duration `json:"time,omitempty"`
	Limit Duration `json:"limit,omitempty"`
}

// Seen tells how many events of a name have come in; nil when that is unknown.
type Seen func(event string) int64

// Check looks for what is missing or contradicts itself. The worst come first,
// then by the order of the steps.
func Check(d *Document, seen Seen) []Finding {
	c := &checker{d: d}
	c.whole()
	c.cells()
	c.events(seen)
	c.contradictions()
	c.owners()
	c.waits()
	c.interactions()
	rank := map[Severity]int{Wrong: 0, Open: 1, Fine: 2}
	slices.SortStableFunc(c.out, func(a, b Finding) int { return cmp.Compare(rank[a.Severity], rank[b.Severity]) })
	return c.out
}

// Publishable tells that no finding holds the map up.
func Publishable(found []Finding) bool {
	return !slices.ContainsFunc(found, func(f Finding) bool { return f.Severity == Wrong })
}

type checker struct {
	d   *Document
	out []Finding
}

func (c *checker) add(f Finding) { c.out = append(c.out, f) }

func (c *checker) whole() {
	if len(c.d.Steps()) == 0 {
		c.add(Finding{Severity: Wrong, Code: "no_steps"})
	}
	if c.d.Owner == "" {
		c.add(Finding{Severity: Wrong, Code: "no_owner"})
	}
	if c.d.Promise.EN == "" && c.d.Promise.VI == "" {
		c.add(Finding{Severity: Open, Code: "no_promise"})
	}
	if c.d.Name.EN == "" || c.d.Name.VI == "" {
		c.add(Finding{Severity: Open, Code: "one_language"})
	}
	if len(c.d.Success) == 0 {
		c.add(Finding{Severity: Open, Code: "no_success"})
	}
	for _, st := range c.d.Stages {
		if len(st.Steps) == 0 {
			c.add(Finding{Severity: Open, Code: "empty_stage", Name: cmp.Or(st.Name.EN, st.Name.VI, st.ID)})
		}
	}
	for _, g := range c.d.Groups {
		if g.Mode != Loop && c.d.branches(g.ID) < 2 {
			c.add(Finding{Severity: Wrong, Code: "lone_branch", Name: g.ID, Step: c.first(g.ID)})
		}
	}
}

func (c *checker) first(group string) string {
	for _, s := range c.d.Steps() {
		if s.Group == group {
			return s.ID
		}
	}
	return ""
}

// cells counts the cells that nobody has thought of, layer by layer.
func (c *checker) cells() {
	empty, all := 0, 0
	for _, l := range Layers {
		n, at := 0, ""
		for _, s := range c.d.Steps() {
			all++
			if s.Layers[l].Empty() {
				if n++; n == 1 {
					at = s.ID
				}
			}
		}
		if empty += n; n > 0 {
			c.add(Finding{Severity: Open, Code: "empty_cells", Layer: l, Step: at, Count: n, All: len(c.d.Steps())})
		}
	}
	if empty == 0 && all > 0 {
		c.add(Finding{Severity: Fine, Code: "cells_full", Count: all, All: all})
	}
}

func (c *checker) events(seen Seen) {
	at := map[string]*Step{}
	bound, all := 0, 0
	for _, s := range c.d.Steps() {
		if s.Unseen && len(s.Events) > 0 {
			c.add(Finding{Severity: Wrong, Code: "unseen_bound", Step: s.ID})
		}
		if s.Unseen {
			continue
		}
		all++
		if len(s.Events) == 0 {
			c.add(Finding{Severity: Wrong, Code: "unbound", Step: s.ID})
			continue
		}
		bound++
		never := seen != nil
		for _, e := range s.Events {
			never = never && seen(e) == 0
			if other := at[e]; other != nil && other != s && (other.Group == "" || other.Group != s.Group || c.d.GroupOf(s).Mode != Alternative) {
				c.add(Finding{Severity: Open, Code: "event_twice", Step: s.ID, Name: e})
			}
			at[e] = s
			if slices.Contains(c.d.Failure, e) && !s.Optional && c.d.GroupOf(s).Mode != Alternative {
				c.add(Finding{Severity: Wrong, Code: "wants_failure", Step: s.ID, Name: e})
			}
			if slices.Contains(c.d.Exceptions, e) {
				c.add(Finding{Severity: Open, Code: "exception_step", Step: s.ID, Name: e})
			}
		}
		if never {
			c.add(Finding{Severity: Open, Code: "never_seen", Step: s.ID, Name: s.Events[0]})
		}
	}
	for _, e := range slices.Concat(c.d.Start, c.d.Success) {
		if at[e] == nil {
			c.add(Finding{Severity: Open, Code: "end_unbound", Name: e})
		}
	}
	if bound > 0 && bound == all {
		c.add(Finding{Severity: Fine, Code: "all_bound", Count: bound, All: all})
	}
}

// Channels in which a system, or a person of the bank, serves the customer.
var (
	digital = []string{"mobile_app", "web", "app", "sms", "push", "email", "atm", "ecommerce", "pos", "mobile_wallet", "auto_debit"}
	manned  = []string{"branch", "contact_centre", "call", "courier", "back_office", "relationship_manager"}
)

// contradictions finds cells that deny what the step says elsewhere.
func (c *checker) contradictions() {
	n := 0
	for _, s := range c.d.Steps() {
		none := func(l Layer) bool { return s.Layers[l].None }
		deny := func(l Layer, code string) {
			if none(l) {
				n++
				c.add(Finding{Severity: Wrong, Code: code, Step: s.ID, Layer: l})
			}
		}
		switch s.Actor {
		case Customer:
			deny(LayerCustomer, "actor_absent")
		case Staff:
			deny(LayerPeople, "actor_absent")
		case System:
			deny(LayerSystems, "actor_absent")
		case Partner:
			deny(LayerPartner, "actor_absent")
		}
		if s.Kind == Communication {
			deny(LayerFront, "told_nothing")
		}
		if len(s.Handoffs) > 0 {
			deny(LayerPeople, "handoff_nobody")
		}
		for _, ch := range s.Channels {
			if s.Actor != System && slices.Contains(digital, ch) && none(LayerSystems) {
				deny(LayerSystems, "channel_nosystem")
				break
			}
		}
		for _, ch := range s.Channels {
			if s.Actor != Staff && slices.Contains(manned, ch) && len(s.Channels) == 1 && none(LayerPeople) && len(s.Handoffs) == 0 {
				deny(LayerPeople, "channel_nobody")
				break
			}
		}
	}
	if n == 0 && len(c.d.Steps()) > 0 {
		c.add(Finding{Severity: Fine, Code: "no_contradiction"})
	}
}

func (c *checker) owners() {
	one, all := 0, 0
	for _, s := range c.d.Steps() {
		all++
		switch n := len(s.RACI.Accountable); {
		case n > 1:
			c.add(Finding{Severity: Wrong, Code: "many_accountable", Step: s.ID, Count: n})
		case n == 0 && s.Owner == "":
			continue
		default:
			one++
		}
		if len(s.RACI.Accountable) == 1 && len(s.RACI.Responsible) == 0 {
			c.add(Finding{Severity: Open, Code: "nobody_does", Step: s.ID})
		}
	}
	if all == 0 {
		return
	}
	f := Finding{Severity: Fine, Code: "accountable", Count: one, All: all}
	if one < all {
		f.Severity, f.Code = Open, "no_accountable"
	}
	c.add(f)
}

// waits compares the standards with the silence after which a case is given up.
func (c *checker) waits() {
	limit := time.Duration(c.d.Timeout)
	if limit == 0 {
		c.add(Finding{Severity: Open, Code: "no_timeout"})
		return
	}
	var sum time.Duration
	begun := len(c.d.Start) == 0
	for i, s := range c.d.Steps() {
		// The silence is counted from the start to the end: what is waited for
		// before and after it has its own time.
		first := !begun && slices.ContainsFunc(s.Events, func(e string) bool { return slices.Contains(c.d.Start, e) })
		if begun = begun || first; !begun || first {
			continue
		}
		if w := time.Duration(s.MaxWait); w > limit && !s.Optional {
			c.add(Finding{Severity: Wrong, Code: "wait_over_timeout", Step: s.ID, Time: s.MaxWait, Limit: c.d.Timeout})
		}
		if i > 0 && !s.Optional {
			sum += time.Duration(s.MaxWait)
		}
		if slices.ContainsFunc(s.Events, func(e string) bool { return slices.Contains(c.d.Success, e) }) {
			break
		}
	}
	if sum > 0 {
		c.add(Finding{Severity: Fine, Code: "waits", Time: Duration(sum), Limit: c.d.Timeout})
	}
}

// interactions asks, where trust is won or lost, for the intent and for the way
// to a person.
func (c *checker) interactions() {
	for _, s := range c.d.Steps() {
		if !s.Moment {
			continue
		}
		if s.Intent == "" {
			c.add(Finding{Severity: Open, Code: "no_intent", Step: s.ID})
		}
		if s.Actor != Staff && len(s.Handoffs) == 0 {
			c.add(Finding{Severity: Open, Code: "no_handoff", Step: s.ID})
		}
		for _, h := range s.Handoffs {
			if h.To == "" || h.When == "" {
				c.add(Finding{Severity: Wrong, Code: "handoff_half", Step: s.ID})
			}
		}
	}
}
