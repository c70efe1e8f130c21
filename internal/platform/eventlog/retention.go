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

// firstSince gives the sequence of the first message that was stored at or
// after t, one past the last when there is none.
func (l *Log) firstSince(ctx context.Context, p int, t time.Time) (uint64, error) {
	info, err := l.streams[p].Info(ctx)
	if err != nil {
		return 0, err
	}
	state := info.State
	switch {
	case state.Msgs == 0 || !state.FirstTime.Before(t):
		return state.FirstSeq, nil
	case state.LastTime.Before(t):
		return state.LastSeq + 1, nil
	}
	// Messages are in the order of time: search by halves, reading one each time.
	low, high := state.FirstSeq, state.LastSeq // low is before t, high is not
	for high-low > 1 {
		middle := low + (high-low)/2
		m, err := l.streams[p].GetMsg(ctx, middle)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			low = middle // deleted meanwhile, so it was old
			continue
		}
		if err != nil {
			return 0, err
		}
		if m.Time.Before(t) {
			low = middle
		} else {
			high = middle
		}
	}
	return high, nil
}
