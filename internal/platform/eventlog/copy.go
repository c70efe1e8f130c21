package eventlog

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"omote/internal/platform/errs"
)

// Span is the stretch of a partition that a copy holds, both ends included;
// First is Last+1 when it holds nothing.
type Span struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Messages is how many messages the span holds.
func (s Span) Messages() uint64 { return s.Last + 1 - s.First }

// Copy writes the messages that a partition holds at this moment, as they are
// stored: encrypted, each with its length before it (big endian, 4 bytes). What
// projectors have applied is copied too, as far as it is kept, because the
// duplicate decision looks back at it.
func (l *Log) Copy(ctx context.Context, partition int, w io.Writer) (Span, error) {
	first, last, err := l.Bounds(ctx, partition)
	if err != nil {
		return Span{}, err
	}
	s := Span{First: first, Last: last}
	out := bufio.NewWriterSize(w, 1<<20)
	r := l.newReader(partition, first)
	defer r.close()
	for next := first; next <= last; next++ {
		m, err := r.read(ctx)
		if err != nil {
			return s, err
		}
		if m.seq != next {
			if next != s.First {
				return s, errs.Unavailable("eventlog.error.copy", "messages %d to %d expired while they were copied; copy again", next, m.seq-1)
			}
			if m.seq > last { // all that was there has expired
				return Span{First: last + 1, Last: last}, out.Flush()
			}
			s.First, next = m.seq, m.seq
		}
		if err := writeFrame(out, m.data); err != nil {
			return s, fmt.Errorf("copy message %d: %w", m.seq, err)
		}
	}
	return s, out.Flush()
}

func writeFrame(w io.Writer, data []byte) error {
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(data)))
	if _, err := w.Write(size[:]); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxMessage {
		return nil, fmt.Errorf("%w: a message of %d bytes", ErrPayload, n)
	}
	data := make([]byte, n)
	_, err := io.ReadFull(r, data)
	return data, err
}

// Restore makes a log of what Copy wrote, one span and one reader a partition.
// Every message gets the sequence that it had, so that projectors go on from the
// positions that they remember. There must be no log yet.
func Restore(ctx context.Context, opts Options, spans []Span, open func(partition int) (io.ReadCloser, error)) (err error) {
	opts.Partitions = len(spans)
	if opts, err = opts.withDefaults(); err != nil {
		return err
	}
	l := &Log{opts: opts, sealer: newSealer(opts.Keys), ill: make(chan struct{}, 1)}
	l.life, l.end = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		l.end()
		l.disconnect()
	}()
	if err := l.connect(); err != nil {
		return err
	}
	if l.js, err = jetstream.New(l.conn, jetstream.WithDefaultTimeout(opts.AckTimeout)); err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	if _, err := l.js.Stream(ctx, l.streamName(0)); !errors.Is(err, jetstream.ErrStreamNotFound) {
		return errors.Join(errs.Conflict("eventlog.error.exists", "there is an event log already"), err)
	}
	for p, s := range spans {
		stream, err := l.createStream(ctx, p, s.First)
		if err != nil {
			return fmt.Errorf("make partition %d of the event log: %w", p, err)
		}
		l.streams = append(l.streams, stream)
	}
	if err := l.openBlockDirs(); err != nil {
		return err
	}
	for p, s := range spans {
		if err := l.refill(ctx, p, s, open); err != nil {
			return fmt.Errorf("restore partition %d of the event log: %w", p, err)
		}
	}
	if l.embedded == nil {
		return nil
	}
	l.embedded.stop()
	return syncTails(l.embedded.dir)
}

// refill publishes the messages of a copy in their order.
func (l *Log) refill(ctx context.Context, partition int, s Span, open func(int) (io.ReadCloser, error)) error {
	in, err := open(partition)
	if err != nil {
		return err
	}
	defer in.Close()
	r := bufio.NewReaderSize(in, 1<<20)
	for seq := s.First; seq <= s.Last; seq++ {
		data, err := readFrame(r)
		if err != nil {
			return fmt.Errorf("read message %d: %w", seq, err)
		}
		if err := l.republish(ctx, partition, seq, data); err != nil {
			return err
		}
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return fmt.Errorf("the copy holds more than the messages %d to %d", s.First, s.Last)
	}
	return l.flushBlockDir(partition)
}

func (l *Log) republish(ctx context.Context, partition int, seq uint64, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, max(l.opts.AckTimeout, time.Second))
	defer cancel()
	ack, err := l.js.Publish(ctx, l.subject(partition), data, jetstream.WithExpectStream(l.streamName(partition)))
	if err != nil {
		return fmt.Errorf("store message %d: %w", seq, err)
	}
	if ack.Sequence != seq {
		return fmt.Errorf("message %d was stored as %d", seq, ack.Sequence)
	}
	return nil
}
