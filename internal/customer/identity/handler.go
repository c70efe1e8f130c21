package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/uptrace/bun"

	"omote/internal/customer/state"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Handler keeps records, traits, identifiers and links up to date from the log.
// It is a handler of the state projector.
type Handler struct {
	pseudonyms *pseudonym.Maker
	box        *sealed.Box
	keys       keys
	followers  []Follower
	systems    sync.Map // [entity, system]: rows of customer_system seen committed
}

// Follower is told, in the same transaction, which records stated something new.
type Follower interface {
	Stated(ctx context.Context, tx store.Tx, changes []Change) error
}

// Change is what a record stated before and states now, as JSON objects.
type Change struct {
	Entity, RecordID string
	Before, Now      string
	At               store.Micros
}

// NewHandler makes the handler.
func NewHandler(p *pseudonym.Maker, box *sealed.Box, followers ...Follower) *Handler {
	return &Handler{pseudonyms: p, box: box, keys: keys{box}, followers: followers}
}

// Name implements projector.Handler.
func (*Handler) Name() string { return "customer_identity" }

// Handle implements projector.Handler.
func (h *Handler) Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error {
	b := batch{seen: map[string]*seen{}, traits: map[string][]statement{}, pairs: map[string][]Candidate{}}
	for i := range records {
		h.take(&b, &records[i].Event)
	}
	keys := slices.Sorted(maps.Keys(b.seen)) // an order for PostgreSQL's locks, and for equal results
	rows, fresh, err := b.count(ctx, tx, keys)
	if err != nil {
		return err
	}
	if err := h.writeRecords(ctx, tx, &b, keys, fresh); err != nil {
		return err
	}
	for _, entity := range slices.Sorted(maps.Keys(b.pairs)) {
		if _, err := join(ctx, tx, entity, b.pairs[entity]); err != nil {
			return err
		}
	}
	if err := h.writeTraits(ctx, tx, b.traits); err != nil {
		return err
	}
	state.Put(tx, rows...)
	return nil
}

// batch is what a stretch of the log says, record by record.
type batch struct {
	seen   map[string]*seen // entity, NUL, record
	traits map[string][]statement
	pairs  map[string][]Candidate // by entity
}

// seen is a record of the batch. One that was only named by another's event has
// no external name yet and did nothing.
type seen struct {
	Record
	external string
	events   []*event.Event
}

// statement is what an identify call said at a time.
type statement struct {
	at     int64
	traits json.RawMessage
}

func (b *batch) record(entity, id, system string, anonymous bool, e *event.Event) *seen {
	key := entity + "\x00" + id
	s, known := b.seen[key]
	if !known {
		s = &seen{Record: Record{Entity: entity, RecordID: id, System: system, Anonymous: anonymous, Since: store.Micros(e.ReceivedAt)}}
		b.seen[key] = s
	}
	return s
}

func (h *Handler) take(b *batch, e *event.Event) {
	id := h.pseudonyms.Record(e.Entity, e.RecordID()).String()
	s := b.record(e.Entity, id, e.SystemName(), e.UserID == "", e)
	s.external = e.RecordID()
	s.events = append(s.events, e)
	at := store.Micros(e.At)
	if len(e.Traits) > len("{}") {
		key := e.Entity + "\x00" + id
		b.traits[key] = append(b.traits[key], statement{e.At, e.Traits})
	}
	pair := func(external, system string, anonymous bool, reason string) {
		other := h.pseudonyms.Record(e.Entity, external).String()
		b.record(e.Entity, other, system, anonymous, e)
		b.pairs[e.Entity] = append(b.pairs[e.Entity], Candidate{Pair: Pair{other, id}, Reason: reason, At: at})
	}
	if e.UserID != "" && e.AnonymousID != "" {
		pair(event.AnonymousRecord(e.Source, e.AnonymousID), e.Source, true, SameCall)
	}
	if e.Kind == event.Alias && e.UserID != "" && e.PreviousID != "" {
		pair(event.UserRecord(e.SystemName(), e.PreviousID), e.SystemName(), false, Aliased)
	}
}

var externalColumn = sealed.Column{Table: "customer_record", Name: "external_ix"}

// writeRecords writes records down that are new: most are known, and then
// nothing of them is written but what they did.
func (h *Handler) writeRecords(ctx context.Context, tx store.Tx, b *batch, keys []string, fresh map[string]bool) error {
	var named, called []*seen
	for _, key := range keys {
		switch s := b.seen[key]; {
		case s.external == "":
			called = append(called, s)
		case fresh[key]:
			named = append(named, s)
		}
	}
	if err := h.insertRecords(ctx, tx, named, store.Replace("external", "external_ix")); err != nil {
		return err
	}
	if err := h.insertRecords(ctx, tx, called, ""); err != nil {
		return err
	}
	return h.noteSystems(ctx, tx, b.seen)
}

