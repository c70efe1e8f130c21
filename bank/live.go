package bank

import (
	"context"
	"fmt"
	"time"
)

// LiveOptions say how Live plays the bank.
type LiveOptions struct {
	// Speed is how many simulated seconds pass in one real second. Default 1.
	Speed float64
	// Now and Sleep replace the machine's clock, for tests.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// Restamp gives each event the real time at which it is delivered instead of
	// its simulated time, so that a receiver does not see events of the future
	// when Speed is above 1 or the history does not end now.
	Restamp bool
}

// Live goes on from where the stream stands, in real or accelerated time, and
// gives each event when it happens. It returns nil when yield asks to stop, and
// the context's error when it ends.
func (st *Stream) Live(ctx context.Context, o LiveOptions, yield func(*Event) bool) error {
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Speed < 0 {
		return fmt.Errorf("bank: the speed must be positive, not %g", o.Speed)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	origin, began := st.now, o.Now()
	for {
		until := min(st.next(), lastDay.UnixMicro())
		if until <= st.now {
			return fmt.Errorf("bank: the calendar ends on %s", lastDay.Format(time.DateOnly))
		}
		var err error
		stopped := !st.stretch(until, func(e *Event) bool {
			due := began.Add(time.Duration(float64(e.At-origin) / o.Speed * 1000))
			if wait := due.Sub(o.Now()); wait > 0 {
				if err = o.Sleep(ctx, wait); err != nil {
					return false
				}
			} else if err = ctx.Err(); err != nil {
				return false
			}
			if o.Restamp {
				copied := *e
				copied.At = o.Now().UnixMicro()
				e = &copied
			}
			return yield(e)
		})
		if stopped {
			return err
		}
	}
}

// Live moves through the history without giving events, then plays on from its
// end: see Stream.Live.
func (b *Bank) Live(ctx context.Context, speed float64, yield func(*Event) bool) error {
	st := b.Stream()
	st.Skip(b.end)
	return st.Live(ctx, LiveOptions{Speed: speed}, yield)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
