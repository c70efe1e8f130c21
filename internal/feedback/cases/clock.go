package cases

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/analytics/worktime"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/timer"
)

// ClockState is how a clock stands in the store. Paused is a running clock with an
// open pause.
type ClockState string

// The states.
const (
	ClockRunning  ClockState = "running"
	ClockPaused   ClockState = "paused"
	ClockMet      ClockState = "met"
	ClockBreached ClockState = "breached" // the deadline passed and the clock was not met
	ClockLate     ClockState = "late"     // met after the deadline
	ClockLapsed   ClockState = "lapsed"   // an optional one, or a customer's right, that passed
	ClockOver     ClockState = "over"     // the case was closed or merged; nothing is owed
)

// Clock is one term that runs in a case.
type Clock struct {
	bun.BaseModel `bun:"table:cases_clock"`

	ID       string `bun:",pk"`
	CaseID   string
	Entity   string
	Rule     string
	Pack     string // key of the version
	Calendar string // key of the version
	Ladder   string
	Legal    bool
	Side     string
	Optional bool
	State    ClockState
	Start    store.Micros
	Due      store.Micros
	FirstDue store.Micros
	Warned   int
	WarnAt   []store.Micros
	Changes  Changes
	Met      store.Micros `bun:",nullzero"`
	Breached store.Micros `bun:",nullzero"`
}

// Changes are what happened to a clock since it started.
type Changes struct {
	Pauses     []PauseChange  `json:"pauses,omitempty"`
	Extensions []ExtendChange `json:"extensions,omitempty"`
	Swaps      []SwapChange   `json:"swaps,omitempty"`
	Former     []Former       `json:"former,omitempty"` // deadlines that were moved
}

// PauseChange is a time in which the clock stood still; To is 0 while it lasts.
type PauseChange struct {
	From   store.Micros `json:"from"`
	To     store.Micros `json:"to,omitempty"`
	Until  store.Micros `json:"until,omitempty"` // when it ends by itself; 0 never
	Reason string       `json:"reason"`
	By     string       `json:"by"`
}

// ExtendChange lengthened the term.
type ExtendChange struct {
	At     store.Micros `json:"at"`
	Amount int          `json:"amount"`
	Unit   string       `json:"unit"`
	Reason string       `json:"reason"`
	By     string       `json:"by"`
}

// SwapChange put the clock under another rule.
type SwapChange struct {
	At       store.Micros `json:"at"`
	Pack     string       `json:"pack"`
	Rule     string       `json:"rule"`
	Calendar string       `json:"calendar"`
	Anew     bool         `json:"anew,omitempty"`
	Reason   string       `json:"reason"`
	By       string       `json:"by"`
}

// Former is a deadline that no longer holds.
type Former struct {
	At  store.Micros `json:"at"`
	Due store.Micros `json:"due"`
	Why string       `json:"why"`
}

// open reports whether the clock is still to be met.
func (c Clock) open() bool {
	return c.State == ClockRunning || c.State == ClockPaused || c.State == ClockBreached
}

// Open reports whether the clock is still to be met.
func (c Clock) Open() bool { return c.open() }

// owed reports whether the clock is a duty of the bank that is still to be met.
func (c Clock) owed() bool { return c.open() && c.Side != "customer" && !c.Optional }

// rule is the rule in force for the clock.
func (c Clock) rule(content *Content) (ClockRule, Pack, error) {
	pack, rule := c.Pack, c.Rule
	if n := len(c.Changes.Swaps); n > 0 {
		pack, rule = c.Changes.Swaps[n-1].Pack, c.Changes.Swaps[n-1].Rule
	}
	r, ok := content.Rule(pack, rule)
	if !ok {
		return r, Pack{}, fmt.Errorf("cases: the rule %s of %s is gone", rule, pack)
	}
	return r, content.packs[pack], nil
}

