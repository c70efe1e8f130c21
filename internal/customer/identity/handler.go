package identity

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Handler keeps records, traits and links up to date from the log. It is a
// handler of the state projector.
type Handler struct {
	pseudonyms *pseudonym.Maker
	box        *sealed.Box
}

// NewHandler makes the handler.
func NewHandler(p *pseudonym.Maker, box *sealed.Box) *Handler {
	return &Handler{pseudonyms: p, box: box}
}

// Name implements projector.Handler.
func (*Handler) Name() string { return "customer_identity" }

// Handle implements projector.Handler.
func (h *Handler) Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error {
	b := batch{seen: map[string]*seen{}, traits: map[string][]statement{}}
	for i := range records {
		h.take(&b, &records[i].Event)
	}
	if err := h.writeRecords(ctx, tx, b.seen); err != nil {
		return err
	}
	if err := h.writeTraits(ctx, tx, b.traits); err != nil {
		return err
	}
	return link(ctx, tx, b.pairs)
}

// batch is what a stretch of the log says, record by record.
type batch struct {
	seen   map[string]*seen
	traits map[string][]statement
	pairs  []pair
}

type seen struct {
	Record
	external string
}

// statement is what an identify call said at a time.
type statement struct {
	entity string
	at     int64
	traits json.RawMessage
}

// pair says that a record belongs to another's customer.
type pair struct {
	entity, record, to, reason string
	at                         int64
}

func (h *Handler) take(b *batch, e *event.Event) {
	id := h.pseudonyms.Record(e.Entity, e.RecordID()).String()
	key := e.Entity + "\x00" + id
	s, known := b.seen[key]
	if !known {
		s = &seen{Record: Record{Entity: e.Entity, RecordID: id, System: e.SystemName(), Anonymous: e.UserID == "",
			FirstSeen: store.Micros(e.At), LastSeen: store.Micros(e.At)}, external: e.RecordID()}
		b.seen[key] = s
	}
	s.Events++
	s.FirstSeen = min(s.FirstSeen, store.Micros(e.At))
	if at := store.Micros(e.At); at >= s.LastSeen {
		s.LastSeen = at
		s.LastEvent = cmp.Or(e.Name, e.Kind.String())
		s.LastChannel, s.LastJourney = cmp.Or(e.Channel, s.LastChannel), cmp.Or(e.Journey, s.LastJourney)
	}
	if len(e.Traits) > len("{}") {
		b.traits[key] = append(b.traits[key], statement{e.Entity, e.At, e.Traits})
	}
	if e.UserID != "" && e.AnonymousID != "" {
		anonymous := h.pseudonyms.Record(e.Entity, event.AnonymousRecord(e.Source, e.AnonymousID)).String()
		b.pairs = append(b.pairs, pair{e.Entity, anonymous, id, SameCall, e.At})
	}
	if e.Kind == event.Alias && e.UserID != "" && e.PreviousID != "" {
		previous := h.pseudonyms.Record(e.Entity, event.UserRecord(e.SystemName(), e.PreviousID)).String()
		b.pairs = append(b.pairs, pair{e.Entity, previous, id, Aliased, e.At})
	}
}

// upsert adds counts to a record and keeps the newest of its last-seen fields.
const upsert = `first_seen = CASE WHEN excluded.first_seen < t.first_seen THEN excluded.first_seen ELSE t.first_seen END,
events = t.events + excluded.events,
last_event = CASE WHEN excluded.last_seen >= t.last_seen THEN excluded.last_event ELSE t.last_event END,
last_channel = CASE WHEN excluded.last_seen >= t.last_seen AND excluded.last_channel <> '' THEN excluded.last_channel ELSE t.last_channel END,
last_journey = CASE WHEN excluded.last_seen >= t.last_seen AND excluded.last_journey <> '' THEN excluded.last_journey ELSE t.last_journey END,
last_seen = CASE WHEN excluded.last_seen > t.last_seen THEN excluded.last_seen ELSE t.last_seen END`

