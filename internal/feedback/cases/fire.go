package cases

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
	"omote/internal/platform/timer"
)

// Escalation is a step of a ladder that was reached in a case.
type Escalation struct {
	bun.BaseModel `bun:"table:cases_escalation"`

	CaseID         string `bun:",pk"`
	ID             string `bun:",pk"`
	Entity         string
	Clock          string
	Ladder         string
	Step           int
	Why            string
	Role           string
	Unit           string
	Person         string
	State          string
	At             store.Micros
	Until          store.Micros
	Acknowledged   store.Micros `bun:",nullzero"`
	AcknowledgedBy string
}

// The states of an escalation.
const (
	EscalationOpen         = "open"
	EscalationAcknowledged = "acknowledged"
	EscalationOvertaken    = "overtaken" // a higher step was reached
	EscalationOver         = "over"      // its clock was met or its case closed
)

// rise is a step that a case reaches.
type rise struct {
	c      *Case
	clock  string
	ladder Ladder
	step   Step
	why    string
}

// fireClocks takes up clocks whose next moment has come: a warning, the deadline, the
// longest pause. Thousands cost a few statements.
func (s *Service) fireClocks(ctx context.Context, tx store.Tx, due []timer.Timer) error {
	content, err := s.content(ctx, tx)
	if err != nil {
		return err
	}
	ids := make([]string, len(due))
	for i, t := range due {
		ids[i] = t.ID
	}
	clocks, err := clocksByID(ctx, tx, ids)
	if err != nil {
		return err
	}
	cases, err := casesOf(ctx, tx, clocks)
	if err != nil {
		return err
	}
	now := tx.Now()
	var f fired
	for i := range clocks {
		k := &clocks[i]
		c := cases[k.CaseID]
		if c == nil {
			continue
		}
		if k.State == ClockPaused && k.next() > 0 && k.next() <= now {
			if err := s.endPause(ctx, tx, content, c, k); err != nil {
				return err
			}
			continue
		}
		if k.State == ClockRunning {
			if err := f.take(content, k, c, now); err != nil {
				return err
			}
		}
	}
	if err := s.settleFired(ctx, tx, content, &f); err != nil {
		return err
	}
	return s.rises(ctx, tx, f.rises)
}

// fired is what became of a batch of clocks.
type fired struct {
	breached, lapsed []string
	warned           map[int][]string // new count of warnings → clocks
	late             []string         // cases
	marks            []dueMark
	rises            []rise
	timers           []timer.Timer
	entries          []Entry
}

// dueMark is a rule's own mark "…_due", by which other rules start.
type dueMark struct {
	c    *Case
	mark string
	at   store.Micros
}

// take decides what happens to one clock.
func (f *fired) take(content *Content, k *Clock, c *Case, now store.Micros) error {
	r, _, err := k.rule(content)
	if err != nil {
		return err
	}
	ladder, climbs := content.ladders[k.Ladder]
	if k.Due <= now {
		if k.Optional || k.Side == "customer" {
			f.lapsed = append(f.lapsed, k.ID)
			return nil
		}
		f.breached, f.late = append(f.breached, k.ID), append(f.late, c.ID)
		f.entries = append(f.entries, Entry{CaseID: c.ID, ID: newID(), Kind: EntryBreach, Actor: "process:clock", At: k.Due, Detail: map[string]string{"rule": r.ID, "clock": k.ID}})
		f.marks = append(f.marks, dueMark{c, r.ID + "_due", k.Due})
		if step, ok := ladder.reached(func(t Trigger) bool { return t.Breach }); climbs && ok {
			f.rises = append(f.rises, rise{c, k.ID, ladder, step, "breach"})
		}
		return nil
	}
	n := k.Warned
	for n < len(k.WarnAt) && k.WarnAt[n] <= now {
		n++
	}
	if n > k.Warned {
		if f.warned == nil {
			f.warned = map[int][]string{}
		}
		f.warned[n] = append(f.warned[n], k.ID)
		if step, ok := ladder.reached(func(t Trigger) bool { return t.Warn > k.Warned && t.Warn <= n }); climbs && ok && !k.Optional && k.Side != "customer" {
			f.rises = append(f.rises, rise{c, k.ID, ladder, step, "warn"})
		}
		k.Warned = n
	}
	f.timers = append(f.timers, timer.Timer{Kind: timerClock, ID: k.ID, Due: k.next().Time()})
	return nil
}

