package eventlog

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// part is what one Append contributes to one partition: count events encoded
// one after another.
type part struct {
	partition int
	raw       *[]byte
	count     int
	done      chan<- outcome
}

// outcome tells an Append that one of its parts is durable at seq, or is not.
type outcome struct {
	partition int
	seq       uint64
	err       error
}

var rawPool = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

// committer makes the parts of one partition durable, a group at a time and one
// group in flight, so that the order in which parts were queued is the order of
// the log even when a publish fails. While a group is being flushed the next
// one gathers: the slower the disk, the larger the groups.
type committer struct {
	log       *Log
	partition int
	queue     chan part
	waiting   atomic.Int64 // bytes queued and in the open group

	enc    encoder
	raw    []byte
	parts  []part
	events int
	size   int           // bytes of the stored message
	crowd  int           // parts in the last group
	last   time.Duration // how long the last publish took
}

func newCommitter(l *Log, partition int) *committer {
	return &committer{log: l, partition: partition, queue: make(chan part, 4096), enc: encoder{sealer: l.sealer}}
}

// run commits until the queue is closed and drained.
func (c *committer) run() {
	for first := range c.queue {
		c.gather(first)
		c.commit()
	}
}

// gather opens a group with first, takes what waits, and, when the last group
// had company, waits for the same company up to the group delay.
func (c *committer) gather(first part) {
	c.raw, c.parts, c.events = c.raw[:0], c.parts[:0], 0
	c.add(first)
	for !c.full() {
		select {
		case p, ok := <-c.queue:
			if !ok {
				return
			}
			c.add(p)
			continue
		default:
		}
		break
	}
	if len(c.parts) >= c.crowd || c.full() {
		return
	}
	delay := time.NewTimer(min(c.log.opts.GroupDelay, c.last))
	defer delay.Stop()
	for len(c.parts) < c.crowd && !c.full() {
		select {
		case p, ok := <-c.queue:
			if !ok {
				return
			}
			c.add(p)
		case <-delay.C:
			return
		}
	}
}

func (c *committer) full() bool {
	return len(c.raw) >= c.log.opts.GroupBytes || c.events >= maxGroupEvents
}

// add copies a part into the group and returns its buffer to the pool.
func (c *committer) add(p part) {
	c.raw = append(c.raw, *p.raw...)
	c.events += p.count
	*p.raw = (*p.raw)[:0]
	rawPool.Put(p.raw)
	p.raw = nil
	c.parts = append(c.parts, p)
}

// commit publishes the group, waits until it is durable and tells every part.
func (c *committer) commit() {
	seq, err := c.publish()
	if err == nil {
		c.log.stats.groups.Add(1)
		c.log.stats.events.Add(uint64(c.events))
		c.log.stats.bytes.Add(uint64(c.size))
		c.log.tails[c.partition].saw(seq, c.events, c.size)
	} else {
		c.log.stats.failures.Add(1)
	}
	c.waiting.Add(-int64(len(c.raw)))
	for _, p := range c.parts {
		p.done <- outcome{partition: c.partition, seq: seq, err: err}
	}
	c.crowd = len(c.parts)
	clear(c.parts)
}

func (c *committer) publish() (uint64, error) {
	ctx, cancel := context.WithTimeout(c.log.life, c.log.opts.AckTimeout)
	defer cancel()
	stream := c.log.streamName(c.partition)
	message, err := c.enc.message(ctx, stream, c.raw, c.events, c.log.opts.Clock.Now().UnixMicro())
	if err != nil {
		return 0, err
	}
	start := time.Now()
	ack, err := c.log.js.Publish(ctx, c.log.subject(c.partition), message, jetstream.WithExpectStream(stream))
	c.last = time.Since(start)
	if err != nil {
		c.log.writeFailed()
		return 0, err
	}
	if err := c.log.flushBlockDir(c.partition); err != nil {
		return 0, err
	}
	c.size = len(message)
	return ack.Sequence, nil
}
