package blueprint

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"omote/internal/journey/definition"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Permissions of designed journeys. A map holds for the whole bank, so changing
// one needs its permission there.
const (
	PermRead    auth.Permission = "journey.blueprint.read"
	PermEdit    auth.Permission = "journey.blueprint.edit"
	PermComment auth.Permission = "journey.blueprint.comment"
	PermApprove auth.Permission = "journey.blueprint.approve"
)

// Limits of the module.
const (
	MaxJourneys = 500 // of an entity
	maxNote     = 1_000
	maxUndo     = 500
	maxComments = 1_000
)

// State is how a version stands.
type State string

// The states of a version.
const (
	Review    State = "review"
	Live      State = "live"
	Retired   State = "retired"
	Refused   State = "refused"
	Withdrawn State = "withdrawn"
)

// Version is what was put forward.
type Version struct {
	Document   *Document
	Number     int
	State      State
	Note       string
	Request    string // of the approval
	Rev        int64
	ProposedAt time.Time
	ProposedBy string
	DecidedAt  time.Time
	DecidedBy  string
	Decision   string
}

// Journey is a designed journey with its working copy.
type Journey struct {
	Draft       *Document
	Rev         int64
	LiveVersion int // 0: none is in force
	// Ahead is by how many operations the draft is ahead of the version in force.
	Ahead     int64
	Locale    string
	UpdatedAt time.Time
	UpdatedBy string
}

// Service is the use cases of designed journeys.
type Service struct {
	// OnLive is called in the transaction that puts a map in force; nil does
	// nothing. Set it while the program is put together.
	OnLive func(ctx context.Context, tx store.Tx) error

	db        *store.DB
	approvals *approval.Service
	templates []Template

	mu      sync.Mutex
	changed map[string]chan struct{} // by entity and journey: closed when the draft changes
}

// approvalKind is the kind of proposal that publishes a map.
const approvalKind = "journey.publish"

// NewService makes the service with the templates of the gallery.
func NewService(db *store.DB, approvals *approval.Service, templates []Template) *Service {
	s := &Service{db: db, approvals: approvals, templates: templates, changed: map[string]chan struct{}{}}
	approvals.Register(approval.Kind{Name: approvalKind, Permission: PermApprove, Approved: s.approved, Closed: s.closed})
	return s
}

// Definitions implements definition.Source.
func (s *Service) Definitions(ctx context.Context) (map[string]definition.Definition, error) {
	if err := auth.Require(ctx, definition.PermRead, ""); err != nil {
		return nil, err
	}
	out := map[string]definition.Definition{}
	for _, t := range s.templates {
		d := t.Document.Definition()
		d.Template = true
		out[d.Journey] = d
	}
	err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		docs, err := live(ctx, tx)
		for _, d := range docs {
			out[d.Document.Journey] = d.Document.Definition()
		}
		return err
	})
	return out, err
}

func (v versionRow) version() (Version, error) {
	d, err := decode(v.Body)
	if err != nil {
		return Version{}, fmt.Errorf("version %d of %s: %w", v.Version, v.Journey, err)
	}
	return Version{Document: d, Number: v.Version, State: v.State, Note: v.Note, Request: v.Request, Rev: v.Rev, ProposedAt: v.ProposedAt.Time(),
		ProposedBy: v.ProposedBy, DecidedAt: v.DecidedAt.Time(), DecidedBy: v.DecidedBy, Decision: v.Decision}, nil
}

func live(ctx context.Context, tx store.Tx) (out []Version, err error) {
	rows, err := inState(ctx, tx, Live)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		v, err := r.version()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Live gives the version in force of every journey, by journey.
func (s *Service) Live(ctx context.Context) (out []Version, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = live(ctx, tx)
		return err
	})
	return out, err
}

func (r row) journey() (Journey, error) {
	d, err := decode(r.Draft)
	return Journey{Draft: d, Rev: r.Rev, LiveVersion: r.LiveVersion, Ahead: r.Rev - r.LiveRev, Locale: r.Locale,
		UpdatedAt: r.UpdatedAt.Time(), UpdatedBy: r.UpdatedBy}, err
}

// List gives all journeys with their working copies, by id.
func (s *Service) List(ctx context.Context) (out []Journey, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out = nil
		rows, err := list(ctx, tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			j, err := r.journey()
			if err != nil {
				return err
			}
			out = append(out, j)
		}
		return nil
	})
	return out, err
}

// Get gives a journey with its working copy.
func (s *Service) Get(ctx context.Context, journey string) (j Journey, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return Journey{}, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := get(ctx, tx, journey)
		if err != nil {
			return err
		}
		j, err = r.journey()
		return err
	})
	return j, err
}

