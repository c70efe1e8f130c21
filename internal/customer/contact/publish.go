package contact

import (
	"context"
	"fmt"

	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// PublishKind is the kind of proposal that puts a version into force: the policy
// decides how often every customer hears from the bank.
const PublishKind = "contact.publish"

// proposed is what a proposal carries: the policy and the version it was made from.
type proposed struct {
	Base   int     `json:"base"`
	Note   string  `json:"note"`
	Policy *Policy `json:"policy"`
}

// CheckedBy has versions checked by a second person from now on; before the service
// is used.
func (s *Service) CheckedBy(a *approval.Service) {
	s.approvals = a
	a.Register(approval.Kind{Name: PublishKind, Permission: PermApprove, Approved: s.approved})
}

func policyObject() string { return "policy/contact" }

// Save puts a new version forward; p.Version is the one the caller saw. It is in
// force once somebody else has approved it, and at once when the platform itself
// saves it. Waits of what it gives names the proposal.
func (s *Service) Save(ctx context.Context, p *Policy, note string) (saved *Policy, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if s.approvals == nil || approval.OwnWork(ctx) {
			saved, err = s.publish(ctx, tx, proposed{p.Version, note, p}, tx.Scope.Actor)
			return err
		}
		now, err := s.policy(ctx, tx)
		if err != nil {
			return err
		}
		if now.Version != p.Version {
			return seenAnother(now.Version)
		}
		next := *p
		next.Version, next.Note = p.Version+1, note
		r, err := s.approvals.Propose(ctx, tx, approval.Proposal{Kind: PublishKind, Object: policyObject(), Version: next.Version, Unit: scope.Root, Href: "/customer/contact",
			Title:   approval.Text{VI: fmt.Sprintf("Cho quy định liên hệ bản %d có hiệu lực", next.Version), EN: fmt.Sprintf("Put contact policy version %d into force", next.Version)},
			Details: changes(now, &next), Payload: proposed{p.Version, note, p}})
		if err != nil {
			return err
		}
		next.Waits = r.ID
		saved = &next
		return nil
	})
	return saved, err
}

func seenAnother(version int) error {
	return errs.Conflict("customer.contact.error.version", "somebody saved version %d meanwhile", version)
}

// publish writes the next version in the name of its maker.
func (s *Service) publish(ctx context.Context, tx store.Tx, q proposed, maker string) (*Policy, error) {
	version, err := policyVersion(ctx, tx)
	if err != nil {
		return nil, err
	}
	if version != q.Base {
		return nil, seenAnother(version)
	}
	next := *q.Policy
	next.Version, next.Note, next.MadeBy = version+1, q.Note, maker
	if err := insertPolicy(ctx, tx, &next); err != nil {
		return nil, err
	}
	return &next, audit.Record(ctx, tx, audit.Entry{Action: "customer.contact.save", Object: fmt.Sprintf("policy/%d", next.Version), Reason: q.Note, After: &next})
}

// approved puts a version into force, in the transaction of its approval.
func (s *Service) approved(ctx context.Context, tx store.Tx, r approval.Request) error {
	var q proposed
	if err := r.Decode(&q); err != nil || q.Policy == nil {
		return fmt.Errorf("read a proposed contact policy: %w", err)
	}
	if err := q.Policy.Validate(); err != nil {
		return err
	}
	_, err := s.publish(ctx, tx, q, r.Maker)
	return err
}

// Waiting is the version that waits for a second person; nil when none does.
func (s *Service) Waiting(ctx context.Context) (out *approval.Request, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	if s.approvals == nil {
		return nil, nil
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = s.approvals.WaitsFor(ctx, tx, PublishKind, policyObject())
		return err
	})
	return out, err
}

// changes tells the checker which rules differ, by their ids.
func changes(before, after *Policy) (out []approval.Text) {
	if after.Note != "" {
		out = append(out, approval.Text{VI: after.Note, EN: after.Note})
	}
	old, now := before.rules(), after.rules()
	for _, r := range now {
		was, known := find(old, r.id)
		switch {
		case !known:
			out = append(out, approval.Text{VI: "thêm " + r.id, EN: "adds " + r.id})
		case was != r.text:
			out = append(out, approval.Text{VI: "sửa " + r.id, EN: "changes " + r.id})
		}
	}
	for _, r := range old {
		if _, still := find(now, r.id); !still {
			out = append(out, approval.Text{VI: "bỏ " + r.id, EN: "takes away " + r.id})
		}
	}
	return out[:min(len(out), approval.MaxDetails)]
}

type ruleText struct{ id, text string }

func find(all []ruleText, id string) (string, bool) {
	for _, r := range all {
		if r.id == id {
			return r.text, true
		}
	}
	return "", false
}

// rules are the parts of a policy by their ids, to be compared.
func (p *Policy) rules() (out []ruleText) {
	out = append(out, ruleText{"zone", p.Zone + " " + p.ZoneTrait})
	for _, r := range p.Kinds {
		out = append(out, ruleText{r.ID, fmt.Sprint(r)})
	}
	for _, r := range p.Caps {
		out = append(out, ruleText{r.ID, fmt.Sprint(r)})
	}
	for _, r := range p.Gaps {
		out = append(out, ruleText{r.ID, fmt.Sprint(r)})
	}
	for _, r := range p.Quiet {
		out = append(out, ruleText{r.ID, fmt.Sprint(r)})
	}
	for _, r := range p.Exclusions {
		out = append(out, ruleText{r.ID, fmt.Sprint(r)})
	}
	return out
}
