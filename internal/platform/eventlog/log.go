package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Log is an open event log. It is safe for concurrent use.
type Log struct {
	opts      Options
	embedded  *embedded // nil with an external cluster
	conn      *nats.Conn
	js        jetstream.JetStream
	streams   []jetstream.Stream // by partition
	blockDirs []*blockDir        // by partition; none with an external cluster
	sealer    *sealer

	committers []*committer
	committing sync.WaitGroup
	closing    sync.RWMutex // held for reading while parts are queued
	closed     bool

	tails    tails
	position *positions
	refusal  atomic.Pointer[refusal] // set while Append must refuse
	stats    counters

	ill        chan struct{} // a write failed
	life       context.Context
	end        context.CancelFunc
	background sync.WaitGroup
}

type counters struct{ events, groups, bytes, failures atomic.Uint64 }

// Stats counts what this process has appended since it opened the log.
type Stats struct {
	Events   uint64 // durable events
	Groups   uint64 // messages they were stored in
	Bytes    uint64 // stored bytes
	Failures uint64 // groups that could not be stored
}

// Stats gives the counters of the log.
func (l *Log) Stats() Stats {
	return Stats{l.stats.events.Load(), l.stats.groups.Load(), l.stats.bytes.Load(), l.stats.failures.Load()}
}

// Open opens the log, creating it where it does not exist. An external cluster
// that does not prove that it flushes before it acknowledges is refused with
// [ErrUnsynced].
func Open(ctx context.Context, opts Options) (*Log, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &Log{opts: opts, sealer: newSealer(opts.Keys), ill: make(chan struct{}, 1)}
	l.life, l.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := l.open(ctx); err != nil {
		l.end()
		l.disconnect()
		return nil, err
	}
	return l, nil
}

func (l *Log) open(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := l.connect(); err != nil {
		return err
	}
	if l.js, err = jetstream.New(l.conn, jetstream.WithDefaultTimeout(l.opts.AckTimeout)); err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	if err := l.openStreams(ctx); err != nil {
		return err
	}
	if err := l.openBlockDirs(); err != nil {
		return err
	}
	if l.opts.URL != "" && !l.opts.AllowUnsynced {
		if err := l.proveSynced(ctx); err != nil {
			return err
		}
	}
	if err := l.openPositions(ctx); err != nil {
		return err
	}
	l.tails = make(tails, len(l.streams))
	for p := range l.streams {
		if err := l.pollTail(ctx, p); err != nil {
			return err
		}
	}
	l.startBackground()
	return nil
}

func (l *Log) startBackground() {
	for p := range l.streams {
		c := newCommitter(l, p)
		l.committers = append(l.committers, c)
		l.committing.Go(c.run)
	}
	l.background.Go(l.monitor)
	l.background.Go(l.expire)
	if l.embedded != nil {
		l.background.Go(l.heal)
	}
}

func (l *Log) connect() (err error) {
	options := []nats.Option{
		nats.Name("omote"), nats.MaxReconnects(-1), nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectBufSize(-1), // a publish without a connection fails at once, it is not kept for later
	}
	options = append(options, l.opts.Connect...)
	url := l.opts.URL
	if l.opts.Dir != "" {
		if l.embedded, err = startEmbedded(l.opts.Dir, l.opts.unsynced, l.opts.Logger); err != nil {
			return err
		}
		options = append(options, nats.InProcessServer(l.embedded))
	}
	if l.conn, err = nats.Connect(url, options...); err != nil {
		return fmt.Errorf("connect to the event log: %w", err)
	}
	if need := int64(2*l.opts.GroupBytes + maxEvent + 4096); l.conn.MaxPayload() < need {
		return fmt.Errorf("the NATS server accepts messages of %d bytes; set max_payload to at least %d, or a smaller group size", l.conn.MaxPayload(), need)
	}
	return nil
}

func (l *Log) streamName(partition int) string {
	return fmt.Sprintf("%s_log_%d", l.opts.Name, partition)
}
func (l *Log) subject(partition int) string { return fmt.Sprintf("%s.log.%d", l.opts.Name, partition) }

const metaPartitions = "omote_partitions"

