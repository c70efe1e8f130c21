package cases

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Kind is what a case is about.
type Kind string

// The kinds of cases.
const (
	Complaint   Kind = "complaint"    // dissatisfaction that the customer states as such
	Dispute     Kind = "dispute"      // a transaction or card item to be traced
	Detractor   Kind = "detractor"    // an unhappy answer to a survey
	Observation Kind = "observation"  // seen by staff
	DataRequest Kind = "data_request" // a person's right over their data
)

// Kinds lists all kinds.
var Kinds = []Kind{Complaint, Dispute, Detractor, Observation, DataRequest}

// subjects are the subjects of clock rules that concern a kind.
func (k Kind) subjects() []string {
	switch k {
	case Complaint:
		return []string{"complaint", "payment"}
	case Dispute:
		return []string{"complaint", "dispute", "payment", "card"}
	case Detractor, Observation:
		return []string{"survey"}
	}
	return []string{"data_request"}
}

// marks are the marks that opening a case of the kind sets.
func (k Kind) marks() []string {
	switch k {
	case Complaint:
		return []string{"case_opened", "complaint_filed"}
	case Dispute:
		return []string{"case_opened", "complaint_filed", "dispute_reported"}
	case DataRequest:
		return []string{"case_opened", "subject_request_received"}
	}
	return []string{"case_opened"}
}

// State is where a case is.
type State string

// The states. The first three are open.
const (
	New     State = "new"     // nobody has done anything yet
	Working State = "working" // somebody has
	Waiting State = "waiting" // for the customer or a third party
	Asked   State = "asked"   // closed; the customer is asked whether it is solved
	Solved  State = "solved"  // the customer said yes
	Silent  State = "silent"  // closed; the customer did not answer
	Merged  State = "merged"  // goes on in another case
)

// States lists all states.
var States = []State{New, Working, Waiting, Asked, Solved, Silent, Merged}

// Open reports whether somebody still has to do something.
func (s State) Open() bool { return s == New || s == Working || s == Waiting }

// Severity says how bad it is for the customer.
type Severity string

// The severities, mildest first.
const (
	Low    Severity = "low"
	Medium Severity = "medium"
	High   Severity = "high"
	Severe Severity = "severe"
)

// Severities lists them, mildest first.
var Severities = []Severity{Low, Medium, High, Severe}

func (s Severity) rank() int {
	for i, each := range Severities {
		if each == s {
			return i
		}
	}
	return -1
}

// Channels are the ways by which a case came.
var Channels = []string{"phone", "branch", "web", "app", "email", "letter", "social", "survey", "cfpb_portal", "feed"}

// Limits of a case.
const (
	MaxTitle = 200                              // characters
	MaxWords = 10_000                           // characters
	MaxName  = 120                              // characters
	MaxFile  = 10 << 20                         // bytes of an attachment
	MaxFiles = 20                               // of a case
	MaxFacts = 60                               // of a case
	MaxBody  = 10_000                           // characters of an entry
	never    = store.Micros(math.MaxInt64 >> 1) // next_due of a case without a running clock
)

// Case is one problem of one customer.
type Case struct {
	bun.BaseModel `bun:"table:cases_case"`

	CustomerID string `bun:",pk"`
	ID         string `bun:",pk"`
	Entity     string
	Number     int64
	Unit       string
	Kind       Kind
	State      State
	IsOpen     bool
	Severity   Severity
	Channel    string
	Product    string
	Journey    string
	Reason     string
	Issue      string
	Facts      Facts
	Title      sealed.Text
	Words      sealed.Text
	Name       sealed.Text
	Phone      sealed.Text
	Email      sealed.Text
	ContactIx  string
	Locale     string
	Skill      string
	Owner      string
	NextDue    store.Micros
	NextRule   string
	Late       bool
	Signals    int
	Reopened   int
	Cause      string
	Actions    []string
	Outcome    string
	MergedInto string
	Opened     store.Micros
	Touched    store.Micros
	Closed     store.Micros `bun:",nullzero"`
	Version    int64
}

// Ref is what people call the case.
func (c Case) Ref() string { return fmt.Sprintf("CV-%05d", c.Number) }

// Due is the earliest deadline of a running clock; zero for none.
func (c Case) Due() time.Time {
	if c.NextDue >= never {
		return time.Time{}
	}
	return c.NextDue.Time()
}

// facts are all facts that conditions may ask about.
func (c Case) facts() Facts {
	f := Facts{"jurisdiction": "VN", "customer.is_consumer": true, "complaint_kind": "rights_affected"}
	for k, v := range c.Facts {
		f[k] = v
	}
	f["case_kind"], f["severity"], f["intake_channel"], f["reason_code"] = string(c.Kind), string(c.Severity), c.Channel, c.Reason
	f["product"], f["journey"], f["cause_id"], f["reopened"] = c.Product, c.Journey, c.Cause, c.Reopened > 0
	if _, ok := f["product.family"]; !ok {
		f["product.family"] = family(c.Product)
	}
	if _, ok := f["product.is_payment"]; !ok {
		f["product.is_payment"] = f["product.family"] == "payment_account" || f["product.family"] == "card"
	}
	return f
}

