package cases

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n/fmtx"
	"omote/internal/platform/store"
)

// Assign gives the case to an account, or to nobody for "". Taking a case that nobody
// has needs the right to work on it; giving it to others, or taking it from somebody,
// the right to lead. Of two who take the same case at once, one is told that it is gone.
func (s *Service) Assign(ctx context.Context, id, account string) error {
	perm := PermLead
	if actor, ok := auth.From(ctx); ok && actor.ID == account {
		perm = PermEdit
	}
	return s.act(ctx, id, perm, func(ctx context.Context, tx store.Tx, c *Case) error {
		if bad(account, 0, 60) {
			return errs.Invalid("feedback.case.error.owner", "owner", "that is no account")
		}
		if c.Owner == account {
			return nil
		}
		if c.Owner != "" && !auth.Can(ctx, PermLead) {
			return errs.Conflict("feedback.case.error.taken", "somebody else has taken the case")
		}
		return s.give(ctx, tx, c, account)
	})
}

// give makes an account the owner.
func (s *Service) give(ctx context.Context, tx store.Tx, c *Case, account string) error {
	c.Owner = account
	if err := s.note(ctx, tx, c, EntryAssign, "", map[string]string{"owner": account}); err != nil {
		return err
	}
	if account == "" {
		return nil
	}
	return s.markNow(ctx, tx, c, "complaint_owner_assigned")
}

// TakeNext gives the actor the most urgent case of their place that nobody has; "" when
// there is none. A member of the team gets only what their skills fit, and no more than
// their maximum. However many ask at the same moment, each gets another case: the row
// that one has locked is passed over by the others.
func (s *Service) TakeNext(ctx context.Context) (id string, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return "", err
	}
	actor, ok := auth.From(ctx)
	if !ok {
		return "", errs.Denied("feedback.case.error.owner", "a case needs a person")
	}
	err = s.db.Claim(ctx, func(ctx context.Context, tx store.Tx) error {
		id = ""
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		var skills []string
		if i := slices.IndexFunc(content.Routing.Team, func(m Member) bool { return m.Account == actor.ID }); i >= 0 {
			m := content.Routing.Team[i]
			skills = append([]string{""}, m.Skills...)
			if m.Max > 0 {
				busy, err := load(ctx, tx, []string{actor.ID})
				if err != nil {
					return err
				}
				if busy[actor.ID] >= m.Max {
					return errs.Conflict("feedback.case.error.full", "you have %d cases, as many as you may", busy[actor.ID]).With("count", busy[actor.ID])
				}
			}
		}
		c, found, err := nextFree(ctx, tx, skills)
		if err != nil || !found {
			return err
		}
		if err := s.give(ctx, tx, &c, actor.ID); err != nil {
			return err
		}
		before := c.State
		if c.State == New {
			c.State = Working
		}
		c.Touched = tx.Now()
		if err := saveCase(ctx, tx, &c); err != nil {
			return err
		}
		if err := s.setSilence(ctx, tx, &c); err != nil {
			return err
		}
		id = c.ID
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.take", Object: "case/" + c.ID, Before: before, After: c.State})
	})
	return id, err
}

// LetGo gives a case that the actor owns back to the unit.
func (s *Service) LetGo(ctx context.Context, id string) error {
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		if actor, ok := auth.From(ctx); ok && c.Owner != "" && c.Owner != actor.ID {
			return errs.Denied("feedback.case.error.not_yours", "the case belongs to somebody else")
		}
		c.Owner = ""
		return s.note(ctx, tx, c, EntryAssign, "", map[string]string{"owner": ""})
	})
}

// markNow sets marks at the present.
func (s *Service) markNow(ctx context.Context, tx store.Tx, c *Case, marks ...string) error {
	content, err := s.content(ctx, tx)
	if err != nil {
		return err
	}
	return s.mark(ctx, tx, content, c, tx.Now(), marks...)
}

// Contact is what came of speaking with the customer, or of trying to.
type Contact struct {
	Reached bool
	Channel string // phone, branch, email ...
	Words   string // what was said
}