// Versions gives the history of a journey, newest first.
func (s *Service) Versions(ctx context.Context, journey string) (out []Version, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out = nil
		rows, err := versionsOf(ctx, tx, journey)
		if err != nil {
			return err
		}
		for _, r := range rows {
			v, err := r.version()
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// Version gives one version of a journey; 0 is the one in force.
func (s *Service) Version(ctx context.Context, journey string, number int) (Version, error) {
	all, err := s.Versions(ctx, journey)
	if err != nil {
		return Version{}, err
	}
	for _, v := range all {
		if v.Number == number || number == 0 && v.State == Live {
			return v, nil
		}
	}
	return Version{}, errs.NotFound("blueprint.error.no_version", "the journey %q has no such version", journey).With("id", journey)
}

// Templates gives the journeys of the gallery.
func (s *Service) Templates(ctx context.Context) ([]Template, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	return slices.Clone(s.templates), nil
}

func (s *Service) template(id string) (Template, bool) {
	for _, t := range s.templates {
		if t.Document.Journey == id {
			return t, true
		}
	}
	return Template{}, false
}

// New is what it takes to begin a journey.
type New struct {
	Journey  string
	Name     Text
	Template string // id of a template; empty begins with nothing
	Locale   string // of whoever begins it
}

// Create begins a journey, from a template or from nothing.
func (s *Service) Create(ctx context.Context, n New) (j Journey, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return Journey{}, err
	}
	d := &Document{Journey: n.Journey, Name: n.Name, Timeout: Duration(definition.DefaultTimeout),
		Stages: []Stage{{ID: "stage_1", Name: Text{EN: "Stage 1", VI: "Giai đoạn 1"}}}}
	var base *Document
	if n.Template != "" {
		t, ok := s.template(n.Template)
		if !ok {
			return Journey{}, errs.NotFound("blueprint.error.template", "there is no template %q", n.Template).With("id", n.Template)
		}
		base = t.In(n.Locale)
		d = base.Clone()
		d.Journey = cmp.Or(n.Journey, d.Journey)
		if n.Name != (Text{}) {
			d.Name = n.Name
		}
	}
	return s.add(ctx, d, base, n.Locale, "create")
}

// Adopt takes a document from outside as a new journey's draft.
func (s *Service) Adopt(ctx context.Context, d *Document, locale string) (Journey, error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return Journey{}, err
	}
	return s.add(ctx, d, nil, locale, "import")
}

func (s *Service) add(ctx context.Context, d, base *Document, locale, verb string) (j Journey, err error) {
	if err := d.Validate(); err != nil {
		return Journey{}, err
	}
	draft, err := json.Marshal(d)
	if err != nil {
		return Journey{}, fmt.Errorf("encode a map: %w", err)
	}
	if len(draft) > MaxBody {
		return Journey{}, errs.TooLarge("blueprint.error.body", "a map has at most %d bytes", MaxBody).With("max", MaxBody)
	}
	kept := json.RawMessage("null")
	if base != nil {
		kept = mustJSON(base)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err := list(ctx, tx)
		if err != nil {
			return err
		}
		if len(all) >= MaxJourneys {
			return errs.TooLarge("blueprint.error.journeys", "an entity has at most %d journeys", MaxJourneys).With("max", MaxJourneys)
		}
		if err := checkParent(all, d); err != nil {
			return err
		}
		r := row{Entity: tx.Scope.Entity, Journey: d.Journey, Draft: draft, Base: kept, Locale: cmp.Or(locale, "vi"), LiveRev: -1, CreatedAt: tx.Now(),
			CreatedBy: tx.Scope.Actor, UpdatedAt: tx.Now(), UpdatedBy: tx.Scope.Actor}
		added, err := insertRow(ctx, tx, &r)
		if err != nil {
			return err
		}
		if !added {
			return errs.Conflict("blueprint.error.taken", "the bank has a map of the journey %q already", d.Journey).With("id", d.Journey)
		}
		if j, err = r.journey(); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.blueprint." + verb, Object: object(d.Journey), After: d})
	})
	return j, err
}

// checkParent refuses a journey that would be a part of itself.
func checkParent(all []row, d *Document) error {
	if d.Parent == "" {
		return nil
	}
	docs := []*Document{d}
	for _, r := range all {
		if r.Journey == d.Journey {
			continue
		}
		other, err := decode(r.Draft)
		if err != nil {
			return err
		}
		docs = append(docs, other)
	}
	for _, circle := range Circles(docs) {
		if slices.Contains(circle, d.Journey) {
			return errs.Invalid("blueprint.error.circle", "parent", "the journey %q would be a part of itself", d.Journey).With("id", d.Journey)
		}
	}
	return nil
}

// Delete takes a journey away that was never in force.
func (s *Service) Delete(ctx context.Context, journey string) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := get(ctx, tx, journey)
		if err != nil {
			return err
		}
		if r.LiveVersion > 0 {
			return errs.Conflict("blueprint.error.live", "the map of %q is in force: its history is kept", journey)
		}
		if err := s.approvals.WithdrawObject(ctx, tx, approvalKind, object(journey), ""); err != nil {
			return err
		}
		if err := deleteAll(ctx, tx, journey); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.blueprint.delete", Object: object(journey)})
	})
}

func object(journey string) string { return "journey/" + journey }

func newID() string { return uuid.Must(uuid.NewV7()).String() }
