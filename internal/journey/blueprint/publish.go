package blueprint

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// published is what the approval carries: which version it puts in force.
type published struct {
	Journey string `json:"journey"`
	Version int    `json:"version"`
}

// Propose puts the draft forward as a version. It must have no finding that
// holds it up; somebody else decides.
func (s *Service) Propose(ctx context.Context, journey, note string) (v Version, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return Version{}, err
	}
	note = strings.TrimSpace(note)
	if utf8.RuneCountInString(note) > maxNote || !utf8.ValidString(note) || strings.ContainsRune(note, 0) {
		return Version{}, errs.Invalid("blueprint.error.note", "note", "a note has at most %d characters", maxNote).With("max", maxNote)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := get(ctx, tx, journey)
		if err != nil {
			return err
		}
		d, err := decode(r.Draft)
		if err != nil {
			return err
		}
		if found := Check(d, nil); !Publishable(found) {
			n := 0
			for _, f := range found {
				if f.Severity == Wrong {
					n++
				}
			}
			return errs.Invalid("blueprint.error.findings", "", "the map has %d findings that hold it up", n).With("count", n)
		}
		if open, err := openConflicts(ctx, tx, journey); err != nil || len(open) > 0 {
			return cmp.Or(err, error(errs.Conflict("blueprint.error.open_conflicts", "%d choices between two edits are open", len(open)).With("count", len(open))))
		}
		past, err := versionsOf(ctx, tx, journey)
		if err != nil {
			return err
		}
		row := versionRow{Entity: r.Entity, Journey: journey, Version: 1, State: Review, Body: r.Draft, Rev: r.Rev, Note: note, ProposedAt: tx.Now(), ProposedBy: tx.Scope.Actor}
		for _, p := range past {
			row.Version = max(row.Version, p.Version+1)
			if p.State == Review {
				return errs.Conflict("blueprint.error.in_review", "version %d of the map waits for a decision already", p.Version).With("version", p.Version)
			}
			if p.State == Live && r.Rev == r.LiveRev {
				return errs.Conflict("blueprint.error.unchanged", "the draft says the same as the version in force")
			}
		}
		req, err := s.approvals.Propose(ctx, tx, proposal(d, row.Version, note, r.LiveVersion))
		if err != nil {
			return err
		}
		row.Request = req.ID
		if err := insertVersion(ctx, tx, &row); err != nil {
			return err
		}
		if v, err = row.version(); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.blueprint.propose", Object: object(journey), Reason: note, After: d})
	})
	return v, err
}

func proposal(d *Document, version int, note string, inForce int) approval.Proposal {
	name := func(locale string) string { return cmp.Or(d.Name.In(locale), d.Name.EN, d.Journey) }
	p := approval.Proposal{Kind: approvalKind, Object: object(d.Journey), Version: version, Unit: scope.Root, Payload: published{d.Journey, version},
		Title: approval.Text{VI: fmt.Sprintf("Đưa bản %d của hành trình “%s” vào áp dụng", version, name("vi")),
			EN: fmt.Sprintf("Put version %d of the journey “%s” in force", version, name("en"))},
		Href: fmt.Sprintf("/journey/blueprints/%s/diff?to=%d", d.Journey, version)}
	steps := len(d.Steps())
	p.Details = []approval.Text{{VI: fmt.Sprintf("%d giai đoạn, %d bước", len(d.Stages), steps), EN: fmt.Sprintf("%d stages, %d steps", len(d.Stages), steps)}}
	if inForce > 0 {
		p.Details = append(p.Details, approval.Text{VI: fmt.Sprintf("thay bản %d đang áp dụng", inForce), EN: fmt.Sprintf("replaces version %d, now in force", inForce)})
	}
	if note != "" {
		p.Details = append(p.Details, approval.Text{VI: note, EN: note})
	}
	return p
}

// approved puts a version in force, in the transaction of its approval.
func (s *Service) approved(ctx context.Context, tx store.Tx, req approval.Request) error {
	return s.decided(ctx, tx, req, Live)
}

