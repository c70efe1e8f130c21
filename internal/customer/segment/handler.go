package segment

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/valyala/fastjson"

	"omote/analytics/rule"
	"omote/internal/customer/state"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
)

// Handler keeps memberships up to date from the log. It is a handler of the state
// projector and runs behind that of identity, whose links it follows.
type Handler struct {
	pseudonyms *pseudonym.Maker
	rules      *rules
	hook       Hook
}

// Name implements projector.Handler.
func (*Handler) Name() string { return "customer_segment" }

// Operational are events of the bank's own people and systems. They make nobody
// a customer.
var Operational = []string{"behaviour_observed", "incident_started", "incident_ended"}

func operational(e *event.Event) bool {
	return e.Kind == event.Track && slices.Contains(Operational, e.Name)
}

// stretch is what a batch says of one record.
type stretch struct {
	record  string
	events  []*event.Event
	history bool // nothing but history
}

// Handle implements projector.Handler.
func (h *Handler) Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error {
	run, err := h.rules.load(ctx, tx)
	if err != nil || run.version == 0 {
		return err
	}
	all := h.gather(records)
	if len(all) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(all))
	owner, err := holders(ctx, tx, ids)
	if err != nil {
		return err
	}
	if _, err := readRecords(ctx, tx, ids); err != nil {
		return err
	}
	b := &batch{run: run, work: newWork(run, tx.Now()), all: all, owner: owner, states: map[string]*state.Row{}, touched: map[string][]bool{}, moved: map[string]bool{}}
	if err := b.apply(tx, ids); err != nil {
		return err
	}
	names := b.concerned()
	if err := b.gatherOthers(ctx, tx, names); err != nil {
		return err
	}
	rows, err := readCustomers(ctx, tx, names)
	if err != nil {
		return err
	}
	if err := b.judge(names, rows); err != nil {
		return err
	}
	if err := b.work.write(ctx, tx, h.hook); err != nil {
		return err
	}
	state.Put(tx, b.write...)
	return nil
}

func (h *Handler) gather(records []eventlog.Record) map[string]*stretch {
	all := map[string]*stretch{}
	for i := range records {
		e := &records[i].Event
		if operational(e) {
			continue
		}
		id := h.pseudonyms.Record(e.Entity, e.RecordID()).String()
		s := all[id]
		if s == nil {
			s = &stretch{record: id, history: true}
			all[id] = s
		}
		s.events = append(s.events, e)
		s.history = s.history && e.History
	}
	return all
}

// batch is the work of one call of the handler.
type batch struct {
	run     *running
	work    *work
	all     map[string]*stretch
	owner   map[string]string
	others  map[string][]string // customer → linked records
	states  map[string]*state.Row
	touched map[string][]bool // by customer; nil: everything
	moved   map[string]bool   // customers that lost a record
	write   []*state.Row
}

// concerned are the customers whom what happened may bring into a segment or out
// of one: most events touch no rule, and then nothing more is read.
func (b *batch) concerned() (names []string) {
	for c, rules := range b.touched {
		if rules == nil || slices.Contains(rules, true) {
			names = append(names, c)
		}
	}
	for c := range b.moved {
		if _, has := b.touched[c]; !has {
			names = append(names, c)
		}
	}
	slices.Sort(names)
	return names
}

// gatherOthers reads the records that customers have beside those of the batch.
func (b *batch) gatherOthers(ctx context.Context, tx store.Tx, names []string) (err error) {
	elsewhere, err := holders(ctx, tx, slices.DeleteFunc(slices.Clone(names), func(c string) bool { return b.all[c] != nil }))
	if err != nil {
		return err
	}
	maps.Copy(b.owner, elsewhere)
	if b.others, err = linked(ctx, tx, names); err != nil {
		return err
	}
	var wanted []string
	for _, c := range names {
		wanted = append(append(wanted, b.others[c]...), c)
	}
	wanted = slices.DeleteFunc(wanted, func(id string) bool { return b.states[id] != nil })
	found, err := readRecords(ctx, tx, wanted)
	maps.Copy(b.states, found)
	return err
}

