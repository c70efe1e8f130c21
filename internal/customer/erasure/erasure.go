package erasure

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"omote/internal/platform/auth"
	"omote/internal/platform/erasure"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Permissions of erasure.
const (
	PermRead auth.Permission = "customer.erasure.read"
	PermRun  auth.Permission = "customer.erasure.run"
	// PermApprove lets an erasure begin that somebody else put forward.
	PermApprove auth.Permission = "customer.erasure.approve"
)

// State is where an erasure stands.
type State string

// The states. Held: what may go is gone, and some records wait for a hold to end.
const (
	Waiting State = "waiting" // for a second person; nothing has begun
	Running State = "running"
	Held    State = "held"
	Done    State = "done"
)

// HoldReason is why a record must be kept.
type HoldReason string

// HoldReasons lists the reasons of holds.
var HoldReasons = []HoldReason{"complaint", "aml", "litigation", "tax", "contract"}

const maxBasis = 500 // characters

// Hold keeps a record from being erased.
type Hold struct {
	bun.BaseModel `bun:"table:customer_hold"`

	Entity   string `bun:",pk"`
	RecordID string `bun:",pk"`
	ID       string `bun:",pk"`
	Reason   HoldReason
	// Basis is the law or the case on which the hold rests. It names nobody.
	Basis    string
	Since    store.Micros
	ReviewAt store.Micros // when somebody must ask whether it still stands
	Until    store.Micros `bun:",nullzero"` // zero while it stands
	MadeBy   string
	EndedBy  string
}

// NewHold is what it takes to put a hold on a customer.
type NewHold struct {
	Customer string
	Reason   HoldReason
	Basis    string
	ReviewAt time.Time
}

// Validate tells what is wrong with it; now is the present.
func (n NewHold) Validate(now time.Time) error {
	switch {
	case n.Customer == "":
		return errs.Invalid("customer.erasure.error.customer", "customer", "a hold needs a customer")
	case !slices.Contains(HoldReasons, n.Reason):
		return errs.Invalid("customer.erasure.error.hold_reason", "reason", "%q is none of %v", n.Reason, HoldReasons)
	case strings.TrimSpace(n.Basis) == "" || utf8.RuneCountInString(n.Basis) > maxBasis:
		return errs.Invalid("customer.erasure.error.basis", "basis", "the basis has 1 to %d characters", maxBasis).With("max", maxBasis)
	case !n.ReviewAt.After(now) || n.ReviewAt.After(now.AddDate(10, 0, 0)):
		return errs.Invalid("customer.erasure.error.review", "review_at", "a hold is looked at again within ten years from now")
	}
	return nil
}

// HeldRecord is a record that was not erased, as the certificate lists it.
type HeldRecord struct {
	Record string     `json:"record"`
	Hold   string     `json:"hold"`
	Reason HoldReason `json:"reason"`
	Basis  string     `json:"basis"`
	Review time.Time  `json:"review"`
}

// Certificate is an erasure with what became of every place.
type Certificate struct {
	ID        string
	RequestID string
	Reason    string
	State     State
	// Records are the pseudonyms that were erased.
	Records  []string
	Held     []HeldRecord
	Lines    []erasure.Line
	At       time.Time
	MadeBy   string
	Finished time.Time // zero while it runs
	// Again is when it was last applied to a restored back-up.
	Again time.Time
	// Proposal names what a second person decides before the erasure begins; the
	// certificate has no id then and is Waiting.
	Proposal string
}

// Complete is when the last copy that expires by itself is gone; zero while the
// erasure runs.
func (c Certificate) Complete() time.Time {
	if c.Finished.IsZero() {
		return time.Time{}
	}
	last := c.Finished
	for _, l := range c.Lines {
		if l.Action == erasure.Expires && l.Until.After(last) {
			last = l.Until
		}
	}
	return last
}

// Count adds up the rows of an action.
func (c Certificate) Count(a erasure.Action) (n int64) {
	for _, l := range c.Lines {
		if l.Action == a {
			n += l.Count
		}
	}
	return n
}

type row struct {
	bun.BaseModel `bun:"table:customer_erasure"`

	Entity     string `bun:",pk"`
	ID         string `bun:",pk"`
	RequestID  string
	Reason     string
	State      State
	Records    json.RawMessage `bun:"type:jsonb"`
	Marks      json.RawMessage `bun:"type:jsonb"`
	Held       json.RawMessage `bun:"type:jsonb"`
	Lines      json.RawMessage `bun:"type:jsonb"`
	At         store.Micros
	MadeBy     string
	FinishedAt store.Micros `bun:",nullzero"`
	AgainAt    store.Micros `bun:",nullzero"`
}

func (r row) certificate() (c Certificate, err error) {
	c = Certificate{ID: r.ID, RequestID: r.RequestID, Reason: r.Reason, State: r.State, At: r.At.Time(), MadeBy: r.MadeBy}
	if r.FinishedAt > 0 {
		c.Finished = r.FinishedAt.Time()
	}
	if r.AgainAt > 0 {
		c.Again = r.AgainAt.Time()
	}
	for _, part := range []struct {
		raw json.RawMessage
		to  any
	}{{r.Records, &c.Records}, {r.Held, &c.Held}, {r.Lines, &c.Lines}} {
		if err := json.Unmarshal(part.raw, part.to); err != nil {
			return c, fmt.Errorf("certificate %s: %w", r.ID, err)
		}
	}
	return c, nil
}

func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil || string(raw) == "null" {
		return json.RawMessage("[]") // only a nil slice; the types always encode
	}
	return raw
}
