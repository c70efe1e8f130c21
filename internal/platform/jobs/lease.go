package jobs

import (
	"context"
	"errors"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/store"
)

// Lease is the right to be the only one who does something, for as long as it
// is renewed. The fence grows with each new holder: what the holder writes it
// writes with Check in the same transaction, so that one who was believed dead
// and comes back changes nothing.
//
// Nodes compare the end of a lease with their own clocks, so clocks must agree
// within a third of the lease. Should they not, two may believe to hold it; the
// fence still keeps the data right.
type Lease struct {
	Name  string
	Fence int64
}

// Check returns ErrLost, within a transaction, when the lease has a newer holder.
func (l Lease) Check(ctx context.Context, tx store.Tx) error {
	var fence int64
	err := tx.NewRaw("SELECT fence FROM jobs_lease WHERE name = ?"+tx.Engine.ForUpdate(), l.Name).Scan(ctx, &fence)
	if err == nil && fence != l.Fence {
		return ErrLost
	}
	return err
}

// Hold waits until it holds the lease, then runs fn with a context that ends
// with cause ErrLost when the lease is lost, and gives the lease back when fn
// returns. It returns when fn does, or when ctx ends while waiting.
func (j *Jobs) Hold(ctx context.Context, name string, ttl time.Duration, fn func(ctx context.Context, l Lease) error) error {
	for {
		l, ok, err := j.acquire(ctx, name, ttl)
		if err != nil && ctx.Err() == nil {
			j.log.Warn("acquire lease", "name", name, "error", err)
		}
		if ok {
			return j.holding(ctx, l, ttl, fn)
		}
		if err := clock.Sleep(ctx, ttl/3); err != nil {
			return err
		}
	}
}

func (j *Jobs) holding(ctx context.Context, l Lease, ttl time.Duration, fn func(context.Context, Lease) error) error {
	held, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		j.keep(held, l, ttl, cancel)
	}()
	err := fn(held, l)
	cancel(nil)
	<-ended
	release, done := context.WithTimeout(context.WithoutCancel(processScope(ctx)), ttl)
	defer done()
	return errors.Join(err, j.db.Write(release, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewRaw("UPDATE jobs_lease SET until = 0 WHERE name = ? AND fence = ?", l.Name, l.Fence).Exec(ctx)
		return err
	}))
}

// keep renews the lease until ctx ends or the lease is lost.
func (j *Jobs) keep(ctx context.Context, l Lease, ttl time.Duration, cancel context.CancelCauseFunc) {
	last := time.Now()
	for clock.Sleep(ctx, ttl/3) == nil {
		var n int64
		err := j.db.Write(processScope(ctx), func(ctx context.Context, tx store.Tx) (err error) {
			n, err = affected(tx.NewRaw("UPDATE jobs_lease SET until = ? WHERE name = ? AND fence = ?", tx.Now().Add(ttl), l.Name, l.Fence).Exec(ctx))
			return err
		})
		switch {
		case err == nil && n > 0:
			last = time.Now()
		case err == nil, time.Since(last) > ttl:
			cancel(ErrLost)
			return
		}
	}
}

// acquire takes the lease if nobody holds it.
func (j *Jobs) acquire(ctx context.Context, name string, ttl time.Duration) (l Lease, ok bool, err error) {
	l = Lease{Name: name}
	err = j.db.Write(processScope(ctx), func(ctx context.Context, tx store.Tx) error {
		now := tx.Now()
		n, err := affected(tx.NewRaw(`INSERT INTO jobs_lease AS t (name, owner, fence, until) VALUES (?, ?, 1, ?)
			ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = t.fence + 1, until = excluded.until WHERE t.until <= ?`,
			name, j.o.Node, now.Add(ttl), now).Exec(ctx))
		if ok = n > 0; err != nil || !ok {
			return err
		}
		return tx.NewRaw("SELECT fence FROM jobs_lease WHERE name = ?", name).Scan(ctx, &l.Fence)
	})
	return l, ok && err == nil, err
}
