package consent

import (
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Source is how a statement reached the bank.
type Source string

// The sources.
const (
	FromEvent   Source = "event"   // a feed
	FromCentre  Source = "centre"  // the person, in the preference centre
	FromStaff   Source = "staff"   // a member of staff, on the person's word
	FromAPI     Source = "api"     // another system of the bank
	FromRequest Source = "request" // a subject request
)

// Sources lists the sources.
var Sources = []Source{FromEvent, FromCentre, FromStaff, FromAPI, FromRequest}

const maxEvidence = 2000 // characters

// Statement is one thing that a person said. What it says is never changed.
type Statement struct {
	bun.BaseModel `bun:"table:customer_consent"`

	Entity   string `bun:",pk"`
	RecordID string `bun:",pk"` // the record it came through
	ID       string `bun:",pk"`
	// Purpose is a purpose's id, or AllPurposes in a statement that says no to everything.
	Purpose string
	// Channel is a channel, or AnyChannel.
	Channel string
	Granted bool
	// Whole: the person said it for all their records.
	Whole bool
	// At is when it was said; never later than Received.
	At       store.Micros
	Received store.Micros
	Source   Source
	// TextVersion is the version of the purpose whose text was shown; 0 when nobody
	// knows.
	TextVersion int
	Locale      string
	// Evidence is what proves it: the form, the recording, the ticket.
	Evidence sealed.Text
	MadeBy   string
	// Overtaken: a newer statement of the same record, purpose, channel and reach
	// counts instead. The only mark that a statement gets later.
	Overtaken bool
}

// validate checks what the shape of a statement must obey. Silence is no consent,
// and consent is specific: only a no may be said to everything at once.
func (s Statement) validate() error {
	switch {
	case s.RecordID == "":
		return errs.Invalid("customer.consent.error.record", "customer", "a statement needs the customer it comes from")
	case s.Purpose != AllPurposes && !idForm.MatchString(s.Purpose):
		return errs.Invalid("customer.consent.error.id", "purpose", "the purpose %q is no id", s.Purpose)
	case s.Channel != AnyChannel && !slices.Contains(Channels, s.Channel):
		return errs.Invalid("customer.consent.error.channel", "channel", "%q is no channel", s.Channel).With("channel", s.Channel)
	case s.Granted && s.Purpose == AllPurposes:
		return errs.Invalid("customer.consent.error.blanket", "purpose", "consent is given to a named purpose, never to everything at once")
	case !slices.Contains(Sources, s.Source):
		return errs.Invalid("customer.consent.error.source", "source", "%q is no source", s.Source)
	case len([]rune(s.Evidence.Plain)) > maxEvidence:
		return errs.Invalid("customer.consent.error.evidence", "evidence", "evidence has at most %d characters", maxEvidence).With("max", maxEvidence)
	}
	return nil
}

// covers reports whether the statement speaks of the purpose and the channel.
func (s *Statement) covers(purpose, channel string) bool {
	return (s.Purpose == purpose || s.Purpose == AllPurposes) && (s.Channel == channel || s.Channel == AnyChannel)
}

// newer reports whether s counts over t. Of two at the same time the no counts.
func (s *Statement) newer(t *Statement) bool {
	switch {
	case t == nil || s.At != t.At:
		return t == nil || s.At > t.At
	case s.Granted != t.Granted:
		return !s.Granted
	}
	return s.ID > t.ID
}

// Restriction holds back all use of a record that the person can forbid.
type Restriction struct {
	bun.BaseModel `bun:"table:customer_restriction"`

	Entity   string `bun:",pk"`
	RecordID string `bun:",pk"`
	ID       string `bun:",pk"`
	// Reason is why: a subject request ("request/…") or a legal hold ("hold/…").
	Reason string
	Since  store.Micros
	Until  store.Micros `bun:",nullzero"` // zero while it stands
}

// Reason is why a decision fell as it did. The texts have the keys
// customer.consent.reason.*.
type Reason string

// The reasons.
const (
	Granted        Reason = "granted"
	NotObjected    Reason = "not_objected"
	ByContract     Reason = "contract"
	ByLaw          Reason = "legal_obligation"
	Unknown        Reason = "unknown"
	Withdrawn      Reason = "withdrawn"
	Objected       Reason = "objected"
	Outdated       Reason = "text_outdated"
	Restricted     Reason = "restricted"
	NotOffered     Reason = "channel_not_offered"
	UnknownPurpose Reason = "purpose_unknown"
)

// Decision says whether customer data may be used, and why.
type Decision struct {
	Allowed bool
	Reason  Reason
	Basis   Basis
	Purpose string
	Version int // of the purpose
	Channel string
	// Statement is what decided; nil where the basis or silence did.
	Statement *Statement
}

// decide is the rule. Statements may hold more than needed; those of records
// that are not the customer's are ignored.
func decide(p *Purpose, channel string, records []string, said []Statement, restricted bool) Decision {
	d := Decision{Channel: channel}
	if p == nil {
		d.Reason = UnknownPurpose
		return d
	}
	d.Basis, d.Purpose, d.Version = p.Basis, p.ID, p.Version
	switch {
	case !slices.Contains(p.Channels, channel):
		d.Reason = NotOffered
		return d
	case p.Basis == Contract:
		d.Allowed, d.Reason = true, ByContract
		return d
	case p.Basis == LegalObligation:
		d.Allowed, d.Reason = true, ByLaw
		return d
	case restricted:
		d.Reason = Restricted
		return d
	}
	yes, no := lastWords(p, channel, records, said)
	switch {
	case no != nil && p.Basis == LegitimateInterest:
		d.Reason, d.Statement = Objected, no
	case no != nil:
		d.Reason, d.Statement = Withdrawn, no
	case p.Basis == LegitimateInterest:
		d.Allowed, d.Reason, d.Statement = true, NotObjected, yes
	case yes == nil:
		d.Reason = Unknown
	case yes.TextVersion < p.Since && p.Since > 1:
		d.Reason, d.Statement = Outdated, yes
	default:
		d.Allowed, d.Reason, d.Statement = true, Granted, yes
	}
	return d
}

// lastWords gives the last yes and the last no among the last words of the
// records: one record's word is the newest statement of its own or of the person
// as a whole. Of several yeses it gives the one to the oldest text, which is the
// most restrictive.
func lastWords(p *Purpose, channel string, records []string, said []Statement) (yes, no *Statement) {
	var whole *Statement
	own := map[string]*Statement{}
	for i := range said {
		s := &said[i]
		if !s.covers(p.ID, channel) {
			continue
		}
		if _, mine := slices.BinarySearch(records, s.RecordID); !mine {
			continue
		}
		if s.Whole && s.newer(whole) {
			whole = s
		}
		if s.newer(own[s.RecordID]) {
			own[s.RecordID] = s
		}
	}
	for _, r := range records {
		word := own[r]
		if whole != nil && (word == nil || whole.newer(word)) {
			word = whole
		}
		switch {
		case word == nil:
		case !word.Granted:
			if word.newer(no) {
				no = word
			}
		case yes == nil || word.TextVersion < yes.TextVersion || word.TextVersion == yes.TextVersion && strings.Compare(word.ID, yes.ID) < 0:
			yes = word
		}
	}
	return yes, no
}
