package survey

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/keyring"
	"omote/internal/platform/outbox"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/timer"
)

// State is where a version of a questionnaire is.
type State string

// The states of a version. At most one is live.
const (
	Draft   State = "draft"
	Live    State = "live"
	Retired State = "retired"
)

// Version is one version of a questionnaire.
type Version struct {
	Entity    string
	Version   int64
	State     State
	Document  *form.Document
	Note      string
	Origin    string // "pack:…" of a shipped one
	Created   time.Time
	CreatedBy string
	Published time.Time
}

// Log is where the events of responses go; *eventlog.Log is one.
type Log interface {
	Append(ctx context.Context, events []event.Event) (eventlog.Receipt, error)
}

// Contacts judges and reserves a contact; app fills it with the contact policy.
type Contacts interface {
	Judge(ctx context.Context, tx store.Tx, r Contact) (Judgement, error)
	Release(ctx context.Context, tx store.Tx, customer, ref string) error
}

// Contact asks whether a customer may be asked now.
type Contact struct {
	Customer, Kind, Channel, Ref string
	At                           time.Time
}

// Judgement is the contact policy's answer.
type Judgement struct {
	Allowed bool
	// Until is when to ask again, where only rules that let go by themselves refuse.
	Until time.Time
	// Reason is the rule that refused; Reasons every rule's word as JSON.
	Reason  string
	Reasons json.RawMessage
}

// People tells how a customer can be reached; app fills it with identity.
type People interface {
	// Address gives the telephone number, e-mail address or device of a record's
	// customer for a channel, and the language and form of address they chose.
	Address(ctx context.Context, tx store.Tx, record, channel string) (Reach, error)
}

// Reach is how one customer is reached.
type Reach struct{ Address, Locale, Form string }

// Follower acts on completed responses that are not anonymous: opens cases, records
// consents. It runs in the transaction that saves the last answer.
type Follower interface {
	Answered(ctx context.Context, tx store.Tx, r Followed) error
}

// Followed is a completed response with what its answers call for.
type Followed struct {
	Response   *Response
	Document   *form.Document
	Answers    form.Answers
	Reactions  []form.Reaction
	System, ID string // who, where known
}

// Deps are what the service needs.
type Deps struct {
	DB        *store.DB
	Box       *sealed.Box
	Keys      keyring.Provider
	Log       Log
	Timers    *timer.Timers
	Outbox    *outbox.Outbox
	Approvals *approval.Service
	Contacts  Contacts
	People    People
	Followers []Follower
	Logger    *slog.Logger
	Zone      *time.Location
	Bank      string
	BaseURL   string
	Things    form.Things // what texts ask about; nil leaves it out
	Members   Members     // of segments, for rounds; nil asks in no rounds
	Scanner   Scanner     // looks at files that people send; nil where none is set up
	// Channels that are set up, such as "email".
	Channels []string
}

// Service is surveys.
type Service struct {
	Deps
	intake *intake
	mu     sync.RWMutex
	live   map[string]map[string]*Version // entity, id
}

// publishKind is the kind of proposals that publish a questionnaire.
const publishKind = "feedback.survey_publish"

// New makes the service and registers what it publishes and when it acts.
func New(d Deps) *Service {
	s := &Service{Deps: d, live: map[string]map[string]*Version{}}
	s.intake = newIntake(s)
	d.Timers.Add(timer.Kind{Name: askTimer, Fire: s.fireAsk}, timer.Kind{Name: remindTimer, Fire: s.fireRemind}, timer.Kind{Name: expireTimer, Fire: s.fireExpire},
		timer.Kind{Name: roundTimer, Fire: s.fireRound})
	d.Approvals.Register(approval.Kind{Name: publishKind, Permission: PermApprove, Approved: s.approved})
	return s
}

// Install brings the shipped questionnaires in: new ones go live when they ask
// nobody by themselves, so a new installation sends nothing until people decide.
func (s *Service) Install(ctx context.Context, pack []*form.Document, origin string) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		for _, d := range pack {
			last, err := latest(ctx, tx, d.ID)
			if err != nil {
				return err
			}
			if last != nil {
				continue // it was here once, and people decided since
			}
			quiet := *d
			quiet.Asking.Sample = 0
			v := &Version{Entity: tx.Scope.Entity, Version: 1, State: Live, Document: &quiet, Origin: origin, Created: tx.Now().Time(),
				CreatedBy: tx.Scope.Actor, Published: tx.Now().Time()}
			if err := insertVersion(ctx, tx, v); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() { s.forget(tx.Scope.Entity) })
		return nil
	})
}

// List gives the newest version of each questionnaire and, where another is live,
// that too.
func (s *Service) List(ctx context.Context) (out []*Version, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = newest(ctx, tx)
		return err
	})
	return out, err
}

// Versions gives all versions of one, newest first.
func (s *Service) Versions(ctx context.Context, id string) (out []*Version, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if out, err = versions(ctx, tx, id); err == nil && len(out) == 0 {
			return notFound(id)
		}
		return err
	})
	return out, err
}

func notFound(id string) error {
	return errs.NotFound("feedback.survey.error.unknown", "there is no questionnaire %q", id).With("id", id)
}

