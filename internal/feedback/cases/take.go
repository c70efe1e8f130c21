package cases

import (
	"context"
	"slices"
	"strings"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/timer"
)

type sealedText = sealed.Text

// Open makes a case by hand. When the same customer has an open case of the same
// issue, the words join that one.
func (s *Service) Open(ctx context.Context, in Intake) (id string, err error) {
	if err := auth.Require(ctx, PermEdit, in.Unit); err != nil {
		return "", err
	}
	if err := in.Validate(); err != nil {
		return "", err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		id, err = s.takeHeard(ctx, tx, in)
		return err
	})
	return id, err
}

// joinWithin is how long what people bring about one issue joins the open case.
const joinWithin = 30 * 24 * time.Hour

// fromInbox is the source of signals that were in the inbox before they became a case.
const fromInbox = "voice"

// takeHeard takes what a person brought, and puts their words into the inbox too.
func (s *Service) takeHeard(ctx context.Context, tx store.Tx, in Intake) (id string, err error) {
	if in.Signal.Source == "" {
		in.Signal.Source, in.Signal.Ref = "person", newID()
	}
	if id, err = s.take(ctx, tx, in, joinWithin); err != nil || s.Inbox == nil || in.Signal.Source == fromInbox {
		return id, err
	}
	c, err := caseByID(ctx, tx, id)
	if err != nil {
		return "", err
	}
	in.Unit = c.Unit // where the routing sent it
	return id, s.Inbox.Heard(ctx, tx, in, id, in.Signal.Source+"/"+in.Signal.Ref)
}

// Take makes or joins a case by a signal's facts, when a rule wants it; "" when none
// does. It is called in the transaction that knows of the signal, and counts a
// signal once whatever the number of calls.
func (s *Service) Take(ctx context.Context, tx store.Tx, in Intake, facts Facts) (id string, err error) {
	content, err := s.content(ctx, tx)
	if err != nil {
		return "", err
	}
	for _, r := range content.Signals {
		if !r.when.Holds(facts) {
			continue
		}
		in.Kind, in.Severity, in.Issue, in.Signal.Rule = r.Kind, r.Severity, r.issueOf(facts), r.ID
		if r.Skill != "" {
			in.Skill = r.Skill
		}
		if in.Title == "" {
			in.Title = headline(in.Words)
		}
		if in.Title == "" {
			in.Title = Text{r.EN, r.VI}.In(in.Locale)
		}
		if err := in.Validate(); err != nil {
			return "", err
		}
		return s.take(ctx, tx, in, r.window)
	}
	return "", nil
}

// headline is the beginning of a customer's words, cut at a word.
func headline(words string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(words), "\n")
	runes := []rune(line)
	if len(runes) <= 70 {
		return line
	}
	line = string(runes[:70])
	if i := strings.LastIndexByte(line, ' '); i > 30 {
		line = line[:i]
	}
	return line + " …"
}

// take joins the signal to a case or opens one.
func (s *Service) take(ctx context.Context, tx store.Tx, in Intake, window time.Duration) (id string, err error) {
	if in.Signal.Source == "" {
		in.Signal.Source, in.Signal.Ref = "person", newID()
	}
	if id, err = signalSeen(ctx, tx, in.Signal.Source, in.Signal.Ref); err != nil || id != "" {
		return id, err
	}
	now := tx.Now()
	at := now
	if !in.At.IsZero() {
		at = min(store.At(in.At), now)
	}
	key := contactKey(in.Phone, in.Email)
	if in.Issue != "" {
		contacts, err := s.box.BlindSearch(ctx, tx, contactColumn, key)
		if err != nil {
			return "", err
		}
		if key == "" {
			contacts = nil
		}
		c, found, err := sameIssue(ctx, tx, in.CustomerID, contacts, in.Issue, at.Add(-window))
		if err != nil {
			return "", err
		}
		if found {
			return c.ID, s.join(ctx, tx, &c, in, at)
		}
	}
	return s.open(ctx, tx, in, key, at)
}

