package cases

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/timer"
)

// Resolution is what closing a case needs.
type Resolution struct {
	Cause   string   // root cause, one of the list
	Actions []string // what was done, at least one of the list
	Words   string   // in own words
	Owner   string   // name under the follow-up letter
}

// FollowUpTime is how long the customer has to say whether the problem is solved.
const FollowUpTime = 14 * 24 * time.Hour

// FollowUp is one question to the customer whether the problem is solved.
type FollowUp struct {
	bun.BaseModel `bun:"table:cases_followup"`

	CaseID    string `bun:",pk"`
	Round     int    `bun:",pk"`
	TokenHash string
	Sent      store.Micros
	Expires   store.Micros
	Answer    string
	Answered  store.Micros `bun:",nullzero"`
	Words     sealed.Text
}

// Close closes the case on the bank's side and asks the customer whether it is
// solved. It gives the link that the question carries, to be shown once to whoever
// hands it over in person.
func (s *Service) Close(ctx context.Context, id string, r Resolution) (link string, err error) {
	err = s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		if err := r.validate(content); err != nil {
			return err
		}
		if !c.IsOpen {
			return errs.Conflict("feedback.case.error.closed", "the case is closed already")
		}
		owed, err := s.owedByLaw(ctx, tx, content, c)
		if err != nil {
			return err
		}
		if owed != "" {
			return errs.Conflict("feedback.case.error.owed", "a statutory duty is still open: %s", owed).With("rule", owed)
		}
		c.Cause, c.Actions = r.Cause, r.Actions
		if err := s.note(ctx, tx, c, EntryClosed, r.Words, map[string]string{"cause": r.Cause, "actions": strings.Join(r.Actions, ",")}); err != nil {
			return err
		}
		if err := s.mark(ctx, tx, content, c, tx.Now(), "complaint_remedy_offered", "case_closed"); err != nil {
			return err
		}
		if err := s.endClocks(ctx, tx, c); err != nil {
			return err
		}
		c.State, c.Closed, c.Outcome = Asked, tx.Now(), ""
		if err := endEscalations(ctx, tx, c.ID, ""); err != nil {
			return err
		}
		if link, err = s.ask(ctx, tx, c, r.Owner); err != nil {
			return err
		}
		return s.announce(ctx, tx, "case.closed", c, map[string]any{"cause": r.Cause})
	})
	return link, err
}

func (r Resolution) validate(content *Content) error {
	if !slices.ContainsFunc(content.Causes, func(c Choice) bool { return c.ID == r.Cause }) {
		return errs.Invalid("feedback.case.error.cause", "cause", "closing needs a root cause of the list")
	}
	if len(r.Actions) == 0 {
		return errs.Invalid("feedback.case.error.action", "actions", "closing needs what was done")
	}
	for _, a := range r.Actions {
		if !slices.ContainsFunc(content.Actions, func(c Choice) bool { return c.ID == a }) {
			return errs.Invalid("feedback.case.error.action", "actions", "%q is no action of the list", a)
		}
	}
	if bad(r.Words, 0, MaxBody) || bad(r.Owner, 0, MaxName) {
		return errs.TooLarge("feedback.case.error.words", "the text has more than %d characters", MaxBody).With("max", MaxBody)
	}
	return nil
}

// owedByLaw names a legal duty that closing would leave unmet: the answer that a law
// asks for must have gone out first. Duties that are met by closing or by money are
// not asked for here.
func (s *Service) owedByLaw(ctx context.Context, tx store.Tx, content *Content, c *Case) (string, error) {
	clocks, err := clocksOf(ctx, tx, c.ID)
	if err != nil {
		return "", err
	}
	for _, k := range clocks {
		if !k.Legal || !k.owed() {
			continue
		}
		r, _, err := k.rule(content)
		if err != nil {
			return "", err
		}
		if r.stopsAt("complaint_remedy_offered") {
			continue
		}
		return r.Label(c.Locale), nil
	}
	return "", nil
}

