// Package ledger says what better experience really brought, in money that the
// finance partner signs.
//
// A Line is one effect of one change: measured, carried over stated links to money
// (analytics/value), and booked at the bound that the truth falls short of in at
// most one case in twenty. Effects that are only a pattern in the data are entered
// and book nothing. A line is never deleted: it is reversed by another line, and
// both stay.
//
// Booking and reversing are proposed by one person and signed by another who holds
// governance.ledger.sign.
//
// Files: ledger.go (types), service.go, measure.go (effects from the registry),
// book.go. Table: governance_line.
package ledger

import (
	"strings"
	"time"
	"unicode/utf8"

	"omote/analytics/value"
	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// Permissions of the ledger.
const (
	PermRead auth.Permission = "governance.ledger.read"
	PermEdit auth.Permission = "governance.ledger.edit"
	PermSign auth.Permission = "governance.ledger.sign"
)

// States of a line.
const (
	Open     = "open"     // entered, not signed
	Waiting  = "waiting"  // for the finance partner's signature
	Booked   = "booked"   // signed with an amount
	Nothing  = "nothing"  // signed: nothing can be booked
	Reversed = "reversed" // another line takes it back
	Reversal = "reversal" // takes another line back
)

// Grades of evidence, as everywhere: 1 opinion, 2 pattern, 3 adjusted, 4 experiment.
const (
	Opinion    = 1
	Pattern    = 2
	Adjusted   = 3
	Experiment = 4
)

// Link is one step of the way to money, beside its estimate in the chain.
type Link struct {
	Name   approval.Text `json:"name"`
	Unit   approval.Text `json:"unit"`   // of the estimate: "đồng mỗi khách hàng mỗi năm"
	Method approval.Text `json:"method"` // where the estimate comes from
	AsOf   time.Time     `json:"as_of"`
}

// Figure is a reading that an effect was computed from.
type Figure struct {
	Label string    `json:"label"` // before, after, other_before, other_after
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Value float64   `json:"value"`
	Low   float64   `json:"low"`
	High  float64   `json:"high"`
	N     int64     `json:"n"`
}

// Line is the body of a line; Ref is the initiative, the head's unit where it ran.
type Line struct {
	Title  approval.Text `json:"title"`
	Metric string        `json:"metric"`
	// MetricVersion is the definition that was used.
	MetricVersion int      `json:"metric_version,omitempty"`
	Method        string   `json:"method"` // rct, staggered, did, matched, before_after, stated
	Grade         int      `json:"grade"`
	Figures       []Figure `json:"figures,omitempty"`
	// Chain is the way to money, Links what its links are.
	Chain    value.Chain     `json:"chain"`
	Links    []Link          `json:"links"`
	Currency string          `json:"currency"`
	Valued   value.Valuation `json:"valued"`
	// Review is when the effect is looked at again.
	Review time.Time `json:"review"`

	Booked     int64     `json:"booked"`
	SignedBy   string    `json:"signed_by,omitempty"`
	Signed     time.Time `json:"signed,omitzero"`
	Reverses   string    `json:"reverses,omitempty"`
	ReversedBy string    `json:"reversed_by,omitempty"`
	Reason     string    `json:"reason,omitempty"`
}

// Doc is a line with its head.
type Doc = record.Doc[Line]

// Methods by which an effect was told apart, with the best grade that each earns.
var Methods = map[string]int{"rct": Experiment, "staggered": Experiment, "did": Adjusted, "matched": Adjusted, "before_after": Pattern, "stated": Opinion}

// Validate tells what is wrong with it.
func (l Line) Validate() error {
	best, ok := Methods[l.Method]
	switch {
	case badText(l.Title.EN) || badText(l.Title.VI):
		return errs.Invalid("governance.ledger.error.title", "title", "a title is needed in both languages")
	case !ok:
		return errs.Invalid("governance.ledger.error.method", "method", "%q is no method", l.Method)
	case l.Grade < Opinion || l.Grade > best:
		return errs.Invalid("governance.ledger.error.grade", "grade", "the method %s earns a grade of 1 to %d", l.Method, best).With("max", best)
	case l.Currency == "":
		return errs.Invalid("governance.ledger.error.currency", "currency", "the money needs a currency")
	case len(l.Links) != len(l.Chain.Links):
		return errs.Invalid("governance.ledger.error.links", "links", "each link of the chain is named, with its method and date")
	}
	for _, k := range l.Links {
		if badText(k.Name.EN) || badText(k.Name.VI) || badText(k.Method.EN) || badText(k.Method.VI) || k.AsOf.IsZero() {
			return errs.Invalid("governance.ledger.error.links", "links", "each link of the chain is named, with its method and date")
		}
	}
	if err := l.Chain.Validate(); err != nil {
		return errs.Invalid("governance.ledger.error.chain", "chain", "the chain does not hold: %v", err)
	}
	return nil
}

func badText(s string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return n == 0 || n > 300 || !utf8.ValidString(s) || strings.ContainsRune(s, 0)
}

// Bookable is what may be booked: the bound of the chain, and nothing for what is
// only a pattern or an opinion.
func (l Line) Bookable() int64 {
	if l.Grade < Adjusted {
		return 0
	}
	return l.Valued.Booked
}

// Sums are the ledger in three numbers, of one currency.
type Sums struct {
	Expected int64 // the middle values of all lines that stand
	Lower    int64 // their bounds, as far as they are bookable
	Booked   int64 // what is signed, less what was reversed
	Lines    int
	Open     int // lines not signed yet
}

// Sum adds the lines up. A reversed line and its reversal both count, so together
// they are nothing.
func Sum(lines []Doc) (s Sums) {
	for _, d := range lines {
		s.Booked += d.Body.Booked
		switch d.State {
		case Reversed, Reversal:
			continue
		case Open, Waiting:
			s.Open++
		}
		s.Lines++
		s.Expected += d.Body.Valued.Mid
		s.Lower += d.Body.Bookable()
	}
	return s
}