var externalColumn = sealed.Column{Table: "customer_record", Name: "external_ix"}

func (h *Handler) writeRecords(ctx context.Context, tx store.Tx, all map[string]*seen) error {
	keys := slices.Sorted(maps.Keys(all)) // an order for PostgreSQL's locks, and for equal results
	n := len(keys)
	entity, id, system, anonymous := make([]string, n), make([]string, n), make([]string, n), make([]bool, n)
	external, index := make([][]byte, n), make([]string, n)
	first, last, events := make([]store.Micros, n), make([]store.Micros, n), make([]int64, n)
	lastEvent, lastChannel, lastJourney := make([]string, n), make([]string, n), make([]string, n)
	for i, key := range keys {
		s := all[key]
		entity[i], id[i], system[i], anonymous[i] = s.Entity, s.RecordID, s.System, s.Anonymous
		first[i], last[i], events[i] = s.FirstSeen, s.LastSeen, s.Events
		lastEvent[i], lastChannel[i], lastJourney[i] = s.LastEvent, s.LastChannel, s.LastJourney
		place := sealed.Place{Table: "customer_record", Column: "external", Row: s.Entity + "\x1f" + s.RecordID}
		var err error
		if external[i], err = h.box.SealBytes(ctx, place, []byte(s.external)); err != nil {
			return err
		}
		if index[i], err = h.box.Blind(ctx, tx, externalColumn, s.external); err != nil {
			return err
		}
	}
	_, err := tx.Batch(ctx, "customer_record", store.Upsert{Key: []string{"entity", "record_id"}, Set: upsert},
		store.Col("entity", entity), store.Col("record_id", id), store.Col("system", system), store.Col("anonymous", anonymous),
		store.Col("external", external), store.Col("external_ix", index), store.Col("first_seen", first), store.Col("last_seen", last),
		store.Col("events", events), store.Col("last_event", lastEvent), store.Col("last_channel", lastChannel), store.Col("last_journey", lastJourney))
	return err
}

// writeTraits merges what records say into what they said before: the newer
// statement wins, member by member.
func (h *Handler) writeTraits(ctx context.Context, tx store.Tx, all map[string][]statement) error {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		said := all[key]
		row := Traits{Entity: said[0].entity, RecordID: key[len(said[0].entity)+1:]}
		before := row
		err := tx.NewSelect().Model(&before).WherePK().Scan(ctx)
		switch {
		case store.IsNoRows(err):
		case err != nil:
			return fmt.Errorf("read traits: %w", err)
		default:
			if err := h.box.Open(ctx, tx, &before); err != nil {
				return err
			}
			said = append(said, statement{row.Entity, int64(before.StatedAt), json.RawMessage(before.Traits.Plain)})
		}
		merged, newest, err := mergeTraits(said)
		if err != nil {
			return err
		}
		row.Traits, row.StatedAt = sealed.New(string(merged)), store.Micros(newest)
		if err := h.box.Seal(ctx, tx, &row); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&row).On("CONFLICT (entity, record_id) DO UPDATE").Set("traits = EXCLUDED.traits").Set("stated_at = EXCLUDED.stated_at").Exec(ctx)
		if err != nil {
			return fmt.Errorf("store traits: %w", err)
		}
	}
	return nil
}

func mergeTraits(said []statement) (merged json.RawMessage, newest int64, err error) {
	slices.SortStableFunc(said, func(a, b statement) int { return cmp.Compare(a.at, b.at) })
	all := map[string]json.RawMessage{}
	for _, s := range said {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(s.traits, &members); err != nil {
			return nil, 0, fmt.Errorf("decode traits: %w", err)
		}
		maps.Copy(all, members)
		newest = max(newest, s.at)
	}
	merged, err = json.Marshal(all)
	return merged, newest, err
}
