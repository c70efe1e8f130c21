// Package approval is maker and checker as one primitive: what has reach is
// proposed by one person and decided by another.
//
// A module registers a Kind with the permission that its checkers need and the
// function that carries an approved proposal out. To publish something it calls
// Propose in its own transaction, after it has authorised the maker:
//
//	approvals.Register(approval.Kind{Name: "journey.publish", Permission: PermApprove, Approved: svc.published})
//	…
//	id, err := approvals.Propose(ctx, tx, approval.Proposal{Kind: "journey.publish", Object: "journey/card_activation", Version: 4,
//		Title: approval.Text{VI: "…", EN: "…"}, Payload: body})
//
// Decide carries the decision out in one transaction: either the decision and
// what it does are both kept, or neither is. It refuses
//
//   - a checker who is the maker, also through another account of the same
//     person or through a key that one of them made,
//   - a checker that is a key: a person decides,
//   - a checker without the permission at the unit that the proposal reaches,
//   - a payload that is not the one that was proposed,
//   - a proposal that was decided, withdrawn, or has expired.
//
// The payload is what is carried out; it holds no personal data, or holds it
// sealed. Every step is in the audit trail.
//
// Files: approval.go (types), service.go (propose, decide, withdraw, expire),
// store.go (all SQL). Table: approval_request.
package approval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Permissions of approvals. Deciding needs also the permission of the kind.
const (
	PermRead   auth.Permission = "governance.approval.read"
	PermDecide auth.Permission = "governance.approval.decide"
)

// Text is a text in both languages.
type Text struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// In gives the text in a language.
func (t Text) In(locale string) string {
	if strings.HasPrefix(locale, "vi") {
		return t.VI
	}
	return t.EN
}

// Kind is one sort of proposal.
type Kind struct {
	// Name is module.verb, such as "journey.publish".
	Name string
	// Permission is what the checker needs at the proposal's unit.
	Permission auth.Permission
	// Life is for how long a proposal waits; default DefaultLife.
	Life time.Duration
	// Approved carries the proposal out, in the transaction of the decision.
	Approved func(ctx context.Context, tx store.Tx, r Request) error
	// Closed, when set, takes note that the proposal was refused, withdrawn or has
	// expired, in the same transaction.
	Closed func(ctx context.Context, tx store.Tx, r Request) error
}

// DefaultLife is for how long a proposal waits unless its kind says otherwise.
const DefaultLife = 14 * 24 * time.Hour

// Limits of a proposal.
const (
	MaxTitle   = 300     // characters, each language
	MaxPayload = 1 << 20 // bytes
	MaxReason  = 2000    // characters
	MaxDetails = 40      // lines
)

// Proposal is what is put forward.
type Proposal struct {
	Kind    string
	Object  string // "kind/id": one proposal of a kind waits for an object at a time
	Version int    // of the object, 0 where it has none
	Title   Text   // what is proposed, as a sentence
	// Details are what the checker must know, line by line; may be empty.
	Details []Text
	Href    string // the page of the thing, "" for none
	Unit    string // path of the subtree it reaches; default the maker's place
	// Payload is encoded as JSON and given back to Kind.Approved.
	Payload any
	// Permission, when set, is needed in place of the kind's: for a proposal that
	// a higher place must check.
	Permission auth.Permission
}

// Validate tells what is wrong with it.
func (p Proposal) Validate() error {
	switch kind, id, ok := strings.Cut(p.Object, "/"); {
	case !ok || kind == "" || id == "" || len(p.Object) > 200:
		return errs.Invalid("approval.error.object", "object", "an object has the form kind/id, not %q", p.Object)
	case p.Version < 0:
		return errs.Invalid("approval.error.version", "version", "a version is not negative")
	case badText(p.Title.EN) || badText(p.Title.VI):
		return errs.Invalid("approval.error.title", "title", "a title of 1 to %d characters is needed in both languages", MaxTitle).With("max", MaxTitle)
	case len(p.Details) > MaxDetails:
		return errs.TooLarge("approval.error.details", "a proposal has at most %d lines of details", MaxDetails).With("max", MaxDetails)
	case p.Href != "" && !strings.HasPrefix(p.Href, "/") || strings.HasPrefix(p.Href, "//"):
		return errs.Invalid("approval.error.href", "href", "the page lies within this installation")
	case p.Unit != "" && !auth.ValidUnit(p.Unit):
		return errs.Invalid("auth.unit_invalid", "unit", "%q is not the path of a unit", p.Unit)
	case p.Permission != "" && !auth.Known(p.Permission):
		return errs.Invalid("approval.error.permission", "permission", "nobody can hold %s", p.Permission)
	}
	return nil
}

func badText(s string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return n == 0 || n > MaxTitle || !utf8.ValidString(s) || strings.ContainsRune(s, 0)
}

// State is how a request stands.
type State string

// The states. All but Waiting are final.
const (
	Waiting   State = "waiting"
	Approved  State = "approved"
	Refused   State = "refused"
	Withdrawn State = "withdrawn" // by its maker
	Expired   State = "expired"   // nobody decided in time
)

// Verdict is what a checker decides.
type Verdict bool

// The verdicts.
const (
	Refuse  Verdict = false
	Approve Verdict = true
)

// Request is a proposal and what became of it.
type Request struct {
	ID         string
	Kind       string
	Object     string
	Version    int
	Unit       string
	Title      Text
	Details    []Text
	Href       string
	Payload    json.RawMessage
	Digest     string // SHA-256 of the payload, in hexadecimal
	Permission auth.Permission
	Maker      string // actor: "account:…", "key:…" or "process:…"
	Proposed   time.Time
	Expires    time.Time
	State      State
	Checker    string
	Decided    time.Time
	Reason     string
}

// Decode reads the payload into v.
func (r Request) Decode(v any) error { return json.Unmarshal(r.Payload, v) }

func digestOf(payload []byte) string {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:])
}
