package segment

import (
	"bytes"
	"errors"
	"sync"
	"unsafe"

	"github.com/google/uuid"
	"github.com/valyala/fastjson"

	"omote/internal/ingest/plan"
	"omote/internal/ingest/when"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

// work is the memory of one request. The events of a request point into it, so
// it goes back to the pool only after the log has copied them.
type work struct {
	parser   fastjson.Parser
	body     []byte
	scratch  plan.Scratch
	events   []event.Event
	rejected []Rejected
	answers  []answer
	// nul says that the body may hold U+0000, so that its texts must be looked through.
	nul bool
}

var pool = sync.Pool{New: func() any { return new(work) }}

func (w *work) reset() {
	w.body, w.events, w.rejected, w.answers = w.body[:0], w.events[:0], w.rejected[:0], w.answers[:0]
	w.scratch.Reset()
}

// answer says why one message of a request was set aside.
type answer struct {
	Index     int         `json:"index"`
	MessageID string      `json:"messageId,omitempty"`
	Reason    plan.Reason `json:"reason"`
	Field     string      `json:"field,omitempty"`
	Detail    string      `json:"detail,omitempty"`
}

// call is what the path of a request says about its messages.
type call struct {
	kind    event.Kind // 0 for a batch: each message names its own
	history bool
	id      string // takes the place of the message's own id
}

// decode reads the messages of a body into w.events and w.rejected.
func (d *Door) decode(w *work, c call, source Source) error {
	root, err := w.parser.ParseBytes(w.body)
	if err != nil {
		return errs.Invalid("segment.error.json", "", "the body is no valid JSON: %v", err)
	}
	received := d.Clock.Now().UnixMicro()
	shift := clockSkew(root, received)
	checker := d.Plans.Checker(source.Entity)
	if c.kind != 0 {
		d.message(w, checker, root, c, source, 0, received, shift)
		return nil
	}
	items := root.GetArray("batch")
	if items == nil {
		return errs.Invalid("segment.error.batch", "batch", "a batch needs an array of messages named batch")
	}
	for i, m := range items {
		d.message(w, checker, m, c, source, i, received, shift)
	}
	return nil
}

// clockSkew is what to add to a device's times: the difference between arrival
// and sentAt when it exceeds the tolerance (Segment's definition of timestamp).
func clockSkew(root *fastjson.Value, received int64) int64 {
	sent, ok := when.ISO(root.GetStringBytes("sentAt"))
	if skew := received - sent; ok && (skew > skewTolerance.Microseconds() || skew < -skewTolerance.Microseconds()) {
		return skew
	}
	return 0
}

// message turns one message into an event, or sets it aside.
func (d *Door) message(w *work, checker *plan.Checker, m *fastjson.Value, c call, source Source, index int, received, shift int64) {
	e := event.Event{Source: source.Name, Entity: source.Entity, System: source.System, Kind: c.kind, History: c.history, ReceivedAt: received, MessageID: c.id}
	reject := func(reason plan.Reason, field, detail string) {
		w.answers = append(w.answers, answer{Index: index, MessageID: string([]byte(e.MessageID)), Reason: reason, Field: field, Detail: detail})
		w.rejected = append(w.rejected, Rejected{Source: source.Name, Entity: source.Entity, MessageID: string([]byte(e.MessageID)),
			Reason: reason, Field: field, Raw: m.MarshalTo(nil)})
	}
	if m.Type() != fastjson.TypeObject {
		reject(plan.Malformed, "", "a message is a JSON object")
		return
	}
	if e.Kind == 0 {
		e.Kind = event.ParseKind(text(m, "type"))
	}
	e.MessageID, e.UserID, e.AnonymousID, e.PreviousID = text(m, "messageId"), text(m, "userId"), text(m, "anonymousId"), text(m, "previousId")
	if c.id != "" {
		e.MessageID = c.id
	}
	if e.MessageID == "" {
		e.MessageID = uuid.Must(uuid.NewV7()).String()
	}
	if len(w.body) > MaxMessage && w.scratch.Size(m) > MaxMessage {
		reject(plan.OverLimit, "", "the message is larger than 32 KB")
		return
	}
	e.Name = text(m, "event")
	switch e.Kind {
	case event.Page, event.Screen:
		e.Name = text(m, "name")
	case event.Group:
		e.Name = text(m, "groupId")
	}
	var ok bool
	if e.At, ok = messageTime(m, received, shift); !ok {
		reject(plan.WrongType, "timestamp", "timestamp is not ISO 8601 with an offset")
		return
	}
	if err := e.Validate(); err != nil {
		reason, field := plan.Malformed, ""
		if invalid, isErr := errors.AsType[*errs.Error](err); isErr {
			field = invalid.Field
		}
		reject(reason, field, err.Error())
		return
	}
	if w.nul && hasNUL(m) {
		reject(plan.Malformed, "", "a text contains the character U+0000")
		return
	}
	if traits := m.Get("traits"); traits != nil && traits.Type() == fastjson.TypeObject {
		e.Traits = w.scratch.Keep(traits)
	}
	violations, fit := checker.Check(&e, m.Get("properties"), &w.scratch)
	for _, v := range violations {
		d.Counter.Count(source.Entity, source.Name, e.Name, v)
	}
	if !fit {
		first := violations[0]
		reject(first.Reason, first.Property, "")
		return
	}
	w.events = append(w.events, e)
}

// text gives a string member without copying: it lives as long as the parser's
// buffer. Numbers are taken as ids where SDKs send them.
func text(m *fastjson.Value, name string) string {
	v := m.Get(name)
	if v == nil {
		return ""
	}
	switch v.Type() {
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return unsafe.String(unsafe.SliceData(b), len(b))
	case fastjson.TypeNumber:
		return string(v.MarshalTo(nil))
	}
	return ""
}

// messageTime is when the thing happened, by the message's own clock corrected
// by shift; arrival where the message does not say.
func messageTime(m *fastjson.Value, received, shift int64) (int64, bool) {
	for _, name := range [...]string{"timestamp", "originalTimestamp"} {
		if b := m.GetStringBytes(name); len(b) > 0 {
			at, ok := when.ISO(b)
			return at + shift, ok
		}
		if v := m.Get(name); v != nil && v.Type() != fastjson.TypeNull {
			return 0, false
		}
	}
	return received, true
}

// hasNUL looks for U+0000, which PostgreSQL cannot hold in a text.
func hasNUL(m *fastjson.Value) bool {
	switch m.Type() {
	case fastjson.TypeString:
		b, _ := m.StringBytes()
		return bytes.IndexByte(b, 0) >= 0
	case fastjson.TypeArray:
		items, _ := m.Array()
		for _, item := range items {
			if hasNUL(item) {
				return true
			}
		}
	case fastjson.TypeObject:
		object, _ := m.Object()
		found := false
		object.Visit(func(key []byte, v *fastjson.Value) {
			found = found || bytes.IndexByte(key, 0) >= 0 || hasNUL(v)
		})
		return found
	}
	return false
}
