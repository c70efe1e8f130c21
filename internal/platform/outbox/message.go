package outbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// State is where a message is on its way.
type State string

// The states of a message.
const (
	Pending State = "pending" // waits for its time and a claim
	Claimed State = "claimed" // a process holds the lease and may be sending
	Sent    State = "sent"    // the channel accepted it
	Failed  State = "failed"  // the channel refused it; it did not go out
	Unknown State = "unknown" // it may have gone out; nobody can tell
	Void    State = "void"    // withdrawn before any claim
)

// States lists all states in the order of the way.
var States = []State{Pending, Claimed, Sent, Failed, Unknown, Void}

// Reasons that the outbox itself gives; a Gate has its own. They are keys for
// translation ("outbox.reason.…").
const (
	GateFailed  = "gate_failed" // the gate could not decide; asked again
	Unreadable  = "unreadable"  // the payload's key is not in the ring; tried again
	WasRejected = "rejected"    // the channel refused it
	WasNotSent  = "not_sent"    // the channel could not be reached
	NoAnswer    = "no_answer"   // the channel gave no clear answer
	NoResult    = "no_result"   // the process that sent it died
)

// Limits of a message.
const (
	MaxPayload = 256 << 10 // bytes of JSON
	MaxKey     = 200       // characters of an idempotency key
)

// Message is one side effect.
type Message struct {
	ID         string
	Entity     string
	CustomerID string // "" when it goes to no customer
	Channel    string // "email", "sms", "webhook", "push", "task"
	Purpose    string // what consent is asked for, such as "service" or "survey"
	// Key makes the message unique for its customer for as long as the row is
	// kept, and is what the channel sees. Use VisitKey for messages of flows.
	Key     string
	Payload json.RawMessage // what the Sender of the channel understands
	Due     time.Time       // not before; zero means at once

	State    State
	Reason   string // why it failed, waits, is unknown or void
	Attempts int
	Receipt  string // what the channel called it
	Created  time.Time
	Settled  time.Time // when it left pending and claimed for good
	Delivery Delivery  // what the channel reported after it took the message
}

// VisitKey is the idempotency key of an action of a flow: the instance of the
// flow, the node, and the how-manieth visit of that node it is.
func VisitKey(instance, node string, visit int) string {
	return fmt.Sprintf("%s/%s/%d", instance, node, visit)
}

// Validate tells what is wrong with a message that is to be enqueued.
func (m Message) Validate() error {
	switch {
	case m.Channel == "":
		return errs.Invalid("outbox.channel_missing", "channel", "a message needs a channel")
	case m.Purpose == "":
		return errs.Invalid("outbox.purpose_missing", "purpose", "a message needs a purpose")
	case m.Key == "" || len(m.Key) > MaxKey || strings.ContainsRune(m.Key, 0):
		return errs.Invalid("outbox.key_invalid", "key", "a message needs an idempotency key of at most %d characters", MaxKey)
	case len(m.Payload) > MaxPayload:
		return errs.TooLarge("outbox.payload_too_large", "the payload has %d bytes, more than %d", len(m.Payload), MaxPayload)
	case !json.Valid(m.Payload):
		return errs.Invalid("outbox.payload_invalid", "payload", "the payload is not JSON")
	}
	return nil
}

// row is a message as the table holds it.
type row struct {
	bun.BaseModel `bun:"table:outbox_message"`

	CustomerID string `bun:",pk"`
	ID         string `bun:",pk"`
	Entity     string
	Channel    string
	Purpose    string
	Key        string `bun:"idempotency_key"`
	Payload    sealed.Text
	State      State
	Reason     string
	Due        store.Micros
	Attempts   int
	Fence      int64
	ClaimedBy  string
	FirstClaim store.Micros `bun:",nullzero"`
	LeaseUntil store.Micros `bun:",nullzero"`
	Receipt    string
	Created    store.Micros
	Settled    store.Micros `bun:",nullzero"`
	Delivery   Delivery
	DeliveryAt store.Micros `bun:",nullzero"`
}

func (r row) message() Message {
	return Message{
		ID: r.ID, Entity: r.Entity, CustomerID: r.CustomerID, Channel: r.Channel, Purpose: r.Purpose, Key: r.Key,
		Payload: json.RawMessage(r.Payload.Plain), Due: r.Due.Time(), State: r.State, Reason: r.Reason, Attempts: r.Attempts,
		Receipt: r.Receipt, Created: r.Created.Time(), Settled: r.Settled.Time(), Delivery: r.Delivery,
	}
}
