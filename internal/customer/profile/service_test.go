package profile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"omote/internal/customer"
	"omote/internal/customer/identity"
	"omote/internal/customer/profile"
	"omote/internal/customer/search"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

var tables = []store.Migrations{customer.Migrations, sealed.Migrations, audit.Migrations}

type desk struct {
	t        *testing.T
	db       *store.DB
	names    *pseudonym.Maker
	identity *identity.Handler
	service  *profile.Service
	at       int64
}

func newDesk(t *testing.T, db *store.DB) *desk {
	t.Helper()
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	names, err := pseudonym.New(testkit.Context(t), db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	index := search.NewIndex(box)
	service, err := profile.NewService(db, box, index, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t, db, names, identity.NewHandler(names, box, index), service, 0}
}

func (d *desk) feed(events ...event.Event) {
	d.t.Helper()
	records := make([]eventlog.Record, len(events))
	for i, e := range events {
		d.at++
		e.Entity, e.Source, e.ReceivedAt = "bank", e.System, d.at
		if e.At == 0 {
			e.At = d.at
		}
		records[i] = eventlog.Record{Event: e}
	}
	err := d.db.Write(testkit.Context(d.t), func(ctx context.Context, tx store.Tx) error {
		return d.identity.Handle(ctx, tx, records)
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) states(system, user, traits string) {
	d.t.Helper()
	d.feed(event.Event{Kind: event.Identify, System: system, UserID: user, Traits: json.RawMessage(traits)})
}

func (d *desk) id(system, user string) string {
	return d.names.Record("bank", system+":"+user).String()
}

// as is a person with a role at a place.
func as(t *testing.T, role auth.Role, unit string) context.Context {
	return auth.WithActor(t.Context(), auth.Actor{Kind: auth.Person, ID: "p1", Entity: "bank", Grants: []auth.Grant{{Role: role, Unit: unit}}, Place: unit})
}

func TestMaskedUntilAPurposeIsStated(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.states("core", "C1", `{"name":"Nguyễn Thị Hồng","phone":"0903004321","citizen_id":"901199003456"}`)
		id, ctx := d.id("core", "C1"), as(t, auth.Agent, scope.Root)
		shown := func() string {
			c, err := d.service.Get(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			return c.Value("phone") + " " + c.Value("citizen_id") + " " + c.Records[0].External.Plain
		}
		if got := shown(); got != "•••• 321 •••• 456 core:••C1" {
			t.Errorf("without a purpose: %s", got)
		}
		if err := d.service.State(ctx, id, "curiosity", ""); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("an unknown purpose: %v", err)
		}
		if err := d.service.State(ctx, id, "service", "at the counter"); err != nil {
			t.Fatal(err)
		}
		if got := shown(); got != "0903004321 •••• 456 core:••C1" {
			t.Errorf("serving: %s", got)
		}
		testkit.Clock(db).Advance(31 * time.Minute)
		if got := shown(); !strings.HasPrefix(got, "•••• 321") {
			t.Errorf("after its time: %s", got)
		}
		lines := 0
		err := db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			page, err := audit.List(ctx, tx, audit.Filter{Action: "customer.profile.open"})
			lines = len(page)
			if err == nil && lines == 1 && page[0].Purpose != "service" {
				t.Errorf("the purpose is not in the trail: %+v", page[0])
			}
			return err
		})
		if err != nil || lines != 1 {
			t.Errorf("%d lines in the audit trail: %v", lines, err)
		}
		if _, err := d.service.Get(as(t, auth.Admin, scope.Root), id); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("the administrator reads customers: %v", err)
		}
	}, tables...)
}

func TestOtherUnitsCustomersNeedTheWholeNumber(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.service.Units = func(context.Context) (map[string]bool, error) { return map[string]bool{"tb002": true}, nil }
		for i, unit := range []string{"tb002", "hn001"} {
			d.states("core", fmt.Sprint("C", i), fmt.Sprintf(`{"name":"Ví Dụ Hồng","phone":"090300432%d"}`, i))
			d.feed(event.Event{Kind: event.Track, Name: "seen", System: "core", UserID: fmt.Sprint("C", i), Unit: unit})
		}
		ctx := as(t, auth.Agent, "/btb/tb002/")
		found, err := d.service.Find(ctx, "hong", 0)
		if err != nil || len(found.Items) != 1 || found.Items[0].ID != d.id("core", "C0") {
			t.Fatalf("by name: %+v %v", found.Items, err)
		}
		found, err = d.service.Find(ctx, "0903004321", 0)
		if err != nil || len(found.Items) != 1 || !found.Items[0].Closed || found.Items[0].Name != "V. D. H." || found.Items[0].Attributes != nil {
			t.Fatalf("by the whole number: %+v %v", found.Items, err)
		}
		if _, err := d.service.Overview(ctx, d.id("core", "C1")); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("the facts of a closed customer: %v", err)
		}
		if err := d.service.State(ctx, d.id("core", "C1"), "identification", ""); err != nil {
			t.Fatal(err)
		}
		if c, err := d.service.Get(ctx, d.id("core", "C1")); err != nil || c.Closed || c.Value("phone") != "0903004321" {
			t.Errorf("after the purpose: %+v %v", c, err)
		}
	}, tables...)
}

