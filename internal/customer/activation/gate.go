package activation

import (
	"context"
	"strings"

	"omote/internal/customer/consent"
	"omote/internal/customer/identity"
	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
	"omote/internal/platform/store"
)

// Gate asks for consent once more in the transaction that claims a message. It
// lets pass what is no activation, and what takes back.
type Gate struct{ Activations *Service }

// Admit implements outbox.Gate.
func (g Gate) Admit(ctx context.Context, tx store.Tx, m outbox.Message) (outbox.Verdict, error) {
	rest, ok := strings.CutPrefix(m.Key, keyPrefix)
	if !ok || m.Purpose == takesBack {
		return outbox.Go(), nil
	}
	id, _, _ := strings.Cut(rest, "/")
	a, err := get(ctx, tx, id)
	if errs.KindOf(err) == errs.KindNotFound {
		return outbox.Refuse("activation_removed"), nil
	}
	if err != nil {
		return outbox.Verdict{}, err
	}
	person, err := identity.PersonOf(ctx, tx, m.CustomerID)
	if err != nil {
		return outbox.Verdict{}, err
	}
	d, err := g.Activations.Consents.DecideOf(ctx, tx, person, a.Config.Purpose, a.Config.Channel)
	if err != nil {
		return outbox.Verdict{}, err
	}
	if !d.Allowed {
		return outbox.Refuse("consent_" + string(d.Reason)), nil
	}
	return outbox.Go(), nil
}

// Release implements outbox.Gate: nothing is reserved.
func (Gate) Release(context.Context, store.Tx, outbox.Message) error { return nil }

// Withdrawn implements consent.Follower: the person's rows are looked at at once,
// and what other systems were told is taken back.
func (s *Service) Withdrawn(ctx context.Context, tx store.Tx, w consent.Withdrawal) error {
	if err := again(ctx, tx, w.Records); err != nil {
		return err
	}
	tx.AfterCommit(s.nudge)
	return nil
}
