package eventlog

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

// Record is one event as it stands in the log.
type Record struct {
	event.Event
	Partition int
	Seq       uint64 // of the message that holds it
	Index     int    // place within the message, from 0
	// Duplicate marks an event that was stored before; it must have no effect.
	Duplicate bool
}

// Batch is a stretch of a partition in whole messages: First to Last.
type Batch struct {
	Partition int
	// After is the position that the projector must stand at: what Position
	// gave, or the end of the batch before. It is First-1 except at the beginning
	// and after a loss that was accepted. A projector that finds another position
	// in its transaction answers with a conflict and changes nothing.
	After       uint64
	First, Last uint64
	Records     []Record
}

// Projector turns the log into state of its own.
type Projector interface {
	// Name identifies it among the projectors of the log: 1–64 lower-case
	// letters, digits, '_' or '-'.
	Name() string
	// Position is the last sequence of the partition that Apply has committed, 0
	// for none.
	Position(ctx context.Context, partition int) (uint64, error)
	// Apply commits the effects of the batch and the position Batch.Last in one
	// transaction of the projector's own engine. When it returns an error the
	// same batch is given again, after a pause. An error of kind
	// [errs.KindConflict] says that somebody else moved the position; reading
	// then starts again from there. The batch may be kept, but not changed.
	Apply(ctx context.Context, b Batch) error
}

// RunOptions set how a projector is fed. Zero fields take the defaults.
type RunOptions struct {
	// Partitions to read; nil for all.
	Partitions []int
	// MaxEvents closes a batch (default 5,000). A batch is never smaller than
	// one message.
	MaxEvents int
	// MaxHistory closes a batch of nothing but history (default MaxEvents). Nobody
	// waits for history to be seen, and large transactions touch each page once.
	MaxHistory int
	// MaxDelay is how long a batch may wait for more events after its first
	// (default 0: what is there is applied at once).
	MaxDelay time.Duration
	// Grace is how long a batch in progress may take after ctx ended (default 10 s).
	Grace time.Duration
	// SkipLost goes on after messages that are gone or cannot be opened, each
	// reported as an error. Without it Run stops at messages that are gone, and
	// waits at one that cannot be opened.
	SkipLost bool
}

// ErrLost is returned by Run when the log no longer holds the messages that
// follow the projector's position, or ends before it: the log was deleted or
// restored, or the projector stood still for longer than the retention limit.
var ErrLost = errors.New("eventlog: the log does not continue where the projector stopped")

var validProjector = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// Run feeds the projector until ctx or the log ends (then it returns nil) or the
// log cannot be continued ([ErrLost]). Each partition is read in order by its
// own goroutines, so Apply is called concurrently for different partitions.
func (l *Log) Run(ctx context.Context, p Projector, o RunOptions) error {
	if !validProjector.MatchString(p.Name()) {
		return fmt.Errorf("eventlog: the projector name %q is not 1–64 lower-case letters, digits, '_' or '-'", p.Name())
	}
	if o.MaxEvents == 0 {
		o.MaxEvents = 5000
	}
	o.MaxHistory = max(o.MaxHistory, o.MaxEvents)
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	if o.Partitions == nil {
		for i := range l.streams {
			o.Partitions = append(o.Partitions, i)
		}
	}
	if !l.hold() {
		return l.unavailable(errClosed)
	}
	defer l.background.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.life, cancel)()

	group, ctx := errgroup.WithContext(ctx)
	for _, partition := range o.Partitions {
		if partition < 0 || partition >= len(l.streams) {
			return fmt.Errorf("eventlog: there is no partition %d", partition)
		}
		r := &runner{log: l, projector: p, opts: o, at: place{p.Name(), partition}}
		group.Go(func() error { return r.run(ctx) })
	}
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// hold keeps the log open until background.Done; false when it is closed.
func (l *Log) hold() bool {
	l.closing.RLock()
	defer l.closing.RUnlock()
	if l.closed {
		return false
	}
	l.background.Add(1)
	return true
}

