package metric

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"omote/internal/insight/packs"
	"omote/internal/platform/errs"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/warehouse"
)

func TestBuiltInPackIsValid(t *testing.T) {
	t.Parallel()
	p, err := ParsePack(packs.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Metrics) < 60 {
		t.Errorf("only %d metrics", len(p.Metrics))
	}
	for _, d := range p.Metrics {
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var back Definition
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if err := back.Validate(); err != nil {
			t.Errorf("%s after a round trip: %v", d.ID, err)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(raw) {
			t.Errorf("%s changes in a round trip:\n%s\n%s", d.ID, raw, again)
		}
	}
}

// Every built-in metric runs on both engines, split by each of its dimensions.
func TestBuiltInPackRuns(t *testing.T) {
	t.Parallel()
	p, err := ParsePack(packs.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)
	eachWarehouse(t, now, func(t *testing.T, w *warehouse.Warehouse, _ *pseudonym.Maker) {
		for i := range p.Metrics {
			d := &p.Metrics[i]
			for _, by := range append([]string{""}, d.Dims...) {
				ask := Ask{Period: Period{DateOf(2026, 1, 1), DateOf(2026, 2, 1)}, Granularity: Week, By: by}
				if _, err := evaluate(rootContext(t), w, d, 1, ask); err != nil {
					t.Errorf("%s by %q: %v", d.ID, by, err)
				}
			}
		}
	})
}

func FuzzPack(f *testing.F) {
	f.Add(packs.Metrics[:4000])
	f.Add([]byte(`{"metrics":[{"id":"a","kind":"count","name":{"en":"A","vi":"A"},"unit":"count","direction":"higher","min_n":5,"owner":"x","events":{"names":["e"],"where":{"not":{"field":"props.n","in":[1,"a",true]}}}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := ParsePack(raw)
		if err != nil {
			if errs.KindOf(err) == errs.KindInternal {
				t.Fatalf("an error without a kind: %v", err)
			}
			return
		}
		for i := range p.Metrics {
			d := p.Metrics[i]
			q := Question{Period: Period{DateOf(2026, 1, 1), DateOf(2026, 1, 8)}, Granularity: Day, AsOf: time.Unix(1e9, 0), Zone: time.UTC}
			first := Compile(fakeDialect{}, &d, q)
			if second := Compile(fakeDialect{}, &d, q); !reflect.DeepEqual(first, second) {
				t.Fatal("compiling twice gives different SQL")
			}
		}
	})
}

// fakeDialect lets tests compile without an engine.
type fakeDialect struct{ warehouse.Dialect }

func (fakeDialect) Prop(c, k string) string { return "prop(" + c + ", " + warehouse.Literal(k) + ")" }
func (fakeDialect) PropNumber(c, k string) string {
	return "number(" + c + ", " + warehouse.Literal(k) + ")"
}
func (fakeDialect) Seconds(a, b string) string { return "seconds(" + a + ", " + b + ")" }
func (fakeDialect) Micros(e string) string     { return "micros(" + e + ")" }
func (fakeDialect) Double() string             { return "DOUBLE" }
