package eventlog

import (
	"context"
	"errors"
	"math"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

// Receipt says where events were stored: by partition, the sequence of the last
// message that holds one of them. It can be given to [Log.WaitFor].
type Receipt map[int]uint64

// Append stores events and returns nil only when every one of them is on disk.
// Events with the same key keep their order. On an error nothing is promised:
// each event may or may not have been stored, and the caller sends all of them
// again; those already stored are then recognised as duplicates.
//
// It answers [errs.KindUnavailable] when a projector is further behind than the
// backlog bound, when too much waits for the disk, or when the disk or cluster
// fails; [RetryAfter] tells how long to wait.
func (l *Log) Append(ctx context.Context, events []event.Event) (Receipt, error) {
	if len(events) == 0 {
		return Receipt{}, nil
	}
	if err := l.accepting(); err != nil {
		return nil, err
	}
	parts, err := l.split(events)
	if err != nil {
		return nil, err
	}
	done := make(chan outcome, len(parts))
	queued, err := l.enqueue(ctx, parts, done)
	receipt := make(Receipt, min(len(parts), len(l.committers)))
	for range queued {
		// A queued part always has an outcome within the acknowledgement
		// timeout, so a caller that gives up only stops waiting for it.
		select {
		case o := <-done:
			if o.err != nil {
				err = errors.Join(err, o.err)
			} else {
				receipt[o.partition] = max(receipt[o.partition], o.seq)
			}
		case <-ctx.Done():
			return receipt, ctx.Err()
		}
	}
	if err != nil {
		return receipt, l.unavailable(err)
	}
	return receipt, nil
}

// split encodes the events by partition into parts of at most the group size.
func (l *Log) split(events []event.Event) ([]part, error) {
	open := make([]int, len(l.committers)) // index into parts plus one
	var parts []part
	for i := range events {
		e := &events[i]
		p := partitionOf(e, len(l.committers))
		at := open[p] - 1
		if at < 0 || len(*parts[at].raw) >= l.opts.GroupBytes || parts[at].count >= maxGroupEvents {
			parts = append(parts, part{partition: p, raw: rawPool.Get().(*[]byte)})
			at = len(parts) - 1
			open[p] = at + 1
		}
		before := len(*parts[at].raw)
		*parts[at].raw = e.Append(*parts[at].raw)
		parts[at].count++
		if size := len(*parts[at].raw) - before; size > maxEvent {
			return nil, errs.TooLarge("eventlog.error.event_size", "an event takes %d bytes, more than %d", size, maxEvent)
		}
	}
	return parts, nil
}

// enqueue hands the parts to their committers and tells how many were taken.
func (l *Log) enqueue(ctx context.Context, parts []part, done chan<- outcome) (int, error) {
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.closed {
		return 0, errClosed
	}
	for i := range parts {
		c := l.committers[parts[i].partition]
		size := int64(len(*parts[i].raw))
		if c.waiting.Add(size) > maxWaiting {
			c.waiting.Add(-size)
			return i, errTooMuchWaiting
		}
		parts[i].done = done
		select {
		case c.queue <- parts[i]:
		case <-ctx.Done():
			c.waiting.Add(-size)
			return i, ctx.Err()
		}
	}
	return len(parts), nil
}

var (
	errClosed         = errors.New("the event log is closed")
	errTooMuchWaiting = errors.New("too much waits for the disk")
)

// unavailable turns a failure to store into the answer of a front door. The
// cause stays for the log.
func (l *Log) unavailable(cause error) error {
	if errors.Is(cause, context.Canceled) {
		return cause
	}
	return retryAfter(errs.Unavailable("eventlog.error.storage", "the event log could not store the events").Because(cause), 2*time.Second)
}

func retryAfter(e *errs.Error, d time.Duration) *errs.Error {
	return e.With("retry_after", int(math.Ceil(max(d, time.Second).Seconds())))
}

// RetryAfter is how long a caller that was refused as unavailable should wait:
// what err carries, in whole seconds, or one second when it carries nothing.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		if s, ok := e.Args["retry_after"].(int); ok {
			return time.Duration(s) * time.Second
		}
	}
	return time.Second
}

// partitionOf spreads keys evenly: FNV-1a over the bytes of e.Key(), mixed so
// that the low bits depend on all of them. It never changes, because the
// partition of a key decides its order.
func partitionOf(e *event.Event, partitions int) int {
	h := uint64(14695981039346656037)
	add := func(s string) {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
	}
	add(e.Entity)
	add("\x00")
	if e.UserID != "" {
		add(e.SystemName())
		add(":")
		add(e.UserID)
	} else {
		add("anon:")
		add(e.Source)
		add(":")
		add(e.AnonymousID)
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return int(h % uint64(partitions))
}