// runner feeds one projector from one partition.
type runner struct {
	log       *Log
	projector Projector
	opts      RunOptions
	at        place
}

// run reads from the position, and again from there after a conflict.
func (r *runner) run(ctx context.Context) error {
	if !r.log.position.take(r.at) {
		return fmt.Errorf("eventlog: the projector %s runs already on partition %d", r.at.projector, r.at.partition)
	}
	defer r.log.position.update(r.at, func(g *progress) { g.local = false })
	for {
		stands, err := r.position(ctx)
		if err != nil {
			return err
		}
		position, err := r.check(ctx, stands)
		if err != nil {
			return err
		}
		r.log.position.update(r.at, func(g *progress) { g.position = position })
		if err := r.follow(ctx, stands, position+1); !errors.Is(err, errMoved) {
			return err
		}
		r.log.opts.Logger.Warn("another process moved the position of a projector; reading starts again from there", "projector", r.at.projector, "partition", r.at.partition)
	}
}

var errMoved = errors.New("the position was moved")

// position asks the projector where it stands until it answers.
func (r *runner) position(ctx context.Context) (position uint64, err error) {
	err = r.persist(ctx, "read the position", func() error {
		position, err = r.projector.Position(ctx, r.at.partition)
		return err
	})
	return position, err
}

// check compares a position with what the log holds.
func (r *runner) check(ctx context.Context, position uint64) (uint64, error) {
	var first, last uint64
	err := r.persist(ctx, "read the bounds", func() (err error) {
		first, last, err = r.log.Bounds(ctx, r.at.partition)
		return err
	})
	switch {
	case err != nil:
		return 0, err
	case position == 0:
		return first - 1, nil
	case position >= first-1 && position <= last:
		return position, nil
	}
	err = fmt.Errorf("%w: projector %s, partition %d, position %d, log %d to %d", ErrLost, r.at.projector, r.at.partition, position, first, last)
	if !r.opts.SkipLost {
		return 0, err
	}
	r.log.opts.Logger.Error("events are lost to a projector; it goes on with what the log holds", "error", err)
	return first - 1, nil
}

