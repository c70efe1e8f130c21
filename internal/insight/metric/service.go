package metric

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"omote/analytics/text/normalise"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Permissions of the registry.
const (
	PermRead    auth.Permission = "insight.metric.read"
	PermEdit    auth.Permission = "insight.metric.edit"
	PermApprove auth.Permission = "insight.metric.approve"
)

// Status is where a version stands.
type Status string

// A version is proposed by one person and decided on by another; of a metric at
// most one version is live and at most one proposed.
const (
	Proposed  Status = "proposed"
	Live      Status = "live"
	Retired   Status = "retired"   // was live, another is now
	Rejected  Status = "rejected"  // by the second person
	Withdrawn Status = "withdrawn" // by the first
)

// Version is one version of a metric. Its definition never changes.
type Version struct {
	Definition Definition
	Version    int
	Status     Status
	// Origin is "person", or the pack that brought it ("pack:bank_metrics@1").
	Origin    string
	Reason    string // why it was proposed
	CreatedAt time.Time
	CreatedBy string
	DecidedAt time.Time // zero while proposed
	DecidedBy string
	Decision  string // why it was approved or refused
}

const byPerson = "person"

// maxReason bounds reasons, in bytes.
const maxReason = 1000

// Service is the registry. It is safe for concurrent use.
type Service struct {
	db    *store.DB
	facts Facts
}

// NewService makes the registry over a store and a warehouse.
func NewService(db *store.DB, facts Facts) *Service { return &Service{db, facts} }

// Filter chooses metrics. Empty fields do not filter.
type Filter struct {
	// Query is looked for in ids, names and notes, in any case and with or
	// without diacritics.
	Query   string
	Kind    Kind
	Owner   string
	Journey string
	After   string // id of the last metric of the page before
	Limit   int    // 1 to 200; 0 means 50
}

// List gives the metrics in force in the order of their ids, and the cursor of
// the next page, "" when there is none.
func (s *Service) List(ctx context.Context, f Filter) (page []*Version, next string, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, "", err
	}
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, 200)
	var all []*Version
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err = live(ctx, tx)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	query := normalise.Fold(strings.TrimSpace(f.Query))
	for _, v := range all {
		if v.Definition.ID <= f.After || !f.admits(&v.Definition, query) {
			continue
		}
		if len(page) == f.Limit {
			return page, page[len(page)-1].Definition.ID, nil
		}
		page = append(page, v)
	}
	return page, "", nil
}

func (f Filter) admits(d *Definition, query string) bool {
	if f.Kind != "" && d.Kind != f.Kind || f.Owner != "" && d.Owner != f.Owner || f.Journey != "" && d.Journey != f.Journey {
		return false
	}
	text := strings.Join([]string{d.ID, d.Name.En, d.Name.Vi, d.Note.En, d.Note.Vi}, "\n")
	return strings.Contains(normalise.Fold(text), query)
}

// Get gives a version of a metric; 0 is the one in force.
func (s *Service) Get(ctx context.Context, id string, version int) (v *Version, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		v, err = one(ctx, tx, id, version)
		return err
	})
	return v, err
}

// Versions gives the history of a metric, newest first.
func (s *Service) Versions(ctx context.Context, id string) (vs []*Version, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		vs, err = versions(ctx, tx, id)
		return err
	})
	return vs, err
}

// Proposals gives all versions that wait for a decision, oldest first.
func (s *Service) Proposals(ctx context.Context) (vs []*Version, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		vs, err = proposed(ctx, tx)
		return err
	})
	return vs, err
}

// Propose puts a new version of a metric, or a new metric, forward. reason says
// why, for whoever decides.
func (s *Service) Propose(ctx context.Context, d Definition, reason string) (v *Version, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > maxReason {
		return nil, errs.Invalid("metric.error.reason", "reason", "say why, in at most %d bytes", maxReason)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		v, err = propose(ctx, tx, d, byPerson, reason)
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "insight.metric.propose", Object: object(d.ID, v.Version), Reason: reason, After: d})
	})
	return v, err
}

func propose(ctx context.Context, tx store.Tx, d Definition, origin, reason string) (*Version, error) {
	past, err := versions(ctx, tx, d.ID)
	if err != nil && errs.KindOf(err) != errs.KindNotFound {
		return nil, err
	}
	v := &Version{Definition: d, Version: 1, Status: Proposed, Origin: origin, Reason: reason, CreatedAt: tx.Now().Time(), CreatedBy: tx.Scope.Actor}
	for _, p := range past {
		v.Version = max(v.Version, p.Version+1)
		if p.Status == Proposed {
			return nil, errs.Conflict("metric.error.proposed", "version %d of %s waits for a decision already", p.Version, d.ID).
				With("id", d.ID).With("version", p.Version)
		}
		if p.Status == Live && same(p.Definition, d) {
			return nil, errs.Conflict("metric.error.unchanged", "version %d of %s says the same", p.Version, d.ID).With("id", d.ID)
		}
	}
	if d.Counter != "" {
		if _, err := one(ctx, tx, d.Counter, 0); err != nil {
			return nil, errs.Invalid("metric.error.counter", "counter", "%s: there is no metric %q to be its counter-metric", d.ID, d.Counter)
		}
	}
	return v, insert(ctx, tx, v)
}

