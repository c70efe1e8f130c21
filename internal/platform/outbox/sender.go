package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"omote/internal/platform/store"
)

// Sender delivers the messages of one channel. It is safe for concurrent use.
type Sender interface {
	// Send delivers m and gives the channel's own name for the delivery. An error
	// made by Rejected or NotSent says that the message did not go out; any other
	// error leaves that open.
	Send(ctx context.Context, m Message) (receipt string, err error)
	// KeyWindow is for how long after a first attempt the channel recognises
	// Message.Key and does not deliver twice. 0 means that it does not.
	KeyWindow() time.Duration
}

var (
	errRejected = errors.New("rejected")
	errNotSent  = errors.New("not sent")
)

// Rejected marks an error after which the message did not go out and never will.
func Rejected(cause error) error { return fmt.Errorf("%w: %w", errRejected, cause) }

// NotSent marks an error after which the message did not go out but may later,
// such as a refused connection.
func NotSent(cause error) error { return fmt.Errorf("%w: %w", errNotSent, cause) }

// Gate decides at the last moment whether a message may go. It is called in the
// claim transaction, in a savepoint: what Admit writes (such as a reserved cap)
// commits with the claim or not at all.
type Gate interface {
	// Admit decides about m. After an error the message waits and is asked about again.
	Admit(ctx context.Context, tx store.Tx, m Message) (Verdict, error)
	// Release gives back what Admit reserved; the message did not go out.
	Release(ctx context.Context, tx store.Tx, m Message) error
}

// Verdict is the decision of a Gate.
type Verdict struct {
	void   bool
	later  time.Time
	reason string
}

// Go lets the message out.
func Go() Verdict { return Verdict{} }

// Refuse voids the message for good.
func Refuse(reason string) Verdict { return Verdict{void: true, reason: reason} }

// Later lets the message wait until t, such as the end of quiet hours.
func Later(t time.Time, reason string) Verdict { return Verdict{later: t, reason: reason} }

// Open is a Gate that lets everything out.
type Open struct{}

// Admit implements Gate.
func (Open) Admit(context.Context, store.Tx, Message) (Verdict, error) { return Go(), nil }

// Release implements Gate.
func (Open) Release(context.Context, store.Tx, Message) error { return nil }

// IsRejected and IsNotSent tell how an error was marked.
func IsRejected(err error) bool { return errors.Is(err, errRejected) }

// IsNotSent tells whether the message did not go out but may later.
func IsNotSent(err error) bool { return errors.Is(err, errNotSent) }

// Gates asks several gates in the order in which they were added; the first that
// does not let a message out decides.
type Gates struct{ all []Gate }

// Add puts a gate behind the others. It is called while the program is put
// together, before anything is sent.
func (g *Gates) Add(one Gate) { g.all = append(g.all, one) }

// Admit implements Gate.
func (g *Gates) Admit(ctx context.Context, tx store.Tx, m Message) (Verdict, error) {
	for _, one := range g.all {
		if v, err := one.Admit(ctx, tx, m); err != nil || v != Go() {
			return v, err
		}
	}
	return Go(), nil
}

// Release implements Gate.
func (g *Gates) Release(ctx context.Context, tx store.Tx, m Message) error {
	for _, one := range g.all {
		if err := one.Release(ctx, tx, m); err != nil {
			return err
		}
	}
	return nil
}
