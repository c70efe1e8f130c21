package search_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"omote/internal/customer"
	"omote/internal/customer/identity"
	"omote/internal/customer/search"
	"omote/internal/platform/audit"
	"omote/internal/platform/erasure"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/keyring"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

var tables = []store.Migrations{customer.Migrations, sealed.Migrations, audit.Migrations}

type desk struct {
	t       *testing.T
	db      *store.DB
	box     *sealed.Box
	names   *pseudonym.Maker
	index   *search.Index
	handler *identity.Handler
	at      int64
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
	return &desk{t, db, box, names, index, identity.NewHandler(names, box, index), 0}
}

func (d *desk) states(system, user string, traits map[string]string) {
	d.t.Helper()
	raw, err := json.Marshal(traits)
	if err != nil {
		d.t.Fatal(err)
	}
	d.at++
	e := event.Event{Kind: event.Identify, Entity: "bank", Source: system, System: system, UserID: user, At: d.at, ReceivedAt: d.at, Traits: raw}
	err = d.db.Write(testkit.Context(d.t), func(ctx context.Context, tx store.Tx) error {
		return d.handler.Handle(ctx, tx, []eventlog.Record{{Event: e}})
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) id(system, user string) string {
	return d.names.Record("bank", system+":"+user).String()
}

func (d *desk) find(query string) (customers []string) {
	d.t.Helper()
	for _, h := range d.found(query).Hits {
		customers = append(customers, h.Customer)
	}
	return customers
}

func (d *desk) found(query string) (out search.Found) {
	d.t.Helper()
	err := d.db.Read(testkit.Context(d.t), func(ctx context.Context, tx store.Tx) (err error) {
		out, err = d.index.Find(ctx, tx, query, 0)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func TestFindsAsPeopleAsk(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.states("core", "C0001", map[string]string{"name": "Nguyễn Thị Hồng", "phone": "0903004321", "citizen_id": "901199003456", "email": "hong@ngan-hang.example"})
		d.states("crm", "700001", map[string]string{"name": "NGUYEN THI HONG", "phone": "+84 903 004 321"}) // the same person
		d.states("core", "C0002", map[string]string{"name": "Nguyễn Hồng Thị", "phone": "0903009999"})
		d.states("core", "C0003", map[string]string{"name": "Trần Văn Đức", "phone": "0903007777", "citizen_id": "901199007788"})
		hong, duc := d.id("core", "C0001"), d.id("core", "C0003")
		for query, want := range map[string]string{
			"nguyen thi hong": hong, "Nguyễn Thị Hồng": hong, "hong nguyen": hong, "HỒNG": hong, "4321": hong, "…4321": hong, "004321": hong,
			"3456": hong, "003456": hong, "0903 004 321": hong, "+84903004321": hong, "901199003456": hong, "hong@ngan-hang.example": hong,
			"hong 4321": hong, "hong 3456": hong, "C0001": hong, "700001": hong, "duc": duc, "Đức 7777": duc, "tran duc 7788": duc,
		} {
			if got := d.find(query); !slices.Contains(got, want) {
				t.Errorf("%q finds %v, not the one customer asked for", query, got)
			}
		}
		if got := d.find("hong nguyen"); len(got) != 2 {
			t.Errorf("a merged customer is found as %d", len(got))
		}
		if got := d.found("nguyen thi hong"); !got.Hits[0].Exact {
			t.Errorf("the whole name does not come first: %+v", got.Hits)
		}
		for _, query := range []string{"", "   ", "xyz", "hong 7777", "1", "%", "'", "nguyen thi hong tran", "\x00", "901199009999"} {
			if got := d.find(query); len(got) != 0 {
				t.Errorf("%q finds %v", query, got)
			}
		}
		// The name is in one system and the number in another.
		d.states("card", "9001", map[string]string{"citizen_id": "901199007788", "phone": "0903001234"})
		if got := d.find("duc 1234"); len(got) != 1 || got[0] != duc {
			t.Errorf("a name and a number of two records of one customer find %v", got)
		}
	}, tables...)
}

// TestFollowsWhatIsStated changes traits at random and compares every search with
// a walk over what is stated.
func TestFollowsWhatIsStated(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		r := rand.New(rand.NewPCG(5, 5))
		words := []string{"Nguyễn", "Trần", "Thị", "Văn", "Hồng", "Đức", "An", "Ánh"}
		now := map[string]map[string]string{}
		for range 120 {
			user := fmt.Sprint("u", r.IntN(25))
			traits := map[string]string{"name": words[r.IntN(2)] + " " + words[2+r.IntN(2)] + " " + words[4+r.IntN(4)], "phone": fmt.Sprintf("09030%05d", r.IntN(60))}
			d.states("core", user, traits)
			now[user] = traits
		}
		owner := func(user string) (c string) {
			err := db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) (err error) {
				c, err = identity.Owner(ctx, tx, d.id("core", user))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		for _, a := range words {
			for _, b := range words {
				want := map[string]bool{}
				for user, traits := range now {
					w := identity.NameWords(traits["name"])
					if slices.Contains(w, identity.NameWords(a)[0]) && slices.Contains(w, identity.NameWords(b)[0]) {
						want[owner(user)] = true
					}
				}
				got := d.find(a + " " + b)
				if len(got) != len(want) {
					t.Errorf("%s %s finds %d customers, want %d", a, b, len(got), len(want))
				}
				for _, c := range got {
					if !want[c] {
						t.Errorf("%s %s finds a customer that is not called so", a, b)
					}
				}
			}
		}
	}, tables...)
}

func TestRotationKeepsEverythingFound(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		for i := range 30 {
			d.states("core", fmt.Sprint(i), map[string]string{"name": fmt.Sprintf("Ví Dụ %c", 'A'+i), "phone": fmt.Sprintf("09030000%02d", i)})
		}
		ring := db.Keys().(*keyring.File)
		for _, purpose := range []string{"token", "blind", "field"} {
			if _, err := ring.Rotate(t.Context(), purpose); err != nil {
				t.Fatal(err)
			}
		}
		before := d.find("vi du")
		d.states("core", "3", map[string]string{"name": "Khác Hẳn"}) // changes while two keys are in use
		if _, err := (sealed.Rotation{Box: d.box}).All(testkit.Context(t), db, identity.Sealed(d.box), d.index.Sealed()); err != nil {
			t.Fatal(err)
		}
		if got := d.find("vi du"); len(got) != len(before)-1 {
			t.Errorf("%d of %d customers are found after the rotation", len(got), len(before)-1)
		}
		if got := d.find("hẳn khác"); len(got) != 1 {
			t.Errorf("the new name finds %v", got)
		}
		var entries []string
		err := db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			return tx.NewRaw("SELECT entry FROM customer_token").Scan(ctx, &entries)
		})
		keys := map[string]bool{}
		for _, e := range entries {
			key, _, _ := strings.Cut(e, ".")
			keys[key] = true
		}
		if err != nil || len(keys) != 1 {
			t.Errorf("%d keys are in use after the rotation: %v", len(keys), err)
		}
	}, tables...)
}

