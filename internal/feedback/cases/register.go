package cases

import (
	"context"
	"slices"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Registered is one line of the register that a regulator may ask for: when a
// complaint came, what it was about, which terms applied and how each was kept. It
// holds neither names nor words.
type Registered struct {
	Ref, Kind, Channel, Product, Reason, Unit, Severity string
	Received                                            time.Time
	Closed                                              time.Time
	State, Cause, Outcome                               string
	Actions                                             []string
	Reopened                                            int
	Clocks                                              []RegisteredClock
	Granted                                             int64 // minor units of the wallet's currency
}

// RegisteredClock is how one term was kept.
type RegisteredClock struct {
	Rule, Citation, State string
	Due, FirstDue, Met    time.Time
	Extended, Paused      bool
}

// Tally sums a register up by rule.
type Tally struct {
	Rule                       ClockRule
	From                       Pack
	Started, Met, Late, Breach int
	Open                       int
	Share                      float64 // kept, of those that ended; -1 where none has
}

// MaxRegister bounds the rows of a register.
const MaxRegister = 50_000

// Register lists complaints and disputes that were received from from to to.
func (s *Service) Register(ctx context.Context, from, to time.Time) (rows []Registered, tallies []Tally, err error) {
	if err := auth.Require(ctx, PermRegister, ""); err != nil {
		return nil, nil, err
	}
	if !from.Before(to) || to.Sub(from) > 5*366*24*time.Hour {
		return nil, nil, errs.Invalid("feedback.case.error.period", "from", "a register covers up to five years")
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		rows, tallies = nil, nil
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		cases, clocks, grants, err := registerRows(ctx, tx, store.At(from), store.At(to))
		if err != nil {
			return err
		}
		byRule := map[string]*Tally{}
		var order []string
		for _, c := range cases {
			r := Registered{Ref: c.Ref(), Kind: string(c.Kind), Channel: c.Channel, Product: c.Product, Reason: c.Reason, Unit: c.Unit, Severity: string(c.Severity), Received: c.Opened.Time(),
				Closed: c.Closed.Time(), State: string(c.State), Cause: c.Cause, Outcome: c.Outcome, Actions: c.Actions, Reopened: c.Reopened, Granted: grants[c.ID]}
			for _, k := range clocks[c.ID] {
				if k.Side == "customer" {
					continue
				}
				rule, pack, err := k.rule(content)
				if err != nil {
					return err
				}
				r.Clocks = append(r.Clocks, RegisteredClock{Rule: rule.ID, Citation: rule.Citation, State: string(k.State), Due: k.Due.Time(), FirstDue: k.FirstDue.Time(), Met: k.Met.Time(),
					Extended: len(k.Changes.Extensions) > 0, Paused: len(k.Changes.Pauses) > 0})
				t := byRule[rule.ID]
				if t == nil {
					t = &Tally{Rule: rule, From: pack}
					byRule[rule.ID], order = t, append(order, rule.ID)
				}
				t.Started++
				switch k.State {
				case ClockMet:
					t.Met++
				case ClockLate:
					t.Late++
				case ClockBreached:
					t.Breach++
				case ClockRunning, ClockPaused:
					t.Open++
				}
			}
			rows = append(rows, r)
		}
		slices.Sort(order)
		for _, id := range order {
			t := byRule[id]
			if t.Share = -1; t.Met+t.Late+t.Breach > 0 {
				t.Share = float64(t.Met) / float64(t.Met+t.Late+t.Breach)
			}
			tallies = append(tallies, *t)
		}
		return nil
	})
	return rows, tallies, err
}

// Use says how the wallet was used in a unit: grants, and what to look at.
type Use struct {
	Account string
	N       int
	Amount  int64
	Share   float64 // of the grants of the place
}

// WalletUse sums grants since from by who granted, the largest first.
func (s *Service) WalletUse(ctx context.Context, from time.Time) (out []Use, total int64, err error) {
	if err := auth.Require(ctx, PermLead, ""); err != nil {
		return nil, 0, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = walletUse(ctx, tx, store.At(from))
		return err
	})
	n := 0
	for _, u := range out {
		total += u.Amount
		n += u.N
	}
	for i := range out {
		out[i].Share = float64(out[i].N) / float64(n)
	}
	return out, total, err
}
