package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"omote/internal/platform/errs"
)

// Lag is how far a projector is behind in one partition.
type Lag struct {
	Projector string
	Partition int
	Position  uint64 // last sequence it has applied
	Last      uint64 // last sequence of the partition
	Messages  uint64 // messages it has not applied
	// Events and Bytes are what those messages hold. They are estimated from the
	// messages written or read last, because only reading would count them.
	Events uint64
	Bytes  uint64
	// Behind is the age of the oldest message not yet applied; 0 when there is
	// none. It is measured once a second.
	Behind time.Duration
	// Since the run started, in this process: events applied, those of them that
	// were duplicates, failed attempts, and why the last attempt failed ("" when
	// it did not).
	Applied, Duplicates, Retries uint64
	Failure                      string
}

// Lag tells how far a projector is behind, by partition; "" asks for all
// registered projectors.
func (l *Log) Lag(projector string) []Lag {
	now := l.opts.Clock.Now().UnixMicro()
	var out []Lag
	for at, g := range l.position.snapshot(projector) {
		t := l.tails[at.partition].read()
		lag := Lag{
			Projector: at.projector, Partition: at.partition, Position: g.position, Last: t.last,
			Applied: g.events, Duplicates: g.duplicates, Retries: g.retries, Failure: g.failure,
		}
		if behind := max(g.position+1, t.first); behind <= t.last {
			lag.Messages = t.last - behind + 1
			lag.Events = uint64(float64(lag.Messages) * t.events)
			lag.Bytes = uint64(float64(lag.Messages) * t.bytes)
			age := g.lookedAt - g.oldestAt // of the oldest at the last look
			if g.oldest == behind {
				age = now - g.oldestAt
			}
			lag.Behind = max(0, time.Duration(age)*time.Microsecond)
		}
		out = append(out, lag)
	}
	slices.SortFunc(out, func(a, b Lag) int {
		return cmp.Or(cmp.Compare(a.Projector, b.Projector), cmp.Compare(a.Partition, b.Partition))
	})
	return out
}

// tails is the end of each partition as far as this process knows.
type tails []*tail

type tail struct {
	mu          sync.Mutex
	first, last uint64
	events      float64 // events a message, mean of the recent ones
	bytes       float64 // bytes a message
}

func (t *tail) read() (copied struct {
	first, last   uint64
	events, bytes float64
}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	copied.first, copied.last, copied.events, copied.bytes = t.first, t.last, t.events, t.bytes
	return copied
}

// saw takes note of a message that was written or read.
func (t *tail) saw(seq uint64, events, bytes int) {
	const weight = 1.0 / 64
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = max(t.last, seq)
	if t.events == 0 {
		t.events, t.bytes = float64(events), float64(bytes)
		return
	}
	t.events += weight * (float64(events) - t.events)
	t.bytes += weight * (float64(bytes) - t.bytes)
}

// pollTail asks the server for the ends of a partition, and for a first
// estimate of its messages where none was seen yet.
func (l *Log) pollTail(ctx context.Context, p int) error {
	first, last, err := l.Bounds(ctx, p)
	if err != nil {
		return err
	}
	if l.tails[p] == nil {
		l.tails[p] = &tail{}
	}
	t := l.tails[p]
	t.mu.Lock()
	t.first, t.last = first, max(t.last, last)
	unseen := t.events == 0 && first <= last
	t.mu.Unlock()
	if !unseen {
		return nil
	}
	h, size, err := l.headOf(ctx, p, last)
	if err == nil { // it may have expired meanwhile; only an estimate is lost
		t.saw(last, h.count, size)
	}
	return nil
}

// headOf reads the clear head of one message and its size. Of a message that
// has no readable head only the time is known, from the server.
func (l *Log) headOf(ctx context.Context, p int, seq uint64) (head, int, error) {
	m, err := l.streams[p].GetMsg(ctx, seq)
	if err != nil {
		return head{}, 0, fmt.Errorf("message %d of partition %d: %w", seq, p, err)
	}
	h, err := parseHead(m.Data)
	if err != nil {
		h = head{written: m.Time.UnixMicro()}
	}
	return h, len(m.Data), nil
}

// findOldest learns when the oldest message was written that each projector has
// not applied yet.
func (l *Log) findOldest(ctx context.Context) error {
	for at, g := range l.position.snapshot("") {
		t := l.tails[at.partition].read()
		want := max(g.position+1, t.first)
		if want > t.last {
			l.position.update(at, func(g *progress) { g.lookedAt = g.oldestAt })
			continue
		}
		if want == g.oldest {
			continue
		}
		h, _, err := l.headOf(ctx, at.partition, want)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // expired meanwhile
		}
		if err != nil {
			return err
		}
		l.position.update(at, func(g *progress) { g.oldest, g.oldestAt, g.lookedAt = want, h.written, l.opts.Clock.Now().UnixMicro() })
	}
	return nil
}

const backlogKey = "eventlog.error.backlog"

// refusal is why Append refuses at the moment.
type refusal struct {
	text  string
	key   string
	after time.Duration
}

// accepting is nil while Append may take events.
func (l *Log) accepting() error {
	r := l.refusal.Load()
	if r == nil {
		return nil
	}
	return retryAfter(errs.Unavailable(r.key, "%s", r.text), r.after)
}

// measure decides whether Append refuses: from when a projector passes a bound
// until it is back under four fifths of it.
func (l *Log) measure() {
	if err := l.checkDisk(); err != nil {
		l.refuse(&refusal{text: err.Error(), key: "eventlog.error.disk", after: 10 * time.Second})
		return
	}
	bound := 1.0
	if r := l.refusal.Load(); r != nil && r.key == backlogKey {
		bound = 0.8
	}
	worst, share := Lag{}, 0.0
	for _, lag := range l.Lag("") {
		if s := l.opts.Backlog.share(lag); s > share {
			worst, share = lag, s
		}
	}
	if share <= bound {
		l.refuse(nil)
		return
	}
	l.refuse(&refusal{
		text: fmt.Sprintf("the projector %s is %d events and %s behind in partition %d", worst.Projector, worst.Events, worst.Behind.Round(time.Second), worst.Partition),
		key:  backlogKey,
		// It has share-0.8 of the bound to catch up with; a few seconds spread
		// the return of those who were refused.
		after: min(30*time.Second, time.Duration(2*share*float64(time.Second))),
	})
}

// share is the part of the nearest bound that a lag takes; above 1 it is passed.
func (b Backlog) share(lag Lag) float64 {
	share := 0.0
	if b.Events > 0 {
		share = max(share, float64(lag.Events)/float64(b.Events))
	}
	if b.Bytes > 0 {
		share = max(share, float64(lag.Bytes)/float64(b.Bytes))
	}
	if b.Seconds > 0 {
		share = max(share, float64(lag.Behind)/float64(b.Seconds))
	}
	return share
}

func (l *Log) refuse(r *refusal) {
	before := l.refusal.Swap(r)
	switch {
	case r != nil && (before == nil || before.key != r.key):
		l.opts.Logger.Error("the event log refuses events", "reason", r.text)
	case r == nil && before != nil:
		l.opts.Logger.Info("the event log takes events again")
	}
}