// insertRecords writes records that may be there already; set is what then changes.
func (h *Handler) insertRecords(ctx context.Context, tx store.Tx, all []*seen, set string) error {
	n := len(all)
	entity, id, system, anonymous := make([]string, n), make([]string, n), make([]string, n), make([]bool, n)
	external, index, since := make([][]byte, n), make([]string, n), make([]store.Micros, n)
	for i, s := range all {
		entity[i], id[i], system[i], anonymous[i], since[i] = s.Entity, s.RecordID, s.System, s.Anonymous, s.Since
		if s.external == "" {
			continue
		}
		place := sealed.Place{Table: "customer_record", Column: "external", Row: s.Entity + "\x1f" + s.RecordID}
		var err error
		if external[i], err = h.box.SealBytes(ctx, place, []byte(s.external)); err != nil {
			return err
		}
		if index[i], err = h.box.Blind(ctx, tx, externalColumn, s.external); err != nil {
			return err
		}
	}
	_, err := tx.Batch(ctx, "customer_record", store.Upsert{Key: []string{"entity", "record_id"}, Set: set},
		store.Col("entity", entity), store.Col("record_id", id), store.Col("system", system), store.Col("anonymous", anonymous),
		store.Col("external", external), store.Col("external_ix", index), store.Col("since", since))
	return err
}

// noteSystems writes down the systems that records come from; those it has seen
// committed it passes over.
func (h *Handler) noteSystems(ctx context.Context, tx store.Tx, all map[string]*seen) error {
	fresh := map[[2]string]bool{}
	for _, s := range all {
		k := [2]string{s.Entity, s.System}
		if _, known := h.systems.Load(k); !known && !s.Anonymous {
			fresh[k] = true
		}
	}
	for k := range fresh {
		if _, err := tx.NewRaw("INSERT INTO customer_system (entity, system) VALUES (?, ?) ON CONFLICT DO NOTHING", k[0], k[1]).Exec(ctx); err != nil {
			return fmt.Errorf("note a system: %w", err)
		}
		tx.AfterCommit(func() { h.systems.Store(k, true) })
	}
	return nil
}

// writeTraits merges what records say into what they said before: the newer
// statement wins, member by member. Identifiers of every statement are kept,
// also of one that is overwritten at once, so that batches of any size leave the
// same behind.
func (h *Handler) writeTraits(ctx context.Context, tx store.Tx, all map[string][]statement) error {
	byEntity := map[string][]*stating{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		entity, record := cut(key)
		byEntity[entity] = append(byEntity[entity], &stating{row: Traits{Entity: entity, RecordID: record}, said: all[key]})
	}
	for _, entity := range slices.Sorted(maps.Keys(byEntity)) {
		if err := h.writeEntityTraits(ctx, tx, entity, byEntity[entity]); err != nil {
			return err
		}
	}
	return nil
}

func cut(key string) (entity, record string) {
	i := len(key) - 1
	for key[i] != 0 {
		i--
	}
	return key[:i], key[i+1:]
}

func (h *Handler) writeEntityTraits(ctx context.Context, tx store.Tx, entity string, all []*stating) error {
	if err := h.readTraits(ctx, tx, entity, all); err != nil {
		return err
	}
	var found []identified
	var changes []Change
	var contested []string // records whose contradictions may have changed
	for _, s := range all {
		values, err := s.merge()
		if err != nil {
			return err
		}
		at := s.row.StatedAt
		if len(values) > 0 {
			found = append(found, identified{s.row.RecordID, values, at})
		}
		if s.before != "" && slices.ContainsFunc(values, func(v ruleValue) bool { return slices.Contains(exclusive, v.rule.Name) }) {
			contested = append(contested, s.row.RecordID)
		}
		if s.row.Traits.Plain != s.before {
			changes = append(changes, Change{Entity: entity, RecordID: s.row.RecordID, Before: s.before, Now: s.row.Traits.Plain, At: at})
		}
	}
	if err := h.storeTraits(ctx, tx, all); err != nil {
		return err
	}
	if err := h.identify(ctx, tx, entity, found, contested); err != nil || len(changes) == 0 {
		return err
	}
	for _, f := range h.followers {
		if err := f.Stated(ctx, tx, changes); err != nil {
			return err
		}
	}
	return nil
}

// identify stores identifiers and merges whom they show to be one person.
func (h *Handler) identify(ctx context.Context, tx store.Tx, entity string, found []identified, contested []string) error {
	if len(found) == 0 {
		return nil
	}
	groups, err := h.keys.add(ctx, tx, entity, found)
	if err != nil {
		return err
	}
	if len(contested) > 0 {
		again, err := groupsOf(ctx, tx, entity, contested)
		if err != nil {
			return err
		}
		groups = append(groups, again...)
	}
	var at store.Micros
	for _, f := range found {
		at = max(at, f.at)
	}
	candidates, err := h.keys.sync(ctx, tx, entity, groups, at)
	if err != nil {
		return err
	}
	_, err = join(ctx, tx, entity, candidates)
	return err
}

func (h *Handler) readTraits(ctx context.Context, tx store.Tx, entity string, all []*stating) error {
	at := make(map[string]*stating, len(all))
	ids := make([]string, len(all))
	for i, s := range all {
		ids[i], at[s.row.RecordID] = s.row.RecordID, s
	}
	rows, err := each(ids, func(ids []string) (rows []Traits, err error) {
		err = tx.NewSelect().Model(&rows).Where("entity = ? AND record_id IN (?)", entity, bun.List(ids)).Scan(ctx)
		return rows, err
	})
	if err != nil {
		return fmt.Errorf("read traits: %w", err)
	}
	if err := h.box.Open(ctx, tx, &rows); err != nil {
		return err
	}
	for _, r := range rows {
		s := at[r.RecordID]
		s.row.StatedAt, s.row.Times, s.before = r.StatedAt, r.Times, r.Traits.Plain
	}
	return nil
}
