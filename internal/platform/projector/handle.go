package projector

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"omote/internal/platform/errs"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/store"
)

// handle runs one handler over the records of an entity. It returns an error
// only for what concerns the whole batch.
func (s *State) handle(ctx context.Context, tx store.Tx, h Handler, records []eventlog.Record) error {
	held, err := s.held(ctx, tx, h.Name(), records)
	if err != nil {
		return err
	}
	ready := records
	if len(held) > 0 {
		if ready, err = s.park(ctx, tx, h.Name(), records, held); err != nil {
			return err
		}
	}
	if len(ready) == 0 {
		return nil
	}
	err = s.try(ctx, tx, h, ready)
	switch {
	case err == nil:
		return nil
	case passing(ctx, err):
		return err
	case len(ready) == 1:
		return s.fail(ctx, tx, h.Name(), &ready[0], err)
	}
	s.log.Warn("a handler failed on a batch and is given its events one by one", "handler", h.Name(), "events", len(ready), "error", err)
	return s.oneByOne(ctx, tx, h, ready)
}

// oneByOne finds which events fail; those of the same record wait behind them.
func (s *State) oneByOne(ctx context.Context, tx store.Tx, h Handler, records []eventlog.Record) error {
	held := map[string]bool{}
	for i := range records {
		subject := s.subject(&records[i])
		if held[subject] {
			if err := s.insert(ctx, tx, h.Name(), []*letter{s.letter(&records[i], waiting, "")}); err != nil {
				return err
			}
			continue
		}
		err := s.try(ctx, tx, h, records[i:i+1])
		if err == nil {
			continue
		}
		if passing(ctx, err) {
			return err
		}
		if err := s.fail(ctx, tx, h.Name(), &records[i], err); err != nil {
			return err
		}
		held[subject] = true
	}
	return nil
}

// try runs the handler in a savepoint; a panic is an error.
func (s *State) try(ctx context.Context, tx store.Tx, h Handler, records []eventlog.Record) error {
	return tx.Savepoint(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		defer func() {
			if p := recover(); p != nil {
				s.log.Error("a handler panicked", "handler", h.Name(), "panic", p, "stack", string(debug.Stack()))
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		return h.Handle(ctx, tx, records)
	})
}

// passing reports whether a failure may pass by itself, so that the batch is
// to be tried again as it is.
func passing(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errs.KindOf(err) == errs.KindUnavailable || store.Retryable(err)
}

// held gives the subjects of records that have dead letters of the handler.
func (s *State) held(ctx context.Context, tx store.Tx, handler string, records []eventlog.Record) (map[string]bool, error) {
	some, err := s.hasLetters(ctx, tx, handler)
	if err != nil || !some {
		return nil, err
	}
	var subjects []string
	seen := map[string]bool{}
	for i := range records {
		if id := s.subject(&records[i]); !seen[id] {
			seen[id] = true
			subjects = append(subjects, id)
		}
	}
	return s.subjectsWithLetters(ctx, tx, handler, subjects)
}

// park puts the records of held subjects behind their dead letters and gives
// the others.
func (s *State) park(ctx context.Context, tx store.Tx, handler string, records []eventlog.Record, held map[string]bool) ([]eventlog.Record, error) {
	var ready []eventlog.Record
	var letters []*letter
	for i := range records {
		if held[s.subject(&records[i])] {
			letters = append(letters, s.letter(&records[i], waiting, ""))
		} else {
			ready = append(ready, records[i])
		}
	}
	return ready, s.insert(ctx, tx, handler, letters)
}

// fail makes a dead letter of a record.
func (s *State) fail(ctx context.Context, tx store.Tx, handler string, r *eventlog.Record, cause error) error {
	l := s.letter(r, failed, reasonOf(cause))
	s.log.Error("an event became a dead letter", "handler", handler, "subject", l.Subject, "partition", r.Partition, "seq", r.Seq, "index", r.Index, "error", cause)
	return s.insert(ctx, tx, handler, []*letter{l})
}

// subject is the pseudonym of the record an event speaks of.
func (s *State) subject(r *eventlog.Record) string {
	return s.subjects.Record(r.Entity, r.RecordID()).String()
}

const maxReason = 2000

// reasonOf is the text of an error in a form that every store holds.
func reasonOf(err error) string {
	text := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "�")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "")
	}
	return text
}