func TestErasureLeavesNothingToFind(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.states("core", "1", map[string]string{"name": "Nguyễn Thị Hồng", "phone": "0903004321"})
		d.states("core", "2", map[string]string{"name": "Nguyễn Văn Đức", "phone": "0903005678"})
		err := db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			_, err := d.index.Eraser().InStore(ctx, tx, &erasure.Subject{Entity: "bank", Records: []string{d.id("core", "1")}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.find("nguyen"); len(got) != 1 || got[0] != d.id("core", "2") {
			t.Errorf("after the erasure %v is found", got)
		}
		var left, shared int
		err = db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			return tx.NewRaw("SELECT count(*), COALESCE(SUM(CASE WHEN n > 1 THEN 1 ELSE 0 END), 0) FROM customer_token").Scan(ctx, &left, &shared)
		})
		if want := len(search.Tokens(`{"name":"Nguyễn Văn Đức","phone":"0903005678"}`)); err != nil || left != want || shared != 0 {
			t.Errorf("%d tokens are left, %d of them counted twice; want %d and 0: %v", left, shared, want, err)
		}
	}, tables...)
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"nguyen thi hong", "4321", "0903 000 001", "a@b", "…", "\u200b", "C-1 2 3", "+84"} {
		f.Add(s)
	}
	db := testkit.SQLite(f, tables...)
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		f.Fatal(err)
	}
	index := search.NewIndex(box)
	f.Fuzz(func(t *testing.T, query string) {
		_ = db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			_, err := index.Find(ctx, tx, query, 10)
			if err != nil && len([]rune(query)) <= search.MaxQuery {
				t.Errorf("%q: %v", query, err)
			}
			return nil
		})
		search.Tokens(`{"name":` + fmt.Sprintf("%q", query) + `,"phone":` + fmt.Sprintf("%q", query) + `}`)
	})
}