// endClocks ends what still runs; nothing is owed in a closed case.
func (s *Service) endClocks(ctx context.Context, tx store.Tx, c *Case) error {
	clocks, err := clocksOf(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	for i := range clocks {
		k := &clocks[i]
		if k.State != ClockRunning && k.State != ClockPaused {
			continue
		}
		k.State = ClockOver
		if err := s.saveClock(ctx, tx, k); err != nil {
			return err
		}
	}
	c.NextDue, c.NextRule = never, ""
	return nil
}

// ask sends the follow-up question and lets the case wait for the answer.
func (s *Service) ask(ctx context.Context, tx store.Tx, c *Case, owner string) (link string, err error) {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("cases: %w", err)
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	f := FollowUp{CaseID: c.ID, Round: c.Reopened + 1, TokenHash: hashOf(token), Sent: tx.Now(), Expires: tx.Now().Add(FollowUpTime)}
	if err := s.box.Seal(ctx, tx, &f); err != nil {
		return "", err
	}
	if err := insertFollowUp(ctx, tx, &f); err != nil {
		return "", err
	}
	link = strings.TrimSuffix(s.BaseURL, "/") + "/feedback/solved/" + token
	l, err := s.letter(ctx, tx, "follow_up")
	if err != nil {
		return "", err
	}
	text, err := s.fillLetter(ctx, tx, c, l, "", owner, link)
	if err != nil {
		return "", err
	}
	if s.Messenger != nil {
		named := *c
		if err := s.box.Open(ctx, tx, &named); err != nil {
			return "", err
		}
		if err := s.Messenger.Letter(ctx, tx, CustomerMessage{CustomerID: c.CustomerID, Email: named.Email.Plain, Phone: named.Phone.Plain, Locale: c.Locale,
			Subject: text.Subject, Body: text.Body, Key: fmt.Sprintf("case/%s/follow_up/%d", c.ID, f.Round)}); err != nil {
			return "", err
		}
	}
	return link, s.timers.Set(ctx, tx, timer.Timer{Kind: timerAsked, ID: fmt.Sprintf("%s/%d", c.ID, f.Round), Due: f.Expires.Time()})
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Question is what the follow-up page shows: no name, no text, only which case.
type Question struct {
	Ref      string
	Locale   string
	Answered string // "", solved, unsolved
	Bank     string
}

// errToken is one answer for every wrong link, so that none tells anything.
func errToken() error {
	return errs.NotFound("feedback.case.error.token", "this link is not valid or has expired")
}

// public is the scope of somebody who holds a link: no actor, one row.
func public(ctx context.Context) context.Context {
	return scope.With(ctx, scope.Process(scope.DefaultEntity, "customer_link"))
}

// Question reads what a link asks. It changes nothing: programs open links too.
func (s *Service) Question(ctx context.Context, token string) (q Question, err error) {
	err = s.db.Read(public(ctx), func(ctx context.Context, tx store.Tx) error {
		f, c, err := s.followUp(ctx, tx, token)
		if err != nil {
			return err
		}
		q = Question{Ref: c.Ref(), Locale: c.Locale, Answered: f.Answer, Bank: s.Bank}
		return nil
	})
	return q, err
}

func (s *Service) followUp(ctx context.Context, tx store.Tx, token string) (FollowUp, Case, error) {
	if len(token) < 40 || len(token) > 60 {
		return FollowUp{}, Case{}, errToken()
	}
	f, found, err := followUpByToken(ctx, tx, hashOf(token))
	if err != nil {
		return f, Case{}, err
	}
	if !found || f.Expires < tx.Now() {
		return f, Case{}, errToken()
	}
	var c Case
	c, err = caseAnyEntity(ctx, tx, f.CaseID)
	return f, c, err
}

// Answer takes the customer's word: solved closes for good, unsolved reopens. The
// same answer again changes nothing; another one after the first is refused, save
// that words may be added.
func (s *Service) Answer(ctx context.Context, token string, solved bool, words string) (q Question, err error) {
	if bad(words, 0, MaxWords) {
		return q, errs.TooLarge("feedback.case.error.words", "the text has more than %d characters", MaxWords).With("max", MaxWords)
	}
	err = s.db.Write(public(ctx), func(ctx context.Context, tx store.Tx) error {
		f, c, err := s.followUp(ctx, tx, token)
		if err != nil {
			return err
		}
		tx.Scope = scope.Process(c.Entity, "customer_link")
		ctx = scope.With(ctx, tx.Scope)
		answer := map[bool]string{true: "solved", false: "unsolved"}[solved]
		q = Question{Ref: c.Ref(), Locale: c.Locale, Answered: answer, Bank: s.Bank}
		if f.Answer != "" && f.Answer != answer {
			return errs.Conflict("feedback.case.error.answered", "the question was answered already")
		}
		if f.Answer == answer && strings.TrimSpace(words) == "" {
			return nil
		}
		first := f.Answer == ""
		f.Answer, f.Answered, f.Words = answer, tx.Now(), sealed.New(strings.TrimSpace(words))
		if err := s.box.Seal(ctx, tx, &f); err != nil {
			return err
		}
		if err := updateFollowUp(ctx, tx, &f); err != nil {
			return err
		}
		if !first || c.State != Asked {
			return s.note(ctx, tx, &c, EntryReply, words, map[string]string{"channel": "web"})
		}
		return s.verified(ctx, tx, &c, solved, words)
	})
	return q, err
}

// verified closes for good or reopens.
func (s *Service) verified(ctx context.Context, tx store.Tx, c *Case, solved bool, words string) error {
	content, err := s.content(ctx, tx)
	if err != nil {
		return err
	}
	if err := s.timers.Cancel(ctx, tx, timerAsked, fmt.Sprintf("%s/%d", c.ID, c.Reopened+1)); err != nil {
		return err
	}
	if solved {
		c.State, c.Outcome = Solved, "solved"
		if err := s.note(ctx, tx, c, EntryVerified, words, nil); err != nil {
			return err
		}
		if err := s.mark(ctx, tx, content, c, tx.Now(), "complaint_closed_accepted"); err != nil {
			return err
		}
	} else {
		c.State, c.Outcome, c.IsOpen, c.Closed, c.Cause = Working, "unsolved", true, 0, ""
		c.Reopened++
		if err := s.note(ctx, tx, c, EntryReopened, words, nil); err != nil {
			return err
		}
		if err := s.mark(ctx, tx, content, c, tx.Now(), "case_reopened"); err != nil {
			return err
		}
		for _, l := range content.Ladders() {
			if l.ID == "ladder_internal" || c.Reopened > 1 {
				if err := s.climb(ctx, tx, c, "", l, "repeat", func(t Trigger) bool { return t.Repeat }); err != nil {
					return err
				}
			}
		}
	}
	c.Touched = tx.Now()
	if err := saveCase(ctx, tx, c); err != nil {
		return err
	}
	if err := s.setSilence(ctx, tx, c); err != nil {
		return err
	}
	if err := s.announce(ctx, tx, map[bool]string{true: "case.solved", false: "case.reopened"}[solved], c, nil); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.answer", Object: "case/" + c.ID, After: c.State})
}

// Reopen opens a closed case again by a person's word.
func (s *Service) Reopen(ctx context.Context, id, reason string) error {
	if bad(strings.TrimSpace(reason), 5, 2000) {
		return errs.Invalid("feedback.case.error.reason_needed", "reason", "reopening needs a reason of at least five characters")
	}
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		if c.IsOpen {
			return errs.Conflict("feedback.case.error.open", "the case is open")
		}
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		if err := s.timers.Cancel(ctx, tx, timerAsked, fmt.Sprintf("%s/%d", c.ID, c.Reopened+1)); err != nil {
			return err
		}
		c.State, c.Outcome, c.Closed, c.Cause = Working, "", 0, ""
		c.Reopened++
		if err := s.note(ctx, tx, c, EntryReopened, reason, nil); err != nil {
			return err
		}
		return s.mark(ctx, tx, content, c, tx.Now(), "case_reopened")
	})
}

// fireAsked ends the waiting for an answer: silence is written down as silence.
func (s *Service) fireAsked(ctx context.Context, tx store.Tx, due []timer.Timer) error {
	for _, t := range due {
		id, round, _ := strings.Cut(t.ID, "/")
		c, err := caseByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.State != Asked || fmt.Sprint(c.Reopened+1) != round {
			continue
		}
		c.State, c.Outcome = Silent, "silent"
		if err := s.note(ctx, tx, &c, EntryState, "", map[string]string{"state": string(Silent)}); err != nil {
			return err
		}
		if err := saveCase(ctx, tx, &c); err != nil {
			return err
		}
	}
	return nil
}