// apply adds the facts to the states of their records.
func (b *batch) apply(tx store.Tx, ids []string) error {
	st := b.run.set.NewState()
	changed := make([]bool, len(b.run.set.Features))
	var props factProps
	for _, id := range ids {
		s, customer := b.all[id], cmp.Or(b.owner[id], id)
		row, fresh := counted(tx, id, customer)
		b.states[id] = row
		st.Reset()
		clear(changed)
		if err := st.Decode(row.Rules); err != nil {
			return err
		}
		for _, e := range s.events {
			fact := rule.Fact{At: min(e.At, e.ReceivedAt), Name: e.Name}
			switch e.Kind {
			case event.Identify:
				fact.Name = rule.Profile
			case event.Track, event.Page, event.Screen:
			default:
				continue
			}
			if b.run.set.Listens(fact.Name) {
				props.reset(e)
				fact.Props = &props
				st.Apply(&fact, int64(b.work.now), changed)
			}
		}
		any := slices.Contains(changed, true)
		rules, known := b.touched[customer]
		if row.Holder != customer {
			b.moved[row.Holder] = true
			row.Holder, rules, known = customer, nil, true
		} else if fresh {
			rules, known = nil, true
		} else if !known {
			rules = make([]bool, len(b.run.set.Rules))
		}
		if rules != nil {
			b.run.set.Touched(changed, rules)
		}
		b.touched[customer] = rules
		if fresh || any || known && rules == nil {
			row.Rules = st.Encode(nil, int64(b.work.now))
			b.write = append(b.write, row)
		}
	}
	return nil
}

// judge evaluates the customers of the batch.
func (b *batch) judge(names []string, rows map[string]*customerRow) error {
	for _, c := range names {
		touched, has := b.touched[c]
		list := b.others[c]
		if _, away := b.owner[c]; !away && b.states[c] != nil {
			list = append(slices.Clone(list), c)
		}
		var parts [][]byte
		history := true
		cause := byEvent
		for _, id := range list {
			if row := b.states[id]; row != nil {
				parts = append(parts, row.Rules)
			}
			if s := b.all[id]; s != nil {
				history = history && s.history
			}
		}
		switch {
		case !has:
			cause = byIdentity
		case history:
			cause = byHistory
		}
		if err := b.work.judge(c, parts, touched, rows[c], cause, history); err != nil {
			return err
		}
	}
	return nil
}

// factProps gives the properties of an event to rules; JSON is read when first asked for.
type factProps struct {
	e      *event.Event
	parser fastjson.Parser
	parsed *fastjson.Value
}

func (p *factProps) reset(e *event.Event) { p.e, p.parsed = e, nil }

func (p *factProps) get(name string) *fastjson.Value {
	if p.parsed == nil {
		raw := []byte(p.e.Props)
		if p.e.Kind == event.Identify {
			raw = Coarse(p.e)
		}
		var err error
		if p.parsed, err = p.parser.ParseBytes(raw); err != nil || p.parsed.Type() != fastjson.TypeObject {
			p.parsed = fastjson.MustParse("{}")
		}
	}
	return p.parsed.Get(name)
}

// Text implements rule.Props.
func (p *factProps) Text(name string) (string, bool) {
	column := ""
	switch name {
	case "journey":
		column = p.e.Journey
	case "channel":
		column = p.e.Channel
	case "unit":
		column = p.e.Unit
	case "product":
		column = p.e.Product
	case "outcome":
		column = p.e.Outcome
	case "currency":
		column = p.e.Currency
	case "case":
		column = p.e.Case
	case rule.Amount:
		return "", false
	default:
		return propText(p.get(name))
	}
	return column, column != ""
}

// Number implements rule.Props.
func (p *factProps) Number(name string) (float64, bool) {
	if name == rule.Amount {
		return float64(p.e.Amount), p.e.Currency != ""
	}
	if isColumn(name) {
		return 0, false
	}
	return propNumber(p.get(name))
}

func isColumn(name string) bool {
	switch name {
	case "journey", "channel", "unit", "product", "outcome", "currency", "case":
		return true
	}
	return false
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
