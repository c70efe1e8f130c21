package profile

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
)

// activity is what a record did under one event name.
type activity struct {
	bun.BaseModel `bun:"table:customer_activity"`
	Entity        string `bun:",pk"`
	RecordID      string `bun:",pk"`
	Name          string `bun:",pk"`
	Currency      string `bun:",pk"` // "" where no amount was named
	N             int64
	Amount        int64 // minor units
	FirstAt       store.Micros
	LastAt        store.Micros
}

// Handler keeps the activity of records up to date from the log. It is a handler
// of the state projector.
type Handler struct{ pseudonyms *pseudonym.Maker }

// NewHandler makes the handler.
func NewHandler(p *pseudonym.Maker) *Handler { return &Handler{p} }

// Name implements projector.Handler.
func (*Handler) Name() string { return "customer_activity" }

// did names a row of activity before its record has a pseudonym.
type did struct{ entity, record, name, currency string }

// Handle implements projector.Handler.
func (h *Handler) Handle(ctx context.Context, tx store.Tx, records []eventlog.Record) error {
	sums := make(map[did]*activity, len(records))
	ids := make(map[string]string, len(records))
	for i := range records {
		e := &records[i].Event
		k := did{e.Entity, e.RecordID(), cmp.Or(e.Name, e.Kind.String()), e.Currency}
		at := store.Micros(e.At)
		a := sums[k]
		if a == nil {
			name := k.entity + "\x00" + k.record
			id, known := ids[name]
			if !known {
				id = h.pseudonyms.Record(k.entity, k.record).String()
				ids[name] = id
			}
			a = &activity{Entity: k.entity, RecordID: id, Name: k.name, Currency: k.currency, FirstAt: at, LastAt: at}
			sums[k] = a
		}
		a.N++
		if e.Currency != "" {
			a.Amount += e.Amount
		}
		a.FirstAt, a.LastAt = min(a.FirstAt, at), max(a.LastAt, at)
	}
	return add(ctx, tx, sums)
}

func add(ctx context.Context, tx store.Tx, sums map[did]*activity) error {
	rows := make([]*activity, 0, len(sums))
	for _, a := range sums {
		rows = append(rows, a)
	}
	slices.SortFunc(rows, func(a, b *activity) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.RecordID, b.RecordID), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Currency, b.Currency))
	})
	n := len(rows)
	entity, record, name, currency := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	count, amount, first, last := make([]int64, n), make([]int64, n), make([]store.Micros, n), make([]store.Micros, n)
	for i, a := range rows {
		entity[i], record[i], name[i], currency[i] = a.Entity, a.RecordID, a.Name, a.Currency
		count[i], amount[i], first[i], last[i] = a.N, a.Amount, a.FirstAt, a.LastAt
	}
	_, err := tx.Batch(ctx, "customer_activity", store.Upsert{Key: []string{"entity", "record_id", "name", "currency"},
		Set: "n = t.n + excluded.n, amount = t.amount + excluded.amount, first_at = CASE WHEN excluded.first_at < t.first_at THEN excluded.first_at ELSE t.first_at END, " +
			"last_at = CASE WHEN excluded.last_at > t.last_at THEN excluded.last_at ELSE t.last_at END"},
		store.Col("entity", entity), store.Col("record_id", record), store.Col("name", name), store.Col("currency", currency),
		store.Col("n", count), store.Col("amount", amount), store.Col("first_at", first), store.Col("last_at", last))
	return err
}

// activityOf reads what records did.
func activityOf(ctx context.Context, tx store.Tx, records []string) (rows []activity, err error) {
	err = tx.NewSelect().Model(&rows).Where("entity = ? AND record_id IN (?)", tx.Scope.Entity, bun.List(records)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	return rows, nil
}

// Computed is one computed attribute of a customer.
type Computed struct {
	Rule *ComputedRule
	N    int64        // of events, for a count
	At   store.Micros // the last time; 0 for never
	Sums []Sum        // by currency
}

// Sum is an amount in minor units of a currency.
type Sum struct {
	Currency string
	Amount   int64
}

// compute makes the computed attributes of what a customer's records did.
func (r *Rules) compute(rows []activity) []Computed {
	out := make([]Computed, len(r.Computed))
	for i := range r.Computed {
		rule := &r.Computed[i]
		c := Computed{Rule: rule}
		sums := map[string]int64{}
		for _, a := range rows {
			switch {
			case rule.Count != nil && of(*rule.Count, a.Name):
				c.N += a.N
			case rule.Last != nil && of(*rule.Last, a.Name):
				c.At = max(c.At, a.LastAt)
			case rule.Sum != nil && of(*rule.Sum, a.Name) && a.Currency != "":
				sums[a.Currency] += a.Amount
			}
		}
		for currency, amount := range sums {
			c.Sums = append(c.Sums, Sum{currency, amount})
		}
		slices.SortFunc(c.Sums, func(a, b Sum) int { return cmp.Compare(a.Currency, b.Currency) })
		out[i] = c
	}
	return out
}

func of(names []string, name string) bool { return len(names) == 0 || slices.Contains(names, name) }
