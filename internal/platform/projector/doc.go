// Package projector turns the event log into state in the store.
//
// A [State] is an [eventlog.Projector] with a list of handlers. Each batch is
// one store transaction: every handler changes its own tables, and the position
// of the partition moves, or nothing does. That is what makes effects happen
// once, whatever fails and however often a batch is given again.
//
//	state, err := projector.New(db, box, projector.Options{}, identity, profile, segments)
//	err = log.Run(ctx, state, state.Feed())
//
// # One bad handler stops nobody
//
// A handler runs in a savepoint over the whole batch. If it fails, its changes
// are rolled back and it is given the same events one by one, each in a
// savepoint. An event that fails for good becomes a dead letter of that
// handler: the event (encrypted), where it stood in the log, and why it failed.
// Later events of the same record wait behind it in order, for that handler
// only; the other handlers, the other customers and the partition go on. After
// the cause is mended, [State.Replay] runs what waits, in order.
//
// A failure that may pass (a part that is unavailable, a deadline, a conflict
// in the store) makes no dead letter: the batch is tried again as a whole.
//
// # What handlers get
//
// Events in the order of the log, without duplicates, of one bank entity at a
// time under that entity's scope. Handlers must do nothing but change the
// store through the transaction (they may run again), and must give the same
// state whether events come one by one or many at a time. An event with History
// set updates state and starts nothing.
//
// File map: projector.go (the transaction of a batch), handle.go (one handler:
// fast path, one by one, parking), deadletter.go (list, count, replay,
// discard), import.go (what an import brought), store.go (all SQL).
//
// Tables: projector_position, projector_dead_letter, projector_import.
package projector
