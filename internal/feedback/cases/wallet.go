package cases

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/money"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Gesture is a small wrong put right on the spot.
type Gesture struct {
	bun.BaseModel `bun:"table:cases_gesture"`

	CaseID    string `bun:",pk"`
	ID        string `bun:",pk"`
	Entity    string
	Customer  string
	ByAccount string
	Wallet    string
	Kind      string
	Amount    int64
	Currency  string
	Reason    sealed.Text
	Unit      string
	At        store.Micros
	Told      store.Micros `bun:",nullzero"`
}

// Allowance is what the actor may still grant in a case, under one limit.
type Allowance struct {
	Limit WalletLimit
	Left  int64 // minor units: the smallest of what is left of case, customer and month
	Spent int64 // of the actor, this month
	Money string
}

// Allowances are what the actor's roles allow in the case's unit.
func (s *Service) Allowances(ctx context.Context, id string) (out []Allowance, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err := s.visible(ctx, tx, id)
		if err != nil {
			return err
		}
		out, err = s.allowances(ctx, tx, &c)
		return err
	})
	return out, err
}

func (s *Service) allowances(ctx context.Context, tx store.Tx, c *Case) (out []Allowance, err error) {
	content, err := s.content(ctx, tx)
	if err != nil {
		return nil, err
	}
	actor, ok := auth.From(ctx)
	if !ok {
		return nil, nil
	}
	for _, l := range content.Wallet.Limits {
		if !slices.ContainsFunc(actor.Grants, func(g auth.Grant) bool {
			return slices.Contains(l.Roles, string(g.Role)) && strings.HasPrefix(c.Unit, g.Unit)
		}) {
			continue
		}
		sp, err := spentBy(ctx, tx, c, actor.ID, l.ID, monthStart(tx.Now().Time()), tx.Now().Add(-365*24*time.Hour))
		if err != nil {
			return nil, err
		}
		left := l.PerCase - sp.inCase
		if l.PerCustomerYear > 0 {
			left = min(left, l.PerCustomerYear-sp.customer)
		}
		if l.PerPersonMonth > 0 {
			left = min(left, l.PerPersonMonth-sp.person)
		}
		out = append(out, Allowance{Limit: l, Left: max(0, left), Spent: sp.person, Money: content.Wallet.Currency})
	}
	return out, nil
}

// monthStart is the first instant of the month in Vietnam, where wallets are counted.
func monthStart(t time.Time) store.Micros {
	zone := time.FixedZone("ICT", 7*60*60)
	local := t.In(zone)
	return store.At(time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, zone))
}

// Grant is a gesture that is to be made.
type Grant struct {
	Kind   string
	Amount money.Amount
	Reason string
	// Related says that the beneficiary is related to whoever grants.
	Related bool
}

// Give grants a gesture within the limits of the actor's roles; it refuses with the
// limit that stands in the way.
func (s *Service) Give(ctx context.Context, id string, g Grant) error {
	if g.Amount.Minor <= 0 {
		return errs.Invalid("feedback.case.error.amount", "amount", "the amount is more than nothing")
	}
	if bad(strings.TrimSpace(g.Reason), 5, 2000) {
		return errs.Invalid("feedback.case.error.reason_needed", "reason", "a gesture needs a reason of at least five characters")
	}
	if g.Related {
		return errs.Denied("feedback.case.error.related", "nobody grants a gesture to themselves or to relatives")
	}
	return s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		if !c.IsOpen {
			return errs.Conflict("feedback.case.error.closed", "the case is closed already")
		}
		all, err := s.allowances(ctx, tx, c)
		if err != nil {
			return err
		}
		var best *Allowance
		for i, a := range all {
			if slices.Contains(a.Limit.Kinds, g.Kind) && (best == nil || a.Left > best.Left) {
				best = &all[i]
			}
		}
		switch {
		case best == nil:
			return errs.Denied("feedback.case.error.gesture_kind", "your roles may not grant %q", g.Kind).With("kind", g.Kind)
		case best.Money != g.Amount.Currency:
			return errs.Invalid("feedback.case.error.currency", "amount", "the wallet is in %s", best.Money)
		case best.Limit.NeedsCause && c.Cause == "":
			return errs.Denied("feedback.case.error.needs_cause", "this limit asks for a recorded cause first")
		case g.Amount.Minor > best.Left:
			return errs.Denied("feedback.case.error.limit", "the limit %s leaves %d", best.Limit.ID, best.Left).With("left", best.Left)
		}
		actor, _ := auth.From(ctx)
		row := Gesture{CaseID: c.ID, ID: newID(), Entity: c.Entity, Customer: c.CustomerID, ByAccount: actor.ID, Wallet: best.Limit.ID, Kind: g.Kind, Amount: g.Amount.Minor,
			Currency: g.Amount.Currency, Reason: sealed.New(strings.TrimSpace(g.Reason)), Unit: c.Unit, At: tx.Now()}
		if c.CustomerID == "" {
			row.Customer = c.ContactIx
		}
		if err := s.box.Seal(ctx, tx, &row); err != nil {
			return err
		}
		if err := insertGesture(ctx, tx, &row); err != nil {
			return err
		}
		if err := s.note(ctx, tx, c, EntryGesture, g.Reason, map[string]string{"kind": g.Kind, "amount": amountText(g.Amount)}); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.gesture", Object: "case/" + c.ID, Reason: g.Kind, After: g.Amount})
	})
}
