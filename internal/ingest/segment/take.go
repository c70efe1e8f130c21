package segment

import (
	"bytes"
	"context"
	"unicode/utf8"

	"omote/internal/ingest/plan"
	"omote/internal/platform/event"
)

// Message is one Segment message from a feed that numbers its messages itself,
// such as a topic. ID decides duplicates in the place of the message's own
// messageId.
type Message struct {
	ID   string
	Body []byte
}

// Take takes messages of a feed and returns nil only when each is on disk, in
// the log or in quarantine with its reason. On an error the caller gives all of
// them again; those already in the log are then recognised. Times are taken as
// they stand: sentAt says nothing of a clock where messages may wait in a queue.
func (d *Door) Take(ctx context.Context, source Source, messages []Message) error {
	used := make([]*work, 0, len(messages))
	defer func() {
		for _, w := range used {
			w.reset()
			pool.Put(w)
		}
	}()
	var events []event.Event
	var rejected []Rejected
	received := d.Clock.Now().UnixMicro()
	checker := d.Plans.Checker(source.Entity)
	for _, m := range messages {
		w := pool.Get().(*work)
		used = append(used, w)
		d.take(w, checker, source, m, received)
		events, rejected = append(events, w.events...), append(rejected, w.rejected...)
	}
	if len(events) > 0 {
		if _, err := d.Log.Append(ctx, events); err != nil {
			return err
		}
	}
	if len(rejected) > 0 {
		return d.Quarantine.Put(ctx, rejected)
	}
	return nil
}

func (d *Door) take(w *work, checker *plan.Checker, source Source, m Message, received int64) {
	refuse := func(reason plan.Reason) {
		w.rejected = append(w.rejected, Rejected{Source: source.Name, Entity: source.Entity, MessageID: m.ID, Reason: reason,
			Raw: bytes.ToValidUTF8(m.Body[:min(len(m.Body), MaxMessage)], []byte("\uFFFD"))})
	}
	switch {
	case len(m.Body) > MaxMessage:
		refuse(plan.OverLimit)
		return
	case !utf8.Valid(m.Body):
		refuse(plan.Malformed)
		return
	}
	w.body = append(w.body, m.Body...)
	w.nul = bytes.IndexByte(w.body, 0) >= 0 || bytes.Contains(w.body, []byte(`\u0000`))
	root, err := w.parser.ParseBytes(w.body)
	if err != nil {
		refuse(plan.Malformed)
		return
	}
	d.message(w, checker, root, call{id: m.ID}, source, 0, received, 0)
}
