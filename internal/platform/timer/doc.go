// Package timer lets things happen at a time: a deadline that is reached, a
// reminder, a step that nobody took. A timer is a row; setting it is part of the
// caller's transaction.
//
//	timers := timer.New(db, timer.Options{}, timer.Kind{Name: "feedback_case.clock", Fire: fireClocks})
//	err := timers.Set(ctx, tx, timer.Timer{Kind: "feedback_case.clock", ID: clock, Due: due})
//
// # Once, whatever happens
//
// A worker locks due rows, found by an index on their time, deletes them and calls
// the kind's Fire, all in one transaction. So a timer has fired exactly when what
// its Fire wrote is committed: a process that dies in between has done nothing, and
// the row is there for the next one. No other worker sees a locked row (PostgreSQL
// passes over it; SQLite has one writer), so none fires twice. What leaves the
// program goes through the outbox, which the same transaction writes to.
//
// # Many at once
//
// Fire gets a batch of timers of one kind and entity, so that a hundred thousand that are due
// in the same minute cost a few statements each thousand. When a batch fails, its
// timers are tried one by one in savepoints: the bad one waits, longer each time,
// and after [Options.Attempts] is given up, which Stats tells; the others fire.
//
// Work that takes long or leaves the process does not belong into Fire: enqueue a job
// or a message there.
//
// Files: timer.go (types, setting), run.go (workers), store.go (all SQL). Table:
// timer_timer.
package timer
