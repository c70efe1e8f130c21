package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// expire deletes messages that are older than the retention, every minute (or
// every tenth of a shorter retention). The server is not asked to do it by age,
// because it knows nothing of projectors: a message that a registered projector
// has not applied is kept, with an error in the log every time, until it is
// older than the retention limit. It is then deleted, with an error that names
// what was lost to whom.
func (l *Log) expire() {
	ticker := time.NewTicker(min(time.Minute, max(100*time.Millisecond, l.opts.Retention/10)))
	defer ticker.Stop()
	for {
		select {
		case <-l.life.Done():
			return
		case <-ticker.C:
		}
		for p := range l.streams {
			if err := l.expirePartition(l.life, p); err != nil && l.life.Err() == nil {
				l.opts.Logger.Warn("old events could not be deleted", "partition", p, "error", err)
			}
		}
	}
}

func (l *Log) expirePartition(ctx context.Context, p int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	now := l.opts.Clock.Now()
	expired, err := l.firstSince(ctx, p, now.Add(-l.opts.Retention))
	if err != nil {
		return err
	}
	upTo, err := l.heldBy(ctx, p, expired, now)
	if err != nil {
		return err
	}
	if first := l.tails[p].read().first; upTo <= first {
		return nil
	}
	if err := l.streams[p].Purge(ctx, jetstream.WithPurgeSequence(upTo)); err != nil {
		return fmt.Errorf("delete messages before %d: %w", upTo, err)
	}
	return l.pollTail(ctx, p)
}

// heldBy gives the first sequence that must be kept: expired, or an earlier one
// that a projector still needs. Before the oldest message that is not applied
// the duplicate window is kept too, because its decisions look there.
func (l *Log) heldBy(ctx context.Context, p int, expired uint64, now time.Time) (uint64, error) {
	keep := expired
	for at, g := range l.position.snapshot("") {
		if at.partition != p || g.position+1 >= expired {
			continue
		}
		limit, err := l.firstSince(ctx, p, now.Add(-l.opts.RetentionLimit))
		if err != nil {
			return 0, err
		}
		first := max(g.position+1, l.tails[p].read().first)
		if first < limit {
			l.opts.Logger.Error("events are deleted that a projector has not applied: they are older than the retention limit",
				"projector", at.projector, "partition", p, "first", first, "last", limit-1, "limit", l.opts.RetentionLimit)
			keep = min(keep, limit)
			continue
		}
		h, _, err := l.headOf(ctx, p, first)
		if err != nil {
			return 0, err
		}
		window, err := l.firstSince(ctx, p, time.UnixMicro(h.written).Add(-l.opts.Dedup.Age))
		if err != nil {
			return 0, err
		}
		l.opts.Logger.Error("expired events are kept for a projector that has not applied them; start it or forget it",
			"projector", at.projector, "partition", p, "position", g.position, "expired_before", expired)
		keep = min(keep, max(window, limit))
	}
	return keep, nil
}

// firstSince gives the sequence of the first message that was written at or
// after t, one past the last when there is none. Messages are taken to lie in
// the order of their times; the clocks of several writers may disagree a little.
func (l *Log) firstSince(ctx context.Context, p int, t time.Time) (uint64, error) {
	low, last, err := l.Bounds(ctx, p)
	if err != nil {
		return 0, err
	}
	high := last + 1
	for at := low; low < high; at = low + (high-low)/2 { // looks at the first one first
		old, err := l.writtenBefore(ctx, p, at, t)
		if err != nil {
			return 0, err
		}
		if old {
			low = at + 1
		} else {
			high = at
		}
	}
	return low, nil
}

func (l *Log) writtenBefore(ctx context.Context, p int, seq uint64, t time.Time) (bool, error) {
	h, _, err := l.headOf(ctx, p, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return true, nil // deleted meanwhile, so it was old
	}
	return h.written < t.UnixMicro(), err
}