// RecordContact notes a contact. The first that reached the customer meets the
// promise of a first contact.
func (s *Service) RecordContact(ctx context.Context, id string, k Contact) error {
	if bad(k.Words, 0, MaxBody) || !known(Channels, k.Channel) {
		return errs.Invalid("feedback.case.error.contact_words", "words", "a contact needs a channel and at most %d characters", MaxBody).With("max", MaxBody)
	}
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		if err := s.note(ctx, tx, c, EntryContact, k.Words, map[string]string{"reached": fmt.Sprint(k.Reached), "channel": k.Channel}); err != nil {
			return err
		}
		if !k.Reached {
			return nil
		}
		return s.markNow(ctx, tx, c, "case_first_contact", "complaint_contact_made")
	})
}

// Note adds an internal note. Accounts named in mentions watch the case from then
// on; a name is an account's id.
func (s *Service) Note(ctx context.Context, id, words string, mentions ...string) error {
	if bad(strings.TrimSpace(words), 1, MaxBody) {
		return errs.Invalid("feedback.case.error.note", "words", "a note has 1 to %d characters", MaxBody).With("max", MaxBody)
	}
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		for _, m := range mentions {
			if err := watch(ctx, tx, c.ID, m, "mention"); err != nil {
				return err
			}
		}
		return s.note(ctx, tx, c, EntryNote, words, nil)
	})
}

// Watch lets the actor follow the case, or no longer.
func (s *Service) Watch(ctx context.Context, id string, on bool) error {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err := s.visible(ctx, tx, id)
		if err != nil {
			return err
		}
		account := strings.TrimPrefix(tx.Scope.Actor, "account:")
		if on {
			return watch(ctx, tx, c.ID, account, "watch")
		}
		return unwatch(ctx, tx, c.ID, account)
	})
}

// Mark sets a mark by a person's word: refund posted, card blocked, and so on.
func (s *Service) Mark(ctx context.Context, id, mark string) error {
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		if !slices.Contains(content.Marks(), mark) {
			return errs.Invalid("feedback.case.error.mark", "mark", "no clock knows the mark %q", mark)
		}
		if err := s.note(ctx, tx, c, EntryMark, "", map[string]string{"mark": mark}); err != nil {
			return err
		}
		return s.mark(ctx, tx, content, c, tx.Now(), mark)
	})
}

// Marks are all marks that start or stop a clock of complaints, sorted.
func (c *Content) Marks() (out []string) {
	for _, p := range c.current {
		for _, r := range p.Rules {
			for _, m := range append(anyOf(r.Start), anyOf(r.Stop)...) {
				if !slices.Contains(out, m) {
					out = append(out, m)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// RunMacro does what a ready text says: a note with its marks.
func (s *Service) RunMacro(ctx context.Context, id, macro string) error {
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(content.Macros, func(m Macro) bool { return m.ID == macro })
		if i < 0 {
			return errs.NotFound("feedback.case.error.macro", "there is no macro %q", macro)
		}
		m := content.Macros[i]
		if err := s.note(ctx, tx, c, EntryNote, Text{m.EN, m.VI}.In("vi"), map[string]string{"macro": m.ID}); err != nil {
			return err
		}
		return s.mark(ctx, tx, content, c, tx.Now(), m.Marks...)
	})
}

// Draft fills a letter of a case in the customer's language, to be read before it
// is sent.
func (s *Service) Draft(ctx context.Context, id, letter, reply, owner string) (t LetterText, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return t, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err := s.visible(ctx, tx, id)
		if err != nil {
			return err
		}
		l, err := s.letter(ctx, tx, letter)
		if err != nil {
			return err
		}
		t, err = s.fillLetter(ctx, tx, &c, l, reply, owner, "")
		return err
	})
	return t, err
}

func (s *Service) letter(ctx context.Context, tx store.Tx, id string) (Letter, error) {
	content, err := s.content(ctx, tx)
	if err != nil {
		return Letter{}, err
	}
	i := slices.IndexFunc(content.Letters, func(l Letter) bool { return l.ID == id })
	if i < 0 {
		return Letter{}, errs.NotFound("feedback.case.error.letter", "there is no letter %q", id)
	}
	return content.Letters[i], nil
}

func (s *Service) fillLetter(ctx context.Context, tx store.Tx, c *Case, l Letter, reply, owner, link string) (LetterText, error) {
	named := *c
	if err := s.box.Open(ctx, tx, &named); err != nil {
		return LetterText{}, err
	}
	name := named.Name.Plain
	if name == "" {
		name = map[string]string{"vi": "khách hàng", "en": "customer"}[c.Locale]
	}
	due := "—"
	if !c.Due().IsZero() {
		content, err := s.content(ctx, tx)
		if err != nil {
			return LetterText{}, err
		}
		if cal := content.Calendar("vn_banking"); cal != nil {
			due = fmtx.For(c.Locale).Date(c.Due().In(cal.Zone()))
		}
	}
	return l.In(c.Locale).fill(map[string]string{"case": c.Ref(), "name": name, "owner": owner, "due": due, "reply": reply, "link": link, "bank": s.Bank}), nil
}

// SendLetter sends a letter as it was read, and sets its marks.
func (s *Service) SendLetter(ctx context.Context, id, letter string, text LetterText) error {
	if bad(strings.TrimSpace(text.Subject), 1, 300) || bad(strings.TrimSpace(text.Body), 1, MaxBody) {
		return errs.Invalid("feedback.case.error.letter_text", "body", "a letter needs a subject and a text of at most %d characters", MaxBody).With("max", MaxBody)
	}
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		l, err := s.letter(ctx, tx, letter)
		if err != nil {
			return err
		}
		if err := s.post(ctx, tx, c, letter, text); err != nil {
			return err
		}
		return s.markNow(ctx, tx, c, l.Marks...)
	})
}

