package identity_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"omote/internal/customer"
	"omote/internal/customer/identity"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
)

// desk feeds events to the handler and reads what it made of them.
type desk struct {
	t       *testing.T
	ctx     context.Context
	db      *store.DB
	box     *sealed.Box
	names   *pseudonym.Maker
	handler *identity.Handler
	clock   int64 // arrival of the last event
}

func newDesk(t *testing.T, db *store.DB) *desk {
	t.Helper()
	ctx := scope.With(t.Context(), scope.Process("bank", "test"))
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	names, err := pseudonym.New(ctx, db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t, ctx, db, box, names, identity.NewHandler(names, box), 0}
}

func (d *desk) feed(events ...event.Event) {
	d.t.Helper()
	d.feedAs("bank", events...)
}

func processOf(t *testing.T, entity string) context.Context {
	return scope.With(t.Context(), scope.Process(entity, "test"))
}

func (d *desk) feedAs(entity string, events ...event.Event) {
	d.t.Helper()
	records := make([]eventlog.Record, len(events))
	for i, e := range events {
		d.clock++
		e.Entity, e.Source, e.System, e.ReceivedAt = entity, "app", "core", d.clock
		records[i] = eventlog.Record{Event: e}
	}
	err := d.db.Write(processOf(d.t, entity), func(ctx context.Context, tx store.Tx) error { return d.handler.Handle(ctx, tx, records) })
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) user(id string) string { return d.names.Record("bank", "core:"+id).String() }
func (d *desk) anon(id string) string { return d.names.Record("bank", "anon:app:"+id).String() }

// owners gives the standing links and the version of the graph.
func (d *desk) owners() (map[string]string, uint64) {
	d.t.Helper()
	graph := identity.NewGraph(d.db)
	version, err := graph.Version(d.ctx, "bank")
	if err != nil {
		d.t.Fatal(err)
	}
	out := map[string]string{}
	err = graph.LinksSince(d.ctx, "bank", 0, version, func(l warehouse.Link) error {
		if l.To == 0 {
			if _, twice := out[l.RecordID.String()]; twice {
				return fmt.Errorf("record %s has two owners", l.RecordID)
			}
			out[l.RecordID.String()] = l.CustomerID.String()
		}
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return out, version
}

func TestRecordsCountAndKeepTheNewest(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.feed(event.Event{Kind: event.Track, Name: "b", UserID: "1", At: 20, Channel: "branch"}, event.Event{Kind: event.Track, Name: "a", UserID: "1", At: 10})
		d.feed(event.Event{Kind: event.Track, Name: "late", UserID: "1", At: 15}, event.Event{Kind: event.Track, Name: "c", UserID: "1", At: 30})
		var r identity.Record
		err := db.Read(d.ctx, func(ctx context.Context, tx store.Tx) error {
			found, err := identity.RecordsOf(ctx, tx, d.box, []string{d.user("1")})
			if err == nil {
				r = found[0]
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Events != 4 || r.FirstSeen != 10 || r.LastSeen != 30 || r.LastEvent != "c" || r.LastChannel != "branch" || r.External.Plain != "core:1" {
			t.Errorf("%+v external %q", r, r.External.Plain)
		}
	}, customer.Migrations, sealed.Migrations)
}

func TestTraitsMergeByTimeWhateverTheOrder(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		say := func(at int64, traits string) event.Event {
			return event.Event{Kind: event.Identify, UserID: "1", At: at, Traits: json.RawMessage(traits)}
		}
		d.feed(say(30, `{"city":"Huế"}`))
		d.feed(say(10, `{"city":"Hà Nội","name":"Ví Dụ"}`))
		row := identity.Traits{Entity: "bank", RecordID: d.user("1")}
		err := db.Read(d.ctx, func(ctx context.Context, tx store.Tx) error {
			if err := tx.NewSelect().Model(&row).WherePK().Scan(ctx); err != nil {
				return err
			}
			return d.box.Open(ctx, tx, &row)
		})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := json.Unmarshal([]byte(row.Traits.Plain), &got); err != nil {
			t.Fatal(err)
		}
		if got["name"] != "Ví Dụ" || got["city"] != "Huế" {
			t.Errorf("traits %v", got)
		}
	}, customer.Migrations, sealed.Migrations)
}

func TestLinks(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		both := func(user, anon string) event.Event {
			return event.Event{Kind: event.Identify, UserID: user, AnonymousID: anon}
		}
		d.feed(event.Event{Kind: event.Page, AnonymousID: "x"})
		if owners, version := d.owners(); len(owners) != 0 || version != 0 {
			t.Fatalf("links before any reason: %v %d", owners, version)
		}
		d.feed(both("1", "x"), both("1", "x"))
		d.feed(both("2", "x")) // a shared device stays with the first
		owners, _ := d.owners()
		if len(owners) != 1 || owners[d.anon("x")] != d.user("1") {
			t.Fatalf("%v", owners)
		}
		// User 1 is now called 3 by its system; the customer keeps its id.
		d.feed(event.Event{Kind: event.Alias, UserID: "3", PreviousID: "1"})
		owners, version := d.owners()
		if len(owners) != 2 || owners[d.user("3")] != d.user("1") || owners[d.anon("x")] != d.user("1") || version != 2 {
			t.Fatalf("%v version %d", owners, version)
		}
		// The same said again, and a circle, change nothing.
		d.feed(event.Event{Kind: event.Alias, UserID: "3", PreviousID: "1"}, event.Event{Kind: event.Alias, UserID: "1", PreviousID: "3"})
		if again, v := d.owners(); len(again) != 2 || v != version {
			t.Fatalf("%v version %d", again, v)
		}
		for record, owner := range owners {
			if _, chained := owners[owner]; chained {
				t.Errorf("%s belongs to %s, which belongs to another", record, owner)
			}
			if _, err := uuid.Parse(owner); err != nil {
				t.Error(err)
			}
		}
	}, customer.Migrations, sealed.Migrations)
}

func TestMigrations(t *testing.T) { testkit.CheckMigrations(t, customer.Migrations) }