// closed takes note that a version was refused, withdrawn or not decided in time.
func (s *Service) closed(ctx context.Context, tx store.Tx, req approval.Request) error {
	if req.State == approval.Refused {
		return s.decided(ctx, tx, req, Refused)
	}
	return s.decided(ctx, tx, req, Withdrawn)
}

func (s *Service) decided(ctx context.Context, tx store.Tx, req approval.Request, state State) error {
	var p published
	if err := req.Decode(&p); err != nil {
		return fmt.Errorf("read the proposal of a map: %w", err)
	}
	r, err := get(ctx, tx, p.Journey)
	if err != nil {
		return err
	}
	all, err := versionsOf(ctx, tx, p.Journey)
	if err != nil {
		return err
	}
	for i := range all {
		v := &all[i]
		switch {
		case v.Version == p.Version:
			v.State, v.DecidedAt, v.DecidedBy, v.Decision = state, tx.Now(), req.Checker, req.Reason
		case v.State == Live && state == Live:
			v.State = Retired
		default:
			continue
		}
		if err := updateVersion(ctx, tx, v); err != nil {
			return err
		}
		if v.Version == p.Version && state == Live {
			r.LiveVersion, r.LiveRev = v.Version, v.Rev
			if err := updateRow(ctx, tx, &r); err != nil {
				return err
			}
			if s.OnLive != nil {
				if err := s.OnLive(ctx, tx); err != nil {
					return err
				}
			}
		}
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "journey.blueprint." + string(state), Object: object(p.Journey), Reason: req.Reason})
}

// Withdraw takes the version that waits for a decision back, by its maker.
func (s *Service) Withdraw(ctx context.Context, journey, reason string) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	v, err := s.waiting(ctx, journey)
	if err != nil {
		return err
	}
	return s.approvals.Withdraw(ctx, v.Request, reason)
}

// Decide approves or refuses the version that waits, by somebody else than its
// maker.
func (s *Service) Decide(ctx context.Context, journey string, verdict approval.Verdict, reason string) error {
	if err := auth.Require(ctx, PermApprove, scope.Root); err != nil {
		return err
	}
	v, err := s.waiting(ctx, journey)
	if err != nil {
		return err
	}
	_, err = s.approvals.Decide(ctx, v.Request, verdict, reason)
	return err
}

// MayDecide tells why the reader may not decide on a version; nil when they may.
func (s *Service) MayDecide(ctx context.Context, v Version) error {
	req, err := s.approvals.Get(ctx, v.Request)
	if err != nil {
		return err
	}
	return s.approvals.May(ctx, req)
}

func (s *Service) waiting(ctx context.Context, journey string) (Version, error) {
	all, err := s.Versions(ctx, journey)
	if err != nil {
		return Version{}, err
	}
	for _, v := range all {
		if v.State == Review {
			return v, nil
		}
	}
	return Version{}, errs.NotFound("blueprint.error.nothing_waits", "no version of %q waits for a decision", journey)
}

// Install puts a document in force without a second person: for the demo and
// for set-ups that bring maps that were decided elsewhere. Only the platform's
// own work may do it.
func (s *Service) Install(ctx context.Context, d *Document, template bool, locale string) error {
	sc, ok := scope.From(ctx)
	if _, person := auth.From(ctx); !ok || !sc.System || person {
		return errs.Denied("blueprint.error.install", "a map is put in force by two people")
	}
	var base *Document
	if t, known := s.template(d.Template); template && known {
		base = t.In(locale)
	}
	if _, err := s.add(ctx, d, base, locale, "install"); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := get(ctx, tx, d.Journey)
		if err != nil {
			return err
		}
		v := versionRow{Entity: r.Entity, Journey: r.Journey, Version: 1, State: Live, Body: r.Draft, Rev: r.Rev, ProposedAt: tx.Now(), ProposedBy: tx.Scope.Actor,
			DecidedAt: tx.Now(), DecidedBy: tx.Scope.Actor}
		if err := insertVersion(ctx, tx, &v); err != nil {
			return err
		}
		r.LiveVersion, r.LiveRev = 1, r.Rev
		return updateRow(ctx, tx, &r)
	})
}
