package request

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Permissions of subject requests. Decide gives data out, refuses and erases.
const (
	PermRead   auth.Permission = "customer.request.read"
	PermEdit   auth.Permission = "customer.request.edit"
	PermDecide auth.Permission = "customer.request.decide"
)

// Kind is what a person asks for.
type Kind string

// The kinds.
const (
	Access   Kind = "access"   // to see what is kept
	Provide  Kind = "provide"  // to receive it in a form that machines read
	Correct  Kind = "correct"  // to have it put right
	Withdraw Kind = "withdraw" // to take back consent
	Object   Kind = "object"   // to forbid use that needs no consent
	Restrict Kind = "restrict" // to have it kept and not used
	Erase    Kind = "erase"    // to be forgotten
)

// Kinds lists the kinds.
var Kinds = []Kind{Access, Provide, Correct, Withdraw, Object, Restrict, Erase}

// State is where a request stands.
type State string

// The states.
const (
	Received State = "received" // the person is not checked yet
	Checked  State = "checked"
	Replied  State = "replied"
	Done     State = "done"
	Refused  State = "refused"
)

// Open reports whether the request still waits for the bank.
func (s State) Open() bool { return s != Done && s != Refused }

// Methods by which a person's identity is checked.
var Methods = []string{"branch_document", "app_session", "callback", "video_call", "signed_letter"}

// Intakes are the ways by which a request arrives.
var Intakes = []string{"branch", "app", "email", "call", "letter", "web"}

const maxText = 4000 // characters of a wish, an answer or a note

// Request is one wish of one person with its clocks.
type Request struct {
	ID           string
	Customer     string // record through which it came
	Kind         Kind
	State        State
	Jurisdiction string
	Intake       string
	Locale       string // language of letters: vi or en
	ThirdParty   bool   // processors or third parties hold the data too
	Received     time.Time
	Checked      time.Time // zero: not yet
	Method       string
	ReplyDue     time.Time // zero: the law asks for no reply of its own
	Replied      time.Time
	Due          time.Time // as extended
	Plan         time.Time // what to plan for until counsel confirmed the rule
	ExtendedFrom time.Time // the deadline before the extension; zero: not extended
	Ended        time.Time
	Outcome      string
	Erasure      string // id of the erasure that carries it out
	Wish         string // in the person's words
	Answer       string // what the person was told in the end
	Rules        string // pack and version under which it was received
	MadeBy       string
	Steps        []Step
}

// Late reports whether a clock has run out at now.
func (r Request) Late(now time.Time) bool {
	return r.State.Open() && (!r.Due.IsZero() && !now.Before(r.Due) || r.Replied.IsZero() && !r.ReplyDue.IsZero() && !now.Before(r.ReplyDue))
}

// Next is the deadline that comes first, zero when none runs.
func (r Request) Next() time.Time {
	if !r.State.Open() {
		return time.Time{}
	}
	if r.Replied.IsZero() && !r.ReplyDue.IsZero() {
		return r.ReplyDue
	}
	return r.Due
}

// Step is one thing that was done.
type Step struct {
	Act  string
	Note string
	At   time.Time
	By   string
}

// New is what it takes to open a request.
type New struct {
	Customer     string
	Kind         Kind
	Jurisdiction string
	Intake       string
	Locale       string
	ThirdParty   bool
	Received     time.Time // zero means now; not in the future
	Wish         string
}

// Validate tells what is wrong with it.
func (n New) Validate(now time.Time) error {
	switch {
	case strings.TrimSpace(n.Customer) == "":
		return errs.Invalid("customer.request.error.customer", "customer", "a request needs the person it comes from")
	case !slices.Contains(Kinds, n.Kind):
		return errs.Invalid("customer.request.error.kind", "kind", "%q is none of %v", n.Kind, Kinds)
	case !slices.Contains(Intakes, n.Intake):
		return errs.Invalid("customer.request.error.intake", "intake", "%q is none of %v", n.Intake, Intakes)
	case n.Locale != "vi" && n.Locale != "en":
		return errs.Invalid("customer.request.error.locale", "locale", "letters are in vi or en")
	case n.Received.After(now):
		return errs.Invalid("customer.request.error.received", "received", "a request was not received in the future")
	}
	return validText("wish", n.Wish, false)
}

func validText(field, text string, must bool) error {
	if n := utf8.RuneCountInString(strings.TrimSpace(text)); n > maxText || must && n == 0 {
		return errs.Invalid("customer.request.error.text", field, "a text has 1 to %d characters", maxText).With("max", maxText)
	}
	return nil
}

type row struct {
	bun.BaseModel `bun:"table:customer_request"`

	Entity       string `bun:",pk"`
	ID           string `bun:",pk"`
	RecordID     string
	Kind         Kind
	State        State
	Jurisdiction string
	Intake       string
	Locale       string
	ThirdParty   bool
	ReceivedAt   store.Micros
	CheckedAt    store.Micros `bun:",nullzero"`
	CheckMethod  string
	CheckedBy    string
	ReplyDue     store.Micros `bun:",nullzero"`
	RepliedAt    store.Micros `bun:",nullzero"`
	DoneDue      store.Micros `bun:",nullzero"`
	ExtendedFrom store.Micros `bun:",nullzero"`
	DoneAt       store.Micros `bun:",nullzero"`
	Outcome      string
	Rules        string
	ErasureID    string
	Wish         sealed.Text
	Answer       sealed.Text
	MadeBy       string
}

// under names the rules that a request was received under.
type under struct {
	Pack    string `json:"pack"`
	Version int    `json:"version"`
	Reply   string `json:"reply,omitempty"`
	Done    string `json:"done,omitempty"`
}

func (r row) under() (u under) {
	_ = json.Unmarshal([]byte(r.Rules), &u) // an unreadable one names no rule
	return u
}

func instant(m store.Micros) time.Time {
	if m == 0 {
		return time.Time{}
	}
	return m.Time()
}

func (r row) request() Request {
	return Request{ID: r.ID, Customer: r.RecordID, Kind: r.Kind, State: r.State, Jurisdiction: r.Jurisdiction, Intake: r.Intake, Locale: r.Locale,
		ThirdParty: r.ThirdParty, Received: r.ReceivedAt.Time(), Checked: instant(r.CheckedAt), Method: r.CheckMethod, ReplyDue: instant(r.ReplyDue),
		Replied: instant(r.RepliedAt), Due: instant(r.DoneDue), ExtendedFrom: instant(r.ExtendedFrom), Ended: instant(r.DoneAt), Outcome: r.Outcome,
		Erasure: r.ErasureID, Wish: r.Wish.Plain, Answer: r.Answer.Plain, Rules: r.under().Pack, MadeBy: r.MadeBy}
}

type stepRow struct {
	bun.BaseModel `bun:"table:customer_request_step"`

	Entity    string `bun:",pk"`
	RequestID string `bun:",pk"`
	ID        string `bun:",pk"`
	Act       string
	Note      sealed.Text
	At        store.Micros
	MadeBy    string
}
