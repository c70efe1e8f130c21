package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// positions is what each registered projector has applied, by partition. The
// truth lies with the projector's own data; what is kept here serves lag,
// back-pressure and retention, also for projectors that run on other nodes or
// do not run at all. It is written to a bucket of the log once a second.
type positions struct {
	bucket jetstream.KeyValue

	mu      sync.Mutex
	of      map[place]*progress
	changed chan struct{} // closed and replaced when anything moves
}

type place struct {
	projector string
	partition int
}

func (p place) key() string { return p.projector + "." + strconv.Itoa(p.partition) }

func parsePlace(key string) (place, bool) {
	name, number, ok := strings.Cut(key, ".")
	n, err := strconv.Atoi(number)
	return place{name, n}, ok && err == nil && n >= 0
}

// progress is how far a projector is in one partition.
type progress struct {
	position uint64
	saved    uint64 // as it stands in the bucket
	local    bool   // a run in this process keeps it
	oldest   uint64 // the oldest message not yet applied, when it was last looked at
	oldestAt int64  // when that message was written; microseconds
	lookedAt int64  // when it was looked at; microseconds

	events, duplicates, retries uint64

	failure string // why the last attempt failed, "" after a success
}

func (l *Log) openPositions(ctx context.Context) error {
	bucket, err := l.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:   l.opts.Name + "_positions",
		Storage:  jetstream.FileStorage,
		Replicas: l.opts.Replicas,
	})
	if err != nil {
		return fmt.Errorf("open the positions of projectors: %w", err)
	}
	l.position = &positions{bucket: bucket, of: map[place]*progress{}, changed: make(chan struct{})}
	return l.loadPositions(ctx)
}

// loadPositions takes over what other nodes, or an earlier process, have written.
func (l *Log) loadPositions(ctx context.Context) error {
	keys, err := l.position.bucket.Keys(ctx)
	if errors.Is(err, jetstream.ErrNoKeysFound) {
		keys, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("read the positions of projectors: %w", err)
	}
	known := map[place]bool{}
	for _, key := range keys {
		at, ok := parsePlace(key)
		if !ok || at.partition >= len(l.streams) {
			continue
		}
		entry, err := l.position.bucket.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue // forgotten meanwhile
		}
		if err != nil {
			return fmt.Errorf("read the position of %s: %w", key, err)
		}
		seq, err := strconv.ParseUint(string(entry.Value()), 10, 64)
		if err != nil {
			continue
		}
		known[at] = true
		l.position.load(at, seq)
	}
	l.position.dropUnknown(known)
	return nil
}

func (p *positions) load(at place, seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.of[at]
	if g == nil {
		g = &progress{}
		p.of[at] = g
	}
	g.saved = seq
	if !g.local && g.position != seq {
		g.position = seq
		p.notify()
	}
}

// dropUnknown forgets what another node has forgotten.
func (p *positions) dropUnknown(known map[place]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for at, g := range p.of {
		if !known[at] && !g.local {
			delete(p.of, at)
		}
	}
}

// notify wakes whoever waits for a change; the lock is held.
func (p *positions) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// update changes the progress of a projector under the lock.
func (p *positions) update(at place, change func(*progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.of[at]
	if g == nil {
		g = &progress{}
		p.of[at] = g
	}
	before := g.position
	change(g)
	if g.position != before {
		p.notify()
	}
}

// take marks a place as run by this process; false when it is already.
func (p *positions) take(at place) (free bool) {
	p.update(at, func(g *progress) {
		free = !g.local
		g.local = true
	})
	return free
}

// snapshot copies the progress of one projector, or of all for "".
func (p *positions) snapshot(projector string) map[place]progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[place]progress, len(p.of))
	for at, g := range p.of {
		if projector == "" || at.projector == projector {
			out[at] = *g
		}
	}
	return out
}

// savePositions writes what moved in this process since the last time.
func (l *Log) savePositions(ctx context.Context) error {
	for at, g := range l.position.snapshot("") {
		if g.position == g.saved {
			continue
		}
		if _, err := l.position.bucket.Put(ctx, at.key(), strconv.AppendUint(nil, g.position, 10)); err != nil {
			return fmt.Errorf("save the position of %s: %w", at.key(), err)
		}
		l.position.update(at, func(now *progress) { now.saved = g.position })
	}
	return nil
}

// Forget removes a projector that will not run again. Until then the log keeps
// messages for it (up to the retention limit) and refuses to run too far ahead
// of it.
func (l *Log) Forget(ctx context.Context, projector string) error {
	for at := range l.position.snapshot(projector) {
		if err := l.position.bucket.Delete(ctx, at.key()); err != nil {
			return fmt.Errorf("forget the projector %s: %w", projector, err)
		}
		l.position.mu.Lock()
		delete(l.position.of, at)
		l.position.mu.Unlock()
	}
	l.measure()
	return nil
}

// WaitFor returns when the projector has applied every partition of positions
// up to its sequence, or with the error of ctx. Give it a [Receipt].
func (l *Log) WaitFor(ctx context.Context, projector string, positions map[int]uint64) error {
	for {
		l.position.mu.Lock()
		changed, reached := l.position.changed, true
		for partition, seq := range positions {
			g := l.position.of[place{projector, partition}]
			reached = reached && g != nil && g.position >= seq
		}
		l.position.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the projector %s: %w", projector, ctx.Err())
		case <-l.life.Done():
			return l.unavailable(errClosed)
		}
	}
}

// monitor measures lag ten times a second, and once a second exchanges
// positions with the other nodes.
func (l *Log) monitor() {
	fast := time.NewTicker(100 * time.Millisecond)
	defer fast.Stop()
	for round := 0; ; round++ {
		select {
		case <-l.life.Done():
			return
		case <-fast.C:
		}
		if round%10 == 0 {
			if err := l.exchange(); err != nil && l.life.Err() == nil {
				l.opts.Logger.Warn("the event log could not exchange positions", "error", err)
			}
		}
		l.measure()
	}
}

func (l *Log) exchange() error {
	ctx, cancel := context.WithTimeout(l.life, 5*time.Second)
	defer cancel()
	if err := l.savePositions(ctx); err != nil {
		return err
	}
	if l.embedded == nil { // others write, read and delete too
		if err := l.loadPositions(ctx); err != nil {
			return err
		}
		for p := range l.streams {
			if err := l.pollTail(ctx, p); err != nil {
				return err
			}
		}
	}
	return l.findOldest(ctx)
}

// applied moves the progress to the end of a batch.
func (g *progress) applied(b Batch) {
	g.position, g.failure = b.Last, ""
	g.events += uint64(len(b.Records))
	for i := range b.Records {
		if b.Records[i].Duplicate {
			g.duplicates++
		}
	}
}
