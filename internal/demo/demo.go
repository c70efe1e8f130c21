// Package demo fills an installation with the simulated bank, so that every page
// has something to show on the first minute: people to sign in as, the
// organisation, a year of history, and live traffic while one watches.
package demo

import (
	"context"
	"fmt"
	"iter"
	"path"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"omote/bank"
	"omote/internal/app"
	"omote/internal/ingest/plan"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

// Options say which bank is simulated.
type Options struct {
	Customers int
	Months    int
	Speed     float64 // of the live traffic; 1 is real time
	Seed      uint64
	// Say is told what happens.
	Say func(format string, args ...any)
}

// batchEvents is how many events are sent to the log at once.
const batchEvents = 2_000

// Load fills an open installation with organisation, people and history. It
// returns when every figure has the history.
func Load(ctx context.Context, a *app.App, o Options) (*bank.Bank, error) {
	b, err := newBank(a, o)
	if err != nil {
		return nil, err
	}
	if err := Prepare(ctx, a); err != nil {
		return nil, err
	}
	begin := time.Now()
	f := newFeeder(a, true)
	problems := newProblems(b.Config().End)
	asked := newAskings(a.Config.Entity, b.Config().End)
	for e := range b.ByCustomer() {
		problems.note(e)
		if err := asked.note(e); err != nil {
			return nil, err
		}
		if err := f.take(ctx, e); err != nil {
			return nil, err
		}
		if f.sent%500_000 < batchEvents && f.sent != f.told {
			f.told = f.sent
			o.Say("%d events of history", f.sent)
		}
	}
	if err := f.flush(ctx); err != nil {
		return nil, err
	}
	if err := a.CaughtUp(ctx); err != nil {
		return nil, err
	}
	if err := a.RefreshSegments(ctx); err != nil {
		return nil, err
	}
	if err := a.LookForSignals(ctx); err != nil {
		return nil, err
	}
	if err := problems.seed(ctx, a); err != nil {
		return nil, err
	}
	if err := asked.seed(ctx, a); err != nil {
		return nil, fmt.Errorf("answers to questionnaires: %w", err)
	}
	if err := a.CompareMaps(a.System(ctx)); err != nil {
		return nil, err
	}
	if err := a.TestMoments(ctx); err != nil {
		return nil, err
	}
	if err := seedPrivacy(ctx, a, o.Seed); err != nil {
		return nil, fmt.Errorf("consents and requests: %w", err)
	}
	if err := seedGovernance(ctx, a, b, o); err != nil {
		return nil, fmt.Errorf("governance: %w", err)
	}
	// The identity review has its first questions a minute after the demo is served.
	if err := a.CompareRecords(a.System(ctx)); err != nil {
		return nil, fmt.Errorf("compare all records: %w", err)
	}
	o.Say("%d events of %d customers over %d months are in, after %.0f s", f.sent, o.Customers, o.Months, time.Since(begin).Seconds())
	return b, nil
}

// Prepare gives an installation what the simulated bank is before anything happens:
// its organisation and people, the events of its feeds, its maps.
func Prepare(ctx context.Context, a *app.App) error {
	if err := seedPeople(ctx, a); err != nil {
		return err
	}
	if err := seedPlan(ctx, a); err != nil {
		return err
	}
	return seedMaps(ctx, a)
}

// Feed brings events of the bank in as history and returns when every figure has
// them.
func Feed(ctx context.Context, a *app.App, events iter.Seq[*bank.Event]) (n int, err error) {
	f := newFeeder(a, true)
	for e := range events {
		if err := f.take(ctx, e); err != nil {
			return f.sent, err
		}
	}
	if err := f.flush(ctx); err != nil {
		return f.sent, err
	}
	return f.sent, a.CaughtUp(ctx)
}

func newBank(a *app.App, o Options) (*bank.Bank, error) {
	// The history ends at midnight, so that the same day gives the same history.
	end := a.Clock.Now().In(bank.Zone)
	end = time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, bank.Zone)
	start := end.AddDate(0, -o.Months, 0)
	plan := bank.DefaultPlan(int(end.Sub(start).Hours() / 24))
	for _, c := range campaignsOf(o.Seed, start, end) {
		plan.Effects = append(plan.Effects, c.effect(start))
	}
	return bank.New(bank.Config{Seed: o.Seed, Customers: o.Customers, Months: o.Months, End: end, Plan: plan})
}

