package retention

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// ChangeKind is the kind of proposal that puts a rule into force: what the night
// takes away nobody brings back.
const ChangeKind = "retention.change"

// CheckedBy has rules checked by a second person from now on; before the service is
// used.
func (s *Service) CheckedBy(a *approval.Service) {
	s.approvals = a
	a.Register(approval.Kind{Name: ChangeKind, Permission: PermApprove, Approved: s.approved})
}

// Save puts a new rule for a kind forward. It counts from the next run on once
// somebody else has approved it; at once when the platform itself saves it.
func (s *Service) Save(ctx context.Context, kind string, days int, basis string) error {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return err
	}
	basis = strings.TrimSpace(basis)
	q := Proposed{Kind: kind, Days: days, Basis: basis}
	if err := s.validate(q); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if q.Base, err = ruleVersion(ctx, tx, kind); err != nil {
			return err
		}
		if s.approvals == nil || approval.OwnWork(ctx) {
			return s.publish(ctx, tx, q, tx.Scope.Actor)
		}
		_, err = s.approvals.Propose(ctx, tx, approval.Proposal{Kind: ChangeKind, Object: "retention/" + kind, Version: q.Base + 1, Unit: scope.Root, Href: "/customer/retention",
			Title: approval.Text{VI: fmt.Sprintf("Giữ “%s” %d ngày", kind, days), EN: fmt.Sprintf("Keep “%s” for %d days", kind, days)}, Details: s.details(ctx, tx, q), Payload: q})
		return err
	})
}

// details tell the checker what the rule replaces and why.
func (s *Service) details(ctx context.Context, tx store.Tx, q Proposed) []approval.Text {
	out := []approval.Text{{VI: q.Basis, EN: q.Basis}}
	now := s.kind(q.Kind).Days
	var r row
	if err := tx.NewSelect().Model(&r).Where("entity = ? AND kind = ?", tx.Scope.Entity, q.Kind).Order("version DESC").Limit(1).Scan(ctx); err == nil {
		now = r.Days
	}
	out = append(out, approval.Text{VI: fmt.Sprintf("hiện giữ %d ngày", now), EN: fmt.Sprintf("kept for %d days now", now)})
	if q.Days < now {
		out = append(out, approval.Text{VI: "Dữ liệu cũ hơn bị xoá ngay đêm kế tiếp và không lấy lại được", EN: "What is older goes the next night and cannot be brought back"})
	}
	return out
}

func (s *Service) kind(id string) *Kind {
	if i := slices.IndexFunc(s.kinds, func(k Kind) bool { return k.ID == id }); i >= 0 {
		return &s.kinds[i]
	}
	return nil
}

func (s *Service) validate(q Proposed) error {
	k := s.kind(q.Kind)
	switch n := utf8.RuneCountInString(q.Basis); {
	case k == nil:
		return errs.NotFound("customer.retention.error.kind", "there is no kind of data %q", q.Kind)
	case q.Days < k.MinDays || q.Days > MaxDays || q.Days < 1:
		return errs.Invalid("customer.retention.error.days", "days", "a rule is %d to %d days", max(1, k.MinDays), MaxDays).
			With("min", max(1, k.MinDays)).With("max", MaxDays)
	case n == 0 || n > maxBasis:
		return errs.Invalid("customer.retention.error.basis", "basis", "the basis has 1 to %d characters", maxBasis).With("max", maxBasis)
	}
	return nil
}

func ruleVersion(ctx context.Context, tx store.Tx, kind string) (version int, err error) {
	err = tx.NewRaw("SELECT COALESCE(MAX(version), 0) FROM customer_retention WHERE entity = ? AND kind = ?", tx.Scope.Entity, kind).Scan(ctx, &version)
	if err != nil {
		return 0, fmt.Errorf("retention rule: %w", err)
	}
	return version, nil
}

// publish writes the next version of a rule in the name of its maker.
func (s *Service) publish(ctx context.Context, tx store.Tx, q Proposed, maker string) error {
	version, err := ruleVersion(ctx, tx, q.Kind)
	if err != nil {
		return err
	}
	if version != q.Base {
		return errs.Conflict("customer.retention.error.version", "somebody changed the rule for %s meanwhile", q.Kind)
	}
	r := row{Entity: tx.Scope.Entity, Kind: q.Kind, Version: version + 1, Days: q.Days, Basis: q.Basis, CreatedAt: tx.Now(), CreatedBy: maker}
	if _, err := tx.NewInsert().Model(&r).Exec(ctx); err != nil {
		return fmt.Errorf("save a retention rule: %w", err)
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "customer.retention.save", Object: "retention/" + q.Kind, Reason: q.Basis, After: r})
}

// approved puts a rule into force, in the transaction of its approval.
func (s *Service) approved(ctx context.Context, tx store.Tx, r approval.Request) error {
	var q Proposed
	if err := r.Decode(&q); err != nil {
		return fmt.Errorf("read a proposed retention rule: %w", err)
	}
	if err := s.validate(q); err != nil {
		return err
	}
	return s.publish(ctx, tx, q, r.Maker)
}

// waiting reads the rule that waits for a second person.
func (s *Service) waiting(ctx context.Context, tx store.Tx, kind string) (*Proposed, error) {
	if s.approvals == nil {
		return nil, nil
	}
	r, err := s.approvals.WaitsFor(ctx, tx, ChangeKind, "retention/"+kind)
	if err != nil || r == nil {
		return nil, err
	}
	var q Proposed
	if err := r.Decode(&q); err != nil {
		return nil, fmt.Errorf("read a proposed retention rule: %w", err)
	}
	return &q, nil
}
