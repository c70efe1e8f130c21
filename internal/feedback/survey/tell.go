package survey

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"omote/internal/platform/event"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Source is the feed that events of responses come from.
const Source = "survey"

// AnsweredEvent is the event of one answered question; measures read it.
const AnsweredEvent = "survey_answered"

// tellBatch bounds how many responses are told at a time, tellPause the wait when
// none waits.
const (
	tellBatch = 500
	tellPause = 300 * time.Millisecond
)

// tellLoop tells the log of completed responses. A response is marked once the log
// has acknowledged its events; when the program ends in between they are told again
// under the same message ids, and count once.
func (s *Service) tellLoop(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := s.Tell(ctx)
		if err != nil && ctx.Err() == nil {
			s.Logger.Warn("tell the log of answers", "error", err)
		}
		if n == tellBatch {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(tellPause):
		}
	}
}

// Tell sends the events of some completed responses and gives their number.
func (s *Service) Tell(ctx context.Context) (n int, err error) {
	ctx = scope.With(ctx, scope.Process(scope.DefaultEntity, "survey"))
	var waiting []told
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		waiting, err = s.untold(ctx, tx, tellBatch)
		return err
	})
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	var events []event.Event
	for _, t := range waiting {
		made, err := answered(t.entity, t.response, s.DB.Now().Time())
		if err != nil {
			return 0, err
		}
		events = append(events, made...)
	}
	if len(events) > 0 {
		if _, err := s.Log.Append(ctx, events); err != nil {
			return 0, fmt.Errorf("append events of answers: %w", err)
		}
	}
	return len(waiting), s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error { return markTold(ctx, tx, waiting) })
}

// told is a response with its entity.
type told struct {
	entity   string
	response *Response
}

// answered makes the events of a response: one for each question with a figure or
// words. Words are the property "verbatim", which the warehouse masks.
func answered(entity string, r *Response, now time.Time) (out []event.Event, err error) {
	for id, a := range r.Answers {
		props := map[string]any{"instrument": r.Survey, "item": id, "language": r.Locale, "survey_version": r.Version}
		switch {
		case a.Skipped:
			continue
		case a.Number != nil:
			props["score"] = *a.Number
		case len(a.Chosen) > 0:
			props["choice"] = a.Chosen[0]
		case a.Text != "":
			props["verbatim"] = a.Text
		default:
			continue
		}
		raw, err := json.Marshal(props)
		if err != nil {
			return nil, fmt.Errorf("encode an answer: %w", err)
		}
		e := event.Event{Source: Source, MessageID: r.ID + "/" + id, Entity: entity, Kind: event.Track, Name: AnsweredEvent, System: r.System, UserID: r.UserID,
			At: r.Completed.UnixMicro(), ReceivedAt: now.UnixMicro(), Journey: r.Journey, Channel: r.Channel, Unit: r.Unit, Product: r.Product, Props: raw}
		if e.UserID == "" {
			e.System, e.AnonymousID = "", r.ID
		}
		out = append(out, e)
	}
	return out, nil
}