// Save keeps a document as the draft. base is the version it was made from; when
// another has been made since, nothing is lost and it is a conflict.
func (s *Service) Save(ctx context.Context, d *form.Document, base int64, note string) (v *Version, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		last, err := latest(ctx, tx, d.ID)
		if err != nil {
			return err
		}
		v = &Version{Entity: tx.Scope.Entity, Version: 1, State: Draft, Document: d, Note: note, Created: tx.Now().Time(), CreatedBy: tx.Scope.Actor}
		switch {
		case last == nil && base != 0, last != nil && last.Version != base:
			return errs.Conflict("feedback.survey.error.moved", "the questionnaire was changed meanwhile; load it again")
		case last != nil && last.State == Draft:
			if reflect.DeepEqual(last.Document, d) {
				v = last
				return nil
			}
			v.Version = last.Version
			if err := s.Approvals.WithdrawObject(ctx, tx, publishKind, "survey/"+d.ID, "changed"); err != nil {
				return err
			}
			if err := updateDraft(ctx, tx, v); err != nil {
				return err
			}
		default:
			if last != nil {
				v.Version = last.Version + 1
			}
			if err := insertVersion(ctx, tx, v); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.survey.save", Object: "survey/" + d.ID, Reason: cmp.Or(note, fmt.Sprintf("version %d", v.Version))})
	})
	return v, err
}

// Publish proposes that the draft goes live; another person decides.
func (s *Service) Publish(ctx context.Context, id string) (request string, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return "", err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		last, err := latest(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case last == nil:
			return notFound(id)
		case last.State != Draft:
			return errs.Conflict("feedback.survey.error.no_draft", "there is no draft to publish")
		}
		d := last.Document
		r, err := s.Approvals.Propose(ctx, tx, approval.Proposal{Kind: publishKind, Object: "survey/" + id, Version: int(last.Version),
			Title: approval.Text{VI: "Phát hành khảo sát “" + d.Name.VI + "”", EN: "Publish the survey “" + d.Name.EN + "”"},
			Href:  "/feedback/surveys/" + id, Payload: map[string]any{"id": id, "version": last.Version, "document": d}})
		request = r.ID
		return err
	})
	return request, err
}

// approved puts the version live that was proposed, byte for byte.
func (s *Service) approved(ctx context.Context, tx store.Tx, r approval.Request) error {
	var p struct {
		ID       string
		Version  int64
		Document *form.Document
	}
	if err := r.Decode(&p); err != nil {
		return fmt.Errorf("decode the proposal: %w", err)
	}
	last, err := latest(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	if last == nil || last.State != Draft || last.Version != p.Version || !reflect.DeepEqual(last.Document, p.Document) {
		return errs.Conflict("feedback.survey.error.moved", "the draft was changed since it was proposed")
	}
	if err := golive(ctx, tx, p.ID, p.Version); err != nil {
		return err
	}
	tx.AfterCommit(func() { s.forget(tx.Scope.Entity) })
	if p.Document.Asking.Every > 0 {
		return s.startRound(ctx, tx, p.ID, tx.Now().Time().Add(roundDelay))
	}
	return nil
}

// Close retires the live version: nobody is asked any more, and open invitations
// are thanked without a question.
func (s *Service) Close(ctx context.Context, id string) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err := retire(ctx, tx, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return errs.Conflict("feedback.survey.error.not_live", "the questionnaire is not live")
		}
		tx.AfterCommit(func() { s.forget(tx.Scope.Entity) })
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.survey.close", Object: "survey/" + id})
	})
}

// forget drops what is known of live versions, after one changed here.
func (s *Service) forget(entity string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, entity)
}

// lives gives the live versions of the transaction's entity. A change by another
// process is seen within refreshEvery.
func (s *Service) lives(ctx context.Context, tx store.Tx) (map[string]*Version, error) {
	s.mu.RLock()
	known, ok := s.live[tx.Scope.Entity]
	s.mu.RUnlock()
	if ok {
		return known, nil
	}
	list, err := liveVersions(ctx, tx)
	if err != nil {
		return nil, err
	}
	known = map[string]*Version{}
	for _, v := range list {
		known[v.Document.ID] = v
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live[tx.Scope.Entity] = known
	return known, nil
}

// refresh bounds how long another process's publication is not seen here.
const refresh = 5 * time.Second

// RunIntake saves answers until ctx ends; it runs where pages are served.
func (s *Service) RunIntake(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() { s.intake.run(ctx) })
	both.Go(func() { s.refresh(ctx) })
	both.Wait()
	return nil
}

// RunTell tells the log of completed responses until ctx ends.
func (s *Service) RunTell(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() { s.tellLoop(ctx) })
	both.Go(func() { s.refresh(ctx) })
	both.Wait()
	return nil
}

// refreshEvery bounds how long another process's publication is not seen here.
const refreshEvery = 5 * time.Second

// refresh forgets what is known of live versions again and again.
func (s *Service) refresh(ctx context.Context) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.mu.Lock()
			clear(s.live)
			s.mu.Unlock()
		}
	}
}