// persist repeats what fails, with growing pauses, until it succeeds or ctx ends.
func (r *runner) persist(ctx context.Context, what string, try func() error) error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 15*time.Second) {
		err := try()
		if err == nil || ctx.Err() != nil || errs.KindOf(err) == errs.KindConflict {
			return err
		}
		r.log.position.update(r.at, func(g *progress) { g.retries++; g.failure = err.Error() })
		r.log.opts.Logger.Error("a projector is tried again", "projector", r.at.projector, "partition", r.at.partition, "step", what, "wait", wait, "error", err)
		if err := clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// decoded is a message with its events.
type decoded struct {
	seq     uint64
	written int64
	records []Record
}

// follow reads, decodes and applies from a sequence on, for a projector that
// stands at after. While a batch is applied the next one is gathered: the longer
// a transaction takes, the more the one behind it brings.
func (r *runner) follow(ctx context.Context, after, from uint64) error {
	group, ctx := errgroup.WithContext(ctx)
	messages, batches := make(chan decoded, 4), make(chan Batch)
	group.Go(func() error {
		defer close(messages)
		return r.decode(ctx, from, messages)
	})
	group.Go(func() error {
		defer close(batches)
		return r.gather(ctx, messages, batches)
	})
	group.Go(func() error { return r.applyAll(ctx, after, from, batches) })
	return group.Wait()
}

func (r *runner) decode(ctx context.Context, from uint64, out chan<- decoded) error {
	var dedup *deduper
	err := r.persist(ctx, "read the duplicate window", func() (err error) {
		dedup, err = r.log.warm(ctx, r.at.partition, from)
		return err
	})
	if err != nil {
		return err
	}
	in := r.log.newReader(r.at.partition, from)
	defer in.close()
	for {
		want := in.next
		m, err := in.read(ctx)
		if err != nil {
			return err
		}
		if m.seq != want {
			err := fmt.Errorf("%w: projector %s, partition %d: message %d was deleted before it was applied", ErrLost, r.at.projector, r.at.partition, want)
			if !r.opts.SkipLost {
				return err
			}
			r.log.opts.Logger.Error("events are lost to a projector; it goes on with what the log holds", "error", err)
		}
		d, err := r.decodeOne(ctx, in, m, dedup)
		if err != nil {
			return err
		}
		select {
		case out <- d:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// decodeOne opens a message and decides its duplicates.
func (r *runner) decodeOne(ctx context.Context, in *reader, m fetched, dedup *deduper) (decoded, error) {
	d := decoded{seq: m.seq}
	open := func() error {
		h, raw, err := in.open(ctx, m)
		if err != nil {
			return err
		}
		d.written, d.records = h.written, make([]Record, h.count)
		for i := range d.records {
			rec := &d.records[i]
			rec.Partition, rec.Seq, rec.Index = r.at.partition, m.seq, i
			if raw, err = rec.Event.Decode(raw); err != nil {
				return err
			}
		}
		if len(raw) != 0 {
			return fmt.Errorf("%w: %d bytes after the last event", ErrPayload, len(raw))
		}
		r.log.tails[r.at.partition].saw(m.seq, h.count, len(m.data))
		return nil
	}
	var err error
	if r.opts.SkipLost {
		if err = open(); err != nil {
			r.log.opts.Logger.Error("a message cannot be opened and is passed over", "projector", r.at.projector, "partition", r.at.partition, "seq", m.seq, "error", err)
			return decoded{seq: m.seq}, nil
		}
	} else {
		err = r.persist(ctx, "open a message", open)
	}
	for i := range d.records {
		e := &d.records[i].Event
		d.records[i].Duplicate = dedup.see(hashIdentity(dedup, e.Entity, e.Source, e.MessageID), d.written)
	}
	return d, err
}

// applyAll applies batches in order.
func (r *runner) applyAll(ctx context.Context, after, first uint64, in <-chan Batch) error {
	for b := range in {
		b.Partition, b.After, b.First = r.at.partition, after, first
		if err := r.apply(ctx, b); err != nil {
			return err
		}
		after, first = b.Last, b.Last+1
	}
	return ctx.Err()
}

// gather makes batches of messages. One is offered as soon as it is full or its
// first message has waited for MaxDelay, and grows until it is taken.
func (r *runner) gather(ctx context.Context, in <-chan decoded, out chan<- Batch) error {
	late := time.NewTimer(0)
	defer late.Stop()
	var b Batch
	limit := r.opts.MaxHistory
	for begun, due := false, false; ; {
		take, offer := in, out
		full := len(b.Records) >= limit
		if full {
			take = nil
		}
		if !begun || !due && !full {
			offer = nil
		}
		select {
		case d, ok := <-take:
			if !ok {
				return r.last(ctx, b, begun, out)
			}
			if !begun {
				begun, due, limit = true, r.opts.MaxDelay == 0, r.opts.MaxHistory
				late.Reset(r.opts.MaxDelay)
			}
			if slices.ContainsFunc(d.records, func(e Record) bool { return !e.History }) {
				limit = r.opts.MaxEvents
			}
			b.Last, b.Records = d.seq, append(b.Records, d.records...)
		case offer <- b:
			b, begun, due = Batch{}, false, false
		case <-late.C:
			due = begun
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// last hands over what was gathered before the messages ended.
func (r *runner) last(ctx context.Context, b Batch, begun bool, out chan<- Batch) error {
	if !begun {
		return nil
	}
	select {
	case out <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// apply hands over one batch until it is taken. After ctx ended a batch in
// progress has a grace period to finish; none is begun.
func (r *runner) apply(ctx context.Context, b Batch) error {
	finish, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(r.opts.Grace, cancel) })()
	err := r.persist(ctx, "apply", func() error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return r.projector.Apply(finish, b)
	})
	switch {
	case err == nil:
		r.log.position.update(r.at, func(g *progress) { g.applied(b) })
		return nil
	case errs.KindOf(err) == errs.KindConflict:
		return errMoved
	default:
		return err
	}
}