// Live plays the bank on from the end of its history until ctx ends. Events carry
// the time at which they are delivered.
func Live(ctx context.Context, a *app.App, b *bank.Bank, o Options) error {
	f := newFeeder(a, false)
	st := b.Stream()
	st.Skip(b.Config().End.UnixMicro())
	var failed error
	err := st.Live(ctx, bank.LiveOptions{Speed: o.Speed, Restamp: true}, func(e *bank.Event) bool {
		if failed = f.take(ctx, e); failed == nil {
			failed = f.flush(ctx)
		}
		return failed == nil
	})
	if failed != nil {
		err = failed
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// unitCode is the code of the unit at the end of the bank's path: "/BTB/TB002/"
// is "tb002" in the organisation.
func unitCode(place string) string {
	if place == "" {
		return ""
	}
	return strings.ToLower(path.Base(strings.TrimSuffix(place, "/")))
}

// feeder turns the bank's events into the product's, through the tracking plan as
// every feed, and sends them to the log.
type feeder struct {
	app     *app.App
	checker *plan.Checker
	history bool
	parser  fastjson.ParserPool
	scratch plan.Scratch
	batch   []event.Event
	parsers []*fastjson.Parser
	sent    int
	told    int
}

func newFeeder(a *app.App, history bool) *feeder {
	return &feeder{app: a, checker: a.Checker(), history: history}
}

func (f *feeder) take(ctx context.Context, e *bank.Event) error {
	out := event.Event{Source: e.Source, System: e.System, MessageID: e.MessageID, Entity: f.app.Config.Entity, Kind: event.Kind(e.Kind), Name: e.Name,
		UserID: e.UserID, AnonymousID: e.AnonymousID, PreviousID: e.PreviousID, At: e.At, ReceivedAt: f.app.Clock.Now().UnixMicro(),
		Journey: e.Journey, Case: e.Case, Channel: e.Channel, Unit: unitCode(e.Unit), Product: e.Product, Outcome: e.Outcome, Amount: e.Amount, Currency: e.Currency,
		Traits: e.Traits, History: f.history}
	var props *fastjson.Value
	if len(e.Props) > 0 {
		p := f.parser.Get()
		f.parsers = append(f.parsers, p)
		var err error
		if props, err = p.ParseBytes(e.Props); err != nil {
			return fmt.Errorf("properties of %s: %w", e.Name, err)
		}
	}
	currency, amount := out.Currency, out.Amount
	_, fits := f.checker.Check(&out, props, &f.scratch)
	if out.Currency == "" {
		out.Currency, out.Amount = currency, amount
	}
	if !fits {
		return nil // in the future by a rounding of the clock
	}
	f.batch = append(f.batch, out)
	if len(f.batch) < batchEvents {
		return nil
	}
	return f.flush(ctx)
}

// flush sends what is waiting, as fast as the log takes it.
func (f *feeder) flush(ctx context.Context) error {
	if len(f.batch) == 0 {
		return nil
	}
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		_, err := f.app.Log.Append(ctx, f.batch)
		if err == nil {
			break
		}
		if errs.KindOf(err) != errs.KindUnavailable {
			return err
		}
		if err := clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
	f.sent += len(f.batch)
	f.batch = f.batch[:0]
	f.scratch.Reset()
	for _, p := range f.parsers {
		f.parser.Put(p)
	}
	f.parsers = f.parsers[:0]
	return nil
}

// Begin loads a fresh demo, or takes up the one that is there.
func Begin(ctx context.Context, a *app.App, o Options, fresh bool) (*bank.Bank, error) {
	if fresh {
		return Load(ctx, a, o)
	}
	return newBank(a, o)
}
