package warehouse

import (
	"database/sql/driver"
	"time"

	"github.com/google/uuid"

	"omote/internal/platform/event"
)

// Fact is one event with its place in the log.
type Fact struct {
	event.Event
	Partition int
	Seq       uint64 // of the log message
	Index     int    // within the message
}

// table names a table of the schema and its columns in order.
type table struct {
	name    string
	columns []string
}

var (
	eventTable = table{"event", []string{
		"event_id", "entity", "source", "record_id", "occurred_at", "received_at", "kind", "name", "journey", "case_key",
		"channel", "unit", "product", "outcome", "amount", "currency", "schema_version", "history", "props",
		"import_id", "log_partition", "log_seq", "log_index",
	}}
	responseTable = table{"response", []string{
		"event_id", "entity", "source", "record_id", "occurred_at", "received_at", "journey", "case_key",
		"channel", "unit", "product", "history", "import_id", "instrument", "item", "trigger_event",
		"score", "comment", "language", "aspect", "polarity", "log_partition", "log_seq", "log_index",
	}}
	linkTable        = table{"identity_link", []string{"entity", "record_id", "customer_id", "from_version", "to_version", "reason", "made_by"}}
	unitTable        = table{"unit", []string{"entity", "code", "path"}}
	eventDayTable    = table{"event_day", []string{"entity", "day", "name", "channel", "unit", "n", "latest"}}
	responseDayTable = table{"response_day", []string{
		"entity", "day", "instrument", "item", "trigger_event", "channel", "unit", "product", "score", "n", "latest"}}
	feedTable = table{"feed", []string{"entity", "source", "name", "n", "last_at", "latest"}}
)

// The earliest and latest instants that both engines and Go can read back.
var (
	minInstant = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	maxInstant = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
)

// instant is a time for a column, within what engines hold.
func instant(micros int64) time.Time {
	switch t := time.UnixMicro(micros).UTC(); {
	case t.Before(minInstant):
		return minInstant
	case t.After(maxInstant):
		return maxInstant
	default:
		return t
	}
}

// EventID is the id of the fact: a keyed hash of entity, source and message id,
// the same however often the event was sent.
func (w *Warehouse) EventID(e *event.Event) uuid.UUID {
	return w.opt.Pseudonyms.Record(e.Entity+"\x00message", e.Source+"\x00"+e.MessageID)
}

// rows is what one batch adds.
type rows struct {
	events    [][]driver.Value
	responses [][]driver.Value
	days      deltas
}

// add turns a fact into rows.
func (w *Warehouse) add(r *rows, f *Fact) {
	e := &f.Event
	c := common{
		id: w.EventID(e), record: w.opt.Pseudonyms.Record(e.Entity, e.RecordID()),
		at: instant(e.At), received: instant(e.ReceivedAt),
		entity: clean(e.Entity), source: clean(e.Source), name: clean(e.Name),
		journey: clean(e.Journey), caseKey: clean(e.Case), channel: clean(e.Channel), unit: clean(e.Unit),
		product: clean(e.Product), imported: clean(e.Import),
	}
	var amount driver.Value
	if e.Currency != "" {
		amount = e.Amount
	}
	var props driver.Value
	raw := e.Props
	if e.Kind == event.Identify && w.opt.Profile != nil {
		raw = w.opt.Profile(e)
	}
	if p := cleanProps(raw); p != nil {
		props = string(p)
	}
	r.events = append(r.events, []driver.Value{
		c.id, c.entity, c.source, c.record, c.at, c.received, e.Kind.String(), c.name, c.journey, c.caseKey,
		c.channel, c.unit, c.product, clean(e.Outcome), amount, clean(e.Currency), int32(e.Schema), e.History, props,
		c.imported, int32(f.Partition), int64(f.Seq), int32(f.Index),
	})
	r.days.event(w.day(c.entity, c.at), &c)
	a, ok := w.readAnswer(e.Name, e.Props)
	if !ok {
		return
	}
	r.responses = append(r.responses, []driver.Value{
		c.id, c.entity, c.source, c.record, c.at, c.received, c.journey, c.caseKey,
		c.channel, c.unit, c.product, e.History, c.imported, a.instrument, a.item, a.trigger,
		a.score, a.comment, a.language, a.aspect, a.polarity, int32(f.Partition), int64(f.Seq), int32(f.Index),
	})
	r.days.response(w.day(c.entity, c.at), &c, &a)
}

// common are the values that an event and its response share.
type common struct {
	id, record                                                               uuid.UUID
	at, received                                                             time.Time
	entity, source, name, journey, caseKey, channel, unit, product, imported string
}