// openStreams opens one stream a partition. The number of partitions is written
// on the first stream and never changes, because it decides the order of keys.
func (l *Log) openStreams(ctx context.Context) error {
	first, err := l.js.Stream(ctx, l.streamName(0))
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		if l.opts.Partitions == 0 {
			l.opts.Partitions = defaultEmbeddedPartitions
			if l.opts.URL != "" {
				l.opts.Partitions = defaultExternalPartitions
			}
		}
	case err != nil:
		return fmt.Errorf("open the event log: %w", err)
	default:
		n, err := strconv.Atoi(first.CachedInfo().Config.Metadata[metaPartitions])
		if err != nil || n < 1 || n > maxPartitions {
			return fmt.Errorf("the stream %s was not made by Omote", l.streamName(0))
		}
		if l.opts.Partitions != 0 && l.opts.Partitions != n {
			return fmt.Errorf("the log has %d partitions, which cannot be changed to %d: the order of a customer's events depends on it", n, l.opts.Partitions)
		}
		l.opts.Partitions = n
	}
	for p := range l.opts.Partitions {
		s, err := l.openStream(ctx, p)
		if err != nil {
			return fmt.Errorf("open partition %d of the event log: %w", p, err)
		}
		l.streams = append(l.streams, s)
	}
	return nil
}

// openStream opens or creates the stream of a partition. Sequences of a new
// stream begin at the creation time in milliseconds, not at one: should a log
// be deleted and made again, its sequences lie above those that projectors
// remember, and the loss is noticed instead of new events being skipped.
func (l *Log) openStream(ctx context.Context, p int) (jetstream.Stream, error) {
	s, err := l.js.Stream(ctx, l.streamName(p))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = l.createStream(ctx, p, uint64(l.opts.Clock.Now().UnixMilli()))
	}
	if err != nil {
		return nil, err
	}
	cfg := s.CachedInfo().Config
	switch {
	case cfg.Storage != jetstream.FileStorage || cfg.PersistMode == jetstream.AsyncPersistMode:
		return nil, fmt.Errorf("the stream %s does not keep its messages on disk before it acknowledges", cfg.Name)
	case cfg.Replicas != l.opts.Replicas:
		return nil, fmt.Errorf("the stream %s has %d replicas, not %d", cfg.Name, cfg.Replicas, l.opts.Replicas)
	case cfg.MaxAge != 0 || cfg.MaxBytes > 0 || cfg.MaxMsgs > 0:
		return nil, fmt.Errorf("the stream %s has limits of its own, which would delete events that were not applied", cfg.Name)
	}
	return s, nil
}

// createStream makes the stream of a partition whose first message will have
// the sequence first.
func (l *Log) createStream(ctx context.Context, p int, first uint64) (jetstream.Stream, error) {
	return l.js.CreateStream(ctx, jetstream.StreamConfig{
		Name:       l.streamName(p),
		Subjects:   []string{l.subject(p)},
		Storage:    jetstream.FileStorage,
		Retention:  jetstream.LimitsPolicy,
		Discard:    jetstream.DiscardNew,
		Replicas:   l.opts.Replicas,
		MaxMsgSize: maxMessage,
		FirstSeq:   first,
		DenyDelete: true,
		Metadata:   map[string]string{metaPartitions: strconv.Itoa(l.opts.Partitions)},
	})
}

// Partitions is the number of partitions of the log.
func (l *Log) Partitions() int { return len(l.streams) }

// Bounds gives the first and last sequence that a partition holds; first is
// last+1 when it holds none.
func (l *Log) Bounds(ctx context.Context, partition int) (first, last uint64, err error) {
	if partition < 0 || partition >= len(l.streams) {
		return 0, 0, fmt.Errorf("eventlog: there is no partition %d", partition)
	}
	info, err := l.streams[partition].Info(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("bounds of partition %d: %w", partition, err)
	}
	first, last = info.State.FirstSeq, info.State.LastSeq
	if info.State.Msgs == 0 {
		first = last + 1
	}
	return first, last, nil
}

// Close stops taking events, makes durable what was queued, stops the runs of
// projectors and the embedded server. A run in progress is given a moment to
// finish its batch.
func (l *Log) Close(ctx context.Context) error {
	l.closing.Lock()
	if l.closed {
		l.closing.Unlock()
		return nil
	}
	l.closed = true
	for _, c := range l.committers {
		close(c.queue)
	}
	l.closing.Unlock()

	drained := make(chan struct{})
	go func() {
		l.committing.Wait()
		close(drained)
	}()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = fmt.Errorf("close the event log: groups were still being stored: %w", ctx.Err())
	}
	l.end()
	<-drained
	l.background.Wait()
	err = errors.Join(err, l.savePositions(ctx))
	l.disconnect()
	return err
}

func (l *Log) disconnect() {
	if l.conn != nil {
		l.conn.Close()
	}
	_ = l.closeBlockDirs() // they were only read and flushed
	if l.embedded != nil {
		l.embedded.close()
	}
}
