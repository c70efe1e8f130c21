package outbox

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

//go:embed migrations
var migrations embed.FS

// Migrations make the outbox's table.
var Migrations = store.Migrations{Module: "outbox", FS: migrations}

// Options set how the outbox dispatches; zero values take the defaults.
type Options struct {
	Gate     Gate          // default Open
	Lease    time.Duration // how long a send may take; default 2 min
	Batch    int           // messages a claim takes; default 16
	Attempts int           // tries before a message that was not sent is failed; default 8
	Poll     time.Duration // wait when nothing is due and nobody calls; default 1 s
	Node     string        // name of this process, for people; default a random one
}

// Outbox takes messages in and sends them out.
type Outbox struct {
	db       *store.DB
	box      *sealed.Box
	senders  map[string]Sender
	channels []string // the senders' names, sorted
	o        Options
	log      *slog.Logger
	wake     chan struct{}
}

// New makes an outbox with a sender for each channel.
func New(db *store.DB, box *sealed.Box, senders map[string]Sender, o Options) *Outbox {
	if o.Gate == nil {
		o.Gate = Open{}
	}
	if o.Lease <= 0 {
		o.Lease = 2 * time.Minute
	}
	if o.Batch <= 0 {
		o.Batch = 16
	}
	if o.Attempts <= 0 {
		o.Attempts = 8
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.Node == "" {
		o.Node = uuid.NewString()[:8]
	}
	return &Outbox{db: db, box: box, senders: senders, o: o, log: db.Logger().With("part", "outbox"), wake: make(chan struct{}, 1),
		channels: slices.Sorted(maps.Keys(senders))}
}

// Enqueue adds a message in the caller's transaction and gives its id. When the
// customer has a message with the same key already, nothing is added and the
// id is that of the one that is there.
func (o *Outbox) Enqueue(ctx context.Context, tx store.Tx, m Message) (string, error) {
	if err := m.Validate(); err != nil {
		return "", err
	}
	if _, ok := o.senders[m.Channel]; !ok {
		return "", errs.Invalid("outbox.channel_unknown", "channel", "no sender for channel %q", m.Channel)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("outbox: %w", err)
	}
	now := tx.Now()
	r := row{CustomerID: m.CustomerID, ID: id.String(), Entity: tx.Scope.Entity, Channel: m.Channel, Purpose: m.Purpose, Key: m.Key,
		Payload: sealed.New(string(m.Payload)), State: Pending, Due: max(now, store.At(m.Due)), Created: now}
	if err := o.box.Seal(ctx, tx, &r); err != nil {
		return "", err
	}
	added, err := insert(ctx, tx, &r)
	if err != nil {
		return "", err
	}
	if !added {
		return idOfKey(ctx, tx, m.CustomerID, m.Key)
	}
	tx.AfterCommit(o.Wake)
	return r.ID, nil
}

// Channels lists the channels that have a sender, sorted.
func (o *Outbox) Channels() []string { return slices.Clone(o.channels) }

// Wake tells the dispatcher that there may be something due.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Selection picks messages of one customer. Empty fields pick all.
type Selection struct {
	CustomerID string
	Channel    string
	Purpose    string
}

// Void withdraws the selected messages of a customer that are not yet claimed
// and gives their number.
func (o *Outbox) Void(ctx context.Context, tx store.Tx, s Selection, reason string) (int64, error) {
	if s.CustomerID == "" {
		return 0, errs.Invalid("outbox.customer_missing", "customer", "a withdrawal concerns one customer")
	}
	return void(ctx, tx, s, reason)
}

// Resolve settles an unknown message by a person's decision.
func (o *Outbox) Resolve(ctx context.Context, tx store.Tx, customerID, id string, wasSent bool, reason string) error {
	state := Failed
	if wasSent {
		state = Sent
	}
	n, err := resolve(ctx, tx, customerID, id, state, reason)
	if err != nil {
		return err
	}
	if n == 0 {
		return errs.Conflict("outbox.not_unknown", "message %s is not unknown", id)
	}
	if wasSent {
		return nil
	}
	m, err := o.Get(ctx, tx, customerID, id)
	if err != nil {
		return err
	}
	return o.o.Gate.Release(ctx, tx, m)
}

// Get reads one message with its payload.
func (o *Outbox) Get(ctx context.Context, tx store.Tx, customerID, id string) (Message, error) {
	r, err := get(ctx, tx, customerID, id)
	if store.IsNoRows(err) {
		return Message{}, errs.NotFound("outbox.not_found", "no message %s", id)
	}
	if err != nil {
		return Message{}, err
	}
	if err := o.box.Open(ctx, tx, &r); err != nil {
		return Message{}, err
	}
	return r.message(), nil
}

// List gives messages of a state ("" for all), newest first, without payloads.
// after is the id of the last message of the page before.
func (o *Outbox) List(ctx context.Context, tx store.Tx, state State, after string, limit int) ([]Message, error) {
	rows, err := list(ctx, tx, state, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Message, len(rows))
	for i, r := range rows {
		out[i] = r.message()
	}
	return out, nil
}

// Counts gives how many messages of the entity are in each state.
func (o *Outbox) Counts(ctx context.Context, tx store.Tx) (map[State]int64, error) {
	return counts(ctx, tx)
}

// Purge deletes messages that were settled before t (and with them the memory
// of their keys), but never an unknown one. It gives their number.
func (o *Outbox) Purge(ctx context.Context, tx store.Tx, t time.Time) (int64, error) {
	return purge(ctx, tx, store.At(t))
}

// Sealed is where the outbox keeps what is encrypted.
func Sealed() sealed.Inventory {
	return sealed.Inventory{Fields: []sealed.Marked{{Column: sealed.Column{Table: "outbox_message", Name: "payload"}, PK: []string{"customer_id", "id"}}}}
}
