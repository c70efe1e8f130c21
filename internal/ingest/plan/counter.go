package plan

import (
	"context"
	"sync"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// maxKinds bounds how many different violations are told apart between two
// flushes and within a day; the rest is counted under Other.
const maxKinds = 1_000

// Other is the name under which violations beyond the bound are counted.
const Other = "…"

type countKey struct {
	entity, source, event, property string
	reason                          Reason
}

// Counter counts violations in memory and adds them to the store now and then.
// It is safe for concurrent use; its memory does not grow with hostile input.
type Counter struct {
	clock clock.Clock
	mu    sync.Mutex
	n     map[countKey]int64
	seen  map[countKey]struct{}
	day   string
}

// NewCounter makes an empty counter.
func NewCounter(c clock.Clock) *Counter {
	return &Counter{clock: c, n: map[countKey]int64{}, seen: map[countKey]struct{}{}}
}

// Count notes one violation.
func (c *Counter) Count(entity, source, event string, v Violation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := countKey{entity, source, event, v.Property, v.Reason}
	if _, told := c.seen[key]; !told {
		if len(c.seen) >= maxKinds {
			key.event, key.property = Other, Other
		} else {
			// The texts may point into a request's memory: keep copies.
			key = countKey{clone(entity), clone(source), clone(event), clone(v.Property), v.Reason}
			c.seen[key] = struct{}{}
		}
	}
	c.n[key]++
}

func clone(s string) string { return string([]byte(s)) }

// Flush adds what was counted to the store.
func (c *Counter) Flush(ctx context.Context, db *store.DB) error {
	now := c.clock.Now()
	day := now.Format(time.DateOnly)
	c.mu.Lock()
	counted := c.n
	c.n = make(map[countKey]int64, len(counted))
	if c.day != day {
		c.day = day
		clear(c.seen)
	}
	c.mu.Unlock()
	if len(counted) == 0 {
		return nil
	}
	rows := make([]Count, 0, len(counted))
	for k, n := range counted {
		rows = append(rows, Count{Entity: k.entity, Day: day, Source: k.source, Event: k.event, Property: k.property, Reason: k.reason, N: n, LastAt: store.At(now)})
	}
	ctx = scope.With(ctx, scope.Process(scope.DefaultEntity, "ingest"))
	err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return addCounts(ctx, tx, rows) })
	if err != nil {
		c.mu.Lock()
		for k, n := range counted {
			c.n[k] += n
		}
		c.mu.Unlock()
	}
	return err
}
