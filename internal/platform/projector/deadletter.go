package projector

import (
	"context"
	"fmt"
	"slices"

	"omote/internal/platform/errs"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// DeadLetter is an event that a handler refused. Later events of its subject
// wait behind it.
type DeadLetter struct {
	Handler   string
	Subject   string // pseudonym of the record the event speaks of
	Partition int
	Seq       uint64
	Index     int
	Reason    string // why the last attempt failed; for engineers
	Attempts  int
	Created   store.Micros
	Updated   store.Micros
}

// HandlerCount is how many dead letters a handler has.
type HandlerCount struct {
	Handler string
	Failed  int64 // refused events: one a subject
	Waiting int64 // events behind them
}

// Query selects refused events within the scope's entity.
type Query struct {
	Handler string // "" for all
	// AfterHandler and AfterSubject continue a list after its last entry.
	AfterHandler, AfterSubject string
	Limit                      int // 1–500; default 50
}

// DeadLetters lists refused events by handler and subject.
func (s *State) DeadLetters(ctx context.Context, q Query) (out []DeadLetter, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, 500)
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		letters, err := s.list(ctx, tx, q)
		for _, l := range letters {
			out = append(out, DeadLetter{
				Handler: l.Handler, Subject: l.Subject, Partition: l.Partition, Seq: uint64(l.Seq), Index: l.Idx,
				Reason: l.Reason, Attempts: l.Attempts, Created: l.Created, Updated: l.Updated,
			})
		}
		return err
	})
	return out, err
}

// Counts tells how many dead letters each handler has within the scope's
// entity; handlers without any are left out.
func (s *State) Counts(ctx context.Context) (counts []HandlerCount, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		counts, err = s.counts(ctx, tx)
		return err
	})
	return counts, err
}

// replayStep bounds the events of one transaction of a replay.
const replayStep = 100

// Replay runs what waits for a handler and a subject, in order, and gives the
// number of events that took effect. It stops at the first event that the
// handler still refuses, which stays a dead letter with the new reason; that
// reason is no error of Replay. Events of the subject that arrive meanwhile
// queue behind and are run too.
func (s *State) Replay(ctx context.Context, handler, subject string) (applied int, err error) {
	h, err := s.handler(handler)
	if err != nil {
		return 0, err
	}
	caller, ok := scope.From(ctx)
	if !ok {
		return 0, store.ErrNoScope
	}
	ctx = s.as(ctx, caller.Entity) // handlers run as the projector, whoever asks
	for more := true; more; {
		n := 0
		err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			n = 0
			letters, err := s.queue(ctx, tx, handler, subject, replayStep)
			if err != nil {
				return err
			}
			more = len(letters) == replayStep
			for _, l := range letters {
				ok, err := s.replayOne(ctx, tx, h, l)
				if err != nil {
					return err
				}
				if !ok {
					more = false
					return nil
				}
				n++
			}
			return nil
		})
		if err != nil {
			return applied, fmt.Errorf("replay %s for %s: %w", handler, subject, err)
		}
		applied += n
	}
	return applied, nil
}

// replayOne runs the handler on one dead letter and removes or keeps it.
func (s *State) replayOne(ctx context.Context, tx store.Tx, h Handler, l *letter) (ok bool, err error) {
	r, err := s.open(ctx, l)
	if err != nil {
		return false, err
	}
	err = s.try(ctx, tx, h, []eventlog.Record{r})
	switch {
	case err == nil:
		return true, s.remove(ctx, tx, l)
	case passing(ctx, err):
		return false, err
	default:
		return false, s.refuse(ctx, tx, l, reasonOf(err))
	}
}

// ReplayAll replays every subject that waits for a handler, as after a defect
// was mended, and gives the number of events that took effect.
func (s *State) ReplayAll(ctx context.Context, handler string) (applied int, err error) {
	for q := (Query{Handler: handler, Limit: 200}); ; {
		letters, err := s.DeadLetters(ctx, q)
		if err != nil || len(letters) == 0 {
			return applied, err
		}
		for _, l := range letters {
			n, err := s.Replay(ctx, handler, l.Subject)
			applied += n
			if err != nil {
				return applied, err
			}
		}
		last := letters[len(letters)-1]
		q.AfterHandler, q.AfterSubject = last.Handler, last.Subject
	}
}

// Discard gives a refused event up for its handler, so that those behind it can
// be replayed. It cannot be undone; the caller writes the audit entry.
func (s *State) Discard(ctx context.Context, handler, subject string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		letters, err := s.queue(ctx, tx, handler, subject, 2)
		if err != nil {
			return err
		}
		if len(letters) == 0 {
			return errs.NotFound("projector.error.no_letter", "the handler %s has no dead letter of %s", handler, subject)
		}
		if err := s.remove(ctx, tx, letters[0]); err != nil {
			return err
		}
		if len(letters) == 1 {
			return nil
		}
		// The next one takes its place at the head, not yet tried.
		letters[1].Attempts--
		return s.refuse(ctx, tx, letters[1], "the event before it was discarded")
	})
}

func (s *State) handler(name string) (Handler, error) {
	i := slices.IndexFunc(s.handlers, func(h Handler) bool { return h.Name() == name })
	if i < 0 {
		return nil, errs.NotFound("projector.error.no_handler", "there is no handler %q", name)
	}
	return s.handlers[i], nil
}