// post hands a letter to the channels and keeps it in the history.
func (s *Service) post(ctx context.Context, tx store.Tx, c *Case, letter string, text LetterText) error {
	if s.Messenger != nil {
		named := *c
		if err := s.box.Open(ctx, tx, &named); err != nil {
			return err
		}
		m := CustomerMessage{CustomerID: c.CustomerID, Email: named.Email.Plain, Phone: named.Phone.Plain, Locale: c.Locale, Subject: text.Subject, Body: text.Body,
			Key: fmt.Sprintf("case/%s/%s/%d", c.ID, letter, c.Version)}
		if err := s.Messenger.Letter(ctx, tx, m); err != nil {
			return err
		}
	}
	return s.note(ctx, tx, c, EntryLetter, text.Subject+"\n\n"+text.Body, map[string]string{"letter": letter})
}

// Reply notes what the customer wrote back.
func (s *Service) Reply(ctx context.Context, id, words, channel string) error {
	if bad(strings.TrimSpace(words), 1, MaxBody) || !known(Channels, channel) {
		return errs.Invalid("feedback.case.error.note", "words", "a reply has 1 to %d characters", MaxBody).With("max", MaxBody)
	}
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		return s.note(ctx, tx, c, EntryReply, words, map[string]string{"channel": channel})
	})
}

// SetSeverity changes how bad it is; a severe case climbs at once.
func (s *Service) SetSeverity(ctx context.Context, id string, to Severity) error {
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		if to.rank() < 0 {
			return errs.Invalid("feedback.case.error.severity", "severity", "there is no severity %q", to)
		}
		was := c.Severity
		c.Severity = to
		if to.rank() <= was.rank() {
			return s.note(ctx, tx, c, EntryState, "", map[string]string{"severity": string(to)})
		}
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		for _, l := range content.Ladders() {
			if err := s.climb(ctx, tx, c, "", l, "severity", func(t Trigger) bool { return t.Severity == to }); err != nil {
				return err
			}
		}
		return s.note(ctx, tx, c, EntryState, "", map[string]string{"severity": string(to)})
	})
}

