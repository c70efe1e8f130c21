package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// processScope is the scope of the dispatcher; the gate sees the message's entity.
func processScope(ctx context.Context) context.Context {
	return scope.With(ctx, scope.Process(scope.DefaultEntity, "outbox"))
}

// Run dispatches until ctx ends. Several processes may run at once. A message
// whose send is under way when ctx ends gets the rest of its lease to finish.
func (o *Outbox) Run(ctx context.Context) error {
	for {
		n, err := o.RunOnce(ctx)
		if err != nil && ctx.Err() == nil {
			o.log.Error("dispatch", "error", err)
		}
		if n > 0 && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		case <-time.After(o.o.Poll):
		}
	}
}

// RunOnce settles expired claims, claims one batch, sends it and writes the
// results. It gives the number of messages that it moved.
func (o *Outbox) RunOnce(ctx context.Context) (int, error) {
	swept, err := o.sweep(ctx)
	if err != nil {
		return swept, err
	}
	claims, moved, err := o.claim(ctx)
	if err != nil {
		return swept, err
	}
	var wg sync.WaitGroup
	failures := make([]error, len(claims))
	for i, c := range claims {
		wg.Go(func() { failures[i] = o.deliver(ctx, c) })
	}
	wg.Wait()
	return swept + moved, errors.Join(failures...)
}

// claim is the first step.
func (o *Outbox) claim(ctx context.Context) (claims []row, moved int, err error) {
	err = o.db.Write(processScope(ctx), func(ctx context.Context, tx store.Tx) error {
		rows, err := due(ctx, tx, o.channels, o.o.Batch)
		if err != nil {
			return err
		}
		claims, moved = nil, len(rows)
		for _, r := range rows {
			fence := r.Fence
			if err := o.box.Open(ctx, tx, &r); err != nil {
				o.log.Error("payload", "message", r.ID, "error", err)
				r.Due, r.Reason = tx.Now().Add(maxBackoff), Unreadable
			} else if err := o.admit(ctx, tx, &r); err != nil {
				return err
			}
			if _, err := save(ctx, tx, &r, fence); err != nil {
				return err
			}
			if r.State == Claimed {
				claims = append(claims, r)
			}
		}
		return nil
	})
	return claims, moved, err
}

// admit asks the gate and sets what the claim transaction writes.
func (o *Outbox) admit(ctx context.Context, tx store.Tx, r *row) error {
	now := tx.Now()
	var v Verdict
	err := tx.Savepoint(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		tx.Scope.Entity = r.Entity
		v, err = o.o.Gate.Admit(ctx, tx, r.message())
		if err == nil && (v.void || !v.later.IsZero()) {
			return errNotAdmitted // undoes what the gate may have reserved
		}
		return err
	})
	switch {
	case err == nil:
		o.take(r, now)
	case !errors.Is(err, errNotAdmitted):
		if store.Retryable(err) || ctx.Err() != nil {
			return err
		}
		o.log.Error("gate", "message", r.ID, "error", err)
		r.Due, r.Reason = now.Add(backoff(1)), GateFailed
	case v.void:
		r.State, r.Reason, r.Settled = Void, v.reason, now
		// What was reserved when the message was decided on is given back.
		tx := tx
		tx.Scope.Entity = r.Entity
		return o.o.Gate.Release(ctx, tx, r.message())
	default:
		r.Due, r.Reason = store.At(v.later), v.reason
	}
	return nil
}

var errNotAdmitted = errors.New("outbox: not admitted")

// take marks r as claimed by this process under a new fence.
func (o *Outbox) take(r *row, now store.Micros) {
	r.State, r.Reason, r.ClaimedBy = Claimed, "", o.o.Node
	r.Attempts++
	r.Fence++
	r.LeaseUntil = now.Add(o.o.Lease)
	if r.FirstClaim == 0 {
		r.FirstClaim = now
	}
}

