// Package role is who answers for what: roles held over units and journeys, the
// RACI of each step of a journey, and letters that lend authority with limits.
//
//   - An Assignment gives a person a role of the pack over a unit and its subtree,
//     and, where it names one, over a single journey. One person cannot hold two
//     roles that the pack calls a conflict of duty where both apply.
//   - A Matrix says for each step of a journey who is Responsible, Accountable,
//     Consulted, Informed. A step has exactly one accountable role and at least one
//     responsible. It holds once a second person has approved it.
//   - A Letter lends the holder of a role authority that their line does not give:
//     up to an amount, for kinds of decisions, until a day. Each use is counted;
//     what lies beyond the limit is returned to the council.
//
// What a person may do in the program is decided by package auth; roles here say
// what the bank expects of them.
//
// Files: role.go (types), raci.go (checks, pure), service.go, matrix.go, letter.go.
// Tables: governance_assignment, governance_matrix, governance_letter.
package role

import (
	"context"
	"slices"
	"strings"
	"time"

	"omote/internal/governance/packs"
	"omote/internal/governance/record"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// Permissions of roles. Approving is for the RACI; letters need the council.
const (
	PermRead    auth.Permission = "governance.role.read"
	PermEdit    auth.Permission = "governance.role.edit"
	PermApprove auth.Permission = "governance.role.approve"
	PermLend    auth.Permission = "governance.council.decide"
)

// States of an assignment or a letter.
const (
	Live     = "live"
	Ended    = "ended"
	Proposed = "proposed"
	Refused  = "refused"
)

// Assignment is a role held. The head's unit is the subtree, Ref the role.
type Assignment struct {
	Role    string `json:"role"`
	Holder  string `json:"holder"` // actor: "account:…"
	Journey string `json:"journey,omitempty"`
	Deputy  bool   `json:"deputy,omitempty"`
	// From and Until bound it; a zero Until leaves it open.
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"`
}

// Validate tells what is wrong with it.
func (a Assignment) Validate(pack *packs.Governance) error {
	switch {
	case pack.Role(a.Role).ID == "":
		return errs.Invalid("governance.error.role", "role", "there is no role %q", a.Role).With("role", a.Role)
	case !strings.HasPrefix(a.Holder, string(auth.Person)+":"):
		return errs.Invalid("governance.role.error.holder", "holder", "a role is held by a person")
	case !a.Until.IsZero() && !a.Until.After(a.From):
		return errs.Invalid("governance.role.error.until", "until", "the role ends before it begins")
	}
	return nil
}

// At reports whether the assignment holds at t.
func (a Assignment) At(t time.Time) bool {
	return !t.Before(a.From) && (a.Until.IsZero() || t.Before(a.Until))
}

// meets reports whether two assignments apply at one place: the unit of one lies in
// that of the other, and their journeys are the same or one has none.
func meets(a, b record.Doc[Assignment]) bool {
	units := strings.HasPrefix(a.Unit, b.Unit) || strings.HasPrefix(b.Unit, a.Unit)
	return units && (a.Body.Journey == b.Body.Journey || a.Body.Journey == "" || b.Body.Journey == "")
}

// Clash is a conflict of duty: one person holds both roles where both apply.
type Clash struct {
	Holder string
	Rule   packs.Conflict
	A, B   record.Doc[Assignment]
}

// Clashes finds all conflicts of duty among assignments.
func Clashes(rules []packs.Conflict, all []record.Doc[Assignment]) (out []Clash) {
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.Body.Holder != b.Body.Holder || !meets(a, b) {
				continue
			}
			for _, r := range rules {
				if r.A == a.Body.Role && r.B == b.Body.Role || r.A == b.Body.Role && r.B == a.Body.Role {
					out = append(out, Clash{Holder: a.Body.Holder, Rule: r, A: a, B: b})
				}
			}
		}
	}
	return out
}

// Step is one step of a journey.
type Step struct {
	ID   string
	Name approval.Text
	// Bound tells that a live event shows when the step happens.
	Bound bool
}

// Journey is what this part needs to know of a journey.
type Journey struct {
	ID    string
	Name  approval.Text
	Steps []Step
}