// value is the clock as package worktime counts it.
func (c Clock) value(content *Content) (worktime.Clock, error) {
	policy := func(pack, rule, calendar string) (worktime.Policy, error) {
		r, ok := content.Rule(pack, rule)
		built := content.Calendar(calendar)
		if !ok || built == nil {
			return worktime.Policy{}, fmt.Errorf("cases: rule %s of %s or calendar %s is gone", rule, pack, calendar)
		}
		return worktime.Policy{Term: r.term(content.packs[pack].SignedBy != ""), Calendar: built, Version: pack}, nil
	}
	first, err := policy(c.Pack, c.Rule, c.Calendar)
	if err != nil {
		return worktime.Clock{}, err
	}
	v := worktime.Clock{Start: c.Start.Time(), Policy: first, Met: c.Met.Time()}
	for _, p := range c.Changes.Pauses {
		v.Pauses = append(v.Pauses, worktime.Pause{From: p.From.Time(), To: p.To.Time(), Reason: p.Reason})
	}
	for _, e := range c.Changes.Extensions {
		v.Extensions = append(v.Extensions, worktime.Extension{At: e.At.Time(), Amount: e.Amount, Unit: unitOf(e.Unit), Reason: e.Reason})
	}
	for _, s := range c.Changes.Swaps {
		p, err := policy(s.Pack, s.Rule, s.Calendar)
		if err != nil {
			return worktime.Clock{}, err
		}
		v.Swaps = append(v.Swaps, worktime.Swap{At: s.At.Time(), Policy: p, Anew: s.Anew, Reason: s.Reason})
	}
	return v, nil
}

// count computes the deadline and the moments of the warnings.
func (c *Clock) count(content *Content, now time.Time) error {
	v, err := c.value(content)
	if err != nil {
		return err
	}
	r, _, err := c.rule(content)
	if err != nil {
		return err
	}
	due := v.Due(now)
	if r.Cap != nil {
		policy := v.Policy
		if n := len(v.Swaps); n > 0 {
			policy = v.Swaps[n-1].Policy
		}
		bound := worktime.Term{Amount: r.Cap.Amount.N, Unit: unitOf(r.Cap.Unit), Count: worktime.Count(r.CountFrom)}.Due(v.Start, policy.Calendar)
		if bound.Before(due) {
			due = bound
		}
	}
	c.Due = store.At(due)
	c.WarnAt = c.WarnAt[:0]
	for _, share := range r.WarnAt {
		at := v.Share(now, share)
		if at.After(due) {
			at = due
		}
		c.WarnAt = append(c.WarnAt, store.At(at))
	}
	return nil
}

// next is the next moment at which something happens to the clock; 0 for none.
func (c Clock) next() store.Micros {
	if c.State == ClockPaused {
		return c.Changes.Pauses[len(c.Changes.Pauses)-1].Until
	}
	if c.State != ClockRunning {
		return 0
	}
	if c.Warned < len(c.WarnAt) {
		return min(c.WarnAt[c.Warned], c.Due)
	}
	return c.Due
}

// The kinds of timers of cases.
const (
	timerClock   = "cases.clock"
	timerStep    = "cases.step"
	timerSilence = "cases.silence"
	timerAsked   = "cases.asked"
)

// setTimer keeps the clock's timer in step with it.
func (s *Service) setTimer(ctx context.Context, tx store.Tx, c Clock) error {
	if at := c.next(); at > 0 {
		return s.timers.Set(ctx, tx, timer.Timer{Kind: timerClock, ID: c.ID, Due: at.Time()})
	}
	return s.timers.Cancel(ctx, tx, timerClock, c.ID)
}