// family is the family of a product, by which rules ask.
func family(product string) string {
	switch {
	case strings.Contains(product, "credit_card"):
		return "credit_card"
	case strings.Contains(product, "card"):
		return "card"
	case strings.Contains(product, "account"), strings.Contains(product, "transfer"), strings.Contains(product, "payment"), product == "casa":
		return "payment_account"
	}
	return product
}

// Intake is what it takes to open a case by hand or by a signal.
type Intake struct {
	CustomerID string
	Unit       string // path; "" takes the actor's place
	Kind       Kind
	Severity   Severity
	Channel    string
	Product    string
	Journey    string
	Reason     string
	Issue      string // "" makes every signal its own problem
	Facts      Facts
	Title      string
	Words      string
	Name       string
	Phone      string
	Email      string
	Locale     string // of the customer: vi or en
	Skill      string
	Owner      string
	At         time.Time // when it reached the bank; zero is now
	Signal     Signal
}

// Validate tells what is wrong with it.
func (in Intake) Validate() error {
	switch {
	case !known(Kinds, in.Kind):
		return errs.Invalid("feedback.case.error.kind", "kind", "there is no kind %q", in.Kind)
	case in.Severity.rank() < 0:
		return errs.Invalid("feedback.case.error.severity", "severity", "there is no severity %q", in.Severity)
	case !known(Channels, in.Channel):
		return errs.Invalid("feedback.case.error.channel", "channel", "there is no channel %q", in.Channel)
	case bad(in.Title, 1, MaxTitle):
		return errs.Invalid("feedback.case.error.title", "title", "a case needs a title of 1 to %d characters", MaxTitle).With("max", MaxTitle)
	case bad(in.Words, 0, MaxWords):
		return errs.TooLarge("feedback.case.error.words", "the text has more than %d characters", MaxWords).With("max", MaxWords)
	case bad(in.Name, 0, MaxName) || bad(in.Phone, 0, 30) || bad(in.Email, 0, 254):
		return errs.Invalid("feedback.case.error.contact", "name", "name, phone or e-mail is too long")
	case in.Email != "" && !strings.Contains(in.Email, "@"):
		return errs.Invalid("feedback.case.error.email", "email", "%q is no e-mail address", in.Email)
	case in.Locale != "vi" && in.Locale != "en":
		return errs.Invalid("feedback.case.error.locale", "locale", "the customer's language is vi or en, not %q", in.Locale)
	case bad(in.Product, 0, 60) || bad(in.Journey, 0, 60) || bad(in.Reason, 0, 60) || bad(in.Issue, 0, 200):
		return errs.Invalid("feedback.case.error.reason", "reason", "product, journey or reason is too long")
	case len(in.Facts) > MaxFacts:
		return errs.Invalid("feedback.case.error.facts", "facts", "a case has at most %d facts", MaxFacts)
	}
	for name, v := range in.Facts {
		switch x := v.(type) {
		case bool, float64, int, int64:
		case string:
			if bad(x, 0, 100) {
				return errs.Invalid("feedback.case.error.facts", "facts", "the fact %q is too long", name)
			}
		default:
			return errs.Invalid("feedback.case.error.facts", "facts", "the fact %q is neither text, number nor yes or no", name)
		}
	}
	return nil
}

func known[T comparable](list []T, v T) bool {
	for _, each := range list {
		if each == v {
			return true
		}
	}
	return false
}

// bad reports whether a text is not of min to max characters of sound UTF-8.
func bad(s string, min, max int) bool {
	n := utf8.RuneCountInString(s)
	return n < min || n > max || !utf8.ValidString(s) || strings.ContainsRune(s, 0)
}

// Signal is one word or event that speaks of a problem.
type Signal struct {
	Source string // feed or module; with Ref it counts once
	Ref    string
	Kind   string // answer, complaint, event, observation
	Rule   string // rule that took it, "" a person
	Score  *float64
	Words  string
	At     time.Time
}

// Entry is one line of a case's history.
type Entry struct {
	bun.BaseModel `bun:"table:cases_entry"`

	CaseID string `bun:",pk"`
	ID     string `bun:",pk"`
	Kind   EntryKind
	Actor  string
	At     store.Micros
	Body   sealed.Text
	Detail map[string]string
}

// EntryKind is what a line of the history says.
type EntryKind string

// The kinds of lines.
const (
	EntryOpened   EntryKind = "opened"
	EntrySignal   EntryKind = "signal" // one more word of the customer
	EntryNote     EntryKind = "note"
	EntryContact  EntryKind = "contact" // somebody spoke with the customer, or tried to
	EntryLetter   EntryKind = "letter"
	EntryReply    EntryKind = "reply" // the customer wrote back
	EntryMark     EntryKind = "mark"
	EntryAssign   EntryKind = "assign"
	EntryState    EntryKind = "state"
	EntryClock    EntryKind = "clock" // paused, resumed, extended, swapped, met
	EntryBreach   EntryKind = "breach"
	EntryEscalate EntryKind = "escalate"
	EntryGesture  EntryKind = "gesture"
	EntryFile     EntryKind = "file"
	EntryLink     EntryKind = "link"
	EntryClosed   EntryKind = "closed"
	EntryVerified EntryKind = "verified"
	EntryReopened EntryKind = "reopened"
)