func (s *Service) open(ctx context.Context, tx store.Tx, in Intake, key string, at store.Micros) (string, error) {
	content, err := s.content(ctx, tx)
	if err != nil {
		return "", err
	}
	c := Case{CustomerID: in.CustomerID, ID: newID(), Entity: tx.Scope.Entity, Unit: in.Unit, Kind: in.Kind, State: New, IsOpen: true, Severity: in.Severity, Channel: in.Channel,
		Product: in.Product, Journey: in.Journey, Reason: in.Reason, Issue: in.Issue, Facts: in.Facts, Title: sealed.New(strings.TrimSpace(in.Title)), Words: sealed.New(strings.TrimSpace(in.Words)),
		Name: sealed.New(strings.TrimSpace(in.Name)), Phone: sealed.New(strings.TrimSpace(in.Phone)), Email: sealed.New(strings.TrimSpace(in.Email)), Locale: in.Locale,
		Skill: in.Skill, Owner: in.Owner, NextDue: never, Signals: 1, Actions: []string{}, Opened: at, Touched: tx.Now(), Version: 1}
	if c.Facts == nil {
		c.Facts = Facts{}
	}
	if c.Unit == "" {
		c.Unit = tx.Scope.Unit
	}
	if err := s.route(ctx, tx, content, &c); err != nil {
		return "", err
	}
	if s.CheckUnit != nil && !tx.Scope.System {
		if err := s.CheckUnit(ctx, tx, c.Unit); err != nil {
			return "", err
		}
	}
	if c.Number, err = nextNumber(ctx, tx); err != nil {
		return "", err
	}
	if c.ContactIx, err = s.box.Blind(ctx, tx, contactColumn, key); err != nil {
		return "", err
	}
	if err := s.box.Seal(ctx, tx, &c); err != nil {
		return "", err
	}
	if err := insertCase(ctx, tx, &c); err != nil {
		return "", err
	}
	if err := s.addSignal(ctx, tx, &c, in, at); err != nil {
		return "", err
	}
	if err := s.note(ctx, tx, &c, EntryOpened, "", map[string]string{"channel": c.Channel, "rule": in.Signal.Rule}); err != nil {
		return "", err
	}
	marks := c.Kind.marks()
	if c.Owner != "" {
		marks = append(marks, "complaint_owner_assigned")
	}
	if err := s.mark(ctx, tx, content, &c, at, marks...); err != nil {
		return "", err
	}
	for _, l := range content.Ladders() {
		// A severe case climbs at once, on the ladder that says so.
		if err := s.climb(ctx, tx, &c, "", l, "severity", func(t Trigger) bool {
			return t.Severity != "" && c.Severity.rank() >= t.Severity.rank() && l.ID == "ladder_severe"
		}); err != nil {
			return "", err
		}
	}
	if err := saveCase(ctx, tx, &c); err != nil {
		return "", err
	}
	if err := s.setSilence(ctx, tx, &c); err != nil {
		return "", err
	}
	if err := s.announce(ctx, tx, "case.opened", &c, nil); err != nil {
		return "", err
	}
	return c.ID, audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.open", Object: "case/" + c.ID, After: c.Kind})
}

// join adds a signal to an open case of the same issue.
func (s *Service) join(ctx context.Context, tx store.Tx, c *Case, in Intake, at store.Micros) error {
	if err := s.addSignal(ctx, tx, c, in, at); err != nil {
		return err
	}
	if err := s.note(ctx, tx, c, EntrySignal, in.Words, map[string]string{"channel": in.Channel, "rule": in.Signal.Rule}); err != nil {
		return err
	}
	c.Signals++
	if in.Severity.rank() > c.Severity.rank() {
		c.Severity = in.Severity
	}
	c.Touched = tx.Now()
	return saveCase(ctx, tx, c)
}

func (s *Service) addSignal(ctx context.Context, tx store.Tx, c *Case, in Intake, at store.Micros) error {
	kind := in.Signal.Kind
	if kind == "" {
		kind = "person"
	}
	r := signalRow{Entity: tx.Scope.Entity, Source: in.Signal.Source, Ref: in.Signal.Ref, CaseID: c.ID, Kind: kind, Rule: in.Signal.Rule, Score: in.Signal.Score,
		Words: sealed.New(in.Words), At: at}
	if err := s.box.Seal(ctx, tx, &r); err != nil {
		return err
	}
	return insertSignal(ctx, tx, &r)
}

// route gives a new case its unit, skill and owner.
func (s *Service) route(ctx context.Context, tx store.Tx, content *Content, c *Case) error {
	facts := c.facts()
	facts["unit"] = c.Unit
	for _, r := range content.Routing.Routes {
		if r.when.Holds(facts) {
			if r.Unit != "" {
				c.Unit = r.Unit
			}
			if c.Skill == "" {
				c.Skill = r.Skill
			}
			break
		}
	}
	if c.Owner != "" || len(content.Routing.Team) == 0 {
		return nil
	}
	var fit []Member
	var accounts []string
	for _, m := range content.Routing.Team {
		if strings.HasPrefix(c.Unit, m.Unit) && (c.Skill == "" || slices.Contains(m.Skills, c.Skill)) {
			fit, accounts = append(fit, m), append(accounts, m.Account)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	busy, err := load(ctx, tx, accounts)
	if err != nil {
		return err
	}
	best := -1
	for i, m := range fit {
		if m.Max > 0 && busy[m.Account] >= m.Max {
			continue
		}
		// The nearest unit first, then the fewest cases.
		if best < 0 || len(m.Unit) > len(fit[best].Unit) || len(m.Unit) == len(fit[best].Unit) && busy[m.Account] < busy[fit[best].Account] {
			best = i
		}
	}
	if best >= 0 {
		c.Owner = fit[best].Account
	}
	return nil
}

// setSilence moves the timer that watches for a case in which nobody says a word.
func (s *Service) setSilence(ctx context.Context, tx store.Tx, c *Case) error {
	if !c.State.Open() {
		return s.timers.Cancel(ctx, tx, timerSilence, c.ID)
	}
	content, err := s.content(ctx, tx)
	if err != nil {
		return err
	}
	shortest := time.Duration(0)
	for _, l := range content.Ladders() {
		for _, step := range l.Steps {
			for _, on := range step.On {
				if d, err := parseDuration(on.Silence); on.Silence != "" && err == nil && (shortest == 0 || d < shortest) {
					shortest = d
				}
			}
		}
	}
	if shortest == 0 {
		return nil
	}
	return s.timers.Set(ctx, tx, timer.Timer{Kind: timerSilence, ID: c.ID, Due: c.Touched.Add(shortest).Time()})
}