// newID makes an id in the order of time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// mark notes that something happened in a case: it meets the clocks that the mark
// stops and starts those that it starts. Clocks that were met late stay late.
func (s *Service) mark(ctx context.Context, tx store.Tx, content *Content, c *Case, at store.Micros, marks ...string) error {
	clocks, err := clocksOf(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	changed := false
	for i := range clocks {
		k := &clocks[i]
		r, _, err := k.rule(content)
		if err != nil {
			return err
		}
		if !k.open() || at < k.Start || !slices.ContainsFunc(marks, r.stopsAt) {
			continue
		}
		k.Met = at
		closePause(k, at)
		if err := k.count(content, at.Time()); err != nil {
			return err
		}
		if k.Met >= k.Due {
			k.State = ClockLate
		} else {
			// Met in time, though word of it came after the deadline.
			k.State, k.Breached = ClockMet, 0
		}
		changed = true
		if err := s.saveClock(ctx, tx, k); err != nil {
			return err
		}
		if err := s.overEscalations(ctx, tx, k.CaseID, k.ID); err != nil {
			return err
		}
	}
	started, err := s.start(ctx, tx, content, c, clocks, at, marks)
	if err != nil {
		return err
	}
	if changed || started {
		return s.settle(ctx, tx, c)
	}
	return nil
}

// start starts the clocks that the marks start, as far as they concern the case and
// do not run already.
func (s *Service) start(ctx context.Context, tx store.Tx, content *Content, c *Case, clocks []Clock, at store.Micros, marks []string) (started bool, err error) {
	facts := c.facts()
	subjects := c.Kind.subjects()
	for _, p := range content.Packs(at.Time()) {
		for _, r := range p.Rules {
			begins, from := slices.ContainsFunc(marks, r.startsAt), at
			if !begins && r.StartAlt != "" && slices.Contains(marks, "case_opened") {
				if day, err := worktime.ParseDate(fmt.Sprint(facts[r.StartAlt])); err == nil {
					begins, from = true, store.At(day.Start(content.Calendar(r.Calendar).Zone()))
				}
			}
			if !begins || !slices.Contains(subjects, r.Subject) || !r.applies.Holds(facts) || r.Amount.Word != "" && r.DefaultAmount == 0 {
				continue
			}
			if slices.ContainsFunc(clocks, func(k Clock) bool {
				return k.Rule == r.ID && (k.open() || !r.Repeats && !slices.Contains(marks, "case_reopened"))
			}) {
				continue
			}
			k := Clock{ID: newID(), CaseID: c.ID, Entity: c.Entity, Rule: r.ID, Pack: p.Key(), Calendar: content.calendarKey(r.Calendar), Ladder: r.Breach, Legal: p.Legal(),
				Side: r.Side, Optional: r.Optional, State: ClockRunning, Start: from}
			if err := k.count(content, at.Time()); err != nil {
				return started, err
			}
			k.FirstDue = k.Due
			if err := insertClock(ctx, tx, &k); err != nil {
				return started, err
			}
			if err := s.setTimer(ctx, tx, k); err != nil {
				return started, err
			}
			started = true
		}
	}
	return started, nil
}

func closePause(k *Clock, at store.Micros) {
	if n := len(k.Changes.Pauses); n > 0 && k.Changes.Pauses[n-1].To == 0 {
		k.Changes.Pauses[n-1].To = at
	}
}

func (s *Service) saveClock(ctx context.Context, tx store.Tx, k *Clock) error {
	if err := updateClock(ctx, tx, k); err != nil {
		return err
	}
	return s.setTimer(ctx, tx, *k)
}

// settle brings the case's earliest deadline up to date with its clocks. The caller
// saves the case.
func (s *Service) settle(ctx context.Context, tx store.Tx, c *Case) error {
	clocks, err := clocksOf(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	c.NextDue, c.NextRule, c.Late = never, "", false
	for _, k := range clocks {
		if k.State == ClockBreached || k.State == ClockLate {
			c.Late = c.Late || k.State == ClockBreached
		}
		if k.owed() && k.State != ClockPaused && k.Due < c.NextDue {
			c.NextDue, c.NextRule = k.Due, k.Rule
		}
	}
	return nil
}

// change reads a clock of a case that the actor may lead, lets fn change it, counts
// it anew and keeps the former deadline.
func (s *Service) change(ctx context.Context, caseID, clockID, why string, fn func(ctx context.Context, tx store.Tx, content *Content, c *Case, k *Clock) error) error {
	return s.act(ctx, caseID, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		k, err := clockByID(ctx, tx, c.ID, clockID)
		if err != nil {
			return err
		}
		before := k.Due
		if err := fn(ctx, tx, content, c, &k); err != nil {
			return err
		}
		now := tx.Now()
		if err := k.count(content, now.Time()); err != nil {
			return err
		}
		if k.Due != before {
			k.Changes.Former = append(k.Changes.Former, Former{At: now, Due: before, Why: why})
		}
		// Warnings that the new deadline puts into the future are given again.
		for k.Warned > 0 && k.Warned <= len(k.WarnAt) && k.WarnAt[k.Warned-1] > now {
			k.Warned--
		}
		k.Warned = min(k.Warned, len(k.WarnAt))
		if k.State == ClockBreached && k.Due > now {
			k.State, k.Breached = ClockRunning, 0
			if err := s.overEscalations(ctx, tx, c.ID, k.ID); err != nil {
				return err
			}
		}
		if err := s.saveClock(ctx, tx, &k); err != nil {
			return err
		}
		if err := s.note(ctx, tx, c, EntryClock, "", map[string]string{"clock": k.ID, "rule": k.Rule, "why": why}); err != nil {
			return err
		}
		return s.settle(ctx, tx, c)
	})
}

// Pause lets a clock stand still, where its rule allows the reason.
func (s *Service) Pause(ctx context.Context, caseID, clockID, reason string) error {
	return s.change(ctx, caseID, clockID, "pause", func(ctx context.Context, tx store.Tx, content *Content, c *Case, k *Clock) error {
		r, _, err := k.rule(content)
		if err != nil {
			return err
		}
		switch {
		case k.State != ClockRunning:
			return errs.Conflict("feedback.case.error.clock_state", "only a running clock can be paused")
		case !r.Pause.Allowed:
			return errs.Denied("feedback.case.error.no_pause", "the rule %s allows no pause", r.ID)
		case !slices.Contains(r.Pause.Reasons, reason):
			return errs.Invalid("feedback.case.error.pause_reason", "reason", "the rule %s allows a pause for %s, not for %q", r.ID, strings.Join(r.Pause.Reasons, ", "), reason)
		}
		used := time.Duration(0)
		for _, p := range k.Changes.Pauses {
			used += p.To.Sub(p.From)
		}
		p := PauseChange{From: tx.Now(), Reason: reason, By: tx.Scope.Actor}
		if longest, err := parseDuration(r.Pause.Max); r.Pause.Max != "" && err == nil {
			if used >= longest {
				return errs.Denied("feedback.case.error.pause_used", "the clock has been paused for as long as the rule allows")
			}
			p.Until = tx.Now().Add(longest - used)
		}
		k.State = ClockPaused
		k.Changes.Pauses = append(k.Changes.Pauses, p)
		c.State = Waiting
		return nil
	})
}

// Resume lets a paused clock run on.
func (s *Service) Resume(ctx context.Context, caseID, clockID string) error {
	return s.change(ctx, caseID, clockID, "resume", func(_ context.Context, tx store.Tx, _ *Content, c *Case, k *Clock) error {
		if k.State != ClockPaused {
			return errs.Conflict("feedback.case.error.clock_state", "only a paused clock can be resumed")
		}
		k.State = ClockRunning
		closePause(k, tx.Now())
		if c.State == Waiting {
			c.State = Working
		}
		return nil
	})
}

// ExtendClock lengthens a clock as its rule allows, with the reason that the customer is
// told. A legal clock never gets longer than its law says.
func (s *Service) ExtendClock(ctx context.Context, caseID, clockID, reason string) error {
	if bad(strings.TrimSpace(reason), 5, 2000) {
		return errs.Invalid("feedback.case.error.reason_needed", "reason", "an extension needs a reason of at least five characters")
	}
	return s.change(ctx, caseID, clockID, "extend", func(ctx context.Context, tx store.Tx, content *Content, c *Case, k *Clock) error {
		r, _, err := k.rule(content)
		if err != nil {
			return err
		}
		switch {
		case !k.open():
			return errs.Conflict("feedback.case.error.clock_state", "the clock has ended")
		case !r.Extension.Allowed:
			return errs.Denied("feedback.case.error.no_extension", "the rule %s allows no extension", r.ID)
		case len(k.Changes.Extensions) >= r.Extension.Times:
			return errs.Denied("feedback.case.error.extension_used", "the rule %s allows %d extension(s)", r.ID, r.Extension.Times).With("times", r.Extension.Times)
		case k.State == ClockBreached && k.Legal:
			return errs.Denied("feedback.case.error.extension_late", "a legal term that has passed cannot be extended")
		case r.Extension.Amount.N == 0:
			return errs.Denied("feedback.case.error.no_extension", "the length of the extension is not set for the rule %s", r.ID)
		}
		k.Changes.Extensions = append(k.Changes.Extensions, ExtendChange{At: tx.Now(), Amount: r.Extension.Amount.N, Unit: r.Extension.Unit, Reason: strings.TrimSpace(reason), By: tx.Scope.Actor})
		return nil
	})
}

// Swap puts a clock under the version in force of its rule, or under another rule of
// the same subject, from the case's start or anew. An internal rule never takes the
// place of a legal one.
func (s *Service) Swap(ctx context.Context, caseID, clockID, rule string, anew bool, reason string) error {
	if bad(strings.TrimSpace(reason), 5, 2000) {
		return errs.Invalid("feedback.case.error.reason_needed", "reason", "a swap needs a reason of at least five characters")
	}
	return s.change(ctx, caseID, clockID, "swap", func(_ context.Context, tx store.Tx, content *Content, _ *Case, k *Clock) error {
		if !k.open() {
			return errs.Conflict("feedback.case.error.clock_state", "the clock has ended")
		}
		was, _, err := k.rule(content)
		if err != nil {
			return err
		}
		for _, p := range content.Packs(tx.Now().Time()) {
			for _, r := range p.Rules {
				if r.ID != rule {
					continue
				}
				if r.Subject != was.Subject || k.Legal && !p.Legal() {
					return errs.Denied("feedback.case.error.swap", "the rule %s cannot take the place of %s", rule, was.ID)
				}
				k.Changes.Swaps = append(k.Changes.Swaps, SwapChange{At: tx.Now(), Pack: p.Key(), Rule: r.ID, Calendar: content.calendarKey(r.Calendar), Anew: anew,
					Reason: strings.TrimSpace(reason), By: tx.Scope.Actor})
				k.Ladder, k.Legal, k.Side, k.Optional = r.Breach, p.Legal(), r.Side, r.Optional
				return nil
			}
		}
		return errs.NotFound("feedback.case.error.rule", "there is no rule %q in force", rule)
	})
}

// recount counts the open clocks of a calendar anew under its newest version; both
// deadlines are kept.
func (s *Service) recount(ctx context.Context, tx store.Tx, content *Content, calendar string) error {
	clocks, err := openClocksOf(ctx, tx, calendar+"@")
	if err != nil {
		return err
	}
	for i := range clocks {
		k := &clocks[i]
		before := k.Due
		if n := len(k.Changes.Swaps); n > 0 {
			k.Changes.Swaps[n-1].Calendar = content.calendarKey(calendar)
		} else {
			k.Calendar = content.calendarKey(calendar)
		}
		if err := k.count(content, tx.Now().Time()); err != nil {
			return err
		}
		if k.Due != before {
			k.Changes.Former = append(k.Changes.Former, Former{At: tx.Now(), Due: before, Why: "calendar"})
		}
		if err := s.saveClock(ctx, tx, k); err != nil {
			return err
		}
		if k.Due == before {
			continue
		}
		c, err := caseByID(ctx, tx, k.CaseID)
		if err != nil {
			return err
		}
		if err := s.settle(ctx, tx, &c); err != nil {
			return err
		}
		if err := saveCase(ctx, tx, &c); err != nil {
			return err
		}
	}
	return nil
}
