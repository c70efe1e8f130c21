package segment

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"omote/internal/customer"
	"omote/internal/platform/audit"
	"omote/internal/platform/clock"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/projector"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
)

// desk is a bank in small: a store and a warehouse of one kind, fed by one log.
type desk struct {
	t     testing.TB
	ctx   context.Context
	db    *store.DB
	clock *clock.Manual
	house *warehouse.Warehouse
	names *pseudonym.Maker
	state *projector.State
	svc   *Service
	seq   uint64
	stood uint64 // where the state projector stands
	// behind are batches that the warehouse has not yet.
	behind []eventlog.Batch
	graph  uint64
}

// desks runs a test with SQLite and DuckDB, and with PostgreSQL for both.
func desks(t *testing.T, fn func(t *testing.T, d *desk)) {
	t.Helper()
	t.Run("sqlite and duckdb", func(t *testing.T) {
		t.Parallel()
		fn(t, newDesk(t, store.Options{Dir: t.TempDir()}, warehouse.Options{Dir: t.TempDir()}))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, newDesk(t, store.Options{URL: testkit.PostgresURL(t)}, warehouse.Options{URL: testkit.PostgresURL(t)}))
	})
}

func newDesk(t testing.TB, so store.Options, wo warehouse.Options) *desk {
	t.Helper()
	d := &desk{t: t, ctx: testkit.Context(t), clock: clock.NewManual(testkit.Epoch)}
	so.Clock = d.clock
	d.db = testkit.Open(t, so, sealed.Migrations, audit.Migrations, projector.Migrations, customer.Migrations)
	box, err := sealed.NewBox(d.db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	if d.names, err = pseudonym.New(d.ctx, d.db.Keys()); err != nil {
		t.Fatal(err)
	}
	wo.Pseudonyms, wo.Clock, wo.Profile, wo.Logger = d.names, d.clock, Coarse, slog.New(slog.DiscardHandler)
	if d.house, err = warehouse.Open(d.ctx, wo); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.house.Close() })
	if d.svc, err = NewService(Deps{DB: d.db, Facts: d.house, Pseudonyms: d.names, Clock: d.clock, Entity: scope.DefaultEntity}); err != nil {
		t.Fatal(err)
	}
	if d.state, err = projector.New(d.db, box, projector.Options{}, d.svc.Handler()); err != nil {
		t.Fatal(err)
	}
	d.svc.Follow(d.state.Positions)
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// feed gives events to the stream in one batch; the warehouse gets them later.
func (d *desk) feed(events ...event.Event) {
	d.t.Helper()
	b := eventlog.Batch{Partition: 0, After: d.stood, First: d.stood + 1}
	for i := range events {
		e := &events[i]
		d.seq++
		e.Entity, e.Source, e.MessageID = scope.DefaultEntity, "app", fmt.Sprint(d.seq)
		if e.System == "" {
			e.System = "core"
		}
		if e.ReceivedAt == 0 {
			e.ReceivedAt = d.clock.Now().UnixMicro()
		}
		b.Records = append(b.Records, eventlog.Record{Event: *e, Seq: d.seq})
	}
	b.Last, d.stood = d.seq, d.seq
	d.must(d.state.Apply(d.ctx, b))
	d.behind = append(d.behind, b)
}

// catchUp brings the warehouse to where the stream is.
func (d *desk) catchUp() {
	d.t.Helper()
	for _, b := range d.behind {
		d.must(d.house.Apply(d.ctx, b))
	}
	d.behind = nil
	_, err := d.house.SyncLinks(d.ctx, d)
	d.must(err)
}

// settle ends all fills and follows time and identity.
func (d *desk) settle() {
	d.t.Helper()
	d.catchUp()
	for {
		worked, err := d.svc.Filler().Step(d.ctx)
		d.must(err)
		if !worked {
			break
		}
	}
	for {
		n, err := d.svc.Timer().Tick(d.ctx)
		d.must(err)
		if n == 0 {
			return
		}
	}
}

func (d *desk) record(user string) string {
	return d.names.Record(scope.DefaultEntity, event.UserRecord("core", user)).String()
}

// join gives a record to another's customer, part gives it back to itself.
func (d *desk) join(record, to string) { d.relink(record, to) }
func (d *desk) part(record string)     { d.relink(record, "") }

func (d *desk) relink(record, to string) {
	d.t.Helper()
	d.graph++
	d.must(d.db.Write(d.ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewRaw("INSERT INTO customer_graph (entity, version) VALUES (?, ?) ON CONFLICT (entity) DO UPDATE SET version = EXCLUDED.version", scope.DefaultEntity, d.graph).Exec(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.NewRaw("UPDATE customer_link SET to_version = ? WHERE record_id = ? AND to_version IS NULL", d.graph, record).Exec(ctx); err != nil || to == "" {
			return err
		}
		_, err = tx.NewRaw("INSERT INTO customer_link (entity, record_id, customer_id, from_version, reason, made_by, at) VALUES (?, ?, ?, ?, 'test', 'test', 1)",
			scope.DefaultEntity, record, to, d.graph).Exec(ctx)
		return err
	}))
}

// Version and LinksSince make the desk a warehouse.LinkSource.
func (d *desk) Version(context.Context, string) (uint64, error) { return d.graph, nil }

func (d *desk) LinksSince(ctx context.Context, _ string, after, upto uint64, yield func(warehouse.Link) error) error {
	return d.db.Read(d.ctx, func(ctx context.Context, tx store.Tx) error {
		var rows []struct {
			RecordID, CustomerID string
			FromVersion          uint64
			ToVersion            *uint64
		}
		err := tx.NewRaw("SELECT record_id, customer_id, from_version, to_version FROM customer_link WHERE from_version > ? OR to_version > ?", after, after).Scan(ctx, &rows)
		if err != nil {
			return err
		}
		for _, r := range rows {
			l := warehouse.Link{RecordID: uuid.MustParse(r.RecordID), CustomerID: uuid.MustParse(r.CustomerID), From: r.FromVersion, Reason: "test", By: "test"}
			if r.ToVersion != nil {
				l.To = *r.ToVersion
			}
			if err := yield(l); err != nil {
				return err
			}
		}
		return nil
	})
}

// define saves and activates a segment.
func (d *desk) define(id, text string, more ...func(*Definition)) {
	d.t.Helper()
	def := Definition{ID: id, Name: Text{En: id, Vi: id}, Rule: text, Uses: []string{"service"}, Owner: "cx_lead"}
	for _, m := range more {
		m(&def)
	}
	v, err := d.svc.Save(d.ctx, def, "test")
	d.must(err)
	_, err = d.svc.Activate(d.ctx, id, v.Version)
	d.must(err)
}

// members are the present members of a segment.
func (d *desk) members(id string) map[string]bool {
	d.t.Helper()
	out := map[string]bool{}
	after := ""
	for {
		p, err := d.svc.Members(d.ctx, id, after, 500)
		d.must(err)
		for _, m := range p.Items {
			out[m.CustomerID] = true
		}
		if after = p.Next; after == "" {
			counted := map[string]bool{}
			d.must(d.svc.Belonging(d.ctx, id, func(customer string) { counted[customer] = true }))
			if !maps.Equal(out, counted) {
				d.t.Fatalf("%s: %d members are listed and %d counted", id, len(out), len(counted))
			}
			return out
		}
	}
}

func at(d *desk, ago time.Duration) int64 { return d.clock.Now().Add(-ago).UnixMicro() }

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }
