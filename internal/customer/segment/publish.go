package segment

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// PublishKind is the kind of proposal that brings a version to life whose members
// the bank contacts.
const PublishKind = "segment.publish"

// published is what a proposal carries: which version, and its text as proposed.
type published struct {
	ID      string          `json:"id"`
	Version int             `json:"version"`
	Body    json.RawMessage `json:"definition"`
}

// CheckedBy has segments whose members are contacted checked by a second person from
// now on; before the service is used.
func (s *Service) CheckedBy(a *approval.Service) {
	s.approvals = a
	a.Register(approval.Kind{Name: PublishKind, Permission: PermApprove, Approved: s.approved})
}

// Activate brings a draft to life: it takes up history first, then it is live.
// Segments that refer to it go through the same with it. Where its members are
// contacted a person only puts it forward, and somebody else decides: waits names
// the proposal then, and is "" for a version that fills.
func (s *Service) Activate(ctx context.Context, id string, version int) (waits string, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return "", err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		waits = ""
		row, err := oneVersion(ctx, tx, id, version)
		if err != nil {
			return err
		}
		d, err := row.definition()
		if err != nil {
			return err
		}
		if s.approvals == nil || approval.OwnWork(ctx) || !d.Contacts() {
			return s.ActivateIn(ctx, tx, id, row.Version)
		}
		if row.Status != Draft {
			return notDraft(row)
		}
		if _, err := s.resolve(ctx, tx, &d); err != nil {
			return err
		}
		r, err := s.approvals.Propose(ctx, tx, proposal(&d, row))
		waits = r.ID
		return err
	})
	return waits, err
}

func notDraft(row *versionRow) error {
	return errs.Conflict("segment.error.not_draft", "version %d of %s is %s", row.Version, row.SegmentID, row.Status).With("id", row.SegmentID)
}

func proposal(d *Definition, row *versionRow) approval.Proposal {
	p := approval.Proposal{Kind: PublishKind, Object: object(d.ID, row.Version), Version: row.Version, Unit: scope.Root, Payload: published{d.ID, row.Version, row.Body},
		Href: fmt.Sprintf("/customer/segments/%s?version=%d", d.ID, row.Version),
		Title: approval.Text{VI: fmt.Sprintf("Cho phân khúc “%s” bản %d có hiệu lực", d.Name.In("vi"), row.Version),
			EN: fmt.Sprintf("Bring segment “%s”, version %d, to life", d.Name.In("en"), row.Version)}}
	line := func(vi, en string) { p.Details = append(p.Details, approval.Text{VI: vi, EN: en}) }
	line("Khách hàng trong phân khúc có thể được liên hệ: "+strings.Join(d.Uses, ", "), "Members may be contacted: "+strings.Join(d.Uses, ", "))
	line(d.Rule, d.Rule)
	if d.Exit != "" {
		line("ra khỏi khi: "+d.Exit, "leaves when: "+d.Exit)
	}
	if row.Reason != "" {
		line(row.Reason, row.Reason)
	}
	return p
}

// approved brings a version to life, in the transaction of its approval.
func (s *Service) approved(ctx context.Context, tx store.Tx, r approval.Request) error {
	var q published
	if err := r.Decode(&q); err != nil {
		return fmt.Errorf("read a proposed segment: %w", err)
	}
	row, err := oneVersion(ctx, tx, q.ID, q.Version)
	if err != nil {
		return err
	}
	if !sameJSON(row.Body, q.Body) {
		return errs.Conflict("segment.error.changed", "version %d of %s is not the one that was proposed", q.Version, q.ID).With("id", q.ID)
	}
	return s.ActivateIn(ctx, tx, q.ID, q.Version)
}

// sameJSON compares texts that an engine may have written anew.
func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	p, _ := json.Marshal(x) // maps are written in the order of their keys
	q, _ := json.Marshal(y)
	return bytes.Equal(p, q)
}

// withdraw takes back what waits for a version.
func (s *Service) withdraw(ctx context.Context, tx store.Tx, id string, version int) error {
	if s.approvals == nil {
		return nil
	}
	return s.approvals.WithdrawObject(ctx, tx, PublishKind, object(id, version), "the draft was changed")
}

// Waiting is the proposal that a version waits on; nil for none.
func (s *Service) Waiting(ctx context.Context, id string, version int) (out *approval.Request, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	if s.approvals == nil {
		return nil, nil
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = s.approvals.WaitsFor(ctx, tx, PublishKind, object(id, version))
		return err
	})
	return out, err
}
