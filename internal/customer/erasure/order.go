package erasure

import (
	"context"
	"fmt"
	"time"

	"omote/internal/customer/identity"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// OrderKind is the kind of proposal that lets an erasure begin: nothing brings a
// forgotten person back.
const OrderKind = "erasure.order"

// proposalLife is for how long an order waits: requests have legal clocks.
const proposalLife = 5 * 24 * time.Hour

// put is what a proposal carries: pseudonyms, nobody's name.
type put struct {
	Customer string `json:"customer"`
	Request  string `json:"request,omitempty"`
	Reason   string `json:"reason"`
}

// CheckedBy has orders checked by a second person from now on; before the service is
// used.
func (s *Service) CheckedBy(a *approval.Service) {
	s.approvals = a
	a.Register(approval.Kind{Name: OrderKind, Permission: PermApprove, Life: proposalLife, Approved: s.approved})
}

// Checked reports whether an order of the actor waits for a second person.
func (s *Service) Checked(ctx context.Context) bool {
	return s.approvals != nil && !approval.OwnWork(ctx)
}

// Order orders that a customer is forgotten: it puts the order forward, or begins
// at once where the platform itself gives it.
func (s *Service) Order(ctx context.Context, customer, requestID, reason string) (c Certificate, err error) {
	if err := auth.Require(ctx, PermRun, scope.Root); err != nil {
		return c, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err = s.PutForward(ctx, tx, customer, requestID, reason)
		return err
	})
	return c, err
}

// PutForward is Order in a running transaction, for callers that have authorised.
// What it gives is Waiting where a second person decides.
func (s *Service) PutForward(ctx context.Context, tx store.Tx, customer, requestID, reason string) (Certificate, error) {
	if !s.Checked(ctx) {
		return s.OrderIn(ctx, tx, customer, requestID, reason)
	}
	if customer == "" {
		return Certificate{}, errs.Invalid("customer.erasure.error.customer", "customer", "an erasure needs a customer")
	}
	person, err := identity.PersonOf(ctx, tx, customer)
	if err != nil {
		return Certificate{}, err
	}
	holds, err := standingHolds(ctx, tx, person.Records)
	if err != nil {
		return Certificate{}, err
	}
	held := map[string]bool{}
	for _, h := range holds {
		held[h.RecordID] = true
	}
	all, kept := len(person.Records), len(held)
	p := approval.Proposal{Kind: OrderKind, Object: orderObject(person.CustomerID), Unit: scope.Root, Payload: put{customer, requestID, reason}, Href: "/customer/erasures",
		Title: approval.Text{VI: fmt.Sprintf("Xoá một khách hàng (%d bản ghi)", all), EN: fmt.Sprintf("Erase a customer (%d records)", all)},
		Details: []approval.Text{{VI: "Không thể hoàn tác.", EN: "It cannot be undone."},
			{VI: fmt.Sprintf("%d bản ghi đang có lệnh giữ: bị hạn chế thay vì xoá", kept), EN: fmt.Sprintf("%d records under a hold: restricted, not erased", kept)}}}
	if requestID != "" {
		p.Href = "/customer/requests/" + requestID
		p.Details = append(p.Details, approval.Text{VI: "theo yêu cầu của chủ thể dữ liệu", EN: "at the person's request"})
	} else if reason != "" {
		p.Details = append(p.Details, approval.Text{VI: reason, EN: reason})
	}
	r, err := s.approvals.Propose(ctx, tx, p)
	if err != nil {
		return Certificate{}, err
	}
	return Certificate{RequestID: requestID, Reason: reason, State: Waiting, Records: person.Records, At: r.Proposed, MadeBy: r.Maker, Proposal: r.ID}, nil
}

func orderObject(customer string) string { return "erasure/" + customer }

// approved lets an erasure begin, in the transaction of its approval.
func (s *Service) approved(ctx context.Context, tx store.Tx, r approval.Request) error {
	var q put
	if err := r.Decode(&q); err != nil {
		return fmt.Errorf("read a proposed erasure: %w", err)
	}
	c, err := s.OrderIn(ctx, tx, q.Customer, q.Request, q.Reason)
	if err != nil || q.Request == "" || s.Ordered == nil {
		return err
	}
	return s.Ordered(ctx, tx, q.Request, c.ID)
}

// Waits is the order for a customer that waits for a second person; nil for none.
func (s *Service) Waits(ctx context.Context, customer string) (out *approval.Request, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	if s.approvals == nil {
		return nil, nil
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		person, err := identity.PersonOf(ctx, tx, customer)
		if err != nil {
			return err
		}
		out, err = s.approvals.WaitsFor(ctx, tx, OrderKind, orderObject(person.CustomerID))
		return err
	})
	return out, err
}
