package warehouse

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"omote/internal/platform/scope"
)

// links is a store's identity graph for tests.
type links struct {
	version uint64
	all     []Link
}

func (l *links) Version(_ context.Context, _ string) (uint64, error) { return l.version, nil }

func (l *links) LinksSince(_ context.Context, _ string, after, upto uint64, yield func(Link) error) error {
	for _, k := range l.all {
		if k.From > after && k.From <= upto || k.To > after && k.To <= upto {
			if err := yield(k); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestCaseColumnsEqualTheFacts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		ctx := as(t, scope.Root)
		fs := facts(rand.New(rand.NewPCG(9, 9)), 2000, 1)
		for i := range fs {
			if i%7 == 0 {
				fs[i].Case = ""
			}
			fs[i].At = fs[i].At / 3600e6 * 3600e6 // many equal instants
		}
		if err := w.append(ctx, 0, last(fs), fs); err != nil {
			t.Fatal(err)
		}
		from := time.UnixMicro(fs[0].At).UTC()
		for _, f := range []CaseFilter{
			{},
			{Journey: "loan", With: []string{"channel", "unit", "outcome"}},
			{Names: []string{"loan_started", "loan_decided"}, From: from, Channel: "app"},
			{To: from, Unit: "hn1", Product: "card", With: []string{"channel"}},
			{Journey: "none"},
			{Key: ByRecord},
			{Key: ByCustomer},
			{Number: "amount", With: []string{"channel"}},
			{Key: ByCustomer, Number: "score"},
			{Number: "n"},
			{Number: "step"}, // no number
		} {
			got, err := w.CaseColumns(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			checkColumns(t, w, f, fs, got)
		}
	})
}

type caseEvent struct {
	key, name              string
	at                     int64
	channel, unit, outcome string
	number                 string
}

func checkColumns(t *testing.T, w *Warehouse, f CaseFilter, fs []Fact, got *CaseColumns) {
	t.Helper()
	var want []caseEvent
	for i := range fs {
		e := &fs[i]
		key := e.Case
		if f.Key != ByCase {
			key = w.opt.Pseudonyms.Record(e.Entity, e.RecordID()).String()
		}
		if key == "" || f.Journey != "" && e.Journey != f.Journey || f.Channel != "" && e.Channel != f.Channel ||
			f.Unit != "" && e.Unit != f.Unit || f.Product != "" && e.Product != f.Product ||
			len(f.Names) > 0 && !slices.Contains(f.Names, e.Name) ||
			!f.From.IsZero() && e.At < f.From.UnixMicro() || !f.To.IsZero() && e.At >= f.To.UnixMicro() {
			continue
		}
		c := caseEvent{key: key, name: e.Name, at: e.At}
		for _, x := range f.With {
			switch x {
			case "channel":
				c.channel = e.Channel
			case "unit":
				c.unit = e.Unit
			case "outcome":
				c.outcome = e.Outcome
			}
		}
		if f.Number != "" {
			var props map[string]any
			if err := json.Unmarshal(e.Props, &props); err != nil {
				t.Fatal(err)
			}
			c.number = "NaN"
			if x, ok := props[f.Number].(float64); ok {
				c.number = fmt.Sprint(x)
			}
			if f.Number == "amount" && e.Currency != "" {
				c.number = fmt.Sprint(float64(e.Amount))
			}
		}
		want = append(want, c)
	}
	slices.SortStableFunc(want, func(a, b caseEvent) int { return cmp.Compare(a.key, b.key) })
	have := make([]caseEvent, len(got.Case))
	for i := range have {
		have[i] = caseEvent{key: got.Cases[got.Case[i]], name: got.Activities[got.Activity[i]], at: got.Time[i]}
		if f.Number != "" {
			have[i].number = fmt.Sprint(got.Numbers[i])
		}
		for _, x := range got.Extra {
			v := x.Names[x.Values[i]]
			switch x.Name {
			case "channel":
				have[i].channel = v
			case "unit":
				have[i].unit = v
			case "outcome":
				have[i].outcome = v
			}
		}
	}
	slices.SortStableFunc(have, func(a, b caseEvent) int { return cmp.Compare(a.key, b.key) })
	if !slices.Equal(want, have) {
		t.Errorf("%+v: %d events differ from the %d expected", f, len(have), len(want))
	}
}

func TestMergedRecordsAreOneCustomer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		ctx := as(t, scope.Root)
		fs := facts(rand.New(rand.NewPCG(10, 10)), 300, 1)
		records := map[uuid.UUID]int{}
		for i := range fs {
			records[w.opt.Pseudonyms.Record(fs[i].Entity, fs[i].RecordID())]++
		}
		if err := w.append(ctx, 0, last(fs), fs); err != nil {
			t.Fatal(err)
		}
		customers := func() int { return one[int](t, ctx, w, `SELECT count(DISTINCT customer_id) FROM {event_customer}`) }
		if got := customers(); got != len(records) {
			t.Fatalf("%d customers for %d records", got, len(records))
		}
		a := w.opt.Pseudonyms.Record(scope.DefaultEntity, "core:u1")
		b := w.opt.Pseudonyms.Record(scope.DefaultEntity, "core:u2")
		source := &links{version: 2, all: []Link{{RecordID: a, CustomerID: a, From: 1, Reason: "rule"}, {RecordID: b, CustomerID: a, From: 2, Reason: "rule"}}}
		sync := func() {
			for range 2 { // a second copy changes nothing
				if v, err := w.SyncLinks(ctx, source); err != nil || v != source.version {
					t.Fatalf("copied up to %d: %v", v, err)
				}
			}
		}
		sync()
		if got := customers(); got != len(records)-1 {
			t.Errorf("%d customers after a merge of %d records", got, len(records))
		}
		if got := one[int](t, ctx, w, `SELECT count(*) FROM {event_customer} WHERE CAST(customer_id AS VARCHAR) = $1`, a.String()); got != records[a]+records[b] {
			t.Errorf("the merged customer has %d events, want %d", got, records[a]+records[b])
		}
		source.all[1].To, source.version = 3, 3
		sync()
		if got := customers(); got != len(records) {
			t.Errorf("%d customers after taking the merge back, want %d", got, len(records))
		}
		if got := one[int](t, ctx, w, `SELECT count(*) FROM {event_customer}`); got != len(fs) {
			t.Errorf("%d facts, want %d", got, len(fs))
		}
	})
}

func TestForgottenRecordsAreGone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		ctx := as(t, scope.Root)
		fs := facts(rand.New(rand.NewPCG(15, 15)), 400, 1)
		if err := w.append(ctx, 0, last(fs), fs); err != nil {
			t.Fatal(err)
		}
		records := []uuid.UUID{w.opt.Pseudonyms.Record(scope.DefaultEntity, "core:u1"), w.opt.Pseudonyms.Record(scope.DefaultEntity, "core:u2")}
		want := 0
		for i := range fs {
			if fs[i].UserID == "u1" || fs[i].UserID == "u2" {
				want++
			}
		}
		for _, n := range []int{want, 0} {
			if got, err := w.Forget(ctx, records); err != nil || got != int64(n) {
				t.Fatalf("%d facts forgotten, want %d: %v", got, n, err)
			}
		}
		if got := one[int](t, ctx, w, `SELECT count(*) FROM {event}`); got != len(fs)-want {
			t.Errorf("%d facts left, want %d", got, len(fs)-want)
		}
		mustAgree(t, w)
	})
}
