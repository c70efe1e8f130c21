package metric

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"omote/internal/platform/clock"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"

	"omote/internal/testkit/shared"
)

// newYork changes its clocks twice within the facts of the tests.
var newYork = zone("America/New_York")

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// eachWarehouse runs fn with the same facts in a warehouse of each engine.
func eachWarehouse(t *testing.T, now time.Time, fn func(t *testing.T, w *warehouse.Warehouse, maker *pseudonym.Maker)) {
	t.Helper()
	open := func(t *testing.T, opt warehouse.Options) {
		maker, err := pseudonym.New(t.Context(), testkit.Keys(t))
		if err != nil {
			t.Fatal(err)
		}
		opt.Pseudonyms, opt.Clock, opt.Logger = maker, clock.NewManual(now), slog.New(slog.DiscardHandler)
		opt.Mask = func(string) string { return "masked" }
		opt.Zone = func(string) *time.Location { return newYork }
		w, err := warehouse.Open(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		fn(t, w, maker)
	}
	t.Run("duckdb", func(t *testing.T) { t.Parallel(); open(t, warehouse.Options{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); open(t, warehouse.Options{URL: testkit.PostgresURL(t)}) })
}

func rootContext(t testing.TB) context.Context {
	return scope.With(t.Context(), scope.Scope{Entity: scope.DefaultEntity, Unit: scope.Root, Actor: "account:tester"})
}

func pick[T any](rng *rand.Rand, xs ...T) T { return xs[rng.IntN(len(xs))] }

var stepNames = []string{"started", "decided", "paid", "called"}

// randomEvents makes events of half a year around two clock changes. Late ones
// arrive up to weeks later; some answers are skipped, some properties absent.
func randomEvents(rng *rand.Rand, n int) []event.Event {
	base := time.Date(2025, 9, 1, 0, 0, 0, 0, newYork)
	out := make([]event.Event, n)
	for i := range out {
		at := base.Add(time.Duration(rng.Int64N(int64(210 * 24 * time.Hour))))
		if rng.IntN(4) == 0 { // around midnight of some day, to the microsecond
			at = base.AddDate(0, 0, rng.IntN(210)).Add(time.Duration(rng.IntN(3)-1) * time.Microsecond)
		}
		if rng.IntN(2) == 0 {
			at = at.Truncate(24 * time.Hour) // many equal instants, and whole days between
		}
		e := event.Event{
			Source: pick(rng, "app", "core"), MessageID: fmt.Sprint(i), Entity: scope.DefaultEntity, Kind: event.Track, Name: pick(rng, stepNames...),
			UserID: fmt.Sprint(rng.IntN(25)), System: "core", At: at.UnixMicro(), ReceivedAt: at.UnixMicro() + rng.Int64N(30*86400e6),
			Journey: "loan", Case: pick(rng, "", fmt.Sprint("c", rng.IntN(60)), fmt.Sprint("c", rng.IntN(60))), Channel: pick(rng, "app", "branch", ""),
			Unit: pick(rng, "hn1", "hn2", "sg1", ""), Product: pick(rng, "card", "loan", ""), Outcome: pick(rng, "", "ok", "lỗi"), Schema: uint32(rng.IntN(3)),
			History: rng.IntN(5) == 0,
		}
		if rng.IntN(2) == 0 {
			e.Amount, e.Currency = rng.Int64N(5_000_000), pick(rng, "VND", "VND", "USD")
		}
		props := map[string]any{}
		if rng.IntN(3) > 0 {
			props["n"] = pick[any](rng, 1, 2.5, -3, "text", nil, true)
		}
		if rng.IntN(3) > 0 {
			props["reason"] = pick[any](rng, "fee", "wait", "", nil, false)
		}
		if rng.IntN(3) == 0 {
			e.Name = "survey_answered"
			props["instrument"], props["item"] = pick(rng, "nps", "csat"), pick(rng, "score", "other")
			props["score"] = pick[any](rng, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, nil)
			props["trigger_event"], props["language"] = pick(rng, "paid", "decided", ""), pick(rng, "vi", "en")
			props["aspect"], props["verbatim"] = pick(rng, "app", ""), pick(rng, "chờ lâu", "")
		}
		raw, err := json.Marshal(props)
		if err != nil {
			panic(err)
		}
		e.Props = raw
		out[i] = e
	}
	return out
}

// load puts events into the warehouse and gives them to the oracle; the second
// and third user are one customer.
func load(t *testing.T, w *warehouse.Warehouse, maker *pseudonym.Maker, events []event.Event) []fact {
	t.Helper()
	b := eventlog.Batch{First: 1, Last: uint64(len(events))}
	var facts []fact
	for i, e := range events {
		b.Records = append(b.Records, eventlog.Record{Event: e, Seq: uint64(i + 1)})
		customer := e.UserID
		if customer == "2" {
			customer = "1"
		}
		facts = append(facts, fact{Event: e, seq: uint64(i + 1), customer: customer, props: decodeProps(e.Props)})
	}
	if err := w.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, err := w.SyncLinks(rootContext(t), mergedUsers{maker}); err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(facts, func(a, b fact) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.seq, b.seq)) })
	return facts
}

