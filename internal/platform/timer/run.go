package timer

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Run fires timers until ctx ends. Any number of processes may run it.
func (t *Timers) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for range t.o.Workers {
		all.Go(func() { t.work(ctx) })
	}
	all.Wait()
	return nil
}

func (t *Timers) work(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := t.Step(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			t.log.Error("fire timers", "error", err)
		case n == t.o.Batch:
			continue // there may be more
		}
		select {
		case <-ctx.Done():
		case <-t.wake:
		case <-time.After(t.o.Poll):
		}
	}
}

// Step fires at most one batch and gives how many timers it took up.
func (t *Timers) Step(ctx context.Context) (n int, err error) {
	ctx = scope.With(ctx, scope.Process(scope.DefaultEntity, "timers"))
	err = t.db.Claim(ctx, func(ctx context.Context, tx store.Tx) error {
		rows, err := take(ctx, tx, t.o.Batch)
		if n = len(rows); err != nil || n == 0 {
			return err
		}
		for _, group := range groups(rows) {
			if err := t.fire(ctx, tx, group); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// groups splits rows by entity and kind, in the order of their first.
func groups(rows []row) (out [][]row) {
	type key struct{ entity, kind string }
	at := map[key]int{}
	for _, r := range rows {
		k := key{r.Entity, r.Kind}
		i, known := at[k]
		if !known {
			i = len(out)
			at[k], out = i, append(out, nil)
		}
		out[i] = append(out[i], r)
	}
	return out
}

func (t *Timers) fire(ctx context.Context, tx store.Tx, rows []row) error {
	err := t.try(ctx, tx, rows)
	switch {
	case err == nil:
		return nil
	case store.Retryable(err) || ctx.Err() != nil:
		return err
	case len(rows) == 1:
		return t.putOff(ctx, tx, rows[0], err)
	}
	t.log.Warn("a batch of timers failed and is fired one by one", "kind", rows[0].Kind, "timers", len(rows), "error", err)
	for i := range rows {
		if err := t.fire(ctx, tx, rows[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// try fires timers of one entity and kind in a savepoint; a panic is an error.
func (t *Timers) try(ctx context.Context, tx store.Tx, rows []row) error {
	kind, known := t.kinds[rows[0].Kind]
	if !known {
		return fmt.Errorf("timer: this program knows no kind %q", rows[0].Kind)
	}
	s := scope.Process(rows[0].Entity, "timers")
	return tx.Savepoint(scope.With(ctx, s), func(ctx context.Context, tx store.Tx) (err error) {
		defer func() {
			if p := recover(); p != nil {
				t.log.Error("a timer panicked", "kind", kind.Name, "panic", p, "stack", string(debug.Stack()))
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		tx.Scope = s
		due, ids := make([]Timer, len(rows)), make([]string, len(rows))
		for i, r := range rows {
			due[i], ids[i] = r.timer(), r.ID
		}
		if err := remove(ctx, tx, s.Entity, kind.Name, ids); err != nil {
			return err
		}
		return kind.Fire(ctx, tx, due)
	})
}

// putOff lets a timer that failed wait: a second, then twice as long each time up
// to an hour.
func (t *Timers) putOff(ctx context.Context, tx store.Tx, r row, cause error) error {
	r.Attempts++
	wait := min(time.Second<<min(r.Attempts-1, 12), time.Hour)
	due := tx.Now().Add(wait)
	if r.Attempts >= t.o.Attempts {
		due = 0
		t.log.Error("a timer is given up", "kind", r.Kind, "id", r.ID, "error", cause)
	}
	return delay(ctx, tx, r, due, cause.Error())
}