func (s *Service) settleFired(ctx context.Context, tx store.Tx, content *Content, f *fired) error {
	if err := passClocks(ctx, tx, f.breached, ClockBreached); err != nil {
		return err
	}
	if err := passClocks(ctx, tx, f.lapsed, ClockLapsed); err != nil {
		return err
	}
	for n, ids := range f.warned {
		if err := warnClocks(ctx, tx, ids, n); err != nil {
			return err
		}
	}
	if err := lateCases(ctx, tx, f.late); err != nil {
		return err
	}
	if err := insertEntries(ctx, tx, f.entries); err != nil {
		return err
	}
	if err := s.timers.Set(ctx, tx, f.timers...); err != nil {
		return err
	}
	for _, m := range f.marks {
		// Few rules start when another one's time is over.
		if !content.anyStartsAt(m.mark) {
			continue
		}
		c, err := caseByID(ctx, tx, m.c.ID)
		if err != nil {
			return err
		}
		if err := s.mark(ctx, tx, content, &c, m.at, m.mark); err != nil {
			return err
		}
		if err := saveCase(ctx, tx, &c); err != nil {
			return err
		}
	}
	for _, m := range f.marks {
		if err := s.call(ctx, tx, content, "case.clock.breached", m.c.ID+"/"+m.mark+"/"+strconv.FormatInt(int64(m.at), 10),
			map[string]any{"id": m.c.ID, "ref": m.c.Ref(), "rule": strings.TrimSuffix(m.mark, "_due"), "due": m.at.Time()}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Content) anyStartsAt(mark string) bool {
	return slices.ContainsFunc(c.current, func(p Pack) bool {
		return slices.ContainsFunc(p.Rules, func(r ClockRule) bool { return r.startsAt(mark) })
	})
}

// endPause lets a clock run on whose pause has lasted as long as it may.
func (s *Service) endPause(ctx context.Context, tx store.Tx, content *Content, c *Case, k *Clock) error {
	closePause(k, k.next())
	k.State = ClockRunning
	if err := k.count(content, tx.Now().Time()); err != nil {
		return err
	}
	if err := s.saveClock(ctx, tx, k); err != nil {
		return err
	}
	if err := s.note(ctx, tx, c, EntryClock, "", map[string]string{"clock": k.ID, "rule": k.Rule, "why": "pause_over"}); err != nil {
		return err
	}
	full, err := caseByID(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	if err := s.settle(ctx, tx, &full); err != nil {
		return err
	}
	if full.State == Waiting {
		full.State = Working
	}
	return saveCase(ctx, tx, &full)
}

// climb reaches the lowest step of a ladder that a trigger names.
func (s *Service) climb(ctx context.Context, tx store.Tx, c *Case, clock string, l Ladder, why string, match func(Trigger) bool) error {
	step, ok := l.reached(match)
	if !ok {
		return nil
	}
	return s.rises(ctx, tx, []rise{{c, clock, l, step, why}})
}

// rises writes the steps that cases reach. A case that stands on the ladder at the
// same or a higher step stays there; lower steps are overtaken.
func (s *Service) rises(ctx context.Context, tx store.Tx, all []rise) error {
	if len(all) == 0 {
		return nil
	}
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = r.c.ID
	}
	standing, err := standingOn(ctx, tx, ids)
	if err != nil {
		return err
	}
	now := tx.Now()
	var added []Escalation
	var overtaken []Escalation
	var timers []timer.Timer
	for _, r := range all {
		key := r.c.ID + "/" + r.ladder.ID
		if slices.ContainsFunc(standing[key], func(e Escalation) bool { return e.Step >= r.step.N }) {
			continue
		}
		for _, e := range standing[key] {
			if e.State == EscalationOpen {
				overtaken = append(overtaken, e)
			}
		}
		e := Escalation{CaseID: r.c.ID, ID: newID(), Entity: tx.Scope.Entity, Clock: r.clock, Ladder: r.ladder.ID, Step: r.step.N, Why: r.why, Role: r.step.Role, Unit: r.c.Unit,
			State: EscalationOpen, At: now, Until: now.Add(r.step.wait())}
		switch r.step.To {
		case "owner":
			e.Person = r.c.Owner
		case "unit_head":
			e.Unit = parentUnit(r.c.Unit)
		case "council":
			e.Unit = "/"
		}
		standing[key] = append(standing[key], e)
		added = append(added, e)
		if r.step.N < len(r.ladder.Steps) {
			timers = append(timers, timer.Timer{Kind: timerStep, ID: e.CaseID + "/" + e.ID, Due: e.Until.Time()})
		}
	}
	if err := overtake(ctx, tx, overtaken); err != nil {
		return err
	}
	if err := insertEscalations(ctx, tx, added); err != nil {
		return err
	}
	if err := s.timers.Set(ctx, tx, timers...); err != nil {
		return err
	}
	content, err := s.content(ctx, tx)
	if err != nil {
		return err
	}
	for _, e := range added {
		if err := s.call(ctx, tx, content, "case.escalated", e.ID, map[string]any{"id": e.CaseID, "ladder": e.Ladder, "step": e.Step, "why": e.Why, "role": e.Role, "unit": e.Unit}); err != nil {
			return err
		}
	}
	return nil
}

func parentUnit(path string) string {
	trimmed := strings.TrimSuffix(path, "/")
	if i := strings.LastIndexByte(trimmed, '/'); i >= 0 {
		return trimmed[:i+1]
	}
	return "/"
}

// fireSteps goes on to the next step where nobody acknowledged one.
func (s *Service) fireSteps(ctx context.Context, tx store.Tx, due []timer.Timer) error {
	content, err := s.content(ctx, tx)
	if err != nil {
		return err
	}
	var all []rise
	for _, t := range due {
		caseID, id, _ := strings.Cut(t.ID, "/")
		e, found, err := escalationByID(ctx, tx, caseID, id)
		if err != nil {
			return err
		}
		if !found || e.State != EscalationOpen {
			continue
		}
		l, ok := content.ladders[e.Ladder]
		if !ok || e.Step >= len(l.Steps) {
			continue
		}
		c, err := caseByID(ctx, tx, caseID)
		if err != nil {
			return err
		}
		if !c.IsOpen {
			continue
		}
		all = append(all, rise{&c, e.Clock, l, l.Steps[e.Step], "unanswered"})
	}
	return s.rises(ctx, tx, all)
}

// fireSilence escalates cases in which nobody has said a word for too long.
func (s *Service) fireSilence(ctx context.Context, tx store.Tx, due []timer.Timer) error {
	content, err := s.content(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range due {
		c, err := caseByID(ctx, tx, t.ID)
		if err != nil {
			return err
		}
		if !c.IsOpen {
			continue
		}
		quiet := tx.Now().Sub(c.Touched)
		for _, l := range content.Ladders() {
			if err := s.climb(ctx, tx, &c, "", l, "silence", func(t Trigger) bool {
				d, err := parseDuration(t.Silence)
				return t.Silence != "" && err == nil && quiet >= d
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// overEscalations ends the open steps of a clock that needs nobody any more.
func (s *Service) overEscalations(ctx context.Context, tx store.Tx, caseID, clock string) error {
	return endEscalations(ctx, tx, caseID, clock)
}

// Acknowledge takes an escalation up: somebody answers for it, and the ladder stops.
func (s *Service) Acknowledge(ctx context.Context, caseID, id string) error {
	return s.act(ctx, caseID, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		e, found, err := escalationByID(ctx, tx, c.ID, id)
		if err != nil {
			return err
		}
		if !found || e.State != EscalationOpen {
			return errNotOpen
		}
		if err := acknowledge(ctx, tx, c.ID, id); err != nil {
			return err
		}
		if err := s.timers.Cancel(ctx, tx, timerStep, c.ID+"/"+id); err != nil {
			return err
		}
		return s.note(ctx, tx, c, EntryEscalate, "", map[string]string{"ladder": e.Ladder, "step": fmt.Sprint(e.Step), "why": "acknowledged"})
	})
}

// Escalate reaches a step of a ladder by a person's word.
func (s *Service) Escalate(ctx context.Context, caseID, ladder string, step int, reason string) error {
	return s.act(ctx, caseID, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		l, ok := content.ladders[ladder]
		if !ok || step < 1 || step > len(l.Steps) {
			return errNoStep
		}
		if err := s.rises(ctx, tx, []rise{{c, "", l, l.Steps[step-1], "person"}}); err != nil {
			return err
		}
		return s.note(ctx, tx, c, EntryEscalate, reason, map[string]string{"ladder": l.ID, "step": fmt.Sprint(step), "why": "person"})
	})
}