// same compares definitions by what is stored of them.
func same(a, b Definition) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// Approve puts a proposed version into force; the version before is retired.
// Whoever proposed it cannot approve it.
func (s *Service) Approve(ctx context.Context, id string, version int, why string) (*Version, error) {
	return s.settle(ctx, PermApprove, id, version, Live, why, func(v *Version, actor string) error {
		if v.CreatedBy == actor {
			return errs.Denied("metric.error.own_proposal", "a second person decides on version %d of %s", version, id)
		}
		return nil
	})
}

// Reject refuses a proposed version; a reason is required.
func (s *Service) Reject(ctx context.Context, id string, version int, why string) (*Version, error) {
	if strings.TrimSpace(why) == "" {
		return nil, errs.Invalid("metric.error.reason", "reason", "say why the proposal is refused")
	}
	return s.settle(ctx, PermApprove, id, version, Rejected, why, func(*Version, string) error { return nil })
}

// Withdraw takes back one's own proposal.
func (s *Service) Withdraw(ctx context.Context, id string, version int) (*Version, error) {
	return s.settle(ctx, PermEdit, id, version, Withdrawn, "", func(v *Version, actor string) error {
		if v.CreatedBy != actor {
			return errs.Denied("metric.error.not_own_proposal", "only whoever proposed version %d of %s can withdraw it", version, id)
		}
		return nil
	})
}

// settle ends a proposal, when allow does not object.
func (s *Service) settle(ctx context.Context, perm auth.Permission, id string, version int, to Status, why string, allow func(v *Version, actor string) error) (v *Version, err error) {
	if err := auth.Require(ctx, perm, ""); err != nil {
		return nil, err
	}
	if len(why) > maxReason {
		return nil, errs.Invalid("metric.error.reason", "reason", "a reason has at most %d bytes", maxReason)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if v, err = one(ctx, tx, id, version); err != nil {
			return err
		}
		if v.Status != Proposed {
			return errs.Conflict("metric.error.decided", "version %d of %s is %s already", version, id, v.Status).With("id", id)
		}
		if err := allow(v, tx.Scope.Actor); err != nil {
			return err
		}
		if to == Live {
			if err := retire(ctx, tx, id); err != nil {
				return err
			}
		}
		if err := decide(ctx, tx, id, version, to, why); err != nil {
			return err
		}
		v.Status, v.Decision, v.DecidedBy, v.DecidedAt = to, why, tx.Scope.Actor, tx.Now().Time()
		return audit.Record(ctx, tx, audit.Entry{Action: "insight.metric." + string(to), Object: object(id, version), Reason: why, Changed: []string{"state"}})
	})
	return v, err
}

// Install brings a pack into the entity of the scope: metrics that are not there
// go into force; where the pack has changed one that still is the pack's own, a
// new version is proposed. What people changed stays theirs. It does nothing
// the second time.
func (s *Service) Install(ctx context.Context, p *Pack) (added, changed int, err error) {
	if err := auth.Require(ctx, PermApprove, ""); err != nil {
		return 0, 0, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		added, changed = 0, 0
		inForce, err := live(ctx, tx)
		if err != nil {
			return err
		}
		for _, d := range p.Metrics {
			i := slices.IndexFunc(inForce, func(v *Version) bool { return v.Definition.ID == d.ID })
			if i < 0 {
				n, err := addNew(ctx, tx, p, d)
				if err != nil {
					return err
				}
				added += n
				continue
			}
			v := inForce[i]
			if v.Origin == byPerson || v.Origin == p.origin() || same(v.Definition, d) {
				continue
			}
			switch _, err := propose(ctx, tx, d, p.origin(), "new version of the pack"); errs.KindOf(err) {
			case errs.KindConflict: // somebody's proposal, or this one, waits already
			default:
				if err != nil {
					return err
				}
				changed++
			}
		}
		return nil
	})
	return added, changed, err
}

// BuiltIn is the reason of a version that came with the program.
const BuiltIn = "built in"

// addNew puts a pack's metric into force where the entity never had it.
func addNew(ctx context.Context, tx store.Tx, p *Pack, d Definition) (int, error) {
	_, err := versions(ctx, tx, d.ID)
	if err == nil {
		return 0, nil // it was here once, and people decided otherwise
	}
	if errs.KindOf(err) != errs.KindNotFound {
		return 0, err
	}
	now := tx.Now().Time()
	return 1, insert(ctx, tx, &Version{Definition: d, Version: 1, Status: Live, Origin: p.origin(), Reason: BuiltIn, CreatedAt: now,
		CreatedBy: tx.Scope.Actor, DecidedAt: now, DecidedBy: tx.Scope.Actor, Decision: BuiltIn})
}