// Journeys gives the designed journeys. The part that designs them implements it.
type Journeys interface {
	List(ctx context.Context) ([]Journey, error)
}

// Letter is authority lent. The head's unit is where it holds, Ref the journey.
type Letter struct {
	Holder  string `json:"holder"`
	Role    string `json:"role"`
	Journey string `json:"journey,omitempty"`
	// Amount is the most a single decision may cost, Total all of them, in minor
	// units of Currency.
	Amount   int64  `json:"amount"`
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
	// Kinds are the kinds of decisions it covers (decision_types of the pack).
	Kinds []string      `json:"kinds"`
	From  time.Time     `json:"from"`
	Until time.Time     `json:"until"`
	Duty  approval.Text `json:"duty"` // what the holder owes in return
	Uses  []Use         `json:"uses,omitempty"`
	// Granted tells who lent it and when, once it holds.
	Grantor string    `json:"grantor,omitempty"`
	Granted time.Time `json:"granted,omitzero"`
}

// Use is one decision under a letter, or one that went back to the council.
type Use struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	What     string    `json:"what"`
	Kind     string    `json:"kind"`
	Amount   int64     `json:"amount"`
	Returned bool      `json:"returned,omitempty"`
	Reason   string    `json:"reason,omitempty"`
}

// Spent is what was decided under the letter so far.
func (l Letter) Spent() (sum int64) {
	for _, u := range l.Uses {
		if !u.Returned {
			sum += u.Amount
		}
	}
	return sum
}

// Counts gives how many decisions were taken and returned.
func (l Letter) Counts() (used, returned int) {
	for _, u := range l.Uses {
		if u.Returned {
			returned++
		} else {
			used++
		}
	}
	return used, returned
}

// MaxTerm is the longest that authority is lent for.
const MaxTerm = 2 * 366 * 24 * time.Hour

// Validate tells what is wrong with it.
func (l Letter) Validate(pack *packs.Governance) error {
	switch {
	case pack.Role(l.Role).ID == "":
		return errs.Invalid("governance.error.role", "role", "there is no role %q", l.Role).With("role", l.Role)
	case !strings.HasPrefix(l.Holder, string(auth.Person)+":"):
		return errs.Invalid("governance.role.error.holder", "holder", "authority is lent to a person")
	case l.Amount < 0 || l.Total < l.Amount:
		return errs.Invalid("governance.role.error.amount", "amount", "a decision costs at least nothing and at most what all may cost")
	case l.Currency == "":
		return errs.Invalid("governance.role.error.currency", "currency", "the amounts need a currency")
	case !l.Until.After(l.From) || l.Until.Sub(l.From) > MaxTerm:
		return errs.Invalid("governance.role.error.term", "until", "authority is lent for at most two years")
	case len(l.Kinds) == 0 || slices.ContainsFunc(l.Kinds, func(k string) bool { _, ok := pack.Decision(k); return !ok }):
		return errs.Invalid("governance.role.error.kinds", "kinds", "authority covers known kinds of decisions")
	case strings.TrimSpace(l.Duty.EN) == "" || strings.TrimSpace(l.Duty.VI) == "":
		return errs.Invalid("governance.role.error.duty", "duty", "what the holder owes in return is said in both languages")
	}
	return nil
}

// Covers tells why a decision lies beyond the letter at t; nil when it does not.
func (l Letter) Covers(kind string, amount int64, t time.Time) error {
	switch {
	case t.Before(l.From) || !t.Before(l.Until):
		return errs.Denied("governance.role.error.lapsed", "the authority does not hold on this day")
	case !slices.Contains(l.Kinds, kind):
		return errs.Denied("governance.role.error.not_covered", "the authority does not cover this kind of decision")
	case amount < 0:
		return errs.Invalid("governance.role.error.amount", "amount", "an amount is not negative")
	case amount > l.Amount || l.Spent()+amount > l.Total:
		return errs.Denied("governance.role.error.over_limit", "the amount lies beyond what is lent: it goes back to the council")
	}
	return nil
}