type mergedUsers struct{ maker *pseudonym.Maker }

func (mergedUsers) Version(context.Context, string) (uint64, error) { return 1, nil }

func (m mergedUsers) LinksSince(_ context.Context, entity string, _, _ uint64, yield func(warehouse.Link) error) error {
	return yield(warehouse.Link{RecordID: m.maker.Record(entity, "core:2"), CustomerID: m.maker.Record(entity, "core:1"), From: 1, Reason: "rule"})
}

// randomFilter makes a filter over the fields of a set.
func randomFilter(rng *rand.Rand, answers bool, depth int) *Expr {
	if depth < 2 && rng.IntN(3) == 0 {
		a, b := randomFilter(rng, answers, depth+1), randomFilter(rng, answers, depth+1)
		return pick(rng, &Expr{All: []Expr{*a, *b}}, &Expr{Any: []Expr{*a, *b}}, &Expr{Not: a})
	}
	yes, no, x := true, false, float64(rng.IntN(9))
	fields := []*Expr{
		{Field: "channel", Eq: "app"}, {Field: "channel", Set: &no}, {Field: "unit", In: []any{"hn1", "sg1"}}, {Field: "unit", Prefix: "hn"},
		{Field: "product", Ne: "card"}, {Field: "history", Eq: true}, {Field: "source", Eq: "app"},
	}
	if answers {
		fields = append(fields, &Expr{Field: "score", Ge: &x}, &Expr{Field: "trigger_event", Eq: "paid"}, &Expr{Field: "comment", Set: &yes}, &Expr{Field: "language", Eq: "vi"})
	} else {
		fields = append(fields, &Expr{Field: "outcome", Eq: "lỗi"}, &Expr{Field: "amount", Lt: new(2_000_000.0)}, &Expr{Field: "amount", Set: &no},
			&Expr{Field: "props.n", Gt: &x}, &Expr{Field: "props.n", Eq: 1}, &Expr{Field: "props.n", Ne: 2.5}, &Expr{Field: "props.n", Eq: true},
			&Expr{Field: "props.reason", Set: &yes}, &Expr{Field: "props.reason", In: []any{"fee", false}}, &Expr{Field: "props.reason", Ne: "fee"},
			&Expr{Field: "schema_version", Le: new(1.0)}, &Expr{Field: "name", Eq: "paid"})
	}
	return pick(rng, fields...)
}

// randomDefinition makes a valid definition of any kind.
func randomDefinition(rng *rand.Rand, kind Kind) Definition {
	d := Definition{ID: "m", Kind: kind, Name: Text{"M", "M"}, Direction: Higher, MinN: MinPublished, Owner: "analyst",
		Dims: []string{"channel", "unit", "product"}}
	filter := func(answers bool) *Expr {
		if rng.IntN(2) == 0 {
			return nil
		}
		return randomFilter(rng, answers, 0)
	}
	part := func(names ...string) *Events { return &Events{Names: names, Where: filter(false)} }
	answers := &Answers{Instrument: "nps", Item: "score", Trigger: pick(rng, "", "paid"), Where: filter(true)}
	within := Span(pick(rng, time.Hour, 24*time.Hour, 7*24*time.Hour, 30*24*time.Hour))
	a, b := pick(rng, stepNames...), pick(rng, stepNames...)
	switch kind {
	case NPS:
		d.Unit, d.Answers = Points, answers
	case TopBox:
		d.Unit, d.Answers = Share, answers
		answers.AtLeast = new(float64(rng.IntN(10)))
		if rng.IntN(2) == 0 {
			answers.AtLeast, answers.AtMost = nil, answers.AtLeast
		}
	case CES:
		d.Unit, d.Answers = Points, answers
		answers.Max = 10
	case Mean:
		if d.Unit, d.Answers = Points, answers; rng.IntN(2) == 0 {
			d.Answers, d.Events = nil, part(a, b)
			d.Events.Value = "props.n"
			if rng.IntN(2) == 0 {
				d.Unit, d.Events.Value = VND, amountField
			}
		}
	case Ratio:
		d.Unit, d.Num, d.Den = VND, part(a), part(b)
		d.Num.Value = pick(rng, "", amountField, "props.n")
	case Rate:
		d.Unit, d.Num, d.Den = pick(rng, Share, PerOne, Per10k), part(a), part(b, "called")
		if rng.IntN(3) == 0 {
			d.Without = []string{"called"}
		}
	case Conversion:
		d.Unit, d.From, d.To, d.Within, d.Fail, d.Subject = Share, part(a), part(b), within, rng.IntN(3) == 0, pick(rng, "", ByCustomer)
		if rng.IntN(3) == 0 {
			d.Without = []string{"called"}
		}
	case Duration:
		d.Unit, d.From, d.To, d.Quantile, d.Subject = pick(rng, Seconds, Hours, Days), part(a), part(b), pick(rng, 0.5, 0.9), pick(rng, "", ByCustomer)
	case Count:
		d.Unit, d.Events, d.Subject = Number, part(a, b), pick(rng, "", ByCustomer, ByCase)
	}
	if rng.IntN(3) == 0 {
		d.Zone = pick(rng, "Asia/Ho_Chi_Minh", "Asia/Kathmandu", "Europe/Lisbon")
	}
	return d
}