// sweep looks after claims that ended without a result: they are sent again
// where the channel recognises the key, and become unknown where it does not.
func (o *Outbox) sweep(ctx context.Context) (int, error) {
	var again []row
	n := 0
	err := o.db.Write(processScope(ctx), func(ctx context.Context, tx store.Tx) error {
		rows, err := expired(ctx, tx, o.channels, o.o.Batch)
		if err != nil {
			return err
		}
		again, n = nil, len(rows)
		for _, r := range rows {
			fence, now := r.Fence, tx.Now()
			if o.mayRepeat(r, now) && o.box.Open(ctx, tx, &r) == nil {
				o.take(&r, now)
				again = append(again, r)
			} else {
				r.State, r.Reason, r.Settled = Unknown, NoResult, now
			}
			if _, err := save(ctx, tx, &r, fence); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var failures []error
	for _, r := range again {
		failures = append(failures, o.deliver(ctx, r))
	}
	return n, errors.Join(failures...)
}

// mayRepeat tells whether sending r again cannot deliver it twice.
func (o *Outbox) mayRepeat(r row, now store.Micros) bool {
	sender, ok := o.senders[r.Channel]
	return ok && r.Attempts < o.o.Attempts && now.Sub(r.FirstClaim)+o.o.Lease < sender.KeyWindow()
}

// deliver is the second and the third step. Both may outlive ctx, but not the lease.
func (o *Outbox) deliver(ctx context.Context, r row) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.o.Lease)
	defer cancel()
	receipt, err := o.send(ctx, r)
	return o.result(ctx, r, receipt, err)
}

func (o *Outbox) send(ctx context.Context, r row) (receipt string, err error) {
	sender, ok := o.senders[r.Channel]
	if !ok {
		return "", NotSent(fmt.Errorf("no sender for channel %q here", r.Channel))
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("sender panicked: %v", p)
		}
	}()
	return sender.Send(ctx, r.message())
}

// result is the third step. A result under an old fence is dropped: a later
// holder's word counts.
func (o *Outbox) result(ctx context.Context, r row, receipt string, sendErr error) error {
	return o.db.Write(processScope(ctx), func(ctx context.Context, tx store.Tx) error {
		r, now := r, tx.Now()
		release := o.settle(&r, now, receipt, sendErr)
		ok, err := save(ctx, tx, &r, r.Fence)
		if err != nil {
			return err
		}
		if !ok {
			o.log.Warn("result came after another holder took the message", "message", r.ID, "state", r.State)
			return nil
		}
		if sendErr != nil {
			o.log.Warn("send", "message", r.ID, "channel", r.Channel, "attempt", r.Attempts, "state", r.State, "error", sendErr)
		}
		if !release {
			return nil
		}
		tx.Scope.Entity = r.Entity
		return o.o.Gate.Release(ctx, tx, r.message())
	})
}

// settle sets the state that the outcome of a send leads to, and tells whether
// the gate's reservation is to be given back.
func (o *Outbox) settle(r *row, now store.Micros, receipt string, err error) (release bool) {
	switch {
	case err == nil:
		r.State, r.Receipt, r.Settled = Sent, receipt, now
		return false
	case errors.Is(err, errRejected):
		r.State, r.Reason, r.Settled = Failed, WasRejected, now
		return true
	case errors.Is(err, errNotSent) && r.Attempts < o.o.Attempts:
		// Back to the start: the gate decides and reserves again.
		r.State, r.Reason, r.Due = Pending, WasNotSent, now.Add(backoff(r.Attempts))
		return true
	case errors.Is(err, errNotSent):
		r.State, r.Reason, r.Settled = Failed, WasNotSent, now
		return true
	case o.mayRepeat(*r, now):
		// The claim is kept, with its reservation; the sweep sends again.
		r.Reason, r.LeaseUntil = NoAnswer, now.Add(backoff(r.Attempts))
		return false
	default:
		r.State, r.Reason, r.Settled = Unknown, NoAnswer, now
		return false
	}
}

const maxBackoff = 15 * time.Minute

// backoff is the wait after the n-th attempt: 2 s doubled each time, at most
// maxBackoff, with jitter.
func backoff(n int) time.Duration {
	d := min(2*time.Second<<min(n-1, 20), maxBackoff)
	return d/2 + rand.N(d/2)
}
