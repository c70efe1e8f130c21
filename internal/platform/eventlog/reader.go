package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"omote/internal/platform/clock"
)

// reader gives the messages of a partition in order from a sequence on. It
// survives the loss of a connection, of the consumer and of the server.
type reader struct {
	log       *Log
	partition int
	next      uint64 // sequence it reads next
	iter      jetstream.MessagesContext
	dec       decoder
}

func (l *Log) newReader(partition int, from uint64) *reader {
	return &reader{log: l, partition: partition, next: from, dec: decoder{sealer: l.sealer}}
}

// fetched is a message as it is stored.
type fetched struct {
	seq  uint64
	data []byte
}

// read waits for the next message. It returns only with a message or when ctx
// ends; a gap in the sequences is the caller's to judge.
func (r *reader) read(ctx context.Context) (fetched, error) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		m, err := r.try(ctx)
		if err == nil {
			return m, nil
		}
		if ctx.Err() != nil {
			return fetched{}, ctx.Err()
		}
		r.close()
		if !errors.Is(err, jetstream.ErrNoHeartbeat) && !errors.Is(err, nats.ErrNoResponders) {
			r.log.opts.Logger.Warn("reading the event log is tried again", "partition", r.partition, "error", err)
		}
		if err := clock.Sleep(ctx, wait); err != nil {
			return fetched{}, err
		}
	}
}

func (r *reader) try(ctx context.Context) (fetched, error) {
	if r.iter == nil {
		if err := r.subscribe(ctx); err != nil {
			return fetched{}, err
		}
	}
	for {
		m, err := r.iter.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fetched{}, err
		}
		meta, err := m.Metadata()
		if err != nil {
			return fetched{}, err
		}
		if meta.Sequence.Stream < r.next {
			continue
		}
		r.next = meta.Sequence.Stream + 1
		return fetched{meta.Sequence.Stream, m.Data()}, nil
	}
}

func (r *reader) subscribe(ctx context.Context) error {
	consumer, err := r.log.js.OrderedConsumer(ctx, r.log.streamName(r.partition), jetstream.OrderedConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       r.next,
		InactiveThreshold: time.Minute,
		MaxResetAttempts:  1,
	})
	if err != nil {
		return fmt.Errorf("read partition %d from %d: %w", r.partition, r.next, err)
	}
	r.iter, err = consumer.Messages(jetstream.PullMaxMessages(32), jetstream.PullExpiry(10*time.Second), jetstream.PullHeartbeat(2*time.Second))
	if err != nil {
		return fmt.Errorf("read partition %d from %d: %w", r.partition, r.next, err)
	}
	return nil
}

func (r *reader) close() {
	if r.iter != nil {
		r.iter.Stop()
		r.iter = nil
	}
}

// open decodes the head of a message and uncovers its events; raw is valid
// until the next call.
func (r *reader) open(ctx context.Context, m fetched) (head, []byte, error) {
	return r.dec.open(ctx, r.log.streamName(r.partition), m.data)
}