// TestComputedEqualsNaive: on both engines, whatever the definition, the filter,
// the zone and the split, the figures are those of a look at every fact; the
// daily aggregates give the same figures as the facts.
func TestComputedEqualsNaive(t *testing.T) {
	t.Parallel()
	rounds := 12
	if shared.Verify() {
		rounds = 400
	}
	now := time.Date(2026, 3, 25, 12, 0, 0, 0, time.UTC)
	eachWarehouse(t, now, func(t *testing.T, w *warehouse.Warehouse, maker *pseudonym.Maker) {
		rng := rand.New(rand.NewPCG(21, 21))
		facts := load(t, w, maker, randomEvents(rng, 1500))
		aggregates := 0
		for round := range rounds {
			for _, kind := range kinds {
				d := randomDefinition(rng, kind)
				if err := d.Validate(); err != nil {
					t.Fatal(err)
				}
				d.MinN = 1 // so that no figure hides from the comparison
				ask := randomAsk(rng, d.Answers != nil)
				if checkAgainstOracle(t, w, facts, &d, ask, now) {
					aggregates++
				}
				if t.Failed() {
					t.Fatalf("round %d, %+v, %+v", round, ask, d)
				}
			}
		}
		if aggregates == 0 {
			t.Error("the daily aggregates were never used")
		}
	})
}

func randomAsk(rng *rand.Rand, answers bool) Ask {
	from := DateOf(2025, 9, 1).AddDays(rng.IntN(150))
	ask := Ask{Period: Period{from, from.AddDays(1 + rng.IntN(120))}, Granularity: pick(rng, Day, Week, Month, Total), By: pick(rng, "", "", "channel", "unit", "product")}
	if rng.IntN(4) == 0 {
		ask.Where = randomFilter(rng, answers, 0)
	}
	return ask
}

// checkAgainstOracle reports whether the daily aggregates answered.
func checkAgainstOracle(t *testing.T, w *warehouse.Warehouse, facts []fact, d *Definition, ask Ask, now time.Time) bool {
	t.Helper()
	got, err := evaluate(rootContext(t), w, d, 1, ask)
	if err != nil {
		t.Fatal(err)
	}
	q, err := question(d, newYork, ask)
	if err != nil {
		t.Fatal(err)
	}
	q.AsOf = now
	if d.Answers == nil {
		q.AsOf = horizon(facts, d, now)
	}
	if !got.AsOf.Equal(q.AsOf) {
		t.Errorf("judged as of %v, want %v", got.AsOf, q.AsOf)
	}
	o := oracle{facts, d, q}
	comparePoints(t, got.Points, d.points(q, o.cells(), 0))
	if got.Source == "aggregates" {
		ask.FactsOnly = true
		raw, err := evaluate(rootContext(t), w, d, 1, ask)
		if err != nil {
			t.Fatal(err)
		}
		comparePoints(t, got.Points, raw.Points)
	}
	return got.Source == "aggregates"
}

// horizon is the last instant of the sources that carry the metric's events.
func horizon(facts []fact, d *Definition, now time.Time) time.Time {
	sources := map[string]bool{}
	for i := range facts {
		if slices.Contains(d.eventNames(), facts[i].Name) {
			sources[facts[i].Source] = true
		}
	}
	var last int64
	for i := range facts {
		if sources[facts[i].Source] {
			last = max(last, facts[i].At)
		}
	}
	if last == 0 || time.UnixMicro(last).After(now) {
		return now
	}
	return time.UnixMicro(last).UTC()
}

func comparePoints(t *testing.T, got, want []Point) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d points, want %d", len(got), len(want))
		return
	}
	for i := range got {
		g, w := got[i], want[i]
		if g.Start != w.Start || g.End != w.End || g.Group != w.Group || g.State != w.State || !sameEstimate(g.Est, w.Est) {
			t.Errorf("point %d:\n got %+v\nwant %+v", i, g, w)
			return
		}
	}
}
