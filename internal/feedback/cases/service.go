package cases

import (
	"context"
	"strconv"
	"strings"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/timer"
)

// Messenger carries letters to customers out, through the outbox; the caller's
// transaction decides. It may do nothing where no channel is set up.
type Messenger interface {
	// Letter sends a letter to the customer of a case.
	Letter(ctx context.Context, tx store.Tx, m CustomerMessage) error
}

// Outbox takes webhooks.
type Outbox interface {
	Enqueue(ctx context.Context, tx store.Tx, m outbox.Message) (id string, err error)
}

// CustomerMessage is a letter on its way.
type CustomerMessage struct {
	CustomerID, Email, Phone string
	Key                      string // idempotency key
	Subject, Body, Locale    string
}

// Scanner looks for viruses in attachments.
type Scanner interface {
	// Scan gives whether the content is clean; an error leaves the file waiting.
	Scan(ctx context.Context, content []byte) (clean bool, err error)
}

// Initiatives takes up many cases of one cause as a change to be made.
type Initiatives interface {
	// Propose opens an initiative of what a huddle agreed on, in the unit that holds
	// all cases, in the caller's transaction.
	Propose(ctx context.Context, tx store.Tx, c Cluster, unit string, change Change) (id string, err error)
}

// Inbox keeps what customers said by phone, at the counter, in a form or letter, beside
// everything else that they say.
type Inbox interface {
	// Heard takes the words of a case; ref names them and counts once.
	Heard(ctx context.Context, tx store.Tx, in Intake, caseID, ref string) error
}

// Deps are what the service stands on. Messenger, Outbox, Scanner, Initiatives and
// Inbox may be nil.
type Deps struct {
	DB          *store.DB
	Box         *sealed.Box
	Timers      *timer.Timers
	Clock       clock.Clock
	Messenger   Messenger
	Outbox      Outbox
	Scanner     Scanner
	Initiatives Initiatives
	Inbox       Inbox
	// CheckUnit gives nil when a path is an open unit.
	CheckUnit func(ctx context.Context, tx store.Tx, path string) error
	// UnitPath gives the path of the unit that feeds call by a code, "" for none.
	UnitPath func(ctx context.Context, tx store.Tx, code string) (string, error)
	// Reach gives how the customer of a record is called and reached.
	Reach func(ctx context.Context, tx store.Tx, record string) (Reached, error)
	// Entity is the bank entity that customers' own forms go to.
	Entity string
	// BaseURL is the address that follow-up links begin with; Bank signs letters.
	BaseURL string
	Bank    string
}

// Service works on cases. It is safe for concurrent use.
type Service struct {
	Deps
	db     *store.DB
	box    *sealed.Box
	timers *timer.Timers
	cache  *cached
}

// NewService makes the service and adds its kinds of timers.
func NewService(d Deps) *Service {
	if d.BaseURL == "" {
		d.BaseURL = "http://localhost"
	}
	s := &Service{Deps: d, db: d.DB, box: d.Box, timers: d.Timers, cache: &cached{stamp: map[string]string{}, made: map[string]*Content{}}}
	s.timers.Add(
		timer.Kind{Name: timerClock, Fire: s.fireClocks},
		timer.Kind{Name: timerStep, Fire: s.fireSteps},
		timer.Kind{Name: timerSilence, Fire: s.fireSilence},
		timer.Kind{Name: timerAsked, Fire: s.fireAsked},
	)
	return s
}

// act reads a case that the actor holds the permission for, lets fn change it, and
// saves it with an audit entry for the change.
func (s *Service) act(ctx context.Context, id string, perm auth.Permission, fn func(ctx context.Context, tx store.Tx, c *Case) error) error {
	if err := auth.Require(ctx, perm, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err := s.visible(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := auth.Require(ctx, perm, c.Unit); err != nil {
			return err
		}
		if c.State == Merged {
			return errs.Conflict("feedback.case.error.merged", "the case goes on in another one")
		}
		before := c.State
		if err := fn(ctx, tx, &c); err != nil {
			return err
		}
		if c.State == New {
			c.State = Working
		}
		c.IsOpen = c.State.Open()
		c.Touched = tx.Now()
		if err := saveCase(ctx, tx, &c); err != nil {
			return err
		}
		if err := s.setSilence(ctx, tx, &c); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.change", Object: "case/" + c.ID, Before: before, After: c.State})
	})
}

// visible reads a case, by id or number (CV-00042), of the scope's unit or below;
// others do not exist for the reader.
func (s *Service) visible(ctx context.Context, tx store.Tx, id string) (c Case, err error) {
	if digits, isRef := strings.CutPrefix(strings.ToUpper(id), "CV-"); isRef {
		n, numberErr := strconv.ParseInt(digits, 10, 64)
		if numberErr != nil {
			return c, errs.NotFound("feedback.case.error.not_found", "there is no case %s", id)
		}
		c, err = caseByNumber(ctx, tx, n)
	} else {
		c, err = caseByID(ctx, tx, id)
	}
	if err != nil {
		return c, err
	}
	if !tx.Scope.Sees(c.Unit) {
		return Case{}, errs.NotFound("feedback.case.error.not_found", "there is no case %s", id)
	}
	return c, nil
}

// note adds a line to the history.
func (s *Service) note(ctx context.Context, tx store.Tx, c *Case, kind EntryKind, body string, detail map[string]string) error {
	e := Entry{CaseID: c.ID, ID: newID(), Kind: kind, Actor: tx.Scope.Actor, At: tx.Now(), Body: sealed.New(body), Detail: detail}
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	if err := s.box.Seal(ctx, tx, &e); err != nil {
		return err
	}
	return insertEntry(ctx, tx, &e)
}

// Sealed is where cases keep what is encrypted.
func Sealed() sealed.Inventory {
	field := func(table, column string, pk ...string) sealed.Marked {
		return sealed.Marked{Column: sealed.Column{Table: "cases_" + table, Name: column}, PK: pk}
	}
	inv := sealed.Inventory{Fields: []sealed.Marked{
		field("signal", "words", "entity", "source", "ref"), field("entry", "body", "case_id", "id"), field("gesture", "reason", "case_id", "id"),
		field("hook", "url", "entity", "id"), field("hook", "secret", "entity", "id"), field("file", "name", "case_id", "id"), field("file", "content", "case_id", "id"), field("cluster", "words", "entity", "id"), field("followup", "words", "case_id", "round"),
	}}
	for _, column := range []string{"title", "words", "name", "phone", "email"} {
		inv.Fields = append(inv.Fields, field("case", column, "customer_id", "id"))
	}
	return inv
}

var contactColumn = sealed.Column{Table: "cases_case", Name: "contact_ix"}

// contactKey is what tells that two people without a customer id are the same: the
// digits of a phone number, or the address.
func contactKey(phone, email string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, phone)
	if rest, ok := strings.CutPrefix(digits, "84"); ok && len(rest) == 9 {
		digits = "0" + rest
	}
	if len(digits) >= 8 {
		return digits
	}
	return strings.ToLower(strings.TrimSpace(email))
}
