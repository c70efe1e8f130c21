package cases

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Query picks cases for a queue. Empty fields pick all.
type Query struct {
	Unit      string // path; never above the reader's place
	Owner     string // account
	Nobody    bool   // without an owner
	Watching  string // account that watches, or was mentioned
	States    []State
	Closed    bool // closed ones too; otherwise only open ones
	Kind      Kind
	Severity  Severity
	Product   string
	Journey   string
	Channel   string
	Late      bool      // a deadline was missed
	DueBefore time.Time // the next deadline lies before
	Customer  string
	Search    string // a number (CV-20417), a phone number or an e-mail address, whole
	After     string // cursor
	Limit     int    // default 50, at most 500
}

// Page is a part of a queue in the order of the next deadline. Next is empty on the
// last one.
type Page struct {
	Items []Case
	Next  string
}

// Counts are the figures over a queue.
type Counts struct {
	Open, Late, DueToday, Nobody int64
}

// List gives the cases that the query picks, the most urgent first.
func (s *Service) List(ctx context.Context, q Query) (p Page, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return p, err
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, 500)
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if p, err = s.list(ctx, tx, q); err != nil {
			return err
		}
		return s.box.Open(ctx, tx, &p.Items)
	})
	return p, err
}

func (s *Service) list(ctx context.Context, tx store.Tx, q Query) (p Page, err error) {
	search := strings.TrimSpace(q.Search)
	var contacts []string
	number := int64(0)
	if search != "" {
		digits := strings.TrimPrefix(strings.ToUpper(search), "CV-")
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil && len(digits) < 8 {
			number = n
		} else if key := contactKey(search, search); key != "" {
			if contacts, err = s.box.BlindSearch(ctx, tx, contactColumn, key); err != nil {
				return p, err
			}
		}
	}
	if p.Items, err = listCases(ctx, tx, q, number, contacts); err != nil {
		return p, err
	}
	if len(p.Items) > q.Limit {
		p.Items = p.Items[:q.Limit]
		last := p.Items[q.Limit-1]
		p.Next = fmt.Sprintf("%d.%s", last.NextDue, last.ID)
	}
	return p, nil
}

// Count counts the open cases of the query's unit.
func (s *Service) Count(ctx context.Context, q Query, endOfDay time.Time) (n Counts, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return n, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err = countCases(ctx, tx, q, store.At(endOfDay))
		return err
	})
	return n, err
}

// View is a case with everything that its page shows.
type View struct {
	Case
	Clocks      []ClockView
	Entries     []Entry
	Escalations []Escalation
	Gestures    []Gesture
	Files       []File
	Links       []LinkView
	Watching    bool
	FollowUps   []FollowUp
}

// ClockView is a clock with its rule.
type ClockView struct {
	Clock
	Rule ClockRule
	From Pack
	Used float64 // share of the time that is over
	Days int     // working days left, today not counted
}

// LinkView is another case that this one has to do with.
type LinkView struct {
	Kind string
	ID   string
	Ref  string
}

// Get reads a case by id or number ("CV-20417"), with its history. Who reads whose
// case is written down.
func (s *Service) Get(ctx context.Context, id string) (v View, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return v, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		v = View{}
		if v.Case, err = s.visible(ctx, tx, id); err != nil {
			return err
		}
		if err := s.box.Open(ctx, tx, &v.Case); err != nil {
			return err
		}
		if err := s.fillView(ctx, tx, &v); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.read", Object: "case/" + v.ID, Reason: "handling the case"})
	})
	return v, err
}

