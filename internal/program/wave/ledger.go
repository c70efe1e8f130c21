package wave

import (
	"context"
	"errors"
	"strings"

	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Change is an initiative that a campaign may be part of.
type Change struct {
	ID    string
	Title approval.Text
}

// Range is a guess with its ends.
type Range struct{ Low, Mid, High float64 }

// Money says how the effect becomes money: what one unit better of the measure
// keeps, what that is worth, for how long.
type Money struct {
	Kept   Range // customers kept per answer that is one unit better
	Margin Range // of a customer in a year, minor units
	// Reach is how many in a year feel the effect. A questionnaire asks only some of
	// them; nothing stands for those that the measure counts (Reading.PerYear).
	Reach  Range
	Months int // horizon
	Rate   float64
	Fade   float64 // share of the effect lost in a year
	Method string  // where the two figures come from
}

// Validate tells what is wrong with it.
func (m Money) Validate() error {
	for name, r := range map[string]Range{"kept": m.Kept, "margin": m.Margin} {
		if !(r.Low <= r.Mid && r.Mid <= r.High && r.Mid > 0) {
			return errs.Invalid("program.wave.error.range", name, "low ≤ expected ≤ high, and more than nothing")
		}
	}
	if r := m.Reach; r != (Range{}) && !(r.Low >= 0 && r.Low <= r.Mid && r.Mid <= r.High && r.Mid > 0) {
		return errs.Invalid("program.wave.error.range", "reach", "low ≤ expected ≤ high, and more than nothing")
	}
	if m.Months < 1 || m.Months > 60 || !(m.Rate >= 0 && m.Rate < 1) || !(m.Fade >= 0 && m.Fade <= 1) {
		return errs.Invalid("program.wave.error.horizon", "months", "1 to 60 months; discount and fading are shares")
	}
	if badText(m.Method, MaxTitle) {
		return errs.Invalid("program.wave.error.method", "method", "say where the figures come from, in at most %d characters", MaxTitle).With("max", MaxTitle)
	}
	return nil
}

// Entry is an effect on its way into the value ledger.
type Entry struct {
	Unit, Initiative string
	Title            approval.Text
	Reading          Reading // its effect, upwards when good, is Reading.Better
	Cost             int64
	Currency         string
	Money            Money
}

// Ledger is the part of the value ledger that campaigns use.
type Ledger interface {
	// Changes are the initiatives that the reader sees.
	Changes(ctx context.Context) ([]Change, error)
	// Enter writes a line and gives its id. What of it is booked the ledger decides.
	Enter(ctx context.Context, e Entry) (id string, err error)
}

// EnterValue enters the final effect in the value ledger, once.
func (s *Service) EnterValue(ctx context.Context, id string, m Money) (line string, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return "", err
	}
	m.Method = strings.TrimSpace(m.Method)
	if err := m.Validate(); err != nil {
		return "", err
	}
	var d Doc
	var all []Reading
	err = s.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if d, err = s.editable(ctx, tx, id, Drawn); err != nil {
			return err
		}
		all, err = readings(ctx, tx, id)
		return err
	})
	if err != nil {
		return "", err
	}
	final := finalOf(all)
	switch {
	case final == nil:
		return "", errs.Conflict("program.wave.error.interim", "only the final reading is entered in the ledger")
	case final.Effect == nil:
		return "", errs.Conflict("program.wave.error.few", "too few branches could be compared")
	case d.Line != "":
		return "", errs.Conflict("program.wave.error.entered", "the effect is in the ledger already")
	}
	// The campaign is marked first: whoever comes second finds it taken, and nothing
	// is entered twice.
	if err := s.setLine(ctx, id, "", pending); err != nil {
		return "", err
	}
	line, err = s.Ledger.Enter(ctx, Entry{Unit: d.Unit, Initiative: d.Initiative, Title: d.Title, Reading: *final, Cost: d.Cost, Currency: d.Currency, Money: m})
	if err != nil {
		return "", errors.Join(err, s.setLine(ctx, id, pending, ""))
	}
	return line, s.setLine(ctx, id, pending, line)
}

// pending marks a campaign whose effect is being entered.
const pending = "pending"

func (s *Service) setLine(ctx context.Context, id, from, to string) error {
	return s.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		d, err := s.editable(ctx, tx, id, Drawn)
		if err != nil {
			return err
		}
		if d.Line != from {
			return errs.Conflict("program.wave.error.entered", "the effect is in the ledger already")
		}
		d.Line = to
		if err := save(ctx, tx, &d); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "program.wave.enter_value", Object: "wave/" + id, After: map[string]string{"line": to}})
	})
}
