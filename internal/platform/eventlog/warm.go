package eventlog

import (
	"context"
	"fmt"

	"omote/internal/platform/event"
)

// warm makes a deduper that has seen the events before sequence from, as far as
// its window reaches or the log is kept. It reads backwards in stretches,
// because only reading tells how many events a message holds.
func (l *Log) warm(ctx context.Context, partition int, from uint64) (*deduper, error) {
	first, last, err := l.Bounds(ctx, partition)
	if err != nil {
		return nil, err
	}
	d := newDeduper(l.opts.Dedup)
	end := min(from, last+1)
	var stretches [][]seen // the latest first
	events, messages := 0, uint64(0)
	for step := uint64(16); end > first && events < d.window.Events; {
		start := max(first, end-min(step, end))
		s, err := l.identities(ctx, d, partition, start, end)
		if err != nil {
			return nil, fmt.Errorf("read the duplicate window of partition %d: %w", partition, err)
		}
		stretches = append(stretches, s)
		events += len(s)
		messages += end - start
		end = start
		missing := max(0, d.window.Events-events)
		step = min(4*step, uint64(missing)*messages/uint64(max(1, events))+16)
	}
	for i := len(stretches) - 1; i >= 0; i-- {
		for _, s := range stretches[i] {
			d.see(s.hash, s.at)
		}
	}
	return d, nil
}

// identities hashes the events of the messages from start up to but without end.
func (l *Log) identities(ctx context.Context, d *deduper, partition int, start, end uint64) ([]seen, error) {
	r := l.newReader(partition, start)
	defer r.close()
	var out []seen
	for r.next < end {
		m, err := r.read(ctx)
		if err != nil {
			return nil, err
		}
		if m.seq >= end {
			break
		}
		h, raw, err := r.open(ctx, m)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", m.seq, err)
		}
		for range h.count {
			var entity, source, id []byte
			if entity, source, id, raw, err = event.Identity(raw); err != nil {
				return nil, fmt.Errorf("message %d: %w", m.seq, err)
			}
			out = append(out, seen{hashIdentity(d, entity, source, id), h.written})
		}
	}
	return out, nil
}
