package cases

import (
	"context"
	"time"

	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Received is what a customer is told about a complaint of theirs.
type Received struct {
	Ref string
	// Promise is until when the bank itself promised a first word; zero for none.
	// Statutory terms are not stated to customers before counsel has signed them.
	Promise time.Time
}

// TakeComplaint takes a customer's own complaint, from the web form. Whoever writes is
// not signed in: the case goes where the routing sends it, and a form that arrives
// twice is one complaint.
func (s *Service) TakeComplaint(ctx context.Context, in Intake) (r Received, err error) {
	if err := in.Validate(); err != nil {
		return r, err
	}
	entity := s.Entity
	if entity == "" {
		entity = scope.DefaultEntity
	}
	err = s.db.Write(scope.With(ctx, scope.Process(entity, "customer_form")), func(ctx context.Context, tx store.Tx) error {
		id, err := s.takeHeard(ctx, tx, in)
		if err != nil {
			return err
		}
		c, err := caseByID(ctx, tx, id)
		if err != nil {
			return err
		}
		r = Received{Ref: c.Ref()}
		clocks, err := clocksOf(ctx, tx, id)
		if err != nil {
			return err
		}
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		for _, k := range clocks {
			rule, pack, err := k.rule(content)
			if err != nil {
				return err
			}
			if k.State == ClockRunning && rule.Role() == "acknowledge" && (!pack.Legal() || pack.SignedBy != "" && rule.Confidence == "high") {
				r.Promise = k.Due.Time()
				break
			}
		}
		return nil
	})
	return r, err
}