// Merge lets a case go on in another one: its history stays, its signals and clocks
// that are owed count there.
func (s *Service) Merge(ctx context.Context, id, into string) error {
	return s.act(ctx, id, PermLead, func(ctx context.Context, tx store.Tx, c *Case) error {
		to, err := s.visible(ctx, tx, into)
		if err != nil {
			return err
		}
		if to.ID == c.ID {
			return errs.Invalid("feedback.case.error.merge_self", "into", "a case cannot be merged into itself")
		}
		if !to.IsOpen {
			return errs.Conflict("feedback.case.error.merge_closed", "the other case is closed")
		}
		if c.CustomerID != "" && to.CustomerID != "" && c.CustomerID != to.CustomerID {
			return errs.Conflict("feedback.case.error.merge_customer", "the cases are of different customers")
		}
		// A legal clock of the merged case that has no counterpart goes on, from its own start.
		if err := s.moveClocks(ctx, tx, c, &to); err != nil {
			return err
		}
		if err := moveSignals(ctx, tx, c.ID, to.ID); err != nil {
			return err
		}
		if err := addLink(ctx, tx, to.ID, c.ID, "merged"); err != nil {
			return err
		}
		to.Signals += c.Signals
		if c.Severity.rank() > to.Severity.rank() {
			to.Severity = c.Severity
		}
		if err := s.settle(ctx, tx, &to); err != nil {
			return err
		}
		if err := saveCase(ctx, tx, &to); err != nil {
			return err
		}
		if err := s.note(ctx, tx, &to, EntryLink, "", map[string]string{"link": "merged", "case": c.Ref()}); err != nil {
			return err
		}
		c.State, c.MergedInto, c.Closed, c.NextDue, c.NextRule = Merged, to.ID, tx.Now(), never, ""
		if err := endEscalations(ctx, tx, c.ID, ""); err != nil {
			return err
		}
		return s.note(ctx, tx, c, EntryLink, "", map[string]string{"link": "merged_into", "case": to.Ref()})
	})
}

func (s *Service) moveClocks(ctx context.Context, tx store.Tx, c, to *Case) error {
	mine, err := clocksOf(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	theirs, err := clocksOf(ctx, tx, to.ID)
	if err != nil {
		return err
	}
	for i := range mine {
		k := &mine[i]
		if !k.open() {
			continue
		}
		twin := slices.IndexFunc(theirs, func(o Clock) bool { return o.Rule == k.Rule && o.open() })
		switch {
		case twin < 0:
			k.CaseID = to.ID
		case k.Due < theirs[twin].Due:
			// The earlier deadline counts for both.
			k.CaseID = to.ID
			theirs[twin].State = ClockOver
			if err := s.saveClock(ctx, tx, &theirs[twin]); err != nil {
				return err
			}
		default:
			k.State = ClockOver
		}
		if err := s.saveClock(ctx, tx, k); err != nil {
			return err
		}
	}
	return nil
}

// Split opens a second case for another problem of the same customer.
func (s *Service) Split(ctx context.Context, id string, kind Kind, title, words string) (newID string, err error) {
	err = s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		named := *c
		if err := s.box.Open(ctx, tx, &named); err != nil {
			return err
		}
		in := Intake{CustomerID: c.CustomerID, Unit: c.Unit, Kind: kind, Severity: c.Severity, Channel: c.Channel, Product: c.Product, Journey: c.Journey, Title: title, Words: words,
			Name: named.Name.Plain, Phone: named.Phone.Plain, Email: named.Email.Plain, Locale: c.Locale, Owner: c.Owner, Facts: c.Facts, At: c.Opened.Time()}
		if err := in.Validate(); err != nil {
			return err
		}
		if newID, err = s.take(ctx, tx, in, 0); err != nil {
			return err
		}
		if err := addLink(ctx, tx, c.ID, newID, "split"); err != nil {
			return err
		}
		return s.note(ctx, tx, c, EntryLink, "", map[string]string{"link": "split", "case": newID})
	})
	return newID, err
}

// Link notes that two cases have to do with one another.
func (s *Service) Link(ctx context.Context, id, other string) error {
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		to, err := s.visible(ctx, tx, other)
		if err != nil {
			return err
		}
		if to.ID == c.ID {
			return errs.Invalid("feedback.case.error.merge_self", "other", "a case cannot be linked with itself")
		}
		if err := addLink(ctx, tx, c.ID, to.ID, "related"); err != nil {
			return err
		}
		return s.note(ctx, tx, c, EntryLink, "", map[string]string{"link": "related", "case": to.Ref()})
	})
}
