package survey

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"omote/internal/feedback/form"
	"omote/internal/platform/errs"
	"omote/internal/platform/link"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Session is one person at one questionnaire.
type Session struct {
	Entity   string
	Token    string
	Version  *Version
	Response *Response // nil before the first answer
	// Visit names the response of an open link or an anonymous questionnaire; it
	// stands in the person's own browser only.
	Visit string

	Customer, Invitation, Channel string
	invitation                    *Invitation
	// Over is why nothing more is asked: Answered, Expired or Closed; "" for not.
	Over string
}

// Seed makes draws and orders the same at each load.
func (v *Session) Seed() string { return v.responseID() }

func (v *Session) responseID() string {
	if v.anonymous() || v.Customer == "" {
		return v.Visit
	}
	return v.Invitation
}

// Journey is that of the event which led to the asking; "" for an open link.
func (v *Session) Journey() string {
	if v.invitation == nil {
		return ""
	}
	return v.invitation.Journey
}

// Via is the channel of that event.
func (v *Session) Via() string {
	if v.invitation == nil {
		return ""
	}
	return v.invitation.Via
}

func (v *Session) anonymous() bool { return v.Version.Document.Anonymity == form.Anonymous }

// Answers are those so far.
func (v *Session) Answers() form.Answers {
	if v.Response == nil {
		return form.Answers{}
	}
	return v.Response.Answers
}

// visitForm bounds what a browser may name its visit.
func validVisit(id string) bool {
	u, err := uuid.Parse(id)
	return err == nil && u.Version() == 4
}

// Begin opens a link. visit is what the browser kept from before, "" at first.
func (s *Service) Begin(ctx context.Context, token, visit string) (*Session, error) {
	parts, err := link.Open(ctx, s.Keys, linkPurpose, s.DB.Now().Time(), token)
	if err != nil && (errs.KindOf(err) != errs.KindDenied || len(parts) != 5) {
		return nil, err
	}
	v := &Session{Entity: parts[0], Token: token, Customer: parts[2], Invitation: parts[3], Channel: parts[4], Visit: visit}
	if err != nil {
		v.Over = string(Expired)
	}
	if !validVisit(v.Visit) {
		v.Visit = uuid.NewString()
	}
	ctx = v.scope(ctx)
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error { return s.load(ctx, tx, v, parts[1]) })
	return v, err
}

// scope is the person's own doing.
func (v *Session) scope(ctx context.Context) context.Context {
	return scope.With(ctx, scope.Scope{Entity: v.Entity, Unit: scope.Root, Actor: "respondent", System: true})
}

func (s *Service) load(ctx context.Context, tx store.Tx, v *Session, survey string) error {
	live, err := s.lives(ctx, tx)
	if err != nil {
		return err
	}
	v.Version = live[survey]
	if v.Customer != "" {
		if v.invitation, err = s.findInvitation(ctx, tx, v.Customer, v.Invitation); err != nil {
			return err
		}
		// What was begun under a version is ended under it.
		if v.Version == nil || v.Version.Version != v.invitation.Version {
			if v.Version, err = version(ctx, tx, survey, v.invitation.Version); err != nil {
				return err
			}
		}
	}
	if v.Version == nil {
		if v.Version, err = latest(ctx, tx, survey); err != nil {
			return err
		}
		if v.Version == nil {
			return notFound(survey)
		}
	}
	if v.Version.State == Retired && (v.invitation == nil || live[survey] == nil) && v.Over == "" {
		v.Over = Closed
	}
	customer := v.Customer
	if v.anonymous() {
		customer = ""
		if v.invitation != nil && v.invitation.State == Answered {
			v.Over = string(Answered)
		}
	}
	v.Response, err = s.findResponse(ctx, tx, customer, v.responseID())
	if errs.KindOf(err) == errs.KindNotFound {
		v.Response, err = nil, nil
	}
	return err
}

// Answer saves what came in for one question and gives the session after it.
// Posted twice, it counts once.
func (s *Service) Answer(ctx context.Context, token, visit, item, locale string, in form.Values) (*Session, error) {
	v, err := s.Begin(ctx, token, visit)
	if err != nil {
		return nil, err
	}
	return v, s.Take(ctx, v, locale, map[string]form.Values{item: in})
}

// Take saves answers to some questions of a session, all in one transaction.
func (s *Service) Take(ctx context.Context, v *Session, locale string, in map[string]form.Values) error {
	if v.Over != "" {
		return errs.Conflict("feedback.survey.error.over", "the questionnaire takes no more answers")
	}
	answers := form.Answers{}
	for id, values := range in {
		it := v.Version.Document.Item(id)
		if it == nil {
			return errs.Invalid("feedback.survey.error.item", "item", "the questionnaire has no question %q", id)
		}
		a, err := it.Check(values)
		if err != nil {
			return err
		}
		answers[id] = a
	}
	r, err := s.intake.save(v.scope(ctx), v, locale, answers)
	if err != nil {
		return err
	}
	v.Response = r
	return nil
}

// errStopped is given to those whose answer was not yet saved when the program ended.
var errStopped = errors.New("survey: the program is ending")

// Response is what one person said.
type Response struct {
	CustomerID  string // record; "" when anonymous
	ID          string
	Survey      string
	Version     int64
	Invitation  string
	Channel     string
	Locale      string
	Probability float64
	Unit        string
	Via         string
	Journey     string
	Product     string
	Answers     form.Answers
	Score       *int64
	Flags       []string
	Started     time.Time
	Updated     time.Time
	Completed   time.Time
	// System and UserID name the person to the log; sealed in the store.
	System, UserID string
	same           string // keyed hash of the words
	told           bool   // its events are in the log, or it has none
}