func (s *Service) fillView(ctx context.Context, tx store.Tx, v *View) error {
	content, err := s.content(ctx, tx)
	if err != nil {
		return err
	}
	clocks, err := clocksOf(ctx, tx, v.ID)
	if err != nil {
		return err
	}
	now := tx.Now().Time()
	for _, k := range clocks {
		r, p, err := k.rule(content)
		if err != nil {
			return err
		}
		cv := ClockView{Clock: k, Rule: r, From: p}
		if value, err := k.value(content); err == nil {
			reading := value.At(now)
			cv.Used, cv.Days = reading.Used, reading.Days
		}
		v.Clocks = append(v.Clocks, cv)
	}
	slices.SortStableFunc(v.Clocks, func(a, b ClockView) int {
		if a.open() != b.open() {
			if a.open() {
				return -1
			}
			return 1
		}
		return int(min(max(a.Due-b.Due, -1), 1))
	})
	if v.Entries, err = entriesOf(ctx, tx, v.ID, 300); err != nil {
		return err
	}
	if v.Escalations, err = escalationsOf(ctx, tx, v.ID); err != nil {
		return err
	}
	if v.Gestures, err = gesturesOf(ctx, tx, v.ID); err != nil {
		return err
	}
	if v.Files, err = filesOf(ctx, tx, v.ID); err != nil {
		return err
	}
	if v.Links, err = linksOf(ctx, tx, v.ID); err != nil {
		return err
	}
	if v.FollowUps, err = followUpsOf(ctx, tx, v.ID); err != nil {
		return err
	}
	if v.Watching, err = watches(ctx, tx, v.ID, strings.TrimPrefix(tx.Scope.Actor, "account:")); err != nil {
		return err
	}
	for _, open := range []any{&v.Entries, &v.Gestures, &v.Files, &v.FollowUps} {
		if err := s.box.Open(ctx, tx, open); err != nil {
			return err
		}
	}
	return nil
}

// Escalated is an escalation that waits for the reader, with its case.
type Escalated struct {
	Escalation
	Case Case
}

// MyEscalations are the open ones that name the actor, or a role that the actor has
// at the place of the escalation, oldest first.
func (s *Service) MyEscalations(ctx context.Context, limit int) (out []Escalated, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	actor, _ := auth.From(ctx)
	var roles []string
	for _, g := range actor.Grants {
		roles = append(roles, string(g.Role))
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		found, err := openEscalations(ctx, tx, actor.ID, roles, 4*limit)
		if err != nil {
			return err
		}
		for _, e := range found {
			mine := e.Person == actor.ID || slices.ContainsFunc(actor.Grants, func(g auth.Grant) bool {
				return string(g.Role) == e.Role && strings.HasPrefix(e.Unit, g.Unit)
			})
			if !mine || len(out) == limit {
				continue
			}
			c, err := caseByID(ctx, tx, e.CaseID)
			if err != nil {
				return err
			}
			if !tx.Scope.Sees(c.Unit) {
				continue
			}
			if err := s.box.Open(ctx, tx, &c); err != nil {
				return err
			}
			out = append(out, Escalated{e, c})
		}
		return nil
	})
	return out, err
}

// SavedView is a query under a name.
type SavedView struct {
	ID, Account, Name, Query string
}

// SaveView keeps a query (an address's query string) under a name for the actor, or
// for everybody.
func (s *Service) SaveView(ctx context.Context, name, query string, shared bool) error {
	perm := PermRead
	if shared {
		perm = PermLead
	}
	if err := auth.Require(ctx, perm, ""); err != nil {
		return err
	}
	if bad(strings.TrimSpace(name), 1, 60) || bad(query, 0, 1000) {
		return errs.Invalid("feedback.case.error.view", "name", "a view needs a name of 1 to 60 characters")
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		account := strings.TrimPrefix(tx.Scope.Actor, "account:")
		if shared {
			account = ""
		}
		return insertView(ctx, tx, SavedView{newID(), account, strings.TrimSpace(name), query})
	})
}

// Views are the actor's own and the shared ones.
func (s *Service) Views(ctx context.Context) (out []SavedView, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = viewsOf(ctx, tx, strings.TrimPrefix(tx.Scope.Actor, "account:"))
		return err
	})
	return out, err
}
