package segment

import (
	"context"
	"log/slog"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Clock brings memberships up to date where no event does: windows that ran out,
// minimum stays that ended, customers merged or parted by people. Rows found by
// index say whom it concerns; several processes may run it.
type Clock struct {
	db     *store.DB
	rules  *rules
	hook   Hook
	entity string
}

const (
	clockPause = 250 * time.Millisecond
	clockStep  = 500 // customers of one transaction
)

// Run works until ctx ends.
func (c *Clock) Run(ctx context.Context) error {
	ctx = scope.With(ctx, scope.Process(c.entity, "segment clock"))
	for ctx.Err() == nil {
		n, err := c.Tick(ctx)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "segments were not brought up to date with time", "error", err)
			n = 0
		}
		if n < clockStep {
			_ = clock.Sleep(ctx, clockPause) // its end is seen above
		}
	}
	return nil
}

// Tick evaluates a step of whoever is due and follows the identity graph. It
// gives how many customers it evaluated.
func (c *Clock) Tick(ctx context.Context) (n int, err error) {
	idle := false
	err = c.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		now, followed, err := graphs(ctx, tx)
		if err != nil || now != followed {
			return err
		}
		due, err := dueCustomers(ctx, tx, tx.Now(), 1)
		idle = err == nil && len(due) == 0
		return err
	})
	if err != nil || idle {
		return 0, err
	}
	err = c.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		n = 0
		run, err := c.rules.load(ctx, tx)
		if err != nil || run.version == 0 {
			return err
		}
		if n, err = c.follow(ctx, tx, run); err != nil {
			return err
		}
		due, err := dueCustomers(ctx, tx, tx.Now(), clockStep)
		if err != nil {
			return err
		}
		n += len(due)
		return evaluateAll(ctx, tx, run, due, byTime, c.hook)
	})
	return n, err
}

// graphStep bounds how many versions of the identity graph one transaction follows.
const graphStep = 500

func (c *Clock) follow(ctx context.Context, tx store.Tx, run *running) (int, error) {
	now, followed, err := graphs(ctx, tx)
	if err != nil || now == followed {
		return 0, err
	}
	upto := min(now, followed+graphStep)
	ids, err := relinked(ctx, tx, followed, upto)
	if err != nil {
		return 0, err
	}
	if err := evaluateAll(ctx, tx, run, ids, byIdentity, c.hook); err != nil {
		return 0, err
	}
	return len(ids), setFollowed(ctx, tx, upto)
}
