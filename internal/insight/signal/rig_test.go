package signal_test

import (
	"context"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"testing"
	"time"

	"omote/bank"
	"omote/internal/insight"
	"omote/internal/insight/metric"
	"omote/internal/insight/packs"
	"omote/internal/insight/signal"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
)

// rig is the service on a store, with a warehouse and invented people.
type rig struct {
	t         testing.TB
	db        *store.DB
	w         *warehouse.Warehouse
	auth      *auth.Service
	metrics   *metric.Service
	approvals *approval.Service
	begun     []signal.Ask
	*signal.Service
}

// Begin notes the initiatives that signals begin.
func (r *rig) Begin(_ context.Context, a signal.Ask) (id, href string, err error) {
	r.begun = append(r.begun, a)
	id = fmt.Sprintf("i%d", len(r.begun))
	return id, "/governance/initiatives/" + id, nil
}

var migrations = []store.Migrations{sealed.Migrations, audit.Migrations, auth.Migrations, approval.Migrations, insight.Migrations}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newRig makes the service; the built-in measures and rule are in force.
func newRig(t testing.TB, db *store.DB) *rig {
	t.Helper()
	maker, err := pseudonym.New(t.Context(), testkit.Keys(t))
	must(t, err)
	r := &rig{t: t, db: db}
	r.w, err = warehouse.Open(t.Context(), warehouse.Options{Dir: t.TempDir(), Pseudonyms: maker, Clock: db.Clock(), Logger: slog.New(slog.DiscardHandler),
		Mask: func(s string) string { return s }, Zone: func(string) *time.Location { return bank.Zone }})
	must(t, err)
	t.Cleanup(func() { r.w.Close() })
	box, err := sealed.NewBox(db.Keys())
	must(t, err)
	r.auth, err = auth.New(t.Context(), db, box, auth.Options{})
	must(t, err)
	r.approvals = approval.New(db, r.auth)
	r.metrics = metric.NewService(db, r.w)
	chains, err := signal.ParseChains(packs.Worth)
	must(t, err)
	r.Service = signal.NewService(signal.Deps{Store: db, Metrics: r.metrics, Facts: r.w, Zone: bank.Zone, Chains: chains, Approvals: r.approvals, Initiatives: r})
	pack, err := metric.ParsePack(packs.Metrics)
	must(t, err)
	_, _, err = r.metrics.Install(testkit.Context(t), pack)
	must(t, err)
	must(t, r.Install(testkit.Context(t)))
	return r
}

// person adds an account and gives the context in which it acts.
func (r *rig) person(email string, role auth.Role, unit string) context.Context {
	r.t.Helper()
	grants := []auth.Grant{{Role: role, Unit: unit}}
	var id string
	must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error {
		a, err := r.auth.AddAccount(ctx, tx, auth.NewAccount{Email: email, Name: "Lan Example", Locale: "vi", Grants: grants})
		id = a.ID
		return err
	}))
	return auth.WithActor(r.t.Context(), auth.Actor{Kind: auth.Person, ID: id, Entity: scope.DefaultEntity, Grants: grants})
}

// units tells the warehouse the branches of the simulated bank.
func (r *rig) units() {
	r.t.Helper()
	var known []warehouse.Unit
	for _, b := range bank.Branches() {
		p := strings.ToLower(b.Path)
		known = append(known, warehouse.Unit{Code: path.Base(strings.TrimSuffix(p, "/")), Path: p})
	}
	must(r.t, r.w.ReplaceUnits(testkit.Context(r.t), known))
}

// fill brings those events of a bank's history in that keep picks, up to an instant,
// and sets the clock there.
func (r *rig) fill(b *bank.Bank, until time.Time, keep func(*bank.Event) bool) {
	r.t.Helper()
	r.units()
	const batch = 20_000
	records := make([]eventlog.Record, 0, batch)
	seq := uint64(0)
	flush := func() {
		must(r.t, r.w.Apply(r.t.Context(), eventlog.Batch{First: seq, Last: seq, Records: records}))
		records = records[:0]
	}
	seq = 1
	for e := range b.ByCustomer() {
		if e.At >= until.UnixMicro() || !keep(e) {
			continue
		}
		unit := ""
		if e.Unit != "" {
			unit = strings.ToLower(path.Base(strings.TrimSuffix(e.Unit, "/")))
		}
		records = append(records, eventlog.Record{Seq: seq, Index: len(records), Event: event.Event{Source: e.Source, System: e.System, MessageID: e.MessageID, Entity: scope.DefaultEntity,
			Kind: event.Kind(e.Kind), Name: e.Name, UserID: e.UserID, AnonymousID: e.AnonymousID, PreviousID: e.PreviousID, At: e.At, ReceivedAt: e.At, Journey: e.Journey, Case: e.Case,
			Channel: e.Channel, Unit: unit, Product: e.Product, Outcome: e.Outcome, Amount: e.Amount, Currency: e.Currency, Props: append([]byte(nil), e.Props...), History: true}})
		if len(records) == batch {
			flush()
			seq++
		}
	}
	if len(records) > 0 {
		flush()
	}
	testkit.Clock(r.db).Set(until)
}
