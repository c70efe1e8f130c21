// Package event holds the Event: an immutable fact about a customer at a time,
// from any source. It is what ingest validates, the event log stores, and every
// projector reads.
//
// An event names the record it speaks of (RecordID: a source system and its id
// there), never the customer: which customer a record belongs to is decided
// later, by identity, and may change without touching the fact.
package event

import (
	"encoding/json"
	"strings"
	"time"

	"omote/internal/platform/errs"
)

// Kind is the tracking call an event came from (Segment specification).
type Kind uint8

// The kinds of event.
const (
	Track    Kind = iota + 1 // something happened
	Identify                 // who the person is: traits
	Page                     // a web page was seen
	Screen                   // an app screen was seen
	Group                    // the person belongs to a group
	Alias                    // two ids are the same person
)

var kindNames = [...]string{Track: "track", Identify: "identify", Page: "page", Screen: "screen", Group: "group", Alias: "alias"}

// String gives the name of the tracking call.
func (k Kind) String() string {
	if k >= Track && k <= Alias {
		return kindNames[k]
	}
	return "unknown"
}

// ParseKind reads the name of a tracking call; 0 when it is none.
func ParseKind(s string) Kind {
	for k := Track; k <= Alias; k++ {
		if kindNames[k] == s {
			return k
		}
	}
	return 0
}

// Limits of one event. They bound memory, not meaning.
const (
	MaxSize     = 32 << 10 // bytes of one event as received (Segment's limit)
	MaxBatch    = 500 << 10
	MaxIDLength = 256
	MaxName     = 200
)

// Event is one fact. Times are Unix microseconds in UTC. Strings that are not
// known are empty. Props and Traits are JSON objects or nil.
type Event struct {
	// Source is the feed that delivered the fact ("app", "core", "file:3fa9…");
	// MessageID is its id there. The pair decides duplicates.
	Source    string
	MessageID string
	// Entity is the bank entity the fact belongs to.
	Entity string
	Kind   Kind
	// Name is the event's name, such as "card_activated".
	Name string

	// UserID is the source's id of a known person; AnonymousID of a device or
	// session. At least one is set. PreviousID is set for Alias only.
	UserID      string
	AnonymousID string
	PreviousID  string
	// System is the system whose id UserID is ("core", "crm", …); it defaults to Source.
	System string

	// At is when it happened, ReceivedAt when Omote took it.
	At         int64
	ReceivedAt int64

	Journey  string
	Case     string
	Channel  string
	Unit     string
	Product  string
	Outcome  string
	Amount   int64 // minor units of Currency; meaningful when Currency is set
	Currency string

	// Props are the properties that the tracking plan lets pass to analysis.
	Props json.RawMessage
	// Traits are personal: they reach the encrypted store and nothing else.
	Traits json.RawMessage

	// History marks a fact that updates state and analysis but starts nothing.
	History bool
	// Import is the id of the import that brought the fact, "" for a live call.
	Import string
	// Schema is the version of the tracking plan the event was checked against.
	Schema uint32
}

// RecordID names the record the fact speaks of: "system:id" for a known
// person, "anon:source:id" for a device or session not yet known.
func (e *Event) RecordID() string {
	if e.UserID != "" {
		return UserRecord(e.SystemName(), e.UserID)
	}
	return AnonymousRecord(e.Source, e.AnonymousID)
}

// SystemName is the system whose ids the event uses.
func (e *Event) SystemName() string {
	if e.System != "" {
		return e.System
	}
	return e.Source
}

// UserRecord is the record id of a person known to a system.
func UserRecord(system, id string) string { return system + ":" + id }

// AnonymousRecord is the record id of a device or session.
func AnonymousRecord(source, id string) string { return "anon:" + source + ":" + id }

// Key is what the log is partitioned by: facts of one key keep their order.
func (e *Event) Key() string { return e.Entity + "\x00" + e.RecordID() }

// Time gives At as a time.
func (e *Event) Time() time.Time { return time.UnixMicro(e.At).UTC() }

// Validate checks what must hold for every event, whatever its feed.
func (e *Event) Validate() error {
	switch {
	case e.Kind < Track || e.Kind > Alias:
		return errs.Invalid("event.error.kind", "type", "unknown type; expected track, identify, page, screen, group or alias")
	case e.UserID == "" && e.AnonymousID == "":
		return errs.Invalid("event.error.id", "userId", "either userId or anonymousId is required")
	case len(e.UserID) > MaxIDLength || len(e.AnonymousID) > MaxIDLength || len(e.PreviousID) > MaxIDLength:
		return errs.TooLarge("event.error.id_length", "an id is longer than %d bytes", MaxIDLength)
	case len(e.MessageID) > MaxIDLength:
		return errs.TooLarge("event.error.message_id_length", "messageId is longer than %d bytes", MaxIDLength)
	case e.MessageID == "":
		return errs.Invalid("event.error.message_id", "messageId", "messageId is required")
	case e.Kind == Track && strings.TrimSpace(e.Name) == "":
		return errs.Invalid("event.error.name", "event", "a track call needs a non-empty event name")
	case len(e.Name) > MaxName:
		return errs.TooLarge("event.error.name_length", "the event name is longer than %d bytes", MaxName)
	case e.Kind == Alias && e.PreviousID == "":
		return errs.Invalid("event.error.previous_id", "previousId", "an alias call needs previousId")
	case e.Entity == "" || e.Source == "":
		return errs.Invalid("event.error.source", "source", "an event needs an entity and a source")
	}
	return nil
}