// TestActivityFollowsRecordsThroughMergeAndUnmerge counts events of two records
// at random and compares with what was sent, apart, merged, and apart again.
func TestActivityFollowsRecordsThroughMergeAndUnmerge(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		r := rand.New(rand.NewPCG(9, 9))
		names := []string{"login_succeeded", "complaint_filed", "card_purchase"}
		var sent [2]map[string]int64
		sent[0], sent[1] = map[string]int64{}, map[string]int64{}
		for range 20 {
			var batch []event.Event
			for range 1 + r.IntN(30) {
				who, name := r.IntN(2), names[r.IntN(3)]
				sent[who][name]++
				batch = append(batch, event.Event{Kind: event.Track, Name: name, System: "core", UserID: fmt.Sprint(who), Amount: 10, Currency: "VND"})
			}
			d.feed(batch...)
		}
		count := func(user string) map[string]int64 {
			c, err := d.service.Get(testkit.Context(t), d.id("core", user))
			if err != nil {
				t.Fatal(err)
			}
			out := map[string]int64{}
			for _, x := range c.Computed {
				switch x.Rule.Name {
				case "sign_ins":
					out["login_succeeded"] = x.N
				case "complaints":
					out["complaint_filed"] = x.N
				case "card_spend":
					if len(x.Sums) > 0 {
						out["card_purchase"] = x.Sums[0].Amount / 10
					}
				}
			}
			return out
		}
		same := func(got, want map[string]int64) bool {
			return !slices.ContainsFunc(names, func(n string) bool { return got[n] != want[n] })
		}
		both := map[string]int64{}
		for _, n := range names {
			both[n] = sent[0][n] + sent[1][n]
		}
		decide := identity.NewService(db)
		act, err := decide.Merge(testkit.Context(t), identity.Pair{A: d.id("core", "0"), B: d.id("core", "1")}, "test")
		if err != nil {
			t.Fatal(err)
		}
		if !same(count("0"), both) || !same(count("1"), both) {
			t.Errorf("merged: %v, want %v", count("0"), both)
		}
		if _, err := decide.Undo(testkit.Context(t), act.ID, "test"); err != nil {
			t.Fatal(err)
		}
		if !same(count("0"), sent[0]) || !same(count("1"), sent[1]) {
			t.Errorf("apart again: %v and %v, want %v and %v", count("0"), count("1"), sent[0], sent[1])
		}
	}, tables...)
}

func TestHouseholdIsInferred(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.states("core", "a", `{"name":"Nguyễn Văn A","phone":"0903000001","address":"12 Phố Ví Dụ, Hà Nội"}`)
		d.states("core", "b", `{"name":"Nguyễn Thị B","phone":"0903000002","address":"12 phố ví dụ, Hà Nội"}`)
		d.states("core", "c", `{"name":"Trần Văn C","phone":"0903000001","address":"12 Phố Ví Dụ - Hà Nội"}`)
		d.states("core", "d", `{"name":"Lê Văn D","phone":"0903000009","address":"12 Phố Ví Dụ, Hà Nội"}`) // a lodger
		d.states("core", "e", `{"name":"Nguyễn Văn E","phone":"0903000008","address":"13 Phố Ví Dụ, Hà Nội"}`)
		got, err := d.service.Household(testkit.Context(t), d.id("core", "a"))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, r := range got {
			found[r.Name] = strings.Join(r.Evidence, " ")
		}
		if len(found) != 2 || found["Nguyễn Thị B"] != "address family_name" || found["Trần Văn C"] != "address phone" {
			t.Errorf("%v", found)
		}
		// A tower of many flats with one address is nobody's household.
		for i := range 40 {
			d.states("core", fmt.Sprint("t", i), fmt.Sprintf(`{"name":"Nguyễn Văn T%d","address":"12 Phố Ví Dụ, Hà Nội"}`, i))
		}
		if got, err = d.service.Household(testkit.Context(t), d.id("core", "a")); err != nil || len(got) != 0 {
			t.Errorf("in a tower: %d relatives %v", len(got), err)
		}
	}, tables...)
}

func TestCountsTellProspectsFromCustomers(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		for i := range 6 {
			d.feed(event.Event{Kind: event.Page, Name: "seen", System: "web", AnonymousID: fmt.Sprint("d", i)})
		}
		for i := range 2 {
			d.feed(event.Event{Kind: event.Identify, System: "web", UserID: fmt.Sprint("u", i), AnonymousID: fmt.Sprint("d", i)})
		}
		d.states("core", "c", `{"phone":"0903000001","name":"Ví Dụ"}`)
		d.states("crm", "c", `{"phone":"0903000001","name":"Ví Dụ"}`)
		c, err := d.service.Counts(testkit.Context(t))
		if err != nil || c != (profile.Counts{Records: 4, Customers: 3, Merged: 1, Systems: 3, Devices: 6, Joined: 2}) || c.Prospects() != 4 {
			t.Errorf("%+v %v", c, err)
		}
	}, tables...)
}
